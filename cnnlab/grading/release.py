"""Make the release with nbgrader, which also enters the assignment into the gradebook.

nbgrader's Python API is used, never its command line, with three precautions: alembic must be found on PATH, or the
first call leaves a half-made database; messages go to nobody's terminal; and the version in git is not touched when
only the gradebook needs the assignment.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnlab.checks import by_hand, exercises
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.database import make_gradebook
from cnnlab.grading.intake import read_notebook
from cnnlab.grading.repair import answer_cells, grade_cells
from cnnlab.grading.surroundings import nbgrader_surroundings, settings_of
from cnnlab.grading.waiting import Patience

# What nbgrader says (`nbgrader.preprocessors.savecells`).
_OTHER_CELLS = "Cannot add or remove cells"


def make_release(course: Course, patience: Patience) -> Path:
    """Write ``release/<assignment>/`` from the source, enter the assignment, and return the notebook.

    Raises
    ------
    CourseError
        If the source is missing or does not fit the exercises, or nbgrader fails.
    GradebookError
        If the gradebook cannot be used.
    """
    compare_with_exercises(course)
    with _generated(course, patience) as made:
        shutil.copytree(made, course.root / "release" / course.assignment, dirs_exist_ok=True)
    return course.release_notebook()


def enter_assignment(course: Course, patience: Patience) -> None:
    """Enter the assignment into the gradebook; the release folder stays as it is.

    Raises
    ------
    CourseError, GradebookError
        As in `make_release`.
    """
    compare_with_exercises(course)
    with _generated(course, patience):
        pass


def compare_with_exercises(course: Course) -> None:
    """Raise `CourseError` if the grade cells of the source are not those that the exercises ask for."""
    try:
        graded, judged = exercises(course.assignment), by_hand(course.assignment)
    except KeyError as error:
        raise CourseError(error.args[0]) from None
    path = course.source_notebook()
    source = read_notebook(path.read_bytes())
    cells = grade_cells(source) | answer_cells(source)
    found = {name: float(cell["points"]) for name, cell in cells.items()}
    wanted = {exercise.grade_id: float(exercise.points) for exercise in graded}
    wanted |= {exercise.grade_id: float(exercise.points) for exercise in judged}
    if found != wanted:
        raise CourseError(
            f"{path} has the grade cells {found}, and the exercises of {course.assignment} are {wanted}: "
            "build it again (cnnlab build), or change one of them"
        )


@contextmanager
def _generated(course: Course, patience: Patience) -> Iterator[Path]:
    """Let nbgrader make the release and enter the assignment; yield the folder with the release.

    It works on a copy: nbgrader takes paths for patterns, and finds nothing in a folder such as ``course [2026]``.
    """
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    address = make_gradebook(course, patience)
    with tempfile.TemporaryDirectory(prefix="cnnlab-release-") as folder:
        config = settings_of(course.root)
        config.CourseDirectory.root = folder
        config.CourseDirectory.db_url = address.for_nbgrader(patience.seconds)
        shutil.copytree(course.source_notebook().parent, Path(folder) / "source" / course.assignment)
        with nbgrader_surroundings():
            outcome = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(
                course.assignment, force=True, create=True
            )
        if _OTHER_CELLS in outcome.get("log", ""):
            raise CourseError(
                f"the source of {course.assignment} has more or fewer cells with points or answers than the gradebook, "
                "which holds submissions to them: nbgrader changes no cells then. Put the cells back and build again; "
                "or, if no points by hand would be lost, put the gradebook away and grade again: a new one is made"
            )
        if not outcome["success"]:
            raise CourseError(f"nbgrader could not make the release: {outcome.get('error') or outcome.get('log')}")
        yield Path(folder) / "release" / course.assignment
