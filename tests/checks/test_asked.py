"""Cases, right answers and mistakes' answers are made once, and nobody who is asked can change them for the next."""

import dataclasses

import numpy as np

from cnnlab.checks import ExerciseRun, exercises, run_exercise
from cnnlab.checks.asked import asked
from cnnlab.checks.errors import ArgumentChanged
from cnnlab.checks.seeds import case_generator

EXERCISE = exercises("a1")[0]


def greedy(x, layers, width, hop):
    """Answer rightly, and spoil everything that was handed over."""
    y = EXERCISE.function().reference(x, layers, width, hop)
    x[...] = 0
    for W, b in layers:
        W[...], b[...] = 0, 0
    return y


def test_everybody_is_asked_what_the_check_makes_from_its_seed():
    for index, check in enumerate(EXERCISE.checks):
        for _ in range(2):
            fresh = check.cases(case_generator(EXERCISE, index, 5))
            for case, held in zip(fresh, asked(EXERCISE, index, 5), strict=True):
                assert case.name == held.case.name
                assert np.array_equal(case.arguments[0], held.case.arguments[0])
                assert np.array_equal(held.function.reference(*case.arguments), held.expected, equal_nan=True)


def test_another_exercise_of_the_same_name_has_its_own_cases():
    changed = dataclasses.replace(EXERCISE, checks=EXERCISE.checks[:1])
    assert asked(changed, 0, 5) is not asked(EXERCISE, 0, 5)
    assert asked(EXERCISE, 0, 5) is not asked(EXERCISE, 0, 6)
    assert asked(EXERCISE, 0, 5) is asked(EXERCISE, 0, 5)


def test_who_spoils_the_inputs_spoils_them_for_nobody_else():
    before = run_exercise(EXERCISE, EXERCISE.function().reference, hidden=True, seed=5)
    spoiled = run_exercise(EXERCISE, greedy, hidden=True, seed=5)
    assert {outcome.kind for outcome in spoiled.outcomes} == {"mutated"}
    after = run_exercise(EXERCISE, EXERCISE.function().reference, hidden=True, seed=5)
    assert before.score == after.score == EXERCISE.points


def test_a_function_elsewhere_tells_itself_what_it_changed():
    def forward(*arguments):
        raise ArgumentChanged("x")

    forward.runs_elsewhere = True
    result = run_exercise(EXERCISE, forward, hidden=True, seed=5)
    assert {outcome.kind for outcome in result.outcomes} == {"mutated"}


def test_mistakes_are_recognized_alike_the_first_and_the_second_time():
    mistake = EXERCISE.mistakes[0]
    results = [run_exercise(EXERCISE, mistake.function, hidden=True, seed=5) for _ in range(2)]
    names = [[outcome.mistake_name for outcome in result.outcomes] for result in results]
    assert names[0] == names[1]
    assert mistake.name in names[0]


def test_nothing_hidden_is_asked_before_all_that_is_visible():
    hidden = {
        held.case.arguments[0].tobytes()
        for index, check in enumerate(EXERCISE.checks)
        if check.hidden
        for held in asked(EXERCISE, index, 5)
    }
    seen = []

    def remembers(x, layers, width, hop):
        seen.append(x.tobytes() in hidden)
        return EXERCISE.function().reference(x, layers, width, hop)

    run = ExerciseRun(EXERCISE, remembers, hidden=True, seed=5)
    run.ask_visible()
    assert seen
    assert not any(seen)
    count = len(seen)
    assert run.finish().score == EXERCISE.points
    assert all(seen[count:])  # and what is visible is not asked again
