"""Grade on a Dask cluster: who is there, whether they would find the same as this machine, and who may grade.

A worker is used when it has the same cnnlab, Python and NumPy as this run, the sandbox of this run, and gives the
canaries what they must get. It is then told to offer a resource that the run's tasks ask for, so that the scheduler
gives them to nobody else, also not to a worker that joins later and has not been looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cnnlab.grading import canary, dask_worker
from cnnlab.grading.cluster_address import ClusterError, Scheduler
from cnnlab.grading.cluster_client import ClusterClient, in_words
from cnnlab.grading.cluster_run import ClusterRun
from cnnlab.grading.dask_worker import Graded, Sealed
from cnnlab.grading.executor import Executor, NoSandboxError, make_executor
from cnnlab.grading.fingerprint import Description, difference, identity
from cnnlab.grading.model import Result
from cnnlab.grading.task import Task, read_result
from cnnlab.grading.worker import Peak
from cnnlab.grading.workplace import Workplace

_LOOK_SECONDS = 0.5
_SAME = (
    "Install there what is here (the same commit of the course, with `pip install --constraint constraints.txt`), "
    "start the worker again, and run again"
)


class Cluster(Workplace):
    """The workers of a Dask scheduler.

    Parameters
    ----------
    scheduler
        Where it is.
    jobs
        Submissions at a time, on all workers together; None: one for each of their threads.
    tell
        Called with what somebody who waits should know.

    Raises
    ------
    ClusterError
        If it cannot be used.
    """

    def __init__(self, scheduler: Scheduler, jobs: int | None, tell: Callable[[str], None]) -> None:
        self.scheduler = scheduler
        self.jobs = jobs
        self.tell = tell
        self._executor = ""
        self._canaries: tuple[Task, Task] | None = None
        # Who may grade, who may not, and who is being looked at.
        self._accepted: set[str] = set()
        self._refused: set[str] = set()
        self._looked_at: set[str] = set()
        self._descriptions: dict[str, Description] = {}
        self._peaks: dict[str, Peak] = {}
        # Grows with every worker that may grade from then on.
        self.admissions = 0
        self.client = ClusterClient(scheduler)

    def __exit__(self, *_: object) -> None:
        """Let go of the cluster; its workers go on, with nothing to do."""
        if not self.client.is_lost and self._accepted:
            self.client.ask(dask_worker.rest, list(self._accepted))
        self.client.close()

    # ---- who is there ----

    def choose_executor(self, *, allow_unsandboxed: bool) -> Executor:
        """Wait for a worker, look at all that are there, and return the best sandbox that works on each of them.

        Raises
        ------
        ClusterError
            If there is none, or one of them is not like this machine.
        NoSandboxError
            If one of them has no sandbox, and that is not allowed.
        """
        addresses = list(self._wait_for_workers())
        complaints = self._look_at(addresses)
        for address, complaint in complaints.items():
            raise ClusterError(f"{self._named(address)} cannot be used: {complaint}. {_SAME}")
        found = [self._descriptions[address].executor for address in addresses]
        for address, name in zip(addresses, found, strict=True):
            if not name and not allow_unsandboxed:
                theirs = self._descriptions[address]
                raise NoSandboxError(
                    f"{self._named(address)} has no sandbox: {theirs.reason}. Students' code is not run without one: "
                    f"{theirs.hint or 'or grade files that you trust with --allow-unsandboxed'}"
                )
        self._executor = (
            "plain process" if not all(found) else found[0] if len(set(found)) == 1 else "bubblewrap"  # all have this
        )
        return make_executor(self._executor)

    def sing(self, solution: Task, release: Task) -> None:
        """Grade the canaries on every worker, and let those work that pass.

        Raises
        ------
        CanaryError
            If one of them does not give what it must.
        """
        self._canaries = solution, release
        addresses = [address for address in self._descriptions if address not in self._refused]
        for address, complaint in self._try_out(addresses).items():
            raise canary.CanaryError(f"{self._named(address)}: {complaint}")
        self._admit(addresses)

    def look_around(self) -> int:
        """Look whether workers came or went, and return how many threads those have that may grade.

        Raises
        ------
        ClusterError
            If the scheduler does not answer.
        """
        there = self.client.threads()
        gone = self._accepted - set(there)
        self._accepted -= gone
        for address in set(there) - self._accepted - self._refused - self._looked_at:
            self._looked_at.add(address)
            threading.Thread(target=self._welcome, args=(address,), daemon=True).start()
        return sum(there[address] for address in self._accepted & set(there))

    def _wait_for_workers(self) -> Mapping[str, int]:
        deadline = time.monotonic() + self.scheduler.worker_wait
        told = False
        while not (there := self.client.threads()):
            if not told:
                seconds = f"{self.scheduler.worker_wait:.0f} s"
                self.tell(f"{self.scheduler.address} has no worker yet: waiting for one, up to {seconds} …")
                told = True
            if time.monotonic() >= deadline:
                raise ClusterError(self.no_worker())
            time.sleep(_LOOK_SECONDS)
        return there

    def no_worker(self) -> str:
        """Return what to say when nobody can grade any more."""
        return (
            f"no worker came to {self.scheduler.address} in {self.scheduler.worker_wait:.0f} s that could grade. Start "
            "one (`dask worker`, docs/cluster.md) and run again, or wait longer: --worker-wait SECONDS. What was "
            "graded is kept"
        )

    def _look_at(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return what keeps workers from grading, by address."""
        ours = identity()
        complaints = {}
        for address, answer in self.client.ask(dask_worker.describe, addresses).items():
            if isinstance(answer, BaseException):
                complaints[address] = in_words(answer)
                continue
            data, listening = answer
            theirs = self._descriptions[address] = Description.from_bytes(data)
            if found := difference(theirs, ours):
                complaints[address] = found
                continue
            advice = "start it with `dask worker --host 127.0.0.1`"
            self.scheduler.check_listening(self._named(address), listening, advice=advice)
        return complaints

    def _try_out(self, addresses: Sequence[str]) -> dict[str, str]:
        if self._canaries is None or not addresses:
            return {}
        graded: list[dict[str, Any]] = [
            self.client.ask(dask_worker.grade_here, addresses, Sealed(task.to_bytes())) for task in self._canaries
        ]
        complaints = {}
        for address in addresses:
            try:
                right, untouched = (_result(answers.get(address)) for answers in graded)
                canary.judge(right, untouched)
            except (canary.CanaryError, ClusterError) as error:
                complaints[address] = str(error)
        return complaints

    def _welcome(self, address: str) -> None:
        """Look at a worker that joined after the beginning; this is a thread of its own."""
        try:
            complaint = self._look_at([address]).get(address, "")
            usable = {self._descriptions[address].executor, "plain process"} if not complaint else set()
            if not complaint and not usable & {self._executor, "warm bubblewrap"}:
                complaint = f"it has no sandbox of the kind that this run uses: {self._descriptions[address].reason}"
            complaint = complaint or self._try_out([address]).get(address, "")
            if not complaint:
                self._admit([address])
        except Exception as error:
            complaint = str(error) or type(error).__name__
        if complaint and not self.client.is_lost:
            self._refused.add(address)
            self.tell(f"{self._named(address)} joined and gets no work: {complaint}")
        self._looked_at.discard(address)

    def _admit(self, addresses: Sequence[str]) -> None:
        answers = self.client.ask(dask_worker.offer, addresses, self.resource)
        self._accepted |= {address for address, answer in answers.items() if not isinstance(answer, BaseException)}
        self.admissions += 1

    def _named(self, address: str) -> str:
        known = self._descriptions.get(address)
        return f"the worker {address}" + (f" ({known.machine})" if known else "")

    # ---- what they do ----

    @property
    def resource(self) -> str:
        """What tasks ask for, and workers offer that were looked at; another run of the same kind shares it."""
        return f"cnnlab {identity().code[:16]} {self._executor}"

    def run(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield one result for each task, as they come; see `ClusterRun`."""
        self._peaks.clear()
        return ClusterRun(self, tasks).results()

    def peaks(self) -> Sequence[Peak]:
        """Return the most memory that each process used which graded."""
        return list(self._peaks.values())

    def note(self, graded: Graded) -> None:
        """Remember how much memory was used."""
        if graded.worker:
            before = self._peaks.get(graded.worker, Peak())
            self._peaks[graded.worker] = Peak(
                max(before.worker, graded.peak.worker), max(before.submission, graded.peak.submission)
            )


def _result(answer: object) -> Result:
    if isinstance(answer, Graded):
        return read_result(answer.result)
    raise ClusterError(in_words(answer) if isinstance(answer, BaseException) else "it did not answer")
