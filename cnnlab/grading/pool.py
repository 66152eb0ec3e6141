"""Run tasks: here, or in some processes of this machine. A cluster would be one more function of this form."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from cnnlab.grading.model import Result
from cnnlab.grading.task import Task, run_task


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
        A worker that dies costs its tasks a ``grader_error``, and the run goes on.
    """
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield _read(run_task(task.to_bytes()))
        return
    # Not forked: the parent may have threads. Processes, not threads: the checks hold the interpreter's lock.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context, initializer=_end_with_the_run)
    try:
        waiting = {pool.submit(run_task, task.to_bytes()): task for task in tasks}
        for future in as_completed(waiting):
            task = waiting[future]
            try:
                yield _read(future.result())
            except Exception as error:
                reason = f"the worker was lost: {error}"
                yield Result(task.student, task.assignment, "grader_error", reason, isolation=task.executor)
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_the_run() -> None:
    """Let a worker end when the run is killed; it would wait for its next task for ever."""
    threading.Thread(target=_wait_for_the_run, daemon=True).start()


def _wait_for_the_run() -> None:
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _read(data: bytes) -> Result:
    return Result.from_dict(json.loads(data))
