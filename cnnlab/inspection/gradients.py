"""Is a backward pass right? Its gradients against differences of the forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cnnlab.backend import Array
from cnnlab.geometry.options import per_axis, whole_number
from cnnlab.inspection.comparison import compare
from cnnlab.inspection.findings import GradientCheck, GradientCheckError
from cnnlab.inspection.subjects import (
    LossSubject,
    ModuleSubject,
    PairSubject,
    Subject,
)
from cnnlab.nn.conv_op import ConvOp
from cnnlab.nn.init import generator
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module


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

    Nothing that is given is changed: a module is copied, and checked in training mode, but for frozen parts of it.

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
    result = compare(checked, directions, tolerance, rng)
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
