"""Run tasks: here, or in some processes of this machine. A cluster would be one more function of this form."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait

from cnnlab.grading.executor import close_executors
from cnnlab.grading.model import Result
from cnnlab.grading.task import Task, allowed, run_task
from cnnlab.grading.worker import Peak, peak, work

# A worker makes room for a new one after so many submissions, so that no leak can add up.
_TASKS_A_WORKER = 250
# Times the time limit of a submission: by then a worker hangs, and through no fault of the submission.
_PATIENCE = 5.0
_END_SECONDS = 10.0
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
            yield _read(run_task(task.to_bytes()))
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
    """One worker, seen from the run."""

    def __init__(self, place: int, like: Task) -> None:
        # Not forked: the run may have threads. Processes, not threads: the checks hold the interpreter's lock.
        context = multiprocessing.get_context("spawn")
        self.place = place
        self.task: Task | None = None
        self.done = 0
        self.deadline = float("inf")
        self.connection, theirs = context.Pipe()
        self._like = like
        arguments = (theirs, like.executor, allowed(like.assignment))
        self.process = context.Process(target=work, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def another(self) -> _Worker:
        """Return a new one in its place."""
        return _Worker(self.place, self._like)

    def give(self, task: Task) -> None:
        self.task = task
        self.deadline = time.monotonic() + _PATIENCE * task.limits.submission_seconds
        # If it has died meanwhile, its connection says so when it is asked for the result.
        with contextlib.suppress(OSError):
            self.connection.send(task.to_bytes())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.send(None)
        if self.task is not None:
            self.process.kill()
        self.process.join(_END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()
        self.connection.close()


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
        while busy := {worker.connection: worker for worker in self._workers if worker.task is not None}:
            seconds = max(0.0, min(worker.deadline for worker in busy.values()) - time.monotonic())
            ready = [busy[connection] for connection in wait(list(busy), seconds)]  # type: ignore[index]
            for worker in ready or [worker for worker in busy.values() if worker.deadline <= time.monotonic()]:
                yield from self._collect(worker, answered=bool(ready))

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _collect(self, worker: _Worker, *, answered: bool) -> Iterator[Result]:
        task = worker.task
        if task is None:
            return
        try:
            if not answered:
                raise TimeoutError("it did not come back")
            data, used = worker.connection.recv()
        except Exception as error:
            result = self._lost(task, worker, error)
            self._replace(worker)
            if result is not None:
                yield result
            return
        worker.task = None
        worker.done += 1
        before = self.peaks.get(worker.place, Peak())
        self.peaks[worker.place] = Peak(max(before.worker, used.worker), max(before.submission, used.submission))
        if worker.done >= _TASKS_A_WORKER and self._waiting:
            self._replace(worker)
        elif self._waiting:
            worker.give(self._waiting.popleft())
        yield _read(data)

    def _lost(self, task: Task, worker: _Worker, error: Exception) -> Result | None:
        if task.student not in self._lost_before:
            self._lost_before.add(task.student)
            self._waiting.appendleft(task)
            return None
        worker.process.join(1)
        reason = f"two workers were lost with it: {error or type(error).__name__} (exit {worker.process.exitcode})"
        return Result(task.student, task.assignment, "grader_error", reason, isolation=task.executor)

    def _replace(self, worker: _Worker) -> None:
        worker.close()
        new = worker.another()
        self._workers[worker.place] = new
        if self._waiting:
            new.give(self._waiting.popleft())


def _read(data: bytes) -> Result:
    return Result.from_dict(json.loads(data))
