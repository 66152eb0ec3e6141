"""Demo 6: from many scores to one answer, and the gradient on its way back to them (deck rows D06 and D20)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import nested, numbers
from cnnlab.demos.mlps import Floats, checked_layers, pack_layers
from cnnlab.demos.widget import Demo, script, style

_MOST_CELLS = 576  # 24 × 24: beyond this, cells are too small to take hold of
_LEAST, _MOST = 0.01, 100.0  # temperatures
HOW = ("max", "mean", "softmax", "mlp")

# A scan that finds something at cells 5 and 6, and an MLP that was taught to look there.
EXAMPLE = (-3.0, -2.5, -3.5, -2.0, -1.0, 3.0, 2.5, -0.5, -2.0, -3.0, -2.5, -1.5, -2.0, -3.0, -3.5, -2.5)


def example_mlp() -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return an MLP for `EXAMPLE` with a weight for each place: it says yes to a peak at cells 5 and 6 only."""
    first = np.zeros((2, len(EXAMPLE)), np.float32)
    first[0, 5:7] = 0.75
    first[0, [4, 7]] = -0.25
    first[1] = -0.0625
    return [(first, np.zeros(2, np.float32)), (np.array([[1.0, 0.5]], np.float32), np.array([-1.5], np.float32))]


class MapToDecision(Demo):
    """Turn a map of scores into one decision, and follow its gradient back to the cells.

    Four ways side by side: the maximum, the mean, the softmax aggregation ``Y = Σ p·y`` with
    ``p = softmax(y/τ)``, and an MLP over all scores. The reader drags cells up and down and the
    whole map sideways, moves the temperature, and sees for each way what the answer is and where
    its gradient goes: to the first of the largest, to all alike, as ``p·(1 + (y − Y)/τ)``, or by
    backpropagation.

    Parameters
    ----------
    scores : array, shape (T,) or (H, W), optional
        The map, at most 576 cells. By default a scan of 16 windows with one peak.
    temperature : float
        τ of the softmax, 0.01 to 100: towards 0 it becomes the maximum, towards infinity the mean.
    how : {"max", "mean", "softmax", "mlp"}
        The way that is shown large.
    mlp : list of (W, b), or a net, optional
        An MLP over the flattened scores: the first ``in`` is their number, the last ``out`` is 1. By default one
        that fits the default scores, and none for your own.
    threshold : float
        An answer above it (not at it) is yes.
    sigmoid : bool
        Squash each score to a probability before it enters the MLP, as in lecture 01.

    Attributes
    ----------
    scores, temperature, how, threshold
        What the reader has set; assign to change the view.
    shift : list of two ints
        Rows and columns by which the map is moved.
    wrap : bool
        What leaves the map on one side comes in on the other; otherwise it is lost, and the smallest score fills up.
    offset : float
        Added to every score.
    subtract : bool
        Whether the softmax subtracts the largest score first. Without it the demo computes in float32, as a GPU
        would, and large scores overflow.
    cell : int
        The cell that is looked at, in row-major order.

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite or out of range.

    Examples
    --------
    >>> demo = MapToDecision([0.0, 1.0, 2.0], temperature=0.5)
    >>> {how: round(value, 3) for how, value in demo.decisions.items()}
    {'max': 2.0, 'mean': 1.0, 'softmax': 1.851}
    """

    _esm = script("map_to_decision", "model", "words", "plot", "curve", "panels", "view")
    _css = style("map_to_decision")
    title: ClassVar[str] = "Map to decision"

    scores: Any = traitlets.Any().tag(sync=True, demo=True)  # a list of rows; an array is taken, too
    temperature = traitlets.Float(1.0).tag(sync=True, demo=True)
    how = traitlets.Enum(HOW, "max").tag(sync=True, demo=True)
    threshold = traitlets.Float(0.0).tag(sync=True, demo=True)
    shift: traitlets.List[Any] = traitlets.List([0, 0]).tag(sync=True, demo=True)
    wrap = traitlets.Bool(True).tag(sync=True, demo=True)
    offset = traitlets.Float(0.0).tag(sync=True, demo=True)
    subtract = traitlets.Bool(True).tag(sync=True, demo=True)
    cell = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        scores: ArrayLike | None = None,
        *,
        temperature: float = 1.0,
        how: str = "max",
        mlp: Any = None,
        threshold: float = 0.0,
        sigmoid: bool = False,
    ) -> None:
        if scores is None:
            scores, mlp = EXAMPLE, example_mlp() if mlp is None else mlp
        given = numbers(scores, "scores", ndim=(1, 2), dtype=np.float64)
        cells = f"the map has {given.size} cells: the MLP takes them flattened, row by row"
        self._mlp = None if mlp is None else checked_layers(mlp, inputs=given.size, source=cells, name="mlp")
        self._sigmoid = bool(sigmoid)
        self._shape = np.atleast_2d(given).shape
        data = {"rank": given.ndim, "mlp": self._mlp and pack_layers(self._mlp), "sigmoid": self._sigmoid}
        super().__init__(
            scores=nested(np.atleast_2d(given)),
            temperature=temperature,
            how=how,
            threshold=threshold,
            cell=int(given.argmax()),
            data=data,
        )

    @property
    def map(self) -> NDArray[np.float64]:
        """The scores as they are shown, moved and with the offset; shape (H, W), or (1, T)."""
        y = np.array(self.scores)
        moved = np.roll(y, self.shift, axis=(0, 1))
        if not self.wrap:
            for axis, by in enumerate(self.shift):
                lost = slice(0, by) if by >= 0 else slice(by, None)
                moved[(slice(None),) * axis + (lost,)] = y.min()
        return moved + self.offset

    @property
    def decisions(self) -> dict[str, float]:
        """Y for each way, computed by NumPy in float64, the maximum subtracted."""
        y = self.map.ravel()
        found = {"max": float(y.max()), "mean": float(y.mean()), "softmax": float(_weights(y, self.temperature) @ y)}
        return found if self._mlp is None else found | {"mlp": float(_activations(y, self._mlp, self._sigmoid)[-1][0])}

    @property
    def gradients(self) -> dict[str, NDArray[np.float64]]:
        """dY/dy for each way, computed by NumPy in float64; each of the shape of `map`."""
        y, tau = self.map.ravel(), self.temperature
        p = _weights(y, tau)
        found = {
            "max": (np.arange(y.size) == y.argmax()).astype(np.float64),
            "mean": np.full(y.size, 1 / y.size),
            "softmax": p * (1 + (y - p @ y) / tau),
        }
        if self._mlp is not None:
            found["mlp"] = _mlp_gradient(y, self._mlp, self._sigmoid)
        return {how: gradient.reshape(self._shape) for how, gradient in found.items()}

    @traitlets.validate("scores")
    def _map_fits(self, proposal: Any) -> list[list[float]]:
        matrix = np.atleast_2d(numbers(proposal["value"], "scores", ndim=(1, 2), dtype=np.float64))
        if matrix.size > _MOST_CELLS:
            raise ValueError(
                f"scores has {matrix.shape[0]} × {matrix.shape[1]} cells: at most {_MOST_CELLS} can be taken hold of; "
                "take every second one (scores[::2, ::2])"
            )
        if matrix.shape != self._shape:
            raise ValueError(f"scores has shape {matrix.shape}, but this demo was made for {self._shape}: make another")
        rows: list[list[float]] = nested(matrix)
        return rows

    @traitlets.validate("temperature")
    def _temperature_in_range(self, proposal: Any) -> float:
        temperature = float(proposal["value"])
        if not _LEAST <= temperature <= _MOST:
            raise ValueError(f"temperature={temperature}: expected {_LEAST} to {_MOST:g}")
        return temperature

    @traitlets.validate("threshold", "offset")
    def _finite(self, proposal: Any) -> float:
        value = float(proposal["value"])
        if not np.isfinite(value):
            raise ValueError(f"{proposal['trait'].name}={value}: expected a finite number")
        return value

    @traitlets.validate("how")
    def _way_is_there(self, proposal: Any) -> str:
        how = str(proposal["value"])
        if how == "mlp" and self._mlp is None:
            raise ValueError('how="mlp" needs a net: pass mlp=[(W, b), …] over the flattened scores')
        return how

    @traitlets.validate("shift")
    def _shift_is_whole(self, proposal: Any) -> list[int]:
        shift = [int(v) for v in proposal["value"]]
        if len(shift) != 2 or any(abs(v) >= size and v for v, size in zip(shift, self._shape, strict=True)):
            raise ValueError(f"shift={proposal['value']}: expected rows and columns, less than the map’s {self._shape}")
        return shift

    @traitlets.validate("cell")
    def _cell_is_there(self, proposal: Any) -> int:
        cell, count = int(proposal["value"]), self._shape[0] * self._shape[1]
        if cell >= count:
            raise ValueError(f"cell={cell}: the map has {count} cells, 0 to {count - 1}")
        return cell


def _weights(y: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    p = np.exp((y - y.max()) / temperature)
    weights: NDArray[np.float64] = p / p.sum()
    return weights


def _activations(
    y: NDArray[np.float64], mlp: Sequence[tuple[Floats, Floats]], sigmoid: bool
) -> list[NDArray[np.float64]]:
    """Return the input of the MLP and the sums of each of its layers."""
    stages = [1 / (1 + np.exp(-y)) if sigmoid else y]
    for index, (W, b) in enumerate(mlp):
        below = np.maximum(stages[-1], 0) if index else stages[-1]
        stages.append(W.astype(np.float64) @ below + b)
    return stages


def _mlp_gradient(y: NDArray[np.float64], mlp: Sequence[tuple[Floats, Floats]], sigmoid: bool) -> NDArray[np.float64]:
    stages = _activations(y, mlp, sigmoid)
    gradient = np.ones(1)
    for index in reversed(range(len(mlp))):
        gradient = mlp[index][0].T.astype(np.float64) @ gradient
        if index:
            gradient = gradient * (stages[index] > 0)
    return gradient * stages[0] * (1 - stages[0]) if sigmoid else gradient
