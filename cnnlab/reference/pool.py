"""Pooling by looking at one window after another (deck rows D51–D53)."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cnnlab.geometry import PoolGeometry

Floats: TypeAlias = NDArray[np.floating[Any]]
Index: TypeAlias = tuple[int, ...]


def max_pool_by_windows(x: Floats, kernel: Sequence[int], **options: Any) -> Floats:
    """Return the largest value of every window; positions in the padding do not take part.

    Parameters
    ----------
    x : array (N, C, *spatial)
        Input.
    kernel : sequence of int
        Window size, one entry for each spatial axis.
    **options
        stride, padding, dilation, ceil_mode, as in `cnnlab.geometry.PoolGeometry`.

    Returns
    -------
    array (N, C, *out)

    Examples
    --------
    >>> max_pool_by_windows(np.array([[[1.0, 5.0, 3.0, 2.0]]]), (2,))
    array([[[5., 3.]]])
    """
    geometry = PoolGeometry(kernel, **options)
    y = np.zeros(geometry.output_shape(x.shape), dtype=x.dtype)
    for output, inputs in _windows(geometry, x.shape):
        y[output] = max((x[i] for i in inputs), default=-np.inf)
    return y


def avg_pool_by_windows(x: Floats, kernel: Sequence[int], *, count_include_pad: bool = True, **options: Any) -> Floats:
    """Return the sum of every window divided by the number of its positions; parameters as `max_pool_by_windows`.

    With ``count_include_pad`` those in the padding count too, but never those beyond it.

    Examples
    --------
    >>> avg_pool_by_windows(np.array([[[1.0, 5.0, 3.0, 2.0]]]), (2,))
    array([[[3. , 2.5]]])
    """
    geometry = PoolGeometry(kernel, **options)
    y = np.zeros(geometry.output_shape(x.shape), dtype=x.dtype)
    for output, inputs in _windows(geometry, x.shape):
        y[output] = sum(x[i] for i in inputs) / _count(geometry, x.shape, output, count_include_pad)
    return y


def max_pool_backward_by_windows(dy: Floats, x: Floats, kernel: Sequence[int], **options: Any) -> Floats:
    """Give the gradient of every window to the first position (in row-major order) that holds its largest value.

    Examples
    --------
    >>> max_pool_backward_by_windows(np.array([[[7.0]]]), np.array([[[2.0, 2.0]]]), (2,))
    array([[[7., 0.]]])
    """
    dx = np.zeros_like(x)
    for output, inputs in _windows(PoolGeometry(kernel, **options), x.shape):
        if inputs:
            winner = inputs[0]
            for i in inputs:
                if x[i] > x[winner]:
                    winner = i
            dx[winner] += dy[output]
    return dx


def avg_pool_backward_by_windows(
    dy: Floats, x: Floats, kernel: Sequence[int], *, count_include_pad: bool = True, **options: Any
) -> Floats:
    """Give each position in a window the same share of its gradient.

    Examples
    --------
    >>> avg_pool_backward_by_windows(np.array([[[6.0]]]), np.array([[[1.0, 2.0]]]), (2,))
    array([[[3., 3.]]])
    """
    geometry = PoolGeometry(kernel, **options)
    dx = np.zeros_like(x)
    for output, inputs in _windows(geometry, x.shape):
        for i in inputs:
            dx[i] += dy[output] / _count(geometry, x.shape, output, count_include_pad)
    return dx


def _count(geometry: PoolGeometry, shape: Sequence[int], output: Index, count_include_pad: bool) -> int:
    """Count the positions of one window that lie in the input, or in the input and its padding."""
    count = 0
    for tap in np.ndindex(*geometry.kernel):
        counts = True
        for axis, (before, after) in enumerate(geometry.padding):
            i = output[axis + 2] * geometry.stride[axis] + tap[axis] * geometry.dilation[axis] - before
            n = shape[axis + 2]
            counts = counts and (-before <= i < n + after if count_include_pad else 0 <= i < n)
        count += counts
    return count


def _windows(geometry: PoolGeometry, shape: Sequence[int]) -> Iterator[tuple[Index, list[Index]]]:
    """Yield every output position with the input positions of its window, in row-major order.

    A window whose taps all lie in the padding, which dilation makes possible, comes with none.
    """
    N, C, *spatial = shape
    inside: dict[Index, list[Index]] = {output: [] for output in np.ndindex(*geometry.output_size(spatial))}
    for edge in geometry.edges(spatial):
        inside[edge.output].append(edge.input)
    for n in range(N):
        for c in range(C):
            for output, inputs in inside.items():
                yield (n, c, *output), [(n, c, *i) for i in inputs]
