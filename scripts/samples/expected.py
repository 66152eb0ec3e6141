"""Compare what a class got with what it must get."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnnlab.grading.model import Report
from cnnlab.grading.report import as_csv

Points = Mapping[str, Mapping[str, str]]
Names = Mapping[tuple[str, str], frozenset[str]]


def expected_points(folder: Path) -> Points:
    """Return the rows of a class's expected.csv, by student; its columns are those of grades.csv."""
    return _by_student((folder / "expected.csv").read_text(encoding="utf-8"))


def expected_mistakes(folder: Path) -> Names:
    """Return which mistakes must be named, by student and exercise; who is not in it must get no name."""
    with (folder / "expected_mistakes.csv").open(encoding="utf-8", newline="") as file:
        return {(row["student"], row["exercise"]): frozenset(row["mistakes"].split()) for row in csv.DictReader(file)}


def named_mistakes(report: Report) -> Names:
    """Return which mistakes were named in a run, by student and exercise."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for result in report.results:
        for exercise in result.exercises:
            for check in exercise.checks:
                found[result.student, exercise.exercise_id].update(check.mistakes)
    return {place: frozenset(names) for place, names in found.items() if names}


def differences(report: Report, folder: Path) -> Iterator[str]:
    """Yield a line for each thing that is not as expected.

    Students of a real class, whom the gradebook knows and who have no sample, are missing here; that is no difference.
    """
    wanted, got = expected_points(folder), _by_student(as_csv(report))
    for student in sorted(wanted.keys() | got.keys()):
        one, other = wanted.get(student), got.get(student)
        if other is None:
            yield f"{student}: has no result"
        elif one is None:
            if other["status"] != "missing":
                yield f"{student}: is not in expected.csv"
        else:
            for column in dict.fromkeys([*one, *other]):
                if one.get(column) != other.get(column):
                    yield f"{student}: {column} is {other.get(column)}, expected {one.get(column)}"
    names, found = expected_mistakes(folder), named_mistakes(report)
    for student, exercise in sorted(names.keys() | found.keys()):
        place = student, exercise
        if names.get(place) != found.get(place):
            yield f"{student}: {exercise} names {_list(found.get(place))}, expected {_list(names.get(place))}"


def _by_student(text: str) -> dict[str, dict[str, str]]:
    return {row["student"]: row for row in csv.DictReader(io.StringIO(text))}


def _list(names: frozenset[str] | None) -> str:
    return ", ".join(sorted(names)) if names else "nothing"
