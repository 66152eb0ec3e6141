"""Optimizers: from gradients to the next parameter values."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cnnlab.backend import Array, namespace
from cnnlab.nn.parameter import Parameter


class Optimizer:
    """What the optimizers share: their parameters, `zero_grad` and the loop of `step`.

    Parameters
    ----------
    params
        The parameters to change, as from `net.parameters()`.
    lr
        Learning rate, 0 or more. It may be assigned between steps.
    weight_decay
        Adds ``weight_decay · w`` to the gradient of w, 0 or more.

    Raises
    ------
    TypeError
        If `params` holds something that is no `Parameter`.
    ValueError
        If there is no parameter, one comes twice, or a number is out of its range.
    """

    def __init__(self, params: Iterable[Parameter], lr: float, weight_decay: float) -> None:
        if not isinstance(params, Iterable):
            raise TypeError(f"params is a {type(params).__name__}: pass a list, such as net.parameters()")
        self.params = list(params)
        for i, parameter in enumerate(self.params):
            if not isinstance(parameter, Parameter):
                raise TypeError(f"params[{i}] is a {type(parameter).__name__}, not a Parameter: pass net.parameters()")
        if not self.params:
            raise ValueError("there is no parameter to optimize: pass net.parameters() of a net that has some")
        if len({id(parameter) for parameter in self.params}) < len(self.params):
            raise ValueError("a parameter comes twice in params and would be changed twice a step: pass it once")
        self.lr = at_least_zero("lr", lr)
        self.weight_decay = at_least_zero("weight_decay", weight_decay)

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to None."""
        for parameter in self.params:
            parameter.grad = None

    def step(self) -> None:
        """Change each parameter that has a gradient; one without stays as it is.

        Raises
        ------
        ValueError
            If a gradient has not the shape of its parameter.
        """
        for i, parameter in enumerate(self.params):
            if parameter.grad is None:
                continue
            if tuple(parameter.grad.shape) != parameter.shape:
                raise ValueError(
                    f"parameter {i} has shape {parameter.shape} but its gradient {tuple(parameter.grad.shape)}: "
                    "call zero_grad() and go backward again"
                )
            xp = namespace(parameter=parameter.data, gradient=parameter.grad)
            gradient = xp.astype(parameter.grad, parameter.data.dtype)
            if self.weight_decay:
                gradient = gradient + self.weight_decay * parameter.data
            # A new array, not a change in place: whoever holds the old values keeps them.
            parameter.data = parameter.data - self.change(i, gradient)

    def change(self, i: int, gradient: Array) -> Array:
        """Return what to subtract from parameter `i`, given its gradient with weight decay."""
        raise NotImplementedError(f"{type(self).__name__} has no change")


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    ``v ← momentum · v + g``, started with ``v = g``, then ``w ← w - lr · v``: the form of `torch.optim.SGD`, in which
    the learning rate is outside of v (Sutskever et al. 2013, "On the importance of initialization and momentum", have
    it inside).

    Parameters
    ----------
    params
        The parameters, as from `net.parameters()`.
    lr
        Learning rate.
    momentum
        From 0, without it, to below 1.
    weight_decay
        As in `Optimizer`.

    Examples
    --------
    >>> import numpy as np
    >>> w = Parameter(np.array([1.0]))
    >>> w.grad = np.array([2.0])
    >>> SGD([w], lr=0.25).step()
    >>> w.data
    array([0.5])
    """

    def __init__(
        self, params: Iterable[Parameter], lr: float, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.momentum = fraction("momentum", momentum)
        self._velocity: dict[int, Array] = {}

    def change(self, i: int, gradient: Array) -> Array:
        """Return lr · v."""
        if not self.momentum:
            return self.lr * gradient
        if i in self._velocity:
            namespace(gradient=gradient, velocity=self._velocity[i])  # names what was left behind by net.to(...)
            gradient = self.momentum * self._velocity[i] + gradient
        self._velocity[i] = gradient
        return self.lr * gradient


class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1. Weight decay is added to the
    gradient, as in `torch.optim.Adam` (in AdamW it is not).

    Parameters
    ----------
    params
        The parameters, as from `net.parameters()`.
    lr
        Learning rate: about the largest change of a value in one step.
    betas
        Decay of the two running means, each from 0 to below 1.
    eps
        Added to the square root in the denominator.
    weight_decay
        As in `Optimizer`.

    Examples
    --------
    >>> import numpy as np
    >>> w = Parameter(np.array([1.0, 1.0]))
    >>> w.grad = np.array([1e-3, -1e3])
    >>> Adam([w], lr=0.25).step()  # the first step is lr, whatever the gradient's size
    >>> w.data.round(3)
    array([0.75, 1.25])
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.betas = fraction("betas[0]", betas[0]), fraction("betas[1]", betas[1])
        self.eps = at_least_zero("eps", eps)
        self._state: dict[int, tuple[int, Array, Array]] = {}

    def change(self, i: int, gradient: Array) -> Array:
        """Return lr · m̂ / (√v̂ + eps)."""
        beta1, beta2 = self.betas
        if i in self._state:
            step, mean, square = self._state[i]
            xp = namespace(gradient=gradient, mean=mean)  # names what was left behind by net.to(...)
        else:
            xp = namespace(gradient)
            step, mean, square = 0, xp.zeros_like(gradient), xp.zeros_like(gradient)
        step += 1
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient * gradient
        self._state[i] = step, mean, square
        # The running means start at 0; this makes up for it.
        root = xp.sqrt(square) / math.sqrt(1 - beta2**step)
        return (self.lr / (1 - beta1**step)) * mean / (root + self.eps)


def at_least_zero(name: str, value: float) -> float:
    """Return `value`, or raise ValueError naming it if it is negative or not finite."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} (={value}) must be a finite number of 0 or more")
    return value


def fraction(name: str, value: float) -> float:
    """Return `value`, or raise ValueError naming it if it is not in [0, 1)."""
    if not 0 <= value < 1:
        raise ValueError(f"{name} (={value}) must be from 0 to below 1")
    return value
