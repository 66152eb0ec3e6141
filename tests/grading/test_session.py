"""A student's process answers calls, whatever its code does; the same for both executors."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from cnnlab.checks import (
    ArgumentChanged,
    FunctionMissing,
    StudentCrashed,
    StudentRaised,
    StudentTimeout,
    exercises,
)
from cnnlab.checks.model import Exercise, Function
from cnnlab.grading.bubblewrap import BubblewrapExecutor
from cnnlab.grading.executor import NoSandboxError, choose_executor, close_executors, sandbox_status
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell
from cnnlab.grading.plain import PlainExecutor
from cnnlab.grading.process import ExecutorError, ProcessTimeout
from cnnlab.grading.session import Session
from cnnlab.grading.warm import WarmExecutor

EXECUTORS = {"plain": PlainExecutor, "bubblewrap": BubblewrapExecutor, "warm": WarmExecutor}


@pytest.fixture(scope="module")
def warm_executor():
    executor = WarmExecutor()
    yield executor
    executor.close()


@pytest.fixture(
    params=[
        "plain",
        pytest.param("bubblewrap", marks=pytest.mark.sandbox),
        pytest.param("warm", marks=pytest.mark.sandbox),
    ]
)
def executor(request):
    if request.param == "warm":
        return request.getfixturevalue("warm_executor")
    return EXECUTORS[request.param]()


def exercise(function, *parameters, seconds=2.0):
    return Exercise(f"a1.{function}", "", (Function(function, parameters, None),), 1, (), (), seconds)


def ask(running, *named, **options):
    """Return the one function of an exercise, to be called."""
    (function,) = running.functions(exercise(*named, **options))
    return function


def session(executor, *sources, allows=(), **limits):
    return Session(executor, [Cell(i, source) for i, source in enumerate(sources)], Limits(**limits), allows=allows)


def test_a_function_gets_its_arguments_and_returns_its_value(executor):
    source = (
        "import numpy as np\ndef f(x, layers, name, n):\n    return [x @ layers[0][0], (n, name), np.float32(n), None]"
    )
    x, layers = np.arange(6.0).reshape(2, 3), [(np.eye(3), np.zeros(3))]
    with session(executor, source) as running:
        product, pair, scalar, nothing = ask(running, "f", "x", "layers", "name", "n")(x, layers, "ü", 7)
    assert np.array_equal(product, x)
    assert pair == (7, "ü")
    assert type(scalar) is np.float32
    assert nothing is None


def test_large_arrays_go_both_ways(executor):
    x = np.random.default_rng(0).normal(size=(500, 500))  # far more than a pipe holds
    with session(executor, "def f(x): return x.T") as running:
        assert np.array_equal(ask(running, "f", "x")(x), x.T)


def test_what_goes_wrong_over_there_has_a_name(executor):
    source = """\
import os
def raises(x):
    y = x[0]
    return y[9]
def changes(x): x[0] = 5; return x
def leaves(x): raise SystemExit
def gives_a_dict(x): return {"a": x}
def fights(x):
    class Odd:
        @property
        def __class__(self): raise RuntimeError
    return Odd()
def fine(x): return x
"""
    x = np.zeros((1, 3))
    with session(executor, source) as running:

        def call(name):
            return ask(running, name, "x")(x)

        with pytest.raises(StudentRaised) as raised:
            call("raises")
        assert (raised.value.type_name, raised.value.line) == ("IndexError", "return y[9]")
        with pytest.raises(ArgumentChanged) as changed:
            call("changes")
        assert changed.value.name == "x"
        assert not x.any()  # the checker's own array lives elsewhere
        with pytest.raises(StudentRaised, match="SystemExit"):
            call("leaves")
        with pytest.raises(FunctionMissing):
            call("nowhere")
        assert type(call("gives_a_dict")).__name__ == "dict"
        assert not isinstance(call("gives_a_dict"), dict)
        assert type(call("fights")).__name__ in {"Odd", "object"}
        assert np.array_equal(call("fine"), x)
        assert running.fault is None


def test_after_a_hang_or_a_crash_the_other_functions_still_answer(executor):
    source = """\
import os, time
def hangs(x):
    while True:
        try: time.sleep(60)
        except BaseException: pass
def ends(x): os._exit(3)
def killed(x): os.kill(os.getpid(), 9)
def fine(x): return x
"""
    with session(executor, source) as running:
        with pytest.raises(StudentTimeout):
            ask(running, "hangs", "x", seconds=0.1)(1)
        assert ask(running, "fine", "x")(1) == 1
        with pytest.raises(StudentCrashed, match="status 3"):
            ask(running, "ends", "x")(1)
        with pytest.raises(StudentCrashed, match="SIGKILL"):
            ask(running, "killed", "x")(1)
        assert ask(running, "fine", "x")(2) == 2


def test_a_cell_that_hangs_or_ends_the_process_is_left_out(executor):
    cells = ("def f(x): return x", "while True: pass", "import os; os._exit(0)", "def g(x): return -x")
    with session(executor, *cells, cell_seconds=1.5) as running:
        assert ask(running, "g", "x")(4) == -4
        reports = running.reports
        # The explanation of a missing function is the cell that never finished.
        with pytest.raises(StudentTimeout):
            ask(running, "h", "x")(1)
    assert [bool(report.left_out) for report in reports] == [False, True, True, False]
    assert "did not finish" in reports[1].left_out
    assert "status 0" in reports[2].left_out


def test_the_whole_submission_has_a_limit(executor):
    with session(executor, "def f(x):\n    import time; time.sleep(9)", submission_seconds=1) as running:
        started = time.monotonic()
        for _ in range(3):
            with pytest.raises(StudentTimeout):
                ask(running, "f", "x", seconds=9)(1)
        assert time.monotonic() - started < 5


def test_cells_are_reported_like_in_a_notebook(executor):
    cells = (
        "print('a' * 100_000)",
        "%matplotlib inline\n!echo no\n%time z = 3\nx = 1",
        "%%time\ny = x + z",
        "1 / 0",
        "def broken(:",
        "exit()",
        "from dataclasses import dataclass\n@dataclass\nclass D:\n    n: int\ndisplay(D(y))",
        "import sys; print('warned', file=sys.stderr)",
        "from IPython import get_ipython\n%timeit -n1 -r 3 print(x)",
        "from __future__ import annotations\nimport asyncio\nawait asyncio.sleep(0)\ndef later(x: Nowhere): return x",
        "def also(x: Nowhere): return x\nprint(await asyncio.sleep(0, later(5)))",
        "from tqdm.notebook import tqdm\nprint(sum(tqdm([1, 2])))",
    )
    with session(executor, *cells) as running:
        running.prepare()
        reports = running.reports
    assert len(reports[0].stdout) < 11_000
    assert "more characters" in reports[0].stdout
    assert [report.error and report.error[0] for report in reports[1:6]] == [
        None, None, "ZeroDivisionError", "SyntaxError", "SystemExit",
    ]  # fmt: skip
    assert reports[3].error[2] == "1 / 0"
    assert "<cell 5>" in reports[4].error[1]  # counted as on the pages, from 1
    assert reports[6].stdout == "D(n=4)\n"
    assert reports[7].stderr == "warned\n"
    assert [report.error for report in reports[8:]] == [None] * 4
    assert [report.stdout.splitlines()[-1:] for report in reports[8:]] == [["1"], [], ["5"], ["3"]]


@pytest.mark.parametrize(
    "statement",
    [
        "import torch",
        "import scipy",
        "import cnnlab.nn",
        "import cnnlab.ops",
        "import cnnlab.kernels",
        "import cnnlab.reference",
        "import cnnlab.geometry",
        "import cnnlab.checks.a1",
        "import cnnlab.checks.registry",
        "import cnnlab.grading.session",
        "import nbgrader",
        "from cnnlab import nn",
    ],
)
def test_answers_cannot_be_imported(executor, statement):
    with session(executor, statement) as running:
        running.prepare()
        assert running.reports[0].error[0] in {"ModuleNotFoundError", "ImportError"}


def test_what_the_assignment_needs_can_be_imported(executor):
    source = """\
import matplotlib.pyplot as plt, numpy, tqdm, IPython.display
import cnnlab
from cnnlab import data, viz
from cnnlab.checks import check
viz.pictures([numpy.zeros((1, 4, 4))])
plt.plot([1, 2]); plt.savefig("figure.png")
assert data.load_welcome(n=2).x.shape[0] == 2
assert cnnlab.asarray([1]).shape == (1,)
assert check("a1.scan_1d", None) is None
"""
    with session(executor, source) as running:
        running.prepare()
        assert running.reports[0].error is None
        assert running.reports[0].stdout == "a1.scan_1d: graded elsewhere\n"


# ---- an assignment whose notebook may use layers ----

LAYERS = ("nn", "optim")
OWN_FUNCTIONS = """
import numpy as np
from cnnlab import nn, optim

def conv2d_forward(x, w, b, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwuv,ocuv->nohw", windows, w) + b[:, None, None]

def conv2d_backward(dy, x, w, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.zeros_like(x), np.einsum("nohw,nchwuv->ocuv", dy, windows), dy.sum(axis=(0, 2, 3))

def pool2d_forward(x, kernel, stride, padding, how):
    return x[:, :, ::2, ::2]

def pool2d_backward(dy, x, kernel, stride, padding, how):
    dx = np.zeros_like(x)
    dx[:, :, ::2, ::2] = dy
    return dx

conv, pool = nn.ConvOp(conv2d_forward, conv2d_backward), nn.PoolOp(pool2d_forward, pool2d_backward)
"""


@pytest.mark.parametrize(
    "statement",
    [
        "from cnnlab.ops import conv_forward",
        "from cnnlab.ops import max_pool_forward",
        "from cnnlab.ops import windows_forward",
        "from cnnlab.ops import pad_forward",
        "import cnnlab.ops.conv",
        "import cnnlab.ops.conv_transpose",
        "import cnnlab.ops.pool",
        "import cnnlab.ops.taps",
        "import cnnlab.ops.windows",
        "from cnnlab.kernels import conv_forward",
        "import cnnlab.kernels.planner",
        "import cnnlab.reference",
        "import cnnlab.checks.a5",
        "import cnnlab.train",
        "import cnnlab.inspection",
        "import cnnlab.demos",
        "import cnnlab.nn.scan",
        "import cnnlab.nn.conv_transpose",
        "import cnnlab.nn.tied",
        "import cnnlab.nn.dense",
        "import cnnlab.nn.global_pool",
        "from cnnlab.nn import Scan",
        "from cnnlab.nn import ConvTranspose2d",
        "from cnnlab.nn import own_ops_required",
        "from cnnlab import train",
        "from cnnlab import ops, reference",
        "import torch",
        "import scipy",
    ],
)
def test_with_layers_allowed_answers_cannot_be_imported(executor, statement):
    with session(executor, f"from cnnlab import nn, optim\nprint('there')\n{statement}", allows=LAYERS) as running:
        running.prepare()
        assert running.reports[0].stdout == "there\n"
        assert running.reports[0].error[0] in {"ModuleNotFoundError", "ImportError"}


def test_with_layers_allowed_nothing_that_is_there_convolves_or_pools(executor):
    source = """
import importlib, pkgutil, sys
import cnnlab, cnnlab.nn, cnnlab.optim, cnnlab.data, cnnlab.viz
for found in pkgutil.walk_packages(cnnlab.__path__, "cnnlab."):
    if "student_view" not in found.name:
        try:
            importlib.import_module(found.name)
        except ImportError:
            pass
names = {name for key, module in sys.modules.items() if key.startswith("cnnlab") for name in vars(module)}
print(sorted(n for n in names if ("conv" in n or "pool" in n or "window" in n) and ("forward" in n or "backward" in n)))
print(*(key.split(".")[1] for key in sys.modules if key.count(".") == 1 and key.startswith("cnnlab.")))
print(*(key for key in sys.modules if key.startswith("cnnlab.kernels")))
"""
    with session(executor, source, allows=LAYERS) as running:
        running.prepare()
    assert running.reports[0].error is None
    functions, areas, fast = running.reports[0].stdout.splitlines()
    assert fast == "cnnlab.kernels"  # a stand-in that computes nothing
    assert functions == "[]"
    assert not {"reference", "train", "demos", "inspection", "bench"} & set(areas.split())
    assert {"kernels", "nn", "optim", "ops", "geometry", "backend"} <= set(areas.split())


def test_with_layers_allowed_a_net_computes_and_learns_with_own_functions(executor):
    source = f"""{OWN_FUNCTIONS}
def f(x, y):
    rng = np.random.default_rng(0)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 2, rng=rng, dtype="float64", op=conv), nn.ReLU(), nn.MaxPool2d(2, op=pool),
        nn.Flatten(), nn.Linear(8, 3, rng=rng, dtype="float64"),
    )
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    values = []
    for _ in range(20):
        net.zero_grad()
        values.append(loss(net(x), y))
        net.backward(loss.backward())
        optimizer.step()
    return values
"""
    rng = np.random.default_rng(3)
    with session(executor, source, allows=LAYERS) as running:
        losses = ask(running, "f", "x", "y")(rng.normal(size=(6, 1, 5, 5)), np.arange(6) % 3)
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("layer", ["nn.Conv2d(1, 2, 2)", "nn.MaxPool2d(2)", "nn.AvgPool2d(2)", "nn.Conv1d(1, 1, 1)"])
def test_with_layers_allowed_a_layer_without_own_functions_says_so(executor, layer):
    axes = "(1, 1, 4)" if "1d" in layer else "(1, 1, 4, 4)"
    source = (
        f"{OWN_FUNCTIONS}\ndef f(x):\n    net = nn.Sequential({layer})\n    return net(np.zeros({axes}, 'float32'))"
    )
    with session(executor, source, allows=LAYERS) as running, pytest.raises(StudentRaised) as raised:
        ask(running, "f", "x")(1)
    assert raised.value.type_name == "OwnOpMissingError"
    assert "must compute with your own functions here: give it op=nn." in raised.value.message


def test_only_where_an_exercise_allows_it_layers_are_there():
    assert not any(found.allows for name in ("a1", "a2", "a3", "a4") for found in exercises(name))


def test_forged_answers_are_a_crash_and_not_a_value(executor):
    source = """\
import os
def f(x):
    for descriptor in range(3, 20):
        try: os.write(descriptor, b"\\0" * 64)
        except OSError: pass
    return x
"""
    with session(executor, source) as running:
        with pytest.raises(StudentCrashed):
            ask(running, "f", "x")(1)
        assert running.fault is None


def test_output_below_python_goes_nowhere(executor):
    with session(executor, "import os\nos.write(1, b'x' * 1000)\nos.write(2, b'x' * 1000)") as running:
        running.prepare()
        assert running.reports[0].error is None


def test_memory_is_limited(executor):
    with session(executor, "import numpy as np\nnp.ones(1 << 29)", memory_bytes=2 << 30) as running:
        running.prepare()
        assert "Memory" in running.reports[0].error[0]


def test_a_process_that_cannot_start_is_our_fault(monkeypatch):
    monkeypatch.setattr("cnnlab.grading.tree.standard_library", lambda: ("/", "/nowhere/python"))
    with session(PlainExecutor(), "1") as running:
        with pytest.raises(ExecutorError):
            ask(running, "f", "x")(1)
        assert isinstance(running.fault, ExecutorError)


def test_a_process_that_never_greets_is_our_fault(monkeypatch):
    monkeypatch.setattr("cnnlab.grading.tree.cnnlab_tree", dict)
    with session(PlainExecutor(), "1") as running, pytest.raises(ExecutorError, match="No such file"):
        running.prepare()


def test_a_plain_process_and_its_children_end_with_the_session(tmp_path):
    source = f"""\
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pids")!r}, "w").write(f"{{child.pid}} {{__import__('os').getpid()}}")
"""
    with session(PlainExecutor(), source) as running:
        running.prepare()
        assert running.reports[0].error is None
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 5
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_runs, pids))


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose parent has not asked for it yet has ended too.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"


def test_without_a_sandbox_a_run_is_refused_unless_allowed(monkeypatch):
    real = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *rest: None if name == "bwrap" else real(name, *rest))
    assert not sandbox_status().ok
    assert "install" in sandbox_status().hint
    with pytest.raises(NoSandboxError, match="--allow-unsandboxed"):
        choose_executor(allow_unsandboxed=False)
    assert choose_executor(allow_unsandboxed=True).name == "plain process"


@pytest.mark.sandbox
def test_a_working_sandbox_is_used_even_when_it_could_be_done_without():
    assert choose_executor(allow_unsandboxed=True).isolated
    close_executors()


# ---- what a hostile function can tell ----


def test_a_function_cannot_repeat_what_another_exercise_was_asked(executor):
    source = "seen = []\ndef f(x): seen.append(x); return x\ndef g(x): return list(seen)"
    with session(executor, source) as running:
        ask(running, "f", "x")(12345)
        assert ask(running, "g", "x")(1) == []


@pytest.mark.parametrize("way", ["type", "line"])
def test_an_exception_can_only_quote_the_submission(executor, way):
    """Type and line are shown for hidden checks too, so a hidden input must not get into them."""
    source = f"""\
import gc, io, json, struct
class Mine(Exception): pass
def f(x):
    if x == 0:
        raise Mine("a")
    if {way == "type"}:
        raise type(f"Told{{x}}", (Exception,), {{}})("b")
    said = {{"raised": {{"type": "Mine", "message": "", "line": f"told {{x}}"}}}}
    header = json.dumps({{"message": said, "values": []}}).encode()
    for pipe in [each for each in gc.get_objects() if isinstance(each, io.BufferedWriter)]:
        pipe.write(struct.pack(">IQ", len(header), 0) + header)
        pipe.flush()
"""
    with session(executor, source) as running:
        with pytest.raises(StudentRaised) as fair:
            ask(running, "f", "x")(0)
        assert (fair.value.type_name, fair.value.line) == ("Mine", 'raise Mine("a")')
        with pytest.raises(StudentRaised) as raised:
            ask(running, "f", "x")(777)
        assert "777" not in raised.value.type_name + raised.value.line


def test_what_comes_after_the_deadline_does_not_count_even_if_it_waits_to_be_read(executor):
    """Frames that are slow to read could otherwise be sent without an end."""
    with session(executor, "def f(x): return x") as running:
        process = running.prepare()
        process.send({"function": "f"}, [1], deadline=time.monotonic() + 9)
        time.sleep(0.3)
        with pytest.raises(ProcessTimeout):
            process.receive(deadline=time.monotonic() - 1)


@pytest.mark.parametrize("name", ["read", "write"])
def test_a_pipe_that_somebody_else_emptied_or_filled_is_no_fault_of_ours(executor, monkeypatch, name):
    """A submission can open the grader's ends of its pipes through /proc, and be faster than the grader."""
    real = getattr(os, name)
    turns = iter([True, False] * 1000)

    def busy(descriptor, what):
        if next(turns):
            raise BlockingIOError
        return real(descriptor, what)

    with session(executor, "def f(x): return x") as running:
        ask(running, "f", "x")(4)
        with monkeypatch.context() as patched:
            patched.setattr(f"cnnlab.grading.process.os.{name}", busy)
            assert ask(running, "f", "x")(5) == 5
        assert running.fault is None


def test_what_a_student_says_moves_no_cursor_and_turns_no_letters(executor):
    """Pages, tables and notes quote the text and the line of an exception."""
    source = "def f(x):\n    raise ValueError('\\x1b[2J\\u202e\\x9b' + 'ü\\u200d\\n')  # \x1b[31m\u202e"
    cells = [Cell(0, source), Cell(1, "f(1)")]
    with Session(executor, cells, Limits()) as running, pytest.raises(StudentRaised) as raised:
        ask(running, "f", "x")(1)
    assert raised.value.message == "?[2J??ü\u200d\n"
    assert "# ?[31m?" in raised.value.line
    assert running.reports[1].error[1:] == (raised.value.message, raised.value.line)


@pytest.mark.sandbox
def test_an_exercise_that_kills_all_processes_costs_no_other_its_points(warm_executor):
    kill = "def f(x):\n    import os\n    try: os.kill(-1, 9)\n    except OSError: pass\n    os.killpg(0, 9)"
    cells = [Cell(0, kill), Cell(1, "def g(x): return x + 1"), Cell(2, "def h(x): return x + 2")]
    with Session(warm_executor, cells, Limits()) as running:
        running.plan({"a1.f": 1, "a1.g": 2, "a1.h": None})
        with pytest.raises(StudentCrashed):
            ask(running, "f", "x")(1)
        assert [running.functions(exercise(name, "x"))[0](1) for name in "gh"] == [2, 3]
