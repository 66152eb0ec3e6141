"""Transposed convolution in any number of dimensions: the adjoint of the convolution, with the same sums over taps.

Its forward pass is what a convolution does to its input's gradient, and its backward pass what a convolution does to
its input. Nothing is computed in another way: `cnnlab.ops.taps` holds the sums of both.

Letters: N batch, C_in and C_out channels.
"""

from collections.abc import Sequence

from cnnlab import kernels
from cnnlab.backend import Array
from cnnlab.geometry import ConvTransposeGeometry
from cnnlab.geometry.options import Padding
from cnnlab.ops.arguments import check_axes, check_shape, float_namespace, given
from cnnlab.ops.padding import pad_backward, pad_forward
from cnnlab.ops.taps import correlate, gather, scatter

_WEIGHTS = "(C_in, C_out/groups, *kernel)"


def conv_transpose_forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Array:
    """Lay a copy of the kernels, scaled by the input, at every S-th position of the output, and add them up.

    ``y[n, j, S·i + D·t − P] += x[n, c, i] · w[c, j, t]`` over the input channels ``c`` in the group of output channel
    ``j``, the positions ``i`` and the taps ``t``; then ``b[j]`` is added. This is the adjoint of `conv_forward` with
    the same w and options: ``Σ conv_forward(y)·x = Σ y·conv_transpose_forward(x)`` for all x and y (Dumoulin and Visin,
    "A guide to convolution arithmetic for deep learning", 2016, chapter 4).

    Parameters
    ----------
    x : array (N, C_in, *spatial)
        Input; one, two, three or more spatial axes.
    w : array (C_in, C_out/groups, *kernel)
        Kernels.
    b : array (C_out,), optional
        One bias for each output channel.
    stride, padding, output_padding, dilation, groups
        As in `cnnlab.geometry.ConvTransposeGeometry`, and as in PyTorch.

    Returns
    -------
    array (N, C_out, *out)

    Raises
    ------
    TypeError
        An argument is no floating-point array, or the dtypes differ.
    ValueError
        The shapes or the options do not fit together.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> conv_transpose_forward(np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]]), stride=2)
    array([[[ 1., 10.,  2., 20.,  3., 30.]]])
    """
    xp = float_namespace(x=x, w=w, **given(b=b))
    check_axes(x.shape, w.shape, _WEIGHTS)
    geometry = ConvTransposeGeometry.of_weight(
        w.shape, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, groups=groups
    )
    _, C_out, *out = geometry.output_shape(x.shape)
    if b is not None:
        check_shape("b", b, (C_out,), "one bias for each output channel")
    if (fast := kernels.conv_transpose_forward(x, w, b, geometry)) is not None:
        return fast

    padded = [size + sum(added) for size, added in zip(out, geometry.adjoint.padding, strict=True)]
    y = scatter(x, w, geometry.taps(x.shape[2:]), padded, groups=groups)  # (N, C_out, *padded)
    y = pad_backward(y, geometry.adjoint.padding)  # (N, C_out, *out)
    if b is not None:
        y += xp.reshape(b, (C_out, *[1] * len(out)))
    return y


def conv_transpose_backward(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Return the gradients of a loss with respect to input, kernels and biases: dx is a convolution of dy.

    Parameters
    ----------
    dy : array (N, C_out, *out)
        Gradient of the loss with respect to the output of `conv_transpose_forward`.
    x, w, stride, padding, output_padding, dilation, groups
        As given to `conv_transpose_forward`; the same errors.

    Returns
    -------
    dx : array (N, C_in, *spatial)
        Gradient with respect to the input.
    dw : array (C_in, C_out/groups, *kernel)
        Gradient with respect to the kernels, summed over the batch and all places.
    db : array (C_out,)
        Gradient with respect to the biases, summed likewise.

    Examples
    --------
    >>> import numpy as np
    >>> x, w, dy = np.array([[[3.0]]]), np.array([[[1.0, 10.0]]]), np.array([[[5.0, 7.0]]])
    >>> conv_transpose_backward(dy, x, w)
    (array([[[75.]]]), array([[[15., 21.]]]), array([12.]))
    """
    xp = float_namespace(dy=dy, x=x, w=w)
    check_axes(x.shape, w.shape, _WEIGHTS)
    geometry = ConvTransposeGeometry.of_weight(
        w.shape, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, groups=groups
    )
    check_shape("dy", dy, geometry.output_shape(x.shape), "the shape of the layer's output")
    if (fast := kernels.conv_transpose_backward(dy, x, w, geometry)) is not None:
        return fast

    taps = list(geometry.taps(x.shape[2:]))
    db = xp.sum(dy, axis=(0, *range(2, dy.ndim)))
    dy = pad_forward(dy, geometry.adjoint.padding)  # (N, C_out, *padded)
    dx = gather(dy, w, taps, x.shape[2:], groups=groups)  # (N, C_in, *spatial)
    dw = correlate(x, dy, w, taps, groups=groups)
    return dx, dw, db
