"""Where students' code runs: the seam between the grader and a sandbox.

An executor only knows how to start one process that speaks the protocol of `cnnlab.grading.wire`. Everything
else – what is sent, what an answer means, how long to wait – is the same for all of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cnnlab.grading import spare_user
from cnnlab.grading.cgroups import cgroups_status
from cnnlab.grading.errors import GradingError
from cnnlab.grading.limits import Limits
from cnnlab.grading.process import ExecutorError, StudentProcess


class Executor(Protocol):
    """Starts students' processes.

    Attributes
    ----------
    name
        For reports and for the key under which results are stored.
    isolated
        Whether a hostile submission is kept from the network, from other files and from other processes.
    copies
        Whether a process can make copies of itself while it runs the cells.
    """

    name: str
    isolated: bool
    copies: bool

    @property
    def peak_kib(self) -> int:
        """The most memory that one process used so far; 0 where it is not known."""

    def start(
        self, limits: Limits, copies: int = 0, *, allows: frozenset[str] = frozenset()
    ) -> tuple[StudentProcess, ...]:
        """Start a process that waits for its first frame; raises `ExecutorError` when it cannot.

        Parameters
        ----------
        limits
            Of the submission.
        copies
            How many copies of itself it will make, if it can; after the process itself, they are returned too.
        allows
            As in `cnnlab.checks.model.Exercise`.
        """

    def warm_up(self, allows: frozenset[str] = frozenset()) -> None:
        """Begin with what takes long before the first start, and do not wait for it; raises nothing."""

    def close(self) -> None:
        """End what is kept from one start to the next."""


@dataclass(frozen=True)
class SandboxStatus:
    """Whether submissions can be isolated on this machine.

    Attributes
    ----------
    ok
        Whether a trial process ran in the sandbox.
    reason, hint
        What was found, and what to do about it when it is not ok.
    executor
        Name of the one to use, as `make_executor` takes it.
    """

    ok: bool
    reason: str
    hint: str = ""
    executor: str = ""


class NoSandboxError(GradingError):
    """Submissions cannot be isolated here, and it was not allowed to run them without."""


_BY_HAND = "or grade files that you trust with --allow-unsandboxed"


def make_executor(name: str) -> Executor:
    """Return a new executor of this name; it is closed by who asked for it."""
    from cnnlab.grading.bubblewrap import BubblewrapExecutor
    from cnnlab.grading.plain import PlainExecutor
    from cnnlab.grading.warm import WarmExecutor

    known: dict[str, Callable[[], Executor]] = {
        WarmExecutor.name: WarmExecutor,
        BubblewrapExecutor.name: BubblewrapExecutor,
        PlainExecutor.name: PlainExecutor,
    }
    return known[name]()


_in_use: dict[str, Executor] = {}


def shared_executor(name: str) -> Executor:
    """Return this process's one executor of this name; `close_executors` ends what it keeps."""
    if name not in _in_use:
        _in_use[name] = make_executor(name)
    return _in_use[name]


def warm_up_early(name: str = "", allows: frozenset[str] = frozenset()) -> None:
    """Let the executor that is likely to be used, or the named one, begin: it gets ready while other things go on."""
    if not name and shutil.which("bwrap") is None:
        return
    shared_executor(name or "warm bubblewrap").warm_up(allows)


def peak_below() -> int:
    """Return the most memory that a process of a submission used so far, in KiB; 0 where it is not known."""
    return max((executor.peak_kib for executor in _in_use.values()), default=0)


def close_executors() -> None:
    """End what executors keep in this process; they start again when they are needed."""
    for executor in _in_use.values():
        executor.close()
    _in_use.clear()


def sandbox_status(*, keep: bool = False) -> SandboxStatus:
    """Try the sandboxes with an empty notebook, the quick one first, and say what was found.

    Parameters
    ----------
    keep
        Whether what works is to be used at once, as `shared_executor`.
    """
    if shutil.which("bwrap") is None:
        return SandboxStatus(
            ok=False,
            reason="bubblewrap is not installed",
            hint=f"Linux: apt install bubblewrap (Windows: inside WSL2); {_BY_HAND}",
        )
    slow = _complaint("warm bubblewrap", keep=keep)
    if not slow:
        reason = "bubblewrap works: no network, own processes, an allow-list of files; a fork for each submission"
        reason = f"{reason}; {cgroups_status()}{_about_root()}"
        return SandboxStatus(ok=True, reason=reason, executor="warm bubblewrap")
    fault = _complaint("bubblewrap", keep=keep)
    if fault:
        return SandboxStatus(
            ok=False,
            reason=f"bubblewrap does not work here: {fault}",
            hint=f"allow user namespaces (sysctl kernel.unprivileged_userns_clone, AppArmor), {_BY_HAND}",
        )
    reason = (
        "bubblewrap works: no network, own processes, an allow-list of files. There are no namespaces inside it "
        f"({slow}), so every exercise starts a new sandbox: as safe, and slower"
    )
    return SandboxStatus(ok=True, reason=reason, executor="bubblewrap")


def _about_root() -> str:
    """Return a clause for root, to whom Linux counts no processes."""
    if not spare_user.is_needed():
        return ""
    why_not = spare_user.why_not()
    if why_not:
        return f"; you are root, and so are submissions, whose processes are then not counted ({why_not})"
    return "; you are root, and submissions are somebody else"


def _complaint(name: str, *, keep: bool) -> str:
    """Return why an executor does not work here, or nothing."""
    from cnnlab.grading.session import Session

    executor = shared_executor(name) if keep else make_executor(name)
    try:
        with Session(executor, [], Limits(submission_seconds=30)) as session:
            session.prepare()
    except ExecutorError as error:
        executor.close()
        return str(error)
    if not keep:
        executor.close()
    return ""


def choose_executor(*, allow_unsandboxed: bool) -> Executor:
    """Return the best sandbox that works, else an ordinary process if that is allowed, as `shared_executor`.

    Raises
    ------
    NoSandboxError
        If there is no working sandbox and `allow_unsandboxed` is false.
    """
    status = sandbox_status(keep=True)
    if status.ok:
        return shared_executor(status.executor)
    if allow_unsandboxed:
        return shared_executor("plain process")
    raise NoSandboxError(f"{status.reason}. Students' code is not run without a sandbox: {status.hint}")
