"""Whatever files are handed in, each student ends with a recorded status, and nobody stops the run."""

import io
import json
import string
import struct
import tracemalloc
import warnings
import zipfile

import pytest
from effort import examples
from hypothesis import assume, given
from hypothesis import strategies as st

from cnnlab.grading import commands, intake, naming, plan
from cnnlab.grading.files import UnreadableError
from cnnlab.grading.handed_in import open_class
from cnnlab.grading.intake import read_notebook, take_stock
from cnnlab.grading.people import Person
from cnnlab.grading.repair import grade_cells, repair

NAME = "a1_scanning.ipynb"
quick = examples(80)


def cell(source, grade_id=None, *, kind="code", **nbgrader):
    metadata = {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **nbgrader}} if grade_id else {}
    found = {"cell_type": kind, "id": grade_id or "plain", "metadata": metadata, "source": source}
    return found | ({"outputs": [], "execution_count": None} if kind == "code" else {})


NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [
        cell("# Scanning", kind="markdown"),
        cell("def f(x):\n    return x", "answer-f", grade=False, solution=True),
        cell("check('f', f)", "a1-f", grade=True, solution=False, points=5),
        cell("Words.", "why", kind="markdown", grade=True, solution=True, points=3),
        cell("plot()", "why-figure", grade=False, solution=True),
    ],
}
RELEASE = read_notebook(json.dumps(NOTEBOOK).encode())
PNG = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}}


def nested(depth, kind):
    value = 0
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


odd = (
    st.sampled_from(
        [
            *(None, True, 0, -1, 10**400, 1.5, float("nan"), float("inf"), "", "x", "code", "\ud800", "\0", [], {}),
            *([None], [[]], [1, ["a"], {}], {"a": 1}, {"grade_id": ["a1-f"]}, {"nbgrader": []}, {"nbgrader": {}}),
            *({"image/png": 5}, {"text/html": ["src='data:image/png;base64,AAAA'"]}, [PNG, 5, {"data": [1]}]),
            *({"nbgrader": {"grade_id": "a1-f", "grade": [1], "points": {}}}, {"nbgrader": {"grade_id": "\ud800"}}),
            *(["def f(x):\n", "    return x"], "a" * 100_000, "9" * 5000, [cell("1")], cell("1"), "answer-f", "a1-f"),
        ]
    )
    | st.builds(nested, st.sampled_from([5, 200, 450, 800]), st.sampled_from(["list", "dict"]))
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["nbgrader", "grade_id", "source", "cell_type", "id", "data", "cells", "x"]), inner
            )
        ),
        max_leaves=6,
    )
)


def places_in(tree, path=()):
    yield path
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from places_in(value, (*path, key))


PLACES = sorted(places_in(NOTEBOOK), key=repr)


@st.composite
def changed_notebooks(draw):
    """Draw the notebook with values of other types, keys gone, doubled cells, and more keys than it had."""
    tree = json.loads(json.dumps(NOTEBOOK))
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4)):
        how = draw(st.sampled_from(["swap", "swap", "remove", "double", "add"]))
        if not path:
            continue
        holder = tree
        try:
            for key in path[:-1]:
                holder = holder[key]
            if how == "swap":
                holder[path[-1]] = draw(odd)
            elif how == "remove":
                del holder[path[-1]]
            elif how == "double" and isinstance(holder, list):
                holder.insert(path[-1], holder[path[-1]])
            elif isinstance(holder, dict):
                holder[draw(st.sampled_from(["input", "outputs", "worksheets", "attachments", "id"]))] = draw(odd)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    if draw(st.integers(0, 5)) == 0:
        tree = {"nbformat": 3, "worksheets": [{"cells": tree.get("cells")}, draw(odd)]} if isinstance(tree, dict) else 0
    return tree


def take_in(data):
    """Read and repair one file, and see that the result is whole; None if it is unreadable."""
    try:
        submitted = read_notebook(data)
    except UnreadableError as error:
        reason = str(error)
    else:
        reason = ""
    if reason:
        assert len(reason.encode("utf-8")) < 300
        return None
    repaired = repair(submitted, RELEASE)
    assert set(grade_cells(repaired.notebook)) == {"a1-f"}
    assert grade_cells(repaired.notebook)["a1-f"]["points"] == 5
    assert len({each["id"] for each in repaired.notebook["cells"]}) == len(repaired.notebook["cells"])
    for each in repaired.notebook["cells"]:
        assert type(each["source"]) is str
        assert each["cell_type"] in {"code", "markdown", "raw"}
        assert ("outputs" in each) == (each["cell_type"] == "code")
    for each in repaired.cells:
        each.source.encode("utf-8")
    json.dumps(repaired.notebook, allow_nan=False).encode("utf-8")
    return repaired


@quick
@given(changed_notebooks())
def test_changed_notebooks_are_read_or_have_a_reason(tree):
    take_in(json.dumps(tree).encode())


@quick
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=3)), min_size=1, max_size=5), st.data())
def test_damaged_notebooks_are_read_or_have_a_reason(edits, data):
    text = bytearray(json.dumps(NOTEBOOK).encode())
    for place, piece in edits:
        spot = int(place * len(text))
        text[spot : spot + data.draw(st.sampled_from([0, 1, len(piece), 40]))] = piece
    take_in(bytes(text))


@quick
@given(st.binary(max_size=200))
def test_noise_is_no_notebook(data):
    take_in(data)


@pytest.mark.parametrize(
    "change",
    [
        {"cell_type": ["code"]},
        {"cell_type": {}},
        {"metadata": {"nbgrader": nested(600, "dict")}},
        {"metadata": nested(600, "dict")},
        {"source": nested(600, "list")},
        {"outputs": nested(600, "list")},
        {"id": []},
    ],
)
def test_a_cell_of_odd_types_is_read_all_the_same(change):
    """Each of the first three once stopped the run for the whole class."""
    assert take_in(json.dumps({**NOTEBOOK, "cells": [{**cell("x = 1"), **change}]}).encode()) is not None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"nbformat": ' + b"9" * 5000 + b', "cells": []}', "thousands of digits"),
        (b'{"nbformat": ' + b"9" * 4000 + b', "cells": []}', "of many digits"),
        (b'{"nbformat": 4, "cells": [' + b"[" * 5000 + b"]" * 5000 + b"]}", "too deeply"),
        (b"\xff\xfe{}", "UTF-8"),
        (b'{"nbformat": NaN, "cells": []}', "no notebook"),
        (b'{"nbformat": 4, "cells": [null]}', "no cell"),
        (b"[]", "no notebook"),
        (b"{", "line 1"),
    ],
)
def test_the_reason_is_the_true_one(data, words):
    with pytest.raises(UnreadableError, match=words):
        read_notebook(data)


# ---- zips ----

names = st.sampled_from(
    [
        *(
            "ada/a1_scanning.ipynb",
            "ada/a1/a1_scanning.ipynb",
            "../x.ipynb",
            "/etc/x.ipynb",
            "C:\\x.ipynb",
            "a\\b.ipynb",
        ),
        *("Ada Byron_12_assignsubmission_file_/a1_scanning.ipynb", "byronada_12_34_a1_scanning.ipynb", "", "/", "ada/"),
        *(
            "ada+a1+2026-10-01 12:00:00 UTC/a1_scanning.ipynb",
            "ada+a1+2026/x.zip",
            "ada/\0.ipynb",
            "." * 300 + ".ipynb",
        ),
        *("ada/" * 200 + "x.ipynb", "\u202e/x.ipynb", "ada/a1_scanning (" + "9" * 400 + ").ipynb", "ada/work.zip"),
        *("ada/timestamp.txt", "__MACOSX/ada/a1_scanning.ipynb", "b/\ud7ff.ipynb", "x" * 250 + "/a1_scanning.ipynb"),
        "." * 300 + ".ipynb",
    ]
) | st.text(string.ascii_letters + string.digits + "_/+\\. -\u0661ü", min_size=1, max_size=30)
contents = st.sampled_from([json.dumps(NOTEBOOK).encode(), b"{}", b"", b"\0" * 100_000, b"PK\x03\x04", b"PK\x05\x06"])


@st.composite
def zips(draw, damaged=True):
    """Draw a zip with odd names, and then bytes of it changed, cut, or repeated."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice, which is odd enough to be tried
        for name, data in draw(st.lists(st.tuples(names, contents), max_size=5)):
            info = zipfile.ZipInfo(name)
            info.compress_type = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
            info.external_attr = draw(st.sampled_from([0, 0o100644 << 16, 0o120777 << 16, 0o040755 << 16]))
            packed.writestr(info, data)
    data = bytearray(file.getvalue())
    for place in draw(st.lists(st.floats(0, 1, exclude_max=True), max_size=4)) if damaged else ():
        spot = int(place * len(data))
        kind = draw(st.sampled_from(["set", "flip", "cut", "double", "lie"]))
        if kind == "set":
            data[spot] = draw(st.sampled_from([0, 1, 8, 9, 12, 14, 127, 255]))
        elif kind == "flip":
            data[spot] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del data[spot : spot + draw(st.integers(1, 60))]
        elif kind == "double":
            data[spot:spot] = data[-60:]
        else:
            data[spot : spot + 4] = struct.pack("<I", draw(st.sampled_from([0, 2**31, 2**32 - 1, len(data)])))
        assume(data)
    return bytes(data)


@quick
@given(zips(), st.booleans())
def test_a_class_in_a_zip_has_a_status_for_everybody(tmp_path_factory, data, is_students):
    from cnnlab.grading.course import CourseError

    folder = tmp_path_factory.mktemp("zips")
    if is_students:
        path = folder / "handed_in"
        (path / "ada").mkdir(parents=True)
        (path / "ada" / "work.zip").write_bytes(data)
    else:
        path = folder / "class.zip"
        path.write_bytes(data)
    try:
        stock = take_stock(path, "a1", NAME, [Person("ada"), Person("bob")])
    except CourseError:
        if is_students:
            raise
        return  # a class's file that is no zip: said at once, before anything is graded
    found = [each.student for each in stock.received]
    assert len(found) == len(set(found))
    assert {"ada", "bob"} <= set(found)
    for each in stock.received:
        assert each.state in {"read", "missing", "unreadable"}
        assert (each.notebook is not None) == (each.state == "read") == (not each.reason)
        assert each.student.isprintable()
        assert "/" not in each.student
        assert not each.student.startswith(".")
        if each.notebook is not None:
            repair(each.notebook, RELEASE)


@quick
@given(st.one_of(names, st.text(max_size=40)))
def test_any_name_has_an_owner_or_none(name):
    for found in (naming.moodle_owner(name), naming.canvas_owner(name), naming.exchange_owner(name, "a1")):
        assert found is None or found[0].label
    naming.is_of_exchange(name)


@pytest.mark.parametrize(
    "piece", ["_1", "1_", "_", "_LATE", "_LATE_1_1_", "anon_", "+", "+2026-", "1_assignsubmission_"]
)
def test_a_name_of_the_longest_kind_is_looked_at_in_steps_that_grow_with_its_length(piece):
    """A regular expression that tries everything would never come back from these."""
    name = piece * (60_000 // len(piece))
    for text in (name, name + "x", "a" + name, name + "\n"):
        naming.moodle_owner(text)
        naming.canvas_owner(text)
        naming.exchange_owner(text, "a1")
        naming.is_of_exchange(text)


def test_a_bomb_in_a_zip_needs_no_more_memory_than_a_notebook_may(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed, packed.open(NAME, "w") as entry:
        for _ in range(200):
            entry.write(b" " * (1 << 20))
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "work.zip").write_bytes(file.getvalue())
    tracemalloc.start()
    try:
        [received] = take_stock(tmp_path, "a1", NAME, []).received
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received.state == "unreadable"
    assert "larger than 20 MiB" in received.reason
    assert peak < 4 * intake.MAX_BYTES


def test_opening_a_folder_of_odd_names_lists_each_once(tmp_path):
    for name in (
        "ada",
        "Ada Byron_12_assignsubmission_file_",
        "ada+a1+2026-10-01 12:00:00 UTC",
        "+++",
        "a+b",
        " ",
        "ü",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    with open_class(tmp_path, "a1", {"ada"}) as found:
        owners = [each.owner for each in found.handed_in]
    assert len(owners) == len(set(owners))


def test_a_bug_of_ours_in_the_intake_is_no_zero_and_nobody_elses(course, answers, monkeypatch):
    """What no test has thought of: the run goes on, and the next one tries that student again."""
    course.hand_in("ada", **answers)
    course.hand_in("bob", **answers)
    course.hand_in("cem", **answers)
    real = {"read": intake.read_notebook, "repair": plan.repair}

    def read(data):
        if b"of bob" in data:
            raise RecursionError("too deep")
        return real["read"](data)

    def mend(submitted, release):
        if any("of cem" in each["source"] for each in submitted["cells"]):
            raise TypeError("unhashable")
        return real["repair"](submitted, release)

    for name in ("bob", "cem"):
        course.hand_in(name, extra=[f"# of {name}"], **answers)
    with monkeypatch.context() as patched:
        patched.setattr(intake, "read_notebook", read)
        patched.setattr(plan, "repair", mend)
        found = course.grade()
        assert _rehearse(course) == {"ada": "known", "bob": "fault", "cem": "fault"}
    assert found["ada"].score == 15
    assert {name: (found[name].status, found[name].score) for name in ("bob", "cem")} == {
        "bob": ("grader_error", None),
        "cem": ("grader_error", None),
    }
    assert "RecursionError: too deep" in found["bob"].reason
    assert course.grade()["bob"].score == 15


def _rehearse(course):
    return dict(commands.rehearse("a1", course_dir=course.root, submissions_dir=course.submissions))
