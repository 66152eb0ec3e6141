"""Exercise 15: what its threshold separates, how its net is drawn, and how slow a convolution may be."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from cnnlab import nn
from cnnlab.checks import exercise, run_exercise
from cnnlab.checks.a5.pictures import strokes, with_statistics_of
from cnnlab.checks.a5.small_net import _drawn, train
from cnnlab.checks.a5.train_own_cnn import AT_LEAST

EXERCISE = exercise("a5.train_own_cnn")


def script():
    path = Path(__file__).parents[2] / "scripts" / "own_cnn_thresholds.py"
    spec = importlib.util.spec_from_file_location("own_cnn_thresholds", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_in_twenty_seeds_a_right_answer_reaches_the_threshold_and_what_spoils_learning_never():
    shares = script().table(20)
    assert min(shares.pop("right")) >= AT_LEAST
    assert {"own_layers", "no_zero_grad", "averaged_twice", "test_statistics"} <= set(shares)
    assert all(max(reached) < AT_LEAST for reached in shares.values())


def test_the_table_of_shares_says_what_it_should_for_one_seed():
    shares = {name: reached for name, (reached,) in script().table(1).items()}
    assert shares.pop("right") >= AT_LEAST
    assert max(shares.values()) < AT_LEAST


def test_weights_are_drawn_as_the_library_draws_them():
    rng = np.random.default_rng(5)
    conv = nn.Conv2d(1, 8, 3, rng=rng, dtype="float64")
    linear = nn.Linear(8 * 2 * 3, 4, rng=rng, dtype="float64")
    drawn = _drawn(np.random.default_rng(5), classes=4, size=(7, 9))
    for ours, theirs in zip(drawn, (conv.weight, conv.bias, linear.weight, linear.bias), strict=True):
        np.testing.assert_array_equal(ours, theirs.data)


def test_an_answer_does_not_hang_on_the_company():
    rng = np.random.default_rng(2)
    x, y = strokes(rng, 20, (6, 7), noise=0.3)
    x_test, _ = strokes(rng, 10, (6, 7), noise=0.3)
    one_by_one = [train(x, y, picture[None], 3)[0] for picture in x_test]
    np.testing.assert_array_equal(train(x, y, x_test, 3), one_by_one)


def test_pictures_hold_each_direction_equally_often_and_lie_inside():
    x, y = strokes(np.random.default_rng(0), 40, (5, 8), noise=0.0)
    assert np.bincount(y).tolist() == [10] * 4
    ink = (x != x.max()).sum(axis=(1, 2, 3))
    assert ink.min() >= 4
    for picture, kind in zip(x[:, 0], y, strict=True):
        rows, columns = np.nonzero(picture != 200)
        steps = np.unique(np.diff(rows)).tolist(), np.unique(np.diff(columns)).tolist()
        assert steps == (([0], [1]), ([1], [0]), ([1], [1]), ([1], [-1]))[kind]


def test_statistics_can_be_taken_over():
    rng = np.random.default_rng(1)
    x, other = rng.normal(3, 2, (5, 1, 4, 4)), rng.normal(-1, 7, (9, 1, 4, 4))
    taken = with_statistics_of(x, other)
    assert taken.mean() == pytest.approx(other.mean())
    assert taken.std() == pytest.approx(other.std())


# ---- a right answer with seven loops ----


def slow_forward(x, w, b, stride, padding):
    N, C, H, W = x.shape
    F, _, K, L = w.shape
    y = np.zeros((N, F, H - K + 1, W - L + 1))
    for n in range(N):
        for o in range(F):
            for p in range(H - K + 1):
                for q in range(W - L + 1):
                    total = b[o]
                    for c in range(C):
                        for u in range(K):
                            for v in range(L):
                                total += x[n, c, p + u, q + v] * w[o, c, u, v]
                    y[n, o, p, q] = total
    return y


def slow_backward(dy, x, w, stride, padding):
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(len(w))
    N, F, P, Q = dy.shape
    for n in range(N):
        for o in range(F):
            for p in range(P):
                for q in range(Q):
                    db[o] += dy[n, o, p, q]
                    for c in range(w.shape[1]):
                        for u in range(w.shape[2]):
                            for v in range(w.shape[3]):
                                dw[o, c, u, v] += dy[n, o, p, q] * x[n, c, p + u, q + v]
                                dx[n, c, p + u, q + v] += dy[n, o, p, q] * w[o, c, u, v]
    return dx, dw, db


@pytest.mark.slow
def test_seven_loops_are_fast_enough(monkeypatch):
    path = Path(__file__).with_name("answers") / "a5_train_own_cnn.py"
    spec = importlib.util.spec_from_file_location("answers_a5", path)
    answers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(answers)
    monkeypatch.setattr(answers.build, "__defaults__", (nn.ConvOp(slow_forward, slow_backward), answers.POOL))
    longest = 0.0

    def timed(*arguments):
        nonlocal longest
        started = time.process_time()
        said = answers.by_the_layers(*arguments)
        longest = max(longest, time.process_time() - started)
        return said

    assert run_exercise(EXERCISE, timed, hidden=True, seed=1).score == EXERCISE.points
    assert longest < 3 * EXERCISE.seconds
