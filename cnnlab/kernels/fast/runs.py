"""Single passes over runs of numbers, of which LLVM makes vectors."""

from __future__ import annotations

from typing import Any

from cnnlab.kernels.fast.loops import compiled


@compiled
def relu_back(dy: Any, x: Any, dx: Any) -> None:
    """Write dy where not x ≤ 0, else 0."""
    zero = x.dtype.type(0)
    for i in range(len(x)):
        dx[i] = zero if x[i] <= zero else dy[i]


@compiled
def tanh_back(dy: Any, y: Any, dx: Any) -> None:
    """Write dy · (1 − y²)."""
    one = y.dtype.type(1)
    for i in range(len(y)):
        dx[i] = dy[i] * (one - y[i] * y[i])
