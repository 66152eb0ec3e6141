"""One submission: for each exercise a process of its own, in which the cells that belong to it were run, answers calls.

A process of its own has three reasons. A function of a later exercise cannot repeat what an earlier one was asked. A
helper that is written anew further down does not break what stands above. And an endless loop costs its own time limit
and nothing else: a cell that hangs is left out of the next start, and a function that hangs leaves the others alone.

Where the executor can, the cells are run once, by a process that makes a copy of itself for each exercise
(`student_view.serve`); else, and whenever a copy was refused or has ended, by a new process. Copies of a hostile
notebook may talk to each other. Therefore a run first asks every visible check of all exercises, and only then a hidden
one (`cnnlab.grading.task`): what is shown was said before anything hidden was known to any of them.
"""

from __future__ import annotations

import keyword
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cnnlab.checks.errors import (
    ArgumentChanged,
    FunctionMissing,
    StudentCrashed,
    StudentRaised,
    StudentTimeout,
)
from cnnlab.checks.model import Exercise, Function
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell, CellReport
from cnnlab.grading.own_code import OwnCode
from cnnlab.grading.process import ExecutorError, ProcessEnded, ProcessTimeout, StudentProcess
from cnnlab.grading.wire import ProtocolError, harmless, without_surrogates

if TYPE_CHECKING:
    from cnnlab.grading.executor import Executor

_START_SECONDS = 30.0
# What running the cells for several exercises may take of a submission's time, so that some is left for the calls.
_SHARE_OF_CELLS = 2 / 3
_LAST = 1 << 30
_FORGED = "it sent something that is not an answer"
_FROM_THE_STUDENT = (ArgumentChanged, FunctionMissing, StudentCrashed, StudentRaised, StudentTimeout)


class Session:
    """A submission that can be asked to call its functions; use it in a ``with`` statement.

    Parameters
    ----------
    executor
        Starts the process.
    cells
        The code to run before the first call.
    limits
        The time counts from the first start.
    allows
        As in `cnnlab.checks.model.Exercise`.

    Attributes
    ----------
    fault
        The first error of ours. A checker takes every exception of a function for the student's, so whoever uses
        a session looks here before believing a result.
    """

    def __init__(
        self, executor: Executor, cells: Sequence[Cell], limits: Limits, *, allows: Iterable[str] = ()
    ) -> None:
        self._executor = executor
        self._allows = frozenset(allows)
        self._cells = tuple(cells)
        self._limits = limits
        self._own_code = OwnCode(self._cells)
        self._processes: dict[str, StudentProcess] = {}
        self._plan: dict[str, int | None] = {}
        self._not_asked_yet: set[str] = set()
        self._end: float | None = None
        self._cells_end = 0.0
        self._left_out: dict[int, StudentTimeout | StudentCrashed] = {}
        self._reports: dict[int, CellReport] = {}
        self.fault: Exception | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for exercise in list(self._processes):
            self._close(exercise)

    @property
    def reports(self) -> list[CellReport]:
        """What the cells that were run printed and raised, in the order of the notebook."""
        return [self._reports[index] for index in sorted(self._reports)]

    def plan(self, exercises: Mapping[str, int | None]) -> None:
        """Say which exercises will be asked for, so that one run of the cells can do for all of them.

        Parameters
        ----------
        exercises
            For each exercise the position of the first cell that is not needed for it; None needs all cells.
        """
        self._plan = dict(exercises) if self._executor.copies else {}

    def prepare(self, until: int | None = None, *, exercise: str = "") -> StudentProcess:
        """Return the process that serves an exercise, and has run the cells before position `until`.

        Raises `StudentTimeout` when the time is used up.
        """
        while exercise in self._plan:
            # A cell that was left out ends one start; those that got their copy before it keep it.
            self._start(self._plan)
        while exercise not in self._processes:
            self._start({exercise: until})
        return self._processes[exercise]

    def functions(self, exercise: Exercise, *, until: int | None = None) -> list[Any]:
        """Return callables that forward to the student's functions and raise what `cnnlab.checks.errors` lists.

        Parameters
        ----------
        exercise
            Whose functions.
        until
            Position of the first cell that is not needed for them; None runs all cells.
        """
        return [self._forward(exercise, function, until) for function in exercise.functions]

    def _forward(self, exercise: Exercise, function: Function, until: int | None) -> Any:
        def forward(*arguments: Any) -> Any:
            try:
                return self._call(exercise, function, until, arguments)
            except _FROM_THE_STUDENT:
                raise
            except Exception as error:
                self.fault = self.fault or error
                raise

        forward.__name__ = function.name
        forward.runs_elsewhere = True  # type: ignore[attr-defined]
        return forward

    def _call(self, exercise: Exercise, function: Function, until: int | None, arguments: Sequence[Any]) -> Any:
        process = self.prepare(until, exercise=exercise.id)
        if exercise.id in self._not_asked_yet:
            self._not_asked_yet.discard(exercise.id)
            try:
                return self._ask(process, exercise, function, arguments)
            except StudentCrashed:  # or another exercise's function took this one along: a new process will tell
                process = self.prepare(until, exercise=exercise.id)
        return self._ask(process, exercise, function, arguments)

    def _ask(self, process: StudentProcess, exercise: Exercise, function: Function, arguments: Sequence[Any]) -> Any:
        seconds = exercise.seconds * self._limits.call_factor
        deadline = self._deadline(seconds)
        try:
            if process.has_spoken():
                raise ProtocolError("an answer came before its question")
            process.send({"function": function.name}, arguments, deadline=deadline)
            message, values = process.receive(deadline=deadline)
            return self._answer(function, message, values)
        except ProcessTimeout:
            self._close(exercise.id)
            raise StudentTimeout(seconds) from None
        except ProcessEnded as ended:
            self._close(exercise.id)
            raise StudentCrashed(str(ended)) from None
        except ProtocolError:
            self._close(exercise.id)
            raise StudentCrashed(_FORGED) from None

    def _answer(self, function: Function, message: dict[str, Any], values: list[Any]) -> Any:
        match message:
            case {"result": True, "changed": [int(index), *_]} if 0 <= index < len(function.parameters):
                raise ArgumentChanged(function.parameters[index])
            case {"result": True} if len(values) == 1:
                return values[0]
            case {"raised": dict(error)}:
                type_name, text, line = _raised(error)
                raise StudentRaised(self._own_code.known_type(type_name), text, self._own_code.known_line(line))
            case {"missing": True}:
                # A cell that never finished is the better explanation of why the function is not there.
                raise next(iter(self._left_out.values()), FunctionMissing(function.name))
            case {"unsupported": str(type_name)}:
                return _stand_in(type_name)
        raise ProtocolError("an answer has no known form")

    def _start(self, exercises: Mapping[str, int | None]) -> None:
        """Run the cells once for these exercises, as far as that goes."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._limits.submission_seconds
            self._cells_end = now + self._limits.submission_seconds * _SHARE_OF_CELLS
        if now >= self._end or (len(exercises) > 1 and now >= self._cells_end):
            raise StudentTimeout(self._limits.submission_seconds)
        stops = {name: _LAST if until is None else until for name, until in exercises.items()}
        names = sorted(stops, key=lambda name: stops[name])
        cells = [cell for cell in self._cells if cell.index < stops[names[-1]] and cell.index not in self._left_out]
        processes = self._executor.start(self._limits, len(names) - 1, allows=self._allows)
        try:
            self._greet(processes[0], cells, [stops[name] for name in names[:-1]])
            stopped = self._run_cells(processes[0], cells, alone=len(names) == 1)
            for name, process in zip(names, (*processes[1:], processes[0]), strict=True):
                if stopped is None or (process is not processes[0] and stops[name] <= stopped.index):
                    self._take(name, process, is_copy=process is not processes[0])
                    if len(names) > 1:
                        self._not_asked_yet.add(name)
                else:
                    process.close()
        except BaseException:
            for process in processes:
                process.close()
            raise

    def _take(self, name: str, process: StudentProcess, *, is_copy: bool) -> None:
        """Let a process serve an exercise; a copy that was refused, or says nothing, is none."""
        self._plan.pop(name, None)
        if is_copy:
            try:
                if process.has_ended():
                    return process.close()
                process.receive(deadline=self._deadline(self._limits.cell_seconds))
            except (ProcessTimeout, ProcessEnded, ProtocolError):
                return process.close()
        self._processes[name] = process
        return None

    def _run_cells(self, process: StudentProcess, cells: Sequence[Cell], *, alone: bool) -> Cell | None:
        """Return the cell at which it hung or ended, if there is one; that cell is left out from then on."""
        for cell in cells:
            deadline = self._deadline(self._limits.cell_seconds)
            try:
                message, _ = process.receive(deadline=deadline if alone else min(deadline, self._cells_end))
                self._reports.setdefault(cell.index, _cell_report(cell, message))
            except ProcessTimeout:
                return self._leave_out(cell, StudentTimeout(self._limits.cell_seconds))
            except ProcessEnded as ended:
                return self._leave_out(cell, StudentCrashed(str(ended)))
            except ProtocolError:
                return self._leave_out(cell, StudentCrashed(_FORGED))
        return None

    def _greet(self, process: StudentProcess, cells: Sequence[Cell], stops: Sequence[int]) -> None:
        """Send the cells and wait for the sign that the process works; until then every failure is ours."""
        deadline = time.monotonic() + _START_SECONDS
        limits = self._limits.resource_limits(own_user=process.own_user)
        listed = [{"index": cell.index, "source": cell.source} for cell in cells]
        try:
            process.send({"cells": listed, "limits": limits, "stops": list(stops)}, (), deadline=deadline)
            message, _ = process.receive(deadline=deadline)
        except (ProcessTimeout, ProcessEnded, ProtocolError) as error:
            complaint = process.complaint()
            detail = complaint.splitlines()[-1] if complaint else str(error) or "it did not answer in time"
            raise ExecutorError(f"{self._executor.name}: {detail}") from error
        if type(message.get("hello")) is not int:
            raise ExecutorError(f"{self._executor.name}: its first message was {message!r}")

    def _leave_out(self, cell: Cell, why: StudentTimeout | StudentCrashed) -> Cell:
        self._left_out[cell.index] = why
        self._reports[cell.index] = CellReport(cell.index, left_out=_why(why))
        return cell

    def _deadline(self, seconds: float) -> float:
        end = time.monotonic() + seconds
        return end if self._end is None else min(end, self._end)

    def _close(self, exercise: str) -> None:
        self._not_asked_yet.discard(exercise)
        process = self._processes.pop(exercise, None)
        if process is not None:
            process.close()


def _why(problem: StudentTimeout | StudentCrashed) -> str:
    if isinstance(problem, StudentTimeout):
        return f"did not finish within {problem.seconds:g} s"
    return f"ended the notebook: {problem.reason}"


def _raised(error: dict[str, Any]) -> tuple[str, str, str]:
    parts = [error.get(key) for key in ("type", "message", "line")]
    type_name, text, line = (part if isinstance(part, str) else "" for part in parts)
    return harmless(type_name[:80]) or "Exception", harmless(text[:1_000]), harmless(line[:200])


def _cell_report(cell: Cell, message: dict[str, Any]) -> CellReport:
    match message:
        case {"cell": cell.index, "error": dict() | None as error, "stdout": str(output), "stderr": str(errors)}:
            return CellReport(
                cell.index,
                error=_raised(error) if error else None,
                stdout=without_surrogates(output[:20_000]),
                stderr=without_surrogates(errors[:20_000]),
            )
    raise ProtocolError("a report on a cell has no known form")


def _stand_in(type_name: str) -> Any:
    """Return an object of an empty class of that name, so that the checker can say what it got instead of numbers."""
    name = type_name.partition(" ")[0]
    safe = name[:40] if name.isidentifier() and not keyword.iskeyword(name) else "object"
    return type(safe, (), {})()
