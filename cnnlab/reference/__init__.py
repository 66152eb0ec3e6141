"""Slow, plain definitions of what the library computes: loops, crops and one giant matrix.

They depend on NumPy and `cnnlab.geometry` alone and share no line with `cnnlab.ops`, so each can vouch for the other.
"""

from cnnlab.reference.conv import conv_backward_by_edges, conv_by_edges
from cnnlab.reference.conv_transpose import conv_transpose_backward_by_edges, conv_transpose_by_edges
from cnnlab.reference.matrix import conv_matrix
from cnnlab.reference.pool import (
    avg_pool_backward_by_windows,
    avg_pool_by_windows,
    max_pool_backward_by_windows,
    max_pool_by_windows,
)
from cnnlab.reference.scan import mlp, scan_1d, scan_2d, scan_by_crops

__all__ = [
    "avg_pool_backward_by_windows",
    "avg_pool_by_windows",
    "conv_backward_by_edges",
    "conv_by_edges",
    "conv_matrix",
    "conv_transpose_backward_by_edges",
    "conv_transpose_by_edges",
    "max_pool_backward_by_windows",
    "max_pool_by_windows",
    "mlp",
    "scan_1d",
    "scan_2d",
    "scan_by_crops",
]
