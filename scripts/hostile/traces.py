"""What a run of the grader left on the machine: processes, files, shared memory, queues, sockets; and who was called.

Others use the machine meanwhile. So processes count that come from this one (it takes in all whose parents end), or
that bear the mark of the samples, and files that bear it, or lie in the run's own temporary and home folders.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostile.sample import MARK, PORT, SOCKET

_TAKE_IN_ORPHANS = 36
_KEYS = range(0x4C454654, 0x4C454654 + 5)
_PLACES = ("/tmp", "/dev/shm", "/var/tmp", "/run", "/dev/mqueue", "/")
_PATIENCE = 5.0


def take_in_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_TAKE_IN_ORPHANS, 1, 0, 0, 0)


def processes_left() -> list[str]:
    """Return what still runs of a run that has ended, after a moment for it to end."""
    deadline = time.monotonic() + _PATIENCE
    while (left := sorted(_processes())) and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.1)
    return left


def _processes() -> Iterator[str]:
    parents, lines = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
                    lines[int(entry.name)] = (
                        (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    )
    own = os.getpid()
    for pid, line in lines.items():
        above = list(_ancestors(pid, parents))
        # Another trial's processes have that trial above them; what escaped from one has nobody.
        escaped = MARK in line and "grade_hostile" not in line and len(above) <= 1
        if pid != own and (own in above or escaped):
            yield f"{pid} {line[:100]}"


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while (pid := parents.get(pid, 0)) > 1:
        yield pid


def files_left(folders: tuple[Path, ...]) -> list[str]:
    """Return the files in a run's own folders, and whatever bears the mark of the samples elsewhere."""
    found = [str(path) for folder in folders for path in folder.rglob("*")]
    for place in (*map(Path, _PLACES), Path.home(), Path.cwd()):
        with contextlib.suppress(OSError):
            found += [str(path) for path in place.iterdir() if MARK in path.name]
    with contextlib.suppress(OSError):
        sockets = Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()
        found += [line.split()[-1] for line in sockets if MARK in line]
    for kind in ("shm", "sem", "msg"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            rows = Path(f"/proc/sysvipc/{kind}").read_text(encoding="ascii").splitlines()[1:]
            found += [f"{kind} {row.split()[0]}" for row in rows if int(row.split()[0]) in _KEYS]
    if sys.platform == "linux" and _has_queue():
        found.append(f"message queue /{MARK}")
    return sorted(set(found))


def _has_queue() -> bool:
    libc = ctypes.CDLL(None)
    queue = libc.mq_open(f"/{MARK}".encode(), os.O_RDONLY)
    if queue >= 0:
        libc.mq_close(queue)
    return bool(queue >= 0)


class Listener:
    """Somebody on this machine whom no submission may reach."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._lines: list[socket.socket] = []

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Listen on a port of loopback and an abstract socket, as far as they are free."""
        for family, kind, address in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", PORT)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", PORT)),
            (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{SOCKET}"),
        ):
            line = socket.socket(family, kind)
            with contextlib.suppress(OSError):
                line.bind(address)  # type: ignore[arg-type]
                self._lines.append(line)
                threading.Thread(target=self._listen, args=(line, kind), daemon=True).start()
        try:
            yield self
        finally:
            for line in self._lines:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                line.close()

    def _listen(self, line: socket.socket, kind: socket.SocketKind) -> None:
        with contextlib.suppress(OSError):
            if kind == socket.SOCK_STREAM:
                line.listen()
            while True:
                if kind == socket.SOCK_STREAM:
                    connection, _ = line.accept()
                    connection.close()
                    self.calls.append(str(line.getsockname()))
                elif line.recvfrom(64)[0]:
                    self.calls.append(f"{line.getsockname()} (UDP)")
