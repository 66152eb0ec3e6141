"""Run tasks on a cluster: a bounded number at a time, each until it has one result, whatever happens to workers."""

from __future__ import annotations

import queue
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class _Turn:
    """A task to be given away: how often it was lost, and whether it runs with nothing beside it."""

    task: Task
    lost: int = 0
    alone: bool = False


@dataclass(frozen=True)
class _Given:
    """A task that was given away, under a key."""

    key: str
    turn: _Turn
    future: Future


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
        self._waiting = deque(_Turn(task) for task in tasks)
        # Workers died with them, or with their neighbors: who it was shows when they run alone, at the end.
        self._suspects: deque[_Turn] = deque()
        self._given_up: deque[Result] = deque()
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
            while self._waiting or self._given or self._suspects or self._given_up:
                self._look_around()
                while self._given_up:
                    yield self._given_up.popleft()
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
            self._once_more(given, "the workers died in the middle of it, with nothing else to do, twice")
        if idle:
            self._client.cancel([given.future for given in idle])

    def _give(self) -> None:
        width = self._cluster.jobs or _FOR_EACH_THREAD * self._threads
        if self._suspects and not (self._waiting or self._given):
            self._waiting.append(self._suspects.popleft())
        while self._waiting and len(self._given) < width:
            turn = self._waiting.popleft()
            key = f"{self._key}-{next(self._keys)}"
            try:
                future = self._client.dask.submit(
                    dask_worker.grade,
                    Sealed(turn.task.to_bytes()),
                    key=key,
                    pure=False,
                    resources={self._cluster.resource: 1},
                )
            except Exception as error:
                raise self._client.lost(error) from error
            self._given[key] = _Given(key, turn, future)
            future.add_done_callback(self._answered.put)

    def _collect(self, future: Future) -> Result | None:
        given = self._given.get(future.key)
        if given is None or given.future is not future:
            return None  # it came before: Dask runs some things twice
        if future.status == "finished":
            try:
                graded = future.result(timeout=_FETCH_SECONDS)
            except Exception as error:
                self._not_fetched(given, error)
                return None
            del self._given[given.key]
            return self._read(given.turn.task, graded)
        if future.status == "error":
            self._failed(given, _error_of(future))
        else:
            self._not_fetched(given, None)
        return None

    def _read(self, task: Task, graded: object) -> Result:
        if not isinstance(graded, Graded):
            return task.failed(f"a worker answered with a {type(graded).__name__}")
        self._cluster.note(graded)
        result = read_result(graded.result)
        if (result.student, result.assignment, result.key) != (task.student, task.assignment, task.key):
            return task.failed("a worker answered for another submission")
        return result

    def _failed(self, given: _Given, error: BaseException | None) -> None:
        """Give what may have ended its workers once more, alone, so that nobody is blamed for a neighbor."""
        from distributed import KilledWorker

        del self._given[given.key]
        task = given.turn.task
        if not isinstance(error, KilledWorker):
            why = in_words(error) if error else "it does not say why"
            self._given_up.append(task.failed(f"the worker failed: {why}"))
        elif not given.turn.alone:
            self._suspects.append(_Turn(task, alone=True))
        else:
            deaths = error.allowed_failures + 1
            self._given_up.append(
                task.failed(
                    f"{deaths} worker{'s' * (deaths > 1)} died in the middle of it, with nothing else to do; the last "
                    f"one was {error.last_worker.address}"
                )
            )

    def _not_fetched(self, given: _Given, error: BaseException | None) -> None:
        """Wait on, or give it once more, when a result went with its worker or somebody canceled it."""
        if self._client.is_lost:
            raise self._client.lost(error)
        if isinstance(error, TimeoutError) or given.future.status == "pending":
            given.future.add_done_callback(self._answered.put)
            return
        why = in_words(error) if error else given.future.status
        self._once_more(given, f"it was lost on the cluster, twice: {why}")

    def _once_more(self, given: _Given, why: str) -> None:
        """Give it a second time, then twice alone, and then give up: `why` says so."""
        del self._given[given.key]
        turn = replace(given.turn, lost=given.turn.lost + 1)
        if turn.lost < _MOST_LOST:
            self._waiting.appendleft(turn)
        elif turn.alone:
            self._given_up.append(turn.task.failed(why))
        else:
            self._suspects.append(_Turn(turn.task, alone=True))

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
