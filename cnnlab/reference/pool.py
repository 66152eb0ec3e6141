"""Pooling by looking at one window after another (deck rows D51–D53)."""

from collections.abc import Callable, Iterator, Sequence
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
        stride, padding, as in `cnnlab.geometry.PoolGeometry`.

    Returns
    -------
    array (N, C, *out)

    Examples
    --------
    >>> max_pool_by_windows(np.array([[[1.0, 5.0, 3.0, 2.0]]]), (2,))
    array([[[5., 3.]]])
    """
    return _pool(x, PoolGeometry(kernel, **options), max)


def avg_pool_by_windows(x: Floats, kernel: Sequence[int], **options: Any) -> Floats:
    """Return the sum of every window divided by the size of the window; parameters as `max_pool_by_windows`.

    Examples
    --------
    >>> avg_pool_by_windows(np.array([[[1.0, 5.0, 3.0, 2.0]]]), (2,))
    array([[[3. , 2.5]]])
    """
    geometry = PoolGeometry(kernel, **options)
    return _pool(x, geometry, lambda values: sum(values) / geometry.tap_count())


def max_pool_backward_by_windows(dy: Floats, x: Floats, kernel: Sequence[int], **options: Any) -> Floats:
    """Give the gradient of every window to the first position (in row-major order) that holds its largest value.

    Examples
    --------
    >>> max_pool_backward_by_windows(np.array([[[7.0]]]), np.array([[[2.0, 2.0]]]), (2,))
    array([[[7., 0.]]])
    """
    dx = np.zeros_like(x)
    for output, inputs in _windows(PoolGeometry(kernel, **options), x.shape):
        winner = inputs[0]
        for i in inputs:
            if x[i] > x[winner]:
                winner = i
        dx[winner] += dy[output]
    return dx


def avg_pool_backward_by_windows(dy: Floats, x: Floats, kernel: Sequence[int], **options: Any) -> Floats:
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
            dx[i] += dy[output] / geometry.tap_count()
    return dx


def _pool(x: Floats, geometry: PoolGeometry, reduce: Callable[[list[Any]], Any]) -> Floats:
    y = np.zeros(geometry.output_shape(x.shape), dtype=x.dtype)
    for output, inputs in _windows(geometry, x.shape):
        y[output] = reduce([x[i] for i in inputs])
    return y


def _windows(geometry: PoolGeometry, shape: Sequence[int]) -> Iterator[tuple[Index, list[Index]]]:
    """Yield every output position with the input positions of its window, in row-major order."""
    N, C, *spatial = shape
    inside: dict[Index, list[Index]] = {}
    for edge in geometry.edges(spatial):
        inside.setdefault(edge.output, []).append(edge.input)
    for n in range(N):
        for c in range(C):
            for output, inputs in inside.items():
                yield (n, c, *output), [(n, c, *i) for i in inputs]
