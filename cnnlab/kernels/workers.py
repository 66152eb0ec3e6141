"""Threads that wait for work, and begin with it sooner than those of `concurrent.futures`.

The parts of a small layer take a tenth of a millisecond each, which is about what it costs to wake a thread up. A lock
of the interpreter is the shortest way to do that: no queue, no condition, no object that stands for the result. And a
layer is followed by the next; so with the compiled kernels a thread does not fall asleep at once when it is done, but
looks out for more for up to a millisecond, without the interpreter's lock.

Linux may wake a thread up on the core of the one that woke it, and leave the two there for hundreds of layers, since
neither waits long enough to be moved. So a worker and who gives it work are kept off each other's cores.

Work is a function of Python. Jobs are shares of one compiled function: a worker that looks out does them without the
interpreter, for which the two would else wait by turns (docs/decisions/0017-shares-without-the-interpreter.md).
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from typing import Protocol, TypeAlias

import numpy as np

Work: TypeAlias = Callable[[], None]

# The signals of a worker, two lines of the cache from each other. A job has some words more behind it.
BEGIN, DONE, AWAKE, JOB = 0, 16, 32, 48


class Spin(Protocol):
    """How threads wait for each other without falling asleep; see `cnnlab.kernels.fast.spin`."""

    def next_work(self, signals: int, finished: bool, /) -> None: ...  # noqa: D102
    def wait_until_done(self, signals: int, /) -> None: ...  # noqa: D102


spin: Spin | None = None  # set by `cnnlab.kernels.fast`: only compiled code can wait without the interpreter's lock


def _core_asker() -> Callable[[], int]:
    """Return what says on which core a thread is, by the C library of Linux; elsewhere a core that there is not."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            asker = ctypes.PyDLL(None).sched_getcpu
            asker.argtypes, asker.restype = (), ctypes.c_int
            return asker
    return lambda: -1


_core = _core_asker()


class Worker:
    """A thread that does what it is given, one thing at a time."""

    def __init__(self) -> None:
        self._begin, self._done = threading.Lock(), threading.Lock()  # to sleep on: open when there is work, or none
        self._begin.acquire()
        self._done.acquire()
        self._signals = np.zeros(64, np.int64)
        self.address = int(self._signals.ctypes.data)
        self._todo: list[Work] = []  # one at most
        self._ending = False
        self._error: BaseException | None = None
        self._avoided = -1  # the core that the last work came from
        self.core = -1  # where it last began with work
        self._thread = threading.Thread(target=self._serve, name="cnnlab", daemon=True)
        self._thread.start()

    def give(self, work: Work) -> None:
        """Begin with some work, in a copy of the context of whoever gives it."""
        self._todo.append(_in_context(work))
        self._signals[DONE] = 0
        self._open()
        self._signals[BEGIN] = 1  # behind the lock, so that who sees it finds that open

    def wait(self) -> BaseException | None:
        """Wait until the work is done; return what it raised."""
        if spin is not None:
            spin.wait_until_done(self.address)
        self._done.acquire()
        error, self._error = self._error, None
        return error

    def take_back(self) -> bool:
        """Return whether the thread has not begun with the work, which then it never does."""
        try:
            self._todo.pop()
        except IndexError:
            return False
        self._begin.acquire(blocking=False)  # else it finds nothing to do, and sleeps again
        self._signals[BEGIN] = 0
        return True

    def wake(self) -> None:
        """Let the thread look out for jobs if it sleeps."""
        if not self._signals[AWAKE]:
            self._open()

    def end(self) -> None:
        """End the thread, when it is done with what it has begun, and wait: it may use memory of whoever gave it."""
        self._todo.clear()
        self._ending = True
        self._open()
        self._signals[BEGIN] = 1
        self._thread.join()

    def keep_off(self, core: int, allowed: set[int] | None = None) -> None:
        """Let the thread run on all allowed cores but for one, if there are others."""
        if core == self._avoided or self._thread.native_id is None:
            return
        allowed = os.sched_getaffinity(0) if allowed is None else allowed
        if core not in allowed or len(allowed) < 2:
            return
        self._avoided = core
        with suppress(OSError):
            os.sched_setaffinity(self._thread.native_id, allowed - {core})

    def _open(self) -> None:
        try:  # noqa: SIM105  (at each pass, and `suppress` takes as long again)
            self._begin.release()
        except RuntimeError:  # it is open: the thread has not seen that yet
            pass

    def _serve(self) -> None:
        finished = False
        while True:
            if spin is not None:
                spin.next_work(self.address, finished)
            self._begin.acquire()
            self._signals[BEGIN] = finished = False
            try:
                work = self._todo.pop()
            except IndexError:  # it was woken up for jobs, or its work was taken back
                if self._ending:
                    return
                continue
            self.core = _core()
            try:
                work()
            except BaseException as error:
                self._error = error
            del work
            finished = True
            self._done.release()


def keep_apart(workers: Sequence[Worker]) -> set[int]:
    """Keep workers off the core of the calling thread, and that off theirs, while they share work.

    Return the cores that it may be let run on again behind that (`let_go`), or none where nothing was done.

    When a thread has waited for the interpreter, the one that had it wakes it up; in a virtual machine Linux takes the
    core where it was for one that is not there, since that has been idle, and wakes it up where the other one is. There
    the two would stay.
    """
    here = _core()
    allowed = os.sched_getaffinity(0) if here != -1 else set()
    if here not in allowed:
        return set()
    for worker in workers:
        worker.keep_off(here, allowed)
    if len(allowed) == 1 + len(workers):
        own = {here}
    else:
        own = allowed - {worker.core for worker in workers if worker.core != here}  # or where they were last
    if own == allowed:
        return set()
    with suppress(OSError):
        os.sched_setaffinity(0, own)
    return allowed


def ready_for_jobs(workers: Sequence[Worker]) -> None:
    """Wake workers up, and keep them off the core of the calling thread, which does not wait for the interpreter."""
    here = _core()
    for worker in workers:
        if here != -1:
            worker.keep_off(here)
        worker.wake()


def let_go(cores: set[int]) -> None:
    """Let the calling thread run on all these cores again."""
    if cores:
        with suppress(OSError):
            os.sched_setaffinity(0, cores)


def _in_context(work: Work) -> Work:
    # So that numpy.errstate, for one, holds there too.
    context = copy_context()
    return lambda: context.run(work)
