"""One student's process, seen from the grader: frames with a deadline, and an end that is certain."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnlab.grading import wire
from cnnlab.grading.errors import GradingError


class ExecutorError(GradingError):
    """A student's process could not be started: a fault of the grader or its machine, never of the student."""


class ProcessTimeout(Exception):  # noqa: N818  the student's time was up; not an error of the grader
    """No whole frame came in time."""


class ProcessEnded(Exception):  # noqa: N818
    """The process ended; the text says how, as far as it is known."""


class StudentProcess:
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
        Whether the child's user is its own, so that its processes can be counted.
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
        self.own_user = own_user
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

    def send(self, message: dict[str, Any], values: Sequence[Any], *, deadline: float) -> None:
        """Send one frame; raises `ProcessTimeout` or `ProcessEnded`."""
        left = memoryview(wire.pack(message, values))
        descriptor = self._child.stdin.fileno()  # type: ignore[union-attr]
        while left:
            self._wait(descriptor, deadline, write=True)
            try:
                # Through /proc the other side can open both ends of its pipes, and fill or empty them meanwhile.
                with contextlib.suppress(BlockingIOError):
                    left = left[os.write(descriptor, left) :]
            except BrokenPipeError:
                raise ProcessEnded(self.how_it_ended()) from None

    def receive(self, *, deadline: float) -> tuple[dict[str, Any], list[Any]]:
        """Read one frame; raises `ProcessTimeout`, `ProcessEnded` or `wire.ProtocolError`."""
        descriptor = self._child.stdout.fileno()  # type: ignore[union-attr]

        def read(size: int) -> bytes:
            data = bytearray()
            while len(data) < size:
                self._wait(descriptor, deadline, write=False)
                try:
                    piece = os.read(descriptor, min(size - len(data), 1 << 20))
                except BlockingIOError:
                    continue
                if not piece:
                    raise ProcessEnded(self.how_it_ended())
                data += piece
            return bytes(data)

        return wire.read_frame(read)

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
        number = -status if status < 0 else status - 128
        if number <= 0:
            return f"the process ended itself with status {status}"
        try:
            return f"the process was ended by {signal.Signals(number).name}"
        except ValueError:
            return f"the process ended itself with status {status}"

    def close(self) -> None:
        """End the process and everything in its process group, and wait for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            pipe.close()  # type: ignore[union-attr]
        self._cleanup()

    @staticmethod
    def _wait(descriptor: int, deadline: float, *, write: bool) -> None:
        # Also when data are waiting: frames that are slow to read can otherwise be sent without an end.
        seconds = deadline - time.monotonic()
        reading, writing = ([], [descriptor]) if write else ([descriptor], [])
        if seconds <= 0 or not any(select.select(reading, writing, [], seconds)):
            raise ProcessTimeout


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
