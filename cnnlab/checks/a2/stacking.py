"""A scanning MLP as a stack of kernels, with exchangeable parts, from which the known mistakes are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlab.checks.a1.scanning import Layers

Array = np.ndarray[Any, Any]
Numbers = Sequence[int]
Stack = tuple[tuple[Array, ...], tuple[Array, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Layout:
    """How one layer's matrix is read: (units · blocks, channels · places), and the window of a block in it."""

    number: int
    blocks: int
    channels: int
    width: int
    hop: int


def by_levels(layers: Layers, C: int, widths: Numbers, hops: Numbers) -> list[Layout]:
    """Return the layout of every layer; one above the levels looks at one place."""
    blocks = [1]
    for width, hop in zip(reversed(widths[1:]), reversed(hops[1:]), strict=True):
        blocks.insert(0, (blocks[0] - 1) * hop + width)
    above = len(layers) - len(widths)
    layouts: list[Layout] = []
    sizes = zip([*blocks, *[1] * above], [*widths, *[1] * above], [*hops, *[1] * above], strict=True)
    channels = C
    for number, ((W, _), (n, width, hop)) in enumerate(zip(layers, sizes, strict=True)):
        layouts.append(Layout(number, n, channels, width, hop))
        channels = W.shape[0] // n
    return layouts


def unit_by_unit(rows: Array, blocks: int) -> Array:
    """Return (units, blocks, …) from what has a row for each unit and block."""
    return rows.reshape(-1, blocks, *rows.shape[1:])


def channel_by_channel(entries: Array, layout: Layout) -> Array:
    """Return (units, blocks, channels, places) from (units, blocks, columns)."""
    return entries.reshape(*entries.shape[:2], layout.channels, -1)


def first_block(entries: Array, layout: Layout) -> Array:
    """Return the weights of block 0 in its own window, (units, channels, width)."""
    return entries[:, 0, :, : layout.width]


def assemble_stack(
    *,
    plan: Callable[[Layers, int, Numbers, Numbers], list[Layout]] = by_levels,
    rows: Callable[[Array, int], Array] = unit_by_unit,
    columns: Callable[[Array, Layout], Array] = channel_by_channel,
    block: Callable[[Array, Layout], Array] = first_block,
    turn: Callable[[Array], Array] = lambda w: w,
    axes: Callable[[Array, Layout], Array] = lambda w, layout: w,
    bias: Callable[[Array, int], Array] = lambda b, blocks: b[::blocks],
    strides: Callable[[Numbers, Numbers, int], Numbers] = lambda hops, widths, above: [*hops, *[1] * above],
    kept: Callable[[int, int], int] = lambda layers, levels: layers,
) -> Callable[[Layers, int, Numbers, Numbers], Stack]:
    """Return a `to_conv_stack` with other parts.

    Parameters
    ----------
    plan
        How each layer's matrix is read.
    rows
        (units, blocks, columns) from a matrix and the number of blocks.
    columns
        (units, blocks, channels, places) from that.
    block
        The kernel (units, channels, width) from that.
    turn
        What is done to the taps of a kernel.
    axes
        What is done to the axes of a kernel.
    bias
        The bias of each unit, from those of units and blocks, and the number of blocks.
    strides
        The stride of each layer, from hops, widths and how many layers there are above the levels.
    kept
        How many layers the stack has, from those of the MLP and the levels.
    """

    def to_conv_stack(layers: Layers, C: int, widths: Numbers, hops: Numbers) -> Stack:
        read = zip(layers, plan(layers, C, widths, hops), strict=True)
        kernels = [axes(turn(block(columns(rows(W, each.blocks), each), each)), each) for (W, _), each in read]
        right = zip(layers, by_levels(layers, C, widths, hops), strict=True)
        biases = [np.array(bias(b, each.blocks)) for (_, b), each in right]
        steps = [int(step) for step in strides(hops, widths, len(layers) - len(widths))]
        n = kept(len(layers), len(widths))
        return tuple(kernels[:n]), tuple(biases[:n]), tuple(steps[:n])

    return to_conv_stack
