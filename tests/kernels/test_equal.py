"""Every algorithm computes what the readable sum over taps computes, over drawn layers, within its stated tolerance."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import kernels, ops, reference
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import passes_back
from cnnlab.kernels.algorithm import algorithms

from .conftest import Drawn, layers

laws = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
DTYPES = st.sampled_from(["float32", "float64"])


def of_one_place(layer):
    """Return the layer with a kernel as large as its map."""
    kernel = layer.w[2:]
    return type(layer)((*layer.x[:2], *kernel), layer.w, {"stride": layer.options["stride"]}, layer.seed)


# What an algorithm can do, so that few draws are refused.
DRAWN = {
    "depthwise": layers(),
    "fft": layers(dense=True),
    "linear": layers(groups=False, dense=True).map(of_one_place),
    "pointwise": st.one_of(*[layers(kernel=(1,) * rank) for rank in (1, 2, 3)]),
    "winograd": st.one_of(
        layers(kernel=(3, 3), dense=True),
        st.tuples(st.integers(2, 7), st.integers(2, 7)).flatmap(lambda kernel: layers(kernel=kernel, stride=1)),
        st.tuples(*[st.integers(1, 4)] * 3).flatmap(lambda kernel: layers(kernel=kernel, stride=1)),
    ),
}
ERROR = {"float32": 3e-5, "float64": 1e-12}  # of the sums that an algorithm leaves to others, and of the readable op


def close(got, want, tolerance):
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if want.size:
        assert np.abs(got - want).max() <= tolerance * max(1.0, np.abs(want).max())


def is_refused(name, x, w, layer):
    """Tell whether the algorithm says that it cannot compute the layer."""
    geometry = ConvGeometry.of_weight(w.shape, **layer.options)
    case = kernels.planner.layer_of(geometry).case(x.shape, w.shape, x.dtype.name)
    return kernels.planner.fault(algorithms()[name], case) is not None


def tolerance(name, dtype):
    return max(algorithms()[name].tolerance[dtype], ERROR[dtype])


@pytest.mark.parametrize("name", [name for name, one in algorithms().items() if one.provider == "numpy"])
def test_every_algorithm_equals_the_readable_op(name):
    computed = []

    @laws
    @given(DRAWN.get(name, layers()), DTYPES, st.sampled_from([1, 2]))
    def law(layer, dtype, threads):
        if name == "depthwise":
            layer = type(layer)(
                (layer.x[0], layer.w[0], *layer.x[2:]), (layer.w[0], 1, *layer.w[2:]), layer.options, layer.seed
            )
            layer.options["groups"] = layer.w[0]
        x, w, b, dy = layer.arrays(dtype)
        with kernels.use_algorithm("taps"):
            y, (dx, dw, db) = ops.conv_forward(x, w, b, **layer.options), ops.conv_backward(dy, x, w, **layer.options)
        with kernels.use_algorithm(name), kernels.use_threads(threads):
            if is_refused(name, x, w, layer):
                return
            got = ops.conv_forward(x, w, b, **layer.options)
            np.testing.assert_array_equal(ops.conv_relu_forward(x, w, b, **layer.options), np.maximum(got, 0))
            back = ops.conv_backward(dy, x, w, **layer.options)
        computed.append(name)
        for ours, theirs in zip((got, *back), (y, dx, dw, db), strict=True):
            close(ours, theirs, tolerance(name, dtype))

    law()
    assert len(computed) >= 30


@laws
@given(layers(), DTYPES)
def test_the_planners_choice_equals_a_walk_along_the_edges(layer, dtype):
    layer = type(layer)((min(layer.x[0], 2), *layer.x[1:]), layer.w, layer.options, layer.seed)
    x, w, b, dy = layer.arrays(dtype)
    with kernels.use_algorithm("auto"):
        got = ops.conv_forward(x, w, b, **layer.options), *ops.conv_backward(dy, x, w, **layer.options)
    with kernels.use_algorithm("taps"):
        want = ops.conv_forward(x, w, b, **layer.options), *ops.conv_backward(dy, x, w, **layer.options)
    for ours, theirs in zip(got, want, strict=True):
        close(ours, theirs, max(1e-4 if dtype == "float32" else 0, ERROR[dtype]))


# Sizes at which the rules take each way, with maps large enough for several tiles; as small as that allows.
PICKED = {
    "winograd": ((3, 64, 23, 26), (60, 64, 3, 3), {"padding": 1}),
    "batch_last": ((17, 3, 9, 8), (5, 3, 3, 2), {"stride": (2, 1), "padding": (1, 0)}),
    "channels_last": ((17, 13, 11, 10), (7, 13, 3, 3), {"dilation": 2}),
    "im2col": ((2, 5, 40, 33), (65, 5, 3, 3), {"stride": 2}),
    "pointwise": ((3, 8, 40, 33), (9, 8, 1, 1), {"stride": (1, 2)}),
    "depthwise": ((2, 6, 30, 33), (12, 1, 3, 3), {"groups": 6, "padding": 1}),
    "fft": ((2, 2, 40, 44), (3, 2, 15, 16), {"padding": 3}),
}


@pytest.mark.parametrize("name", PICKED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 3])
def test_each_rule_is_taken_where_it_should_be_and_agrees(name, dtype, threads, rng):
    x_shape, w_shape, options = PICKED[name]
    x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    geometry = ConvGeometry.of_weight(w_shape, **options)
    works = {"batch_last": ["grad_weight"], "winograd": ["forward", "grad_weight"]}.get(name, ["forward"])
    assert {kernels.explain_plan(geometry, x_shape, dtype=dtype)[work] for work in works} == {name}
    with kernels.use_threads(threads):
        y = ops.conv_forward(x, w, b, **options)
        dy = rng.standard_normal(y.shape).astype(dtype)
        back = ops.conv_backward(dy, x, w, **options)
        parameters = ops.conv_backward_parameters(dy, x, w, **options)
    with kernels.use_algorithm("taps"):
        want = ops.conv_forward(x, w, b, **options), *ops.conv_backward(dy, x, w, **options)
    for ours, theirs in zip((y, *back), want, strict=True):
        close(ours, theirs, max(tolerance(name, dtype), tolerance("winograd", dtype)))
    for ours, theirs in zip(parameters, back[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@st.composite
def depthwise_with_a_stride(draw):
    """Draw a layer whose filters see one channel each, with kernels that are as large as the stride."""
    rank = draw(st.integers(1, 3))
    stride = draw(st.tuples(*[st.integers(1, 4)] * rank).filter(lambda steps: set(steps) != {1}))
    kernel = tuple(step + draw(st.integers(0, 3)) for step in stride)
    pads = draw(st.tuples(*[st.tuples(st.integers(0, 5), st.integers(0, 5))] * rank))
    spatial = tuple(
        max(k - sum(p), step) + draw(st.integers(0, 9)) for k, p, step in zip(kernel, pads, stride, strict=True)
    )
    C = draw(st.integers(2, 5))
    options = {"stride": stride, "padding": pads, "groups": C}
    return Drawn((draw(st.integers(1, 5)), C, *spatial), (C, 1, *kernel), options, draw(st.integers(0, 2**32 - 1)))


@laws
@given(depthwise_with_a_stride(), DTYPES, st.sampled_from([1, 2]), st.integers(0, 3))
def test_one_correlation_gives_the_inputs_at_all_rests_where_filters_see_one_channel(layer, dtype, threads, more):
    x, w, _, dy = layer.arrays(dtype)
    geometry = ConvGeometry.of_weight(w.shape, **layer.options)
    plan = kernels.explain_plan(geometry, x.shape, dtype=dtype)
    assert [step.work for step in plan.steps].count("grad_input") == 1
    # Of a transposed convolution the input may reach further than the windows do.
    further = tuple(min(more, step - 1) for step in geometry.stride)
    with kernels.use_algorithm("taps"):
        want = ops.conv_backward(dy, x, w, **layer.options)[0]
        transposed = ops.conv_transpose_forward(dy, w, output_padding=further, **layer.options)
    padded = [n + sum(p) for n, p in zip(x.shape[2:], geometry.padding, strict=True)]
    chunk = 2 * x.itemsize * w.shape[0] * max(np.prod(padded), x[0, 0].size)  # of two pictures
    with (
        mock.patch.object(passes_back, "CHUNK_BYTES", chunk),
        kernels.use_algorithm("depthwise"),
        kernels.use_threads(threads),
    ):
        close(ops.conv_backward(dy, x, w, **layer.options)[0], want, ERROR[dtype])
        close(ops.conv_transpose_forward(dy, w, output_padding=further, **layer.options), transposed, ERROR[dtype])


def test_against_the_edges_of_the_reference(rng):
    x, w, b = rng.standard_normal((2, 4, 9, 8)), rng.standard_normal((6, 2, 3, 2)), rng.standard_normal(6)
    options = {"stride": (2, 1), "padding": (2, 1), "dilation": (1, 2), "groups": 2}
    y = ops.conv_forward(x, w, b, **options)
    close(y, reference.conv_by_edges(x, w, b, **options), 1e-12)
    dy = rng.standard_normal(y.shape)
    for ours, theirs in zip(
        ops.conv_backward(dy, x, w, **options), reference.conv_backward_by_edges(dy, x, w, **options), strict=True
    ):
        close(ours, theirs, 1e-12)


@laws
@given(layers(), st.integers(0, 2))
def test_transposed_convolution_equals_the_readable_op(layer, more):
    _, w, _, dy = layer.arrays()
    options = {name: layer.options[name] for name in ("stride", "dilation", "groups")}
    options["padding"] = layer.options["padding"]
    C_in = w.shape[0]
    b = np.linspace(-1, 1, w.shape[1] * layer.options["groups"])
    inputs = dy[:, :C_in]
    results = []
    for name in ("taps", "auto", "channels_last"):
        with kernels.use_algorithm(name):
            try:
                y = ops.conv_transpose_forward(inputs, w, b, output_padding=more, **options)
            except ValueError:  # more output padding than stride or dilation, or nothing is left
                results.append(None)
                continue
            upstream = np.random.default_rng(1).standard_normal(y.shape)
            results.append((y, *ops.conv_transpose_backward(upstream, inputs, w, output_padding=more, **options)))
    assert len({result is None for result in results}) == 1
    if results[0] is not None:
        for other in results[1:]:
            for ours, theirs in zip(other, results[0], strict=True):
                close(ours, theirs, 1e-12)


GRADIENTS = [name for name, one in algorithms().items() if one.provider == "numpy" and one.has_grad_weight]


@pytest.mark.parametrize("name", [name for name in GRADIENTS if name != "linear"])
@pytest.mark.parametrize("filters", [6, 70])
@pytest.mark.parametrize("N", [1, 3])
def test_gradients_of_weights_are_written_or_added_as_asked_for(name, filters, N, rng):
    algorithm, G = algorithms()[name], 6 if name == "depthwise" else 1
    kernel = (1, 1) if name == "pointwise" else (3, 3)
    x = rng.standard_normal((N, 6, 12, 13))
    filters *= G
    geometry = ConvGeometry.of_weight((filters, 6 // G, *kernel), groups=G)
    dy = rng.standard_normal((N, filters, *geometry.output_size(x.shape[2:])))
    case = kernels.planner.layer_of(geometry).case(x.shape, (filters, 6 // G, *kernel), "float64", "grad_weight")
    if kernels.planner.fault(algorithm, case):
        pytest.skip("it has none of this case")
    with kernels.use_algorithm("taps"):
        wanted = ops.conv_backward_parameters(dy, x, np.zeros((filters, 6 // G, *kernel)), groups=G)[0]
    more = algorithm.zeros_behind(case, case.out)
    x = np.pad(x, ((0, 0), (0, 0), *((0, n) for n in more)))
    for add, before, times in ((False, np.nan, 1), (True, 0.0, 2)):
        room = np.full((filters, case.depth + (5 if algorithm.weights_lie and G == 1 else 0)), before)
        dw = room[:, : case.depth]  # its rows may lie apart
        for _ in range(times):
            algorithm.grad_weight(dy, x, dw, case, add=add)
        found = algorithm.in_order(np.ascontiguousarray(dw), case)
        np.testing.assert_allclose(found, times * wanted, rtol=0, atol=1e-11 * np.abs(wanted).max())
        np.testing.assert_array_equal(room[:, case.depth :], before)
