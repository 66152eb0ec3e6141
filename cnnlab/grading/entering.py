"""Enter one submission by nbgrader's own step: in a gradebook that is open already, and in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nbgrader.api import BaseCell, Comment, Grade, Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor, SaveAutoGrades
from sqlalchemy import text


class Rows:
    """Grades and comments of one submission by the names of their cells, as nbgrader's steps ask for them."""

    def __init__(self, grades: Mapping[str, Any], comments: Mapping[str, Any]) -> None:
        self.db = self
        self.grades, self.comments = grades, comments

    def find_grade(self, cell: str, *_: str) -> Any:
        """Return the grade of a cell; raises `MissingEntry`, as nbgrader does."""
        return self._find(self.grades, cell)

    def find_comment(self, cell: str, *_: str) -> Any:
        """Return the comment on a cell; raises `MissingEntry`, as nbgrader does."""
        return self._find(self.comments, cell)

    def commit(self) -> None:
        """Do nothing: the transaction has an end of its own."""

    @staticmethod
    def _find(rows: Mapping[str, Any], cell: str) -> Any:
        try:
            return rows[cell]
        except KeyError:
            raise MissingEntry(f"the gradebook has no cell {cell}") from None


class Submitted(Rows):
    """One submission's grades and comments, read at once: nbgrader's steps ask for them cell by cell."""

    def __init__(self, gradebook: Gradebook, notebook: str, assignment: str, student: str) -> None:
        submitted = self.notebook = gradebook.find_submission_notebook(notebook, assignment, student)

        def by_cell(kind: Any) -> dict[str, Any]:
            rows = gradebook.db.query(BaseCell.name, kind).join(kind, kind.cell_id == BaseCell.id)
            # Locked, so that points which a person saves at this moment are seen; SQLite has locked the whole file.
            return dict(map(tuple, rows.filter(kind.notebook_id == submitted.id).with_for_update(of=kind)))

        super().__init__(by_cell(Grade), by_cell(Comment))
        self.auto_scores = {name: grade.auto_score for name, grade in self.grades.items()}


class SaveHere(SaveAutoGrades):  # type: ignore[misc]
    """nbgrader's step, with a submission that is open already."""

    def __init__(self, submitted: Rows, names: tuple[str, str, str]) -> None:
        super().__init__()
        self.gradebook = submitted
        self.notebook_id, self.assignment_id, self.student_id = names

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Enter points and comments of each cell."""
        return NbGraderPreprocessor.preprocess(self, nb, resources)


def assign_late_penalty(gradebook: Gradebook, notebook: Any, student: str, settings: Any) -> None:
    """Do what nbgrader's step does for a submission that came late, with the plugin that the course has chosen."""
    seconds = notebook.assignment.total_seconds_late
    penalty = None
    if seconds > 0:
        step = AssignLatePenalties(config=settings)
        step.init_plugin()
        gradebook.db.flush()
        penalty = step.plugin_inst.late_submission_penalty(student, notebook.score, seconds)
    notebook.late_submission_penalty = None if penalty is None else step._check_late_penalty(notebook, penalty)


@contextmanager
def one_transaction(gradebook: Gradebook) -> Iterator[None]:
    """Let each commit of nbgrader only flush, and commit once at the end, or not at all."""
    session = gradebook.db
    if session.get_bind().dialect.name == "sqlite":
        # Not later, when there is something to write: what was read would then be older than what it is held against.
        session.execute(text("BEGIN IMMEDIATE"))
    session.commit = session.flush
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.commit
    try:
        session.commit()
    except BaseException:
        session.rollback()
        raise
