"""Start a program for which the permissions of the machine's devices cannot be changed: ``devices.py PROGRAM …``.

Where root grades, a process in a sandbox is root to the files that it is shown, also to ``/dev/null`` and its like,
which bubblewrap binds from the machine. It cannot bind them read-only without closing them too. So this program, which
is still root, makes a mount namespace in which they are read-only, and becomes bubblewrap in it; a sandbox further in
cannot undo that. Reading and writing a device goes on as before: only its inode is kept from changes.

It is started by its path, before anything of a submission runs, and imports nothing of cnnlab.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# What bubblewrap's --dev binds from the machine.
BOUND = ("null", "zero", "full", "random", "urandom", "tty")
# From linux/sched.h and sys/mount.h; the numbers that statvfs has for what a mount forbids are the same.
_NEW_MOUNTS = 0x20000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 1 << 5, 1 << 12, 1 << 14, 1 << 18
_FORBIDS = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC


def make_read_only(devices: Sequence[str]) -> None:
    """Give this process mounts of its own, in which the inodes of these files cannot be changed; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)

    def checked(result: int, what: str) -> None:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{what}: {os.strerror(number)}")

    def mount(source: bytes, target: str, flags: int) -> None:
        done = libc.mount(source, os.fsencode(target), None, ctypes.c_ulong(flags), None)
        checked(done, f"mount {target}")

    checked(libc.unshare(_NEW_MOUNTS), "unshare")
    mount(b"none", "/", _RECURSIVE | _PRIVATE)
    for device in devices:
        forbidden = os.statvfs(device).f_flag & _FORBIDS  # a mount may not be freed of these
        mount(os.fsencode(device), device, _BIND)
        mount(b"none", device, _BIND | _REMOUNT | _READ_ONLY | forbidden)


def main(arguments: Sequence[str]) -> None:
    """Become the program with its arguments, or end with one line that says why not."""
    try:
        make_read_only([f"/dev/{name}" for name in BOUND if Path("/dev", name).exists()])
        os.execv(arguments[0], list(arguments))  # noqa: S606  the program that this one is called for
    except OSError as error:
        raise SystemExit(f"the devices could not be made read-only ({error}): grade as an ordinary user") from None


if __name__ == "__main__":
    main(sys.argv[1:])
