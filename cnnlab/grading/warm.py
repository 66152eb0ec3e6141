"""Run submissions in forks of a warm process inside bubblewrap: as far apart as in `bubblewrap`, and much sooner ready.

One process in a sandbox has imported NumPy and matplotlib, and forks whenever the grader says so. Each fork gets
namespaces, a user and places of its own before any code of a student runs in it (`student_view.isolate`), and is
ended through its PID 1 (`student_view.keeper`), so that nothing of it is left when the next one begins. Where such
namespaces cannot be had inside bubblewrap, `cnnlab.grading.executor` takes a new sandbox for each process instead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnlab.grading import bubblewrap, spare_user, tree
from cnnlab.grading.cgroups import Cgroup, Cgroups, NoCgroupsError, find_cgroups
from cnnlab.grading.limits import Limits
from cnnlab.grading.process import ExecutorError, StudentProcess, ending
from cnnlab.grading.wire import ENDED, TO_END

_WARM_SECONDS = 120.0
_ORDER_SECONDS = 30.0
_FORKS_BEFORE_A_NEW_ONE = 500
# How many ends of processes are kept; a submission may make more of them.
_MOST_ENDS = 1000
# struct ucred: process, user, group.
_SENDER = struct.Struct("3i")


class WarmExecutor:
    """Forks of one warm process; it is started when it is needed, and again after a fault or many forks."""

    name = "warm bubblewrap"
    isolated = True
    copies = True

    def __init__(self) -> None:
        self._warm: _WarmProcess | None = None
        self._peak_kib = 0

    @property
    def peak_kib(self) -> int:
        """The most memory that one process used so far."""
        return max(self._peak_kib, self._warm.peak_kib if self._warm else 0)

    def start(
        self, limits: Limits, copies: int = 0, *, allows: frozenset[str] = frozenset()
    ) -> tuple[StudentProcess, ...]:
        """Fork the warm process; see `Executor.start`. Another assignment that allows other parts has its own."""
        if self._warm is not None and (self._warm.is_spent() or self._warm.allows != allows):
            self.close()
        if self._warm is None:
            self._warm = _WarmProcess(allows)
        try:
            self._warm.wait_until_ready()
            return self._warm.fork(1 + copies, limits)
        except ExecutorError:
            self.close()
            raise

    def warm_up(self, allows: frozenset[str] = frozenset()) -> None:
        """Start the warm process and do not wait for it; see `Executor.warm_up`."""
        if self._warm is None:
            with contextlib.suppress(ExecutorError):  # the first start says it
                self._warm = _WarmProcess(allows)

    def close(self) -> None:
        """End the warm process; the next start makes a new one."""
        if self._warm is not None:
            self._peak_kib = self.peak_kib
            self._warm.close()
            self._warm = None


class _WarmProcess:
    """The warm process, seen from the grader."""

    def __init__(self, allows: frozenset[str]) -> None:
        self.allows = allows
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.peak_kib = 0
        self._forks = 0
        self._running = 0
        self._cgroups = _cgroups()
        with theirs, spare_user.namespace() as namespace:
            command = bubblewrap.command(tree.WARM, allows, forks=True, namespace=namespace)
            try:
                self._child = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=bubblewrap.environment(),
                    cwd=Path("/"),
                    start_new_session=True,
                    pass_fds=() if namespace is None else (namespace,),
                )
            except OSError as error:
                self._orders.close()
                raise ExecutorError(f"{command[0]} could not be started: {error}") from error
        self._is_ready = False

    def wait_until_ready(self) -> None:
        """Wait for the sign that it has imported everything."""
        if self._is_ready:
            return
        try:
            self._expect(b"ready", _WARM_SECONDS)
        except ExecutorError as error:
            raise ExecutorError(f"the warm process did not start: {self._complaint() or error}") from None
        self._is_ready = True

    def is_spent(self) -> bool:
        """Whether another one should be started before the next fork."""
        return self._child.poll() is not None or (self._forks >= _FORKS_BEFORE_A_NEW_ONE and not self._running)

    def has_ended(self) -> bool:
        """Whether it ended, which it never does by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(0.2)
        return self._child.returncode is not None

    def fork(self, links: int, limits: Limits) -> tuple[StudentProcess, ...]:
        """Start a submission with so many connections to it, and return what is at their other ends."""
        with contextlib.ExitStack() as stack:
            control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.enter_context(their_control)
            control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # the kernel tells who writes
            pairs = [socket.socketpair() for _ in range(links)]
            for _, theirs in pairs:
                stack.enter_context(theirs)
            ours = [mine for mine, _ in pairs]
            try:
                theirs_all = [their_control.fileno(), *(theirs.fileno() for _, theirs in pairs)]
                self._order(b"fork", theirs_all)
                pid = self._number()
            except BaseException:
                for mine in (control, *ours):
                    mine.close()
                raise
        self._forks += 1
        self._running += 1
        submission = _Submission(self, pid, control)
        processes = tuple(ForkedProcess(submission, mine) for mine in ours)
        try:
            submission.begin(self._cgroups.make(limits) if self._cgroups else None)
        except (ExecutorError, OSError) as error:
            for process in processes:
                process.close()
            raise ExecutorError(str(error)) from error
        return processes

    def end(self, pid: int) -> None:
        """End the fork of that number and everything below it, and wait until nothing of it is left."""
        self._running -= 1
        self._order(str(pid).encode())
        self.peak_kib = max(self.peak_kib, self._number())

    def close(self) -> None:
        """End the warm process, and with it everything in its sandbox."""
        self._orders.close()
        self._kill()
        self._child.wait()
        if self._child.stderr is not None:
            self._child.stderr.close()

    def _order(self, order: bytes, descriptors: list[int] | None = None) -> None:
        self._orders.settimeout(_ORDER_SECONDS)
        try:
            if descriptors:
                socket.send_fds(self._orders, [order], descriptors)
            else:
                self._orders.send(order)
        except OSError as error:
            raise ExecutorError(f"the warm process takes no orders: {error}") from error

    def _number(self) -> int:
        answer = self._receive(_ORDER_SECONDS)
        if answer.isdigit():
            return int(answer)
        raise ExecutorError(f"the warm process cannot fork: {answer.decode('utf-8', 'replace')}")

    def _expect(self, wanted: bytes, seconds: float) -> None:
        answer = self._receive(seconds)
        if answer != wanted:
            raise ExecutorError(f"the warm process said {answer!r}")

    def _receive(self, seconds: float) -> bytes:
        self._orders.settimeout(seconds)
        try:
            answer = self._orders.recv(256)
        except OSError as error:
            raise ExecutorError(f"the warm process does not answer: {error}") from error
        if not answer:
            raise ExecutorError("the warm process ended")
        return answer

    def _kill(self) -> None:
        """End bubblewrap; while it starts also its second process, which would wait for the first for ever."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def _complaint(self) -> str:
        self._kill()
        _, errors = self._child.communicate()
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def _cgroups() -> Cgroups | None:
    try:
        return find_cgroups()
    except NoCgroupsError:
        return None


class _Submission:
    """One fork of the warm process: the keeper of some student processes."""

    def __init__(self, warm: _WarmProcess, pid: int, control: socket.socket) -> None:
        self._warm = warm
        self._pid = pid
        self._control = control
        self._using: set[ForkedProcess] = set()
        self._ends: dict[int, int] = {}
        self._cgroup: Cgroup | None = None
        # As the grader sees PID 1, while that runs.
        self.keeper: int | None = None

    def begin(self, cgroup: Cgroup | None) -> None:
        """Wait until it has cut itself off, put it into its control group, and let it start."""
        self._cgroup = cgroup
        self._control.settimeout(_ORDER_SECONDS)
        try:
            answer, attached, _, _ = self._control.recvmsg(256, socket.CMSG_SPACE(_SENDER.size))
            if answer != b"ready":
                raise ExecutorError(f"no namespaces of its own: {answer.decode('utf-8', 'replace') or 'it ended'}")
            self.keeper = next(
                (_SENDER.unpack(data)[0] for _, kind, data in attached if kind == socket.SCM_CREDENTIALS), None
            )
            if cgroup is not None:
                if not self.keeper:
                    raise ExecutorError("the number of a fork is not known")
                cgroup.add(self.keeper)
            self._control.send(b"go")
        except OSError as error:
            raise ExecutorError(f"a fork of the warm process does not answer: {error}") from error

    def add(self, process: ForkedProcess) -> None:
        """Stay until this process has been closed too."""
        self._using.add(process)

    def remove(self, process: ForkedProcess) -> None:
        """End the process, and with the last of them everything."""
        self._using.discard(process)
        if self._using:
            if process.pid is not None:
                with contextlib.suppress(OSError):
                    self._control.send(TO_END.pack(process.pid), socket.MSG_DONTWAIT)
            return
        self._control.close()
        # If the warm process is gone, so is everything that it forked.
        with contextlib.suppress(ExecutorError):
            self._warm.end(self._pid)
        if self._cgroup is not None:
            self._cgroup.remove()

    def status(self, pid: int | None, seconds: float) -> int | None:
        """Return how that process ended, or None if it is not known after so many seconds."""
        if pid in self._ends:
            return self._ends[pid]
        deadline = time.monotonic() + seconds
        for ended, status in self._reports(deadline):
            if len(self._ends) < _MOST_ENDS:
                self._ends[ended] = status
            if ended == pid:
                break
        return self._ends.get(pid or 0)

    def was_ours(self) -> bool:
        """Whether it ended because the warm process did."""
        return self._warm.has_ended()

    def _reports(self, deadline: float) -> Iterator[tuple[int, int]]:
        while (left := deadline - time.monotonic()) > 0:
            self._control.settimeout(left)
            try:
                packet = self._control.recv(64)
            except OSError:
                return
            if len(packet) != ENDED.size:
                return  # it has gone, or somebody else speaks for it
            pid, status = ENDED.unpack(packet)
            yield pid, status


class ForkedProcess(StudentProcess):
    """One process of a submission that was forked from the warm process, or one that made a copy of itself there."""

    def __init__(self, submission: _Submission, link: socket.socket) -> None:
        link.setblocking(False)
        super().__init__(link.fileno(), link.fileno(), own_user=True)
        self._link = link
        self._submission = submission
        self.pid: int | None = None
        submission.add(self)

    def receive(self, *, deadline: float) -> tuple[dict[str, Any], list[Any]]:
        """Read one frame; see `StudentProcess.receive`. The first one tells its number."""
        message, values = super().receive(deadline=deadline)
        if self.pid is None and type(message.get("hello")) is int and 0 < message["hello"] < 1 << 31:
            self.pid = message["hello"]
        return message, values

    def has_ended(self) -> bool:
        """Whether nobody is at the other end, and there is nothing to read any more."""
        if self._unread:
            return False
        try:
            return self._link.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def complaint(self) -> str:
        """Return nothing: what it writes goes nowhere."""
        return ""

    def how_it_ended(self) -> str:
        """Return one clause about the end; raises `ExecutorError` when the fault is ours."""
        status = self._submission.status(self.pid, 1.0)
        if status is not None:
            return ending(status)
        if self._submission.was_ours():
            raise ExecutorError("the warm process ended in the middle of a submission")
        return "it closed the connection to the grader"

    def close(self) -> None:
        """End it, and with the last of the submission everything that belongs to it."""
        self._link.close()
        self._submission.remove(self)
