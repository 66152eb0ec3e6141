"""Limits for all processes of a submission together: Linux control groups of version 2, where they can be had.

The kernel gives them to root, and to a user whose processes were put into a group of their own that is delegated, as by
``systemd-run --user --scope -p Delegate=yes cnnlab grade a1``. A group that has members cannot have groups below it
with limits, so its members then move into one beside those of the submissions.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cnnlab.grading.errors import GradingError
from cnnlab.grading.limits import Limits

_NEEDED = ("memory", "pids")
_OPTIONAL = ("cpu",)
# What the grader itself is in, beside the groups of submissions.
_OWN = "cnnlab-grader"
_numbers = itertools.count()


class NoCgroupsError(GradingError):
    """There are no control groups to use here; the text says why."""


@dataclass(frozen=True)
class Cgroups:
    """A group in which others with limits can be made.

    Attributes
    ----------
    folder
        Where it is in the file system.
    """

    folder: Path

    def make(self, limits: Limits) -> Cgroup:
        """Make an empty group with the limits of a submission; raises OSError when the kernel refuses it."""
        group = Cgroup(self.folder / f"cnnlab-{os.getpid()}-{next(_numbers)}")
        group.folder.mkdir()
        try:
            group.write("memory.max", str(limits.memory_bytes))
            group.write("pids.max", str(limits.processes))
            for name, value in (("memory.swap.max", "0"), ("cpu.max", "100000 100000")):  # one core
                if (group.folder / name).exists():
                    group.write(name, value)
        except OSError:
            group.remove()
            raise
        return group


@dataclass(frozen=True)
class Cgroup:
    """The group of one submission."""

    folder: Path

    def add(self, pid: int) -> None:
        """Put a process, and so all that it will start, into the group."""
        self.write("cgroup.procs", str(pid))

    def remove(self) -> None:
        """Remove the group, whose processes have ended."""
        for _ in range(50):
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)  # the kernel still counts somebody who has just ended
            else:
                return

    def write(self, name: str, value: str) -> None:
        """Write one of the group's files."""
        (self.folder / name).write_text(value, encoding="ascii")


def find_cgroups(own: Path | None = None) -> Cgroups:
    """Return where groups can be made, and have made one for trial.

    Parameters
    ----------
    own
        The group of this process; None looks it up.

    Raises
    ------
    NoCgroupsError
        If there are none of version 2, or they may not be used.
    """
    folder = own or _own_folder()
    if folder.name == _OWN:
        folder = folder.parent
    try:
        there = (folder / "cgroup.controllers").read_text(encoding="ascii").split()
        missing = [name for name in _NEEDED if name not in there]
        if missing:
            raise NoCgroupsError(f"{folder} has no {' and no '.join(missing)}")
        _enable(folder, [name for name in (*_NEEDED, *_OPTIONAL) if name in there])
        found = Cgroups(folder)
        found.make(Limits()).remove()
    except OSError as error:
        raise NoCgroupsError(f"{error.filename or folder}: {error.strerror}") from error
    return found


def cgroups_status() -> str:
    """Return a clause about control groups for a report on the sandbox."""
    try:
        find_cgroups()
    except NoCgroupsError as error:
        return f"memory is limited for each process alone, as there are no control groups ({error})"
    return "memory and processes are limited for a submission as a whole (control groups)"


def _own_folder() -> Path:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NoCgroupsError("this is not Linux, or /proc is not there") from error
    inside = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    roots = [line.split()[4] for line in mounts if line.partition(" - ")[2].startswith("cgroup2 ")]
    if inside is None or not roots:
        raise NoCgroupsError("the kernel has none of version 2")
    return Path(roots[0]) / inside


def _enable(folder: Path, wanted: list[str]) -> None:
    control = folder / "cgroup.subtree_control"
    enabled = control.read_text(encoding="ascii").split()
    if all(name in enabled for name in _NEEDED):
        return
    order = " ".join(f"+{name}" for name in wanted)
    with contextlib.suppress(OSError):
        control.write_text(order, encoding="ascii")
        return
    # It has members: this process, and what was started with it, such as the shell, `make`, or `tee` behind a pipe.
    own = folder / _OWN
    own.mkdir(exist_ok=True)
    moved = _move(_members(folder), own)
    try:
        control.write_text(order, encoding="ascii")
    except OSError:
        with contextlib.suppress(OSError):
            _move(moved, folder)
            own.rmdir()
        raise


def _members(folder: Path) -> list[int]:
    """Return whom to move out of the way.

    All of them where the group was given to this user; root can write into groups that were given to nobody, and moves
    nothing but the grader there.
    """
    if os.geteuid() == 0:
        return [os.getpid()]
    return [int(line) for line in (folder / "cgroup.procs").read_text(encoding="ascii").split()]


def _move(members: list[int], group: Path) -> list[int]:
    """Put processes into a group, and return those that were still there to be moved."""
    moved = []
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
            moved.append(pid)
    return moved
