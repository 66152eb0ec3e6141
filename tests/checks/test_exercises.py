"""What holds for every exercise: points, right answers in any form, and mistakes that get their own name."""

import copy
import importlib.util
import itertools
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnlab.checks import assignments, by_hand, exercises, run_exercise
from cnnlab.checks.calling import call
from cnnlab.checks.compare import alike, part_of, same

# Points of the whole course, as fixed for lectures and graders.
POINTS = {
    "a1": {"scan_1d": 5, "scan_2d": 4, "aggregate": 6},
    "a2": {"scan_matrix": 7, "tied_gradient": 6, "layer_first": 5, "to_conv_stack": 7},
    "a3": {"conv2d_loops": 4, "sizes_and_costs": 8, "conv2d_forward": 8, "conv2d_backward": 11, "compose_kernels": 4},
    "a4": {"conv_nd": 7, "pool2d": 8},
    "a5": {"train_own_cnn": 7, "explain_network": 3},
}

GRADIENTS = {"dy", "dx", "dw", "db"}
ANSWERS = Path(__file__).with_name("answers")


def answers_of(exercise):
    """The module of an exercise in ``answers/``.

    It holds RIGHT, right answers (a function, or a tuple with all functions of the exercise); WRONG, pairs of such an
    answer and the set of names that its mistakes must get; and EXAMPLES, the worked examples of the statement:
    (function, arguments, result).
    """
    path = ANSWERS / f"{exercise.id.replace('.', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_functions(answer):
    return answer if isinstance(answer, tuple) else (answer,)


def pytest_generate_tests(metafunc):
    """Fill in the arguments `found`, `mistake`, `right` and `wrong`: every exercise, and what belongs to it."""
    every = [found for name in assignments() for found in exercises(name)]
    wanted = set(metafunc.fixturenames)
    if "mistake" in wanted:
        pairs = [(found, mistake) for found in every for mistake in found.mistakes]
        metafunc.parametrize(("found", "mistake"), pairs, ids=[f"{found.id}-{m.id}" for found, m in pairs])
    elif "right" in wanted:
        pairs = [(found, as_functions(answer)) for found in every for answer in answers_of(found).RIGHT]
        ids = [f"{found.id}-{answer[0].__name__}" for found, answer in pairs]
        metafunc.parametrize(("found", "right"), pairs, ids=ids)
    elif "wrong" in wanted:
        pairs = [
            (found, (as_functions(answer), names))
            for found in every
            for answer, names in getattr(answers_of(found), "WRONG", ())
        ]
        ids = [f"{found.id}-{'; '.join(sorted(names))}" for found, (_, names) in pairs]
        metafunc.parametrize(("found", "wrong"), pairs, ids=ids)
    elif "found" in wanted:
        metafunc.parametrize("found", every, ids=[found.id for found in every])


def names(result):
    return {mistake.name for outcome in result.outcomes for mistake in outcome.mistakes}


def with_mistake(found, mistake):
    """The functions of an exercise: right ones, and the wrong one in its place."""
    wrong = found.function(mistake.of)
    return [mistake.function if function is wrong else function.reference for function in found.functions]


def cases_of(found, seed=5):
    return [case for check in found.checks for case in check.cases(np.random.default_rng(seed))]


@pytest.mark.parametrize("assignment", assignments())
def test_an_assignment_has_its_exercises_and_points(assignment):
    points = {found.id: found.points for found in (*exercises(assignment), *by_hand(assignment))}
    wanted = {f"{assignment}.{name}": value for name, value in POINTS[assignment].items()}
    assert points == wanted


def test_points_add_up_and_there_are_enough_checks(found):
    visible = [check for check in found.checks if not check.hidden]
    assert sum(check.points for check in found.checks) == found.points
    assert 2 <= len(visible) <= 6
    assert len(found.checks) - len(visible) >= 3
    assert len({check.title for check in found.checks}) == len(found.checks)


def test_each_function_is_asked_for_and_each_result_has_a_case(found):
    cases = cases_of(found)
    assert {found.function(case.function).name for case in cases} == {function.name for function in found.functions}
    for function in found.functions:
        for case in cases:
            if found.function(case.function) is function:
                assert case.result in ("", *function.results)
                assert len(case.arguments) == len(function.parameters)


def test_hidden_cases_depend_on_the_seed_and_visible_ones_do_not(found):
    def seen_by(seed):
        seen = []

        def spy(function):
            def call_it(*arguments):
                seen.append(repr(arguments))
                return function.reference(*arguments)

            return call_it

        run_exercise(found, [spy(function) for function in found.functions], hidden=True, seed=seed)
        return seen

    visible = sum(len(c.cases(np.random.default_rng(0))) for c in found.checks if not c.hidden)
    one, again, other = seen_by(1), seen_by(1), seen_by(2)
    assert one == again
    assert one[:visible] == other[:visible]
    assert one[visible:] != other[visible:]


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_every_right_way_gets_all_points(found, right, seed):
    result = run_exercise(found, right, hidden=True, seed=seed)
    assert [(o.title, o.message) for o in result.outcomes if not o.passed] == []
    assert result.score == result.max_score == found.points
    assert type(result.score) is float


def test_at_least_four_right_ways_are_tried(found):
    assert len(answers_of(found).RIGHT) >= 4


def test_the_worked_examples_of_the_statement(found):
    examples = answers_of(found).EXAMPLES
    assert examples
    for name, arguments, result in examples:
        assert same(result, found.function(name).reference(*arguments)), (name, arguments)


def fortran(array):
    return np.asfortranarray(array)


def every_second(array):
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
    spread[..., ::2] = array
    return spread[..., ::2]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def reversed_twice(array):
    return array[..., ::-1].copy()[..., ::-1]


def everywhere(change, value):
    """Change every array in arguments or answers."""
    if isinstance(value, np.ndarray) and value.ndim:
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(everywhere(change, item) for item in value)
    return value


LAYOUTS = [fortran, every_second, read_only, reversed_twice]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_answers_may_have_any_layout(found, layout):
    functions = [lambda *a, f=f: everywhere(layout, f.reference(*a)) for f in found.functions]
    assert run_exercise(found, functions, hidden=True, seed=4).score == found.points


@pytest.mark.parametrize("layout", LAYOUTS)
def test_inputs_may_have_any_layout(found, layout):
    for case in cases_of(found, seed=8):
        reference = found.function(case.function).reference
        plain = reference(*copy.deepcopy(case.arguments))
        assert alike(plain, reference(*everywhere(layout, case.arguments))), case.name


def test_a_reference_leaves_its_input_alone(found):
    for case in cases_of(found, seed=9):
        function = found.function(case.function)
        assert call(function, function.reference, case).changed is None


def test_a_mistake_fails_a_visible_check_and_is_named(found, mistake):
    result = run_exercise(found, with_mistake(found, mistake), hidden=False)
    assert names(result) == {mistake.name}
    assert not all(outcome.passed for outcome in result.outcomes)


@pytest.mark.parametrize("seed", [2**63])
def test_a_mistake_fails_a_hidden_check_and_is_named(found, mistake, seed):
    result = run_exercise(found, with_mistake(found, mistake), hidden=True, seed=seed)
    assert names(result) == {mistake.name}
    assert not all(outcome.passed for outcome in result.outcomes if outcome.hidden)
    assert result.score < found.points


@pytest.mark.parametrize("seeds", [(0, 1), pytest.param((2, 3, 4, 5), marks=pytest.mark.slow)])
def test_what_a_mistake_earns_does_not_hang_on_the_seed(found, mistake, seeds):
    functions, unnamed = with_mistake(found, mistake), replace(found, mistakes=())  # to recognize it would take longer
    assert len({run_exercise(unnamed, functions, hidden=True, seed=seed).score for seed in seeds}) == 1


def test_a_mistake_has_three_different_hints(found, mistake):
    assert mistake in found.mistakes
    assert len(set(mistake.hints)) == 3
    assert all(hint.endswith((".", "?")) for hint in mistake.hints)


def test_parts_of_a_mistake_make_it(found, mistake):
    if mistake.parts is None:
        pytest.skip("made whole")
    function = found.function(mistake.of)
    again = function.assemble(**mistake.parts)
    for case in cases_of(found):
        if found.function(case.function) is function:
            one, other = (call(function, each, case) for each in (mistake.function, again))
            assert alike(one.value, other.value) or one.problem is not None
            assert (one.problem is None) == (other.problem is None)


def test_an_assembly_without_changes_is_right(found):
    for function in found.functions:
        if function.assemble is not None:
            whole = [function.assemble() if f is function else f.reference for f in found.functions]
            assert run_exercise(found, whole, hidden=True, seed=3).score == found.points


def test_mistake_ids_are_unique_and_hints_belong_to_one_name(found):
    assert len({mistake.id for mistake in found.mistakes}) == len(found.mistakes)
    assert len({(m.of, m.name, m.hints) for m in found.mistakes}) == len({(m.of, m.name) for m in found.mistakes})
    assert len({mistake.name for mistake in found.mistakes}) >= 5


def test_the_name_of_a_mistake_is_a_sentence_without_a_full_stop(found):
    """It begins with a capital, or with a name as it stands in the code: a parameter or a gradient."""
    code = {name for function in found.functions for name in (*function.parameters, *function.results)}
    for name in {mistake.name for mistake in found.mistakes}:
        first = re.match(r"\w*", name)[0]
        assert first[:1].isupper() or first in code | GRADIENTS, name
        assert name == name.strip(), name
        assert not name.endswith((".", "!", ":")), name


def test_two_mistakes_of_different_names_differ_on_some_input(found):
    every = cases_of(found)
    answers = {}
    for mistake in found.mistakes:
        asked = found.function(mistake.of)
        cases = [case for case in every if found.function(case.function) is asked]
        answers[mistake.id] = [call(asked, mistake.function, case).value for case in cases]
    for one, other in itertools.combinations(found.mistakes, 2):
        if one.name != other.name and one.of == other.of:
            pairs = zip(answers[one.id], answers[other.id], strict=True)
            assert not all(alike(*pair) for pair in pairs), (one.id, other.id)


def test_a_mistake_about_one_result_leaves_the_others_right(found):
    for mistake in found.mistakes:
        function = found.function(mistake.of)
        assert mistake.result in ("", *function.results)
        others = [name for name in function.results if mistake.result and name != mistake.result]
        for case in cases_of(found) if others else ():
            answer = call(function, mistake.function, case)
            expected = function.reference(*case.arguments)
            for name in others:
                parts = (part_of(value, function.results, name) for value in (expected, answer.value))
                assert answer.problem is not None or alike(*parts), (mistake.id, name)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_wrong_answer_as_students_write_it_is_named(found, wrong, hidden):
    functions, wanted = wrong
    warnings.simplefilter("ignore")  # as `check` does; pytest puts the filters back
    assert names(run_exercise(found, functions, hidden=hidden, seed=11)) == wanted
