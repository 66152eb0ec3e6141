"""Results are written as data, and are the same when they are read back."""

import json
from dataclasses import asdict, replace

import pytest

from cnnlab.grading.model import CellReport, CheckRecord, ExerciseRecord, Report, Result
from cnnlab.grading.store import load_report, save_report


def _result():
    check = CheckRecord("First", False, False, 0.0, 2.0, "wrong_value", {"a1.flip": "The kernel is flipped"})
    exercise = ExerciseRecord("a1.scan_1d", "a1-scan_1d", "Scan", 0.0, 5.0, (check,), "<p>Ω</p>")
    cells = (CellReport(3, ("ValueError", "no", "x"), "out"), CellReport(4, left_out="hung"))
    return Result("ada", "a1", "graded", exercises=(exercise,), cells=cells, notes=("odd name",), own_cells=(3,))


def test_a_result_is_the_data_that_its_fields_are():
    result = _result()
    assert json.dumps(result.as_dict()) == json.dumps(asdict(result))
    assert Result.from_dict(json.loads(json.dumps(result.as_dict()))) == result


def test_a_report_comes_back_as_it_was_saved(tmp_path):
    from cnnlab.grading.course import Course

    course = Course(tmp_path, "a1")
    report = Report(
        "a1", (("a1.scan_1d", 5.0),), (_result(),), ("not isolated",), "Scanning", owners={"ada": {"lms": "x"}}
    )
    save_report(course, report)
    assert load_report(course) == report


def test_exercises_in_brief_are_kept_once_for_a_class():
    one, same = (Result.from_dict(json.loads(json.dumps(_result().as_dict()))).in_brief() for _ in range(2))
    assert one.exercises[0] is same.exercises[0]
    check = replace(_result().exercises[0].checks[0], mistakes={"a1.flip": "Another name"})
    others = [
        replace(_result().exercises[0], score=1.0),
        replace(_result().exercises[0], checks=(check,)),
        replace(_result().exercises[0], checks=(check, check)),
        replace(_result().exercises[0], checks=()),
    ]
    for other in others:
        assert replace(_result(), exercises=(other,)).in_brief().exercises == (replace(other, card=""),)


def test_a_result_in_brief_is_whole_again_with_what_is_stored(tmp_path):
    from cnnlab.grading.course import Course
    from cnnlab.grading.store import ResultStore

    store = ResultStore(Course(tmp_path, "a1"))
    stored = replace(_result(), key="k", notes=())
    store.save(stored)
    noted = replace(stored, notes=("odd name",))
    brief = noted.in_brief()
    assert (brief.cells, brief.exercises[0].card, brief.score) == ((), "", noted.score)
    assert store.in_full(brief) == noted
    missing = Result("bob", "a1", "missing")
    assert store.in_full(missing) == missing
    with pytest.raises(LookupError, match="run cnnlab grade again"):
        store.in_full(replace(brief, key="another"))
