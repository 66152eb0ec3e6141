"""What goes wrong when a scan is computed layer by layer, and counted, each as the small function that does it."""

from __future__ import annotations

from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

import numpy as np

from cnnlab.checks.a1.scanning import counts_one_less, neighbors, side_by_side, stops_early
from cnnlab.checks.a2.ordering import Numbers, assemble_layer_first, assemble_mac_count
from cnnlab.checks.assembled import mistakes_from

Array = np.ndarray[Any, Any]

_STARTS = "On each level: range(0, places below - width + 1, hop), with the width and the hop of this level."
_PLACES = "On each level, from the input up: P = (places below - width) // hop + 1."
_NEEDED = "From the top down, beginning with n = 1: n = (n - 1) * hop + width, both of the level above."
_COST = "A neuron with `channels below * width` inputs takes that many multiply-adds at each place."


def _first_for_all(hops: Numbers) -> Numbers:
    return [hops[0]] * len(hops)


def _only_first(hops: Numbers) -> Numbers:
    return [hops[0], *[1] * (len(hops) - 1)]


def _ones(hops: Numbers) -> Numbers:
    return [1] * len(hops)


def _multiplied(hops: Numbers) -> Numbers:
    return list(accumulate(hops, mul))


def _time_first(level: int, window: Array) -> Array:
    return window.T.reshape(-1)


def _time_first_above(level: int, window: Array) -> Array:
    return (window.T if level else window).reshape(-1)


def _added_sizes(T: int, widths: Numbers, hops: Numbers, count: Any) -> list[int]:
    levels = range(1, len(widths) + 1)
    return [count(T, sum(widths[:n]), prod(hops[:n])) for n in levels]


def _touching_sizes(T: int, widths: Numbers, hops: Numbers, count: Any) -> list[int]:
    levels = range(1, len(widths) + 1)
    return [count(T, 1 + sum(width - 1 for width in widths[:n]), prod(hops[:n])) for n in levels]


def _over_the_recording(T: int, widths: Numbers, hops: Numbers, count: Any) -> list[int]:
    return [count(T, width, hop) for width, hop in zip(widths, hops, strict=True)]


def _added_needed(widths: Numbers, hops: Numbers) -> list[int]:
    return [sum(widths[n:]) or 1 for n in range(1, len(widths) + 1)]


def _added_to_one(widths: Numbers, hops: Numbers) -> list[int]:
    return [1 + sum(width - 1 for width in widths[n:]) for n in range(1, len(widths) + 1)]


def _in_each_block(widths: Numbers, hops: Numbers) -> list[int]:
    return [prod(widths[n:]) for n in range(1, len(widths) + 1)]


def _read_above(sizes: Numbers, widths: Numbers) -> list[int]:
    return [*(above * width for above, width in zip(sizes[1:], widths[1:], strict=True)), sizes[-1]]


def _chained_with_hop_below(widths: Numbers, hops: Numbers) -> list[int]:
    n = [1]
    for level in reversed(range(1, len(widths))):
        n.insert(0, (n[0] - 1) * hops[level - 1] + widths[level])
    return n


def _one_level_too_low(widths: Numbers, hops: Numbers) -> list[int]:
    n = [1]
    for width, hop in zip(reversed(widths), reversed(hops), strict=True):
        n.insert(0, (n[0] - 1) * hop + width)
    return n[:-1]


def _one_each(widths: Numbers, hops: Numbers) -> list[int]:
    return [1] * len(widths)


_HOP_FIRST = (
    "The hop of level 1 is used on every level",
    (
        "Above level 1 the windows move by the wrong number of places.",
        "Look for hops[0], or for a hop that is set before the loop over the levels.",
        _STARTS,
    ),
)
_HOP_ONLY_FIRST = (
    "Hops above level 1 are not used",
    (
        "Above level 1 there is a window at every place of the map below.",
        "Look for the hop on the second level: does it come into your loop?",
        _STARTS,
    ),
)
_NO_HOPS = (
    "hops is not used",
    (
        "On every level there is a window at each place, as if all hops were 1.",
        "Look for hops in your function.",
        _STARTS,
    ),
)
_HOP_PRODUCT = (
    "A hop above level 1 is counted in frames, not in places of the map below",
    (
        "The hop of level 2 is counted in places of map 1. In frames it is the product of both hops, but map 1 has no "
        "frames any more.",
        "Look for a product of hops: what do you move along with it?",
        _STARTS,
    ),
)
_ONE_SHORT = (
    "On every level one window is missing",
    (
        "Each map is one place too short, and a map over a short map is shorter still.",
        "Look at how you count the windows, or at where your loop stops: one may end exactly at the end.",
        _STARTS,
    ),
)
_TIME_FIRST = (
    "A window is flattened time first",
    (
        "The numbers of a window reach the layer in the wrong order: all channels of one place first.",
        "Look at how you make a vector of a window, and at the axes of the maps: are they (neurons, places)?",
        "below[:, start : start + width].reshape(-1), with `below` of shape (channels, places).",
    ),
)
_LOST_AXIS = (
    "An axis of the answer is lost",
    (
        "The answer must keep its two axes (neurons, places), also when one of them has length 1.",
        "Look for squeeze, for an index [0], or for one number kept for each window.",
        "Start a map with np.zeros((neurons, P)) and fill its columns.",
    ),
)

_order = mistakes_from(assemble_layer_first, of="layer_first")
_LAYER_FIRST = (
    _order("hop_first", *_HOP_FIRST, hops=_first_for_all),
    _order("hop_only_first", *_HOP_ONLY_FIRST, hops=_only_first),
    _order("no_hops", *_NO_HOPS, hops=_ones),
    _order("hop_product", *_HOP_PRODUCT, hops=_multiplied),
    _order(
        "hop_not_in_start",
        "hops set the number of windows, but not where they start",
        (
            "A map has the right length, but its column p belongs to the window that starts at place p.",
            "Look at the slice: at which place below does window number p start?",
            "Window p is below[:, p * hop : p * hop + width].",
        ),
        starts=neighbors,
    ),
    _order(
        "hop_is_width",
        "The windows move by their width, not by their hop",
        (
            "Your windows lie side by side; they start a hop apart and may overlap.",
            "Look at the step of your loop over the windows.",
            _STARTS,
        ),
        starts=side_by_side,
    ),
    _order("stops_early", *_ONE_SHORT, starts=stops_early),
    _order("counts_one_less", *_ONE_SHORT, starts=counts_one_less),
    _order("time_first", *_TIME_FIRST, flatten=_time_first),
    _order("time_first_above", *_TIME_FIRST, flatten=_time_first_above),
    _order(
        "relu_last",
        "ReLU is applied after the last layer too",
        (
            "Negative scores became 0: the last layer has no ReLU.",
            "Look at the loop over the layers: what is different for the last one?",
            "Apply ReLU to a map when the next layer reads it, or after every layer except the last.",
        ),
        relu=lambda level, levels: level > 0,
    ),
    _order(
        "relu_first",
        "ReLU is applied to the recording too",
        (
            "Negative numbers of the recording became 0 before layer 1 saw them.",
            "Look at the loop over the layers: what is different for the first one?",
            "Apply ReLU to a map when the next layer reads it, but not to x.",
        ),
        relu=lambda level, levels: level < levels,
    ),
    _order(
        "no_relu",
        "ReLU between the layers is missing",
        (
            "Negative numbers pass from one layer to the next; a ReLU should make them 0.",
            "Look at the loop over the layers: what happens between two of them?",
            "np.maximum(y, 0) after every layer except the last.",
        ),
        relu=lambda level, levels: False,
    ),
    _order(
        "relu_once",
        "ReLU is applied after layer 1 only",
        (
            "From layer 2 on negative numbers pass to the next layer; a ReLU should make them 0.",
            "Look at the condition of your ReLU: for which layers does it hold?",
            "np.maximum(y, 0) after every layer except the last.",
        ),
        relu=lambda level, levels: level == 1 < levels,
    ),
    _order(
        "no_bias",
        "The bias is left out",
        (
            "The numbers are those of a net without biases.",
            "Look at where a layer is computed: it is given as a pair (W, b).",
            "W @ v + b.",
        ),
        bias=np.zeros_like,
    ),
    _order(
        "places_first",
        "The answer is transposed: places first, neurons second",
        (
            "The numbers are right, but the axes are exchanged: the shape should be (neurons, places).",
            "Look at how you collect the columns: a list of windows becomes the first axis of an array.",
            "Fill y[:, p] for each window, or np.stack(columns, axis=1).",
        ),
        then=np.transpose,
    ),
    _order("squeezed", *_LOST_AXIS, then=np.squeeze),
    _order("outputs_squeezed", *_LOST_AXIS, then=lambda y: y[0] if len(y) == 1 else y),
    _order("first_output", *_LOST_AXIS, then=lambda y: y[0]),
)

_ADDS = (
    "Additions are counted beside the multiplications",
    (
        "A multiply-add is one multiplication together with its addition: it counts once.",
        "Look for a factor 2, or for inputs + inputs - 1.",
        _COST,
    ),
)
_OVER_THE_END = (
    "Windows that hang over the end are counted",
    (
        "Only full windows count, on every level.",
        "Look at the number of places: does the division round down, and is the width in it?",
        _PLACES,
    ),
)
_ADDED = (
    "The widths are added, not chained",
    (
        "The width of a level above 1 is counted in places of the map below, and these lie a hop apart.",
        "Look for sum(widths). How many values of level 1 does one window need, and how far do they reach?",
        f"Go level by level. {_PLACES} {_NEEDED}",
    ),
)

_NOT_SHARED = (
    "Layer by layer, values that windows share are counted for each window",
    (
        "Layer by layer, each value of a map is computed once, however many windows read it.",
        "Look at the order “layer”: do you multiply by a number of windows, or by a width of the level above?",
        "Add up places · neurons · inputs over the levels, with the places of each level's own map.",
    ),
)

_macs = mistakes_from(assemble_mac_count, of="mac_count_scan")
_MAC_COUNT = (
    _macs("macs_adds", *_ADDS, cost=lambda terms: 2 * terms),
    _macs("macs_adds_apart", *_ADDS, cost=lambda terms: 2 * terms - 1),
    _macs(
        "macs_bias",
        "Adding the bias is counted as a multiply-add",
        (
            "A bias is added without a multiplication, and is not counted here.",
            "Look for + 1 beside the number of inputs.",
            _COST,
        ),
        cost=lambda terms: terms + 1,
    ),
    _macs("macs_hop_first", *_HOP_FIRST[:1], (*_HOP_FIRST[1][:2], _PLACES), hops=_first_for_all),
    _macs("macs_hop_only_first", *_HOP_ONLY_FIRST[:1], (*_HOP_ONLY_FIRST[1][:2], _PLACES), hops=_only_first),
    _macs("macs_no_hops", *_NO_HOPS[:1], (*_NO_HOPS[1][:2], _PLACES), hops=_ones),
    _macs("macs_hop_product", *_HOP_PRODUCT[:1], (*_HOP_PRODUCT[1][:2], _PLACES), hops=_multiplied),
    _macs(
        "macs_one_short",
        "On every level one window is missing",
        (
            "Each map is counted one place too short, and a map over a short map is shorter still.",
            "Look at the number of places: where the width fits and nothing more, there is one window already.",
            _PLACES,
        ),
        count=lambda below, width, hop: (below - width) // hop,
    ),
    _macs(
        "macs_fraction",
        "The division leaves a fraction",
        (
            "Half a window does not count; only what fits entirely does.",
            "Look for / where you count the places.",
            f"// divides and rounds down. {_PLACES}",
        ),
        count=lambda below, width, hop: (below - width) / hop + 1,
    ),
    _macs("macs_rounded_up", *_OVER_THE_END, count=lambda below, width, hop: -(-(below - width) // hop) + 1),
    _macs("macs_every_place", *_OVER_THE_END, count=lambda below, width, hop: -(-below // hop)),
    _macs("macs_no_width", *_OVER_THE_END, count=lambda below, width, hop: below // hop),
    _macs("macs_added", *_ADDED, sizes=_added_sizes, needed=_added_needed),
    _macs("macs_added_sizes", *_ADDED, sizes=_added_sizes),
    _macs("macs_touching_sizes", *_ADDED, sizes=_touching_sizes),
    _macs("macs_added_blocks", *_ADDED, needed=_added_needed),
    _macs(
        "macs_no_hop_in_window",
        "The hop is left out where the values of one window are counted",
        (
            "The values of level 1 that a window needs reach further than the widths above add up to: the windows of "
            "level 2 start a hop apart.",
            "Look at three levels: level 3 reads n values of level 2. How many of level 1 do these read, all together?",
            _NEEDED,
        ),
        needed=_added_to_one,
    ),
    _macs(
        "macs_hop_below",
        "Values of one window are counted with the hop of the wrong level",
        (
            "How far apart two windows of level 2 begin on map 1 is told by the hop of level 2.",
            "Look at the pairs of width and hop, when you go from one level to the one below.",
            _NEEDED,
        ),
        needed=_chained_with_hop_below,
    ),
    _macs(
        "macs_one_level_too_low",
        "For one window, what a level reads is counted, not what it computes",
        (
            "A level is counted at as many places as the levels above need of its own map; what it reads lies below.",
            "Look at the order of your two lines: do you go one level down before you have counted this one?",
            "From the top down, beginning with n = 1: count n places of the level, then n = (n - 1) * hop + width.",
        ),
        needed=_one_level_too_low,
    ),
    _macs(
        "macs_over_recording",
        "Every level is counted over the recording, not over the map below",
        (
            "Level 2 looks at map 1, which is shorter than the recording.",
            "Look at the length from which you count the windows of level 2.",
            _PLACES,
        ),
        sizes=_over_the_recording,
    ),
    _macs(
        "macs_twice_in_window",
        "A value that is read twice within one window is counted twice",
        (
            "Within a window, too, two windows of level 2 may read the same value of level 1; it is computed once.",
            "Look for a product of widths. With three levels: which values of level 1 do neighbors on level 2 share?",
            _NEEDED,
        ),
        needed=_in_each_block,
    ),
    _macs(
        "macs_one_each",
        "In one window only one value of each level is counted",
        (
            "For one score level 2 reads as many values of level 1 as its window is wide, and all have to be computed.",
            "Look at the order “window”: at how many places of level 1 does a neuron work for one window?",
            _NEEDED,
        ),
        needed=_one_each,
    ),
    _macs("macs_not_shared", *_NOT_SHARED, choose=lambda order: "window"),
    _macs("macs_read_above", *_NOT_SHARED, maps=_read_above),
    _macs(
        "macs_all_shared",
        "Window by window, values that windows share are counted once",
        (
            "Window by window nothing is remembered: what two windows need is computed in both.",
            "Look at the order “window”: what does a single window cost, and how many windows are there?",
            "Windows of the whole net, times what one window costs.",
        ),
        choose=lambda order: "layer",
    ),
    _macs(
        "macs_exchanged",
        "The two orders are exchanged",
        (
            "The count of “window” is that of “layer”, and the other way round.",
            "Look at your if.",
            'order == "layer": each value of a map once. order == "window": each window by itself.',
        ),
        choose=lambda order: "window" if order == "layer" else "layer",
    ),
    _macs(
        "macs_windows_everywhere",
        "Every level is counted at as many places as the last",
        (
            "A lower map is longer than the last one, and all of it is computed.",
            "Look at the order “layer”: which number of places do you take for level 1?",
            "Add up places · neurons · inputs over the levels, with the places of each level's own map.",
        ),
        maps=lambda sizes, widths: [sizes[-1]] * len(sizes),
    ),
    _macs(
        "macs_plain",
        "Each level is counted at one place for each window, in both orders",
        (
            "That is right where only level 1 looks around. Where the scan is distributed, level 1 has more places "
            "than there are windows, and a window needs several of them.",
            "Do both orders give the same for the example of the statement? They should not.",
            f"For “layer”: {_PLACES} For “window”: {_NEEDED}",
        ),
        maps=lambda sizes, widths: [sizes[-1]] * len(sizes),
        needed=_one_each,
    ),
    _macs(
        "macs_windows_of_first",
        "The windows of level 1 are taken for those of the whole net",
        (
            "A window of the whole net covers several windows of level 1, so there are fewer of them.",
            "Look at the number of windows: how long is the last map?",
            "There are as many windows as the last map has places: count level by level.",
        ),
        windows=lambda sizes: sizes[0],
    ),
    _macs(
        "macs_one_window",
        "A single window is counted, not all of them",
        (
            "The count of “window” is what one window costs.",
            "Look at the end of your function: where does the number of windows come in?",
            "Windows of the whole net, times what one window costs.",
        ),
        windows=lambda sizes: 1,
    ),
    _macs(
        "macs_features_everywhere",
        "The features of the recording are taken for the channels of every level",
        (
            "Level 2 looks at the maps of layer 1, and there are as many as layer 1 has neurons.",
            "Look at what you multiply the width with, on level 2.",
            "channels = C on level 1, and the neurons of the layer below above it.",
        ),
        channels=lambda C, neurons: [C] * len(neurons),
    ),
    _macs(
        "macs_one_channel",
        "Only one channel of the level below is counted",
        (
            "A neuron has a weight for each place of its window in each channel below.",
            "Look at the number of inputs of a neuron: is it more than the width?",
            _COST,
        ),
        channels=lambda C, neurons: [1] * len(neurons),
    ),
    _macs(
        "macs_one_neuron",
        "Only one neuron of each layer is counted",
        (
            "Every neuron of a layer looks at the window, each with its own weights.",
            "Look for the neurons of the level itself, beside those of the level below.",
            "On each level: places * neurons * channels below * width.",
        ),
        outputs=lambda neurons: 1,
    ),
)

MISTAKES = (*_LAYER_FIRST, *_MAC_COUNT)
