"""When to stop before the last epoch."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from cnnlab.geometry.options import whole_number
from cnnlab.train.history import History


@dataclass(frozen=True)
class EarlyStop:
    """Stop when a curve has had no new best value for `patience` epochs (Prechelt 1998, "Early stopping — but when?").

    Parameters
    ----------
    patience
        So many epochs in a row without a new best value end the training.
    monitor
        The curve, by its name in `History.as_dict`: "loss", "validation loss", a metric such as "accuracy", or
        "validation accuracy".
    restore_best
        Whether the net has the values of the best epoch at the end, not those of the last.
    mode
        Whether low ("min") or high ("max") values are good; "min" by default for a loss, to be said for a metric.

    Raises
    ------
    TypeError, ValueError
        If an option is not one of these.

    Examples
    --------
    >>> stop = EarlyStop(2, monitor="loss")
    >>> stop.best_epoch(History(loss=[3.0, 1.0, 2.0]))
    2
    >>> stop.is_over(History(loss=[3.0, 1.0, 2.0])), stop.is_over(History(loss=[3.0, 1.0, 2.0, 1.0]))
    (False, True)
    """

    patience: int
    monitor: str = field(default="validation loss", kw_only=True)
    restore_best: bool = field(default=True, kw_only=True)
    mode: Literal["min", "max"] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        whole_number("patience", self.patience, at_least=1)
        given: dict[str, object] = vars(self)  # the type checker trusts the annotations, readers may not follow them
        if not isinstance(given["monitor"], str):
            raise TypeError(f"monitor must be the name of a curve such as 'validation loss', not {self.monitor!r}")
        if not isinstance(given["restore_best"], bool):
            raise TypeError(f"restore_best must be True or False, not {self.restore_best!r}")
        if given["mode"] not in ("min", "max", None):
            raise ValueError(f'mode is {self.mode!r}: choose "min" where low values are good, or "max"')
        if self.mode is None and not self.monitor.endswith("loss"):
            raise ValueError(
                f'whether high or low values of {self.monitor!r} are good is not known: add mode="max" or mode="min"'
            )

    def check(self, curves: Collection[str]) -> None:
        """Raise ValueError unless one of `curves` is the one to watch."""
        if self.monitor not in curves:
            hint = "pass validation=(x, y)" if self.monitor.startswith("validation") else "add it to metrics"
            raise ValueError(
                f"early_stop watches {self.monitor!r}, but this training measures {', '.join(curves)}: "
                f"{hint}, or watch another curve"
            )

    def best_epoch(self, history: History) -> int | None:
        """Return the number of the best epoch, the first of equal ones, counted from 1; None if all are NaN."""
        sign = -1 if self.mode == "max" else 1
        values = [sign * value for value in history.as_dict()[self.monitor]]
        best = None
        for epoch, value in enumerate(values, start=1):
            if not math.isnan(value) and (best is None or value < values[best - 1]):
                best = epoch
        return best

    def is_over(self, history: History) -> bool:
        """Return whether the training shall end now."""
        return len(history) > 0 and len(history) - (self.best_epoch(history) or 0) >= self.patience
