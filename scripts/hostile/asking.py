"""Submissions that ask somebody else for the answer: the library's own solutions, by every way there may be to them."""

from __future__ import annotations

from hostile.sample import Sample, instead

# Calls whatever bears the name of the exercise; what it gives is then the answer.
_TRY = """
import importlib, sys
def answer_of(thing, *arguments):
    for name in ("scan_1d", "reference", "solution", "conv1d", "correlate"):
        found = getattr(thing, name, None)
        if callable(found) and found is not globals().get("scan_1d"):
            try:
                return found(*arguments)
            except Exception: pass
    return None
"""
_NAMES = (
    "cnnlab cnnlab.checks cnnlab.checks.a1 cnnlab.checks.a1.scan_1d cnnlab.checks.registry cnnlab.checks.runner "
    "cnnlab.reference cnnlab.reference.scan cnnlab.ops cnnlab.ops.conv cnnlab.nn cnnlab.kernels cnnlab.grading.task "
    "cnnlab.grading.session cnnlab.geometry cnnlab.inspection cnnlab.authoring cnnlab.train torch torch.nn.functional "
    "scipy.signal scipy.ndimage tensorflow jax cupy numba nbgrader pip._vendor pip._internal conftest solutions samples"
)

SAMPLES = {
    "asks_by_import": Sample(
        above=(_TRY, "import cnnlab.checks.a1.scan_1d as theirs\nfrom cnnlab.reference import scan_1d as known\n"),
        scan_1d=instead(
            f"""
for name in {_NAMES.split()!r}:
    for way in (importlib.import_module, __import__, lambda n: __import__("runpy").run_module(n) and sys.modules[n]):
        try:
            found = answer_of(way(name), x, layers, width, hop)
        except BaseException: continue
        if found is not None: return found
"""
        ),
    ),
    "asks_what_is_loaded": Sample(
        above=(_TRY,),
        scan_1d=instead(
            """
import gc
for thing in [*sys.modules.values(), *gc.get_objects()]:
    try:
        found = answer_of(thing, x, layers, width, hop)
    except BaseException: continue
    if found is not None: return found
"""
        ),
    ),
    "asks_the_frames": Sample(
        scan_1d=instead(
            """
import gc, inspect, sys
for frame in [*(f.frame for f in inspect.stack()), *sys._current_frames().values()]:
    while frame is not None:
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if name in ("expected", "case", "solution", "reference", "trial", "exercise", "secret"): return value
        frame = frame.f_back
for thing in gc.get_objects():
    if type(thing).__name__ in ("Case", "Trial", "Exercise", "Answer", "Check"): return thing
"""
        ),
    ),
    "asks_the_files": Sample(
        above=(
            """
import os
solutions = []
for folder, _, files in os.walk("/"):
    if folder.startswith(("/proc", "/sys")): continue
    for name in files:
        if "scan" in name or "a1" in name or name.endswith((".ipynb", ".pyc.old")):
            try: text = open(os.path.join(folder, name), errors="replace").read()
            except OSError: continue
            if "def scan_1d(" in text: solutions.append(text)
""",
        ),
        scan_1d=instead(
            """
for text in solutions:
    names = {}
    try:
        exec(text, names)
        return names["scan_1d"](x, layers, width, hop)
    except Exception: pass
"""
        ),
    ),
    "asks_pickle": Sample(
        scan_1d=instead(
            """
import pickle
for module in ("cnnlab.checks.a1.scan_1d", "cnnlab.reference", "cnnlab.checks.a1"):
    try: return pickle.loads(f"c{module}\\nscan_1d\\n.".encode())(x, layers, width, hop)
    except Exception: pass
"""
        ),
    ),
    "asks_another_interpreter": Sample(
        above=(
            """
import glob, os, subprocess, sys
code = "import sys; sys.path[:0] = sys.argv[1:]; from cnnlab.checks.a1 import scan_1d; print(scan_1d.__file__)"
places = ["/srv/cnnlab", "/", ".", *glob.glob("/*/*/lib/python3*/site-packages"), *glob.glob("/home/*"), *sys.path]
said = ""
for program in [sys.executable, "/usr/bin/python3", "/bin/sh", *glob.glob("/proc/*/exe")]:
    try: said += subprocess.run([program, "-c", code, *places], capture_output=True, text=True, timeout=2).stdout
    except Exception: pass
print(said)
""",
        ),
        scan_1d=instead('if said: return __import__("importlib").import_module("cnnlab.checks.a1.scan_1d")\n'),
    ),
    "asks_by_path_hooks": Sample(
        scan_1d=instead(
            """
import importlib.util, sys, zipimport
for path in ("/grading/course/cnnlab/checks/a1/scan_1d.py", "/proc/1/root/grading/course/cnnlab/reference/scan.py",
             "/proc/self/root/srv/cnnlab/checks/a1/scan_1d.py",
             *[p + "/cnnlab/checks/a1.py" for p in sys.path]):
    try:
        spec = importlib.util.spec_from_file_location("theirs", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.scan_1d(x, layers, width, hop)
    except Exception: pass
"""
        ),
    ),
}
