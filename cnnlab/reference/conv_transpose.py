"""Transposed convolution by walking along every connection, one at a time.

The rules of `cnnlab.reference.conv` with the edges of `cnnlab.geometry.ConvTransposeGeometry`: every input goes through
all weights of its channel, each to another place.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.geometry import ConvTransposeGeometry

Floats = NDArray[np.floating[Any]]
Index = tuple[int, ...]


def conv_transpose_by_edges(x: Floats, w: Floats, b: Floats | None = None, **options: Any) -> Floats:
    """Return what `cnnlab.ops.conv_transpose_forward` defines, by ``y[o] += w[t] · x[i]``.

    Parameters
    ----------
    x : array (N, C_in, *spatial)
        Input.
    w : array (C_in, C_out/groups, *kernel)
        Kernels.
    b : array (C_out,), optional
        Biases.
    **options
        stride, padding, output_padding, dilation, groups, as in `cnnlab.geometry.ConvTransposeGeometry`.

    Returns
    -------
    array (N, C_out, *out)

    Raises
    ------
    ValueError
        The shapes or the options do not fit together.

    Examples
    --------
    >>> conv_transpose_by_edges(np.array([[[1.0, 2.0]]]), np.array([[[1.0, 10.0]]]), np.array([0.5]))
    array([[[ 1.5, 12.5, 20.5]]])
    """
    geometry = ConvTransposeGeometry.of_weight(w.shape, **options)
    y = np.zeros(geometry.output_shape(x.shape), dtype=x.dtype)
    for at_x, at_w, at_y in _connections(geometry, x.shape):
        y[at_y] += w[at_w] * x[at_x]
    if b is not None:
        for j, bias in enumerate(b):
            y[:, j] += bias
    return y


def conv_transpose_backward_by_edges(dy: Floats, x: Floats, w: Floats, **options: Any) -> tuple[Floats, Floats, Floats]:
    """Return what `cnnlab.ops.conv_transpose_backward` defines: dx, dw and db.

    ``dx[i] += w[t] · dy[o]`` and ``dw[t] += dy[o] · x[i]`` over all connections, ``db += dy[o]`` over all outputs.

    Parameters
    ----------
    dy : array (N, C_out, *out)
        Gradient of the loss with respect to the output.
    x, w, **options
        As given to `conv_transpose_by_edges`; the same errors.

    Returns
    -------
    dx, dw, db : arrays
        In the shapes of x, w and (C_out,).

    Examples
    --------
    >>> dy, x, w = np.array([[[5.0, 6.0]]]), np.array([[[2.0]]]), np.array([[[1.0, 10.0]]])
    >>> conv_transpose_backward_by_edges(dy, x, w)
    (array([[[65.]]]), array([[[10., 12.]]]), array([11.]))
    """
    geometry = ConvTransposeGeometry.of_weight(w.shape, **options)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for at_x, at_w, at_y in _connections(geometry, x.shape):
        dx[at_x] += w[at_w] * dy[at_y]
        dw[at_w] += dy[at_y] * x[at_x]
    db = np.zeros(geometry.out_channels, dtype=w.dtype)
    for n, j, *output in np.ndindex(*dy.shape):
        db[j] += dy[(n, j, *output)]
    return dx, dw, db


def _connections(geometry: ConvTransposeGeometry, shape: tuple[int, ...]) -> Iterator[tuple[Index, Index, Index]]:
    """Yield indices into x, w and y of every multiplication: examples, channels of one group, edges."""
    N, C_in, *spatial = shape
    C_out_group = geometry.weight_shape[1]
    groups = geometry.out_channels // C_out_group
    for n in range(N):
        for c in range(C_in):
            group = c // (C_in // groups)
            for j in range(C_out_group):
                for tap, inside, output in geometry.edges(spatial):
                    yield (n, c, *inside), (c, j, *tap), (n, group * C_out_group + j, *output)
