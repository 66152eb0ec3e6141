"""Run tasks on a cluster: a bounded number at a time, each until it has one result, whatever happens to workers."""

from __future__ import annotations

import queue
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from cnnlab.grading import dask_worker
from cnnlab.grading.cluster_address import ClusterError
from cnnlab.grading.cluster_client import in_words
from cnnlab.grading.dask_worker import Graded, Sealed
from cnnlab.grading.model import Result
from cnnlab.grading.task import Task, read_result

if TYPE_CHECKING:
    from distributed import Future

    from cnnlab.grading.cluster import Cluster

_LOOK_SECONDS = 1.0
_FETCH_SECONDS = 20.0
# So many for each thread: one runs, and one waits beside it so that the thread never does. The rest of a class stays
# here, and not in the scheduler's memory.
_FOR_EACH_THREAD = 2
_MOST_LOST = 2


@dataclass
class _Given:
    """A task that was given away, and how often it was lost."""

    key: str
    task: Task
    future: Future
    lost: int


class ClusterRun:
    """One run of some tasks.

    Parameters
    ----------
    cluster
        Whose workers do it.
    tasks
        What to grade.
    """

    def __init__(self, cluster: Cluster, tasks: Sequence[Task]) -> None:
        self._cluster = cluster
        self._client = cluster.client
        # A key is what Dask shows and logs: a number that says nothing of who it is.
        self._key = f"submission-{secrets.token_hex(4)}"
        # Each with how often it was lost.
        self._waiting = deque((task, 0) for task in tasks)
        # Workers died with them, or with their neighbors: who it was shows when they run alone, at the end.
        self._suspects: deque[tuple[Task, int]] = deque()
        self._given: dict[str, _Given] = {}
        self._answered: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._threads = 0
        self._looked = 0.0
        self._admissions = cluster.admissions
        self._keys = count()
        self._last_worker = time.monotonic()
        self._told = False

    def results(self) -> Iterator[Result]:
        """Yield one result for each task.

        Raises
        ------
        ClusterError
            If the scheduler is lost, or all workers are and no other one comes.
        """
        try:
            while self._waiting or self._given or self._suspects:
                self._look_around()
                self._give()
                try:
                    future = self._answered.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    continue
                result = self._collect(future)
                del future  # the scheduler keeps a result as long as somebody has this
                if result is not None:
                    yield result
        finally:
            self._cancel()

    def _look_around(self) -> None:
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._threads = self._cluster.look_around()
        self._looked = time.monotonic()
        if self._cluster.admissions != self._admissions:
            self._admissions = self._cluster.admissions
            self._give_again()
        if self._threads:
            self._last_worker, self._told = self._looked, False
            return
        seconds = self._cluster.scheduler.worker_wait
        if self._looked - self._last_worker >= seconds:
            raise ClusterError(self._cluster.no_worker())
        if not self._told:
            self._cluster.tell(f"No worker is left: waiting for one, up to {seconds:.0f} s …")
            self._told = True

    def _give_again(self) -> None:
        """Give what no worker has once more: Dask does not look again when somebody offers what was asked for."""
        assigned = self._client.assigned()
        idle = [given for key, given in self._given.items() if key not in assigned and given.future.status == "pending"]
        for given in idle:
            del self._given[given.key]
            self._waiting.appendleft((given.task, given.lost))
        if idle:
            self._client.cancel([given.future for given in idle])

    def _give(self) -> None:
        width = self._cluster.jobs or _FOR_EACH_THREAD * self._threads
        if self._suspects and not (self._waiting or self._given):
            self._waiting.append(self._suspects.popleft())
        while self._waiting and len(self._given) < width:
            task, lost = self._waiting.popleft()
            key = f"{self._key}-{next(self._keys)}"
            try:
                future = self._client.dask.submit(
                    dask_worker.grade,
                    Sealed(task.to_bytes()),
                    key=key,
                    pure=False,
                    resources={self._cluster.resource: 1},
                )
            except Exception as error:
                raise self._client.lost(error) from error
            self._given[key] = _Given(key, task, future, lost)
            future.add_done_callback(self._answered.put)

    def _collect(self, future: Future) -> Result | None:
        given = self._given.get(future.key)
        if given is None or given.future is not future:
            return None  # it came before: Dask runs some things twice
        if future.status == "finished":
            try:
                graded = future.result(timeout=_FETCH_SECONDS)
            except Exception as error:
                return self._not_fetched(given, error)
            del self._given[future.key]
            return self._read(given.task, graded)
        if future.status == "error":
            del self._given[future.key]
            return self._failed(given, _error_of(future))
        return self._not_fetched(given, None)

    def _read(self, task: Task, graded: object) -> Result:
        if not isinstance(graded, Graded):
            return task.failed(f"a worker answered with a {type(graded).__name__}")
        self._cluster.note(graded)
        result = read_result(graded.result)
        if (result.student, result.assignment, result.key) != (task.student, task.assignment, task.key):
            return task.failed("a worker answered for another submission")
        return result

    def _failed(self, given: _Given, error: BaseException | None) -> Result | None:
        """Give what may have ended its workers once more, alone, so that nobody is blamed for a neighbor."""
        from distributed import KilledWorker

        if not isinstance(error, KilledWorker):
            return given.task.failed(f"the worker failed: {in_words(error) if error else 'it does not say why'}")
        if not given.lost:
            self._suspects.append((given.task, 1))
            return None
        deaths = error.allowed_failures + 1
        return given.task.failed(
            f"{deaths} worker{'s' * (deaths > 1)} died in the middle of it, with nothing else to do, and as many "
            f"before; the last one was {error.last_worker.address}"
        )

    def _not_fetched(self, given: _Given, error: BaseException | None) -> Result | None:
        """Wait on, or give it once more, when a result went with its worker or somebody canceled it."""
        if self._client.is_lost:
            raise self._client.lost(error)
        if isinstance(error, TimeoutError) or given.future.status == "pending":
            given.future.add_done_callback(self._answered.put)
            return None
        del self._given[given.key]
        if given.lost + 1 >= _MOST_LOST:
            return given.task.failed(f"it was lost on the cluster: {in_words(error) if error else given.future.status}")
        self._waiting.appendleft((given.task, given.lost + 1))
        return None

    def _cancel(self) -> None:
        """Take back what was given away and is not wanted any more."""
        futures = [given.future for given in self._given.values()]
        self._given.clear()
        if futures and not self._client.is_lost:
            self._client.cancel(futures)


def _error_of(future: Future) -> BaseException | None:
    try:
        error: BaseException | None = future.exception(timeout=_FETCH_SECONDS)
        return error
    except Exception as error:
        return error
