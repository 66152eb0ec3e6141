"""Run a lecture from top to bottom, in a folder of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from cnnlab.authoring.slides.errors import SlidesError

_SECONDS_A_CELL = 900
# Several threads of a BLAS slow one another down on small arrays.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run_lecture(path: Path) -> NotebookNode:
    """Return the notebook at `path` with its outputs; what it writes goes into a temporary folder.

    Raises
    ------
    SlidesError
        If a cell fails, with the lecture, the cell and the error.
    """
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    begun = 0

    def note(cell: NotebookNode, cell_index: int) -> None:
        nonlocal begun
        begun = cell_index

    with tempfile.TemporaryDirectory(prefix="cnnlab-slides-") as folder:
        client = NotebookClient(
            notebook,
            timeout=_SECONDS_A_CELL,
            store_widget_state=False,  # with the state, a page would show the widget, which needs a network
            resources={"metadata": {"path": folder}},
            on_cell_start=note,
            extra_arguments=["--log-level=ERROR"],  # what a kernel says of its connection is not for a lecturer
        )
        try:
            client.execute(env={**os.environ, **_ONE_THREAD})
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise SlidesError(_said_of(path, notebook.cells[begun].source, begun, error)) from error
    return notebook


def _said_of(path: Path, source: str, place: int, error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        what = f"{error.ename}: {error.evalue}".partition("\n")[0]
    elif isinstance(error, CellTimeoutError):
        what = f"it takes longer than {_SECONDS_A_CELL} s"
    else:
        what = "its kernel died"
    first_line = source.strip().partition("\n")[0]
    return (
        f"lecture {path.stem}, cell {place + 1} ({first_line!r}) failed: {what}. "
        "Run the lecture in JupyterLab, mend its source, build it (`make build`), and make the slides again"
    )
