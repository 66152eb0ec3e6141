"""What a training run saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(repr=False)
class History:
    """What `fit` saw, one value an epoch.

    Attributes
    ----------
    loss
        Mean training loss over the epoch, each batch measured before its own step.
    metrics
        The same for each metric, by name.
    validation
        At the end of each epoch in evaluation mode: "loss" and each metric; empty without validation data.
    interrupted
        Whether the training was stopped by the keyboard; then the values are those of the finished epochs.
    resumed
        How many of the epochs came from a checkpoint.
    stopped_early
        Whether early stopping ended the training.
    best_epoch
        With early stopping: number of the best epoch, counted from 1.

    Examples
    --------
    >>> history = History(loss=[0.7, 0.4], metrics={"accuracy": [0.5, 0.9]})
    >>> history
    History(2 epochs: loss 0.7 → 0.4, accuracy 0.5 → 0.9)
    >>> history.as_dict()
    {'loss': [0.7, 0.4], 'accuracy': [0.5, 0.9]}
    """

    loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    validation: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False
    resumed: int = 0
    stopped_early: bool = False
    best_epoch: int | None = None

    def __len__(self) -> int:
        """Return the number of finished epochs."""
        return len(self.loss)

    def __repr__(self) -> str:
        curves = [f"{name} {v[0]:.4g} → {v[-1]:.4g}" for name, v in self.as_dict().items() if v]
        facts = [
            f"{len(self)} epoch{'' if len(self) == 1 else 's'}",
            f"{self.resumed} of them from a checkpoint" if self.resumed else "",
            "stopped early" if self.stopped_early else "",
            f"best in epoch {self.best_epoch}" if self.best_epoch else "",
            "interrupted" if self.interrupted else "",
        ]
        parts = [", ".join(filter(None, facts)), ", ".join(curves)]
        return f"History({': '.join(filter(None, parts))})"

    def as_dict(self) -> dict[str, list[float]]:
        """Return all curves in one dict, those of the validation named "validation …"."""
        curves = {"loss": self.loss, **self.metrics}
        return curves | {f"validation {name}": values for name, values in self.validation.items()}

    def append(self, epoch: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """Add the values of one epoch: "loss" and the metrics, and the same on the validation data if there is any."""
        self.loss.append(epoch["loss"])
        for name, value in epoch.items():
            if name != "loss":
                self.metrics.setdefault(name, []).append(value)
        for name, value in validation.items():
            self.validation.setdefault(name, []).append(value)
