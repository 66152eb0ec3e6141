"""Demo 7: one window looked at by one, two or three levels, and the MLP that each net is (deck rows D21 to D24)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import nested
from cnnlab.demos.levels import (
    MOST_FEATURES,
    MOST_WIDTH,
    Sizes,
    WeightPool,
    Weights,
    checked_layers,
    example_input,
    features_of_layers,
    geometries,
    own_input,
    scores,
    sizes_of_levels,
)
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry.options import per_axis

if TYPE_CHECKING:
    from cnnlab import nn

_LAYERS = 3
_MOST_ENTRIES = 20_000  # of all matrices together
_EXAMPLE = {1: (24,), 2: (9, 13)}
_DEFAULTS: dict[int, dict[str, Any]] = {
    1: {"window": 12, "widths": (6, 2), "hops": (3, 1)},
    2: {"window": (5, 7), "widths": (3, 2), "hops": (2, 1)},
}
_SEED = 3


class DistributedScan(Demo):
    """Look at one window through one, two or three levels, and see the MLP that each of these nets is.

    With one level, layer 1 sees the whole window: a dense first layer. With two, layer 1 sees blocks of it, and layer
    2 all blocks; with three, layer 2 sees groups of blocks, and layer 3 all that is left (deck rows D22 and D24). The
    window and the hop of the scan stay the same. Each is another net, not a rewriting of the dense one: as an MLP over
    the window, its matrices are block-sparse and tied. Both forms are computed over the whole input, and their
    largest difference is shown.

    Parameters
    ----------
    x : array, shape (n,), (C, n) or (C, H, W), optional
        The input that is scanned; by default a small example.
    window : int or (int, int)
        Size of the window, (height, width) for a picture.
    levels : {1, 2, 3}
        How many levels share the window.
    widths, hops : two ints, or two (height, width)
        Block and hop of level 1 (used with two levels or more) and of level 2 (with three). The last level sees all
        blocks that are left and makes up for the hops that are not used, so that the scan's hop is the product of both.
    features : three ints
        Neurons of each layer; ReLU between layers, none after the last.
    layers : list of (W, b), optional
        Your own net of that geometry: W of shape (out, in), where ``in`` is channels × block in C order of
        (channel, *block), and b of shape (out,). It fixes all sizes.

    Attributes
    ----------
    levels, window, widths, hops, features, position, order
        What the reader has set, one entry an axis; assign to change the view. `position` counts windows in C order;
        `order` is how the matrices' rows are sorted, "place" or "unit" (as in memory).

    Raises
    ------
    ValueError
        If blocks do not cover the window exactly, shapes do not fit, or a number is not finite.

    Examples
    --------
    >>> DistributedScan(levels=1).parameters
    {'dense': 50, 'untied': 50, 'tied': 50}
    >>> DistributedScan(levels=3).parameters
    {'dense': 176, 'untied': 100, 'tied': 40}
    """

    _esm = script("distributed_scan", "model", "words", "layout", "wiring", "matrix", "strip", "cover", "view")
    _css = style("distributed_scan")
    title: ClassVar[str] = "Distributed scan"

    levels = traitlets.Int(2, min=1, max=3).tag(sync=True, demo=True)
    window: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    widths: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    hops: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    features: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    position = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    order = traitlets.Enum(("place", "unit"), "place").tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        x: ArrayLike | None = None,
        *,
        window: int | Sequence[int] | None = None,
        levels: int = 2,
        widths: Any = None,
        hops: Any = None,
        features: Sequence[int] | None = None,
        layers: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
    ) -> None:
        if levels not in (1, 2, 3):
            raise ValueError(f"levels={levels}: choose 1, 2 or 3")
        pair = isinstance(window, Sequence) and len(window) == 2
        self._x = example_input(_EXAMPLE[2 if pair else 1]) if x is None else own_input(x)
        self._rank = rank = self._x.ndim - 1
        defaults = _DEFAULTS[rank]
        if layers is not None and features is not None:
            raise ValueError("layers fix features: leave features out")
        if layers is not None:
            features = [np.shape(W)[0] if np.ndim(W) else 0 for W, _ in layers]
        self._pool = WeightPool(rank, self._x.shape[0], _SEED)
        state: dict[str, Any] = {
            "window": list(per_axis("window", defaults["window"] if window is None else window, rank, at_least=1)),
            "widths": _pair("widths", defaults["widths"] if widths is None else widths, rank),
            "hops": _pair("hops", defaults["hops"] if hops is None else hops, rank),
            "features": features_of_layers((3, 2, 1) if features is None else features),
        }
        if len(state["features"]) != _LAYERS:
            raise ValueError(f"features={state['features']}: give {_LAYERS} layers")
        self._refuse_large(state["window"])
        sizes = kernels_and_hops(levels, state["window"], state["widths"], state["hops"])
        own = None if layers is None else checked_layers(layers, self._x.shape[0], sizes[0])
        self._own: Weights | None = own
        self._made_for: dict[str, Any] = {"levels": levels, **state}
        data = {
            "rank": rank,
            "x": nested(self._x),
            "pool": self._pool.packed(),
            "layers": None if own is None else [[nested(W.reshape(len(W), -1)), nested(b)] for W, b in own],
            "mostFeatures": MOST_FEATURES,
            "mostWidth": MOST_WIDTH[rank],
            "mostEntries": _MOST_ENTRIES,
        }
        super().__init__(levels=levels, **state, data=data)
        _ = self.output  # what does not fit is refused here
        if self.parameters["dense"] > _MOST_ENTRIES:
            raise ValueError(
                f"the matrices have {self.parameters['dense']:,} entries, at most {_MOST_ENTRIES:,} can be drawn: "
                "take a smaller window, fewer channels or fewer neurons"
            )

    @property
    def blocks(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """(kernel, stride) of each level from the input up, as `cnnlab.nn.to_convolutions` takes them."""
        kernels, strides = kernels_and_hops(self.levels, self.window, self.widths, self.hops)
        return [(tuple(k), tuple(s)) for k, s in zip(kernels[: self.levels], strides[: self.levels], strict=True)]

    @property
    def weights(self) -> Weights:
        """(W, b) of each layer as it is set now, W of shape (features, channels below, *kernel)."""
        kernels, _ = kernels_and_hops(self.levels, self.window, self.widths, self.hops)
        return self._own or self._pool.weights(self._x.shape[0], kernels, self.features)

    @property
    def stack(self) -> nn.Sequential:
        """The net as a stack of convolutions of `cnnlab.nn`, float64; `cnnlab.nn.expand` makes the MLP of it."""
        from cnnlab import nn

        conv = {1: nn.Conv1d, 2: nn.Conv2d}[self._rank]
        _, strides = kernels_and_hops(self.levels, self.window, self.widths, self.hops)
        layers: list[nn.Module] = []
        for (W, b), stride in zip(self.weights, strides, strict=True):
            layer = conv(W.shape[1], W.shape[0], W.shape[2:], stride, rng=np.random.default_rng(0), dtype="float64")
            layer.weight.data = W
            if layer.bias is not None:
                layer.bias.data = b
            layers += [layer, nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    @property
    def output(self) -> NDArray[np.float64]:
        """The scores of all windows, computed by NumPy; shape (neurons of the last layer, *windows)."""
        return scores(self._x, self.weights, kernels_and_hops(self.levels, self.window, self.widths, self.hops)[1])

    @property
    def parameters(self) -> dict[str, int]:
        """Weights and biases: all connected, block-sparse with a weight for each connection, block-sparse and tied."""
        kernels, strides = kernels_and_hops(self.levels, self.window, self.widths, self.hops)
        layers = geometries(self._x.shape[0], kernels, strides, self.features)
        counts = {"dense": 0, "untied": 0, "tied": 0}
        shape = [self._x.shape[0], *self.window]
        for layer in layers:
            inputs, shape = prod(shape), list(layer.output_shape(shape))
            units, places = prod(shape), prod(shape[1:])
            counts["dense"] += units * inputs + units
            counts["untied"] += places * prod(layer.weight_shape) + units
            counts["tied"] += layer.parameter_count()
        return counts

    @traitlets.validate("window")
    def _window_fits(self, proposal: Any) -> list[int]:
        window = list(per_axis("window", proposal["value"], self._rank, at_least=1))
        self._refuse_large(window)
        if self._own is None and max(window) > MOST_WIDTH[self._rank]:
            raise ValueError(f"window={window}: at most {MOST_WIDTH[self._rank]}, or pass your own layers")
        self._refuse_another("window", window)
        return window

    @traitlets.validate("widths", "hops")
    def _two_levels(self, proposal: Any) -> Sizes:
        name = proposal["trait"].name
        sizes = _pair(name, proposal["value"], self._rank)
        self._refuse_another(name, sizes)
        return sizes

    @traitlets.validate("features")
    def _three_layers(self, proposal: Any) -> list[int]:
        neurons = features_of_layers(proposal["value"])
        if len(neurons) != _LAYERS or (self._own is None and max(neurons) > MOST_FEATURES):
            raise ValueError(f"features={neurons}: give {_LAYERS} layers of at most {MOST_FEATURES} neurons")
        self._refuse_another("features", neurons)
        return neurons

    @traitlets.validate("levels")
    def _levels_of_the_net(self, proposal: Any) -> int:
        self._refuse_another("levels", proposal["value"])
        return int(proposal["value"])

    def _refuse_large(self, window: list[int]) -> None:
        if any(wanted > there for wanted, there in zip(window, self._x.shape[1:], strict=True)):
            raise ValueError(f"window={window} is larger than the input's {list(self._x.shape[1:])}: give a larger x")

    def _refuse_another(self, name: str, value: Any) -> None:
        if self._own is not None and value != self._made_for[name]:
            raise ValueError(f"{name}={value}: the net given as layers was made for {self._made_for[name]}")


def kernels_and_hops(levels: int, window: Sequence[int], widths: Sizes, hops: Sizes) -> tuple[Sizes, Sizes]:
    """Return the kernel and the stride of each of the three layers.

    The last level sees all blocks that are left, and its stride is what the scan's hop, the product of both hops,
    still lacks. Layers above it look at one place.

    Raises
    ------
    ValueError
        If the blocks of a level do not cover what they look at exactly.
    """
    rank = len(window)
    left, rest = list(window), [a * b for a, b in zip(*hops, strict=True)]
    kernels: Sizes = []
    strides: Sizes = []
    for level in range(levels - 1):
        width, hop = widths[level], hops[level]
        blocks = [(n - k) // s + 1 for n, k, s in zip(left, width, hop, strict=True)]
        covered = [(n - 1) * s + k for n, s, k in zip(blocks, hop, width, strict=True)]
        if covered != left or min(blocks) < 1:
            raise ValueError(
                f"level {level + 1}: blocks of {width} at hop {hop} cover {covered} of {left}: choose sizes that leave "
                "nothing over"
            )
        kernels.append(list(width))
        strides.append(list(hop))
        left, rest = blocks, [total // s for total, s in zip(rest, hop, strict=True)]
    kernels.append(left)
    strides.append(rest)
    ones = [[1] * rank for _ in range(_LAYERS - levels)]
    return kernels + ones, strides + ones


def _pair(name: str, values: Any, rank: int) -> Sizes:
    if not isinstance(values, Sequence) or len(values) != 2:
        raise ValueError(f"{name}={values!r}: give two, one for the blocks of level 1 and one for those of level 2")
    return sizes_of_levels(name, [list(v) if isinstance(v, tuple) else v for v in values], rank, 2)
