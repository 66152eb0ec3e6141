"""The base class of layers and networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from cnnlab import backend
from cnnlab.backend import Array
from cnnlab.backend.state import resolve
from cnnlab.geometry.options import truth
from cnnlab.nn.parameter import Buffer, Parameter

if TYPE_CHECKING:
    from cnnlab.nn.conv_op import ConvOp

# Whether a module in training mode is being called. Set for the time of that call only: threads must not share it, and
# between two cells of a notebook it would be lost.
_IN_TRAINING: ContextVar[bool] = ContextVar("_IN_TRAINING", default=False)


class Module:
    """A layer or a network: parameters, a forward pass and its backward pass.

    A subclass sets its `Parameter`s, `Buffer`s and sub-modules (or lists of these) as attributes and writes `forward`
    and `backward`. What backward needs, forward hands to `keep`; backward fetches it with `recall`. The kept values are
    a stack, so one layer may be used at several places, as long as the backward calls come in the opposite order.

    Nothing is kept in evaluation mode, unless a module in training mode makes the call: a part may be frozen, as in
    ``net.train(); net[1].eval()``, and gradients go back through it.

    Examples
    --------
    >>> import numpy as np
    >>> class Double(Module):
    ...     def forward(self, x):
    ...         return 2 * x
    ...     def backward(self, dy):
    ...         return 2 * dy
    >>> Double()(np.ones(2))
    array([2., 2.])
    """

    training: bool = True

    def forward(self, x: Array) -> Array:
        """Return the output for the input `x`."""
        raise NotImplementedError(f"{type(self).__name__} has no forward: write `def forward(self, x)`")

    def backward(self, dy: Array) -> Array:
        """Return the gradient to the input, and add to the gradient of each parameter.

        Parameters
        ----------
        dy
            Gradient of the loss with respect to the output of the latest forward that has had no backward yet.

        Returns
        -------
        Array
            Gradient of the loss with respect to the input of that forward.

        Raises
        ------
        RuntimeError
            If there was no such forward in training mode, or in a net in training mode.
        """
        raise NotImplementedError(f"{type(self).__name__} has no backward: write `def backward(self, dy)`")

    def backward_parameters(self, dy: Array) -> None:
        """Go back as `backward` does, but for the gradients of the parameters alone.

        Nobody needs the gradient to the input of a net while it is trained, and in its first layer that is a good part
        of the work. The layers with parameters leave it out; where there is nothing to leave out, this is `backward`.

        Parameters
        ----------
        dy
            As in `backward`.
        """
        self.backward(dy)

    def __init_subclass__(cls, **options: Any) -> None:
        """Let a subclass that writes its own `backward`, and no more, have that one used in both ways of going back."""
        super().__init_subclass__(**options)
        if "backward" in vars(cls) and "backward_parameters" not in vars(cls):
            cls.backward_parameters = Module.backward_parameters  # type: ignore[method-assign]

    def __call__(self, x: Array) -> Array:
        """Return `forward(x)`; called in training mode, let its parts keep what backward needs, in whatever mode."""
        outside = _IN_TRAINING.set(self.training or _IN_TRAINING.get())
        try:
            return self.forward(x)
        finally:
            _IN_TRAINING.reset(outside)

    # What backward needs ------------------------------------------------------------------------------------------

    def keep(self, value: Any) -> None:
        """Put `value` on the stack of things that backward needs; in evaluation mode only if a training net calls."""
        if self.training or _IN_TRAINING.get():
            # Made here, not in __init__, so that a subclass need not call super().__init__().
            vars(self).setdefault("_kept", []).append(value)

    def recall(self) -> Any:
        """Take the latest kept value from the stack.

        Raises
        ------
        RuntimeError
            If nothing is left on the stack.
        """
        kept = vars(self).get("_kept")
        if not kept:
            raise RuntimeError(
                f"{type(self).__name__}.backward has no forward to go back through: call the layer on its input first, "
                "in training mode (`train()`), and once for each backward. A layer in evaluation mode has to be called "
                "by a net in training mode, as net(x), not net.forward(x)"
            )
        return kept.pop()

    def forget(self) -> Self:
        """Drop what was kept for backward, here and in all sub-modules; return self."""
        for module in self.modules():
            vars(module).pop("_kept", None)
        return self

    # Parts --------------------------------------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) for each direct sub-module, also those in a list or tuple attribute."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, (list, tuple)):
                yield from ((f"{name}.{i}", item) for i, item in enumerate(value) if isinstance(item, Module))

    def modules(self) -> Iterator[Module]:
        """Yield this module and all modules below it, each once."""
        seen: dict[int, Module] = {}
        waiting: list[Module] = [self]
        while waiting:
            module = waiting.pop()
            if id(module) not in seen:
                seen[id(module)] = module
                waiting.extend(reversed([child for _, child in module.named_children()]))
        yield from seen.values()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (name, parameter), names such as ``0.weight``; a shared parameter comes once, by its first name."""
        return ((name, value) for name, value in self._named_values() if isinstance(value, Parameter))

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """Yield (name, buffer), names such as ``1.running_mean``; a shared buffer comes once, by its first name."""
        return ((name, value) for name, value in self._named_values() if isinstance(value, Buffer))

    def _named_values(self) -> Iterator[tuple[str, Parameter | Buffer]]:
        """Yield all parameters and buffers, each once, in the order of PyTorch's `state_dict`."""
        seen: set[int] = set()
        for name, value in self._walk_values(""):
            if id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def _walk_values(self, prefix: str) -> Iterator[tuple[str, Parameter | Buffer]]:
        buffers = []
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
            elif isinstance(value, Buffer):
                buffers.append((prefix + name, value))
        yield from buffers
        for name, child in self.named_children():
            yield from child._walk_values(f"{prefix}{name}.")

    def parameters(self) -> list[Parameter]:
        """Return all parameters, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to None."""
        for parameter in self.parameters():
            parameter.grad = None

    # Mode, device, state ------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode (or, with False, to evaluation mode), with all sub-modules; return self.

        The mode says what is computed: batch normalization by the batch or by its running averages, dropout or none.
        What backward needs is kept if the module that was called is in training mode (see `Module`).
        """
        mode = truth("mode", mode)
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation mode, with all sub-modules; return self.

        Nothing is kept for backward then, unless this is a part of a net that is in training mode: a frozen part.
        """
        return self.train(False)

    def to(self, device: str) -> Self:
        """Move parameters, gradients and buffers to `device` ("cpu" or "gpu") and return self.

        What was kept for backward lies on the old device and is dropped. Make the optimizer after the move.
        """
        resolve(device)  # refuses an unknown device, also where there is nothing to move
        for _, value in self._named_values():
            value.data = backend.asarray(value.data, device=device)
            if isinstance(value, Parameter) and value.grad is not None:
                value.grad = backend.asarray(value.grad, device=device)
        return self.forget()

    def state_dict(self) -> dict[str, Array]:
        """Return a copy of all parameters and buffers by name, as NumPy arrays, which `numpy.savez` can write."""
        return {name: backend.to_numpy(value.data).copy() for name, value in self._named_values()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over the values of `state`, kept on the device and in the dtype of the parameters and buffers.

        Parameters
        ----------
        state
            Arrays by name: what `state_dict` returned, or what `numpy.load` reads from a file of it.

        Raises
        ------
        TypeError
            If `state` is no mapping of names to arrays.
        ValueError
            If a name is missing or unknown, or if a shape or the kind of numbers differs. All faults are listed, and
            nothing is changed.
        """
        given: object = state  # the type checker trusts the annotation, readers may not follow it
        if not isinstance(given, Mapping):
            raise TypeError(
                f"state is a {type(given).__name__}, not arrays by name: pass net.state_dict() or numpy.load(file)"
            )
        for name, values in state.items():
            backend.namespace(**{f"state[{name!r}]": values})  # names what is no array
        own = dict(self._named_values())
        faults = [f"missing: {name}" for name in own if name not in state]
        faults += [f"unknown: {name}" for name in state if name not in own]
        for name, value in own.items():
            if name in state and tuple(state[name].shape) != value.shape:
                faults.append(f"{name} has shape {tuple(state[name].shape)}, not {value.shape}")
            elif name in state and not _is_real(state[name]):
                faults.append(f"{name} has dtype {state[name].dtype}, not real numbers")
        if faults:
            raise ValueError(
                f"this state does not fit {type(self).__name__}: {'; '.join(faults)}. "
                "Build the network with the sizes it was saved with"
            )
        for name, value in own.items():
            old = value.data
            values = backend.to_numpy(state[name]).copy()
            value.data = backend.namespace(old).asarray(values, dtype=old.dtype, device=old.device)

    # A reader's own code ------------------------------------------------------------------------------------------

    def replace_op(self, op: ConvOp | None) -> Self:
        """Let every convolution layer here and below compute with `op`; return self.

        Transposed convolutions are no such layers and stay as they are.

        Parameters
        ----------
        op
            Your own convolution; None puts the library's back.

        Raises
        ------
        TypeError
            If `op` is something else.
        ValueError
            If there is no convolution, or if some have options that an own op does not get. All of them are named,
            and nothing is changed.
        """
        from cnnlab.nn.replace import replace_op

        replace_op(self, op)
        return self

    # How it prints ------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return the options that `repr` shows between the brackets."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        if not children:
            return f"{type(self).__name__}({self.extra_repr()})"
        options = [self.extra_repr()] if self.extra_repr() else []
        return "\n  ".join([f"{type(self).__name__}(", *options, *children]) + "\n)"


def _is_real(values: Array) -> bool:
    return bool(backend.namespace(values).isdtype(values.dtype, ("real floating", "integral")))
