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
