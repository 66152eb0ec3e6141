"""`cnnlab.kernels` as a student's process sees it beside `cnnlab.nn`; mounted as ``cnnlab/kernels/__init__.py``.

The fast ways are not there, since most of them are answers: the readable ops compute.
"""

from typing import Any


def product(a: Any, b: Any) -> Any:
    """Return a @ b."""
    return a @ b


def relu_forward(x: Any) -> None:
    """Leave it to the readable op."""


def relu_backward(dy: Any, x: Any) -> None:
    """Leave it to the readable op."""


def tanh_forward(x: Any) -> None:
    """Leave it to the readable op."""


def tanh_backward(dy: Any, y: Any) -> None:
    """Leave it to the readable op."""


def cross_entropy_forward(logits: Any, targets: Any) -> None:
    """Leave it to the readable op."""


def cross_entropy_backward(logits: Any, targets: Any) -> None:
    """Leave it to the readable op."""


def momentum_step(w: Any, gradient: Any, velocity: Any, *, lr: float, momentum: float) -> None:
    """Leave it to the optimizer."""


def adam_step(
    w: Any, gradient: Any, mean: Any, square: Any, *, lr: float, betas: tuple[float, float], root: float, eps: float
) -> None:
    """Leave it to the optimizer."""
