"""The training loop."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnlab.backend import Array, namespace
from cnnlab.geometry.options import truth, whole_number
from cnnlab.nn.init import generator
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module
from cnnlab.optim import Optimizer, Schedule
from cnnlab.train import screen
from cnnlab.train.checkpoint import Checkpoint, Run, prepare
from cnnlab.train.early_stop import EarlyStop
from cnnlab.train.history import History
from cnnlab.train.inputs import check_parts, check_plan, checked_data
from cnnlab.train.prediction import Metric, evaluate, modes_kept
from cnnlab.train.settings import describe
from cnnlab.train.steps import Steps


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
    schedule: Schedule | None = None,
    early_stop: EarlyStop | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
    progress: bool = True,
    recorded: bool = True,
) -> History:
    """Train `net` on shuffled mini-batches.

    Stopping it (Ctrl-C, or the notebook's stop button) ends the training, not the program: the net keeps its latest
    values, and the history so far is returned with `interrupted` set.

    Parameters
    ----------
    net
        The network. If it is in evaluation mode it is put in training mode for this; if it is in training mode, so are
        its parts but for those that were put in evaluation mode (frozen). All modes are put back at the end.
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
    schedule
        Changes the learning rate of `optimizer`: it takes a step after each epoch.
    early_stop
        Ends the training when a curve no longer gets better (`EarlyStop`).
    checkpoint
        A file's name that ends in .npz, or a `Checkpoint`: where to write down after each epoch how far the training
        is. If the file is there already, the training goes on from it, to the same curve as if it had not stopped.
    progress
        Whether to show a progress bar.
    recorded
        Whether, on a GPU, a step of a net of the library's own layers is recorded once and replayed (`RecordedStep`):
        the same numbers, without Python between the launches.

    Returns
    -------
    History
        Loss, metrics and validation values of each epoch.

    Raises
    ------
    TypeError
        If `x` or `y` is no array, or `loss` or `optimizer` is something else than a loss and an optimizer.
    ValueError
        If the sizes do not fit, or the optimizer holds parameters that are not in this net.
    FloatingPointError
        If the loss is not finite.
    CheckpointError
        If the checkpoint's file is no whole one, or is one of another training.
    """
    epochs = whole_number("epochs", epochs, at_least=1)
    batch_size = whole_number("batch_size", batch_size, at_least=1)
    rng = generator(rng)
    check_parts(net, loss, optimizer, metrics)
    data = checked_data(x, y, validation)
    metrics = dict(metrics or {})
    check_plan(net, optimizer, schedule, early_stop, metrics, measured=validation is not None)
    saved = None if checkpoint is None else prepare(checkpoint)
    run = Run(net, optimizer, schedule, rng)
    if saved is not None:
        settings = describe(
            net,
            data=data,
            loss=loss,
            optimizer=optimizer,
            schedule=schedule,
            early_stop=early_stop,
            batch_size=batch_size,
            metrics=metrics,
            rng=rng,
        )
        if saved.file.exists():
            run.resume(saved.file, settings, epochs)
            left = ", and none is left to train" if _is_over(run.history, epochs, early_stop) else ""
            # With or without a bar: nobody shall take this for a training from the beginning.
            screen.say(f"continuing from {saved.file}: {len(run.history)} of {epochs} epochs are done{left}")
    batches = math.ceil(x.shape[0] / batch_size)
    net.forget()
    steps = Steps(net, loss, optimizer, recorded=truth("recorded", recorded), kept=bool(metrics))
    with modes_kept(net), screen.bar(epochs * batches, len(run.history) * batches, progress) as bar:
        try:
            if not net.training:  # else its parts stay as they are: some may be frozen
                net.train()
            while not _is_over(run.history, epochs, early_stop):
                epoch = len(run.history) + 1
                bar.set_description(f"epoch {epoch}/{epochs}")
                means = _run_epoch(
                    steps,
                    x,
                    y,
                    optimizer=optimizer,
                    batch_size=batch_size,
                    order=rng.permutation(x.shape[0]),
                    metrics=metrics,
                    epoch=epoch,
                    bar=bar,
                )
                measured = evaluate(net, *validation, loss=loss, metrics=metrics) if validation else {}
                _end_epoch(run, means, measured, early_stop)
                # Only now, when all of the epoch is done: what is written is what the next epoch starts from.
                if saved is not None and (epoch % saved.every == 0 or _is_over(run.history, epochs, early_stop)):
                    run.write(saved.file, settings)
                shown = means | {f"validation {name}": value for name, value in measured.items()}
                bar.set_postfix({name: f"{value:.4g}" for name, value in shown.items()})
            if early_stop is not None:
                _conclude(run, early_stop)
        except KeyboardInterrupt:
            run.history.interrupted = True
            bar.set_description(f"stopped after {len(run.history)} of {epochs} epochs")
        finally:
            # A stop or an error may leave half a backward pass behind.
            steps.release()
            net.forget()
            net.zero_grad()
    return run.history


def _is_over(history: History, epochs: int, early_stop: EarlyStop | None) -> bool:
    return len(history) >= epochs or (early_stop is not None and early_stop.is_over(history))


def _end_epoch(run: Run, means: dict[str, float], measured: dict[str, float], early_stop: EarlyStop | None) -> None:
    run.history.append(means, measured)
    if early_stop is not None and early_stop.restore_best and early_stop.best_epoch(run.history) == len(run.history):
        run.best = run.net.state_dict()
    if run.schedule is not None:
        run.schedule.step()


def _conclude(run: Run, early_stop: EarlyStop) -> None:
    run.history.stopped_early = early_stop.is_over(run.history)
    run.history.best_epoch = early_stop.best_epoch(run.history)
    if run.best is not None:
        run.net.load_state_dict(run.best)


def _run_epoch(
    steps: Steps,
    x: Array,
    y: Array,
    *,
    optimizer: Optimizer,
    batch_size: int,
    order: np.ndarray[Any, Any],
    metrics: Mapping[str, Metric],
    epoch: int,
    bar: Any,
) -> dict[str, float]:
    """Take a step for each mini-batch; return the means over the epoch."""
    sums = dict.fromkeys(["loss", *metrics], 0.0)
    steps.begin()
    for batch, start in enumerate(range(0, len(order), batch_size), start=1):
        chosen = order[start : start + batch_size]
        value, prediction = steps.gradients(x, y, chosen)
        if not math.isfinite(value):
            raise FloatingPointError(_explain_not_finite(value, epoch, batch, steps.inputs, optimizer))
        steps.update()
        # A mean over examples, not over batches: the last batch may be smaller.
        sums["loss"] += value * len(chosen)
        for name, metric in metrics.items():
            sums[name] += float(metric(prediction, steps.targets)) * len(chosen)
        bar.update()
    steps.release()
    return {name: value / len(order) for name, value in sums.items()}


def _explain_not_finite(value: float, epoch: int, batch: int, inputs: Array, optimizer: Optimizer) -> str:
    xp = namespace(inputs)
    fault = f"the loss became {value} in epoch {epoch}, batch {batch}: "
    if not bool(xp.all(xp.isfinite(inputs))):
        return fault + "the inputs of this batch are not finite, so clean x first"
    return fault + f"build the net and the optimizer anew and lower the learning rate (lr={optimizer.lr})"
