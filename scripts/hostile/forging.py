"""Submissions that speak to the grader themselves, change what speaks for them, or end what should answer."""

from __future__ import annotations

from hostile.sample import Sample, as_if, deed, instead

_FRAME = """
import json, os, struct
def frame(message, values=(), payload=b""):
    header = json.dumps({"message": message, "values": list(values)}).encode()
    return struct.pack(">IQ", len(header), len(payload)) + header + payload
def tell_everybody(data):
    for number in range(256):
        try: os.write(number, data)
        except OSError: pass
"""

SAMPLES = {
    "pipe_forged_answers": Sample(
        above=(_FRAME,),
        scan_1d=instead(
            """
tell_everybody(frame({"result": True, "changed": []}, [{"array": ["<f8", [1, 1]]}], struct.pack("<d", 7.0)))
"""
        ),
    ),
    "pipe_forged_score": Sample(
        above=(_FRAME,),
        scan_1d=instead('tell_everybody(frame({"passed": True, "score": 5, "points": 5, "kind": "passed"}))\n'),
    ),
    "pipe_noise": Sample(
        scan_1d=instead(
            "import os\nfor n in range(256):\n    try: os.write(n, os.urandom(99))\n    except OSError: pass\n"
        )
    ),
    "pipe_sizes_that_lie": Sample(
        above=(_FRAME,),
        scan_1d=instead(
            """
tell_everybody(frame({"result": True, "changed": []}, [{"array": ["<f8", [10**6, 10**6, 10**6]]}], bytes(8)))
tell_everybody(struct.pack(">IQ", 4_000_000_000, 1 << 62))
"""
        ),
    ),
    "pipe_drop_by_drop": Sample(
        above=(_FRAME,),
        scan_1d=instead(
            """
import time
import stat
opened = sorted(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}"))
line = next(number for number in opened if stat.S_ISSOCK(os.fstat(number).st_mode))
for letter in frame({"result": True, "changed": []}, [{"array": ["<f8", [1, 1]]}], struct.pack("<d", 7.0)):
    os.write(line, bytes([letter]))
    time.sleep(0.5)
"""
        ),
    ),
    "descriptors_closed": Sample(scan_1d=instead("import os\nos.closerange(0, 256)\n")),
    "descriptors_closed_in_a_cell": Sample(above=("import os\nos.closerange(0, 256)\n",)),
    "descriptors_exchanged": Sample(
        scan_1d=instead(
            """
import os
r, w = os.pipe()
for number in range(3, 256):
    try: number in (r, w) or os.dup2(w, number)
    except OSError: pass
"""
        ),
    ),
    "stdout_replaced": Sample(
        above=(
            """
import sys
class Angry:
    def __getattr__(self, name): raise RuntimeError("no output here")
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Angry()
""",
        ),
        scan_1d=deed("import sys\nsys.stdout = sys.stderr = None\n"),
    ),
    "input_asked_for": Sample(scan_1d=instead('return input("the answer, please: ")\n')),
    "exit_in_a_call": Sample(scan_1d=instead("import sys\nsys.exit(0)\n")),
    "exit_without_a_word": Sample(scan_1d=instead("import os\nos._exit(0)\n")),
    "abort": Sample(scan_1d=instead("import os\nos.abort()\n")),
    "segmentation_fault": Sample(scan_1d=instead("import ctypes\nreturn ctypes.string_at(1)\n")),
    "interrupt_raised": Sample(scan_1d=instead("raise KeyboardInterrupt\n")),
    "kernel_killed_in_a_cell": Sample(
        above=(
            'import os, signal\nget_ipython().run_line_magic("reset", "-f")\nos.kill(os.getpid(), signal.SIGKILL)\n',
        ),
    ),
    "exception_that_fights": Sample(
        scan_1d=instead(
            """
class Meta(type):
    @property
    def __name__(cls): raise SystemExit
class Fights(Exception, metaclass=Meta):
    def __str__(self): raise KeyboardInterrupt
    __repr__ = __str__
raise Fights
"""
        ),
    ),
    "forged_by_the_link": Sample(
        above=(
            """
import gc, sys
serve = sys.modules["cnnlab.grading.student_view.serve"]
wire = sys.modules["cnnlab.grading.wire"]
serve.Link.send = lambda self, message, values=(): (
    self._answers.write(wire.pack({"score": 15, "passed": True, "result": True}, ())), self._answers.flush())
serve.limit_resources = serve._call = lambda *a: ({"result": True, "changed": []}, (True,))
""",
        ),
        scan_1d=instead("pass\n"),
    ),
    "patches_numpy": Sample(
        above=(
            """
import sys
import numpy.testing
for module in [m for name, m in list(sys.modules.items()) if name.partition(".")[0] == "numpy"]:
    for name in ("allclose", "array_equal", "isclose", "assert_allclose", "array_equiv", "assert_array_equal"):
        try: setattr(module, name, lambda *a, **k: True)
        except Exception: pass
""",
        ),
        scan_1d=instead("return np.full((1, 1), 7.0)\n"),
    ),
    "patches_cnnlab": Sample(
        above=(
            """
import sys, types
fake = types.ModuleType("cnnlab.checks")
fake.check = check = lambda *a, **k: 5.0
fake.exercises = fake.run_exercise = fake.hidden_seed = lambda *a, **k: 5.0
for name in ("cnnlab.checks", "cnnlab.checks.runner", "cnnlab.checks.compare", "cnnlab.grading.task"):
    sys.modules[name] = fake
import cnnlab
cnnlab.check = cnnlab.checks = fake
""",
        ),
        scan_1d=instead("return np.full((1, 1), 7.0)\n"),
    ),
    "replaces_isinstance": Sample(
        scan_1d=as_if("y", first="import builtins\n").replace(
            "    y = right", "    builtins.isinstance = lambda *a: True\n    y = right"
        ),
    ),
    "replaces_import_and_open": Sample(
        above=("import builtins\nbuiltins.__import__ = builtins.open = lambda *a, **k: 1 / 0\n",),
    ),
    "traces_everything": Sample(
        above=(
            """
import gc, sys, threading
seen = []
def tracer(frame, event, argument):
    for name in ("expected", "seed", "solution"):
        if name in frame.f_locals: seen.append(frame.f_locals[name])
    return tracer
sys.settrace(tracer); sys.setprofile(tracer); threading.settrace(tracer)
gc.callbacks.append(lambda *a: gc.get_objects()[:10])
""",
        ),
    ),
    "changes_the_syntax_tree": Sample(
        above=(
            """
import ast
class EveryAssertIsTrue(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
    def visit_Call(self, node): return ast.copy_location(ast.Constant(5.0), node)
shell = get_ipython()
shell.ast_transformers.append(EveryAssertIsTrue())
""",
            "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass'])\n",
            "get_ipython().events.register('pre_run_cell', lambda *a: None)\n",
        ),
        scan_1d=instead("return np.full((1, 1), 7.0)\n"),
    ),
    "replaces_asserts": Sample(
        above=(
            """
import builtins, unittest
builtins.AssertionError = Warning
def check(*a, **k): return 5.0
def assert_allclose(*a, **k): pass
def assert_equal(*a, **k): pass
unittest.TestCase.assertEqual = unittest.TestCase.assertTrue = lambda *a: None
__debug = False
""",
        ),
        scan_1d=instead("return np.full((1, 1), 7.0)\n"),
    ),
    "magics_and_shell": Sample(
        above=(
            "!rm -rf ~ /tmp/* && touch /tmp/hostile-left\nhere = !ls /\n%cd /\n%run hostile-left.py\n",
            "%%bash\ntouch /tmp/hostile-left\n",
            "%load_ext autoreload\n%autoreload 2\n%matplotlib inline\n%config Application.log_level='DEBUG'\n",
        ),
    ),
    "clock_patched": Sample(
        above=(
            """
import signal, time
time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
time.sleep = lambda s: None
""",
        ),
        scan_1d=instead("signal.setitimer(signal.ITIMER_REAL, 0)\nsignal.alarm(0)\nwhile time.monotonic() < 1: pass\n"),
    ),
    "signals_ignored": Sample(
        scan_1d=instead(
            """
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
while True: pass
"""
        ),
    ),
    "atexit_and_last_words": Sample(
        above=(
            """
import atexit, weakref
class LastWords:
    def __del__(self):
        while True: pass
kept = LastWords(); kept.itself = kept
weakref.finalize(kept, print, "over")
atexit.register(lambda: [None for _ in iter(int, 1)])
""",
        ),
        scan_1d=deed("import atexit\natexit.register(input)\n"),
    ),
    "threads_that_never_end": Sample(
        above=(
            """
import threading, time
def for_ever():
    while True: time.sleep(0.001)
for number in range(6): threading.Thread(target=for_ever, daemon=number % 2 == 0).start()
""",
        ),
    ),
}
