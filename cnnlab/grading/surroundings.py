"""What nbgrader needs around it: its settings, alembic on PATH, and quiet."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def settings_of(folder: Path) -> Any:
    """Return what the ``nbgrader_config.py`` of a course folder sets, or no settings where there is none."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    path = folder.resolve() / "nbgrader_config.py"
    return PyFileConfigLoader(path.name, path=str(path.parent)).load_config() if path.is_file() else Config()


def import_jsonschema() -> None:
    """Import what nbgrader needs for its notebooks, without what takes longer than all the rest of it.

    As soon as it is imported, jsonschema lets rfc3987_syntax, if that is installed, build the grammars of all
    international addresses: over a second, for a format that no notebook has. It can do without.
    """
    if "jsonschema" in sys.modules or "rfc3987_syntax" in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules["rfc3987_syntax"] = None  # importing it is an ImportError then
    try:
        importlib.import_module("jsonschema")
    finally:
        del modules["rfc3987_syntax"]


@contextmanager
def nbgrader_surroundings() -> Iterator[None]:
    """Let nbgrader find alembic, and keep its log and its dependencies' warnings to itself."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    loggers = [logging.getLogger(name) for name in ("traitlets", "nbgrader", "alembic")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ["PATH"] = path
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
