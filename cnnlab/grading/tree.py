"""What a student's process may import: an allow-list of packages, and a cnnlab without answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

import cnnlab

# What a notebook of the course may use, each with whatever it needs itself. Not SciPy and not PyTorch: they have the
# answers to many exercises.
_DISTRIBUTIONS = ("numpy", "matplotlib", "ipython", "ipywidgets", "tqdm", "pooch", "array-api-compat")

_VIEW = PurePosixPath("cnnlab/grading/student_view")
_CNNLAB = {
    # as seen by the student: where it is in the real package
    "cnnlab/__init__.py": "grading/student_view/top.py",
    "cnnlab/checks/__init__.py": "grading/student_view/checks.py",
    "cnnlab/backend": "backend",
    "cnnlab/data": "data",
    "cnnlab/viz": "viz",
    "cnnlab/grading/__init__.py": "grading/__init__.py",
    "cnnlab/grading/wire.py": "grading/wire.py",
    **{
        str(_VIEW / name): f"grading/student_view/{name}"
        for name in ("__init__.py", "cells.py", "isolate.py", "keeper.py", "main.py", "serve.py", "warm.py")
    },
}

# What an exercise may allow (`Exercise.allows`). File by file, so that a new module of the library is not among them
# before somebody has looked: nothing here computes a convolution or a pooling, and nothing trains a network.
_LAYERS = (
    "activation checks conv conv_op conv_relu flatten init linear loss module own_op parameter pool pool_op rank_name "
    "replace sequential"
)
_OPERATIONS = "activation arguments linear loss"
_ALLOWED = {
    "nn": {
        "cnnlab/nn/__init__.py": "grading/student_view/nn.py",
        **{f"cnnlab/nn/{name}.py": f"nn/{name}.py" for name in _LAYERS.split()},
        "cnnlab/kernels/__init__.py": "grading/student_view/kernels.py",
        "cnnlab/ops/__init__.py": "grading/student_view/ops.py",
        **{f"cnnlab/ops/{name}.py": f"ops/{name}.py" for name in _OPERATIONS.split()},
        "cnnlab/geometry": "geometry",
    },
    "optim": {"cnnlab/optim": "optim"},
}

MAIN = _VIEW / "main.py"
WARM = _VIEW / "warm.py"


@cache
def cnnlab_tree(allows: frozenset[str] = frozenset()) -> Mapping[PurePosixPath, Path]:
    """Return the files and folders of the student's cnnlab: where they are seen, and where they are.

    Parameters
    ----------
    allows
        As in `cnnlab.checks.model.Exercise`.

    Raises
    ------
    KeyError
        If there is no such part.
    """
    root = Path(cnnlab.__file__).parent
    listed = dict(_CNNLAB)
    for name in sorted(allows):
        listed |= _ALLOWED[name]
    found = {PurePosixPath(seen): root / real for seen, real in listed.items()}
    return {seen: real for seen, real in found.items() if real.exists()}


@cache
def packages_tree() -> Mapping[PurePosixPath, Path]:
    """Return the top-level files and folders of the allowed packages, by name."""
    return {
        PurePosixPath(path.name): path
        for name in sorted(_with_requirements(_DISTRIBUTIONS))
        for path in _top_level(distribution(name))
    }


def standard_library() -> tuple[Path, Path]:
    """Return the folder of the interpreter that this environment was made from, and its executable."""
    # In a virtual environment `sys.executable` is a link that would bring the environment's packages with it.
    return Path(sys.base_prefix), Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _with_requirements(names: tuple[str, ...]) -> set[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        try:
            requirements = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # an optional one that is not installed; the canary finds out whether it was needed
        found.add(name)
        needed = map(Requirement, requirements)
        waiting += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def _top_level(package: Distribution) -> Iterator[Path]:
    names = {file.parts[0] for file in package.files or []}
    for name in sorted(names - {"..", "__pycache__"}):
        path = Path(str(package.locate_file(name)))
        if path.exists():
            yield path
