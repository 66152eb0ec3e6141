"""One filter for each channel: no product of matrices, but shifted inputs times one weight, added up.

Each tap shifts the whole map and multiplies it by one number for each channel. In memory a shifted map is one long run
of numbers, if the outputs are computed in rows as long as those of the padded input, and what stands at the ends of
rows, where there is no output, is left out in the end: NumPy is far faster at one long run than at many rows. With a
stride the input is first dealt out into maps in which the places that a tap sees lie side by side. Some maps are taken
at a time, so that they stay in the cache while all taps pass over them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

MAP_BYTES = 256 * 2**10  # of the outputs that are worked on at a time


@dataclass(frozen=True)
class _Runs:
    """How the maps of a case lie in memory while they are computed.

    Attributes
    ----------
    sizes : tuple of int
        Of the maps that the padded input is dealt out into: itself, unless there is a stride.
    phases : tuple of tuples of int
        For each such map the first place that it takes on each axis.
    taps : tuple of (int, int)
        For each tap its map, and where in it the run begins that the tap sees.
    pitches : tuple of int
        Steps from place to place in a run, for each axis of the output.
    length : int
        Of a run, from the first output to the last.
    """

    sizes: Ints
    phases: tuple[Ints, ...]
    taps: tuple[tuple[int, int], ...]
    pitches: Ints
    length: int


@lru_cache(maxsize=256)
def _runs(padded: Ints, kernel: Ints, out: Ints, stride: Ints, dilation: Ints) -> _Runs:
    sizes = tuple(-(-n // s) for n, s in zip(padded, stride, strict=True))
    pitches = tuple(prod(sizes[axis + 1 :]) for axis in range(len(sizes)))
    phases: dict[Ints, int] = {}
    taps = []
    for tap in np.ndindex(*kernel):
        places = [t * d for t, d in zip(tap, dilation, strict=True)]
        phase = tuple(place % s for place, s in zip(places, stride, strict=True))
        first = sum(place // s * pitch for place, s, pitch in zip(places, stride, pitches, strict=True))
        taps.append((phases.setdefault(phase, len(phases)), first))
    length = sum((n - 1) * pitch for n, pitch in zip(out, pitches, strict=True)) + 1
    return _Runs(sizes, tuple(phases), tuple(taps), pitches, length)


@contextmanager
def _dealt_out(x: FloatArray, runs: _Runs, stride: Ints) -> Iterator[FloatArray]:
    """Lend some maps (maps, *padded) as (phases, maps, places); without a stride it may be the maps themselves."""
    if len(runs.phases) == 1 and x.shape[1:] == runs.sizes and x.flags.c_contiguous:
        yield x.reshape(1, len(x), -1)
        return
    with workspace.borrow((len(runs.phases), len(x), *runs.sizes), x.dtype) as dealt:
        for target, phase in zip(dealt, runs.phases, strict=True):
            part = x[(slice(None), *(slice(first, None, s) for first, s in zip(phase, stride, strict=True)))]
            if part.shape != target.shape:
                target[...] = 0  # the last row or column of a phase may not be there
            target[tuple(slice(n) for n in part.shape)] = part
        yield dealt.reshape(len(runs.phases), len(x), -1)


def _places(flat: FloatArray, runs: _Runs, out: Ints) -> FloatArray:
    """Return the view (maps, *out) of runs (maps, length): the places where there is an output."""
    steps = [pitch * flat.itemsize for pitch in runs.pitches]
    return as_strided(flat, (len(flat), *out), (flat.strides[0], *steps))


class Depthwise(Algorithm):
    """Shifted multiply-add, for kernels that see one channel."""

    name = "depthwise"
    idea = "each channel by itself: the shifted map times the weight of each tap, added up"
    grouped = True

    def fault(self, case: Case) -> str | None:
        """Refuse filters that see several channels."""
        seen = case.in_channels // case.groups
        return None if seen == 1 else f"each filter sees {seen} channels, not one"

    def workspace(self, case: Case) -> int:
        """Return the bytes of the sums, of one tap's products, and of the maps that a stride deals out."""
        runs = _runs(case.padded, case.kernel, case.out, case.stride, case.dilation)
        dealt = len(runs.phases) * prod(runs.sizes) if len(runs.phases) > 1 else 0
        return (2 * runs.length + dealt) * self._many(runs, case.groups, case.itemsize) * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return w (channels, filters of one channel, taps)."""
        return w.reshape(case.groups, -1, case.taps)

    def _many(self, runs: _Runs, channels: int, itemsize: int) -> int:
        return min(channels, max(1, MAP_BYTES // (runs.length * itemsize)))

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Add up what the taps contribute, some maps at a time."""
        G, out = case.groups, y.shape[2:]
        y = y.reshape(y.shape[0], G, -1, *out, copy=False)
        runs = _runs(x.shape[2:], case.kernel, out, case.stride, case.dilation)
        many = self._many(runs, G, x.itemsize)
        with (
            workspace.borrow((many, runs.length), x.dtype) as sums,
            workspace.borrow((many, runs.length), x.dtype) as terms,
        ):
            for n, first in product(range(len(x)), range(0, G, many)):
                some = slice(first, min(first + many, G))
                total, term = sums[: some.stop - first], terms[: some.stop - first]
                with _dealt_out(x[n, some], runs, case.stride) as seen:
                    for f in range(weights.shape[1]):
                        for i, (phase, start) in enumerate(runs.taps):
                            shifted = seen[phase, :, start : start + runs.length]
                            np.multiply(shifted, weights[some, f, i, None], out=term if i else total)
                            if i:
                                total += term
                        if b is not None:
                            total += b.reshape(G, -1)[some, f, None]
                        y[n, some, f] = _places(total, runs, out)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case) -> None:
        """Add up the products of the gradient with the shifted input, for each tap and channel."""
        G, out = case.groups, dy.shape[2:]
        dy = dy.reshape(dy.shape[0], G, -1, *out)
        dw = dw.reshape(G, -1, case.taps, copy=False)
        runs = _runs(x.shape[2:], case.kernel, out, case.stride, case.dilation)
        many = self._many(runs, G, x.itemsize)
        with workspace.borrow((many, runs.length), x.dtype) as spread:
            spread[...] = 0  # and so it stays where there is no output
            for n, first in product(range(len(x)), range(0, G, many)):
                some = slice(first, min(first + many, G))
                upstream = spread[: some.stop - first]
                with _dealt_out(x[n, some], runs, case.stride) as seen:
                    for f in range(dw.shape[1]):
                        _places(upstream, runs, out)[...] = dy[n, some, f]
                        for i, (phase, start) in enumerate(runs.taps):
                            shifted = seen[phase, :, start : start + runs.length]
                            dw[some, f, i] += np.vecdot(upstream, shifted)


register(Depthwise())
