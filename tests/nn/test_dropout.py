"""Dropout as a layer: chance, seeds and modes."""

import copy

import numpy as np
import pytest

from cnnlab import nn


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_share_of_p_is_dropped_and_the_rest_grows():
    y = nn.Dropout(0.3, rng=rng())(np.ones(100_000))
    assert set(np.unique(y)) == {0, 1 / 0.7}
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.005)
    assert y.mean() == pytest.approx(1, abs=0.01)


def test_evaluation_is_the_identity_and_draws_nothing():
    layer, x = nn.Dropout(rng=rng()), rng(1).standard_normal((3, 4))
    np.testing.assert_array_equal(layer.eval()(x), x)
    assert layer.rng.bit_generator.state == rng().bit_generator.state


def test_same_seed_drops_the_same_values_on_every_lane(lane):
    x = rng(1).standard_normal((4, 5, 6))
    expected = nn.Dropout(0.4, rng=rng())(x) == 0
    y = nn.Dropout(0.4, rng=rng())(lane.array(x.astype(lane.dtype)))
    np.testing.assert_array_equal(lane.numpy(y) == 0, expected)
    assert 0.2 < expected.mean() < 0.6


def test_gradient_goes_where_values_went():
    layer, x, dy = nn.Dropout(0.4, rng=rng()), rng(1).standard_normal((4, 5)), rng(2).standard_normal((4, 5))
    y = layer(x)
    np.testing.assert_allclose(layer.backward(dy), dy * (y / x))


def test_gradient_along_a_random_direction_with_the_same_seed():
    layer, x, dy, v = nn.Dropout(0.4, rng=rng()), *rng(1).standard_normal((3, 4, 5))
    moved = [np.sum(copy.deepcopy(layer)(x + step * v) * dy) for step in (1e-6, -1e-6)]
    layer(x)
    assert np.sum(layer.backward(dy) * v) == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-6)


def test_two_calls_drop_different_values_and_are_gone_back_through_in_turn():
    layer, x = nn.Dropout(rng=rng()), np.ones(50)
    first, second = layer(x), layer(x)
    assert (first != second).any()
    np.testing.assert_array_equal(layer.backward(x), second)
    np.testing.assert_array_equal(layer.backward(x), first)


@pytest.mark.parametrize(("p", "left"), [(0, 1), (1, 0)])
def test_certainty(p, left):
    np.testing.assert_array_equal(nn.Dropout(p)(np.ones(9)), np.full(9, left))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Dropout(1.5), ValueError, r"p \(=1.5\) must be from 0 to 1"),
        (lambda: nn.Dropout(-0.1), ValueError, r"p \(=-0.1\) must be from 0 to 1"),
        (lambda: nn.Dropout(float("nan")), ValueError, r"p \(=nan\) must be from 0 to 1"),
        (lambda: nn.Dropout("half"), TypeError, "p must be a number, not 'half'"),
        (lambda: nn.Dropout(True), TypeError, "p must be a number, not True"),
        (lambda: nn.Dropout(rng=3), TypeError, r"rng must be a numpy.random.Generator but is 3.*default_rng\(seed\)"),
        (lambda: nn.Dropout()(np.ones(3, int)), TypeError, "int64.*floating-point"),
    ],
)
def test_errors_name_the_value_and_the_next_step(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_repr():
    assert repr(nn.Dropout(0.25)) == "Dropout(p=0.25)"
