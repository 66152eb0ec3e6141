"""nbgrader's own programs find what ours wrote; and ours gives what nbgrader's own grader gives."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbgrader")

from cnnlab.authoring.build import build
from cnnlab.grading import commands

ROOT = Path(__file__).parents[3]
SEED = "of the comparison"
# Assignments that have a sample class whose right results are known.
SAMPLES = sorted(path.parent.name for path in (ROOT / "course" / "samples").glob("*/expected.csv"))


def nbgrader(course, *words):
    environment = {**os.environ, "CNNLAB_HIDDEN_SEED": SEED}
    command = [sys.executable, "-m", "nbgrader", *map(str, words)]
    ended = subprocess.run(
        command, cwd=course, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]


def rows(path, key="student"):
    with path.open(encoding="utf-8") as file:
        return {row[key]: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_export_gives_the_totals_of_our_lists(any_course, answers, book, tmp_path):
    """Without points by hand both lists say the same; with them, the second says how much they are."""
    wrong = "def scan_1d(*a):\n    return 0"
    for student, one in (("ann", answers["one"]), ("bob", wrong), ("cyd", wrong)):
        any_course.hand_in(student, one=one)
    any_course.grade()
    ours = any_course.root / "out" / "a1"
    exported = tmp_path / "exported.csv"
    nbgrader(any_course.root, "export", "--to", exported)
    scores = {name: float(row["score"]) for name, row in rows(exported, "student_id").items()}
    assert scores == {"ann": 15, "bob": 10, "cyd": 10}
    for name in ("grades.csv", "gradebook.csv"):
        assert {student: float(row["score"]) for student, row in rows(ours / name).items()} == scores
    with book(any_course) as opened:
        opened.find_grade("a1-scan_1d", "a1_scanning", "a1", "bob").manual_score = 3.5
        opened.find_grade("a1-aggregate", "a1_scanning", "a1", "cyd").extra_credit = 0.25
        opened.find_grade("a1-scan_2d", "a1_scanning", "a1", "ann").manual_score = 0.0
        opened.db.commit()
    any_course.grade()
    nbgrader(any_course.root, "export", "--to", exported)
    lists = rows(exported, "student_id"), rows(ours / "gradebook.csv"), rows(ours / "grades.csv")
    found = {
        student: (float(row["score"]), float(lists[1][student]["score"]), float(lists[2][student]["score"]))
        for student, row in lists[0].items()
    }
    assert found == {"ann": (11, 11, 15), "bob": (13.5, 13.5, 10), "cyd": (10.25, 10.25, 10)}
    assert {student: row["by_hand"] for student, row in lists[1].items()} == {"ann": "-4", "bob": "3.5", "cyd": "0.25"}


def test_release_feedback_hands_out_our_pages(course, tmp_path):
    """Through nbgrader's exchange, from the place where its generate_feedback would have written."""
    for student in ("ann", "bob"):
        course.hand_in(student, extra=[f"# {student}"])
        shutil.copytree(course.submissions / student, course.root / "submitted" / student / "a1")
        slips = course.root / "submitted" / student / "a1"
        (slips / "timestamp.txt").write_text("2026-11-25 12:00:00 UTC\n", encoding="utf-8")
        (slips / "submission_secret.txt").write_text(f"of {student}", encoding="utf-8")
    course.grade(submissions_dir=None)
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    settings = f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\nc.CourseDirectory.course_id = 'small'\n"
    (course.root / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    nbgrader(course.root, "release_feedback", "a1")
    handed_out = {path.read_text(encoding="utf-8") for path in exchange.rglob("*.html")}
    assert handed_out == {course.feedback(student) for student in ("ann", "bob")}


@pytest.mark.slow
@pytest.mark.parametrize("assignment", SAMPLES)
def test_honest_samples_get_what_plain_nbgrader_gives(assignment, tmp_path, monkeypatch):
    """Every grade of every sample that ran to its end: nbgrader's autograde, with kernels, against ours."""
    from nbgrader.api import Gradebook

    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", SEED)
    samples = ROOT / "course" / "samples" / assignment
    honest = [name for name, row in rows(samples / "expected.csv").items() if row["status"] == "graded"]
    assert len(honest) >= 5
    found = {}
    for grader in ("ours", "plain"):
        course = tmp_path / grader / "course"
        shutil.copytree(ROOT / "course" / "exercises", course / "exercises")
        shutil.copy(ROOT / "course" / "nbgrader_config.py", course)
        build(course.parent)
        commands.release(assignment, course_dir=course)
        expected = next((course / "release" / assignment).glob("*.ipynb")).name
        for student in honest:
            handed_in = course / "submitted" / student / assignment
            handed_in.mkdir(parents=True)
            (path,) = (samples / student).glob("*.ipynb")
            shutil.copy(path, handed_in / expected)  # plain nbgrader does not find `a1_scanning (1).ipynb`
        if grader == "ours":
            commands.grade(assignment, course_dir=course, allow_unsandboxed=True, jobs=2)
        else:
            nbgrader(course, "autograde", assignment, "--create", "--ExecutePreprocessor.timeout=120")
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "cnnlab") as book:
            found[grader] = {
                (submission.student.id, grade.name): (grade.auto_score, grade.max_score, grade.needs_manual_grade)
                for submission in book.assignment_submissions(assignment)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
    assert {student for student, _ in found["ours"]} == set(honest)
    assert found["ours"] == found["plain"]
