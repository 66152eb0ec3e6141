"""Courses whose gradebook is a file or a database of a real PostgreSQL server."""

import contextlib
import shutil

import pytest

from ...postgresql_server import PASSWORD

SETTINGS = 'c = get_config()\nc.CourseDirectory.course_id = "small"\n'


@pytest.fixture(scope="session")
def released_database(server, released_course, tmp_path_factory):
    """A database in which the small course's assignment was entered once, to be copied."""
    from cnnlab.grading import commands

    name = server.database()
    root = tmp_path_factory.mktemp("released-to-server") / "course"
    shutil.copytree(released_course, root)
    (root / "gradebook.db").unlink()
    (root / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PGPASSWORD", PASSWORD)
        commands.release("a1", course_dir=root, gradebook=server.url(name))
    assert not (root / "gradebook.db").exists()
    return name


def _with_database(course, server, released_database, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    (course.root / "gradebook.db").unlink()
    course.database_name = server.database(released_database)
    course.url = server.url(course.database_name)
    settings = f"{SETTINGS}c.CourseDirectory.db_url = {course.url!r}\n"
    (course.root / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    return course


@pytest.fixture(params=["sqlite", "postgresql"])
def any_course(request, course, monkeypatch):
    """A course with one kind of gradebook after the other; `course.url` is its address."""
    if request.param == "sqlite":
        course.url = f"sqlite:///{course.root / 'gradebook.db'}"
        return course
    server, name = request.getfixturevalue("server"), request.getfixturevalue("released_database")
    return _with_database(course, server, name, monkeypatch)


@pytest.fixture
def shared_course(course, server, released_database, monkeypatch):
    """A course whose gradebook is in the PostgreSQL database `course.database_name`."""
    return _with_database(course, server, released_database, monkeypatch)


@pytest.fixture
def contents():
    return read_contents


@contextlib.contextmanager
def _book(course):
    from nbgrader.api import Gradebook

    with Gradebook(course.url, "small" if course.url.startswith("postgresql") else "") as book:
        yield book


@pytest.fixture
def book():
    """Open a course's gradebook with nbgrader's own class."""
    return _book


@pytest.fixture(scope="session", name="read_contents")
def _read_contents():
    return read_contents


def read_contents(url):
    """Return every row of every table of a gradebook, each random identifier replaced by what it stands for."""
    from sqlalchemy import MetaData, create_engine, select
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, poolclass=NullPool)
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: [row._asdict() for row in connection.execute(select(table))] for name, table in tables.tables.items()
        }
    by_id = {(name, row["id"]): row for name, found in rows.items() for row in found if "id" in row}

    def meaning(name, row):
        foreign = {key.parent.name: key.column.table.name for key in tables.tables[name].foreign_keys}
        said = []
        for column, value in sorted(row.items()):
            if column in foreign and (foreign[column], value) in by_id:  # SQLite lets a course be missing
                said.append((column, meaning(foreign[column], by_id[foreign[column], value])))
            elif not (column == "id" and _is_random(value)):
                said.append((column, repr(value)))
        return tuple(said)

    return {name: sorted(map(repr, (meaning(name, row) for row in found))) for name, found in rows.items()}


def _is_random(value):
    return isinstance(value, str) and len(value) == 32 and set(value) <= set("0123456789abcdef")


class Desk:
    """Enters results without running anything: the points are said by the test."""

    def __init__(self, course, patience):
        from cnnlab.grading.course import Course
        from cnnlab.grading.intake import read_notebook

        self.course = course
        self.patience = patience
        self.paths = Course(course.root, "a1")
        self._given = read_notebook(course.release.read_bytes())

    def enter(self, student, points, **answers):
        """Hand something in for a student and enter ``(scan_1d, scan_2d, aggregate)``."""
        self.enter_all({student: points}, **answers)

    def enter_all(self, points, **answers):
        from cnnlab.grading.gradebook import GradebookWriter

        with GradebookWriter(self.paths, self.patience) as writer:
            return [self.write(writer, student, each, **answers) for student, each in points.items()]

    def write(self, writer, student, points, **answers):
        return writer.write(self.result(student, points), self.repaired(student, **answers))

    def repaired(self, student, **answers):
        from cnnlab.grading.intake import read_notebook
        from cnnlab.grading.repair import repair

        path = self.course.hand_in(student, **answers)
        return repair(read_notebook(path.read_bytes()), self._given).notebook

    def result(self, student, points):
        from cnnlab.checks import exercises
        from cnnlab.grading.model import ExerciseRecord, Result

        records = tuple(
            ExerciseRecord(each.id, each.grade_id, each.title, float(score), float(each.points), (), "")
            for each, score in zip(exercises("a1"), points, strict=True)
        )
        return Result(student, "a1", "graded", key="of the tests", exercises=records)

    def totals(self):
        from cnnlab.grading.by_hand import read_marks

        return {
            student: (each.by_machine, each.by_hand, each.score, each.penalty, each.waits)
            for student, each in read_marks(self.paths, self.patience).items()
        }


@pytest.fixture
def desk(any_course):
    from cnnlab.grading.waiting import Patience

    return Desk(any_course, Patience(seconds=30))


@pytest.fixture
def desk_of():
    return Desk
