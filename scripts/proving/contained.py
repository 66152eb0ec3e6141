"""Run work in child processes that may hang, eat memory or die without harm to the rest."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
MEMORY = 3 * 2**30  # bytes of address space: NumPy's libraries alone reserve hundreds of megabytes


@dataclass(frozen=True)
class Lost:
    """Why there is no result."""

    reason: str


def run(
    work: Callable[[T], R], items: Iterable[tuple[T, float]], *, jobs: int, memory: int = MEMORY
) -> Iterator[tuple[T, R | Lost]]:
    """Yield each item with what `work` makes of it, as they come.

    Parameters
    ----------
    work
        A function of a module, or a `functools.partial` of one.
    items
        Each with the seconds that it may take; taken one by one, when a child is free.
    jobs
        Children at a time.
    memory
        Bytes of address space of each child.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # several threads in each child would slow one another down
    waiting = iter(items)
    children = [_Child(work, memory) for _ in range(jobs)]
    try:
        while True:
            for child in children:
                if child.free and (item := next(waiting, None)) is not None:
                    child.give(*item)
            busy = [child for child in children if not child.free]
            if not busy:
                return
            wait([child.pipe for child in busy], max(0.0, min(child.until for child in busy) - time.monotonic()))
            for child in busy:
                if child.pipe.poll() or time.monotonic() >= child.until:
                    yield child.take()
    finally:
        for child in children:
            child.end()


class _Child(Generic[T, R]):
    """One process, started again when it is lost."""

    def __init__(self, work: Callable[[T], R], memory: int) -> None:
        self.work = work
        self.memory = memory
        self.free = True
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # forking a process with threads is not safe
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=_serve, args=(there, self.work, self.memory), daemon=True)
        self.process.start()
        there.close()

    def give(self, item: T, seconds: float) -> None:
        self.item, self.free, self.until = item, False, time.monotonic() + seconds
        self.pipe.send(item)

    def take(self) -> tuple[T, R | Lost]:
        self.free = True
        try:
            if not self.pipe.poll():
                raise TimeoutError
            failed, value = self.pipe.recv()
        except (EOFError, ConnectionError, TimeoutError) as error:
            self.end()
            self._start()
            return self.item, Lost("no answer in time" if isinstance(error, TimeoutError) else "the process ended")
        if failed:
            raise RuntimeError(f"a child failed:\n{value}")
        return self.item, value

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection, work: Callable[[Any], Any], memory: int) -> None:
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((False, work(item)))
        except Exception:
            import traceback

            pipe.send((True, traceback.format_exc()))
