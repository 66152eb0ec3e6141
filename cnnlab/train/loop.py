"""The training loop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnlab.backend import Array, namespace
from cnnlab.geometry.options import whole_number
from cnnlab.nn.init import generator
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module
from cnnlab.optim import Optimizer
from cnnlab.train.history import History
from cnnlab.train.prediction import Metric, evaluate, modes_kept


def fit(
    net: Module,
    x: Array,
    y: Array,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 64,
    rng: np.random.Generator | None = None,
    validation: tuple[Array, Array] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    progress: bool = True,
) -> History:
    """Train `net` on shuffled mini-batches.

    Stopping it (Ctrl-C, or the notebook's stop button) ends the training, not the program: the net keeps its latest
    values, and the history so far is returned with `interrupted` set.

    Parameters
    ----------
    net
        The network. Its mode is put back at the end.
    x, y
        Inputs and targets, N of each along the first axis, on the device of the net.
    loss
        ``loss(prediction, target)`` and ``loss.backward()``, as in `cnnlab.nn`.
    optimizer
        Holds the parameters of `net`, or those that shall be trained.
    epochs
        Number of passes over the data.
    batch_size
        Size of a mini-batch; the last one may be smaller.
    rng
        Draws the order in each epoch, on the host: the same seed gives the same order on every device.
    validation
        Inputs and targets to measure on at the end of each epoch.
    metrics
        Functions of (prediction, target) by name, averaged over the batches of an epoch.
    progress
        Whether to show a progress bar.

    Returns
    -------
    History
        Loss, metrics and validation values of each epoch.

    Raises
    ------
    ValueError
        If the sizes do not fit, or the optimizer holds parameters that are not in this net.
    FloatingPointError
        If the loss is not finite.
    """
    epochs = whole_number("epochs", epochs, at_least=1)
    batch_size = whole_number("batch_size", batch_size, at_least=1)
    rng = generator(rng)
    _check_data("x", x, "y", y)
    if validation is not None:
        _check_data("validation x", validation[0], "validation y", validation[1])
    if not {id(p) for p in optimizer.params} <= {id(p) for p in net.parameters()}:
        raise ValueError(
            "the optimizer holds parameters that are not in this net, so the net would not learn with them: "
            "make it anew from net.parameters() after building or changing the net"
        )
    metrics = dict(metrics or {})
    history = History()
    total = epochs * math.ceil(x.shape[0] / batch_size)
    net.forget()
    with modes_kept(net), _bar(total, progress) as bar:
        try:
            net.train()
            for epoch in range(1, epochs + 1):
                bar.set_description(f"epoch {epoch}/{epochs}")
                means = _run_epoch(
                    net,
                    x,
                    y,
                    loss=loss,
                    optimizer=optimizer,
                    batch_size=batch_size,
                    order=rng.permutation(x.shape[0]),
                    metrics=metrics,
                    epoch=epoch,
                    bar=bar,
                )
                measured = evaluate(net, *validation, loss=loss, metrics=metrics) if validation else {}
                history.append(means, measured)
                shown = means | {f"validation {name}": value for name, value in measured.items()}
                bar.set_postfix({name: f"{value:.4g}" for name, value in shown.items()})
        except KeyboardInterrupt:
            history.interrupted = True
            bar.set_description(f"stopped after {len(history)} of {epochs} epochs")
        finally:
            # A stop or an error may leave half a backward pass behind.
            net.forget()
            net.zero_grad()
    return history


def _run_epoch(
    net: Module,
    x: Array,
    y: Array,
    *,
    loss: Loss,
    optimizer: Optimizer,
    batch_size: int,
    order: np.ndarray[Any, Any],
    metrics: Mapping[str, Metric],
    epoch: int,
    bar: Any,
) -> dict[str, float]:
    """Take a step for each mini-batch; return the means over the epoch."""
    sums = dict.fromkeys(["loss", *metrics], 0.0)
    for batch, start in enumerate(range(0, len(order), batch_size), start=1):
        chosen = order[start : start + batch_size]
        inputs, targets = _take(x, chosen), _take(y, chosen)
        prediction = net(inputs)
        value = loss(prediction, targets)
        if not math.isfinite(value):
            raise FloatingPointError(_explain_not_finite(value, epoch, batch, inputs, optimizer))
        net.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
        # A mean over examples, not over batches: the last batch may be smaller.
        sums["loss"] += value * len(chosen)
        for name, metric in metrics.items():
            sums[name] += float(metric(prediction, targets)) * len(chosen)
        bar.update()
    return {name: value / len(order) for name, value in sums.items()}


def _take(x: Array, places: np.ndarray[Any, Any]) -> Array:
    xp = namespace(x)
    return xp.take(x, xp.asarray(places, device=x.device), axis=0)


def _explain_not_finite(value: float, epoch: int, batch: int, inputs: Array, optimizer: Optimizer) -> str:
    xp = namespace(inputs)
    fault = f"the loss became {value} in epoch {epoch}, batch {batch}: "
    if not bool(xp.all(xp.isfinite(inputs))):
        return fault + "the inputs of this batch are not finite, so clean x first"
    return fault + f"build the net and the optimizer anew and lower the learning rate (lr={optimizer.lr})"


def _check_data(x_name: str, x: Array, y_name: str, y: Array) -> None:
    namespace(**{x_name: x, y_name: y})  # names what is no array, or on another device
    if x.shape[0] != y.shape[0] or x.shape[0] == 0:
        raise ValueError(
            f"{x_name} holds {x.shape[0]} examples and {y_name} {y.shape[0]}: pass as many of each, at least one"
        )


def _bar(total: int, shown: bool) -> Any:
    with warnings.catch_warnings():
        # In a notebook without ipywidgets, tqdm.auto warns and then draws its bar as text, which is what we want.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(total=total, unit="batch", disable=not shown)
