"""What stands below the card of a wrong answer: the same case in the demo Autopsy."""

import numpy as np
import pytest

from cnnlab.checks import exercise, run_exercise
from cnnlab.checks.look_closer import look_closer
from cnnlab.demos import Autopsy


def looked(exercise_id, change, which=0):
    """The demo below the card when one function of an exercise returns something else."""
    found = exercise(exercise_id)
    functions = [f.reference for f in found.functions]
    right = functions[which]
    functions[which] = lambda *arguments: change(right(*arguments))
    result = run_exercise(found, functions, hidden=False)
    widget = look_closer(result)
    return result, None if widget is None else widget.children[0]


def first_case(result):
    return next(outcome for outcome in result.outcomes if outcome.case is not None)


def test_it_shows_the_case_that_the_card_opens():
    result, demo = looked("a1.scan_1d", lambda y: y + 1)
    assert isinstance(demo, Autopsy)
    failed = first_case(result)
    assert failed.case.name in demo.data["title"]
    assert demo.first_wrong == failed.first_wrong_index
    assert demo.wrong.all()


@pytest.mark.parametrize("exercise_id", ["a3.conv2d_loops", "a3.conv2d_forward", "a4.conv_nd"])
def test_a_convolution_brings_its_sums(exercise_id):
    _, demo = looked(exercise_id, lambda y: y + 1)
    assert demo.data["convolution"] is not None


@pytest.mark.parametrize(
    ("exercise_id", "which"), [("a1.scan_2d", 0), ("a2.scan_matrix", 0), ("a3.compose_kernels", 0), ("a4.pool2d", 0)]
)
def test_other_exercises_bring_none(exercise_id, which):
    _, demo = looked(exercise_id, lambda y: (y[0] + 1, *y[1:]) if isinstance(y, tuple) else y + 1, which)
    assert demo.data["convolution"] is None


def test_of_several_results_it_shows_the_wrong_one():
    result, demo = looked("a3.conv2d_backward", lambda g: (g[0], g[1] + 1, g[2]))
    failed = first_case(result)
    assert failed.part == "dw"
    assert "dw" in demo.data["title"]
    assert demo.data["shapes"]["expected"] == list(failed.expected.shape)


def test_a_wrong_shape_can_be_looked_into():
    _, demo = looked("a1.scan_1d", lambda y: y[:, :-1])
    assert demo.wrong is None
    assert demo.data["shapes"]["got"] != demo.data["shapes"]["expected"]


def test_a_known_mistake_comes_with_its_name_and_hints():
    found = exercise("a3.conv2d_loops")
    mistake = found.mistakes[0]
    widget = look_closer(run_exercise(found, mistake.function, hidden=False))
    assert widget.children[0].data["mistake"] == mistake.name
    assert widget.children[0].data["hints"] == list(mistake.hints)


@pytest.mark.parametrize("answer", [lambda y: None, lambda y: y.tolist(), lambda y: "text", lambda y: 1 / 0])
def test_what_is_no_array_is_left_to_the_card(answer):
    result, demo = looked("a1.scan_1d", answer)
    assert demo is None
    assert first_case(result)


def test_when_nothing_is_wrong_there_is_nothing_to_see():
    assert looked("a1.scan_1d", lambda y: y)[1] is None


@pytest.mark.parametrize("odd", [np.array(["a"]), np.array([1j]), np.array([None]), np.zeros((0, 3))])
def test_odd_arrays_do_not_stop_the_card(odd):
    looked("a1.scan_1d", lambda y: odd)
