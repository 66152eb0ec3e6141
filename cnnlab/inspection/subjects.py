"""What a gradient check can look at, all brought into one form: named values, a loss of them, and its gradients."""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cnnlab.backend import Array, namespace
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module
from cnnlab.nn.parameter import Buffer

Values = list[Array]


class Subject(ABC):
    """A scalar function of some arrays in float64, together with the gradients that are to be checked.

    Attributes
    ----------
    label
        What a report calls it.
    names
        One for each value.
    values
        The point at which to check.
    """

    label: str
    names: list[str]
    values: Values

    @abstractmethod
    def terms(self, values: Values) -> Array:
        """Return an array whose sum is the loss."""

    @abstractmethod
    def gradients(self, values: Values) -> list[Any]:
        """Return what backward gives for each value, called as it is used."""

    @abstractmethod
    def gradients_after(self, values: Values, other: Values) -> list[Any]:
        """Return the same after a call with other values, which must not matter."""

    def loss(self, values: Values) -> float:
        """Return the loss."""
        terms = self.terms(values)
        return float(namespace(terms).sum(terms))


class ModuleSubject(Subject):
    """A layer or a network in training mode, but for frozen parts, on copies: its input and its parameters."""

    def __init__(self, net: Module, x: Array, rng: np.random.Generator) -> None:
        self.label = type(net).__name__
        self._net = copy.deepcopy(net).forget()
        if not self._net.training:  # else its parts stay as they are: some may be frozen
            self._net.train()
        for module in self._net.modules():
            for name, value in vars(module).items():
                if isinstance(value, Buffer) and is_float_array(value.data):
                    value.data = float64(value.data, name)
                elif is_float_array(value):
                    setattr(module, name, float64(value, name))
        self._unused = copy.deepcopy(self._net)  # has seen no input, so nothing can be kept in it
        named = list(self._net.named_parameters())
        self.names = ["x", *(name for name, _ in named)]
        self.values = [float64(x, "x"), *(float64(parameter.data, name) for name, parameter in named)]
        self._dy = upstream(_forward(self._net, self.values), rng, self.label)

    def terms(self, values: Values) -> Array:
        """Return y·dy."""
        self._net.forget()
        return _forward(self._net, values) * self._dy

    def gradients(self, values: Values) -> list[Any]:
        """Return dx and the gradient of each parameter."""
        return self._backward(copy.deepcopy(self._unused), values)

    def gradients_after(self, values: Values, other: Values) -> list[Any]:
        """Return them from a net that went forward and backward with other values before."""
        net = copy.deepcopy(self._unused)
        self._backward(net, other)
        return self._backward(net, values)

    def _backward(self, net: Module, values: Values) -> list[Any]:
        net.zero_grad()
        _forward(net, values)
        dx = net.backward(self._dy)
        return [dx, *(parameter.grad for parameter in net.parameters())]


def _forward(net: Module, values: Values) -> Array:
    """Run a net with these values; leave its generators (of a dropout) as they were, so that every run is alike."""
    for parameter, value in zip(net.parameters(), values[1:], strict=True):
        parameter.data = value
    generators = [
        value for module in net.modules() for value in vars(module).values() if isinstance(value, np.random.Generator)
    ]
    states = [generator.bit_generator.state for generator in generators]
    y = net(values[0])
    for generator, state in zip(generators, states, strict=True):
        generator.bit_generator.state = state
    return y


class PairSubject(Subject):
    """A function and its backward function: each floating input for which backward returns a gradient."""

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        inputs: Sequence[Any],
        options: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> None:
        self.label = str(getattr(forward, "__name__", "forward"))
        self._forward, self._backward, self._options = forward, backward, dict(options)
        self._inputs = list(inputs)
        names = _positional(forward) or []
        self._input_names = [names[i] if i < len(names) else f"input {i + 1}" for i in range(len(inputs))]
        # A left-out input keeps its place among the gradients.
        self._slots = [i for i, value in enumerate(inputs) if value is None or is_float_array(value)]
        places = [i for i in self._slots if inputs[i] is not None]
        self.names = [self._input_names[i] for i in places]
        self.values = [float64(inputs[i], self._input_names[i]) for i in places]
        self._places = places
        y = self._call(self.values)
        self._takes_dy = "dy" in self._backward_names()
        self._dy = upstream(y, rng, self.label) if self._takes_dy else namespace(y).ones_like(y)

    def terms(self, values: Values) -> Array:
        """Return y·dy; for a function whose backward takes no dy, y itself."""
        return self._call(values) * self._dy

    def gradients(self, values: Values) -> list[Any]:
        """Return what backward gives right after forward."""
        return self._run_backward(values, self._call(values))

    def gradients_after(self, values: Values, other: Values) -> list[Any]:
        """Return what backward gives when both functions worked on other values in between."""
        y = self._call(values)
        self._run_backward(other, self._call(other))
        return self._run_backward(values, y)

    def _call(self, values: Values) -> Array:
        return self._forward(*self._with(values), **self._options)

    def _with(self, values: Values) -> list[Any]:
        inputs = list(self._inputs)
        for place, value in zip(self._places, values, strict=True):
            inputs[place] = value
        return inputs

    def _backward_names(self) -> list[str]:
        """Return the names of what backward takes, where all of them are known; else dy and all inputs."""
        names = _positional(self._backward)
        known = {"dy", "y", *self._input_names}
        return names if names and set(names) <= known else ["dy", *self._input_names]

    def _run_backward(self, values: Values, y: Array) -> list[Any]:
        known = {**dict(zip(self._input_names, self._with(values), strict=True)), "dy": self._dy, "y": y}
        result = self._backward(*(known[name] for name in self._backward_names()), **self._options)
        given = list(result) if isinstance(result, (tuple, list)) else [result]
        by_slot = dict(zip(self._slots, given, strict=False))
        return [by_slot.get(place, NOTHING) for place in self._places]


class LossSubject(Subject):
    """A loss of `cnnlab.nn` and its gradient to the prediction."""

    def __init__(self, loss: Loss, prediction: Array, target: Array) -> None:
        self.label = type(loss).__name__
        self._loss, self._target = copy.copy(loss), target
        if is_float_array(target):
            self._target = float64(target, "target")
        self.names, self.values = ["prediction"], [float64(prediction, "prediction")]

    def terms(self, values: Values) -> Array:
        """Return the loss itself."""
        return self._loss.forward(values[0], self._target)

    def gradients(self, values: Values) -> list[Any]:
        """Return the gradient to the prediction."""
        self._loss(values[0], self._target)
        return [self._loss.backward()]

    def gradients_after(self, values: Values, other: Values) -> list[Any]:
        """Return it after a loss of another prediction."""
        self.gradients(other)
        return self.gradients(values)


class _Nothing:
    """Stands for a gradient that backward does not return at all."""


NOTHING = _Nothing()


def is_float_array(value: Any) -> bool:
    """Tell whether `value` is an array of real floating-point numbers."""
    try:
        xp = namespace(value)
    except TypeError:
        return False
    return bool(xp.isdtype(value.dtype, "real floating"))


def float64(x: Array, name: str) -> Array:
    """Return x in float64, where it lies."""
    if not is_float_array(x):
        what = getattr(x, "dtype", type(x).__name__)
        raise TypeError(f"{name} is {what}: a gradient needs a floating-point array")
    xp = namespace(x)
    try:
        return xp.astype(x, xp.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} lies on a device without float64, which a gradient check needs: move it to the CPU"
        ) from error


def upstream(y: Array, rng: np.random.Generator, label: str) -> Array:
    """Draw a gradient for the output y, with which the loss is Σ y·dy."""
    xp = namespace(y)
    if y.dtype != xp.float64:
        raise TypeError(
            f"{label} returned {y.dtype} for inputs in float64: make new arrays with the dtype of the input, or the "
            "differences that a gradient check takes drown in rounding"
        )
    if y.size == 0:
        raise ValueError(
            f"{label} returned shape {tuple(y.shape)}, which shows nothing: check it with an example or more"
        )
    return xp.asarray(np.asarray(rng.standard_normal(tuple(y.shape))), device=y.device)


def _positional(function: Callable[..., Any]) -> list[str] | None:
    """Return the names of the positional parameters, or None where they cannot be told."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
