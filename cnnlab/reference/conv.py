"""Convolution by walking along every connection, one at a time.

The three rules of `cnnlab.geometry.WindowGeometry.edges`, written out. They are also the rules of shared parameters:
all connections with the same tap use the same weight, and their gradients add up (deck rows D13–D16).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnlab.geometry import ConvGeometry

Floats = NDArray[np.floating[Any]]


class _Connection(NamedTuple):
    """Indices into x, w and y of one multiplication."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    y: tuple[int, ...]


def conv_by_edges(x: Floats, w: Floats, b: Floats | None = None, **options: Any) -> Floats:
    """Return what `cnnlab.ops.conv_forward` defines, by ``y[o] += w[t] · x[i]``.

    Parameters
    ----------
    x : array (N, C_in, *spatial)
        Input.
    w : array (C_out, C_in/groups, *kernel)
        Filters.
    b : array (C_out,), optional
        Biases.
    **options
        stride, padding, dilation, groups, padding_mode, as in `cnnlab.geometry.ConvGeometry`.

    Returns
    -------
    array (N, C_out, *out)

    Raises
    ------
    ValueError
        The shapes or the options do not fit together.

    Examples
    --------
    >>> conv_by_edges(np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]]), np.array([0.5]))
    array([[[21.5, 32.5]]])
    """
    geometry = ConvGeometry.of_weight(w.shape, **options)
    y = np.zeros(geometry.output_shape(x.shape), dtype=x.dtype)
    for at in _connections(geometry, x.shape):
        y[at.y] += w[at.w] * x[at.x]
    if b is not None:
        for j, bias in enumerate(b):
            y[:, j] += bias
    return y


def conv_backward_by_edges(dy: Floats, x: Floats, w: Floats, **options: Any) -> tuple[Floats, Floats, Floats]:
    """Return what `cnnlab.ops.conv_backward` defines: dx, dw and db.

    ``dx[i] += w[t] · dy[o]`` and ``dw[t] += dy[o] · x[i]`` over all connections, ``db += dy[o]`` over all outputs.

    Parameters
    ----------
    dy : array (N, C_out, *out)
        Gradient of the loss with respect to the output.
    x, w, **options
        As given to `conv_by_edges`; the same errors.

    Returns
    -------
    dx, dw, db : arrays
        In the shapes of x, w and (C_out,).

    Examples
    --------
    >>> conv_backward_by_edges(np.array([[[1.0]]]), np.array([[[3.0, 4.0]]]), np.array([[[5.0, 6.0]]]))
    (array([[[5., 6.]]]), array([[[3., 4.]]]), array([1.]))
    """
    geometry = ConvGeometry.of_weight(w.shape, **options)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for at in _connections(geometry, x.shape):
        dx[at.x] += w[at.w] * dy[at.y]
        dw[at.w] += dy[at.y] * x[at.x]
    db = np.zeros(w.shape[0], dtype=w.dtype)
    for n, j, *output in np.ndindex(*dy.shape):
        db[j] += dy[(n, j, *output)]
    return dx, dw, db


def _connections(geometry: ConvGeometry, shape: tuple[int, ...]) -> Iterator[_Connection]:
    """Yield every multiplication of a batch: examples, output channels, the input channels of their group, edges."""
    N, _, *spatial = shape
    C_out, C_in_group, *_ = geometry.weight_shape
    for n in range(N):
        for j in range(C_out):
            group = j // (C_out // geometry.groups)
            for c in range(C_in_group):
                for tap, inside, output in geometry.edges(spatial):
                    yield _Connection(x=(n, group * C_in_group + c, *inside), w=(j, c, *tap), y=(n, j, *output))
