"""Pooling with exchangeable parts, from which the known mistakes are made.

The right functions are not made from it: they stand by themselves in `pool2d`, so that a slip here cannot make a wrong
answer pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]
Borders = tuple[Pair, Pair]
# From kernel and stride to the one of them that is used.
Choice = Callable[[Pair, Pair], Pair]
# From length, kernel and stride to where windows start.
Starts = Callable[[int, int, int], Sequence[int]]


@dataclass(frozen=True)
class Window:
    """One window over all samples and channels.

    Attributes
    ----------
    values
        Shape (N, C, K_H, K_W), less where it hangs over the end.
    real
        How many of its cells lie on the map.
    kernel
        Its full size.
    """

    values: Array
    real: int
    kernel: Pair


Number = Callable[[Window], Any]
# From a window and its part of dy, shape (N, C, 1, 1), to what each of its cells gets.
Gradient = Callable[[Window, Array], Array]
_Place = tuple[slice, slice]


def on_both_sides(padding: Pair) -> Borders:
    """Return how much stands before and after rows and columns."""
    return (padding[0], padding[0]), (padding[1], padding[1])


def full_windows(n: int, K: int, S: int) -> Sequence[int]:
    """Return where the windows start that fit entirely."""
    return range(0, n - K + 1, S)


def largest(window: Window) -> Any:
    """Return the maximum in each map."""
    return window.values.max(axis=(2, 3))


def mean(window: Window) -> Any:
    """Return the sum over the number of all cells, in each map."""
    return window.values.sum(axis=(2, 3)) / (window.kernel[0] * window.kernel[1])


def to_the_first(window: Window, dy: Array) -> Array:
    """Give all to the first of the largest cells."""
    return first_winner(window.values) * dy


def first_winner(values: Array) -> Array:
    """Return 1 at the first maximum of each map, else 0."""
    flat = values.reshape(*values.shape[:2], -1)
    return np.asarray(np.arange(flat.shape[2]) == flat.argmax(axis=2)[..., None]).reshape(values.shape)


def equal_shares(window: Window, dy: Array) -> Array:
    """Give each cell the same share."""
    return np.broadcast_to(dy / (window.kernel[0] * window.kernel[1]), window.values.shape)


def add(dx: Array, gradient: Array) -> Array:
    """Return the old values with the new ones added."""
    return np.asarray(dx + gradient)


def without_border(dx: Array, borders: Borders, shape: tuple[int, ...]) -> Array:
    """Cut the padding off."""
    (top, _), (left, _) = borders
    return dx[:, :, top : top + shape[2], left : left + shape[3]]


def assemble_forward(
    *,
    choice: Callable[[str], str] = lambda how: how,
    size: Choice = lambda kernel, stride: kernel,
    step: Choice = lambda kernel, stride: stride,
    borders: Callable[[Pair], Borders] = on_both_sides,
    low: float = -np.inf,
    zero: float = 0.0,
    length: Callable[[int, int], int] = lambda n, P: n,
    starts: Starts = full_windows,
    maximum: Number = largest,
    average: Number = mean,
    then: Callable[[Any], Any] = lambda y: y,
) -> Callable[[Array, Pair, Pair, Pair, str], Any]:
    """Return a `pool2d_forward` with other parts.

    Parameters
    ----------
    choice
        What is done to `how` first.
    size, step
        The kernel and the stride that are used.
    borders
        From padding to what stands before and after rows and columns.
    low, zero
        What stands in the padding for the maximum and for the average.
    length
        From the length of the padded axis and the padding to the length that windows are counted on.
    starts
        Where windows start on such a length.
    maximum, average
        From a window to one number for each map.
    then
        What is done to the answer at the end.
    """

    def pool2d_forward(x: Array, kernel: Pair, stride: Pair, padding: Pair, how: str) -> Any:
        K, S, around = size(kernel, stride), step(kernel, stride), borders(padding)
        padded = _pad(x, around, low if choice(how) == "max" else zero)
        lengths = [length(n, P) for n, P in zip(padded.shape[2:], padding, strict=True)]
        grid = [starts(n, k, s) for n, k, s in zip(lengths, K, S, strict=True)]
        y = np.zeros((*x.shape[:2], *map(len, grid)), dtype=x.dtype)
        rule = maximum if choice(how) == "max" else average
        for (i, j), _, window in _windows(padded, grid, K, around, x.shape):
            y[:, :, i, j] = rule(window)
        return then(y)

    return pool2d_forward


def assemble_backward(
    *,
    choice: Callable[[str], str] = lambda how: how,
    size: Choice = lambda kernel, stride: kernel,
    step: Choice = lambda kernel, stride: stride,
    borders: Callable[[Pair], Borders] = on_both_sides,
    low: float = -np.inf,
    maximum: Gradient = to_the_first,
    average: Gradient = equal_shares,
    upstream: Callable[[Array], Array] = lambda dy: dy,
    put: Callable[[Array, Array], Array] = add,
    crop: Callable[[Array, Borders, tuple[int, ...]], Array] = without_border,
) -> Callable[[Array, Array, Pair, Pair, Pair, str], Any]:
    """Return a `pool2d_backward` with other parts.

    Parameters
    ----------
    choice, size, step, borders, low
        As in `assemble_forward`.
    maximum, average
        From a window and its part of `dy` to what each cell gets.
    upstream
        What is done to `dy` first.
    put
        From what a window's cells have and what they get to what they have then.
    crop
        Cuts the padding off.
    """

    def pool2d_backward(  # noqa: PLR0917  the student's signature
        dy: Array, x: Array, kernel: Pair, stride: Pair, padding: Pair, how: str
    ) -> Any:
        K, S, around = size(kernel, stride), step(kernel, stride), borders(padding)
        padded = _pad(x, around, low if choice(how) == "max" else 0.0)
        dx = np.zeros_like(padded)
        rule = maximum if choice(how) == "max" else average
        grid = [range(0, n * s, s) for n, s in zip(dy.shape[2:], S, strict=True)]
        used = upstream(dy)
        for (i, j), place, window in _windows(padded, grid, K, around, x.shape):
            gradient = rule(window, used[:, :, i, j, None, None])
            dx[(..., *place)] = put(dx[(..., *place)], gradient)
        return crop(dx, around, x.shape)

    return pool2d_backward


def _pad(x: Array, borders: Borders, value: float) -> Array:
    return np.pad(x, ((0, 0), (0, 0), *borders), constant_values=value)


def _windows(
    padded: Array, grid: Sequence[Sequence[int]], K: Pair, borders: Borders, shape: tuple[int, ...]
) -> Iterator[tuple[Pair, _Place, Window]]:
    (top, _), (left, _) = borders
    for i, row in enumerate(grid[0]):
        for j, column in enumerate(grid[1]):
            place = (slice(row, row + K[0]), slice(column, column + K[1]))
            real_rows = min(row + K[0], top + shape[2]) - max(row, top)
            real_columns = min(column + K[1], left + shape[3]) - max(column, left)
            real = max(0, real_rows) * max(0, real_columns)
            yield (i, j), place, Window(padded[(..., *place)], real, K)
