"""Max and average pooling in any number of dimensions, tap by tap like the convolution.

Padding never wins a maximum, and counts as zeros in an average. So it contributes nothing to either, and each tap meets
only the outputs for which it lies inside the input. `cnnlab.kernels` is asked first.
"""

from collections.abc import Sequence

from cnnlab import kernels
from cnnlab.backend import Array, namespace
from cnnlab.geometry import PoolGeometry
from cnnlab.geometry.options import Padding, truth
from cnnlab.ops.arguments import check_shape, float_namespace


def max_pool_forward(
    x: Array,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Array:
    """Return the largest value of every window (deck rows D51–D53); a NaN in the window is returned.

    Parameters
    ----------
    x : array (N, C, *spatial)
        Input.
    kernel_size : int or sequence of int
        Size of the window; an int means the same on every axis.
    stride, padding, dilation, ceil_mode
        As in `cnnlab.geometry.PoolGeometry`. Padding acts as minus infinity.

    Returns
    -------
    array (N, C, *out)

    Raises
    ------
    TypeError
        ``x`` is no floating-point array, or an option is no whole number.
    ValueError
        Shape and options do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> max_pool_forward(np.array([[[1.0, 5.0, 3.0, 2.0]]]), 2)
    array([[[5., 3.]]])
    """
    xp = float_namespace(x=x)
    geometry = _geometry(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
    if (fast := kernels.max_pool_forward(x, geometry)) is not None:
        return fast
    y = xp.full(geometry.output_shape(x.shape), -float("inf"), dtype=x.dtype, device=x.device)
    for _, seen, seers in geometry.inner_taps(x.shape[2:]):
        y[..., *seers] = xp.maximum(y[..., *seers], x[..., *seen])
    return y


def max_pool_backward(
    dy: Array,
    x: Array,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Array:
    """Return the gradient with respect to the input of `max_pool_forward`.

    The gradient of a window goes to its largest value; among equal ones to the first in row-major order. Where windows
    overlap, gradients add up.

    Parameters
    ----------
    dy : array (N, C, *out)
        Gradient of the loss with respect to the output.
    x, kernel_size, stride, padding, dilation, ceil_mode
        As given to `max_pool_forward`; the same errors.

    Returns
    -------
    array (N, C, *spatial)

    Examples
    --------
    >>> import numpy as np
    >>> max_pool_backward(np.array([[[10.0, 20.0]]]), np.array([[[1.0, 5.0, 3.0, 3.0]]]), 2)
    array([[[ 0., 10., 20.,  0.]]])
    """
    xp = float_namespace(dy=dy, x=x)
    geometry = _geometry(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
    check_shape("dy", dy, geometry.output_shape(x.shape), "the shape of the layer's output")
    if (fast := kernels.max_pool_backward(dy, x, geometry)) is not None:
        return fast
    y = max_pool_forward(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
    dx = xp.zeros_like(x)
    waiting = xp.ones(y.shape, dtype=xp.bool, device=x.device)  # windows whose winner is not found yet
    for _, seen, seers in geometry.inner_taps(x.shape[2:]):
        x_tap = x[..., *seen]
        wins = waiting[..., *seers] & ((x_tap == y[..., *seers]) | xp.isnan(x_tap))
        dx[..., *seen] += xp.where(wins, dy[..., *seers], 0)
        waiting[..., *seers] = waiting[..., *seers] & ~wins
    return dx


def avg_pool_forward(
    x: Array,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the mean of every window (deck row D53).

    Parameters
    ----------
    x : array (N, C, *spatial)
        Input.
    kernel_size : int or sequence of int
        Size of the window; an int means the same on every axis.
    stride, padding, ceil_mode
        As in `cnnlab.geometry.PoolGeometry`.
    count_include_pad : bool
        Whether zeros of the padding count. If so the sum is divided by the size of the window, else by the number of
        inputs in it. What reaches beyond the padding (`ceil_mode`) never counts.

    Returns
    -------
    array (N, C, *out)

    Raises
    ------
    TypeError
        ``x`` is no floating-point array, or an option is no whole number.
    ValueError
        Shape and options do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool_forward(np.array([[[1.0, 5.0, 3.0, 2.0]]]), 2)
    array([[[3. , 2.5]]])
    """
    xp = float_namespace(x=x)
    geometry = _geometry(x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode)
    include = truth("count_include_pad", count_include_pad)
    if (fast := kernels.avg_pool_forward(x, geometry, count_include_pad=include)) is not None:
        return fast
    y = xp.zeros(geometry.output_shape(x.shape), dtype=x.dtype, device=x.device)
    for _, seen, seers in geometry.inner_taps(x.shape[2:]):
        y[..., *seers] += x[..., *seen]
    return y / _counts(x, geometry, include)


def avg_pool_backward(
    dy: Array,
    x: Array,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the gradient with respect to the input of `avg_pool_forward`: each window spreads its gradient evenly.

    Parameters
    ----------
    dy : array (N, C, *out)
        Gradient of the loss with respect to the output.
    x, kernel_size, stride, padding, ceil_mode, count_include_pad
        As given to `avg_pool_forward`; the same errors. Of ``x`` only the shape matters.

    Returns
    -------
    array (N, C, *spatial)

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool_backward(np.array([[[10.0, 20.0]]]), np.zeros((1, 1, 4)), 2)
    array([[[ 5.,  5., 10., 10.]]])
    """
    xp = float_namespace(dy=dy, x=x)
    geometry = _geometry(x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode)
    check_shape("dy", dy, geometry.output_shape(x.shape), "the shape of the layer's output")
    include = truth("count_include_pad", count_include_pad)
    if (fast := kernels.avg_pool_backward(dy, x, geometry, count_include_pad=include)) is not None:
        return fast
    share = dy / _counts(x, geometry, include)
    dx = xp.zeros_like(x)
    for _, seen, seers in geometry.inner_taps(x.shape[2:]):
        dx[..., *seen] += share[..., *seers]
    return dx


def _geometry(
    x: Array,
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None,
    padding: Padding,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool,
) -> PoolGeometry:
    if x.ndim < 3:
        raise ValueError(f"x has shape {tuple(x.shape)}: expected (N, C, *spatial) with at least one spatial axis")
    rank = x.ndim - 2
    sizes = kernel_size if isinstance(kernel_size, Sequence) else (kernel_size,) * rank
    if len(sizes) != rank:
        raise ValueError(
            f"kernel_size {tuple(sizes)} has {len(sizes)} entries for {rank} spatial axes: give one for each"
        )
    return PoolGeometry.of_options(sizes, stride, padding, dilation, ceil_mode=ceil_mode)


def _counts(x: Array, geometry: PoolGeometry, count_include_pad: bool) -> Array:
    """Return what each window's sum is divided by, an array (*out)."""
    xp = namespace(x)
    counts = xp.ones((), dtype=x.dtype, device=x.device)
    for per_axis in geometry.tap_counts(x.shape[2:], in_padding=count_include_pad):
        counts = counts[..., None] * xp.asarray(per_axis, dtype=x.dtype, device=x.device)  # one axis more
    return counts
