"""Pooling along one axis after the other equals pooling tap by tap: ties, NaN, infinities and padding included."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import kernels, ops
from cnnlab.geometry import PoolGeometry

laws = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def pools(draw):
    rank = draw(st.integers(1, 3))

    def of_rank(low, high):
        return draw(st.tuples(*[st.integers(low, high)] * rank))

    kernel = of_rank(1, 3)
    options = {
        "stride": draw(st.one_of(st.none(), st.tuples(*[st.integers(1, 4)] * rank))),
        "padding": tuple(draw(st.integers(0, k // 2)) for k in kernel),
        "ceil_mode": draw(st.booleans()),
    }
    spatial = tuple(2 * k + more for k, more in zip(kernel, of_rank(0, {1: 60, 2: 9, 3: 4}[rank]), strict=True))
    maps = -(-kernels.pooling.LEAST_SIZE // max(1, np.prod([n // 4 for n in spatial]))) // 8 + 1
    return (min(int(maps), 40), 8, *spatial), kernel, options, draw(st.integers(0, 2**32 - 1))


def with_taps(function, *arguments, **options):
    with kernels.use_algorithm("taps"):
        return function(*arguments, **options)


@laws
@given(pools(), st.sampled_from(["ties", "NaN", "infinite"]), st.integers(1, 2))
def test_max(pool, kind, dilation):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, shape).astype(float)
    if kind == "NaN":
        x[rng.random(shape) < 0.1] = np.nan
    elif kind == "infinite":
        x[rng.random(shape) < 0.3] = -np.inf
    y = with_taps(ops.max_pool_forward, x, kernel, dilation=dilation, **options)
    np.testing.assert_array_equal(ops.max_pool_forward(x, kernel, dilation=dilation, **options), y)
    dy = rng.standard_normal(y.shape)
    if kind == "infinite":
        dy[rng.random(y.shape) < 0.1] = np.inf
    with np.errstate(invalid="ignore"):  # infinities of both signs may meet
        dx = with_taps(ops.max_pool_backward, dy, x, kernel, dilation=dilation, **options)
        got = ops.max_pool_backward(dy, x, kernel, dilation=dilation, **options)
    np.testing.assert_allclose(got, dx, rtol=1e-12, atol=1e-12)


@laws
@given(pools(), st.booleans())
def test_average(pool, count_include_pad):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    options["count_include_pad"] = count_include_pad
    x = rng.standard_normal(shape)
    y = with_taps(ops.avg_pool_forward, x, kernel, **options)
    np.testing.assert_allclose(ops.avg_pool_forward(x, kernel, **options), y, rtol=1e-12, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    dx = with_taps(ops.avg_pool_backward, dy, x, kernel, **options)
    np.testing.assert_allclose(ops.avg_pool_backward(dy, x, kernel, **options), dx, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 40, 7, 7), (2, 300, 5), (2, 9, 3, 4, 5), (1, 600, 1, 1)])
@pytest.mark.parametrize("value", [None, np.inf, np.nan])
def test_the_average_of_a_whole_map(rng, shape, value):
    x = rng.standard_normal(shape)
    if value is not None:
        x[0, 1] = value
    size = shape[2:]
    y = ops.avg_pool_forward(x, size)
    np.testing.assert_allclose(y, x.mean(axis=tuple(range(2, x.ndim)), keepdims=True), rtol=1e-12, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    dx = ops.avg_pool_backward(dy, x, size)
    np.testing.assert_allclose(dx, np.broadcast_to(dy / np.prod(size), shape), rtol=1e-12)


def test_the_fast_way_is_taken_for_pairs_and_leaves_its_inputs_alone(rng):
    x = rng.standard_normal((4, 8, 12, 14))
    x.flags.writeable = False
    geometry = PoolGeometry((2, 2))
    y = kernels.max_pool_forward(x, geometry)
    assert y is not None
    dy = rng.standard_normal(y.shape)
    dy.flags.writeable = False
    dx = kernels.max_pool_backward(dy, x, geometry)
    assert dx.shape == x.shape
    np.testing.assert_allclose(dx.sum(), dy.sum())


def test_views_of_any_order(rng):
    x = np.moveaxis(rng.standard_normal((6, 20, 22, 5)), -1, 1)[:, ::-1]
    for function in (ops.max_pool_forward, ops.avg_pool_forward):
        np.testing.assert_allclose(function(x, 3, stride=2), with_taps(function, x, 3, stride=2), rtol=1e-9)


def test_two_threads_give_the_same_bits(rng):
    x = rng.standard_normal((16, 16, 64, 64)).astype("float32")
    one = ops.max_pool_forward(x, 2)
    with kernels.use_threads(2):
        np.testing.assert_array_equal(ops.max_pool_forward(x, 2), one)
