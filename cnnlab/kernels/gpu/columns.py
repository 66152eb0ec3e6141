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
from cnnlab.kernels.gpu.elementwise import add_bias
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
        return self._most(case) * case.itemsize

    def correlate(self, x: Any, w: Any, b: Any, layer: Layer, case: Case) -> Any:
        """Lay out the columns of each chunk and multiply."""
        shape, memory = of_convolution(layer, case), device.empty((self._most(case),), x.dtype)
        w = w.reshape(case.groups, case.filters, case.depth)
        y = device.empty((case.batch, case.out_channels, *case.out), x.dtype)
        maps = y.reshape(case.batch, case.out_channels, case.positions)
        for chunk in chunks(case, self._rows(case)):
            target = maps[chunk.pictures, :, chunk.places]  # (n, C_out, L)
            if _side_by_side(case, chunk):
                columns, rest = _side_columns(x, chunk, shape, case, memory)
                sums = rest[: target.size].reshape(case.groups, case.filters, columns.shape[2])
                multiply(w, columns, sums)
                target[...] = sums.reshape(case.out_channels, chunk.many, chunk.length).swapaxes(0, 1)
            else:
                multiply(w, _columns(x, chunk, shape, case, memory), target)
        return add_bias(y, b, relu=layer.relu)

    def correlate_weights(self, dy: Any, x: Any, layer: Layer, case: Case) -> Any:
        """Multiply dy with the columns of each chunk, side by side, and add up."""
        shape, memory = of_convolution(layer, case), device.empty((self._most(case),), x.dtype)
        dw = device.empty((case.groups, case.filters, case.depth), x.dtype)
        maps = dy.reshape(case.batch, case.out_channels, case.positions)
        for number, chunk in enumerate(chunks(case, self._rows(case))):
            columns, rest = _side_columns(x, chunk, shape, case, memory)
            multiply(_side_gradients(maps, chunk, case, rest), columns, dw, flip_b=True, add=number > 0)
        return dw.reshape(weight_shape(case))

    def correlate_back(self, dy: Any, w: Any, spatial: Ints, layer: Layer, case: Case) -> Any:
        """Multiply back to columns, and let each input gather its own (col2im)."""
        shape, memory = of_convolution(layer, case), device.empty((self._most(case),), dy.dtype)
        w = w.reshape(case.groups, case.filters, case.depth)
        dx = device.empty((case.batch, case.in_channels, *spatial), dy.dtype)
        maps = dy.reshape(case.batch, case.out_channels, case.positions)
        for chunk in chunks(case, self._rows(case)):
            target, n, L = dx[chunk.pictures], chunk.many, chunk.length
            upstream, size = maps[chunk.pictures, :, chunk.places], case.groups * case.depth * n * L
            if _side_by_side(case, chunk):
                columns = memory[:size].reshape(case.groups, case.depth, n * L)
                multiply(w, _side_gradients(maps, chunk, case, memory[size:]), columns, flip_a=True)
                row, picture = n * L, L
            elif shape.is_pixel:
                columns = target.reshape(n, case.in_channels, case.positions)[:, :, chunk.places]
                multiply(w, upstream, columns, flip_a=True)
                continue
            else:
                columns = memory[:size].reshape(n, case.depth, L)
                multiply(w, upstream, columns, flip_a=True)
                row, picture = L, case.depth * L
            begun = chunk.places.start
            sizes = (target.size, case.in_channels, begun, L, row, picture, int(begun > 0))
            launch("col2im", dy.dtype, target.size, columns, target, *sizes, *shape.arguments)
        return dx

    def _most(self, case: Case) -> int:
        """Return the numbers of the largest chunk's columns and products."""
        rows = self._rows(case)
        return rows * max((one.many * one.length for one in chunks(case, rows)), default=0)

    @staticmethod
    def _rows(case: Case) -> int:
        return case.groups * case.depth + case.out_channels


def _side_by_side(case: Case, chunk: Chunk) -> bool:
    return case.groups > 1 or (chunk.many > 1 and case.positions < SMALL_MAP)


def _columns(x: Any, chunk: Chunk, shape: Window, case: Case, memory: Any) -> Any:
    """Return the columns of each picture, (n, K, L); those of a 1×1 kernel are the picture itself."""
    if shape.is_pixel:
        return x.reshape(case.batch, case.in_channels, -1)[chunk.pictures, :, chunk.places]
    columns = memory[: chunk.many * case.depth * chunk.length].reshape(chunk.many, case.depth, chunk.length)
    _im2col(x, columns, chunk, shape, (chunk.length, case.depth * chunk.length))
    return columns


def _side_columns(x: Any, chunk: Chunk, shape: Window, case: Case, memory: Any) -> tuple[Any, Any]:
    """Return the columns of all pictures side by side, (G, K, n·L), and the memory that they leave."""
    if shape.is_pixel and chunk.many == 1:
        maps = x.reshape(case.batch, case.groups, case.depth, case.positions)
        return maps[chunk.pictures.start, :, :, chunk.places], memory
    width = chunk.many * chunk.length
    size = case.groups * case.depth * width
    columns = memory[:size].reshape(case.groups, case.depth, width)
    _im2col(x, columns, chunk, shape, (width, chunk.length))
    return columns, memory[size:]


def _side_gradients(maps: Any, chunk: Chunk, case: Case, memory: Any) -> Any:
    """Return dy of all pictures side by side, (G, C_out/G, n·L)."""
    if chunk.many == 1:
        some = maps.reshape(case.batch, case.groups, case.filters, case.positions)
        return some[chunk.pictures.start, :, :, chunk.places]
    shape = case.out_channels, chunk.many, chunk.length
    some = memory[: case.out_channels * chunk.many * chunk.length].reshape(shape)
    some[...] = maps[chunk.pictures, :, chunk.places].swapaxes(0, 1)
    return some.reshape(case.groups, case.filters, chunk.many * chunk.length)


def _im2col(x: Any, columns: Any, chunk: Chunk, shape: Window, steps: tuple[int, int]) -> None:
    """Fill in the columns, whose rows and pictures lie so many numbers apart."""
    some, channels = x[chunk.pictures], x.shape[1]
    count = channels * chunk.many * chunk.length
    sizes = (count, channels, chunk.many, chunk.places.start, chunk.length, *steps)
    launch("im2col", x.dtype, count, some, columns, *sizes, *shape.arguments)
