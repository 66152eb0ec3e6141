"""What people give by hand stays, whatever is graded again; and nbgrader is asked for a look when it should be."""

import pytest

pytest.importorskip("nbgrader")

from cnnlab.grading import commands

WRONG = "def scan_1d(x, layers, width, hop):\n    return x"
ALSO_WRONG = "def scan_1d(x, layers, width, hop):\n    return -x"


def grade_of(book, name="a1-scan_1d"):
    return book.find_grade(name, "a1_scanning", "a1", "ann")


def comment_of(book, name="answer-scan_1d"):
    return book.find_comment(name, "a1_scanning", "a1", "ann")


@pytest.fixture
def by_hand(desk, book):
    """Ann's first submission, with points, extra credit and two comments given by hand."""
    desk.enter("ann", (0, 4, 6), one=WRONG)
    with book(desk.course) as opened:
        grade = grade_of(opened)
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 3.5, 1.25, False
        comment_of(opened).manual_comment = "Nearly – see <b>slide 12</b> 🙂"
        comment_of(opened, "answer-aggregate").manual_comment = "Elegant!"
        opened.db.commit()
    return desk


def given(course, book):
    with book(course) as opened:
        grade = grade_of(opened)
        return (grade.manual_score, grade.extra_credit), (
            comment_of(opened).manual_comment,
            comment_of(opened, "answer-aggregate").manual_comment,
        )


GIVEN = (3.5, 1.25), ("Nearly – see <b>slide 12</b> 🙂", "Elegant!")


def test_entering_the_same_again_changes_nothing(by_hand, contents):
    before = contents(by_hand.course.url)
    assert by_hand.enter_all({"ann": (0, 4, 6)}, one=WRONG) == [False]
    assert contents(by_hand.course.url) == before


@pytest.mark.parametrize(
    "case",
    [
        ((5, 4, 6), WRONG, True),  # the checks have changed their mind
        ((0, 4, 6), ALSO_WRONG, True),  # handed in again, and wrong again
        ((5, 4, 6), None, True),  # handed in again, and right
        ((0, 0, 6), WRONG, True),  # something else has changed: as nbgrader does, for every cell of the notebook
        ((0, 4, 6), WRONG, False),  # nothing has changed
    ],
)
def test_points_and_comments_stay_and_a_look_is_asked_for(by_hand, book, answers, case):
    points, one, look = case
    by_hand.enter("ann", points, one=one or answers["one"])
    assert given(by_hand.course, book) == GIVEN
    with book(by_hand.course) as opened:
        grade = grade_of(opened)
        assert (grade.auto_score, grade.needs_manual_grade) == (points[0], look)
        assert grade.score == 4.75
        assert grade_of(opened, "a1-aggregate").needs_manual_grade is False


def test_a_look_that_was_taken_is_not_asked_for_again(by_hand, book):
    by_hand.enter("ann", (0, 4, 6), one=ALSO_WRONG)
    with book(by_hand.course) as opened:
        grade_of(opened).needs_manual_grade = False
        opened.db.commit()
    by_hand.enter("ann", (0, 4, 6), one=ALSO_WRONG)
    with book(by_hand.course) as opened:
        assert grade_of(opened).needs_manual_grade is False


def test_what_others_get_by_hand_is_no_concern_of_a_submission(by_hand, book, contents):
    by_hand.enter("bob", (5, 4, 6))
    assert given(by_hand.course, book) == GIVEN
    with book(by_hand.course) as opened:
        assert opened.find_submission("a1", "bob").score == 15
        assert opened.find_submission("a1", "bob").needs_manual_grade is False


def test_other_points_for_an_exercise_keep_what_was_given(by_hand, book, monkeypatch):
    """The teaching team makes exercise 1 worth 10 points in the middle of the term."""
    import dataclasses

    from cnnlab.checks import exercises
    from cnnlab.grading import release

    source = by_hand.course.root / "source" / "a1" / "a1_scanning.ipynb"
    source.write_text(source.read_text(encoding="utf-8").replace('"points": 5', '"points": 10'), encoding="utf-8")
    first, *others = exercises("a1")
    monkeypatch.setattr(release, "exercises", lambda name: (dataclasses.replace(first, points=10), *others))
    by_hand.enter("ann", (2, 4, 6), one=WRONG)
    assert given(by_hand.course, book) == GIVEN
    with book(by_hand.course) as opened:
        assert opened.find_assignment("a1").max_score == 20
        assert (grade_of(opened).auto_score, grade_of(opened).max_score) == (2, 10)


def test_no_response_is_said_until_there_is_one(desk, book, new_cell):
    """The untouched stub is commented by nbgrader, also where both are worth nothing."""
    import json

    stub = next(
        cell["source"]
        for cell in json.loads(desk.course.release.read_text(encoding="utf-8"))["cells"]
        if cell["id"] == "answer-scan_1d"
    )
    desk.enter("ann", (0, 4, 6), one=stub)
    with book(desk.course) as opened:
        assert comment_of(opened).auto_comment == "No response."
    desk.enter("ann", (0, 4, 6), one=WRONG)
    with book(desk.course) as opened:
        assert comment_of(opened).auto_comment is None


def test_totals_tell_the_machines_points_from_those_by_hand(by_hand):
    by_hand.enter("bob", (5, 4, 0))
    assert by_hand.totals() == {"ann": (10, 4.75, 14.75, 0, False), "bob": (9, 0, 9, 0, False)}


def test_points_that_are_saved_while_a_run_writes_are_not_lost(desk, book):
    """A person saves between two submissions of one run, with the gradebook open in both."""
    from cnnlab.grading.gradebook import GradebookWriter

    with GradebookWriter(desk.paths, desk.patience) as writer:
        desk.write(writer, "ann", (0, 4, 6), one=WRONG)
        with book(desk.course) as opened:
            grade_of(opened).manual_score = 2.0
            opened.db.commit()
        desk.write(writer, "ann", (5, 4, 6))
    with book(desk.course) as opened:
        assert (grade_of(opened).auto_score, grade_of(opened).manual_score) == (5, 2)
        assert grade_of(opened).needs_manual_grade


def test_a_run_says_whose_points_are_not_those_of_its_table(course, capsys):
    """By hand, waiting for a hand, and of a notebook that is no longer there."""
    from nbgrader.api import Gradebook

    for student in ("ann", "bob"):
        course.hand_in(student, one=WRONG)
    course.grade()
    assert "hand" not in capsys.readouterr().out
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "") as opened:
        grade_of(opened).manual_score = 3.5
        opened.db.commit()
    course.hand_in("ann", one=ALSO_WRONG)
    course.save("bob", "{")
    course.grade()
    lines = capsys.readouterr().out.splitlines()
    assert "Points by hand, not in this table: ann +3.5" in lines
    assert "To be graded by hand: ann" in lines
    assert "Still in the gradebook, of an earlier notebook: bob 10" in lines


def test_a_report_made_again_reads_what_was_given_meanwhile(any_course, book, capsys, tmp_path):
    """Pages, gradebook.csv and the grades for an LMS, from a gradebook of either kind."""
    any_course.hand_in("ann", one=WRONG)
    any_course.grade()
    with book(any_course) as opened:
        grade_of(opened).manual_score = 3.5
        comment_of(opened).manual_comment = "Look at slide 12."
        opened.db.commit()
    export = tmp_path / "export.csv"
    export.write_text("Student,ID,SIS Login ID,Section,a1 (77)\nAnn,1,ann,S,\n", encoding="utf-8")
    commands.report("a1", course_dir=any_course.root, canvas=export)
    assert "Points by hand, not in this table: ann +3.5" in capsys.readouterr().out
    out = any_course.root / "out" / "a1"
    assert (out / "gradebook.csv").read_text(encoding="utf-8").splitlines()[1] == "ann,13.5,15,10,3.5,0,no"
    assert (out / "canvas.csv").read_text(encoding="utf-8").splitlines()[1] == "Ann,1,ann,S,13.5"
    assert "Look at slide 12." in any_course.feedback("ann")
