"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cnnlab import kernels
from cnnlab.backend import Array, namespace
from cnnlab.nn.parameter import Parameter
from cnnlab.optim.base import Optimizer
from cnnlab.optim.hyperparameter import Hyperparameter, fraction, number, yes_or_no
from cnnlab.optim.together import Together


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    ``v ← momentum · v + (1 - dampening) · g``, started with ``v = g``, then ``w ← w - lr · v``: the form of
    `torch.optim.SGD`, in which the learning rate is outside of v (Sutskever et al. 2013, "On the importance of
    initialization and momentum in deep learning", have it inside). With Nesterov's momentum the step is
    ``w ← w - lr · (g + momentum · v)``: the gradient counts as if it had been taken where v leads.

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
    dampening
        Takes this share off each gradient but the first on its way into v.
    nesterov
        Whether to use Nesterov's momentum.

    Raises
    ------
    ValueError
        If a number is out of its range, or `nesterov` comes without momentum or with dampening.

    Examples
    --------
    >>> import numpy as np
    >>> w = Parameter(np.array([1.0]))
    >>> w.grad = np.array([2.0])
    >>> SGD([w], lr=0.25).step()
    >>> w.data
    array([0.5])
    """

    remembers = ("momentum_buffer",)

    momentum = Hyperparameter(fraction)
    dampening = Hyperparameter(number)
    nesterov = Hyperparameter(yes_or_no)

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        *,
        dampening: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = nesterov
        if self.nesterov and (not self.momentum or self.dampening):
            raise ValueError(
                f"nesterov needs momentum (={momentum}) above 0 and dampening (={dampening}) 0: "
                "give a momentum such as 0.9 and no dampening, or leave nesterov out"
            )

    def changed(self, i: int, old: Array, gradient: Array) -> Array:
        """Return parameter `i` after the step, where it is momentum alone by a kernel."""
        state, options = self.state[i], vars(self)  # an attribute that is a `Hyperparameter` takes longer
        own = type(self).change is not SGD.change or "change" in options  # a subclass's, which is to be asked
        if state and not own and not options["dampening"] and not options["nesterov"]:
            before = state["momentum_buffer"]
            fast = kernels.momentum_step(old, gradient, before, lr=options["lr"], momentum=options["momentum"])
            if fast is not None:
                new, state["momentum_buffer"] = fast
                return new
        return super().changed(i, old, gradient)

    def in_place(self) -> Callable[[], bool] | None:
        """Return a step of all parameters in one launch on a GPU, where it is momentum alone, or None."""
        if not self.momentum or self.dampening or self.nesterov or self.weight_decay:
            return None
        together = Together(self, ("momentum_buffer",))
        if together.arrays is None:
            return None

        def step() -> bool:
            together.take_up()
            together.arrays.momentum(self.lr, self.momentum)
            return True

        return step

    def change(self, i: int, gradient: Array) -> Array:
        """Return lr · v, or with Nesterov's momentum lr · (g + momentum · v)."""
        if not self.momentum:
            return self.lr * gradient
        velocity = gradient
        if self.state[i]:
            before = self.state[i]["momentum_buffer"]
            namespace(gradient=gradient, velocity=before)  # names what was left behind by net.to(...)
            damped = (1 - self.dampening) * gradient if self.dampening else gradient
            velocity = self.momentum * before + damped
        self.state[i] = {"momentum_buffer": velocity}
        return self.lr * (gradient + self.momentum * velocity if self.nesterov else velocity)
