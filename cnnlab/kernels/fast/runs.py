"""Single passes over runs of numbers, of which LLVM makes vectors."""

from __future__ import annotations

from typing import Any

from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out


@compiled
def relu_back(dy: Any, x: Any, dx: Any, first: int, stop: int) -> None:
    """Write dy where not x ≤ 0, else 0."""
    zero = x.dtype.type(0)
    for i in range(first, stop):
        dx[i] = zero if x[i] <= zero else dy[i]


@compiled
def relu_back_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(relu_back, fixed), kept(fixed), shares)


@compiled
def tanh_back(dy: Any, y: Any, dx: Any, first: int, stop: int) -> None:
    """Write dy · (1 − y²)."""
    one = y.dtype.type(1)
    for i in range(first, stop):
        dx[i] = dy[i] * (one - y[i] * y[i])


@compiled
def tanh_back_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(tanh_back, fixed), kept(fixed), shares)
