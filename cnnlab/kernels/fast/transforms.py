"""Winograd's transforms with six points, on vectors of channels.

With them m outputs of r taps take m + r - 1 = 6 products an axis: F(4, 3) for kernels of 3, F(2, 5) for those of 5, and
F(3, 4) and F(5, 2) for their gradients, where a tile of gradients stands in for the kernel. The transform of the input
is the same for all; the others follow from the points (`cnnlab.kernels.winograd_matrices` has them as matrices).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.micro import BYTES

Vectors = list[Any]


def _input(b: Any, d: Vectors) -> Vectors:
    even, odd = v.fma(b, d[2], v.splat(-4), d[4]), v.fma(b, d[1], v.splat(-4), d[3])
    near, far = b.fsub(d[4], d[2]), b.fmul(b.fsub(d[3], d[1]), v.splat(2))
    first = v.fma(b, d[0], v.splat(4), v.fma(b, d[2], v.splat(-5), d[4]))
    last = v.fma(b, d[1], v.splat(4), v.fma(b, d[3], v.splat(-5), d[5]))
    return [first, b.fadd(even, odd), b.fsub(even, odd), b.fadd(near, far), b.fsub(near, far), last]


def _at_points(b: Any, g: Vectors) -> Vectors:
    # A polynomial with these coefficients at 0, 1, -1, 2, -2 and infinity, each over what Lagrange divides by.
    def total(some: Vectors, factors: list[float]) -> Any:
        first, *rest = zip(some, factors, strict=True)
        found = b.fmul(first[0], v.splat(first[1]))
        for vector, factor in rest:
            found = v.fma(b, vector, v.splat(factor), found)
        return found

    even, odd = g[::2], g[1::2]
    ones, one = total(even, [-1 / 6] * len(even)), total(odd, [-1 / 6] * len(odd))
    twos = total(even, [4**i / 24 for i in range(len(even))])
    two = total(odd, [4**i / 12 for i in range(len(odd))])
    first = b.fmul(g[0], v.splat(1 / 4))
    return [first, b.fadd(ones, one), b.fsub(ones, one), b.fadd(twos, two), b.fsub(twos, two), g[-1]]


def _from_points(count: int) -> Callable[[Any, Vectors], Vectors]:
    # So many sums of the values there times powers of the points.
    def sums(b: Any, m: Vectors) -> Vectors:
        ones, twos = b.fadd(m[1], m[2]), b.fadd(m[3], m[4])
        one, two = b.fsub(m[1], m[2]), b.fsub(m[3], m[4])
        found = [b.fadd(b.fadd(m[0], ones), twos)]
        for i in range(1, count):
            found.append(v.fma(b, two if i % 2 else twos, v.splat(2**i), one if i % 2 else ones))
        found[-1] = b.fadd(found[-1], m[5])
        return found

    return sums


def _twice(b: Any, along: Callable[[Any, Vectors], Vectors], square: list[Vectors]) -> list[Vectors]:
    """Transform the columns, then the rows."""
    columns = [along(b, [row[j] for row in square]) for j in range(len(square))]
    return [along(b, [column[i] for column in columns]) for i in range(len(columns[0]))]


def _read(b: Any, address: Any, side: int, row: Any, column: Any) -> list[Vectors]:
    def place(i: int, j: int) -> Any:
        return b.add(address, b.add(b.mul(row, v.word(i)), b.mul(column, v.word(j))))

    return [[v.load(b, place(i, j)) for j in range(side)] for i in range(side)]


def _write(b: Any, square: list[Vectors], address: Any, step: Any) -> None:
    for i, row in enumerate(square):
        for j, vector in enumerate(row):
            v.store(b, vector, b.add(address, b.mul(step, v.word(6 * i + j))))


@intrinsic  # type: ignore[untyped-decorator]
def transform_input(context: Any, source: Any, row: Any, target: Any, step: Any) -> Any:
    """Transform 6×6 neighbors, each a vector of channels; write 36 vectors so many bytes apart."""
    del context, source, row, target, step

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        source, row, target, step = arguments
        _write(b, _twice(b, _input, _read(b, source, 6, row, v.word(BYTES))), target, step)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), build


@intrinsic  # type: ignore[untyped-decorator]
def transform_kernel(context: Any, side: Any, source: Any, row: Any, column: Any, target: Any, step: Any) -> Any:
    """Transform ``len(side)`` times so many neighbors: taps of a kernel, or gradients of outputs; likewise."""
    del context
    rest = source, row, column, target, step

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        _, source, row, column, target, step = arguments
        numbers = _read(b, source, signature.args[0].count, row, column)
        _write(b, _twice(b, _at_points, numbers), target, step)
        return context.get_dummy_value()

    return types.void(side, *[types.intp] * len(rest)), build


@intrinsic  # type: ignore[untyped-decorator]
def transform_output(
    context: Any, side: Any, source: Any, step: Any, bias: Any, target: Any, channel: Any, row: Any, floor: Any
) -> Any:
    """Transform 36 vectors of channels back to ``len(side)`` squared outputs of each, with the bias; steps in bytes.

    Nothing is written below the floor.
    """
    del context, source, step, bias, target, channel, row, floor

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        _, source, step, bias, target, channel, row, floor = arguments
        for k, line, numbers in _outputs(b, signature.args[0].count, source, step, bias, floor):
            at = b.add(b.mul(channel, v.word(k)), b.mul(row, v.word(line)))
            v.store(b, numbers, b.add(target, at))
        return context.get_dummy_value()

    return types.void(side, *[types.intp] * 6, types.float32), build


@intrinsic  # type: ignore[untyped-decorator]
def transform_edge(
    context: Any,
    side: Any,
    source: Any,
    step: Any,
    bias: Any,
    target: Any,
    channel: Any,
    row: Any,
    channels: Any,
    rows: Any,
    columns: Any,
    floor: Any,
) -> Any:
    """Do the same and write only so many channels, rows and columns."""
    del context, source, step, bias, target, channel, row, channels, rows, columns, floor

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        _, source, step, bias, target, channel, row, channels, rows, columns, floor = arguments
        side = signature.args[0].count
        count = [b.select(b.icmp_signed("<", v.word(i), rows), columns, v.word(0)) for i in range(side)]
        masks = [v.below(b, one, side) for one in count]
        none = v.below(b, v.word(0), side)
        for k, line, numbers in _outputs(b, side, source, step, bias, floor):
            at = b.add(b.mul(channel, v.word(k)), b.mul(row, v.word(line)))
            mask = b.select(b.icmp_signed("<", v.word(k), channels), masks[line], none)
            v.store_masked(b, numbers, b.add(target, at), mask)
        return context.get_dummy_value()

    return types.void(side, *[types.intp] * 9, types.float32), build


def _outputs(b: Any, side: int, source: Any, step: Any, bias: Any, floor: Any) -> Iterator[tuple[int, int, Any]]:
    """Yield channel, row, and the numbers of the row."""
    tile = _twice(b, _from_points(side), _read(b, source, 6, b.mul(step, v.word(6)), step))
    more, floor = v.load(b, bias), v.broadcast(b, floor)
    nothing = ir.Constant(v.VECTOR, ir.Undefined)
    flat = [v.at_least(b, floor, b.fadd(vector, more)) for line in tile for vector in line]
    for first in range(0, len(flat), v.WIDE):
        some = flat[first : first + v.WIDE]
        for k, numbers in enumerate(v.transpose(b, some + [nothing] * (v.WIDE - len(some)))):
            for i in range(0, len(some), side):
                yield k, (first + i) // side, v.shuffle(b, numbers, nothing, range(i, i + side))


@intrinsic  # type: ignore[untyped-decorator]
def add_weights(context: Any, side: Any, source: Any, step: Any, target: Any, tap: Any) -> Any:
    """Transform 36 vectors back to the gradients of ``len(side)`` squared taps, and add them to what is there."""
    del context, source, step, target, tap

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        _, source, step, target, tap = arguments
        sums = _from_points(signature.args[0].count)
        taps = _twice(b, sums, _read(b, source, 6, b.mul(step, v.word(6)), step))
        for i, vector in enumerate(vector for row in taps for vector in row):
            place = b.add(target, b.mul(tap, v.word(i)))
            v.store(b, b.fadd(v.load(b, place), vector), place)
        return context.get_dummy_value()

    return types.void(side, *[types.intp] * 4), build
