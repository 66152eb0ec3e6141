"""The two small files that nbgrader's exchange puts beside a submission: when it came, and a secret for its feedback.

nbgrader reads the time for late penalties, and hands out no feedback without both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cnnlab.grading.store import write_whole

_TIME = "timestamp.txt"


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
