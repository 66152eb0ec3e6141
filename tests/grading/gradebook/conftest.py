"""Courses whose gradebook is a file or a database of a real PostgreSQL server, which these tests start and end."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PASSWORD = "se%40cret of the tests"
SETTINGS = 'c = get_config()\nc.CourseDirectory.course_id = "small"\n'


def _binaries():
    """Return the folder of PostgreSQL's programs: Debian keeps them off PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def _other_user():
    """Return an ordinary user: the server refuses to run as root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


class Server:
    """A PostgreSQL server in a temporary folder, reached through a Unix socket and nothing else."""

    def __init__(self, folder, binaries, drop):
        self.folder, self._binaries, self._drop = folder, binaries, drop
        self._child = None
        self._count = 0

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
            options = ["--username=teacher", "--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}"]
            options += ["--encoding=UTF8", "--locale=C", "--no-sync", f"--pgdata={data}"]
            command = [self._binaries / "initdb", *options]
            subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=self.folder, **self._drop)
        settings = [f"unix_socket_directories={self.folder}", "listen_addresses=", "fsync=off"]
        options = [word for setting in settings for word in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            command = [self._binaries / "postgres", "-D", data, *options]
            self._child = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._drop)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.run("select 1")
            except Exception:
                if time.monotonic() > deadline or self._child.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.1)
            else:
                return

    def stop(self, how=signal.SIGQUIT):
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(how)
            self._child.wait(60)

    def connect(self, database="postgres"):
        import psycopg

        return psycopg.connect(
            host=str(self.folder), user="teacher", password=PASSWORD, dbname=database, autocommit=True
        )

    def run(self, statement, database="postgres"):
        with contextlib.closing(self.connect(database)) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def database(self, template="template1"):
        """Make a database, and return its name."""
        self._count += 1
        name = f"grades_{self._count}"
        self.run(f"create database {name} template {template}")
        return name

    def url(self, database):
        """Return an address without a password, which comes from PGPASSWORD."""
        return f"postgresql+psycopg://teacher@/{database}?host={self.folder}"


@pytest.fixture(scope="session")
def server():
    """Return a running PostgreSQL server, or skip and say what is missing."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'cnnlab[postgresql]'")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="cnnlab-pg-"))  # short: the path of a socket has 107 bytes
    drop = {}
    if os.geteuid() == 0:
        user = _other_user()
        if user is None:
            pytest.skip("PostgreSQL refuses to run as root, and there is no other user here")
        os.chown(folder, user.pw_uid, user.pw_gid)
        drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    running = Server(folder, binaries, drop)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


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
