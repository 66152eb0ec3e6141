"""A convolution layer as one giant matrix: sparse, made of identical blocks (deck rows D10–D12)."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.geometry import ConvGeometry


def conv_matrix(w: NDArray[np.floating[Any]], shape: Sequence[int], **options: Any) -> NDArray[np.floating[Any]]:
    """Return the matrix M with ``M · x.ravel() = y.ravel()`` for one example and no bias.

    Parameters
    ----------
    w : array (C_out, C_in/groups, *kernel)
        Filters.
    shape : sequence of int
        Shape (C_in, *spatial) of one input.
    **options
        stride, padding, dilation, groups, padding_mode, as in `cnnlab.geometry.ConvGeometry`.

    Returns
    -------
    array (C_out · P, C_in · inputs)
        P output positions; rows and columns in row-major order of (channel, *position).

    Raises
    ------
    ValueError
        The shapes or the options do not fit together.

    Examples
    --------
    >>> conv_matrix(np.array([[[1.0, 2.0]]]), (1, 4))
    array([[1., 2., 0., 0.],
           [0., 1., 2., 0.],
           [0., 0., 1., 2.]])
    """
    geometry = ConvGeometry.of_weight(w.shape, **options)
    C_in, *spatial = shape
    C_out, *out = geometry.output_shape(shape)
    C_in_group = w.shape[1]
    matrix = np.zeros((C_out, *out, C_in, *spatial), dtype=w.dtype)
    for tap, inside, output in geometry.edges(spatial):
        for j in range(C_out):
            group = j // (C_out // geometry.groups)
            for c in range(C_in_group):
                # += because in the padding modes that repeat the input, two taps can reach the same position
                matrix[(j, *output, group * C_in_group + c, *inside)] += w[(j, c, *tap)]
    return matrix.reshape(C_out * prod(out), C_in * prod(spatial))
