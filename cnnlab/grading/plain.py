"""Run a submission as an ordinary process: for trusted files on machines without a sandbox.

Limits on time, memory and files hold, and students' code meets the same cnnlab as in the sandbox. It can still read
whatever the user who grades can read, and reach the network.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from cnnlab.grading import tree
from cnnlab.grading.limits import Limits
from cnnlab.grading.process import ChildProcess, StudentProcess, quiet_environment


class PlainExecutor:
    """An ordinary child process in its own session and folder."""

    name = "plain process"
    isolated = False
    copies = False
    peak_kib = 0

    def start(
        self, limits: Limits, copies: int = 0, *, allows: frozenset[str] = frozenset()
    ) -> tuple[StudentProcess, ...]:
        """Start a process whose imports come from a folder of links; see `Executor.start`."""
        del limits, copies  # the child sets them itself, before it runs any cell
        folder = Path(tempfile.mkdtemp(prefix="cnnlab-grading-"))
        packages, course, home = (folder / name for name in ("packages", "course", "home"))
        for parent, files in ((packages, tree.packages_tree()), (course, tree.cnnlab_tree(allows))):
            for seen, real in files.items():
                link = parent / seen
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(real)
        home.mkdir()
        _, python = tree.standard_library()
        process = ChildProcess(
            [os.fspath(python), "-I", "-S", "-B", str(course / tree.MAIN), str(course), str(packages)],
            environment=quiet_environment(str(home)),
            folder=home,
            own_user=False,
            cleanup=lambda: shutil.rmtree(folder, ignore_errors=True),
        )
        return (process,)

    def warm_up(self, allows: frozenset[str] = frozenset()) -> None:
        """Nothing can be done before the start."""

    def close(self) -> None:
        """Nothing is kept."""
