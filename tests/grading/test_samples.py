"""The sample class that comes with the project gets what expected.csv says, and follows its release."""

import csv
import importlib.util
import shutil
import subprocess
import sys

import pytest

from cnnlab.checks import exercises, run_exercise


@pytest.fixture
def samples(project_root):
    return project_root / "course" / "samples" / "a1"


@pytest.fixture
def expected(samples):
    with (samples / "expected.csv").open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture
def script(project_root):
    """The script that writes the samples, as a module."""
    spec = importlib.util.spec_from_file_location("build_samples", project_root / "scripts" / "build_samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_samples_follow_the_release(project_root):
    """If this fails: python scripts/build_samples.py, and commit what it wrote."""
    script = project_root / "scripts" / "build_samples.py"
    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_sample_is_expected_and_the_class_is_varied(samples, expected):
    assert {path.name for path in samples.iterdir() if path.is_dir()} == set(expected)
    assert len(expected) >= 10
    assert {row["status"] for row in expected.values()} == {"graded", "timeout", "crashed", "unreadable"}


def test_a_whole_run_gives_what_is_expected(project_root, samples, expected, tmp_path):
    pytest.importorskip("nbgrader")
    from cnnlab.authoring.build import build
    from cnnlab.grading import commands

    course = tmp_path / "course"
    shutil.copytree(project_root / "course" / "exercises", course / "exercises")
    shutil.copy(project_root / "course" / "nbgrader_config.py", course)
    build(tmp_path)
    report = commands.grade("a1", course_dir=course, submissions_dir=samples, allow_unsandboxed=True)
    with (course / "out" / "a1" / "grades.csv").open(encoding="utf-8") as file:
        assert {row["student"]: row for row in csv.DictReader(file)} == expected
    named = {
        result.student: {name for exercise in result.exercises for check in exercise.checks for name in check.mistakes}
        for result in report.results
    }
    assert {student: names for student, names in named.items() if names} == {
        "dora": {"counts_one_less", "every_tie"},
        "emil": {"time_first", "sum_for_mean", "temperature_ignored", "mean_not_divided"},
        "fatma": {"hop_ignored"},
        "goran": {"size_swapped", "overflow"},
    }


@pytest.mark.parametrize("seed", [1, 20, 300])
def test_points_are_those_of_the_checks_run_in_this_process_and_hang_on_no_seed(script, expected, seed):
    graded = 0
    for student, answers in script.STUDENTS.items():
        if expected[student]["status"] != "graded" or None in answers:
            continue
        graded += 1
        names = {}
        exec("import numpy as np\n" + "".join(answers), names)
        for exercise in exercises("a1"):
            functions = [names[function.name] for function in exercise.functions]
            result = run_exercise(exercise, functions, hidden=True, seed=seed)
            assert result.score == float(expected[student][exercise.id]), (student, exercise.id)
    assert graded == 8
