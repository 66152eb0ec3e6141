"""The zip file for students: the release notebook, the data that it names, how to open it, and nothing else."""

from __future__ import annotations

from pathlib import Path

from cnnlab import __version__
from cnnlab.grading.course import Course, CourseError
from cnnlab.grading.files import in_folder
from cnnlab.grading.intake import read_notebook
from cnnlab.grading.packing import pack

# What nbgrader takes out. If one of these is left, the source was written wrongly.
_TAKEN_OUT = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "hidden=True")
_MOST_DATA = 200 << 20
# What a notebook of the course imports, besides cnnlab; in the ranges of pyproject.toml.
REQUIREMENTS = ("jupyterlab>=4.3", "numpy>=2.1", "matplotlib>=3.9", "ipywidgets>=8.1")

_README = """\
{title}

How to open it
  1. In a terminal in this folder:   python -m venv .venv
  2. .venv/bin/pip install -r requirements.txt        (Windows: .venv\\Scripts\\pip)
     The checks come with the package cnnlab: your course says where you get it.
  3. .venv/bin/jupyter lab {notebook}        (Windows: .venv\\Scripts\\jupyter)

What to hand in
  {notebook}, under this name, with your code in it. Outputs may stay or go.
  Leave the cells with checks as they are; what is changed there has no effect.
"""


def write_handout(course: Course) -> tuple[Path, tuple[str, ...]]:
    """Write ``out/<assignment>/<notebook>.zip``, and return it and the names of files that were left out.

    The same release gives the same bytes.

    Raises
    ------
    CourseError
        If something is left in the release notebook that students must not see.
    """
    notebook = course.release_notebook()
    text = notebook.read_text(encoding="utf-8")
    for word in _TAKEN_OUT:
        if word in text:
            raise CourseError(
                f"{notebook} still has {word!r} in it, so nothing was packed for students: "
                "look at the marks in the source, and build and release it again"
            )
    top = notebook.stem
    code = "\n".join(cell["source"] for cell in read_notebook(text.encode())["cells"])
    data, left_out = _data(notebook, code)
    readme = _README.format(title=f"{_title(code)} ({notebook.name})", notebook=notebook.name)
    lines = [f"# cnnlab {__version__} is needed too: your course says where you get it.", *REQUIREMENTS]
    requirements = "\n".join(lines) + "\n"
    files = [
        (f"{top}/{notebook.name}", notebook.read_bytes()),
        (f"{top}/README.txt", readme.encode()),
        (f"{top}/requirements.txt", requirements.encode()),
        *((f"{top}/{name}", content) for name, content in data),
    ]
    made = course.out / f"{top}.zip"
    pack(made, files)
    return made, left_out


def _data(notebook: Path, code: str) -> tuple[list[tuple[str, bytes]], tuple[str, ...]]:
    """Return the files beside the notebook that it names, and the names of the others."""
    found, left_out = [], []
    for file in in_folder(notebook.parent, deep=True):
        name = "/".join(file.parts)
        if file.parts == (notebook.name,) or file.is_hidden:
            continue
        if file.is_regular and file.parts[-1] in code and not file.has_ending(".ipynb"):
            found.append((name, file.read(_MOST_DATA)))
        else:
            left_out.append(name)
    return found, tuple(left_out)


def _title(code: str) -> str:
    lines = (line for line in code.splitlines() if line.startswith("# "))
    return next(lines, "# Assignment").removeprefix("# ").strip()
