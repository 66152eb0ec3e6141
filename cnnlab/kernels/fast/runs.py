"""Single passes over runs of numbers, of which LLVM makes vectors."""

from __future__ import annotations

from typing import Any

from cnnlab.kernels.fast.compiled import compiled, in_any_order
from cnnlab.kernels.fast.jobs import code_of, kept, share_out


@compiled
def relu(x: Any, y: Any, first: int, stop: int) -> None:
    """Write x where not x ≤ 0, else 0."""
    zero = x.dtype.type(0)
    x, y = x[first:stop], y[first:stop]  # an index from 0 on makes a loop of vectors
    for i in range(len(x)):
        y[i] = zero if x[i] <= zero else x[i]


@compiled
def relu_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(relu, fixed), kept(fixed), shares)


@compiled
def relu_back(dy: Any, x: Any, dx: Any, first: int, stop: int) -> None:
    """Write dy where not x ≤ 0, else 0."""
    zero = x.dtype.type(0)
    dy, x, dx = dy[first:stop], x[first:stop], dx[first:stop]
    for i in range(len(x)):
        dx[i] = zero if x[i] <= zero else dy[i]


@compiled
def relu_back_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(relu_back, fixed), kept(fixed), shares)


@compiled
def tanh_back(dy: Any, y: Any, dx: Any, first: int, stop: int) -> None:
    """Write dy · (1 − y²)."""
    one = y.dtype.type(1)
    dy, y, dx = dy[first:stop], y[first:stop], dx[first:stop]
    for i in range(len(y)):
        dx[i] = dy[i] * (one - y[i] * y[i])


@compiled
def tanh_back_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(tanh_back, fixed), kept(fixed), shares)


@in_any_order
def _total(row: Any) -> Any:
    total = row.dtype.type(0)
    for i in range(len(row)):
        total += row[i]
    return total


@compiled
def sum_maps(maps: Any, sums: Any, first: int, stop: int) -> None:
    """Write the sums (N,) of some maps (N, places)."""
    for i in range(first, stop):
        sums[i] = _total(maps[i])


@compiled
def sum_maps_shared(fixed: Any, shares: Any) -> int:
    """Do so in shares."""
    return share_out(code_of(sum_maps, fixed), kept(fixed), shares)
