"""Convolution, pooling and training steps on a GPU: what test_gpu_on_a_cpu.py cannot see.

All need a GPU, and all of them run by ``make gpu``. Results are compared with those of the readable ops on NumPy.
"""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import cnnlab
from cnnlab import kernels, nn, ops, optim
from cnnlab.geometry import ConvGeometry, PoolGeometry
from cnnlab.kernels import gpu

from .conftest import Drawn, layers
from .test_gpu_on_a_cpu import SIZES, close, losses, net_of, with_taps
from .test_pooling import pools

pytestmark = pytest.mark.gpu
laws = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
DTYPES = st.sampled_from(["float32", "float64"])
NAMES = ["gpu_im2col", "gpu_direct", "cudnn"]


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    monkeypatch.setenv("CUPY_TF32", "0")


@pytest.fixture
def cupy():
    return cnnlab.backend.gpu.require_cupy()


def there(*arrays):
    return [cnnlab.asarray(np.ascontiguousarray(array), device="gpu") for array in arrays]


def here(x):
    return cnnlab.to_numpy(x)


def needs(name):
    if name not in gpu.known:
        pytest.skip("nvidia-cudnn-frontend is not installed (cnnlab[gpu-cudnn])")


def tolerant(got, want, name, dtype):
    got = here(got)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if want.size:
        allowed = max(gpu.known[name].tolerance[dtype], {"float32": 3e-5, "float64": 1e-12}[dtype])
        assert np.abs(got - want).max() <= allowed * max(1.0, np.abs(want).max())


@pytest.mark.parametrize("name", NAMES)
def test_convolution_equals_the_readable_op(name):
    needs(name)

    @laws
    @given(layers(), DTYPES)
    def law(layer, dtype):
        layer.options["padding_mode"] = "zeros"
        assume(name != "cudnn" or all(before == after for before, after in layer.options["padding"]))
        compare(layer, dtype, name)

    law()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_awkward_sizes(name, case, dtype):
    needs(name)
    compare(Drawn(*SIZES[case], 3), dtype, name)


def compare(layer, dtype, name):
    x, w, b, dy = layer.arrays(dtype)
    want = (
        with_taps(ops.conv_forward, x, w, b, **layer.options),
        *with_taps(ops.conv_backward, dy, x, w, **layer.options),
    )
    x, w, b, dy = there(x, w, b, dy)
    with kernels.use_algorithm(name):
        got = ops.conv_forward(x, w, b, **layer.options), *ops.conv_backward(dy, x, w, **layer.options)
        parameters = ops.conv_backward_parameters(dy, x, w, **layer.options)
        cut_off = ops.conv_relu_forward(x, w, b, **layer.options)
    tolerant(cut_off, np.maximum(want[0], 0), name, dtype)
    for ours, theirs in zip(got, want, strict=True):
        tolerant(ours, theirs, name, dtype)
    for ours, theirs in zip(parameters, want[2:], strict=True):
        tolerant(ours, theirs, name, dtype)


def test_layers_of_real_sizes():
    for x, w, options in (
        ((8, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}),
        ((2, 3, 224, 224), (64, 3, 7, 7), {"padding": 3, "stride": 2}),
        ((16, 256, 14, 14), (512, 256, 1, 1), {}),
        ((4, 96, 28, 28), (96, 1, 3, 3), {"padding": 1, "groups": 96}),
    ):
        compare(Drawn(x, w, options, 9), "float32", "gpu_im2col")


@pytest.mark.skipif("cudnn" not in gpu.known, reason="nvidia-cudnn-frontend is not installed (cnnlab[gpu-cudnn])")
def test_cudnn_is_what_computes_common_layers():
    algorithm = gpu.known["cudnn"]
    algorithm.refused.clear()
    compare(Drawn((4, 16, 28, 28), (32, 16, 3, 3), {"padding": 1}, 2), "float32", "cudnn")
    assert not algorithm.refused


@laws
@given(pools(), st.sampled_from(["ties", "NaN", "infinite"]), st.integers(1, 2), DTYPES)
def test_max_pooling_equals_the_readable_op_bit_by_bit(pool, kind, dilation, dtype):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (2, 3, *shape[2:])).astype(dtype)
    if kind == "NaN":
        x[rng.random(x.shape) < 0.1] = np.nan
    elif kind == "infinite":
        x[rng.random(x.shape) < 0.3] = -np.inf
    options = options | {"dilation": dilation}
    y = with_taps(ops.max_pool_forward, x, kernel, **options)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx = with_taps(ops.max_pool_backward, dy, x, kernel, **options)
    x, dy = there(x, dy)
    np.testing.assert_array_equal(here(ops.max_pool_forward(x, kernel, **options)), y)
    np.testing.assert_array_equal(here(ops.max_pool_backward(dy, x, kernel, **options)), dx)


@laws
@given(pools(), st.booleans(), DTYPES)
def test_average_pooling_equals_the_readable_op(pool, count_include_pad, dtype):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    options = options | {"count_include_pad": count_include_pad}
    x = rng.standard_normal((2, 3, *shape[2:])).astype(dtype)
    y = with_taps(ops.avg_pool_forward, x, kernel, **options)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx = with_taps(ops.avg_pool_backward, dy, x, kernel, **options)
    x, dy = there(x, dy)
    close(here(ops.avg_pool_forward(x, kernel, **options)), y, dtype)
    close(here(ops.avg_pool_backward(dy, x, kernel, **options)), dx, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_activations_equal_the_readable_ops(rng, dtype):
    x, dy = (rng.standard_normal((3, 5, 401)).astype(dtype) for _ in range(2))
    x[0, 0, :4] = np.nan, 0, -0.0, np.inf
    y = np.tanh(np.nan_to_num(x))
    want = with_taps(ops.relu_backward, dy, x), with_taps(ops.tanh_backward, dy, y)
    cut_off = np.maximum(x, 0)
    x, dy, there_y = there(x, dy, y)
    np.testing.assert_array_equal(here(ops.relu_forward(x)), cut_off)
    np.testing.assert_array_equal(here(ops.relu_forward(x[1:])), cut_off[1:])  # not at a multiple of 16 bytes
    np.testing.assert_array_equal(here(ops.relu_backward(dy, x)), want[0])
    close(here(ops.tanh_forward(x))[1:], y[1:], dtype)
    close(here(ops.tanh_backward(dy, there_y)), want[1], dtype)


@pytest.mark.parametrize("shape", [(5, 3, 28, 28), (5, 3, 7, 7), (5, 3)])
@pytest.mark.parametrize("relu", [False, True])
def test_a_bias_is_added_in_place(rng, shape, relu):
    y, b = rng.standard_normal(shape).astype("float32"), rng.standard_normal(3).astype("float32")
    want = y + b.reshape(3, *[1] * (len(shape) - 2))
    target, bias = there(y, b)
    assert gpu.elementwise.add_bias(target, bias, relu=relu) is target
    np.testing.assert_array_equal(here(target), np.maximum(want, 0) if relu else want)


@pytest.mark.parametrize("rule", ["momentum", "adam"])
def test_a_step_in_place_equals_the_step_of_each_parameter(rng, rule):
    shapes = [(20, 3, 5, 5), (20,), (1,), (2000, 10)]
    w, g, m, s = ([*there(*(rng.random(shape).astype("float32") for shape in shapes))] for _ in range(4))
    if rule == "momentum":
        lists, numbers = (w, g, m), {"lr": 0.1, "momentum": 0.9}
    else:
        lists, numbers = (w, g, m, s), {"lr": 0.1, "betas": (0.9, 0.999), "root": 0.1, "eps": 1e-8}
    one_by_one = getattr(gpu.training, f"{rule}_step")
    want = [one_by_one(*each, **numbers) for each in zip(*lists, strict=True)]
    getattr(gpu.training.InPlace(*lists), rule)(**numbers)
    for ours, theirs in zip(zip(w, *lists[2:], strict=True), want, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(here(one), here(other))


@pytest.mark.parametrize("name", NAMES)
def test_same_bits_at_every_run(name, rng):
    needs(name)
    layer = Drawn((32, 16, 28, 28), (32, 16, 3, 3), {"padding": 1}, 6)
    x, w, b, dy = there(*layer.arrays("float32"))
    with kernels.use_algorithm(name):
        runs = [
            [here(one) for one in (ops.conv_forward(x, w, b, padding=1), *ops.conv_backward(dy, x, w, padding=1))]
            for _ in range(5)
        ]
    for run in runs[1:]:
        for ours, theirs in zip(run, runs[0], strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_memory_beyond_the_results_is_bounded(cupy, name):
    needs(name)

    class Peak(cupy.cuda.MemoryHook):
        name = "peak"
        now = most = 0

        def malloc_postprocess(self, *, mem_size, **_):
            self.now += mem_size
            self.most = max(self.most, self.now)

        def free_postprocess(self, *, mem_size, **_):
            self.now -= mem_size

    layer = Drawn((32, 32, 64, 64), (32, 32, 3, 3), {"padding": 1}, 7)
    x, w, b, dy = there(*layer.arrays("float32"))
    with kernels.use_algorithm(name):
        plan = kernels.explain_plan(ConvGeometry.of_weight(w.shape, padding=1), x.shape, device="gpu")
    limit = max(step.workspace for step in plan.steps)
    with kernels.use_algorithm(name):
        ops.conv_backward(dy, x, w, padding=1)  # what is made once
        with Peak() as hook:
            y = ops.conv_forward(x, w, b, padding=1)
            assert hook.most <= limit + 2 * y.nbytes
        with Peak() as hook:
            gradients = ops.conv_backward(dy, x, w, padding=1)
            assert hook.most <= limit + 2 * sum(one.nbytes for one in gradients)


def trained(net, x, y, optimizer):
    loss = nn.CrossEntropyLoss()

    def step():
        prediction = net(x)
        value = loss.forward(prediction, y)
        net.zero_grad()
        net.backward_parameters(loss.gradient(prediction, y))
        optimizer.step()
        return value

    return step


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_training_step_neither_waits_nor_copies_to_the_host(cupy, rng, kind):
    """While CUDA records a stream, whatever would wait for it or copy to the host is an error."""
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, rng=rng),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 49, 10, rng=rng),
    ).to("gpu")
    x, y = there(rng.standard_normal((64, 1, 28, 28)).astype("float32"), rng.integers(0, 10, 64))
    optimizer = (
        optim.SGD(net.parameters(), lr=0.01, momentum=0.9) if kind == "SGD" else optim.Adam(net.parameters(), lr=0.01)
    )
    step = trained(net, x, y, optimizer)
    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.runtime.deviceSynchronize()
    with stream:
        for _ in range(3):  # compiles kernels, makes handles, fills the pool of memory
            step()
        stream.synchronize()
        stream.begin_capture()
        try:
            step()
        finally:
            recorded = stream.end_capture()
        assert recorded is not None


def test_capturing_notices_what_waits(cupy):
    x = cupy.ones(3)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        (x + 1).sum()
        stream.synchronize()
        stream.begin_capture()
        try:
            with pytest.raises(Exception, match=r"(?i)captur"):
                float(x[0])
        finally:
            with suppress(Exception):  # the capture is broken, as it should be
                stream.end_capture()


@pytest.mark.parametrize(
    "optimizer", [lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.01)], ids=["SGD", "Adam"]
)
def test_training_goes_as_on_the_cpu(rng, optimizer):
    x, y = rng.standard_normal((6, 1, 28, 28)).astype("float32"), rng.integers(0, 10, 6)
    want = losses(net_of(np.random.default_rng(1)).to("cpu"), x, y, optimizer)
    got = losses(net_of(np.random.default_rng(1)).to("gpu"), *there(x, y), optimizer, read=here)
    np.testing.assert_allclose(got, want, rtol=1e-3)


def test_kernels_are_what_computes(cupy, rng, monkeypatch):
    started = []
    start = gpu.device.start
    monkeypatch.setattr(gpu.device, "start", lambda name, *rest: (started.append(name), start(name, *rest)))
    x, w = there(rng.standard_normal((2, 3, 9, 8)), rng.standard_normal((20, 3, 3, 3)))
    with kernels.use_algorithm("gpu_im2col"):
        kernels.conv_forward(x, w, None, ConvGeometry.of_weight(w.shape))
    kernels.max_pool_forward(x, PoolGeometry((2, 2)))
    assert started == ["im2col", "put_in_place", "max_pool_forward"]
