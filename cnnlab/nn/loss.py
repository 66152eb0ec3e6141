"""Losses: one number for a batch, and its gradient to the predictions."""

from __future__ import annotations

from cnnlab import ops
from cnnlab.backend import Array, namespace


class Loss:
    """What the losses share: `loss(prediction, target)` is a float, `loss.backward()` the gradient to the prediction.

    A loss keeps the arrays of its latest call until `backward` uses them.
    """

    _kept: tuple[Array, Array] | None = None

    def __call__(self, prediction: Array, target: Array) -> float:
        """Return the mean loss of the batch."""
        value = self.forward(prediction, target)
        self._kept = (prediction, target)
        return float(value)

    def forward(self, prediction: Array, target: Array) -> Array:
        """Return the mean loss as an array of no axes."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return the gradient of `forward` to the prediction."""
        raise NotImplementedError(f"{type(self).__name__} has no gradient")

    def backward(self) -> Array:
        """Return the gradient of the latest loss with respect to its prediction.

        Raises
        ------
        RuntimeError
            If the loss was not computed since the last backward.
        """
        if self._kept is None:
            raise RuntimeError(
                f"{type(self).__name__}.backward has no loss to go back from: call loss(prediction, target) first, "
                "once for each backward"
            )
        prediction, target = self._kept
        self._kept = None
        return self.gradient(prediction, target)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class CrossEntropyLoss(Loss):
    """Softmax cross-entropy: mean over the batch of -log softmax(logits)[target].

    Logits (N, classes), targets (N,) of integers.

    Examples
    --------
    >>> import numpy as np
    >>> round(CrossEntropyLoss()(np.zeros((2, 10)), np.array([3, 7])), 4)  # log 10
    2.3026
    """

    def forward(self, prediction: Array, target: Array) -> Array:
        """Return the loss of logits (N, classes) for integer targets (N,)."""
        return ops.cross_entropy_forward(prediction, target)

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return (softmax - one-hot) / N, of shape (N, classes)."""
        return ops.cross_entropy_backward(prediction, target)


class MSELoss(Loss):
    """Squared error, mean over all elements.

    Predictions and targets of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> MSELoss()(np.array([[1.0], [2.0]]), np.array([[1.0], [4.0]]))
    2.0
    """

    def forward(self, prediction: Array, target: Array) -> Array:
        """Return the mean of (prediction - target)²."""
        return ops.mse_forward(prediction, target)

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return 2 (prediction - target) / number of elements, of the shape of the prediction."""
        return ops.mse_backward(prediction, target)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of a sigmoid, computed from its input; mean over all elements.

    Logits and targets of one shape, targets between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> round(BCEWithLogitsLoss()(np.zeros((4, 1)), np.ones((4, 1))), 4)  # log 2
    0.6931
    """

    def forward(self, prediction: Array, target: Array) -> Array:
        """Return the loss of logits for targets of the same shape."""
        loss = ops.bce_with_logits_forward(prediction, target)
        xp = namespace(target)
        low, high = float(xp.min(target)), float(xp.max(target))
        if not (low >= 0 and high <= 1):  # also where one is NaN
            # As with targets of -1 and 1: the loss would fall without end, and nothing else would tell.
            raise ValueError(f"targets go from {low:g} to {high:g}: they must lie in 0 to 1, 1 for yes and 0 for no")
        return loss

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return (sigmoid - target) / number of elements, of the shape of the logits."""
        return ops.bce_with_logits_backward(prediction, target)
