"""One run at a time in a course folder: two would write the same pages, files and gradebook."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from cnnlab.grading.course import Course
from cnnlab.grading.errors import GradingError


class OtherRunError(GradingError):
    """Somebody else is grading in this course folder."""


@contextmanager
def only_run(course: Course) -> Iterator[None]:
    """Hold the course folder's lock; the system lets go of it even when the run is killed.

    Raises
    ------
    OtherRunError
        If another process holds it.
    """
    path = course.root / "out" / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OtherRunError(f"another run is grading in {course.root}: wait until it has ended") from None
        yield
