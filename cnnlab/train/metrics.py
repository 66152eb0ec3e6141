"""Measures of success that are easier to read than a loss."""

from __future__ import annotations

from cnnlab.backend import Array, namespace


def accuracy(logits: Array, targets: Array) -> float:
    """Return the share of right answers of a classifier.

    Parameters
    ----------
    logits
        Scores (N, classes); the answer is the class with the highest, the first of equal ones.
    targets
        Right classes (N,), integers.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    """
    xp = namespace(logits=logits, targets=targets)
    if logits.ndim != 2 or tuple(targets.shape) != (logits.shape[0],):
        raise ValueError(
            f"logits have shape {tuple(logits.shape)} and targets {tuple(targets.shape)}: "
            "accuracy takes (N, classes) and (N,); for yes-or-no answers use binary_accuracy"
        )
    return _share(xp.argmax(logits, axis=1) == targets)


def binary_accuracy(logits: Array, targets: Array) -> float:
    """Return the share of right yes-or-no answers.

    Parameters
    ----------
    logits
        Scores of any shape; yes where above 0, which is a probability above 1/2.
    targets
        Of the same shape, 0 for no and 1 for yes.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> binary_accuracy(np.array([2.0, -1.0, 3.0, -4.0]), np.array([1.0, 0.0, 0.0, 0.0]))
    0.75
    """
    namespace(logits=logits, targets=targets)
    if logits.shape != targets.shape:
        raise ValueError(
            f"logits have shape {tuple(logits.shape)} and targets {tuple(targets.shape)}: reshape one of them"
        )
    return _share((logits > 0) == (targets > 0.5))


def _share(right: Array) -> float:
    xp = namespace(right)
    return float(xp.count_nonzero(right)) / int(right.size)
