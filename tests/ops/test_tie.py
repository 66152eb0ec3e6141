"""One value at many places, and the sum of the gradients of all of them (deck rows D13 to D16)."""

import numpy as np
import pytest

from cnnlab import ops


def draw(rng, lane, *, sets=4, shape=(3, 5)):
    """Draw values, and ties in which every set has entries, in no order, and some entries have none."""
    ties = np.concatenate([np.arange(sets), rng.integers(-1, sets, size=np.prod(shape) - sets)])
    return lane.random(rng, sets), lane.array(rng.permutation(ties).reshape(shape))


def test_each_entry_has_the_value_of_its_set(lane, rng):
    values, ties = draw(rng, lane)
    expected = [[lane.numpy(values)[s] if s >= 0 else 0 for s in row] for row in lane.numpy(ties).tolist()]
    np.testing.assert_array_equal(lane.numpy(ops.tie_forward(values, ties)), expected)


def test_gradient_of_a_value_is_the_sum_over_its_entries(lane, rng, assert_close):
    values, ties = draw(rng, lane)
    dy = lane.random(rng, *ties.shape)
    expected = np.zeros(4, lane.dtype)
    for s, one in zip(lane.numpy(ties).ravel(), lane.numpy(dy).ravel(), strict=True):
        if s >= 0:
            expected[s] += one
    assert_close(ops.tie_backward(dy, values, ties), expected)


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 2)])
def test_gradient_is_the_adjoint(rng, shape):
    values, ties = rng.normal(size=3), rng.integers(-1, 3, size=shape)
    dy = rng.normal(size=shape)
    np.testing.assert_allclose(
        np.vdot(ops.tie_forward(values, ties), dy), np.vdot(values, ops.tie_backward(dy, values, ties))
    )


def test_any_negative_number_is_no_connection(rng):
    ties = np.array([0, -1, -7])
    np.testing.assert_array_equal(ops.tie_forward(np.array([5.0]), ties), [5, 0, 0])
    np.testing.assert_array_equal(ops.tie_backward(np.array([1.0, 10.0, 100.0]), np.ones(1), ties), [1])


def test_a_set_without_entries_has_gradient_zero():
    got = ops.tie_backward(np.array([1.0, 2.0, 4.0]), np.ones(5), np.array([3, 1, 3]))
    np.testing.assert_array_equal(got, [0, 2, 0, 5, 0])
    np.testing.assert_array_equal(ops.tie_backward(np.array([3.0]), np.ones(2), np.array([0])), [3, 0])


@pytest.mark.parametrize("sets", [0, 1, 3])
@pytest.mark.parametrize("shape", [(0,), (0, 4), (2, 3)])
def test_without_connections_there_is_nothing(sets, shape):
    ties = np.full(shape, -1)
    np.testing.assert_array_equal(ops.tie_forward(np.ones(sets), ties), np.zeros(shape))
    np.testing.assert_array_equal(ops.tie_backward(np.ones(shape), np.ones(sets), ties), np.zeros(sets))


TIES = np.array([[0, 1], [1, -1]])


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (
            lambda: ops.tie_forward(np.ones((2, 1)), TIES),
            ValueError,
            r"^values have shape \(2, 1\): expected \(sets,\), one value for each set$",
        ),
        (
            lambda: ops.tie_forward(np.ones(2), TIES * 1.0),
            TypeError,
            "^ties have dtype float64: expected integers, the number of each entry's set or -1$",
        ),
        (
            lambda: ops.tie_forward(np.ones(1), TIES),
            ValueError,
            "^ties go up to 1 but there are 1 values: give one for each set$",
        ),
        (
            lambda: ops.tie_backward(np.ones((2, 2)), np.ones(0), TIES),
            ValueError,
            "^ties go up to 1 but there are 0 values: give one for each set$",
        ),
        (
            lambda: ops.tie_backward(np.ones(4), np.ones(2), TIES),
            ValueError,
            r"^dy has shape \(4,\), expected \(2, 2\): one gradient for each entry$",
        ),
    ],
)
def test_what_does_not_fit_is_refused(act, error, message):
    with pytest.raises(error, match=message):
        act()
