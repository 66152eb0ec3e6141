"""Wait for a gradebook that somebody else keeps locked, say so, and give up after a while."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from cnnlab.grading.address import Address, GradebookError

T = TypeVar("T")
_PAUSE = 0.1
_SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# lock_not_available, deadlock_detected, serialization_failure; admin_shutdown, crash_shutdown, cannot_connect_now
_POSTGRES_BUSY = {"55P03", "40P01", "40001", "57P01", "57P02", "57P03"}


@dataclass(frozen=True)
class Patience:
    """How long to wait for a lock.

    Attributes
    ----------
    seconds
        After so many a run gives up.
    say
        Is told, once, that the gradebook is locked, and that it is free again.
    """

    seconds: float = 60.0
    say: Callable[[str], None] = lambda text: None


def when_free(action: Callable[[], T], address: Address, patience: Patience, *, was_open: bool = True) -> T:
    """Do something with a gradebook, again and again while somebody else keeps it locked.

    Parameters
    ----------
    action
        One transaction: when it raises, nothing of it is done.
    address
        For messages.
    patience
        How long to wait.
    was_open
        Whether the gradebook could be opened before; a server that has gone since is waited for like a lock.

    Raises
    ------
    GradebookError
        If it stays locked, or was never open and cannot be used.
    """
    started = time.monotonic()
    told = False
    while True:
        try:
            result = action()
        except Exception as error:
            cause = _from_database(error)
            if cause is None or (was_open and not _is_busy(cause, was_open=was_open)):
                raise
            if not _is_busy(cause, was_open=was_open) or time.monotonic() - started >= patience.seconds:
                raise unusable(address, cause) from error
            if not told:
                patience.say(
                    f"The gradebook {address} is locked by another program ({_first_line(cause)}): waiting up to "
                    f"{patience.seconds:g} s. Nothing is lost meanwhile."
                )
                told = True
            time.sleep(_PAUSE)
        else:
            if told:
                patience.say(f"The gradebook is free again after {time.monotonic() - started:.0f} s: going on.")
            return result


def unusable(address: Address, error: BaseException) -> GradebookError:
    """Return an error that says what may be wrong with a gradebook, and what to do."""
    problem = f"{address} cannot be used ({_first_line(error)}). "
    kept = "What was graded is kept, and the next run enters it without running it again"
    if address.on_server:
        return GradebookError(
            f"{problem}If it is locked, close the program that holds the lock; otherwise see whether the server runs, "
            "the database is there (createdb) and the user may write to it; the password comes from PGPASSWORD or "
            f"~/.pgpass. {kept}"
        )
    if os.access(address.file, os.F_OK) and not os.access(address.file, os.R_OK):
        return GradebookError(f"{problem}You have no permission to read it: ask its owner, or work in a copy")
    return GradebookError(
        f"{problem}If it is locked, close the program that has it open; if it is damaged, put back a copy. Without "
        f"the file a run makes a new one, which lacks the points that were given by hand. {kept}"
    )


def _from_database(error: BaseException) -> DBAPIError | None:
    """Return what the database said; nbgrader raises an error of its own in its place."""
    return next((each for each in _chain(error) if isinstance(each, DBAPIError)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_busy(error: DBAPIError, *, was_open: bool) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return getattr(original, "sqlite_errorcode", 0) & 0xFF in _SQLITE_BUSY
    code = getattr(original, "sqlstate", None)
    # Without a code there was no answer at all: the server is being restarted, or the line is down.
    gone = error.connection_invalidated or (code is None and isinstance(error, OperationalError))
    return code in _POSTGRES_BUSY or (was_open and gone)


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error)  # SQLAlchemy's next lines are the statement
    return (text.strip().splitlines() or [type(error).__name__])[0]
