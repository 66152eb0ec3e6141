"""Steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from cnnlab import kernels
from cnnlab.backend import Array, namespace
from cnnlab.nn.parameter import Parameter
from cnnlab.optim.base import Optimizer
from cnnlab.optim.hyperparameter import Hyperparameter, at_least_zero, pair_of_fractions
from cnnlab.optim.together import Together


class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1. Weight decay is added to the
    gradient, as in `torch.optim.Adam` (in `AdamW` it is not).

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

    remembers = ("step", "exp_avg", "exp_avg_sq")

    betas = Hyperparameter(pair_of_fractions)
    eps = Hyperparameter(at_least_zero)

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.betas = betas
        self.eps = eps

    def changed(self, i: int, old: Array, gradient: Array) -> Array:
        """Return parameter `i` after the step, on a GPU by one kernel."""
        own = type(self).change is not Adam.change or "change" in vars(self)  # a subclass's, which is to be asked
        if self.state[i] and not own:
            step, mean, square = (self.state[i][name] for name in self.remembers)
            beta1, beta2 = self.betas
            lr, root = self.lr / (1 - beta1 ** (step + 1)), math.sqrt(1 - beta2 ** (step + 1))
            fast = kernels.adam_step(old, gradient, mean, square, lr=lr, betas=self.betas, root=root, eps=self.eps)
            if fast is not None:
                new, mean, square = fast
                self.state[i] = {"step": step + 1, "exp_avg": mean, "exp_avg_sq": square}
                return new
        return super().changed(i, old, gradient)

    def in_place(self) -> Callable[[], bool] | None:
        """Return a step of all parameters in one launch on a GPU, where there is no weight decay, or None."""
        if self.weight_decay:
            return None
        together = Together(self, ("exp_avg", "exp_avg_sq"))
        if together.arrays is None:
            return None

        def step() -> bool:
            before = {self.state[i].get("step", 0) for i in together.places}
            if len(before) > 1:  # each would need numbers of its own
                return False
            together.take_up()
            number = 1 + before.pop()
            beta1, beta2 = self.betas
            lr, root = self.lr / (1 - beta1**number), math.sqrt(1 - beta2**number)
            together.arrays.adam(lr, self.betas, root, self.eps)
            for i in together.places:
                self.state[i]["step"] = number
            return True

        return step

    def change(self, i: int, gradient: Array) -> Array:
        """Return lr · m̂ / (√v̂ + eps)."""
        beta1, beta2 = self.betas
        if self.state[i]:
            step, mean, square = (self.state[i][name] for name in self.remembers)
            xp = namespace(gradient=gradient, mean=mean)  # names what was left behind by net.to(...)
        else:
            xp = namespace(gradient)
            step, mean, square = 0, xp.zeros_like(gradient), xp.zeros_like(gradient)
        step += 1
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient * gradient
        self.state[i] = {"step": step, "exp_avg": mean, "exp_avg_sq": square}
        # The running means start at 0; this makes up for it.
        root = xp.sqrt(square) / math.sqrt(1 - beta2**step)
        return (self.lr / (1 - beta1**step)) * mean / (root + self.eps)


class AdamW(Adam):
    """Adam with decoupled weight decay: ``w ← (1 - lr · weight_decay) · w``, then the step of Adam.

    Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2, in the form of
    `torch.optim.AdamW`, where the learning rate scales the decay too. Adam scales each gradient by its size; added to
    the gradient, the decay would be scaled away just where gradients are large.

    Parameters
    ----------
    params, lr, betas, eps
        As in `Adam`.
    weight_decay
        Share of w to take away, times the learning rate; 0.01 by default, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> w = Parameter(np.array([10.0]))
    >>> w.grad = np.array([0.0])
    >>> AdamW([w], lr=0.5, weight_decay=0.1).step()  # 10 · (1 - 0.5 · 0.1)
    >>> w.data
    array([9.5])
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)
