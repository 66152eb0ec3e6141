"""Run a submission inside bubblewrap: nothing of the machine is there unless it is listed here.

The submission gets its own user, process, network, IPC, mount and host-name namespaces, an empty home folder in
memory, and read-only views of the interpreter, of the system's shared libraries and of the allowed packages. The
course folder, the gradebook, the hidden seed, other submissions and the environment of the grader are not listed.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from cnnlab.grading import devices, tree
from cnnlab.grading.limits import Limits
from cnnlab.grading.process import ChildProcess, ExecutorError, StudentProcess, quiet_environment

_HOME = PurePosixPath("/home/student")
_COURSE = PurePosixPath("/grading/course")
_PACKAGES = PurePosixPath("/grading/packages")
_HOME_BYTES = 64 << 20
_LIBRARIES = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
# Debian's Python packages, which would come with /usr/lib.
_SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"


class BubblewrapExecutor:
    """A process in a bubblewrap sandbox (https://github.com/containers/bubblewrap)."""

    name = "bubblewrap"
    isolated = True
    copies = False
    peak_kib = 0

    def start(
        self, limits: Limits, copies: int = 0, *, allows: frozenset[str] = frozenset()
    ) -> tuple[StudentProcess, ...]:
        """Start a process in a new sandbox; see `Executor.start`."""
        del limits, copies  # the child sets its limits itself, inside its own user namespace, before it runs any cell
        return (ChildProcess(command(tree.MAIN, allows), environment=environment(), folder=Path("/"), own_user=True),)

    def warm_up(self, allows: frozenset[str] = frozenset()) -> None:
        """Nothing can be done before the start."""

    def close(self) -> None:
        """Nothing is kept."""


def command(
    program: PurePosixPath, allows: frozenset[str], *, forks: bool = False, namespace: int | None = None
) -> list[str]:
    """Return the command that runs one of the programs of `cnnlab.grading.student_view` in a new sandbox.

    Parameters
    ----------
    program
        Where it is in `tree.cnnlab_tree`.
    allows
        As in `cnnlab.checks.model.Exercise`.
    forks
        Whether it runs none of a student's code itself, and makes a further sandbox for every process that does: then
        it keeps the capabilities that this takes, which hold for nothing outside the sandbox.
    namespace
        Descriptor of the user namespace to use, as `cnnlab.grading.spare_user` makes it; None: a new one.

    Raises
    ------
    ExecutorError
        If bubblewrap is not installed.
    """
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        raise ExecutorError("bubblewrap (bwrap) is not installed")
    _, python = tree.standard_library()
    start = [os.fspath(python), "-I", "-S", "-B", str(_COURSE / program), str(_COURSE), str(_PACKAGES)]
    user = _user(forks=forks) if namespace is None else _user_in(namespace)
    arguments = list(_arguments(allows))
    # A process that forks does the same for each fork itself.
    first = [sys.executable, "-I", "-S", "-B", devices.__file__] if os.geteuid() == 0 and not forks else []
    return [*first, bubblewrap, *user, *_folders_around(arguments), *arguments, *start]


def environment() -> dict[str, str]:
    """Return everything in the environment of a process in the sandbox."""
    return quiet_environment(str(_HOME))


def _user(*, forks: bool) -> Iterator[str]:
    uid = "0" if forks else "65534"
    yield from ("--unshare-user", "--uid", uid, "--gid", uid, "--cap-add" if forks else "--cap-drop", "ALL")


def _user_in(namespace: int) -> Iterator[str]:
    yield from ("--userns", str(namespace), "--uid", "0", "--gid", "0", "--cap-add", "ALL")


def _folders_around(arguments: list[str]) -> Iterator[str]:
    """Make the folders in which something is mounted; bubblewrap would let nobody but root look into them."""
    targets = [arguments[place + 2] for place, argument in enumerate(arguments) if argument == "--ro-bind"]
    around = {folder for target in targets for folder in PurePosixPath(target).parents}
    for folder in sorted(around - {PurePosixPath("/")}):
        yield from ("--perms", "0755", "--dir", str(folder))


def _arguments(allows: frozenset[str]) -> Iterator[str]:
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--hostname", "grading", "--die-with-parent", "--new-session")
    for library in _LIBRARIES:
        path = Path(library)
        if path.is_symlink():
            yield from ("--symlink", os.fspath(path.readlink()), library)
        elif path.exists():
            yield from ("--ro-bind", library, library)
    if Path(_SYSTEM_PACKAGES).exists():
        yield from ("--tmpfs", _SYSTEM_PACKAGES)
    yield from _interpreter()
    for parent, files in ((_PACKAGES, tree.packages_tree()), (_COURSE, tree.cnnlab_tree(allows))):
        for seen, real in files.items():
            yield from ("--ro-bind", os.fspath(real), str(parent / seen))
    yield from ("--proc", "/proc", "--dev", "/dev")
    for writable in ("/tmp", "/dev/shm", str(_HOME)):  # noqa: S108  these are in the sandbox
        yield from ("--size", str(_HOME_BYTES), "--tmpfs", writable)
    # Where root grades, a process in here is root to the kernel's own settings in /proc/sys. The rest of the sandbox's
    # own tree is in memory, and has no size of its own.
    yield from ("--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/")
    yield from ("--chdir", str(_HOME), "--")


def _interpreter() -> Iterator[str]:
    """Bind the executable and the standard library, without the packages installed beside it."""
    prefix, python = tree.standard_library()
    version = f"python{'.'.join(platform.python_version_tuple()[:2])}"
    library = prefix / "lib"
    yield from ("--ro-bind", os.fspath(python), os.fspath(python))
    if library != Path("/usr/lib"):
        yield from ("--ro-bind", os.fspath(library / version), os.fspath(library / version))
        for shared in sorted(library.glob("lib*.so*")):
            yield from ("--ro-bind", os.fspath(shared), os.fspath(shared))
    for packages in ("site-packages", "dist-packages"):
        if (library / version / packages).is_dir():
            yield from ("--tmpfs", os.fspath(library / version / packages))
