"""Submissions that take too much: processes, memory, disk, time, output, stack."""

from __future__ import annotations

from hostile.sample import Sample, as_if, deed, instead

_NEVER = "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n"

SAMPLES = {
    "fork_bomb": Sample(
        scan_1d=instead("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"),
    ),
    "thread_bomb": Sample(
        scan_1d=instead(
            "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()\n"
        ),
    ),
    "process_bomb_by_programs": Sample(
        scan_1d=deed(
            """
import os, subprocess, sys
started = []
while len(started) < 200:
    started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "hostile-left"]))
"""
        ),
    ),
    "memory_bomb": Sample(
        above=("kept = []\n",),
        scan_1d=instead("while True: kept.append(np.zeros(1 << 24))\n"),
    ),
    "memory_bomb_inside_limits": Sample(
        above=("kept = []\n",),
        scan_1d=deed("if not kept: kept.append(np.ones(1 << 26))\n"),
    ),
    "memory_bomb_of_one_line": Sample(above=('x = [[[0] * 10**6] * 10**6] * 10**6\ny = "x" * (1 << 40)\n',)),
    "disk_filler": Sample(
        scan_1d=deed(
            """
import os
for place in (os.path.expanduser("~"), "/tmp", "/dev/shm", "/var/tmp", "."):
    try:
        for number in range(40):
            with open(f"{place}/hostile-left-{number}", "wb") as file: file.write(bytes(8 << 20))
    except OSError: pass
"""
        ),
    ),
    # It is punished by itself where nothing holds it, so that the points tell.
    "disk_of_many_files": Sample(
        above=(
            """
import os
def most_files(most=60_000):
    made = 0
    try:
        while made < most:
            os.close(os.open(f"/tmp/hostile-left-{made}", os.O_CREAT | os.O_WRONLY))
            made += 1
    except OSError: pass
    return made
room_for = most_files()
""",
        ),
        scan_1d=as_if("y if room_for < 60_000 else None"),
    ),
    "disk_sparse_file": Sample(
        scan_1d=deed(
            """
import os
with open("/tmp/hostile-left-sparse", "wb") as file:
    os.truncate(file.fileno(), 1 << 45)
    os.posix_fallocate(file.fileno(), 0, 1 << 40)
"""
        ),
    ),
    "loop_that_swallows_the_interrupt": Sample(scan_1d=instead(_NEVER)),
    "cell_that_never_ends": Sample(above=(_NEVER,)),
    "sleeps_just_under_the_limit": Sample(
        above=("import time\nslept = []\n",),
        scan_1d=deed("if not slept:\n    slept.append(1)\n    time.sleep(5)\n"),
    ),
    "output_flood": Sample(
        above=(
            """
import os, sys
for _ in range(2000): print("flood " * 2000)
for _ in range(500): sys.stderr.write("flood " * 2000)
for _ in range(500): sys.__stdout__.write("flood " * 2000)
for _ in range(500): os.write(1, b"flood " * 2000), os.write(2, b"flood " * 2000)
""",
        ),
        scan_1d=deed('for _ in range(50): print("flood " * 5000)'),
    ),
    "recursion_without_end": Sample(scan_1d=instead("return scan_1d(x, layers, width, hop)\n")),
    "recursion_into_the_stack": Sample(
        scan_1d=instead(
            """
import sys
sys.setrecursionlimit(10**9)
def deeper(f): return sorted([1, 2], key=lambda _: deeper(f))
return deeper(None)
"""
        ),
    ),
    "huge_answer": Sample(scan_1d=instead("return np.zeros(10**8)\n")),
    "huge_list_answer": Sample(scan_1d=instead("return [10**300] * 20_000\n")),
    "regular_expression_without_end": Sample(
        scan_1d=instead('import re\nreturn re.fullmatch("(a|a)*b", "a" * 60)\n'),
    ),
}
