"""Whatever the inputs' memory looks like, they stay as they were, and a result is nobody else's memory."""

import numpy as np
import pytest

from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels.algorithm import algorithms
from cnnlab.kernels.workspace import workspace

SHAPES = {
    "depthwise": ((3, 4, 12, 13), (4, 1, 3, 3)),
    "depthwise_compiled": ((3, 4, 12, 13), (4, 1, 3, 3)),
    "linear": ((3, 4, 6, 5), (5, 4, 6, 5)),
    "pointwise": ((3, 4, 12, 13), (5, 4, 1, 1)),
}


def layer(name, rng, dtype="float64"):
    if algorithms()[name].provider != "numpy":
        dtype = "float32"  # the compiled kernels know no other
    x_shape, w_shape = SHAPES.get(name, ((3, 4, 12, 13), (5, 4, 3, 3)))
    options = {"groups": 4} if name.startswith("depthwise") else {}
    x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    return x, w, b, options


def run(x, w, b, dy, options):
    return ops.conv_forward(x, w, b, **options), *ops.conv_backward(dy, x, w, **options)


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "channels last": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if a.ndim > 1 else a,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "first axis backwards": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "part of a larger one": lambda a: np.pad(a, 1)[(slice(1, -1),) * a.ndim],
    "read-only": read_only,
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
}


@pytest.mark.parametrize("name", list(algorithms()))
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_in_any_order(name, layout, rng):
    x, w, b, options = layer(name, rng)
    with kernels.use_algorithm(name):
        dy = rng.standard_normal(ops.conv_forward(x, w, b, **options).shape).astype(x.dtype)
        given = [LAYOUTS[layout](a) for a in (x, w, b, dy)]
        before = [a.copy() for a in given]
        results = run(*given, options)
        expected = run(*(np.ascontiguousarray(a) for a in given), options)
    tolerance = 1e-12 if x.dtype == np.float64 else 1e-4
    for got, want in zip(results, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    for a, was in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, was)


@pytest.mark.parametrize("name", list(algorithms()))
def test_results_are_fresh_and_can_be_written_to(name, rng):
    x, w, b, options = layer(name, rng)
    with kernels.use_algorithm(name):
        dy = rng.standard_normal(ops.conv_forward(x, w, b, **options).shape).astype(x.dtype)
        first = run(x, w, b, dy, options)
        kept = [one.copy() for one in first]
        run(x + 1, w + 1, b + 1, dy + 1, options)
    for one, was in zip(first, kept, strict=True):
        np.testing.assert_array_equal(one, was)
        assert one.flags.writeable
        assert not any(np.shares_memory(one, other) for other in (x, w, b, dy, *workspace._free))


@pytest.mark.parametrize("name", list(algorithms()))
def test_the_same_plan_gives_the_same_bits(name, rng):
    x, w, b, options = layer(name, rng, "float32")
    x = np.concatenate([x] * 9)
    with kernels.use_algorithm(name), kernels.use_threads(2):
        dy = rng.standard_normal(ops.conv_forward(x, w, b, **options).shape).astype("float32")
        for one, two in zip(run(x, w, b, dy, options), run(x, w, b, dy, options), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("shape", [(0, 3, 6, 6), (1, 3, 6, 6)])
def test_an_empty_batch_is_computed_by_the_readable_op(shape, rng):
    x, w = np.zeros(shape), rng.standard_normal((2, 3, 3, 3))
    y = ops.conv_forward(x, w)
    assert y.shape == (shape[0], 2, 4, 4)
    assert ops.conv_backward(y, x, w)[0].shape == shape


@pytest.mark.parametrize("dtype", ["float16", ">f8", "longdouble"])
def test_other_dtypes_are_left_to_the_readable_op(dtype, rng):
    x, w = rng.standard_normal((2, 3, 20, 20)).astype(dtype), rng.standard_normal((4, 3, 3, 3)).astype(dtype)
    geometry = ConvGeometry.of_weight(w.shape)
    assert kernels.conv_forward(x, w, None, geometry) is None
    assert ops.conv_forward(x, w).dtype == x.dtype


def test_not_a_number_reaches_the_outputs_that_see_it(rng):
    x, w = rng.standard_normal((1, 64, 32, 32)), rng.standard_normal((64, 64, 3, 3))
    x[0, 3, 16, 16] = np.nan
    y = ops.conv_forward(x, w)
    assert np.isnan(y[0, :, 14:17, 14:17]).all()
