"""The lectures run, say what they show, and keep the rules of the house."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lectures" / "source").glob("*.py"))
NAMES = [path.stem for path in SOURCES]


@pytest.fixture
def first(run_lecture):
    return run_lecture(
        "01_finding_a_welcome",
        starts="list(starts)",
        curves="curves",
        at_trained_place="accuracy_at(whole_logits, START)",
        whole_anywhere="accuracy_at(whole_logits, None)",
        fair_in_training="accuracy(fair_logits(anywhere.x), anywhere.y)",
        fair_anywhere="accuracy_at(fair_logits, None)",
        scan_anywhere="accuracy_at(max_logits, None)",
        loop_difference="float(np.abs(scan(with_word.x) - nn.Scan(small, K).eval()(with_word.x[None])[0, 0]).max())",
        deciders="{name: accuracy(train.predict(d, scores_test)[:, 0], test.y) for name, d in deciders.items()}",
        other="accuracy(max_logits(other.x), other.y)",
        small_parameters="size(small)",
        whole_parameters="size(whole)",
    )


def test_whole_recording_net_knows_the_trained_place_and_no_other(first):
    assert first.values["at_trained_place"] >= 0.85
    assert first.values["whole_anywhere"] <= 0.60
    away = [
        a
        for s, a in zip(first.values["starts"], first.values["curves"]["whole-recording MLP"], strict=True)
        if s != 0.3
    ]
    assert sum(away) / len(away) <= 0.60


def test_fair_control_learns_its_training_recordings_by_heart(first):
    assert first.values["fair_in_training"] >= 0.95
    assert first.values["fair_anywhere"] <= 0.70


def test_scan_finds_the_word_anywhere(first):
    assert first.values["scan_anywhere"] >= 0.93
    assert min(first.values["curves"]["scan, maximum"]) >= 0.90
    assert first.values["small_parameters"] < first.values["whole_parameters"] / 5


def test_loop_and_layer_are_the_same_scan(first):
    assert first.values["loop_difference"] < 1e-4


def test_what_is_said_of_the_decisions_holds(first):
    got = first.values["deciders"]
    for good in ("maximum", "softmax, τ = 1", "MLP"):
        assert got[good] >= 0.93
    for poor in ("mean", "MLP, one place"):
        assert got[poor] <= 0.65


def test_another_synthesizer_is_the_limit_that_the_text_says(first):
    assert first.values["other"] <= 0.75


def test_start_page_runs(run_lecture):
    page = run_lecture("00_start_here", device="cnnlab.current_device()")
    assert page.values["device"] == "cpu"
    assert re.search(r"ok\s+Python", page.printed)


@pytest.mark.parametrize("name", ["00_start_here", "01_finding_a_welcome", "demos"])
def test_lectures_complain_about_nothing(run_lecture, name, request):
    if name == "01_finding_a_welcome":
        request.getfixturevalue("first")  # runs it with the questions of the tests above
    assert run_lecture(name, nothing="0").complaints == ""


@pytest.mark.parametrize("name", NAMES)
def test_links_between_notebooks_resolve(name):
    notebook = nbformat.read(ROOT / "lectures" / f"{name}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "lectures" / target).exists(), target


def test_every_taught_row_has_a_section_that_exists():
    table = re.findall(r"^\| (D\d\d) \|.*\| (.*) \|$", (ROOT / "lectures" / "README.md").read_text(), re.MULTILINE)
    assert [row for row, _ in table] == [f"D{i:02}" for i in range(1, len(table) + 1)]
    for row, place in table:
        number = place.partition(",")[0]
        (source,) = [path for path in SOURCES if path.stem.startswith(f"{number}_")]
        headings = re.findall(r"^# ##? (.*)$", source.read_text(), re.MULTILINE)
        for heading in re.findall(r'"([^"]+)"', place):
            assert heading in headings, f"{row} points to {heading!r}, which {source.name} does not have"


@pytest.mark.parametrize("name", NAMES)
def test_lecture_is_listed(name):
    assert f"[{name}]({name}.ipynb)" in (ROOT / "lectures" / "README.md").read_text()


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_code_cells_are_thin(source):
    """About 15 lines a cell; anything longer belongs in the package."""
    cells = re.split(r"^# %%", source.read_text(), flags=re.MULTILINE)[1:]
    code = [cell for cell in cells if not cell.startswith(" [markdown]")]
    longest = max(code, key=lambda cell: len(cell.strip().splitlines()))
    assert len(longest.strip().splitlines()) <= 22, longest
