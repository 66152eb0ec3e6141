"""The three sums over the taps of a kernel that convolution and its adjoint are made of.

A tap is one position in the kernel. Between two padded maps it connects each position o of the narrow one, an
activation map, with one position i of the wide one: a strided slice. Its weights are a matrix from the channels of the
wide map to those of the narrow one. The rules are those of `cnnlab.geometry.WindowGeometry.edges`:

* `gather` goes from wide to narrow, ``y[o] += w[t] · x[i]``;
* `scatter` goes back, ``x[i] += wᵀ[t] · y[o]``;
* `correlate` gives the weights their gradient, ``w[t] += y[o] · xᵀ[i]``.

Letters: N batch, G groups, C_x and C_y channels of the wide and of the narrow map, P number of narrow positions.
"""

from collections.abc import Iterable, Sequence
from math import prod
from typing import TypeAlias

from cnnlab.backend import Array, namespace
from cnnlab.geometry.window import Position, Slices

Taps: TypeAlias = Iterable[tuple[Position, Slices]]


def gather(x: Array, w: Array, taps: Taps, out: Sequence[int], *, groups: int) -> Array:
    """Return y (N, C_y, *out): every position of y adds up what its taps see.

    Parameters
    ----------
    x : array (N, C_x, *padded)
        The wide map.
    w : array (C_y, C_x/groups, *kernel)
        Weights.
    taps : iterable of (tap, slices)
        As `cnnlab.geometry.WindowGeometry.taps` yields them.
    out : sequence of int
        Spatial size of the narrow map.
    groups : int
        Number of groups of channels.
    """
    xp = namespace(x, w)
    N, C_x, C_y, G, P = x.shape[0], x.shape[1], w.shape[0], groups, prod(out)
    y = xp.zeros((N, G, C_y // G, P), dtype=x.dtype, device=x.device)
    for tap, seen in taps:
        x_tap = xp.reshape(x[..., *seen], (N, G, C_x // G, P))
        w_tap = xp.reshape(w[..., *tap], (G, C_y // G, C_x // G))
        y += w_tap @ x_tap  # (N, G, C_y/G, P)
    return xp.reshape(y, (N, C_y, *out))


def scatter(y: Array, w: Array, taps: Taps, padded: Sequence[int], *, groups: int) -> Array:
    """Return x (N, C_x, *padded): every position of y adds to what its taps see; the adjoint of `gather`.

    Parameters
    ----------
    y : array (N, C_y, *out)
        The narrow map.
    w, taps, groups
        As in `gather`.
    padded : sequence of int
        Spatial size of the wide map.
    """
    xp = namespace(y, w)
    (N, C_y, *out), C_x, G, P = y.shape, w.shape[1] * groups, groups, prod(y.shape[2:])
    y = xp.reshape(y, (N, G, C_y // G, P))
    x = xp.zeros((N, C_x, *padded), dtype=y.dtype, device=y.device)
    for tap, seen in taps:
        w_tap = xp.reshape(w[..., *tap], (G, C_y // G, C_x // G))
        x_tap = xp.matrix_transpose(w_tap) @ y  # (N, G, C_x/G, P)
        x[..., *seen] += xp.reshape(x_tap, (N, C_x, *out))
    return x


def correlate(y: Array, x: Array, w: Array, taps: Taps, *, groups: int) -> Array:
    """Return the gradient of the weights (C_y, C_x/groups, *kernel), summed over the batch and all places.

    Parameters
    ----------
    y : array (N, C_y, *out)
        The narrow map, or its gradient.
    x : array (N, C_x, *padded)
        The wide map, or its gradient (not both gradients).
    w, taps, groups
        As in `gather`; of w only the shape counts.
    """
    xp = namespace(y, x, w)
    N, C_y, C_x, G, P = y.shape[0], y.shape[1], x.shape[1], groups, prod(y.shape[2:])
    y = xp.reshape(y, (N, G, C_y // G, P))
    dw = xp.zeros_like(w)
    for tap, seen in taps:
        x_tap = xp.reshape(x[..., *seen], (N, G, C_x // G, P))
        dw_tap = xp.sum(y @ xp.matrix_transpose(x_tap), axis=0)  # (G, C_y/G, C_x/G)
        dw[..., *tap] = xp.reshape(dw_tap, (C_y, C_x // G))
    return dw
