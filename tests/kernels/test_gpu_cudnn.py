"""What cuDNN is asked for, and what happens where it refuses: with a stand-in for its frontend package.

The stand-in has the few functions that are called, with the names of their arguments, and computes by the readable ops.
The first test asks the real package, where it is installed, whether it knows these calls; it needs no GPU.
"""

import ctypes
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_laws

from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import algorithm, gpu
from cnnlab.kernels.gpu import algorithm as gpu_algorithm
from cnnlab.kernels.gpu import convolution, cublas, cudnn_plan, device, settings
from cnnlab.kernels.gpu import cudnn as gpu_cudnn

from .conftest import Drawn, layers
from .gpu_stand_in import COMPILER, StandIn, host, on_gpu
from .test_gpu_on_a_cpu import forget_choices

laws = settings_of_laws(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


class Tensor:
    def __init__(self, dim=None, stride=None):
        self.dim, self.stride, self.is_output = dim, stride, False

    def get_uid(self):
        return id(self)

    def set_output(self, value):
        self.is_output = value
        return self

    def set_data_type(self, kind):
        self.kind = kind
        return self

    def set_dim(self, dim):
        assert self.dim is None or self.dim == dim
        self.dim = dim
        return self

    def set_stride(self, stride):
        self.stride = stride
        return self

    def array(self, address):
        size, kind = int(np.prod(self.dim)), np.dtype(self.kind)
        assert self.stride == [int(np.prod(self.dim[axis + 1 :])) for axis in range(len(self.dim))]
        return np.frombuffer((ctypes.c_char * (size * kind.itemsize)).from_address(address), kind).reshape(self.dim)


class Graph:
    def __init__(self, module, io_data_type, intermediate_data_type, compute_data_type, handle):
        assert io_data_type == intermediate_data_type == compute_data_type
        self.module, self.done = module, []
        assert handle is module.the_handle

    def tensor(self, name, dim, stride, data_type):
        return Tensor(dim, stride).set_data_type(data_type)

    def conv_fprop(self, *, image, weight, pre_padding, post_padding, stride, dilation):
        return self._operation("fprop", image, weight, (pre_padding, post_padding, stride, dilation))

    def conv_wgrad(self, *, image, loss, pre_padding, post_padding, stride, dilation):
        return self._operation("wgrad", image, loss, (pre_padding, post_padding, stride, dilation))

    def conv_dgrad(self, *, loss, filter, pre_padding, post_padding, stride, dilation):  # noqa: A002  (its name)
        return self._operation("dgrad", loss, filter, (pre_padding, post_padding, stride, dilation))

    def _operation(self, what, first, second, options):
        self.what, self.inputs, self.output = what, (first, second), Tensor()
        pre, post, stride, dilation = options
        assert len(first.dim) >= 4
        assert len(pre) == len(post) == len(stride) == len(dilation) == len(first.dim) - 2
        self.options = {
            "padding": tuple(zip(pre, post, strict=True)),
            "stride": tuple(stride),
            "dilation": tuple(dilation),
        }
        return self.output

    def _step(self, name):
        def do(*arguments):
            self.done.append(name)
            if name == "check_support" and self.what in self.module.refuses:
                raise self.module.cudnnGraphNotSupportedError("no engine")
            if name == "deselect_numeric_notes":
                self.module.notes.append(set(*arguments))

        return do

    def __getattr__(self, name):
        if name.startswith("_"):
            return self._inner(name)
        return self._step(name)

    def _inner(self, name):
        """Return a part of the package's inside, which another version may not have."""
        tensors = [self.output, *self.inputs]  # in some order of its own
        inside = {
            "_variant_pack_uids": lambda: list(map(id, tensors)),
            "_materialize_backend_plan": lambda number: SimpleNamespace(cpp_index=number + 100),
            "_lowered_graph": SimpleNamespace(_execute_with_raw_ptrs=self._execute),
        }
        if not self.module.has_inside or name not in inside:
            raise AttributeError(name)
        return inside[name]

    def _execute(self, address, count, workspace, handle, place):
        assert handle == self.module.the_handle.backend_handle
        addresses = (ctypes.c_void_p * count).from_address(address)
        pack = dict(zip([self.output, *self.inputs], addresses, strict=True))
        self.execute_plan_at_index(pack, workspace, place - 100, self.module.the_handle)

    def get_execution_plan_count(self):
        return len(self.module.plans)

    def get_plan_name_at_index(self, number):
        return self.module.names[number]

    def build_plan_at_index(self, number):
        if self.module.plans[number] is None:
            raise self.module.cudnnGraphNotSupportedError("ruled out")

    def get_workspace_size_plan_at_index(self, number):
        return self.module.plans[number]

    def execute_plan_at_index(self, pack, workspace, number, handle):
        assert handle is self.module.the_handle
        assert self.done == [
            "validate",
            "build_operation_graph",
            "create_execution_plans",
            "deselect_numeric_notes",
            "deselect_workspace_greater_than",
            "check_support",
        ]
        assert workspace
        assert self.module.plans[number] is not None
        self.module.ran.append(number)
        assert self.output.is_output
        first, second, out = (tensor.array(pack[tensor]) for tensor in (*self.inputs, self.output))
        w = out if self.what == "wgrad" else second
        x_channels = (out if self.what == "dgrad" else first).shape[1]
        options = self.options | {"groups": x_channels // w.shape[1]}
        with kernels.use_algorithm("taps"):
            if self.what == "fprop":
                out[...] = ops.conv_forward(first, second, **options)
            elif self.what == "wgrad":
                out[...] = ops.conv_backward(second, first, np.zeros_like(out), **options)[1]
            else:
                out[...] = ops.conv_backward(first, np.zeros_like(out), second, **options)[0]
        self.module.executed.append(self.what)


@pytest.fixture(params=["its inside is as known", "its inside is another"])
def cudnn(request, monkeypatch, tmp_path):
    module = SimpleNamespace(
        data_type=SimpleNamespace(FLOAT="float32", DOUBLE="float64"),
        heur_mode=SimpleNamespace(A="A", FALLBACK="fallback"),
        numerical_note=SimpleNamespace(
            NONDETERMINISTIC="nondeterministic",
            TENSOR_CORE="tensor core",
            DOWN_CONVERT_INPUTS="down",
        ),
        plans=[None, 24, 0],  # the bytes that they want to work in; None where a plan cannot be built
        ran=[],
        names=["eng1_k2=0", "eng1_k2=1", "eng70"],
        cudnnGraphNotSupportedError=type("cudnnGraphNotSupportedError", (Exception,), {}),
        the_handle=SimpleNamespace(backend_handle=11),
        has_inside=request.param == "its inside is as known",
        streams=[],
        notes=[],
        executed=[],
        refuses=set(),
    )
    module.create_handle = lambda: module.the_handle
    module.set_stream = lambda handle, stream: module.streams.append(stream)
    module.pygraph = lambda **options: Graph(module, **options)
    monkeypatch.setitem(sys.modules, "cudnn", module)
    stand_in = StandIn(tmp_path)
    stand_in.cuda.get_current_stream = lambda: SimpleNamespace(ptr=7)
    monkeypatch.setattr(device, "library", lambda: stand_in)
    monkeypatch.setattr(cublas, "call", stand_in.cublas)
    forget_choices()
    module.launched = stand_in.launched
    one = gpu_cudnn.CuDNN()
    module.algorithm = one
    for other in (one, *one.others.values()):
        monkeypatch.setitem(gpu_algorithm.known, other.name, other)
        monkeypatch.setitem(algorithm._known, other.name, other)
    yield module
    forget_choices()
    assert stand_in.margins_are_whole()


def both(layer, dtype="float64"):
    """Return what the kernels compute and what the readable ops do: y, dx, dw, db."""
    layer.options["padding_mode"] = "zeros"
    x, w, b, dy = layer.arrays(dtype)
    with kernels.use_algorithm("taps"):
        want = ops.conv_forward(x, w, b, **layer.options), *ops.conv_backward(dy, x, w, **layer.options)
    geometry = ConvGeometry.of_weight(w.shape, **layer.options)
    x, w, b, dy = map(on_gpu, (x, w, b, dy))
    got = kernels.conv_forward(x, w, b, geometry), *kernels.conv_backward(dy, x, w, geometry)
    return [host(one) for one in got], want


def test_results_are_those_of_the_readable_op(cudnn):
    @laws
    @given(layers())
    def law(layer):
        for ours, theirs in zip(*both(layer), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)

    law()
    assert not cudnn.algorithm.refused
    assert {"fprop", "dgrad"} <= set(cudnn.executed)
    assert set(cudnn.streams) == {7}


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler (on Debian: apt install g++)")
@pytest.mark.parametrize("refused", ["fprop", "wgrad", "dgrad"])
def test_what_it_refuses_is_computed_by_im2col_and_not_asked_again(cudnn, refused):
    cudnn.refuses.add(refused)
    for _ in range(2):
        for ours, theirs in zip(*both(_layer()), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    assert list(cudnn.algorithm.refused.values()) == ["cudnnGraphNotSupportedError: no engine"]
    assert refused not in cudnn.executed
    assert "gemm" in cudnn.launched


def _layer():
    return Drawn((3, 16, 9, 8), (12, 8, 3, 2), {"stride": (2, 1), "padding": 1, "groups": 2}, 1)


@pytest.mark.parametrize(
    ("setting", "dtype", "ruled_out"), [("0", "float32", 1), ("1", "float32", 0), ("0", "float64", 0)]
)
def test_tensor_cores_only_where_tf32_is_allowed(cudnn, monkeypatch, setting, dtype, ruled_out):
    monkeypatch.setenv("CUPY_TF32", setting)
    both(_layer(), dtype)
    assert len(cudnn.notes) == 3
    for notes in cudnn.notes:
        assert {"nondeterministic", "down"} <= notes
        assert ("tensor core" in notes) == bool(ruled_out)


def test_the_first_plan_that_can_be_built_is_taken(cudnn):
    both(_layer())
    assert set(cudnn.ran) == {1}


def test_none_of_the_plans_can_be_built(cudnn):
    cudnn.plans[:] = [None, None]
    both(_layer())
    assert set(cudnn.algorithm.refused.values()) == {"cudnnGraphNotSupportedError: none of its plans can be built"}
    assert not cudnn.ran


def test_plans_are_timed_where_that_is_asked_for(cudnn, monkeypatch):
    clock = {1: 5.0, 2: 3.0}

    class Event:
        def record(self):
            self.ran = cudnn.ran[-1]

        def synchronize(self):
            pass

    monkeypatch.setattr(device.library().cuda, "Event", Event, raising=False)
    recorded = lambda work: work() or SimpleNamespace(replay=work)  # noqa: E731
    monkeypatch.setattr(cudnn_plan, "Recording", recorded)
    elapsed = lambda start, stop: clock[stop.ran]  # noqa: E731
    monkeypatch.setattr(device.library().cuda, "get_elapsed_time", elapsed, raising=False)
    gpu.cudnn_benchmark(True)
    try:
        for _ in range(2):
            for ours, theirs in zip(*both(_layer()), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
        assert set(cudnn.ran[-3:]) == {2}
        assert cudnn.ran.count(1) == 3 * cudnn_plan.CALLS * (1 + cudnn_plan.ROUNDS)
        gpu.cudnn_benchmark(None)
        monkeypatch.setenv(settings.VARIABLE, "1")
        assert settings.benchmarks()
    finally:
        gpu.cudnn_benchmark(None)


def test_uneven_padding_is_refused(cudnn):
    layer = Drawn((2, 3, 6), (4, 3, 3), {"padding": ((1, 0),)}, 1)
    for ours, theirs in zip(*both(layer), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    assert not cudnn.executed


def test_plans_that_are_not_deterministic_only_where_they_are_allowed(cudnn):
    gpu.cudnn_deterministic(False)
    try:
        both(_layer())
    finally:
        gpu.cudnn_deterministic(True)
    assert len(cudnn.notes) == 3
    assert not any("nondeterministic" in notes for notes in cudnn.notes)


def test_an_inexact_gradient_of_weights_is_barred_for_large_kernels(cudnn):
    cudnn.names[1] = "eng17_k25=0"  # the first that can be built
    both(_layer())
    assert set(cudnn.ran) == {1}
    cudnn.ran.clear()
    both(Drawn((2, 4, 9, 8), (6, 2, 5, 5), {"padding": 2, "groups": 2}, 1))
    assert list(zip(cudnn.executed[-3:], cudnn.ran, strict=True)) == [("fprop", 1), ("dgrad", 1), ("wgrad", 2)]


@pytest.mark.parametrize(
    ("x", "w", "options", "expected"),
    [
        ((1, 256, 13, 13), (256, 256, 3, 3), {"padding": 1}, "gpu_im2col cudnn gpu_im2col"),  # few numbers, long sums
        ((4, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}, "cudnn cudnn cudnn"),
        ((4, 64, 56, 56), (128, 64, 3, 3), {"padding": 1, "stride": 2}, "cudnn gpu_im2col gpu_im2col"),
        ((64, 1, 28, 28), (32, 1, 3, 3), {"padding": 1}, "cudnn gpu_im2col cudnn"),
        ((64, 1, 28, 28), (32, 1, 5, 5), {"padding": 1}, "cudnn gpu_im2col cudnn"),
        ((1, 1, 28, 28), (10, 1, 5, 5), {}, "cudnn cudnn cudnn"),  # little work
        ((4, 8, 12, 12), (16, 1, 3, 3), {"groups": 8}, "cudnn cudnn cudnn"),
    ],
)
def test_rules(cudnn, x, w, options, expected):
    layer = kernels.planner.layer_of(ConvGeometry.of_weight(w, **options))
    works = ("forward", "grad_weight", "grad_input")
    chosen = [convolution.choose(layer.case(x, w, "float32", work)).algorithm.name for work in works]
    assert " ".join(chosen) == expected
    gpu.cudnn_benchmark(True)  # then all are timed
    try:
        assert convolution.choose(layer.case(x, w, "float32", "forward")).algorithm.name == "cudnn"
    finally:
        gpu.cudnn_benchmark(None)


def test_a_plan_is_built_once(cudnn):
    for _ in range(3):
        both(_layer())
    assert len(cudnn.notes) == 3  # forward and two gradients
    assert len(cudnn.executed) == 9


@pytest.mark.skipif(find_spec("cudnn") is None, reason="nvidia-cudnn-frontend is not installed")
def test_the_real_package_knows_these_calls():
    import cudnn

    layer = _layer()
    geometry = ConvGeometry.of_weight(layer.w, **layer.options)
    y = geometry.output_shape(layer.x)
    for work, shapes in (
        ("forward", (layer.x, layer.w, y)),
        ("grad_weight", (layer.x, y, layer.w)),
        ("grad_input", (y, layer.w, layer.x)),
    ):
        made = kernels.planner.layer_of(geometry)
        graph = cudnn.pygraph(io_data_type=cudnn.data_type.FLOAT, compute_data_type=cudnn.data_type.FLOAT)
        case = made.case(layer.x, layer.w, "float32", work)
        tensors = cudnn_plan.describe(graph, shapes, made, case)
        assert [tuple(tensor.get_dim()) for tensor in tensors] == list(shapes)
    for name in ("validate", "build_operation_graph", "create_execution_plans", "deselect_numeric_notes"):
        assert callable(getattr(graph, name))
    for name in ("deselect_workspace_greater_than", "check_support", "get_execution_plan_count"):
        assert callable(getattr(graph, name))
    assert callable(graph.get_plan_name_at_index)
    for name in ("build_plan_at_index", "get_workspace_size_plan_at_index", "execute_plan_at_index"):
        assert callable(getattr(graph, name))
    strictest = cudnn_plan.Allowed(tensor_cores=False, same_bits=True, workspace=0)
    assert set(strictest.ruled_out("float32")) <= set(dir(cudnn.numerical_note))
    assert {"A", "FALLBACK"} <= set(dir(cudnn.heur_mode))
    assert callable(cudnn.create_handle)
    assert callable(cudnn.set_stream)
    for name in ("_variant_pack_uids", "_materialize_backend_plan", "_lowered_graph"):
        assert hasattr(graph, name), "calls take some 30 µs longer without: see cudnn_plan._direct"
    assert callable(cudnn._pybind_module.backend_graph._execute_with_raw_ptrs)
