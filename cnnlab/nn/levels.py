"""Levels of a distributed scan: how blocks cover a window, and whether weights keep to them (deck rows D22 to D24)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np

from cnnlab.backend import Array
from cnnlab.geometry import WindowGeometry
from cnnlab.geometry.options import per_axis

Sizes: TypeAlias = int | Sequence[int]
Blocks: TypeAlias = Sequence[tuple[Sizes, Sizes]]  # (kernel, stride) from the input up

_SHOWN = 4  # faults that an error lists


@dataclass(frozen=True)
class Level:
    """One level of a distributed scan: its blocks, and the size of the map below it in one window."""

    blocks: WindowGeometry
    below: tuple[int, ...]

    @property
    def above(self) -> tuple[int, ...]:
        """Number of blocks on each axis."""
        return self.blocks.output_size(self.below)


def levels_of(kernel: tuple[int, ...], stride: tuple[int, ...], blocks: Blocks, linears: int) -> list[Level]:
    """Check that the blocks cover the window and step as the scan does."""
    if not isinstance(blocks, Sequence):
        raise TypeError(f"blocks must be a list of (kernel, stride), one for each level, not {blocks!r}")
    if not blocks or len(blocks) > linears:
        raise ValueError(f"blocks name {len(blocks)} levels for {linears} Linear layers: give one to {linears}")
    rank, below, jump = len(kernel), kernel, (1,) * len(kernel)
    levels = []
    for number, block in enumerate(blocks, start=1):
        if not isinstance(block, Sequence) or len(block) != 2:
            raise ValueError(f"blocks[{number - 1}] is {block!r}: give (kernel, stride) for each level")
        sizes = per_axis(f"kernel of level {number}", block[0], rank, at_least=1)
        geometry = WindowGeometry(sizes, block[1])
        level = Level(geometry, below)
        covered = tuple((n - 1) * s + k for n, s, k in zip(level.above, geometry.stride, sizes, strict=True))
        if covered != below:
            raise ValueError(
                f"level {number}: blocks of {sizes} at stride {geometry.stride} cover {covered} of {below}: "
                "choose sizes that leave nothing over"
            )
        levels.append(level)
        below = level.above
        jump = tuple(j * s for j, s in zip(jump, geometry.stride, strict=True))
    if prod(below) != 1:
        raise ValueError(
            f"after the last level {below} blocks of the window {kernel} are left, not one: "
            f"let its kernel be {levels[-1].below}"
        )
    if jump != stride:
        raise ValueError(
            f"the strides of the levels multiply to {jump} but the scan steps by {stride}: they must agree, or the "
            "blocks of neighboring windows are not the same"
        )
    return levels


def first_block(matrix: Array, level: Level) -> Array:
    """Return the weights (units, C, *kernel) of the first block of a matrix (units, *blocks, C, *below)."""
    return matrix[(slice(None), *(0,) * level.blocks.rank, slice(None), *(slice(0, k) for k in level.blocks.kernel))]


def refuse_untied(matrix: Array, biases: Array | None, level: Level, *, tolerance: float, name: str) -> None:
    """Raise ValueError unless every block holds the weights of the first, and nothing stands outside the blocks.

    Parameters
    ----------
    matrix : NumPy array (units, *blocks, C, *below)
        Weights of one level of the MLP.
    biases : NumPy array (units, *blocks) or None
        Its biases.
    level
        Which blocks there should be.
    tolerance
        How far values may be from equal, or from 0.
    name
        What the error calls the layer.
    """
    zero = (0,) * level.blocks.rank
    kernel = first_block(matrix, level)
    faults = []
    for place, window in level.blocks.windows(level.below):
        outside = matrix[(slice(None), *place)].copy()  # (D, C, *below)
        inside = (slice(None), slice(None), *window)
        off = float(np.abs(outside[inside] - kernel).max())
        outside[inside] = 0
        stray = float(np.abs(outside).max())
        apart = 0.0
        if biases is not None:
            apart = float(np.abs(biases[(slice(None), *place)] - biases[(slice(None), *zero)]).max())
        block = f"block {_short(place)}"
        # "not <=" and not ">", so that NaN is a fault too
        if not off <= tolerance:
            faults.append(f"{block} differs from block {_short(zero)} by up to {off:.3g}")
        if not apart <= tolerance:
            faults.append(f"{block} has biases that differ from those of block {_short(zero)} by up to {apart:.3g}")
        if not stray <= tolerance:
            faults.append(f"{block} has weights of up to {stray:.3g} outside its window")
    if faults:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise ValueError(
            f"{name} is not block-sparse and tied: {'; '.join(faults[:_SHOWN])}{more}. Only then is it a convolution: "
            "build the MLP with nn.expand, or leave blocks out"
        )


def _short(place: tuple[int, ...]) -> str:
    return str(place[0]) if len(place) == 1 else str(place)
