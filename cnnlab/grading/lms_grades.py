"""Fill grades into what an LMS exported, so that it can be imported there again.

* Canvas: Grades → Export. The import needs the columns ``Student``, ``ID``, the SIS columns and ``Section`` as they
  were, and takes the assignment by its title and number, ``A1 Scanning (4711)``; it overwrites what it is given. The
  file that is written has these columns and the assignment's, and no other (lib/gradebook_importer.rb).
* Moodle: the assignment's "Download grading worksheet". The import goes by ``Identifier`` ("Participant 1234567"),
  ``Grade`` and ``Last modified (grade)``; an empty grade changes nothing, and one above the maximum is passed over
  (mod/assign/feedback/offline). All columns stay as they are but ``Grade``.

The score is nbgrader's: the checks' points, those given by hand in their place, extra credit, and penalties for
lateness. Only students with a score are filled in; all other cells stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cnnlab.grading.by_hand import Marks, read_marks, read_students
from cnnlab.grading.changes import as_points
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.lms_sheet import (
    CAN_CHANGE,
    MAXIMUM,
    NO,
    Sheet,
    canvas_column,
    moodle_column,
    points_possible,
    read_sheet,
)
from cnnlab.grading.model import Report
from cnnlab.grading.packing import pack
from cnnlab.grading.people import Person, merged, name_key, read_people
from cnnlab.grading.report import printable
from cnnlab.grading.store import write_whole
from cnnlab.grading.waiting import Patience

_LIST = 8


def fill_in(
    course: Course, report: Report, lms: str, path: Path, *, column: str | None, patience: Patience | None = None
) -> list[str]:
    """Write ``out/<assignment>/<lms>.csv``, for Moodle also a zip of feedback pages, and return what to tell the team.

    Parameters
    ----------
    course, report
        Of the last run.
    lms
        ``"canvas"`` or ``"moodle"``.
    path
        What it exported.
    column
        Title of the column to fill in; None: the one that is the assignment's.
    patience
        How long to wait for a gradebook that somebody else keeps locked.

    Raises
    ------
    CourseError
        If the file cannot be read, or is no export, or has no such column or more than one.
    """
    sheet = read_sheet(path)
    is_canvas = lms == "canvas"
    target = canvas_column(sheet, report, column) if is_canvas else moodle_column(sheet, column)
    marks = read_marks(course, patience)
    people = merged(read_people(course.root / "students.csv"), read_students(course, patience))
    finder = _Finder(report, lms, [*people, *(Person(result.student) for result in report.results)])
    run = {result.student for result in report.results if result.was_run}
    lines = []
    filled: dict[str, int] = {}
    kept = []
    for number, row in enumerate(sheet.rows):
        row.extend([""] * (len(sheet.header) - len(row)))
        student = finder.student(sheet, row)
        if student is None or student not in run or student not in marks:
            continue
        place = sheet.place(*CAN_CHANGE)
        locked = not is_canvas and place is not None and row[place].strip().lower() in NO
        if locked or (is_canvas and row[target].strip().upper() in {"EX", "N/A"}):
            kept.append(student)
        elif student in filled:
            raise CourseError(f"{path}: two rows are {student}'s: give students.csv a lms_user_id or an email")
        else:
            row[target] = as_points(round(marks[student].score, 2))
            filled[student] = number
    first = [k for k, title in enumerate(sheet.header) if k <= (sheet.place("Section") or 0)]
    made = course.out / f"{lms}.csv"
    write_whole(made, sheet.text([*first, target] if is_canvas else range(len(sheet.header))))
    title = sheet.header[target]
    lines.append(
        f"{lms.capitalize()}: {len(filled)} {'grade' if len(filled) == 1 else 'grades'} in the column {title!r} of "
        f"{made}: nbgrader's totals, with points by hand and penalties. All other cells are as they were."
    )
    lines += _maximum(sheet, report, marks, target, is_canvas=is_canvas)
    lines += _left_out(report, run & set(marks), filled, kept, lms)
    waiting = [student for student in filled if marks[student].waits]
    if waiting:
        lines.append(f"Points by hand are still to be given in {len(waiting)} of these: {_some(waiting)}")
    if not is_canvas:
        lines += _feedback_zip(course, report)
    return [printable(line) for line in lines]


class _Finder:
    """Finds the student whom a row is about, by the surest thing that it says."""

    def __init__(self, report: Report, lms: str, people: Iterable[Person]) -> None:
        people = list(people)
        known = {name: owner for name, owner in report.owners.items() if owner.get("lms") == lms}
        numbers = [(owner["lms_id"], name) for name, owner in known.items()]
        # Canvas's number is the user's; Moodle's is the participant's in this assignment, and only the zip tells it.
        numbers += [(person.lms_id, person.id) for person in people if lms == "canvas"]
        self._numbers = _index(numbers)
        self._ids = _index((person.id.lower(), person.id) for person in people)
        self._emails = _index((person.email.lower(), person.id) for person in people)
        names = [(key, person.id) for person in people for key in person.name_keys()]
        names += [(name_key(owner["name"]), name) for name, owner in known.items()]
        self._names = _index(names)

    def student(self, sheet: Sheet, row: Sequence[str]) -> str | None:
        def cell(*titles: str) -> str:
            place = sheet.place(*titles)
            return "" if place is None else row[place].strip()

        number = cell("ID") or next(iter(re.findall(r"\d+$", row[0].strip())), "")
        asked = [(self._numbers, number)]
        for titles in (("SIS User ID",), ("SIS Login ID",), ("ID number",), ("Username",), ("Email address",)):
            word = cell(*titles).lower()
            asked += [(self._ids, word), (self._emails, word), (self._ids, word.partition("@")[0])]
        full = cell("Full name", "Student") or f"{cell('FirstName')} {cell('LastName')}"
        if not full.strip():  # a worksheet in another language: whatever looks like an address, and the second column
            asked += [(self._emails, word.strip().lower()) for word in row if "@" in word]
            full = row[1] if len(row) > 1 else ""
        asked += [(self._names, key) for key in sorted(Person("", full).name_keys())]
        found = (index.get(key, set()) for index, key in asked if key)
        return next((min(students) for students in found if len(students) == 1), None)


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key, student in pairs:
        if key:
            found.setdefault(key, set()).add(student)
    return found


def _maximum(
    sheet: Sheet, report: Report, marks: Mapping[str, Marks], target: int, *, is_canvas: bool
) -> Iterable[str]:
    """Yield a warning when the LMS counts another maximum than the gradebook."""
    ours = max([mark.max_score for mark in marks.values()], default=report.max_score)
    if is_canvas:
        cells = points_possible(sheet, target)
    else:
        place = sheet.place(*MAXIMUM)
        cells = [row[place] for row in sheet.rows] if place is not None else []
    for cell in dict.fromkeys(cells):
        if re.fullmatch(r"\d+([.,]\d+)?", cell.strip()) and float(cell.replace(",", ".")) != ours:
            passed = "" if is_canvas else "; Moodle passes over grades above its maximum"
            yield f"Its maximum is {cell.strip()} points, ours {as_points(ours)}; nothing was scaled{passed}."


def _left_out(
    report: Report, scored: set[str], filled: Mapping[str, int], kept: Sequence[str], lms: str
) -> Iterable[str]:
    if kept:
        yield f"{len(kept)} excused or locked, and left as they were: {_some(kept)}"
    lost = sorted(scored - set(filled) - set(kept))
    if lost:
        yield (
            f"{_students(len(lost))} a score and no row in the {lms.capitalize()} file, or not only one: "
            f"{_some(lost)}. A lms_user_id, email or name in students.csv helps"
        )
    others = [result for result in report.results if not result.was_run]
    if others:
        names = _some([f"{result.student} ({result.status})" for result in others])
        yield f"{_students(len(others))} no score; what the file says there was left: {names}"


def _students(count: int) -> str:
    return "1 student has" if count == 1 else f"{count} students have"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LIST])
    return f"{shown} and {len(names) - _LIST} more" if len(names) > _LIST else shown


def _feedback_zip(course: Course, report: Report) -> Iterable[str]:
    """Write the pages as "Upload multiple feedback files in a zip" takes them: by the folders of the download."""
    notebook = course.release_notebook().stem
    files = []
    for student, owner in report.owners.items():
        path = course.feedback(student) / f"{notebook}.html"
        if owner.get("lms") == "moodle" and path.is_file():
            folder = f"{owner['name']}_{owner['lms_id']}_assignsubmission_file_"
            files.append((f"{folder}/feedback_{notebook}.html", path.read_bytes()))
    if not files:
        return
    made = course.out / "moodle-feedback.zip"
    pack(made, files)
    pages = "1 feedback page" if len(files) == 1 else f"{len(files)} feedback pages"
    yield f"Moodle: {pages} in {made}: upload it as multiple feedback files in a zip."
