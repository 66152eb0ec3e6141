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
MAX_CASES = {
    "1-D dilation": ((2, 3, 9), (3,), {"stride": 1, "dilation": 3}),
    "2-D dilation": ((2, 2, 7, 8), (3, 2), {"stride": (2, 1), "padding": (1, 0), "dilation": (2, 3)}),
    "2-D dilation with windows in the padding alone": ((1, 2, 3, 5), (2, 2), {"padding": 1, "dilation": (4, 2)}),
    "2-D dilation, ceil mode": ((2, 2, 7, 8), (2, 3), {"stride": 4, "dilation": (1, 3), "ceil_mode": True}),
    "3-D dilation": ((1, 2, 4, 5, 3), (2, 2, 2), {"stride": 1, "dilation": (1, 2, 2)}),
}
AVG_CASES = {
    "1-D inputs only": ((2, 3, 8), (3,), {"stride": 2, "padding": 1, "count_include_pad": False}),
    "2-D inputs only": ((2, 2, 5, 6), (3, 2), {"stride": 1, "padding": (1, 1), "count_include_pad": False}),
    "2-D inputs only, ceil mode": (
        (2, 2, 6, 8),
        (3, 4),
        {"stride": (2, 3), "padding": (1, 2), "ceil_mode": True, "count_include_pad": False},
    ),
    "3-D inputs only, ceil mode": (
        (1, 2, 4, 5, 3),
        2,
        {"padding": 1, "ceil_mode": True, "count_include_pad": False},
    ),
}
CEIL_CASES = {
    "1-D ceil mode": ((2, 3, 8), (3,), {"ceil_mode": True}),
    "2-D ceil mode": ((2, 2, 6, 7), (3, 2), {"stride": (2, 2), "ceil_mode": True}),
    "2-D ceil mode and padding": ((2, 2, 6, 8), (3, 4), {"stride": (2, 3), "padding": (1, 2), "ceil_mode": True}),
    "2-D ceil mode, window larger than the input": ((2, 2, 2, 5), (3, 3), {"stride": 2, "ceil_mode": True}),
    "2-D ceil mode, last window would start behind the input": ((1, 2, 4, 5), (2, 1), {"stride": 3, "ceil_mode": True}),
    "3-D ceil mode": ((1, 2, 4, 5, 3), (2, 3, 2), {"stride": (3, 2, 2), "padding": (1, 0, 1), "ceil_mode": True}),
}
ALL_CASES = [
    *(("max", name, case) for name, case in (CASES | CEIL_CASES | MAX_CASES).items()),
    *(("avg", name, case) for name, case in (CASES | CEIL_CASES | AVG_CASES).items()),
]
KINDS = {
    "max": (ops.max_pool_forward, ops.max_pool_backward),
    "avg": (ops.avg_pool_forward, ops.avg_pool_backward),
}
ORACLES = {
    "max": (reference.max_pool_by_windows, reference.max_pool_backward_by_windows),
    "avg": (reference.avg_pool_by_windows, reference.avg_pool_backward_by_windows),
}


@pytest.mark.parametrize("ties", [False, True], ids=["normal numbers", "many ties"])
@pytest.mark.parametrize(("kind", "name", "case"), ALL_CASES, ids=[f"{kind} {name}" for kind, name, _ in ALL_CASES])
def test_equals_looking_at_one_window_after_another(lane, rng, assert_close, *, kind, name, case, ties):
    shape, kernel, options = case
    kernel = (kernel,) * (len(shape) - 2) if isinstance(kernel, int) else kernel
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


@pytest.mark.parametrize(("kind", "name", "case"), ALL_CASES, ids=[f"{kind} {name}" for kind, name, _ in ALL_CASES])
def test_gradient_check_along_random_directions(rng, assert_gradient, kind, name, case):
    shape, kernel, options = case
    forward, backward = KINDS[kind]
    x = rng.permutation(int(np.prod(shape))).reshape(shape) / 1000  # away from the kinks
    y = forward(x, kernel, **options)
    seeing = np.isfinite(y)  # minus infinity where a window sees no input
    dy = np.where(seeing, rng.normal(size=y.shape), 0)
    dx = backward(dy, x, kernel, **options)
    assert_gradient(lambda x: np.sum(forward(x, kernel, **options)[seeing] * dy[seeing]), x, dx)


@pytest.mark.parametrize("name", CASES | CEIL_CASES | MAX_CASES)
def test_max_pooling_hands_on_all_of_the_gradient(rng, name):
    shape, kernel, options = (CASES | CEIL_CASES | MAX_CASES)[name]
    x = rng.normal(size=shape)
    y = ops.max_pool_forward(x, kernel, **options)
    dy = np.where(np.isfinite(y), rng.normal(size=y.shape), 0)
    dx = ops.max_pool_backward(dy, x, kernel, **options)
    places = tuple(range(2, x.ndim))
    np.testing.assert_allclose(dx.sum(axis=places), dy.sum(axis=places), atol=1e-11)


@pytest.mark.parametrize("name", CASES | CEIL_CASES | AVG_CASES)
def test_average_pooling_of_inputs_only_hands_on_all_of_the_gradient_and_keeps_a_constant(rng, name):
    shape, kernel, options = (CASES | CEIL_CASES | AVG_CASES)[name]
    options = options | {"count_include_pad": False}
    y = ops.avg_pool_forward(np.full(shape, 7.0), kernel, **options)
    np.testing.assert_allclose(y, 7)
    dy, places = rng.normal(size=y.shape), tuple(range(2, y.ndim))
    dx = ops.avg_pool_backward(dy, np.ones(shape), kernel, **options)
    np.testing.assert_allclose(dx.sum(axis=places), dy.sum(axis=places), atol=1e-11)


def test_dilation_skips_values(rng):
    x = rng.normal(size=(2, 3, 8))
    want = np.maximum(np.maximum(x[..., :4], x[..., 2:6]), x[..., 4:])
    np.testing.assert_array_equal(ops.max_pool_forward(x, 3, stride=1, dilation=2), want)


def test_rounding_up_and_divisors_worked_by_hand():
    x = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]])
    up = {"stride": 3, "padding": 1, "ceil_mode": True}
    # windows: padding 1 2 3, 3 4 5 6, 6 padding beyond beyond
    np.testing.assert_array_equal(ops.max_pool_forward(x, 4, **up), [[[3, 6, 6]]])
    np.testing.assert_array_equal(ops.avg_pool_forward(x, 4, **up), [[[6 / 4, 18 / 4, 6 / 2]]])
    np.testing.assert_array_equal(ops.avg_pool_forward(x, 4, **up, count_include_pad=False), [[[2, 4.5, 6]]])
    dx = ops.avg_pool_backward(np.array([[[4.0, 8.0, 6.0]]]), x, 4, **up)
    np.testing.assert_array_equal(dx, [[[1, 1, 3, 2, 2, 5]]])


def test_a_batch_of_none_stays_none(lane):
    x = lane.array(np.zeros((0, 2, 5)))
    for forward, backward in KINDS.values():
        y = forward(x, 2, ceil_mode=True)
        assert y.shape == (0, 2, 3)
        assert backward(y, x, 2, ceil_mode=True).shape == x.shape


def draw_options(rng, rank, kind):
    """Draw a kernel and options at random; most of them fit."""
    kernel = tuple(int(k) for k in rng.integers(1, 5, rank))
    options = {
        "stride": tuple(int(s) for s in rng.integers(1, 5, rank)),
        "padding": tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel),
        "ceil_mode": bool(rng.random() < 0.5),
    }
    if kind == "avg":
        return kernel, options | {"count_include_pad": bool(rng.random() < 0.5)}
    return kernel, options | {"dilation": tuple(int(d) for d in rng.integers(1, 4, rank))}


@pytest.mark.oracle
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_agrees_with_pytorch_on_random_layers(kind, rank):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(rank)
    forward, backward = KINDS[kind]
    theirs = getattr(torch.nn.functional, f"{kind}_pool{rank}d")
    compared = 0
    while compared < 80:
        kernel, options = draw_options(rng, rank, kind)
        shape = (2, 2, *rng.integers(2, 9, rank))
        x = rng.integers(-2, 3, size=shape).astype(float) if compared % 2 else rng.normal(size=shape)
        x_torch = torch.tensor(x, requires_grad=True)
        try:
            y_torch = theirs(x_torch, kernel, **options)
        except RuntimeError:  # the kernel does not fit the input
            # PyTorch's three-dimensional average, unlike the others, wants the input without padding to hold a window.
            if not (kind == "avg" and rank == 3):
                with pytest.raises(ValueError, match="larger than the padded input"):
                    forward(x, kernel, **options)
            continue
        y = forward(x, kernel, **options)
        np.testing.assert_allclose(y, y_torch.detach().numpy(), atol=1e-12)
        # To a window whose taps all lie in the padding PyTorch has no answer; no gradient comes from there.
        dy = np.where(np.isfinite(y), rng.normal(size=y.shape), 0)
        y_torch.backward(torch.tensor(dy))
        np.testing.assert_allclose(backward(dy, x, kernel, **options), x_torch.grad.numpy(), atol=1e-12)
        compared += 1
