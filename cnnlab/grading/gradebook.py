"""Put results into nbgrader's gradebook, through nbgrader's own code.

nbgrader reads a score from the outputs of a grade cell: an error is 0, a float is that many points, and everything
else is full marks. The outputs are therefore written here, from the structured result, and nothing that a student's
process printed can be among them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from sqlalchemy.exc import SQLAlchemyError

from cnnlab.grading.course import Course
from cnnlab.grading.errors import GradingError
from cnnlab.grading.model import CellReport, Result
from cnnlab.grading.people import Person
from cnnlab.grading.release import enter_assignment, make_gradebook, nbgrader_config, nbgrader_surroundings
from cnnlab.grading.repair import grade_cells, parts_of_answers
from cnnlab.grading.store import write_whole


class GradebookError(GradingError):
    """The gradebook is damaged, or somebody else keeps it locked."""


class GradebookWriter:
    """The one writer of a run; use it in a ``with`` statement.

    Parameters
    ----------
    course
        Whose gradebook; the assignment is entered if it is not in it yet.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._notebook_id = course.source_notebook().stem
        _try_to_write(course)
        make_gradebook(course)
        try:
            with nbgrader_surroundings():
                course_id = nbgrader_config(course).CourseDirectory.get("course_id", "")
                self._gradebook = Gradebook(course.database_url, course_id)
                self._enter_assignment()
        except SQLAlchemyError as error:
            raise _unusable(course, getattr(error, "orig", None) or error) from error

    def __enter__(self) -> GradebookWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._gradebook.close()

    def people(self) -> list[Person]:
        """Return the students in the gradebook."""
        return people_in(self._gradebook)

    def write(self, result: Result, notebook: Mapping[str, Any]) -> bool:
        """Record one result, in one transaction, and return whether anything changed.

        Manual scores and comments stay as they are. Where an answer that a person grades is another than before, the
        gradebook asks for a look.

        Parameters
        ----------
        result
            Of a submission that was run.
        notebook
            The repaired submission.
        """
        graded = with_outputs(notebook, result)
        if self._is_recorded(result) and not self._has_new_answers(result.student, graded):
            return self._write_notebook(result.student, graded)
        resources = {
            "nbgrader": {
                "student": result.student,
                "assignment": result.assignment,
                "notebook": self._notebook_id,
                "db_url": self._course.database_url,
            }
        }
        with nbgrader_surroundings(), _one_transaction(self._gradebook):
            self._gradebook.update_or_create_student(result.student)
            self._gradebook.update_or_create_submission(result.assignment, result.student)
            _SaveHere(self._gradebook).preprocess(nbformat.from_dict(graded), resources)  # type: ignore[no-untyped-call]
        # After the points: a run that is killed between the two finds the answers new once more.
        self._write_notebook(result.student, graded)
        return True

    def _enter_assignment(self) -> None:
        """Enter the assignment again when its source has changed since the last time."""
        source = hashlib.sha256(self._course.source_notebook().read_bytes()).hexdigest()
        entered = self._course.out / "entered.txt"
        try:
            self._gradebook.find_notebook(self._notebook_id, self._course.assignment)
            if entered.read_text(encoding="ascii").strip() == source:
                return
        except (MissingEntry, FileNotFoundError):
            pass
        enter_assignment(self._course)
        write_whole(entered, f"{source}\n")

    def _is_recorded(self, result: Result) -> bool:
        """Whether the gradebook has these points already; writing them again would ask for a second manual look."""
        try:
            return all(
                self._gradebook.find_grade(
                    exercise.grade_id, self._notebook_id, result.assignment, result.student
                ).auto_score
                == exercise.score
                for exercise in result.exercises
            )
        except MissingEntry:
            return False

    def _has_new_answers(self, student: str, graded: Mapping[str, Any]) -> bool:
        """Whether what a person looks at differs from the graded notebook that is there."""
        try:
            before = json.loads(self._path(student).read_text(encoding="utf-8"))
            return _looked_at(before) != _looked_at(graded)
        except FileNotFoundError:
            return False  # `_is_recorded` knows whether it is the first
        except (ValueError, KeyError, TypeError):
            return True

    def _path(self, student: str) -> Path:
        return self._course.autograded(student) / f"{self._notebook_id}.ipynb"

    def _write_notebook(self, student: str, graded: Mapping[str, Any]) -> bool:
        path = self._path(student)
        text = json.dumps(graded, indent=1, ensure_ascii=False) + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return False
        write_whole(path, text)
        return True


def _looked_at(notebook: Mapping[str, Any]) -> dict[str, Any]:
    return {name: (cell["source"], cell.get("outputs")) for name, cell in parts_of_answers(notebook).items()}


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


def _try_to_write(course: Course) -> None:
    """Raise `GradebookError` if there is a gradebook that cannot be written; wait five seconds for somebody's lock."""
    path = course.root / "gradebook.db"
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.execute("begin immediate")
            connection.rollback()
    except sqlite3.Error as error:
        raise _unusable(course, error) from error


def _unusable(course: Course, error: BaseException) -> GradebookError:
    return GradebookError(
        f"{course.root / 'gradebook.db'} cannot be used ({error}). If it is locked, close the program that has it "
        "open; if it is damaged, put back a copy. Without the file a run makes a new one, which lacks the points that "
        "were given by hand"
    )


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


class _SaveHere(SaveAutoGrades):  # type: ignore[misc]
    """nbgrader's step, with a gradebook that is open already."""

    def __init__(self, gradebook: Gradebook) -> None:
        super().__init__()
        self.gradebook = gradebook

    def preprocess(self, nb: Any, resources: Any) -> Any:
        names = resources["nbgrader"]
        self.notebook_id, self.assignment_id = names["notebook"], names["assignment"]
        self.student_id, self.db_url = names["student"], names["db_url"]
        return NbGraderPreprocessor.preprocess(self, nb, resources)


@contextmanager
def _one_transaction(gradebook: Gradebook) -> Iterator[None]:
    """Let each commit of nbgrader only flush, and commit once at the end, or not at all."""
    session = gradebook.db
    session.commit = session.flush
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.commit
    session.commit()
