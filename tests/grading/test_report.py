"""The team's report and its files, changed scores, and runs over a part of the class."""

import csv
import itertools
import json
import zipfile

import pytest

pytest.importorskip("nbgrader")

from hypothesis import given
from hypothesis import strategies as st

from cnnlab.grading import commands, publish, run
from cnnlab.grading.changes import changed_scores
from cnnlab.grading.course import CourseError
from cnnlab.grading.histogram import draw
from cnnlab.grading.model import Change, CheckRecord, ExerciseRecord, Report, Result
from cnnlab.grading.summary import histogram, summarize

BROKEN = "def scan_1d(x, layers, width, hop):\n    return x * secret_name_of_mine"


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def record(score, exercise="a1.x", kind="passed", mistakes=None):
    passed = kind == "passed"
    check = CheckRecord("title", False, passed, score, 5.0, kind, mistakes or {})
    return ExerciseRecord(exercise, "g", "X", score, 5.0, (check,), "")


def result(student, *records, status="graded"):
    return Result(student, "a1", status, exercises=records)


# ---- numbers ----


def test_a_summary_counts_by_hand_worked_numbers():
    wrong = {"hop": "hop is not used"}
    report = Report(
        "a1",
        (("a1.x", 5.0),),
        (
            result("ann", record(5.0)),
            result("bob", record(2.0, kind="wrong_value", mistakes=wrong)),
            result("cyd", record(0.0, kind="timeout", mistakes=wrong), status="timeout"),
            result("dan", status="missing"),
        ),
    )
    found = summarize(report)
    assert dict(found.counts) == {"graded": 2, "timeout": 1, "missing": 1}
    assert (found.graded, found.median) == (3, 2.0)
    assert found.mean == pytest.approx(7 / 3)
    [line] = found.exercises
    assert (line.full, line.some, line.none) == (1, 1, 1)
    [check] = line.checks
    assert (check.passed, check.total, dict(check.kinds)) == (1, 3, {"wrong_value": 1, "timeout": 1})
    [mistake] = found.mistakes
    assert (mistake.name, mistake.count, mistake.examples) == ("hop is not used", 2, ("bob", "cyd"))


@given(st.lists(st.floats(0, 150), max_size=50), st.floats(0, 120))
def test_every_score_is_in_one_bar(scores, most):
    bars = histogram(scores, most)
    assert sum(bar.count for bar in bars) == len(scores)
    assert bars[0].low == 0
    assert bars[-1].high >= max([most, *scores])
    assert all(left.high == right.low for left, right in itertools.pairwise(bars))
    assert len(bars) <= 21
    for bar in bars[:-1]:
        assert bar.count == sum(bar.low <= score < bar.high for score in scores)
    drawn = sum(bar.count > 0 for bar in bars)
    assert str(draw(bars)).count("<rect") == drawn
    assert str(draw(bars)).count("<text") <= drawn + 13  # on a phone more scores would stand on each other


def test_changed_scores_are_those_that_differ():
    before = [result("ann", record(5.0)), result("bob", record(1.0)), result("cyd", record(3.0))]
    now = [result("ann", record(5.0)), result("bob", record(2.0)), result("cyd", status="grader_error"), result("new")]
    assert changed_scores(before, now) == (Change("bob", "a1.x", 1.0, 2.0), Change("cyd", "a1.x", 3.0, None))


# ---- a class ----


def test_the_report_and_its_tables_tell_the_class(course, answers):
    course.hand_in("ann")
    course.hand_in("<b>bob", one=answers["one"].replace(" + 1, hop", ", hop"))
    course.hand_in("cyd", two="def scan_2d(*a):\n    import os\n    os._exit(3)", name="copy.ipynb")
    course.save("dan", "{")
    (course.root / "students.csv").write_text("id\neve\n", encoding="utf-8")
    results = course.grade()
    page = (course.root / "out" / "a1" / "report.html").read_text(encoding="utf-8")
    for words in (
        "<svg",
        "The last window is missing",
        "not valid JSON",
        "eve",
        "the file is named copy.ipynb",
        "&lt;b&gt;bob",
    ):
        assert words in page, words
    for word in ("<script", "<b>bob", "http:", "https:", "src=", "@import"):
        assert word not in page, word
    assert "../../feedback/%3Cb%3Ebob/a1/a1_scanning.html" in page
    problems = {row["student"]: row for row in rows(course.root / "out" / "a1" / "problems.csv")}
    assert {name: row["status"] for name, row in problems.items()} == {
        "cyd": "crashed", "dan": "unreadable", "eve": "missing",
    }  # fmt: skip
    checks = rows(course.root / "out" / "a1" / "checks.csv")
    by_exercise = {}
    for row in checks:
        by_exercise.setdefault(row["exercise"], []).append(int(row["passed"]))
        assert row["of"] == "3"
    assert max(by_exercise["a1.scan_2d"]) == 2
    assert rows(course.root / "out" / "a1" / "mistakes.csv")[0]["examples"] == "<b>bob"
    # Similar: ann's and cyd's and bob's own code is the same but for a few tokens.
    assert rows(course.root / "out" / "a1" / "similar.csv")
    assert results["cyd"].status == "crashed"


def test_a_regrade_lists_each_changed_score(course, monkeypatch, capsys, answers):
    course.hand_in("ann")
    course.hand_in("bob", one=BROKEN)
    course.grade()
    course.hand_in("bob")
    capsys.readouterr()
    course.grade(regrade=True)
    printed = capsys.readouterr().out
    assert "2 students: 2 to run" in printed
    assert "Changed scores" in printed
    [change] = commands.report("a1", course_dir=course.root).changes
    assert change == Change("bob", "a1.scan_1d", 0.0, 5.0)
    [row] = rows(course.root / "out" / "a1" / "changes.csv")
    assert (row["student"], row["exercise"], row["old"], row["new"]) == ("bob", "a1.scan_1d", "0", "5")
    course.grade()  # nothing changed: the list of all changes stays
    assert rows(course.root / "out" / "a1" / "changes.csv") == [row]
    assert commands.report("a1", course_dir=course.root).changes == ()


def test_one_student_is_graded_and_the_others_stay(course, monkeypatch):
    for student in ("ann", "bob"):
        course.hand_in(student)
    course.grade()
    for student in ("ann", "bob"):
        course.hand_in(student, one=BROKEN)
    asked = []
    real = run.run_tasks
    monkeypatch.setattr(run, "run_tasks", lambda tasks, jobs: asked.extend(tasks) or real(tasks, jobs=jobs))
    results = course.grade(students=["bob"])
    assert [task.student for task in asked] == ["bob"]
    assert {name: each.score for name, each in results.items()} == {"ann": 15, "bob": 10}
    grades = {row["student"]: row["score"] for row in rows(course.root / "out" / "a1" / "grades.csv")}
    assert grades == {"ann": "15", "bob": "10"}
    assert "secret_name_of_mine" not in course.feedback("ann")
    with pytest.raises(CourseError, match=r"no student 'bop'.*did you mean bob"):
        course.grade(students=["bop"])


def test_changed_only_prints_those_and_writes_everybody(course, capsys):
    for student in ("ann", "bob"):
        course.hand_in(student)
    course.grade()
    course.hand_in("bob", one=BROKEN)
    capsys.readouterr()
    course.grade(changed_only=True)
    table = capsys.readouterr().out.split("students", 2)[2]
    assert "bob" in table
    assert "ann" not in table
    assert len(rows(course.root / "out" / "a1" / "grades.csv")) == 2


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(course, capsys):
    course.hand_in("ann")
    course.hand_in("bob")
    course.grade()
    course.hand_in("bob", one=BROKEN)
    course.save("dan", "{")
    (course.root / "students.csv").write_text("id\neve\n", encoding="utf-8")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in course.root.rglob("*") if path.is_file()}
    options = {"course_dir": course.root, "submissions_dir": course.submissions, "allow_unsandboxed": True}
    assert commands.rehearse("a1", **options) == {"ann": "known", "bob": "run", "dan": "unreadable", "eve": "missing"}
    assert commands.rehearse("a1", students=["ann"], regrade=True, **options) == {"ann": "run"}
    printed = capsys.readouterr().out
    assert "not valid JSON" in printed
    assert "Nothing was run or written" in printed
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in course.root.rglob("*") if path.is_file()}
    assert after == before


def test_a_dry_run_needs_no_gradebook_and_makes_none(course):
    course.hand_in("ann")
    (course.root / "gradebook.db").unlink()
    found = commands.rehearse("a1", course_dir=course.root, submissions_dir=course.submissions, allow_unsandboxed=True)
    assert found == {"ann": "run"}
    assert not (course.root / "gradebook.db").exists()


def test_a_dry_run_without_a_sandbox_says_that_the_run_would_refuse(course, monkeypatch, capsys):
    monkeypatch.setattr("cnnlab.grading.executor.shutil.which", lambda name: None)
    course.hand_in("ann")
    options = {"course_dir": course.root, "submissions_dir": course.submissions}
    assert commands.rehearse("a1", **options) == {"ann": "run"}
    assert "would refuse" in capsys.readouterr().out


def test_a_page_that_cannot_be_made_is_our_fault_and_stops_nobody(course, monkeypatch):
    course.hand_in("ann")
    course.hand_in("bob")
    real = publish.feedback.page

    def broken(result, **options):
        if result.student == "ann":
            raise KeyError("no such title\nand more")
        return real(result, **options)

    monkeypatch.setattr(publish.feedback, "page", broken)
    results = course.grade()
    assert (results["ann"].status, results["ann"].score) == ("grader_error", None)
    assert "no page could be made: KeyError" in results["ann"].reason
    assert results["bob"].score == 15
    assert (course.root / "feedback" / "bob").exists()
    monkeypatch.undo()
    assert course.grade()["ann"].score == 15


def test_an_lms_zip_gives_the_same_scores_as_the_folder(course, tmp_path):
    course.hand_in("ann")
    course.hand_in("bob", one=BROKEN)
    folder = {name: each.score for name, each in course.grade().items()}
    packed = tmp_path / "class.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for number, (student, name) in enumerate((("ann", "Ann A"), ("bob", "Bob B"))):
            path = course.submissions / student / "a1_scanning.ipynb"
            made.write(path, f"{name}_{number}_assignsubmission_file_/a1_scanning.ipynb")
        made.writestr("Eve E_7_assignsubmission_file_/a1_scanning.ipynb", "{")
    (course.root / "students.csv").write_text("id,name\nann,Ann A\nbob,Bob B\n", encoding="utf-8")
    before = course.database()
    results = course.grade(submissions_dir=packed)
    assert {name: each.score for name, each in results.items() if name != "Eve E_7"} == folder
    assert results["Eve E_7"].status == "unreadable"
    assert course.database() == before  # the same files: nothing was run again
    assert "Eve E_7" in (course.root / "out" / "a1" / "report.html").read_text(encoding="utf-8")


def test_a_report_of_the_version_before_is_read(course):
    course.hand_in("ann")
    course.grade()
    path = course.root / "out" / "a1" / "report.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    for results in data["results"]:
        del results["own_cells"]
    path.write_text(json.dumps({key: data[key] for key in ("exercises", "warnings", "results")}), encoding="utf-8")
    assert [each.student for each in commands.report("a1", course_dir=course.root).results] == ["ann"]


# ---- the zip for students ----


def test_students_get_the_notebook_and_nothing_else(course, answers):
    import shutil

    (course.root / "source" / "a1" / "solutions.py").write_text("answer = 42", encoding="utf-8")
    (course.root / "source" / "a1" / "old.ipynb").unlink(missing_ok=True)
    released = commands.release("a1", course_dir=course.root)
    made = course.root / "out" / "a1" / "a1_scanning.zip"
    with zipfile.ZipFile(made) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    assert set(files) == {f"a1_scanning/{name}" for name in ("README.txt", "a1_scanning.ipynb", "requirements.txt")}
    assert files["a1_scanning/a1_scanning.ipynb"] == released.read_bytes()
    for word in (b"BEGIN SOLUTION", b"hidden=True", b"W @ v", b"answer = 42"):
        assert not any(word in data for data in files.values())
    first = made.read_bytes()
    made.unlink()
    shutil.rmtree(course.root / "release")
    commands.release("a1", course_dir=course.root)
    assert made.read_bytes() == first


def test_data_that_the_notebook_names_is_packed(course):
    from cnnlab.grading.course import Course
    from cnnlab.grading.handout import write_handout

    folder = course.root / "release" / "a1"
    (folder / "data").mkdir()
    (folder / "data" / "word.npy").write_bytes(b"1234")
    (folder / "other.npy").write_bytes(b"1234")
    text = course.release.read_text(encoding="utf-8").replace("import numpy as np", "import numpy as np  # word.npy")
    course.release.write_text(text, encoding="utf-8")
    made, left_out = write_handout(Course(course.root, "a1"))
    with zipfile.ZipFile(made) as opened:
        assert opened.read("a1_scanning/data/word.npy") == b"1234"
    assert left_out == ("other.npy",)


def test_a_release_with_a_solution_in_it_is_not_packed(course):
    from cnnlab.grading.course import Course
    from cnnlab.grading.handout import write_handout

    (course.root / "out" / "a1" / "a1_scanning.zip").unlink()
    text = course.release.read_text(encoding="utf-8").replace("import numpy as np", "# ## BEGIN SOLUTION")
    course.release.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match="BEGIN SOLUTION"):
        write_handout(Course(course.root, "a1"))
    assert not (course.root / "out" / "a1" / "a1_scanning.zip").exists()


def test_what_the_handout_asks_for_is_what_the_package_asks_for(project_root):
    import tomllib

    from cnnlab.grading.handout import REQUIREMENTS

    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(REQUIREMENTS) <= {*project["dependencies"], *project["optional-dependencies"]["course"]}
