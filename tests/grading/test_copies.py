"""The cells of a submission run once for all its exercises, and no exercise can tell."""

import random
import re
import time

import numpy as np
import pytest

from cnnlab.checks import FunctionMissing, StudentCrashed, StudentTimeout, exercises
from cnnlab.checks.model import Exercise, Function
from cnnlab.checks.seeds import VISIBLE_SEED, case_generator
from cnnlab.grading.bubblewrap import BubblewrapExecutor
from cnnlab.grading.executor import close_executors
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell
from cnnlab.grading.session import Session
from cnnlab.grading.task import Task, grade_task
from cnnlab.grading.warm import WarmExecutor

pytestmark = pytest.mark.sandbox


class Counting:
    """An executor that counts how often it starts something."""

    def __init__(self, executor):
        self._executor = executor
        self.starts = []

    def __getattr__(self, name):
        return getattr(self._executor, name)

    def start(self, limits, copies=0, **options):
        self.starts.append(copies)
        return self._executor.start(limits, copies, **options)


@pytest.fixture(scope="module")
def warm():
    executor = WarmExecutor()
    yield executor
    executor.close()


@pytest.fixture
def executor(warm):
    return Counting(warm)


def opened(executor, cells, plan, **limits):
    session = Session(executor, [Cell(i, source) for i, source in enumerate(cells)], Limits(**limits))
    session.plan({f"a1.{name}": until for name, until in plan.items()})
    return session


def ask(session, name, until, *arguments, seconds=2.0):
    exercise = Exercise(f"a1.{name}", "", (Function(name, ("x",), None),), 1, (), (), seconds)
    (function,) = session.functions(exercise, until=until)
    return function(*arguments)


THREE = ("n = 1", "def f(x): return (n, x)", "n = 2\ndef g(x): return (n, x)", "n = 3\ndef h(x): return (n, x)")
PLAN = {"f": 2, "g": 3, "h": None}


def test_each_exercise_sees_what_the_cells_before_its_grade_cell_left(executor):
    with opened(executor, THREE, PLAN) as session:
        assert [ask(session, name, until, 9) for name, until in PLAN.items()] == [(1, 9), (2, 9), (3, 9)]
        assert [ask(session, name, until, 8) for name, until in reversed(PLAN.items())] == [(3, 8), (2, 8), (1, 8)]
        assert [report.index for report in session.reports] == [0, 1, 2, 3]
    assert executor.starts == [2]  # once, with two copies


def test_an_executor_without_copies_gives_the_same_answers():
    executor = Counting(BubblewrapExecutor())
    with opened(executor, THREE, PLAN) as session:
        assert [ask(session, name, until, 9) for name, until in PLAN.items()] == [(1, 9), (2, 9), (3, 9)]
    assert executor.starts == [0, 0, 0]


def test_exercises_that_end_at_the_same_cell_have_a_process_each(executor):
    cells = ["seen = []\ndef f(x): seen.append(x); return list(seen)\ndef g(x): seen.append(x); return list(seen)"]
    with opened(executor, cells, {"f": 1, "g": 1}) as session:
        assert ask(session, "f", 1, 5) == [5]
        assert ask(session, "f", 1, 6) == [5, 6]
        assert ask(session, "g", 1, 7) == [7]
    assert executor.starts == [1]


def test_a_function_that_hangs_or_crashes_costs_only_itself(executor):
    cells = [
        "import os, time\ndef f(x):\n    while x: pass\n    return 'f'",
        "def g(x):\n    if x: os.kill(os.getpid(), 9)\n    return 'g'",
        "def h(x):\n    if x: os._exit(3)\n    return 'h'",
    ]
    plan = {"f": 1, "g": 2, "h": 3}
    with opened(executor, cells, plan) as session:
        with pytest.raises(StudentTimeout):
            ask(session, "f", 1, 1, seconds=0.1)
        with pytest.raises(StudentCrashed, match="SIGKILL"):
            ask(session, "g", 2, 1)
        with pytest.raises(StudentCrashed, match="status 3"):
            ask(session, "h", 3, 1)
        assert [ask(session, name, until, 0) for name, until in plan.items()] == ["f", "g", "h"]
    # Three at once; g and h again, as another's function may have taken them along; and each after what it did.
    assert executor.starts == [2, 0, 0, 0, 0, 0]


def test_a_copy_that_hangs_is_ended_and_the_others_live(executor):
    cells = ["import os\ndef f(x):\n    while True: pass\ndef g(x): return sorted(os.listdir('/proc'), key=len)"]
    with opened(executor, cells, {"f": 1, "g": 1}) as session:
        before = ask(session, "g", 1, 0)
        with pytest.raises(StudentTimeout):
            ask(session, "f", 1, 0, seconds=0.1)
        time.sleep(0.3)
        after = ask(session, "g", 1, 0)
    assert sum(name.isdigit() for name in before) == 3  # the keeper and a process each
    assert sum(name.isdigit() for name in after) == 2


def test_a_cell_that_hangs_is_left_out_and_what_stands_above_it_keeps_its_copy(executor):
    cells = [
        "def f(x): return x",
        "while True: pass",
        "def g(x): return -x",
        "import os; os._exit(1)",
        "def h(x): return 0",
    ]
    with opened(executor, cells, {"f": 1, "g": 3, "h": None}, cell_seconds=1.5) as session:
        assert [ask(session, "f", 1, 4), ask(session, "g", 3, 4), ask(session, "h", None, 4)] == [4, -4, 0]
        assert [bool(report.left_out) for report in session.reports] == [False, True, False, True, False]
    # All three; then the two below the cell that hangs; then the one below the cell that ends the process.
    assert executor.starts == [2, 1, 0]


def test_cells_that_use_up_their_time_do_not_cost_what_stands_above_them(executor):
    cells = ["def f(x): return x", "import time\ntime.sleep(9)", "time.sleep(9)", "time.sleep(9)\ndef g(x): return x"]
    with opened(executor, cells, {"f": 1, "g": None}, cell_seconds=1.0, submission_seconds=3) as session:
        assert ask(session, "f", 1, 4) == 4
        with pytest.raises(StudentTimeout):
            ask(session, "g", None, 4)
        assert ask(session, "f", 1, 5) == 5


def test_a_cell_that_takes_every_process_along_costs_only_itself(executor):
    cells = ["def f(x): return x", "import os\nos.kill(-1, 9)", "def g(x): return -x"]
    with opened(executor, cells, {"f": 1, "g": None}) as session:
        assert ask(session, "f", 1, 4) == 4
        assert ask(session, "g", None, 4) == -4


@pytest.mark.parametrize(
    "state",
    [
        "import threading, queue\nq, a = queue.Queue(), queue.Queue()\n"
        "threading.Thread(target=lambda: [a.put(q.get() + 1) for _ in range(9)], daemon=True).start()\n"
        "def work(x): q.put(x); return a.get(timeout=1)",
        "file = open('/tmp/state', 'w+')\ndef work(x): return x + 1 + file.write('x') - 1",
        "open('state.txt', 'w').write('1')\ndef work(x): return x + int(open('state.txt').read())",
        "import asyncio\nawait asyncio.sleep(0)\ndef work(x): return asyncio.run(asyncio.sleep(0, x + 1))",
        "import mmap\nm = mmap.mmap(-1, 10)\nm[0] = 1\ndef work(x): r = x + m[0]; m[0] += 1; return r",
    ],
    ids=["threads", "open file", "file on disk", "event loop", "shared memory"],
)
def test_a_process_that_cannot_be_copied_is_started_anew(executor, state):
    """Whatever a cell leaves behind, an exercise finds what a process of its own would find."""
    cells = [state, "def f(x): return work(x)", "def g(x): return work(x)", "work = None"]
    with opened(executor, cells, {"f": 2, "g": 3}) as session:
        assert ask(session, "f", 2, 1) == 2
        assert ask(session, "g", 3, 1) == 2
    assert executor.starts == [1, 0]


def test_a_seed_that_was_chosen_holds_in_a_copy(executor):
    cells = ["import random, numpy as np\nrandom.seed(1); np.random.seed(1)", "def f(x): return random.random()", ""]
    cells[1] += "\ndef g(x): return random.random()\ndef h(x): return float(np.random.random())"
    random.seed(1)
    with opened(executor, cells, {"f": 2, "g": 2, "h": 2}) as session:
        first = [ask(session, name, 2, 0) for name in ("f", "g", "h")]
    assert first == [random.random()] * 1 + [first[0]] + [np.random.RandomState(1).random_sample()]
    assert executor.starts == [2]


def test_a_missing_function_is_missing(executor):
    with opened(executor, ["def f(x): return x"], {"f": 1, "g": 1}) as session:
        assert ask(session, "f", 1, 1) == 1
        with pytest.raises(FunctionMissing):
            ask(session, "g", 1, 1)


TELLS = """\
import numpy as np
def scan_1d(x, layers, width, hop):
    with open("/tmp/seen", "a") as file:
        file.write(f"{float(np.ravel(x) @ np.arange(x.size) / 7):.7f} ")
    return x
"""
REPEATS = """\
def scan_2d(image, layers, size, stride):
    raise ValueError(open("/tmp/seen").read()[-500:])
"""


def test_what_is_shown_was_said_before_anything_hidden_was_asked():
    """Exercises of one submission can talk to each other, so what one was asked must not be worth telling."""
    cells = (Cell(0, TELLS), Cell(1, REPEATS))
    task = Task("ann", "a1", "", cells, {"a1-scan_1d": 1, "a1-scan_2d": 2}, 7391, Limits(), WarmExecutor.name)
    try:
        result = grade_task(task)
    finally:
        close_executors()
    one, two = result.exercises[:2]
    exercise = exercises("a1")[0]
    numbers = {True: set(), False: set()}
    for index, check in enumerate(exercise.checks):
        for case in check.cases(case_generator(exercise, index, 7391 if check.hidden else VISIBLE_SEED)):
            x = np.ravel(case.arguments[0])
            numbers[check.hidden].add(f"{float(x @ np.arange(x.size) / 7):.7f}")
    told = set(re.findall(r"-?\d+\.\d{7}", one.card + two.card))
    assert told & numbers[False]  # it did tell what it had heard
    assert not told & numbers[True]
