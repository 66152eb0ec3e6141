"""The two small files that nbgrader's exchange puts beside a submission: when it came, and a secret for its feedback.

nbgrader reads the time for late penalties, and hands out no feedback without both.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cnnlab.grading.store import write_whole

_TIME, _SECRET = "timestamp.txt", "submission_secret.txt"
_MAX_BYTES = 1_000


@dataclass(frozen=True)
class Slips:
    """What lay beside one submission.

    Attributes
    ----------
    texts
        By the name of the file.
    """

    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def submitted_at(self) -> datetime | None:
        """When it was handed in, in UTC and without a time zone, as nbgrader keeps it; None if nobody can say."""
        from nbgrader.utils import parse_utc

        try:
            found: datetime = parse_utc(self.texts[_TIME].strip())
        except (KeyError, ValueError, OverflowError):
            return None
        return found

    def copy_to(self, folder: Path) -> None:
        """Write them where nbgrader's next step looks for them."""
        for name, text in self.texts.items():
            path = folder / name
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                write_whole(path, text)


def find_slips(submissions: Path, student: str, assignment: str) -> Slips:
    """Return what lies in a student's folder; links, folders and long files are no slips."""
    places = (submissions / student / assignment, submissions / student)
    found = {name: text for place in reversed(places) for name in (_TIME, _SECRET) if (text := _read(place / name))}
    return Slips(found)


def _read(path: Path) -> str:
    if path.parent.is_symlink():
        return ""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ""
            data = file.read(_MAX_BYTES + 1)
        return data.decode("utf-8") if len(data) <= _MAX_BYTES else ""
    except (OSError, ValueError):
        return ""
