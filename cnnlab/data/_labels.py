"""Labels for composed sets."""

import numpy as np
from numpy.typing import NDArray


def balanced_labels(n: int, seed: tuple[int, ...]) -> NDArray[np.float32]:
    """Return n labels of which each two in a row hold one 1 and one 0, in random order; a larger n only adds labels."""
    first = np.random.default_rng(seed).random((n + 1) // 2) < 0.5
    return np.stack([first, ~first], axis=1).reshape(-1)[:n].astype(np.float32)
