"""How far a run is: a bar with counts on a terminal, a line for each submission in a log."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cnnlab.grading.model import Result
from cnnlab.grading.report import printable


class RunProgress:
    """Counts what a run has found so far; use it in a ``with`` statement.

    Parameters
    ----------
    console
        Where it is shown.
    total
        How many submissions will be run.
    unreadable
        How many could not even be read.
    """

    def __init__(self, console: Console, total: int, *, unreadable: int = 0) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._counts = {"failed checks": 0, "timed out": 0, "crashed": 0, "our faults": 0, "unreadable": unreadable}
        self._started = time.monotonic()
        self._bar: Progress | None = None
        if console.is_terminal and total:
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console, transient=True)
            self._row = self._bar.add_task(self.counts(), total=total)

    def __enter__(self) -> RunProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._done:
            seconds = time.monotonic() - self._started
            speed = 60 * self._done / seconds if seconds else 0.0
            text = f"{self._done} run in {seconds:.1f} s ({speed:.0f} a minute): {self.counts()}"
            self._console.print(text, highlight=False, soft_wrap=True)

    def counts(self) -> str:
        """Return the counts as words; those of zero are left out, but for failed checks."""
        shown = [f"{count} {what}" for what, count in self._counts.items() if count or what == "failed checks"]
        return ", ".join(shown)

    def say(self, result: Result) -> None:
        """Count one more result, and show it."""
        self._done += 1
        what = {"timeout": "timed out", "crashed": "crashed", "grader_error": "our faults"}.get(result.status)
        if what is None and any(not check.passed for exercise in result.exercises for check in exercise.checks):
            what = "failed checks"
        if what is not None:
            self._counts[what] += 1
        if self._bar is not None:
            self._bar.update(self._row, completed=self._done, description=self.counts())
            return
        left = (time.monotonic() - self._started) / self._done * (self._total - self._done)
        score = "no points" if result.score is None else f"{result.score:g}"
        line = (
            f"[{self._done}/{self._total}] {printable(result.student)}: {result.status}, {score} "
            f"({result.seconds:.1f} s, about {left:.0f} s left; {self.counts()})"
        )
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
