"""What cannot be kept in a repository as it is: pipes, devices, links, huge files, odd names. Made for each trial."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hostile.pages import IMAGE
from hostile.sample import FILE_NAME, Notebook, Sample, bytes_of, code_cell


@dataclass(frozen=True)
class Made:
    """A submission that a function makes.

    Attributes
    ----------
    make
        Gets the folder to fill, the bytes of a right submission, and its release.
    student
        The folder's name; empty: that of the case.
    shown_as
        What the grader calls the student; empty: as the folder.
    impossible
        Returns why it cannot be made here, or nothing.
    """

    make: Callable[[Path, bytes, Notebook], None]
    student: str = ""
    shown_as: str = ""
    impossible: Callable[[], str] = lambda: ""


def _only_root() -> str:
    return "" if os.geteuid() == 0 else "only root can make a device"


def _nobody_reads() -> str:
    return "" if os.geteuid() else "root can read everything"


def _right(folder: Path, right: bytes, release: Notebook) -> None:
    del release
    (folder / FILE_NAME).write_bytes(right)


def _pipe(folder: Path, right: bytes, release: Notebook) -> None:
    del right, release
    os.mkfifo(folder / FILE_NAME)


def _device(folder: Path, right: bytes, release: Notebook) -> None:
    del right, release
    os.mknod(folder / FILE_NAME, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero


def _socket(folder: Path, right: bytes, release: Notebook) -> None:
    del right, release
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.bind(FILE_NAME)
    finally:
        os.chdir(here)


def _folder(folder: Path, right: bytes, release: Notebook) -> None:
    _right(folder, right, release)
    (folder / FILE_NAME).rename(folder / "other.txt")
    (folder / FILE_NAME).mkdir()


def _closed(folder: Path, right: bytes, release: Notebook) -> None:
    _right(folder, right, release)
    (folder / FILE_NAME).chmod(0)


def _link_to(target: str) -> Callable[[Path, bytes, Notebook], None]:
    def make(folder: Path, right: bytes, release: Notebook) -> None:
        del right, release
        (folder / FILE_NAME).symlink_to(target)

    return make


def _linked_folder(folder: Path, right: bytes, release: Notebook) -> None:
    del right, release
    folder.rmdir()
    folder.symlink_to("../secrets")


def _linked_assignment(folder: Path, right: bytes, release: Notebook) -> None:
    del right, release
    (folder / "a1").symlink_to("../../secrets")


def _huge(folder: Path, right: bytes, release: Notebook) -> None:
    del release
    notebook = json.loads(right)
    notebook["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * (25 << 20)}]
    (folder / FILE_NAME).write_text(json.dumps(notebook), encoding="utf-8")


def _large(folder: Path, right: bytes, release: Notebook) -> None:
    del release
    notebook = json.loads(right)
    notebook["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["x\n"] * (2 << 20)}]
    (folder / FILE_NAME).write_text(json.dumps(notebook), encoding="utf-8")


def _cells(number: int, source: str) -> Callable[[Path, bytes, Notebook], None]:
    def make(folder: Path, right: bytes, release: Notebook) -> None:
        del release
        notebook = json.loads(right)
        notebook["cells"] += [code_cell(f"more-{i}", source) for i in range(number)]
        (folder / FILE_NAME).write_text(json.dumps(notebook), encoding="utf-8")

    return make


def _deep(folder: Path, right: bytes, release: Notebook) -> None:
    del right, release
    text = '{"nbformat": 4, "cells": ' + "[" * (1 << 20) + "]" * (1 << 20) + "}"
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def _many_files(folder: Path, right: bytes, release: Notebook) -> None:
    _right(folder, right, release)
    for number in range(3000):
        (folder / f"data-{number}.txt").touch()


def _named_by_html(folder: Path, right: bytes, release: Notebook) -> None:
    del release
    (folder / f"a1_scanning {IMAGE}.ipynb").write_bytes(right)


def _named_by_bytes(folder: Path, right: bytes, release: Notebook) -> None:
    del release
    Path(os.fsdecode(os.fsencode(folder) + b"/a1_scanning \xff\x1b[31m\n.ipynb")).write_bytes(right)


def _two_and_a_zip(folder: Path, right: bytes, release: Notebook) -> None:
    del right
    wrong = bytes_of(Sample(scan_1d="", scan_2d=""), release)
    (folder / "a1_scanning (2).ipynb").write_bytes(bytes_of(Sample(), release))
    (folder / "a1_scanning (1).ipynb").write_bytes(wrong)
    (folder / "a1_scanning.zip").write_bytes(b"PK\x03\x04 no zip at all")


def _nested_code(folder: Path, right: bytes, release: Notebook) -> None:
    del right
    above = ("(" * 9000 + ")" * 9000, "-" * 90_000 + "1", "1" + "+1" * 40_000)
    (folder / FILE_NAME).write_bytes(bytes_of(Sample(above=above), release))


SAMPLES = {
    "code_nested_without_end": Made(_nested_code),
    "pipe_as_a_file": Made(_pipe),
    "device_as_a_file": Made(_device, impossible=_only_root),
    "socket_as_a_file": Made(_socket),
    "folder_as_a_file": Made(_folder),
    "file_that_nobody_may_read": Made(_closed, impossible=_nobody_reads),
    "link_to_the_secret": Made(_link_to("../../course/secret.toml")),
    "link_to_the_solution": Made(_link_to("../../course/source/a1/a1_scanning.ipynb")),
    "link_to_itself": Made(_link_to(FILE_NAME)),
    "link_to_a_device": Made(_link_to("/dev/zero")),
    "linked_folder": Made(_linked_folder),
    "linked_folder_of_the_assignment": Made(_linked_assignment),
    "huge_notebook": Made(_huge),
    "large_outputs": Made(_large),
    "too_many_cells": Made(_cells(2500, "x = 1")),
    "too_much_code": Made(_cells(20, "x = 1\n" * 5000)),
    "deep_json": Made(_deep),
    "many_other_files": Made(_many_files),
    "file_named_by_html": Made(_named_by_html),
    "file_named_by_bytes": Made(_named_by_bytes),
    "several_files": Made(_two_and_a_zip),
    "name_html": Made(_right, student=IMAGE),
    "name_ansi": Made(_right, student="\x1b[31mred\x07", shown_as="?[31mred?"),
    "name_formula": Made(_right, student="=cmd|'calc'!A1", shown_as="'=cmd|'calc'!A1"),
    "name_option": Made(_right, student="--course=x -rf", shown_as="'--course=x -rf"),
    "name_rich_markup": Made(_right, student="[bold red]name"),
    "name_template": Made(_right, student="{{ 191 * 7 }}%s${HOME}`id`$(id)"),
    "name_composed": Made(_right, student="Zo\u00eb composed"),
    "name_decomposed": Made(_right, student="Zoe\u0308 composed"),
    "name_right_to_left": Made(_right, student="\u05d3\u05e0\u05d4 \u0645\u0631\u064a\u0645"),
    "name_turned_around": Made(_right, student="ada\u202ebynpi", shown_as="ada?bynpi"),
    "name_emoji": Made(_right, student="\U0001f98a\U0001f3fd fox"),
    "name_of_two_lines": Made(_right, student="ada\nben,graded,15", shown_as="ada?ben,graded,15"),
    "name_of_bytes": Made(_right, student=os.fsdecode(b"ada\xff\xfe"), shown_as="ada??"),
    "name_reserved_on_windows": Made(_right, student="CON"),
    "name_reserved_with_ending": Made(_right, student="aux.txt "),
    "name_of_dots": Made(_right, student="ada..%2e%2e%2f..\\..\\x"),
    "name_too_long": Made(_right, student="n" * 250, shown_as="n" * 190 + "\u2026"),
    "name_of_one_quote": Made(_right, student="Robert'); DROP TABLE student;--"),
}
