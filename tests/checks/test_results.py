"""Whatever a function does becomes an outcome with words for its student; hidden checks tell nothing else."""

import dataclasses
import warnings

import numpy as np
import pytest

from cnnlab.checks import (
    ArgumentChanged,
    FunctionMissing,
    StudentCrashed,
    StudentRaised,
    StudentTimeout,
    exercise,
    run_exercise,
)

SCAN = exercise("a1.scan_1d")


def first(result):
    return result.outcomes[0]


def run(function, **options):
    return run_exercise(SCAN, function, **{"hidden": False, **options})


def after(change):
    """Return a right answer with something done to it."""
    return lambda *arguments: change(SCAN.function().reference(*arguments))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda y: None, "wrong_type", "return"),
        (lambda y: y.tolist(), "wrong_type", "list"),
        (lambda y: tuple(y), "wrong_type", "tuple"),
        (lambda y: 3.5, "wrong_type", "float"),
        (lambda y: "scores", "wrong_type", "str"),
        (lambda y: y.astype(int), "wrong_type", "fractions"),
        (lambda y: y > 0, "wrong_type", "bool"),
        (lambda y: y.astype(complex), "wrong_type", "complex128"),
        (lambda y: y.astype(object), "wrong_type", "object"),
        (lambda y: y.astype(np.float32), "wrong_type", "float32"),
        (lambda y: y[:, :-1], "wrong_shape", "(1, 2)"),
        (lambda y: y + np.nan, "wrong_value", "NaN"),
        (lambda y: y + np.inf, "wrong_value", "infinite"),
        (lambda y: y + 1e-6, "wrong_value", "[0, 0]"),
    ],
)
def test_each_fault_has_its_own_words(change, kind, words):
    outcome = first(run(after(change)))
    assert (outcome.kind, outcome.passed, outcome.points) == (kind, False, 0.0)
    assert words in outcome.message


def test_rounding_differences_are_no_fault():
    assert run(after(lambda y: y * (1 + 1e-13))).score == 2.5


def test_a_floating_point_flag_is_no_exception():
    def flagged(*arguments):
        assert np.isinf(np.ones(1) / 0).all()  # would be a RuntimeWarning, and pytest would make it an error
        return SCAN.function().reference(*arguments)

    assert run(flagged).score == 2.5


def test_the_first_wrong_index_is_the_first_in_row_major_order():
    def wrong_twice(*arguments):
        y = SCAN.function().reference(*arguments)
        y[0, 1:] += 1
        return y

    outcome = first(run(wrong_twice))
    assert outcome.first_wrong_index == (0, 1)
    np.testing.assert_array_equal(outcome.expected, [[3, 2, 11]])
    np.testing.assert_array_equal(outcome.got, [[3, 3, 12]])


def test_the_smallest_failing_case_is_shown():
    result = run(after(lambda y: y + 1))
    for check, outcome in zip(SCAN.checks, result.outcomes, strict=False):
        # All fail that have a window at all; the shown one has the fewest numbers.
        cases = check.cases(np.random.default_rng(0))
        frames = [case.arguments[0].shape[1] for case in cases if case.arguments[0].shape[1] >= case.arguments[2]]
        assert outcome.case.arguments[0].shape[1] == min(frames)


def test_a_changed_input_is_reported_by_name():
    def relu_in_place(x, layers, width, hop):
        y = SCAN.function().reference(x, layers, width, hop)
        np.maximum(x, 0, out=x)
        x += 1
        return y

    def layers_popped(x, layers, width, hop):
        y = SCAN.function().reference(x, layers, width, hop)
        layers.pop()
        return y

    def bias_changed(x, layers, width, hop):
        layers[0][1][...] = 7
        return SCAN.function().reference(x, layers, width, hop)

    for function, name in ((relu_in_place, "x"), (layers_popped, "layers"), (bias_changed, "layers")):
        result = run(function)
        assert {outcome.kind for outcome in result.outcomes} == {"mutated"}
        assert f"argument {name}" in first(result).message
        assert result.score == 0


def test_the_next_call_gets_the_input_as_it_was():
    def damage(x, layers, width, hop):
        y = SCAN.function().reference(x, layers, width, hop)
        x[...] = np.nan
        return y

    assert {outcome.kind for outcome in run(damage).outcomes} == {"mutated"}
    assert run(SCAN.function().reference).score == 2.5


def test_an_exception_is_told_with_the_students_own_line():
    def crooked(x, layers, width, hop):
        return np.zeros(3)[width + 5]

    outcome = first(run(crooked))
    assert outcome.kind == "raised"
    assert "IndexError in your line “return np.zeros(3)[width + 5]”" in outcome.message


def test_wrong_parameters_are_explained():
    outcome = first(run(lambda x: x))
    assert "scan_1d(x, layers, width, hop)" in outcome.message


def test_a_type_error_inside_is_not_blamed_on_the_parameters():
    def adds_text(x, layers, width, hop):
        return x + "1"

    assert "called as" not in first(run(adds_text)).message


@pytest.mark.parametrize("error", [SystemExit(3), RecursionError("deep"), MemoryError(), StopIteration()])
def test_no_exception_of_the_student_stops_the_run(error):
    def raises(*_):
        raise error

    assert {outcome.kind for outcome in run(raises).outcomes} == {"raised"}


def test_an_exception_whose_text_fails_is_still_told():
    class BrokenError(Exception):
        def __str__(self):
            raise ValueError("no text")

    def raises(*_):
        raise BrokenError

    assert "BrokenError" in first(run(raises)).message


def test_interrupting_an_endless_loop_passes_through():
    def endless(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(endless)


@pytest.mark.parametrize("function", [None, 3, "scan_1d"])
def test_what_is_no_function_is_missing(function):
    result = run(function, hidden=True, seed=1)
    assert {outcome.kind for outcome in result.outcomes} == {"missing"}
    assert result.score == 0


@pytest.mark.parametrize(
    ("problem", "kind"),
    [(StudentTimeout(2.0), "timeout"), (StudentCrashed("killed"), "crashed"), (FunctionMissing("scan_1d"), "missing")],
)
def test_after_a_lost_function_nothing_more_is_called(problem, kind):
    calls = []

    def proxy(*arguments):
        calls.append(arguments)
        if len(calls) > 4:
            raise problem
        return SCAN.function().reference(*arguments)

    result = run(proxy, hidden=True, seed=1)
    assert len(calls) == 5
    assert [outcome.kind for outcome in result.outcomes[:2]] == ["passed", "passed"]
    assert {outcome.kind for outcome in result.outcomes[2:]} == {kind}


def test_what_a_proxy_reports_becomes_an_outcome():
    def changed(*_):
        raise ArgumentChanged("layers")

    def raised(*_):
        raise StudentRaised("ValueError", "secret 42", "y = x @ x")

    assert first(run(changed)).kind == "mutated"
    assert first(run(raised)).message == "ValueError in your line “y = x @ x”: secret 42"
    hidden = run(raised, hidden=True, seed=1).outcomes[-1]
    assert hidden.message == "ValueError in your line “y = x @ x”."


def secret_in_exception(x, layers, width, hop):
    raise ValueError(f"x is {x.tolist()}")


@pytest.mark.parametrize(
    "function",
    [
        after(lambda y: y + 1),
        after(lambda y: y[:, :-1]),
        after(lambda y: y.tolist()),
        after(lambda y: y.astype(np.float16)),
        after(lambda y: y * np.nan),
        secret_in_exception,
    ],
)
def test_hidden_outcomes_tell_nothing_about_their_case(function):
    result = run(function, hidden=True, seed=6)
    hidden = [outcome for outcome in result.outcomes if outcome.hidden]
    assert len(hidden) == 5
    for outcome in hidden:
        assert outcome.case is None
        assert outcome.first_wrong_index is None
        assert outcome.expected is None
        assert outcome.got is None
        assert not any(character.isdigit() for character in outcome.message)
        assert "x is" not in outcome.message or "raise ValueError" in outcome.message


def test_hidden_checks_are_pending_until_they_are_run():
    visible, everything = run(SCAN.function().reference), run(SCAN.function().reference, hidden=True, seed=1)
    assert (visible.score, visible.max_score, visible.pending_hidden) == (2.5, 5.0, 5)
    assert (everything.score, everything.max_score, everything.pending_hidden) == (5.0, 5.0, 0)
    assert not any(outcome.hidden for outcome in visible.outcomes)


def test_partial_credit_is_given_per_check():
    only_hop_one = next(m.function for m in SCAN.mistakes if m.id == "hop_ignored")
    assert 0 < run(only_hop_one, hidden=True, seed=1).score < 5


def test_overflow_in_an_answer_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert first(run(after(lambda y: np.full(y.shape, 1e308)))).kind == "wrong_value"


def test_visible_checks_are_called_before_hidden_ones_and_stand_in_their_own_order():
    """A function that remembers could otherwise return hidden inputs where its answer is shown."""
    order = []
    original = exercise("a1.scan_1d")
    checks = tuple(reversed(original.checks))
    assert checks[0].hidden

    def watch(check):
        return dataclasses.replace(check, cases=lambda rng: order.append(check.hidden) or check.cases(rng))

    watched = dataclasses.replace(original, checks=tuple(map(watch, checks)), mistakes=())
    result = run_exercise(watched, original.function().reference, hidden=True, seed=3)
    assert order == sorted(order)
    assert [outcome.title for outcome in result.outcomes] == [check.title for check in checks]
