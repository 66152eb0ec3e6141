"""im2col and products by cuBLAS: the windows of some pictures as columns, in a bounded workspace.

The columns of each picture by themselves give its output as it lies in memory. Where maps are small, or there are
groups, those of several pictures lie side by side for one longer product, whose result is put in place with the biases.
What follows from the sizes is kept (`Layout`): Python in front of a launch takes longer than many a kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.algorithm import OnGPU, weight_shape
from cnnlab.kernels.gpu.device import LIMIT, Grid
from cnnlab.kernels.gpu.elementwise import add_bias
from cnnlab.kernels.gpu.product import multiply
from cnnlab.kernels.gpu.window import Window, of_convolution
from cnnlab.kernels.passes import Layer
from cnnlab.kernels.settings import workspace_limit

_FLAGS = np.int32(0), np.int32(1)
SMALL_MAP = 512  # places of an output; below it the columns of several pictures lie side by side


@dataclass(frozen=True)
class Chunk:
    """Some pictures, and some places of their outputs, counted in row-major order."""

    pictures: slice
    places: slice

    @property
    def many(self) -> int:
        """Pictures."""
        return int(self.pictures.stop - self.pictures.start)

    @property
    def length(self) -> int:
        """Places of each."""
        return int(self.places.stop - self.places.start)


def chunks(case: Case, rows: int, limit: int) -> Iterator[Chunk]:
    """Cut the work so that so many rows of columns stay within so many bytes."""
    places = case.positions
    columns = max(1, min(limit // case.itemsize, LIMIT) // rows)
    if columns >= places:
        largest = max(case.in_channels * case.inputs, case.out_channels * places, 1)
        many = min(columns // places, max(1, LIMIT // largest))
        for n in range(0, case.batch, many):
            yield Chunk(slice(n, min(case.batch, n + many)), slice(0, places))
        return
    for n in range(case.batch):
        for p in range(0, places, columns):
            yield Chunk(slice(n, n + 1), slice(p, min(places, p + columns)))


@dataclass(frozen=True)
class Piece:
    """A chunk, and what its kernels are given.

    Attributes
    ----------
    chunk : Chunk
    whole : bool
        Whether it is all of the work.
    beside : bool
        Whether the columns of its pictures lie side by side.
    columns : tuple of int
        Their shape: (G, K, n·L) side by side, else (n, K, L).
    size : int
        Numbers in them.
    sums : tuple of int
        The shape of the products of what lies side by side, (G, C_out/G, n·L).
    lay_out, gather, turn : (Grid, tuple)
        The grids of im2col, of col2im, and of put_in_place and side_by_side, and the numbers behind their arrays.
    """

    chunk: Chunk
    whole: bool
    beside: bool
    columns: Ints
    size: int
    sums: Ints
    lay_out: tuple[Grid, tuple[Any, ...]]
    gather: tuple[Grid, tuple[Any, ...]]
    turn: tuple[Grid, tuple[Any, ...]]

    def pictures_of(self, x: Any) -> Any:
        """Return the chunk's part of an array (N, …)."""
        return x if self.whole else x[self.chunk.pictures]

    def places_of(self, maps: Any) -> Any:
        """Return the chunk's part of maps (N, M, P)."""
        return maps if self.whole else maps[self.chunk.pictures, :, self.chunk.places]


@dataclass(frozen=True)
class Layout:
    """How a case is cut.

    Attributes
    ----------
    window : Window
        Sizes of the scan.
    pieces : tuple of Piece
    most : int
        Numbers that the columns and products of a piece take, at most.
    """

    window: Window
    pieces: tuple[Piece, ...]
    most: int


@lru_cache(maxsize=1024)
def layout_of(layer: Layer, case: Case, limit: int) -> Layout:
    """Return how a case is cut so that columns and products take so many bytes at most."""
    window, rows = of_convolution(layer, case), _rows(case)
    pieces = tuple(_piece(window, case, chunk) for chunk in chunks(case, rows, limit))
    most = rows * max((one.chunk.many * one.chunk.length for one in pieces), default=0)
    return Layout(window, pieces, most)


def _rows(case: Case) -> int:
    return case.groups * case.depth + case.out_channels


def _piece(window: Window, case: Case, chunk: Chunk) -> Piece:
    n, first, length, taps = chunk.many, chunk.places.start, chunk.length, window.taps
    beside = case.work == "grad_weight" or case.groups > 1 or (n > 1 and case.positions < SMALL_MAP)
    columns = (case.groups, case.depth, n * length) if beside else (n, case.depth, length)
    row, picture = (n * length, length) if beside else (length, case.depth * length)
    count, inputs, outputs = (
        n * number for number in (case.in_channels * length, case.in_channels * case.inputs, case.out_channels * length)
    )
    return Piece(
        chunk,
        whole=(n, length) == (case.batch, case.positions),
        beside=beside,
        columns=columns,
        size=count * taps,
        sums=(case.groups, case.filters, n * length),
        lay_out=_given((count, case.in_channels, n, first, length, row, picture), window),
        gather=_given((inputs, case.in_channels, first, length, row, picture, int(first > 0)), window),
        turn=_given((outputs, n, case.out_channels, length, case.positions, first)),
    )


def _given(numbers: Ints, *more: Window) -> tuple[Grid, tuple[Any, ...]]:
    return device.line(numbers[0]), (*map(np.int32, numbers), *(window.argument for window in more))


class Columns(OnGPU):
    """A product of the filters with the columns of im2col."""

    name = "gpu_im2col"
    idea = "windows as columns (im2col) in a bounded workspace, and products by cuBLAS"

    def workspace(self, case: Case) -> int:
        """Return the bytes of columns, and of products that are to be put in place."""
        rows = _rows(case)
        return rows * case.itemsize * max((c.many * c.length for c in chunks(case, rows, workspace_limit())), default=0)

    def correlate(self, x: Any, w: Any, b: Any, layer: Layer, case: Case) -> Any:
        """Lay out the columns of each chunk and multiply."""
        layout = layout_of(layer, case, workspace_limit())
        dtype, memory = x.dtype, device.empty((layout.most,), x.dtype)
        w = w.reshape(case.groups, case.filters, case.depth)
        y = device.empty((case.batch, case.out_channels, *case.out), dtype)
        maps = y.reshape(case.batch, case.out_channels, case.positions)
        placed = False
        for piece in layout.pieces:
            if piece.beside:
                columns, rest = _beside(x, piece, layout.window, case, memory)
                sums = rest[: prod(piece.sums)].reshape(piece.sums)
                multiply(w, columns, sums)
                grid, sizes = piece.turn
                flags = _FLAGS[b is not None], _FLAGS[layer.relu]
                given = (sums, sums if b is None else b, piece.pictures_of(y), *sizes, *flags)
                device.start("put_in_place", dtype, grid, given)
                placed = True
            else:
                multiply(w, _by_themselves(x, piece, layout.window, case, memory), piece.places_of(maps))
        return y if placed else add_bias(y, b, relu=layer.relu)

    def correlate_weights(self, dy: Any, x: Any, layer: Layer, case: Case) -> Any:
        """Multiply dy with the columns of each chunk, side by side, and add up."""
        layout = layout_of(layer, case, workspace_limit())
        memory = device.empty((layout.most,), x.dtype)
        dw = device.empty((case.groups, case.filters, case.depth), x.dtype)
        for number, piece in enumerate(layout.pieces):
            columns, rest = _beside(x, piece, layout.window, case, memory)
            multiply(_gradients_beside(dy, piece, case, rest), columns, dw, flip_b=True, add=number > 0)
        return dw.reshape(weight_shape(case))

    def correlate_back(self, dy: Any, w: Any, spatial: Ints, layer: Layer, case: Case) -> Any:
        """Multiply back to columns, and let each input gather its own (col2im)."""
        layout = layout_of(layer, case, workspace_limit())
        memory = device.empty((layout.most,), dy.dtype)
        w = w.reshape(case.groups, case.filters, case.depth)
        dx = device.empty((case.batch, case.in_channels, *spatial), dy.dtype)
        maps = dy.reshape(case.batch, case.out_channels, case.positions)
        for piece in layout.pieces:
            target = piece.pictures_of(dx)
            if piece.beside:
                columns = memory[: piece.size].reshape(piece.columns)
                multiply(w, _gradients_beside(dy, piece, case, memory[piece.size :]), columns, flip_a=True)
            elif layout.window.is_pixel:
                columns = piece.places_of(dx.reshape(case.batch, case.in_channels, case.positions))
                multiply(w, piece.places_of(maps), columns, flip_a=True)
                continue
            else:
                columns = memory[: piece.size].reshape(piece.columns)
                multiply(w, piece.places_of(maps), columns, flip_a=True)
            grid, sizes = piece.gather
            device.start("col2im", dy.dtype, grid, (columns, target, *sizes))
        return dx


def _by_themselves(x: Any, piece: Piece, window: Window, case: Case, memory: Any) -> Any:
    """Return the columns of each picture, (n, K, L); those of a 1×1 kernel are the picture itself."""
    if window.is_pixel:
        return piece.places_of(x.reshape(case.batch, case.in_channels, -1))
    return _laid_out(x, piece, memory)


def _beside(x: Any, piece: Piece, window: Window, case: Case, memory: Any) -> tuple[Any, Any]:
    """Return the columns of all pictures side by side, (G, K, n·L), and the memory that they leave."""
    if window.is_pixel and piece.chunk.many == 1:
        maps = x.reshape(case.batch, case.groups, case.depth, case.positions)
        return maps[piece.chunk.pictures.start, :, :, piece.chunk.places], memory
    return _laid_out(x, piece, memory), memory[piece.size :]


def _laid_out(x: Any, piece: Piece, memory: Any) -> Any:
    columns = memory[: piece.size].reshape(piece.columns)
    grid, sizes = piece.lay_out
    device.start("im2col", x.dtype, grid, (piece.pictures_of(x), columns, *sizes))
    return columns


def _gradients_beside(dy: Any, piece: Piece, case: Case, memory: Any) -> Any:
    """Return dy of all pictures side by side, (G, C_out/G, n·L)."""
    if piece.chunk.many == 1:
        some = dy.reshape(case.batch, case.groups, case.filters, case.positions)
        return some[piece.chunk.pictures.start, :, :, piece.chunk.places]
    some = memory[: prod(piece.sums)].reshape(piece.sums)
    grid, sizes = piece.turn
    device.start("side_by_side", dy.dtype, grid, (piece.pictures_of(dy), some, *sizes))
    return some
