"""Pooling, activations, biases and steps of optimizers on a GPU: what they compute, and that no host copy is in them.

As in test_gpu_on_a_cpu.py the kernels' very text is compiled for this machine's CPU.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import kernels, ops
from cnnlab.backend import namespace
from cnnlab.geometry import PoolGeometry
from cnnlab.kernels.gpu import device, elementwise, pooling, training

from .gpu_stand_in import COMPILER, StandIn, host, on_gpu

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler (on Debian: apt install g++)")
laws = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
DTYPES = st.sampled_from(["float32", "float64"])


@pytest.fixture
def cupy(monkeypatch, folder):
    stand_in = StandIn(folder)
    monkeypatch.setattr(device, "library", lambda: stand_in)
    yield stand_in
    assert stand_in.margins_are_whole()


@pytest.fixture
def few_threads(monkeypatch):
    """Grids so small that each thread comes round several times, over places and over maps."""
    for name, most in {"BLOCK": 32, "BLOCKS": 1, "ROWS": 2}.items():
        monkeypatch.setattr(device, name, most)
    kept = pooling._plan, elementwise._line
    for one in kept:
        one.cache_clear()
    yield
    for one in kept:
        one.cache_clear()


def with_taps(function, *arguments, **options):
    with kernels.use_algorithm("taps"):
        return function(*arguments, **options)


def same_bits(got, want):
    got = host(got)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(want[want == 0]))


@st.composite
def lines(draw):
    """Some arrays of one size, of which each begins at a multiple of 16 bytes, or beside it."""
    size, dtype = draw(st.one_of(st.integers(1, 20), st.integers(1000, 1100))), draw(DTYPES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = []
    for shift in draw(st.tuples(st.integers(0, 3), st.integers(0, 3))):
        whole = rng.standard_normal(size + shift).astype(dtype)
        whole[rng.random(whole.shape) < 0.2] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0])
        arrays.append((whole[shift:].copy(), on_gpu(whole)[shift:]))
    return arrays


@laws
@given(lines())
def _activations(arrays):
    (x, x_there), (dy, dy_there) = arrays
    np.testing.assert_array_equal(host(kernels.relu_forward(x_there)), np.maximum(x, 0))
    same_bits(kernels.relu_backward(dy_there, x_there), np.where(x <= 0, x.dtype.type(0), dy))
    error = {"float32": 1e-6, "float64": 1e-14}[x.dtype.name]
    np.testing.assert_allclose(host(kernels.tanh_forward(x_there)), np.tanh(x), rtol=error)
    with np.errstate(invalid="ignore"):
        want = dy * (1 - x * x)
        np.testing.assert_array_equal(host(kernels.tanh_backward(dy_there, x_there)), want)


def test_activations_equal_the_readable_ops_at_any_address(cupy):
    _activations()
    assert set(cupy.launched) == {"relu_forward", "relu_backward", "tanh_forward", "tanh_backward"}


def test_activations_of_views_and_by_few_threads(cupy, few_threads, rng):
    x, dy = (rng.standard_normal((5, 7, 33)) for _ in range(2))
    for turn in (lambda a: a, lambda a: a.swapaxes(0, 2), lambda a: a[:, ::2, 1:]):
        same_bits(kernels.relu_forward(turn(on_gpu(x))), np.maximum(turn(x), 0))
        same_bits(kernels.relu_backward(turn(on_gpu(dy)), turn(on_gpu(x))), np.where(turn(x) <= 0, 0, turn(dy)))


@laws
@given(st.tuples(*[st.integers(1, 5)] * 2, st.integers(1, 40)), st.integers(0, 3), st.booleans(), st.booleans(), DTYPES)
def _bias(shape, shift, biased, relu, dtype):
    rng = np.random.default_rng(shift)
    whole, b = rng.standard_normal(np.prod(shape) + shift).astype(dtype), rng.standard_normal(shape[1]).astype(dtype)
    whole[-1] = np.nan
    want = whole[shift:].reshape(shape) + (b[:, None] if biased else 0)
    y = on_gpu(whole)[shift:].reshape(shape)
    got = elementwise.add_bias(y, on_gpu(b) if biased else None, relu=relu)
    assert got is y
    np.testing.assert_array_equal(host(got), np.maximum(want, 0) if relu else want)


def test_a_bias_is_added_in_place_and_cut_off(cupy):
    _bias()
    assert set(cupy.launched) == {"add_bias"}


@pytest.mark.parametrize("shape", [(5, 3, 4, 2), (5, 3, 7), (5, 3)])
def test_a_bias_of_many_pictures_in_pieces_and_by_few_threads(cupy, few_threads, rng, monkeypatch, shape):
    monkeypatch.setattr(elementwise, "LIMIT", 50)
    elementwise._biases.cache_clear()
    y, b = rng.standard_normal(shape), rng.standard_normal(3)
    want = np.maximum(y + b.reshape(3, *[1] * (len(shape) - 2)), 0)
    same_bits(elementwise.add_bias(on_gpu(y), on_gpu(b), relu=True), want)
    elementwise._biases.cache_clear()
    assert len(cupy.launched) == -(-5 // (50 // int(np.prod(shape[1:]))))


@st.composite
def layers(draw):
    """A pooling layer, and what there is to pool: windows side by side, with a rim behind them, or others."""
    rank = draw(st.integers(1, 3))
    square = draw(st.booleans())
    kernel = (draw(st.integers(1, 4)),) * rank if square else draw(st.tuples(*[st.integers(1, 4)] * rank))
    stride = draw(st.one_of(st.none(), st.tuples(*[st.integers(1, 4)] * rank)))
    padding = tuple(draw(st.sampled_from([0, k // 2])) for k in kernel) if stride else (0,) * rank
    options = {"stride": stride, "padding": padding, "ceil_mode": draw(st.booleans())}
    spatial = tuple(k + draw(st.integers(0, {1: 40, 2: 9, 3: 4}[rank])) for k in kernel)
    return (
        (draw(st.integers(1, 3)), draw(st.integers(1, 3)), *spatial),
        kernel,
        options,
        draw(st.integers(0, 2**32 - 1)),
    )


def both_ways(forward, backward, x, kernel, options, *, rng):
    y = with_taps(forward, x, kernel, **options)
    dy = rng.standard_normal(y.shape).astype(x.dtype)
    dy[rng.random(y.shape) < 0.2] = -0.0
    np.testing.assert_array_equal(host(forward(on_gpu(x), kernel, **options)), y)
    with np.errstate(all="ignore"):
        same_bits(backward(on_gpu(dy), on_gpu(x), kernel, **options), with_taps(backward, dy, x, kernel, **options))


@laws
@given(layers(), st.sampled_from(["ties", "NaN", "infinite"]), st.integers(1, 2), DTYPES)
def _max_pool(layer, kind, dilation, dtype):
    shape, kernel, options, seed = layer
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, shape).astype(dtype)
    if kind != "ties":
        x[rng.random(shape) < 0.3] = {"NaN": np.nan, "infinite": -np.inf}[kind]
    extent = [dilation * (k - 1) + 1 for k in kernel]
    if any(n + 2 * p < e for n, p, e in zip(shape[2:], options["padding"], extent, strict=True)):
        dilation = 1
    both_ways(ops.max_pool_forward, ops.max_pool_backward, x, kernel, options | {"dilation": dilation}, rng=rng)


@laws
@given(layers(), st.booleans(), DTYPES)
def _avg_pool(layer, count_include_pad, dtype):
    shape, kernel, options, seed = layer
    rng = np.random.default_rng(seed)
    x, options = rng.standard_normal(shape).astype(dtype), options | {"count_include_pad": count_include_pad}
    with np.errstate(all="ignore"):
        both_ways(ops.avg_pool_forward, ops.avg_pool_backward, x, kernel, options, rng=rng)


def test_max_pooling_equals_the_readable_op_bit_by_bit(cupy):
    _max_pool()
    assert {"max_pool_winner", "max_pool_backward", "max_pool_backward_tiled"} <= set(cupy.launched)


def test_average_pooling_equals_the_readable_op_bit_by_bit(cupy):
    _avg_pool()
    assert set(cupy.launched) == {"avg_pool_forward", "avg_pool_backward"}


def test_pooling_by_few_threads(cupy, few_threads):
    _max_pool()
    _avg_pool()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_places_behind_the_last_window_get_no_gradient(cupy, rng, dtype):
    x = rng.standard_normal((2, 3, 7, 9)).astype(dtype)
    for kernel in (2, 3, (3, 4), 7):
        both_ways(ops.max_pool_forward, ops.max_pool_backward, x, kernel, {}, rng=rng)
        both_ways(ops.avg_pool_forward, ops.avg_pool_backward, x, kernel, {}, rng=rng)
    assert "max_pool_winner" not in cupy.launched


def test_dilated_averages_are_left_to_the_readable_op(cupy):
    x, geometry = on_gpu(np.ones((1, 1, 9))), PoolGeometry(2, dilation=2)
    dy = on_gpu(np.ones(geometry.output_shape(x.shape)))
    assert kernels.avg_pool_forward(x, geometry, count_include_pad=True) is None
    assert kernels.avg_pool_backward(dy, x, geometry, count_include_pad=True) is None


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_grid_has_a_thread_for_each_place_and_no_block_without_one(places, maps):
    (columns, rows), (wide, high) = device.plane(places, maps)
    assert (columns - 1) * wide < places <= columns * wide
    assert (rows - 1) * high < maps
    assert wide * high <= device.BLOCK
    assert maps <= rows * high or columns * rows >= device.WAVE
    assert wide * high > device.BLOCK // 2 or min(places, maps) < device.BLOCK


@pytest.mark.parametrize("options", [{}, {"stride": 1, "padding": 1}])
def test_a_pass_copies_nothing_from_the_host(cupy, rng, monkeypatch, options):
    x = on_gpu(rng.standard_normal((2, 3, 8, 7)))
    xp = namespace(x)

    def refused(*_, **__):
        raise AssertionError("an array was made of numbers on the host")

    for name in ("asarray", "ones", "zeros", "full", "arange"):
        monkeypatch.setattr(xp, name, refused)
    for _ in range(2):
        for pool, back in (
            (ops.max_pool_forward, ops.max_pool_backward),
            (ops.avg_pool_forward, ops.avg_pool_backward),
        ):
            y = pool(x, 2, **options)
            back(y, x, 2, **options)
        ops.relu_backward(ops.relu_forward(x), x)
        ops.tanh_backward(x, ops.tanh_forward(x))
        elementwise.add_bias(x, on_gpu(np.ones(3)), relu=True)
    assert cupy.copied == 0
    assert len(cupy.launched) >= 18


SHAPES = [(5, 3, 2), (7,), (1,), (300,), (2, 2)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", ["momentum", "adam"])
def test_a_step_in_place_equals_the_step_of_each_parameter(cupy, few_threads, rng, rule, dtype):
    w, g, m, s = ([on_gpu(rng.random(shape).astype(dtype)) for shape in SHAPES] for _ in range(4))
    lists = (w, g, m) if rule == "momentum" else (w, g, m, s)
    addresses = [one.data.ptr for arrays in lists for one in arrays]
    step = training.InPlace(*lists)
    assert cupy.copied == 1
    for number in (1, 2, 3):
        for one in g:
            one[...] = rng.standard_normal(one.shape)
        if rule == "momentum":
            want = [training.momentum_step(*each, lr=0.1, momentum=0.9) for each in zip(*lists, strict=True)]
            want = [list(column) for column in zip(*want, strict=True)]
            step.momentum(0.1, 0.9)
        else:
            numbers = {"lr": 0.1, "betas": (0.9, 0.999), "root": 0.1 * number, "eps": 1e-8}
            want = [training.adam_step(*each, **numbers) for each in zip(*lists, strict=True)]
            want = [list(column) for column in zip(*want, strict=True)]
            step.adam(**numbers)
        for ours, theirs in zip((w, *lists[2:]), want, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(host(one), host(other))
    assert cupy.copied == 1
    assert addresses == [one.data.ptr for arrays in lists for one in arrays]
    assert cupy.launched.count(f"{rule}_in_place") == 3


def test_what_cannot_be_stepped_in_place_is_said(cupy, rng, monkeypatch):
    w, g, v = ([on_gpu(rng.random(shape)) for shape in SHAPES] for _ in range(3))
    for lists, message in (
        (([], [], []), "0 and 0 and 0 arrays"),
        ((w, g[:2], v), "5 and 2 and 5 arrays"),
        ((w, g, v[::-1]), "have shapes"),
        ((w[:1], [g[0].swapaxes(0, 2).swapaxes(0, 2)[::-1]], v[:1]), "not contiguous"),
        ((w[:1], g[:1], [host(v[0])]), "none of CuPy's"),
        ((w[:1], g[:1], [v[0].astype("float32")]), "dtypes float32, float64: one"),
    ):
        with pytest.raises(ValueError, match=message):
            training.InPlace(*lists)
    with pytest.raises(ValueError, match="adam_in_place needs 2 memories for each parameter, not 1"):
        training.InPlace(w, g, v).adam(0.1, (0.9, 0.999), 1.0, 1e-8)
    monkeypatch.setattr(training, "LIMIT", 300)
    with pytest.raises(ValueError, match="342 numbers, and one launch counts 300 at most"):
        training.InPlace(w, g, v)
