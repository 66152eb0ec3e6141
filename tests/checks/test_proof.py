"""The proof that checks notice mistakes (scripts/prove_checks.py) notices when they do not."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cnnlab.checks import exercise

SCRIPTS = Path(__file__).parents[2] / "scripts"
if not (SCRIPTS / "proving").is_dir():
    pytest.skip("scripts/ is not part of this copy", allow_module_level=True)
sys.path.insert(0, str(SCRIPTS))

from proving import contained  # noqa: E402
from proving.allowed import ALLOWED, cases  # noqa: E402
from proving.mutants import Mutant, changes, mutants_of, some  # noqa: E402
from proving.naming import Question, ask, questions, tell, with_mistakes  # noqa: E402
from proving.solutions import solution_of  # noqa: E402
from proving.surviving import Verdict, try_functions, try_mutant  # noqa: E402
from proving.tables import Naming, Survey, mutant_table, naming_table, shortfalls  # noqa: E402
from proving.timing import Times, times_of  # noqa: E402

SCAN = exercise("a1.scan_1d")


def mutants(count):
    return some(mutants_of(SCAN, solution_of(SCAN.id)), count, seed=1)


def functions(mutant):
    return solution_of(mutant.exercise_id).functions(SCAN, {mutant.cell: mutant.after})


def survey_of(found, chosen):
    verdicts = []
    for mutant in chosen:
        try:
            verdict = try_functions(found, functions(mutant), seed=3)
        except SyntaxError:
            verdict = Verdict("visible")
        verdicts.append((mutant, verdict))
    return Survey(found, 1000, len(chosen), verdicts)


def test_the_checks_of_scan_1d_notice_every_wrong_mutant():
    survey = survey_of(SCAN, mutants(40))
    assert survey.count("visible", "hidden") > 30
    assert survey.survivors == []
    assert shortfalls([], [survey], {}, whole=False) == []


def test_a_hole_in_the_checks_shows_as_survivors():
    weak = replace(SCAN, checks=SCAN.checks[:3])  # these have hop 1 only, and no short recording
    survey = survey_of(weak, [mutant for mutant in mutants(200) if "hop" in mutant.before])
    assert survey.survivors
    assert all(verdict.witness for _, verdict in survey.survivors)
    assert "100.0" not in mutant_table([survey])
    assert "of the wrong answers fail" in shortfalls([], [survey], {}, whole=False)[0]


def test_mutants_hang_on_the_seed_only():
    every = mutants_of(SCAN, solution_of(SCAN.id))
    assert every == mutants_of(SCAN, solution_of(SCAN.id))
    assert some(every, 30, seed=4) == some(every, 30, seed=4) != some(every, 30, seed=5)
    assert some(every, 30, seed=4)[:10] == some(every, 10, seed=4)
    assert len({mutant.after for mutant in every}) == len(every)
    assert all(mutant.diff.count("\n-") and mutant.diff.count("\n+") for mutant in every)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("return a + b", {"return a - b", "return a", "return b", "return b + b", "return a + a", "pass"}),
        ("return a < b", {"return a <= b", "return a > b", "return b < b", "return a < a", "pass"}),
        ("a += 1", {"a -= 1", "a = 1", "a += 2", "a += 0", "pass"}),
        ("return not c", {"return c", "pass"}),
        ("return x[a:]", {"return x[:]", "return x[a + 1:]", "return x[a - 1:]", "return x[b:]", "pass"}),
        ("return x.sum(axis=1)", {"return x.sum(axis=2)", "return x.sum()", "return x.mean(axis=1)", "return x"}),
        ("x[a, 2] = 1", {"x[2, a] = 1", "x[a, 3] = 1", "x[b, 2] = 1", "x[a, 2] = 0"}),
        ("a, b = c", {"b, a = c"}),
        ("return range(a)", {"return range(0, a - 1)", "return range(0 + 1, a)"}),
        ("return np.einsum('ij->i', x)", {"return np.einsum('ji->i', x)"}),
        ("return True", {"return False", "pass"}),
        ("return [q for q in x if q]", {"return [q for q in x]"}),
    ],
)
def test_rules_make_the_slips_they_are_for(line, after):
    kinds = {"f": {"a": "int", "b": "int", "c": "sequence 2", "x": "array f 2"}}
    made = [source for _, source in changes(f"def f(a, b, c, x):\n    {line}", kinds)]
    assert {f"def f(a, b, c, x):\n    {each}" for each in after} <= set(made)


def test_a_right_answer_is_equivalent_and_a_cell_that_does_not_run_fails():
    assert try_functions(SCAN, solution_of(SCAN.id).functions(SCAN), seed=3).state == "equivalent"
    assert try_mutant(Mutant(SCAN.id, 1, "operator", "", "import nothing_of_this_name"), seed=3).state == "visible"


@pytest.mark.parametrize("exercise_id", ALLOWED)
def test_allowed_inputs_have_answers(exercise_id):
    found = exercise(exercise_id)
    seen = set()
    for case in cases(exercise_id, seed=5, count=20):
        function = found.function(case.function)
        with np.errstate(all="ignore"):
            function.reference(*case.arguments)
        seen.add(function.name)
    assert seen == {function.name for function in found.functions}


def told_of(found, *ids, wanted=None):
    mistakes = [next(mistake for mistake in SCAN.mistakes if mistake.id == each) for each in ids]
    names = frozenset(mistake.name for mistake in mistakes) if wanted is None else wanted
    return tell(found, with_mistakes(found, mistakes), names, seeds=(1,))


def test_known_mistakes_are_named_alone_and_in_pairs():
    row = Naming(SCAN, [("mistake", told_of(SCAN, "no_bias")), ("pair", told_of(SCAN, "hop_ignored", "relu_last"))])
    assert not row.short
    assert not row.falls_short
    assert "| a1.scan_1d | 12 | 1 | 1 | 0 | 0 | 1 | 0 | 0 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in naming_table([row])


def test_two_mistakes_that_do_as_one_alone_are_set_aside():
    found = exercise("a1.aggregate")
    ids = [mistake.id for mistake in found.mistakes]
    # A logarithm of a sum of exponentials has no use for the weights, so it hides that they overflow.
    hidden = Question(found.id, "pair", (ids.index("overflow"), ids.index("log_sum_exp")))
    apart = Question(found.id, "pair", (ids.index("overflow"), ids.index("mean_for_max")))
    assert ask(hidden, seeds=(1,)).visible == "as one"
    assert ask(apart, seeds=(1,)).visible == "named"


def test_a_planted_misnaming_shows():
    wrong = next(mistake for mistake in SCAN.mistakes if mistake.id == "no_bias")
    found = replace(SCAN, mistakes=tuple(replace(m, name="Something else") if m is wrong else m for m in SCAN.mistakes))
    told = told_of(found, "no_bias")
    assert (told.visible, told.hidden, told.others) == ("misnamed", "misnamed", {"Something else"})
    row = Naming(found, [("mistake", told)])
    assert "| 1 | 0 | 0 | 1 | 0 | 0 | 1 |" in naming_table([row])
    assert shortfalls([row], [], {}, whole=False) == ["a1.scan_1d: a mistake is not named, or misnamed"]


def test_a_mistake_that_nobody_knows_or_notices_shows():
    unknown = replace(SCAN, mistakes=tuple(mistake for mistake in SCAN.mistakes if mistake.id != "no_bias"))
    assert told_of(unknown, "no_bias").visible == "unnamed"
    blind = replace(SCAN, checks=tuple(replace(check, cases=lambda rng: []) for check in SCAN.checks))
    told = told_of(blind, "no_bias")
    assert (told.visible, told.hidden) == ("passed", "passed")
    assert Naming(blind, [("mistake", told)]).falls_short


def test_every_mistake_and_every_wrong_answer_is_asked_about():
    found = exercise("a1.aggregate")
    asked = questions(found, pairs=5, seed=1)
    kinds = [question.kind for question in asked]
    assert kinds.count("mistake") == len(found.mistakes)
    assert kinds.count("pair") == 5
    assert kinds.count("answer") >= 4
    assert asked == questions(found, pairs=5, seed=1)


def test_slow_checks_and_few_mutants_fall_short():
    slow = Times("loops", "Large", 2.5, 11.0)
    said = shortfalls([], [Survey(SCAN, 10, 10)], {SCAN.id: [slow]}, whole=True)
    assert [line.split(":")[0] for line in said] == ["0 wrong answers were tried", "a1.scan_1d", "a1"]
    quick = times_of(SCAN, (SCAN.function().reference,), "loops")
    assert 0 <= quick.longest <= quick.whole < 2


def test_work_that_hangs_or_dies_is_contained():
    hangs, dies = "exec('while True: pass')", "__import__('os')._exit(3)"
    items = [("1 + 1", 30.0), (hangs, 2.0), ("2 + 2", 30.0), (dies, 30.0), ("3 + 3", 30.0)]
    found = dict(contained.run(eval, items, jobs=2))
    assert [found[f"{n} + {n}"] for n in (1, 2, 3)] == [2, 4, 6]
    assert found[hangs] == contained.Lost("no answer in time")
    assert found[dies] == contained.Lost("the process ended")


@pytest.mark.skipif(sys.platform != "linux", reason="there is no limit on memory")
def test_work_has_so_much_memory_and_no_more():
    with pytest.raises(RuntimeError, match="MemoryError"):
        list(contained.run(eval, [("bytearray(2**32)", 30.0)], jobs=1))


def test_a_mutant_is_tried_in_a_child():
    items = [(mutant, 60.0) for mutant in mutants(4)]
    found = dict(contained.run(partial(try_mutant, seed=3), items, jobs=1))
    assert {mutant: verdict.state for mutant, verdict in found.items()} == {
        mutant: try_mutant(mutant, seed=3).state for mutant, _ in items
    }
