"""The two classes differ in the word and in nothing that a simpler rule could use."""

import numpy as np
import pytest

from cnnlab.data import load_welcome


@pytest.fixture(scope="module", params=["train", "test", "other"])
def raw(request):
    return load_welcome(request.param, 2000, normalize=False, seed=2)


def at_place(s, measure):
    return np.array([measure(x[:, a:b]) for x, a, b in zip(s.x, s.start, s.stop, strict=True)])


def test_loudness_of_the_recording_does_not_tell(raw, best_threshold):
    assert best_threshold(raw.x.mean(axis=(1, 2)), raw.y) < 0.55
    assert best_threshold(np.exp(raw.x).mean(axis=(1, 2)), raw.y) < 0.55


@pytest.mark.parametrize(
    "measure", [np.mean, lambda x: np.log(np.exp(x).mean())], ids=["mean log power", "log mean power"]
)
def test_loudness_at_the_place_has_the_same_distribution(raw, measure):
    """Two-sample Kolmogorov–Smirnov distance; 0.073 is exceeded by chance once in a hundred times for 1000 and 1000."""
    value = at_place(raw, measure)
    ones, zeros = np.sort(value[raw.y == 1]), np.sort(value[raw.y == 0])
    grid = np.sort(value)
    distance = np.abs(np.searchsorted(ones, grid) / len(ones) - np.searchsorted(zeros, grid) / len(zeros)).max()
    assert distance < 0.11


def test_place_and_number_of_words_do_not_tell(raw, best_threshold):
    assert best_threshold(raw.start, raw.y) < 0.56
    assert best_threshold(np.array([len(words) for words in raw.spoken]), raw.y) < 0.57


def test_voices_are_alike_in_both_classes(raw):
    voices, number = np.unique(raw.voice, return_inverse=True)
    share = np.bincount(number, raw.y) / np.bincount(number)
    expected_spread = 0.5 / np.sqrt(np.bincount(number))
    assert (np.abs(share - 0.5) < 4 * expected_spread).all()
    assert len(voices) >= 4


def test_what_is_learned_at_one_place_helps_at_that_place_only():
    """Ridge regression on whole recordings: the lecture's opening experiment in closed form."""

    def rows(s):
        return s.x.reshape(len(s), -1).astype(np.float64)

    train = load_welcome("train", 1500, at=0.3)
    X, target = rows(train), 2 * train.y - 1
    dual = np.linalg.solve(X @ X.T + 2000 * np.eye(len(X)), target)
    there, elsewhere = (load_welcome("test", 600, at=at, seed=9) for at in (0.3, 1.7))
    accuracy = [np.mean((rows(s) @ (X.T @ dual) > 0) == s.y) for s in (there, elsewhere)]
    assert accuracy[0] > 0.75
    assert 0.4 < accuracy[1] < 0.6
