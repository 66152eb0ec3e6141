"""Exercises with several functions and several results: each is judged, and its mistake named, by itself."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cnnlab.checks import Case, Check, Exercise, Function, Mistake, check, run_exercise
from cnnlab.checks.compare import find_fault, same

HINTS = ("What.", "Where.", "How.")


def forward(x, w):
    return x * w


def backward(dy, x, w):
    return dy * w, (dy * x).sum()


def assemble(*, dx=1.0, reduce=np.sum):
    return lambda dy, x, w: (dx * dy * w, reduce(dy * x))


def _forward_cases(rng):
    return [Case("forward", (rng.standard_normal(5), 2.5))]


def _backward_cases(result):
    def make(rng):
        return [Case(result, (rng.standard_normal(4), rng.standard_normal(4), 1.5), "backward", result)]

    return make


EXERCISE = Exercise(
    "a0.scale",
    "Scale",
    (
        Function("forward", ("x", "w"), forward),
        Function("backward", ("dy", "x", "w"), backward, results=("dx", "dw"), assemble=assemble),
    ),
    4,
    (
        Check("forward", 1, hidden=False, cases=_forward_cases),
        Check("dx", 1, hidden=False, cases=_backward_cases("dx")),
        Check("dw", 1, hidden=False, cases=_backward_cases("dw")),
        Check("dw again", 1, hidden=True, cases=_backward_cases("dw")),
    ),
    (
        Mistake("no_weight", "The weight is left out", HINTS, lambda x, w: 1.0 * x),
        Mistake("dx_twice", "dx is doubled", HINTS, assemble(dx=2.0), of="backward", parts={"dx": 2.0}),
        Mistake("mean", "Mean for sum", HINTS, assemble(reduce=np.mean), of="backward", parts={"reduce": np.mean}),
    ),
)


def run(*functions, hidden=True):
    return run_exercise(EXERCISE, functions, hidden=hidden, seed=4)


def by_title(result):
    return {outcome.title: outcome for outcome in result.outcomes}


def test_right_functions_get_all_points():
    assert run(forward, backward).score == 4


def test_a_wrong_forward_costs_no_backward_points():
    result = run(lambda x, w: x, backward)
    assert result.score == 3
    assert by_title(result)["forward"].mistake_name == "The weight is left out"


def test_one_wrong_result_costs_its_own_points_and_gets_its_own_name():
    result = run(forward, lambda dy, x, w: (dy * w, (dy * x).mean()))
    assert result.score == 2
    outcomes = by_title(result)
    assert outcomes["dx"].passed
    assert outcomes["dw"].mistake_name == outcomes["dw again"].mistake_name == "Mean for sum"
    assert outcomes["dw"].message.startswith("dw: The only number is wrong") or "Expected" in outcomes["dw"].message


def test_wrong_in_two_results_gives_two_names():
    result = run(forward, lambda dy, x, w: (2 * dy * w, (dy * x).mean()))
    outcomes = by_title(result)
    assert (outcomes["dx"].mistake_name, outcomes["dw"].mistake_name) == ("dx is doubled", "Mean for sum")


def test_a_mistake_about_one_result_is_not_looked_for_in_the_others():
    functions = (forward, lambda dy, x, w: (dy * w, (dy * x).mean()))
    for result, name in (("dw", "Mean for sum"), ("dx", None)):
        mistakes = tuple(replace(m, result=result if m.id == "mean" else "") for m in EXERCISE.mistakes)
        found = run_exercise(replace(EXERCISE, mistakes=mistakes), functions, hidden=True, seed=4)
        assert by_title(found)["dw"].mistake_name == name


def test_a_function_that_is_not_written_leaves_the_others_alone():
    result = run_exercise(EXERCISE, [forward], hidden=True, seed=4)
    assert result.score == 1
    assert {o.kind for o in result.outcomes if not o.passed} == {"missing"}
    assert "no function backward" in by_title(result)["dx"].message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "returned None"),
        (np.zeros(4), r"returned one array. Return a tuple \(dx, dw\)"),
        (3.0, r"returned one float. Return a tuple \(dx, dw\)"),
        ((np.zeros(4),), r"returned 1 results. Return a tuple \(dx, dw\)"),
        ((None, 0.0), "dx: It is None"),
        ((np.zeros(3), 0.0), r"dx: The answer has shape \(3,\)"),
        (([0.0] * 4, 0.0), "dx: It is a list. Return a NumPy array"),
    ],
)
def test_a_tuple_of_results_is_asked_for_in_words(answer, message):
    outcome = by_title(run(forward, lambda *_: answer))["dx"]
    assert not outcome.passed
    assert re.search(message, outcome.message), outcome.message


def test_check_says_how_it_is_called(monkeypatch):
    monkeypatch.setattr("cnnlab.checks.notebook.exercise", lambda name: EXERCISE)
    with pytest.raises(TypeError, match=r'takes 2 functions and 1 were given: check\("a0.scale", forward, backward\)'):
        check("a0.scale", forward)
    assert check("a0.scale", forward, backward, hidden=True) == 4.0


@pytest.mark.parametrize(
    ("expected", "got", "right"),
    [
        (5, 5, True),
        (5, np.int64(5), True),
        (5, 5.0, False),
        (5, True, False),
        (1, True, False),
        (5, 6, False),
        (5, "5", False),
        (5, np.array(5), True),
        ((5, 7), (5, 7), True),
        ((5, 7), [5, 7], True),
        ((5, 7), (7, 5), False),
        ((5, 7), 5, False),
        (0.5, 0.5 + 1e-12, True),
        (0.5, np.float32(0.5), True),
        (0.5, float("nan"), False),
        (0.5, np.zeros(2), False),
    ],
)
def test_numbers_and_tuples_are_compared_as_such(expected, got, right):
    assert (find_fault(expected, got) is None) is right


def test_a_whole_number_as_a_float_is_a_matter_of_type():
    fault = find_fault(5, 5.0)
    assert fault.kind == "wrong_type"
    assert "Divide with //" in fault.message
    assert find_fault(5, 4.5).kind == "wrong_value"
    assert not same(5, 5.0)


STACK = ((np.ones((2, 3)), np.ones(4)), (1, 2))


@pytest.mark.parametrize(
    ("got", "kind", "words", "entry"),
    [
        (([np.ones((2, 3)), np.ones(4)], [1, 2]), None, "", ()),
        (
            ([np.ones((2, 3)), np.array([1.0, 1, 0, 1])], [1, 2]),
            "wrong_value",
            r"kernels\[1\]: First wrong .* at \[2\]",
            (1,),
        ),
        (([np.ones((2, 3)), np.ones(5)], [1, 2]), "wrong_shape", r"kernels\[1\]: The answer has shape \(5,\)", (1,)),
        (([np.ones((2, 3)), [1.0] * 4], [1, 2]), "wrong_type", r"kernels\[1\]: It is a list", (1,)),
        (([np.ones((2, 3))], [1, 2]), "wrong_shape", "kernels: Its length is 1; it should be 2", ()),
        ((np.ones((2, 3)), [1, 2]), "wrong_type", "kernels: It is one array. A list of 2 is expected", ()),
        ((None, [1, 2]), "wrong_type", "kernels: It is one NoneType. A list of 2", ()),
        (([np.ones((2, 3)), np.ones(4)], [1, 2.0]), "wrong_type", r"strides\[1\]: It is 2.0, a float", (1,)),
        (([np.ones((2, 3)), np.ones(4)], [3, 2]), "wrong_value", r"strides\[0\]: Expected 1, got 3", (0,)),
    ],
)
def test_a_result_may_be_a_list_and_its_first_wrong_entry_is_told(got, kind, words, entry):
    fault = find_fault(STACK, got, names=("kernels", "strides"))
    assert (fault is None) is (kind is None) is same(STACK, got)
    if fault is not None:
        assert (fault.kind, fault.entry) == (kind, entry)
        assert re.search(words, fault.message), fault.message


def test_the_wrong_entry_of_a_list_is_shown_beside_the_expected_one():
    kernels = (np.zeros((2, 3)), np.arange(4.0))
    function = Function("stack", ("x",), lambda x: (kernels, (1, 2)), results=("kernels", "strides"))
    found = Check("", 1.0, False, lambda rng: [Case("", (0,), result="kernels")])
    exercise = Exercise("a0.stack", "", (function,), 1, (found,), ())
    (outcome,) = run_exercise(exercise, lambda x: ([kernels[0], kernels[1] + 1], [1, 2]), hidden=False).outcomes
    np.testing.assert_array_equal(outcome.expected, kernels[1])
    np.testing.assert_array_equal(outcome.got, kernels[1] + 1)
    assert (outcome.part, outcome.first_wrong_index) == ("kernels", (0,))
