"""The quick way into the gradebook, for a submission that is not in it yet, makes the rows that nbgrader makes."""

import shutil

import nbformat
import pytest
from nbgrader.api import Comment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from nbgrader.utils import compute_checksum

from cnnlab.grading.entering import SaveHere, Submitted, one_transaction
from cnnlab.grading.first_entry import enter_first
from cnnlab.grading.surroundings import nbgrader_surroundings

NAMES = ("one", "a1", "ada")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A gradebook with an assignment of two notebooks, each with cells of every kind."""
    path = tmp_path_factory.mktemp("empty") / "gradebook.db"
    with nbgrader_surroundings(), Gradebook(f"sqlite:///{path}") as book:
        book.add_assignment("a1")
        for notebook in ("one", "two"):
            book.add_notebook(notebook, "a1")
            book.add_grade_cell("check", notebook, "a1", max_score=5, cell_type="code")
            book.add_solution_cell("answer", notebook, "a1")
            book.add_grade_cell("words", notebook, "a1", max_score=3, cell_type="markdown")
            book.add_solution_cell("words", notebook, "a1")
            book.add_task_cell("task", notebook, "a1", max_score=2, cell_type="markdown")
    return path


@pytest.fixture
def gradebook(empty, tmp_path):
    path = shutil.copy(empty, tmp_path / "gradebook.db")
    with Gradebook(f"sqlite:///{path}") as book:
        yield book


@pytest.fixture
def another(empty, tmp_path):
    path = shutil.copy(empty, tmp_path / "another.db")
    with Gradebook(f"sqlite:///{path}") as book:
        yield book


def graded():
    def cell(kind, name, **flags):
        new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        found = new(f"# {name}")
        flags = {"grade": False, "solution": False, "task": False, "locked": False, **flags}
        found.metadata.nbgrader = {"grade_id": name, "schema_version": 3, "cell_type": kind, **flags}
        return found

    check = cell("code", "check", grade=True, locked=True, points=5)
    check.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "3.5"})]
    words = cell("markdown", "words", grade=True, solution=True, points=3)
    words.metadata.nbgrader.checksum = compute_checksum(words)  # as it was given out: no response
    answer = cell("code", "answer", solution=True)
    task = cell("markdown", "task", task=True, points=2)
    return nbformat.v4.new_notebook(cells=[check, answer, words, task])


def rows(book):
    """Return everything about submissions, by names in the place of ids."""
    db = book.db
    return {
        "students": [(s.id, s.first_name, s.last_name, s.email, s.lms_user_id) for s in db.query(Student)],
        "submissions": [
            (s.name, s.student.id, s.timestamp, s.extension, s.score, s.needs_manual_grade)
            for s in db.query(SubmittedAssignment)
        ],
        "notebooks": sorted(
            (n.name, n.student.id, n.flagged, n.late_submission_penalty, n.score) for n in db.query(SubmittedNotebook)
        ),
        "grades": sorted(
            (
                g.notebook.name,
                g.name,
                g.cell.type,
                str((g.auto_score, g.manual_score, g.extra_credit)),
                g.needs_manual_grade,
            )
            for g in db.query(Grade)
        ),
        "comments": sorted(
            (c.notebook.name, c.name, c.cell.type, str((c.auto_comment, c.manual_comment))) for c in db.query(Comment)
        ),
    }


@pytest.mark.parametrize("known", [False, True])
def test_it_makes_the_rows_that_nbgrader_makes(gradebook, another, known):
    for book in (gradebook, another) if known else ():
        book.add_student("ada", first_name="Ada", lms_user_id="7")
    with one_transaction(gradebook):
        assert enter_first(gradebook, NAMES, graded())
    with nbgrader_surroundings():  # its warnings are its own
        another.update_or_create_student("ada")
        another.update_or_create_submission("a1", "ada")
        SaveHere(Submitted(another, *NAMES), NAMES).preprocess(graded(), {})
        another.db.commit()
    ours = rows(gradebook)
    assert ours == rows(another)
    assert [grade[:2] for grade in ours["grades"] if "3.5" in grade[3]] == [("one", "check")]
    assert [comment[:2] for comment in ours["comments"] if "No response" in comment[3]] == [("one", "words")]


def test_what_is_there_is_left_to_nbgrader(gradebook):
    with one_transaction(gradebook):
        assert enter_first(gradebook, NAMES, graded())
    before = rows(gradebook)
    with one_transaction(gradebook):
        assert not enter_first(gradebook, NAMES, graded())
        assert not enter_first(gradebook, ("none", "a1", "bob"), graded())
        assert not enter_first(gradebook, ("one", "a9", "bob"), graded())
    assert rows(gradebook) == before


def test_a_transaction_that_fails_leaves_nothing(gradebook):
    def fail():
        with one_transaction(gradebook):
            enter_first(gradebook, NAMES, graded())
            raise ZeroDivisionError

    before = rows(gradebook)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(gradebook) == before
