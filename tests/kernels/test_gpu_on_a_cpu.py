"""The kernels for a GPU compute what the readable ops compute: their very text, compiled for this machine's CPU.

What only a GPU can show is in test_gpu.py: that CuPy and cuBLAS are what the stand-in takes them for, and speed.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import kernels, nn, ops, optim
from cnnlab.geometry import ConvGeometry, PoolGeometry
from cnnlab.kernels import algorithm, gpu
from cnnlab.kernels.gpu import algorithm as gpu_algorithm
from cnnlab.kernels.gpu import columns, convolution, cublas, device, direct, product

from .conftest import Drawn, layers
from .gpu_stand_in import COMPILER, Array, HiddenTransferError, StandIn, host, on_gpu
from .test_pooling import pools

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler (on Debian: apt install g++)")
laws = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
DTYPES = st.sampled_from(["float32", "float64"])
ERROR = {"float32": 3e-5, "float64": 1e-12}
NAMES = ["gpu_im2col", "gpu_direct"]


@pytest.fixture
def cupy(monkeypatch, folder):
    stand_in = StandIn(folder)
    monkeypatch.setattr(device, "library", lambda: stand_in)
    monkeypatch.setattr(cublas, "call", stand_in.cublas)
    forget_choices()
    for one in (columns.Columns(), direct.Direct()):
        monkeypatch.setitem(gpu_algorithm.known, one.name, one)
        monkeypatch.setitem(algorithm._known, one.name, one)
    monkeypatch.delitem(gpu_algorithm.known, "cudnn", raising=False)
    yield stand_in
    forget_choices()
    assert stand_in.margins_are_whole()


def forget_choices():
    """Let no test see what another one's algorithms or arrays were."""
    convolution._chosen.cache_clear()
    product._ones.cache_clear()


def close(got, want, dtype):
    got = host(got)
    assert got.shape == want.shape
    assert got.dtype == want.dtype == dtype
    if want.size:
        assert np.abs(got - want).max() <= ERROR[dtype] * max(1.0, np.abs(want).max())


def with_taps(function, *arguments, **options):
    with kernels.use_algorithm("taps"):
        return function(*arguments, **options)


@pytest.mark.parametrize("name", [*NAMES, None])
@pytest.mark.parametrize("limit", [64 * 2**20, 3_000, 0])
def test_convolution_equals_the_readable_op(cupy, name, limit):
    computed = []

    @laws
    @given(layers(), DTYPES)
    def law(layer, dtype):
        layer.options["padding_mode"] = "zeros"
        x, w, b, dy = layer.arrays(dtype)
        y = with_taps(ops.conv_forward, x, w, b, **layer.options)
        back = with_taps(ops.conv_backward, dy, x, w, **layer.options)
        there = [on_gpu(array) for array in (x, w, b, dy)]
        geometry = ConvGeometry.of_weight(w.shape, **layer.options)
        before = kernels.workspace_limit()
        kernels.workspace_limit(limit)
        try:
            with kernels.use_algorithm(name):
                got = kernels.conv_forward(*there[:3], geometry)
                cut_off = kernels.conv_relu_forward(*there[:3], geometry)
                bare = kernels.conv_forward(*there[:2], None, geometry)
                gradients = kernels.conv_backward(there[3], *there[:2], geometry)
                parameters = kernels.conv_backward_parameters(there[3], *there[:2], geometry)
        finally:
            kernels.workspace_limit(before)
        close(got, y, dtype)
        np.testing.assert_array_equal(host(cut_off), np.maximum(host(got), 0))
        close(bare, with_taps(ops.conv_forward, x, w, **layer.options), dtype)
        for ours, theirs in zip(gradients, back, strict=True):
            close(ours, theirs, dtype)
        for ours, theirs in zip(parameters, gradients[1:], strict=True):
            np.testing.assert_array_equal(host(ours), host(theirs))
        computed.append(layer)

    law()
    assert len(computed) >= 40
    assert {"gpu_im2col": "gemm", "gpu_direct": "direct_forward", None: "gemm"}[name] in cupy.launched


# Awkward sizes: maps on both sides of SMALL_MAP, batches that do not fill the chunks, 1×1 kernels, one place, groups.
SIZES = {
    "large map": ((3, 2, 23, 25), (4, 2, 3, 2), {"padding": (1, 0), "stride": (1, 1)}),
    "small maps in chunks": ((7, 5, 6, 4), (3, 5, 2, 3), {"padding": 1, "dilation": (1, 1)}),
    "pixels": ((5, 6, 24, 23), (4, 6, 1, 1), {}),
    "pixels, one place": ((5, 6, 1, 1), (4, 6, 1, 1), {}),
    "pixels, strided and padded": ((2, 3, 7, 9), (4, 3, 1, 1), {"stride": (2, 3), "padding": (1, 2)}),
    "grouped": ((3, 6, 9, 8), (9, 2, 3, 3), {"groups": 3, "stride": 2, "padding": 2}),
    "depthwise": ((2, 4, 9, 8), (8, 1, 3, 3), {"groups": 4, "dilation": 2, "padding": 2}),
    "1-D": ((4, 20, 61), (5, 20, 7), {"stride": 3}),
    "3-D": ((2, 3, 5, 6, 7), (4, 3, 2, 3, 2), {"stride": (1, 2, 1), "padding": (1, 0, 1), "dilation": (2, 1, 1)}),
    "one picture": ((1, 3, 30, 31), (4, 3, 5, 5), {"padding": 2}),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", SIZES)
@pytest.mark.parametrize("limit", [64 * 2**20, 20_000, 2_000])
def test_awkward_sizes_and_tight_workspaces(cupy, name, case, limit, rng):
    x_shape, w_shape, options = SIZES[case]
    layer = Drawn(x_shape, w_shape, options, 3)
    x, w, b, dy = layer.arrays("float32")
    geometry = ConvGeometry.of_weight(w_shape, **options)
    y = with_taps(ops.conv_forward, x, w, b, **options)
    back = with_taps(ops.conv_backward, dy, x, w, **options)
    before = kernels.workspace_limit()
    kernels.workspace_limit(limit)
    try:
        with kernels.use_algorithm(name):
            got = kernels.conv_forward(*map(on_gpu, (x, w, b)), geometry)
            gradients = kernels.conv_backward(*map(on_gpu, (dy, x, w)), geometry)
    finally:
        kernels.workspace_limit(before)
    for ours, theirs in zip((got, *gradients), (y, *back), strict=True):
        close(ours, theirs, "float32")


@laws
@given(layers(), st.integers(0, 2), DTYPES)
def _transposed(layer, more, dtype):
    _, w, _, dy = layer.arrays(dtype)
    options = {name: layer.options[name] for name in ("stride", "dilation", "groups", "padding")}
    b, inputs = np.linspace(-1, 1, w.shape[1] * layer.options["groups"]).astype(dtype), dy[:, : w.shape[0]]
    try:
        y = with_taps(ops.conv_transpose_forward, inputs, w, b, output_padding=more, **options)
    except ValueError:  # more output padding than stride or dilation, or nothing is left
        return
    upstream = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    back = with_taps(ops.conv_transpose_backward, upstream, inputs, w, output_padding=more, **options)
    geometry = _transposed_geometry(w, more, options)
    got = kernels.conv_transpose_forward(*map(on_gpu, (inputs, w, b)), geometry)
    gradients = kernels.conv_transpose_backward(*map(on_gpu, (upstream, inputs, w)), geometry)
    assert (got is None) == (gradients is None)
    if got is not None:
        for ours, theirs in zip((got, *gradients), (y, *back), strict=True):
            close(ours, theirs, dtype)


def _transposed_geometry(w, more, options):
    from cnnlab.geometry import ConvTransposeGeometry

    return ConvTransposeGeometry(
        w.shape[2:],
        options["stride"],
        options["padding"],
        more,
        dilation=options["dilation"],
        groups=options["groups"],
        in_channels=w.shape[0],
        out_channels=w.shape[1] * options["groups"],
    )


def test_transposed_convolution_equals_the_readable_op(cupy):
    _transposed()
    assert "col2im" in cupy.launched or "direct_grad_input" in cupy.launched


@laws
@given(pools(), st.sampled_from(["ties", "NaN", "infinite"]), st.integers(1, 2), DTYPES)
def _max_pool(pool, kind, dilation, dtype):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (2, 3, *shape[2:])).astype(dtype)
    if kind == "NaN":
        x[rng.random(x.shape) < 0.1] = np.nan
    elif kind == "infinite":
        x[rng.random(x.shape) < 0.3] = -np.inf
    geometry = PoolGeometry(kernel, options["stride"], options["padding"], dilation, ceil_mode=options["ceil_mode"])
    options = options | {"dilation": dilation}
    y = with_taps(ops.max_pool_forward, x, kernel, **options)
    np.testing.assert_array_equal(host(kernels.max_pool_forward(on_gpu(x), geometry)), y)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx = with_taps(ops.max_pool_backward, dy, x, kernel, **options)
    np.testing.assert_array_equal(host(kernels.max_pool_backward(on_gpu(dy), on_gpu(x), geometry)), dx)


def test_max_pooling_equals_the_readable_op_bit_by_bit(cupy):
    _max_pool()
    both_ways = {"max_pool_winner", "max_pool_backward", "max_pool_backward_tiled"}
    assert {"max_pool_forward"} | both_ways <= set(cupy.launched)


@laws
@given(pools(), st.booleans(), DTYPES)
def _avg_pool(pool, count_include_pad, dtype):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 3, *shape[2:])).astype(dtype)
    geometry = PoolGeometry(kernel, options["stride"], options["padding"], ceil_mode=options["ceil_mode"])
    options = options | {"count_include_pad": count_include_pad}
    y = with_taps(ops.avg_pool_forward, x, kernel, **options)
    include = {"count_include_pad": count_include_pad}
    close(kernels.avg_pool_forward(on_gpu(x), geometry, **include), y, dtype)
    dy = rng.standard_normal(y.shape).astype(dtype)
    close(
        kernels.avg_pool_backward(on_gpu(dy), on_gpu(x), geometry, **include),
        with_taps(ops.avg_pool_backward, dy, x, kernel, **options),
        dtype,
    )


def test_average_pooling_equals_the_readable_op(cupy):
    _avg_pool()
    assert {"avg_pool_forward", "avg_pool_backward"} <= set(cupy.launched)


def test_a_window_that_sees_nothing_has_no_winner(cupy):
    # dilation 3 from a padding of 1 steps over a map of two places
    x, dy = np.array([[[1.0, 2.0]]]), np.array([[[7.0]]])
    geometry = PoolGeometry((2,), 1, (1,), 3)
    y = kernels.max_pool_forward(on_gpu(x), geometry)
    np.testing.assert_array_equal(host(y), with_taps(ops.max_pool_forward, x, 2, stride=1, padding=1, dilation=3))
    assert not host(kernels.max_pool_backward(on_gpu(dy), on_gpu(x), geometry)).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_activations_equal_the_readable_ops(cupy, rng, dtype):
    x, dy = (rng.standard_normal((3, 5, 401)).astype(dtype) for _ in range(2))
    x[0, 0, :4] = np.nan, 0, -0.0, np.inf
    dy[0, 0, 4:7] = np.nan, np.inf, -np.inf
    x[0, 0, 4:7] = -1
    np.testing.assert_array_equal(
        host(kernels.relu_backward(on_gpu(dy), on_gpu(x))), with_taps(ops.relu_backward, dy, x)
    )
    y, dy = np.tanh(x), rng.standard_normal(x.shape).astype(dtype)
    close(
        kernels.tanh_backward(on_gpu(dy), on_gpu(y[:, ::-1]))[1:],
        with_taps(ops.tanh_backward, dy, y[:, ::-1])[1:],
        dtype,
    )
    assert cupy.launched == ["relu_backward", "tanh_backward"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_equals_the_readable_op(cupy, rng, dtype):
    for logits in (rng.standard_normal((7, 5)) * 3, rng.standard_normal((1, 1)), 1e4 * rng.standard_normal((300, 3))):
        x, y = logits.astype(dtype), rng.integers(0, logits.shape[1], len(logits))
        for targets in (y, y.astype("int32")):
            got = kernels.cross_entropy_forward(on_gpu(x), on_gpu(targets))
            back = kernels.cross_entropy_backward(on_gpu(x), on_gpu(targets))
            np.testing.assert_allclose(host(got), ops.cross_entropy_forward(x, targets), rtol=1e-5)
            close(back, ops.cross_entropy_backward(x, targets), dtype)
    assert kernels.cross_entropy_forward(on_gpu(np.ones((2, 1025))), on_gpu([0, 1])) is None
    x = np.array([[-np.inf, 0.0], [np.nan, 1.0]])
    for row in x:
        with np.errstate(invalid="ignore"):
            want = ops.cross_entropy_forward(row[None], np.array([1]))
        np.testing.assert_allclose(host(kernels.cross_entropy_forward(on_gpu(row[None]), on_gpu([1]))), want)


OPTIMIZERS = {
    "momentum": (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), "momentum_step"),
    "decay": (lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1), "momentum_step"),
    "Nesterov": (lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), None),
    "dampening": (lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5), None),
    "plain": (lambda p: optim.SGD(p, lr=0.1), None),
    "Adam": (lambda p: optim.Adam(p, lr=0.1), "adam_step"),
    "AdamW": (lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.2), "adam_step"),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizers_go_as_on_the_cpu(cupy, name, dtype):
    make, kernel = OPTIMIZERS[name]
    ends = []
    for array in (np.array, on_gpu):
        rng = np.random.default_rng(3)
        w = nn.Parameter(array(rng.standard_normal((5, 3, 2)).astype(dtype)))
        optimizer, first = make([w]), w.data
        kept = host(first)
        for _ in range(4):
            w.grad = array(rng.standard_normal(w.shape).astype(dtype))
            optimizer.step()
        np.testing.assert_array_equal(host(first), kept)  # the old values are left alone
        assert type(w.data) is type(first)
        ends.append((host(w.data), [{k: host(v) for k, v in one.items()} for one in optimizer.state]))
    np.testing.assert_allclose(ends[1][0], ends[0][0], rtol=1e-5 if dtype == "float32" else 1e-12)
    for ours, theirs in zip(ends[1][1], ends[0][1], strict=True):
        assert set(ours) == set(theirs)
        for key in ours:
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-5 if dtype == "float32" else 1e-12)
    assert cupy.launched == [kernel] * 3 if kernel else not cupy.launched


def test_views_of_any_order(cupy, rng):
    x = np.moveaxis(rng.standard_normal((2, 9, 8, 3)), -1, 1)[:, ::-1]
    w, geometry = rng.standard_normal((4, 3, 2, 3)), ConvGeometry.of_weight((4, 3, 2, 3))
    there = np.moveaxis(on_gpu(np.moveaxis(x, 1, -1)), -1, 1)
    assert not there.flags.c_contiguous
    close(kernels.conv_forward(there, on_gpu(w), None, geometry), with_taps(ops.conv_forward, x, w), "float64")
    pool = PoolGeometry((2, 2))
    close(kernels.max_pool_forward(there, pool), with_taps(ops.max_pool_forward, x, 2), "float64")


@pytest.mark.parametrize("name", NAMES)
def test_few_threads_share_many_numbers(cupy, rng, monkeypatch, name):
    monkeypatch.setattr(device, "BLOCKS", 2)  # so that each thread comes round several times
    layer = Drawn((5, 3, 17, 16), (6, 3, 3, 3), {"padding": 1, "stride": (1, 2)}, 6)
    x, w, b, dy = layer.arrays("float64")
    geometry = ConvGeometry.of_weight(w.shape, **layer.options)
    want = (
        with_taps(ops.conv_forward, x, w, b, **layer.options),
        *with_taps(ops.conv_backward, dy, x, w, **layer.options),
    )
    with kernels.use_algorithm(name):
        y = kernels.conv_forward(*map(on_gpu, (x, w, b)), geometry)
        got = y, *kernels.conv_backward(*map(on_gpu, (dy, x, w)), geometry)
    pool = PoolGeometry((2, 3), (2, 1))
    dy = rng.standard_normal(pool.output_shape(x.shape))
    want += (with_taps(ops.max_pool_backward, dy, x, (2, 3), stride=(2, 1)),)
    got += (kernels.max_pool_backward(on_gpu(dy), on_gpu(x), pool),)
    for ours, theirs in zip(got, want, strict=True):
        close(ours, theirs, "float64")


def test_pieces_of_an_array_too_large_for_one_launch(cupy, rng, monkeypatch):
    for module in (columns, direct, gpu_algorithm, gpu.pooling):
        monkeypatch.setattr(module, "LIMIT", 300)
    layer = Drawn((5, 2, 9, 8), (3, 2, 3, 2), {"padding": 1}, 4)
    x, w, b, dy = layer.arrays("float64")
    geometry = ConvGeometry.of_weight(w.shape, **layer.options)
    want = with_taps(ops.conv_forward, x, w, b, padding=1), *with_taps(ops.conv_backward, dy, x, w, padding=1)
    for name in NAMES:
        with kernels.use_algorithm(name):
            y = kernels.conv_forward(*map(on_gpu, (x, w, b)), geometry)
            got = y, *kernels.conv_backward(*map(on_gpu, (dy, x, w)), geometry)
        for ours, theirs in zip(got, want, strict=True):
            close(ours, theirs, "float64")
    before = len(cupy.launched)
    close(kernels.max_pool_forward(on_gpu(x), PoolGeometry((2, 2))), with_taps(ops.max_pool_forward, x, 2), "float64")
    assert len(cupy.launched) - before == 1  # maps are counted apart from their places
    assert kernels.max_pool_forward(on_gpu(np.ones((1, 1, 301))), PoolGeometry((2,))) is None


def test_what_is_left_to_the_readable_op(cupy, rng):
    x, w = on_gpu(rng.standard_normal((2, 3, 6))), on_gpu(rng.standard_normal((4, 3, 3)))
    plain = ConvGeometry.of_weight(w.shape)
    assert kernels.conv_forward(x, w, None, plain) is not None
    assert kernels.conv_forward(x, w, None, ConvGeometry.of_weight(w.shape, padding=1, padding_mode="reflect")) is None
    assert kernels.conv_forward(x.astype("float16"), w.astype("float16"), None, plain) is None
    four, filters = on_gpu(np.ones((1, 1, 3, 3, 3, 3))), on_gpu(np.ones((1, 1, 2, 2, 2, 2)))
    assert kernels.conv_forward(four, filters, None, ConvGeometry.of_weight(filters.shape)) is None
    assert kernels.max_pool_forward(four, PoolGeometry((2,) * 4)) is None
    with kernels.use_algorithm("taps"):
        assert kernels.conv_forward(x, w, None, plain) is None
        assert kernels.max_pool_forward(x, PoolGeometry((2,))) is None


def test_a_name_that_is_not_for_a_gpu_says_which_are(cupy, rng):
    x, w = on_gpu(rng.standard_normal((2, 3, 6))), on_gpu(rng.standard_normal((4, 3, 3)))
    with (
        kernels.use_algorithm("winograd"),
        pytest.raises(ValueError, match=r"it is for NumPy arrays.* These can: gpu_im2col, gpu_direct, taps"),
    ):
        kernels.conv_forward(x, w, None, ConvGeometry.of_weight(w.shape))


def test_a_name_that_is_for_a_gpu_does_not_compute_numpy_arrays(cupy, rng):
    x, w = rng.standard_normal((2, 3, 60)), rng.standard_normal((4, 3, 3))
    with kernels.use_algorithm("gpu_im2col"), pytest.raises(ValueError, match="it computes arrays on a GPU"):
        ops.conv_forward(x, w)


@pytest.mark.parametrize(
    ("shape", "filters", "groups", "expected"),
    [
        ((4, 8, 12, 12), (16, 1, 3, 3), 8, "gpu_direct"),  # depthwise
        ((4, 1, 28, 28), (16, 1, 3, 3), 1, "gpu_im2col"),
        ((4, 64, 56, 56), (64, 64, 3, 3), 1, "gpu_im2col"),
        ((4, 64, 56, 56), (128, 64, 1, 1), 1, "gpu_im2col"),
    ],
)
def test_rules(cupy, shape, filters, groups, expected):
    geometry = ConvGeometry.of_weight(filters, groups=groups)
    case = kernels.planner.layer_of(geometry).case(shape, filters, "float32")
    assert convolution.choose(case).algorithm.name == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_says_what_is_computed(cupy, name):
    geometry = ConvGeometry((3, 3), padding=1, in_channels=64, out_channels=64)
    with kernels.use_algorithm(name):
        plan = kernels.explain_plan(geometry, (4, 64, 56, 56), device="gpu")
    assert [step.work for step in plan.steps] == ["forward", "grad_input", "grad_weight"]
    assert {step.algorithm for step in plan.steps} == {name}
    assert "on a GPU" in str(plan)
    x, w = on_gpu(np.ones((4, 64, 8, 8), "float32")), on_gpu(np.ones((64, 64, 3, 3), "float32"))
    with kernels.use_algorithm(name):
        kernels.conv_forward(x, w, None, geometry)
    assert ("gemm" in cupy.launched) == (name == "gpu_im2col")


def test_a_plan_for_a_gpu_of_what_is_left_to_the_readable_op(cupy):
    geometry = ConvGeometry((3,), padding=1, in_channels=4, out_channels=4, padding_mode="reflect")
    plan = kernels.explain_plan(geometry, (4, 4, 56), device="gpu")
    assert plan["forward"] == "taps"
    assert "padding reflect" in plan.steps[0].because
    with pytest.raises(ValueError, match="device 'tpu' is unknown"):
        kernels.explain_plan(geometry, (4, 4, 56), device="tpu")


def test_a_plan_for_a_gpu_needs_cupy(monkeypatch):
    for name in (*NAMES, "cudnn"):
        monkeypatch.delitem(gpu_algorithm.known, name, raising=False)
    with pytest.raises(ImportError, match="CuPy, which is not installed"):
        kernels.explain_plan(ConvGeometry((3,), in_channels=4, out_channels=4), (4, 4, 56), device="gpu")


@pytest.mark.parametrize("name", NAMES)
def test_workspace_is_bounded(cupy, name):
    def planned(work, *arguments):
        return getattr(convolution, work)(*map(on_gpu, arguments[:2]), arguments[2], geometry)

    layer = Drawn((6, 4, 40, 40), (4, 4, 5, 5), {"padding": 2}, 5)
    x, w, b, dy = layer.arrays("float32")
    geometry = ConvGeometry.of_weight(w.shape, padding=2)
    before = kernels.workspace_limit()
    kernels.workspace_limit(400_000)  # all columns would take 3.84 MB
    try:
        with kernels.use_algorithm(name):
            for results, work in (
                (dy.nbytes, lambda: kernels.conv_forward(*map(on_gpu, (x, w, b)), geometry)),
                (x.nbytes, lambda: planned("_grad_input", dy, w, x.shape)),
                (w.nbytes, lambda: planned("_grad_weight", dy, x, w.shape)),
            ):
                cupy.bytes_made = 0  # also of what a pass has given back
                work()
                assert cupy.bytes_made <= 400_000 + 2 * results
    finally:
        kernels.workspace_limit(before)


def test_same_bits_twice(cupy, rng):
    layer = Drawn((5, 3, 17, 16), (8, 3, 3, 3), {"padding": 1}, 6)
    x, w, _, dy = layer.arrays("float32")
    geometry = ConvGeometry.of_weight(w.shape, padding=1)
    for name in NAMES:
        with kernels.use_algorithm(name):
            one, two = (kernels.conv_backward(*map(on_gpu, (dy, x, w)), geometry) for _ in range(2))
        for ours, theirs in zip(one, two, strict=True):
            np.testing.assert_array_equal(host(ours), host(theirs))


def test_tf32_only_where_cupys_setting_allows_it(cupy, rng, monkeypatch):
    asked = []
    monkeypatch.setattr(cublas, "call", lambda *a: (asked.append(a[-2]), cupy.cublas(*a)))
    x, w = rng.standard_normal((2, 40, 9)), rng.standard_normal((3, 40, 2))
    for setting, dtype in (("0", "float32"), ("1", "float32"), ("1", "float64")):
        monkeypatch.setenv("CUPY_TF32", setting)
        arrays = [on_gpu(one.astype(dtype)) for one in (x, w)]
        kernels.conv_forward(*arrays, None, ConvGeometry.of_weight(w.shape))
    assert asked == [cublas.COMPUTE_32F, cublas.COMPUTE_32F_FAST_TF32, cublas.COMPUTE_64F]


@laws
@given(st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 9)), st.booleans(), st.booleans(), DTYPES)
def test_products_of_matrices(sizes, flip_a, flip_b, dtype):
    """With the stand-in made by hand: hypothesis does not take fixtures that belong to one call."""
    (m, k, n), rng = sizes, np.random.default_rng(0)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    want = a @ b
    with pytest.MonkeyPatch.context() as patch:
        stand_in = StandIn(None)
        patch.setattr(device, "library", lambda: stand_in)
        patch.setattr(cublas, "call", stand_in.cublas)
        a, b = (on_gpu(x.T.copy()).T if flip else on_gpu(x) for x, flip in ((a, flip_a), (b, flip_b)))
        got = kernels.product(a, b)
        assert stand_in.launched == ["gemm"]
    close(got, want, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (1, 4, 7), (3, 4), (1, 4), (5, 1, 3), (2, 3, 1, 1)])
def test_gradients_of_biases_are_sums_over_pictures_and_places(cupy, rng, shape, dtype):
    x = rng.standard_normal(shape).astype(dtype)
    close(product.column_sums(on_gpu(x)), x.reshape(*shape[:2], -1).sum(axis=(0, 2)), dtype)
    assert cupy.launched == ["gemv"] * (int(np.prod(shape[2:]) > 1) + (shape[0] > 1))


def test_biases_of_what_is_too_long_for_ones(cupy, rng, monkeypatch):
    monkeypatch.setattr(product, "ONES", 11)
    x = rng.standard_normal((2, 3, 12))
    close(product.column_sums(on_gpu(x)), x.sum(axis=(0, 2)), "float64")
    assert not cupy.launched


@pytest.mark.parametrize("installed", [False, True])
def test_the_algorithms_are_there_where_cupy_is_installed(monkeypatch, installed):
    for names in (gpu_algorithm.known, algorithm._known):
        for name in (*NAMES, "cudnn"):
            monkeypatch.delitem(names, name, raising=False)
    monkeypatch.setattr(gpu, "find_spec", lambda name: name if installed else None)
    assert gpu.register() == installed
    for names in (gpu_algorithm.known, algorithm._known):
        assert (set(NAMES) <= set(names)) == installed


def test_the_stand_in_notices_a_hidden_transfer():
    with pytest.raises(HiddenTransferError):
        float(on_gpu(1.0))


def net_of(rng):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 5, rng=rng),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(300, 10, rng=rng),
    )


def losses(net, x, y, optimizer, *, steps=3, read=host):
    loss = nn.CrossEntropyLoss()
    found = []
    for _ in range(steps):
        prediction = net(x)
        found.append(loss.forward(prediction, y))
        net.zero_grad()
        net.backward_parameters(loss.gradient(prediction, y))
        optimizer(net.parameters()).step()
    return [float(read(one)) for one in found]


@pytest.mark.parametrize(
    "optimizer", [lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.01)], ids=["SGD", "Adam"]
)
def test_a_training_step_reads_no_number_and_learns_the_same(cupy, rng, monkeypatch, optimizer):
    monkeypatch.setattr(ops.loss, "on_gpu", lambda x: isinstance(x, Array))
    x, y = rng.standard_normal((6, 1, 28, 28)).astype("float32"), rng.integers(0, 10, 6)
    want = losses(net_of(np.random.default_rng(1)), x, y, optimizer)
    net = net_of(np.random.default_rng(1))
    for parameter in net.parameters():
        parameter.data = on_gpu(parameter.data)
    cupy.launched.clear()
    got = losses(net, on_gpu(x), on_gpu(y), optimizer)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert all(type(parameter.data) is Array for parameter in net.parameters())
    assert {"gemm", "im2col", "max_pool_backward_tiled", "avg_pool_backward"} <= set(cupy.launched)
    assert {"cross_entropy_forward", "cross_entropy_backward"} <= set(cupy.launched)


def test_a_target_that_is_no_class_shows_in_the_loss_where_it_cannot_be_read(cupy, rng, monkeypatch):
    monkeypatch.setattr(ops.loss, "on_gpu", lambda x: isinstance(x, Array))
    logits, targets = on_gpu(rng.standard_normal((3, 4))), on_gpu([0, 4, 1])
    assert host(ops.cross_entropy_forward(logits, targets)) == -np.inf
