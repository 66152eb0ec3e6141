"""Notebooks follow from their sources alone, and what is committed is up to date."""

import json
import shutil

import nbformat
import pytest

from cnnlab.authoring.build import build


def test_committed_notebooks_are_up_to_date(root, built):
    # Built anew elsewhere and compared file by file; `make build` mends a failure.
    committed = [path.relative_to(built) for path in built.rglob("*.ipynb") if "course/source" not in path.as_posix()]
    assert len(committed) >= 3
    stale = [str(path) for path in committed if _text(root / path) != _text(built / path)]
    assert stale == []
    assert build(root, check=True) == []


def _text(path):
    return path.read_text(encoding="utf-8") if path.exists() else None


def test_a_build_makes_four_kinds_of_notebooks(small):
    assert [path.relative_to(small).as_posix() for path in build(small)] == [
        "lectures/01_first.ipynb",
        "course/source/a7/a7_small.ipynb",
        "course/release/a7/a7_small.ipynb",
        "solutions/a7/a7_small.ipynb",
    ]


def test_a_second_build_changes_nothing(small):
    before = {path: path.read_bytes() for path in build(small)}
    assert build(small) == []
    for path in before:
        path.unlink()
    assert {path: path.read_bytes() for path in build(small)} == before


def test_check_reports_and_writes_nothing(small):
    release, solution = small / "course/release/a7/a7_small.ipynb", small / "solutions/a7/a7_small.ipynb"
    lecture = small / "lectures/01_first.ipynb"
    assert build(small, check=True) == [lecture, release, solution]
    assert not lecture.exists()
    build(small)
    assert build(small, check=True) == []
    solution.write_text(solution.read_text().replace("the answer", "an answer"))
    changed = solution.read_bytes()
    assert build(small, check=True) == [solution]
    assert solution.read_bytes() == changed
    assert build(small) == [solution]


def test_an_edit_of_one_cell_leaves_the_other_ids(small):
    build(small)
    path = small / "course/release/a7/a7_small.ipynb"
    before = [cell.id for cell in nbformat.read(path, 4).cells]
    source = small / "course/exercises/a7_small.py"
    source.write_text(source.read_text().replace("# # A small assignment", "# # Another title"))
    build(small)
    after = [cell.id for cell in nbformat.read(path, 4).cells]
    assert before[0] != after[0]
    assert before[1:] == after[1:]
    assert after[-2:] == ["double-answer", "double"]
    assert len(set(after)) == len(after)  # two cells hold the same text


def test_a_notebook_says_what_it_was_made_from(small):
    for path in build(small):
        notebook = nbformat.read(path, 4)
        text = path.read_text(encoding="utf-8")
        source = notebook.metadata.cnnlab.generated_from
        assert (small / source).is_file()
        assert f"<!-- Generated from {source}: edit that file, then run `make build`. -->" in text[:500]
        assert text.endswith("}\n")
        assert not text.endswith("\n\n")
        assert list(json.loads(text)) == sorted(json.loads(text))
        assert notebook.metadata.kernelspec.name == "python3"
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert (cell.outputs, cell.execution_count) == ([], None)


def test_a_source_must_begin_with_text(small):
    (small / "lectures/source/02_bad.py").write_text("# %%\n1\n")
    with pytest.raises(ValueError, match=r"lectures/source/02_bad.py must begin with a text cell"):
        build(small)


def test_a_grade_id_must_be_a_cell_id(small):
    source = small / "course/exercises/a7_small.py"
    source.write_text(source.read_text().replace('"double"', '"a7.double"'))
    with pytest.raises(ValueError, match=r"grade_id 'a7.double'"):
        build(small)


def test_a_project_without_assignments_can_be_built(small):
    shutil.rmtree(small / "course")
    assert [path.name for path in build(small)] == ["01_first.ipynb"]
