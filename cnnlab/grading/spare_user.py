"""Somebody else for submissions to be, where root grades: to root, Linux does not count processes.

A user namespace made here knows two users: 0, who is root outside, and 1, who is nobody outside, with a number that no
account has. The warm process is the first, and every submission becomes the second (`student_view.isolate`), so that
the limit on its number of processes binds, and files and devices of the machine belong to somebody else.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cnnlab.grading import tree

# What systemd gives to users that exist only for a while; containers that know few users have these too.
_NUMBERS = range(61184, 65520)
_NEW_USER = 0x10000000
_WAIT = f"""\
import ctypes, sys
print(ctypes.CDLL(None).unshare({_NEW_USER}), flush=True)
sys.stdin.read()
"""


@contextmanager
def namespace() -> Iterator[int | None]:
    """Yield a descriptor of such a user namespace; None where none is needed, or none can be had."""
    descriptor = _make() if is_needed() and not why_not() else None
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_needed() -> bool:
    """Whether this process is root."""
    return sys.platform == "linux" and os.geteuid() == 0


@cache
def why_not() -> str:
    """Return why submissions have to be root where root grades, or nothing."""
    descriptor = _make()
    if descriptor is None:
        return "a user namespace with a user beside root could not be made"
    os.close(descriptor)
    closed = next(_closed_files(), None)
    return f"{closed} cannot be read by other users: chmod -R o+rX" if closed else ""


def _make() -> int | None:
    number = _unused_number()
    try:
        # It has to be entered before others are let into it, and this process may have threads, which forbid it.
        with subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as inside:
            if inside.stdout is None or inside.stdout.readline() != b"0\n":
                return None
            own = Path(f"/proc/{inside.pid}")
            for name in ("uid_map", "gid_map"):
                (own / name).write_text(f"0 0 1\n1 {number} 1\n", encoding="ascii")
            return os.open(own / "ns" / "user", os.O_RDONLY)
    except OSError:
        return None


def _unused_number() -> int:
    """Return the number of no account, another one for each of some processes."""
    import pwd  # not everywhere, and only asked where root grades

    taken = {account.pw_uid for account in pwd.getpwall()}
    first = os.getpid() % len(_NUMBERS)
    found: int = next(number for number in (*_NUMBERS[first:], *_NUMBERS[:first]) if number not in taken)
    return found


def _closed_files() -> Iterator[Path]:
    """Yield what the sandbox shows and users beside root cannot read; nobody would tell a student why it is missing."""
    prefix, python = tree.standard_library()
    library = prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    parts = frozenset({"nn"})
    for top in (python, library, *tree.packages_tree().values(), *tree.cnnlab_tree(parts).values()):
        yield from _closed_in(top)


def _closed_in(path: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
        if mode & needed != needed:
            yield path
        elif stat.S_ISDIR(mode):
            for below in path.iterdir():
                if below.name != "site-packages":
                    yield from _closed_in(below)
