"""Run the code cells of a notebook, one after the other, without a kernel.

Cells are compiled as they are. Only when that fails, IPython's own transformer rewrites magics, ``!`` and ``?`` (its
import costs 0.05 s; a whole `InteractiveShell` costs 0.5 s more and would bring a display system and a history that
nobody reads here). Magics do nothing, except that ``%time`` and its relatives run what they time.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import io
import re
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from itertools import groupby
from typing import Any

_MAX_OUTPUT = 10_000
_MAX_TEXT = 1_000
_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
# In front of what %timeit is to run, such as -n1 or -r 3.
_OPTIONS = re.compile(r"^(\s*-[a-z]+(\s*\d+)?)+(?=\s)")
_RUNS_ITS_CODE = frozenset({"time", "timeit", "capture", "prun"})


class CutText(io.TextIOBase):
    """A text stream that keeps the beginning and counts the rest."""

    def __init__(self, limit: int = _MAX_OUTPUT) -> None:
        self._parts: list[str] = []
        self._left = limit
        self._lost = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Keep what still fits."""
        kept = text[: self._left]
        if kept:
            self._parts.append(kept)
        self._left -= len(kept)
        self._lost += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        """Return what was kept, and how much was not."""
        cut = f"\n… {self._lost} more characters" if self._lost else ""
        return "".join(self._parts) + cut


class Notebook:
    """The namespace in which the cells of one notebook run."""

    def __init__(self) -> None:
        self._module = types.ModuleType("__main__")
        self.names: dict[str, Any] = self._module.__dict__
        self._get_ipython = lambda: _Magics(self)
        self.names["display"] = print
        sys.modules["__main__"] = self._module  # dataclasses and pickle look their module up there
        self._sources: dict[str, list[str]] = {}
        self._future = 0
        self._loop: Any = None

    def run(self, index: int, source: str) -> dict[str, Any]:
        """Run one cell; what it raises becomes part of the report and ends that cell only."""
        output, errors, raised = CutText(), CutText(), None
        with redirect_stdout(output), redirect_stderr(errors):
            try:
                self.execute(source, f"<cell {index + 1}>")  # counted as on the pages
            # SystemExit and KeyboardInterrupt too: `exit()` in a cell does not end the notebook either.
            except BaseException as error:
                raised = self.describe(error)
        return {"cell": index, "error": raised, "stdout": output.text(), "stderr": errors.text()}

    def execute(self, source: str, filename: str) -> None:
        """Compile and run source, like a cell of IPython if it is not plain Python.

        An import that fails does not end the cell: the names it would have given stand for a module that is not there,
        what follows still runs, and at the end the error is raised. So it costs only the functions that need it.
        """
        try:
            tree = ast.parse(source, filename)
        except SyntaxError:
            from IPython.core.inputtransformer2 import TransformerManager

            source = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
            tree = ast.parse(source, filename)
        self._sources[filename] = source.splitlines()
        failed: ImportError | None = None
        for statements in _runs_of_statements(tree.body):
            # Each time: `from IPython import get_ipython` brings one that finds no shell here.
            self.names["get_ipython"] = self._get_ipython
            try:
                self._run_statements(statements, filename)
            except ImportError as error:
                if not isinstance(statements[0], ast.Import | ast.ImportFrom):
                    raise
                failed = failed or error
                self._stand_in(statements[0], str(error))
        if failed is not None:
            raise failed

    def _run_statements(self, statements: list[ast.stmt], filename: str) -> None:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._future
        code = compile(ast.Module(statements, []), filename, "exec", flags, dont_inherit=True)
        # As in a notebook, `from __future__ import …` holds from here on.
        self._future |= code.co_flags & _FUTURE
        result = eval(code, self.names)  # noqa: S307  this is what the sandbox is for
        if code.co_flags & inspect.CO_COROUTINE:
            import asyncio

            if self._loop is None:
                self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(result)

    def _stand_in(self, statement: ast.Import | ast.ImportFrom, reason: str) -> None:
        for alias in statement.names:
            name = alias.asname or (alias.name if isinstance(statement, ast.ImportFrom) else alias.name.split(".")[0])
            if name != "*" and not isinstance(self.names.get(name), types.ModuleType):
                self.names[name] = _NotImported(reason)

    def describe(self, error: BaseException) -> dict[str, str]:
        """Return type, text and the student's own line of an exception, each cut to a sensible length."""
        line = ""
        for frame in traceback.extract_tb(error.__traceback__):
            lines = self._sources.get(frame.filename)
            if lines and frame.lineno and frame.lineno <= len(lines):
                line = lines[frame.lineno - 1].strip()
        if not line and isinstance(error, SyntaxError):
            line = (error.text or "").strip()
        try:
            text = str(error)
        except Exception:
            text = ""
        return {"type": type(error).__name__[:80], "message": text[:_MAX_TEXT], "line": line[:200]}


def _runs_of_statements(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Yield each import alone, and what stands between imports together."""
    for is_import, statements in groupby(body, lambda statement: isinstance(statement, ast.Import | ast.ImportFrom)):
        if is_import:
            yield from ([statement] for statement in statements)
        else:
            yield list(statements)


class _NotImported:
    """Stands for what could not be imported; whoever uses it is told."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def __getattr__(self, name: str) -> Any:
        raise ModuleNotFoundError(self._reason)

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise ModuleNotFoundError(self._reason)


class _Magics:
    """What `get_ipython()` returns: enough for transformed cells to run."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> None:
        """Run the statement of ``%time`` and its relatives, once; leave everything else out."""
        statement = _OPTIONS.sub("", line).strip()
        if name in _RUNS_ITS_CODE and statement:
            self._notebook.execute(statement, f"<%{name}>")

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        """Run the body of ``%%time`` and its relatives, once; leave everything else out."""
        del line
        if name in _RUNS_ITS_CODE:
            self._notebook.execute(body, f"<%%{name}>")

    def system(self, command: str) -> None:
        """Leave ``!command`` out."""

    def getoutput(self, command: str) -> list[str]:
        """Leave ``!command`` out."""
        del command
        return []
