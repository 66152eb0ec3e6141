"""Losses, averaged; those on logits stay finite for any finite logit.

A loss ends a net, so its backward function takes no upstream gradient: it returns the gradient of the loss itself.
"""

from functools import lru_cache
from typing import Any

from cnnlab import kernels
from cnnlab.backend import Array, namespace, on_gpu
from cnnlab.ops.activation import sigmoid_forward, softmax
from cnnlab.ops.arguments import check_given, check_shape, float_namespace


def cross_entropy_forward(logits: Array, targets: Array) -> Array:
    """Return the mean over the batch of ``−log softmax(logits)[target]``.

    Parameters
    ----------
    logits : array (N, C)
        One score for each class.
    targets : integer array (N,)
        The right class, 0 to C−1, of each example.

    Returns
    -------
    array ()
        The loss, in the dtype of the logits.

    Raises
    ------
    TypeError
        The logits are not floating point or the targets not integers.
    ValueError
        The shapes do not fit, the batch is empty, or a target is no class. On a GPU targets are not read, which would
        wait for it: there a target that is no class makes the loss minus infinity.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> print(cross_entropy_forward(np.zeros((3, 10)), np.array([0, 4, 9])).round(4))  # log 10
    2.3026
    """
    xp = _checked(logits, targets)
    if (fast := kernels.cross_entropy_forward(logits, targets)) is not None:
        return fast
    chosen = _one_hot(xp, logits, targets)
    shifted = logits - xp.max(logits, axis=1, keepdims=True)
    log_sum = xp.log(xp.sum(xp.exp(shifted), axis=1))  # (N,)
    # where, not a product: 0 · −inf would be NaN; the least of them is the chosen one, infinite if there is none
    right = xp.min(xp.where(chosen, shifted, float("inf")), axis=1)  # (N,)
    return xp.mean(log_sum - right)


def cross_entropy_backward(logits: Array, targets: Array) -> Array:
    """Return the gradient of `cross_entropy_forward`: ``(softmax(logits) − one_hot(targets)) / N``.

    Parameters
    ----------
    logits, targets
        As given to `cross_entropy_forward`; the same errors.

    Returns
    -------
    array (N, C)
        Gradient with respect to the logits.

    Examples
    --------
    >>> import numpy as np
    >>> cross_entropy_backward(np.zeros((1, 4)), np.array([2]))
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """
    xp = _checked(logits, targets)
    if (fast := kernels.cross_entropy_backward(logits, targets)) is not None:
        return fast
    chosen = _one_hot(xp, logits, targets)
    return (softmax(logits, axis=1) - xp.astype(chosen, logits.dtype)) / logits.shape[0]


def bce_with_logits_forward(logits: Array, targets: Array) -> Array:
    """Return the mean of ``−t·log σ(z) − (1−t)·log(1−σ(z))`` over all elements, σ the sigmoid.

    Computed as ``max(z, 0) − z·t + log(1 + exp(−|z|))``, which is the same and does not overflow.

    Parameters
    ----------
    logits : array of any shape
        Scores z, positive for "yes".
    targets : array of the same shape and dtype
        Truth t, 0 or 1, or a probability between.

    Returns
    -------
    array ()
        The loss, in the dtype of the logits.

    Raises
    ------
    TypeError
        The arrays are not floating point of one dtype.
    ValueError
        The shapes differ or the arrays are empty.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> print(bce_with_logits_forward(np.array([0.0, 1000.0]), np.array([1.0, 1.0])).round(4))  # (log 2 + 0) / 2
    0.3466
    """
    xp = _check_pairs(logits=logits, targets=targets)
    return xp.mean(xp.maximum(logits, 0) - logits * targets + xp.log1p(xp.exp(-xp.abs(logits))))


def bce_with_logits_backward(logits: Array, targets: Array) -> Array:
    """Return the gradient of `bce_with_logits_forward`: ``(σ(logits) − targets)`` / number of elements.

    Parameters
    ----------
    logits, targets
        As given to `bce_with_logits_forward`; the same errors.

    Returns
    -------
    array
        Gradient with respect to the logits, of their shape.

    Examples
    --------
    >>> import numpy as np
    >>> bce_with_logits_backward(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    array([ 0.25, -0.25])
    """
    _check_pairs(logits=logits, targets=targets)
    return (sigmoid_forward(logits) - targets) / logits.size


def mse_forward(predictions: Array, targets: Array) -> Array:
    """Return the mean of ``(predictions − targets)²`` over all elements.

    Parameters
    ----------
    predictions : array of any shape
        What the net says.
    targets : array of the same shape and dtype
        What it should say.

    Returns
    -------
    array ()
        The loss, in the dtype of the prediction.

    Raises
    ------
    TypeError
        The arrays are not floating point of one dtype.
    ValueError
        The shapes differ or the arrays are empty.
    DeviceMismatchError
        The arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> print(mse_forward(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    xp = _check_pairs(predictions=predictions, targets=targets)
    return xp.mean((predictions - targets) ** 2)


def mse_backward(predictions: Array, targets: Array) -> Array:
    """Return the gradient of `mse_forward`: ``2 · (predictions − targets)`` / number of elements.

    Parameters
    ----------
    predictions, targets
        As given to `mse_forward`; the same errors.

    Returns
    -------
    array
        Gradient with respect to the prediction, of its shape.

    Examples
    --------
    >>> import numpy as np
    >>> mse_backward(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array([ 0., -2.])
    """
    _check_pairs(predictions=predictions, targets=targets)
    return (predictions - targets) * (2 / predictions.size)


def _one_hot(xp: Any, logits: Array, targets: Array) -> Array:
    """Return where each row has its target, as booleans (N, C)."""
    classes = xp.arange(logits.shape[1], dtype=targets.dtype, device=targets.device)
    return targets[:, None] == classes[None, :]


def _checked(logits: Array, targets: Array) -> Any:
    """Return the namespace of logits (N, C) and targets (N,) that fit together."""
    check_given(targets=targets)
    xp = namespace(logits=logits, targets=targets)
    float_namespace(logits=logits)
    if logits.ndim != 2 or 0 in logits.shape:
        raise ValueError(f"logits have shape {tuple(logits.shape)}: expected (N, C), neither of them 0")
    if not _is_integral(xp, targets.dtype):
        raise TypeError(f"targets have dtype {targets.dtype}: expected integers, the number of the right class")
    N, C = logits.shape
    check_shape("targets", targets, (N,), "one class number for each row of logits")
    low, high = (0, 0) if on_gpu(targets) else (int(xp.min(targets)), int(xp.max(targets)))
    if low < 0 or high >= C:
        raise ValueError(f"targets go from {low} to {high}: with {C} logits a row they must lie in 0 to {C - 1}")
    return xp


@lru_cache(maxsize=64)
def _is_integral(xp: Any, dtype: Any) -> bool:
    return bool(xp.isdtype(dtype, "integral"))


def _check_pairs(*, targets: Array, **given: Array) -> Any:
    ((name, values),) = given.items()
    xp = float_namespace(**{name: values, "targets": targets})
    check_shape("targets", targets, values.shape, f"the shape of {name} (reshape one of them; nothing is broadcast)")
    if values.size == 0:
        raise ValueError(f"{name} are empty: a mean needs at least one element")
    return xp
