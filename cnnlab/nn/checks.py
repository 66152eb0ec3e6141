"""What layers ask of their input and their options."""

from __future__ import annotations

from cnnlab.backend import Array, namespace

_AXES = {1: "(N, C, T)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def check_rank(layer: str, x: Array, rank: int) -> None:
    """Raise unless `x` is an array (TypeError) with batch axis, channel axis and `rank` spatial axes (ValueError)."""
    namespace(x=x)
    if x.ndim == rank + 2:
        return
    axes = _AXES.get(rank, f"(N, C, {rank} spatial axes)")
    hint = "add the batch axis, x[None]" if x.ndim == rank + 1 else f"give it {rank} spatial axes"
    raise ValueError(f"{layer} takes x {axes}, but x has shape {tuple(x.shape)}: {hint}")
