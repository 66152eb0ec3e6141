"""Whatever a submission does to the warm process that it was forked from, the next one finds nothing of it."""

import contextlib
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from cnnlab.checks.errors import FunctionMissing, StudentCrashed, StudentRaised, StudentTimeout
from cnnlab.checks.model import Exercise, Function
from cnnlab.grading import executor as executors
from cnnlab.grading import spare_user
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell
from cnnlab.grading.process import ExecutorError
from cnnlab.grading.session import Session
from cnnlab.grading.warm import WarmExecutor

pytestmark = pytest.mark.sandbox

# What the next submission sees of the world, as text.
LOOK_AROUND = """\
import builtins, ctypes, hashlib, json, os, resource, signal, socket, sys, threading, time
import numpy as np, matplotlib
libc = ctypes.CDLL(None, use_errno=True)
def tree(place):
    return sorted(os.path.join(folder, name) for folder, dirs, files in os.walk(place) for name in dirs + files)
def text(path):
    return open(path).read()
for place in ("/home", "/tmp", "/dev/shm", "/dev/mqueue", "/var", "/run"):
    print(place, tree(place))
print("processes", sorted(int(n) for n in os.listdir("/proc") if n.isdigit()))
print("children", [text(f"/proc/{p}/comm") for p in (1, 2)])
print("ipc", [text(f"/proc/sysvipc/{kind}").count("\\n") for kind in ("shm", "sem", "msg")])
print("sockets", text("/proc/net/unix").count("@"))
print("descriptors", [n for n in sorted(map(int, os.listdir("/proc/self/fd"))) if n < 100][:-1])
print("mounts", sorted(line.split()[4:6] for line in open("/proc/self/mountinfo")).__len__())
print("mapped", sum("rw-s" in line for line in open("/proc/self/maps")))
print("who", os.getuid(), os.getgid(), os.getpid(), os.getppid(), os.getsid(0), os.getcwd(), os.uname().nodename)
print("rights", [line for line in text("/proc/self/status").splitlines() if line.startswith(("Cap", "NoNew"))])
print("limits", [resource.getrlimit(n) for n in range(16)], os.getpriority(os.PRIO_PROCESS, 0))
print("cores", len(os.sched_getaffinity(0)), "umask", os.umask(0o22), "threads", threading.active_count())
print("signals", [(n, str(signal.getsignal(n))) for n in (1, 2, 10, 14, 15, 17)], signal.getitimer(0))
print("environment", sorted(os.environ.items()))
print("key", libc.syscall(250, 10, -3, b"user", b"left", 0), libc.syscall(250, 10, -4, b"user", b"left", 0))
print("modules", sorted(sys.modules)[:50], len(sys.modules), sys.path, sys.argv)
print("numbers", np.add(1, 1), json.dumps({"a": 1}), len([1, 2]), 5 + 2, np.get_printoptions()["precision"])
print("settings", matplotlib.rcParams["lines.linewidth"], hasattr(builtins, "left"), hasattr(np, "left"))
print("code", hashlib.sha256(open(np.__file__, "rb").read() + open(os.__file__, "rb").read()).hexdigest())
def f(x):
    return np.sort(x)[::-1] + 1
"""

_ALL = "for pid in [os.getppid(), *range(1, 60)]:"
ATTACKS = {
    "signals": f"""\
import os, signal
for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
    {_ALL}
        if pid not in (0, os.getpid()):
            try: os.kill(pid, number)
            except OSError: pass
os.kill(0, signal.SIGTERM)
""",
    "everybody": "import os\nos.kill(-1, 9)\nos.killpg(0, 9)",
    "trace": f"""\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
page = ctypes.create_string_buffer(b"left" * 16)
class Vector(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
{_ALL}
    if pid == os.getpid(): continue
    libc.ptrace(16, pid, 0, 0)   # PTRACE_ATTACH
    libc.ptrace(0x4206, pid, 0, 0)  # PTRACE_SEIZE
    ours = Vector(ctypes.addressof(page), 64)
    libc.process_vm_writev(pid, ctypes.byref(ours), 1, ctypes.byref(Vector(id(0), 64)), 1, 0)
    try:
        lines = open(f"/proc/{{pid}}/maps").read().splitlines()
        with open(f"/proc/{{pid}}/mem", "r+b", buffering=0) as memory:
            for line in lines:
                start, _, end = line.split()[0].partition("-")
                try: memory.seek(int(start, 16)); memory.write(b"left" * 1024)
                except (OSError, ValueError): pass
    except OSError: pass
""",
    "files": """\
import os
places = ["/home/student", "/tmp", "/dev/shm", "/", "/dev", "/home", "/proc", "/grading", "/usr/lib", "/var", "/etc"]
places += [f"/proc/{pid}/{what}" for pid in ("self", 1, 2, 3) for what in ("root/tmp", "cwd", "root/home/student")]
for folder, _, _ in os.walk("/grading"): places.append(folder)
for place in places:
    try:
        open(place + "/left", "w").write("left")
        os.symlink("/tmp/left", place + "/left-link"); os.mkdir(place + "/left-folder"); os.mkfifo(place + "/left-fifo")
    except OSError: pass
os.environ["LEFT"] = "left"; os.umask(0)
os.chdir("/tmp")
""",
    "shared memory": """\
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
for key in range(1, 20):
    at = libc.shmget(key, 4096, 0o1666)
    libc.semget(key, 1, 0o1666); libc.msgget(key, 0o1666)
open("/dev/shm/left", "wb").write(b"left")
libc.mq_open(b"/left", 0o102, 0o666, None)
import socket
hold = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    s = socket.socket(socket.AF_UNIX, kind); s.bind(b"\\0left%d" % kind); hold.append(s)
libc.syscall(248, b"user", b"left", b"left", 4, -3)  # add_key: session, user and user-session keyring
libc.syscall(248, b"user", b"left", b"left", 4, -4)
libc.syscall(248, b"user", b"left", b"left", 4, -5)
from multiprocessing import shared_memory
hold.append(shared_memory.SharedMemory("left", create=True, size=4096))
""",
    "background": """\
import os, signal, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 32):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        if os.fork() == 0:
            while True:
                try: open("/tmp/left", "w").write("left"); open("/home/student/left", "w").write("left")
                except OSError: pass
                time.sleep(0.01)
        os._exit(0)
""",
    "descriptors": """\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
found = []
for pid in range(1, 10):   # pidfd_open and pidfd_getfd: PID 1's socket to the grader
    handle = libc.syscall(434, pid, 0)
    for number in range(64):
        stolen = libc.syscall(438, handle, number, 0)
        if stolen >= 0: found.append(stolen)
for number in [*range(3, 64), *found]:
    for what in (b"end 1", b"fork", b"2", b"", b"\\0\\0\\0\\2\\0\\0\\0\\7", b"ready", b"\\0" * 64):
        try: os.write(number, what)
        except OSError: pass
""",
    "interpreter": """\
import builtins, ctypes, json, mmap, os, sys
import numpy as np, matplotlib
np.left = builtins.left = "left"
np.add = np.sort = lambda *a, **k: "left"
json.dumps = builtins.len = lambda *a, **k: "left"
matplotlib.rcParams["lines.linewidth"] = 77
np.set_printoptions(precision=1)
sys.path.insert(0, "/tmp"); sys.argv.append("left")
ctypes.memset(id(7) + 24, 9, 1)   # the number 7 is 9 from here on
with open("/proc/self/maps") as maps: lines = maps.read().splitlines()
for line in lines:
    start, _, end = line.split()[0].partition("-")
    path = line.split(maxsplit=5)[5] if len(line.split()) > 5 else ""
    if path.startswith("/"):
        try:
            with open(path, "r+b") as file: mmap.mmap(file.fileno(), 0).write(b"left")
        except (OSError, ValueError): pass
        try:
            file = os.open(path, os.O_RDONLY)
            mmap.mmap(file, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)[0:4] = b"left"
        except (OSError, ValueError): pass
""",
    "rights": """\
import ctypes, os, resource, signal, socket
libc = ctypes.CDLL(None, use_errno=True)
for flag in (0x10000000, 0x20000, 0x10000000 | 0x20000, 0x4000000, 0x40000000): libc.unshare(flag)
for place in (b"/proc", b"/tmp", b"/home/student", b"/dev/shm", b"/dev", b"/"):
    libc.umount2(place, 2)
    libc.mount(b"none", place, None, 32, None)          # remount, to be written
    libc.mount(b"tmpfs", place, b"tmpfs", 0, None)
for path in ("self/uid_map", "1/uid_map", "sys/user/max_user_namespaces", "sys/kernel/hostname"):
    try: open(f"/proc/{path}", "w").write("0 0 1")
    except OSError: pass
for call in (lambda: socket.sethostname("left"), lambda: os.setuid(0), lambda: os.chroot("/tmp"), lambda: os.nice(10),
             lambda: os.setpriority(os.PRIO_USER, 0, 19), lambda: os.setpriority(os.PRIO_PGRP, 0, 19),
             lambda: os.sched_setaffinity(1, {0}), lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)),
             lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (4, 4)), lambda: signal.alarm(1000)):
    try: call()
    except OSError: pass
for number in (10, 14, 15, 17): signal.signal(number, lambda *a: None)
""",
}


def exercise(name="f", seconds=2.0):
    return Exercise(f"a1.{name}", "", (Function(name, ("x",), None),), 1, (), (), seconds)


@pytest.fixture(scope="module")
def warm():
    executor = WarmExecutor()
    yield executor
    executor.close()


def see(executor, *sources):
    """Run cells, and return what the last one printed and what f answers."""
    with Session(executor, [Cell(i, source) for i, source in enumerate(sources)], Limits()) as session:
        session.prepare(exercise="a1.f")
        report = session.reports[-1]
        assert report.error is None, report.error
        (function,) = session.functions(exercise())
        answer = function(np.arange(4.0))
    return report.stdout, answer.tolist()


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_next_submission_finds_what_an_undisturbed_one_finds(warm, attack):
    undisturbed = see(warm, LOOK_AROUND)
    assert undisturbed[1] == [4, 3, 2, 1]
    process = warm._warm
    cells = [
        Cell(0, ATTACKS[attack]),
        Cell(1, "def f(x): return x"),
        Cell(2, "def g(x):\n" + _indented(ATTACKS[attack])),
    ]
    with Session(warm, cells, Limits(cell_seconds=5)) as session:
        session.plan({"a1.f": 2, "a1.g": None})
        for name in ("f", "g"):
            (function,) = session.functions(exercise(name))
            with contextlib.suppress(StudentCrashed, StudentRaised, StudentTimeout, FunctionMissing):
                function(1)
        assert session.fault is None
    assert see(warm, LOOK_AROUND) == undisturbed
    assert warm._warm is process  # the same warm process, not another one
    assert not process.has_ended()


def _indented(source):
    return "".join(f"    {line}\n" for line in source.splitlines()) + "    return x\n"


def test_nothing_of_a_submission_runs_when_the_next_one_begins(warm):
    """Its processes are gone when its session is closed, not some time later."""
    marker = f"left-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import os, sys
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", {marker!r}])
import time; time.sleep(0.5)
print(sum({marker!r}.encode() in open(f"/proc/{{p}}/cmdline", "rb").read() for p in os.listdir("/proc") if p.isdigit()))
"""
    with Session(warm, [Cell(0, source)], Limits()) as session:
        session.prepare()
        assert session.reports[0].stdout == "3\n"
        assert len(_named(marker)) == 3
    assert _named(marker) == []


def _named(marker):
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and marker.encode() in (path / "cmdline").read_bytes():
                found.append(path.name)
        except OSError:
            continue
    return found


def test_the_warm_process_cannot_be_seen_and_has_nothing_to_tell(warm, monkeypatch):
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", "canary-in-the-environment")
    warm.close()
    text, _ = see(
        warm,
        "import os\nprint(sorted(int(n) for n in os.listdir('/proc') if n.isdigit()), os.getppid())\n"
        "print(open('/proc/1/environ').read(), os.environ)\ndef f(x): return x",
    )
    assert text.startswith("[1, 2] 1\n")
    assert "canary" not in text


def test_submissions_draw_different_numbers(warm):
    """They come from one process, which was seeded once."""
    source = "import numpy as np, random\nprint(np.random.random(), random.random())\ndef f(x): return x"
    assert len({number for _ in range(3) for number in see(warm, source)[0].split()}) == 6


def test_a_warm_process_that_dies_is_our_fault_and_the_next_start_makes_another(warm):
    cells = [Cell(0, "def f(x): return x")]
    with Session(warm, cells, Limits()) as session:
        (function,) = session.functions(exercise())
        assert function(1) == 1
        inside = _below(warm._warm._child.pid)
        warm._warm._child.kill()
        _wait_for_the_end(inside)
        with pytest.raises(ExecutorError):
            function(2)
        assert isinstance(session.fault, ExecutorError)
    assert see(warm, LOOK_AROUND)[1] == [4, 3, 2, 1]


def test_a_warm_process_is_exchanged_after_many_forks(warm, monkeypatch):
    see(warm, LOOK_AROUND)
    before = warm._warm
    monkeypatch.setattr("cnnlab.grading.warm._FORKS_BEFORE_A_NEW_ONE", 1)
    see(warm, LOOK_AROUND)
    assert warm._warm is not before
    assert before.has_ended()


def test_where_namespaces_cannot_be_nested_every_process_gets_a_new_sandbox(monkeypatch):
    monkeypatch.setattr("cnnlab.grading.bubblewrap._user", lambda *, forks: _without_rights())
    monkeypatch.setattr("cnnlab.grading.spare_user.is_needed", lambda: False)
    status = executors.sandbox_status()
    assert status.ok
    assert status.executor == "bubblewrap"
    assert "slower" in status.reason
    executor = executors.choose_executor(allow_unsandboxed=False)
    assert (executor.name, executor.isolated, executor.copies) == ("bubblewrap", True, False)
    executors.close_executors()


def _without_rights():
    return ("--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL")


def test_no_process_is_left_when_the_executor_is_closed():
    executor = WarmExecutor()
    see(executor, LOOK_AROUND)
    child = executor._warm._child
    inside = _below(child.pid)
    assert len(inside) >= 1
    executor.close()
    _wait_for_the_end(inside)


def _wait_for_the_end(pids):
    deadline = time.monotonic() + 5
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_runs, pids))


def _below(pid):
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        below = [child for child, its_parent in rows if its_parent == parent]
        found += below
        waiting += below
    return found


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Never more than this, also where no limit holds it.
FORKS = 150
COUNT_FORKS = f"""\
import os, time
started = []
try:
    for _ in range({FORKS}):
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        started.append(pid)
except OSError as error:
    print(type(error).__name__)
print(len(started))
"""


def test_processes_are_counted_whoever_grades(warm):
    """For root, Linux counts none; a submission is somebody else then."""
    if why := spare_user.is_needed() and spare_user.why_not():
        pytest.skip(why)
    with Session(warm, [Cell(0, COUNT_FORKS)], Limits()) as session:
        session.prepare()
        kind, count = session.reports[0].stdout.split()
    assert kind == "BlockingIOError"
    assert 40 <= int(count) < Limits().processes


def test_two_submissions_are_counted_apart(warm):
    if why := spare_user.is_needed() and spare_user.why_not():
        pytest.skip(why)
    with Session(warm, [Cell(0, COUNT_FORKS)], Limits()) as one, Session(warm, [Cell(0, COUNT_FORKS)], Limits()) as two:
        for session in (one, two):
            session.prepare()
        said = [session.reports[0].stdout.split() for session in (one, two)]
    assert [kind for kind, _ in said] == ["BlockingIOError"] * 2
    assert all(int(count) >= 40 for _, count in said)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be root to a file")
def test_a_submission_is_not_root_where_root_grades(warm):
    if why := spare_user.why_not():
        pytest.skip(why)
    with Session(warm, [Cell(0, "def f(x): return x")], Limits()) as session:
        session.prepare()
        keeper = next(iter(session._processes.values()))._submission.keeper
        users = Path(f"/proc/{keeper}/status").read_text(encoding="ascii").partition("Uid:")[2].split()[:4]
    assert all(int(user) >= 61184 for user in users)


def test_what_other_users_cannot_read_is_named_and_then_submissions_stay_root(tmp_path, monkeypatch):
    monkeypatch.setattr("cnnlab.grading.spare_user.tree.packages_tree", lambda: {"closed": tmp_path / "closed"})
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "module.py").write_text("", encoding="utf-8")
    (tmp_path / "closed" / "module.py").chmod(0o600)
    assert str(tmp_path / "closed" / "module.py") in list(map(str, spare_user._closed_files()))


def test_a_warm_process_that_is_ended_while_it_starts_leaves_nothing(monkeypatch):
    """Bubblewrap is two processes by then; the second waits for a word from the first, and would do so for ever."""
    real, started = subprocess.Popen, []

    def two_processes(command, **options):
        if not str(command[0]).endswith("bwrap"):
            return real(command, **options)
        started.append(real(["sh", "-c", "sleep 60 & wait"], **options))
        return started[0]

    monkeypatch.setattr("cnnlab.grading.warm.subprocess.Popen", two_processes)
    executor = WarmExecutor()
    executor.warm_up(frozenset())
    first = psutil.Process(started[0].pid)
    until = time.monotonic() + 10
    while not (below := first.children()) and time.monotonic() < until:
        time.sleep(0.01)
    assert below
    executor.close()
    assert psutil.wait_procs([first, *below], timeout=10)[1] == []
