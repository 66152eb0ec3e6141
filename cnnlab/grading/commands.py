"""The three commands of a teaching team: release, grade, report.

nbgrader, rich and the rest are imported when a command runs.
"""

from __future__ import annotations

from pathlib import Path

from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.model import Report


def release(assignment: str, *, course_dir: Path) -> Path:
    """Make the release of an assignment with nbgrader, enter it into the gradebook, and return the notebook.

    Parameters
    ----------
    assignment
        For example ``"a1"``.
    course_dir
        Holds ``source/``.

    Raises
    ------
    CourseError
        If the source is missing, or does not fit the exercises.
    """
    from cnnlab.grading.release import make_release

    return make_release(Course(course_dir, assignment))


def grade(
    assignment: str,
    *,
    course_dir: Path,
    submissions_dir: Path | None = None,
    jobs: int = 1,
    allow_unsandboxed: bool = False,
    timeout: float | None = None,
) -> Report:
    """Grade a class, and print what was found.

    A second run with the same submissions and checks changes nothing; a run that was interrupted continues.

    Parameters
    ----------
    assignment
        For example ``"a1"``.
    course_dir
        Holds ``source/`` and ``release/``; the gradebook, ``autograded/``, ``feedback/`` and ``out/`` are written
        into it.
    submissions_dir
        One folder a student; None: nbgrader's ``submitted/``.
    jobs
        Submissions at a time.
    allow_unsandboxed
        Where no sandbox works, run submissions as ordinary processes.
    timeout
        Seconds for one submission; None: the limit in `cnnlab.grading.limits.Limits`.

    Raises
    ------
    CourseError
        If the course folder lacks something, or cannot be read or written.
    GradebookError
        If the gradebook is damaged or somebody else keeps it locked.
    OtherRunError
        If another run is under way in the course folder.
    NoSandboxError
        If submissions cannot be isolated and need to be.
    CanaryError
        If the solution does not get all points, or the untouched release gets some.
    """
    from cnnlab.grading.lock import only_run
    from cnnlab.grading.release import compare_with_exercises
    from cnnlab.grading.report import make_console
    from cnnlab.grading.run import grade_class

    course = Course(course_dir, assignment)
    submissions = submissions_dir or course.submitted
    if not submissions.exists():
        raise CourseError(f"there is no folder {submissions}: collect the submissions there, or name another folder")
    compare_with_exercises(course)
    try:
        with only_run(course):
            return grade_class(
                course,
                submissions,
                jobs=jobs,
                allow_unsandboxed=allow_unsandboxed,
                timeout=timeout,
                console=make_console(),
            )
    except OSError as error:
        raise CourseError(
            f"the run stopped ({error}). What was graded is kept: make room or allow it, and run again"
        ) from error


def report(assignment: str, *, course_dir: Path) -> Report:
    """Print the report of the last run again, and return it.

    Raises
    ------
    CourseError
        If there was no run.
    """
    from cnnlab.grading.report import make_console, show
    from cnnlab.grading.store import load_report

    found = load_report(Course(course_dir, assignment))
    if found is None:
        raise CourseError(f"{assignment} has not been graded yet: run cnnlab grade {assignment}")
    show(found, make_console())
    return found
