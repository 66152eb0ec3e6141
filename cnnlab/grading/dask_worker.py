"""What a run asks of a Dask worker: to say who it is, and to grade.

Nothing of a student runs in a worker itself, nor in a fork of it: a worker has threads. It gives each task to a
`cnnlab.grading.child.Child`, one for each of its threads, as the local pool does, and no function here raises: Dask
would write what it was called with into its log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cnnlab.grading.child import PATIENCE, Child, ChildLostError
from cnnlab.grading.fingerprint import DESCRIBE, identity
from cnnlab.grading.task import Task
from cnnlab.grading.worker import Peak

if TYPE_CHECKING:
    from distributed import Worker

_DESCRIBE_SECONDS = 180.0
_idle: list[Child] = []
_lock = threading.Lock()


@dataclass(frozen=True, repr=False)
class Sealed:
    """The bytes of a task, not to be shown by any log: a student's name and code, and the hidden seed."""

    data: bytes

    def __repr__(self) -> str:
        return f"<{len(self.data)} bytes>"


@dataclass(frozen=True, repr=False)
class Graded:
    """What came of a task.

    Attributes
    ----------
    result
        A `cnnlab.grading.model.Result` as JSON.
    worker
        The thread of a worker that gave it; empty when that is not known.
    peak
        The most memory that it used.
    """

    result: bytes
    worker: str
    peak: Peak


def grade(sealed: Sealed) -> Graded:
    """Grade one submission; whatever goes wrong becomes its result."""
    task = Task.from_bytes(sealed.data)
    try:
        result, used = _ask(sealed.data, PATIENCE * task.limits.submission_seconds)
    except Exception as error:
        text = f"two workers were lost with it: {error}" if isinstance(error, ChildLostError) else f"{error!r}"
        return Graded(json.dumps(task.failed(text).as_dict()).encode(), "", Peak())
    return Graded(result, f"{socket.gethostname()} {os.getpid()} {threading.get_ident()}", used)


async def grade_here(sealed: Sealed) -> Graded:
    """Do what `grade` does, on this worker and no other."""
    return await asyncio.to_thread(grade, sealed)


async def describe(dask_worker: Worker) -> tuple[bytes, list[str]]:
    """Return who grades here (`cnnlab.grading.fingerprint.Description`), and where this worker listens."""
    try:
        answer, _ = await asyncio.to_thread(_ask, DESCRIBE, _DESCRIBE_SECONDS)
    except Exception as error:
        answer = replace(identity(), reason=f"no process could be started that grades ({error})").to_bytes()
    return answer, [str(listener.listen_address) for listener in dask_worker.listeners]


async def offer(resource: str, dask_worker: Worker) -> None:
    """Tell the scheduler that this worker may have tasks that ask for this resource, as many as it has threads."""
    await dask_worker.set_resources(**{resource: dask_worker.state.nthreads})


async def rest() -> None:
    """End the children that have nothing to do."""
    with _lock:
        resting = _idle[:]
        _idle.clear()
    for child in resting:
        await asyncio.to_thread(child.close)


def _ask(request: object, seconds: float) -> tuple[bytes, Peak]:
    """Ask a child that has nothing to do, and if it is lost, a new one."""
    with contextlib.suppress(ChildLostError):
        return _ask_one(_take(), request, seconds)
    return _ask_one(Child(), request, seconds)


def _ask_one(child: Child, request: object, seconds: float) -> tuple[bytes, Peak]:
    try:
        child.give(request)
        answer, used = child.take(seconds)
    except BaseException:
        child.close(kill=True)
        raise
    if child.is_spent:
        child.close()
    else:
        with _lock:
            _idle.append(child)
    return answer, used


def _take() -> Child:
    while True:
        with _lock:
            child = _idle.pop() if _idle else None
        if child is None:
            return Child()
        if not child.is_spent:
            return child
        child.close()
