"""The sample classes that come with the project get what is expected, and follow their releases."""

import contextlib
import csv
import importlib
import json
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from cnnlab.checks import exercises, run_exercise
from cnnlab.grading.model import CheckRecord, ExerciseRecord, Report, Result

SCRIPTS = Path(__file__).parents[2] / "scripts"
CLASSES = sorted(path.stem for path in (SCRIPTS / "samples").glob("a[0-9].py"))
# One class is enough each time: `make grade` compares them all.
WHOLE_RUNS = [pytest.param(name, marks=pytest.mark.slow) for name in CLASSES]  # `make grade` does them, too


@pytest.fixture
def scripts(monkeypatch):
    """Import a module of the folder scripts."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module


@pytest.fixture
def folder(project_root):
    return lambda assignment: project_root / "course" / "samples" / assignment


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_samples_follow_the_releases():
    """If this fails: python scripts/build_samples.py, and commit what it wrote."""
    script = SCRIPTS / "build_samples.py"
    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_there_is_a_class_for_each_folder_of_samples(folder):
    assert sorted(path.name for path in folder("").iterdir()) == [*CLASSES, "hostile"]


def test_all_that_can_happen_to_a_submission_happens(folder):
    statuses = {row["status"] for assignment in CLASSES for row in rows(folder(assignment) / "expected.csv")}
    assert statuses == {"graded", "timeout", "crashed", "unreadable"}


@pytest.mark.parametrize("assignment", CLASSES)
def test_a_class_is_varied_and_its_results_are_expected(folder, assignment):
    expected = rows(folder(assignment) / "expected.csv")
    assert {path.name for path in folder(assignment).iterdir() if path.is_dir()} == {row["student"] for row in expected}
    assert len(expected) >= 8
    scores = [row["score"] for row in expected]
    assert scores.count(expected[0]["max_score"]) >= 3
    assert "0" in scores
    named = rows(folder(assignment) / "expected_mistakes.csv")
    known = {exercise.id: {mistake.id for mistake in exercise.mistakes} for exercise in exercises(assignment)}
    assert all(set(row["mistakes"].split()) <= known[row["exercise"]] for row in named)
    assert len({row["student"] for row in named}) >= 4


@pytest.mark.parametrize("assignment", WHOLE_RUNS)
def test_a_whole_run_gives_what_is_expected(project_root, scripts, folder, assignment, tmp_path):
    pytest.importorskip("nbgrader")
    from cnnlab.authoring.build import build
    from cnnlab.grading import commands

    course = tmp_path / "course"
    (course / "exercises").mkdir(parents=True)
    for source in (project_root / "course" / "exercises").glob(f"{assignment}_*.py"):
        shutil.copy(source, course / "exercises")
    shutil.copy(project_root / "course" / "nbgrader_config.py", course)
    build(tmp_path)
    report = commands.grade(
        assignment, course_dir=course, submissions_dir=folder(assignment), jobs=2, allow_unsandboxed=True
    )
    assert list(scripts("samples.expected").differences(report, folder(assignment))) == []
    assert rows(course / "out" / assignment / "grades.csv") == rows(folder(assignment) / "expected.csv")


def above_the_answers(scripts, assignment, student):
    """Return the names that stand above the first answer: what is imported, and what a student fills in there."""
    (release,) = (SCRIPTS.parent / "course" / "release" / assignment).glob("*.ipynb")
    notebook = json.loads(release.read_text(encoding="utf-8"))
    names = {}
    for cell in scripts("samples.students").filled_in(notebook, assignment, replace(student, answers={}))["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id", "").endswith("-answer"):
            break
        if cell["cell_type"] == "code":
            with contextlib.suppress(Exception):
                exec("".join(cell["source"]), names)
    return names


@pytest.mark.parametrize("seed", [1, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("assignment", CLASSES)
def test_points_are_those_of_the_checks_run_in_this_process_and_hang_on_no_seed(
    scripts, folder, monkeypatch, assignment, seed
):
    monkeypatch.setattr("cnnlab.checks.check", lambda *_, **__: None)  # what the cells above the answers call
    warnings.simplefilter("ignore")  # as `check` does; pytest puts the filters back
    students = scripts("samples").students(assignment)
    compared = 0
    for row in rows(folder(assignment) / "expected.csv"):
        answers = dict(students[row["student"]].answers)
        if row["status"] != "graded" or students[row["student"]].changes:
            continue
        compared += 1
        names = above_the_answers(scripts, assignment, students[row["student"]])
        for exercise in exercises(assignment):
            for function in exercise.functions:
                with contextlib.suppress(SyntaxError):
                    exec(answers.get(function.name, ""), names)
            functions = [names.get(function.name) for function in exercise.functions]
            unnamed = replace(exercise, mistakes=())  # names are compared in the whole run; this takes less time
            result = run_exercise(unnamed, functions, hidden=True, seed=seed)
            assert result.score == float(row[exercise.id]), (row["student"], exercise.id)
    assert compared >= 8


def record(exercise_id, score, **mistakes):
    check = CheckRecord("A check", False, not mistakes, score, 5.0, "wrong_value", mistakes)
    return ExerciseRecord(exercise_id, exercise_id, "An exercise", score, 5.0, (check,), "")


def report_of(*results):
    return Report("a1", (("a1.scan_1d", 5.0),), results)


@pytest.fixture
def expectations(tmp_path):
    """A class of two: one is right, and one leaves out the bias."""
    points = "student,status,score,max_score,a1.scan_1d\nada,graded,5,5,5\nben,graded,2,5,2\n"
    (tmp_path / "expected.csv").write_text(points, encoding="utf-8")
    names = "student,exercise,mistakes\nben,a1.scan_1d,no_bias\n"
    (tmp_path / "expected_mistakes.csv").write_text(names, encoding="utf-8")
    return tmp_path


ADA = Result("ada", "a1", "graded", exercises=(record("a1.scan_1d", 5.0),))
BEN = Result("ben", "a1", "graded", exercises=(record("a1.scan_1d", 2.0, no_bias="The bias is left out"),))
SOMEBODY = Result("zoe", "a1", "missing", "nothing was handed in")


def test_what_is_as_expected_makes_no_difference_nor_does_who_handed_nothing_in(scripts, expectations):
    differences = scripts("samples.expected").differences
    assert list(differences(report_of(ADA, BEN, SOMEBODY), expectations)) == []


def test_each_difference_is_told(scripts, expectations):
    wrong = Result("ben", "a1", "timeout", exercises=(record("a1.scan_1d", 1.5, no_relu="ReLU is missing"),))
    found = list(scripts("samples.expected").differences(report_of(wrong, replace(ADA, student="zoe")), expectations))
    assert found == [
        "ada: has no result",
        "ben: status is timeout, expected graded",
        "ben: score is 1.5, expected 2",
        "ben: a1.scan_1d is 1.5, expected 2",
        "zoe: is not in expected.csv",
        "ben: a1.scan_1d names no_relu, expected no_bias",
    ]


def test_an_exercise_that_is_not_expected_yet_is_told(scripts, expectations):
    more = replace(report_of(ADA, BEN), exercises=(("a1.scan_1d", 5.0), ("a1.scan_2d", 4.0)))
    found = list(scripts("samples.expected").differences(more, expectations))
    assert "ada: a1.scan_2d is 0, expected None" in found


@pytest.mark.parametrize(
    ("results", "status", "said"),
    [((ADA, BEN), 0, "a1: 2 students as expected"), ((ADA,), 1, "a1: 2 differences\n  ben: has no result\n")],
)
def test_make_grade_says_whether_a_class_got_what_is_expected(  # noqa: PLR0917
    scripts, expectations, monkeypatch, capsys, results, status, said
):
    script = scripts("grade_samples")
    monkeypatch.setattr(script.commands, "grade", lambda assignment, **_: report_of(*results))
    monkeypatch.setattr(script.samples, "folder", lambda assignment: expectations)
    monkeypatch.setattr(script, "sample_course", lambda course: expectations)
    monkeypatch.setattr(sys, "argv", ["grade_samples.py", "a1"])
    assert script.main() == status
    assert said in capsys.readouterr().out


@pytest.fixture
def teachers_course(tmp_path):
    """A course that was built, with what a teacher has beside it."""
    for name in ("source/a1/a1.ipynb", "release/a1/a1.ipynb", "exercises/a1.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(f"{name}, first form", encoding="utf-8")
    settings = 'c = get_config()\nc.CourseDirectory.db_url = "postgresql+psycopg://team@db.example.org/grades"\n'
    (tmp_path / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    (tmp_path / "secret.toml").write_text('hidden_seed = "of the team"\n', encoding="utf-8")
    (tmp_path / "gradebook.db").write_text("the real class", encoding="utf-8")
    return tmp_path


def test_the_samples_have_a_course_of_their_own_with_a_gradebook_of_its_own(scripts, teachers_course):
    from cnnlab.grading.address import find_address
    from cnnlab.grading.course import Course

    before = {path: path.read_bytes() for path in teachers_course.rglob("*") if path.is_file()}
    own = scripts("samples.place").sample_course(teachers_course)
    assert find_address(Course(own, "a1")).file == own.resolve() / "gradebook.db"
    assert sorted(path.name for path in own.iterdir()) == ["exercises", "nbgrader_config.py", "release", "source"]
    assert {path: path.read_bytes() for path in before} == before
    ignored = subprocess.run(["git", "check-ignore", f"course/{own.name}/x"], cwd=SCRIPTS.parent, check=False)
    assert ignored.returncode in {0, 128}  # 128: no checkout, so nothing can be committed


def test_results_of_the_samples_are_kept_until_a_source_has_changed(scripts, teachers_course):
    sample_course = scripts("samples.place").sample_course
    kept = sample_course(teachers_course) / "gradebook.db"
    kept.write_text("of the samples", encoding="utf-8")
    (teachers_course / "release" / "a1" / "a1.ipynb").write_text("second form", encoding="utf-8")
    own = sample_course(teachers_course)
    assert kept.exists()
    assert (own / "release" / "a1" / "a1.ipynb").read_text(encoding="utf-8") == "second form"
    (teachers_course / "source" / "a1" / "a1.ipynb").write_text("second form", encoding="utf-8")
    sample_course(teachers_course)
    assert not kept.exists()


def test_make_grade_of_a_course_that_was_not_built_says_so(scripts, tmp_path, monkeypatch):
    script = scripts("grade_samples")
    monkeypatch.setattr(script.samples, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["grade_samples.py", "a1"])
    with pytest.raises(SystemExit, match="cnnlab build"):
        script.main()


def test_the_samples_run_in_a_sandbox_where_there_is_one(monkeypatch):
    """Leave to do without is no wish to do without."""
    from cnnlab.grading import executor

    found = executor.SandboxStatus(ok=True, reason="", executor="bubblewrap")
    monkeypatch.setattr(executor, "sandbox_status", lambda **_: found)
    assert executor.choose_executor(allow_unsandboxed=True).isolated
