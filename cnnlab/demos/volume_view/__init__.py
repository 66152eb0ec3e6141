"""Demo 9: a convolution layer as a volume (deck rows D28 to D31, D41 to D46, D48 to D50)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import nested, numbers
from cnnlab.demos.volume_view.examples import examples, small
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry import ConvGeometry
from cnnlab.geometry.options import PADDING_MODES, channels_in_groups, per_axis, whole_number

_MOST = 16384  # numbers in the input or the weights: a picture of 3 × 64 × 64 fits
_MOST_MACS = 5_000_000  # the deck's layer has 768,000
_PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class VolumeView(Demo):
    """See what one filter does with a stack of input planes.

    A filter has one slice of weights for each input channel that it sees. Each slice is slid over its plane, which
    gives a partial map; the sum of the partial maps and the bias is one activation map. The reader chooses filter and
    position, edits weights and inputs, and moves stride, padding, dilation and the number of groups, from 1 to
    depthwise; parameters, multiply-adds and the output's shape follow. A switch keeps only the center tap of every
    filter: a 1 × 1 convolution.

    Parameters
    ----------
    x : array, shape (C_in, W), (C_in, H, W) or (C_in, D, H, W), optional
        One input without the batch axis, of up to 16384 numbers.
    w : array, shape (C_out, C_in/groups, *kernel), optional
        Filters with as many spatial axes. By default, with `x`, a small picture and six filters.
    b : array, shape (C_out,), optional
        One bias for each filter; without it the layer has none.
    stride, padding, dilation : int or sequence of int
        One for each spatial axis.
    groups : int
        Groups of channels that do not see each other.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}

    Attributes
    ----------
    x, w, b, stride, padding, dilation, groups, padding_mode, one_by_one, filter, step, tap, first
        What the reader has set, lists for arrays; assign to change the view. `w` holds the weights for ``groups=1``,
        (C_out, C_in, *kernel), with 0 for what a grouped `w` left out; other groups use the blocks that `weight` gives.
        `step` counts output positions in row-major order from 0 and begins in the middle, `tap` is the depth of the
        kernel that is shown in 3-D, `first` the first channel that is shown where there are many.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, an array is too large, or the layer has no output.

    Examples
    --------
    >>> demo = VolumeView(groups=3)
    >>> demo.weight.shape, demo.output.shape
    ((6, 1, 3, 3), (6, 5, 5))
    """

    _esm = script("volume_view", "model", "words", "listing", "plane", "cube", "plot", "panel", "view")
    _css = style("volume_view")
    title: ClassVar[str] = "A convolution layer as a volume"

    x: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    w: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    b: traitlets.List[Any] = traitlets.List(default_value=None, allow_none=True).tag(sync=True, demo=True)
    stride = traitlets.List([1, 1]).tag(sync=True, demo=True)
    padding = traitlets.List([0, 0]).tag(sync=True, demo=True)
    dilation = traitlets.List([1, 1]).tag(sync=True, demo=True)
    groups = traitlets.Int(1, min=1).tag(sync=True, demo=True)
    padding_mode = traitlets.Enum(PADDING_MODES, "zeros").tag(sync=True, demo=True)
    one_by_one = traitlets.Bool(False).tag(sync=True, demo=True)
    filter = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    step = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    tap = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    first = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        x: ArrayLike | None = None,
        w: ArrayLike | None = None,
        b: ArrayLike | None = None,
        *,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        padding_mode: str = "zeros",
    ) -> None:
        own = x is not None
        if (x is None) != (w is None):
            missing = "x is missing: pass the input (C_in, *spatial)" if x is None else "w is missing: pass the filters"
            raise ValueError(f"{missing}, or neither x nor w")
        groups = whole_number("groups", groups, at_least=1)
        if x is None:
            given = small()
            x, w, b = given["x"], given["w"], given["b"] if b is None else b
            C_out, C_in = np.shape(w)[:2]
            channels_in_groups(groups, in_channels=C_in, out_channels=C_out)
        volume = numbers(x, "x", ndim=(2, 3, 4), dtype=np.float64)
        filters = numbers(w, "w", ndim=(3, 4, 5), dtype=np.float64)  # type: ignore[arg-type]
        if filters.ndim != volume.ndim + 1:
            raise ValueError(
                f"x has shape {volume.shape} and w has shape {filters.shape}: expected (C_in, *spatial) and "
                "(C_out, C_in/groups, *kernel) with equally many spatial axes; leave out the batch axis of x"
            )
        dense = _dense(filters, groups, volume.shape[0]) if own else filters
        rank = volume.ndim - 1
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        lists = {
            name: list(per_axis(name, value, rank, at_least=0 if name == "padding" else 1))
            for name, value in options.items()
        }
        biases = None if b is None else numbers(b, "b", ndim=1, dtype=np.float64)
        if biases is not None and len(biases) != len(dense):
            raise ValueError(f"b has {len(biases)} entries: expected {len(dense)}, one for each filter")
        super().__init__(
            x=nested(volume),
            w=nested(dense),
            b=None if biases is None else nested(biases),
            **lists,
            groups=groups,
            padding_mode=padding_mode,
            filter=0 if own else 2,  # one to which every channel adds something
            data={"examples": examples(), "own": own, "groups": groups if own else 1},
        )
        macs = self._layer().mac_count(volume.shape)
        if macs > _MOST_MACS:
            raise ValueError(
                f"the layer has {macs} multiply-adds: at most {_MOST_MACS} follow the hand; take a smaller input, fewer "
                "filters or a larger stride"
            )
        _, *out = self._layer().output_shape(volume.shape)  # what does not fit is refused here, not in the browser
        self.step = int(np.ravel_multi_index([size // 2 for size in out], out))  # the middle of the map

    @property
    def weight(self) -> NDArray[np.float64]:
        """The weights in use, shape (C_out, C_in/groups, *kernel): the blocks that `groups` leaves of `w`."""
        w = np.array(self.w)
        if self.one_by_one:
            center = tuple(slice(k // 2, k // 2 + 1) for k in w.shape[2:])
            w = w[(slice(None), slice(None), *center)]
        C_out, C_in = w.shape[:2]
        depth = C_in // self.groups
        firsts = np.arange(C_out) // (C_out // self.groups) * depth
        return np.stack([w[j, first : first + depth] for j, first in enumerate(firsts)])

    @property
    def output(self) -> NDArray[np.float64]:
        """All activation maps for what is set now, computed by NumPy; shape (C_out, *out)."""
        x, w, layer = np.array(self.x), self.weight, self._layer()
        C_out, *out = layer.output_shape(x.shape)
        padded = np.pad(x, [(0, 0), *layer.padding], mode=_PAD_MODES[self.padding_mode])  # type: ignore[call-overload]
        in_groups = padded.reshape(self.groups, -1, *padded.shape[1:])
        blocks = w.reshape(self.groups, -1, *w.shape[1:])  # (groups, C_out/groups, C_in/groups, *kernel)
        y = np.zeros((self.groups, C_out // self.groups, *out))
        for tap, seen in layer.taps(x.shape[1:]):
            at_tap: tuple[Any, ...] = (..., *tap)
            y += np.einsum("goc,gc...->go...", blocks[at_tap], in_groups[(slice(None), slice(None), *seen)])
        y = y.reshape(C_out, *out)
        return y if self.b is None else y + np.reshape(self.b, (C_out, *[1] * len(out)))

    def _layer(self) -> ConvGeometry:
        return ConvGeometry.of_weight(
            self.weight.shape,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            padding_mode=self.padding_mode,
        )

    @traitlets.validate("x", "w")
    def _array(self, proposal: Any) -> list[Any]:
        name = proposal["trait"].name
        array = numbers(proposal["value"], name, ndim=(2, 3, 4) if name == "x" else (3, 4, 5), dtype=np.float64)
        if array.size > _MOST:
            raise ValueError(f"{name} has shape {array.shape}, {array.size} numbers: at most {_MOST}; cut out a part")
        rows: list[Any] = nested(array)
        return rows

    @traitlets.validate("b")
    def _biases(self, proposal: Any) -> list[float] | None:
        if proposal["value"] is None:
            return None
        biases: list[float] = nested(numbers(proposal["value"], "b", ndim=1, dtype=np.float64))
        return biases

    @traitlets.validate("stride", "padding", "dilation")
    def _per_axis(self, proposal: Any) -> list[int]:
        name, rank = proposal["trait"].name, np.ndim(self.w) - 2
        return list(per_axis(name, proposal["value"], rank, at_least=0 if name == "padding" else 1))

    @traitlets.validate("groups")
    def _groups_divide(self, proposal: Any) -> int:
        C_out, C_in = np.shape(self.w)[:2]
        return channels_in_groups(proposal["value"], in_channels=C_in, out_channels=C_out)


def _dense(w: NDArray[np.float64], groups: int, C_in: int) -> NDArray[np.float64]:
    """Return grouped weights as those of one group, (C_out, C_in, *kernel), with zeros where they see nothing."""
    C_out, depth = w.shape[:2]
    channels_in_groups(groups, in_channels=C_in, out_channels=C_out)
    if depth * groups != C_in:
        raise ValueError(
            f"w has shape {w.shape}, its filters see {depth} channels, and x has {C_in} in groups={groups}: "
            f"expected (C_out, {C_in // groups}, *kernel)"
        )
    dense = np.zeros((C_out, C_in, *w.shape[2:]))
    for j in range(C_out):
        first = j // (C_out // groups) * depth
        dense[j, first : first + depth] = w[j]
    return dense
