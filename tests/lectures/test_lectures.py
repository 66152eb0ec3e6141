"""What holds for all lectures: their rhythm, their links, their place in the table of the deck's rows."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lectures" / "source").glob("*.py"))
NAMES = [path.stem for path in SOURCES]
LECTURES = [path for path in SOURCES if re.match(r"(?!00)\d\d_", path.stem)]
CLOSING = ["What you saw", "Three questions for you", "Go on"]


def cells_of(source):
    """The cells of a source: (kind, text without the comment signs); kind is "code", "text" or "notes"."""
    for cell in re.split(r"^# %%", source.read_text(), flags=re.MULTILINE)[1:]:
        head, _, body = cell.partition("\n")
        if "[markdown]" not in head:
            yield "code", body.strip()
        else:
            text = re.sub(r"^# ?", "", body, flags=re.MULTILINE).strip()
            yield ("notes" if '"notes"' in head else "text"), text


def sections_of(source):
    """Heading -> (kind, text) of the cells below it, the heading's own cell first."""
    sections = {}
    for kind, text in cells_of(source):
        heading = re.match(r"##? (.*)", text) if kind == "text" else None
        if heading:
            sections[heading[1]] = []
        sections[list(sections)[-1]].append((kind, text))
    return sections


@pytest.mark.parametrize("name", NAMES)
def test_links_between_notebooks_resolve(name):
    notebook = nbformat.read(ROOT / "lectures" / f"{name}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "lectures" / target).exists(), target


def test_every_row_of_the_deck_has_a_section_that_exists():
    table = re.findall(r"^\| (D\d\d) \|.*\| (.*) \|$", (ROOT / "lectures" / "README.md").read_text(), re.MULTILINE)
    assert [row for row, _ in table] == [f"D{i:02}" for i in range(1, 55)]
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


@pytest.mark.parametrize("source", LECTURES, ids=lambda path: path.stem)
class TestRhythm:
    """Each lecture asks first, lets predict, sums up, asks again, and tells the lecturer how long it takes."""

    def test_it_opens_with_a_question(self, source):
        opening = next(text for kind, text in cells_of(source))
        number = int(source.stem[:2])
        assert re.match(rf"# {number}\. ", opening)
        assert "?" in opening
        assert re.search(r"^\*About \d+ minutes\. .*Deck rows? D\d\d", opening, re.MULTILINE | re.DOTALL), opening

    def test_headings_begin_their_cells(self, source):
        for _, text in cells_of(source):
            assert "\n## " not in text, text

    def test_the_reader_predicts(self, source):
        text = "\n".join(text for kind, text in cells_of(source) if kind == "text")
        assert len(re.findall(r"\*\*[^*]*[Pp]redict[^*]*\*\*", text)) >= 2

    def test_it_closes_with_a_summary_and_three_questions(self, source):
        sections = sections_of(source)
        assert list(sections)[-3:] == CLOSING
        ((_, questions),) = [cell for cell in sections["Three questions for you"] if cell[0] == "text"]
        assert len(re.findall(r"<details><summary>\d\. .*\?.*</summary>\n\n(?=.)", questions)) == 3
        assert questions.count("</details>") == 3
        assert "ssignment" in "\n".join(text for _, text in sections["Go on"])

    def test_the_lecturer_has_notes_that_add_up(self, source):
        sections = sections_of(source)
        minutes = 0
        for heading, cells in sections.items():
            notes = [text for kind, text in cells if kind == "notes"]
            if heading in CLOSING[1:]:
                continue
            assert notes, f"{heading!r} has no notes"
            for note in notes:
                found = re.match(r"\*\*(\d+) min\.\*\* ", note)
                assert found, note
                minutes += int(found[1])
        about = int(re.search(r"\*About (\d+) minutes", next(iter(cells_of(source)))[1])[1])
        assert abs(minutes - about) <= 0.15 * about, f"notes add up to {minutes} minutes"
        everything = "\n".join(text for kind, text in cells_of(source) if kind == "notes")
        assert everything.count("*Usually asked:*") >= 3
