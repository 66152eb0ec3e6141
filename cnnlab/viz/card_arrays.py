"""Small arrays on a card: an answer as a table around its first wrong number, an input as code to copy."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cnnlab.checks.results import CheckOutcome

_MOST_ROWS = 6
_MOST_COLUMNS = 8
_MOST_NUMBERS_AS_CODE = 400


def answers_html(outcome: CheckOutcome) -> str:
    """Return expected and got side by side as tables, or nothing when there is no array of numbers to show."""
    if outcome.kind not in {"wrong_value", "wrong_shape"} or not isinstance(outcome.got, np.ndarray):
        return ""
    tables = "".join(
        _table(name, array, outcome.first_wrong_index)
        for name, array in (("expected", outcome.expected), ("got", outcome.got))
    )
    return f'<div class="answers">{tables}</div>'


def call_as_code(function: str, parameters: tuple[str, ...], arguments: tuple[Any, ...]) -> str:
    """Return Python code that makes the same call: arrays and lists get names, numbers stand in the call.

    Examples
    --------
    >>> print(call_as_code("shift", ("x", "by"), (np.array([1.0, 2.5]), 3)))
    x = np.array([1.0, 2.5])
    shift(x, by=3)
    """
    lines = []
    call = []
    for name, value in zip(parameters, arguments, strict=False):
        if isinstance(value, np.ndarray | list):
            lines.append(f"{name} = {_code(value)}")
            call.append(name)
        else:
            call.append(f"{name}={value!r}")
    return "\n".join([*lines, f"{function}({', '.join(call)})"])


def _code(value: Any) -> str:
    if isinstance(value, list | tuple):
        inner = [_code(item) for item in value]
        if isinstance(value, tuple):
            return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
        # One item a line: a list of layers reads as a list of layers.
        return "[\n" + "".join(f"    {item},\n" for item in inner) + "]"
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.size > _MOST_NUMBERS_AS_CODE:
        return f"...  # shape {value.shape}, too large to show"
    if value.size == 0:
        return f"np.zeros({value.shape})"
    # float(), not repr of the array: float32 numbers keep their short decimals.
    numbers = str(_short(value).tolist())
    kind = "" if value.dtype == np.float64 or value.dtype.kind not in "f" else f", dtype=np.{value.dtype}"
    return f"np.array({numbers}{kind})"


def _short(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.round(value.astype(np.float64), 6) if value.dtype.kind == "f" else value


def _table(name: str, array: np.ndarray[Any, Any], wrong: tuple[int, ...] | None) -> str:
    shape = escape(str(array.shape))
    if array.size == 0 or array.dtype.kind not in "fiub":
        return f'<table><caption>{name}, shape {shape}</caption><tr><td class="none">no numbers</td></tr></table>'
    lead = tuple(wrong[:-2]) if wrong is not None else (0,) * max(0, array.ndim - 2)
    plane = np.atleast_2d(array[lead])  # (rows, columns)
    place = (0, 0) if wrong is None else ((0,) * (2 - min(2, array.ndim)) + tuple(wrong))[-2:]
    rows = _around(place[0], plane.shape[0], _MOST_ROWS)
    columns = _around(place[1], plane.shape[1], _MOST_COLUMNS)
    caption = f"{name}, shape {shape}"
    if array.ndim > 2:
        caption += f"; here [{', '.join(map(str, lead))}, :, :]"
    head = "".join(f"<th scope='col'>{column}</th>" for column in columns)
    body = ""
    for row in rows:
        cells = "".join(
            _cell(plane[row, column], is_wrong=wrong is not None and (row, column) == place) for column in columns
        )
        body += f"<tr><th scope='row'>{row}</th>{cells}</tr>"
    cut = len(rows) < plane.shape[0] or len(columns) < plane.shape[1]
    note = '<tr><td class="none" colspan="99">… and more around it</td></tr>' if cut else ""
    return f"<table><caption>{caption}</caption><tr><td></td>{head}</tr>{body}{note}</table>"


def _around(center: int, length: int, most: int) -> range:
    start = max(0, min(center - most // 2, length - most))
    return range(start, min(length, start + most))


def _cell(value: Any, *, is_wrong: bool) -> str:
    return f'<td class="wrong">▸ {value:.6g}</td>' if is_wrong else f"<td>{value:.4g}</td>"
