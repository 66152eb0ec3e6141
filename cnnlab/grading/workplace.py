"""Where submissions run: on this machine, or on a cluster. Everything else of a run is the same for both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

from cnnlab.grading import canary, pool
from cnnlab.grading.cluster_address import Scheduler
from cnnlab.grading.executor import Executor, choose_executor
from cnnlab.grading.model import Result
from cnnlab.grading.task import Task
from cnnlab.grading.worker import Peak


class Workplace(ABC):
    """Runs tasks; use it in a ``with`` statement."""

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027  most hold nothing
        """Let go of what is held."""

    @abstractmethod
    def choose_executor(self, *, allow_unsandboxed: bool) -> Executor:
        """Return the best sandbox that works there; see `cnnlab.grading.executor.choose_executor`."""

    def get_ready(self, like: Task) -> None:  # noqa: B027  most have nothing to do
        """Let whoever will run tasks like this one get ready, while the run goes on."""

    @abstractmethod
    def sing(self, solution: Task, release: Task) -> None:
        """Grade the canaries wherever submissions will run; see `cnnlab.grading.canary.sing`."""

    @abstractmethod
    def run(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield one result for each task, as they come."""

    @abstractmethod
    def peaks(self) -> Sequence[Peak]:
        """Return the most memory that each worker used in the last run."""


class ThisMachine(Workplace):
    """The pool of `cnnlab.grading.pool`.

    Parameters
    ----------
    jobs
        How many submissions at a time.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def __exit__(self, *_: object) -> None:
        """End workers that got ready and were not used."""
        pool.end_workers()

    def choose_executor(self, *, allow_unsandboxed: bool) -> Executor:
        """Try the sandboxes here."""
        return choose_executor(allow_unsandboxed=allow_unsandboxed)

    def get_ready(self, like: Task) -> None:
        """Start workers."""
        pool.start_workers(like, min(self._jobs, pool.usable_cores()))

    def sing(self, solution: Task, release: Task) -> None:
        """Grade the canaries in this process."""
        canary.sing(solution, release)

    def run(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """Run the tasks in the pool."""
        return pool.run_tasks(tasks, jobs=self._jobs)

    def peaks(self) -> Sequence[Peak]:
        """Return what the pool says."""
        return pool.peaks()


def open_workplace(jobs: int | None, scheduler: Scheduler | None, tell: Callable[[str], None]) -> Workplace:
    """Return where to run submissions.

    Parameters
    ----------
    jobs
        Submissions at a time; None: as many as there are cores here, or threads on the cluster.
    scheduler
        Of a cluster; None: this machine.
    tell
        Called with what somebody who waits should know.

    Raises
    ------
    ClusterError
        If there is no cluster that can be used.
    """
    if scheduler is None:
        return ThisMachine(jobs or pool.usable_cores())
    from cnnlab.grading.cluster import Cluster

    return Cluster(scheduler, jobs, tell)
