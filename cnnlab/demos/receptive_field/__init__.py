"""Demo 10: what a unit sees through a stack of layers, and what it reaches (deck rows D37 to D39)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnlab.demos.receptive_field.presets import presets
from cnnlab.demos.receptive_field.stack import described, fields_through, geometries, sizes_through
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry import ReceptiveField as Seen
from cnnlab.geometry import WindowGeometry
from cnnlab.geometry.options import per_axis, whole_number

_MOST = 1024  # positions on an axis


class ReceptiveField(Demo):
    """Point at a unit of any layer to see which inputs it looks at and which outputs it reaches.

    The picture follows every edge. Beside it stands the recurrence: with kernel k, dilation d and jump j (the distance
    in the input between what neighbors see), a layer turns the field r into ``r + (k − 1)·d·j`` and the jump into
    ``j·s`` (deck rows D37 and D38). Layers are added, removed, moved and changed in the page.

    Parameters
    ----------
    layers : sequence, or a net
        From the input up. Each is an int (a convolution of that kernel size), a tuple
        ``(kind, kernel_size, stride, padding, dilation, ceil_mode)``, a dict with these names, a geometry of
        `cnnlab.geometry` or a layer of `cnnlab.nn`; kind is "conv" or "pool". An `nn.Sequential` or a net of
        `nn.models` is read up to its flatten or global pooling; of a residual block the longest way is taken. By
        default three convolutions of size 3.
    input_size : int or (int, int)
        Length, or height and width. By default the smallest that gives 7 outputs on each axis.
    unit : sequence of int
        The unit to begin with: layer (0 is the input), then one index for each axis. By default the middle of the last
        layer.
    weighted : bool
        Whether to show how many paths lead from each input to the unit.

    Attributes
    ----------
    layers, input_size, unit, weighted, step, selected, view, target, target_kernel
        What the reader has set; assign to change the view. `step` is how many layers of the cone are drawn, `selected`
        the layer that the sliders change, counted from 0, `view` "grids", "height" or "width"; `target` and
        `target_kernel` belong to the question how many layers see a whole picture.

    Raises
    ------
    TypeError, ValueError
        A layer or size is out of range, or a kernel is larger than what lies below it.

    Examples
    --------
    Three layers of 3 see 1 + 3·(3 − 1) = 7 inputs, those in the middle on the most paths:

    >>> demo = ReceptiveField([3, 3, 3], input_size=9)
    >>> demo.receptive_field.field
    (7,)
    >>> demo.paths
    array([0., 1., 3., 6., 7., 6., 3., 1., 0.])
    """

    _esm = script("receptive_field", "model", "words", "rows", "planes", "growth", "stack", "view")
    _css = style("receptive_field")
    title: ClassVar[str] = "Receptive field explorer"

    layers: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    input_size: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    unit: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    weighted = traitlets.Bool(False).tag(sync=True, demo=True)
    step = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    selected = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    view = traitlets.Enum(("grids", "height", "width"), "grids").tag(sync=True, demo=True)
    target = traitlets.Int(224, min=2, max=4096).tag(sync=True, demo=True)
    target_kernel = traitlets.Int(3, min=2, max=15).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        layers: Any = (3, 3, 3),
        *,
        input_size: int | Sequence[int] | None = None,
        unit: Sequence[int] | None = None,
        weighted: bool = False,
    ) -> None:
        stack = geometries(layers, _rank_of(input_size))
        rank = stack[0].rank
        size = _smallest(stack, 7) if input_size is None else per_axis("input_size", input_size, rank, at_least=1)
        sizes = sizes_through(stack, size)
        if len(sizes) <= len(stack):
            try:
                stack[len(sizes) - 1].output_size(sizes[-1])
            except ValueError as error:
                raise ValueError(f"layers[{len(sizes) - 1}]: {error}, or a larger input_size") from None
        if unit is None:
            unit = (len(stack), *((n - 1) // 2 for n in sizes[-1]))
        super().__init__(
            layers=[described(layer) for layer in stack],
            input_size=list(size),
            unit=list(unit),
            weighted=bool(weighted),
            step=len(stack),
            data={"presets": presets()},
        )

    @property
    def stack(self) -> list[WindowGeometry]:
        """The geometry of each layer, as it is set now."""
        return geometries(self.layers)

    @property
    def receptive_field(self) -> Seen:
        """What a unit of the last layer looks at."""
        return fields_through(self.stack)[-1]

    @property
    def paths(self) -> NDArray[np.float64]:
        """How many paths lead from each input to the unit; shape `input_size`. 0 where it sees nothing."""
        stack = self.stack
        layer, *index = self.unit
        sizes = sizes_through(stack, self.input_size)
        ways = []
        for axis, i in enumerate(index):
            count = np.zeros(sizes[layer][axis])
            count[i] = 1
            for below in range(layer - 1, -1, -1):
                count = _one_down(count, stack[below], sizes[below][axis], axis)
            ways.append(count)
        return reduce(np.multiply.outer, ways)

    @traitlets.validate("layers")
    def _known_layers(self, proposal: Any) -> list[dict[str, Any]]:
        stack = geometries(proposal["value"])
        if self.input_size and len(self.input_size) != stack[0].rank:
            raise ValueError(
                f"layers have {stack[0].rank} axes and input_size={self.input_size} has {len(self.input_size)}: "
                "set both inside `with demo.hold_trait_notifications():`"
            )
        return [described(layer) for layer in stack]

    @traitlets.validate("input_size")
    def _known_size(self, proposal: Any) -> list[int]:
        rank = len(self.layers[0]["kernel_size"]) if self.layers else len(proposal["value"])
        size = per_axis("input_size", list(proposal["value"]), rank, at_least=1)
        if max(size) > _MOST:
            raise ValueError(f"input_size={list(size)}: at most {_MOST} positions on an axis can be shown")
        return list(size)

    @traitlets.validate("unit")
    def _known_unit(self, proposal: Any) -> list[int]:
        unit = [whole_number("unit", i, at_least=0) for i in proposal["value"]]
        if not self.layers or not self.input_size:
            return unit
        if len(unit) != 1 + len(self.input_size):
            raise ValueError(f"unit={unit}: expected the layer, then an index for each of {len(self.input_size)} axes")
        sizes = sizes_through(self.stack, self.input_size)
        if unit[0] >= len(sizes):
            raise ValueError(f"unit={unit}: there are layers 0 (the input) to {len(sizes) - 1}")
        if any(i >= n for i, n in zip(unit[1:], sizes[unit[0]], strict=True)):
            raise ValueError(f"unit={unit}: layer {unit[0]} has size {sizes[unit[0]]}, counted from 0")
        return unit

    @traitlets.observe("layers", "input_size")
    def _keep_the_unit_inside(self, _: Any) -> None:
        if not (self.layers and self.input_size and self.unit):
            return
        sizes = sizes_through(self.stack, self.input_size)
        layer = min(self.unit[0], len(sizes) - 1)
        index = [*self.unit[1:], *self.unit[-1:]][: len(self.input_size)]
        self.unit = [layer, *(min(i, n - 1) for i, n in zip(index, sizes[layer], strict=True))]


def _rank_of(input_size: int | Sequence[int] | None) -> int | None:
    if input_size is None:
        return None
    return len(input_size) if isinstance(input_size, Sequence) else 1


def _smallest(stack: Sequence[WindowGeometry], outputs: int) -> tuple[int, ...]:
    """Return the smallest input that gives so many outputs, within what can be shown."""
    size: tuple[int, ...] = (outputs,) * stack[0].rank
    for layer in reversed(stack):
        size = tuple(max(n, 1) for n in layer.input_size(size))
    return tuple(min(n, _MOST) for n in size)


def _one_down(count: NDArray[np.float64], layer: WindowGeometry, size: int, axis: int) -> NDArray[np.float64]:
    """Return the paths to the positions below a layer, from those to its outputs."""
    below = np.zeros(size)
    for tap in range(layer.kernel[axis]):
        at = np.arange(len(count)) * layer.stride[axis] + tap * layer.dilation[axis] - layer.padding[axis][0]
        inside = (at >= 0) & (at < size)
        below[at[inside]] += count[inside]
    return below
