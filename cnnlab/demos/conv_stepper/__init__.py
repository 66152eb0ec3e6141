"""Demo 8: convolution step by step, with every number open to change (deck rows D25 to D27, D35, D36, D40)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import nested, numbers
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry import ConvGeometry
from cnnlab.geometry.options import PADDING_MODES, per_axis

_MOST_CELLS = 576  # 24 × 24: beyond this, cells are too small to read a number in

DECK_IMAGE = ((1, 1, 1, 0, 0), (0, 1, 1, 1, 0), (0, 0, 1, 1, 1), (0, 0, 1, 1, 0), (0, 1, 1, 0, 0))
DECK_FILTER = ((1, 0, 1), (0, 1, 0), (1, 0, 1))


class ConvStepper(Demo):
    """Move a kernel over an input, one output at a time, and see every product.

    The reader edits cells of input and kernel, the bias, stride, padding, dilation (height and
    width apart), the padding mode, and may flip the kernel. As in PyTorch the sum is a
    cross-correlation, ``y[i, j] = b + Σ w[u, v] · x[i·S_H + u·D_H − P_H, j·S_W + v·D_W − P_W]``; flipped, it is
    the convolution of mathematics.

    Parameters
    ----------
    x : array, shape (H, W) or (W,)
        The input; one axis is shown as a single row. By default the 5 × 5 picture of deck row D25.
    w : array, shape (K_H, K_W) or (K,)
        The kernel, of the same rank. By default the deck's filter.
    b : float
        The bias.
    stride, padding, dilation : int or (int, int)
        Height and width; for an input of one axis, an int.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
    flip : bool
        Turn the kernel by 180° first.

    Attributes
    ----------
    x, w, b, stride, padding, dilation, padding_mode, flip, step
        What the reader has set, lists for arrays; assign to change the view. `step` counts outputs in row-major
        order from 0.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, or the input has more than 576 cells.

    Examples
    --------
    >>> ConvStepper(stride=2).output
    array([[4., 4.],
           [2., 4.]])
    """

    _esm = script("conv_stepper", "model", "words", "view")
    _css = style("conv_stepper")
    title: ClassVar[str] = "Convolution stepper"

    x: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    w: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    b = traitlets.Float(0.0).tag(sync=True, demo=True)
    stride = traitlets.List([1, 1]).tag(sync=True, demo=True)
    padding = traitlets.List([0, 0]).tag(sync=True, demo=True)
    dilation = traitlets.List([1, 1]).tag(sync=True, demo=True)
    padding_mode = traitlets.Enum(PADDING_MODES, "zeros").tag(sync=True, demo=True)
    flip = traitlets.Bool(False).tag(sync=True, demo=True)
    step = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        x: ArrayLike = DECK_IMAGE,
        w: ArrayLike = DECK_FILTER,
        b: float = 0.0,
        *,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        flip: bool = False,
    ) -> None:
        image, kernel = (numbers(a, name, ndim=(1, 2), dtype=np.float64) for a, name in ((x, "x"), (w, "w")))
        if image.ndim != kernel.ndim:
            raise ValueError(f"x has {image.ndim} axes and w has {kernel.ndim}: give both one axis, or both two")
        if not np.isfinite(b):
            raise ValueError(f"b={b}: expected a finite number")
        rank = image.ndim
        options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
        for name, value in options.items():
            sizes = per_axis(name, value, rank, at_least=0 if name == "padding" else 1)
            options[name] = list(sizes) if rank == 2 else [0 if name == "padding" else 1, *sizes]
        super().__init__(
            x=nested(np.atleast_2d(image)),
            w=nested(np.atleast_2d(kernel)),
            b=float(b),
            **options,
            padding_mode=padding_mode,
            flip=bool(flip),
            data={"rank": rank},
        )
        _ = self.output  # what does not fit is refused here, not in the browser

    @property
    def output(self) -> NDArray[np.float64]:
        """The output for what is set now, computed by NumPy; shape (H', W')."""
        image, kernel = np.array(self.x), np.array(self.w)
        kernel = kernel[::-1, ::-1] if self.flip else kernel
        geometry = ConvGeometry(kernel.shape, self.stride, self.padding, self.dilation, padding_mode=self.padding_mode)
        y = np.full(geometry.output_size(image.shape), float(self.b))
        for tap, at, to in geometry.edges(image.shape):
            y[to] += kernel[tap] * image[at]
        return y

    @traitlets.validate("x", "w")
    def _matrix(self, proposal: Any) -> list[list[float]]:
        name = proposal["trait"].name
        matrix = numbers(proposal["value"], name, ndim=2, dtype=np.float64)
        if matrix.size > _MOST_CELLS:
            raise ValueError(
                f"{name} has {matrix.shape[0]} × {matrix.shape[1]} cells: at most {_MOST_CELLS} can be read as "
                "numbers; cut out a part"
            )
        rows: list[list[float]] = nested(matrix)
        return rows

    @traitlets.validate("stride", "padding", "dilation")
    def _pair(self, proposal: Any) -> list[int]:
        name = proposal["trait"].name
        return list(per_axis(name, proposal["value"], 2, at_least=0 if name == "padding" else 1))
