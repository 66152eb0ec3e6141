"""im2col and products by cuBLAS: the windows of some pictures as columns, in a bounded workspace.

The columns of each picture by themselves give its output as it lies in memory. Where maps are small, or there are
groups, those of several pictures lie side by side for one longer product, and its result is put in place by a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.algorithm import OnGPU, weight_shape
from cnnlab.kernels.gpu.device import LIMIT, launch
from cnnlab.kernels.gpu.product import multiply
from cnnlab.kernels.gpu.window import Window, of_convolution
from cnnlab.kernels.passes import Layer
from cnnlab.kernels.settings import workspace_limit

SMALL_MAP = 512  # places of an output; below it the columns of several pictures lie side by side. Not measured


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


def chunks(case: Case, rows: int) -> Iterator[Chunk]:
    """Cut the work so that so many rows of columns stay within the limit of `cnnlab.kernels.workspace_limit`."""
    places = case.positions
    columns = max(1, min(workspace_limit() // case.itemsize, LIMIT) // rows)
    if columns >= places:
        many = min(columns // places, max(1, LIMIT // max(case.in_channels * case.inputs, 1)))
        for n in range(0, case.batch, many):
            yield Chunk(slice(n, min(case.batch, n + many)), slice(0, places))
        return
    for n in range(case.batch):
        for p in range(0, places, columns):
            yield Chunk(slice(n, n + 1), slice(p, min(places, p + columns)))


class Columns(OnGPU):
    """A product of the filters with the columns of im2col."""

    name = "gpu_im2col"
    idea = "windows as columns (im2col) in a bounded workspace, and products by cuBLAS"

    def workspace(self, case: Case) -> int:
        """Return the bytes of columns, and of products that are to be put in place."""
        rows = self._rows(case)
        most = max((one.many * one.length for one in chunks(case, rows)), default=0)
        return most * rows * case.itemsize

    def correlate(self, x: Any, w: Any, b: Any, layer: Layer, case: Case) -> Any:
        """Lay out the columns of each chunk and multiply."""
        cupy, shape = device.library(), of_convolution(layer, case)
        w = w.reshape(case.groups, case.filters, case.depth)
        y = cupy.empty((case.batch, case.out_channels, *case.out), x.dtype)
        maps = y.reshape(case.batch, case.out_channels, case.positions)
        for chunk in chunks(case, self._rows(case)):
            target = maps[chunk.pictures, :, chunk.places]  # (n, C_out, L)
            if _side_by_side(case, chunk):
                columns = _side_columns(x, chunk, shape, case)
                sums = cupy.empty((case.groups, case.filters, columns.shape[2]), x.dtype)
                multiply(w, columns, sums)
                sums = sums.reshape(case.out_channels, chunk.many, chunk.length).swapaxes(0, 1)
                if b is None:
                    target[...] = sums
                else:
                    cupy.add(sums, b[:, None], out=target)
            else:
                multiply(w, _columns(x, chunk, shape, case), target)
                if b is not None:
                    target += b[:, None]
        return y

    def correlate_weights(self, dy: Any, x: Any, layer: Layer, case: Case) -> Any:
        """Multiply dy with the columns of each chunk, side by side, and add up."""
        cupy, shape = device.library(), of_convolution(layer, case)
        dw = cupy.empty((case.groups, case.filters, case.depth), x.dtype)
        maps = dy.reshape(case.batch, case.out_channels, case.positions)
        for number, chunk in enumerate(chunks(case, self._rows(case))):
            upstream = _side_gradients(maps, chunk, case)
            multiply(upstream, _side_columns(x, chunk, shape, case), dw, flip_b=True, add=number > 0)
        return dw.reshape(weight_shape(case))

    def correlate_back(self, dy: Any, w: Any, spatial: Ints, layer: Layer, case: Case) -> Any:
        """Multiply back to columns, and let each input gather its own (col2im)."""
        cupy, shape = device.library(), of_convolution(layer, case)
        w = w.reshape(case.groups, case.filters, case.depth)
        dx = cupy.empty((case.batch, case.in_channels, *spatial), dy.dtype)
        maps = dy.reshape(case.batch, case.out_channels, case.positions)
        for chunk in chunks(case, self._rows(case)):
            target, n, L = dx[chunk.pictures], chunk.many, chunk.length
            if _side_by_side(case, chunk):
                columns = cupy.empty((case.groups, case.depth, n * L), dy.dtype)
                multiply(w, _side_gradients(maps, chunk, case), columns, flip_a=True)
                row, picture = n * L, L
            elif shape.is_pixel:
                columns = target.reshape(n, case.in_channels, case.positions)[:, :, chunk.places]
                multiply(w, maps[chunk.pictures, :, chunk.places], columns, flip_a=True)
                continue
            else:
                columns = cupy.empty((n, case.depth, L), dy.dtype)
                multiply(w, maps[chunk.pictures, :, chunk.places], columns, flip_a=True)
                row, picture = L, case.depth * L
            begun = chunk.places.start
            sizes = (target.size, case.in_channels, begun, L, row, picture, int(begun > 0))
            launch("col2im", dy.dtype, target.size, columns, target, *sizes, *shape.arguments)
        return dx

    @staticmethod
    def _rows(case: Case) -> int:
        return case.groups * case.depth + case.out_channels


def _side_by_side(case: Case, chunk: Chunk) -> bool:
    return case.groups > 1 or (chunk.many > 1 and case.positions < SMALL_MAP)


def _columns(x: Any, chunk: Chunk, shape: Window, case: Case) -> Any:
    """Return the columns of each picture, (n, K, L); those of a 1×1 kernel are the picture itself."""
    if shape.is_pixel:
        return x.reshape(case.batch, case.in_channels, -1)[chunk.pictures, :, chunk.places]
    columns = device.library().empty((chunk.many, case.depth, chunk.length), x.dtype)
    _im2col(x, columns, chunk, shape, (chunk.length, case.depth * chunk.length))
    return columns


def _side_columns(x: Any, chunk: Chunk, shape: Window, case: Case) -> Any:
    """Return the columns of all pictures side by side, (G, K, n·L)."""
    if shape.is_pixel and chunk.many == 1:
        maps = x.reshape(case.batch, case.groups, case.depth, case.positions)
        return maps[chunk.pictures.start, :, :, chunk.places]
    columns = device.library().empty((case.groups, case.depth, chunk.many * chunk.length), x.dtype)
    _im2col(x, columns, chunk, shape, (chunk.many * chunk.length, chunk.length))
    return columns


def _side_gradients(maps: Any, chunk: Chunk, case: Case) -> Any:
    """Return dy of all pictures side by side, (G, C_out/G, n·L)."""
    if chunk.many == 1:
        some = maps.reshape(case.batch, case.groups, case.filters, case.positions)
        return some[chunk.pictures.start, :, :, chunk.places]
    some = device.library().ascontiguousarray(maps[chunk.pictures, :, chunk.places].swapaxes(0, 1))
    return some.reshape(case.groups, case.filters, chunk.many * chunk.length)


def _im2col(x: Any, columns: Any, chunk: Chunk, shape: Window, steps: tuple[int, int]) -> None:
    """Fill in the columns, whose rows and pictures lie so many numbers apart."""
    some, channels = x[chunk.pictures], x.shape[1]
    count = channels * chunk.many * chunk.length
    sizes = (count, channels, chunk.many, chunk.places.start, chunk.length, *steps)
    launch("im2col", x.dtype, count, some, columns, *sizes, *shape.arguments)
