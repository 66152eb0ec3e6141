"""Make the release with nbgrader, which also enters the assignment into the gradebook.

nbgrader's Python API is used, never its command line, with three precautions: alembic must be found on PATH, or the
first call leaves a half-made database; messages go to nobody's terminal; and the version in git is not touched when
only the gradebook needs the assignment.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnnlab.checks import by_hand, exercises
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.intake import read_notebook
from cnnlab.grading.repair import answer_cells, grade_cells


def make_release(course: Course) -> Path:
    """Write ``release/<assignment>/`` from the source, enter the assignment, and return the notebook.

    Raises
    ------
    CourseError
        If the source is missing or does not fit the exercises, or nbgrader fails.
    """
    compare_with_exercises(course)
    with _generated(course) as made:
        shutil.copytree(made, course.root / "release" / course.assignment, dirs_exist_ok=True)
    return course.release_notebook()


def enter_assignment(course: Course) -> None:
    """Enter the assignment into the gradebook; the release folder stays as it is.

    Raises
    ------
    CourseError
        As in `make_release`.
    """
    compare_with_exercises(course)
    with _generated(course):
        pass


def make_gradebook(course: Course) -> None:
    """Make an empty gradebook unless there is one, whole or not at all.

    nbgrader writes the version of its tables last; a run that is killed before leaves a file that nbgrader refuses.
    """
    from nbgrader.api import Gradebook

    if course.gradebook.exists():
        return
    course_id = nbgrader_config(course).CourseDirectory.get("course_id", "")
    beside = course.root.resolve() / "out"  # the same disk, so that the file can be moved at once
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".gradebook-", dir=beside) as folder:
        made = Path(folder) / "gradebook.db"
        with nbgrader_surroundings():
            Gradebook(f"sqlite:///{made}", course_id).close()
        made.replace(course.gradebook)


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
def _generated(course: Course) -> Iterator[Path]:
    """Let nbgrader make the release and enter the assignment; yield the folder with the release.

    It works on a copy: nbgrader takes paths for patterns, and finds nothing in a folder such as ``course [2026]``.
    """
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    make_gradebook(course)
    with tempfile.TemporaryDirectory(prefix="cnnlab-release-") as folder:
        config = nbgrader_config(course)
        config.CourseDirectory.root = folder
        shutil.copytree(course.source_notebook().parent, Path(folder) / "source" / course.assignment)
        with nbgrader_surroundings():
            outcome = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(
                course.assignment, force=True, create=True
            )
        if not outcome["success"]:
            raise CourseError(f"nbgrader could not make the release: {outcome.get('error') or outcome.get('log')}")
        yield Path(folder) / "release" / course.assignment


def nbgrader_config(course: Course) -> Any:
    """Return the course's own ``nbgrader_config.py`` with the places of this course."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    path = course.root.resolve() / "nbgrader_config.py"
    config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config() if path.is_file() else Config()
    config.CourseDirectory.root = str(course.root.resolve())
    config.CourseDirectory.db_url = course.database_url
    return config


@contextmanager
def nbgrader_surroundings() -> Iterator[None]:
    """Let nbgrader find alembic, and keep its log and its dependencies' warnings to itself."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    loggers = [logging.getLogger(name) for name in ("traitlets", "nbgrader", "alembic")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ["PATH"] = path
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
