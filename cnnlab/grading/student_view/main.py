"""The program of a student's process: run the cells, then answer calls of the student's functions.

It starts with ``python -I -S``, so that only the folders named on its command line can be imported from. Frames come in
on standard input and go out on standard output; both are moved out of the way before any code of the student runs.
Everything it sends is a claim: the grader checks the form, and compares the values with what it knows.
"""

from __future__ import annotations

import contextlib
import os
import site
import sys
from typing import Any, BinaryIO


def main() -> None:
    """Serve one grader until it closes the pipe."""
    sys.path[:0] = sys.argv[1:]
    sys.argv = ["notebook"]
    # `-S` leaves these out, and notebooks use them.
    site.setquit()
    site.sethelper()
    requests, answers = _private_pipes()

    from cnnlab.grading import wire
    from cnnlab.grading.student_view.cells import Notebook

    def read(size: int) -> bytes:
        data = requests.read(size)
        if len(data) != size:
            os._exit(0)  # the grader has gone
        return data

    def send(message: dict[str, Any], values: tuple[Any, ...] = ()) -> None:
        answers.write(wire.pack(message, values))
        answers.flush()

    request, _ = wire.read_frame(read)
    _limit_resources(request["limits"])
    notebook = Notebook()
    send({"hello": True})
    for cell in request["cells"]:
        send(notebook.run(cell["index"], cell["source"]))
    while True:
        request, arguments = wire.read_frame(read)
        message, values = _call(notebook, request["function"], arguments)
        try:
            send(message, values)
        except Exception as error:  # a type the protocol does not carry, or an object that fights being read
            named = isinstance(error, (wire.UnsupportedValueError, wire.ProtocolError))
            send({"unsupported": str(error) if named else type(values[0]).__name__})


def _call(notebook: Any, name: str, arguments: list[Any]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    from cnnlab.grading.student_view.cells import CutText
    from cnnlab.grading.wire import pack

    function = notebook.names.get(name)
    if not callable(function):
        return {"missing": True}, ()
    before = [pack({}, [argument]) for argument in arguments]
    with contextlib.redirect_stdout(CutText()), contextlib.redirect_stderr(CutText()):
        try:
            result = function(*arguments)
        except BaseException as error:
            return {"raised": notebook.describe(error)}, ()
    changed = [index for index, frame in enumerate(before) if not _still(frame, arguments[index])]
    return {"result": True, "changed": changed}, (result,)


def _still(frame: bytes, argument: Any) -> bool:
    from cnnlab.grading.wire import pack

    try:
        return pack({}, [argument]) == frame
    except Exception:  # it holds something now that cannot even be packed
        return False


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the two pipes to other descriptors; what students print at any level then goes nowhere."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return requests, answers


def _limit_resources(limits: dict[str, int]) -> None:
    import resource

    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL: never outlive the grader
    for name, value in limits.items():
        # macOS knows these names but refuses some of them; the wall clock of the grader is there in any case.
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


if __name__ == "__main__":
    main()
