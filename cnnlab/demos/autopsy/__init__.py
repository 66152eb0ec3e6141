"""Demo 14: after a failed check, where the answer goes wrong and what could have made it so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.autopsy.answers import MOST_CELLS, aligned, block_around, describe, tolerance_of
from cnnlab.demos.autopsy.convolution import read_convolution
from cnnlab.demos.pack import pack
from cnnlab.demos.widget import Demo, script, style

_JUDGES = ("compare", "findings", "sums", "suspects")
_PARTS = (*_JUDGES, "words", "panels", "tables", "layout", "hands", "view")


class Autopsy(Demo):
    """Lay an answer open: expected, got and difference, the first wrong number, and what could have made it.

    The browser compares all cells, says in words what the differences have in common (a constant, a factor, a flip, a
    border …) and, for a convolution, goes through the sum behind a cell tap by tap and tries the usual mistakes. It
    shows nothing that it was not given: pass x, w and b only where the reader may see them.

    Parameters
    ----------
    expected : array of numbers, any shape
        The right answer; its dtype sets how far apart two right answers may be.
    got : anything
        What was returned: an array of any shape and dtype, a list, a number, None, or something else.
    x, w, b : arrays, optional
        A convolution's input, filters and bias: (N, C_in, *spatial) or (C_in, *spatial), (C_out, C_in/groups, *kernel)
        and (C_out,); or x and w of the same one or two axes, without channels, and b a number.
    stride, padding, dilation, groups
        As in `cnnlab.nn.Conv2d`; padding is with zeros.
    suspects : sequence of mappings, optional
        Mistakes to compare with: ``{"name": "kernel flipped", "output": array}``.
    title : str, optional
        The heading, in place of the usual question.
    mistake : str, optional
        What a check found out, in words.
    hints : sequence of str
        Unfolded one after the other.
    tolerance : float, optional
        Largest difference that counts as equal; by default that of the checks: 2e-2, 1e-4 or 1e-9 for float16, float32
        and float64, times the largest expected number if that is above 1.

    Attributes
    ----------
    cell, tap, hints_shown
        What the reader has set; assign to change the view. `cell` is an index or None for the first wrong one, `tap`
        how many products of its sum are taken, None for all.
    wrong : array of bool or None
        Where the answer is wrong; None where there are no numbers of this shape to compare.
    first_wrong : tuple of int or None

    Raises
    ------
    TypeError
        If an array lies on a GPU, or `expected` holds no real numbers.
    ValueError
        If `expected` is empty, or x, w, b and the options do not give an output of its shape.

    Examples
    --------
    >>> x, w = np.arange(16.0).reshape(4, 4), np.array([[1.0, 0.0], [2.0, -1.0]])
    >>> windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2))
    >>> right, flipped = (np.einsum("ijuv,uv->ij", windows, kernel) for kernel in (w, w[::-1, ::-1]))
    >>> Autopsy(right, flipped, x=x, w=w).first_wrong
    (0, 0)
    """

    _esm = script("autopsy", *_PARTS)
    _css = style("autopsy")
    title: ClassVar[str] = "Autopsy of an answer"

    cell: traitlets.List[Any] = traitlets.List(default_value=None, allow_none=True).tag(sync=True, demo=True)
    tap = traitlets.Int(None, allow_none=True).tag(sync=True, demo=True)
    hints_shown = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        expected: ArrayLike,
        got: Any,
        *,
        x: ArrayLike | None = None,
        w: ArrayLike | None = None,
        b: ArrayLike | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        suspects: Sequence[Mapping[str, Any]] | None = None,
        title: str | None = None,
        mistake: str | None = None,
        hints: Sequence[str] = (),
        tolerance: float | None = None,
    ) -> None:
        right = _expected(expected)
        answer = describe("got", got)
        limit = tolerance_of(right) if tolerance is None else float(tolerance)
        if not limit >= 0:
            raise ValueError(f"tolerance={tolerance}: expected a number that is not negative")
        options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        convolution = read_convolution(x, w, b, right.shape, **options)
        shown_right, shown_got, how = aligned(right, answer.numbers)
        self._right, self._got = shown_right, shown_got
        self._limit = limit
        block = None
        if max(shown_right.size, 0 if shown_got is None else shown_got.size) > MOST_CELLS:
            block, shown_right, shown_got = block_around(shown_right, shown_got, self.first_wrong, self.wrong)
        if isinstance(hints, str):
            raise ValueError(f"hints={hints!r} is one text: pass a list, hints=[{hints!r}]")
        super().__init__(
            data={
                "expected": pack(shown_right, "float64"),
                "got": None if shown_got is None else pack(shown_got, "float64"),
                "words": answer.words,
                "shapes": {"expected": list(right.shape), "got": answer.shape},
                "dtypes": {"expected": str(right.dtype), "got": answer.dtype},
                "how": how,
                "block": block,
                "tolerance": limit,
                "relative": None if tolerance is not None else tolerance_of(right, scaled=False),
                "convolution": convolution if block is None else None,
                "uncut": convolution is None or block is None,
                "suspects": [] if block else _suspects(suspects),
                "title": None if title is None else str(title),
                "mistake": None if mistake is None else str(mistake),
                "hints": [str(hint) for hint in hints],
            }
        )

    @property
    def wrong(self) -> NDArray[np.bool_] | None:
        """Where the answer is wrong, in the shape of `expected`; None where the shapes do not agree."""
        if self._got is None or self._got.shape != self._right.shape:
            return None
        with np.errstate(invalid="ignore", over="ignore"):
            close: NDArray[np.bool_] = abs(self._got.astype(float) - self._right.astype(float)) <= self._limit
        return ~close

    @property
    def first_wrong(self) -> tuple[int, ...] | None:
        """The first wrong index in row-major order, or None."""
        wrong = self.wrong
        if wrong is None or not wrong.any():
            return None
        return tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), wrong.shape))

    @traitlets.validate("cell")
    def _index(self, proposal: Any) -> list[int] | None:
        value = proposal["value"]
        if value is None or not self.data:
            return None
        sizes = [self.data[name]["shape"] for name in ("expected", "got") if self.data[name]]
        shape = [max(lengths) for lengths in zip(*sizes, strict=True)]
        index = [int(i) for i in value]
        if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
            raise traitlets.TraitError(f"cell={value} is no index into an array of shape {tuple(shape)}")
        return index

    @traitlets.validate("tap")
    def _taps(self, proposal: Any) -> int | None:
        value = proposal["value"]
        if value is not None and value < 0:
            raise traitlets.TraitError(f"tap={value}: expected how many products are taken, 0 or more, or None for all")
        return None if value is None else int(value)


def _expected(expected: ArrayLike) -> NDArray[Any]:
    if hasattr(expected, "__cuda_array_interface__"):
        raise TypeError("expected lies on a GPU: pass cnnlab.to_numpy(expected)")
    array = np.asarray(expected)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"expected has dtype {array.dtype}: pass an array of real numbers")
    if array.size == 0:
        raise ValueError(f"expected has shape {array.shape}: there is no number to compare")
    return array


def _suspects(suspects: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    found = []
    for i, suspect in enumerate(suspects or ()):
        if not isinstance(suspect, Mapping) or set(suspect) != {"name", "output"}:
            raise ValueError(f'suspects[{i}] is {suspect!r}: pass {{"name": "kernel flipped", "output": array}}')
        answer = describe(f"the output of suspects[{i}]", suspect["output"])
        if answer.numbers is None or answer.numbers.size > MOST_CELLS:
            name = suspect["name"]
            raise ValueError(f"the output of suspects[{i}] ({name!r}): pass an array of up to {MOST_CELLS} numbers")
        packed = pack(answer.numbers, "float64")
        found.append({"name": str(suspect["name"]), "output": packed | {"shape": answer.shape}})
    return found
