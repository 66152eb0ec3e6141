"""Is a backward pass right? Its gradients against differences of the forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Any

import numpy as np

from cnnlab.backend import Array, namespace, to_numpy
from cnnlab.geometry.options import per_axis, whole_number
from cnnlab.inspection.findings import GradientCheck, GradientCheckError, GradientFinding
from cnnlab.inspection.slopes import STEP, measure, smaller
from cnnlab.inspection.subjects import (
    NOTHING,
    LossSubject,
    ModuleSubject,
    PairSubject,
    Subject,
    Values,
)
from cnnlab.nn.conv_op import ConvOp
from cnnlab.nn.init import generator
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module

_REDRAWS = 6  # directions tried near a kink before the point is moved
_POINTS = 5
_NUDGE = 1e-2
_ENTRIES = 400  # a wrong gradient of at most so many entries is searched for the worst one


def gradient_check(
    subject: Module | Loss | ConvOp | tuple[Callable[..., Any], Callable[..., Any]],
    *inputs: Any,
    options: Mapping[str, Any] | None = None,
    directions: int = 4,
    tolerance: float = 1e-7,
    rng: np.random.Generator | None = None,
    strict: bool = False,
) -> GradientCheck:
    """Compare the gradients of a backward pass with slopes of the forward pass along random directions, in float64.

    With a random upstream gradient dy the loss is L = Σ y·dy, and along a direction v each right gradient g fulfills
    ⟨g, v⟩ = (L(p + h·v) − L(p − h·v)) / 2h: one number tests all entries of g at once. Where the loss has a kink within
    the step (a ReLU at 0, a tie in a pool), the direction is drawn anew with a smaller step, and if that does not help
    the point is moved a little. The backward pass is run twice, the second time after a call with other values, so that
    a value kept from an earlier call is found out.

    Nothing that is given is changed: a module is copied, and checked in training mode.

    Parameters
    ----------
    subject
        One of

        * a `Module`, with its input x: checks x and every parameter;
        * a `Loss`, with prediction and target: checks the prediction;
        * a `ConvOp`, with x, w and b (or None), and ``options`` stride and padding;
        * a pair ``(forward, backward)``, with the inputs of forward. Both also get the `options`. Backward gets the
          arguments that it names: ``dy``, ``y`` for the output, and inputs by the name they have in forward; one that
          has other names gets dy and all inputs. It returns gradients in the order of the floating-point inputs.
    *inputs
        Arrays; floating-point ones are converted to float64.
    options
        Keyword arguments of both functions of a pair.
    directions
        Random directions for each input and parameter.
    tolerance
        Largest relative error of a gradient that counts as right.
    rng
        Draws dy and the directions, on the host; by default the same ones in every call.
    strict
        Whether to raise when a gradient is wrong. By default the result tells, and prints as a report.

    Returns
    -------
    GradientCheck
        True in an `if` where all gradients are right.

    Raises
    ------
    GradientCheckError
        With `strict`, if a gradient is wrong.
    TypeError, ValueError
        If the subject or the inputs cannot be checked: forward is not deterministic, or does not compute in float64.

    Examples
    --------
    >>> x = np.array([0.5, -0.3, 2.0])
    >>> gradient_check((lambda x: x**2, lambda dy, x: dy * x), x)
    gradient check of <lambda>: 1 of 1 gradients wrong
      x  WRONG  relative error 5.0e-01
         it is 0.5 times the right one; 3 of 3 entries are wrong, most at x[2]: 1.281 in place of 2.562
    """
    directions = whole_number("directions", directions, at_least=1)
    rng = np.random.default_rng(0) if rng is None else generator(rng)
    checked = _subject(subject, inputs, options or {}, rng)
    _refuse_chance(checked)
    result = _check(checked, directions, tolerance, rng)
    if strict and not result.ok:
        raise GradientCheckError(result)
    return result


def _subject(subject: Any, inputs: tuple[Any, ...], options: Mapping[str, Any], rng: np.random.Generator) -> Subject:
    if isinstance(subject, Module):
        (x,) = _expect(inputs, 1, "a Module takes its input x", options)
        return ModuleSubject(subject, x, rng)
    if isinstance(subject, Loss):
        return LossSubject(subject, *_expect(inputs, 2, "a Loss takes prediction and target", options))
    if isinstance(subject, ConvOp):
        x, w, b = (*inputs, None) if len(inputs) == 2 else _expect(inputs, 3, "a ConvOp takes x, w and b", {})
        rank = x.ndim - 2
        sizes = {
            "stride": per_axis("stride", options.get("stride", 1), rank, at_least=1),
            "padding": per_axis("padding", options.get("padding", 0), rank, at_least=0),
        }
        return PairSubject(*_conv_op_functions(subject, **sizes), (x, w, b), {}, rng)
    if isinstance(subject, tuple) and len(subject) == 2 and all(map(callable, subject)):
        return PairSubject(*subject, inputs, options, rng)
    raise TypeError(
        f"gradient_check takes a Module, a Loss, a ConvOp or a pair (forward, backward), not {subject!r}: "
        "call it as in gradient_check(net, x) or gradient_check((forward, backward), x, w)"
    )


def _expect(inputs: tuple[Any, ...], count: int, what: str, options: Mapping[str, Any]) -> tuple[Any, ...]:
    if len(inputs) != count:
        raise TypeError(f"{what}, but {len(inputs)} inputs were given")
    if options:
        raise TypeError(f"{what} and no options, but options are {dict(options)}: they are for pairs of functions")
    return inputs


def _conv_op_functions(
    op: ConvOp, stride: tuple[int, ...], padding: tuple[int, ...]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def conv(x: Array, w: Array, b: Array | None) -> Array:
        return op.forward(x, w, b, stride, padding)

    def backward(dy: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
        return op.backward(dy, x, w, stride, padding)

    conv.__name__ = f"ConvOp{op}"
    return conv, backward


def _refuse_chance(subject: Subject) -> None:
    first, second = subject.loss(subject.values), subject.loss(subject.values)
    if not np.isfinite(first):
        raise ValueError(f"the forward of {subject.label} gave {first}: choose finite inputs for which it is finite")
    if first != second:
        raise ValueError(
            f"the forward of {subject.label} gave two losses for the same input, {first} and {second}: a gradient "
            "check needs the same numbers each time, so keep the generator as an attribute of the module or leave "
            "chance out"
        )


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


def _check(subject: Subject, directions: int, tolerance: float, rng: np.random.Generator) -> GradientCheck:
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
    return (
        f"{wrong} of {gradient.size} entries are wrong, most at {entry}: "
        f"{gradient[worst]:.4g} in place of {measured[worst]:.4g}"
    )


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
