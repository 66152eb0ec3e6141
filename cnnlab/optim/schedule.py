"""Schedules: the learning rate as a function of the epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cnnlab.geometry.options import whole_number
from cnnlab.optim.base import Optimizer
from cnnlab.optim.hyperparameter import Hyperparameter, at_least_zero


class Schedule:
    """What the schedules share: `step` moves on by one epoch and sets the optimizer's learning rate.

    The rate is computed from the epoch's number alone (PyTorch's "closed form"), so a rate that is assigned to the
    optimizer in between lasts until the next `step`.

    Parameters
    ----------
    optimizer
        Its learning rate at this moment is the one that the schedule starts from.

    Attributes
    ----------
    base_lr : float
        The learning rate that the schedule starts from.
    last_epoch : int
        Number of `step` calls so far.

    Raises
    ------
    TypeError
        If `optimizer` is something else.
    """

    base_lr = Hyperparameter(at_least_zero)

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer is a {type(optimizer).__name__}: pass an optimizer such as optim.SGD(...)")
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.last_epoch = 0

    def rate(self, epoch: int) -> float:
        """Return the learning rate after `epoch` epochs; `rate(0)` is the one of the first epoch."""
        raise NotImplementedError(f"{type(self).__name__} has no rate")

    def step(self) -> None:
        """Move on by one epoch: call it after each."""
        self.last_epoch += 1
        self.optimizer.lr = self.rate(self.last_epoch)

    @property
    def options(self) -> dict[str, Any]:
        """Where the schedule starts, and its other options, by name."""
        return {name: value for name, value in vars(self).items() if name not in ("optimizer", "last_epoch")}

    def state_dict(self) -> dict[str, Any]:
        """Return what another schedule needs to go on from here, as plain numbers."""
        return {"schedule": type(self).__name__, "last_epoch": self.last_epoch, "options": self.options}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a schedule of the same kind and the same options was; set the optimizer's learning rate.

        Parameters
        ----------
        state
            What `state_dict` returned.

        Raises
        ------
        ValueError
            If it is the state of another kind of schedule, or of other options. Then nothing is changed.
        """
        name = type(self).__name__
        missing = [key for key in ("schedule", "last_epoch", "options") if key not in state]
        if missing:
            raise ValueError(f"this is no state of a schedule, {missing[0]!r} is missing: pass what state_dict gave")
        if (state["schedule"], state["options"]) != (name, self.options):
            raise ValueError(
                f"this is a state of {state['schedule']} with {state['options']}, not of {name} with {self.options}: "
                "make the schedule it came from"
            )
        self.last_epoch = whole_number("last_epoch", state["last_epoch"], at_least=0)
        self.optimizer.lr = self.rate(self.last_epoch)

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{type(self).__name__}({options}, last_epoch={self.last_epoch})"


class StepLR(Schedule):
    """Multiply the learning rate by `gamma` after every `step_size` epochs.

    ``base_lr · gamma ** ⌊epoch / step_size⌋``, as `torch.optim.lr_scheduler.StepLR`.

    Parameters
    ----------
    optimizer
        As in `Schedule`.
    step_size
        Number of epochs with the same rate.
    gamma
        Factor, 0 or more.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlab import nn, optim
    >>> schedule = StepLR(optim.SGD([nn.Parameter(np.zeros(1))], lr=0.5), step_size=2, gamma=0.5)
    >>> [schedule.rate(epoch) for epoch in range(5)]
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    gamma = Hyperparameter(at_least_zero)

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        super().__init__(optimizer)
        self.step_size = whole_number("step_size", step_size, at_least=1)
        self.gamma = gamma

    def rate(self, epoch: int) -> float:
        """Return base_lr · gamma ** ⌊epoch / step_size⌋."""
        return self.base_lr * self.gamma ** (epoch // self.step_size)


class CosineAnnealingLR(Schedule):
    """Lower the learning rate along half a cosine, from where it is to `eta_min` after `T_max` epochs.

    ``eta_min + (base_lr - eta_min) · (1 + cos(π · epoch / T_max)) / 2``: Loshchilov and Hutter 2017, "SGDR: stochastic
    gradient descent with warm restarts", equation 5, without restarts, as `torch.optim.lr_scheduler.CosineAnnealingLR`.
    After `T_max` the rate rises again along the same cosine.

    Parameters
    ----------
    optimizer
        As in `Schedule`.
    T_max
        Number of epochs from the highest rate to the lowest.
    eta_min
        The lowest rate, 0 or more.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlab import nn, optim
    >>> schedule = CosineAnnealingLR(optim.SGD([nn.Parameter(np.zeros(1))], lr=0.5), T_max=4)
    >>> [round(schedule.rate(epoch), 3) for epoch in range(5)]
    [0.5, 0.427, 0.25, 0.073, 0.0]
    """

    eta_min = Hyperparameter(at_least_zero)

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        super().__init__(optimizer)
        self.T_max = whole_number("T_max", T_max, at_least=1)
        self.eta_min = eta_min

    def rate(self, epoch: int) -> float:
        """Return the rate on the cosine."""
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + math.cos(math.pi * epoch / self.T_max)) / 2
