"""What can be said about wrong numbers that no known mistake explains, in words.

Each clue is a statement about all visible cases that were tried, and holds for every one of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnnlab.checks.compare import differs, part_of
from cnnlab.checks.outcomes import Trial

Array = np.ndarray[Any, Any]
_Pair = tuple[Array, Array]


def clues(trials: Sequence[Trial], *, part: str = "") -> tuple[str, ...]:
    """Return sentences about the answers of one function.

    Parameters
    ----------
    trials
        Its calls on visible cases, right ones too.
    part
        The named result that is wrong.
    """
    wrong = [trial for trial in trials if trial.fault is not None and trial.fault.part in ("", part)]
    right = [trial for trial in trials if trial.fault is None]
    if not wrong:
        return ()
    found = [*_about_inputs(wrong, right)]
    pairs = [pair for trial in wrong if (pair := _arrays(trial, part)) is not None]
    if len(pairs) == len(wrong):
        with np.errstate(all="ignore"):
            found += _about_values(pairs)
    view = next((trial.answer.view_of for trial in wrong if trial.answer.view_of), None)
    if view is not None:
        found.append(f"The answer is a view of {view}, not an array of its own: what changes one changes the other.")
    return tuple(found)


def _arrays(trial: Trial, part: str) -> _Pair | None:
    names = trial.function.results
    expected, got = (part_of(value, names, part) for value in (trial.expected, trial.answer.value))
    if isinstance(expected, np.ndarray) and isinstance(got, np.ndarray) and got.dtype.kind in "fiub" and got.size:
        return expected, got
    return None


def _about_values(pairs: Sequence[_Pair]) -> list[str]:
    """Return at most one sentence: the strongest that holds for all."""
    for holds, sentence in (
        (_is_transposed, "The numbers are right, but two axes are exchanged."),
        (_is_flipped, "The numbers are right, but stand in reversed order along an axis."),
    ):
        if all(holds(*pair) for pair in pairs):
            return [sentence]
    if not all(expected.shape == got.shape for expected, got in pairs):
        return []
    factors = [_factor(*pair) for pair in pairs]
    if all(factor is not None for factor in factors):
        if len({round(float(factor), 9) for factor in factors if factor is not None}) == 1:
            return [f"Every number is {factors[0]:.6g} times what it should be."]
        return ["In each case all numbers are off by one factor, which differs from case to case: a mean for a sum?"]
    shifts = [_shift(*pair) for pair in pairs]
    if all(shift is not None for shift in shifts):
        same = len({round(float(shift), 9) for shift in shifts if shift is not None}) == 1
        amount = f"{shifts[0]:.6g}" if same else "a constant, another one in each case"
        return [f"Every number is off by {amount}."]
    if all(_only_border(*pair) for pair in pairs):
        return ["Numbers are wrong at the border only; inside they are right."]
    return []


def _about_inputs(wrong: Sequence[Trial], right: Sequence[Trial]) -> list[str]:
    """Return what the cases that pass have in common and the others do not."""
    if not right:
        return []
    for only, sentence in (
        (_is_square, "Right for square inputs only: is a height used for a width somewhere?"),
        (_is_single, "Right for a batch of one only: what happens to the other samples?"),
    ):
        if all(only(trial) for trial in right) and not any(only(trial) for trial in wrong):
            return [sentence]
    return []


def _spatial(trial: Trial) -> list[tuple[int, ...]]:
    arrays = [a for a in trial.case.arguments if isinstance(a, np.ndarray) and a.ndim >= 2]
    return [a.shape[-2:] for a in arrays]


def _is_square(trial: Trial) -> bool:
    shapes = _spatial(trial)
    return bool(shapes) and all(height == width for height, width in shapes)


def _is_single(trial: Trial) -> bool:
    batches = [len(a) for a in trial.case.arguments[:1] if isinstance(a, np.ndarray) and a.ndim == 4]
    return batches == [1]


def _equal(expected: Array, got: Array) -> bool:
    return expected.shape == got.shape and not differs(expected, got).any()


def _is_transposed(expected: Array, got: Array) -> bool:
    axes = itertools.combinations(range(expected.ndim), 2)
    return any(_equal(np.swapaxes(expected, *pair), got) for pair in axes)


def _is_flipped(expected: Array, got: Array) -> bool:
    return any(_equal(np.flip(expected, axis), got) for axis in range(expected.ndim)) or (
        expected.ndim >= 2 and _equal(np.flip(expected, (-2, -1)), got)
    )


def _constant(values: Array, expected: Array, got: Array, again: Callable[[float], Array]) -> float | None:
    """Return the middle of `values` if `again` makes `got` from it everywhere."""
    if values.size < 2 or not np.isfinite(values).all():
        return None
    middle = float(np.median(values))
    return middle if not differs(again(middle).astype(expected.dtype), got).any() else None


def _factor(expected: Array, got: Array) -> float | None:
    safe = np.abs(expected) > 1e-6 * max(1.0, float(np.abs(expected).max()))
    if not safe.any() or not np.any(got):
        return None
    return _constant(got[safe] / expected[safe], expected, got, lambda factor: expected * factor)


def _shift(expected: Array, got: Array) -> float | None:
    return _constant(got - expected, expected, got, lambda shift: expected + shift)


def _only_border(expected: Array, got: Array) -> bool:
    if expected.ndim < 2 or min(expected.shape[-2:]) < 3:
        return False
    wrong = differs(expected, got)
    return bool(wrong.any()) and not bool(wrong[..., 1:-1, 1:-1].any())
