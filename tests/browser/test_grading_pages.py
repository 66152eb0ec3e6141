"""The page of a student and the report of the team, as they are read: on a phone and a desk, in light and dark."""

import numpy as np
import pytest

pytest.importorskip("nbgrader")

from axe_playwright_python.sync_playwright import Axe

from cnnlab.checks import exercise, run_exercise
from cnnlab.grading import feedback, publish
from cnnlab.grading.by_hand import Marks, Part
from cnnlab.grading.model import Change, CheckRecord, ExerciseRecord, Report, Result, Similarity, SimilarPair
from cnnlab.grading.summary import summarize
from cnnlab.viz import cards

LONG = "Wolfeschlegelsteinhausenbergerdorff_1234567890123456789012345678901234567890"


def swapped(x, layers, width, hop):
    (w, b), *_ = layers
    return np.stack([w @ x[:, t : t + width].T.reshape(-1) + b for t in range(0, x.shape[1] - width + 1, hop)], axis=1)


@pytest.fixture(scope="module")
def result():
    found = run_exercise(exercise("a1.scan_1d"), swapped, hidden=True, seed=1)
    checks = tuple(
        CheckRecord(o.title, o.hidden, o.passed, o.points, o.max_points, o.kind, {m.id: m.name for m in o.mistakes})
        for o in found.outcomes
    )
    card = cards.as_html(found, pictures=True)
    record = ExerciseRecord("a1.scan_1d", "a1-scan_1d", found.title, found.score, 5.0, checks, card)
    return Result(LONG, "a1", "graded", exercises=(record,), notes=("the file is named x.ipynb",))


@pytest.fixture(scope="module")
def pages(result):
    part = Part("a1-scan_1d", result.score, 3.0, None, 5.0, False)
    marks = Marks(3.0, 5.0, 0.0, (part,), (("a1-scan_1d-answer", "Look at the order again.\n" + "x" * 200),))
    report = Report(
        "a1",
        (("a1.scan_1d", 5.0),),
        (result, Result("bob", "a1", "unreadable", "it is not valid JSON"), Result("cyd", "a1", "missing", "nothing")),
        warnings=("NOT ISOLATED",),
        title="Assignment 1",
        notices=("Of no student: x.ipynb",),
        changes=(Change(LONG, "a1.scan_1d", 1.0, 2.0),),
        similar=Similarity((SimilarPair(LONG, "bob", 0.95, 0.99),), 2, 0.5, 0.6),
    )
    return {
        "student": feedback.page(result, title="Assignment 1", max_score=5.0, marks=marks),
        "team": publish.page(report, summarize(report), {LONG: marks}, notebook="a1_scanning"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1150])
@pytest.mark.parametrize("name", ["student", "team"])
def test_pages_fit_the_screen_and_can_be_read_by_all(new_page, tmp_path, pages, *, name, width, scheme):
    path = tmp_path / "page.html"
    path.write_text(pages[name], encoding="utf-8")
    # axe is a script of the test, which the page itself forbids.
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [
        f"{fault['id']}: {node['target']} {node['failureSummary']}" for fault in found for node in fault["nodes"]
    ] == []


def test_no_script_can_run_on_a_page(new_page, tmp_path, pages):
    path = tmp_path / "page.html"
    attack = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\"></body>"
    path.write_text(pages["student"].replace("</body>", attack), encoding="utf-8")
    page = new_page()
    page.goto(path.as_uri())
    assert page.title().startswith("Assignment 1")


def test_the_picture_shows_the_first_wrong_number_in_all_three_maps(new_page, tmp_path, pages):
    path = tmp_path / "page.html"
    path.write_text(pages["student"], encoding="utf-8")
    page = new_page(viewport={"width": 390, "height": 900})
    page.goto(path.as_uri())
    maps = page.locator(".pictures svg")
    assert maps.count() == 3
    assert page.locator(".pictures .frame").count() == 3
    assert all(each.bounding_box()["width"] >= 28 for each in maps.all())
