"""Gradients of a backward pass next to slopes of the forward pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Any

import numpy as np

from cnnlab.backend import Array, namespace, to_numpy
from cnnlab.inspection.findings import GradientCheck, GradientFinding
from cnnlab.inspection.slopes import STEP, measure, smaller
from cnnlab.inspection.subjects import NOTHING, Subject, Values

_REDRAWS = 6  # directions tried near a kink before the point is moved
_POINTS = 5
_NUDGE = 1e-2
_ENTRIES = 400  # a wrong gradient of at most so many entries is searched for the worst one


@dataclass
class _Comparison:
    """Slopes of one gradient by backward and as measured."""

    given: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    noise: float = 0.0

    def scale(self) -> float:
        return max(map(abs, (*self.given, *self.measured)), default=0.0)

    def error(self) -> float:
        pairs = zip(self.given, self.measured, strict=True)
        return max((abs(a - b) for a, b in pairs), default=0.0)

    def right(self, tolerance: float) -> bool:
        return self.error() <= tolerance * self.scale() + self.noise

    def ratio(self) -> str:
        """Tell by how much all slopes are off alike, if they are."""
        ratios = [a / b for a, b in zip(self.given, self.measured, strict=True) if b]
        if not ratios or max(ratios) - min(ratios) > 1e-4 * max(map(abs, ratios)):
            return ""
        return "it is 0; " if ratios[0] == 0 else f"it is {ratios[0]:.4g} times the right one; "


def compare(subject: Subject, directions: int, tolerance: float, rng: np.random.Generator) -> GradientCheck:
    """Check every gradient of a subject; on a kink move its point a little and begin again."""
    redraws = 0
    for _ in range(_POINTS):
        other = [_moved(value, _normal(value, rng), _size(value)) for value in subject.values]
        after = subject.gradients_after(subject.values, other)
        gradients = subject.gradients(subject.values)
        findings, on_kink = [], False
        for i in range(len(subject.names)):
            if gradients[i] is NOTHING:
                continue
            finding, drawn_anew, kinked = _find(subject, i, gradients[i], after[i], directions, tolerance, rng)
            redraws += drawn_anew
            on_kink = on_kink or kinked
            findings.append(finding)
        unchecked = tuple(n for n, g in zip(subject.names, gradients, strict=True) if g is NOTHING)
        result = GradientCheck(subject.label, tuple(findings), unchecked, redraws)
        if not on_kink:
            break
        subject.values = [_moved(value, _normal(value, rng), _NUDGE * _size(value)) for value in subject.values]
    return result


def _find(  # noqa: PLR0917
    subject: Subject,
    i: int,
    gradient: Any,
    after: Any,
    directions: int,
    tolerance: float,
    rng: np.random.Generator,
) -> tuple[GradientFinding, int, bool]:
    """Check one gradient; return the finding, the number of redraws, and whether the point lies on a kink."""
    name, value = subject.names[i], subject.values[i]
    missing = gradient is None  # which is right where the loss does not depend on the value
    if missing:
        gradient = after = namespace(value).zeros_like(value)
    fault = _not_like(gradient, value)
    if fault:
        return GradientFinding(name, False, float("nan"), fault), 0, False
    compared, redraws, step = _Comparison(), 0, STEP * _size(value)
    host = to_numpy(gradient)
    while len(compared.given) < directions:
        v = _normal(value, rng)
        slope = _slope(subject, i, v, step, tolerance)
        if slope is None:
            redraws += 1
            step = smaller(step)
            if redraws == _REDRAWS:
                message = "undecided: at every point tried, forward has a kink or a jump (or rounds more than float64)"
                return GradientFinding(name, False, float("nan"), message), redraws, True
            continue
        compared.given.append(float(np.sum(host * v)))
        compared.measured.append(slope[0])
        compared.noise = max(compared.noise, slope[1])
    error = compared.error() / compared.scale() if compared.scale() else 0.0
    if compared.right(tolerance):
        kept = _kept_fault(host, after, value, tolerance)
        return GradientFinding(name, not kept, error, kept), redraws, False
    if missing:
        return GradientFinding(name, False, error, "backward gave no gradient for it (None)"), redraws, False
    message = compared.ratio() + _worst_entry(subject, i, host, tolerance)
    return GradientFinding(name, False, error, message.removesuffix("; ")), redraws, False


def _slope(subject: Subject, i: int, v: Any, step: float, tolerance: float) -> tuple[float, float] | None:
    """Return the slope of the loss along v in value i and its noise, or None near a kink."""
    values: Values = list(subject.values)

    def loss(t: float) -> float:
        values[i] = _moved(subject.values[i], v, t)
        return subject.loss(values)

    terms = subject.terms(subject.values)
    size = float(namespace(terms).sum(abs(terms)))
    slope = measure(loss, step, size=size, tolerance=tolerance)
    return None if slope.kink else (slope.value, slope.noise)


def _worst_entry(subject: Subject, i: int, gradient: Any, tolerance: float) -> str:
    """Say which entry of a wrong gradient is off the most, where there are few enough to look at each."""
    name, value = subject.names[i], subject.values[i]
    if gradient.size > _ENTRIES:
        return ""
    measured = np.zeros(gradient.shape)
    noise = 0.0
    for place in np.ndindex(gradient.shape):
        v = np.zeros(gradient.shape)
        v[place] = 1.0
        slope = _slope(subject, i, v, STEP * _size(value), tolerance)
        measured[place], noise = (gradient[place], noise) if slope is None else (slope[0], max(noise, slope[1]))
    off = np.abs(gradient - measured)
    wrong = int(np.count_nonzero(off > tolerance * np.abs(measured).max() + noise))
    if not wrong:
        return ""
    worst = tuple(int(j) for j in np.unravel_index(int(off.argmax()), off.shape))
    entry = f"{name}[{', '.join(map(str, worst))}]" if worst else name
    values = f"{gradient[worst]:.4g} in place of {measured[worst]:.4g}"
    if gradient.size == 1:
        return f"its only entry is wrong: {values}"
    return f"{wrong} of {gradient.size} entries {'is' if wrong == 1 else 'are'} wrong, most at {entry}: {values}"


def _not_like(gradient: Any, value: Array) -> str:
    """Say what is wrong with a gradient that does not even look like its value."""
    shape = getattr(gradient, "shape", None)
    if shape is None:
        return f"backward gave a {type(gradient).__name__} for it, not an array"
    if tuple(shape) != tuple(value.shape):
        return f"its gradient has shape {tuple(shape)}, not {tuple(value.shape)}: is a sum over the batch missing?"
    return ""


def _kept_fault(gradient: Any, after: Any, value: Array, tolerance: float) -> str:
    """Say so if a right gradient came out otherwise after a call with other values."""
    if not _not_like(after, value):
        off = float(np.abs(to_numpy(after) - gradient).max(initial=0.0))
        if off <= tolerance * float(np.abs(gradient).max(initial=0.0)):
            return ""
    return "right in a first call, but wrong after a call with other values: backward uses something kept from there"


def _normal(value: Array, rng: np.random.Generator) -> Any:
    return rng.standard_normal(tuple(value.shape))


def _moved(value: Array, v: Any, t: float) -> Array:
    return value + namespace(value).asarray(np.asarray(t * v), device=value.device)


def _size(value: Array) -> float:
    """Return the root mean square of the entries, at least 1."""
    count = prod(value.shape)
    return max(1.0, sqrt(float(np.sum(to_numpy(value) ** 2)) / count)) if count else 1.0
