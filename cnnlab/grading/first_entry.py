"""Enter a submission that the gradebook does not have yet: the rows that nbgrader would make, in a few statements.

nbgrader's `add_submission` makes one object after the other, reads each back, and its step then changes them one by
one; for a whole class that is most of what the one writer does. Here nbgrader's step runs on drafts, and the finished
rows go into nbgrader's own tables. What is in the gradebook already goes the long way (`cnnlab.grading.entering`).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import nbformat
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import bindparam, insert, select

from cnnlab.grading.entering import Rows, SaveHere


def _kind(cell: Any) -> str:
    return str(cell.__mapper__.polymorphic_identity)


_WITH_GRADE = frozenset(map(_kind, (GradeCell, TaskCell)))
_WITH_COMMENT = frozenset(map(_kind, (SolutionCell, TaskCell)))

_BY_STUDENT = select(Student.id).where(Student.id == bindparam("student"))
_BY_BOTH = (
    select(SubmittedAssignment.id)
    .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
    .where(Assignment.name == bindparam("assignment"), SubmittedAssignment.student_id == bindparam("student"))
)
_CELLS = (
    select(Assignment.id, Notebook.id, Notebook.name, BaseCell.__table__.c.id, BaseCell.__table__.c.name, BaseCell.type)
    .join(Notebook, Notebook.assignment_id == Assignment.id)
    .join(BaseCell.__table__, BaseCell.__table__.c.notebook_id == Notebook.id, isouter=True)
    .where(Assignment.name == bindparam("assignment"))
)


def enter_first(gradebook: Gradebook, names: tuple[str, str, str], graded: Any) -> bool:
    """Enter a graded submission, in the transaction that is open, unless there is one; return whether it was done.

    Parameters
    ----------
    gradebook
        An open one.
    names
        Of notebook, assignment and student.
    graded
        The submission, with points as the outputs of its grade cells. It is taken to be in time: nobody knows when
        it was handed in.
    """
    notebook_name, assignment, student = names
    execute = gradebook.db.execute
    wanted = {"assignment": assignment, "student": student}
    if gradebook.authenticator is not None or execute(_BY_BOTH, wanted).first() is not None:
        return False
    cells = execute(_CELLS, wanted).all()
    if all(row[2] != notebook_name for row in cells):
        return False  # nbgrader's own way says what is missing
    if execute(_BY_STUDENT, wanted).first() is None:
        execute(insert(Student.__table__), {"id": student})
    submitted = _inserted(execute, SubmittedAssignment, {"assignment_id": cells[0][0], "student_id": student})
    grades, comments = [], []
    for notebook_id, name in {row[1]: row[2] for row in cells}.items():
        mirrored = _inserted(execute, SubmittedNotebook, {"notebook_id": notebook_id, "assignment_id": submitted})
        drafts = Rows(
            {
                row[4]: _draft(mirrored, row[3], auto_score=None, manual_score=None, needs_manual_grade=True)
                for row in cells
                if row[1] == notebook_id and row[5] in _WITH_GRADE
            },
            {
                row[4]: _draft(mirrored, row[3], auto_comment=None)
                for row in cells
                if row[1] == notebook_id and row[5] in _WITH_COMMENT
            },
        )
        if name == notebook_name:
            SaveHere(drafts, names).preprocess(nbformat.from_dict(graded), {})  # type: ignore[no-untyped-call]
        grades += [vars(row) for row in drafts.grades.values()]
        comments += [vars(row) for row in drafts.comments.values()]
    for table, rows in ((Grade.__table__, grades), (Comment.__table__, comments)):
        if rows:
            execute(insert(table), rows)
    return True


def _inserted(execute: Any, kind: Any, values: dict[str, Any]) -> str:
    """Insert one row and return the id that nbgrader's table gave it."""
    return str(execute(insert(kind.__table__), values).inserted_primary_key[0])


def _draft(notebook: str, cell: str, **values: Any) -> SimpleNamespace:
    return SimpleNamespace(notebook_id=notebook, cell_id=cell, **values)
