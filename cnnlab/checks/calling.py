"""Call a student's function once, on copies, and keep whatever happens as data."""

from __future__ import annotations

import copy
import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlab.checks.errors import ArgumentChanged, FunctionMissing, StudentCrashed, StudentRaised, StudentTimeout
from cnnlab.checks.model import Case, Function


@dataclass(frozen=True)
class Answer:
    """What one call gave: a value, or a problem; an argument that it changed, and one that its value is a view of."""

    value: Any = None
    problem: StudentRaised | StudentTimeout | StudentCrashed | FunctionMissing | None = None
    changed: str | None = None
    view_of: str | None = None


def call(asked: Function, function: Callable[..., Any], case: Case) -> Answer:
    """Call `function`, which stands for `asked`, on a copy of the case's arguments.

    KeyboardInterrupt passes through, so that a call in a notebook can be interrupted.
    """
    # One that forwards to another process sends them, and cannot change them here.
    elsewhere = getattr(function, "runs_elsewhere", False) is True
    arguments = case.arguments if elsewhere else copy.deepcopy(case.arguments)
    try:
        # What is no number shows in the answer; and BLAS now and then leaves a flag where nothing is wrong.
        with np.errstate(all="ignore"):
            value = function(*arguments)
    except (StudentRaised, StudentTimeout, StudentCrashed, FunctionMissing) as problem:
        return Answer(problem=problem)
    except ArgumentChanged as change:
        return Answer(changed=change.name)
    except (Exception, SystemExit) as error:
        return Answer(problem=_as_raised(asked, function, error))
    if elsewhere:
        return Answer(value=value)
    named = list(zip(asked.parameters, case.arguments, arguments, strict=True))
    changed = next((name for name, before, after in named if not _unchanged(before, after)), None)
    view_of = next((name for name, _, after in named if _is_view(value, after)), None)
    return Answer(value=_kept(value), changed=changed, view_of=view_of)


def _kept(value: Any, depth: int = 3) -> Any:
    """Return a copy, so that no later call can change it: lists of arrays that a function fills again, for instance."""
    if type(value) is np.ndarray:
        return value.copy(order="K")
    if type(value) in {list, tuple} and depth:
        return type(value)(_kept(one, depth - 1) for one in value)
    return value


def _is_view(value: Any, argument: Any) -> bool:
    arrays = isinstance(value, np.ndarray) and isinstance(argument, np.ndarray)
    return arrays and bool(np.may_share_memory(value, argument))


def _unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        if not isinstance(after, np.ndarray) or before.dtype != after.dtype:
            return False
        # That NaN may be there is asked second: it takes three times as long, and almost nothing is changed.
        return np.array_equal(before, after) or (
            before.dtype.kind == "f" and np.array_equal(before, after, equal_nan=True)
        )
    if isinstance(before, list | tuple):
        return (
            type(before) is type(after)
            and len(before) == len(after)
            and all(_unchanged(b, a) for b, a in zip(before, after, strict=True))
        )
    return bool(before == after)


def _as_raised(asked: Function, function: Callable[..., Any], error: BaseException) -> StudentRaised:
    line = _own_line(function, error)
    message = _text(error)
    if not line and isinstance(error, TypeError) and not _accepts(function, len(asked.parameters)):
        wanted = f"{asked.name}({', '.join(asked.parameters)})"
        message = f"The function is called as {wanted}; give it these parameters, in this order."
    return StudentRaised(type(error).__name__, message, line)


def _text(error: BaseException) -> str:
    # A student's exception class may have a __str__ that fails.
    try:
        return str(error)
    except Exception:
        return ""


def _own_line(function: Callable[..., Any], error: BaseException) -> str:
    """Return the last line in the student's own file or cell that was running when `error` was raised."""
    home = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_filename", None)
    line = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        # A notebook gives each cell a file name of its own; helper functions of the student stand in other cells.
        if name == home or name.startswith("<ipython-input") or "ipykernel_" in name:
            line = linecache.getline(name, trace.tb_lineno).strip() or line
        trace = trace.tb_next
    return line


def _accepts(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True
