"""``cnnlab doctor``: what this machine has, and what to do about the rest. Nothing here raises or changes anything."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnlab import __version__


@dataclass(frozen=True)
class Line:
    """One finding: what was looked at, whether it is well, what was seen, and the next step where it is not."""

    name: str
    ok: bool
    seen: str
    next_step: str = ""
    optional: bool = False


def examine() -> list[Line]:
    """Look at everything the course uses, in the order in which a newcomer meets it."""
    looks: tuple[tuple[str, Callable[[], Line]], ...] = (
        ("Python", _python),
        ("cnnlab", lambda: Line("cnnlab", ok=True, seen=__version__)),
        ("NumPy", lambda: _package("NumPy", "numpy")),
        ("matplotlib", lambda: _package("matplotlib", "matplotlib")),
        ("BLAS", _blas),
        ("device", _device),
        ("JupyterLab", lambda: _package("JupyterLab", "jupyterlab", extra="course")),
        ("widgets", _widgets),
        ("nbgrader", _nbgrader),
        ("sandbox", _sandbox),
        ("data cache", _data_cache),
    )
    return [_guarded(name, look) for name, look in looks]


def as_text(lines: list[Line]) -> str:
    """Return the findings as a table for the terminal: ``ok``, ``--`` (missing, but optional) or ``!!``."""
    width = max(len(line.name) for line in lines)
    rows = []
    for line in lines:
        mark = "ok" if line.ok else "--" if line.optional else "!!"
        rows.append(f"{mark}  {line.name:<{width}}  {line.seen}")
        if line.next_step and not line.ok:
            rows.append(f"    {'':<{width}}  → {line.next_step}")
    return "\n".join(rows)


def _guarded(name: str, look: Callable[[], Line]) -> Line:
    # A report about a broken machine must not itself break on it.
    try:
        return look()
    except Exception as error:
        return Line(name, ok=False, seen=f"could not be examined: {type(error).__name__}: {error}")


def _python() -> Line:
    seen = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.platform == "win32":
        return Line("Python", ok=False, seen=seen, next_step="cnnlab is meant to run in WSL2 on Windows; see README.md")
    return Line("Python", ok=True, seen=seen)


def _package(name: str, distribution: str, extra: str = "") -> Line:
    try:
        return Line(name, ok=True, seen=importlib.metadata.version(distribution))
    except importlib.metadata.PackageNotFoundError:
        wanted = f".[{extra}]" if extra else "."
        step = f"in a checkout of the course: make lab, or pip install '{wanted}'"
        return Line(name, ok=False, seen="not installed", next_step=step, optional=bool(extra))


def _blas() -> Line:
    import numpy as np

    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    seen = f"{library['name']} {library['version']}, {os.cpu_count()} cores"
    if importlib.util.find_spec("threadpoolctl") is None:
        return Line("BLAS", ok=True, seen=f"{seen}, threads not known (threadpoolctl is not installed)")
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    threads = ", ".join(f"{pool['num_threads']} thread{'s' * (pool['num_threads'] != 1)}" for pool in pools)
    return Line("BLAS", ok=True, seen=f"{seen}, {threads or 'no thread pool'}")


def _device() -> Line:
    from cnnlab.backend import GPUUnavailableError, current_device, gpu_status

    gpu = gpu_status()
    try:
        seen = f"computing on {current_device()}; GPU: {gpu.reason}"
    except GPUUnavailableError:
        step = f"unset CNNLAB_DEVICE to work on the cpu; {gpu.hint}"
        return Line("device", ok=False, seen=f"CNNLAB_DEVICE asks for the GPU, but {gpu.reason}", next_step=step)
    except ValueError as error:
        fault, _, step = str(error).partition(": ")
        return Line("device", ok=False, seen=fault, next_step=step)
    return Line("device", ok=gpu.ok, seen=seen, next_step=gpu.hint, optional=True)


def _labextension(name: str) -> bool:
    from jupyter_core.paths import jupyter_path

    return any((Path(folder) / name / "package.json").is_file() for folder in jupyter_path("labextensions"))


def _widgets() -> Line:
    if importlib.util.find_spec("jupyter_core") is None:
        return Line(
            "widgets", ok=False, seen="no Jupyter here", next_step="install JupyterLab, as above", optional=True
        )
    missing = [name for name in ("@jupyter-widgets/jupyterlab-manager", "anywidget") if not _labextension(name)]
    if missing:
        return Line(
            "widgets",
            ok=False,
            seen=f"JupyterLab cannot see {' and '.join(missing)}",
            next_step="install cnnlab into the same environment as JupyterLab, then reload the browser's page",
        )
    return Line("widgets", ok=True, seen="JupyterLab's widget manager and anywidget are in place")


def _nbgrader() -> Line:
    line = _package("nbgrader", "nbgrader", extra="course")
    if line.ok and importlib.util.find_spec("alembic") is None:
        return Line("nbgrader", ok=False, seen=f"{line.seen}, but alembic is missing", next_step="pip install alembic")
    return line


def _sandbox() -> Line:
    from cnnlab.grading.executor import sandbox_status

    status: Any = sandbox_status()
    return Line("sandbox", ok=status.ok, seen=status.reason, next_step=status.hint, optional=True)


def _data_cache() -> Line:
    from cnnlab.data.public import cache_folder, stored_sets

    folder = cache_folder()
    # os.path.exists, unlike Path.exists, takes a folder that may not be looked into for one that is not there.
    existing = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110
    if not existing.is_dir():
        return Line("data cache", ok=False, seen=f"{existing} is a file", next_step="set CNNLAB_DATA to a folder")
    is_there = existing == folder
    held = _list(stored_sets(folder)) if is_there else ""
    if not os.access(existing, os.W_OK):
        return Line(
            "data cache",
            ok=is_there,
            seen=f"{folder} {'can be read but not written' if is_there else 'cannot be made'}{held}",
            next_step="set CNNLAB_DATA to a folder that you may write to",
            optional=True,
        )
    return Line("data cache", ok=True, seen=f"{folder}{held if is_there else ' (made when first needed)'}")


def _list(sets: list[str]) -> str:
    return f", holds {', '.join(sets)}" if sets else ", holds no public set yet"
