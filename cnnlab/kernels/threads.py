"""Doing the parts of one computation on several threads, each with a BLAS of one thread.

Two threads that each multiply their own matrices keep two cores busier than one multiplication that BLAS cuts in two.
For that BLAS has to be held to one thread meanwhile, which needs threadpoolctl. Without it BLAS is left as it is, and
the parts are done one after the other.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from itertools import pairwise
from typing import Any

from cnnlab.geometry.options import whole_number

Part = Callable[[], None]


class _Pool:
    """The threads, and the hold on BLAS. Nothing is started before the first use, nor taken over by a fork."""

    def __init__(self) -> None:
        self.wanted: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget threads, locks and holds: after a fork there is only the thread that forked."""
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._workers = 0
        self._controller: Any = None
        self._holders = 0
        self._held: Any = None

    def count(self) -> int:
        """Return how many threads to use."""
        controller = self._blas()
        if controller is None:
            return 1
        if self.wanted is not None:
            return self.wanted
        with self._lock:
            if self._holders:  # what it was before
                return max((before for _, before in self._held), default=1)
            return max((int(one.num_threads) for one in controller.lib_controllers), default=1)

    def run(self, parts: Sequence[Part]) -> None:
        """Do all parts; the first error of one is raised when all have ended."""
        count = min(self.count(), len(parts)) if len(parts) > 1 else 1
        if count < 2:
            for part in parts:
                part()
            return
        with self._one_blas_thread():
            executor = self._started(count - 1)
            waiting = iter(parts)
            lock = threading.Lock()
            # In a copy of this context, so that numpy.errstate holds there too.
            futures: list[Future[None]] = [
                executor.submit(copy_context().run, _work, waiting, lock) for _ in range(count - 1)
            ]
            try:
                _work(waiting, lock)
            finally:
                for future in futures:
                    future.exception()  # waits
            for future in futures:
                future.result()

    def _started(self, workers: int) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None or self._workers < workers:
                if self._executor is not None:
                    self._executor.shutdown(wait=False)
                self._executor, self._workers = ThreadPoolExecutor(workers, "cnnlab"), workers
            return self._executor

    @contextmanager
    def _one_blas_thread(self) -> Iterator[None]:
        """Hold BLAS to one thread; of several holders at once the last one lets go."""
        with self._lock:
            self._holders += 1
            if self._holders == 1:
                self._held = [(one, int(one.num_threads)) for one in self._controller.lib_controllers]
                for one, _ in self._held:
                    one.set_num_threads(1)
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if self._holders == 0:
                    for one, before in self._held:
                        one.set_num_threads(before)

    def _blas(self) -> Any:
        with self._lock:
            if self._controller is None:
                try:
                    from threadpoolctl import ThreadpoolController
                except ImportError:
                    self._controller = False
                else:
                    self._controller = ThreadpoolController().select(user_api="blas")
            return self._controller or None


def _work(waiting: Iterator[Part], lock: threading.Lock) -> None:
    while True:
        with lock:
            part = next(waiting, None)
        if part is None:
            return
        part()


_pool = _Pool()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_pool.reset)

run_parts = _pool.run
thread_count = _pool.count


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


def split(count: int, pieces: int) -> list[slice]:
    """Cut so many things into pieces of about equal size, none of them empty."""
    pieces = max(1, min(pieces, count))
    edges = [count * i // pieces for i in range(pieces + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def bind(function: Callable[..., None], *arguments: Any) -> Part:
    """Return a part that calls the function with these arguments."""
    return partial(function, *arguments)
