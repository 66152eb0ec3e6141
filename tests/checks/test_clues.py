"""What no known mistake explains is at least described, and the description is true."""

import numpy as np
import pytest

from cnnlab.checks import Case, Check, Exercise, Function, Mistake, run_exercise

NO_HINTS = ("What.", "Where.", "How.")


def double(x):
    return 2 * x


def cases(rng):
    return [Case(f"case {shape}", (rng.standard_normal(shape),)) for shape in ((4, 5), (3, 6), (6, 6))]


def exercise_of(*mistakes, reference=double, make=cases, **function):
    asked = Function("f", ("x",), reference, **function)
    checks = (Check("Shown", 1, hidden=False, cases=make), Check("Hidden", 1, hidden=True, cases=make))
    return Exercise("a0.f", "F", (asked,), 2, checks, mistakes)


def clues_of(wrong, **options):
    return run_exercise(exercise_of(**options), wrong, hidden=False).clues


def border_wrong(x):
    y = 2 * x
    y[0] += 1
    return y


@pytest.mark.parametrize(
    ("wrong", "clue"),
    [
        (lambda x: (2 * x).T, "The numbers are right, but two axes are exchanged."),
        (lambda x: 2 * x[:, ::-1], "The numbers are right, but stand in reversed order along an axis."),
        (lambda x: 2 * x[::-1, ::-1], "The numbers are right, but stand in reversed order along an axis."),
        (lambda x: 3 * x, "Every number is 1.5 times what it should be."),
        (
            lambda x: 2 * x / x.size,
            "In each case all numbers are off by one factor, which differs from case to case: a mean for a sum?",
        ),
        (lambda x: 2 * x + 0.5, "Every number is off by 0.5."),
        (lambda x: 2 * x + x.mean(), "Every number is off by a constant, another one in each case."),
        (border_wrong, "Numbers are wrong at the border only; inside they are right."),
        (lambda x: x[:], "The answer is a view of x, not an array of its own: what changes one changes the other."),
    ],
)
def test_what_all_wrong_answers_have_in_common_is_said(wrong, clue):
    assert clue in clues_of(wrong)


def test_nothing_is_said_that_does_not_hold_for_every_case():
    def sometimes_transposed(x):
        return (2 * x).T if x.shape == (4, 5) else x * x

    assert clues_of(sometimes_transposed) == ()
    assert clues_of(lambda x: x**2) == ()


def test_a_right_answer_has_no_clues_even_when_it_is_a_view():
    assert clues_of(lambda x: x[:], reference=lambda x: x.copy()) == ()
    assert run_exercise(exercise_of(reference=lambda x: x.copy()), lambda x: x[:], hidden=True, seed=1).score == 2


def test_right_for_square_inputs_only():
    def square(x):
        return 2 * x if x.shape[0] == x.shape[1] else np.zeros(x.shape)

    assert "Right for square inputs only: is a height used for a width somewhere?" in clues_of(square)


def test_right_for_a_batch_of_one_only():
    def make(rng):
        return [Case(f"{n}", (rng.standard_normal((n, 2, 3, 4)),)) for n in (1, 2, 3)]

    def first_only(x):
        y = 2 * x
        y[1:] = 0
        return y

    assert "Right for a batch of one only: what happens to the other samples?" in clues_of(first_only, make=make)


def test_an_answer_that_depends_on_earlier_calls_is_noticed():
    calls = []

    def remembers(x):
        calls.append(1)
        return 2 * x + len(calls)

    assert "The same input gives another answer when it is asked for again." in clues_of(remembers)


def test_an_answer_in_a_list_that_stays_is_noticed():
    def same_list(x, found=[]):  # noqa: B006
        found.append(2 * x)
        return found

    shared = np.zeros(3)

    def same_array(x, found=shared):
        found += 1
        return found

    for remembers in (same_list, same_array):
        assert "The same input gives another answer when it is asked for again." in clues_of(remembers)


def test_where_a_mistake_is_named_no_clue_is_given():
    known = Mistake("triple", "Three times", NO_HINTS, lambda x: 3 * x)
    result = run_exercise(exercise_of(known), lambda x: x + x + x, hidden=False)
    assert result.outcomes[0].mistake_name == "Three times"
    assert result.clues == ()


def test_hidden_cases_have_no_clues():
    def right_where_it_is_shown(x):
        return 2 * x if x.shape != (2, 2) else 3 * x

    def hidden_case(rng):
        return [Case("hidden", (rng.standard_normal((2, 2)),))]

    shown = exercise_of()
    checks = (shown.checks[0], Check("Hidden", 1, hidden=True, cases=hidden_case))
    exercise = Exercise("a0.f", "F", shown.functions, 2, checks, ())
    result = run_exercise(exercise, right_where_it_is_shown, hidden=True, seed=1)
    assert result.score == 1
    assert result.clues == ()
