"""Open a gradebook: make it where there is none, wait for locks, and let one run at a time write into it."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import Any

from nbgrader.api import Gradebook, get_alembic_version
from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import scoped_session, sessionmaker
from sqlalchemy.pool import NullPool

from cnnlab.grading.address import Address, GradebookError, find_address
from cnnlab.grading.course import Course
from cnnlab.grading.lock import OtherRunError
from cnnlab.grading.surroundings import nbgrader_surroundings, settings_of
from cnnlab.grading.waiting import Patience, when_free

# "cnnlab" in ASCII: the number of our advisory lock, which each database has for itself.
_LOCK_NUMBER = int.from_bytes(b"cnnlab", "big")
# The server notices within a moment that a run was killed.
_SECONDS_FOR_A_DEAD_RUN = 5.0


class RunLock:
    """Keeps a second run out of a PostgreSQL gradebook, also one on another machine.

    The server lets go of it as soon as the connection ends, so a run that is killed leaves nothing behind. A gradebook
    in a file needs none: the course folder has a lock of its own.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._engine = create_engine(address.for_us(), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def hold(self) -> None:
        """Take the lock, or see that it is still ours; raises `OtherRunError` when somebody else has it."""
        if not self._address.on_server:
            return
        if self._connection is not None:
            try:
                self._connection.execute(select(1))
            except DBAPIError:  # the server was restarted: the lock went with the connection
                self.release()
            else:
                return
        connection = self._engine.connect()
        deadline = time.monotonic() + _SECONDS_FOR_A_DEAD_RUN
        try:
            while not connection.scalar(select(func.pg_try_advisory_lock(_LOCK_NUMBER))):
                if time.monotonic() > deadline:
                    raise OtherRunError(f"another run writes into {self._address}: wait until it has ended")
                time.sleep(0.1)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def release(self) -> None:
        """Let go; twice does no harm."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()


class _Gradebook(Gradebook):  # type: ignore[misc]
    """nbgrader's gradebook, which closes its connection also when it cannot be opened."""

    def __init__(self, *arguments: Any) -> None:
        try:
            super().__init__(*arguments)
        except BaseException:
            if hasattr(self, "db"):
                self.close()
            raise


def open_gradebook(course: Course, patience: Patience) -> Any:
    """Return nbgrader's `Gradebook` of a course; an empty one is made where there is none.

    Raises
    ------
    GradebookError
        If it is damaged, cannot be reached, or stays locked, or has no course to belong to.
    """
    address = find_address(course)
    course_id = settings_of(course.root).CourseDirectory.get("course_id", "")
    if address.on_server and not course_id:
        # nbgrader enters no course without a name, and PostgreSQL no assignment without a course.
        raise GradebookError(
            f"the gradebook {address} needs the name of the course: write "
            f'c.CourseDirectory.course_id = "a name" into {course.root.resolve() / "nbgrader_config.py"}'
        )

    def open_it() -> Any:
        _make_file(address, course_id)
        with nbgrader_surroundings():
            gradebook = _Gradebook(address.for_us(), course_id)
            try:
                _complete(gradebook)
                if address.on_server:
                    _see_that_it_can_be_written(gradebook, address)
            except BaseException:
                gradebook.close()
                raise
        return gradebook

    return when_free(open_it, address, patience, was_open=False)


class _Reader(Gradebook):  # type: ignore[misc]
    """nbgrader's gradebook, only to be read: nbgrader itself writes tables and the course as it opens one."""

    def __init__(self, address: Address) -> None:
        self.engine = create_engine(address.for_reading(), poolclass=NullPool)
        self.db = scoped_session(sessionmaker(autoflush=True, bind=self.engine))


def find_gradebook(course: Course, patience: Patience) -> Any | None:
    """Return nbgrader's `Gradebook` of a course, to be read, or None where there is none; nothing is written.

    Raises
    ------
    GradebookError
        If it is damaged, cannot be reached or read, or stays locked.
    """
    address = find_address(course)
    if not address.on_server and not address.file.exists():
        return None
    reader = _Reader(address)
    try:
        has = when_free(lambda: inspect(reader.engine).has_table("assignment"), address, patience, was_open=False)
    except BaseException:
        reader.close()
        raise
    if has:
        return reader
    reader.close()
    return None


def make_gradebook(course: Course, patience: Patience | None = None) -> Address:
    """Make an empty gradebook unless there is one, wait until it can be written, and return its address."""
    open_gradebook(course, patience or Patience()).close()
    return find_address(course)


def _make_file(address: Address, course_id: str) -> None:
    """Make the file of an SQLite gradebook, whole or not at all; see that an existing one can be written.

    nbgrader writes the version of its tables last; a run that is killed before leaves a file that nbgrader refuses.
    """
    if address.on_server:
        return
    path = address.file
    if path.exists():
        with create_engine(address.for_us(), poolclass=NullPool).connect() as connection:
            connection.exec_driver_sql("begin immediate")
            connection.rollback()
        return
    beside = path.parent / f".{path.name}.new"  # the same disk, so that the file can be moved at once
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
    beside.mkdir(parents=True)
    try:
        made = Address(address.url.set(database=str(beside / path.name)))
        with nbgrader_surroundings():
            _Gradebook(made.url, course_id).close()
        made.file.replace(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _complete(gradebook: Any) -> None:
    """Write the version of the tables where a run that was killed while it made them did not come so far."""
    if "alembic_version" not in inspect(gradebook.engine).get_table_names() and not gradebook.assignments:
        version = get_alembic_version()
        gradebook.db.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        gradebook.db.execute(text("INSERT INTO alembic_version (version_num) VALUES (:version)"), {"version": version})
    gradebook.db.commit()


def _see_that_it_can_be_written(gradebook: Any, address: Address) -> None:
    """Raise `GradebookError` where a server's user may only read: before anything is run, not for each student."""
    try:
        if gradebook.db.scalar(text("SELECT current_setting('transaction_read_only')")) == "on":
            raise GradebookError(f"{address} is read-only (default_transaction_read_only): nothing can be entered")
        locked = gradebook.db.scalars(
            text(
                "SELECT tablename FROM pg_tables, format('%I.%I', schemaname, tablename) AS name WHERE schemaname = "
                "current_schema() AND NOT (has_table_privilege(name, 'INSERT') AND has_table_privilege(name, 'UPDATE') "
                "AND has_table_privilege(name, 'DELETE')) AND tablename <> 'alembic_version' ORDER BY tablename"
            )
        ).all()
    finally:
        gradebook.db.rollback()
    if locked:
        raise GradebookError(
            f"{address}: this user may not write the tables {', '.join(locked)}. Ask the database's owner: "
            "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO the user"
        )
