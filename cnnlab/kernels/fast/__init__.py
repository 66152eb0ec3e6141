"""Kernels compiled by numba, where it is installed: the extra ``cnnlab[fast]``.

Importing this imports no numba; the first convolution with some work in it does. ``CNNLAB_KERNELS=numpy`` leaves them
out, ``CNNLAB_KERNELS=fast`` insists on them.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from math import prod

from cnnlab.kernels import algorithm, elementwise, rules
from cnnlab.kernels.case import Case
from cnnlab.kernels.fast import activations, pooling
from cnnlab.kernels.fast.depthwise import CompiledDepthwise
from cnnlab.kernels.fast.direct import Direct
from cnnlab.kernels.fast.narrow import Narrow, spread_tile
from cnnlab.kernels.fast.processor import fault, lanes
from cnnlab.kernels.fast.winograd import CompiledWinograd, side, tiles_of
from cnnlab.kernels.pooling import providers
from cnnlab.kernels.settings import compiled_allowed, winograd_allowed

SETTING = "CNNLAB_KERNELS"
# From which sizes on the compiled kernels are ahead.
PLACES = 8  # of a map of the output
FILTERS = 4  # of a group
MACS = 50_000
LANES = 16
BLAS_FILTERS = 4  # times the places of a batch, at least: then they are few
NARROW = 12  # filters of a group, at most
SHORT = 36  # products in a sum, at most: then to turn a tile over is much of the work, and vectors along rows need not
SHORT_FULL = 0.75  # of these vectors, at least
NARROW_GRADIENT = 1.5  # times as full as with channels its vectors have to be for a gradient of weights
DEPTHWISE_WIDE = 5  # places in a row of the output, at least
SPREAD_ROOM = 2**17  # numbers of a padded picture, at most: they are added to again and again
SPREAD_STRIDED = 0.3  # how full the vectors have to be with a stride
SPREAD_STRIDED_CHANNELS = 24  # and then, at most
SPREAD_FULL = 0.7  # and without
SPREAD_CHANNELS = 8  # without a stride, at most
COL2IM = 3.0  # times the work of col2im the correlation may have
WINOGRAD_CHANNELS = 12  # of input and output, at least
# For a kernel of so many rows: tiles in the batch, at least, and tiles times channels of the smaller side.
WINOGRAD_TILES = {3: (8, 800), 5: (32, 3000)}
TRANSFORMS = 1024  # multiply-adds that take as long as the transforms of a tile, for a channel or filter: whole vectors
WINOGRAD_WORK = 1.1  # of what the direct sum takes, at most


def wanted(setting: str | None, *, installed: bool) -> bool:
    """Return whether to use the compiled kernels.

    Raises
    ------
    ValueError
        The setting is none of "numpy", "fast" and "auto".
    ImportError
        It is "fast", and numba is not installed.

    Examples
    --------
    >>> wanted(None, installed=True), wanted("numpy", installed=True)
    (True, False)
    """
    if setting not in {None, "", "auto", "numpy", "fast"}:
        raise ValueError(f'{SETTING}={setting} is no setting: choose "numpy", "fast", or "auto" for what is there')
    if setting == "fast" and not installed:
        raise ImportError(f'{SETTING}=fast needs numba, which is not installed: pip install "cnnlab[fast]"')
    return installed and setting != "numpy"


def register() -> bool:
    """Add the algorithms and their rules if they are wanted; return whether they are."""
    if not wanted(os.environ.get(SETTING), installed=find_spec("numba") is not None):
        return False
    algorithm.register(Direct())
    algorithm.register(CompiledWinograd())
    algorithm.register(CompiledDepthwise())
    algorithm.register(Narrow())
    providers.append(pooling)
    elementwise.providers.append(activations)
    for rule in RULES:
        rules.add(rule)
    return True


def _worth_it(case: Case) -> bool:
    # Fewer places than a few make no tile; with few filters of a group most of a register is empty.
    large = case.positions >= PLACES and case.filters >= FILTERS and case.macs >= MACS
    return compiled_allowed() and large and not _for_blas(case)


def _for_blas(case: Case) -> bool:
    # With registers of eight floats BLAS is ahead where a product is all there is, or places are few.
    few = case.groups == 1 and case.filters > BLAS_FILTERS * case.batch * case.positions
    return (case.taps == 1 or few) and fault(case) is None and lanes() < LANES


def _few_filters(case: Case) -> bool:
    # How full vectors along channels would be, and along rows.
    rows = case.out[-1] / (-(-case.out[-1] // LANES) * LANES)
    full = case.filters / (-(-case.filters // LANES) * LANES)
    ahead = NARROW_GRADIENT if case.work == "grad_weight" else 1.0
    few = case.filters <= NARROW and full * ahead < rows
    short = case.work == "forward" and case.filters >= FILTERS and case.depth <= SHORT and rows >= SHORT_FULL
    return compiled_allowed() and (few or short) and case.macs >= MACS


def _each_alone(case: Case) -> bool:
    alone = case.in_channels == case.groups > 1
    return compiled_allowed() and alone and case.out[-1] >= DEPTHWISE_WIDE and case.macs >= MACS


def _back(case: Case) -> bool:
    # Channels fill up vectors, and with padding the correlation has more places than the output; col2im has neither.
    channels = case.in_channels // case.groups
    filled = channels if channels <= NARROW else max(channels, LANES)
    worth = case.inputs / prod(case.stride) * filled <= COL2IM * case.positions * channels
    reversible = worth and all(s == 1 or d == 1 for s, d in zip(case.stride, case.dilation, strict=True))
    large = case.inputs >= PLACES and case.macs >= MACS
    able = case.dtype == "float32" and fault(case) is None and not _for_blas(case)
    return compiled_allowed() and reversible and large and able


def _back_with_stride(case: Case) -> bool:
    # Correlations with few filters, or filters that see one channel each, are others'.
    each_alone = case.filters == 1
    return _back(case) and set(case.stride) != {1} and case.in_channels // case.groups > NARROW and not each_alone


def _few_inputs(case: Case) -> bool:
    # Full vectors along what a window sees in a row. At stride 1 long rows of dx make as good vectors.
    if not (compiled_allowed() and case.macs >= MACS and fault(case) is None):
        return False
    tile, channels = spread_tile(case), case.in_channels // case.groups
    if tile is None or channels * prod(case.padded) > SPREAD_ROOM:
        return False
    _, vectors, valid, _ = tile
    full = 1 - (LANES - valid) / LANES / vectors
    if set(case.stride) != {1}:
        return channels <= SPREAD_STRIDED_CHANNELS and full >= SPREAD_STRIDED
    return channels <= SPREAD_CHANNELS and full >= SPREAD_FULL and case.out[-1] <= LANES


def _tiles(case: Case) -> bool:
    if not (compiled_allowed() and winograd_allowed() and case.kernel in {(3, 3), (5, 5)}):
        return False
    tiles, least = case.batch * tiles_of(case), min(case.in_channels // case.groups, case.filters)
    few, work = WINOGRAD_TILES[case.kernel[0]]
    return least >= WINOGRAD_CHANNELS and tiles >= few and tiles * least >= work and _transforms_pay(case)


def _transforms_pay(case: Case) -> bool:
    # Both multiply channels with vectors of filters; the transforms take vectors of both.
    channels, outputs = case.in_channels // case.groups, side(case) ** 2
    filled, filters = (-(-count // LANES) * LANES for count in (channels, case.filters))
    products = channels * filters
    return 36 * products + TRANSFORMS * (filled + filters) <= WINOGRAD_WORK * outputs * case.taps * products


# In the order in which they are put in front of the others: the last is read first.
RULES = [
    rules.Rule("direct", _worth_it, "compiled: the sums of a tile stay in registers while all taps pass by"),
    rules.Rule("narrow", _few_filters, "compiled: few filters or short sums, so vectors run along rows"),
    rules.Rule("depthwise_compiled", _each_alone, "compiled: each filter sees one channel"),
    rules.Rule("winograd_compiled", _tiles, "compiled: 3×3 or 5×5 at stride 1 with channels and tiles enough"),
    rules.Rule(None, _back, "compiled: a correlation with flipped kernels", frozenset({"grad_input"})),
    rules.Rule(
        "direct",
        _back_with_stride,
        "compiled: correlations with flipped kernels, one for each rest modulo the stride, woven together",
        frozenset({"grad_input"}),
    ),
    rules.Rule("narrow", _few_inputs, "compiled: spread over windows of few channels", frozenset({"grad_input"})),
    rules.Rule("depthwise_compiled", _each_alone, "compiled: even and odd rows and columns", frozenset({"grad_input"})),
]
