"""nbgrader's formgrader in a real browser, on a class that our grader graded: points and a comment given there stay."""

import csv
import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ..postgresql_server import PASSWORD
from .conftest import local_pages, running_lab

pytest.importorskip("nbgrader")

ROOT = Path(__file__).parents[2]
COMMENT = "Look at slide 12, please: <b>hop</b> – nearly there!"


@pytest.fixture(params=["sqlite", "postgresql"])
def course(request, tmp_path, monkeypatch):
    """The project's course, in which two students of the sample class were graded; one kind of gradebook each."""
    from cnnlab.authoring.build import build

    course = tmp_path / "formgrader" / "course"
    shutil.copytree(ROOT / "course" / "exercises", course / "exercises")
    settings = (ROOT / "course" / "nbgrader_config.py").read_text(encoding="utf-8")
    if request.param == "postgresql":
        server = request.getfixturevalue("server")
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
        settings += f"\nc.CourseDirectory.db_url = {server.url(server.database())!r}\n"
    (course / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    build(course.parent)
    for student in ("ada", "fatma"):
        shutil.copytree(ROOT / "course" / "samples" / "a1" / student, course / "submitted" / student / "a1")
    grade(course)
    yield course
    assert (course / "gradebook.db").exists() == (request.param == "sqlite")


def grade(course):
    from cnnlab.grading import commands

    report = commands.grade("a1", course_dir=course, allow_unsandboxed=True)
    return {result.student: result.score for result in report.results}


def table(path):
    with path.open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def is_saved(what):
    return lambda response: f"/api/{what}/" in response.url and response.request.method == "PUT" and response.ok


@pytest.mark.slow
def test_points_and_a_comment_given_in_formgrader_survive_a_further_run(course, browser, tmp_path):
    before = table(course / "out" / "a1" / "grades.csv")["fatma"]
    # Formgrader asks for MathJax elsewhere and raises when nobody answers; the rest works.
    with running_lab(tmp_path / "lab", notebooks=course) as lab, local_pages(browser, strict=False) as context:
        page = context.new_page()
        start = f"http://127.0.0.1:{lab.port}/formgrader"
        page.goto(f"{start}/gradebook?token={lab.token}")
        page.get_by_role("link", name="a1", exact=True).click()
        page.get_by_role("link", name="a1_scanning", exact=True).click()
        expect(page.locator("tbody tr")).to_have_count(2)
        # Names are hidden; of the two, only one has these points.
        page.locator("tbody tr").filter(has_text=f"{before['score']} / 15").locator("a.name-hidden").click()
        points = page.locator("#a1-scan_1d")
        expect(points).to_have_attribute("placeholder", before["a1.scan_1d"])
        points.press("Control+a")
        points.press_sequentially("4.5")
        comment = page.locator("textarea.comment").first
        with page.expect_response(is_saved("grade")):  # leaving a field saves it
            comment.click()
        comment.press_sequentially(COMMENT)
        with page.expect_response(is_saved("comment")):
            points.click()
        address = page.url

        changed = course / "submitted" / "fatma" / "a1" / "a1_scanning.ipynb"
        notebook = json.loads(changed.read_text(encoding="utf-8"))
        notebook["cells"][0]["source"] += "\nHanded in again."
        changed.write_text(json.dumps(notebook), encoding="utf-8")
        assert grade(course)["fatma"] == float(before["score"])

        page.goto(f"{start}/gradebook/a1")
        page.goto(address)
        expect(page.locator("#a1-scan_1d")).to_have_value("4.5")
        expect(page.locator("textarea.comment").first).to_have_value(COMMENT)
        # Handed in again: formgrader marks the cell as one that needs a look.
        expect(page.locator("#a1-scan_1d")).to_have_class(re.compile("needs_manual_grade"))

    total = table(course / "out" / "a1" / "gradebook.csv")["fatma"]
    assert total["by_machine"] == before["score"]
    assert float(total["by_hand"]) == 4.5 - float(before["a1.scan_1d"])
    assert total["needs_manual_grade"] == "yes"
    page = (course / "feedback" / "fatma" / "a1" / "a1_scanning.html").read_text(encoding="utf-8")
    assert html.escape(COMMENT) in page
    exported = tmp_path / "exported.csv"
    command = [sys.executable, "-m", "nbgrader", "export", "--to", str(exported)]
    subprocess.run(command, cwd=course, check=True, capture_output=True, timeout=120)
    with exported.open(encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {name: float(row["score"]) for name, row in table(course / "out" / "a1" / "gradebook.csv").items()}
