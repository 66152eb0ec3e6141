"""Demo 13: pooling and its gradient, window by window (deck rows D51 to D53)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import nested, numbers
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry import PoolGeometry
from cnnlab.geometry.options import per_axis

_MOST_CELLS = 576  # 24 × 24: beyond this, cells are too small to read a number in
_AT_LEAST = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}

DECK_INPUT = ((1, 1, 2, 4), (5, 6, 7, 8), (3, 2, 1, 0), (1, 2, 3, 4))


class PoolingStepper(Demo):
    """See which inputs a pooling layer keeps, and where its gradient goes.

    Three views of one layer. Forward: the largest or the mean of each window, one output at a time. Backward: the
    upstream gradient of each output goes to the winner of its window, or in equal parts to all of it, and adds up where
    windows overlap. Shift: the input moves by a pixel, and the outputs before and after are compared. A pooling layer
    has no learnable parameters.

    Parameters
    ----------
    x : array, shape (H, W) or (W,)
        The input, one channel; one axis is shown as a single row. By default the 4 × 4 example of deck row D52.
    kernel_size : int or (int, int)
        Height and width of the window; for an input of one axis, an int.
    stride : int, (int, int) or None
        Step between windows; None means `kernel_size`, as in PyTorch.
    padding : int or (int, int)
        At most half the window. For the maximum the padding is minus infinity and never wins; for the mean, zeros.
    dilation : int or (int, int)
        Distance between the cells of a window, for the maximum only.
    ceil_mode : bool
        Whether a last window may reach beyond the padded input; it must start in the input or the padding before it.
    count_include_pad : bool
        Whether a mean is divided by a number that counts the zeros of the padding.
    how : {"max", "average"}
    dy : array of the output's shape, optional
        Gradient of the loss with respect to the output. By default 1, 2, 3, … so that each can be told apart.
    view : {"forward", "backward", "shift"}

    Attributes
    ----------
    x, dy, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, how, view, step, shift, shift_mode
        What the reader has set, lists for arrays; assign to change the view. `step` counts outputs in row-major order
        from 0. `dy` is None as long as it is 1, 2, 3, …; where the output has another shape than `dy`, its numbers keep
        their places and others are 1. `shift` is (down, right); `shift_mode` ("replicate", "zeros", "circular") says
        what comes in at the edge.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, the input has more than 576 cells, or the layer has no output.

    Examples
    --------
    >>> demo = PoolingStepper()
    >>> demo.output
    array([[6., 8.],
           [3., 4.]])
    >>> demo.gradient
    array([[0., 0., 0., 0.],
           [0., 1., 0., 2.],
           [3., 0., 0., 0.],
           [0., 0., 0., 4.]])
    """

    _esm = script("pooling_stepper", "model", "words", "listing", "plot", "panel", "view")
    _css = style("pooling_stepper")
    title: ClassVar[str] = "Pooling and its gradient"

    x: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    dy: traitlets.List[Any] = traitlets.List(default_value=None, allow_none=True).tag(sync=True, demo=True)
    kernel_size = traitlets.List([2, 2]).tag(sync=True, demo=True)
    stride: traitlets.List[Any] = traitlets.List(default_value=None, allow_none=True).tag(sync=True, demo=True)
    padding = traitlets.List([0, 0]).tag(sync=True, demo=True)
    dilation = traitlets.List([1, 1]).tag(sync=True, demo=True)
    ceil_mode = traitlets.Bool(False).tag(sync=True, demo=True)
    count_include_pad = traitlets.Bool(True).tag(sync=True, demo=True)
    how = traitlets.Enum(("max", "average"), "max").tag(sync=True, demo=True)
    view = traitlets.Enum(("forward", "backward", "shift"), "forward").tag(sync=True, demo=True)
    step = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    shift = traitlets.List([0, -1]).tag(sync=True, demo=True)
    shift_mode = traitlets.Enum(("replicate", "zeros", "circular"), "replicate").tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        x: ArrayLike = DECK_INPUT,
        kernel_size: int | Sequence[int] = 2,
        *,
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        how: str = "max",
        dy: ArrayLike | None = None,
        view: str = "forward",
    ) -> None:
        image = numbers(x, "x", ndim=(1, 2), dtype=np.float64)
        rank = image.ndim
        options: dict[str, Any] = {}
        given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
        for name, value in given.items():
            if value is None and name == "stride":
                options[name] = None
                continue
            sizes = per_axis(name, value, rank, at_least=_AT_LEAST[name])  # type: ignore[arg-type]
            options[name] = list(sizes) if rank == 2 else [0 if name == "padding" else 1, *sizes]
        if how == "average" and options["dilation"] != [1, 1]:
            raise ValueError(f'dilation={dilation}: average pooling has none; leave it out, or choose how="max"')
        if dy is not None:
            gradient = np.atleast_2d(numbers(dy, "dy", ndim=rank, dtype=np.float64))
            geometry = PoolGeometry(
                options["kernel_size"], options["stride"], options["padding"], options["dilation"], ceil_mode=ceil_mode
            )
            expected = geometry.output_size(np.atleast_2d(image).shape)
            if gradient.shape != expected:
                shape = expected if rank == 2 else expected[1:]
                raise ValueError(f"dy has shape {np.shape(dy)}: expected {shape}, the shape of the output")
            options["dy"] = nested(gradient)
        super().__init__(
            x=nested(np.atleast_2d(image)),
            **options,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            how=how,
            view=view,
            data={"rank": rank},
        )
        _ = self.output  # what does not fit is refused here, not in the browser

    @property
    def output(self) -> NDArray[np.float64]:
        """The output for what is set now, computed by NumPy; shape (H', W')."""
        x, geometry = np.array(self.x), self._geometry()
        if self.how == "max":
            y = np.full(geometry.output_size(x.shape), -np.inf)
            for _, at, to in geometry.edges(x.shape):
                y[to] = max(y[to], x[at])
            return y
        total = np.zeros(geometry.output_size(x.shape))
        for _, at, to in geometry.edges(x.shape):
            total[to] += x[at]
        return total / self._divisors(geometry)

    @property
    def gradient(self) -> NDArray[np.float64]:
        """The gradient with respect to the input for what is set now, computed by NumPy; shape (H, W)."""
        x, y, geometry = np.array(self.x), self.output, self._geometry()
        dy = np.arange(1.0, y.size + 1).reshape(y.shape)
        if self.dy is not None:
            given = np.array(self.dy)
            rows, columns = (min(n, m) for n, m in zip(y.shape, given.shape, strict=True))
            dy = np.ones(y.shape)
            dy[:rows, :columns] = given[:rows, :columns]
        share = dy if self.how == "max" else dy / self._divisors(geometry)
        dx = np.zeros(x.shape)
        waiting = np.ones(y.shape, dtype=bool)
        for _, at, to in geometry.edges(x.shape):
            if self.how == "average" or (waiting[to] and x[at] == y[to]):
                dx[at] += share[to]
                waiting[to] = False
        return dx

    def _geometry(self) -> PoolGeometry:
        dilation = self.dilation if self.how == "max" else (1, 1)
        return PoolGeometry(self.kernel_size, self.stride, self.padding, dilation, ceil_mode=self.ceil_mode)

    def _divisors(self, geometry: PoolGeometry) -> NDArray[np.float64]:
        shape = np.shape(self.x)
        rows, columns = geometry.tap_counts(shape, in_padding=self.count_include_pad)
        return np.outer(rows, columns).astype(np.float64)

    @traitlets.validate("x", "dy")
    def _matrix(self, proposal: Any) -> list[list[float]] | None:
        name = proposal["trait"].name
        if proposal["value"] is None:
            return None
        matrix = numbers(proposal["value"], name, ndim=2, dtype=np.float64)
        if name == "x" and matrix.size > _MOST_CELLS:
            raise ValueError(
                f"x has {matrix.shape[0]} × {matrix.shape[1]} cells: at most {_MOST_CELLS} can be read as "
                "numbers; cut out a part"
            )
        rows: list[list[float]] = nested(matrix)
        return rows

    @traitlets.validate("kernel_size", "stride", "padding", "dilation")
    def _pair(self, proposal: Any) -> list[int] | None:
        name = proposal["trait"].name
        if proposal["value"] is None:
            return None
        return list(per_axis(name, proposal["value"], 2, at_least=_AT_LEAST[name]))

    @traitlets.validate("shift")
    def _whole_shift(self, proposal: Any) -> list[int]:
        down, right = per_axis("shift", proposal["value"], 2, at_least=-max(np.shape(self.x)))
        return [down, right]
