"""The steps of a training: replayed where they can be recorded, else taken one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.backend import Array, namespace
from cnnlab.nn.loss import Loss
from cnnlab.nn.module import Module
from cnnlab.optim import Optimizer
from cnnlab.train.recorded import NotRecordedError, RecordedStep, what_is_recorded, why_not_recorded


class Steps:
    """Takes steps of `net` on batches that are chosen by their places in the data.

    Parameters
    ----------
    net, loss, optimizer
        As in `cnnlab.train.fit`.
    recorded
        Whether to record the step, on a GPU, when a batch has the size of the one before.
    kept
        Whether predictions and targets may be kept by who gets them: then they are not the recording's own.
    """

    def __init__(self, net: Module, loss: Loss, optimizer: Optimizer, *, recorded: bool, kept: bool) -> None:
        self._net, self._loss, self._optimizer = net, loss, optimizer
        self._may_record, self._kept = recorded, kept
        self._recording: RecordedStep | None = None
        self._recorded_size = 0
        self._recorded: tuple[Any, ...] = ()  # what the recording depends on
        self._size = -1  # of the batch before
        self._replayed = False  # whether the latest gradients are the recording's
        self.inputs: Array = None  # the latest batch
        self.targets: Array = None

    def begin(self) -> None:
        """Begin an epoch: what was recorded is dropped if the net is another since, or computes in another way."""
        if self._recording is not None and what_is_recorded(self._net) != self._recorded:
            self._recording.release()
            self._recording = None

    def gradients(self, x: Array, y: Array, chosen: np.ndarray[Any, Any]) -> tuple[float, Array]:
        """Return loss and prediction for some examples; `update` is to follow, if the loss is finite."""
        recording = self._recording_for(x, y, chosen)
        self._replayed = recording is not None
        if recording is None:
            self.release()  # who steps in the ordinary way may keep what it was given
            self.inputs, self.targets = _take(x, chosen), _take(y, chosen)
            prediction = self._net(self.inputs)
            return self._loss(prediction, self.targets), prediction
        _take(x, chosen, out=recording.x)
        _take(y, chosen, out=recording.y)
        self.inputs, self.targets = recording.x, recording.y
        value, prediction = recording.gradients()
        if self._kept:
            self.targets, prediction = self.targets.copy(), prediction.copy()
        return float(value), prediction

    def update(self) -> None:
        """Go back, and let the optimizer take its step."""
        if self._replayed and self._recording is not None:
            self._recording.update()
            return
        self._net.zero_grad()
        self._net.backward_parameters(self._loss.backward())
        self._optimizer.step()

    def release(self) -> None:
        """Give the net arrays of its own, which no later step changes in place."""
        if self._recording is not None:
            self._recording.release()

    def _recording_for(self, x: Array, y: Array, chosen: np.ndarray[Any, Any]) -> RecordedStep | None:
        """Return a recording for a batch of this size, made now if the batch before had it too, or None."""
        before, self._size = self._size, len(chosen)
        if self._recording is not None:  # else it is the last batch of an epoch, smaller than the others
            return self._recording if len(chosen) == self._recorded_size else None
        if not self._may_record or len(chosen) != before or why_not_recorded(self._net, self._loss, x) is not None:
            return None
        batch, kind = (_take(x, chosen), _take(y, chosen)), what_is_recorded(self._net)
        try:
            self._recording = RecordedStep(self._net, self._loss, self._optimizer, *batch)
        except NotRecordedError:
            self._may_record = False
        self._recorded, self._recorded_size = kind, len(chosen)
        return self._recording


def _take(x: Array, places: np.ndarray[Any, Any], out: Array | None = None) -> Array:
    xp = namespace(x)
    if out is not None:
        return x.take(xp.asarray(places, device=x.device), axis=0, out=out)  # CuPy's, into memory that is there
    return xp.take(x, xp.asarray(places, device=x.device), axis=0)
