"""A process of this machine that grades what it is given, seen from who gives: a run, or a worker of a cluster.

It is started anew and not forked: who starts it may have threads. `cnnlab.grading.worker` is what runs in it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

from cnnlab.grading.worker import Peak

# Makes room for a new one after so many submissions, so that no leak can add up.
TASKS_A_CHILD = 250
# Times the time limit of a submission: by then it hangs, and through no fault of the submission.
PATIENCE = 5.0
# Not multiprocessing: it refuses to start anything from a daemon, as Dask's workers are, and reads the main program
# of the run again.
_PROGRAM = """\
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from cnnlab.grading.worker import main
main(int(sys.argv[1]))
"""
_END_SECONDS = 10.0


class ChildLostError(RuntimeError):
    """A child ended, or did not come back, in the middle of what it was asked; the text says how."""


class Child:
    """One process; it ends when `close` is called, or when who started it ends."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.connection = Connection(ours.detach())
        self.done = 0
        with theirs:
            command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), json.dumps(sys.path)]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    @property
    def is_spent(self) -> bool:
        """Whether a new one should be started before the next task."""
        return self.done >= TASKS_A_CHILD or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def give(self, request: object) -> None:
        """Send a task, or what else `cnnlab.grading.worker` answers, and do not wait."""
        # If it has ended meanwhile, its connection says so when it is asked for the answer.
        with contextlib.suppress(OSError):
            self.connection.send(request)

    def take(self, seconds: float = 0.0) -> tuple[bytes, Peak]:
        """Return the answer to what was given.

        Raises
        ------
        ChildLostError
            If it ended, or no answer came in so many seconds.
        """
        try:
            if not self.connection.poll(seconds):
                raise ChildLostError("it did not come back")
            answer: tuple[bytes, Peak] = self.connection.recv()
        except (EOFError, OSError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            raise ChildLostError(f"exit {self._process.returncode}") from error
        self.done += 1
        return answer

    def close(self, *, kill: bool = False) -> None:
        """End it, in the middle of a task only if told to, and wait for it."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        if kill:
            self._process.kill()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.connection.close()
