"""Graded by nbgrader alone, without the course's own grader: full marks, none, and something between."""

import copy

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.utils import determine_grade, is_grade

from cnnlab.checks import exercise, run_exercise

SEED = 41


@pytest.fixture
def graded(root, built, monkeypatch):
    """Return a function that executes a submission as nbgrader does, and returns the points of each grade cell."""
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", str(SEED))
    source = nbformat.read(built / "course/source/a1/a1_scanning.ipynb", 4)
    release = nbformat.read(root / "course/release/a1/a1_scanning.ipynb", 4)
    hidden = {cell.id: cell.source for cell in source.cells if is_grade(cell)}
    answers = {cell.id: cell.source for cell in source.cells if cell.id.endswith("-answer")}

    def grade(change=lambda answer: answer, *, untouched=False):
        notebook = copy.deepcopy(release)
        # nbgrader puts the hidden tests back; the pictures after the last grade cell earn nothing.
        last = max(index for index, cell in enumerate(notebook.cells) if is_grade(cell))
        notebook.cells = notebook.cells[: last + 1]
        for cell in notebook.cells:
            cell.source = hidden.get(cell.id, cell.source)
            if cell.id in answers and not untouched:
                cell.source = change(answers[cell.id])
        NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=60).execute()
        cells = {cell.id: cell for cell in notebook.cells if is_grade(cell)}
        return {name: determine_grade(cell)[0] for name, cell in cells.items()}, cells

    return grade


def test_the_solution_gets_all_points(graded):
    points, cells = graded()
    assert points == {"a1-scan_1d": 5.0, "a1-scan_2d": 4.0, "a1-aggregate": 6.0}
    for cell in cells.values():
        kinds = [output.output_type for output in cell.outputs]
        assert kinds == ["display_data", "execute_result"]


def test_the_untouched_release_gets_none(graded):
    points, cells = graded(untouched=True)
    assert points == {"a1-scan_1d": 0.0, "a1-scan_2d": 0.0, "a1-aggregate": 0.0}
    # Not because something failed: a stub is no error.
    assert all(cell.outputs[-1].output_type == "execute_result" for cell in cells.values())


def test_a_half_right_answer_gets_what_its_checks_are_worth(graded):
    def without_steps(answer):
        return answer.replace(", hop)  #", ", 1)  #").replace("stride[0]", "1").replace("stride[1]", "1")

    points, cells = graded(without_steps)
    for name, mistake_id in (("scan_1d", "hop_ignored"), ("scan_2d", "stride_ignored")):
        found = exercise(f"a1.{name}")
        mistake = next(known for known in found.mistakes if known.id == mistake_id)
        expected = run_exercise(found, mistake.function, hidden=True, seed=SEED).score
        assert 0 < points[found.grade_id] == expected < found.points
        assert mistake.name in cells[found.grade_id].outputs[0].data["text/html"]
