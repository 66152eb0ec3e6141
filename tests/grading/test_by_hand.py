"""Assignment 5: points by a machine and points by a person, and what the person gets to see."""

import base64
import json

import pytest

pytest.importorskip("nbgrader")

from cnnlab.authoring.sources import as_file_text, read_source
from cnnlab.grading import commands
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.figures import figures_of
from cnnlab.grading.gradebook import GradebookWriter

NAME = "a5_a_network_of_your_own"
ANSWER, FIGURE = "a5-explain_network", "a5-explain_network-figure"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()


@pytest.fixture(scope="module")
def root(tmp_path_factory, project_root):
    """A course with the real assignment 5."""
    root = tmp_path_factory.mktemp("a5")
    source = root / "source" / "a5" / f"{NAME}.ipynb"
    source.parent.mkdir(parents=True)
    notebook = read_source(project_root / "course" / "exercises" / f"{NAME}.py", shown_as="a5")
    source.write_text(as_file_text(notebook), encoding="utf-8")
    (root / "nbgrader_config.py").write_text((project_root / "course" / "nbgrader_config.py").read_text())
    (root / "secret.toml").write_text('hidden_seed = "of the tests"\n', encoding="utf-8")
    commands.release("a5", course_dir=root)
    return root


def hand_in(root, student, *, answer=None, figure=PNG, solved=True):
    read = json.loads((root / ("source" if solved else "release") / "a5" / f"{NAME}.ipynb").read_text("utf-8"))
    for cell in read["cells"]:
        if cell["id"] == ANSWER and answer is not None:
            cell["source"] = answer
        if cell["id"] == FIGURE and figure:
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": figure}}]
    path = root / "handed_in" / student / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(read), encoding="utf-8")


def grade(root):
    report = commands.grade("a5", course_dir=root, submissions_dir=root / "handed_in", allow_unsandboxed=True)
    return {result.student: result for result in report.results}


def gradebook(root):
    from nbgrader.api import Gradebook

    return Gradebook(f"sqlite:///{root / 'gradebook.db'}", "")


def cell(root, student, name):
    graded = json.loads((root / "autograded" / student / "a5" / f"{NAME}.ipynb").read_text("utf-8"))
    return next(each for each in graded["cells"] if each["id"] == name)


def test_a_person_gives_three_points_of_ten_and_keeps_the_word(root, capsys):
    hand_in(root, "ann", answer="It looks for edges.")
    hand_in(root, "bob", solved=False, figure="")
    results = grade(root)
    assert (results["ann"].score, results["bob"].score) == (7, 0)
    assert "a5.explain_network: up to 3 points are given by hand" in capsys.readouterr().out
    csv = (root / "out" / "a5" / "grades.csv").read_text("utf-8").splitlines()
    assert csv[0] == "student,status,score,max_score,a5.train_own_cnn"
    assert csv[1] == "ann,graded,7,7,7"

    with gradebook(root) as book:
        ann, bob = (book.find_submission("a5", name) for name in ("ann", "bob"))
        assert (ann.score, ann.max_score, ann.needs_manual_grade) == (7, 10, True)
        # An answer that was left as it was is no work for anybody.
        assert (bob.score, bob.max_score, bob.needs_manual_grade) == (0, 10, False)
        given = book.find_grade(ANSWER, NAME, "a5", "ann")
        assert given.auto_score is None
        given.manual_score, given.needs_manual_grade = 2.5, False
        book.db.commit()

    # What the person sees: the answer, the rubric, and the figure as it was handed in.
    assert cell(root, "ann", ANSWER)["source"] == "It looks for edges."
    assert "How your answer is graded" in cell(root, "ann", f"{ANSWER}-rubric")["source"]
    (output,) = cell(root, "ann", FIGURE)["outputs"]
    assert f"data:image/png;base64,{PNG}" in output["data"]["text/html"]

    grade(root)
    with gradebook(root) as book:
        ann = book.find_submission("a5", "ann")
        assert (ann.score, ann.needs_manual_grade) == (9.5, False)

    # Graded again with all else as it was: another answer asks for another look, and the points stay until then.
    hand_in(root, "ann", answer="It looks for corners.")
    grade(root)
    with gradebook(root) as book:
        ann = book.find_submission("a5", "ann")
        assert (ann.score, ann.needs_manual_grade) == (9.5, True)
        book.find_grade(ANSWER, NAME, "a5", "ann").needs_manual_grade = False
        book.db.commit()
    assert cell(root, "ann", ANSWER)["source"] == "It looks for corners."

    hand_in(root, "ann", answer="It looks for corners.", figure=PNG + "AAAA")  # another figure, too
    hand_in(root, "bob", solved=False, answer="Here it is.")
    grade(root)
    with gradebook(root) as book:
        assert book.find_submission("a5", "ann").needs_manual_grade
        assert book.find_submission("a5", "bob").needs_manual_grade


def test_points_of_the_notebook_and_of_the_exercise_are_compared(root, monkeypatch):
    from cnnlab.grading import release

    monkeypatch.setattr(release, "by_hand", lambda assignment: ())
    with pytest.raises(CourseError, match="build it again"):
        release.compare_with_exercises(Course(root, "a5"))


def test_the_writer_finds_no_answers_where_there_are_none(course):
    with GradebookWriter(Course(course.root, "a1")) as writer:
        assert not writer._has_new_answers("nobody", {"cells": []})


SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"image/png": PNG}, f"data:image/png;base64,{PNG}"),
        ({"image/png": [PNG[:8] + "\n", PNG[8:]]}, f"data:image/png;base64,{PNG}"),
        ({"image/svg+xml": "<svg/>"}, f"data:image/svg+xml;base64,{base64.b64encode(b'<svg/>').decode()}"),
        ({"text/html": f'<div><img alt="x" src="data:image/svg+xml;base64,{SVG}"><img src="…"></div>'}, SVG),
    ],
)
def test_figures_come_along(data, shown):
    (output,) = figures_of([{"output_type": "execute_result", "data": data}])
    html = output["data"]["text/html"]
    assert html.startswith("<img ")
    assert html.count("<") == 1
    assert shown in html


@pytest.mark.parametrize(
    "output",
    [
        None,
        {"data": None},
        {"output_type": "stream", "text": "x"},
        {"data": {"text/html": "<script>alert(1)</script>"}},
        {"data": {"text/html": '<img src="https://example.org/x.png">'}},
        {"data": {"image/png": '"><script>alert(1)</script>'}},
        {"data": {"image/png": {"a": 1}}},
        {"data": {"application/javascript": "alert(1)"}},
        {"data": {"image/png": "A" * (4 << 20)}},
    ],
)
def test_nothing_else_comes_along(output):
    assert figures_of([output]) == []


def test_six_figures_are_enough():
    assert len(figures_of([{"data": {"image/png": PNG}}] * 50)) == 6


def test_figures_of_other_cells_are_left_behind(course):
    def with_a_figure(notebook):
        for each in notebook["cells"]:
            if each["cell_type"] == "code":
                each["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": PNG}}]

    course.hand_in("ann", change=with_a_figure)
    course.grade()
    assert PNG not in (course.root / "autograded" / "ann" / "a1" / "a1_scanning.ipynb").read_text("utf-8")
