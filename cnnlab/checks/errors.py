"""What can happen to a student's function that runs elsewhere, and what a strict check raises.

A grader hands `run_exercise` a callable that forwards each call to another process. What happens over there comes back
as one of these exceptions; none of them is an error of the grader.
"""

from __future__ import annotations


class CheckFailed(AssertionError):  # noqa: N818  a fixed, public name
    """A strict check did not pass; its text is the card for the student."""


class StudentRaised(Exception):  # noqa: N818
    """The student's function raised.

    Parameters
    ----------
    type_name
        Name of the exception's class, such as ``"IndexError"``.
    message
        Its text; shown for visible checks only.
    line
        The line of the student's own code that raised, as text; empty when there is none.
    """

    def __init__(self, type_name: str, message: str = "", line: str = "") -> None:
        super().__init__(type_name, message, line)
        self.type_name = type_name
        self.message = message
        self.line = line


class StudentTimeout(Exception):  # noqa: N818
    """The student's function did not return in time.

    Parameters
    ----------
    seconds
        How long it was given.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class StudentCrashed(Exception):  # noqa: N818
    """The process that ran the student's function ended.

    Parameters
    ----------
    reason
        What is known about it, in words for the student.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FunctionMissing(Exception):  # noqa: N818
    """The submission does not define the function.

    Parameters
    ----------
    name
        The function that was looked for.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ArgumentChanged(Exception):  # noqa: N818
    """The student's function changed one of its arguments in place.

    A callable that forwards to another process sends copies, so only the other side can see this; it may compare there
    and raise this here.

    Parameters
    ----------
    name
        The parameter that was changed.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
