"""Put results into nbgrader's gradebook, through nbgrader's own code.

nbgrader reads a score from the outputs of a grade cell: an error is 0, a float is that many points, and everything
else is full marks. The outputs are therefore written here, from the structured result, and nothing that a student's
process printed can be among them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from cnnlab.grading.address import GradebookError, find_address
from cnnlab.grading.course import Course
from cnnlab.grading.database import RunLock, open_gradebook
from cnnlab.grading.entering import SaveHere, Submitted, assign_late_penalty, one_transaction
from cnnlab.grading.first_entry import enter_first
from cnnlab.grading.model import CellReport, Result
from cnnlab.grading.people import Person
from cnnlab.grading.release import enter_assignment
from cnnlab.grading.repair import grade_cells, parts_of_answers
from cnnlab.grading.store import write_whole
from cnnlab.grading.surroundings import nbgrader_surroundings, settings_of
from cnnlab.grading.waiting import Patience, when_free

__all__ = ["GradebookError", "GradebookWriter", "with_outputs"]

T = TypeVar("T")


class GradebookWriter:
    """The one writer of a run; use it in a ``with`` statement.

    Parameters
    ----------
    course
        Whose gradebook; the assignment is entered if it is not in it yet.
    patience
        How long to wait for a gradebook that somebody else keeps locked.

    Raises
    ------
    GradebookError
        If it cannot be used, or stays locked; nothing was written then.
    OtherRunError
        If another run writes into the same PostgreSQL database.
    """

    def __init__(self, course: Course, patience: Patience | None = None) -> None:
        self._course = course
        self._patience = patience or Patience()
        self._notebook_id = course.source_notebook().stem
        self._settings = settings_of(course.root)
        self._address = find_address(course)
        self._lock = RunLock(self._address)
        when_free(self._lock.hold, self._address, self._patience, was_open=False)
        try:
            self._gradebook = open_gradebook(course, self._patience)
            try:
                self._enter_assignment()
            except BaseException:
                self._gradebook.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> GradebookWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._gradebook.close()
        self._lock.release()

    def people(self) -> list[Person]:
        """Return the students in the gradebook."""
        return self._read(lambda: people_in(self._gradebook))

    def write(self, result: Result, notebook: Mapping[str, Any], submitted_at: datetime | None = None) -> bool:
        """Record one result, in one transaction, and return whether anything changed.

        Manual scores and comments stay as they are. What is in the gradebook already is not written again: that would
        ask for a second manual look.

        Parameters
        ----------
        result
            Of a submission that was run.
        notebook
            The repaired submission.
        submitted_at
            When it was handed in, if that is known; nbgrader's late penalties depend on it.

        Raises
        ------
        GradebookError
            If the gradebook stays locked.
        """
        graded = with_outputs(notebook, result)
        changed = self._write_notebook(result.student, graded)
        # Written after the gradebook: a run that is killed between them enters the same once more.
        mark = self._course.out / "recorded" / f"{result.student}.txt"
        entered = _fingerprint(graded, submitted_at)
        is_marked = mark.is_file() and mark.read_text(encoding="ascii").strip() == entered

        def write() -> bool:
            self._lock.hold()
            if is_marked and self._has_points(result):
                return False
            with nbgrader_surroundings(), one_transaction(self._gradebook):
                names = (self._notebook_id, result.assignment, result.student)
                # A time may mean a penalty, which nbgrader reckons from its own objects.
                if submitted_at is None and enter_first(self._gradebook, names, graded):
                    return True
                self._gradebook.update_or_create_student(result.student)
                submission = self._gradebook.update_or_create_submission(result.assignment, result.student)
                if submitted_at is not None:
                    submission.timestamp = submitted_at
                submitted = Submitted(self._gradebook, *names)
                SaveHere(submitted, names).preprocess(nbformat.from_dict(graded), {})  # type: ignore[no-untyped-call]
                assign_late_penalty(self._gradebook, submitted.notebook, result.student, self._settings)
            return True

        written = when_free(write, self._address, self._patience)
        if not is_marked:
            write_whole(mark, f"{entered}\n")
        return changed or written

    def _enter_assignment(self) -> None:
        """Enter the assignment again when its source has changed since the last time."""
        source = hashlib.sha256(self._course.source_notebook().read_bytes()).hexdigest()
        mark = self._course.out / "entered.txt"
        is_marked = mark.is_file() and mark.read_text(encoding="ascii").strip() == source
        if is_marked and self._read(self._has_assignment):
            return
        mark.unlink(missing_ok=True)  # a run that is killed now leaves half of it
        enter_assignment(self._course, self._patience)
        write_whole(mark, f"{source}\n")

    def _has_assignment(self) -> bool:
        try:
            self._gradebook.find_notebook(self._notebook_id, self._course.assignment)
        except MissingEntry:
            return False
        return True

    def _has_points(self, result: Result) -> bool:
        """Whether the gradebook has these points already."""
        try:
            found = Submitted(self._gradebook, self._notebook_id, result.assignment, result.student)
        except MissingEntry:
            return False
        finally:
            self._gradebook.db.rollback()
        return all(found.auto_scores.get(exercise.grade_id) == exercise.score for exercise in result.exercises)

    def _read(self, read: Callable[[], T]) -> T:
        """Read when nobody holds a lock, and hold none afterwards: a transaction left open would block others."""

        def once() -> T:
            try:
                return read()
            finally:
                self._gradebook.db.rollback()

        return when_free(once, self._address, self._patience)

    def _write_notebook(self, student: str, graded: Mapping[str, Any]) -> bool:
        path = self._course.autograded(student) / f"{self._notebook_id}.ipynb"
        text = json.dumps(graded, indent=1, ensure_ascii=False) + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return False
        write_whole(path, text)
        return True


def people_in(gradebook: Gradebook) -> list[Person]:
    """Return the students in an open gradebook."""
    return [
        Person(
            student.id,
            f"{student.first_name or ''} {student.last_name or ''}".strip(),
            student.email or "",
            student.lms_user_id or "",
        )
        for student in gradebook.students
    ]


def _fingerprint(graded: Mapping[str, Any], submitted_at: datetime | None) -> str:
    """Return a hash of what a student handed in and of the cells' places in the assignment.

    Outputs are in it only where a person looks at them: those of checks change with the checks.
    """
    cells = [[cell["cell_type"], cell["source"], cell["metadata"]] for cell in graded["cells"]]
    looked_at = {name: cell.get("outputs") for name, cell in parts_of_answers(graded).items()}
    return hashlib.sha256(json.dumps([cells, looked_at, str(submitted_at)], sort_keys=True).encode()).hexdigest()


def with_outputs(notebook: Mapping[str, Any], result: Result) -> dict[str, Any]:
    """Return the notebook with what the cells printed, and with each grade cell's points as its output.

    Every grade cell gets an output: nbgrader gives full marks to one that has none.
    """
    cells = [dict(cell) for cell in notebook["cells"]]
    scores = {exercise.grade_id: exercise.score for exercise in result.exercises}
    for report in result.cells:
        cells[report.index]["outputs"] = [*cells[report.index]["outputs"], *_outputs(report)]
    checks = grade_cells(notebook)
    for cell in cells:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in checks:
            points = {"text/plain": repr(float(scores[name]))}  # NumPy's own repr would be full marks
            cell["outputs"] = [
                {"output_type": "execute_result", "data": points, "metadata": {}, "execution_count": None}
            ]
    return {**notebook, "cells": cells}


def _outputs(report: CellReport) -> Iterator[dict[str, Any]]:
    for name, text in (("stdout", report.stdout), ("stderr", report.stderr)):
        if text:
            yield {"output_type": "stream", "name": name, "text": text}
    if report.left_out:
        yield {"output_type": "stream", "name": "stderr", "text": f"This cell {report.left_out}."}
    if report.error is not None:
        type_name, message, line = report.error
        yield {"output_type": "error", "ename": type_name, "evalue": message, "traceback": [line]}
