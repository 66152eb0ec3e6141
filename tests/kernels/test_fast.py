"""The kernels that numba compiles: equal to the readable op, chosen by themselves, and never needed."""

import os
import subprocess
import sys
import threading
import tracemalloc
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import fast, planner
from cnnlab.kernels.algorithm import algorithms
from cnnlab.kernels.fast import winograd
from cnnlab.kernels.fast.plans import weight_plan
from cnnlab.kernels.fast.sharing import shares

from .conftest import layers

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed (the extra cnnlab[fast])")
laws = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
COMPILED = ["direct", "winograd_compiled", "depthwise_compiled", "narrow"]
DRAWN = {"winograd_compiled": st.one_of(layers(kernel=(3, 3), dense=True), layers(kernel=(5, 5), dense=True))}
# Sizes with awkward rests: of channels by 16 and 32, of rows by 14, of maps by pieces.
SHAPES = {
    "rest of channels": ((2, 17, 13, 15), (31, 17, 3, 3), {"padding": 1}),
    "several blocks": ((1, 5, 9, 30), (70, 5, 3, 2), {"padding": (0, 1)}),
    "three vectors of filters": ((2, 9, 11, 13), (41, 9, 3, 3), {"padding": 1}),
    "three vectors of channels": ((5, 45, 14, 13), (90, 45, 3, 3), {"padding": 1}),
    "channels in several parts": ((1, 300, 15, 17), (35, 300, 3, 3), {"padding": 1}),
    "wide padding": ((2, 4, 5, 21), (20, 4, 3, 3), {"padding": (2, 19)}),
    "wide padding, strided": ((2, 4, 5, 21), (20, 4, 3, 2), {"padding": (1, 17), "stride": (1, 2)}),
    "short sums": ((3, 2, 9, 29), (21, 2, 3, 3), {"padding": 1}),
    "many pieces": ((1, 40, 70, 61), (33, 40, 3, 3), {"padding": 1}),
    "no padding": ((3, 20, 12, 29), (48, 20, 3, 3), {}),
    "strided": ((2, 6, 41, 38), (40, 6, 5, 3), {"stride": (2, 3), "padding": (2, 1)}),
    "strided, many channels": ((3, 40, 13, 75), (33, 40, 3, 3), {"stride": 2, "padding": 1}),
    "strided, few places": ((1, 80, 6, 5), (40, 80, 3, 2), {"stride": (2, 1), "padding": (1, 0)}),
    "strided, groups": ((2, 72, 9, 10), (16, 36, 3, 3), {"stride": 2, "groups": 2}),
    "strided, 3-D": ((1, 20, 5, 6, 7), (17, 20, 2, 3, 3), {"stride": (2, 1, 3), "padding": 1}),
    "strided, places that no tap sees": ((2, 20, 11, 13), (18, 20, 2, 1), {"stride": 3}),
    "dilated": ((2, 6, 31, 28), (40, 6, 3, 3), {"dilation": (2, 3), "padding": 2}),
    "groups": ((2, 24, 11, 9), (60, 8, 3, 3), {"groups": 3, "padding": 1}),
    "1×1": ((2, 33, 7, 9), (40, 33, 1, 1), {}),
    "1×1 strided": ((2, 33, 9, 9), (40, 33, 1, 1), {"stride": 2}),
    "1-D": ((3, 7, 131), (19, 7, 25), {"padding": 12}),
    "3-D": ((2, 5, 6, 9, 12), (18, 5, 3, 2, 3), {"padding": 1}),
    "small maps": ((20, 16, 5, 5), (32, 16, 3, 3), {"padding": 1}),
    "many tiles": ((3, 37, 17, 22), (50, 37, 3, 3), {"padding": (2, 0)}),
    "many tiles, 5×5": ((3, 37, 15, 22), (50, 37, 5, 5), {"padding": (2, 0)}),
    "groups, 5×5": ((2, 36, 11, 9), (70, 18, 5, 5), {"groups": 2, "padding": 2}),
    "depthwise": ((2, 9, 23, 40), (18, 1, 3, 3), {"padding": 1, "groups": 9}),
    "depthwise strided": ((2, 5, 23, 67), (5, 1, 3, 5), {"padding": 1, "groups": 5, "stride": (1, 2)}),
    "depthwise 3-D": ((2, 3, 5, 7, 9), (6, 1, 3, 2, 3), {"padding": 1, "groups": 3, "dilation": (1, 2, 1)}),
    "depthwise stride 2": ((2, 5, 21, 70), (5, 1, 3, 3), {"padding": 1, "groups": 5, "stride": 2}),
    "depthwise stride 2, even": ((3, 4, 14, 9), (4, 1, 2, 3), {"padding": (0, 2), "groups": 4, "stride": 2}),
    "depthwise 5×5": ((2, 3, 12, 33), (3, 1, 5, 5), {"padding": (2, 1), "groups": 3, "stride": 2}),
    "depthwise stride 3": ((2, 3, 17, 35), (6, 1, 4, 3), {"padding": 1, "groups": 3, "stride": (3, 1)}),
    "few filters": ((3, 5, 23, 37), (7, 5, 3, 4), {"padding": 1, "stride": (1, 2)}),
    "few filters, small maps": ((3, 5, 11, 9), (10, 5, 5, 5), {"padding": 2}),
    "one vector of filters, 7×7": ((3, 3, 24, 22), (16, 3, 7, 7), {"padding": 3}),
    "one vector of filters, odd sizes": ((3, 5, 13, 21), (13, 5, 4, 5), {"padding": (2, 1)}),
    "one vector of filters, 3-D": ((2, 5, 6, 9, 12), (14, 5, 3, 2, 3), {"padding": 1}),
    "one vector of filters, 1-D": ((3, 7, 65), (14, 7, 6), {}),
    "stride 4, at the border": ((2, 3, 30, 150), (20, 3, 5, 6), {"stride": (1, 4), "padding": (0, 5)}),
    "stride 4, short rows": ((2, 3, 9, 21), (20, 3, 3, 5), {"stride": 4, "padding": 2}),
    "11 wide": ((1, 3, 47, 52), (64, 3, 11, 11), {"stride": 4, "padding": 2}),
    "wide channels": ((1, 300, 7, 7), (96, 300, 3, 3), {"padding": 1}),
}


@pytest.fixture(autouse=True)
def compiled_are_allowed(settings_are_put_back):
    with kernels.allow_compiled(True):
        yield


def close(got, want, tolerance):
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    assert np.abs(got - want).max(initial=0) <= tolerance * max(1.0, np.abs(want).max(initial=0))


def numbers(x_shape, w_shape, options, rng):
    x, w, b = (rng.standard_normal(shape).astype(np.float32) for shape in (x_shape, w_shape, w_shape[:1]))
    with kernels.use_algorithm("taps"):
        y = ops.conv_forward(x, w, b, **options)
        dy = rng.standard_normal(y.shape).astype(np.float32)
        return (x, w, b, dy), (y, *ops.conv_backward(dy, x, w, **options))


def computed(x, w, b, dy, options):
    return ops.conv_forward(x, w, b, **options), *ops.conv_backward(dy, x, w, **options)


def each_alone(layer):
    """Return the layer with filters that see one channel each."""
    x, w, G = layer.x, layer.w, layer.x[1]
    return type(layer)(x, (G * w[0], 1, *w[2:]), {**layer.options, "groups": G}, layer.seed)


def refused(name, x_shape, w_shape, options, work="forward"):
    layer = kernels.planner.layer_of(ConvGeometry.of_weight(w_shape, **options))
    return kernels.planner.fault(algorithms()[name], layer.case(x_shape, w_shape, "float32", work))


@needs_numba
@pytest.mark.parametrize("name", COMPILED)
def test_equal_to_the_readable_op_over_drawn_layers(name):
    @laws
    @given(DRAWN.get(name, layers()), st.sampled_from([1, 2]))
    def law(layer, threads):
        if name == "depthwise_compiled":
            layer = each_alone(layer)
        x, w, b, dy = layer.arrays("float32")
        with kernels.use_algorithm("taps"):
            want = computed(x, w, b, dy, layer.options)
        if refused(name, x.shape, w.shape, layer.options):
            return
        with kernels.use_algorithm(name), kernels.use_threads(threads):
            got = computed(x, w, b, dy, layer.options)
            np.testing.assert_array_equal(ops.conv_relu_forward(x, w, b, **layer.options), np.maximum(got[0], 0))
        for ours, theirs in zip(got, want, strict=True):
            close(ours, theirs, max(3e-5, algorithms()[name].tolerance["float32"]))

    law()


@pytest.mark.parametrize("wide", [8, 16])
@pytest.mark.parametrize("name", [name for name in SHAPES if name.startswith("one vector")])
def test_the_tables_of_a_gradient_say_which_numbers_to_sum(name, wide, rng):
    x_shape, w_shape, options = SHAPES[name]
    layer = planner.layer_of(ConvGeometry.of_weight(w_shape, **options))
    cut = weight_plan(layer.case(x_shape, w_shape, "float32", "grad_weight"), layer.pads, wide)
    g, (_, places, vectors, run, apart) = cut.plan.numbers, map(len, cut.tile)
    assert g.pieces == 1
    if wide == 16:
        assert (vectors, run > 1, apart) == (1, "odd" not in name, "1-D" not in name)
    x = np.pad(rng.standard_normal((g.pictures, *x_shape[1:])), [(0, 0), (0, 0), *layer.pads])
    dy = rng.standard_normal(ops.conv_forward(x, np.zeros(w_shape)).shape)
    _, dw, _ = ops.conv_backward(dy, x, np.zeros(w_shape))
    box = np.zeros(cut.box)
    for i, one in enumerate(x.reshape(-1, *x.shape[2:])):
        box[i * g.plane :][: one.size] = one.ravel()
    seen = (cut.offsets[:, None] // 4 + np.arange(run)).ravel()
    upstream = np.moveaxis(dy, 1, -1).reshape(-1, w_shape[0])
    sums = [box[line // 4 + place + seen] @ upstream for line in cut.line_offsets for place in range(g.places)]
    np.testing.assert_allclose(np.array(sums)[cut.taps].T.reshape(w_shape), dw, atol=1e-10)
    assert g.lines == len(cut.line_offsets)
    assert g.places % places == 0


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("C", [16, 32, 100])
@pytest.mark.parametrize("size", [5, 14])
def test_threads_get_about_as_many_pictures_of_tiles(size, C, threads):
    for batch in range(1, 80):
        geometry = ConvGeometry.of_weight((32, C, 3, 3), padding=1)
        case = planner.layer_of(geometry).case((batch, C, size, size), (32, C, 3, 3), "float32", "forward")
        g = winograd._plan(case, (1, 1), (size, size), 16, threads)
        pictures = [batch * (i + 1) // g.chunks - batch * i // g.chunks for i in range(g.chunks)]
        assert max(pictures) == g.pictures
        assert min(pictures) > 0
        work = [sum(pictures[units]) for units, _ in shares(g.chunks, g.blocks, threads)]
        assert max(work) - min(work) <= 1


@needs_numba
@pytest.mark.parametrize("name", SHAPES)
def test_shares_write_nothing_of_each_other(name, rng):
    x_shape, w_shape, options = SHAPES[name]
    arrays, _ = numbers(x_shape, w_shape, options, rng)
    with kernels.use_threads(3):
        first = computed(*arrays, options)
        for _ in range(30):  # one share is rarely so late that it spoils what another has written
            for ours, again in zip(first, computed(*arrays, options), strict=True):
                np.testing.assert_array_equal(ours, again)


@needs_numba
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("which", [*COMPILED, "auto"])
def test_equal_at_awkward_sizes(name, threads, which, rng):
    x_shape, w_shape, options = SHAPES[name]
    arrays, want = numbers(x_shape, w_shape, options, rng)
    if which != "auto" and (why := refused(which, x_shape, w_shape, options)):
        pytest.skip(why)
    before = [a.copy() for a in arrays]
    with kernels.use_algorithm(which), kernels.use_threads(threads):
        got, again = computed(*arrays, options), computed(*arrays, options)
        cut_off = ops.conv_relu_forward(*arrays[:3], **options)
    np.testing.assert_array_equal(cut_off, np.maximum(got[0], 0))
    for ours, theirs, second in zip(got, want, again, strict=True):
        close(ours, theirs, 1e-4 if which == "auto" else max(3e-5, algorithms()[which].tolerance["float32"]))
        np.testing.assert_array_equal(ours, second)  # the same bits twice
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)  # inputs are not changed


@needs_numba
@pytest.mark.parametrize("which", COMPILED)
@pytest.mark.parametrize("name", ["no padding", "few filters", "depthwise", "depthwise 3-D"])
def test_a_relu_in_the_same_pass_keeps_nan_and_cuts_off_infinity(which, name, rng):
    x_shape, w_shape, options = SHAPES[name]
    (x, w, b, _), _ = numbers(x_shape, w_shape, options, rng)
    if why := refused(which, x.shape, w.shape, options):
        pytest.skip(why)
    x[0, 0, ..., 2] = np.nan
    x[1, 0, ..., 3] = -np.inf
    with kernels.use_algorithm(which):
        y = ops.conv_forward(x, w, b, **options)
        cut_off = ops.conv_relu_forward(x, w, b, **options)
    assert np.isnan(y).any()
    assert not np.isnan(y).all()
    np.testing.assert_array_equal(cut_off, np.maximum(y, 0))


@needs_numba
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_spread_over_a_window_does_not_reach_beyond_it(value, rng):
    x_shape, w_shape, options = (2, 6, 14, 14), (16, 6, 5, 5), {}
    (x, w, _, dy), _ = numbers(x_shape, w_shape, options, rng)
    dy[1, 3, 4, 5] = value
    plan = kernels.explain_plan(ConvGeometry.of_weight(w_shape), (64, *x_shape[1:]))
    assert plan["grad_input"] == "narrow"
    with kernels.use_algorithm("narrow"):
        dx, _, _ = ops.conv_backward(dy, x, w)
    wanted = np.zeros(x_shape, bool)
    wanted[1, :, 4:9, 5:10] = True
    np.testing.assert_array_equal(~np.isfinite(dx), wanted)


@needs_numba
@pytest.mark.parametrize("threads", [1, 2])
def test_with_a_stride_an_infinite_gradient_reaches_its_window_alone(threads, rng):
    x_shape, w_shape, options = (3, 20, 15, 18), (24, 20, 3, 3), {"stride": 2, "padding": 1}
    (x, w, _, dy), _ = numbers(x_shape, w_shape, options, rng)
    dy[1, 3, 4, 5] = np.inf
    with kernels.use_algorithm("direct"), kernels.use_threads(threads):
        dx, _, _ = ops.conv_backward(dy, x, w, **options)
    wanted = np.zeros(x_shape, bool)
    wanted[1, :, 7:10, 9:12] = True
    np.testing.assert_array_equal(~np.isfinite(dx), wanted)


@needs_numba
def test_with_a_stride_the_way_back_is_woven_in_little_memory():
    layer = ConvGeometry((3, 3), in_channels=32, out_channels=48, padding=1, stride=2)
    plan = kernels.explain_plan(layer, (16, 32, 128, 128))
    assert [step.algorithm for step in plan.steps if step.work == "grad_input"] == ["direct"]
    x, w, dy = (np.ones(shape, np.float32) for shape in ((16, 32, 128, 128), (48, 32, 3, 3), (16, 48, 64, 64)))
    ops.conv_backward(dy, x, w, stride=2, padding=1)
    kernels.workspace_limit(kernels.workspace_limit())  # lets go of what is kept
    tracemalloc.start()
    try:
        dx, _, _ = ops.conv_backward(dy, x, w, stride=2, padding=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < dx.nbytes + 16 * 2**20
    assert "too large" in refused("direct", (1, 32, 4096, 4096), w.shape, {"stride": 2}, "grad_input")


@needs_numba
def test_views_are_read_where_they_lie(rng):
    x = np.asarray(rng.standard_normal((3, 30, 14, 20)), np.float32)
    w = np.asarray(rng.standard_normal((5, 3, 20, 16)), np.float32)
    x, w = x[:, ::-2, :, 2:], w.transpose(3, 2, 1, 0)[:, :15, :, ::2]  # (3, 15, 14, 18), (16, 15, 3, 3)
    with kernels.use_algorithm("taps"):
        want = ops.conv_forward(x, w), *ops.conv_backward(np.ones((3, 16, 12, 16), np.float32), x, w)
    with kernels.use_algorithm("direct"):
        got = ops.conv_forward(x, w), *ops.conv_backward(np.ones((3, 16, 12, 16), np.float32), x, w)
    for ours, theirs in zip(got, want, strict=True):
        close(ours, theirs, 3e-5)


@needs_numba
def test_several_threads_may_compute_at_once(rng):
    arrays, want = numbers(*SHAPES["rest of channels"], rng)
    results = []

    def work():
        for _ in range(10):
            results.append(computed(*arrays, SHAPES["rest of channels"][2]))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 40
    for result in results:
        for ours, theirs in zip(result, want, strict=True):
            close(ours, theirs, 3e-5)


@needs_numba
def test_chosen_by_itself_for_float32_alone_and_can_be_ruled_out():
    layer, shape = ConvGeometry((7, 7), in_channels=20, out_channels=32, padding=3), (4, 20, 30, 30)
    plan = kernels.explain_plan(layer, shape)
    assert {plan[work] for work in ("forward", "grad_input", "grad_weight")} == {"direct"}
    others = set(algorithms()) - set(COMPILED)
    assert kernels.explain_plan(layer, shape, dtype="float64")["forward"] in others
    with kernels.allow_compiled(False):
        plan = kernels.explain_plan(layer, shape)
    assert {plan[work] for work in ("forward", "grad_input", "grad_weight")} <= others
    with pytest.raises(TypeError, match="must be True or False, not 1"):
        kernels.allow_compiled(1)


@needs_numba
@pytest.mark.parametrize(("C", "M", "name"), [(14, 14, "direct"), (16, 16, "direct"), (24, 24, "winograd_compiled")])
def test_winograd_is_for_channels_whose_transforms_pay(C, M, name):
    layer = ConvGeometry((3, 3), in_channels=C, out_channels=M, padding=1)
    plan = kernels.explain_plan(layer, (8, C, 32, 32))
    assert {plan[work] for work in ("forward", "grad_input", "grad_weight")} == {name}


@st.composite
def pools(draw):
    """Draw shapes and options of a pooling layer; half of them are the pairs that have loops of their own."""
    rank = draw(st.integers(1, 3))
    spatial = draw(st.tuples(*[st.integers(4, {1: 300, 2: 24, 3: 9}[rank])] * rank))
    if rank == 2 and draw(st.booleans()):
        return (9, 3, *spatial), 2, {}
    kernel = draw(st.tuples(*[st.integers(1, 3)] * rank))
    stride = draw(st.none() | st.tuples(*[st.integers(1, 4)] * rank))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    return (9, 3, *spatial), kernel, {"stride": stride, "padding": padding, "ceil_mode": draw(st.booleans())}


@needs_numba
@laws
@given(pools(), st.sampled_from(["float32", "float64"]), st.integers(0, 2**32 - 1))
def test_pooling_equals_the_readable_op_with_ties_and_nan(pool, dtype, seed):
    shape, kernel, options = pool
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape).astype(dtype)  # many ties
    x[rng.random(x.shape) < 0.03] = np.nan
    x[rng.random(x.shape) < 0.05] = -np.inf
    plain = rng.standard_normal(shape).astype(dtype)
    with kernels.use_algorithm("taps"):
        y = ops.max_pool_forward(x, kernel, **options)
        dy = rng.standard_normal(y.shape).astype(dtype)
        dx = ops.max_pool_backward(dy, x, kernel, **options)
        mean = ops.avg_pool_forward(plain, kernel, **options)
        spread = ops.avg_pool_backward(dy, plain, kernel, **options)
    for threads in (1, 2):
        with kernels.use_threads(threads):
            np.testing.assert_array_equal(ops.max_pool_forward(x, kernel, **options), y)
            close(ops.max_pool_backward(dy, x, kernel, **options), dx, 1e-6)
            close(ops.avg_pool_forward(plain, kernel, **options), mean, 1e-6)
            close(ops.avg_pool_backward(dy, plain, kernel, **options), spread, 1e-6)


@needs_numba
@pytest.mark.parametrize(("rank", "kernel"), [(2, 2), (2, 3), (1, 2), (3, 2)])
def test_the_way_back_of_max_pooling_is_compiled(rank, kernel, monkeypatch):
    x = np.arange(3 * 9**rank * 200, dtype=np.float32).reshape(200, 3, *[9] * rank)
    monkeypatch.setattr(kernels.pooling, "_levels", None)  # which NumPy's way needs
    y = np.ones((200, 3, *[(9 - kernel) // kernel + 1] * rank), np.float32)
    assert ops.max_pool_backward(y, x, kernel).sum() == y.size


@needs_numba
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_ways_back_of_activations_equal_the_readable_ones(rng, dtype, threads, monkeypatch):
    x, dy = (rng.standard_normal((7, 800, 101)).astype(dtype) for _ in range(2))
    odd = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40]
    for array in (x, dy):
        array.reshape(-1)[::97] = np.resize(odd, array.reshape(-1)[::97].shape)
    y = np.tanh(x)
    with np.errstate(invalid="ignore"), kernels.use_threads(threads):
        with kernels.use_algorithm("taps"):
            wanted = ops.relu_backward(dy, x), ops.tanh_backward(dy, y)
        monkeypatch.setattr(kernels.elementwise, "_BITS", {"f": None, "d": None})  # which NumPy's way needs
        np.testing.assert_array_equal(ops.relu_backward(dy, x), wanted[0])
        np.testing.assert_allclose(ops.tanh_backward(dy, y), wanted[1], rtol=1e-6 if dtype == "float32" else 1e-14)


def test_the_setting_forces_or_leaves_out():
    assert fast.wanted("fast", installed=True)
    assert fast.wanted("auto", installed=True)
    assert not fast.wanted(None, installed=False)
    assert not fast.wanted("numpy", installed=True)
    with pytest.raises(ImportError, match=r'CNNLAB_KERNELS=fast needs numba.*pip install "cnnlab\[fast\]"'):
        fast.wanted("fast", installed=False)
    with pytest.raises(ValueError, match="CNNLAB_KERNELS=quick is no setting"):
        fast.wanted("quick", installed=True)


def run(code, **environment):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True).stdout


LAYER = """
import sys
import numpy as np
import cnnlab
from cnnlab import kernels, ops
assert "numba" not in sys.modules
x, w = np.ones((2, 9, 30, 31), np.float32), np.ones((33, 9, 3, 3), np.float32)
y = ops.conv_forward(x, w, padding=1)
print(*kernels.algorithm.algorithms(), y.sum(), "numba" in sys.modules)
"""


def test_import_is_light_and_without_them_everything_is_numpys():
    assert "direct" not in run(LAYER, CNNLAB_KERNELS="numpy")
    assert run(LAYER, CNNLAB_KERNELS="numpy").endswith("False\n")
    hidden = "import importlib.util as u; f = u.find_spec\n"
    hidden += "u.find_spec = lambda n, *a: None if n == 'numba' else f(n, *a)\n"
    assert run(hidden + LAYER) == run(LAYER, CNNLAB_KERNELS="numpy")


@needs_numba
def test_a_processor_with_avx2_alone_has_a_tile_too_and_others_none():
    features = "+avx2,+fma,+avx,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+bmi,+bmi2"
    code = """
import numpy as np
from cnnlab import kernels, ops
from cnnlab.kernels.fast import vectors
rng = np.random.default_rng(0)
print(vectors.LANES, end=" ")
known = kernels.algorithm.algorithms()
for name, x, w, options in (
    ("direct", (2, 9, 13, 15), (21, 9, 3, 3), {"padding": 1}),
    ("winograd_compiled", (2, 9, 13, 15), (21, 9, 3, 3), {"padding": 1}),
    ("winograd_compiled", (2, 9, 13, 15), (21, 9, 5, 5), {"padding": 2}),
    ("narrow", (2, 3, 13, 19), (5, 3, 3, 3), {"padding": 1, "stride": (1, 2)}),
    ("depthwise_compiled", (2, 5, 21, 19), (5, 1, 3, 3), {"padding": 1, "stride": 2, "groups": 5}),
    ("depthwise_compiled", (2, 3, 21, 19), (6, 1, 3, 3), {"padding": 1, "groups": 3}),
):
    x, w, b = (rng.standard_normal(s).astype("f4") for s in (x, w, w[0]))
    kernels.use_algorithm("taps")
    y = ops.conv_forward(x, w, b, **options)
    want = y, *ops.conv_backward(y, x, w, **options)
    kernels.use_algorithm("auto")
    if name == "direct":
        plan = kernels.explain_plan(cnnlab.geometry.ConvGeometry.of_weight(w.shape, padding=1), x.shape)
        print(plan["forward"], plan["grad_weight"], end=" ")
    kernels.use_algorithm(name if name in known and vectors.LANES else "auto")
    got = ops.conv_forward(x, w, b, **options), *ops.conv_backward(y, x, w, **options)
    print(all(np.abs(a - c).max() <= 1e-4 * np.abs(c).max() for a, c in zip(got, want)), end=" ")
"""
    got = run("import cnnlab" + code, NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES=features)
    assert got.split() == ["8", "direct", "direct", *["True"] * 6]
    got = run("import cnnlab" + code, NUMBA_CPU_NAME="nehalem", NUMBA_CPU_FEATURES="+sse,+sse2").split()
    assert got[0] == "0"
    assert "direct" not in got
    assert got[-6:] == ["True"] * 6


@needs_numba
def test_compiled_once_and_kept_on_disk():
    code = LAYER + "from cnnlab.kernels.fast import loops; print(sum(loops.forward.stats.cache_misses.values()))"
    run(code)
    assert run(code).endswith("\n0\n")


@needs_numba
@pytest.mark.parametrize(
    "trouble",
    [
        "import numba.core.caching as c; c.CompileResultCacheImpl._locator_classes = []",  # no place to write
        "import sys; sys.modules['numba.extending'] = None",  # as a numba that refuses this NumPy
    ],
)
def test_where_numba_cannot_work_numpy_computes(trouble):
    code = """
import numpy as np
from cnnlab import kernels, nn, ops
x, w = np.ones((2, 9, 30, 31), np.float32), np.ones((33, 9, 3, 3), np.float32)
name = kernels.explain_plan(nn.Conv2d(9, 33, 3), x.shape)["forward"]
print(name, ops.conv_forward(x, w).sum() == 2 * 33 * 28 * 29 * 81)
ops.max_pool_forward(x[..., :30], 2)
"""
    name, right = run(f"{trouble}\n{code}").split()
    assert name not in COMPILED
    assert right == "True"


@needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_computes_on():
    code = """
import os
kernels.use_threads(2)
x = np.ones((8, 9, 60, 60), np.float32)
before = ops.conv_forward(x, w)
child = os.fork()
if child == 0:
    os._exit(0 if (ops.conv_forward(x, w) == before).all() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run("import warnings; warnings.simplefilter('ignore')\n" + LAYER + code).endswith("\n0\n")


@needs_numba
@pytest.mark.parametrize(
    ("x", "w", "options", "expected"),
    [
        ((4, 64, 56, 56), (64, 64, 1, 1), {}, "pointwise pointwise pointwise"),
        ((1, 512, 7, 7), (512, 512, 3, 3), {"padding": 1}, "im2col batch_last im2col"),
        ((1, 256, 14, 14), (256, 256, 3, 3), {"padding": 1}, "winograd_compiled winograd_compiled winograd_compiled"),
    ],
)
def test_what_is_left_to_blas_with_registers_of_eight(monkeypatch, x, w, options, expected):
    monkeypatch.setattr(fast, "lanes", lambda: 8)
    planner._choose.cache_clear()
    try:
        plan = kernels.explain_plan(ConvGeometry.of_weight(w, **options), x)
        works = ("forward", "grad_input", "grad_weight")
        assert " ".join(plan[work] for work in works) == expected
    finally:
        planner._choose.cache_clear()
