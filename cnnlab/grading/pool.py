"""Run tasks: here, or in some processes of this machine. `cnnlab.grading.cluster_run` does the same on a cluster."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait

from cnnlab.grading.child import PATIENCE, Child, ChildLostError
from cnnlab.grading.executor import close_executors
from cnnlab.grading.model import Result
from cnnlab.grading.task import Task, allowed, read_result, run_task
from cnnlab.grading.worker import Peak, WarmUp, peak

_peaks: list[Peak] = []
_early: list[_Worker] = []


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peaks() -> list[Peak]:
    """Return the most memory that each worker of the last run used."""
    return list(_peaks)


def run_tasks(tasks: Sequence[Task], *, jobs: int) -> Iterator[Result]:
    """Yield a result for each task, as they come.

    Parameters
    ----------
    tasks
        What to grade.
    jobs
        How many at a time.

    Yields
    ------
    Result
        A worker that dies costs nobody anything: its task is given to another one, and only if that dies too, the
        result is a ``grader_error``.
    """
    _peaks.clear()
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield read_result(run_task(task.to_bytes()))
        if tasks:
            _peaks.append(peak())
        return
    close_executors()  # this process only waits from now on
    pool = _Pool(tasks, min(jobs, len(tasks)))
    try:
        yield from pool.results()
    finally:
        pool.close()
        _peaks.extend(pool.peaks.values())


def start_workers(task: Task, jobs: int) -> None:
    """Start workers before there are tasks for them: they get ready while the run reads what came in.

    Parameters
    ----------
    task
        Like those to come.
    jobs
        As for `run_tasks`; nothing is done for a run that needs no workers.
    """
    if jobs > 1:
        _early.extend(_Worker(place, task) for place in range(jobs))


def end_workers() -> None:
    """End those that were started and not used."""
    while _early:
        _early.pop().close()


class _Worker:
    """One worker, seen from the run. Processes, not threads: the checks hold the interpreter's lock."""

    def __init__(self, place: int, like: Task) -> None:
        self.place = place
        self.task: Task | None = None
        self.deadline = float("inf")
        self._like = like
        self.child = Child()
        self.child.give(WarmUp(like.executor, allowed(like.assignment)))

    def another(self) -> _Worker:
        """Return a new one in its place."""
        return _Worker(self.place, self._like)

    def give(self, task: Task) -> None:
        self.task = task
        self.deadline = time.monotonic() + PATIENCE * task.limits.submission_seconds
        self.child.give(task.to_bytes())

    def close(self) -> None:
        self.child.close(kill=self.task is not None)


class _Pool:
    """Hands tasks to workers, and starts a new worker where one was lost or has done enough."""

    def __init__(self, tasks: Sequence[Task], workers: int) -> None:
        self.peaks: dict[int, Peak] = {}
        self._waiting = deque(tasks)
        self._lost_before: set[str] = set()
        self._workers = [_early.pop(0) if _early else _Worker(place, tasks[0]) for place in range(workers)]
        for worker in self._workers:
            worker.give(self._waiting.popleft())

    def results(self) -> Iterator[Result]:
        while busy := {worker.child.connection: worker for worker in self._workers if worker.task is not None}:
            seconds = max(0.0, min(worker.deadline for worker in busy.values()) - time.monotonic())
            ready = [busy[connection] for connection in wait(list(busy), seconds)]  # type: ignore[index]
            for worker in ready or [worker for worker in busy.values() if worker.deadline <= time.monotonic()]:
                yield from self._collect(worker)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _collect(self, worker: _Worker) -> Iterator[Result]:
        task = worker.task
        if task is None:
            return
        try:
            data, used = worker.child.take()
        except ChildLostError as error:
            result = self._lost(task, error)
            self._replace(worker)
            if result is not None:
                yield result
            return
        worker.task = None
        before = self.peaks.get(worker.place, Peak())
        self.peaks[worker.place] = Peak(max(before.worker, used.worker), max(before.submission, used.submission))
        if worker.child.is_spent and self._waiting:
            self._replace(worker)
        elif self._waiting:
            worker.give(self._waiting.popleft())
        yield read_result(data)

    def _lost(self, task: Task, error: ChildLostError) -> Result | None:
        if task.student not in self._lost_before:
            self._lost_before.add(task.student)
            self._waiting.appendleft(task)
            return None
        return task.failed(f"two workers were lost with it: {error}")

    def _replace(self, worker: _Worker) -> None:
        worker.close()
        new = worker.another()
        self._workers[worker.place] = new
        if self._waiting:
            new.give(self._waiting.popleft())
