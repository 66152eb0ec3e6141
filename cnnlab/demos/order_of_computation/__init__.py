"""Demo 5: the same numbers in two orders, window by window or layer by layer (deck rows D17 to D20 and D22)."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

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

_MOST_UNITS = 20_000  # computed window by window: beyond this the picture would no longer follow a slider at once
_EXAMPLE = {1: (64,), 2: (16, 16)}
_BEGIN = {1: [20], 2: [10, 12]}
_SEED = 3


class OrderOfComputation(Demo):
    """Compute one scan in two orders side by side, on one clock of multiply-adds.

    Window-first: all layers at one window, then all layers at the next. Layer-first: one neuron at
    all places, then the next neuron, then the next layer. Both give the same numbers. Where only
    layer 1 looks at more than one place (a plain scan), both take equally many multiply-adds
    (deck row D17). Where the scan is distributed over two or three levels, neighboring windows
    share blocks (D22): window-first computes these again in each window, layer-first once. The price
    is memory: layer-first keeps whole maps, window-first the numbers of one window.

    Counted are multiply-adds only, as by `cnnlab.summary`; adding a bias is not counted.

    Parameters
    ----------
    n : int or (int, int)
        Number of inputs; (height, width) for a picture. By default the size of `x`, or a small example.
    widths, hops : int, or sequence with an int or (height, width) for each level
        Window and step of each level, from the input up: `widths` in inputs for level 1, in places of the level below
        for the others. Layers above the levels look at one place. One level is a plain scan.
    features : sequence of int
        Neurons of each layer; ReLU between layers, none after the last. By default (3, 2, 1).
    x : array, shape (n,), (C, n) or (C, H, W), optional
        Your own input.
    layers : list of (W, b), optional
        Your own net: W of shape (out, in), where ``in`` is channels × window in C order of (channel, *window), and b of
        shape (out,). It fixes `features`; `widths` must be those that it was made for.
    remember : bool
        Whether window-first keeps what it computed and computes nothing again.

    Attributes
    ----------
    n, widths, hops, features, remember, clock
        What the reader has set, one entry an axis; assign to change the view. `clock` is how many multiply-adds each
        order has done so far.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, no window fits, or there is too much to draw.

    Examples
    --------
    >>> plain = OrderOfComputation(20, widths=8, features=(3, 2, 1))
    >>> plain.multiply_adds
    {'window_first': 416, 'layer_first': 416}
    >>> OrderOfComputation(20, widths=(4, 3), hops=(2, 1)).multiply_adds
    {'window_first': 392, 'layer_first': 248}
    """

    _esm = script("order_of_computation", "model", "words", "numbers", "layout", "timeline", "panel", "view")
    _css = style("order_of_computation")
    title: ClassVar[str] = "Order of computation"

    n: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    widths: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    hops: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    features: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    remember = traitlets.Bool(False).tag(sync=True, demo=True)
    clock = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        n: int | Sequence[int] | None = None,
        *,
        widths: Any = None,
        hops: Any = None,
        features: Sequence[int] | None = None,
        x: ArrayLike | None = None,
        layers: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
        remember: bool = False,
    ) -> None:
        self._x = example_input(_EXAMPLE[2 if isinstance(n, Sequence) else 1]) if x is None else own_input(x)
        self._rank = rank = self._x.ndim - 1
        whole = list(self._x.shape[1:])
        size = (_BEGIN[rank] if x is None else whole) if n is None else list(per_axis("n", n, rank, at_least=1))
        if layers is not None and (features is not None or widths is None):
            raise ValueError("layers fix features, but not where they look: give widths (and hops) and no features")
        if layers is not None:
            features = [np.shape(W)[0] if np.ndim(W) else 0 for W, _ in layers]
        neurons = features_of_layers((3, 2, 1) if features is None else features)
        default = (4, 3)[: len(neurons)] if rank == 1 else (4, 2)[: len(neurons)]
        kernel = sizes_of_levels("widths", default if widths is None else widths, rank, len(neurons))
        step = ((2, 1)[: len(neurons)] if widths is None else 1) if hops is None else hops
        hop = sizes_of_levels("hops", step, rank, len(neurons))
        self._pool = WeightPool(rank, self._x.shape[0], _SEED)
        self._own = None if layers is None else checked_layers(layers, self._x.shape[0], kernel)
        data = {
            "rank": rank,
            "x": nested(self._x),
            "ownInput": x is not None,
            "pool": self._pool.packed(),
            "layers": None if self._own is None else [[nested(W.reshape(len(W), -1)), nested(b)] for W, b in self._own],
            "mostFeatures": MOST_FEATURES,
            "mostWidth": MOST_WIDTH[rank],
            "mostUnits": _MOST_UNITS,
        }
        state = {"n": size, "widths": kernel, "hops": hop, "features": neurons}
        super().__init__(**state, remember=bool(remember), data=data)
        self._refuse_misfits()
        self.clock = int(0.55 * self.multiply_adds["layer_first"])

    @property
    def weights(self) -> Weights:
        """(W, b) of each layer as it is set now, W of shape (features, channels below, *width)."""
        return self._own or self._pool.weights(self._x.shape[0], self.widths, self.features)

    @property
    def output(self) -> NDArray[np.float64]:
        """The scores for what is set now, computed by NumPy; shape (neurons of the last layer, *windows)."""
        inside = (slice(None), *(slice(size) for size in self.n))
        return scores(self._x[inside], self.weights, self.hops)

    @property
    def multiply_adds(self) -> dict[str, int]:
        """Multiply-adds of both orders, without remembering; that of layer-first is `cnnlab.summary`'s."""
        layers = geometries(self._x.shape[0], self.widths, self.hops, self.features)
        shape = [self._x.shape[0], *self.n]
        total = 0
        for layer in layers:
            total += layer.mac_count(shape)
            shape = list(layer.output_shape(shape))
        windows, places, in_window = prod(shape[1:]), [1] * self._rank, 0
        for layer in reversed(layers):
            in_window += prod(places) * prod(layer.weight_shape)
            steps = zip(places, layer.stride, layer.kernel, strict=True)
            places = [(count - 1) * stride + kernel for count, stride, kernel in steps]
        return {"window_first": windows * in_window, "layer_first": total}

    def _refuse_misfits(self) -> None:
        most = _MOST_UNITS
        _ = self.output  # a window larger than its map is refused here
        layers = geometries(self._x.shape[0], self.widths, self.hops, self.features)
        places, units = [1] * self._rank, 0
        for layer, count in zip(reversed(layers), reversed(self.features), strict=True):
            units += prod(places) * count
            steps = zip(places, layer.stride, layer.kernel, strict=True)
            places = [(many - 1) * stride + kernel for many, stride, kernel in steps]
        units *= prod(self.output.shape[1:])
        if units > most:
            raise ValueError(f"window by window there are {units:,} units to compute, at most {most:,}: lower n")

    @traitlets.validate("n")
    def _input_has_as_many(self, proposal: Any) -> list[int]:
        size = list(per_axis("n", proposal["value"], self._rank, at_least=1))
        if any(wanted > there for wanted, there in zip(size, self._x.shape[1:], strict=True)):
            raise ValueError(f"n={size} is more than the input's {list(self._x.shape[1:])}: give a larger x")
        return size

    @traitlets.validate("widths", "hops")
    def _one_size_a_layer(self, proposal: Any) -> Sizes:
        name = proposal["trait"].name
        value = [list(v) if isinstance(v, tuple) else v for v in proposal["value"]]
        sizes = sizes_of_levels(name, value, self._rank, len(value))
        most = MOST_WIDTH[self._rank]
        if self._own is not None and name == "widths":
            made_for = [list(W.shape[2:]) for W, _ in self._own]
            if sizes != made_for:
                raise ValueError(f"widths={sizes}: the net given as layers was made for {made_for}")
        elif name == "widths" and max(map(max, sizes)) > most:
            raise ValueError(f"widths={sizes}: at most {most} can be seen as blocks; or pass your own layers")
        return sizes

    @traitlets.validate("features")
    def _neurons_are_there(self, proposal: Any) -> list[int]:
        neurons = features_of_layers(proposal["value"])
        if self._own is not None:
            if neurons != [len(b) for _, b in self._own]:
                raise ValueError(f"features={neurons}: the net given as layers has {[len(b) for _, b in self._own]}")
        elif max(neurons) > MOST_FEATURES or len(neurons) > 4:
            raise ValueError(
                f"features={neurons}: at most 4 layers of {MOST_FEATURES} can be told apart; or pass your own layers"
            )
        return neurons
