"""What the tests of the data share."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture(scope="session")
def best_threshold() -> Callable[[np.ndarray, np.ndarray], float]:
    """Accuracy of the best rule "above (or below) a threshold means 1", chosen on the very data it is tried on."""

    def accuracy(value: np.ndarray, y: np.ndarray) -> float:
        ones = np.concatenate([[0], np.cumsum(y[np.argsort(value, kind="stable")])])
        below = np.arange(len(y) + 1)
        right = (below - ones) + (y.sum() - ones)  # zeros below the threshold, ones above
        return float(max(right.max(), len(y) - right.min()) / len(y))

    return accuracy


@pytest.fixture(scope="session")
def color_histograms() -> Callable[[np.ndarray], np.ndarray]:
    """What a rule knows that counts colors and sees no shapes: 4 × 4 × 4 bins of red, green and blue, (N, 64)."""

    def histograms(x: np.ndarray) -> np.ndarray:
        N = len(x)
        red, green, blue = np.minimum((x * 4).astype(int), 3).reshape(N, 3, -1).transpose(1, 0, 2)
        bins = (red * 4 + green) * 4 + blue + 64 * np.arange(N)[:, None]  # (N, H·W)
        return np.bincount(bins.ravel(), minlength=64 * N).reshape(N, 64) / bins.shape[1]

    return histograms


@pytest.fixture(scope="session")
def logistic_accuracy() -> Callable[..., float]:
    """Accuracy, on pictures it has not seen, of multinomial logistic regression with a little L2."""

    def accuracy(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> float:
        middle, spread = X.mean(axis=0), X.std(axis=0) + 1e-3
        X, X_test = (np.column_stack([(A - middle) / spread, np.ones(len(A))]) for A in (X, X_test))
        target = np.eye(int(y.max()) + 1)[y.astype(int)]
        W = np.zeros((X.shape[1], target.shape[1]))
        step = len(X) / np.linalg.norm(X, 2) ** 2  # the inverse of a bound on the curvature
        for _ in range(400):
            logits = X @ W
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            W -= step * (X.T @ (p - target) / len(X) + 1e-4 * W)
        return float(((X_test @ W).argmax(axis=1) == y_test).mean())

    return accuracy
