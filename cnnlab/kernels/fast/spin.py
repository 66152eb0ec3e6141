"""Signals between threads that none of them sleeps for, for `cnnlab.kernels.workers`, and jobs by such signals.

Whoever waits here does so without the interpreter's lock, and whoever tells something here does so when it has let go
of that lock. For a thread that finds it taken falls asleep, and it takes about 60 microseconds until it is awake again.

A job is compiled code and the arguments of its shares, a row of words for each. A worker that looks out for work does
its own share without the interpreter, then others that nobody has begun, and looks out for the next job; what no worker
has begun when the giver is done, the giver does too. So a slow core, or one that others use as well, does less.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.workers import AWAKE, BEGIN, DONE, JOB

LOOKS = 30_000  # 25 to 50 ns each
SOME = 50  # of them

IDLE, POSTED, RUNNING = 0, 1, 2  # what a job can be
# Words of a job behind its state: where its code is, its common arguments, the worker's own row and the first row;
# bytes from each row to the next; how many rows there are, how many of them have all their words, and how many words
# come from the own row else; where the number of the next row is; and whether a row failed.
CODE, FIXED, OWN_ROW, ROW, STEP, ROWS, WHOLE, OWN, NEXT, FAILED = range(JOB + 1, JOB + 11)
JOB_CODE = ir.FunctionType(v.WORD, [v.WORD, v.WORD])  # of the common arguments and a row; not 0: it failed

_sched_yield = types.ExternalFunction("sched_yield", types.int32())


@intrinsic  # type: ignore[untyped-decorator]
def _pause(context: Any) -> Any:
    """Do nothing for a moment."""

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature, arguments
        b.call(v.declared(b, "llvm.x86.sse2.pause", ir.FunctionType(ir.VoidType(), [])), [])
        return context.get_dummy_value()

    return types.void(), build


@intrinsic  # type: ignore[untyped-decorator]
def _seen(context: Any, address: Any) -> Any:
    """Return the number at an address as another thread wrote it, with all that it wrote before."""
    del context, address

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
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


@intrinsic  # type: ignore[untyped-decorator]
def _exchange(context: Any, address: Any, old: Any, new: Any) -> Any:
    """Write a number if another one is there still; return whether it was."""
    del context, address, old, new

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        place, *values = arguments
        found = b.cmpxchg(v.pointer(b, place, v.WORD), *values, "acq_rel", "acquire")
        return b.extract_value(found, 1)

    return types.boolean(types.intp, types.int64, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _count(context: Any, address: Any) -> Any:
    """Return the number at an address, and add one to it there, before any other thread does."""
    del context, address

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return b.atomic_rmw("add", v.pointer(b, arguments[0], v.WORD), v.word(1), "acq_rel")

    return types.int64(types.intp), build


@intrinsic  # type: ignore[untyped-decorator]
def _run(context: Any, code: Any, fixed: Any, row: Any) -> Any:
    """Run a job's code for a row; return what is not 0 if it failed."""
    del context, code, fixed, row

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        code, *given = arguments
        return b.call(v.pointer(b, code, JOB_CODE), given)

    return types.int64(types.intp, types.intp, types.intp), build


@compiled
def _look(address: int) -> int:
    """Return the number at an address as another thread wrote it, after a moment's pause."""
    _pause()
    seen: int = _seen(address)
    return seen


@compiled
def _wait_for(address: int) -> None:
    """Return when the number at an address is no longer 0, at the latest after about a millisecond."""
    for _ in range(LOOKS // SOME):
        for _ in range(SOME):
            if _look(address) != 0:
                return
        _sched_yield()  # perhaps whoever is to send the signal waits for this very core


@compiled
def _rows_of_job(
    code: int, fixed: int, own_row: int, row: int, step: int, rows: int, whole: int, own: int, next_row: int
) -> int:
    """Run the code for a row, then for others that nobody has begun; return what is not 0 if it failed for one.

    Rows behind the first ``whole`` ones lack ``own`` words at their beginning, which are taken from ``own_row``: they
    say what memory is the thread's.
    """
    failed: int = _run(code, fixed, own_row)
    while True:
        i = _count(next_row)
        if i >= rows:
            return failed
        taken = row + i * step
        if i >= whole:
            for word in range(8 * own, step, 8):
                _tell(own_row + word, _seen(taken + word))
            taken = own_row
        failed |= _run(code, fixed, taken)


@compiled
def next_work(signals: int, finished: bool) -> None:
    """Say that the last work is done, if there was one; return when there is more, or after about a millisecond.

    Jobs that come meanwhile are done here.
    """
    if finished:
        _tell(signals + 8 * DONE, 1)
    _tell(signals + 8 * AWAKE, 1)
    looks = 0
    while looks < LOOKS:
        looks += 1
        if looks % SOME == 0:
            _sched_yield()
        if _look(signals + 8 * BEGIN) != 0:
            break
        if _seen(signals + 8 * JOB) == POSTED and _exchange(signals + 8 * JOB, POSTED, RUNNING):
            failed = _rows_of_job(
                _seen(signals + 8 * CODE), _seen(signals + 8 * FIXED), _seen(signals + 8 * OWN_ROW),
                _seen(signals + 8 * ROW), _seen(signals + 8 * STEP), _seen(signals + 8 * ROWS),
                _seen(signals + 8 * WHOLE), _seen(signals + 8 * OWN), _seen(signals + 8 * NEXT),
            )  # fmt: skip
            _tell(signals + 8 * FAILED, failed)
            _tell(signals + 8 * JOB, IDLE)
            looks = 0
    _tell(signals + 8 * AWAKE, 0)


@compiled
def share_out(code: int, fixed: int, shares: Any) -> int:
    """Run a job's code for all its rows, some of them in workers; return what is not 0 if it failed for one.

    ``fixed`` is where its common arguments lie. ``shares`` are seven numbers: where the addresses of the workers'
    signals lie, how many workers there are, and of the rows where the first lies, bytes from each to the next, how many
    there are, and what `_rows_of_job` has of them. Each thread begins with a row of its own, a whole one. Behind the
    last row there is room for a word.
    """
    signals, workers, row, step, rows, whole, own = shares
    threads, next_row = workers + 1, row + rows * step
    _tell(next_row, threads)
    for i in range(1, threads):
        worker = _seen(signals + 8 * (i - 1))
        _tell(worker + 8 * CODE, code)
        _tell(worker + 8 * FIXED, fixed)
        _tell(worker + 8 * OWN_ROW, row + i * step)
        _tell(worker + 8 * ROW, row)
        _tell(worker + 8 * STEP, step)
        _tell(worker + 8 * ROWS, rows)
        _tell(worker + 8 * WHOLE, whole)
        _tell(worker + 8 * OWN, own)
        _tell(worker + 8 * NEXT, next_row)
        _tell(worker + 8 * JOB, POSTED)
    failed = _rows_of_job(code, fixed, row, row, step, rows, whole, own, next_row)
    for i in range(1, threads):
        worker = _seen(signals + 8 * (i - 1))
        if _exchange(worker + 8 * JOB, POSTED, IDLE):  # it sleeps, or has something else to do
            failed |= _run(code, fixed, row + i * step)
            continue
        looks = 0
        while _seen(worker + 8 * JOB) != IDLE:
            _pause()
            looks += 1
            if looks % SOME == 0:
                _sched_yield()
        failed |= _seen(worker + 8 * FAILED)
    return failed


@compiled
def wait_until_done(signals: int) -> None:
    """Return when the work is done, or after about a millisecond."""
    _wait_for(signals + 8 * DONE)
