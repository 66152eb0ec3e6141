"""Run the cells of a notebook, then answer calls of the student's functions, until the grader closes the connection.

One process serves one exercise. Where the grader asks for several, the process that runs the cells makes a copy of
itself (a fork) in front of the first cell that an exercise does not need, and that copy serves the exercise; the last
exercise is served by the process itself. A copy is as good as a process that ran the same cells only if all that it
has can be copied: with threads, open files or files on the disk no copy is made, and the grader starts another process.

Everything sent from here is a claim: the grader checks the form, and compares the values with what it knows.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from cnnlab.grading import wire
from cnnlab.grading.student_view.cells import CutText, Notebook


class Link:
    """Frames from and to the grader over two descriptors, or one for both ways."""

    def __init__(self, requests: int, answers: int) -> None:
        self._requests, self._answers = os.fdopen(requests, "rb"), os.fdopen(answers, "wb")

    def descriptors(self) -> set[int]:
        """Return what must not be closed."""
        return {self._requests.fileno(), self._answers.fileno()}

    def close(self) -> None:
        """Let go of it."""
        self._requests.close()
        self._answers.close()

    def read(self) -> tuple[dict[str, Any], list[Any]]:
        """Wait for a frame; end this process when the grader has gone."""
        return wire.read_frame(self._read)

    def send(self, message: dict[str, Any], values: tuple[Any, ...] = ()) -> None:
        """Send a frame."""
        self._answers.write(wire.pack(message, values))
        self._answers.flush()

    def _read(self, size: int) -> bytes:
        data = self._requests.read(size)
        if len(data) != size:
            os._exit(0)
        return data


def serve(link: Link, copies: Sequence[int] = (), places: Sequence[str] = ()) -> NoReturn:
    """Serve one grader.

    Parameters
    ----------
    link
        To it.
    copies
        A socket for each copy that it will ask for.
    places
        Folders that can be written.
    """
    request, _ = link.read()
    limit_resources(request["limits"])
    notebook = Notebook()
    link.send({"hello": os.getpid()})
    waiting = list(zip(request.get("stops", ()), copies, strict=True))
    at_first = _belongings(places) if copies else set()
    cells = [*request["cells"], None]
    for cell in cells:
        while waiting and (cell is None or waiting[0][0] <= cell["index"]):
            _, descriptor = waiting.pop(0)
            held = link.descriptors() | {descriptor} | {other for _, other in waiting}
            plain = _is_plain(at_first - set(copies) | held, places)
            if plain and _copy():
                # The copy keeps its own socket and no other.
                link.close()
                for _, other in waiting:
                    os.close(other)
                link = Link(os.dup(descriptor), descriptor)
                link.send({"hello": os.getpid()})
                _answer(link, notebook)
            os.close(descriptor)
        if cell is not None:
            link.send(notebook.run(cell["index"], cell["source"]))
    _answer(link, notebook)


def _answer(link: Link, notebook: Notebook) -> NoReturn:
    while True:
        request, arguments = link.read()
        message, values = _call(notebook, request["function"], arguments)
        try:
            link.send(message, values)
        except Exception as error:  # a type the protocol does not carry, or an object that fights being read
            named = isinstance(error, (wire.UnsupportedValueError, wire.ProtocolError))
            link.send({"unsupported": str(error) if named else type(values[0]).__name__})


def _call(notebook: Notebook, name: str, arguments: list[Any]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    function = notebook.names.get(name)
    if not callable(function):
        return {"missing": True}, ()
    before = [wire.pack({}, [argument]) for argument in arguments]
    with contextlib.redirect_stdout(CutText()), contextlib.redirect_stderr(CutText()):
        try:
            result = function(*arguments)
        except BaseException as error:
            return {"raised": notebook.describe(error)}, ()
    changed = [index for index, frame in enumerate(before) if not _still(frame, arguments[index])]
    return {"result": True, "changed": changed}, (result,)


def _still(frame: bytes, argument: Any) -> bool:
    try:
        return wire.pack({}, [argument]) == frame
    except Exception:  # it holds something now that cannot even be packed
        return False


def _copy() -> bool:
    """Fork, and say True in the copy; its parent is PID 1, which sees how it ends."""
    state = random.getstate()  # a fork seeds `random` anew, and the student may have chosen the seed
    between = os.fork()
    if between == 0:
        if os.fork():
            os._exit(0)
        random.setstate(state)
        return True
    os.waitpid(between, 0)
    return False


def _is_plain(expected: set[Any], places: Sequence[str]) -> bool:
    one_thread = len(list(Path("/proc/self/task").iterdir())) == 1
    return one_thread and _belongings(places) <= expected


def _belongings(places: Sequence[str]) -> set[Any]:
    """Return the open descriptors, the memory that a copy would share, and the files that can be written."""
    listed = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    found: set[Any] = {descriptor for descriptor in listed if _is_open(descriptor)}
    for place in places:
        found.update(Path(place).rglob("*"))
    if places:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        found.update(line for line in maps if line.split()[1] == "rw-s")
    return found


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False  # the one with which the folder was listed
    return True


def to_nowhere() -> None:
    """Connect standard input, output and error to nothing; what students print at any level then goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def limit_resources(limits: dict[str, int]) -> None:
    """Set the limits that the kernel keeps."""
    import resource

    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL: never outlive the grader
    for name, value in limits.items():
        # macOS knows these names but refuses some of them; the wall clock of the grader is there in any case.
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
