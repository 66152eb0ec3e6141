"""What hostile code finds inside bubblewrap: nothing that is not listed."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from cnnlab.checks.model import Exercise, Function
from cnnlab.grading.bubblewrap import BubblewrapExecutor
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell
from cnnlab.grading.process import ExecutorError
from cnnlab.grading.session import Session
from cnnlab.grading.warm import WarmExecutor

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module", params=[BubblewrapExecutor, WarmExecutor], ids=["new sandbox", "fork"])
def executor(request):
    """Both sandboxes: they must be alike to whoever is inside."""
    executor = request.param()
    yield executor
    executor.close()


@pytest.fixture
def run(executor):
    """Run one cell, and return what it printed."""

    def run_cell(source):
        with Session(executor, [Cell(0, source)], Limits()) as session:
            session.prepare()
            [report] = session.reports
        assert report.error is None, report.error
        return report.stdout

    return run_cell


def test_files_of_the_grader_are_not_there(run, tmp_path):
    secret = tmp_path / "secret.toml"
    secret.write_text("hidden_seed = 1", encoding="utf-8")
    project, settings = Path(__file__).parents[2], Path.home() / ".bashrc"
    hidden = [str(path) for path in (secret, tmp_path, project, settings, "/etc/passwd", "/usr/bin/env", "/var")]
    found = run(
        f"""
import os
for path in {hidden!r}:
    print(os.path.exists(path))
print(sorted(os.listdir("/home")), os.listdir("/tmp"))
"""
    )
    assert found == "False\n" * 7 + "['student'] []\n"


def test_the_checks_are_nowhere_in_the_file_system(run):
    found = run(
        """
import os
for folder, _, files in os.walk("/", onerror=None):
    if folder.startswith(("/proc", "/dev", "/sys")):
        continue
    for name in files:
        if name in {"mistakes_1d.py", "scan_1d.py", "seeds.py", "session.py"} and "cnnlab" in folder:
            print(folder, name)
print("end")
"""
    )
    assert found == "end\n"


def test_there_is_no_network(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = run(
            f"""
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=2)
    print("connected")
except OSError:
    print("refused")
print(sorted(name for _, name in socket.if_nameindex()))
"""
        )
    assert found == "refused\n['lo']\n"


def test_only_its_own_processes_are_seen_and_the_grader_cannot_be_signalled(run):
    found = run(
        f"""
import os
print(len([p for p in os.listdir("/proc") if p.isdigit()]) <= 3)
try:
    os.kill({os.getpid()}, 0)
    print("reached")
except ProcessLookupError:
    print("not there")
print(os.getuid())
"""
    )
    assert found == "True\nnot there\n65534\n"


def test_the_environment_of_the_grader_does_not_come_along(run, monkeypatch):
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", "canary-in-the-environment")
    found = run("import os\nprint(dict(os.environ))\nprint(open('/proc/1/environ', 'rb').read())")
    assert "canary" not in found
    assert "CNNLAB" not in found


def test_nothing_but_its_home_can_be_written(run):
    found = run(
        """
import cnnlab, numpy, os, sys
for path in [cnnlab.__file__, numpy.__file__, sys.executable, os.__file__, "/usr/lib/x", "/grading/course/x.py"]:
    try:
        open(path, "a").close()
        print("written", path)
    except OSError:
        pass
open(os.path.expanduser("~/mine.txt"), "w").write("x")
print("end")
"""
    )
    assert found == "end\n"


def test_no_file_is_left_for_the_next_submission(run):
    run("import os\nfor d in ('~', '/tmp', '/dev/shm'): open(os.path.expanduser(d) + '/left', 'w').write('x')")
    found = run(
        "import os\nprint([os.path.exists(os.path.expanduser(d) + '/left') for d in ('~', '/tmp', '/dev/shm')])"
    )
    assert found == "[False, False, False]\n"


def test_processes_that_it_leaves_behind_are_gone(run, tmp_path):
    marker = f"sleeper-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import os, subprocess, sys
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", {marker!r}])
        os._exit(0)
import time; time.sleep(0.3)
print(sum({marker!r}.encode() in open(f"/proc/{{p}}/cmdline", "rb").read() for p in os.listdir("/proc") if p.isdigit()))
"""
    assert int(run(source)) >= 2  # they were there
    deadline = time.monotonic() + 5
    while _named(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
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


def test_a_full_disk_is_its_own(run):
    found = run(
        """
try:
    for i in range(20):
        open(f"big-{i}", "wb").write(b"x" * (16 << 20))
    print("all written")
except OSError as error:
    print(error.strerror)
"""
    )
    assert found == "No space left on device\n"


def test_the_number_of_its_files_is_limited(run, executor):
    """Also empty ones take memory, and that is the kernel's."""
    if executor.name == "bubblewrap":
        pytest.skip("bubblewrap has no option for it: such places hold as many files as the memory has pages, by half")
    found = run(
        """
import os
made = 0
for place in (os.path.expanduser("~"), "/tmp", "/dev/shm"):
    try:
        for number in range(20_000):
            os.close(os.open(f"{place}/{number}", os.O_CREAT))
            made += 1
    except OSError as error:
        print(error.strerror)
print(made <= 30_000)
"""
    )
    assert found == "No space left on device\n" * 3 + "True\n"


def test_nothing_in_proc_can_be_written(run):
    """Where root grades, a process in the sandbox would be root to the kernel's own settings."""
    found = run(
        """
import os
settings = ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/1/oom_score_adj")
assert all(map(os.path.exists, settings))
for folder, folders, files in os.walk("/proc"):
    if folder.endswith("/fd"):
        continue  # its own devices and sockets
    for name in files:
        try:
            os.close(os.open(f"{folder}/{name}", os.O_WRONLY))
            print(folder, name)
        except OSError:
            pass
print("end")
"""
    )
    assert found == "end\n"


def test_devices_can_be_used_and_not_changed(run, executor):
    """They are the machine's own, and where root grades, so is the right to change their permissions."""
    names = ["null", "zero", "full", "random", "urandom", "tty", "stdin"]
    if executor.name != "bubblewrap":  # there the terminals are of one sandbox, which nobody has after it
        names += ["ptmx", "pts", "pts/ptmx"]
    # Whoever may write to a file may set its times to now; where root grades, or forks are made, not even that.
    may_touch = executor.name == "bubblewrap" and os.geteuid() != 0
    found = run(
        f"""
import os, pty
changes = [lambda p: os.chmod(p, os.stat(p).st_mode & 0o7777), lambda p: os.chown(p, 65534, 65534), os.utime]
for name in {names!r}:
    for change in changes[:{2 if may_touch else 3}]:
        try:
            change("/dev/" + name)
            print("changed", name)
        except OSError:
            pass
open("/dev/null", "w").write("x")
master, slave = pty.openpty()
os.write(slave, b"here")
print(os.read(master, 4), len(open("/dev/urandom", "rb").read(8)))
"""
    )
    assert found == "b'here' 8\n"


def test_the_machines_devices_are_after_a_submission_what_they_were(run):
    """Seen from outside: whoever owns them, no submission has touched their inodes."""
    paths = [Path("/dev", name) for name in ("null", "zero", "full", "random", "urandom", "tty")]
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths]
    run(
        f"""
import os
for path in {[str(path) for path in paths]!r}:
    for change in (lambda p: os.chmod(p, 0o600), lambda p: os.chown(p, 65534, 65534), os.remove):
        try:
            change(path)
        except OSError:
            pass
"""
    )
    try:
        assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths] == before
    finally:
        for path, (mode, _, _) in zip(paths, before, strict=True):
            if path.stat().st_mode != mode:
                path.chmod(mode & 0o7777)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could change the devices")
def test_root_grades_nothing_where_the_devices_cannot_be_protected(monkeypatch):
    """Without the right to mount, as in some containers: refused, with what to do."""
    real = subprocess.Popen

    def without_rights(command, **options):
        return real(["setpriv", "--bounding-set=-sys_admin", "--", *command], **options)

    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed (Debian: apt install util-linux)")
    monkeypatch.setattr("cnnlab.grading.process.subprocess.Popen", without_rights)
    with (
        pytest.raises(ExecutorError, match="grade as an ordinary user"),
        Session(BubblewrapExecutor(), [Cell(0, "")], Limits()) as session,
    ):
        session.prepare()


def test_keys_of_the_graders_session_are_not_there(run):
    found = run(
        """
import ctypes
libc = ctypes.CDLL(None)
print(libc.syscall(250, 10, -3, b"user", b"left", 0))
libc.syscall(248, b"user", b"left", b"left", 4, -3)
"""
    )
    assert found == "-1\n"
    assert run("import ctypes\nprint(ctypes.CDLL(None).syscall(250, 10, -3, b'user', b'left', 0))") == found


def test_the_process_ends_with_the_grader():
    exercise = Exercise("a1.f", "", (Function("f", ("x",), None),), 1, (), (), 2.0)
    session = Session(BubblewrapExecutor(), [Cell(0, "def f(x): return x")], Limits())
    with session:
        (function,) = session.functions(exercise)
        assert function(1) == 1
        pid = session._processes["a1.f"]._child.pid
    assert not Path(f"/proc/{pid}").exists()
