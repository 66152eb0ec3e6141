"""Grades go into the LMS's own export, to the right student, and nothing else in it changes."""

import csv
import io
import zipfile

import pytest

pytest.importorskip("nbgrader")

from cnnlab.grading import lms_grades
from cnnlab.grading.by_hand import Marks, Part
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.lms_grades import fill_in
from cnnlab.grading.model import Report, Result
from cnnlab.grading.people import Person

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Notes,A1 Scanning (4711),A10 Other (4720),Current Score\r
,,,,,,Manual Posting,,\r
    Points Possible,,,,,,15,10,(read only)\r
"Byron, Ada",11,X1,ada1,S1,n,,3,50\r
"Lin, Wei",12,X2,,S1,,2,,\r
"Lin, Wei",13,X3,lin4,S1,,2,,\r
"O'Neill, Zoë",14,,zoe2@uni.example,S2,,EX,,\r
"Student, Test",99,,,S1,,,,\r
"""
MOODLE = '''\
Identifier,"Full name","ID number","Email address",Status,Grade,"Maximum Grade","Grade can be changed",\
"Last modified (grade)","Feedback comments"\r
Participant 501,"Ada Byron",,ada@x.example,Submitted,,15.00,Yes,-,\r
Participant 502,"Wei Lin",,one@x.example,Submitted,,15.00,Yes,-,"said, ""before"""\r
Participant 503,"Wei Lin",,LIN4@x.example,Submitted,3.00,15.00,Yes,-,\r
Participant 504,"Zoë ONeill",,,Submitted,1.00,15.00,No,-,\r
'''
STUDENTS = """\
id,name,email,lms_user_id
ada1,Ada Byron,,
lin3,Wei Lin,,12
lin4,Wei Lin,lin4@x.example,
zoe2,Zoë O'Neill,,
"""
SCORES = {"ada1": 13.456, "lin3": 5.0, "lin4": 7.5, "zoe2": 1.0}


def marks(score, *, waits=False, most=15.0):
    return Marks(score, most, 0.0, (Part("g", score, None, None, most, waits),), ())


@pytest.fixture
def filled(tmp_path, monkeypatch):
    """Fill grades into a text, and return the rows that were written and what was said."""
    (tmp_path / "students.csv").write_text(STUDENTS, encoding="utf-8")
    (tmp_path / "release" / "a1").mkdir(parents=True)
    (tmp_path / "release" / "a1" / "a1_scanning.ipynb").write_text("{}", encoding="utf-8")
    course = Course(tmp_path, "a1")
    monkeypatch.setattr(lms_grades, "read_students", lambda *_: [Person(name) for name in SCORES])
    monkeypatch.setattr(lms_grades, "read_marks", lambda *_: filled_in.marks)

    def filled_in(lms, text, *, owners=None, column=None, status="graded"):
        path = tmp_path / f"exported {lms}.csv"
        path.write_text(text, encoding="utf-8", newline="")
        results = tuple(Result(name, "a1", status) for name in SCORES)
        report = Report("a1", (("a1.x", 15.0),), results, owners=owners or {})
        said = fill_in(course, report, lms, path, column=column)
        written = (course.out / f"{lms}.csv").read_bytes().decode("utf-8")
        return list(csv.reader(io.StringIO(written, newline=""))), "\n".join(said)

    filled_in.marks = {name: marks(score) for name, score in SCORES.items()}
    filled_in.course = course
    return filled_in


def test_canvas_gets_its_own_columns_and_the_one_of_the_assignment(filled):
    rows, said = filled("canvas", CANVAS)
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "A1 Scanning (4711)"]
    assert rows[1:3] == [["", "", "", "", "", "Manual Posting"], ["    Points Possible", "", "", "", "", "15"]]
    assert {row[1]: row[5] for row in rows[3:]} == {"11": "13.46", "12": "5", "13": "7.5", "14": "EX", "99": ""}
    assert "3 grades in the column 'A1 Scanning (4711)'" in said
    assert "1 excused or locked, and left as they were: zoe2" in said


def test_moodle_keeps_every_column_and_changes_only_the_grade(filled):
    owners = {"lin3": {"lms": "moodle", "name": "Wei Lin", "lms_id": "502"}}
    rows, said = filled("moodle", MOODLE, owners=owners)
    before = list(csv.reader(io.StringIO(MOODLE, newline="")))
    assert [row[:5] + row[6:] for row in rows] == [row[:5] + row[6:] for row in before]
    assert [row[5] for row in rows[1:]] == ["13.46", "5", "7.5", "1.00"]
    assert "left as they were: zoe2" in said


def test_two_of_one_name_without_a_number_get_no_grade_and_are_named(filled):
    rows, said = filled("moodle", MOODLE.replace("LIN4@x.example", "unknown@x.example"))
    assert [row[5] for row in rows[1:]] == ["13.46", "", "3.00", "1.00"]
    assert "2 students have a score and no row" in said
    assert "lin3, lin4" in said


def test_who_has_no_score_keeps_the_cell(filled):
    rows, said = filled("moodle", MOODLE, status="unreadable")
    assert [row[5] for row in rows[1:]] == ["", "", "3.00", "1.00"]
    assert "4 students have no score" in said
    assert "ada1 (unreadable)" in said


def test_another_maximum_and_points_still_to_be_given_are_said(filled):
    filled.marks = {**filled.marks, "ada1": marks(13.0, waits=True, most=20.0)}
    _, said = filled("moodle", MOODLE)
    assert "maximum is 15.00 points, ours 20" in said
    assert "still to be given in 1 of these: ada1" in said


@pytest.mark.parametrize("title", ["A1 Scanning (4711)", "A1 Scanning"])
def test_the_column_can_be_named(filled, title):
    text = CANVAS.replace("A10 Other (4720)", "A1 again (4720)")
    with pytest.raises(CourseError, match=r"2 columns for 'a1'.*--column TITLE"):
        filled("canvas", text)
    rows, _ = filled("canvas", text, column=title)
    assert rows[0][-1] == "A1 Scanning (4711)"


def test_other_languages_and_semicolons_are_understood(filled):
    text = "\ufeff" + MOODLE.replace(",Grade,", ",Bewertung,").replace("Participant ", "Teilnehmer/in")
    rows, _ = filled("moodle", text)
    assert rows[1][5] == "13.46"
    assert (filled.course.out / "moodle.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    _, said = filled("canvas", CANVAS.replace('"Byron, Ada"', "Ada Byron").replace(",", ";").replace('"Lin; Wei"', "W"))
    assert "grades in the column" in said
    assert b"Student;ID" in (filled.course.out / "canvas.csv").read_bytes()


@pytest.mark.parametrize(
    ("lms", "text", "words"),
    [
        ("canvas", "a,b\n1,2\n", "no columns ID and Section"),
        ("canvas", CANVAS.replace("A1 Scanning", "B"), "no column for 'a1'"),
        ("canvas", "", "is empty"),
        ("moodle", "Name,Grade\nAda,1\n", "first column must be Identifier"),
        ("moodle", MOODLE.replace(",Grade,", ",Points,"), "no column for 'Grade'"),
    ],
)
def test_what_is_no_export_is_refused_in_a_sentence(filled, lms, text, words):
    with pytest.raises(CourseError, match=words):
        filled(lms, text)


def test_feedback_for_moodle_goes_by_the_folders_of_its_download(filled):
    for student in ("lin3", "ada1"):
        page = filled.course.feedback(student) / "a1_scanning.html"
        page.parent.mkdir(parents=True)
        page.write_text(student, encoding="utf-8")
    _, said = filled("moodle", MOODLE, owners={"lin3": {"lms": "moodle", "name": "Wei Lin", "lms_id": "502"}})
    with zipfile.ZipFile(filled.course.out / "moodle-feedback.zip") as opened:
        [name] = opened.namelist()
        assert opened.read(name) == b"lin3"
    # Moodle takes the folder's name apart at its underscores: name, number, assignsubmission, file.
    assert name.split("/")[0].split("_", 4)[:4] == ["Wei Lin", "502", "assignsubmission", "file"]
    assert "1 feedback page in" in said


# ---- what Moodle and Canvas write in other settings and languages ----


GERMAN = """\
ID,"Vollständiger Name",ID-Nummer,E-Mail-Adresse,Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",\
"Zuletzt geändert (Abgabe)",Texteingabe,"Zuletzt geändert (Bewertung)","Feedback als Kommentar"\r
Teilnehmer/in501,"Ada Byron",,ada@x.example,"Zur Bewertung abgegeben",,"15,00",Ja,-,"<p>zwei\r
Zeilen, mit Komma</p>",-,\r
Teilnehmer/in503,"Wei Lin",,lin4@x.example,"Zur Bewertung abgegeben","3,00","15,00",Ja,-,,-,\r
Teilnehmer/in504,"Zoë ONeill",,,"Zur Bewertung abgegeben","1,00","15,00",Nein,-,,-,\r
"""


def test_a_german_worksheet_is_filled_in_without_moodles_own_zip(filled):
    """Names and addresses are found, a grade that cannot be changed stays, and so does every other cell."""
    rows, said = filled("moodle", GERMAN)
    before = list(csv.reader(io.StringIO(GERMAN, newline="")))
    assert [row[5] for row in rows] == ["Bewertung", "13.46", "7.5", "1,00"]
    assert [row[:5] + row[6:] for row in rows] == [row[:5] + row[6:] for row in before]
    assert "1 excused or locked, and left as they were: zoe2" in said


def test_a_worksheet_without_names_goes_by_the_numbers_of_the_zip(filled):
    """With anonymous submissions Moodle calls everybody Participant, in the zip and in the worksheet."""
    text = """\
Identifier,Status,Grade,"Maximum Grade","Grade can be changed","Last modified (grade)"\r
Participant 501,Submitted,,15.00,Yes,-\r
Participant 502,Submitted,,15.00,Yes,-\r
Participant 777,Submitted,,15.00,Yes,-\r
"""
    owners = {
        name: {"lms": "moodle", "name": "Participant", "lms_id": number}
        for name, number in (("ada1", "502"), ("lin3", "501"))
    }
    rows, said = filled("moodle", text, owners=owners)
    assert [row[2] for row in rows[1:]] == ["5", "13.46", ""]
    assert "2 students have a score and no row" in said


def test_marking_workflow_and_teams_add_columns_that_stay(filled):
    text = MOODLE.replace('"Maximum Grade"', '"Maximum Grade","Marking workflow state"').replace(
        ",15.00,", ',15.00,"In review",'
    )
    rows, _ = filled("moodle", text)
    assert rows[1][5:8] == ["13.46", "15.00", "In review"]


def test_a_worksheet_of_an_assignment_with_a_scale_is_refused(filled):
    text = MOODLE.replace('"Maximum Grade"', "Scale").replace(",15.00,", ',"poor\ngood",')
    with pytest.raises(CourseError, match="scale of words"):
        filled("moodle", text)


def test_canvas_with_first_and_last_names_apart_keeps_both_columns(filled):
    text = """\
LastName,FirstName,ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section,Notes,A1 Scanning (4711)\r
    Points Possible,,,,,,,,(read only),15.00\r
Byron,Ada,11,,,,canvas.example,"S1 and S2",n,\r
O'Neill,Zoë,14,,,,canvas.example,S2,n,N/A\r
"""
    rows, said = filled("canvas", text)
    kept = ["LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section"]
    assert rows[0] == [*kept, "A1 Scanning (4711)"]
    assert {row[2]: row[8] for row in rows[2:]} == {"11": "13.46", "14": "N/A"}
    assert "maximum" not in said


def test_sums_of_canvas_are_no_assignments_even_under_its_name(filled):
    """A group of assignments may be called A1 too, and a grading period 2026."""
    sums = "A1 Scanning (4711),A1 Current Score (2026),A1 Final Score (2026)"
    text = CANVAS.replace("A1 Scanning (4711),A10 Other (4720)", sums).replace("15,10,", "15,(nur lesen),")
    text = text.replace(",,,,,,Manual Posting,,", ",,,,,,Manual Posting,,,")
    rows, _ = filled("canvas", text.replace("(read only)", "(nur lesen),(nur lesen)"))
    assert rows[0][-1] == "A1 Scanning (4711)"
    without = CANVAS.replace("A1 Scanning (4711)", "A1 Current Score (2026)").replace(",15,10,", ",(read only),10,")
    for column in (None, "A1 Current Score (2026)"):
        with pytest.raises(CourseError, match="no column"):
            filled("canvas", without, column=column)


def test_the_muted_row_of_older_exports_is_nobody(filled):
    rows, _ = filled("canvas", CANVAS.replace("Manual Posting", "Muted"))
    assert rows[1] == ["", "", "", "", "", "Muted"]
