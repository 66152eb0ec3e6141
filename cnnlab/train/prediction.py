"""Using a network without training it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cnnlab.backend import Array, namespace
from cnnlab.geometry.options import whole_number
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module

Metric = Callable[[Array, Array], Any]  # (prediction, target) -> something that float() takes


def predict(net: Module, x: Array, *, batch_size: int = 256) -> Array:
    """Return the outputs of `net` for `x`, computed in evaluation mode, batch by batch.

    Parameters
    ----------
    net
        The network. Its mode is put back at the end.
    x
        Inputs, N along the first axis.
    batch_size
        How many to compute at once: bounds the memory, does not change the result.

    Returns
    -------
    Array
        Outputs, N along the first axis.

    Raises
    ------
    TypeError
        If `x` is no array.
    ValueError
        If `x` is empty.
    """
    batch_size = whole_number("batch_size", batch_size, at_least=1)
    namespace(x=x)  # names what is no array
    if x.shape[0] == 0:
        raise ValueError(f"x with shape {tuple(x.shape)} holds nothing to predict: pass at least one example")
    with modes_kept(net):
        net.eval()
        N = x.shape[0]
        outputs = [net(x[start : min(start + batch_size, N), ...]) for start in range(0, N, batch_size)]
    return namespace(*outputs).concat(outputs, axis=0)


def evaluate(
    net: Module, x: Array, y: Array, *, loss: Loss, metrics: Mapping[str, Metric] | None = None, batch_size: int = 256
) -> dict[str, float]:
    """Return "loss" and each metric of `net` over all of `x` and `y`, in evaluation mode.

    Parameters
    ----------
    net
        The network. Its mode is put back at the end.
    x, y
        Inputs and targets, N of each along the first axis.
    loss
        As in `cnnlab.nn`; only its value counts.
    metrics
        Functions of (prediction, target) by name.
    batch_size
        How many to compute at once, as in `predict`.

    Returns
    -------
    dict
        A number for "loss" and for each metric.
    """
    prediction = predict(net, x, batch_size=batch_size)
    values = {"loss": float(loss.forward(prediction, y))}
    return values | {name: float(metric(prediction, y)) for name, metric in (metrics or {}).items()}


@contextmanager
def modes_kept(net: Module) -> Iterator[None]:
    """Put the mode of each module back after a `with` block, whatever happens in it."""
    modes = [(module, module.training) for module in net.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
