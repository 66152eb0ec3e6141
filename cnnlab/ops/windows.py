"""Cutting an input into windows, as a scan does, and its adjoint.

Letters: N batch, C channels, P number of window positions, K number of positions in one window.
"""

from collections.abc import Sequence
from math import prod

from cnnlab.backend import Array
from cnnlab.geometry import WindowGeometry
from cnnlab.ops.arguments import check_shape, float_namespace


def windows_forward(x: Array, kernel_size: Sequence[int], *, stride: int | Sequence[int] = 1) -> Array:
    """Cut out every full window and lay each one out as a vector (deck rows D05, D07 and D09).

    Parameters
    ----------
    x : array (N, C, *spatial)
        Input.
    kernel_size : sequence of int
        Size of the window, one entry for each spatial axis.
    stride : int or sequence of int
        Step between windows.

    Returns
    -------
    array (N, P, C·K)
        The windows in row-major order of their positions, each flattened in C order of (C, *kernel).

    Raises
    ------
    TypeError
        x is no floating-point array.
    ValueError
        The shapes do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> windows_forward(np.array([[[1.0, 2.0, 3.0, 4.0]]]), (2,))
    array([[[1., 2.],
            [2., 3.],
            [3., 4.]]])
    """
    xp = float_namespace(x=x)
    _check_axes(x)
    N, C, *spatial = x.shape
    geometry = WindowGeometry(kernel_size, stride)
    P = prod(geometry.output_size(spatial))
    windows = xp.empty((N, P, C, *geometry.kernel), dtype=x.dtype, device=x.device)
    for p, (_, seen) in enumerate(geometry.windows(spatial)):
        windows[:, p, ...] = x[..., *seen]
    return xp.reshape(windows, (N, P, C * geometry.tap_count()))


def windows_backward(dy: Array, x: Array, kernel_size: Sequence[int], *, stride: int | Sequence[int] = 1) -> Array:
    """Add every window's gradient to the inputs that the window was cut from.

    Parameters
    ----------
    dy : array (N, P, C·K)
        Gradient of the loss with respect to the output of `windows_forward`.
    x : array (N, C, *spatial)
        Input, as given to `windows_forward`; only its shape counts.
    kernel_size, stride
        Likewise.

    Returns
    -------
    array (N, C, *spatial)
        Gradient with respect to the input: a sum over all windows that see it.

    Raises
    ------
    TypeError
        An argument is no floating-point array, or the dtypes differ.
    ValueError
        The shapes do not fit together.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> windows_backward(np.array([[[1.0, 2.0], [10.0, 20.0]]]), np.zeros((1, 1, 3)), (2,))
    array([[[ 1., 12., 20.]]])
    """
    xp = float_namespace(dy=dy, x=x)
    _check_axes(x)
    N, C, *spatial = x.shape
    geometry = WindowGeometry(kernel_size, stride)
    P = prod(geometry.output_size(spatial))
    check_shape("dy", dy, (N, P, C * geometry.tap_count()), "one vector for each window")
    windows = xp.reshape(dy, (N, P, C, *geometry.kernel))
    dx = xp.zeros_like(x)
    for p, (_, seen) in enumerate(geometry.windows(spatial)):
        dx[..., *seen] += windows[:, p, ...]
    return dx


def _check_axes(x: Array) -> None:
    if x.ndim < 3:
        raise ValueError(f"x has shape {tuple(x.shape)}: expected (N, C, *spatial) with at least one spatial axis")
