"""One student's process, seen from the grader: frames with a deadline, and an end that is certain."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnlab.grading import wire
from cnnlab.grading.errors import GradingError

_PIECE = 1 << 16


class ExecutorError(GradingError):
    """A student's process could not be started: a fault of the grader or its machine, never of the student."""


class ProcessTimeout(Exception):  # noqa: N818  the student's time was up; not an error of the grader
    """No whole frame came in time."""


class ProcessEnded(Exception):  # noqa: N818
    """The process ended; the text says how, as far as it is known."""


class StudentProcess(ABC):
    """Somebody who answers frames, over a descriptor in each direction; both must not block.

    Parameters
    ----------
    reading, writing
        The descriptors; they may be the same.
    own_user
        Whether the process's user is its own, so that its processes can be counted.
    """

    def __init__(self, reading: int, writing: int, *, own_user: bool) -> None:
        self._reading, self._writing = reading, writing
        self._unread = bytearray()
        self.own_user = own_user

    def send(self, message: dict[str, Any], values: Sequence[Any], *, deadline: float) -> None:
        """Send one frame; raises `ProcessTimeout` or `ProcessEnded`."""
        left = memoryview(wire.pack(message, values))
        while left:
            if time.monotonic() >= deadline:
                raise ProcessTimeout
            try:
                left = left[os.write(self._writing, left) :]
            except BlockingIOError:
                # Through /proc the other side can open both ends of its pipes, and fill or empty them meanwhile.
                self._wait(self._writing, deadline, write=True)
            except ConnectionError:
                raise ProcessEnded(self.how_it_ended()) from None

    def has_spoken(self) -> bool:
        """Whether something has come that nobody has asked for yet."""
        try:
            self._unread += os.read(self._reading, _PIECE)
        except (BlockingIOError, ConnectionError):
            return bool(self._unread)  # nothing is there, or nobody: whoever waits for an answer finds out
        return bool(self._unread)

    def receive(self, *, deadline: float) -> tuple[dict[str, Any], list[Any]]:
        """Read one frame; raises `ProcessTimeout`, `ProcessEnded` or `wire.ProtocolError`."""

        def read(size: int) -> bytes:
            while len(self._unread) < size:
                self._wait(self._reading, deadline, write=False)
                try:
                    piece = os.read(self._reading, _PIECE)
                except BlockingIOError:
                    continue
                except ConnectionError:
                    piece = b""
                if not piece:
                    raise ProcessEnded(self.how_it_ended())
                self._unread += piece
            # Also when all is here: frames that are slow to read can otherwise be sent without an end.
            if time.monotonic() >= deadline:
                raise ProcessTimeout
            data = bytes(self._unread[:size])
            del self._unread[:size]
            return data

        return wire.read_frame(read)

    @abstractmethod
    def has_ended(self) -> bool:
        """Whether nobody is at the other end any more."""

    @abstractmethod
    def complaint(self) -> str:
        """Return the end of what was written to standard error before any student's code ran."""

    @abstractmethod
    def how_it_ended(self) -> str:
        """Return one clause about the end of the process, in words for a student."""

    @abstractmethod
    def close(self) -> None:
        """End the process and everything that belongs to it, and wait for it."""

    @staticmethod
    def _wait(descriptor: int, deadline: float, *, write: bool) -> None:
        seconds = deadline - time.monotonic()
        reading, writing = ([], [descriptor]) if write else ([descriptor], [])
        if seconds <= 0 or not any(select.select(reading, writing, [], seconds)):
            raise ProcessTimeout


class ChildProcess(StudentProcess):
    """A child process in a session of its own, with a pipe in each direction.

    Parameters
    ----------
    command
        Program and arguments.
    environment
        Everything in the child's environment.
    folder
        Its working folder.
    own_user
        As in `StudentProcess`.
    cleanup
        Called once, after the child has ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        own_user: bool,
        cleanup: Callable[[], None] = lambda: None,
    ) -> None:
        self._cleanup = cleanup
        try:
            self._child = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            cleanup()
            raise ExecutorError(f"{command[0]} could not be started: {error}") from error
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        super().__init__(
            self._child.stdout.fileno(),  # type: ignore[union-attr]
            self._child.stdin.fileno(),  # type: ignore[union-attr]
            own_user=own_user,
        )

    def has_ended(self) -> bool:
        """Whether the child has ended."""
        return self._child.poll() is not None

    def complaint(self) -> str:
        """Return the end of what was written to standard error before any student's code ran."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(1)
        try:
            return os.read(self._child.stderr.fileno(), 10_000).decode("utf-8", "replace").strip()  # type: ignore[union-attr]
        except BlockingIOError:
            return ""

    def how_it_ended(self) -> str:
        """Return one clause about the end of the process, in words for a student."""
        try:
            status = self._child.wait(1)
        except subprocess.TimeoutExpired:
            return "it closed the connection to the grader"
        # bubblewrap and shells report a signal as 128 + its number.
        return ending(128 - status if status > 128 else status)

    def close(self) -> None:
        """End the process and everything in its process group, and wait for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            pipe.close()  # type: ignore[union-attr]
        self._cleanup()


def ending(status: int) -> str:
    """Return one clause about the end of a process; `status` as in `subprocess`, negative for a signal."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"the process was ended by {signal.Signals(-status).name}"
        status = 128 - status  # no signal has that number, so somebody chose it
    return f"the process ended itself with status {status}"


def quiet_environment(home: str) -> dict[str, str]:
    """Return the whole environment of a student's process: nothing of the grader's own is passed on."""
    return {
        "HOME": home,
        "TMPDIR": home,
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLBACKEND": "Agg",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        # One thread a submission: as many submissions run at a time as there are cores to spare.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }
