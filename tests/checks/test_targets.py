"""Answers that are counted, not compared; whole numbers; mistakes that are known by what they raise."""

import re
from contextlib import contextmanager

import numpy as np
import pytest

from cnnlab.checks import Case, Check, Exercise, Function, Mistake, Target, run_exercise
from cnnlab.checks.compare import find_fault, find_shortfall, same
from cnnlab.viz import cards

LABELS = np.array([0, 1, 2, 0, 1, -1])
HINTS = ("What.", "Where.", "How.")
IS_OPEN = []


@contextmanager
def surroundings():
    IS_OPEN.append(True)
    try:
        yield
    finally:
        IS_OPEN.pop()


class TooEasyError(RuntimeError):
    pass


def classes(x):
    return np.argmax(x, axis=1)


def easy(x):
    if IS_OPEN:
        raise TooEasyError("not this way")
    return classes(x)


def scores(rng):
    return np.eye(3)[np.maximum(LABELS, 0)] + 0.01 * rng.random((6, 3))


EXERCISE = Exercise(
    "a0.name",
    "Name",
    (Function("name", ("x",), classes),),
    3,
    (
        Check("exact", 1, hidden=False, cases=lambda rng: [Case("exact", (scores(rng)[:4],))]),
        Check("counted", 1, hidden=False, cases=lambda rng: [Case("n", (scores(rng),), target=Target(LABELS, 0.8))]),
        Check("again", 1, hidden=True, cases=lambda rng: [Case("n", (scores(rng),), target=Target(LABELS, 0.8))]),
    ),
    (
        Mistake("one_more", "Counted from one", HINTS, lambda x: classes(x) + 1),
        Mistake("easy", "Too easy", HINTS, easy, raises="TooEasyError"),
    ),
    surroundings=surroundings,
)


def run(function, **options):
    return run_exercise(EXERCISE, function, **({"hidden": True, "seed": 1} | options))


def test_an_answer_that_reaches_its_target_passes_and_the_exact_one_is_not_asked_for():
    def nearly(x):
        return np.where(np.arange(len(x)) == 4, 2, classes(x))

    assert run(nearly).score == 3


def test_an_answer_below_its_target_is_told_how_far_hidden_or_not():
    def guess(x):
        return classes(x) * (np.arange(len(x)) < 1)

    outcomes = run(guess).outcomes
    assert outcomes[1].message == outcomes[2].message == "2 of 5 are right (40 %); at least 80 % must be."
    assert outcomes[2].case is outcomes[2].expected is None
    assert "40 %" in cards.as_html(run(guess))


def test_what_does_not_count_may_be_anything():
    assert find_shortfall(Target(LABELS, 1.0), np.maximum(LABELS, 0) + 9 * (LABELS < 0)) is None


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (None, "wrong_type", "returned None"),
        ([0, 1], "wrong_type", "Return a NumPy array"),
        (np.zeros(6), "wrong_type", r"float64 numbers\. Whole numbers are expected"),
        (np.zeros((6, 3)), "wrong_type", r"float64 numbers of shape \(6, 3\), not \(6,\)"),
        (np.zeros(5, int), "wrong_shape", r"shape \(5,\); it should have shape \(6,\)"),
        (np.zeros(6, bool), "wrong_type", "bool numbers"),
    ],
)
def test_classes_are_whole_numbers_one_for_each_input(answer, kind, words):
    for fault in (find_fault(LABELS, answer), find_shortfall(Target(LABELS, 0.5), answer)):
        assert fault.kind == kind
        assert re.search(words, fault.message)


def test_whole_numbers_are_the_same_in_any_width_and_never_nearly():
    assert same(LABELS, LABELS.astype(np.int8))
    assert not same(LABELS, LABELS + (np.arange(6) == 3))
    assert not same(LABELS, LABELS.astype(float))
    assert find_fault(LABELS, LABELS + (np.arange(6) == 3)).message.startswith(
        "First wrong number at [3]: expected 0, "
    )


def test_a_mistake_is_known_by_what_it_raises_in_the_surroundings_of_the_exercise():
    result = run(easy)
    assert {mistake.id for outcome in result.outcomes for mistake in outcome.mistakes} == {"easy"}
    assert {outcome.kind for outcome in result.outcomes} == {"raised"}
    assert result.score == 0
    assert not IS_OPEN


def test_another_exception_is_not_taken_for_a_known_one():
    def fails(x):
        raise RuntimeError("something else")

    assert not any(outcome.mistakes for outcome in run(fails).outcomes)


def test_a_mistake_that_raises_is_not_looked_for_among_answers():
    result = run(lambda x: classes(x) + 1)
    assert {mistake.id for outcome in result.outcomes for mistake in outcome.mistakes} == {"one_more"}
