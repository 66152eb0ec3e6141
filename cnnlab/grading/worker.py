"""One worker of the pool: a process of its own that grades what it is sent, one submission after the other."""

from __future__ import annotations

import os
import resource
import select
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection

from cnnlab.grading.executor import close_executors, peak_below, warm_up_early
from cnnlab.grading.fingerprint import DESCRIBE, describe
from cnnlab.grading.task import run_task

# Who waits for so long has no more work; what it keeps warm is wanted elsewhere.
_IDLE_SECONDS = 600.0


@dataclass(frozen=True)
class Peak:
    """The most memory that one process used so far, in KiB.

    Attributes
    ----------
    worker
        Which runs the checks.
    submission
        The largest process of a submission; 0 where it is not known.
    """

    worker: int = 0
    submission: int = 0


def peak() -> Peak:
    """Return the peak of this process and of what it ran."""
    return Peak(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, peak_below())


@dataclass(frozen=True)
class WarmUp:
    """A request without an answer: let this executor get ready for an assignment that allows these parts of cnnlab."""

    executor: str
    allows: frozenset[str]


def main(descriptor: int) -> None:
    """Be a `cnnlab.grading.child.Child`, whose other end is at this descriptor."""
    work(Connection(descriptor))


def work(connection: Connection) -> None:
    """Grade what comes until there is nothing more; None ends it, and so does a long wait."""
    # The run is interrupted, and ends its workers; they do not end by themselves in the middle of a submission.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_run, args=(connection.fileno(),), daemon=True).start()
    try:
        while connection.poll(_IDLE_SECONDS) and (request := connection.recv()) is not None:
            if isinstance(request, WarmUp):
                warm_up_early(request.executor, request.allows)
                continue
            answer = describe().to_bytes() if request == DESCRIBE else run_task(request)
            connection.send((answer, peak()))
    except (EOFError, OSError):
        pass  # the run has gone
    finally:
        close_executors()


def _end_with_the_run(descriptor: int) -> None:
    """End as soon as nobody is at the other end, also in the middle of a submission."""
    poll = select.poll()
    poll.register(descriptor, 0)  # nothing but its end
    poll.poll()
    os._exit(1)
