"""Which algorithm for which case: a list that is read from the top, and the first rule that fits is taken.

The numbers come from `benchmarks/conv_rules.py`, which measures them anew on another machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnnlab.kernels.case import Case
from cnnlab.kernels.settings import winograd_allowed

# Sizes from which on, or up to which, an algorithm is ahead.
TAPS_MACS = 4_000  # less work than this is left to the readable sum over the taps
WINOGRAD_CHANNELS = 48  # of input and of output
WINOGRAD_TILES = 48  # of 4×4 outputs, in the whole batch, at 128 channels; more with more channels
BATCH_LAST_BATCH = 16
BATCH_LAST_CHANNELS = 32
FFT_TAPS = 100


@dataclass(frozen=True)
class Rule:
    """An algorithm, the cases that it is for, and the reason."""

    algorithm: str
    fits: Callable[[Case], bool]
    because: str


def _many_tiles(case: Case) -> bool:
    tiles = case.batch * -(-case.out[0] // 4) * -(-case.out[1] // 4)
    channels = min(case.in_channels, case.out_channels) // case.groups
    return channels >= WINOGRAD_CHANNELS and tiles * 128 >= WINOGRAD_TILES * case.filters


RULES: list[Rule] = [
    Rule("depthwise", lambda case: case.in_channels == case.groups > 1, "each filter sees one channel"),
    Rule("pointwise", lambda case: case.taps == 1, "a 1×1 kernel sees one pixel: nothing has to be laid out"),
    Rule(
        "winograd",
        lambda case: winograd_allowed() and case.kernel == (3, 3) and _many_tiles(case),
        f"3×3 at stride 1 with {WINOGRAD_CHANNELS} channels and more, and enough 4×4 tiles to pay for the transforms",
    ),
    Rule(
        "batch_last",
        lambda case: case.batch >= BATCH_LAST_BATCH and case.in_channels // case.groups <= BATCH_LAST_CHANNELS,
        f"a batch of {BATCH_LAST_BATCH} and more, and at most {BATCH_LAST_CHANNELS} channels to lay out anew",
    ),
    Rule("im2col", lambda case: True, "what suits most layers: columns in tiles that fit the cache"),
]


def add(rule: Rule) -> None:
    """Put a rule in front of all others: for algorithms that others `register`."""
    RULES.insert(0, rule)
