"""A training step on a GPU that is recorded once and replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnlab import kernels, nn, optim
from cnnlab.backend import Array, on_gpu
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module
from cnnlab.nn.parameter import Buffer, Parameter
from cnnlab.optim import Optimizer

# What does the same at each call, whatever it is given: no layer that draws numbers or reads them on the host.
_LAYERS = {
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.GlobalPool),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.ReLU, nn.Sigmoid, nn.Tanh),
    *(nn.Linear, nn.Flatten, nn.Add, nn.Sequential),
}
_LOSSES = {nn.CrossEntropyLoss, nn.MSELoss}
_OPTIMIZERS = {optim.SGD, optim.Adam, optim.AdamW}  # whose steps in place are their own
_METHODS = ("forward", "backward", "backward_parameters", "op")


class NotRecordedError(RuntimeError):
    """A step cannot be recorded; it can be taken in the ordinary way."""


def why_not_recorded(net: Module, loss: Loss, x: Array) -> str | None:
    """Return why a step of this net cannot be recorded, or None if it can be tried.

    Only layers and losses of the library are recorded, and those alone that do the same at each call. Dropout draws
    numbers, tied layers and binary cross-entropy read some on the host, and nobody knows what a layer of your own does.
    """
    if not on_gpu(x):
        return "the data is not on a GPU"
    for module in net.modules():
        if type(module) not in _LAYERS:
            return f"{type(module).__name__} is no layer that is known to do the same at each call"
        own = [name for name in _METHODS if vars(module).get(name)]
        if own:
            return f"a {type(module).__name__} has {own[0]} of your own"
    if type(loss) not in _LOSSES:
        return f"{type(loss).__name__} may read numbers on the host"
    return None


def what_is_recorded(net: Module) -> tuple[Any, ...]:
    """Return what a recording of this net's step depends on, besides sizes: another value needs another recording."""
    modules = [
        (id(module), module.training, module.extra_repr(), *(id(vars(module).get(name)) for name in _METHODS))
        for module in net.modules()
    ]
    return kernels.settings_of_gpu(), *modules, *map(id, _holders(net))


def _holders(net: Module) -> list[Parameter | Buffer]:
    return [*net.parameters(), *(buffer for _, buffer in net.named_buffers())]


class RecordedStep:
    """A training step of `net` on a GPU, recorded as a CUDA graph when this is made: forward, loss and backward.

    A call replays it on another batch of the same size and lets the optimizer take its step. The numbers are those of
    the ordinary step. While it is in use, parameters, buffers and gradients of the net, and what `SGD` and `Adam`
    remember, are arrays that change in place; `release` gives parameters and buffers arrays of their own again. What is
    assigned to them, or to what the optimizer remembers, is taken up at the next call.

    What was recorded does not change: the layers of the net and their options, modes, own functions and `Parameter`
    objects, the loss, the algorithm of `use_algorithm`, and whether TF32 is allowed. After a change of these, make
    another one; `train.fit` does so between epochs.

    Parameters
    ----------
    net
        In training mode, of the library's own layers, on the GPU.
    loss
        `CrossEntropyLoss` or `MSELoss`.
    optimizer
        Any; for `SGD` with momentum alone and `Adam` without weight decay its step is one launch.
    x, y
        A batch. The parameters are not changed by it.

    Raises
    ------
    NotRecordedError
        If the step cannot be recorded; it says why.
    ValueError
        If the optimizer holds parameters that are not in this net.
    """

    def __init__(self, net: Module, loss: Loss, optimizer: Optimizer, x: Array, y: Array) -> None:
        reason = why_not_recorded(net, loss, x)
        if reason is not None:
            raise NotRecordedError(f"this step cannot be recorded: {reason}. Train with train.fit, or step by step")
        own = {id(parameter) for parameter in net.parameters()}
        if not own.issuperset(map(id, optimizer.params)):
            raise ValueError("the optimizer holds parameters that are not in this net: make it for net.parameters()")
        self._net, self._loss, self._optimizer = net, loss, optimizer
        self.x, self.y = x.copy(), y.copy()
        self._holders = _holders(net)
        before = [holder.data for holder in self._holders]
        self._arrays = [array.copy() for array in before]
        try:
            self._recording = kernels.gpu.Recording(self._work)
        except Exception as error:
            raise NotRecordedError(f"this step cannot be recorded: {type(error).__name__}: {error}") from error
        finally:
            for holder, array in zip(self._holders, before, strict=True):
                holder.data = array
            net.forget()
            net.zero_grad()
        gradients = self._recording.result[2]
        pairs = zip(self._holders, gradients, strict=True)
        self._gradients = [(one, gradient) for one, gradient in pairs if isinstance(one, Parameter)]
        self._in_place: tuple[dict[str, Any], Callable[[], bool] | None] | None = None
        self._take_up()

    def _work(self) -> tuple[Array, Array, list[Array | None]]:
        """Go forward and back; return loss, prediction and gradients, and leave all buffers in place."""
        for holder, array in zip(self._holders, self._arrays, strict=True):
            holder.data = array
        prediction = self._net(self.x)
        value = self._loss.forward(prediction, self.y)
        self._net.zero_grad()
        self._net.backward_parameters(self._loss.gradient(prediction, self.y))
        for holder, array in zip(self._holders, self._arrays, strict=True):
            if holder.data is not array:
                array[...] = holder.data
        return value, prediction, [getattr(holder, "grad", None) for holder in self._holders]

    def __call__(self, x: Array, y: Array) -> Array:
        """Take a step on a batch; return its loss as an array of no axes, which the next call overwrites.

        Raises
        ------
        ValueError
            If the batch is not of the size that was recorded, or a parameter was given another size.
        """
        for name, given, place in (("x", x, self.x), ("y", y, self.y)):
            if given.shape != place.shape or given.dtype != place.dtype:
                raise ValueError(
                    f"{name} is {given.dtype} of shape {given.shape}, but the step was recorded for {place.dtype} of "
                    f"shape {place.shape}: record one for it, or take that step without"
                )
            place[...] = given
        value, _ = self.gradients()
        self.update()
        return value

    def gradients(self) -> tuple[Array, Array]:
        """Go forward and back for the batch in `x` and `y`; return loss and prediction, until the next call."""
        self._take_up()
        value, prediction, _ = self._recording.replay()
        for parameter, gradient in self._gradients:
            if parameter.grad is not gradient:
                parameter.grad = gradient
        return value, prediction

    def update(self) -> None:
        """Let the optimizer take its step by the latest gradients, or by those that were assigned since."""
        self._take_up()
        step = self._step_in_place()
        if step is not None and step():
            return
        # An optimizer may keep what it is given: it gets arrays that no replay writes to.
        for holder, array in zip(self._holders, self._arrays, strict=True):
            holder.data = array.copy()
        for parameter, gradient in self._gradients:
            if parameter.grad is gradient is not None:
                parameter.grad = gradient.copy()
        self._optimizer.step()
        self._take_up()

    def _step_in_place(self) -> Callable[[], bool] | None:
        """Return the optimizer's step in place, if it is one of ours and goes by the recorded gradients."""
        own = {"step", "change", "changed"} & vars(self._optimizer).keys()
        if type(self._optimizer) not in _OPTIMIZERS or own:
            return None
        if any(parameter.grad is not gradient for parameter, gradient in self._gradients):
            return None
        options = {**self._optimizer.options, "lr": None}
        if self._in_place is None or self._in_place[0] != options:
            self._in_place = options, self._optimizer.in_place()
        return self._in_place[1]

    def release(self) -> None:
        """Give parameters and buffers arrays of their own, with the latest numbers."""
        for holder, array in zip(self._holders, self._arrays, strict=True):
            if holder.data is array:
                holder.data = array.copy()

    def _take_up(self) -> None:
        """Bring what was assigned to a parameter or buffer to where the recording reads it."""
        for holder, array in zip(self._holders, self._arrays, strict=True):
            if holder.data is not array:
                if holder.data.shape != array.shape:
                    raise ValueError(
                        f"a parameter of shape {array.shape} was given values of shape {holder.data.shape}: "
                        "record another step for this net"
                    )
                array[...] = holder.data
                holder.data = array
