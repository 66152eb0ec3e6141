"""What goes wrong when a scanning MLP becomes a stack of kernels, each as the small function that does it."""

from __future__ import annotations

from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

import numpy as np

from cnnlab.checks.a1.scanning import Layers
from cnnlab.checks.a2.stacking import Layout, Numbers, assemble_stack, channel_by_channel
from cnnlab.checks.assembled import mistakes_from

Array = np.ndarray[Any, Any]

_KERNEL = "w[d, c, t] = W[d * n, c * places + t]: row d * n is unit d in block 0, and its window begins at place 0."
_BIAS = "b[::n] has one number for each unit: unit d in block 0 is entry d * n."
_STRIDES = "The strides are hops, then a 1 for each layer above the levels."


def _block_by_block(rows: Array, blocks: int) -> Array:
    return np.swapaxes(rows.reshape(blocks, -1, *rows.shape[1:]), 0, 1)


def _place_by_place(entries: Array, layout: Layout) -> Array:
    return np.swapaxes(entries.reshape(*entries.shape[:2], -1, layout.channels), 2, 3)


def _place_by_place_below(entries: Array, layout: Layout) -> Array:
    return (channel_by_channel if layout.number else _place_by_place)(entries, layout)


def _place_by_place_above(entries: Array, layout: Layout) -> Array:
    return (_place_by_place if layout.number else channel_by_channel)(entries, layout)


def _windows(entries: Array, layout: Layout) -> Array:
    """Return the weights of every block in its own window, (units, blocks, channels, width)."""
    starts = [p * layout.hop for p in range(layout.blocks)]
    return np.stack([entries[:, p, :, s : s + layout.width] for p, s in enumerate(starts)], axis=1)


def _every_block(entries: Array, layout: Layout) -> Array:
    windows = _windows(entries, layout)
    return windows.reshape(-1, *windows.shape[2:])


def _whole_rows(entries: Array, layout: Layout) -> Array:
    return entries[:, 0]


def _whole_rows_of_all(entries: Array, layout: Layout) -> Array:
    return entries.reshape(-1, *entries.shape[2:])


def _dense(layers: Layers, C: int, widths: Numbers, hops: Numbers) -> list[Layout]:
    """Read the MLP as that of a plain scan."""
    above = [Layout(number, 1, W.shape[1], 1, 1) for number, (W, _) in enumerate(layers)]
    return [Layout(0, 1, C, layers[0][0].shape[1] // C, prod(hops)), *above[1:]]


def _no_place(w: Array, layout: Layout) -> Array:
    return w[:, :, 0] if w.shape[2] == 1 else w


_COPIES = (
    "Each tied block is copied, not taken once",
    (
        "All blocks of a unit have the same weights and the same bias, and a kernel holds them once: sliding it makes "
        "the other blocks.",
        "Look at the number of channels that come out of layer 1: is it the number of units, or units times blocks?",
        f"{_KERNEL} {_BIAS}",
    ),
)
_ADDED = (
    "The copies of a tied block are added up",
    (
        "The weights are too large by the number of blocks. Gradients of copies are added, but the copies are equal: "
        "take one.",
        "Look for a sum over the blocks.",
        f"{_KERNEL} {_BIAS}",
    ),
)
_ROWS = (
    "Rows are read block by block, not unit by unit",
    (
        "The rows of a matrix are numbered in C order of (unit, block): first all blocks of unit 0.",
        "Look at how you come to block 0: does it take the first rows, or every n-th?",
        f"{_KERNEL} {_BIAS}",
    ),
)
_COLUMNS = (
    "Columns are read place by place, not channel by channel",
    (
        "The columns of a matrix are numbered in C order of (channel, place): first all places of channel 0.",
        "Look at the order of the sizes in your reshape, on level 1 and above.",
        f"W.reshape(units, n, channels, places) has the axes in the right order. {_KERNEL}",
    ),
)
_WIDE = (
    "The zeros around a block are kept in the kernel",
    (
        "A kernel is as wide as the window of its own level. The zeros left and right of a block come from sliding.",
        "Look at the last axis of your kernels: is it widths[level]?",
        _KERNEL,
    ),
)
_MATRIX = (
    "A kernel has no axis for its places",
    (
        "A kernel has three axes, (units, channels below, width), also where the width is 1.",
        "Look at the shapes of your kernels: are there three numbers in each?",
        "w = W.reshape(units, channels, width) for a layer without blocks; its width is 1 above the levels.",
    ),
)
_ABOVE = (
    "The layers above the levels are missing",
    (
        "The stack ends too early: layers after the last level look at one place, and are kernels of width 1.",
        "Look at your loop: does it go over all layers, or only over widths?",
        "w = W.reshape(units, channels, 1), the bias as it is, stride 1.",
    ),
)

_any = mistakes_from(assemble_stack)
_kernels = mistakes_from(assemble_stack, result="kernels")
_biases = mistakes_from(assemble_stack, result="biases")
_strides = mistakes_from(assemble_stack, result="strides")

MISTAKES = (
    _kernels("copies_dense", *_COPIES, plan=_dense),
    _kernels("copies_rows", *_COPIES, block=_every_block),
    _kernels("copies_whole_rows", *_COPIES, block=_whole_rows_of_all),
    _biases("copies_biases", *_COPIES, bias=lambda b, blocks: b),
    _kernels("added", *_ADDED, block=lambda entries, layout: _windows(entries, layout).sum(axis=1)),
    _kernels("added_rows", *_ADDED, block=lambda entries, layout: entries.sum(axis=1)[..., : layout.width]),
    _biases("added_biases", *_ADDED, bias=lambda b, blocks: b.reshape(-1, blocks).sum(axis=1)),
    _kernels("rows_by_block", *_ROWS, rows=_block_by_block),
    _biases("biases_by_block", *_ROWS, bias=lambda b, blocks: b[: len(b) // blocks]),
    _kernels("places_first", *_COLUMNS, columns=_place_by_place),
    _kernels("places_first_below", *_COLUMNS, columns=_place_by_place_below),
    _kernels("places_first_above", *_COLUMNS, columns=_place_by_place_above),
    _kernels("wide", *_WIDE, block=_whole_rows),
    _kernels(
        "last_places",
        "The last places of a row are taken for block 0",
        (
            "Block 0 begins at the first place of the window; at the end of its row there are zeros.",
            "Look at the slice that cuts the window of the block out of a row.",
            _KERNEL,
        ),
        block=lambda entries, layout: entries[:, 0, :, -layout.width :],
    ),
    _kernels(
        "flipped",
        "The kernel is flipped",
        (
            "The weights stand in reversed order along the places; a scan does not flip its kernel.",
            "Look for [::-1], np.flip or np.convolve.",
            _KERNEL,
        ),
        turn=lambda w: w[..., ::-1],
    ),
    _kernels(
        "width_second",
        "The axes of a kernel are (units, width, channels)",
        (
            "The numbers are right, but the two last axes are exchanged: channels come second, places last.",
            "Look for a .T or a transpose that is missing, or one too many.",
            "A kernel has the shape (units, channels below, width).",
        ),
        axes=lambda w, layout: w.transpose(0, 2, 1),
    ),
    _kernels(
        "channels_first",
        "The axes of a kernel are (channels, units, width)",
        (
            "The numbers are right, but the two first axes are exchanged: units come first, channels below second.",
            "Look at whether you transposed W: its rows are the units already.",
            "A kernel has the shape (units, channels below, width).",
        ),
        axes=lambda w, layout: w.transpose(1, 0, 2),
    ),
    _kernels(
        "width_first",
        "The axes of a kernel are (width, channels, units)",
        (
            "The numbers are right, but the order of the axes is reversed. Some libraries keep kernels like this; "
            "PyTorch does not.",
            "Look for a .T, or for the order of the sizes in your reshape.",
            "A kernel has the shape (units, channels below, width).",
        ),
        axes=lambda w, layout: w.transpose(2, 1, 0),
    ),
    _kernels("no_place", *_MATRIX, axes=_no_place),
    _kernels("matrix", *_MATRIX, axes=lambda w, layout: w.reshape(len(w), -1)),
    _biases(
        "no_bias",
        "The biases are dropped",
        (
            "All biases are 0; each layer brings its own.",
            "Look at what you do with b of each pair (W, b).",
            _BIAS,
        ),
        bias=lambda b, blocks: np.zeros_like(b[::blocks]),
    ),
    _any("only_levels", *_ABOVE, kept=lambda layers, levels: levels),
    _strides("strides_only_levels", *_ABOVE, strides=lambda hops, widths, above: hops),
    _strides(
        "stride_product",
        "The stride of level 2 is counted in frames, not in places of the map below",
        (
            "Layer 2 of the stack slides over the map that layer 1 has made, and its stride is counted there.",
            "Look for a product of hops.",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [*accumulate(hops, mul), *[1] * above],
    ),
    _strides(
        "stride_of_first",
        "The stride of level 1 is used on every level",
        (
            "Every level has its own hop.",
            "Look for hops[0].",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [*[hops[0]] * len(hops), *[1] * above],
    ),
    _strides(
        "stride_one_above",
        "The stride above level 1 is 1",
        (
            "The windows of level 2 are a hop apart as well, in places of map 1.",
            "Look at what you take for the stride of the second layer.",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [hops[0], *[1] * (len(hops) - 1 + above)],
    ),
    _strides(
        "stride_one_last",
        "The hop of the last level is left out",
        (
            "Within one window the last level stands at one place, but in the recording it moves on by its hop.",
            "Look at the stride of the last level: is it 1 where its hop is not?",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [*hops[:-1], *[1] * (1 + above)],
    ),
    _strides(
        "stride_one",
        "hops is not used",
        (
            "All strides are 1: the stack would look at every frame, where the scan moves on by its hops.",
            "Look for hops in your function.",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [1] * (len(hops) + above),
    ),
    _strides(
        "stride_all_first",
        "The whole hop of the scan is put on layer 1",
        (
            "Layer 1 has to look at every block, so it moves by its own hop. The whole net then moves by the product.",
            "Look for a product of hops.",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [prod(hops), *[1] * (len(hops) - 1 + above)],
    ),
    _strides(
        "stride_is_width",
        "The stride is the width, not the hop",
        (
            "Blocks are a hop apart, and may overlap.",
            "Look for widths where you make the strides.",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [*widths, *[1] * above],
    ),
    _strides(
        "stride_again",
        "A layer above the levels takes a hop too",
        (
            "A layer of width 1 looks at every place of the map below: its stride is 1.",
            "Look at the layers after the last level.",
            _STRIDES,
        ),
        strides=lambda hops, widths, above: [*hops, *[hops[-1]] * above],
    ),
)
