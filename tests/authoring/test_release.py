"""The release is what nbgrader would make and gives nothing away; the solution holds the answers and no marks."""

import re
import sysconfig
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory

from cnnlab.authoring.build import build
from cnnlab.authoring.release import load_config
from cnnlab.authoring.solution import solution_of
from cnnlab.checks import exercises
from cnnlab.checks.seeds import PROBE_SEEDS, PUBLIC_SEED, case_generator

MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")


def called(found):
    return ", ".join(function.name for function in found.functions)


def read(path):
    return nbformat.read(path, 4)


@pytest.mark.filterwarnings("ignore")  # of SQLAlchemy and alembic, inside nbgrader
def test_the_release_equals_the_one_of_nbgrader(root, built, tmp_path, monkeypatch):
    # nbgrader starts `alembic`, which must be on PATH.
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"), prepend=":")
    monkeypatch.chdir(tmp_path)
    assignment = Path("source/a1")
    (tmp_path / assignment).mkdir(parents=True)
    text = (built / "course/source/a1/a1_scanning.ipynb").read_text(encoding="utf-8")
    (tmp_path / assignment / "a1_scanning.ipynb").write_text(text, encoding="utf-8")
    config = load_config(root / "course")
    config.CourseDirectory.root = str(tmp_path)
    config.CourseDirectory.assignment_id = "a1"
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    made = read(tmp_path / "release/a1/a1_scanning.ipynb")
    assert read(built / "course/release/a1/a1_scanning.ipynb") == made


def test_the_release_gives_nothing_away(root):
    release = read(root / "course/release/a1/a1_scanning.ipynb")
    solution = read(root / "solutions/a1/a1_scanning.ipynb")
    text = "\n".join(cell.source for cell in release.cells)
    for mark in (*MARKS, "hidden=True"):
        assert mark not in text
    answers = [cell.source for cell in solution.cells if cell.id.endswith("-answer")]
    assert len(answers) == sum(len(found.functions) for found in exercises("a1"))
    for answer in answers:
        lines = [line.strip() for line in answer.split('"""')[2].splitlines() if len(line.strip()) > 12]
        assert lines
        assert [line for line in lines if line in text] == []


def test_the_release_holds_no_expected_number(root):
    text = (root / "course/release/a1/a1_scanning.ipynb").read_text(encoding="utf-8")
    numbers = set(re.findall(r"\d+\.\d{2,}", text))
    for found in exercises("a1"):
        for index, check in enumerate(found.checks[1:], start=1):
            for seed in (PUBLIC_SEED, 1, *PROBE_SEEDS):
                for case in check.cases(case_generator(found, index, seed)):
                    answer = found.function(case.function).reference(*case.arguments)
                    assert numbers.isdisjoint(f"{abs(value):.4g}" for value in np.ravel(answer))


def test_a_stub_stops_with_a_sentence(root):
    release = read(root / "course/release/a1/a1_scanning.ipynb")
    for function in ("scan_1d", "scan_2d", "aggregate", "aggregate_backward"):
        cell = next(cell for cell in release.cells if cell.id == f"a1-{function}-answer")
        scope = {}
        exec(cell.source, scope)
        with pytest.raises(NotImplementedError, match="Write your code in this function, then run its cell again"):
            scope[function](*[None] * scope[function].__code__.co_argcount)


def test_grade_cells_are_locked_and_worth_the_points_of_their_exercise(root):
    release = read(root / "course/release/a1/a1_scanning.ipynb")
    cells = {cell.id: cell for cell in release.cells}
    graded = {name for name, cell in cells.items() if cell.metadata.get("nbgrader", {}).get("grade")}
    assert graded == {found.grade_id for found in exercises("a1")}
    for found in exercises("a1"):
        cell = cells[found.grade_id]
        assert cell.metadata.nbgrader.points == found.points
        assert (cell.metadata.editable, cell.metadata.deletable) == (False, False)
        assert re.fullmatch("[0-9a-f]{32}", cell.metadata.nbgrader.checksum)
        assert f'check("{found.id}", {called(found)})' in "\n".join(cell.source for cell in release.cells)


def test_the_source_ends_each_grade_cell_with_the_hidden_check(built):
    source = read(built / "course/source/a1/a1_scanning.ipynb")
    for found in exercises("a1"):
        text = next(cell.source for cell in source.cells if cell.id == found.grade_id)
        begin, *inside, end = text.splitlines()[1:]
        assert (begin, end) == ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
        assert inside[-1] == f'check("{found.id}", {called(found)}, hidden=True)'


def test_the_solution_keeps_answers_and_metadata_and_drops_marks(root, small):
    build(small)
    source = read(small / "course/source/a7/a7_small.ipynb")
    solution = read(small / "solutions/a7/a7_small.ipynb")
    text = "\n".join(cell.source for cell in solution.cells)
    assert "    return 2 * x  # the answer" in text
    assert "assert" not in text
    assert [mark for mark in MARKS if mark in text] == []
    assert [cell.metadata for cell in solution.cells] == [cell.metadata for cell in source.cells]
    committed = (root / "solutions/a1/a1_scanning.ipynb").read_text(encoding="utf-8")
    assert [mark for mark in (*MARKS, "hidden=True") if mark in committed] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("### BEGIN SOLUTION\nx = 1", "no line with 'END SOLUTION'"),
        ("### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS\n", "close the first mark"),
    ],
)
def test_marks_that_do_not_match_are_an_error(text, words):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)])
    with pytest.raises(ValueError, match=words):
        solution_of(notebook)
