"""Right answers in many forms, and wrong ones as students write them: ``tests/checks/answers``."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

from cnnlab.checks.model import Exercise
from proving.solutions import ROOT

Functions = tuple[Callable[..., Any], ...]


def right_answers(exercise: Exercise) -> list[Functions]:
    """Return right answers, each with all functions of the exercise; none if there is no file."""
    return [_as_tuple(answer) for answer in getattr(_module(exercise.id), "RIGHT", ())]


def wrong_answers(exercise: Exercise) -> list[tuple[Functions, frozenset[str]]]:
    """Return wrong answers, each with the names that its mistakes must get."""
    pairs = getattr(_module(exercise.id), "WRONG", ())
    return [(_as_tuple(answer), frozenset(names)) for answer, names in pairs]


@cache
def _module(exercise_id: str) -> ModuleType | None:
    path = ROOT / "tests" / "checks" / "answers" / f"{exercise_id.replace('.', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _as_tuple(answer: Callable[..., Any] | Functions) -> Functions:
    return answer if isinstance(answer, tuple) else (answer,)
