"""The warm process: it has imported what notebooks import, and forks once for each start of a submission.

No code of a student ever runs in it. It takes orders from the grader alone, over the socket that is its standard input:
``fork``, with the sockets of the new process, and ``end`` with the number of one that was forked before. It is
answered with the number, and after the end with the most memory that any process below it ever used.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import resource
import signal
import site
import socket
import sys
from pathlib import Path
from typing import NoReturn

_PLACES = ("/tmp", "/dev/shm")  # noqa: S108  these are in the sandbox
_PLACE_BYTES, _PLACE_FILES = 64 << 20, 10_000
_UID = 65534
_MOST_SOCKETS = 64


def main() -> NoReturn:
    """Warm up, then fork whenever the grader says so."""
    sys.path[:0] = sys.argv[1:]
    sys.argv = ["notebook"]
    site.setquit()
    site.sethelper()
    grader = socket.socket(fileno=os.dup(0))

    from cnnlab.grading.student_view import isolate
    from cnnlab.grading.student_view.serve import to_nowhere

    if not isolate.supported():
        raise SystemExit("the system calls of this machine are not known")
    warm_up()
    _refuse_what_forks_would_share()
    grader.send(b"ready")
    to_nowhere()
    gc.collect()
    gc.freeze()
    while True:
        order, sockets, _, _ = socket.recv_fds(grader, 64, _MOST_SOCKETS)
        if not order:
            os._exit(0)
        if order == b"fork":
            grader.send(_fork(grader, sockets))
        else:
            grader.send(_end(int(order)))


def _refuse_what_forks_would_share() -> None:
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        raise SystemExit("the warm process has threads, so it cannot fork")
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    shared = [line.split()[-1] for line in maps if re.fullmatch("[r-]w.s", line.split()[1])]
    if shared:
        raise SystemExit(f"the warm process shares memory with its forks: {shared[0]}")


def warm_up() -> None:
    """Import what notebooks import, and do once what is slow only at first: fonts, a first figure."""
    import io
    import tempfile
    from importlib import import_module

    import IPython.core.inputtransformer2
    import matplotlib.pyplot as plt
    import numpy as np

    for name in ("IPython.display", "cnnlab.backend", "cnnlab.data", "cnnlab.viz"):
        with contextlib.suppress(ImportError):  # whoever imports it in a notebook is told
            import_module(name)
    tempfile.gettempdir()
    np.ones((64, 64)) @ np.ones((64, 64))
    IPython.core.inputtransformer2.TransformerManager().transform_cell("%time 1")  # type: ignore[no-untyped-call]
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.set_title("a $b$")
    figure.savefig(io.BytesIO())
    plt.close("all")


def _fork(grader: socket.socket, sockets: list[int]) -> bytes:
    from cnnlab.grading.student_view import isolate

    try:
        pid = isolate.fork_apart()
    except OSError as error:
        pid, answer = -1, f"! {error.strerror}"
    else:
        answer = str(pid)
    if pid == 0:
        try:
            grader.close()
            _begin(sockets)
        finally:
            os._exit(1)
    for descriptor in sockets:
        os.close(descriptor)
    return answer.encode()


def _begin(sockets: list[int]) -> NoReturn:
    """Cut this process off, say so, and become the keeper of one that runs the student's code."""
    from cnnlab.grading.student_view import isolate
    from cnnlab.grading.student_view.keeper import keep
    from cnnlab.grading.student_view.serve import to_nowhere

    grader = socket.socket(fileno=sockets[0])
    home = os.environ["HOME"]
    try:
        os.chdir("/")
        isolate.settle((home, *_PLACES), size=_PLACE_BYTES, files=_PLACE_FILES, uid=_UID)
        to_nowhere()  # again: an open file keeps the rights of the mount that it was opened on
        Path(os.environ["MPLCONFIGDIR"]).mkdir()
        os.chdir(home)
        _close_all_but(sockets)
    except OSError as error:
        grader.send(f"! {error.strerror}"[:200].encode())
        os._exit(1)
    grader.send(b"ready")
    if grader.recv(8) != b"go":
        os._exit(1)
    if os.fork() == 0:
        grader.close()
        try:
            _run(sockets[1:], (home, *_PLACES))
        finally:
            os._exit(1)
    for descriptor in sockets[1:]:
        os.close(descriptor)
    keep(grader)


def _run(links: list[int], places: tuple[str, ...]) -> NoReturn:
    import numpy as np

    from cnnlab.grading.student_view.serve import Link, serve

    np.random.seed()  # noqa: NPY002  else every submission would draw the same numbers
    for descriptor in links:
        os.set_inheritable(descriptor, False)
    serve(Link(os.dup(links[0]), links[0]), links[1:], places)


def _close_all_but(kept: list[int]) -> None:
    for listed in list(Path("/proc/self/fd").iterdir()):
        descriptor = int(listed.name)
        if descriptor > 2 and descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the one with which the folder was listed


def _end(pid: int) -> bytes:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)  # returns when nothing of its namespace is left
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return str(peak).encode()


if __name__ == "__main__":
    main()
