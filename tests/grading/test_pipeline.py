"""A whole run over a small class: scores, gradebook, feedback; again, interrupted, and with faults of ours."""

import csv
import gc
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

pytest.importorskip("nbgrader")

from cnnlab.checks import exercises
from cnnlab.grading import canary, commands, pool, task
from cnnlab.grading.canary import CanaryError
from cnnlab.grading.course import CourseError
from cnnlab.grading.gradebook import GradebookError
from cnnlab.grading.model import Result

BROKEN = "def scan_1d(x, layers, width, hop):\n    return x * secret_name_of_mine"


def gradebook(course):
    from nbgrader.api import Gradebook

    return Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "")


def test_points_reach_the_gradebook_the_csv_and_the_report(course, answers):
    course.hand_in("ann")
    course.hand_in("bob", one=answers["one"].replace(" + 1, hop", ", hop"))
    uses_torch = answers["one"].replace("    starts", "    torch.tensor(x)\n    starts")
    course.hand_in("cyd", one="import torch\n" + uses_torch)
    course.save("dan", "{")
    (course.submissions / "students.csv").write_text("id,last_name\nann,A\neve,E\n", encoding="utf-8")
    results = course.grade()
    assert {name: result.status for name, result in results.items()} == {
        "ann": "graded", "bob": "graded", "cyd": "graded", "dan": "unreadable", "eve": "missing",
    }  # fmt: skip
    with (course.root / "out" / "a1" / "grades.csv").open(encoding="utf-8") as file:
        rows = {row.pop("student"): row for row in csv.DictReader(file)}
    assert list(rows) == ["ann", "bob", "cyd", "dan", "eve"]
    assert rows["ann"] == {
        "status": "graded",
        "score": "15",
        "max_score": "15",
        "a1.scan_1d": "5",
        "a1.scan_2d": "4",
        "a1.aggregate": "6",
    }
    assert 0 < float(rows["bob"]["a1.scan_1d"]) < 5
    assert rows["cyd"]["score"] == "10"
    assert any("torch" in note for note in results["cyd"].notes)
    with gradebook(course) as book:
        scores = {each.student.id: each.score for each in book.assignment_submissions("a1")}
        assert book.find_submission("a1", "bob").needs_manual_grade is False
    # What could not be graded has no score in the gradebook, rather than a wrong one.
    assert scores == {name: float(rows[name]["score"]) for name in ("ann", "bob", "cyd")}


def test_what_nbgrader_reads_from_the_graded_notebook_is_the_score(course, answers):
    from nbformat import read
    from nbgrader.utils import determine_grade, is_grade

    course.hand_in("bob", one=answers["one"].replace(" + 1, hop", ", hop"), two="def scan_2d(*a): return 0")
    result = course.grade()["bob"]
    graded = read(course.root / "autograded" / "bob" / "a1" / "a1_scanning.ipynb", 4)
    found = {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in graded.cells if is_grade(cell)}
    assert found == {exercise.grade_id: exercise.score for exercise in result.exercises}
    assert found["a1-scan_2d"] == 0  # a 0 is written down too, where no output would be full marks


def test_a_second_run_changes_nothing_and_runs_nothing(course, answers, monkeypatch):
    course.hand_in("ann")
    course.hand_in("bob", two="def scan_2d(*a):\n    raise SystemExit")
    first = course.grade()
    database = course.database()
    files = {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()}
    monkeypatch.setattr(pool, "run_tasks", lambda tasks, jobs: iter([]) if not tasks else pytest.fail("graded again"))
    assert course.grade() == first
    assert course.database() == database
    after = {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()}
    assert {path for path in files | after if files.get(path) != after.get(path)} <= {course.root / "gradebook.db"}


def test_only_what_changed_is_graded_again(course, monkeypatch):
    for student in ("ann", "bob"):
        course.hand_in(student)
    course.grade()
    course.hand_in("bob", one=BROKEN)
    graded = []
    real = pool.run_tasks
    monkeypatch.setattr(pool, "run_tasks", lambda tasks, jobs: graded.extend(tasks) or real(tasks, jobs=jobs))
    assert course.grade()["bob"].score == 10
    assert [each.student for each in graded] == ["bob"]
    graded.clear()
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", "another")
    course.grade()
    assert [each.student for each in graded] == ["ann", "bob"]


def test_points_and_comments_given_by_hand_stay(course):
    course.hand_in("ann", one=BROKEN)
    course.grade()
    with gradebook(course) as book:
        grade = book.find_grade("a1-scan_1d", "a1_scanning", "a1", "ann")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 3.5, 1.0, False
        book.find_comment("answer-scan_1d", "a1_scanning", "a1", "ann").manual_comment = "Nearly!"
        book.db.commit()
    before = course.database()
    course.grade()
    assert course.database() == before
    course.hand_in("ann")  # better now: 5 by the machine; what was given by hand still counts, and asks for a look
    course.grade()
    with gradebook(course) as book:
        grade = book.find_grade("a1-scan_1d", "a1_scanning", "a1", "ann")
        assert (grade.auto_score, grade.manual_score, grade.extra_credit) == (5, 3.5, 1.0)
        assert grade.needs_manual_grade
        assert book.find_comment("answer-scan_1d", "a1_scanning", "a1", "ann").manual_comment == "Nearly!"


def test_a_write_that_fails_leaves_nothing_half_written(course, monkeypatch):
    from cnnlab.grading import gradebook as module

    course.hand_in("ann")
    real = module.SaveHere._add_score

    def fail_at_the_second(self, cell, resources):
        if cell.metadata.nbgrader.grade_id == "a1-scan_2d":
            raise OSError("the disk is full")
        real(self, cell, resources)

    monkeypatch.setattr(module.SaveHere, "_add_score", fail_at_the_second)
    assert course.grade()["ann"].status == "grader_error"
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        assert connection.execute("select count(*) from grade").fetchone() == (0,)
        assert connection.execute("select count(*) from student").fetchone() == (0,)
    monkeypatch.undo()
    assert course.grade()["ann"].score == 15


def test_a_fault_of_ours_is_never_a_zero(course, monkeypatch, capsys):
    course.hand_in("ann")
    course.hand_in("bob")
    real = task.ExerciseRun

    def faulty(exercise, function, **options):
        if faulty.armed and exercise.id == "a1.scan_2d":
            faulty.armed = False
            raise RuntimeError("a check is broken")
        return real(exercise, function, **options)

    faulty.armed = False
    monkeypatch.setattr(task, "ExerciseRun", faulty)
    sing = canary.sing
    monkeypatch.setattr(canary, "sing", lambda *a, **k: (sing(*a, **k), setattr(faulty, "armed", True)))
    results = course.grade()
    assert (results["ann"].status, results["ann"].score) == ("grader_error", None)
    assert results["bob"].score == 15
    assert ",grader_error,,15,,," in (course.root / "out" / "a1" / "grades.csv").read_text(encoding="utf-8")
    assert not (course.root / "feedback" / "ann").exists()
    with gradebook(course) as book:
        assert [each.student.id for each in book.assignment_submissions("a1")] == ["bob"]
    assert commands.report("a1", course_dir=course.root).has_grader_errors
    monkeypatch.undo()
    assert course.grade()["ann"].score == 15  # tried again


@pytest.mark.parametrize("at", ["cells", "function"])
def test_a_sandbox_that_breaks_during_the_run_is_our_fault(course, monkeypatch, at):
    from cnnlab.grading.process import ExecutorError, StudentProcess

    course.hand_in("ann")
    real = StudentProcess.send
    armed = []

    def breaks(self, message, values, *, deadline):
        if armed and at in message:
            raise ExecutorError("no more processes")
        real(self, message, values, deadline=deadline)

    monkeypatch.setattr(StudentProcess, "send", breaks)
    sing = canary.sing
    monkeypatch.setattr(canary, "sing", lambda *a, **k: (sing(*a, **k), armed.append(True)))
    result = course.grade()["ann"]
    assert (result.status, result.score) == ("grader_error", None)
    assert "no more processes" in result.reason


def test_the_canary_stops_a_run_whose_solution_is_wrong(course):
    path = course.root / "source" / "a1" / "a1_scanning.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("W @ v + b", "W @ v"), encoding="utf-8")
    course.hand_in("ann")
    with pytest.raises(CanaryError, match="solution must get 15 points"):
        course.grade()
    assert not (course.root / "feedback").exists()


def test_the_canary_stops_a_run_whose_release_gives_the_answer_away(course, answers):
    released = json.loads(course.release.read_text(encoding="utf-8"))
    for cell in released["cells"]:
        if cell["id"] == "answer-scan_2d":
            cell["source"] = answers["two"]
    course.release.write_text(json.dumps(released), encoding="utf-8")
    course.hand_in("ann")
    with pytest.raises(CanaryError, match=r"untouched release must get 0 points\. It got 4"):
        course.grade()


def test_the_source_must_fit_the_exercises(course):
    path = course.root / "source" / "a1" / "a1_scanning.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace('"points": 5', '"points": 6'), encoding="utf-8")
    with pytest.raises(CourseError, match="6"):
        course.grade()


def test_other_cells_than_the_gradebook_has_submissions_to_are_refused_with_the_next_step(course):
    course.hand_in("ann")
    course.grade()
    before = course.database()
    path = course.root / "source" / "a1" / "a1_scanning.ipynb"
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace('"grade_id": "answer-scan_1d"', '"grade_id": "answer"'), encoding="utf-8")
    with pytest.raises(CourseError, match="put the gradebook away"):
        course.grade()
    assert course.database() == before
    path.write_text(source, encoding="utf-8")
    assert course.grade()["ann"].score == 15


def test_a_course_without_source_or_submissions_says_what_to_do(tmp_path):
    with pytest.raises(CourseError, match="name another folder"):
        commands.grade("a1", course_dir=tmp_path)
    with pytest.raises(CourseError, match="cnnlab build"):
        commands.grade("a1", course_dir=tmp_path, submissions_dir=tmp_path)
    with pytest.raises(CourseError, match="cnnlab grade a1"):
        commands.report("a1", course_dir=tmp_path)


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
def test_a_gradebook_is_made_whole_or_not_at_all(course, monkeypatch):
    """Killed before nbgrader has written the version of its tables, the last thing it does."""
    from nbgrader import api

    course.hand_in("ann")
    (course.root / "gradebook.db").unlink()

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(api, "get_alembic_version", killed)
        with pytest.raises(KeyboardInterrupt):
            course.grade()
    gc.collect()  # what nbgrader had open when it was interrupted goes here, where its warning is expected
    assert not (course.root / "gradebook.db").exists()
    assert course.grade()["ann"].score == 15
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        assert len(connection.execute("select version_num from alembic_version").fetchall()) == 1


def test_a_terminal_without_unicode_stops_nothing(course, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    course.hand_in("zoë")
    assert course.grade()["zoë"].score == 15
    assert b"zo?" in written.getvalue()


def test_a_gradebook_starts_complete(course):
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        assert len(connection.execute("select version_num from alembic_version").fetchall()) == 1


def test_an_assignment_that_does_not_exist_is_named(course):
    with pytest.raises(CourseError, match="there is no assignment 'a9': use one of a1"):
        commands.grade("a9", course_dir=course.root, submissions_dir=course.submissions)
    with pytest.raises(CourseError, match="a9"):
        commands.release("a9", course_dir=course.root)


def test_a_secret_and_a_list_that_cannot_be_read_are_named(course):
    course.hand_in("ann")
    (course.root / "students.csv").write_bytes("id,name\nann,Zoë\n".encode("latin-1"))
    with pytest.raises(CourseError, match=r"students\.csv.*UTF-8"):
        course.grade()
    (course.root / "secret.toml").write_text("hidden_seed = words", encoding="utf-8")
    with pytest.raises(CourseError, match="hidden seed"):
        course.grade()


def test_rows_and_names_that_a_spreadsheet_makes(course):
    (course.root / "students.csv").write_text("last,id\nshort\n,\nA,=cmd\nB, ann \nC,-5\n", encoding="utf-8-sig")
    assert set(course.grade()) == {"=cmd", "ann", "-5"}
    with (course.root / "out" / "a1" / "grades.csv").open(encoding="utf-8") as file:
        assert {row["student"] for row in csv.DictReader(file)} == {"'=cmd", "ann", "'-5"}


def test_a_course_may_stand_in_any_folder(released_course, small_course, tmp_path, capsys):
    root = tmp_path / "kö #1 [x] 100%"
    shutil.copytree(released_course, root)
    (root / "gradebook.db").unlink()
    course = small_course(root)
    course.hand_in("ann lee")
    assert course.grade()["ann lee"].score == 15
    assert (root / "gradebook.db").is_file()
    assert "[x]" in capsys.readouterr().out
    assert commands.release("a1", course_dir=root).is_file()
    root = root.rename(tmp_path / "what?")
    with pytest.raises(CourseError, match="rename it"):
        commands.release("a1", course_dir=root)


def test_a_gradebook_that_is_damaged_or_locked_is_named_and_stays(course):
    course.hand_in("ann")
    course.grade()
    path = course.root / "gradebook.db"
    good = path.read_bytes()
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin exclusive")
        with pytest.raises(GradebookError, match="locked"):
            course.grade(lock_wait=1)
        other.rollback()
    path.write_bytes(b"no database at all" * 300)
    with pytest.raises(GradebookError, match="not a database"):
        course.grade()
    assert path.read_bytes() == b"no database at all" * 300
    path.write_bytes(good)
    assert course.grade()["ann"].score == 15


def test_a_folder_that_cannot_be_written_ends_in_a_sentence(course, monkeypatch):
    course.hand_in("ann")

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cnnlab.grading.publish.write_whole", full)
    with pytest.raises(CourseError, match="No space left"):
        course.grade()
    monkeypatch.undo()
    assert course.grade()["ann"].score == 15


def test_one_run_at_a_time(course):
    from cnnlab.grading.course import Course
    from cnnlab.grading.lock import OtherRunError, only_run

    course.hand_in("ann")
    with only_run(Course(course.root, "a1")), pytest.raises(OtherRunError, match="another run"):
        course.grade()
    assert course.grade()["ann"].score == 15


def test_a_report_of_another_version_is_no_report(course):
    (course.root / "out" / "a1").mkdir(parents=True, exist_ok=True)
    (course.root / "out" / "a1" / "report.json").write_text('{"exercises": 1}', encoding="utf-8")
    with pytest.raises(CourseError, match="cnnlab grade a1"):
        commands.report("a1", course_dir=course.root)


def test_workers_end_with_a_run_that_is_killed(course):
    for number in range(4):
        course.hand_in(f"s{number}", extra=[f"# {number}"])
    program = (
        "import sys; from pathlib import Path; from cnnlab.grading import commands\nif __name__ == '__main__': "
        + (
            "commands.grade('a1', course_dir=Path(sys.argv[1]), submissions_dir=Path(sys.argv[2]), jobs=2,"
            " allow_unsandboxed=True)"
        )
    )
    script = course.root / "grade_two_at_a_time.py"
    script.write_text(program, encoding="utf-8")
    command = [sys.executable, str(script), str(course.root), str(course.submissions)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    results = course.root / "out" / "a1" / "results"
    deadline = time.monotonic() + 60
    while not (results.is_dir() and any(results.glob("s*.json"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    workers = _in_session(child.pid) - {child.pid}
    child.kill()
    child.wait()
    assert len(workers) >= 2
    deadline = time.monotonic() + 10
    while _in_session(child.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _in_session(child.pid)


def _in_session(session):
    listed = subprocess.run(["ps", "-A", "-o", "pid=,sess=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(pid) for pid, own, state in rows if int(own) == session and not state.startswith("Z")}


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(5))
def test_a_run_that_is_killed_continues(course, tmp_path, answers, moment):
    _killed_run_continues(course, tmp_path, answers, after=0.4 * moment)


def test_a_run_that_is_killed_in_the_middle_continues(course, tmp_path, answers):
    _killed_run_continues(course, tmp_path, answers, after=0.0)


def _killed_run_continues(course, tmp_path, answers, after):
    for student in ("ann", "bob", "cyd", "dan"):
        course.hand_in(student, one=answers["one"] + f"# {student}", two=answers["two"] if student < "c" else "")
    program = "import sys; from pathlib import Path; from cnnlab.grading import commands\n" + (
        "commands.grade('a1', course_dir=Path(sys.argv[1]), submissions_dir=Path(sys.argv[2]), allow_unsandboxed=True)"
    )
    command = [sys.executable, "-c", program, str(course.root), str(course.submissions)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    stored = course.root / "out" / "a1" / "results" / "bob.json"
    deadline = time.monotonic() + 60
    while not stored.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(after)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    results = course.grade()
    assert {name: result.score for name, result in results.items()} == {"ann": 15, "bob": 15, "cyd": 11, "dan": 11}
    interrupted = _scores(course)
    for path in (course.root / "out" / "a1" / "results").iterdir():
        path.unlink()
    (course.root / "gradebook.db").unlink()
    course.grade()
    assert interrupted == _scores(course)


def _scores(course):
    """Return what the gradebook says, without the random names of its rows."""
    with gradebook(course) as book:
        return sorted(
            (grade.student.id, grade.cell.name, grade.auto_score, grade.manual_score, grade.needs_manual_grade)
            for submission in book.assignment_submissions("a1")
            for notebook in submission.notebooks
            for grade in notebook.grades
        )


def test_an_import_that_fails_costs_only_the_functions_that_use_it(course, answers):
    first = ["import torch, numpy as np\nfrom cnnlab import nn\nimport scipy.signal\nfrom cnnlab.nn import Conv1d as C"]
    used = "def scan_2d(*a):\n    return nn.Scan(*a)"
    course.hand_in("ann", first=first)
    course.hand_in("bob", first=first, two=used)
    results = course.grade()
    assert {name: result.score for name, result in results.items()} == {"ann": 15, "bob": 11}
    assert any("torch" in note for note in results["ann"].notes)
    assert "ModuleNotFoundError in your line “return nn.Scan(*a)”" in course.feedback("bob")


def test_cells_run_in_the_order_of_the_notebook_and_no_further_than_needed(course, answers):
    """As in nbgrader, what stands below a grade cell does not change what stands above."""
    helped = "make_zeros = np.zeros\n" + answers["one"].replace("np.zeros", "make_zeros")
    other = "make_zeros = None\n" + answers["two"]
    course.hand_in("ann", one=helped, two=other, extra=["while True: pass"])
    course.hand_in("bob", two="", extra=[answers["two"]])  # below its grade cell, and still found
    course.hand_in("cyd", change=lambda handed: handed.update(cells=_without_grade_cells(handed["cells"])))
    results = course.grade()
    assert {name: result.score for name, result in results.items()} == {"ann": 15, "bob": 15, "cyd": 15}
    assert results["ann"].seconds < 8


def _without_grade_cells(cells):
    return [each for each in cells if not each["metadata"].get("nbgrader", {}).get("grade")]


def test_two_at_a_time_give_the_same_results(course, answers):
    for student in ("ann", "bob", "cyd"):
        course.hand_in(student, one=answers["one"] if student < "c" else BROKEN)
    two = course.grade(jobs=2)
    for path in (course.root / "out" / "a1" / "results").iterdir():
        path.unlink()
    one = course.grade(jobs=1)
    assert {name: result.exercises for name, result in two.items()} == {name: r.exercises for name, r in one.items()}


def test_stored_results_are_read_as_they_were_written(course):
    course.hand_in("ann", one=BROKEN)
    result = course.grade()["ann"]
    assert Result.from_dict(json.loads(json.dumps(result.as_dict()))) == result
    assert [exercise.exercise_id for exercise in result.exercises] == [each.id for each in exercises("a1")]


# ---- feedback ----


def test_feedback_tells_nothing_of_hidden_checks(course, monkeypatch):
    """A secret is put into everything that a hidden check knows; a failing student then sees all that they can see."""
    import dataclasses

    import numpy as np

    secret = "canary7391"

    def poisoned(exercise):
        def cases(check):
            def make(rng):
                return [dataclasses.replace(case, name=f"{case.name} {secret}") for case in check.cases(rng)]

            return make

        checks = tuple(
            dataclasses.replace(check, cases=cases(check)) if check.hidden else check for check in exercise.checks
        )
        return dataclasses.replace(exercise, checks=checks)

    monkeypatch.setattr(task, "exercises", lambda name: tuple(map(poisoned, exercises(name))))
    monkeypatch.setenv("CNNLAB_HIDDEN_SEED", "73917391")
    course.hand_in(
        "ann",
        # Wrong, talkative, and with its input in the text of the exception.
        one="def scan_1d(x, layers, width, hop):\n    print(x)\n    raise ValueError(f'{x.tolist()} {width} {hop}')",
        two="def scan_2d(image, layers, size, stride):\n    print(image)\n    return image",
    )
    result = course.grade()["ann"]
    page = course.feedback("ann")
    assert secret not in page
    assert "73917391" not in page
    numbers = {
        f"{number:.5g}"
        for exercise in exercises("a1")
        for index, check in enumerate(exercise.checks)
        if check.hidden
        for case in check.cases(_generator(exercise, index, 73917391))
        for number in np.asarray(case.arguments[0], dtype=float).ravel()[:20]
    }
    assert len(numbers) > 50
    assert not [number for number in numbers if len(number) > 5 and number in page]
    # Nor in what is written for nbgrader, or in the report that may be passed on.
    for path in [*course.root.glob("autograded/**/*.ipynb"), course.root / "out" / "a1" / "grades.csv"]:
        assert secret not in path.read_text(encoding="utf-8")
    assert result.score == 6  # exercise 3 is right


def _generator(exercise, index, seed):
    from cnnlab.checks.seeds import case_generator

    return case_generator(exercise, index, seed)


def test_feedback_is_one_safe_page(course):
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    course.hand_in(
        "<b>ann",
        one=f"def scan_1d(x, layers, width, hop):\n    raise ValueError({attack!r})",
        two=f"scan_2d = None\nraise type('{'E' * 200}<i>', (Exception,), {{}})({attack!r})",
    )
    course.grade()
    page = course.feedback("<b>ann")
    assert "<script" not in page
    assert "onerror=alert(2)>" not in page
    assert "<b>ann" not in page
    assert "<i>" not in page
    assert "Content-Security-Policy" in page
    assert "viewport" in page
    for loading in ("src=", "href=", "url(", "@import"):
        assert loading not in page.replace("&lt;img src=x", "")


def test_feedback_shows_the_students_own_errors_but_not_the_releases(course):
    course.hand_in("ann", first=["undefined_name_of_mine"], extra=["never_run_name_of_mine"])
    course.grade()
    page = course.feedback("ann")
    assert "undefined_name_of_mine" in page
    assert "Cell 1" in page
    assert "never_run_name_of_mine" not in page  # after the last grade cell


def test_an_unreadable_notebook_has_a_page_that_says_so(course):
    course.save("ann", "{")
    course.grade()
    assert "could not be read" in course.feedback("ann")


def test_names_cannot_write_to_the_terminal(course, capsys):
    course.hand_in("ann\x1b[31m", one="raise ValueError('\x1b[2J[bold]')")
    course.grade()
    assert "\x1b[2J" not in capsys.readouterr().out


def test_a_run_without_isolation_says_so_everywhere(course, monkeypatch, capsys):
    monkeypatch.setattr("cnnlab.grading.executor.shutil.which", lambda name: None)
    course.hand_in("ann")
    assert course.grade()["ann"].isolated is False
    assert "NOT ISOLATED" in capsys.readouterr().out
    commands.report("a1", course_dir=course.root)
    assert "NOT ISOLATED" in capsys.readouterr().out
    assert "not isolated" in course.feedback("ann")
