"""Random numbers for composed sets: a stream for every item, so that item i does not depend on how many there are."""

from operator import index

import numpy as np
from numpy.typing import NDArray

# First numbers of a key that keep the sets apart, so that shape i does not stand on the meadow of another set's
# picture i. The recordings use 0 to 2, the splits they are of; the flower scenes have keys of one number.
SHAPES, DIGITS = 3, 4


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return a random generator for an item, independent of those with another seed or key."""
    try:
        whole = index(seed)
    except TypeError:
        raise TypeError(f"seed={seed!r}: use a whole number, 0 or more") from None
    if whole < 0:
        raise ValueError(f"seed={seed}: use 0 or a positive number")
    # A spawn key, not a longer seed: NumPy treats the seeds (5,) and (5, 0) alike.
    return np.random.default_rng(np.random.SeedSequence(whole, spawn_key=key))


def balanced_labels(n: int, seed: int, *key: int) -> NDArray[np.float32]:
    """Return n labels of which each two in a row hold one 1 and one 0, in random order; a larger n only adds labels."""
    first = stream(seed, *key).random((n + 1) // 2) < 0.5
    return np.stack([first, ~first], axis=1).reshape(-1)[:n].astype(np.float32)


def balanced_classes(n: int, classes: int, seed: int, *key: int) -> NDArray[np.int64]:
    """Return n labels of which each ``classes`` in a row hold every class once; a larger n only adds labels."""
    rounds = stream(seed, *key).random((-(-n // classes), classes))  # (rounds, classes)
    return rounds.argsort(axis=1).reshape(-1)[:n].astype(np.int64)
