"""Each cell of a lecture knows its part on slides."""

import nbformat
import pytest

from cnnlab.authoring.slide_roles import mark_slides


def notebook_of(*cells):
    notebook = nbformat.v4.new_notebook()
    for kind, source, *tags in cells:
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        notebook.cells.append(make(source, metadata={"tags": tags} if tags else {}))
    return notebook


def roles_of(*cells):
    notebook = notebook_of(*cells)
    mark_slides(notebook, "lectures/source/x.py")
    return [cell.metadata.slideshow.slide_type for cell in notebook.cells]


def test_headings_open_slides_and_code_stays_with_its_text():
    cells = [("text", "<!-- made -->\n\n# Title"), ("code", "1"), ("text", "## Part"), ("text", "more"), ("code", "2")]
    assert roles_of(*cells) == ["slide", "-", "slide", "subslide", "-"]


def test_a_tag_outweighs_the_rule():
    assert roles_of(
        ("text", "# T"), ("text", "answer", "fragment"), ("code", "x = 1", "skip"), ("code", "x", "slide")
    ) == [
        "slide",
        "fragment",
        "skip",
        "slide",
    ]


def test_notes_are_folded_and_other_tags_stay():
    notebook = notebook_of(("text", "# T"), ("text", "**5 min.** Ask first.", "notes"), ("code", "x", "mine"))
    mark_slides(notebook, "lectures/source/x.py")
    assert notebook.cells[1].metadata == {"slideshow": {"slide_type": "notes"}}
    assert notebook.cells[1].source.startswith("<details><summary>For the lecturer</summary>\n\n**5 min.** Ask first.")
    assert notebook.cells[2].metadata["tags"] == ["mine"]


def test_two_parts_or_notes_in_code_are_refused():
    with pytest.raises(ValueError, match=r"x\.py: a cell has the tags \['slide', 'notes'\]"):
        roles_of(("text", "# T", "slide", "notes"))
    with pytest.raises(ValueError, match="notes are text, and this cell is code: 'x = 1'"):
        roles_of(("text", "# T"), ("code", "x = 1", "notes"))
