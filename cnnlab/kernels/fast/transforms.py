"""Winograd's transforms for F(4×4, 3×3), on vectors of channels (`cnnlab.kernels.winograd` has the formulas)."""

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


def _kernel(b: Any, g: Vectors) -> Vectors:
    sixth = b.fmul(b.fadd(g[0], g[2]), v.splat(-1 / 6))
    mixed = v.fma(b, g[0], v.splat(1 / 24), b.fmul(g[2], v.splat(1 / 6)))
    return [
        b.fmul(g[0], v.splat(1 / 4)),
        v.fma(b, g[1], v.splat(-1 / 6), sixth),
        v.fma(b, g[1], v.splat(1 / 6), sixth),
        v.fma(b, g[1], v.splat(1 / 12), mixed),
        v.fma(b, g[1], v.splat(-1 / 12), mixed),
        g[2],
    ]


def _upstream(b: Any, g: Vectors) -> Vectors:
    # A gradient of 4×4 outputs as a kernel of 4 taps.
    even, odd = b.fmul(b.fadd(g[0], g[2]), v.splat(-1 / 6)), b.fmul(b.fadd(g[1], g[3]), v.splat(-1 / 6))
    twos = b.fmul(v.fma(b, g[2], v.splat(4), g[0]), v.splat(1 / 24))
    odds = b.fmul(v.fma(b, g[3], v.splat(4), g[1]), v.splat(1 / 12))
    first = b.fmul(g[0], v.splat(1 / 4))
    return [first, b.fadd(even, odd), b.fsub(even, odd), b.fadd(twos, odds), b.fsub(twos, odds), g[3]]


def _weights(b: Any, m: Vectors) -> Vectors:
    ones, twos = b.fadd(m[1], m[2]), b.fadd(m[3], m[4])
    one, two = b.fsub(m[1], m[2]), b.fsub(m[3], m[4])
    return [
        b.fadd(b.fadd(m[0], ones), twos),
        v.fma(b, two, v.splat(2), one),
        b.fadd(v.fma(b, twos, v.splat(4), ones), m[5]),
    ]


def _output(b: Any, m: Vectors) -> Vectors:
    ones, twos = b.fadd(m[1], m[2]), b.fadd(m[3], m[4])
    one, two = b.fsub(m[1], m[2]), b.fsub(m[3], m[4])
    return [
        b.fadd(b.fadd(m[0], ones), twos),
        v.fma(b, two, v.splat(2), one),
        v.fma(b, twos, v.splat(4), ones),
        b.fadd(v.fma(b, two, v.splat(8), one), m[5]),
    ]


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
def transform_kernel(context: Any, source: Any, tap: Any, target: Any, step: Any) -> Any:
    """Transform the 9 taps of a vector of filters, so many bytes apart, likewise."""
    del context, source, tap, target, step

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        source, tap, target, step = arguments
        taps = _read(b, source, 3, b.mul(tap, v.word(3)), tap)
        _write(b, _twice(b, _kernel, taps), target, step)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), build


@intrinsic  # type: ignore[untyped-decorator]
def transform_output(context: Any, source: Any, step: Any, bias: Any, target: Any, channel: Any, row: Any) -> Any:
    """Transform 36 vectors of channels back to 4×4 outputs of each, with the bias added; steps in bytes."""
    del context, source, step, bias, target, channel, row

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        source, step, bias, target, channel, row = arguments
        for k, line, numbers in _outputs(b, source, step, bias):
            at = b.add(b.mul(channel, v.word(k)), b.mul(row, v.word(line)))
            v.store(b, numbers, b.add(target, at))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), build


@intrinsic  # type: ignore[untyped-decorator]
def transform_edge(
    context: Any,
    source: Any,
    step: Any,
    bias: Any,
    target: Any,
    channel: Any,
    row: Any,
    channels: Any,
    rows: Any,
    columns: Any,
) -> Any:
    """Do the same and write only so many channels, rows and columns."""
    del context, source, step, bias, target, channel, row, channels, rows, columns

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        source, step, bias, target, channel, row, channels, rows, columns = arguments
        count = [b.select(b.icmp_signed("<", v.word(i), rows), columns, v.word(0)) for i in range(4)]
        masks = [v.below(b, one, 4) for one in count]
        none = v.below(b, v.word(0), 4)
        for k, line, numbers in _outputs(b, source, step, bias):
            at = b.add(b.mul(channel, v.word(k)), b.mul(row, v.word(line)))
            mask = b.select(b.icmp_signed("<", v.word(k), channels), masks[line], none)
            v.store_masked(b, numbers, b.add(target, at), mask)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 9), build


def _outputs(b: Any, source: Any, step: Any, bias: Any) -> Iterator[tuple[int, int, Any]]:
    """Yield channel, row, and its 4 numbers."""
    tile = _twice(b, _output, _read(b, source, 6, b.mul(step, v.word(6)), step))
    more = v.load(b, bias)
    flat = [b.fadd(vector, more) for line in tile for vector in line]
    nothing = ir.Constant(v.VECTOR, ir.Undefined)
    for first in range(0, 16, v.WIDE):
        for k, numbers in enumerate(v.transpose(b, flat[first : first + v.WIDE])):
            for i in range(0, v.WIDE, 4):
                yield k, (first + i) // 4, v.shuffle(b, numbers, nothing, range(i, i + 4))


@intrinsic  # type: ignore[untyped-decorator]
def transform_upstream(context: Any, source: Any, row: Any, target: Any, step: Any) -> Any:
    """Transform the gradients of 4×4 outputs, each a vector of filters, to 36 vectors so many bytes apart."""
    del context, source, row, target, step

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        source, row, target, step = arguments
        _write(b, _twice(b, _upstream, _read(b, source, 4, row, v.word(BYTES))), target, step)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), build


@intrinsic  # type: ignore[untyped-decorator]
def add_weights(context: Any, source: Any, step: Any, target: Any, tap: Any) -> Any:
    """Transform 36 vectors back to the gradients of 9 taps, so many bytes apart, and add them to what is there."""
    del context, source, step, target, tap

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        source, step, target, tap = arguments
        taps = _twice(b, _weights, _read(b, source, 6, b.mul(step, v.word(6)), step))
        for i, vector in enumerate(vector for row in taps for vector in row):
            place = b.add(target, b.mul(tap, v.word(i)))
            v.store(b, b.fadd(v.load(b, place), vector), place)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), build
