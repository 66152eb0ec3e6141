"""PID 1 of a submission: it reaps what ends, ends what the grader names, and with it everything else ends.

It talks with the grader over a socket of its own, in packets: ``go`` once, then the number of a process to end; back go
``ready`` or the reason why not, and for each process that ended its number and its status.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from typing import NoReturn

from cnnlab.grading.wire import ENDED, TO_END


def keep(grader: socket.socket) -> NoReturn:
    """Serve the grader until it has gone; the kernel then ends every other process of this namespace."""
    woken, wakes = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    _reap(grader)
    while True:
        ready, _, _ = select.select([grader.fileno(), woken], [], [])
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            _reap(grader)
        if grader.fileno() in ready:
            packet = grader.recv(64)
            if not packet:
                os._exit(0)
            (pid,) = TO_END.unpack(packet)
            if pid > 1:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _reap(grader: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # A grader that does not read them loses them: it never waits here.
            with contextlib.suppress(OSError):
                grader.send(ENDED.pack(pid, os.waitstatus_to_exitcode(status)), socket.MSG_DONTWAIT)
