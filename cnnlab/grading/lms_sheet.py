"""The tables that Canvas and Moodle export: what is in them, and which column is an assignment's grade."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.grading.course import CourseError
from cnnlab.grading.model import Report

# Moodle writes its worksheet in the language of who downloads it.
_GRADE = (
    *("Grade", "Bewertung", "Calificación", "Note", "Nota", "Valutazione", "Beoordeling", "Cijfer"),
    *("Qualificació", "Cualificación", "Kalifikazioa"),
)
CAN_CHANGE = (
    *("Grade can be changed", "Bewertung kann geändert werden", "La note peut être modifiée"),
    *("La calificación puede cambiarse", "Nota pode ser alterada", "A nota pode ser alterada."),
)
NO = {"no", "nein", "non", "não", "nee"}
MAXIMUM = ("Maximum Grade", "Maximum grade")
_SCALE = ("Scale", "Skala", "Barème", "Escala", "Scala", "Schaal")


@dataclass
class Sheet:
    """An exported table: its header, the rows below, and how it separates them."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    delimiter: str
    mark: str  # a byte-order mark, kept where there was one

    def place(self, *titles: str) -> int | None:
        """Return where the first of the titles stands."""
        return next((self.header.index(title) for title in titles if title in self.header), None)

    def text(self, columns: Sequence[int]) -> str:
        """Return the table with these columns, as it can be imported."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n")
        for row in (self.header, *self.rows):
            writer.writerow([row[column] if column < len(row) else "" for column in columns])
        return self.mark + text.getvalue()


def read_sheet(path: Path) -> Sheet:
    """Return what an LMS exported; raises `CourseError` for anything else."""
    try:
        text = path.read_bytes().decode("utf-8")  # not as text: line ends within a cell are to stay as they are
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}): name the file that your LMS exported") from None
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not UTF-8 text: export it as CSV in UTF-8, and do not save it again") from None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise CourseError(f"{path} is no CSV file ({error})") from None
    if not rows:
        raise CourseError(f"{path} is empty: export it again")
    return Sheet(path, rows[0], rows[1:], delimiter, mark)


def canvas_column(sheet: Sheet, report: Report, column: str | None) -> int:
    """Return where the assignment stands in Canvas's table, or the column of that title; raises `CourseError`."""
    if sheet.place("ID") is None or sheet.place("Section") is None:
        raise CourseError(f"{sheet.path} is no export of Canvas's gradebook: it has no columns ID and Section")
    # Below the title stand the points that an assignment is worth; of sums it says there, in words, that they are
    # read-only, and those may have the name of the assignment's group.
    titles = range(sheet.header.index("Section") + 1, len(sheet.header))
    assignments = [sheet.header[k] for k in titles if not any(map(_is_words, points_possible(sheet, k)))]
    if column is None:
        asked = re.compile(rf"(?<![^\W_]){re.escape(report.assignment)}(?![^\W_])", re.IGNORECASE)
        matching = [title for title in assignments if asked.search(title.replace("_", " "))]
        matching = [title for title in matching if re.search(r"\(\d+\)\s*$", title)] or matching
    else:
        matching = [title for title in assignments if column in {title, re.sub(r"\s*\(\d+\)\s*$", "", title)}]
    return _only(sheet, matching, assignments, report.assignment if column is None else column)


def points_possible(sheet: Sheet, column: int) -> list[str]:
    """Return what Canvas's row "Points Possible" says of a column."""
    rows = [row for row in sheet.rows if row[0].strip() == "Points Possible"]
    return [row[column].strip() for row in rows if column < len(row)]


def _is_words(cell: str) -> bool:
    return bool(cell) and not re.fullmatch(r"[\d.,\s]+", cell)


def moodle_column(sheet: Sheet, column: str | None) -> int:
    """Return where the grade stands in Moodle's worksheet, or the column of that title; raises `CourseError`."""
    if sheet.rows and not re.search(r"\d+\s*$", sheet.rows[0][0]):
        raise CourseError(
            f"{sheet.path} is no grading worksheet of Moodle's: its first column must be Identifier, such as "
            "Participant 1234567. In the assignment choose: Download grading worksheet"
        )
    if sheet.place(*_SCALE) is not None and sheet.place(*MAXIMUM) is None:
        raise CourseError(
            f"{sheet.path} is of an assignment that Moodle grades by a scale of words, which points do not fit: "
            "set its grade to Point in Moodle, and download the worksheet again"
        )
    names = _GRADE if column is None else (column,)
    return _only(sheet, [title for title in sheet.header if title in names], sheet.header, names[0])


def _only(sheet: Sheet, matching: Sequence[str], all_titles: Sequence[str], wanted: str) -> int:
    if len(matching) == 1:
        return sheet.header.index(matching[0])
    found = "no column" if not matching else f"{len(matching)} columns"
    titles = ", ".join(repr(title) for title in (matching or all_titles)[:20])
    raise CourseError(f"{sheet.path} has {found} for {wanted!r}: name the one to fill in: --column TITLE, of {titles}")
