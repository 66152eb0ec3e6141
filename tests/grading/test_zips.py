"""What an LMS or a student packs is read or has a reason; none can write a file, stop the run or cost others points."""

import io
import json
import os
import stat
import struct
import warnings
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab.grading import intake, packed
from cnnlab.grading.course import CourseError
from cnnlab.grading.intake import take_stock
from cnnlab.grading.naming import canvas_owner, exchange_owner, moodle_owner
from cnnlab.grading.people import Person, match, name_key, read_people


def as_bytes(source="1"):
    cells = [{"cell_type": "code", "source": source, "metadata": {}}]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def packed_bytes(files, **options):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, **options) as made:
        for name, content in files:
            made.writestr(name, content)
    return data.getvalue()


def save(path, files):
    path.write_bytes(packed_bytes(files))
    return path


def stock(submissions, people=()):
    return take_stock(submissions, "a1", "a1_scanning.ipynb", [Person(*each) for each in people])


def found(submissions, people=()):
    return {each.student: each for each in stock(submissions, people).received}


def source(received):
    return received.notebook["cells"][0]["source"]


PEOPLE = [("ada1", "Ada Byron", "", "12345"), ("zoe2", "Zoë O'Neill", "", ""), ("lin3", "Lin, Wei", "", "777")]


# ---- the three ways in ----


@pytest.mark.parametrize(
    "names",
    [
        # Moodle in folders, of two ages; in one folder; with a folder of the student's own
        ("Ada Byron_111_assignsubmission_file_/a1_scanning.ipynb", "Zoë ONeill_222_assignsubmission_file_/mine.ipynb"),
        ("Ada Byron_111_assignsubmission_file/a1_scanning.ipynb", "Zoë ONeill_222_assignsubmission_file/b/mine.ipynb"),
        ("Ada Byron_111_assignsubmission_file_a1_scanning.ipynb", "Zoë ONeill_222_assignsubmission_file_my_1_2.ipynb"),
        # Canvas, on time and late
        ("byronada_12345_67890_a1_scanning.ipynb", "oneillzoë_LATE_99_67891_9_a1_scanning-2.ipynb"),
        # nbgrader's own folders, as they are and with a folder around them
        ("ada1/a1/a1_scanning.ipynb", "zoe2/a1_scanning.ipynb"),
        ("submitted/ada1/a1/a1_scanning.ipynb", "submitted/zoe2/a1/a1_scanning.ipynb"),
        # nbgrader's exchange
        (
            "ada1+a1+2026-10-01 12:00:00.0 UTC/a1_scanning.ipynb",
            "zoe2+a1+2026-10-01 12:00:00.0 UTC+x/a1_scanning.ipynb",
        ),
    ],
)
@pytest.mark.parametrize("unpacked", [False, True])
def test_each_way_in_finds_the_same_students(tmp_path, names, unpacked):
    files = [(name, as_bytes(name[:3])) for name in names]
    if unpacked:
        for name, data in files:
            path = tmp_path / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        submissions = tmp_path / "class"
        if names[0].startswith("submitted"):
            submissions /= "submitted"
    else:
        submissions = save(tmp_path / "class.zip", files)
    received = found(submissions, PEOPLE)
    assert {name: each.state for name, each in received.items()} == {"ada1": "read", "lin3": "missing", "zoe2": "read"}
    assert [source(received[name]) for name in ("ada1", "zoe2")] == [name[:3] for name in names]
    assert stock(submissions, PEOPLE).notices == ()


def test_of_several_submissions_to_the_exchange_the_last_counts(tmp_path):
    times = ("2026-10-01 12:00:00.0 UTC", "2026-10-03 09:00:00.0 UTC", "2026-10-02 12:00:00.0 UTC")
    files = [(f"ada1+a1+{when}+r/a1_scanning.ipynb", as_bytes(when)) for when in times]
    files.append(("ada1+a2+2026-11-01 12:00:00.0 UTC+r/a2.ipynb", as_bytes("another assignment")))
    received = found(save(tmp_path / "c.zip", files), [("ada1",)])["ada1"]
    assert source(received) == times[1]
    assert "handed in 3 times" in received.notes[0]


def test_of_several_files_in_canvas_the_last_that_was_uploaded_counts(tmp_path):
    files = [
        ("byronada_12345_900_a1_scanning-1.ipynb", as_bytes("last")),
        ("byronada_12345_100_a1_scanning.ipynb", as_bytes("first")),
        ("byronada_12345_950_notes.ipynb", as_bytes("another file")),
    ]
    received = found(save(tmp_path / "c.zip", files), PEOPLE)["ada1"]
    assert source(received) == "last"
    assert received.owner.lms_id == "12345"


def test_late_in_canvas_is_said(tmp_path):
    files = [("byronada_LATE_12345_900_a1_scanning.ipynb", as_bytes())]
    received = found(save(tmp_path / "c.zip", files), PEOPLE)["ada1"]
    assert any("late" in note for note in received.notes)


def test_who_has_no_match_keeps_the_files_name_and_that_is_said(tmp_path):
    files = [("Eve Nobody_333_assignsubmission_file_/a1_scanning.ipynb", as_bytes())]
    result = stock(save(tmp_path / "c.zip", files), PEOPLE)
    assert "Eve Nobody_333" in {each.student for each in result.received if each.state == "read"}
    assert "Eve Nobody_333" in result.notices[0]
    assert "students.csv" in result.notices[0]


def test_files_of_nobody_are_said_and_text_entered_online_is_a_missing_notebook(tmp_path):
    files = [("loose.ipynb", as_bytes()), ("byronada_12345_text.html", b"<p>"), ("readme.txt", b"")]
    result = stock(save(tmp_path / "c.zip", files), PEOPLE)
    assert "loose.ipynb" in result.notices[0]
    assert "readme" not in result.notices[0]
    ada = next(each for each in result.received if each.student == "ada1")
    assert (ada.state, "text.html" in ada.reason) == ("missing", True)


def test_a_students_own_zip_is_looked_into(tmp_path):
    inner = packed_bytes(
        [
            ("__MACOSX/._a1_scanning.ipynb", b"of macOS"),
            ("a1/.ipynb_checkpoints/a1_scanning-checkpoint.ipynb", as_bytes("old")),
            ("a1/a1_scanning.ipynb", as_bytes("mine")),
        ]
    )
    ada = found(save(tmp_path / "c.zip", [("byronada_12345_9_work.zip", inner)]), PEOPLE)["ada1"]
    assert source(ada) == "mine"
    assert ada.notes == ("the notebook was in work.zip",)
    (tmp_path / "class" / "ada1").mkdir(parents=True)
    (tmp_path / "class" / "ada1" / "work.zip").write_bytes(inner)
    assert source(found(tmp_path / "class")["ada1"]) == "mine"


def test_a_zip_in_a_zip_in_a_zip_is_not_opened(tmp_path):
    inner = packed_bytes([("again.zip", packed_bytes([("a1_scanning.ipynb", as_bytes())]))])
    ada = found(save(tmp_path / "c.zip", [("ada1/a1/work.zip", inner)]), PEOPLE)["ada1"]
    assert (ada.state, "again.zip" in ada.reason) == ("unreadable", True)


def test_what_is_no_zip_file_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "c.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(CourseError, match=r"c\.zip cannot be read.*Name a folder"):
        stock(tmp_path / "c.zip")


# ---- names ----


def test_names_are_matched_without_case_spaces_and_punctuation():
    assert name_key("O'Neill, Zoë") == name_key("o neill zoe\u0308") == "oneillzoë"
    people = [Person("z", "Zoë O'Neill"), Person("w", "Lin, Wei"), Person("j", "Jean Paul de la Tour")]
    owners = [
        moodle_owner(f"{name}_1{i}_assignsubmission_file_")[0] for i, name in enumerate(("ZOË O’NEILL", "Wei Lin"))
    ]
    owners.append(canvas_owner("delatourjeanpaul_5_6_x.ipynb")[0])
    assert set(match(owners, people).values()) == {"z", "w", "j"}


def test_two_of_one_name_are_told_apart_by_number_or_not_at_all():
    owners = [moodle_owner(f"Wei Lin_{number}_assignsubmission_file_")[0] for number in (1, 2)]
    assert match(owners, [Person("a", "Wei Lin"), Person("b", "Lin, Wei")]) == {}
    assert match(owners, [Person("a", "Wei Lin")]) == {}
    both = [Person("a", "Wei Lin", "", "1"), Person("b", "Wei Lin", "", "2")]
    assert match(owners, both) == {owners[0]: "a", owners[1]: "b"}


def test_a_participants_number_in_moodle_is_not_taken_for_another_students():
    [owner] = [moodle_owner("Ada Byron_777_assignsubmission_file_")[0]]
    assert match([owner], [Person("ada1", "Ada Byron"), Person("lin3", "Wei Lin", "", "777")]) == {owner: "ada1"}


def test_a_name_made_to_look_like_another_students_number_takes_nothing_from_them(tmp_path):
    # Canvas lets a student be called x_12345; their own number is 99.
    files = [
        ("x_12345_99_9999999_a1_scanning.ipynb", as_bytes("forged")),
        ("byronada_12345_700_a1_scanning.ipynb", as_bytes("hers")),
    ]
    received = found(save(tmp_path / "c.zip", files), PEOPLE)
    assert source(received["ada1"]) == "hers"
    assert source(received["x_12345"]) == "forged"


def test_a_files_name_cannot_make_it_another_students():
    owner, rest = moodle_owner("Ada Byron_1_assignsubmission_file_Eve_2_assignsubmission_file_x.ipynb")
    assert (owner.name, owner.lms_id, rest) == ("Ada Byron", "1", "Eve_2_assignsubmission_file_x.ipynb")
    owner, rest, number = canvas_owner("byronada_1_2_lineve_3_4_x.ipynb")
    assert (owner.name, owner.lms_id, number, rest) == ("byronada", "1", 2, "lineve_3_4_x.ipynb")


@pytest.mark.parametrize(
    "name", ["a1_scanning.ipynb", "a1_2_x.ipynb", "ada", "1_2", "_assignsubmission_file_", "text.html"]
)
def test_other_names_are_nobodys(name):
    assert moodle_owner(name) is None
    assert canvas_owner(name) is None
    assert exchange_owner(name, "a1") is None


def test_anonymous_grading_in_canvas_keeps_people_apart():
    owners = [canvas_owner(name)[0] for name in ("anon_k3Xd9_5_a.ipynb", "LATE_anon_Qb2a1_6_b.ipynb")]
    assert [(each.label, each.late) for each in owners] == [("anon_k3Xd9", False), ("anon_Qb2a1", True)]


def test_nbgraders_columns_of_a_class_list_are_understood(tmp_path):
    text = "id,first_name,last_name,email,lms_user_id\nada1,Ada,Byron,a@x,12\n,No,Id,,\n"
    (tmp_path / "students.csv").write_text(text, encoding="utf-8")
    assert read_people(tmp_path / "students.csv") == [Person("ada1", "Ada Byron", "a@x", "12")]


# ---- hostile zips ----


def of_student(tmp_path, *entries):
    """Return what is made of a class's zip in which ada1 handed in these entries, and that bob is untouched."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bob/a1/a1_scanning.ipynb", as_bytes("bob's"))
        for entry, content in entries:
            made.writestr(entry, content)
    (tmp_path / "c.zip").write_bytes(data.getvalue())
    before = sorted(tmp_path.rglob("*"))
    received = found(tmp_path / "c.zip", [("ada1",), ("bob",)])
    assert source(received["bob"]) == "bob's"
    assert sorted(tmp_path.rglob("*")) == before
    return received["ada1"]


def test_a_bomb_costs_its_limit_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_BYTES", 1 << 20)
    read = []
    real = zipfile.ZipExtFile.read

    def counting(self, n=-1):
        data = real(self, n)
        read.append(len(data))
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counting)
    ada = of_student(tmp_path, ("ada1/a1/a1_scanning.ipynb", b"0" * (200 << 20)))
    assert (ada.state, "larger than 1 MiB" in ada.reason) == ("unreadable", True)
    assert sum(read) < 2 << 20


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unfold_without_a_limit_are_refused(tmp_path, method):
    entry = zipfile.ZipInfo("ada1/a1/a1_scanning.ipynb")
    entry.compress_type = method
    ada = of_student(tmp_path, (entry, b"0" * (1 << 20)))
    assert (ada.state, "deflate" in ada.reason) == ("unreadable", True)


def test_a_bomb_in_a_students_zip_is_unreadable(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_STUDENT_ZIP", 1 << 20)
    inner = packed_bytes([("a1_scanning.ipynb", b"0" * (25 << 20))])
    assert "larger than 20 MiB" in of_student(tmp_path, ("ada1/a1/w.zip", inner)).reason
    assert "w.zip: the file is larger than 1 MiB" in of_student(tmp_path, ("ada1/a1/w.zip", b"0" * (25 << 20))).reason


def test_a_directory_of_very_many_names_is_not_made_into_objects(tmp_path, monkeypatch):
    inner = packed_bytes([(f"{i}", b"") for i in range(packed.MAX_STUDENT_ENTRIES + 1)])
    monkeypatch.setattr(packed, "_open", lambda *_: pytest.fail("opened"))
    (tmp_path / "class" / "ada1").mkdir(parents=True)
    (tmp_path / "class" / "ada1" / "w.zip").write_bytes(inner)
    assert "more than 2000 files" in found(tmp_path / "class")["ada1"].reason


@pytest.mark.parametrize(
    "name", ["../../bob/a1/a1_scanning.ipynb", "/bob/a1/a1_scanning.ipynb", "ada1/../bob/a1/x.ipynb"]
)
def test_names_that_lead_out_are_nobodys_and_are_said(tmp_path, name):
    for path in (name, name.replace("/", "\\")):
        of_student(tmp_path, (path, as_bytes("forged")))
        [notice] = stock(tmp_path / "c.zip", [("ada1",), ("bob",)]).notices
        assert "lead out" in notice


def test_links_and_locked_entries_have_a_reason(tmp_path):
    link = zipfile.ZipInfo("ada1/a1/a1_scanning.ipynb")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "links are not followed" in of_student(tmp_path, (link, b"../../bob/a1/a1_scanning.ipynb")).reason
    ada = of_student(tmp_path, (link, b"../bob"), ("ada1/a1/a1_scanning (1).ipynb", as_bytes("real")))
    assert source(ada) == "real"
    of_student(tmp_path, ("ada1/a1/a1_scanning.ipynb", as_bytes()))
    data = bytearray((tmp_path / "c.zip").read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[second + 8] |= 1  # the flag in the directory, which is what a reader goes by
    (tmp_path / "c.zip").write_bytes(data)
    assert "password" in found(tmp_path / "c.zip", [("ada1",)])["ada1"].reason


def test_folders_named_like_a_notebook_are_none(tmp_path):
    ada = of_student(tmp_path, ("ada1/a1/a1_scanning.ipynb/", b""), ("ada1/a1/copy.ipynb", as_bytes("real")))
    assert source(ada) == "real"
    (tmp_path / "class" / "ada1" / "a1_scanning.ipynb").mkdir(parents=True)
    (tmp_path / "class" / "ada1" / "copy.ipynb").write_bytes(as_bytes("real"))
    assert source(found(tmp_path / "class")["ada1"]) == "real"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_entries_with_one_name_the_last_counts(tmp_path):
    name = "ada1/a1/a1_scanning.ipynb"
    ada = of_student(tmp_path, (name, as_bytes("first")), (name, as_bytes("last")))
    assert source(ada) == "last"
    assert any("twice" in note for note in ada.notes)


def test_names_in_utf8_without_the_flag_and_in_code_page_437_are_read(tmp_path):
    data = packed_bytes([("zo\x81\x82/a1_scanning.ipynb", as_bytes())])
    for raw in ("zoë".encode(), "zoë".encode("cp437") + b"_"):
        written = data.replace("zo\x81\x82".encode(), raw + b"x" * (6 - len(raw)))
        plain = bytearray(written)
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = plain.index(signature) + offset
            plain[at : at + 2] = struct.pack("<H", struct.unpack("<H", plain[at : at + 2])[0] & ~0x800)
        (tmp_path / "c.zip").write_bytes(bytes(plain))
        [received] = stock(tmp_path / "c.zip").received
        assert received.state == "read"
        assert received.student.startswith("zoë")


def test_names_no_file_system_takes_have_a_reason(tmp_path):
    long = "n" * 300
    files = [(f"{long}/a1_scanning.ipynb", as_bytes()), ("tab\tname/a1_scanning.ipynb", as_bytes())]
    files += [("bob/" + "9" * 6000 + ".ipynb", as_bytes("bob's"))]
    received = found(save(tmp_path / "c.zip", files))
    assert {each.state for name, each in received.items() if name != "bob"} == {"unreadable"}
    assert source(received["bob"]) == "bob's"
    assert all(len(os.fsencode(name)) <= 200 and name.isprintable() for name in received)


def test_a_name_with_a_question_mark_is_not_taken_from_who_has_it(tmp_path):
    files = [("ca\x07/a1_scanning.ipynb", as_bytes()), ("ca?/a1_scanning.ipynb", as_bytes("real"))]
    files += [("ca\x08/a1_scanning.ipynb", as_bytes())]
    received = found(save(tmp_path / "c.zip", files))
    assert source(received["ca?"]) == "real"
    assert len(received) == 3


def test_overlapping_and_cut_off_entries_stop_nobody(tmp_path):
    of_student(tmp_path, ("ada1/a1/a1_scanning.ipynb", as_bytes("x" * 3000)))
    whole = (tmp_path / "c.zip").read_bytes()
    data = bytearray(whole)
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[second + 42 : second + 46] = b"\0\0\0\0"  # ada's entry points at bob's bytes
    (tmp_path / "c.zip").write_bytes(data)
    received = found(tmp_path / "c.zip", [("ada1",), ("bob",)])
    assert received["ada1"].state == "unreadable"
    assert source(received["bob"]) == "bob's"
    inner = packed_bytes([("a1_scanning.ipynb", as_bytes())])
    assert of_student(tmp_path, ("ada1/a1/w.zip", inner[: len(inner) // 2])).state == "unreadable"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_bytes_of_a_students_zip_can_raise(tmp_path, data):
    """A zip with some of its bytes changed, cut off or doubled is read or has a reason."""
    inner = bytearray(packed_bytes([("a/a1_scanning.ipynb", as_bytes("x" * 200)), ("b.txt", b"y" * 50)]))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(inner) - 1))
        inner[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(inner)))
    handed = bytes(inner[:cut]) if data.draw(st.booleans()) else bytes(inner)
    ada = of_student(tmp_path, ("ada1/a1/w.zip", handed))
    assert ada.state in {"read", "unreadable"}
    assert ada.state == "read" or ada.reason


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("/\\._+ \0:"), min_size=1, max_size=40),
        max_size=6,
        unique=True,
    )
)
def test_no_names_can_raise_write_or_leave_the_class(tmp_path, names):
    names = [name for name in names if name.split("\0")[0] and not name.startswith("bob")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names twice, once zipfile has shortened them
        save(tmp_path / "c.zip", [("bob/a1_scanning.ipynb", as_bytes("bob's"))] + [(n, as_bytes()) for n in names])
    before = sorted(tmp_path.rglob("*"))
    received = found(tmp_path / "c.zip", [("bob",)])
    assert sorted(tmp_path.rglob("*")) == before
    assert source(received["bob"]) == "bob's"
    for student in received:
        assert student.isprintable()
        assert "/" not in student
        assert not student.startswith(".")
        assert len(student.encode()) <= 210


def test_checksums_are_kept(tmp_path):
    of_student(tmp_path, ("ada1/a1/a1_scanning.ipynb", as_bytes("x" * 3000)))
    data = (tmp_path / "c.zip").read_bytes()
    crc = struct.pack("<I", zlib.crc32(as_bytes("x" * 3000)))
    (tmp_path / "c.zip").write_bytes(data.replace(crc, b"\1\2\3\4"))
    assert "damaged" in found(tmp_path / "c.zip", [("ada1",)])["ada1"].reason
