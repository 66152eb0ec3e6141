"""Demo 3: a scanning layer as one giant matrix (deck rows D10 to D13)."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import nested, numbers
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry import ConvGeometry
from cnnlab.geometry.options import per_axis

_MOST_ROWS, _MOST_COLUMNS = 60, 80  # beyond this, one entry is no more to be seen
_STAGES = ("full", "sparse", "shared")
_OPTIONS = ("stride", "padding")


class GiantMatrix(Demo):
    """Write a scanning layer as the matrix of an MLP layer, and see which entries are one and the same weight.

    Rows are outputs, columns inputs, both in C order of (channel, *position). Row by row the reader turns a full
    matrix (every output has its own weight to every input) into a sparse one (every output sees its window only) and
    that into the convolution, in which all rows hold the same weights. Tied weights have one color and one letter;
    pointing at a weight, an edge of the network or a tap of the kernel brings out all places of that weight.

    Parameters
    ----------
    w : array, shape (K,), (K_H, K_W), (C_out, C_in, K) or (C_out, C_in, K_H, K_W)
        The kernel; without channels, one filter over one channel.
    n : int or (int, int)
        Inputs along each axis: the length, or (H, W). By default 12, or (5, 6).
    stride, padding : int or (int, int)
        As PyTorch's; the padding is zeros, which have no column and no weight.
    view : {"full", "sparse", "shared"}
        Where to begin.
    x : array, shape (C_in, *n), or n for one channel
        Inputs; with them the demo shows y = W x, row by row as rows come to share.
    bias : bool
        Count biases too: one an output, or one a filter where they are shared.
    cells : {"letters", "values"}
        What stands in the entries of shared weights.

    Attributes
    ----------
    w, n, stride, padding, x, bias, cells
        What the reader has set: lists, `w` always with four axes or three; assign to change the view.
    morph : float
        0 is full, 1 sparse, 2 shared; between them, the share of rows that have changed.
    picked : list
        [row, column] of the entry whose weight is pinned, or [].

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, the kernel is larger than the padded input, or the matrix has
        more than 60 rows or 80 columns.

    Examples
    --------
    >>> demo = GiantMatrix([1, 2], n=4)
    >>> demo.matrix
    array([[1., 2., 0., 0.],
           [0., 1., 2., 0.],
           [0., 0., 1., 2.]])
    >>> demo.parameter_counts
    {'full': 12, 'sparse': 6, 'shared': 2}
    """

    _esm = script("giant_matrix", "model", "network", "planes", "cards", "words", "tables", "parts", "view")
    _css = style("giant_matrix")
    title: ClassVar[str] = "Giant matrix"

    w: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    n: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    stride: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    padding: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    x: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    morph = traitlets.Float(2.0, min=0.0, max=2.0).tag(sync=True, demo=True)
    picked: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    bias = traitlets.Bool(False).tag(sync=True, demo=True)
    cells = traitlets.Enum(("letters", "values"), "letters").tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        w: ArrayLike = (-1, 2, 0.5),
        n: int | Sequence[int] | None = None,
        *,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        view: str = "shared",
        x: ArrayLike | None = None,
        bias: bool = False,
        cells: str = "letters",
    ) -> None:
        kernel = numbers(w, "w", ndim=(1, 2, 3, 4), dtype=np.float64)
        rank = 1 if kernel.ndim in (1, 3) else 2
        bare = kernel.ndim <= 2
        kernel = kernel[None, None] if bare else kernel
        sizes = per_axis("n", ((12,) if rank == 1 else (5, 6)) if n is None else n, rank, at_least=1)
        state = {
            "w": nested(kernel),
            "n": list(sizes),
            "stride": list(per_axis("stride", stride, rank, at_least=1)),
            "padding": list(per_axis("padding", padding, rank, at_least=0)),
        }
        _check(**state)
        super().__init__(
            **state,
            x=[] if x is None else _inputs(x, (kernel.shape[1], *sizes)),
            morph=float(_stage(view)),
            bias=bool(bias),
            cells=cells,
            data={"rank": rank, "bare": bare, "limits": [_MOST_ROWS, _MOST_COLUMNS]},
        )

    @property
    def view(self) -> str:
        """The stage that the matrix has reached: "full", "sparse" or "shared"; assign one to go there."""
        return _STAGES[int(self.morph)]

    @view.setter
    def view(self, name: str) -> None:
        self.morph = float(_stage(name))

    @property
    def geometry(self) -> ConvGeometry:
        """The layer's sizes and connections."""
        return _geometry(self.w, self.stride, self.padding)

    @property
    def ties(self) -> NDArray[np.int64]:
        """For each entry the place of its weight in ``w.ravel()``, −1 where there is none; (outputs, inputs)."""
        geometry = self.geometry
        C_out, C_in = geometry.out_channels, geometry.in_channels
        out = geometry.output_size(self.n)
        places = np.arange(prod(geometry.weight_shape)).reshape(geometry.weight_shape)
        ties = np.full((C_out, *out, C_in, *self.n), -1)
        for tap, inside, output in geometry.edges(self.n):
            at: tuple[Any, ...] = (slice(None), *output, slice(None), *inside)
            of: tuple[Any, ...] = (slice(None), slice(None), *tap)
            ties[at] = places[of]
        return ties.reshape(C_out * prod(out), C_in * prod(self.n))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The shared matrix W, computed by NumPy; (outputs, inputs)."""
        values = np.append(np.ravel(self.w), 0.0)
        return values[self.ties]

    @property
    def output(self) -> NDArray[np.float64]:
        """W x in the shape (C_out, *outputs)."""
        if not self.x:
            raise ValueError("x was not given: pass x=… to see W x")
        geometry = self.geometry
        return (self.matrix @ np.ravel(self.x)).reshape(geometry.out_channels, *geometry.output_size(self.n))

    @property
    def parameter_counts(self) -> dict[str, int]:
        """How many parameters each of the three layers has, with biases if `bias` is set."""
        geometry, ties = self.geometry, self.ties
        counts = {"full": ties.size, "sparse": int((ties >= 0).sum()), "shared": prod(geometry.weight_shape)}
        biases = {"full": len(ties), "sparse": len(ties), "shared": geometry.out_channels}
        return {name: count + self.bias * biases[name] for name, count in counts.items()}

    @traitlets.validate("w", "n", "stride", "padding")
    def _fits(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        rank = self.data["rank"]
        if name == "w":
            kept = nested(numbers(value, "w", ndim=rank + 2, dtype=np.float64))
        else:
            kept = list(per_axis(name, value, rank, at_least=0 if name == "padding" else 1))
        state = {other: getattr(self, other) for other in ("w", "n", *_OPTIONS)} | {name: kept}
        _check(**state)
        if self.x and np.shape(self.x) != (np.shape(state["w"])[1], *state["n"]):
            raise ValueError(
                f"x has shape {np.shape(self.x)} and would not fit {name} = {value}: set x = [] or assign both "
                "within `with demo.hold_trait_notifications():`"
            )
        return kept

    @traitlets.validate("x")
    def _given(self, proposal: Any) -> Any:
        value = proposal["value"]
        return [] if len(value) == 0 else _inputs(value, (np.shape(self.w)[1], *self.n))

    @traitlets.validate("picked")
    def _entry(self, proposal: Any) -> list[int]:
        value = proposal["value"]
        if len(value) == 0:
            return []
        rows, columns = _sizes(self.w, self.n, self.stride, self.padding)
        if len(value) != 2 or not (0 <= value[0] < rows and 0 <= value[1] < columns):
            raise ValueError(f"picked={value}: expected [row, column] within {rows} × {columns}, or []")
        return [int(place) for place in value]


def _geometry(w: Any, stride: Sequence[int], padding: Sequence[int]) -> ConvGeometry:
    return ConvGeometry.of_weight(np.shape(w), stride=stride, padding=padding)


def _sizes(w: Any, n: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> tuple[int, int]:
    """Return the rows and columns of the matrix; a kernel that does not fit is refused."""
    geometry = _geometry(w, stride, padding)
    return geometry.out_channels * prod(geometry.output_size(n)), geometry.in_channels * prod(n)


def _check(w: Any, n: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> None:
    rows, columns = _sizes(w, n, stride, padding)
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS:
        raise ValueError(
            f"w of shape {np.shape(w)} over n = {_words(n)} gives a matrix of {rows} × {columns}: at most "
            f"{_MOST_ROWS} × {_MOST_COLUMNS} entries can be told apart; take a smaller n, fewer channels or a larger "
            "stride"
        )


def _inputs(x: ArrayLike, shape: tuple[int, ...]) -> Any:
    array = numbers(x, "x", ndim=(len(shape) - 1, len(shape)), dtype=np.float64)
    full = array[None] if array.ndim == len(shape) - 1 else array
    if full.shape != shape:
        raise ValueError(f"x has shape {array.shape}: w and n ask for {_words(shape)}")
    return nested(full)


def _stage(name: str) -> int:
    if name not in _STAGES:
        raise ValueError(f"view {name!r} is unknown: choose one of {', '.join(_STAGES)}")
    return _STAGES.index(name)


def _words(sizes: Iterable[int]) -> str:
    return " × ".join(map(str, sizes))
