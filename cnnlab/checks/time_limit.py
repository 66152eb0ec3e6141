"""Stop a function that does not come back, in a notebook."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from cnnlab.checks.errors import StudentTimeout


def limited(function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """Return a function that does the same and raises `StudentTimeout` when a call takes longer than so many seconds.

    Where there are no timer signals (Windows, threads other than the main one) there is no limit; there the reader
    interrupts the kernel. Code that does not return to Python meanwhile, such as one large product, is not stopped.
    """
    if not callable(function) or not hasattr(signal, "setitimer"):
        return function

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return function(*arguments)

        def stop(number: int, frame: FrameType | None) -> None:
            raise StudentTimeout(seconds)

        before = signal.signal(signal.SIGALRM, stop)
        # Again and again: a loop may swallow the first exception.
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
        try:
            return function(*arguments)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return call
