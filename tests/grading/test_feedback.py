"""The page of a student: safe, whole in itself, with what people gave, and renewed when that changed."""

import pytest

pytest.importorskip("nbgrader")

from cnnlab.grading import commands, feedback
from cnnlab.grading.by_hand import Marks, Part
from cnnlab.grading.model import ExerciseRecord, Result

ATTACK = "</style></blockquote><script>alert(1)</script><img src=x onerror=alert(2)>"


def gradebook(course):
    from nbgrader.api import Gradebook

    return Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "")


def test_points_and_comments_given_by_hand_are_on_the_page_and_renewed(course):
    course.hand_in("ann", one="def scan_1d(x, layers, width, hop):\n    return x * unknown")
    course.hand_in("bob")
    course.grade()
    assert "10 <small>of 15 points" in course.feedback("ann")
    assert "From your teachers" not in course.feedback("ann")
    untouched = course.root / "feedback" / "bob" / "a1" / "a1_scanning.html"
    before = untouched.stat().st_mtime_ns
    with gradebook(course) as book:
        grade = book.find_grade("a1-scan_1d", "a1_scanning", "a1", "ann")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 3.5, 1.0, False
        book.find_comment("answer-scan_1d", "a1_scanning", "a1", "ann").manual_comment = f"Nearly!\n{ATTACK}"
        book.find_submission("a1", "ann").notebooks[0].late_submission_penalty = 2.0
        book.db.commit()
    commands.report("a1", course_dir=course.root)
    page = course.feedback("ann")
    assert "12.5 <small>of 15 points" in page  # 10 + 3.5 + 1 − 2
    assert "10 by the checks, +4.5 by hand" in page
    assert "2 taken off for handing in late" in page
    assert "3.5 given by hand in place of the checks&#39; 0, 1 extra" in page
    assert "Nearly!\n&lt;/style&gt;" in page
    assert "<script" not in page
    assert untouched.stat().st_mtime_ns == before
    with gradebook(course) as book:
        book.find_comment("answer-scan_1d", "a1_scanning", "a1", "ann").manual_comment = "Changed."
        book.db.commit()
    course.grade()  # runs nobody, and renews the page
    assert "Changed." in course.feedback("ann")


def test_the_gradebooks_total_is_the_one_that_nbgrader_exports(course, tmp_path):
    import csv

    from nbgrader.plugins import CsvExportPlugin

    from cnnlab.grading.by_hand import read_marks
    from cnnlab.grading.course import Course

    course.hand_in("ann", one="def scan_1d(*a):\n    return 0")
    course.hand_in("bob")
    course.grade()
    with gradebook(course) as book:
        book.find_grade("a1-scan_1d", "a1_scanning", "a1", "ann").manual_score = 2.25
        book.find_submission("a1", "bob").notebooks[0].late_submission_penalty = 99.0
        book.db.commit()
        plugin = CsvExportPlugin()
        plugin.to = str(tmp_path / "grades.csv")
        plugin.export(book)
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    marks = read_marks(Course(course.root, "a1"))
    assert {name: mark.score for name, mark in marks.items()} == exported == {"ann": 12.25, "bob": 0.0}


def page(*parts, comments=(), cards="", **fields):
    record = ExerciseRecord("a1.x", "a1-x", "Title <i>", 1.0, 5.0, (), cards)
    result = Result("ann <b>", "a1", fields.pop("status", "graded"), exercises=(record,), **fields)
    marks = Marks(sum(part.score for part in parts), 5.0, 0.0, parts, comments) if parts else None
    return feedback.page(result, title="A <u>", max_score=5.0, marks=marks)


def test_parts_for_people_are_said_to_wait():
    text = page(Part("a1-x", 1.0, None, None, 5.0, False), Part("a1-essay", None, None, None, 3.0, True))
    assert "a1-essay: not looked at yet (3 points)" in text
    assert "this number may change" in text
    assert "Title" not in text.split("not looked at")[0].split("<ul>")[1]  # nothing was given by hand there


def test_everything_is_escaped():
    text = page(
        Part("<x>", None, 1.0, None, 2.0, False),
        comments=(("<y>", ATTACK),),
        status="crashed",
        reason="<z>",
    )
    for word in ("<b>", "<u>", "<x>", "<y>", "<z>", "<script", "<img"):
        assert word not in text, word
    assert "default-src 'none'" in text
    assert "script-src" not in text  # nothing is allowed that default-src forbids


def test_a_wrong_visible_answer_is_drawn_and_a_hidden_one_is_not(course, answers):
    course.hand_in(
        "ann", one=answers["one"].replace(" + 1, hop", ", hop"), two="def scan_2d(image, *a):\n    return image * 2"
    )
    course.grade()
    text = course.feedback("ann")
    assert text.count("<svg") >= 2
    for item in text.split("<li>")[1:]:
        if "hidden-mark" in item.split("</li>")[0]:
            assert "<svg" not in item.split("</li>")[0]
            assert "<table" not in item.split("</li>")[0]


def test_what_nbgraders_release_of_feedback_needs_stands_beside_the_page(course):
    """Its exchange goes by two small files that it made itself when the notebook was handed in."""
    course.hand_in("ann")
    (course.submissions / "ann" / "timestamp.txt").write_text("2026-10-01 12:00:00 UTC", encoding="utf-8")
    (course.submissions / "ann" / "submission_secret.txt").write_text("s3cret", encoding="utf-8")
    course.grade()
    folder = course.root / "feedback" / "ann" / "a1"
    assert (folder / "submission_secret.txt").read_text(encoding="utf-8") == "s3cret"
    assert (folder / "timestamp.txt").read_text(encoding="utf-8") == "2026-10-01 12:00:00 UTC"
