"""Where things are in a course folder: nbgrader's folders, and ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cnnlab.grading.errors import GradingError


class CourseError(GradingError):
    """A course folder lacks something that a run needs; the text says what to do."""


@dataclass(frozen=True)
class Course:
    """The folders of one assignment in a course.

    Attributes
    ----------
    root
        The course folder: it holds ``source/``, ``release/`` and the gradebook.
    assignment
        For example ``"a1"``.
    """

    root: Path
    assignment: str

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the gradebook; raises `CourseError` for a folder that an address cannot name."""
        if "?" in str(self.root.resolve()):
            raise CourseError(f"{self.root.resolve()} has a ? in its path, where the gradebook cannot be: rename it")
        return f"sqlite:///{self.gradebook}"

    @property
    def gradebook(self) -> Path:
        """The gradebook's file."""
        return self.root.resolve() / "gradebook.db"

    @property
    def submitted(self) -> Path:
        """Where nbgrader collects submissions."""
        return self.root / "submitted"

    @property
    def out(self) -> Path:
        """What a run writes for the teaching team."""
        return self.root / "out" / self.assignment

    def source_notebook(self) -> Path:
        """Return the assignment's one source notebook.

        Raises
        ------
        CourseError
            If there is none, or more than one.
        """
        return self._only_notebook("source", "build it: cnnlab build")

    def release_notebook(self) -> Path:
        """Return the assignment's one release notebook; raises like `source_notebook`."""
        return self._only_notebook("release", f"make it: cnnlab release {self.assignment}")

    def autograded(self, student: str) -> Path:
        """Return where nbgrader's formgrader looks for a graded submission."""
        return self.root / "autograded" / student / self.assignment

    def feedback(self, student: str) -> Path:
        """Return where nbgrader looks for a student's feedback."""
        return self.root / "feedback" / student / self.assignment

    def _only_notebook(self, stage: str, next_step: str) -> Path:
        folder = self.root / stage / self.assignment
        found = sorted(folder.glob("*.ipynb"))
        if len(found) == 1:
            return found[0]
        if not found:
            raise CourseError(f"there is no notebook in {folder}: {next_step}")
        names = ", ".join(path.name for path in found)
        raise CourseError(f"{folder} has {len(found)} notebooks ({names}): keep one notebook an assignment")
