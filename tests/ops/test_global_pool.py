"""From a map to one number."""

import numpy as np
import pytest

from cnnlab import ops

HOWS = ["max", "mean", "softmax"]


def by_formula(x, how, temperature):
    flat = x.reshape(*x.shape[:2], -1).astype(float)
    if how == "max":
        return flat.max(axis=-1)
    if how == "mean":
        return flat.mean(axis=-1)
    weights = np.exp(flat / temperature)
    return (weights * flat).sum(axis=-1) / weights.sum(axis=-1)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("spatial", [(7,), (4, 3), (2, 3, 2), (1, 1)])
def test_equals_its_formula(lane, rng, assert_close, how, spatial):
    x = lane.random(rng, 2, 3, *spatial)
    assert_close(ops.global_pool_forward(x, how, temperature=0.5), by_formula(lane.numpy(x), how, 0.5))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_gradient_check_along_random_directions(rng, assert_gradient, how, temperature):
    x, dy = rng.permutation(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) / 20, rng.normal(size=(2, 3))

    def loss(x):
        return np.sum(ops.global_pool_forward(x, how, temperature=temperature) * dy)

    assert_gradient(loss, x, ops.global_pool_backward(dy, x, how, temperature=temperature))


@pytest.mark.parametrize("how", HOWS)
def test_gradient_is_the_same_on_every_lane(lane, rng, assert_close, how):
    x, dy = lane.random(rng, 2, 3, 4, 5), lane.random(rng, 2, 3)
    want = ops.global_pool_backward(lane.numpy(dy), lane.numpy(x), how, temperature=0.7)
    assert_close(ops.global_pool_backward(dy, x, how, temperature=0.7), want)


def test_temperature_left_out_is_one(rng):
    x, dy = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3))
    np.testing.assert_array_equal(
        ops.global_pool_forward(x, "softmax"), ops.global_pool_forward(x, "softmax", temperature=1)
    )
    np.testing.assert_array_equal(
        ops.global_pool_backward(dy, x, "softmax"), ops.global_pool_backward(dy, x, "softmax", temperature=1)
    )


def test_softmax_lies_between_mean_and_max_and_reaches_both(rng, assert_close):
    x = rng.normal(size=(2, 3, 4, 5))
    low, high = ops.global_pool_forward(x, "mean"), ops.global_pool_forward(x, "max")
    middle = ops.global_pool_forward(x, "softmax", temperature=1.0)
    assert np.all((low < middle) & (middle < high))
    assert_close(ops.global_pool_forward(x, "softmax", temperature=1e-4), high)
    np.testing.assert_allclose(ops.global_pool_forward(x, "softmax", temperature=1e7), low, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_lowest_temperature_that_a_dtype_knows_still_gives_the_maximum(dtype):
    x = np.array([[[1.0, 2.0]]], dtype=dtype)
    least = float(np.finfo(dtype).smallest_normal)
    np.testing.assert_array_equal(ops.global_pool_forward(x, "softmax", temperature=least), [[2]])
    np.testing.assert_array_equal(
        ops.global_pool_backward(np.ones((1, 1), dtype), x, "softmax", temperature=least), [[[0, 1]]]
    )


def test_softmax_does_not_overflow_where_a_score_over_the_temperature_would(lane, assert_close):
    x = lane.array(np.array([[[3e38, 2.9e38, 2.95e38]]], dtype=np.float32))
    assert_close(ops.global_pool_forward(x, "softmax", temperature=0.1), np.array([[3e38]]))
    dx = ops.global_pool_backward(lane.array(np.ones((1, 1), np.float32)), x, "softmax", temperature=0.1)
    assert_close(dx, np.array([[[1.0, 0.0, 0.0]]]))


def test_first_of_several_maxima_gets_the_gradient(lane, assert_close):
    x = lane.array(np.array([[[[0.0, 2.0], [2.0, 2.0]]]], dtype=np.float32))
    dx = ops.global_pool_backward(lane.array(np.array([[7.0]], dtype=np.float32)), x, "max")
    assert_close(dx, np.array([[[[0.0, 7.0], [0.0, 0.0]]]]))


@pytest.mark.parametrize("how", HOWS)
def test_not_a_number_shows_up(lane, how):
    x = lane.array(np.array([[[1.0, np.nan, 3.0]], [[1.0, 2.0, 3.0]]], dtype=np.float32))
    np.testing.assert_array_equal(np.isnan(lane.numpy(ops.global_pool_forward(x, how))), [[True], [False]])


@pytest.mark.parametrize("how", HOWS)
def test_shifting_the_map_around_changes_nothing(rng, assert_close, how):
    x = rng.normal(size=(2, 3, 4, 5))
    assert_close(ops.global_pool_forward(np.roll(x, (1, 2), axis=(2, 3)), how), ops.global_pool_forward(x, how))
