"""Vectors of single floats in LLVM's intermediate language: the few operations that the kernels are made of.

Numba compiles a function by building LLVM instructions; an *intrinsic* is a function that builds its own. So a kernel
can say which numbers shall stay in which registers, which a loop in Python, or in C, leaves to the compiler's taste.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import config
from numba.core.codegen import get_host_cpu_features

FLOAT = ir.FloatType()
WORD = ir.IntType(64)
_INT = ir.IntType(32)


def lanes_of(features: str) -> int:
    """Return how many floats a register holds for which there is a tile: 16 with AVX-512, 8 with AVX2, else 0.

    Examples
    --------
    >>> lanes_of("+avx,+avx2,+fma,-avx512f")
    8
    """
    have = {name[1:] for name in features.split(",") if name.startswith("+")}
    if {"avx512f", "avx512vl", "avx512dq"} <= have:
        return 16
    return 8 if {"avx2", "fma"} <= have else 0


LANES = lanes_of(config.CPU_FEATURES if config.CPU_FEATURES is not None else get_host_cpu_features())
WIDE = LANES or 8
VECTOR = ir.VectorType(FLOAT, WIDE)
_BITS = ir.VectorType(ir.IntType(1), WIDE)


def word(value: int) -> Any:
    """Return a constant."""
    return ir.Constant(WORD, value)


def splat(value: float) -> Any:
    """Return a constant vector of equal numbers."""
    return ir.Constant(VECTOR, [float(value)] * WIDE)


def pointer(b: Any, address: Any, to: Any) -> Any:
    """Return an address as a pointer."""
    return b.inttoptr(address, to.as_pointer())


def at(b: Any, address: Any, offset: int) -> Any:
    """Return the address so many bytes further."""
    return b.add(address, word(offset)) if offset else address


def load(b: Any, address: Any, of: Any = VECTOR) -> Any:
    """Return what stands there; floats need not be aligned to vectors."""
    value = b.load(pointer(b, address, of))
    value.align = 8 if of is WORD else 4
    return value


def store(b: Any, value: Any, address: Any) -> None:
    """Put a number or vector there."""
    b.store(value, pointer(b, address, value.type)).align = 4


def store_first(b: Any, value: Any, address: Any, count: int) -> None:
    """Put the first numbers of a vector there, and touch nothing behind them."""
    if count == WIDE:
        store(b, value, address)
        return
    store_masked(b, value, address, ir.Constant(_BITS, [int(i < count) for i in range(WIDE)]))


def store_masked(b: Any, value: Any, address: Any, mask: Any) -> None:
    """Put those numbers of a vector there whose bit is set, and touch nothing else."""
    kind = ir.FunctionType(ir.VoidType(), [value.type, value.type.as_pointer(), _INT, mask.type])
    function = declared(b, f"llvm.masked.store.v{value.type.count}f32.p0", kind)
    b.call(function, [value, pointer(b, address, value.type), ir.Constant(_INT, 4), mask])


def load_first(b: Any, address: Any, count: Any) -> Any:
    """Return the first numbers that stand there and zeros behind them; nothing behind them is read."""
    return _load_masked(b, address, below(b, count))


def load_between(b: Any, address: Any, low: Any, high: Any) -> Any:
    """Return the numbers from one lane to before another, and zeros around them; nothing else is read."""
    return _load_masked(b, address, b.and_(below(b, high), b.not_(below(b, low))))


def _load_masked(b: Any, address: Any, mask: Any) -> Any:
    kind = ir.FunctionType(VECTOR, [VECTOR.as_pointer(), _INT, _BITS, VECTOR])
    function = declared(b, f"llvm.masked.load.v{WIDE}f32.p0", kind)
    return b.call(function, [pointer(b, address, VECTOR), ir.Constant(_INT, 4), mask, splat(0)])


def below(b: Any, count: Any, width: int = WIDE) -> Any:
    """Return for each lane whether its number is below a count."""
    lanes = ir.VectorType(_INT, width)
    none = ir.Constant(lanes, ir.Undefined)
    first = b.insert_element(none, b.trunc(count, _INT), ir.Constant(_INT, 0))
    equal = b.shuffle_vector(first, none, ir.Constant(lanes, [0] * width))
    return b.icmp_signed("<", ir.Constant(lanes, list(range(width))), equal)


def broadcast(b: Any, number: Any) -> Any:
    """Return a vector that holds the number in every lane."""
    none = ir.Constant(VECTOR, ir.Undefined)
    first = b.insert_element(none, number, ir.Constant(_INT, 0))
    return b.shuffle_vector(first, none, ir.Constant(ir.VectorType(_INT, WIDE), [0] * WIDE))


def fma(b: Any, x: Any, y: Any, z: Any) -> Any:
    """Return x·y + z, rounded once."""
    name = f"llvm.fma.v{WIDE}f32"
    return b.call(declared(b, name, ir.FunctionType(VECTOR, [VECTOR] * 3)), [x, y, z])


def at_least(b: Any, floor: Any, x: Any) -> Any:
    """Return the larger of the floor and x in each lane; NaN in x stays."""
    return b.select(b.fcmp_ordered(">", floor, x), floor, x)


def prefetch(b: Any, address: Any) -> None:
    """Ask for memory that will be read soon."""
    byte = ir.IntType(8).as_pointer()
    function = declared(b, "llvm.prefetch.p0", ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT]))
    b.call(function, [b.inttoptr(address, byte), *(ir.Constant(_INT, i) for i in (0, 3, 1))])


def shuffle(b: Any, x: Any, y: Any, lanes: Sequence[int]) -> Any:
    """Return the vector of these lanes of x and, counted on, of y."""
    return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(_INT, len(lanes)), list(lanes)))


def transpose(b: Any, rows: Sequence[Any]) -> list[Any]:
    """Return the columns of a square of vectors, by exchanging halves, then quarters, and so on."""
    rows = list(rows)
    step = 1
    while step < WIDE:
        new = [None] * WIDE
        for i in range(WIDE):
            if not i & step:
                x, y = rows[i], rows[i | step]
                new[i] = shuffle(b, x, y, [(k ^ step) + WIDE if k & step else k for k in range(WIDE)])
                new[i | step] = shuffle(b, x, y, [k + WIDE if k & step else k | step for k in range(WIDE)])
        rows, step = new, 2 * step
    return rows


def declared(b: Any, name: str, kind: Any) -> Any:
    """Return a function of LLVM by its name, declared once a module."""
    return b.module.globals.get(name) or ir.Function(b.module, kind, name)
