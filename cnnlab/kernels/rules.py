"""Which algorithm for which case: a list that is read from the top, and the first rule that fits is taken.

The numbers come from `benchmarks/conv_rules.py`, which measures them anew on another machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, prod

from cnnlab.kernels.case import Case, Work
from cnnlab.kernels.im2col import LARGE_MAP
from cnnlab.kernels.settings import winograd_allowed
from cnnlab.kernels.winograd_tiling import fault, tiling

# Sizes from which on, or up to which, an algorithm is ahead.
TAPS_MACS = 4_000  # less work than this is left to the readable sum over the taps
# What Winograd's algorithm and im2col cost: one is taken where these figures add up to less. About nanoseconds.
WINOGRAD_PRODUCT = 0.036  # a number of a tile and a pair of channels
WINOGRAD_INPUT = 1.6  # a number of a tile and a channel of the input, for the transform
WINOGRAD_RUN = 14.0  # the same, if few channels lie side by side: divided by their number
WINOGRAD_OUTPUT = 0.85  # the same of the output
WINOGRAD_KERNEL = 0.9  # a number of a transformed kernel, once
IM2COL_PRODUCT = 0.027  # a multiply-add
IM2COL_COPY = 0.54  # a number in the columns
IM2COL_FAR = 0.64  # the same, more, for those that the cache does not hold: rows beyond so many
IM2COL_NEAR_ROWS = 300
IM2COL_GROUP = 80_000  # a group, of several: they are computed one after the other
WINOGRAD_GAIN = 1.2  # at least: it is less exact
WINOGRAD_GAIN_BACK = 1.05  # the same beside columns that are added up
BATCH_LAST_BATCH = 16  # at least
BATCH_LAST_CHANNELS = 8  # at most
BATCH_LAST_PLACES = 600  # of a map of the output, less than
CHANNELS_LAST_CHANNELS = 12  # of the input, at least, so that a run of memory has some length
CHANNELS_LAST_RUN = 20  # numbers in a row of a window, at least: with fewer channels, but a stride
CHANNELS_LAST_PLACES = 400  # in the outputs of the whole batch, at least
SHORT_ROWS = 400  # places of a map of the output, less than: rows of columns are short then
FILTERS_A_CHANNEL = 2  # at most: turning outputs costs more with many filters
PLACES_A_FILTER = 4  # in the outputs of the whole batch, at least: weights are turned, too
FFT_TAPS = 200
COL2IM_RATIO = 2.5  # numbers that a correlation with flipped kernels lays out, for each that col2im adds up, at least
COL2IM_RATIO_ALONE = 1.0  # the same for a batch of one, whose memory needs no turning, or for few places: no flipping
COL2IM_CHANNELS = 3  # of the input, at least
COL2IM_BYTES = 32 * 2**20  # of one picture, at most: it is added up whole


@dataclass(frozen=True)
class Rule:
    """An algorithm, the cases that it is for, and the reason; None for a gradient to the input by correlations.

    Rules that come `first` stay in front of those that others `add`.
    """

    algorithm: str | None
    fits: Callable[[Case], bool]
    because: str
    works: frozenset[Work] = frozenset({"forward", "grad_weight"})
    first: bool = False


def _by_winograd(case: Case) -> bool:
    return _columns(case) > WINOGRAD_GAIN * _tiled(case)


def _tiled(case: Case) -> float:
    """Return what Winograd's algorithm costs, of each group."""
    if not winograd_allowed() or not case.positions or fault(case) is not None:
        return inf
    how = tiling(case)
    C, M, tiles = how.depth * how.channels, case.filters, how.tiles(case)
    run = how.channels * (case.groups if how.depth == 1 else 1)
    ins, outs = C * (WINOGRAD_INPUT + WINOGRAD_RUN / run), M * WINOGRAD_OUTPUT
    products = C * M * (tiles * WINOGRAD_PRODUCT + WINOGRAD_KERNEL)
    return how.tile.places * (products + tiles * (ins + outs))


def _columns(case: Case) -> float:
    """Return what columns and their product cost, of each group."""
    places, group = case.batch * case.positions, IM2COL_GROUP if case.groups > 1 else 0
    copies = case.depth * IM2COL_COPY + max(0, case.depth - IM2COL_NEAR_ROWS) * IM2COL_FAR
    return group + places * (case.depth * case.filters * IM2COL_PRODUCT + copies)


def _long_runs(case: Case) -> bool:
    # In the order "channels last" what a window sees in a row lies side by side, whatever the stride.
    channels = case.in_channels // case.groups
    if case.batch * case.positions < CHANNELS_LAST_PLACES:
        return False
    if case.work == "grad_weight":
        run = channels * case.kernel[-1] if case.dilation[-1] == 1 and case.stride[-1] > 1 else 0
        return channels >= CHANNELS_LAST_CHANNELS or run >= CHANNELS_LAST_RUN
    small = case.batch >= BATCH_LAST_BATCH and case.positions < LARGE_MAP
    few = case.filters <= min(FILTERS_A_CHANNEL * channels, case.batch * case.positions / PLACES_A_FILTER)
    return channels >= CHANNELS_LAST_CHANNELS and (small or (case.positions < SHORT_ROWS and few))


def _large_kernel(case: Case) -> bool:
    # Spectra are made of every pair of channels, so few channels and no small map.
    few = case.batch * case.out_channels + case.batch * case.in_channels
    return case.dense and case.taps >= FFT_TAPS and case.out_channels * case.in_channels // case.groups <= 4 * few


def _adds_less(case: Case) -> bool:
    # The correlation with flipped kernels multiplies at every place of the input, not of the output, and lays out
    # windows of all output channels, not of the input's. It can be Winograd's where the sizes are the same.
    channels = case.in_channels // case.groups
    if channels < COL2IM_CHANNELS or case.in_channels * prod(case.padded) * case.itemsize > COL2IM_BYTES:
        return not _reversible(case)
    ratio = COL2IM_RATIO_ALONE if case.batch == 1 or case.few_places else COL2IM_RATIO
    larger = case.inputs * case.filters >= ratio * case.positions * channels
    return not _reversible(case) or (case.taps > 1 and larger and not _back_by_winograd(case))


def _reversible(case: Case) -> bool:
    # With a stride and a dilation on one axis there is no such correlation.
    return all(s == 1 or d == 1 for s, d in zip(case.stride, case.dilation, strict=True))


def _back_by_winograd(case: Case) -> bool:
    # The correlation with flipped kernels has an output for each input; col2im has columns for each output.
    if set(case.stride) != {1}:
        return False
    axes = zip(case.padded, case.added or (0,) * len(case.padded), case.kernel, case.dilation, strict=True)
    padded = tuple(n - more + d * (k - 1) for n, more, k, d in axes)
    ins, outs = case.out_channels, case.in_channels
    back = replace(case, in_channels=ins, out_channels=outs, padded=padded, added=(), work="forward")
    return _columns(case) > WINOGRAD_GAIN_BACK * _tiled(back)


_INPUT: frozenset[Work] = frozenset({"grad_input"})

RULES: list[Rule] = [
    Rule(
        "linear",
        lambda case: case.groups == 1 and case.kernel == case.padded and not any(case.added),
        "the kernel is as large as the map: a fully connected layer",
        frozenset({"forward", "grad_weight", "grad_input"}),
        first=True,
    ),
    Rule(
        "batch_last",
        _adds_less,
        "back to columns and added up (col2im): smaller than a correlation with flipped kernels",
        _INPUT,
    ),
    Rule("depthwise", lambda case: case.in_channels == case.groups > 1, "each filter sees one channel"),
    Rule("pointwise", lambda case: case.taps == 1, "a 1×1 kernel sees one pixel: nothing has to be laid out"),
    Rule(
        "winograd",
        _by_winograd,
        "a small kernel at stride 1, with channels and tiles enough to pay for the transforms",
    ),
    Rule("fft", _large_kernel, f"a kernel of at least {FFT_TAPS} taps, and few pairs of channels"),
    Rule(
        "batch_last",
        lambda case: (
            case.work == "grad_weight"
            and case.batch >= BATCH_LAST_BATCH
            and case.in_channels // case.groups <= BATCH_LAST_CHANNELS
            and case.positions < BATCH_LAST_PLACES
        ),
        f"a batch of at least {BATCH_LAST_BATCH} with few channels and small maps: runs of memory along the batch",
    ),
    Rule(
        "channels_last",
        _long_runs,
        "a gradient of weights, or small maps, with channels enough for long runs of memory",
    ),
    Rule(
        "im2col", lambda case: True, "what suits most layers: columns in tiles, and the product lies as the output does"
    ),
]


def add(rule: Rule) -> None:
    """Put a rule in front of the others: for algorithms that others `register`."""
    RULES.insert(sum(one.first for one in RULES), rule)
