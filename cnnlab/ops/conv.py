"""Convolution in any number of dimensions, written as a sum over the taps of the kernel.

As everywhere in the field, "convolution" means cross-correlation: the kernel is not flipped. A tap is one position in
the kernel. It sees one input position for each output, which is a strided slice of the padded input, and its weights
are a matrix from input channels to output channels. Forward adds up what the taps contribute; backward walks the same
taps and the same slices. The sums themselves are in `cnnlab.ops.taps`. `cnnlab.kernels` is asked first, which computes
the same in faster ways for arrays of NumPy and CuPy; what it leaves is computed here.

Letters: N batch, C_in and C_out channels.
"""

from collections.abc import Sequence
from typing import Any

from cnnlab import kernels
from cnnlab.backend import Array, namespace
from cnnlab.geometry import ConvGeometry
from cnnlab.geometry.options import Padding
from cnnlab.geometry.remembered import remembered
from cnnlab.ops.activation import relu_forward
from cnnlab.ops.arguments import check_axes, check_shape, float_namespace, given
from cnnlab.ops.padding import pad_backward, pad_forward
from cnnlab.ops.taps import correlate, gather, scatter


def conv_forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Array:
    """Slide every filter over the input.

    ``y[n, j, o] = b[j] + Σ_c Σ_t w[j, c, t] · x[n, c, S·o + D·t − P]`` over the input channels ``c`` in the group of
    output channel ``j`` and the taps ``t``, with stride S, dilation D and P positions of padding before the input (deck
    rows D25–D31 and D50).

    Parameters
    ----------
    x : array (N, C_in, *spatial)
        Input; one, two, three or more spatial axes.
    w : array (C_out, C_in/groups, *kernel)
        Filters.
    b : array (C_out,), optional
        One bias for each filter.
    stride, padding, dilation, groups, padding_mode
        As in `cnnlab.geometry.ConvGeometry`, and as in PyTorch.

    Returns
    -------
    array (N, C_out, *out)
        One activation map for each filter.

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
    >>> x = np.array([[[1.0, 2.0, 3.0, 4.0]]])
    >>> conv_forward(x, np.array([[[1.0, 10.0]]]))
    array([[[21., 32., 43.]]])
    """
    geometry, out = _checked_forward(
        x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups, padding_mode=padding_mode
    )
    if (fast := kernels.conv_forward(x, w, b, geometry)) is not None:
        return fast

    taps = geometry.taps(x.shape[2:])
    x = pad_forward(x, geometry.padding, mode=padding_mode)  # (N, C_in, *padded)
    y = gather(x, w, taps, out, groups=groups)  # (N, C_out, *out)
    if b is not None:
        y += namespace(y).reshape(b, (-1, *[1] * len(out)))
    return y


def conv_relu_forward(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Array:
    """Return ``max(y, 0)`` for the y of `conv_forward`: the ReLU behind a convolution, where y is written anyway.

    Going back, the ReLU's gradient follows from the result alone (`relu_backward` of dy and this), since that is above
    0 where y is.

    Parameters
    ----------
    x, w, b, stride, padding, dilation, groups, padding_mode
        As in `conv_forward`; the same errors.

    Returns
    -------
    array (N, C_out, *out)

    Examples
    --------
    >>> import numpy as np
    >>> conv_relu_forward(np.array([[[1.0, -2.0, 3.0]]]), np.array([[[1.0, 1.0]]]))
    array([[[0., 1.]]])
    """
    options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    geometry, _ = _checked_forward(x, w, b, **options, padding_mode=padding_mode)
    if (fast := kernels.conv_relu_forward(x, w, b, geometry)) is not None:
        return fast
    return relu_forward(conv_forward(x, w, b, **options, padding_mode=padding_mode))


def conv_backward(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> tuple[Array, Array, Array]:
    """Return the gradients of a loss with respect to input, filters and biases.

    Each is a sum over the connections of the layer (`cnnlab.geometry.WindowGeometry.edges`; deck row D15):
    ``dx[i] += wᵀ[t] · dy[o]``, ``dw[t] += dy[o] · xᵀ[i]``, ``db += dy[o]``.

    Parameters
    ----------
    dy : array (N, C_out, *out)
        Gradient of the loss with respect to the output of `conv_forward`.
    x : array (N, C_in, *spatial)
        Input, as given to `conv_forward`.
    w : array (C_out, C_in/groups, *kernel)
        Filters, likewise.
    stride, padding, dilation, groups, padding_mode
        Likewise.

    Returns
    -------
    dx : array (N, C_in, *spatial)
        Gradient with respect to the input.
    dw : array (C_out, C_in/groups, *kernel)
        Gradient with respect to the filters, summed over the batch and all places.
    db : array (C_out,)
        Gradient with respect to the biases, summed likewise.

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
    >>> x, w, dy = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]]), np.array([[[1.0, 100.0]]])
    >>> conv_backward(dy, x, w)
    (array([[[   1.,  110., 1000.]]]), array([[[201., 302.]]]), array([101.]))
    """
    geometry = _checked(
        dy, x, w, stride=stride, padding=padding, dilation=dilation, groups=groups, padding_mode=padding_mode
    )
    if (fast := kernels.conv_backward(dy, x, w, geometry)) is not None:
        return fast

    xp, taps = namespace(dy), list(geometry.taps(x.shape[2:]))
    x = pad_forward(x, geometry.padding, mode=padding_mode)  # (N, C_in, *padded)
    dx = scatter(dy, w, taps, x.shape[2:], groups=groups)  # (N, C_in, *padded)
    dx = pad_backward(dx, geometry.padding, mode=padding_mode)  # (N, C_in, *spatial)
    dw = correlate(dy, x, w, taps, groups=groups)
    db = xp.sum(dy, axis=(0, *range(2, dy.ndim)))
    return dx, dw, db


def conv_backward_parameters(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> tuple[Array, Array]:
    """Return the gradients with respect to filters and biases alone: the first layer of a net needs no other.

    Parameters
    ----------
    dy, x, w, stride, padding, dilation, groups, padding_mode
        As given to `conv_backward`; the same errors.

    Returns
    -------
    dw : array (C_out, C_in/groups, *kernel)
    db : array (C_out,)

    Examples
    --------
    >>> import numpy as np
    >>> x, w, dy = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]]), np.array([[[1.0, 100.0]]])
    >>> conv_backward_parameters(dy, x, w)
    (array([[[201., 302.]]]), array([101.]))
    """
    geometry = _checked(
        dy, x, w, stride=stride, padding=padding, dilation=dilation, groups=groups, padding_mode=padding_mode
    )
    if (fast := kernels.conv_backward_parameters(dy, x, w, geometry)) is not None:
        return fast

    xp, taps = namespace(dy), geometry.taps(x.shape[2:])
    x = pad_forward(x, geometry.padding, mode=padding_mode)  # (N, C_in, *padded)
    return correlate(dy, x, w, taps, groups=groups), xp.sum(dy, axis=(0, *range(2, dy.ndim)))


def _checked_forward(x: Array, w: Array, b: Array | None, **options: Any) -> tuple[ConvGeometry, Sequence[int]]:
    """Return the geometry, and the spatial size of the output, if arrays and options fit together."""
    float_namespace(x=x, w=w, **given(b=b))
    geometry, y_shape = _fitting((tuple(x.shape), tuple(w.shape)), *options.values())
    if b is not None:
        check_shape("b", b, y_shape[1:2], "one bias for each output channel")
    return geometry, y_shape[2:]


def _checked(dy: Array, x: Array, w: Array, **options: Any) -> ConvGeometry:
    """Return the geometry of a layer that goes back, if all fits together."""
    float_namespace(dy=dy, x=x, w=w)
    geometry, y_shape = _fitting((tuple(x.shape), tuple(w.shape)), *options.values())
    check_shape("dy", dy, y_shape, "the shape of the layer's output")
    return geometry


@remembered
def _fitting(  # noqa: PLR0917  (what is remembered has no keywords)
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    stride: int | Sequence[int],
    padding: Padding,
    dilation: int | Sequence[int],
    groups: int,
    padding_mode: str,
) -> tuple[ConvGeometry, tuple[int, ...]]:
    """Return the geometry, and the shape of the output, for the shapes of x and w."""
    x_shape, w_shape = shapes
    check_axes(x_shape, w_shape, "(C_out, C_in/groups, *kernel)")
    geometry = ConvGeometry.of_weight(
        w_shape, stride=stride, padding=padding, dilation=dilation, groups=groups, padding_mode=padding_mode
    )
    return geometry, geometry.output_shape(x_shape)
