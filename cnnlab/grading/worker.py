"""One worker of the pool: a process of its own that grades what it is sent, one submission after the other."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection

from cnnlab.grading.executor import close_executors, peak_below, warm_up_early
from cnnlab.grading.task import run_task


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


def work(connection: Connection, executor: str, allows: frozenset[str]) -> None:
    """Grade what comes until there is nothing more; None ends it. The executor gets ready before the first comes."""
    # The run is interrupted, and ends its workers; they do not end by themselves in the middle of a submission.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    try:
        warm_up_early(executor, allows)
        while (task := connection.recv()) is not None:
            connection.send((run_task(task), peak()))
    except (EOFError, OSError):
        pass  # the run has gone
    finally:
        close_executors()


def _end_with_the_run() -> None:
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)
