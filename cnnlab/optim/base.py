"""What the optimizers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from cnnlab import backend
from cnnlab.backend import Array, namespace
from cnnlab.nn.parameter import Parameter
from cnnlab.optim.hyperparameter import Hyperparameter, at_least_zero


class Optimizer:
    """What the optimizers share: their parameters, options and memory, `zero_grad` and the loop of `step`.

    A subclass writes `change`, declares its options as `Hyperparameter` and names in `remembers` what it keeps for a
    parameter from step to step in ``self.state[i]``.

    Parameters
    ----------
    params
        The parameters to change, as from `net.parameters()`.
    lr
        Learning rate, 0 or more. It may be assigned between steps.
    weight_decay
        0 or more: adds ``weight_decay · w`` to the gradient of w (in `AdamW` it makes w smaller by itself).

    Attributes
    ----------
    params : list of Parameter
        The parameters.
    state : list of dict
        What is remembered for each parameter; empty until its first step.

    Raises
    ------
    TypeError
        If `params` holds something that is no `Parameter`, or an option is no number.
    ValueError
        If there is no parameter, one comes twice, or a number is out of its range.
    """

    remembers: ClassVar[tuple[str, ...]] = ()
    decoupled: ClassVar[bool] = False  # whether weight decay stays out of the gradient

    lr = Hyperparameter(at_least_zero)
    weight_decay = Hyperparameter(at_least_zero)

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
        self.lr = lr
        self.weight_decay = weight_decay
        self.state: list[dict[str, Any]] = [{} for _ in self.params]

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
        decay = self.weight_decay
        for i, parameter in enumerate(self.params):
            old, gradient = parameter.data, parameter.grad
            if gradient is None:
                continue
            if tuple(gradient.shape) != tuple(old.shape):
                raise ValueError(
                    f"parameter {i} has shape {tuple(old.shape)} but its gradient {tuple(gradient.shape)}: "
                    "call zero_grad() and go backward again"
                )
            xp = namespace(parameter=old, gradient=gradient)
            if gradient.dtype != old.dtype:
                gradient = xp.astype(gradient, old.dtype)
            if decay and self.decoupled:
                old = (1 - self.lr * decay) * old
            elif decay:
                gradient = gradient + decay * old
            # A new array, not a change in place: whoever holds the old values keeps them.
            parameter.data = self.changed(i, old, gradient)

    def changed(self, i: int, old: Array, gradient: Array) -> Array:
        """Return parameter `i` after the step."""
        return old - self.change(i, gradient)

    def in_place(self) -> Callable[[], bool] | None:
        """Return a function that takes a step by changing the very arrays of parameters and memory, or None.

        For a step that is recorded on a GPU, where arrays must stay where they are (`cnnlab.train.RecordedStep`). The
        gradients are read from the arrays that the parameters have now; all options but `lr` stay as they are. The
        function returns whether it took the step; where it did not, it has changed nothing.
        """
        return None

    def change(self, i: int, gradient: Array) -> Array:
        """Return what to subtract from parameter `i`, given its gradient."""
        raise NotImplementedError(f"{type(self).__name__} has no change")

    # Writing down and going on -------------------------------------------------------------------------------------

    @property
    def options(self) -> dict[str, Any]:
        """The hyperparameters by name."""
        kinds = reversed(type(self).__mro__)
        names = [name for kind in kinds for name, value in vars(kind).items() if isinstance(value, Hyperparameter)]
        return {name: getattr(self, name) for name in names}

    def state_dict(self) -> dict[str, Any]:
        """Return what another optimizer needs to go on from here, as plain numbers and NumPy arrays (copies).

        Returns
        -------
        dict
            "optimizer": its name; "options": the hyperparameters; "state": a list with what is remembered for each
            parameter, under PyTorch's names (``momentum_buffer``; ``step``, ``exp_avg``, ``exp_avg_sq``).
        """
        state = [
            {name: value if isinstance(value, int) else backend.to_numpy(value).copy() for name, value in entry.items()}
            for entry in self.state
        ]
        return {"optimizer": type(self).__name__, "options": self.options, "state": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over options and memory of another optimizer of the same kind for parameters of the same shapes.

        Parameters
        ----------
        state
            What `state_dict` returned. Arrays are brought to the device and dtype of the parameters.

        Raises
        ------
        ValueError
            If it is the state of another kind of optimizer, or of other parameters. Then nothing is changed.
        """
        missing = [key for key in ("optimizer", "options", "state") if key not in state]
        if missing:
            raise ValueError(f"this is no state of an optimizer, {missing[0]!r} is missing: pass what state_dict gave")
        kind, entries = type(self).__name__, state["state"]
        if state["optimizer"] != kind:
            raise ValueError(f"this is a state of {state['optimizer']}, not of {kind}: make the optimizer it came from")
        if len(entries) != len(self.params):
            raise ValueError(
                f"this state is of {len(entries)} parameters, but the optimizer has {len(self.params)}: "
                "make it for the parameters that were trained"
            )
        unknown = sorted(set(self.options) ^ set(state["options"]))
        if unknown:
            raise ValueError(f"the options of this state are not those of {kind}: {unknown[0]!r} is on one side only")
        checked = {name: getattr(type(self), name).check(name, value) for name, value in state["options"].items()}
        loaded = [self._loaded(i, entry) for i, entry in enumerate(entries)]
        for name, value in checked.items():
            setattr(self, name, value)
        self.state = loaded

    def _loaded(self, i: int, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is remembered for parameter `i`, on its device and in its dtype."""
        if entry and set(entry) != set(self.remembers):
            raise ValueError(
                f"for parameter {i} this state has {sorted(entry)}, but {type(self).__name__} remembers "
                f"{sorted(self.remembers)}: pass what its state_dict gave"
            )
        like, loaded = self.params[i].data, {}
        for name, value in entry.items():
            if isinstance(value, int):
                loaded[name] = value
                continue
            values = backend.to_numpy(value)
            if values.shape != self.params[i].shape:
                raise ValueError(
                    f"{name} of parameter {i} has shape {values.shape}, but the parameter {self.params[i].shape}: "
                    "make the optimizer for the parameters that were trained"
                )
            loaded[name] = namespace(like).asarray(values.copy(), dtype=like.dtype, device=like.device)
        return loaded

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{type(self).__name__}({options})"
