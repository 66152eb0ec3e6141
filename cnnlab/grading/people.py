"""Who is in the class, and which of them an LMS means.

The class is everybody in the gradebook and in ``students.csv``, whose columns are those of nbgrader's own import:
``id``, and if you have them ``first_name``, ``last_name`` (or ``name``), ``email`` and ``lms_user_id``.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.grading.course import CourseError
from cnnlab.grading.naming import Owner


@dataclass(frozen=True)
class Person:
    """A student: nbgrader's name for them, and what an LMS may call them. Only `id` is never empty."""

    id: str
    name: str = ""
    email: str = ""
    lms_id: str = ""

    def name_keys(self) -> set[str]:
        """Return the name as `name_key` writes it, the given name in front and the family name in front."""
        family, comma, given = self.name.partition(",")
        words = f"{given} {family}".split() if comma else self.name.split()
        keys = {name_key("".join(words[turn:] + words[:turn])) for turn in range(len(words))}
        return keys - {""}


def name_key(name: str) -> str:
    """Return a name without case, spaces and punctuation, which an LMS takes out of file names.

    Examples
    --------
    >>> name_key("O'Neill, Zoë")
    'oneillzoë'
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(char for char in folded if char.isalnum() or unicodedata.combining(char))


def read_people(path: Path) -> list[Person]:
    """Return the students in a CSV file; none if there is no file.

    Raises
    ------
    CourseError
        If it cannot be read, or has no column ``id``.
    """
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [{key: value for key, value in row.items() if key is not None} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"{path} cannot be read ({error}): save it as CSV in UTF-8") from error
    if rows and "id" not in rows[0]:
        raise CourseError(f"{path} has no column id: its first line must name the columns, for example: id,last_name")
    return [_person(row) for row in rows if (row["id"] or "").strip()]


def _person(row: Mapping[str, str | None]) -> Person:
    def field(*names: str) -> str:
        return next((value for name in names if (value := (row.get(name) or "").strip())), "")

    name = field("name") or f"{field('first_name')} {field('last_name')}".strip()
    return Person(field("id"), name, field("email"), field("lms_user_id", "lms_id"))


def merged(*lists: Iterable[Person]) -> list[Person]:
    """Return each student once, sorted; what an earlier list says of one counts before what a later one says."""
    found: dict[str, Person] = {}
    for people in lists:
        for person in people:
            known = found.get(person.id, Person(person.id))
            found[person.id] = Person(
                person.id, known.name or person.name, known.email or person.email, known.lms_id or person.lms_id
            )
    return [found[name] for name in sorted(found)]


def match(owners: Sequence[Owner], people: Iterable[Person]) -> dict[Owner, str]:
    """Return the students whom files of an LMS belong to; who is not in the result has no match, or not only one.

    Canvas's number is the user's and counts first. Moodle's is the participant's in one assignment, which may be
    another student's number elsewhere, so that it counts only where the name does not contradict it. A student whom two
    owners claim gets neither: who is the right one is for people to say.
    """
    people = list(people)
    by_id = {person.id: person for person in people}
    numbers = _unambiguous((person.lms_id, person.id) for person in people if person.lms_id)
    names = _unambiguous((key, person.id) for person in people for key in person.name_keys())
    # A name with two numbers is of two people; a number with two names was made up by one of them.
    ids = Counter(owner.lms_id for owner in owners)
    keys = Counter(name_key(owner.name) for owner in owners)
    found: dict[Owner, str] = {}
    for owner in owners:
        key = name_key(owner.name)
        numbered = by_id.get(numbers.get(owner.lms_id, "")) if ids[owner.lms_id] == 1 else None
        if numbered is not None and (owner.lms == "canvas" or not numbered.name or key in numbered.name_keys()):
            found[owner] = numbered.id
        elif key in names and keys[key] == 1:
            found[owner] = names[key]
    claims = Counter(found.values())
    return {owner: student for owner, student in found.items() if claims[student] == 1}


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for key, student in pairs:
        found.setdefault(key, set()).add(student)
    return {key: min(students) for key, students in found.items() if len(students) == 1}
