"""The micro-kernel: P pixels times 2 vectors of output channels, held in registers while all inputs pass by.

A convolution and the gradient of its weights are the same sum,
``out[m, p] = Σ_r x[first + r_offset[r] + p] · w[r, m]``. In the forward pass p is a place in a row of the output, m an
output channel, and r a tap of an input channel. In the gradient of the weights p is a tap in a row of the kernel, and r
is a place in the output. A table of offsets says all about kernel, stride, dilation and the number of axes; nothing is
laid out as columns.

14 pixels times 2 vectors of 16 floats fill 28 of the 32 registers of AVX-512; 6 times 2 of 8 floats fill 12 of AVX2's
16. Each step loads 2 vectors of weights, multiplies each with each of the P numbers, and stores nothing. With one
vector a step takes a run of neighbors r, and a number of x serves as many pixels as it stands under.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v

BYTES = 4 * v.WIDE  # of a vector
AHEAD = 1024  # bytes of weights that are asked for before they are needed
BEYOND = 128  # bytes behind the pixels of a tile that are asked for: the next tiles'


@intrinsic  # type: ignore[untyped-decorator]
def to_channels(
    context: Any,
    lines: Any,
    places: Any,
    vectors: Any,
    run: Any,
    x: Any,
    line_step: Any,
    r_offset: Any,
    count: Any,
    w: Any,
    w_step: Any,
    bias: Any,
    out: Any,
    out_step: Any,
    channels: Any,
    floor: Any,
) -> Any:
    """Sum for ``len(lines)`` rows of ``len(places)`` neighbors, from the bias on, and write (channels, pixels).

    The first four are tuples whose length counts, so that each size is a type, compiled by itself: the two above, the
    vectors of channels, and neighbors r that a step takes (the table has the offset of the first). The others are
    addresses and steps in bytes, the number of such steps, how many channels are to be written, and what no sum is
    written below.
    """
    del context, floor
    rest = x, line_step, r_offset, count, w, w_step, bias, out, out_step, channels

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        high, wide, deep, run = (kind.count for kind in signature.args[:4])
        x, line_step, r_offset, count, w, w_step, bias, out, out_step, channels, floor = arguments[4:]
        vectors = [v.load(b, v.at(b, bias, i * BYTES)) for i in range(deep)]
        first = [list(vectors) for _ in range(high * wide)]
        sums = _sum(b, first, (high, wide), run, ([x], line_step, r_offset, count, w, w_step))
        _store_channels(b, sums, out, out_step, channels, floor)
        return context.get_dummy_value()

    return types.void(lines, places, vectors, run, *[types.intp] * len(rest), types.float32), build


@intrinsic  # type: ignore[untyped-decorator]
def to_rows(
    context: Any,
    lines: Any,
    places: Any,
    vectors: Any,
    run: Any,
    apart: Any,
    x: Any,
    line_offset: Any,
    r_offset: Any,
    count: Any,
    w: Any,
    w_step: Any,
    out: Any,
    out_line: Any,
    out_step: Any,
) -> Any:
    """Add the same sums to rows of channels, one for each pixel, with steps from line to line and pixel to pixel.

    ``line_offset`` is the address of where each line begins; without ``apart`` their steps are equal.
    """
    del context
    rest = x, line_offset, r_offset, count, w, w_step, out, out_line, out_step

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        high, wide, deep, run, apart = (kind.count for kind in signature.args[:5])
        x, line_offset, r_offset, count, w, w_step, out, out_line, out_step = arguments[5:]

        def place(p: int, i: int) -> Any:
            line, pixel = divmod(p, wide)
            row = b.add(out, b.add(b.mul(out_line, v.word(line)), b.mul(out_step, v.word(pixel))))
            return v.at(b, row, i * BYTES)

        first = [[v.load(b, place(p, i)) for i in range(deep)] for p in range(high * wide)]
        begins = [v.load(b, v.at(b, line_offset, 8 * line), v.WORD) for line in range(high)]
        step = b.sub(begins[-1], begins[-2]) if high > 1 else v.word(0)
        xs = [b.add(x, begin) for begin in (begins if apart else begins[:1])]
        sums = _sum(b, first, (high, wide), run, (xs, step, r_offset, count, w, w_step))
        for p, of_pixel in enumerate(sums):
            for i, vector in enumerate(of_pixel):
                v.store(b, vector, place(p, i))
        return context.get_dummy_value()

    return types.void(lines, places, vectors, run, apart, *[types.intp] * len(rest)), build


@intrinsic  # type: ignore[untyped-decorator]
def to_tiles(
    context: Any,
    tiles: Any,
    vectors: Any,
    gap: Any,
    x: Any,
    r_offset: Any,
    count: Any,
    w: Any,
    w_step: Any,
    out: Any,
    out_step: Any,
    add: Any,
) -> Any:
    """Write the same sums for ``len(tiles)`` pixels, ``len(gap)`` numbers apart, to rows of channels.

    If ``add`` is not 0 they are added to what stands there.
    """
    del context
    rest = x, r_offset, count, w, w_step, out, out_step, add

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        wide, deep, gap = (kind.count for kind in signature.args[:3])
        x, r_offset, count, w, w_step, out, out_step, add = arguments[3:]

        def place(p: int, i: int) -> Any:
            return v.at(b, b.add(out, b.mul(out_step, v.word(p))), i * BYTES)

        before, old, begin = b.block, b.append_basic_block("old"), b.append_basic_block("begin")
        b.cbranch(b.icmp_signed("!=", add, v.word(0)), old, begin)
        b.position_at_end(old)
        there = [[v.load(b, place(p, i)) for i in range(deep)] for p in range(wide)]
        b.branch(begin)
        b.position_at_end(begin)
        first = [[b.phi(v.VECTOR) for _ in range(deep)] for _ in range(wide)]
        for phi, vector in zip(chain(*first), chain(*there), strict=True):
            phi.add_incoming(v.splat(0), before)
            phi.add_incoming(vector, old)
        sums = _sum(b, first, (1, wide), 1, ([x], v.word(0), r_offset, count, w, w_step), gap=gap)
        for p, of_pixel in enumerate(sums):
            for i, vector in enumerate(of_pixel):
                v.store(b, vector, place(p, i))
        return context.get_dummy_value()

    return types.void(tiles, vectors, gap, *[types.intp] * len(rest)), build


def _sum(
    b: Any, first: list[list[Any]], shape: tuple[int, int], run: int, arguments: Any, gap: int = 1
) -> list[list[Any]]:
    """Build the loop over r; return the vectors of each pixel. Pixels are so many numbers apart.

    Each step takes ``run`` summands, whose offsets are one number apart: then a number of x serves as many pixels.
    ``xs`` are the addresses of all lines, or of the first of some with equal steps.
    """
    xs, line_step, r_offset, count, w, w_step = arguments
    high, wide = shape
    places = [(p, i) for p in range(high * wide) for i in range(len(first[0]))]
    before, loop, after = b.block, b.append_basic_block("reduce"), b.append_basic_block("reduced")
    b.branch(loop)
    b.position_at_end(loop)
    r, weights = b.phi(v.WORD), b.phi(v.WORD)
    sums = {place: b.phi(v.VECTOR) for place in places}
    offset = v.load(b, b.add(r_offset, b.shl(r, v.word(3))), v.WORD)
    columns, next_weights = [], weights
    for _ in range(run):
        columns.append([v.load(b, v.at(b, next_weights, i * BYTES)) for i in range(len(first[0]))])
        next_weights = b.add(next_weights, w_step)
    if run == 1:
        for i in range(len(first[0])):
            v.prefetch(b, v.at(b, weights, AHEAD + i * BYTES))
        v.prefetch(b, v.at(b, b.add(xs[0], offset), BEYOND))
    new = dict(sums)
    rows: list[Any] = []
    sights = [(line, seen) for line in range(high) for seen in range(wide + run - 1)]
    if run > 1:  # no sum waits for its own last summand
        sights.sort(key=itemgetter(1))
    for line, seen in sights:
        if line == len(rows):
            rows.append(b.add(xs[line], offset) if line < len(xs) else b.add(rows[-1], line_step))
        number = v.broadcast(b, v.load(b, v.at(b, rows[line], 4 * gap * seen), v.FLOAT))
        for pixel in range(max(0, seen - run + 1), min(wide, seen + 1)):
            for i, column in enumerate(columns[seen - pixel]):
                place = line * wide + pixel, i
                new[place] = v.fma(b, number, column, new[place])
    next_r = b.add(r, v.word(1))
    for phi, begin, end in [(r, v.word(0), next_r), (weights, w, next_weights)]:
        phi.add_incoming(begin, before)
        phi.add_incoming(end, loop)
    for p, i in places:
        sums[p, i].add_incoming(first[p][i], before)
        sums[p, i].add_incoming(new[p, i], loop)
    b.cbranch(b.icmp_signed("<", next_r, count), loop, after)
    b.position_at_end(after)
    return [[new[p, i] for i in range(len(first[0]))] for p in range(high * wide)]


def _store_channels(b: Any, sums: list[list[Any]], out: Any, step: Any, channels: Any, floor: Any) -> None:
    """Turn (pixels, channels) over and store the channels that there are."""
    floor = v.broadcast(b, floor)
    pixels, wide = len(sums), len(sums[0])
    nothing = ir.Constant(v.VECTOR, ir.Undefined)
    done = b.append_basic_block("stored")
    for i in range(wide):
        columns = v.transpose(b, [sums[p][i] for p in range(pixels)] + [nothing] * (v.WIDE - pixels))
        for k in range(v.WIDE):
            channel = i * v.WIDE + k
            v.store_first(b, v.at_least(b, floor, columns[k]), b.add(out, b.mul(step, v.word(channel))), pixels)
            more = b.append_basic_block("more")
            b.cbranch(b.icmp_signed(">", channels, v.word(channel + 1)), more, done)
            b.position_at_end(more)
    b.branch(done)
    b.position_at_end(done)


@intrinsic  # type: ignore[untyped-decorator]
def square(context: Any, source: Any, source_step: Any, rows: Any, target: Any, target_step: Any) -> Any:
    """Copy a square of numbers turned over, for steps from row to row in bytes.

    If there are fewer rows than the square has, the last is taken again: what it gives is read by nobody.
    """
    del context, source, source_step, rows, target, target_step
    return types.void(*[types.intp] * 5), _turned_over


@intrinsic  # type: ignore[untyped-decorator]
def part_of_square(
    context: Any, source: Any, source_step: Any, rows: Any, columns: Any, target: Any, target_step: Any
) -> Any:
    """Do the same for rows of so many numbers, as if there were zeros behind them."""
    del context, source, source_step, rows, columns, target, target_step
    return types.void(*[types.intp] * 6), _turned_over


@intrinsic  # type: ignore[untyped-decorator]
def columns_of_square(
    context: Any, source: Any, source_step: Any, rows: Any, columns: Any, target: Any, target_step: Any
) -> Any:
    """Do the same, and write only the columns that there are; the step between them may be negative."""
    del context, source, source_step, rows, columns, target, target_step

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        *taken, target, target_step = arguments
        done = b.append_basic_block("stored")
        for i, column in enumerate(_columns(b, *taken)):
            v.store(b, column, b.add(target, b.mul(target_step, v.word(i))))
            more = b.append_basic_block("more")
            b.cbranch(b.icmp_signed(">", taken[3], v.word(i + 1)), more, done)
            b.position_at_end(more)
        b.branch(done)
        b.position_at_end(done)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), build


def _turned_over(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
    del signature
    *taken, target, target_step = arguments
    for i, column in enumerate(_columns(b, *taken)):
        v.store(b, column, b.add(target, b.mul(target_step, v.word(i))))
    return context.get_dummy_value()


def _columns(b: Any, source: Any, source_step: Any, rows: Any, columns: Any = None) -> list[Any]:
    """Return the columns of a square, of which there are so many rows and, if that is given, columns."""
    last = b.sub(rows, v.word(1))
    places = [b.select(b.icmp_signed("<", v.word(i), rows), v.word(i), last) for i in range(v.WIDE)]
    addresses = [b.add(source, b.mul(source_step, place)) for place in places]
    return v.transpose(b, [v.load(b, one) if columns is None else v.load_first(b, one, columns) for one in addresses])


@intrinsic  # type: ignore[untyped-decorator]
def get(context: Any, address: Any) -> Any:
    """Return the float at an address."""
    del context, address

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return v.load(b, arguments[0], v.FLOAT)

    return types.float32(types.intp), build


@intrinsic  # type: ignore[untyped-decorator]
def put(context: Any, address: Any, number: Any) -> Any:
    """Put a float at an address."""
    del context, address, number

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        v.store(b, arguments[1], arguments[0])
        return context.get_dummy_value()

    return types.void(types.intp, types.float32), build


@intrinsic  # type: ignore[untyped-decorator]
def move(context: Any, source: Any, target: Any) -> Any:
    """Copy a vector from one address to another."""
    del context, source, target

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        v.store(b, v.load(b, arguments[0]), arguments[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), build


@intrinsic  # type: ignore[untyped-decorator]
def move_between(context: Any, source: Any, target: Any, low: Any, high: Any) -> Any:
    """Write a vector of the numbers from place ``low`` to before ``high`` of an address, and zeros around them."""
    del context, source, target, low, high

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        source, target, low, high = arguments
        v.store(b, v.load_between(b, source, low, high), target)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), build


@intrinsic  # type: ignore[untyped-decorator]
def deal(context: Any, ways: Any, source: Any, target: Any, target_step: Any, low: Any, high: Any) -> Any:
    """Deal out numbers to ``len(ways)`` vectors in turn, a power of two; there are zeros but from ``low`` to ``high``.

    The vectors are written ``target_step`` bytes apart, in their order.
    """
    del context, source, target, target_step, low, high

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        ways, (source, target, target_step, low, high) = signature.args[0].count, arguments[1:]
        here = [v.at(b, source, i * BYTES) for i in range(ways)]
        inside = b.and_(b.icmp_signed("<=", low, v.word(0)), b.icmp_signed(">=", high, v.word(ways * v.WIDE)))
        whole, partly, loaded = (b.append_basic_block(name) for name in ("whole", "partly", "loaded"))
        b.cbranch(inside, whole, partly)
        b.position_at_end(whole)
        all_there = [v.load(b, one) for one in here]
        b.branch(loaded)
        b.position_at_end(partly)
        befores = [v.word(i * v.WIDE) for i in range(ways)]
        some_there = [
            v.load_between(b, one, b.sub(low, before), b.sub(high, before))
            for one, before in zip(here, befores, strict=True)
        ]
        b.branch(loaded)
        b.position_at_end(loaded)
        vectors = [b.phi(v.VECTOR) for _ in here]
        for phi, one, other in zip(vectors, all_there, some_there, strict=True):
            phi.add_incoming(one, whole)
            phi.add_incoming(other, partly)
        for way, vector in enumerate(_dealt(b, vectors)):
            v.store(b, vector, b.add(target, b.mul(target_step, v.word(way))))
        return context.get_dummy_value()

    return types.void(ways, *[types.intp] * 5), build


def _dealt(b: Any, vectors: list[Any]) -> list[Any]:
    """Return the numbers of a row of vectors dealt out in turn to as many: those at even places and at odd ones."""
    if len(vectors) == 1:
        return vectors
    pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
    even, odd = (_dealt(b, [v.shuffle(b, *pair, range(first, 2 * v.WIDE, 2)) for pair in pairs]) for first in (0, 1))
    return [vector for both in zip(even, odd, strict=True) for vector in both]


@intrinsic  # type: ignore[untyped-decorator]
def put_zeros(context: Any, target: Any) -> Any:
    """Put a vector of zeros at an address."""
    del context, target

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        v.store(b, v.splat(0), arguments[0])
        return context.get_dummy_value()

    return types.void(types.intp), build
