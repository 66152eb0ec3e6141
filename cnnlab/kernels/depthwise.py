"""One filter for each channel: shifted maps side by side, and a product of vector and matrix for each channel.

What a tap sees is the map, shifted. In memory that is one long run of numbers, if the outputs are computed in rows as
long as those of the padded input, and what stands at the ends of rows, where there is no output, is left out in the
end: NumPy copies one long run far faster than many rows. With a stride windows are laid out as they are; only for the
gradient of the weights, which reads runs where they lie, the input is dealt out into maps in which the places that a
tap sees lie side by side. Some maps are taken at a time, so that all this stays in the cache.
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
from cnnlab.kernels.arrays import FloatArray, Ints, at, tile_size, tiles, windows
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

COLUMNS_BYTES = 2**20  # of what all taps see, side by side
MAP_BYTES = 256 * 2**10  # of the maps that are worked on at a time where runs are only read


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
    """Lend some maps (maps, *padded) as (phases, maps, *sizes); without a stride it may be the maps themselves."""
    if len(runs.phases) == 1 and x.shape[1:] == runs.sizes and x[:1].flags.c_contiguous:
        yield x[None]
        return
    with workspace.borrow((len(runs.phases), len(x), *runs.sizes), x.dtype) as dealt:
        for target, phase in zip(dealt, runs.phases, strict=True):
            part = x[(slice(None), *(slice(first, None, s) for first, s in zip(phase, stride, strict=True)))]
            if part.shape != target.shape:
                target[...] = 0  # the last row or column of a phase may not be there
            target[tuple(slice(n) for n in part.shape)] = part
        yield dealt


def _as_taps_see(maps: FloatArray, runs: _Runs, case: Case) -> FloatArray:
    """Return the view (..., *kernel, length) of maps (..., *sizes) that lie in a row each: the run that each tap sees.

    There is one phase: without a stride, or where all taps lie a multiple of it from each other.
    """
    axes = zip(runs.pitches, case.dilation, case.stride, strict=True)
    steps = [pitch * (gap // s) * maps.itemsize for pitch, gap, s in axes]
    before = maps.ndim - len(case.kernel)
    shape = (*maps.shape[:before], *case.kernel, runs.length)
    return as_strided(maps, shape, (*maps.strides[:before], *steps, maps.itemsize), writeable=False)


class Depthwise(Algorithm):
    """Shifted maps times the weights of the taps, for kernels that see one channel."""

    name = "depthwise"
    idea = "each channel by itself: the map as each tap sees it, shifted, and a filter times these"
    grouped = True

    def fault(self, case: Case) -> str | None:
        """Refuse filters that see several channels."""
        seen = case.in_channels // case.groups
        return None if seen == 1 else f"each filter sees {seen} channels, not one"

    def workspace(self, case: Case) -> int:
        """Return the bytes of what the taps see, of the sums, and of the maps that a stride deals out."""
        runs = _runs(case.padded, case.kernel, case.out, case.stride, case.dilation)
        if case.work == "grad_weight":
            dealt = len(runs.phases) * prod(runs.sizes) if len(runs.phases) > 1 else 0
            return (_room(runs, case.out) + dealt) * _many(runs.length, case, MAP_BYTES) * case.itemsize
        if set(case.stride) != {1}:
            places = tile_size(case.out, _places_at_a_time(case))
            return case.taps * places * _many(case.taps * places, case, COLUMNS_BYTES) * case.itemsize
        columns = case.taps * min(runs.length, _places_at_a_time(case))
        many = _many(case.taps * runs.length, case, COLUMNS_BYTES)
        return (columns + case.filters * _room(runs, case.out)) * many * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return w (channels, filters of one channel, taps)."""
        return w.reshape(case.groups, -1, case.taps)

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Lay out what the taps see, some maps at a time, and multiply."""
        y = y.reshape(len(y), case.groups, case.filters, *y.shape[2:], copy=False)
        if b is not None:
            b = b.reshape(case.groups, case.filters, 1)
        if set(case.stride) == {1}:
            _by_runs(x, weights, b, y, case)
        else:
            _by_windows(x, weights, b, y, case)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case, *, add: bool) -> None:
        """Add up the products of the gradient with the shifted input, for each tap and channel."""
        G, out = case.groups, dy.shape[2:]
        dy = dy.reshape(dy.shape[0], G, -1, *out)
        dw = dw.reshape(G, -1, case.taps, copy=False)
        if not add:
            dw[...] = 0
        runs = _runs(x.shape[2:], case.kernel, out, case.stride, case.dilation)
        many = _many(runs.length, case, MAP_BYTES)
        with workspace.borrow((many, out[0], *runs.sizes[1:]), x.dtype) as spread:
            spread[...] = 0  # and so it stays where there is no output
            places, run = spread[_inside(out)], spread.reshape(many, -1)[:, : runs.length]
            for n, first in product(range(len(x)), range(0, G, many)):
                some = slice(first, min(first + many, G))
                count = some.stop - first
                with _dealt_out(x[n, some], runs, case.stride) as maps:
                    for f in range(dw.shape[1]):
                        np.copyto(places[:count], dy[n, some, f])
                        _add_products(run[:count], maps, dw[some, f], runs, case)


def _add_products(upstream: FloatArray, maps: FloatArray, dw: FloatArray, runs: _Runs, case: Case) -> None:
    """Add to dw (channels, taps) the products of runs (channels, length) with what the taps see of the dealt maps."""
    if len(maps) == 1:
        seen = _as_taps_see(maps[0], runs, case)
        upstream = upstream.reshape(len(upstream), *(1,) * len(case.kernel), -1, copy=False)
        dw += np.vecdot(upstream, seen).reshape(dw.shape)
        return
    flat = maps.reshape(*maps.shape[:2], -1, copy=False)
    for i, (phase, start) in enumerate(runs.taps):
        dw[:, i] += np.vecdot(upstream, flat[phase, :, start : start + runs.length])


def _by_runs(x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray, case: Case) -> None:
    """Write y (n, G, filters, *out) for x (n, G, *padded): each map as each tap sees it, in one run."""
    if not x[:1, :1].flags.c_contiguous:
        with workspace.borrow(x.shape, x.dtype) as copied:
            np.copyto(copied, x)
            _by_runs(copied, weights, b, y, case)
        return
    G, out = case.groups, y.shape[3:]
    runs = _runs(x.shape[2:], case.kernel, out, case.stride, case.dilation)
    piece, many = min(runs.length, _places_at_a_time(case)), _many(case.taps * runs.length, case, COLUMNS_BYTES)
    seen, inside = _as_taps_see(x, runs, case), _inside(out)
    with (
        workspace.borrow((many * case.taps * piece,), x.dtype) as memory,
        workspace.borrow((many, case.filters, out[0], *runs.sizes[1:]), x.dtype) as maps,
    ):
        sums = maps.reshape(many, case.filters, -1)
        for n, first in product(range(len(x)), range(0, G, many)):
            some = slice(first, min(first + many, G))
            count = some.stop - first
            for begin in range(0, runs.length, piece):
                stop = min(begin + piece, runs.length)
                part = seen[n, some, ..., begin:stop]
                columns = memory[: part.size]
                np.copyto(columns.reshape(part.shape), part)
                np.matmul(weights[some], columns.reshape(count, case.taps, -1), out=sums[:count, :, begin:stop])
            if b is None:
                np.copyto(y[n, some], maps[:count][inside])
            else:
                np.add(maps[:count][inside], b[some].reshape(count, -1, *(1,) * len(out)), out=y[n, some])


def _by_windows(x: FloatArray, weights: FloatArray, b: FloatArray | None, y: FloatArray, case: Case) -> None:
    """Write y likewise, from the windows: with a stride there are no runs, and fewer places."""
    G, out = case.groups, y.shape[3:]
    y = y.reshape(*y.shape[:3], -1, copy=False)
    at_most = _places_at_a_time(case)
    places = tile_size(out, at_most)
    many = _many(case.taps * places, case, COLUMNS_BYTES)
    with workspace.borrow((many * case.taps * places,), x.dtype) as memory:
        for n, first in product(range(len(x)), range(0, G, many)):
            some = slice(first, min(first + many, G))
            seen = windows(x[n, some], case.kernel, out, case.stride, case.dilation)  # (channels, *kernel, *out)
            for box, start, stop in tiles(out, at_most):
                part = seen[at(box)]
                columns = memory[: part.size]
                np.copyto(columns.reshape(part.shape), part)
                place = y[n, some, :, start:stop]
                np.matmul(weights[some], columns.reshape(len(part), case.taps, -1), out=place)
                if b is not None:
                    place += b[some]


def _inside(out: Ints) -> tuple[Any, ...]:
    """Return what takes the places of an output from maps with rows as long as those of the input."""
    return (Ellipsis, *(slice(n) for n in out))


def _room(runs: _Runs, out: Ints) -> int:
    """Return how many numbers such a map has."""
    return out[0] * runs.pitches[0]


def _places_at_a_time(case: Case) -> int:
    """Return how many places what the taps see is laid out for."""
    return max(1, COLUMNS_BYTES // (case.taps * case.itemsize))


def _many(numbers: int, case: Case, most: int) -> int:
    """Return how many channels with so many numbers each are worked on at a time."""
    return min(case.groups, max(1, most // max(1, numbers * case.itemsize)))


register(Depthwise())
