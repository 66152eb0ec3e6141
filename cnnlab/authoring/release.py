"""What students get: the same notebook that nbgrader's ``generate_assignment`` makes, without its database."""

from __future__ import annotations

import copy
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader


def load_config(course: Path) -> Config:
    """Return the course's own nbgrader settings."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()


def release_of(source: NotebookNode, config: Config) -> NotebookNode:
    """Return the release version of a source notebook.

    Solutions and hidden tests are taken out, grade cells are locked and get checksums: nbgrader's own steps, in its
    order, except `SaveCells`, which writes the database.

    Parameters
    ----------
    source
        Left as it is.
    config
        The course's nbgrader settings.

    Raises
    ------
    RuntimeError
        If marks for solutions or hidden tests do not match, or stand in a cell of another kind.
    nbgrader.nbgraderformat.ValidationError
        If nbgrader's cell metadata are incomplete.
    """
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    notebook = copy.deepcopy(source)
    resources: dict[str, object] = {}
    for step in converter.preprocessors:
        if step is not SaveCells:
            notebook, resources = step(config=config).preprocess(notebook, resources)
    return notebook
