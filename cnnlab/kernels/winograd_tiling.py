"""What Winograd's algorithm makes of a case: pictures and kernels on two axes, as views.

- Dilation: every d-th line and column is a picture of its own.
- A third axis in front of the two: each tap there sees channels of its own, so its windows are pictures with so many
  times as many channels. That axis saves no products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlab.kernels.arrays import FloatArray, Ints, put
from cnnlab.kernels.case import Case
from cnnlab.kernels.winograd_tiles import Tile

AXES = 2  # that tiles have
FEWEST, MOST = 2, 7  # taps on each of them
NARROW = 6  # inputs of a tile, down and across, for up to three taps each way: 4×4 outputs of 3×3 taps
BROAD = 8  # for more: 4×4 outputs of 5×5 taps


@dataclass(frozen=True)
class Tiling:
    """The tiles of a case, and how its arrays are dealt out for them."""

    tile: Tile
    groups: int
    channels: int  # of the input in a group, for each tap of a third axis
    depth: int  # taps of a third axis
    step: int  # from one window to the next there
    spread: int  # from one tap to the next there
    dilation: Ints  # of the tiles' axes

    def count(self, out: Ints) -> Ints:
        """Return how many tiles, down and across, each map of so many outputs has that a dilation makes."""
        high, wide = (-(-n // d) for n, d in zip(out[-AXES:], self.dilation, strict=True))
        return self.tile.count(high, wide)

    def tiles(self, case: Case) -> int:
        """Return the tiles of a batch."""
        return case.batch * prod(case.out[:-AXES]) * prod(self.dilation) * prod(self.count(case.out))

    def stacks(self, x: FloatArray, y: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield views of x (n, C_in, *padded) and y (n, C_out, *out) that belong together.

        They are (pictures, *dilation, high, wide, groups, taps of a third axis, channels), and (pictures, C_out, high,
        wide) with all that the dilation deals out.
        """
        n, _, *before, high, wide = x.shape
        d, e = self.dilation
        seen = x.reshape(n, self.groups, self.channels, *before, high // d, d, wide // e, e, copy=False)
        if not before:
            yield seen.transpose(0, 4, 6, 3, 5, 1, 2)[..., None, :], y
            return
        for one, outs in zip(seen.transpose(0, 3, 5, 7, 4, 6, 1, 2), y, strict=True):
            plane, *steps, channel = one.strides
            shape = (outs.shape[1], *one.shape[1:6], self.depth, self.channels)
            strides = (plane * self.step, *steps, plane * self.spread, channel)
            yield as_strided(one, shape, strides, writeable=False), outs.swapaxes(0, 1)

    def kernels(self, w: FloatArray) -> FloatArray:
        """Return w (C_out, C_in/G, *kernel) as (groups, filters, taps of a third axis · channels, *kernel)."""
        if self.depth > 1:
            w = np.moveaxis(w, 1, 2)
        return w.reshape(self.groups, len(w) // self.groups, -1, *self.tile.kernel)

    def gather(self, taps: FloatArray, dw: FloatArray, *, add: bool) -> None:
        """Write gradients (taps, filters, taps of a third axis · channels) to dw (filters, K), or add them.

        There taps stand before channels.
        """
        many, filters, _ = taps.shape
        target = dw.reshape(filters, self.depth, many, self.channels, copy=False)
        put(target, taps.reshape(many, filters, self.depth, self.channels).transpose(1, 2, 0, 3), add=add)


def fault(case: Case) -> str | None:
    """Return why a case has no tiles, or None if it has."""
    if not AXES <= len(case.kernel) <= AXES + 1:
        return f"the number of axes is {len(case.kernel)}, not 2 or 3"
    shown = "×".join(map(str, case.kernel))
    if not all(FEWEST <= taps <= MOST for taps in case.kernel[-AXES:]):
        return f"the kernel is {shown}: it is for {FEWEST} to {MOST} taps on each of the last two axes"
    if set(case.stride[-AXES:]) != {1}:
        return f"stride {case.stride} must be 1 on the last two axes"
    return None


@lru_cache(maxsize=1024)
def tiling(case: Case) -> Tiling:
    """Return the tiles of a case that has no `fault`."""
    kernel = case.kernel[-AXES:]
    tile = Tile(NARROW if max(kernel) <= 3 else BROAD, kernel)
    third = [(1, 1, 1), *zip(case.kernel, case.stride, case.dilation, strict=True)][-AXES - 1]
    return Tiling(tile, case.groups, case.in_channels // case.groups, *third, case.dilation[-AXES:])


@lru_cache(maxsize=1024)
def zeros_behind(case: Case, out: Ints) -> Ints:
    """Return the zeros that the last tiles see behind the end of each axis of the input, for so many outputs."""
    how = tiling(case)
    axes = zip(how.tile.outs, how.count(out), how.dilation, out[-AXES:], strict=True)
    return (*(0 for _ in out[:-AXES]), *(d * outs * tiles - n for outs, tiles, d, n in axes))
