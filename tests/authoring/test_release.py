"""The release is what nbgrader would make and gives nothing away; the solution holds the answers and no marks."""

import re
import sysconfig

import nbformat
import numpy as np
import pytest
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory

from cnnlab.authoring.build import build
from cnnlab.authoring.release import load_config
from cnnlab.authoring.solution import solution_of
from cnnlab.checks import assignments, by_hand, exercises
from cnnlab.checks.seeds import PROBE_SEEDS, PUBLIC_SEED, case_generator

MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")


def called(found):
    return ", ".join(function.name for function in found.functions)


def read(path):
    return nbformat.read(path, 4)


@pytest.fixture(params=assignments())
def assignment(request):
    return request.param


def name_of(root, assignment):
    """The name of an assignment's notebook."""
    (source,) = (root / "course" / "exercises").glob(f"{assignment}_*.py")
    return f"{source.stem}.ipynb"


@pytest.fixture
def release(root, assignment):
    return read(root / "course" / "release" / assignment / name_of(root, assignment))


@pytest.mark.filterwarnings("ignore")  # of SQLAlchemy and alembic, inside nbgrader
def test_the_release_equals_the_one_of_nbgrader(root, built, assignment, tmp_path, monkeypatch):
    # nbgrader starts `alembic`, which must be on PATH.
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"), prepend=":")
    monkeypatch.chdir(tmp_path)
    name, folder = name_of(root, assignment), tmp_path / "source" / assignment
    folder.mkdir(parents=True)
    text = (built / "course" / "source" / assignment / name).read_text(encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    config = load_config(root / "course")
    config.CourseDirectory.root = str(tmp_path)
    config.CourseDirectory.assignment_id = assignment
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    made = read(tmp_path / "release" / assignment / name)
    assert read(built / "course" / "release" / assignment / name) == made


def test_the_release_gives_nothing_away(root, assignment, release):
    solution = read(root / "solutions" / assignment / name_of(root, assignment))
    text = "\n".join(cell.source for cell in release.cells)
    for mark in (*MARKS, "hidden=True"):
        assert mark not in text
    answers = [cell.source for cell in solution.cells if cell.id.endswith("-answer")]
    assert len(answers) == sum(len(found.functions) for found in exercises(assignment))
    for answer in answers:
        lines = [line.strip() for line in answer.split('"""')[2].splitlines() if len(line.strip()) > 12]
        assert lines
        assert [line for line in lines if line in text] == []


def numbers_in(answer):
    """All numbers of an answer: an array, a number, or a tuple of those, also of tuples."""
    if isinstance(answer, tuple):
        return [number for item in answer for number in numbers_in(item)]
    return list(np.ravel(answer))


def test_the_release_holds_no_expected_number(assignment, release):
    text = "\n".join(cell.source for cell in release.cells)
    # Shorter ones, such as a learning rate of 0.03, meet by accident.
    numbers = {n for n in re.findall(r"\d+\.\d{2,}", text) if len(n.replace(".", "").lstrip("0")) >= 3}
    for found in exercises(assignment):
        for index, check in enumerate(found.checks[1:], start=1):
            for seed in (PUBLIC_SEED, 1, *PROBE_SEEDS):
                for case in check.cases(case_generator(found, index, seed)):
                    answer = found.function(case.function).reference(*case.arguments)
                    assert numbers.isdisjoint(f"{abs(value):.4g}" for value in numbers_in(answer))


def test_a_stub_stops_with_a_sentence(assignment, release):
    for function in [function.name for found in exercises(assignment) for function in found.functions]:
        cell = next(cell for cell in release.cells if cell.id == f"{assignment}-{function}-answer")
        scope = {}
        exec(cell.source, scope)
        with pytest.raises(NotImplementedError, match="Write your code in this function, then run its cell again"):
            scope[function](*[None] * scope[function].__code__.co_argcount)


def test_grade_cells_are_locked_and_worth_the_points_of_their_exercise(assignment, release):
    cells = {cell.id: cell for cell in release.cells}
    graded = {name for name, cell in cells.items() if cell.metadata.get("nbgrader", {}).get("grade")}
    assert graded == {found.grade_id for found in (*exercises(assignment), *by_hand(assignment))}
    for found in exercises(assignment):
        cell = cells[found.grade_id]
        assert cell.metadata.nbgrader.points == found.points
        assert (cell.metadata.editable, cell.metadata.deletable) == (False, False)
        assert re.fullmatch("[0-9a-f]{32}", cell.metadata.nbgrader.checksum)
        assert f'check("{found.id}", {called(found)})' in "\n".join(cell.source for cell in release.cells)


def test_an_answer_for_a_person_to_grade_is_open_and_stands_below_its_rubric(root, assignment, release):
    solution = read(root / "solutions" / assignment / name_of(root, assignment))
    cells = {cell.id: cell for cell in release.cells}
    for found in by_hand(assignment):
        answer, rubric, figure = (cells[f"{found.grade_id}{part}"] for part in ("", "-rubric", "-figure"))
        assert answer.cell_type == "markdown"
        assert answer.metadata.nbgrader.points == found.points
        assert answer.metadata.nbgrader.solution
        assert "Write your answer here" in answer.source
        assert rubric.cell_type == "markdown"
        assert rubric.metadata.editable is False
        assert release.cells.index(rubric) < release.cells.index(figure) < release.cells.index(answer)
        model = next(cell.source for cell in solution.cells if cell.id == found.grade_id)
        assert 150 <= len(model.split()) <= 330
        text = "\n".join(cell.source for cell in release.cells)
        assert [line for line in model.splitlines() if len(line) > 20 and line in text] == []
        drawn = next(cell.source for cell in solution.cells if cell.id == figure.id)
        assert [line for line in drawn.splitlines()[3:-3] if len(line) > 20 and line in text] == []


def test_the_source_ends_each_grade_cell_with_the_hidden_check(root, built, assignment):
    source = read(built / "course" / "source" / assignment / name_of(root, assignment))
    for found in exercises(assignment):
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
