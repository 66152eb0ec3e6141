"""When a submission came is kept, and nbgrader's own rule takes points from a late one."""

from datetime import datetime

import pytest

pytest.importorskip("nbgrader")

from cnnlab.grading.intake import take_stock
from cnnlab.grading.slips import Slips

DUE = datetime(2026, 11, 25, 12)
PLUGIN = """
from nbgrader.plugins import BasePlugin


class APointAnHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 3600
"""


def put(folder, name, text="2026-11-25 15:00:00 UTC"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def find_slips(folder, student, assignment):
    (received,) = [each for each in take_stock(folder, assignment, "a1.ipynb", []).received if each.student == student]
    return Slips(received.companions)


def notebook(folder):
    put(folder, "a1.ipynb", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')


def test_slips_lie_beside_the_notebook(tmp_path):
    put(tmp_path / "ann" / "a1", "timestamp.txt")
    put(tmp_path / "bob", "submission_secret.txt", "s3")
    for folder in (tmp_path / "ann" / "a1", tmp_path / "bob", tmp_path / "cyd"):
        notebook(folder)
    assert find_slips(tmp_path, "ann", "a1").submitted_at == datetime(2026, 11, 25, 15)
    assert find_slips(tmp_path, "bob", "a1").texts == {"submission_secret.txt": "s3"}
    assert find_slips(tmp_path, "bob", "a1").submitted_at is None
    assert find_slips(tmp_path, "cyd", "a1").texts == {}


@pytest.mark.parametrize("text", ["yesterday", "", "9" * 2000, "\x00", "99999-01-01"])
def test_a_time_that_is_none_is_no_time(tmp_path, text):
    put(tmp_path / "ann" / "a1", "timestamp.txt", text)
    notebook(tmp_path / "ann" / "a1")
    assert find_slips(tmp_path, "ann", "a1").submitted_at is None


def test_links_and_folders_are_no_slips(tmp_path):
    put(tmp_path, "secret.toml", "hidden_seed")
    notebook(tmp_path / "ann" / "a1")
    (tmp_path / "ann" / "a1" / "submission_secret.txt").symlink_to(tmp_path / "secret.toml")
    (tmp_path / "ann" / "a1" / "timestamp.txt").mkdir()
    assert find_slips(tmp_path, "ann", "a1").texts == {}


def test_a_late_submission_loses_what_the_courses_rule_takes(any_course, book, monkeypatch):
    (any_course.root / "penalty_of_the_tests.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(any_course.root)
    settings = any_course.root / "nbgrader_config.py"
    known = settings.read_text(encoding="utf-8") if settings.exists() else "c = get_config()\n"
    rule = "c.AssignLatePenalties.plugin_class = 'penalty_of_the_tests.APointAnHour'\n"
    settings.write_text(known + rule, encoding="utf-8")
    with book(any_course) as opened:
        opened.find_assignment("a1").duedate = DUE
        opened.db.commit()
    for student, hour in (("ann", 11), ("bob", 15), ("cyd", 22)):
        any_course.hand_in(student, one="" if student == "cyd" else "def scan_1d(*a): return 0")
        put(any_course.submissions / student, "timestamp.txt", f"2026-11-25 {hour}:00:00 UTC")
    any_course.grade()
    with book(any_course) as opened:
        found = {
            each.student.id: (each.score, each.late_submission_penalty, each.timestamp.hour)
            for each in opened.assignment_submissions("a1")
        }
    assert found == {"ann": (10, 0, 11), "bob": (10, 3, 15), "cyd": (10, 10, 22)}
    lines = (any_course.root / "out" / "a1" / "gradebook.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["ann,10,15,10,0,0,no", "bob,7,15,10,0,3,no", "cyd,0,15,10,0,10,no"]
