"""Store scikit-learn's 8 × 8 digits in ``cnnlab/data/digits``, with the form that each was written on.

Nobody who uses cnnlab needs this: the file it writes is part of the package. It is here so that the data can be
traced to their origin, checked and changed. To run it (a second), in an environment of its own::

    pip install scikit-learn numpy       # made with scikit-learn 1.9.1
    python scripts/build_digits.py       # writes digits.npz, prints its size and SHA-256

scikit-learn's copy is the test part of the UCI set (1797 pictures by 13 people whom its training part does not know),
in its order, and says nothing of who wrote what. But everybody filled in the same printed form: the 130 labels of
`FORM` come again and again, now and then with a few missing. So a form begins at each place of `FIRST`, and pictures
of one form are by one person. There are 14 forms: somebody filled in two, and the data do not tell who.
"""

import hashlib
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import numpy as np

FORM = (
    "0123456789012345678901234567890955650989841773510022782012633733"
    "466649150952820017632174631391768431405369617544728225795488490898"
)
FIRST = (0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667)  # pictures
LEAST_LIKENESS = 0.94  # of a form's labels to FORM: a few are missing or, on the third form, read as another digit

OUT = Path(__file__).parents[1] / "cnnlab" / "data" / "digits" / "digits.npz"


def forms(labels: np.ndarray) -> np.ndarray:
    """Return the number of the form of each picture, after a check that every form has the labels of `FORM`."""
    edges = [*FIRST, len(labels)]
    for first, last in pairwise(edges):
        written = "".join(map(str, labels[first:last]))
        likeness = SequenceMatcher(None, FORM, written, autojunk=False).ratio()
        if likeness < LEAST_LIKENESS or len(written) > len(FORM):
            raise SystemExit(f"pictures {first} to {last - 1} are no form (likeness {likeness:.3f}): {written}")
    return np.repeat(np.arange(len(FIRST)), np.diff(edges))


def main() -> None:
    """Read scikit-learn's copy and write ours."""
    from sklearn.datasets import load_digits

    stored = load_digits()
    np.savez_compressed(
        OUT,
        ink=stored.images.astype(np.uint8),  # (1797, 8, 8), 0 … 16
        digit=stored.target.astype(np.uint8),
        form=forms(stored.target).astype(np.uint8),
    )
    content = OUT.read_bytes()
    print(f"{OUT.name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
