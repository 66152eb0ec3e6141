"""Pooling against windows looked at one by one, numbers worked by hand, and PyTorch."""

import numpy as np
import pytest

from cnnlab import ops, reference

CASES = {
    "1-D": ((2, 3, 8), (2,), {}),
    "1-D with a remainder": ((2, 3, 9), (2,), {}),
    "2-D": ((2, 3, 6, 5), (3, 2), {}),
    "2-D overlapping": ((2, 3, 7, 6), (3, 2), {"stride": (2, 1)}),
    "2-D with gaps": ((2, 2, 8, 7), (2, 1), {"stride": (3, 2)}),
    "2-D padding": ((2, 2, 5, 6), (3, 2), {"stride": 2, "padding": (1, 1)}),
    "2-D padding at one end": ((2, 2, 5, 6), (3, 3), {"stride": (1, 2), "padding": ((0, 1), (1, 0))}),
    "2-D window as large as the input": ((1, 2, 3, 4), (3, 4), {}),
    "3-D": ((2, 2, 4, 5, 3), (2, 3, 2), {"stride": (2, 1, 1), "padding": (1, 0, 1)}),
}
KINDS = {
    "max": (ops.max_pool_forward, ops.max_pool_backward),
    "avg": (ops.avg_pool_forward, ops.avg_pool_backward),
}
ORACLES = {
    "max": (reference.max_pool_by_windows, reference.max_pool_backward_by_windows),
    "avg": (reference.avg_pool_by_windows, reference.avg_pool_backward_by_windows),
}


@pytest.mark.parametrize("ties", [False, True], ids=["normal numbers", "many ties"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "kernel", "options"), CASES.values(), ids=CASES)
def test_equals_looking_at_one_window_after_another(lane, rng, assert_close, *, shape, kernel, options, kind, ties):
    values = rng.integers(-2, 2, size=shape) if ties else rng.normal(size=shape)
    x = lane.array(values.astype(lane.dtype))
    (forward, backward), (forward_oracle, backward_oracle) = KINDS[kind], ORACLES[kind]
    y = forward(x, kernel, **options)
    assert_close(y, forward_oracle(lane.numpy(x), kernel, **options))
    dy = lane.random(rng, *y.shape)
    assert_close(backward(dy, x, kernel, **options), backward_oracle(lane.numpy(dy), lane.numpy(x), kernel, **options))


def test_worked_example_of_the_deck():
    x = np.array([[[[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]]], dtype=float)  # D52
    np.testing.assert_array_equal(ops.max_pool_forward(x, 2)[0, 0], [[6, 8], [3, 4]])
    np.testing.assert_array_equal(ops.avg_pool_forward(x, 2)[0, 0], [[13 / 4, 21 / 4], [2, 2]])
    dx = ops.max_pool_backward(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), x, 2)
    np.testing.assert_array_equal(dx[0, 0], [[0, 0, 0, 0], [0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 0, 4]])


def test_among_equal_values_the_first_in_row_major_order_wins(lane, assert_close):
    x = lane.array(np.array([[[[1.0, 2.0], [2.0, 2.0]]]], dtype=np.float32))
    dx = ops.max_pool_backward(lane.array(np.array([[[[5.0]]]], dtype=np.float32)), x, 2)
    assert_close(dx, np.array([[[[0.0, 5.0], [0.0, 0.0]]]]))


def test_a_winner_of_several_windows_collects_all_their_gradients():
    dx = ops.max_pool_backward(np.array([[[1.0, 10.0, 100.0]]]), np.array([[[0.0, 1.0, 9.0, 2.0]]]), 2, stride=1)
    np.testing.assert_array_equal(dx, [[[0, 1, 110, 0]]])


def test_an_int_is_the_same_size_on_every_axis(rng, assert_close):
    x = rng.normal(size=(2, 3, 6, 7))
    assert_close(ops.max_pool_forward(x, 2, stride=1), ops.max_pool_forward(x, (2, 2), stride=(1, 1)))


def test_padding_never_wins_a_maximum_not_even_against_minus_infinity():
    x = np.array([[[-np.inf, -np.inf, -5.0]]])
    np.testing.assert_array_equal(ops.max_pool_forward(x, 2, stride=2, padding=1), [[[-np.inf, -5.0]]])
    dx = ops.max_pool_backward(np.array([[[3.0, 4.0]]]), x, 2, stride=2, padding=1)
    np.testing.assert_array_equal(dx, [[[3, 0, 4]]])


def test_zeros_of_the_padding_count_in_an_average():
    np.testing.assert_array_equal(ops.avg_pool_forward(np.array([[[4.0, 6.0]]]), 2, padding=1), [[[2, 3]]])


@pytest.mark.parametrize("forward", [ops.max_pool_forward, ops.avg_pool_forward])
def test_not_a_number_shows_up_in_every_window_that_holds_it(lane, forward):
    x = lane.array(np.array([[[1.0, np.nan, 3.0, 2.0]]], dtype=np.float32))
    y = lane.numpy(forward(x, 2, stride=1))
    np.testing.assert_array_equal(np.isnan(y), [[[True, True, False]]])


def test_the_gradient_of_a_window_with_not_a_number_goes_there():
    dx = ops.max_pool_backward(np.array([[[5.0]]]), np.array([[[1.0, np.nan, np.nan]]]), 3)
    np.testing.assert_array_equal(dx, [[[0, 5, 0]]])


def test_max_pooling_of_the_negative_is_min_pooling(rng, assert_close):
    x = rng.normal(size=(2, 3, 6, 4))
    smallest = x.reshape(2, 3, 3, 2, 2, 2).min(axis=(3, 5))
    assert_close(-ops.max_pool_forward(-x, 2), smallest)


def test_average_pooling_is_a_depthwise_convolution(rng, assert_close):
    x, kernel = rng.normal(size=(2, 3, 6, 7)), np.full((3, 1, 3, 2), 1 / 6)
    same = {"stride": 2, "padding": (1, 1)}
    assert_close(ops.avg_pool_forward(x, (3, 2), **same), ops.conv_forward(x, kernel, groups=3, **same))


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_check_along_random_directions(rng, assert_gradient, kind):
    forward, backward = KINDS[kind]
    x = rng.permutation(2 * 2 * 6 * 5).reshape(2, 2, 6, 5) / 10  # no ties and no near ties: away from the kinks
    options = {"stride": (2, 1), "padding": (1, 0)}
    dy = rng.normal(size=forward(x, (3, 2), **options).shape)
    assert_gradient(lambda x: np.sum(forward(x, (3, 2), **options) * dy), x, backward(dy, x, (3, 2), **options))


@pytest.mark.oracle
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_agrees_with_pytorch_on_random_layers(kind, rank):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(rank)
    forward, backward = KINDS[kind]
    theirs = getattr(torch.nn.functional, f"{kind}_pool{rank}d")
    for trial in range(40):
        kernel = tuple(int(k) for k in rng.integers(1, 4, rank))
        stride = tuple(int(s) for s in rng.integers(1, 4, rank))
        padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
        shape = (2, 3, *rng.integers(3, 8, rank))
        x = rng.integers(-2, 3, size=shape).astype(float) if trial % 2 else rng.normal(size=shape)
        x_torch = torch.tensor(x, requires_grad=True)
        y_torch = theirs(x_torch, kernel, stride=stride, padding=padding)
        dy = rng.normal(size=y_torch.shape)
        y_torch.backward(torch.tensor(dy))
        y = forward(x, kernel, stride=stride, padding=padding)
        np.testing.assert_allclose(y, y_torch.detach().numpy(), atol=1e-12)
        dx = backward(dy, x, kernel, stride=stride, padding=padding)
        np.testing.assert_allclose(dx, x_torch.grad.numpy(), atol=1e-12)
