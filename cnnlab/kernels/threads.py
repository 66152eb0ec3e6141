"""Doing the parts of one computation on several threads, each with a BLAS of one thread.

Two threads that each multiply their own matrices keep two cores busier than one multiplication that BLAS cuts in two.
For that BLAS has to be held to one thread meanwhile, which needs threadpoolctl. Without it BLAS is left as it is, and
the parts are done one after the other.

BLAS is held through a whole pass that multiplies matrices, in its small products too: after each product that OpenBLAS
shared out, its threads wait for the next for some 25 ms without letting go of their cores, and ours would have to share
those with them.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial, wraps
from itertools import pairwise
from typing import Any, TypeVar, cast

import numpy as np

from cnnlab.geometry.options import whole_number
from cnnlab.kernels.arrays import address
from cnnlab.kernels.workers import Worker, keep_apart, let_go, ready_for_jobs

Part = Callable[[], None]
Function = TypeVar("Function", bound=Callable[..., Any])
PASS_MACS = 20  # that take as long as a pass over one number, about
LEAST_UNITS = 4  # of a thread, for which it pays to let the threads take some of them in turn
SHARES_LEFT = 4  # of each thread, to be taken in turn
least_macs = [10_000_000, 1_500_000]  # to share: NumPy's, step by step under the interpreter's lock; one compiled call


class _Pool:
    """The threads, and the hold on BLAS. Nothing is started before the first use, nor taken over by a fork."""

    def __init__(self) -> None:
        self.wanted: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget threads, locks and holds: after a fork there is only the thread that forked."""
        self._lock = threading.Lock()
        self._workers: list[Worker] = []
        self._busy = threading.Lock()  # somebody has the workers
        self._signals: Any = None  # where those of the workers lie
        self._inside = threading.local()
        self._controller: Any = None
        self._holders = 0
        self._held: Any = None

    def close(self) -> None:
        """End the threads: the interpreter cannot stop one that is inside compiled code when it shuts down."""
        working, self._workers, self._signals = self._workers, [], None
        for worker in working:
            worker.end()

    def count(self) -> int:
        """Return how many threads to use: one inside a part."""
        if getattr(self._inside, "a_part", False):
            return 1
        controller = self._controller  # once found it stays
        if controller is None:
            controller = self._blas()
        if controller is False:
            return 1
        if self.wanted is not None:
            return self.wanted
        with self._lock:
            if self._holders:  # what it was before
                return max((before for _, before in self._held), default=1)
            return max((int(one.num_threads) for one in controller.lib_controllers), default=1)

    def run(self, parts: Sequence[Part]) -> None:
        """Do all parts; the first error of one is raised when all have ended.

        While the workers do the parts of another thread's computation, this one does its own alone.
        """
        count = min(self.count(), len(parts)) if len(parts) > 1 else 1
        if count < 2:
            for part in parts:
                part()
            return
        if not self._busy.acquire(blocking=False):
            self._work(iter(parts), threading.Lock())
            return
        busy = self._busy  # a fork in a part would put another in its place
        try:
            with one_blas_thread():
                work = partial(self._work, iter(parts), threading.Lock())
                self._share(work, [work] * (count - 1))
        finally:
            busy.release()

    def share(
        self,
        function: Callable[..., int],
        fixed: tuple[Any, ...],
        rows: Sequence[Sequence[int]],
        most: int | None = None,
        own: int = 0,
    ) -> None:
        """Run a compiled function for all rows of numbers, some of them in other threads.

        Each thread begins with one row, and takes the next that nobody has begun when it is done with that.

        Parameters
        ----------
        function : callable
            Compiled; takes ``fixed`` and what `cnnlab.kernels.fast.spin.share_out` has to know of the rows.
        fixed : tuple
            What all shares have in common.
        rows : sequence of sequences of int
            The numbers of each share.
        most : int, optional
            Threads, at most: as many as there are unless given.
        own : int
            How many numbers at the beginning of a row say what memory a thread uses. With any, the rows behind the
            first ``most`` are run in the memory of one of those.

        Raises
        ------
        MemoryError
            A share found no memory.
        """
        if not rows:
            return
        table = np.array([*rows, rows[0]], np.int64)  # the last is room for a word
        most = len(rows) if most is None else most
        where = address(table), table.strides[0], len(rows), most if own else len(rows), own
        count = min(self.count(), len(rows), most) if len(rows) > 1 else 1
        if count < 2 or not self._busy.acquire(blocking=False):
            failed = function(fixed, (0, 0, *where))
        else:
            busy = self._busy
            try:
                failed = function(fixed, (self._at_hand(count - 1), count - 1, *where))
            finally:
                busy.release()
        if failed:
            raise MemoryError("there is no memory for what a convolution has to note down: free some, and try again")

    def _at_hand(self, count: int) -> int:
        """Wake up so many workers; return where the addresses of their signals lie."""
        while len(self._workers) < count:
            self._workers.append(Worker())
        working = self._workers[:count]
        if self._signals is None or len(self._signals) != count:
            self._signals = np.array([worker.address for worker in working], np.int64)
        ready_for_jobs(working)
        return address(self._signals)

    def _share(self, own: Part, others: Sequence[Part]) -> None:
        while len(self._workers) < len(others):
            self._workers.append(Worker())
        working = self._workers[: len(others)]
        errors: list[BaseException | None] = []
        late: list[Part] = []
        cores: set[int] = set()
        try:
            cores = keep_apart(working)
            for worker, work in zip(working, others, strict=True):
                worker.give(work)
            try:
                own()
            finally:
                for worker, work in zip(working, others, strict=True):
                    if worker.take_back():  # it woke up too late
                        late.append(work)
                    else:
                        errors.append(worker.wait())
        except KeyboardInterrupt:  # perhaps while it waited: nobody knows then which signals have been seen
            self.close()
            raise
        finally:
            let_go(cores)
        for error in errors:
            if error is not None:
                raise error
        for work in late:
            work()

    def _work(self, waiting: Iterator[Part], lock: threading.Lock) -> None:
        try:
            self._inside.a_part = True
            while True:
                with lock:
                    part = next(waiting, None)
                if part is None:
                    return
                part()
        finally:
            self._inside.a_part = False

    def hold_blas(self) -> bool:
        """Hold BLAS to one thread where there are several of ours; return whether to let go of it then."""
        if self.count() < 2:
            return False
        with self._lock:
            self._holders += 1
            if self._holders == 1:
                self._held = [(one, int(one.num_threads)) for one in self._controller.lib_controllers]
                for one, _ in self._held:
                    _set_threads(one, 1)
        return True

    def let_go_of_blas(self) -> None:
        """Let go of BLAS: of several holders at once the last one does."""
        with self._lock:
            self._holders -= 1
            if self._holders == 0:
                for one, before in self._held:
                    _set_threads(one, before)

    def _blas(self) -> Any:
        with self._lock:
            if self._controller is None:
                try:
                    from threadpoolctl import ThreadpoolController
                except ImportError:
                    self._controller = False
                else:
                    found = ThreadpoolController().select(user_api="blas")
                    self._controller = found if len(found) else False
            return self._controller


def _set_threads(library: Any, count: int) -> None:
    """Set how many threads a BLAS uses, from whatever thread.

    Since its version 3.8 threadpoolctl ignores all threads but the first that sets it, until that one has let go: here
    one may hold BLAS and another, the last of several, let go of it.
    """
    release = getattr(library, "clear_controlling_thread", lambda **_: None)
    release(force=True)
    library.set_num_threads(count)
    release(force=True)


_pool = _Pool()
atexit.register(_pool.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_pool.reset)


def shares_of(macs: int, *, compiled: bool = False) -> int:
    """Return among how many threads to share so many multiply-adds: one, if another would begin too late to help.

    A pass over numbers in memory counts as `PASS_MACS` each.
    """
    return thread_count() if macs >= least_macs[compiled] else 1


run_parts = _pool.run
run_shared = _pool.share
thread_count = _pool.count


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread where there are several of ours."""
    held = _pool.hold_blas()
    try:
        yield
    finally:
        if held:
            _pool.let_go_of_blas()


def with_one_blas_thread(function: Function) -> Function:
    """Let a function do so: as a decorator, which costs less at each call than the context does."""

    @wraps(function)
    def held(*arguments: Any, **options: Any) -> Any:
        hold = _pool.hold_blas()
        try:
            return function(*arguments, **options)
        finally:
            if hold:
                _pool.let_go_of_blas()

    return cast("Function", held)


class use_threads:  # noqa: N801  (used like a function)
    """Choose how many threads the fast convolutions use, from here on or inside a ``with`` block.

    Parameters
    ----------
    count : int or None
        None means as many as BLAS uses, which the environment variable ``OMP_NUM_THREADS`` says. Without threadpoolctl
        there is one, whatever is asked for.

    Examples
    --------
    >>> with use_threads(1):
    ...     thread_count()
    1
    """

    def __init__(self, count: int | None) -> None:
        wanted = None if count is None else whole_number("count", count, at_least=1)
        self._before, _pool.wanted = _pool.wanted, wanted

    def __enter__(self) -> None:
        """Do nothing: the count holds since the call."""

    def __exit__(self, *_: object) -> None:
        """Put back the count from before."""
        _pool.wanted = self._before


@lru_cache(maxsize=1024)
def split(count: int, pieces: int) -> tuple[slice, ...]:
    """Cut so many things into pieces of about equal size, none of them empty."""
    pieces = max(1, min(pieces, count))
    edges = [count * i // pieces for i in range(pieces + 1)]
    return tuple(slice(a, b) for a, b in pairwise(edges))


@lru_cache(maxsize=1024)
def in_turn(units: int, threads: int) -> tuple[slice, ...]:
    """Cut so many units for threads: a share for each to begin with, and others for whoever is done with that.

    The first are about half of all. Where there are few units the shares are as many as the threads.

    Examples
    --------
    >>> [some.stop for some in in_turn(16, 2)]
    [4, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    """
    if threads == 1 or units < LEAST_UNITS * threads:
        return split(units, threads)
    begun = units // (2 * threads) * threads
    left = split(units - begun, SHARES_LEFT * threads)
    return *split(begun, threads), *(slice(begun + some.start, begun + some.stop) for some in left)


def bind(function: Callable[..., None], *arguments: Any) -> Part:
    """Return a part that calls the function with these arguments."""
    return partial(function, *arguments)
