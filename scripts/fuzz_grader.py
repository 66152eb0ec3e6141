"""Look for bytes that break the grader, guided by which lines of it they reach (atheris, which is libFuzzer).

    python scripts/fuzz_grader.py {wire,answer,notebook,zip} [--seconds 300] [--corpus FOLDER]

``wire`` decodes frames, ``answer`` puts the values of a frame before the checks of A1, ``notebook`` reads and repairs a
file, ``zip`` takes in a class's zip and a student's. It stops at the first input that raises anything but what is
documented, needs over 2 GiB or 25 s, and leaves that input in a file ``crash-…``. `make fuzz` fetches atheris, which is
needed for nothing else here (wheels for Linux and Python 3.11 to 3.13), into ``.fuzz/`` and runs all four there.

The laws are also tests (tests/grading/fuzz), with inputs that Hypothesis makes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

try:
    import atheris
except ImportError:
    atheris = None

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
# Whose lines count as reached.
_INSTRUMENTED = [
    *(f"cnnlab.grading.{name}" for name in ("wire", "intake", "repair", "figures", "packed", "handed_in", "naming")),
    *("cnnlab.checks.compare", "cnnlab.checks.clues", "cnnlab.checks.outcomes", "cnnlab.checks.recognize", "zipfile"),
]
with atheris.instrument_imports(include=_INSTRUMENTED) if atheris else contextlib.nullcontext():
    from cnnlab.checks import exercises, run_exercise
    from cnnlab.checks.model import Exercise
    from cnnlab.grading import wire
    from cnnlab.grading.course import CourseError
    from cnnlab.grading.files import UnreadableError
    from cnnlab.grading.intake import read_notebook, take_stock
    from cnnlab.grading.people import Person
    from cnnlab.grading.repair import repair

SAMPLES = ROOT / "course" / "samples" / "a1"
_MOST_BYTES = 1 << 16
_LENGTHS = struct.Struct(">IQ")


class _ShortError(Exception):
    """The bytes ended in the middle of a frame."""


def decode(data: bytes) -> list[tuple[dict[str, object], list[object]]]:
    """Read frames until the bytes end or are refused."""
    position = 0

    def read(size: int) -> bytes:
        nonlocal position
        piece = data[position : position + size]
        if len(piece) < size:
            raise _ShortError
        position += size
        return piece

    found = []
    try:
        while True:
            found.append(wire.read_frame(read))
    except (wire.ProtocolError, _ShortError):
        return found


def read_apart(data: bytes) -> list[tuple[dict[str, object], list[object]]]:
    """Read the bytes as frames, and as header, line break and payload: lengths that fit are hard to find by chance."""
    header, _, payload = data.partition(b"\n")
    found = decode(data)
    with contextlib.suppress(wire.ProtocolError):
        found.append(wire.unpack(header, payload))
    return found


def try_wire(data: bytes) -> None:
    """Decode; what was read can be sent back, and says the same."""
    for message, values in read_apart(data):
        if not isinstance(message, dict):
            raise TypeError("a message is no dict")
        try:
            frame = wire.pack({}, values)
        except (wire.UnsupportedValueError, wire.ProtocolError):
            continue
        if len(decode(frame)) != 1:
            raise ValueError("what was read cannot be read back")


def _exercises() -> list[Exercise]:
    return [exercise for exercise in exercises("a1") if len(exercise.functions) == 1]


def try_answer(data: bytes) -> None:
    """Judge a value that came over the wire, as the answer to everything that an exercise asks."""
    for _, values in read_apart(data):
        for value, exercise in zip(values, _exercises(), strict=False):

            def answer(*_: object, value: object = value) -> object:
                return value

            answer.runs_elsewhere = True  # type: ignore[attr-defined]
            if run_exercise(exercise, answer, hidden=True, seed=3).score == exercise.points:
                raise ValueError(f"all points for {value!r}")


def try_notebook(data: bytes) -> None:
    """Read and repair a notebook."""
    try:
        submitted = read_notebook(data)
    except UnreadableError as error:
        str(error).encode("utf-8")
        return
    repaired = repair(submitted, _release())
    json.dumps(repaired.notebook, allow_nan=False).encode("utf-8")


_given: list[dict[str, object]] = []


def _release() -> dict[str, object]:
    if not _given:
        _given.append(read_notebook(_notebooks()[0]))
    return _given[0]


def try_zip(data: bytes) -> None:
    """Take in the bytes as a class's zip, and as the zip of one student."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "class.zip").write_bytes(data)
        (folder / "all" / "ada").mkdir(parents=True)
        (folder / "all" / "ada" / "work.zip").write_bytes(data)
        take_stock(folder / "all", "a1", "a1_scanning.ipynb", [Person("ada")])
        try:
            take_stock(folder / "class.zip", "a1", "a1_scanning.ipynb", [Person("ada")])
        except CourseError:
            return


def _notebooks() -> list[bytes]:
    return [path.read_bytes() for path in sorted(SAMPLES.rglob("*.ipynb"))][:4]


def _frames() -> list[bytes]:
    values = [
        np.arange(6.0).reshape(2, 3),
        (np.float32(1), [None, "ü", float("nan")]),
        3,
        np.ones(2, bool),
        [np.zeros(3)],
    ]
    text = json.dumps({"message": {}, "values": [{"array": ["<f8", [-1]]}, {"scalar": "|O"}]}).encode()
    frames = [
        *(wire.pack({"result": True, "changed": []}, [value, value]) for value in values),
        wire.pack({"raised": {"type": "IndexError", "message": "no", "line": "x[1]"}}),
        _LENGTHS.pack(len(text), 0) + text,
    ]
    return [*frames, *map(_apart, frames)]


def _apart(frame: bytes) -> bytes:
    length, _ = _LENGTHS.unpack(frame[: _LENGTHS.size])
    body = frame[_LENGTHS.size :]
    return body[:length] + b"\n" + body[length:]


def _zips() -> list[bytes]:
    found = []
    for name in ("ada/a1_scanning.ipynb", "a_1_assignsubmission_file_/x.ipynb", "byronada_12_34_x.ipynb", "../x.ipynb"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(name, b'{"nbformat": 4, "cells": []}')
        found.append(file.getvalue())
    return found


# What is tried, and with which inputs it begins.
TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "wire": (try_wire, _frames),
    "answer": (try_answer, _frames),
    "notebook": (try_notebook, _notebooks),
    "zip": (try_zip, _zips),
}


def main() -> None:
    """Run one target until its time is up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=300, help="how long (default: 300)")
    parser.add_argument("--corpus", type=Path, help="folder in which inputs that reach new lines are kept")
    options = parser.parse_args()
    if atheris is None:
        raise SystemExit("atheris is not installed: make fuzz, or pip install atheris into a throw-away environment")
    attempt, seeds = TARGETS[options.target]
    with tempfile.TemporaryDirectory(prefix="cnnlab-fuzz-") as name:
        corpus = options.corpus or Path(name)
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds()):
            attempt(seed)
            (corpus / f"seed-{number}").write_bytes(seed)
        arguments = [
            *(sys.argv[0], str(corpus), f"-max_total_time={options.seconds}", f"-max_len={_MOST_BYTES}"),
            *("-timeout=25", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=1"),
        ]
        atheris.Setup(arguments, attempt)
        os.environ.setdefault("PYTHONWARNINGS", "ignore")
        atheris.Fuzz()


if __name__ == "__main__":
    main()
