"""Whatever a student's process does, grading ends in time with an ordinary result, and nobody else loses a point.

Time is counted and not waited for (`puppets`), so that streams without an end and pauses of years can be tried.
"""

import json
from types import SimpleNamespace

import hostile_data
import numpy as np
import pytest
from effort import examples
from hypothesis import example, given
from hypothesis import strategies as st
from puppets import END, PuppetExecutor, Script, Stage, frame_of

from cnnlab.checks import exercises
from cnnlab.grading import wire
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell, Result
from cnnlab.grading.task import Task, run_task

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, about numbers of students

CELLS = (Cell(0, "def scan_1d(): ..."), Cell(1, "def scan_2d(): ..."), Cell(2, "def aggregate(): ..."))
LIMITS = Limits(submission_seconds=60.0)
EXERCISES = {exercise.id: exercise for exercise in exercises("a1")}
VICTIM = "a1.scan_2d"
# Reads and looks take a moment of the counted time, and a start takes some.
MARGIN = 5.0


def grade(script, *, copies=False, seconds=60.0):
    """Grade a submission whose process plays a script; return the result and the stage on which it was played."""
    stage = Stage()
    executor = PuppetExecutor(stage, script, copies=copies)
    task = Task("ada", "a1", "key", CELLS, {}, 11, Limits(submission_seconds=seconds), "puppets")
    with pytest.MonkeyPatch.context() as patcher:
        stage.patch(patcher)
        patcher.setattr("cnnlab.grading.task.shared_executor", lambda name: executor)
        started = stage.now
        result = Result.from_dict(json.loads(run_task(task.to_bytes())))
    assert stage.now - started <= seconds + MARGIN
    assert stage.largest <= wire.MAX_PAYLOAD + (1 << 17)
    assert all(puppet.closed == 1 for puppet in stage.puppets.values())
    json.dumps(result.as_dict()).encode("utf-8")
    for exercise in result.exercises:
        exercise.card.encode("utf-8")
    return result


def scores(result):
    return {exercise.exercise_id: exercise.score for exercise in result.exercises}


def assert_is_ordinary(result):
    assert result.status in {"graded", "timeout", "crashed"}, result.reason
    assert result.was_run
    for name, exercise in EXERCISES.items():
        if name != VICTIM:
            assert scores(result)[name] == exercise.points


quick = examples(40)


@pytest.mark.parametrize("copies", [False, True])
def test_an_honest_process_gets_all_points(copies):
    result = grade(Script(()), copies=copies)
    assert result.status == "graded"
    assert scores(result) == {name: exercise.points for name, exercise in EXERCISES.items()}


@quick
@given(hostile_data.wrong, st.booleans())
@example([frame_of({"result": True, "changed": []}, [10**400])], False)
@example([wire.pack({"result": True, "changed": []}, [np.zeros((1,) * 32)])], True)
def test_a_hostile_answer_gives_no_points_and_takes_none_from_the_other_exercises(steps, copies):
    result = grade(Script({"scan_2d"}, answer=steps), copies=copies)
    assert_is_ordinary(result)
    assert scores(result)[VICTIM] == 0


@quick
@given(hostile_data.with_right_ones, st.booleans())
def test_right_answers_with_something_beside_them_take_nothing_from_the_other_exercises(steps, copies):
    result = grade(Script({"scan_2d"}, answer=steps), copies=copies)
    assert_is_ordinary(result)
    assert 0 <= scores(result)[VICTIM] <= EXERCISES[VICTIM].points


@quick
@given(hostile_data.wrong | hostile_data.with_right_ones, st.booleans())
def test_a_hostile_report_on_a_cell_ends_in_an_ordinary_result(steps, copies):
    result = grade(Script((), cell=steps), copies=copies)
    assert result.status in {"graded", "timeout", "crashed"}, result.reason
    assert all(isinstance(cell.stdout, str) and len(cell.stdout) <= 20_000 for cell in result.cells)


@quick
@given(hostile_data.odd_values, st.sampled_from(["scan_1d", "aggregate", "aggregate_backward"]))
def test_every_value_that_can_be_carried_can_be_judged(value, name):
    frame = wire.pack({"result": True, "changed": []}, [value])
    result = grade(Script({name}, answer=[frame]))
    assert result.status == "graded", result.reason
    [concerned] = [each for each in EXERCISES.values() if name in {function.name for function in each.functions}]
    assert scores(result)[concerned.id] < concerned.points


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ["a2", "a3", "a4", "a5"])
def test_every_value_that_can_be_carried_can_be_judged_in_every_exercise(assignment):
    """Straight into the checks, without a process: the same values, for the exercises of the other assignments."""
    from cnnlab.checks import run_exercise

    for exercise in exercises(assignment):

        @examples(40)
        @given(st.lists(hostile_data.odd_values, min_size=len(exercise.functions), max_size=len(exercise.functions)))
        def judge(values):
            functions = [_constant(value) for value in values]
            assert run_exercise(exercise, functions, hidden=True, seed=5).score < exercise.points  # noqa: B023  called now

        judge()


def _constant(value):
    def function(*arguments):
        return value

    function.runs_elsewhere = True
    return function


# ---- cases with names: what each must end in ----


def answer(value):
    return frame_of({"result": True, "changed": []}, [value])


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([], "timeout"),
        ([1e9], "timeout"),
        ([END], "crashed"),
        ([b"\0" * 11, END], "crashed"),
        ([b"\0" * 11], "timeout"),
        ([b"\xff" * 64], "crashed"),
        ([lambda frame: frame[: len(frame) // 2]], "timeout"),
        ([lambda frame: frame[: len(frame) // 2], END], "crashed"),
        ([frame_of({"hello": 1})], "crashed"),
        ([frame_of({"cell": 0, "error": None, "stdout": "", "stderr": ""})], "crashed"),
        ([frame_of({"result": True, "changed": []}, [1, 2])], "crashed"),
        ([answer({"array": ["<f8", [10**9, 10**9]]})], "crashed"),
        ([answer({"array": ["|O", [1]]})], "crashed"),
        ([answer(float("nan"))], "crashed"),  # JSON has no NaN: it travels as {"float": "nan"}
        ([answer({"float": "nan"})], "graded"),
        ([frame_of({"raised": {"type": "x" * 9999, "message": "\ud800" * 9999}})], "graded"),
        # An answer more than was asked for is noticed before the next question goes out.
        ([lambda frame: frame, lambda frame: frame], "crashed"),
        ([lambda frame: frame, b"\0"], "crashed"),
    ],
)
def test_what_a_process_does_has_its_own_status(steps, status):
    result = grade(Script({"scan_2d"}, answer=steps))
    assert_is_ordinary(result)
    assert result.status == status
    assert scores(result)[VICTIM] < EXERCISES[VICTIM].points


@pytest.mark.parametrize("copies", [False, True])
def test_a_process_that_never_reads_costs_its_own_time_only(copies):
    class Deaf(Script):
        def _answers(self, puppet):
            yield None
            if puppet.heard[-1][0]["function"] == "scan_2d":
                puppet.is_deaf = True
            answer = Script._answers(self, SimpleNamespace(heard=puppet.heard))
            next(answer)
            yield from answer

    result = grade(Deaf(()), copies=copies)
    assert_is_ordinary(result)
    assert result.status == "timeout"


def test_a_whole_number_beyond_all_floats_is_a_wrong_answer_and_no_fault_of_ours():
    """float() of it is an OverflowError: once, such an answer made the student's result ours, with no points at all."""
    from cnnlab.checks.compare import find_fault

    fault = find_fault(np.float64(1.5), 10**400)
    assert fault.kind == "wrong_value"
    assert len(fault.message) < 100
    assert find_fault(3, 10**400).message == "Expected 3, got a whole number of 401 digits."
    assert find_fault(3, -(10**6)).message == "Expected 3, got -1,000,000."
