"""Where a gradebook is: a file in the course folder, or a PostgreSQL database that a team shares.

The same setting that nbgrader's own tools read decides, ``c.CourseDirectory.db_url`` in ``nbgrader_config.py``, unless
a command names another address. A password in an address is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.errors import GradingError
from cnnlab.grading.surroundings import settings_of

_FORMS = "write postgresql+psycopg://user@host/database, or sqlite:///gradebook.db for a file in the course folder"
# A statement gives up after so many seconds in the database, so that the wait can be shown and has an end of our own.
_TRY_SECONDS = 1


class GradebookError(GradingError):
    """The gradebook is damaged or cannot be reached, or somebody else keeps it locked."""


@dataclass(frozen=True)
class Address:
    """The address of a gradebook.

    Attributes
    ----------
    url
        As SQLAlchemy has it.
    """

    url: URL

    @property
    def on_server(self) -> bool:
        """Whether a PostgreSQL server keeps it."""
        return self.url.get_backend_name() == "postgresql"

    @property
    def file(self) -> Path:
        """The file of an SQLite gradebook."""
        return Path(self.url.database or "")

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True) if self.on_server else str(self.file)

    def for_us(self) -> URL:
        """Return the address with waits that are short: whoever uses it tries again."""
        return self._with_wait(_TRY_SECONDS)

    def for_reading(self) -> URL:
        """Return the address as in `for_us`, of a file that is only read: it and its folder may be read-only."""
        if self.on_server:
            return self.for_us()
        only_read = self.url.set(database=f"file:{quote(self.url.database or '')}")
        return only_read.update_query_dict({"mode": "ro", "uri": "true", "timeout": f"{_TRY_SECONDS:g}"})

    def for_nbgrader(self, seconds: float) -> str:
        """Return the address as text, password and all, for code that waits for a lock without saying so."""
        return self._with_wait(seconds).render_as_string(hide_password=False)

    def _with_wait(self, seconds: float) -> URL:
        if not self.on_server:
            return self.url.update_query_dict({"timeout": f"{seconds:g}"})
        given = self.url.query.get("options", "")
        options = [*([given] if isinstance(given, str) else given), f"-c lock_timeout={round(seconds * 1000)}"]
        return self.url.update_query_dict({"options": " ".join(filter(None, options))})


def find_address(course: Course) -> Address:
    """Return where the gradebook of a course is: what a command said, or nbgrader's setting, or ``gradebook.db``.

    Raises
    ------
    CourseError
        If the file would be in a folder that nbgrader's addresses cannot name.
    GradebookError
        If the address has another form, or what SQLAlchemy needs for it is not installed.
    """
    root = course.root.resolve()
    text = course.gradebook_url or str(settings_of(root).CourseDirectory.get("db_url", ""))
    if not text:
        if "?" in str(root):
            raise CourseError(f"{root} has a ? in its path, where the gradebook cannot be: rename it")
        return Address(URL.create("sqlite", database=str(course.gradebook)))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not quoted: there may be a password in it.
        raise GradebookError(f"the address of the gradebook cannot be read: {_FORMS}") from None
    if url.get_backend_name() == "sqlite" and url.database:
        return Address(url.set(drivername="sqlite", database=str(root / url.database), query={}))
    address = Address(url)
    if not address.on_server:
        raise GradebookError(f"the gradebook {url.render_as_string()} is of a kind that is not supported: {_FORMS}")
    try:
        create_engine(url).dispose()
    except ImportError as error:
        raise GradebookError(
            f"{address} needs a package that is not installed ({error}): pip install 'cnnlab[postgresql]'"
        ) from error
    except ArgumentError as error:
        raise GradebookError(f"{address} cannot be used ({error}): {_FORMS}") from error
    return address
