"""Running lecture notebooks without a browser."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LECTURES = ROOT / "lectures"


class Lecture:
    """A notebook that was run from top to bottom."""

    def __init__(self, notebook, values):
        self.notebook = notebook
        self.values = values

    @property
    def printed(self):
        return self._written_to("stdout")

    @property
    def complaints(self):
        """What cells wrote to stderr; progress bars are widgets and do not go there."""
        return self._written_to("stderr")

    def _written_to(self, name):
        return "".join(
            output.text
            for cell in self.notebook.cells
            for output in cell.get("outputs", ())
            if output.output_type == "stream" and output.name == name
        )


@pytest.fixture(scope="session")
def run_lecture(tmp_path_factory):
    """Run a lecture from top to bottom, with warnings as errors; hand out the values of the named expressions."""
    ran = {}
    folder = tmp_path_factory.mktemp("lectures")  # what a lecture writes must not stay in the checkout

    def run(name, **expressions):
        if name not in ran:
            notebook = nbformat.read(LECTURES / f"{name}.ipynb", as_version=4)
            asked = ", ".join(f"{key!r}: {expression}" for key, expression in expressions.items())
            question = f"import json\nprint(json.dumps({{{asked}}}, default=float))"
            notebook.cells.append(nbformat.v4.new_code_cell(question))
            # In a cell, not in the environment: the kernel's own start warns under some versions of Python.
            notebook.cells.insert(0, nbformat.v4.new_code_cell("import warnings\nwarnings.simplefilter('error')"))
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute(
                env=environment
            )
            del notebook.cells[0]
            answer = notebook.cells.pop().outputs[0].text
            ran[name] = Lecture(notebook, json.loads(answer))
        return ran[name]

    return run
