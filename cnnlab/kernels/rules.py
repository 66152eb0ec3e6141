"""Which algorithm for which case: a list that is read from the top, and the first rule that fits is taken.

The numbers come from `benchmarks/conv_rules.py`, which measures them anew on another machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from cnnlab.kernels.case import Case, Work
from cnnlab.kernels.im2col import LARGE_MAP
from cnnlab.kernels.settings import winograd_allowed

# Sizes from which on, or up to which, an algorithm is ahead.
TAPS_MACS = 4_000  # less work than this is left to the readable sum over the taps
WINOGRAD_CHANNELS = 48  # of input and of output, at least
WINOGRAD_TILES = 40  # of 4×4 outputs in the batch, at least, and one for so many channels:
WINOGRAD_CHANNELS_A_TILE = 8
BATCH_LAST_BATCH = 16  # at least
BATCH_LAST_CHANNELS = 8  # at most
BATCH_LAST_PLACES = 600  # of a map of the output, less than
CHANNELS_LAST_CHANNELS = 12  # of the input, at least, so that a run of memory has some length
CHANNELS_LAST_PLACES = 400  # in the outputs of the whole batch, at least
FFT_TAPS = 200
COL2IM_RATIO = 2.5  # numbers that a correlation with flipped kernels lays out, for each that col2im adds up, at least
COL2IM_RATIO_ALONE = 1.0  # the same for a batch of one, whose memory needs no turning
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


def _many_tiles(case: Case) -> bool:
    tiles = case.batch * -(-case.out[0] // 4) * -(-case.out[1] // 4)
    channels = case.in_channels // case.groups, case.filters
    return (
        min(channels) >= WINOGRAD_CHANNELS
        and tiles >= WINOGRAD_TILES
        and tiles * WINOGRAD_CHANNELS_A_TILE >= max(channels)
    )


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
    ratio = COL2IM_RATIO_ALONE if case.batch == 1 else COL2IM_RATIO
    larger = case.inputs * case.filters >= ratio * case.positions * channels
    return not _reversible(case) or (case.taps > 1 and larger and not _back_by_winograd(case))


def _reversible(case: Case) -> bool:
    # With a stride and a dilation on one axis there is no such correlation.
    return all(s == 1 or d == 1 for s, d in zip(case.stride, case.dilation, strict=True))


def _back_by_winograd(case: Case) -> bool:
    return winograd_allowed() and case.kernel == (3, 3) and case.dense and _many_tiles(case)


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
        lambda case: winograd_allowed() and case.kernel == (3, 3) and _many_tiles(case),
        f"3×3 at stride 1, at least {WINOGRAD_CHANNELS} channels, and tiles enough to pay for the transforms",
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
        lambda case: (
            case.in_channels // case.groups >= CHANNELS_LAST_CHANNELS
            and case.batch * case.positions >= CHANNELS_LAST_PLACES
            and (case.work == "grad_weight" or (case.batch >= BATCH_LAST_BATCH and case.positions < LARGE_MAP))
        ),
        "a gradient of weights, or small maps in a large batch, with channels enough for long runs of memory",
    ),
    Rule(
        "im2col", lambda case: True, "what suits most layers: columns in tiles, and the product lies as the output does"
    ),
]


def add(rule: Rule) -> None:
    """Put a rule in front of the others: for algorithms that others `register`."""
    RULES.insert(sum(one.first for one in RULES), rule)
