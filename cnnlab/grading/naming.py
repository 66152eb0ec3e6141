"""Whose a file is, by its name: how Moodle, Canvas and nbgrader name what students hand in.

* Moodle, "Download all submissions": ``Ada Byron_1234567_assignsubmission_file_/a1_scanning.ipynb``, the underscore at
  the end only in older versions; without "Download submissions in folders"
  ``Ada Byron_1234567_assignsubmission_file_a1_scanning.ipynb``. The number is the participant's in this one assignment
  (``Participant 1234567`` in the grading worksheet); Moodle puts spaces for the underscores of a name
  (mod/assign/classes/downloader.php).
* Canvas, "Download Submissions": ``byronada_12345_67890_a1_scanning.ipynb`` or ``byronada_LATE_12345_67890_…``, where
  12345 is the user and 67890 the file; ``anon_k3Xd9_67890_…`` when grading is anonymous. Files of the same name get
  ``-1``, ``-2`` … (lib/content_zipper.rb).
* nbgrader's exchange: ``ada+a1+2026-10-01 12:00:00.000000 UTC`` and, in newer versions, one more random part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Lms = Literal["", "moodle", "canvas"]

_MOODLE = re.compile(
    r"(?P<name>[^_]*)_(?P<id>\d{1,18})_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL
)
_CANVAS = re.compile(
    r"(?P<name>.*?)(?P<late>_LATE)?_(?P<id>\d{1,18})_(?:(?P<file>\d{1,18})_(?P<rest>.+)|(?P<entry>text|link)\.html)",
    re.DOTALL,
)
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?anon_(?P<id>[A-Za-z0-9]{5})_(?:(?P<file>\d{1,18})_(?P<rest>.+)|(?P<entry>text|link)\.html)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Owner:
    """Who handed something in, as the name of a file or folder says.

    Attributes
    ----------
    label
        A name that nobody else in the class has: the student's in nbgrader, or the LMS's name and number.
    lms
        Which one named it; empty for nbgrader's folders.
    name, lms_id
        The LMS's name and number; empty for nbgrader's folders.
    late
        Whether Canvas marks it as late.
    """

    label: str
    lms: Lms = ""
    name: str = ""
    lms_id: str = ""
    late: bool = False


def moodle_owner(name: str) -> tuple[Owner, str] | None:
    """Return whose a folder or file of Moodle's is, and the rest of its name; None for any other name.

    Examples
    --------
    >>> owner, rest = moodle_owner("Ada Byron_1234567_assignsubmission_file_a1_scanning.ipynb")
    >>> owner.name, owner.lms_id, rest
    ('Ada Byron', '1234567', 'a1_scanning.ipynb')
    """
    found = _MOODLE.fullmatch(name)
    if found is None:
        return None
    label = f"{found['name']}_{found['id']}"
    return Owner(label, "moodle", found["name"], found["id"]), found["rest"] or ""


def canvas_owner(name: str) -> tuple[Owner, str, int] | None:
    """Return whose a file of Canvas's is, its own name, and its number, which grows with time; None for any other name.

    Examples
    --------
    >>> owner, rest, number = canvas_owner("byronada_LATE_12345_67890_a1_scanning-1.ipynb")
    >>> owner.name, owner.lms_id, owner.late, rest, number
    ('byronada', '12345', True, 'a1_scanning-1.ipynb', 67890)
    """
    found = _CANVAS_ANONYMOUS.fullmatch(name) or _CANVAS.fullmatch(name)
    if found is None:
        return None
    who = found.groupdict().get("name", "anon")
    owner = Owner(f"{who}_{found['id']}", "canvas", who, found["id"], late=found["late"] is not None)
    return owner, found["rest"] or f"{found['entry']}.html", int(found["file"] or 0)


def exchange_owner(name: str, assignment: str) -> tuple[Owner, str] | None:
    """Return whose a folder of nbgrader's exchange is, and when it was handed in; None for any other name.

    Examples
    --------
    >>> exchange_owner("ada+a1+2026-10-01 12:00:00.000000 UTC+k3x", "a1")
    (Owner(label='ada', lms='', name='', lms_id='', late=False), '2026-10-01 12:00:00.000000 UTC')
    """
    parts = name.split("+")
    if len(parts) not in {3, 4} or parts[1] != assignment or not parts[0] or not re.match(r"\d{4}-", parts[2]):
        return None
    return Owner(parts[0]), parts[2]


def is_of_exchange(name: str) -> bool:
    """Whether a folder is one of nbgrader's exchange, for any assignment."""
    return re.fullmatch(r"[^+]+\+[^+]+\+\d{4}-[^+]*(\+[^+]*)?", name) is not None
