"""Where students' code runs: the seam between the grader and a sandbox.

An executor only knows how to start one process that speaks the protocol of `cnnlab.grading.wire`. Everything
else – what is sent, what an answer means, how long to wait – is the same for all of them.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Protocol

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

    def start(self, limits: Limits, copies: int = 0) -> tuple[StudentProcess, ...]:
        """Start a process that waits for its first frame; raises `ExecutorError` when it cannot.

        Parameters
        ----------
        limits
            Of the submission.
        copies
            How many copies of itself it will make, if it can; after the process itself, they are returned too.
        """

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
    """

    ok: bool
    reason: str
    hint: str = ""


class NoSandboxError(GradingError):
    """Submissions cannot be isolated here, and it was not allowed to run them without."""


_BY_HAND = "or grade files that you trust with --allow-unsandboxed"


def sandbox_status() -> SandboxStatus:
    """Try the sandbox with an empty notebook, and say what was found."""
    from cnnlab.grading.bubblewrap import BubblewrapExecutor
    from cnnlab.grading.session import Session

    if shutil.which("bwrap") is None:
        return SandboxStatus(
            ok=False,
            reason="bubblewrap is not installed",
            hint=f"Linux: apt install bubblewrap (Windows: inside WSL2); {_BY_HAND}",
        )
    try:
        with Session(BubblewrapExecutor(), [], Limits(submission_seconds=30)) as session:
            session.prepare()
    except ExecutorError as error:
        return SandboxStatus(
            ok=False,
            reason=f"bubblewrap does not work here: {error}",
            hint=f"allow user namespaces (sysctl kernel.unprivileged_userns_clone, AppArmor), {_BY_HAND}",
        )
    return SandboxStatus(ok=True, reason="bubblewrap works: no network, own processes, an allow-list of files")


def choose_executor(*, allow_unsandboxed: bool) -> Executor:
    """Return the sandbox if it works, else an ordinary process if that is allowed.

    Raises
    ------
    NoSandboxError
        If there is no working sandbox and `allow_unsandboxed` is false.
    """
    from cnnlab.grading.bubblewrap import BubblewrapExecutor
    from cnnlab.grading.plain import PlainExecutor

    status = sandbox_status()
    if status.ok:
        return BubblewrapExecutor()
    if allow_unsandboxed:
        return PlainExecutor()
    raise NoSandboxError(f"{status.reason}. Students' code is not run without a sandbox: {status.hint}")
