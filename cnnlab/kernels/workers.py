"""Threads that wait for work, and begin with it sooner than those of `concurrent.futures`.

The parts of a small layer take a tenth of a millisecond each, which is about what it costs to wake a thread up. A lock
of the interpreter is the shortest way to do that: no queue, no condition, no object that stands for the result. And a
layer is followed by the next; so with the compiled kernels a thread does not fall asleep at once when it is done, but
looks out for more for up to a millisecond, without the interpreter's lock.

Linux may wake a thread up on the core of the one that woke it, and leave the two there for hundreds of layers, since
neither waits long enough to be moved. So a worker is kept off the core from which its work comes.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context

import numpy as np

Work = Callable[[], None]

# Set by `cnnlab.kernels.fast`: returns when the number at an address is no longer 0, at the latest after about a
# millisecond, and lets other threads of Python work meanwhile.
watch: Callable[[int], None] | None = None


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
        self._begin, self._done = _Signal(), _Signal()
        self._work: Work | None = None
        self._error: BaseException | None = None
        self._avoided = -1  # the core that the last work came from
        self.core = -1  # where it last began with work
        self._thread = threading.Thread(target=self._serve, name="cnnlab", daemon=True)
        self._thread.start()

    def give(self, work: Work) -> None:
        """Begin with some work, in a copy of the context of whoever gives it."""
        self._work = _in_context(work)
        self._keep_off(_core())
        self._begin.send()

    def wait(self) -> BaseException | None:
        """Wait until the work is done; return what it raised."""
        self._done.wait()
        error, self._error = self._error, None
        return error

    def take_back(self) -> bool:
        """Return whether the thread has not begun with the work, which then it never does."""
        if not self._begin.take_back():
            return False
        self._work = None
        return True

    def end(self) -> None:
        """End the thread, when it is done with what it has begun, and wait: it may use memory of whoever gave it."""
        self._work = None
        with suppress(RuntimeError):  # it has not seen the last signal yet
            self._begin.send()
        self._thread.join()

    def _keep_off(self, core: int) -> None:
        """Let the thread run on all cores that this one may use but for the one where this one is."""
        if core in {-1, self._avoided} or self._thread.native_id is None:
            return
        self._avoided = core
        with suppress(OSError):
            if others := os.sched_getaffinity(0) - {core}:
                os.sched_setaffinity(self._thread.native_id, others)

    def _serve(self) -> None:
        while True:
            self._begin.wait()
            work, self._work = self._work, None
            if work is None:
                return
            self.core = _core()
            try:
                work()
            except BaseException as error:
                self._error = error
            del work
            self._done.send()


@contextmanager
def kept_apart(workers: Sequence[Worker]) -> Iterator[None]:
    """Keep the calling thread off the cores where workers are, until it is done with its own share of the work.

    When it has waited for the interpreter, a worker wakes it up; in a virtual machine Linux takes the core where it was
    for one that is not there, since that has been idle, and wakes it up on the worker's. There the two would stay.
    """
    here = _core()
    allowed = os.sched_getaffinity(0) if here != -1 else set()
    theirs = {worker.core for worker in workers} - {here}  # or there last
    if len(allowed) == 1 + len(workers):
        theirs = allowed - {here}
    if here not in allowed or not allowed & theirs:
        yield
        return
    with suppress(OSError):
        os.sched_setaffinity(0, allowed - theirs)
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, allowed)


class _Signal:
    """From one thread to another: a lock to sleep on, and a number to watch before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._sent = np.zeros(16, np.int64)  # two lines of the cache: no other signal's number is on that of the first
        self._address = int(self._sent.ctypes.data)

    def send(self) -> None:
        self._lock.release()
        self._sent[0] = 1  # behind the lock, so that who sees it finds that open

    def take_back(self) -> bool:
        """Return whether nobody has seen what was sent last; then nobody will."""
        if not self._lock.acquire(blocking=False):
            return False
        self._sent[0] = 0
        return True

    def wait(self) -> None:
        if watch is not None:
            watch(self._address)
        self._lock.acquire()
        self._sent[0] = 0


def _in_context(work: Work) -> Work:
    # So that numpy.errstate, for one, holds there too.
    context = copy_context()
    return lambda: context.run(work)
