"""`cnnlab` as a student's process sees it while grading: data, figures, arrays, and checks that do nothing.

The layers, the reference solutions and the real checks are not there: `return cnnlab.ops.conv_forward(…)` would be an
answer to many exercises. Where an exercise allows the layers, those are there that hold no answer (`nn.py`, `ops.py`).
This file is mounted as ``cnnlab/__init__.py``.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any

from cnnlab.checks import check

__all__ = ["check"]
__version__ = "grading"

_ARRAY_LAYER = frozenset(
    {"use_device", "device", "current_device", "gpu_status", "asarray", "to_numpy", "namespace", "synchronize"}
)


def __getattr__(name: str) -> Any:
    if name in _ARRAY_LAYER:
        return getattr(import_module("cnnlab.backend"), name)
    if name in {"backend", "data", "viz"}:
        return import_module(f"cnnlab.{name}")
    if name in {"nn", "optim"}:
        with contextlib.suppress(ModuleNotFoundError):  # only where an exercise allows them
            return import_module(f"cnnlab.{name}")
    raise AttributeError(f"cnnlab.{name} is not available while your notebook is graded")
