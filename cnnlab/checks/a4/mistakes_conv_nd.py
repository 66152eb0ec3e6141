"""What goes wrong in a convolution with options, each as the small change that does it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.checks.a4.convolving_nd import (
    Ints,
    Pairs,
    assemble,
    both_sides,
    by_blocks,
    full_windows,
    one_bias_each,
    own_channels,
    reflected,
    replicated,
)
from cnnlab.checks.assembled import mistakes_from

Array = np.ndarray[Any, Any]


def _all_like_the_first(numbers: Ints) -> Ints:
    return (numbers[0],) * len(numbers)


def _ones(numbers: Ints) -> Ints:
    return (1,) * len(numbers)


def _stretched(x: Array, dilation: Ints) -> Array:
    """Put D - 1 zeros between the cells of each axis."""
    longer = [D * (n - 1) + 1 for n, D in zip(x.shape[2:], dilation, strict=True)]
    y = np.zeros((*x.shape[:2], *longer), dtype=x.dtype)
    y[(slice(None), slice(None), *(slice(None, None, D) for D in dilation))] = x
    return y


def _thinned(x: Array, dilation: Ints) -> Array:
    """Keep every D-th cell of each axis."""
    return x[(slice(None), slice(None), *(slice(None, None, D) for D in dilation))]


def _without_corners(padded: Array, pairs: Pairs, mode: str) -> Array:
    """Put zeros where a cell lies in the padding of two axes."""
    outside = np.zeros(padded.shape[2:], dtype=int)
    for axis, (before, after) in enumerate(pairs):
        n = outside.shape[axis]
        i = np.arange(n).reshape(*(-1 if a == axis else 1 for a in range(outside.ndim)))
        outside += (i < before) | (i >= n - after)
    return np.where(outside > 1, padded.dtype.type(0), padded)


def _first_channels(windows: Array, w: Array, groups: int) -> Array:
    C = w.shape[1]
    return by_blocks([windows[:, :C]], [w])


def _all_channels(windows: Array, w: Array, groups: int) -> Array:
    return by_blocks([windows], [np.concatenate([w] * groups, axis=1)])


def _dealt_channels(windows: Array, w: Array, groups: int) -> Array:
    return by_blocks([windows[:, g::groups] for g in range(groups)], np.split(w, groups))


def _dealt_filters(windows: Array, w: Array, groups: int) -> Array:
    C = w.shape[1]
    blocks = [windows[:, j % groups * C : (j % groups + 1) * C] for j in range(len(w))]
    return by_blocks(blocks, np.split(w, len(w)))


def _first_filters(windows: Array, w: Array, groups: int) -> Array:
    return by_blocks(np.split(windows, groups, axis=1), np.split(w, groups)[:1] * groups)


def _dealt_outputs(windows: Array, w: Array, groups: int) -> Array:
    y = own_channels(windows, w, groups)
    return np.asarray(np.stack(np.split(y, groups, axis=1), axis=2).reshape(y.shape))


def _one_output_for_a_group(windows: Array, w: Array, groups: int) -> Array:
    """Add up what each group gives, as if groups were channels."""
    each = [by_blocks([v], [f]) for v, f in zip(np.split(windows, groups, 1), np.split(w, groups), strict=True)]
    return np.concatenate([sum(each[1:], each[0])] * groups, axis=1)


def _slices_of_all_channels(windows: Array, w: Array, groups: int) -> Array:
    """Take the slices of a filter by the numbers of the input channels: beyond the first group there are none."""
    C = w.shape[1]
    if groups > 1 and C > 1:
        raise ValueError("operands could not be broadcast together")
    filters = [f[:, g * C : (g + 1) * C] for g, f in enumerate(np.split(w, groups))]
    filled = [f if f.shape[1] else np.zeros((len(f), C, *f.shape[2:]), f.dtype) for f in filters]
    return by_blocks(np.split(windows, groups, axis=1), filled)


def _samples_added(windows: Array, w: Array, groups: int) -> Array:
    y = own_channels(windows, w, groups)
    return np.asarray(np.broadcast_to(y.sum(axis=0), y.shape))


def _first_sample(windows: Array, w: Array, groups: int) -> Array:
    y = own_channels(windows, w, groups)
    return np.asarray(np.broadcast_to(y[0], y.shape))


def _first_biases(y: Array, b: Array, w: Array, groups: int) -> Array:
    return one_bias_each(y, np.concatenate([b[: len(b) // groups]] * groups), w, groups)


def _without_single_axes(y: Array) -> Array:
    return np.squeeze(y)


def _without_single_batch(y: Array) -> Array:
    return y[0] if len(y) == 1 else y


def _without_single_positions(y: Array) -> Array:
    return y.reshape(*y.shape[:2], *(n for n in y.shape[2:] if n != 1))


_wrong = mistakes_from(assemble)

_DILATED_INPUT = (
    "The input is dilated, not the kernel",
    (
        "There are zeros between the inputs; the taps of the kernel must stand apart, over an input that stays dense.",
        "Look at where dilation is used: on x, or on the places that the kernel looks at?",
        "Take the window with a step: padded[…, start : start + D * (K - 1) + 1 : D].",
    ),
)
_THINNED_INPUT = (
    "Only every D-th input is kept",
    (
        "With dilation D there is still a window at each place; inputs between the taps count in other windows.",
        "Look for a step such as x[…, ::D] that is taken once, for all windows.",
        "Step within each window: padded[…, start : start + D * (K - 1) + 1 : D].",
    ),
)
_SQUEEZED = (
    "Axes of length 1 are dropped",
    (
        "The answer always has the axes (N, C_out, *positions), also where one of them has the length 1.",
        "Look for squeeze, a reshape without the 1, or an index such as y[0].",
        "Make y = np.zeros((N, C_out, *positions)) first, then fill it; drop no axis.",
    ),
)

MISTAKES = (
    _wrong(
        "edge_repeated",
        "The edge is repeated in reflect",
        (
            "Reflect mirrors at the middle of the last cell, so 1 2 3 4 continues with 3, not with 4 again.",
            'Look at the padding for "reflect", next to the edge. NumPy\'s "symmetric" is another mode.',
            'np.pad with mode="reflect", or indices P, …, 2, 1 before the row (index 0 is not among them).',
        ),
        reflect=lambda n, before, after: [*range(before - 1, -1, -1), *range(n), *range(n - 1, n - 1 - after, -1)],
    ),
    _wrong(
        "not_turned",
        "The reflection is not turned round",
        (
            "Next to the edge stands its neighbor, then the one behind it: a mirror image, in reversed order.",
            'Look at the order of the cells that you put before and after the row for "reflect".',
            "Before the row: indices P, …, 2, 1; after it: n - 2, n - 3, ….",
        ),
        reflect=lambda n, before, after: [*range(1, before + 1), *range(n), *range(n - 1 - after, n - 1)],
    ),
    _wrong(
        "circular_swapped",
        "The two sides are exchanged in circular",
        (
            "On a circle the cell before the first one is the last one; here each end was continued with itself.",
            'Look at which end of the row you copy to which side for "circular".',
            "Before the row stand its last P cells, after it its first P cells.",
        ),
        circular=lambda n, before, after: [*range(before), *range(n), *range(n - after, n)],
    ),
    _wrong(
        "circular_turned",
        "The padding is turned round in circular",
        (
            "A circle goes on in the same direction; the padding is no mirror image.",
            'Look at the order of the cells that you put before and after the row for "circular".',
            "Before the row: its last P cells in their order, n - P, …, n - 1; after it: 0, …, P - 1.",
        ),
        circular=lambda n, before, after: [*range(n - 1, n - 1 - before, -1), *range(n), *range(after - 1, -1, -1)],
    ),
    _wrong(
        "replicate_copies_a_piece",
        "Replicate copies a piece of the row, not its last cell",
        (
            "Every cell of the padding holds the value of the cell at the edge, however wide the padding is.",
            'Look at what you copy for "replicate": P cells, or one cell P times?',
            "Before the row: P times cell 0; after it: P times cell n - 1.",
        ),
        replicate=lambda n, before, after: [*range(before), *range(n), *range(n - after, n)],
    ),
    _wrong(
        "replicate_mirrors",
        "Replicate mirrors the row",
        (
            "Every cell of the padding holds the value of the cell at the edge; here only the first of them does.",
            'Look at the padding for "replicate". NumPy\'s "symmetric" is another mode.',
            "Before the row: P times cell 0; after it: P times cell n - 1.",
        ),
        replicate=lambda n, before, after: [*range(before - 1, -1, -1), *range(n), *range(n - 1, n - 1 - after, -1)],
    ),
    _wrong(
        "reflect_and_replicate",
        "Reflect and replicate are exchanged",
        (
            "Reflect is a mirror image without the edge; replicate repeats the edge.",
            "Look at the names of the modes: which of yours belongs to which row of the table?",
            "Try both on 1 2 3 4 with padding 2 and compare with the table.",
        ),
        reflect=replicated,
        replicate=reflected,
    ),
    _wrong(
        "mode_ignored",
        "padding_mode is not used",
        (
            "The padding holds zeros in every mode.",
            "Look at your padding: where does padding_mode come in?",
            "Choose by padding_mode what stands in the padding; the table has a row for each.",
        ),
        mode=lambda mode: "zeros",
    ),
    _wrong(
        "corners_zero",
        "The corners of the padding are left at zero",
        (
            "Where the padding of two axes meets, zeros stand; the mode holds there too.",
            "Look at the cells that lie outside along two axes at once.",
            "Pad one axis, then pad the next axis of what you have got; so the corners fill themselves.",
        ),
        corners=lambda padded, pairs, mode: padded if mode == "zeros" else _without_corners(padded, pairs, mode),
    ),
    _wrong(
        "padding_reversed",
        "The padding of the last axis is put on the first",
        (
            "The numbers in padding belong to the axes in their order: padding[0] to the first spatial axis.",
            "Look at the order in which you go through padding.",
            "np.pad(x, [(0, 0), (0, 0)] + [(P, P) for P in padding], …).",
        ),
        amounts=lambda padding: both_sides(padding[::-1]),
    ),
    _wrong(
        "padding_of_first_axis",
        "padding[0] is used for every axis",
        (
            "Each axis has a padding of its own.",
            "Look for padding[0] where another axis is meant.",
            "np.pad(x, [(0, 0), (0, 0)] + [(P, P) for P in padding], …).",
        ),
        amounts=lambda padding: both_sides(_all_like_the_first(padding)),
    ),
    _wrong(
        "padding_in_front",
        "The padding counts on one side only",
        (
            "There must be P cells before an axis and P cells after it.",
            "Look at the pairs that you give to np.pad, and at P in your formula for the number of windows.",
            "np.pad(x, [(0, 0), (0, 0)] + [(P, P) for P in padding], …); (n + 2 * P - reach) // S + 1 windows.",
        ),
        amounts=lambda padding: [(P, 0) for P in padding],
    ),
    _wrong("input_stretched_first", *_DILATED_INPUT, first=_stretched, gaps=_ones),
    _wrong("input_stretched_last", *_DILATED_INPUT, last=_stretched, gaps=_ones),
    _wrong("input_thinned_first", *_THINNED_INPUT, first=_thinned, gaps=_ones),
    _wrong("input_thinned_last", *_THINNED_INPUT, last=_thinned, gaps=_ones),
    _wrong(
        "dilation_ignored",
        "dilation is not used",
        (
            "The taps of the kernel stand side by side whatever dilation is.",
            "Look at how you cut a window out of the padded input.",
            "padded[…, start : start + D * (K - 1) + 1 : D], with the D of that axis.",
        ),
        gaps=_ones,
    ),
    _wrong(
        "dilation_plus_one",
        "The taps stand D + 1 apart",
        (
            "dilation = 1 is the ordinary kernel without gaps; here it already leaves one.",
            "Look at the step from one tap to the next.",
            "Tap u looks at start + u * D.",
        ),
        gaps=lambda dilation: tuple(D + 1 for D in dilation),
    ),
    _wrong(
        "dilation_of_first_axis",
        "dilation[0] is used for every axis",
        (
            "Each axis has a dilation of its own.",
            "Look for dilation[0] where another axis is meant.",
            "Go through zip(kernel, dilation): one pair an axis.",
        ),
        gaps=_all_like_the_first,
    ),
    _wrong(
        "dilation_reversed",
        "The dilation of the last axis is used for the first",
        (
            "The numbers in dilation belong to the axes in their order: dilation[0] to the first spatial axis.",
            "Look at the order in which you go through dilation.",
            "Go through zip(kernel, dilation): one pair an axis.",
        ),
        gaps=lambda dilation: dilation[::-1],
    ),
    _wrong(
        "reach_times_kernel",
        "The reach of a dilated kernel is counted as D · K",
        (
            "K taps have K - 1 gaps between them, so the last windows are missing.",
            "Look at your formula for the number of windows: how many cells lie from the first tap to the last?",
            "reach = D * (K - 1) + 1.",
        ),
        reach=lambda K, D: D * K,
    ),
    _wrong(
        "reach_without_dilation",
        "The number of windows is computed without the dilation",
        (
            "There are too many windows: the last ones hang over the end of the padded input.",
            "Look at your formula for the number of windows.",
            "Put reach = D * (K - 1) + 1 in the place of K.",
        ),
        reach=lambda K, D: K,
    ),
    _wrong(
        "plus_one_forgotten",
        "The last window is missing",
        (
            "There is one window more than there are steps.",
            "Look at your formula for the number of windows.",
            "(n + 2 * P - reach) // S + 1.",
        ),
        starts=lambda n, reach, S, P: full_windows(n, reach, S, P)[:-1],
    ),
    _wrong(
        "padding_not_counted",
        "The padding is not counted in the number of windows",
        (
            "The last windows are missing, those that reach into the padding behind the input.",
            "Look at your formula for the number of windows: is n the size with or without padding?",
            "(n + 2 * P - reach) // S + 1, or take n from the shape of the padded input and add nothing.",
        ),
        starts=lambda n, reach, S, P: full_windows(n - 2 * P, reach, S, P),
    ),
    _wrong(
        "stride_ignored",
        "stride is not used",
        (
            "The window moves by one cell whatever stride is.",
            "Look at the number of windows and at where each one starts.",
            "Window p starts at p * S; there are (n - reach) // S + 1 of them.",
        ),
        steps=_ones,
    ),
    _wrong(
        "stride_of_first_axis",
        "stride[0] is used for every axis",
        (
            "Each axis has a stride of its own.",
            "Look for stride[0] where another axis is meant.",
            "Go through zip(padded.shape[2:], stride): one pair an axis.",
        ),
        steps=_all_like_the_first,
    ),
    _wrong(
        "stride_reversed",
        "The stride of the last axis is used for the first",
        (
            "The numbers in stride belong to the axes in their order: stride[0] to the first spatial axis.",
            "Look at the order in which you go through stride.",
            "Go through zip(padded.shape[2:], stride): one pair an axis.",
        ),
        steps=lambda stride: stride[::-1],
    ),
    _wrong(
        "flipped",
        "The kernel is flipped",
        (
            "The first weight must meet the first cell of the window; here it meets the last one.",
            "Look for [::-1], np.flip or np.convolve.",
            "Multiply window and weights as they are, and sum.",
        ),
        kernel=lambda w: np.flip(w, axis=tuple(range(2, w.ndim))),
    ),
    _wrong(
        "slices_of_all_channels",
        "A filter's slices are looked up by the numbers of all channels",
        (
            "w has the shape (C_out, C_in / groups, …): a filter has slices for its own group only, counted from 0.",
            "Look at the second index of w: beyond the first group it points behind the last slice.",
            "Cut the channels out of x only: x[:, first : first + C] goes with w[j], all of it.",
        ),
        combine=_slices_of_all_channels,
    ),
    _wrong(
        "first_channels",
        "Every filter sees the channels of the first group",
        (
            "The filters of the second group must see the second block of channels.",
            "Look at which channels of x a filter is multiplied with.",
            "For filter j: first = j // (C_out // groups) * C, then x[:, first : first + C] with C = w.shape[1].",
        ),
        combine=_first_channels,
    ),
    _wrong(
        "all_channels",
        "Every filter sees the channels of all groups",
        (
            "A filter must see the channels of its own group, no others; here they are all added up.",
            "Look for weights that are repeated, or a sum over all channels.",
            "For filter j: first = j // (C_out // groups) * C, then x[:, first : first + C] with C = w.shape[1].",
        ),
        combine=_all_channels,
    ),
    _wrong(
        "dealt_channels",
        "The channels are dealt out to the groups in turn",
        (
            "A group is a block of channels side by side, not every G-th channel.",
            "Look for a step in the channel index, such as x[:, g::groups].",
            "Group g has the channels g * C … (g + 1) * C - 1, with C = w.shape[1].",
        ),
        combine=_dealt_channels,
    ),
    _wrong(
        "dealt_filters",
        "The filters are dealt out to the groups in turn",
        (
            "A group is a block of filters side by side, not every G-th filter.",
            "Look for j % groups.",
            "Filter j belongs to group j // (C_out // groups).",
        ),
        combine=_dealt_filters,
    ),
    _wrong(
        "first_filters",
        "Every group uses the filters of the first",
        (
            "Each group has C_out / groups filters of its own.",
            "Look at the first index of w: does it start again at 0 in each group?",
            "Group g has the filters w[g * M : (g + 1) * M] with M = C_out // groups.",
        ),
        combine=_first_filters,
    ),
    _wrong(
        "dealt_outputs",
        "The outputs of the groups are interleaved",
        (
            "The answer must hold all outputs of the first group, then all of the second, and so on.",
            "Look at how you put the groups' outputs together.",
            "np.concatenate(outputs, axis=1) with the groups in their order.",
        ),
        combine=_dealt_outputs,
    ),
    _wrong(
        "groups_added",
        "The outputs of the groups are added up",
        (
            "Groups do not mix: each has output channels of its own.",
            "Look for += over the groups, or a sum over them.",
            "Write the outputs of group g to y[:, g * M : (g + 1) * M] with M = C_out // groups.",
        ),
        combine=_one_output_for_a_group,
    ),
    _wrong(
        "samples_added",
        "The samples of a batch are added up",
        (
            "Each sample has an answer of its own; the sum goes over channels and taps only.",
            "Look at the axes of your sum: is the first one among them?",
            "window has the shape (N, C, *kernel): sum over all axes but the first.",
        ),
        combine=_samples_added,
    ),
    _wrong(
        "first_sample",
        "Only the first sample is used",
        (
            "Each sample of the batch has an answer of its own.",
            "Look for x[0], or for a loop over samples that is missing.",
            "Cut windows out of all samples at once: padded[:, first : first + C, …].",
        ),
        combine=_first_sample,
    ),
    _wrong(
        "first_biases",
        "Every group uses the biases of the first",
        (
            "Filter j has the bias b[j], where j counts through all groups.",
            "Look at the index of b: does it start again at 0 in each group?",
            "Add b[j] with j from 0 to C_out - 1.",
        ),
        bias=_first_biases,
    ),
    _wrong(
        "no_bias",
        "The bias is left out",
        (
            "b[j] must be added to each output of filter j.",
            "Look for b in your code.",
            "y[:, j] += b[j], once for each output.",
        ),
        bias=lambda y, b, w, groups: y,
    ),
    _wrong(
        "bias_each_channel",
        "The bias is added once for each channel",
        (
            "Each output gets its bias once, whatever the number of input channels is.",
            "Look at where b is added: is it inside the loop over channels?",
            "Add b[j] after the sum over channels and taps.",
        ),
        bias=lambda y, b, w, groups: one_bias_each(y, b * w.shape[1], w, groups),
    ),
    _wrong(
        "first_bias",
        "b[0] is used for every filter",
        (
            "Each filter has a bias of its own.",
            "Look at the index of b.",
            "Add b[j] to the outputs of filter j.",
        ),
        bias=lambda y, b, w, groups: y + b[0],
    ),
    _wrong("squeezed", *_SQUEEZED, then=_without_single_axes),
    _wrong("single_batch_dropped", *_SQUEEZED, then=_without_single_batch),
    _wrong("single_positions_dropped", *_SQUEEZED, then=_without_single_positions),
)
