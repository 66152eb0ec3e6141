"""The three commands of a teaching team: release, grade, report.

nbgrader, rich and the rest are imported when a command runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.model import Report


def release(assignment: str, *, course_dir: Path, gradebook: str = "", lock_wait: float = 60.0) -> Path:
    """Make the release of an assignment with nbgrader, enter it into the gradebook, and return the notebook.

    ``out/<assignment>/<notebook>.zip`` is what students get.

    Parameters
    ----------
    assignment
        For example ``"a1"``.
    course_dir
        Holds ``source/``.
    gradebook, lock_wait
        As in `grade`.

    Raises
    ------
    CourseError
        If the source is missing, or does not fit the exercises.
    GradebookError, OtherRunError
        As in `grade`.
    """
    from cnnlab.grading.handout import write_handout
    from cnnlab.grading.lock import only_run
    from cnnlab.grading.permissions import check_writable
    from cnnlab.grading.release import compare_with_exercises, make_release
    from cnnlab.grading.report import make_console, teller
    from cnnlab.grading.waiting import Patience

    course = Course(course_dir, assignment, gradebook)
    compare_with_exercises(course)
    check_writable(course, course.root / "release", course.root / "release" / assignment)
    console = make_console()
    with only_run(course):
        notebook = make_release(course, Patience(lock_wait, teller(console)))
        handout, left_out = write_handout(course)
    console.print(f"For students: {handout}", markup=False, highlight=False, soft_wrap=True)
    if left_out:
        names = ", ".join(left_out)
        console.print(f"Not in it, since the notebook does not name them: {names}", markup=False, soft_wrap=True)
    return notebook


def grade(
    assignment: str,
    *,
    course_dir: Path,
    submissions_dir: Path | None = None,
    jobs: int = 1,
    allow_unsandboxed: bool = False,
    timeout: float | None = None,
    students: Sequence[str] = (),
    regrade: bool = False,
    changed_only: bool = False,
    gradebook: str = "",
    lock_wait: float = 60.0,
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
        A folder with one folder a student, or what an LMS packed, as a zip file or unpacked; None: nbgrader's
        ``submitted/``.
    jobs
        Submissions at a time.
    allow_unsandboxed
        Where no sandbox works, run submissions as ordinary processes.
    timeout
        Seconds for one submission; None: the limit in `cnnlab.grading.limits.Limits`.
    students
        Grade only these; the others stay as they are, also in the reports. Empty: everybody.
    regrade
        Run everything again, also what has not changed. Changed scores are listed.
    changed_only
        Print only those who were run or whose score changed; the files are whole all the same.
    gradebook
        SQLAlchemy's address of the gradebook, such as ``postgresql+psycopg://user@host/database``; empty: what
        ``c.CourseDirectory.db_url`` in ``nbgrader_config.py`` says, or ``gradebook.db`` in the course folder.
    lock_wait
        Seconds to wait for a gradebook that another program keeps locked.

    Raises
    ------
    CourseError
        If the course folder lacks something, or cannot be read or written.
    GradebookError
        If the gradebook is damaged or cannot be reached, or somebody else keeps it locked for longer than `lock_wait`.
    OtherRunError
        If another run is under way in the course folder, or writes into the same PostgreSQL database.
    NoSandboxError
        If submissions cannot be isolated and need to be.
    CanaryError
        If the solution does not get all points, or the untouched release gets some.
    """
    from cnnlab.grading.executor import close_executors, warm_up_early
    from cnnlab.grading.lock import only_run
    from cnnlab.grading.permissions import check_writable
    from cnnlab.grading.report import make_console
    from cnnlab.grading.surroundings import import_jsonschema

    warm_up_early()  # while nbgrader and its many parts are imported
    try:
        import_jsonschema()
        from cnnlab.grading.run import Selection, grade_class

        course, submissions = _ready(Course(course_dir, assignment, gradebook), submissions_dir)
        check_writable(course)
        with only_run(course):
            return grade_class(
                course,
                submissions,
                jobs=jobs,
                allow_unsandboxed=allow_unsandboxed,
                timeout=timeout,
                lock_wait=lock_wait,
                console=make_console(),
                selection=Selection(tuple(students), regrade, changed_only),
            )
    except OSError as error:
        raise _stopped(error) from error
    finally:
        close_executors()


def rehearse(
    assignment: str,
    *,
    course_dir: Path,
    submissions_dir: Path | None = None,
    allow_unsandboxed: bool = False,
    timeout: float | None = None,
    students: Sequence[str] = (),
    regrade: bool = False,
    gradebook: str = "",
    lock_wait: float = 60.0,
) -> Mapping[str, str]:
    """Say what `grade` would do, and do none of it: nothing is run and nothing is written.

    The parameters and what is raised are those of `grade`.

    Returns
    -------
    dict
        ``"run"``, ``"known"``, ``"unreadable"``, ``"missing"`` or ``"fault"`` for each student.
    """
    from cnnlab.grading.report import make_console
    from cnnlab.grading.run import Selection
    from cnnlab.grading.run import rehearse as rehearse_class

    try:
        course, submissions = _ready(Course(course_dir, assignment, gradebook), submissions_dir)
        return rehearse_class(
            course,
            submissions,
            allow_unsandboxed=allow_unsandboxed,
            timeout=timeout,
            lock_wait=lock_wait,
            console=make_console(),
            selection=Selection(tuple(students), regrade),
        )
    except OSError as error:
        raise CourseError(f"nothing was run or written, since something cannot be read: {error}") from error


def _ready(course: Course, submissions_dir: Path | None) -> tuple[Course, Path]:
    from cnnlab.grading.release import compare_with_exercises

    submissions = submissions_dir or course.submitted
    if not submissions.exists():
        raise CourseError(f"there is no folder {submissions}: collect the submissions there, or name another folder")
    compare_with_exercises(course)
    return course, submissions


def _stopped(error: OSError) -> CourseError:
    return CourseError(f"the run stopped ({error}). What was graded is kept: make room or allow it, and run again")


def report(
    assignment: str,
    *,
    course_dir: Path,
    canvas: Path | None = None,
    moodle: Path | None = None,
    column: str | None = None,
    gradebook: str = "",
    lock_wait: float = 60.0,
) -> Report:
    """Print the report of the last run again, make its pages again from the gradebook, and return it.

    Parameters
    ----------
    assignment, course_dir
        As in `grade`.
    canvas, moodle
        What these exported: ``canvas.csv`` and ``moodle.csv`` in ``out/`` are this with the grades filled in.
    column
        Title of the column to fill in, where it is not found by itself.
    gradebook, lock_wait
        As in `grade`.

    Raises
    ------
    CourseError
        If there was no run, or an export cannot be read.
    GradebookError
        If the gradebook cannot be read, or stays locked.
    OtherRunError
        If a run is under way.
    """
    from cnnlab.grading import totals
    from cnnlab.grading.by_hand import read_marks
    from cnnlab.grading.lms_grades import fill_in
    from cnnlab.grading.lock import only_run
    from cnnlab.grading.permissions import check_writable
    from cnnlab.grading.publish import publish
    from cnnlab.grading.report import make_console, show, teller
    from cnnlab.grading.store import load_report
    from cnnlab.grading.waiting import Patience

    course = Course(course_dir, assignment, gradebook)
    console = make_console()
    patience = Patience(lock_wait, teller(console))
    try:
        found = load_report(course)
        if found is None:
            raise CourseError(f"{assignment} has not been graded yet: run cnnlab grade {assignment}")
        check_writable(course)
        with only_run(course):
            marks = read_marks(course, patience)
            found = publish(course, found, marks)
            show(found, console)
            totals.show(found, marks, console)
            console.print(f"Report: {course.out / 'report.html'}", markup=False, soft_wrap=True)
            for lms, path in (("canvas", canvas), ("moodle", moodle)):
                if path is not None:
                    for line in fill_in(course, found, lms, path, column=column, patience=patience):
                        console.print(line, markup=False, highlight=False, soft_wrap=True)
    except OSError as error:
        raise _stopped(error) from error
    return found
