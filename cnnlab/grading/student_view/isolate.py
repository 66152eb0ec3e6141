"""Cut a forked process off from the one that it was forked from, before any code of a student runs in it.

It is called inside bubblewrap, by a process that may still do this: first new PID, mount, IPC, network and host-name
namespaces (they belong to the sandbox's user, so nobody further in can change them), then new mounts over every place
that can be written, and at last a user namespace of its own, in which all capabilities are given up. Kept apart by
that, a process cannot name, signal, trace or read the one that it comes from, and whatever it leaves behind goes with
its namespaces.

`os.unshare` came with Python 3.12, and a PID namespace is for the next child only; hence the system's own ``clone``.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from collections.abc import Sequence
from pathlib import Path

# From linux/sched.h, sys/mount.h, sys/prctl.h, linux/keyctl.h and linux/capability.h.
_NEW_MOUNTS, _NEW_NAME, _NEW_IPC, _NEW_PIDS, _NEW_NETWORK = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
_NEW_USER = 0x10000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 1 << 12
_RECURSIVE, _PRIVATE = 1 << 14, 1 << 18
_IN_PROC = _NO_SUID | _NO_DEVICES | _NO_EXEC
# What bubblewrap's --dev mounts.
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "pts")
_DROP_FROM_BOUNDING_SET, _NO_NEW_PRIVILEGES, _DUMPABLE = 24, 38, 4
_JOIN_SESSION_KEYRING = 1
_CAPABILITY_VERSION_3 = 0x20080522
# The numbers of the system calls clone and keyctl.
_NUMBERS = {"x86_64": (56, 250), "aarch64": (220, 219), "riscv64": (220, 219)}

# PyDLL, not CDLL: the interpreter's lock is held while the process splits in two.
_libc = ctypes.PyDLL(None, use_errno=True)


def supported() -> bool:
    """Whether the numbers of this machine's system calls are known."""
    return platform.machine() in _NUMBERS


def fork_apart() -> int:
    """Do what `os.fork` does, with the child as PID 1 of new namespaces; raises OSError when that is not allowed."""
    clone, _ = _NUMBERS[platform.machine()]
    flags = _NEW_MOUNTS | _NEW_NAME | _NEW_IPC | _NEW_PIDS | _NEW_NETWORK | signal.SIGCHLD
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _system_call(clone, flags)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    return _checked(pid, "clone")


def settle(places: Sequence[str], *, size: int, files: int, uid: int) -> None:
    """Give the calling process, PID 1 of its namespaces, its own places and its own user, and take all else away.

    Parameters
    ----------
    places
        Folders that can be written; each becomes empty and its own.
    size
        Bytes that fit into each of them.
    files
        How many files and folders do: the kernel keeps some memory for each, also for empty ones.
    uid
        User and group that it sees itself as.
    """
    os.setsid()  # signal 0 of `kill` means the process group, and that does not end at a namespace
    leave_keyring()
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    _mount("proc", "/proc", "proc", _IN_PROC)
    # Where root grades, a student's process is the machine's root to every file in /proc that checks for no more than
    # that, such as kernel.core_pattern. So it sees /proc read-only, and only this function still writes below.
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    _mount("/proc", "/proc", None, _BIND)
    _mount("none", "/proc", None, _BIND | _REMOUNT | _READ_ONLY | _IN_PROC)
    # The same for the permissions of the machine's devices; bubblewrap itself cannot do this without closing them.
    for device in _DEVICES:
        _mount("none", f"/dev/{device}", None, _BIND | _REMOUNT | _READ_ONLY | _NO_SUID | _NO_EXEC)
    outer_uid, outer_gid = _outer_user()
    options = f"size={size},nr_inodes={files},mode=0755,uid={outer_uid},gid={outer_gid}"
    for place in places:
        _mount("tmpfs", place, "tmpfs", _NO_SUID | _NO_DEVICES, options)
    _become(outer_uid, outer_gid)
    _checked(_libc.unshare(_NEW_USER), "unshare")
    own = os.open("self", os.O_PATH | os.O_DIRECTORY, dir_fd=proc)
    _write("setgroups", "deny", own)
    _write("uid_map", f"{uid} {outer_uid} 1", own)
    _write("gid_map", f"{uid} {outer_gid} 1", own)
    _write("sys/user/max_user_namespaces", "0", proc)  # none further in: they are a way to the kernel's bugs
    os.close(own)
    os.close(proc)
    _give_up_capabilities()


def _outer_user() -> tuple[int, int]:
    """Return who to be in the sandbox's own user namespace: the user beside root, where `spare_user` made one."""
    users = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    known = {int(line.split()[0]) for line in users}
    return (1, 1) if known == {0, 1} else (os.getuid(), os.getgid())


def _become(uid: int, gid: int) -> None:
    if uid == os.getuid():
        return
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    # The kernel gives the files in /proc of who has changed the user to root, and its own maps are to be written.
    _checked(_libc.prctl(_DUMPABLE, 1, 0, 0, 0), "prctl")


def leave_keyring() -> None:
    """Take a new session keyring: the one that a process is born with is shared by all that come from its session."""
    _, keyctl = _NUMBERS[platform.machine()]
    _checked(_system_call(keyctl, _JOIN_SESSION_KEYRING), "keyctl")


def _give_up_capabilities() -> None:
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    for capability in range(64):
        if _libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) != 0:
            break  # this kernel has no more of them
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(_libc.capset(header, nothing), "capset")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    done = _libc.mount(
        source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _checked(done, f"mount {target}")


def _write(path: str, text: str, folder: int) -> None:
    descriptor = os.open(path, os.O_WRONLY, dir_fd=folder)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _system_call(number: int, first: int) -> int:
    call = _libc.syscall
    call.restype = ctypes.c_long
    return int(call(*(ctypes.c_long(value) for value in (number, first, 0, 0, 0, 0))))


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
