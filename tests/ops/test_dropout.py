"""Dropout with a given mask: what stays, by how much it grows, and where gradients go."""

import numpy as np
import pytest

from cnnlab import ops


@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_kept_values_grow_and_the_others_are_zero(lane, rng, p, assert_close):
    x, kept = rng.normal(size=(3, 4, 5)), rng.random((3, 4, 5)) >= p
    want = np.where(kept, x / (1 - p), 0)
    assert_close(ops.dropout_forward(lane.array(x.astype(lane.dtype)), lane.array(kept), p=p), want)
    assert_close(ops.dropout_backward(lane.array(x.astype(lane.dtype)), lane.array(kept), p=p), want)


def test_backward_is_the_adjoint(rng):
    x, dy, kept = rng.normal(size=(6, 5)), rng.normal(size=(6, 5)), rng.random((6, 5)) >= 0.4
    y, dx = ops.dropout_forward(x, kept, p=0.4), ops.dropout_backward(dy, kept, p=0.4)
    assert np.sum(y * dy) == pytest.approx(np.sum(x * dx), rel=1e-12)


def test_expectation_is_the_input(rng):
    x, p, draws = rng.normal(size=8), 0.3, 20_000
    mean = sum(ops.dropout_forward(x, rng.random(8) >= p, p=p) for _ in range(draws)) / draws
    deviation = np.abs(x) * np.sqrt(p / (1 - p) / draws)
    assert np.all(np.abs(mean - x) < 5 * deviation)


def test_with_certainty_nothing_is_left():
    for kept in (np.zeros(3, bool), np.ones(3, bool)):
        np.testing.assert_array_equal(ops.dropout_forward(np.ones(3), kept, p=1), [0, 0, 0])


def test_a_probability_of_numpy_does_not_widen_the_dtype():
    x, kept = np.ones(3, np.float32), np.ones(3, bool)
    assert ops.dropout_forward(x, kept, p=np.float64(0.5)).dtype == np.float32


def test_not_a_number_is_dropped_too():
    kept = np.array([False, True])
    np.testing.assert_array_equal(ops.dropout_forward(np.array([np.nan, 1.0]), kept, p=0.5), [0, 2])


@pytest.mark.parametrize("op", [ops.dropout_forward, ops.dropout_backward])
@pytest.mark.parametrize(
    ("kept", "p", "error", "message"),
    [
        (np.ones(3), 0.5, TypeError, "kept has dtype float64: expected booleans"),
        (np.ones((1, 3), bool), 0.5, ValueError, r"kept has shape \(1, 3\), expected \(3,\)"),
        (np.ones(3, bool), 1.5, ValueError, r"p \(=1.5\) must be from 0 to 1"),
        (np.ones(3, bool), -0.1, ValueError, r"p \(=-0.1\) must be from 0 to 1"),
        (np.ones(3, bool), float("nan"), ValueError, "must be from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(op, kept, p, error, message):
    with pytest.raises(error, match=message):
        op(np.ones(3), kept, p=p)
