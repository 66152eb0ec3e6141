"""Whatever is handed in is read, or has a reason why not; nothing stops the others."""

import json
import os

import pytest

from cnnlab.grading import intake
from cnnlab.grading.intake import UnreadableError, collect, read_notebook
from cnnlab.grading.repair import repair


def as_bytes(*sources, **more):
    cells = [{"cell_type": "code", "source": source, "metadata": {}} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **more}).encode()


def put(folder, student, name, data=None):
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes("1") if data is None else data)
    return path


def read(folder, roster=()):
    return {each.student: each for each in collect(folder, "a1", "a1_scanning.ipynb", roster)}


@pytest.mark.parametrize(
    "name",
    [
        "a1_scanning.ipynb",
        "a1_scanning (1).ipynb",
        "Copy of a1_scanning.ipynb",
        "a1_scanning-Copy1.ipynb",
        "mine ü.ipynb",
    ],
)
def test_any_file_name_is_found(tmp_path, name):
    put(tmp_path, "ann", name)
    assert read(tmp_path)["ann"].state == "read"


def test_nbgraders_own_folders_are_understood(tmp_path):
    put(tmp_path, "ann", "a1/a1_scanning.ipynb", as_bytes("mine"))
    put(tmp_path, "ann", "a2/other.ipynb", as_bytes("not this"))
    assert read(tmp_path)["ann"].notebook["cells"][0]["source"] == "mine"


def test_the_exact_name_counts_before_copies(tmp_path):
    put(tmp_path, "ann", "a1_scanning (1).ipynb", as_bytes("copy"))
    put(tmp_path, "ann", "a1_scanning.ipynb", as_bytes("exact"))
    put(tmp_path, "ann", "zz.ipynb", as_bytes("other"))
    received = read(tmp_path)["ann"]
    assert received.notebook["cells"][0]["source"] == "exact"
    assert "3 notebooks" in received.notes[0]


def test_the_last_of_a_browsers_copies_counts_and_hidden_files_do_not(tmp_path):
    for number in (9, 10):
        put(tmp_path, "ann", f"a1_scanning ({number}).ipynb", as_bytes(f"copy {number}"))
    put(tmp_path, "ann", "._a1_scanning (11).ipynb", b"of macOS")
    received = read(tmp_path)["ann"]
    assert received.notebook["cells"][0]["source"] == "copy 10"
    assert "2 notebooks" in received.notes[1]


def test_a_notebook_beside_an_empty_inner_folder_is_found(tmp_path):
    put(tmp_path, "ann", "A1_SCANNING.IPYNB")
    (tmp_path / "ann" / "a1").mkdir()
    assert read(tmp_path)["ann"].state == "read"


def test_another_ending_is_named(tmp_path):
    put(tmp_path, "ann", "a1_scanning.ipynb.txt")
    assert "a1_scanning.ipynb.txt" in read(tmp_path)["ann"].reason


def test_a_folder_that_leads_elsewhere_is_not_followed(tmp_path):
    put(tmp_path, "ann", "a1/a1_scanning.ipynb")
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "a1").symlink_to(tmp_path / "ann" / "a1")
    received = read(tmp_path)["bob"]
    assert received.state == "unreadable"
    assert "links" in received.reason


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname == "Darwin", reason="names are bytes on Linux only")
def test_names_that_are_no_text_stop_nobody(tmp_path):
    put(tmp_path, "ann", "a1_scanning.ipynb")
    put(tmp_path, os.fsdecode(b"caf\xe9"), "a1_scanning.ipynb")
    put(tmp_path, "line\nbreak", "a1_scanning.ipynb")
    put(tmp_path, "bob", os.fsdecode(b"caf\xe9.ipynb"))
    received = read(tmp_path)
    assert {name: each.state for name, each in received.items()} == {
        "ann": "read", "bob": "read", "caf?": "unreadable", "line?break": "unreadable",
    }  # fmt: skip
    assert all(text.isprintable() for each in received.values() for text in (each.student, each.reason, *each.notes))


def test_a_folder_that_cannot_be_opened_stops_nobody(tmp_path, monkeypatch):
    put(tmp_path, "ann", "a1_scanning.ipynb")
    real = intake.Path.iterdir

    def refuse(path):
        if path.name == "ann":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(intake.Path, "iterdir", refuse)
    assert read(tmp_path)["ann"].state == "unreadable"
    assert "Permission denied" in read(tmp_path)["ann"].reason


def test_students_in_the_roster_without_a_file_are_missing(tmp_path):
    put(tmp_path, "ann", "a1_scanning.ipynb")
    (tmp_path / "empty").mkdir()
    found = read(tmp_path, ["ann", "bob"])
    assert {name: each.state for name, each in found.items()} == {"ann": "read", "bob": "missing", "empty": "missing"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{not json",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'"text"',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"cells": []}',
        b'{"nbformat": 2, "cells": []}',
        b'{"nbformat": 4}',
        b'{"nbformat": 4, "cells": {}}',
        b'{"nbformat": 4, "cells": [1]}',
        as_bytes(*["1"] * 2001),
        as_bytes("x" * 300_001),
    ],
)
def test_what_is_no_notebook_is_unreadable_with_a_reason(tmp_path, data):
    put(tmp_path, "ann", "a1_scanning.ipynb", data)
    put(tmp_path, "bob", "a1_scanning.ipynb")
    found = read(tmp_path)
    assert found["ann"].state == "unreadable"
    assert len(found["ann"].reason) > 20
    assert found["bob"].state == "read"


def test_files_above_the_limit_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_BYTES", 1 << 20)
    put(tmp_path, "ann", "a1_scanning.ipynb", b" " * ((1 << 20) + 1))
    assert "larger than 1 MiB" in read(tmp_path)["ann"].reason


def test_a_students_folder_that_is_a_link_is_not_followed(tmp_path):
    put(tmp_path / "elsewhere", "ann", "a1_scanning.ipynb")
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "bob").symlink_to(tmp_path / "elsewhere" / "ann")
    found = read(tmp_path / "class")["bob"]
    assert (found.state, found.reason) == ("unreadable", "the folder is a link; links are not followed")


@pytest.mark.parametrize("make", [os.symlink, lambda target, path: os.mkfifo(path), lambda target, path: path.mkdir()])
def test_links_pipes_and_folders_are_not_opened(tmp_path, make):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(as_bytes("secret"))
    (tmp_path / "class" / "ann").mkdir(parents=True)
    make(secret, tmp_path / "class" / "ann" / "a1_scanning.ipynb")
    assert read(tmp_path / "class")["ann"].state == "unreadable"


def test_outputs_and_odd_parts_are_left_behind():
    cell = {
        "cell_type": "code",
        "id": "not valid!",
        "source": ["a = 1\n", "b = 2", 3],
        "metadata": {"nbgrader": "text", "evil": 1},
        "outputs": [{"output_type": "nonsense"}],
    }
    [clean] = read_notebook(json.dumps({"nbformat": 4, "cells": [cell]}).encode())["cells"]
    assert clean == {
        "id": "cell-0",
        "cell_type": "code",
        "source": "a = 1\nb = 2",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }


def test_format_3_is_read():
    cells = [{"cell_type": "code", "input": "x = 1"}, {"cell_type": "heading", "source": "Title"}]
    clean = read_notebook(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode())["cells"]
    assert [(cell["cell_type"], cell["source"]) for cell in clean] == [("code", "x = 1"), ("markdown", "Title")]


def test_a_byte_order_mark_does_no_harm():
    assert read_notebook(b"\xef\xbb\xbf" + as_bytes("1"))["cells"]


def test_errors_name_the_place():
    with pytest.raises(UnreadableError, match="line 2, column 1"):
        read_notebook(b"{\n]")


# ---- repair ----


@pytest.fixture
def release(new_cell):
    return {
        "cells": [
            new_cell("import numpy", "imports"),
            new_cell("def f(): raise", "answer", grade=False, solution=True),
            new_cell("check(f)", "test", grade=True, solution=False, points=5),
            new_cell("", "essay", grade=True, solution=True, points=3) | {"cell_type": "markdown"},
        ]
    }


def names(repaired):
    return [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in repaired.notebook["cells"]]


def test_an_untouched_release_needs_no_repair(release):
    repaired = repair(release, release)
    assert repaired.notes == ()
    assert repaired.own_cells == frozenset()
    assert [cell.source for cell in repaired.cells] == ["import numpy", "def f(): raise"]


def test_a_submission_keeps_its_code_and_loses_its_metadata(release, new_cell):
    mine = [
        new_cell("import numpy", "imports"),
        new_cell("def f(): return 1", "answer", grade=True, solution=False, points=99),
        new_cell("check = print  # replaced", "test", grade=True, solution=False, points=1000),
        new_cell("more()", "mine", grade=True, solution=False, points=50),
    ]
    repaired = repair({"cells": mine}, release)
    assert [cell.source for cell in repaired.cells] == ["import numpy", "def f(): return 1", "more()"]
    assert repaired.own_cells == {1, 3}
    assert names(repaired) == [None, "answer", "test", None, "essay"]
    assert repaired.notebook["cells"][2]["source"] == "check(f)"
    assert repaired.notebook["cells"][2]["metadata"] == release["cells"][2]["metadata"]
    assert repaired.notes == ("grade cell essay was missing and was put back",)


def test_of_a_copied_cell_the_last_one_counts_and_all_run(release):
    answer, test = release["cells"][1], release["cells"][2]
    repaired = repair({"cells": [answer, answer | {"source": "def f(): return 2"}, test, test]}, release)
    assert names(repaired) == [None, "answer", None, "test", "essay"]
    # A copy of a grade cell is the student's own code now; it runs and is worth nothing.
    assert [cell.source for cell in repaired.cells] == ["def f(): raise", "def f(): return 2", "check(f)"]
    ids = [cell["id"] for cell in repaired.notebook["cells"]]
    assert len(set(ids)) == len(ids)


def test_metadata_that_an_editor_removed_is_found_by_the_cell_id(release, new_cell):
    bare = [new_cell(cell["source"], cell["id"]) for cell in release["cells"][:3]]
    repaired = repair({"cells": bare}, release)
    assert names(repaired)[:3] == [None, "answer", "test"]
    assert [cell.source for cell in repaired.cells] == ["import numpy", "def f(): raise"]


def test_a_deleted_answer_is_not_put_back_over_the_students_own(release, new_cell):
    repaired = repair({"cells": [new_cell("def f(): return 3", "mine")]}, release)
    assert [cell.source for cell in repaired.cells] == ["def f(): return 3"]
    assert names(repaired) == [None, "test", "essay"]


def test_a_cell_of_another_type_becomes_what_it_was(release):
    changed = release["cells"][2] | {"cell_type": "markdown"}
    changed = {key: value for key, value in changed.items() if key not in {"outputs", "execution_count"}}
    repaired = repair({"cells": [changed]}, release)
    assert repaired.notebook["cells"][0]["cell_type"] == "code"
    assert repaired.notebook["cells"][0]["outputs"] == []
    assert "markdown" in repaired.notes[0]


@pytest.mark.parametrize(
    "odd", [{"grade_id": 7}, {"grade_id": None}, {"grade_id": ["answer"]}, {}, {"grade_id": "x" * 9999}]
)
def test_odd_metadata_do_no_harm(release, new_cell, odd):
    cell = new_cell("x", "mine")
    cell["metadata"] = {"nbgrader": odd}
    assert names(repair({"cells": [cell]}, release))[0] is None
