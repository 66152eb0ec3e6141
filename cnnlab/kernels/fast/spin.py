"""Signals between threads that none of them sleeps for, for `cnnlab.kernels.workers`.

Whoever waits here does so without the interpreter's lock, and whoever tells something here does so when it has let go
of that lock. For a thread that finds it taken falls asleep, and it takes about 60 microseconds until it is awake again.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.loops import compiled
from cnnlab.kernels.workers import AWAKE, BEGIN, BEGUN, DONE

LOOKS = 30_000  # 25 to 50 ns each
SOME = 50  # of them
LOOKS_AT_BEGUN = 3_000
LOOKS_TO_LET_GO = 150  # until a thread that says that it begins has let go of the interpreter

_sched_yield = types.ExternalFunction("sched_yield", types.int32())


@intrinsic  # type: ignore[untyped-decorator]
def _look(context: Any, address: Any) -> Any:
    """Return the number at an address as another thread wrote it, after a moment's pause."""
    del context, address

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        b.call(v.declared(b, "llvm.x86.sse2.pause", ir.FunctionType(ir.VoidType(), [])), [])
        return b.load_atomic(v.pointer(b, arguments[0], v.WORD), "acquire", 8)

    return types.int64(types.intp), build


@intrinsic  # type: ignore[untyped-decorator]
def _tell(context: Any, address: Any, value: Any) -> Any:
    """Write a number for another thread, behind all that was written before."""
    del context, address, value

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature
        b.store_atomic(arguments[1], v.pointer(b, arguments[0], v.WORD), "release", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.int64), build


@compiled
def _wait_for(address: int) -> None:
    """Return when the number at an address is no longer 0, at the latest after about a millisecond."""
    for _ in range(LOOKS // SOME):
        for _ in range(SOME):
            if _look(address) != 0:
                return
        _sched_yield()  # perhaps whoever is to send the signal waits for this very core


@compiled
def next_work(signals: int, finished: bool) -> None:
    """Say that the last work is done, if there was one; return when there is more, or after about a millisecond."""
    if finished:
        _tell(signals + 8 * DONE, 1)
    _tell(signals + 8 * AWAKE, 1)
    _wait_for(signals + 8 * BEGIN)
    _tell(signals + 8 * AWAKE, 0)


@compiled
def hand_over(signals: int) -> None:
    """Say that there is work, and let a thread that is awake have the interpreter until its compiled work begins."""
    awake = _look(signals + 8 * AWAKE)
    _tell(signals + 8 * BEGIN, 1)
    if awake != 0:
        for _ in range(LOOKS_AT_BEGUN):
            if _look(signals + 8 * BEGUN) != 0:
                for _ in range(LOOKS_TO_LET_GO):
                    _look(signals + 8 * BEGUN)
                return


@compiled
def wait_until_done(signals: int) -> None:
    """Return when the work is done, or after about a millisecond."""
    _wait_for(signals + 8 * DONE)
