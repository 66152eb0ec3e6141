"""Demo 4: the gradient of a shared weight is the sum over its edges (deck rows D13 to D16)."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import nested, numbers
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry import ConvGeometry
from cnnlab.geometry.options import per_axis

_MOST_CELLS, _MOST_TAPS = 144, 25  # beyond this, neither cells nor bars can be read


class SharedGradient(Demo):
    """Walk along the edges of a shared weight and add up its gradient, ``dw[t] = Σ dy[output] · x[input]``.

    The sum grows bar by bar to the numeric gradient, which the browser finds by running the layer twice. Beside it
    stand, if asked for, the mean of the copies and the last copy alone. One step of training shows what the sum is
    for: all copies move together and stay one kernel; copies that step alone part.

    Parameters
    ----------
    x : array, shape (W,) or (H, W)
        The input.
    w : array, shape (K,) or (K_H, K_W)
        The kernel, of the same rank.
    target : array in the shape of the output
        The loss is ``½ Σ (y − target)²``, so ``dy = y − target``.
    dy : array in the shape of the output
        Instead of a target: the gradient from above; the loss is ``Σ dy · y``.
    stride, padding : int or (int, int)
        As PyTorch's; the padding is zeros, and an edge from it carries nothing.
    rate : float
        Step size of training, above 0. By default the half of what would be best for the whole kernel.

    Attributes
    ----------
    x, w, target, dy, stride, padding, rate
        What the reader has set: lists of rows, and [] for a target or dy that was not given.
    tap : int
        The weight that is looked at, as its place in ``w.ravel()``.
    step : int
        How many of its edges are added up.
    h : float
        Half the difference between the two weights of the numeric gradient.
    show_mean, show_last : bool
        Whether the two wrong rules are shown.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, both target and dy are given, x has more than 144 values or w
        more than 25.

    Notes
    -----
    With neither target nor dy, the target is what the kernel (1, 0, …, 0, −1) gives.

    Examples
    --------
    >>> demo = SharedGradient(x=[1, 2, 3], w=[1, 10], dy=[1, 100])
    >>> demo.gradient
    array([201., 302.])
    >>> demo.contributions(1)
    [((0,), (1,), 2.0), ((1,), (2,), 300.0)]
    """

    _esm = script("shared_gradient", "model", "waterfall", "training", "words", "parts", "view")
    _css = style("shared_gradient")
    title: ClassVar[str] = "Shared gradient"

    x: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    w: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    target: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    dy: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    stride = traitlets.List([1, 1]).tag(sync=True, demo=True)
    padding = traitlets.List([0, 0]).tag(sync=True, demo=True)
    tap = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    step = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    rate = traitlets.Float(0.1).tag(sync=True, demo=True)
    h = traitlets.Float(1e-4).tag(sync=True, demo=True)
    show_mean = traitlets.Bool(False).tag(sync=True, demo=True)
    show_last = traitlets.Bool(False).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        x: ArrayLike = (1, 2, 0, -1, 2, 1, -2, 1, 0, 2),
        w: ArrayLike = (0.5, 1, -1),
        *,
        target: ArrayLike | None = None,
        dy: ArrayLike | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        rate: float | None = None,
    ) -> None:
        image, kernel = (numbers(a, name, ndim=(1, 2), dtype=np.float64) for a, name in ((x, "x"), (w, "w")))
        if image.ndim != kernel.ndim:
            raise ValueError(f"x has {image.ndim} axes and w has {kernel.ndim}: give both one axis, or both two")
        if target is not None and dy is not None:
            raise ValueError("target and dy were both given: a target sets dy = y − target, so give one of them")
        rank = image.ndim
        state: dict[str, Any] = {
            "x": nested(np.atleast_2d(image)),
            "w": nested(np.atleast_2d(kernel)),
            "stride": [1, 1][rank:] + list(per_axis("stride", stride, rank, at_least=1)),
            "padding": [0, 0][rank:] + list(per_axis("padding", padding, rank, at_least=0)),
        }
        for name, given in (("target", target), ("dy", dy)):
            state[name] = (
                [] if given is None else nested(np.atleast_2d(numbers(given, name, ndim=rank, dtype=np.float64)))
            )
        _check(**state)
        super().__init__(**state, data={"rank": rank})
        self.rate = self._half_best() if rate is None else rate
        self.step = len(self.contributions(0))

    # ---- the reference for what the browser shows

    @property
    def geometry(self) -> ConvGeometry:
        """The layer's sizes and connections."""
        return _geometry(self.w, self.stride, self.padding)

    @property
    def output(self) -> NDArray[np.float64]:
        """The layer's output y for what is set now."""
        return self._of_reader(self._forward(np.array(self.w)))

    @property
    def upstream(self) -> NDArray[np.float64]:
        """The gradient of the loss with respect to the output: dy."""
        return self._of_reader(self._upstream())

    @property
    def loss(self) -> float:
        """The loss for what is set now."""
        y = self._forward(np.array(self.w))
        if self.dy:
            return float((np.array(self.dy) * y).sum())
        return float(0.5 * ((y - self._target()) ** 2).sum())

    @property
    def gradient(self) -> NDArray[np.float64]:
        """dw, added up edge by edge; in the shape of w."""
        dw = np.zeros(np.shape(self.w))
        x, dy = np.array(self.x), self._upstream()
        for tap, inside, output in self.geometry.edges(x.shape):
            dw[tap] += dy[output] * x[inside]
        return self._of_reader(dw)

    def contributions(self, tap: int) -> list[tuple[tuple[int, ...], tuple[int, ...], float]]:
        """List the edges of a weight: (output, input, dy[output] · x[input])."""
        x, dy = np.array(self.x), self._upstream()
        first = 2 - self.data["rank"]
        place = tuple(int(i) for i in np.unravel_index(tap, np.shape(self.w)))
        return [
            (output[first:], inside[first:], float(dy[output] * x[inside]))
            for at, inside, output in self.geometry.edges(x.shape)
            if at == place
        ]

    def _forward(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        x = np.array(self.x)
        y = np.zeros(self.geometry.output_size(x.shape))
        for tap, inside, output in self.geometry.edges(x.shape):
            y[output] += w[tap] * x[inside]
        return y

    def _target(self) -> NDArray[np.float64]:
        if self.target:
            return np.array(self.target)
        difference = np.zeros(np.shape(self.w))
        difference.flat[-1] = -1
        difference.flat[0] = 1
        return self._forward(difference)

    def _upstream(self) -> NDArray[np.float64]:
        return np.array(self.dy) if self.dy else self._forward(np.array(self.w)) - self._target()

    def _half_best(self) -> float:
        """Half the step along −dw at which the squared loss is smallest, to two digits; 0.1 where there is none."""
        dw = np.atleast_2d(self.gradient)
        bend = float((self._forward(dw) ** 2).sum())
        if self.dy or bend == 0:
            return 0.1
        return float(f"{0.5 * float((dw**2).sum()) / bend:.1e}")

    def _of_reader(self, array: NDArray[np.float64]) -> NDArray[np.float64]:
        return array[0] if self.data["rank"] == 1 else array

    # ---- what may be assigned

    @traitlets.validate("x", "w", "target", "dy", "stride", "padding")
    def _fits(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name in ("stride", "padding"):
            kept: Any = list(per_axis(name, value, 2, at_least=0 if name == "padding" else 1))
        elif name in ("target", "dy") and len(value) == 0:
            kept = []
        else:
            kept = nested(numbers(value, name, ndim=2, dtype=np.float64))
        state = {other: getattr(self, other) for other in ("x", "w", "target", "dy", "stride", "padding")}
        _check(**state | {name: kept})
        return kept

    @traitlets.validate("tap")
    def _known(self, proposal: Any) -> int:
        tap, taps = proposal["value"], np.size(self.w)
        if not 0 <= tap < taps:
            raise ValueError(f"tap={tap}: w has {taps} weights, numbered from 0")
        return int(tap)

    @traitlets.validate("rate", "h")
    def _positive(self, proposal: Any) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name}={value}: expected a number above 0")
        return float(value)


def _geometry(w: Any, stride: Sequence[int], padding: Sequence[int]) -> ConvGeometry:
    return ConvGeometry(np.shape(w), stride, padding)


def _check(*, x: Any, w: Any, target: Any, dy: Any, stride: Sequence[int], padding: Sequence[int]) -> None:
    """Refuse what does not fit together, with the values."""
    for name, value, most in (("x", x, _MOST_CELLS), ("w", w, _MOST_TAPS)):
        if prod(np.shape(value)) > most:
            rows, columns = np.shape(value)
            raise ValueError(f"{name} has {rows} × {columns} values: at most {most} can be read; cut out a part")
    outputs = _geometry(w, stride, padding).output_size(np.shape(x))
    for name, value in (("target", target), ("dy", dy)):
        if len(value) and np.shape(value) != outputs:
            raise ValueError(
                f"{name} has {' × '.join(map(str, np.shape(value)))} values but the output has "
                f"{' × '.join(map(str, outputs))}: give one for each output"
            )
