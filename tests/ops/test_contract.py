"""What every op promises beyond its numbers: dtype, device, clean inputs, fresh outputs, and clear refusals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_strict
import numpy as np
import pytest

from cnnlab import ops
from cnnlab.backend import DeviceMismatchError


@dataclass(frozen=True)
class Call:
    """One call of an op: its floating arrays by name and shape, and what else it takes."""

    op: Callable[..., Any]
    shapes: dict[str, tuple[int, ...]]
    options: dict[str, Any]


CALLS = {
    "conv_forward": Call(
        ops.conv_forward, {"x": (2, 4, 5, 6), "w": (6, 2, 3, 2), "b": (6,)}, {"groups": 2, "padding": 1}
    ),
    "conv_relu_forward": Call(
        ops.conv_relu_forward, {"x": (2, 4, 5), "w": (6, 2, 3), "b": (6,)}, {"groups": 2, "stride": 2, "dilation": 2}
    ),
    "conv_backward": Call(
        ops.conv_backward,
        {"dy": (2, 3, 5, 6), "x": (2, 4, 5, 6), "w": (3, 4, 2, 3)},
        {"padding": "same", "padding_mode": "circular"},
    ),
    "conv_backward_parameters": Call(
        ops.conv_backward_parameters, {"dy": (2, 3, 3, 2), "x": (2, 4, 5, 6), "w": (3, 4, 3, 5)}, {}
    ),
    "conv_transpose_forward": Call(
        ops.conv_transpose_forward,
        {"x": (2, 4, 3, 2), "w": (4, 3, 3, 2), "b": (6,)},
        {"groups": 2, "stride": 2, "padding": 1, "output_padding": (0, 1)},
    ),
    "conv_transpose_backward": Call(
        ops.conv_transpose_backward, {"dy": (2, 3, 4, 3), "x": (2, 4, 3, 2), "w": (4, 3, 2, 2)}, {}
    ),
    "linear_forward": Call(ops.linear_forward, {"x": (4, 3), "w": (2, 3), "b": (2,)}, {}),
    "linear_backward": Call(ops.linear_backward, {"dy": (4, 2), "x": (4, 3), "w": (2, 3)}, {}),
    "linear_backward_parameters": Call(ops.linear_backward_parameters, {"dy": (4, 2), "x": (4, 3), "w": (2, 3)}, {}),
    "relu_forward": Call(ops.relu_forward, {"x": (3, 4)}, {}),
    "relu_backward": Call(ops.relu_backward, {"dy": (3, 4), "x": (3, 4)}, {}),
    "sigmoid_forward": Call(ops.sigmoid_forward, {"x": (3, 4)}, {}),
    "sigmoid_backward": Call(ops.sigmoid_backward, {"dy": (3, 4), "y": (3, 4)}, {}),
    "tanh_forward": Call(ops.tanh_forward, {"x": (3, 4)}, {}),
    "tanh_backward": Call(ops.tanh_backward, {"dy": (3, 4), "y": (3, 4)}, {}),
    "dropout_forward": Call(ops.dropout_forward, {"x": (2, 2)}, {"kept": [[True, False], [True, True]], "p": 0.3}),
    "dropout_backward": Call(ops.dropout_backward, {"dy": (2, 2)}, {"kept": [[True, False], [True, True]], "p": 0}),
    "batch_statistics": Call(ops.batch_statistics, {"x": (4, 3, 2)}, {}),
    "batch_norm_forward": Call(ops.batch_norm_forward, {"x": (4, 3, 2), "w": (3,), "b": (3,)}, {}),
    "batch_norm_backward": Call(ops.batch_norm_backward, {"dy": (4, 3, 2), "x": (4, 3, 2), "w": (3,)}, {}),
    "batch norm forward, given": Call(
        ops.batch_norm_forward, {"x": (4, 3), "w": (3,), "b": (3,), "mean": (3,), "var": (3,)}, {"eps": 100.0}
    ),
    "batch norm backward, given": Call(
        ops.batch_norm_backward, {"dy": (4, 3), "x": (4, 3), "w": (3,), "mean": (3,), "var": (3,)}, {"eps": 100.0}
    ),
    "batch norm forward, plain": Call(ops.batch_norm_forward, {"x": (4, 3)}, {}),
    "softmax": Call(ops.softmax, {"x": (3, 4)}, {}),
    "softmax_backward": Call(ops.softmax_backward, {"dy": (3, 4), "y": (3, 4)}, {}),
    "pad_forward": Call(ops.pad_forward, {"x": (2, 3, 4)}, {"padding": [(1, 2)]}),
    "pad_backward": Call(ops.pad_backward, {"dy": (2, 3, 7)}, {"padding": [(1, 2)], "mode": "reflect"}),
    "max_pool_forward": Call(ops.max_pool_forward, {"x": (2, 3, 4, 5)}, {"kernel_size": 1}),
    "max_pool_backward": Call(ops.max_pool_backward, {"dy": (2, 3, 2, 2), "x": (2, 3, 4, 5)}, {"kernel_size": 2}),
    "avg_pool_forward": Call(ops.avg_pool_forward, {"x": (2, 3, 4, 5)}, {"kernel_size": 1}),
    "avg_pool_backward": Call(ops.avg_pool_backward, {"dy": (2, 3, 2, 2), "x": (2, 3, 4, 5)}, {"kernel_size": 2}),
    "max pool forward, all options": Call(
        ops.max_pool_forward,
        {"x": (2, 3, 6, 5)},
        {"kernel_size": 2, "stride": 3, "padding": 1, "dilation": 2, "ceil_mode": True},
    ),
    "avg pool backward, all options": Call(
        ops.avg_pool_backward,
        {"dy": (2, 3, 3, 3), "x": (2, 3, 4, 5)},
        {"kernel_size": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
    ),
    "windows_forward": Call(ops.windows_forward, {"x": (2, 3, 5, 4)}, {"kernel_size": (1, 1)}),
    "windows_backward": Call(
        ops.windows_backward, {"dy": (2, 4, 18), "x": (2, 3, 6, 3)}, {"kernel_size": (3, 2), "stride": (2, 1)}
    ),
    "global max": Call(ops.global_pool_forward, {"x": (2, 3, 1, 1)}, {"how": "max"}),
    "global mean": Call(ops.global_pool_forward, {"x": (2, 3, 4)}, {"how": "mean"}),
    "global max backward": Call(ops.global_pool_backward, {"dy": (2, 3), "x": (2, 3, 4)}, {"how": "max"}),
    "global mean backward": Call(ops.global_pool_backward, {"dy": (2, 3), "x": (2, 3, 1)}, {"how": "mean"}),
    "global softmax backward": Call(ops.global_pool_backward, {"dy": (2, 3), "x": (2, 3, 4)}, {"how": "softmax"}),
    "bce forward": Call(ops.bce_with_logits_forward, {"logits": (3, 4), "targets": (3, 4)}, {}),
    "bce backward": Call(ops.bce_with_logits_backward, {"logits": (3, 4), "targets": (3, 4)}, {}),
    "mse forward": Call(ops.mse_forward, {"predictions": (3, 4), "targets": (3, 4)}, {}),
    "mse backward": Call(ops.mse_backward, {"predictions": (3, 4), "targets": (3, 4)}, {}),
    "tie_forward": Call(ops.tie_forward, {"values": (2,)}, {"ties": [[0, 1, -1], [-1, 0, 1]]}),
    "tie_backward": Call(ops.tie_backward, {"dy": (2, 3), "values": (2,)}, {"ties": [[0, 1, -1], [-1, 0, 1]]}),
    "cross entropy forward": Call(ops.cross_entropy_forward, {"logits": (3, 4)}, {"targets": [0, 3, 1]}),
    "cross entropy backward": Call(ops.cross_entropy_backward, {"logits": (3, 4)}, {"targets": [0, 3, 1]}),
}


@pytest.fixture(params=CALLS.values(), ids=CALLS)
def call(request):
    return request.param


def options_for(call, array):
    """Make integer targets and masks arrays of the lane; leave other options as they are."""
    return {name: array(np.array(v)) if name in {"targets", "kept", "ties"} else v for name, v in call.options.items()}


def outputs_of(result):
    return result if isinstance(result, tuple) else (result,)


def test_every_op_is_in_this_table():
    assert {call.op.__name__ for call in CALLS.values()} == set(ops.__all__)


def test_dtype_and_device_are_kept_and_inputs_stay_as_they_were(lane, rng, call):
    for dtype in lane.dtypes:
        arrays = {name: lane.random(rng, *shape, dtype=dtype) for name, shape in call.shapes.items()}
        before = {name: np.array(lane.numpy(a)) for name, a in arrays.items()}
        for out in outputs_of(call.op(**arrays, **options_for(call, lane.array))):
            assert lane.numpy(out).dtype == dtype
            assert out.device == next(iter(arrays.values())).device
        for name, a in arrays.items():
            np.testing.assert_array_equal(lane.numpy(a), before[name])


def test_outputs_are_new_and_may_be_written_to(rng, call):
    arrays = {name: rng.normal(size=shape) for name, shape in call.shapes.items()}
    for out in outputs_of(call.op(**arrays, **options_for(call, np.array))):
        if out.ndim == 0:
            continue  # a loss is a NumPy scalar
        assert out.flags.writeable
        assert not any(np.shares_memory(out, a) for a in arrays.values())


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "every second number": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_it_does_not_matter_how_an_array_lies_in_memory(rng, call, layout):
    arrays = {name: rng.normal(size=shape) for name, shape in call.shapes.items()}
    arrays = {name: np.abs(x) if name == "var" else x for name, x in arrays.items()}
    expected = outputs_of(call.op(**arrays, **options_for(call, np.array)))
    other = outputs_of(
        call.op(**{name: layout(x) for name, x in arrays.items()}, **options_for(call, lambda x: layout(np.array(x))))
    )
    for want, got in zip(expected, other, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_an_option_that_is_a_numpy_number_does_not_widen_the_dtype():
    """NumPy's own float64 would, where a plain float does not."""
    x, dy, kept = np.ones((2, 3, 4), np.float32), np.ones((2, 3), np.float32), np.ones((2, 3, 4), bool)
    number = np.float64(0.5)
    outputs = [
        ops.global_pool_forward(x, "softmax", temperature=number),
        ops.global_pool_backward(dy, x, "softmax", temperature=number),
        ops.dropout_forward(x, kept, p=number),
        ops.dropout_backward(x, kept, p=number),
        ops.batch_norm_forward(x, eps=number),
        *ops.batch_norm_backward(x, x, eps=number),
    ]
    assert {y.dtype for y in outputs} == {np.dtype("float32")}


MAY_BE_LEFT_OUT = {"w", "b", "mean", "var"}


def test_none_in_place_of_an_array_is_named(rng, call):
    """As a function without a return gives it."""
    arrays = {name: rng.normal(size=shape) for name, shape in call.shapes.items()} | options_for(call, np.array)
    for name, value in arrays.items():
        optional = name == "b" or (name in MAY_BE_LEFT_OUT and "batch_norm" in call.op.__name__)
        if isinstance(value, np.ndarray) and not optional:
            with pytest.raises(
                TypeError, match=f"^{name} is None, and an array is needed: was a result not returned.$"
            ):
                call.op(**arrays | {name: None})


def test_masked_arrays_are_refused_as_their_mask_would_be_lost(rng, call):
    for wrong in call.shapes:
        arrays = {name: rng.normal(size=shape) for name, shape in call.shapes.items()}
        arrays[wrong] = np.ma.masked_array(arrays[wrong])
        with pytest.raises(TypeError, match=rf"^{wrong} is a MaskedArray, .* fill it, {wrong}.filled\(0\)$"):
            call.op(**arrays, **options_for(call, np.array))


WITH_INTEGERS = {name: call for name, call in CALLS.items() if {"targets", "ties"} & set(call.options)}


@pytest.mark.parametrize("call", WITH_INTEGERS.values(), ids=WITH_INTEGERS)
@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "uint64"])
def test_integers_of_every_kind_count_the_same(lane, rng, call, kind):
    arrays = {name: lane.random(rng, *shape) for name, shape in call.shapes.items()}
    options = {name: [[0, 1, 1], [1, 0, 1]] if name == "ties" else value for name, value in call.options.items()}
    results = []
    for integers in ("int64", kind):
        given = {name: lane.array(np.array(value, integers)) for name, value in options.items()}
        results.append(lane.numpy(call.op(**arrays, **given)))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("call", [call for call in CALLS.values() if {"targets", "ties", "kept"} & set(call.options)])
def test_integers_and_masks_on_another_device_are_refused(rng, call):
    for name in {"targets", "ties", "kept"} & set(call.options):
        arrays = {one: rng.normal(size=shape) for one, shape in call.shapes.items()}
        elsewhere = options_for(call, lambda x: array_api_strict.asarray(x, device=array_api_strict.Device("device1")))
        with pytest.raises(DeviceMismatchError, match=rf"{name} is on array_api_strict .*cnnlab.asarray\({name}\)"):
            call.op(**arrays, **elsewhere)


def test_integers_are_refused_with_the_way_out(rng, call):
    for wrong in call.shapes:
        arrays = {name: rng.normal(size=shape) for name, shape in call.shapes.items()}
        arrays[wrong] = arrays[wrong].astype(np.int64)
        message = rf"{wrong} has dtype int64, and a floating-point one is needed: .*cnnlab.asarray\({wrong}, dtype="
        with pytest.raises(TypeError, match=message):
            call.op(**arrays, **options_for(call, np.array))


def test_lists_are_refused_with_the_way_out(rng, call):
    for wrong in call.shapes:
        arrays = {name: rng.normal(size=shape) for name, shape in call.shapes.items()}
        arrays[wrong] = arrays[wrong].tolist()
        with pytest.raises(TypeError, match=f"{wrong} is a list, not an array: make one with cnnlab.asarray"):
            call.op(**arrays, **options_for(call, np.array))


SEVERAL = {name: call for name, call in CALLS.items() if len(call.shapes) > 1}


@pytest.mark.parametrize("call", SEVERAL.values(), ids=SEVERAL)
def test_mixed_dtypes_are_refused(rng, call):
    for wrong in list(call.shapes)[1:]:
        arrays = {name: rng.normal(size=shape) for name, shape in call.shapes.items()}
        arrays[wrong] = arrays[wrong].astype(np.float32)
        with pytest.raises(TypeError, match=f"is float64 and {wrong} is float32: convert one of them"):
            call.op(**arrays, **options_for(call, np.array))


@pytest.mark.parametrize("call", SEVERAL.values(), ids=SEVERAL)
def test_mixed_devices_are_refused(rng, call):
    for wrong in call.shapes:
        arrays = {
            name: array_api_strict.asarray(
                rng.normal(size=shape), device=array_api_strict.Device("device2" if name == wrong else "device1")
            )
            for name, shape in call.shapes.items()
        }
        with pytest.raises(DeviceMismatchError, match=f"{wrong} is on array_api_strict .*device2"):
            call.op(**arrays, **options_for(call, array_api_strict.asarray))


def test_targets_on_another_device_are_refused():
    targets = array_api_strict.asarray([0, 1], device=array_api_strict.Device("device1"))
    with pytest.raises(DeviceMismatchError, match="logits is on cpu, targets is on array_api_strict"):
        ops.cross_entropy_forward(np.ones((2, 3)), targets)


X = np.ones((2, 4, 5, 6))
W = np.ones((3, 4, 2, 2))
MAPS = np.ones((2, 3, 4))
BAD_VALUES = {
    "axes of x and w": (
        lambda: ops.conv_forward(X, W[:, :, 0]),
        r"x has shape \(2, 4, 5, 6\) and w has shape \(3, 4, 2\): expected \(N, C_in, \*spatial\) and "
        r"\(C_out, C_in/groups, \*kernel\) with equally many axes$",
    ),
    "no spatial axis": (lambda: ops.conv_forward(X[:, :, 0, 0], W[:, :, 0, 0]), r"weights have shape \(3, 4\)"),
    "channels": (lambda: ops.conv_forward(X[:, :3], W), "has 3 channels and the layer has in_channels=4"),
    "groups": (
        lambda: ops.conv_forward(X, W[:, :2], groups=2),
        r"out_channels \(=3\) must be divisible by groups \(=2\)",
    ),
    "bias": (
        lambda: ops.conv_forward(X, W, np.ones(4)),
        r"^b has shape \(4,\), expected \(3,\): one bias for each output channel$",
    ),
    "bias as column": (lambda: ops.conv_forward(X, W, np.ones((3, 1))), r"b has shape \(3, 1\), expected \(3,\)"),
    "kernel": (lambda: ops.conv_forward(X, np.ones((1, 4, 2, 7))), "kernel 7 is larger than the padded input 6"),
    "axes of x and w of a gradient": (
        lambda: ops.conv_backward(X, X, W[:, :, 0]),
        r"expected \(N, C_in, \*spatial\) and \(C_out, C_in/groups, \*kernel\) with equally many axes$",
    ),
    "no groups": (lambda: ops.conv_forward(X, W, groups=0), r"^groups \(=0\) must be at least 1$"),
    "no groups of a transposed convolution": (
        lambda: ops.conv_transpose_forward(X[:, :3], W, groups=0),
        r"^groups \(=0\) must be at least 1$",
    ),
    "dy of conv": (
        lambda: ops.conv_backward(X, X, W),
        r"^dy has shape \(2, 4, 5, 6\), expected \(2, 3, 4, 5\): the shape of the layer's output$",
    ),
    "padding mode": (lambda: ops.conv_forward(X, W, padding_mode="constant"), "padding_mode 'constant' is unknown"),
    "pool axes": (
        lambda: ops.max_pool_forward(np.ones((3, 4)), 2),
        r"x has shape \(3, 4\): expected \(N, C, \*spatial\)",
    ),
    "pool kernel": (
        lambda: ops.avg_pool_forward(X, (2, 2, 2)),
        r"kernel_size \(2, 2, 2\) has 3 entries for 2 spatial axes",
    ),
    "pool padding": (
        lambda: ops.max_pool_forward(X, 2, padding=2),
        "padding 2 is more than half of the pooling kernel 2",
    ),
    "dy of max pooling": (
        lambda: ops.max_pool_backward(X, X, 2),
        r"^dy has shape .*expected \(2, 4, 2, 3\): the shape of the layer's output$",
    ),
    "dy of average pooling": (
        lambda: ops.avg_pool_backward(X, X, 2),
        r"^dy has shape .*expected \(2, 4, 2, 3\): the shape of the layer's output$",
    ),
    "ceil mode": (lambda: ops.max_pool_forward(X[:, :, :0], 2, padding=1, ceil_mode=True), "has nothing to pool"),
    "axes of transposed x and w": (
        lambda: ops.conv_transpose_forward(X, W[:, :, 0]),
        r"expected \(N, C_in, \*spatial\) and \(C_in, C_out/groups, \*kernel\) with equally many axes$",
    ),
    "axes of transposed x and w of a gradient": (
        lambda: ops.conv_transpose_backward(X, X, W[:, :, 0]),
        r"expected \(N, C_in, \*spatial\) and \(C_in, C_out/groups, \*kernel\) with equally many axes$",
    ),
    "channels of transposed convolution": (
        lambda: ops.conv_transpose_forward(X, W),
        "has 4 channels and the layer has in_channels=3",
    ),
    "bias of transposed convolution": (
        lambda: ops.conv_transpose_forward(X[:, :3], W, np.ones(3)),
        r"^b has shape \(3,\), expected \(4,\): one bias for each output channel$",
    ),
    "dy of transposed convolution": (
        lambda: ops.conv_transpose_backward(X, X[:, :3], W),
        r"^dy has shape \(2, 4, 5, 6\), expected \(2, 4, 6, 7\): the shape of the layer's output$",
    ),
    "output padding": (
        lambda: ops.conv_transpose_forward(X[:, :3], W, output_padding=1),
        r"output_padding \(=1\) must be smaller than stride \(=1\) or dilation \(=1\): "
        r"pad less or use a longer stride$",
    ),
    "linear": (
        lambda: ops.linear_forward(np.ones((2, 3)), np.ones((3, 2))),
        r"\(2, 3\) and w has shape \(3, 2\): expected \(N, in\) and \(out, in\); the second sizes must agree, so "
        r"change the input or build the layer for it$",
    ),
    "linear axes": (lambda: ops.linear_forward(MAPS, np.ones((3, 4))), r"; flatten each example first \(nn.Flatten\)$"),
    "linear without batch": (
        lambda: ops.linear_forward(np.ones(4), np.ones((3, 4))),
        r"; add the batch axis, x\[None\]$",
    ),
    "linear bias": (
        lambda: ops.linear_forward(np.ones((2, 3)), np.ones((4, 3)), np.ones(3)),
        r"^b has shape \(3,\), expected \(4,\): one bias for each output$",
    ),
    "dy of linear": (
        lambda: ops.linear_backward(np.ones((4, 2)), np.ones((2, 3)), np.ones((4, 3))),
        r"^dy has shape \(4, 2\), expected \(2, 4\): \(N, out\), the shape of the layer's output$",
    ),
    "dy of windows": (
        lambda: ops.windows_backward(np.ones((2, 4, 4)), MAPS, (2,)),
        r"dy has shape \(2, 4, 4\), expected \(2, 3, 6\): one vector for each window",
    ),
    "dy of relu": (
        lambda: ops.relu_backward(np.ones(3), np.ones((1, 3))),
        r"^dy has shape \(3,\), expected \(1, 3\): the shape of x$",
    ),
    "dy of batch normalization": (
        lambda: ops.batch_norm_backward(np.ones((2, 4)), MAPS),
        r"^dy has shape \(2, 4\), expected \(2, 3, 4\): the shape of x$",
    ),
    "w of batch normalization": (
        lambda: ops.batch_norm_backward(MAPS, MAPS, np.ones(4)),
        r"^w has shape \(4,\), expected \(3,\): one value for each channel$",
    ),
    "one value a channel": (
        lambda: ops.batch_statistics(np.ones((1, 3))),
        "of which there is no variance: use a larger batch, or the layer in evaluation mode$",
    ),
    "kept of another shape": (
        lambda: ops.dropout_forward(MAPS, np.ones(3, bool), p=0.5),
        r"^kept has shape \(3,\), expected \(2, 3, 4\): the shape of x$",
    ),
    "dropout of more than all": (
        lambda: ops.dropout_forward(MAPS, MAPS > 0, p=1.5),
        r"^p \(=1.5\) must be from 0 to 1$",
    ),
    "endless eps": (
        lambda: ops.batch_norm_forward(MAPS, eps=float("inf")),
        r"^eps \(=inf\) must be a finite number of 0 or more$",
    ),
    "windows of no map": (
        lambda: ops.windows_forward(np.ones((2, 3)), (1,)),
        r"^x has shape \(2, 3\): expected \(N, C, \*spatial\) with at least one spatial axis$",
    ),
    "gradient of windows of no map": (
        lambda: ops.windows_backward(np.ones((2, 1, 3)), np.ones((2, 3)), (1,)),
        r"^x has shape \(2, 3\): expected \(N, C, \*spatial\) with at least one spatial axis$",
    ),
    "dy of sigmoid": (
        lambda: ops.sigmoid_backward(np.ones(3), np.ones((1, 3))),
        r"^dy has shape \(3,\), expected \(1, 3\): the shape of y$",
    ),
    "dy of tanh": (
        lambda: ops.tanh_backward(np.ones(3), np.ones((1, 3))),
        r"^dy has shape \(3,\), expected \(1, 3\): the shape of y$",
    ),
    "dy of softmax": (
        lambda: ops.softmax_backward(np.ones(3), np.ones((1, 3))),
        r"^dy has shape \(3,\), expected \(1, 3\): the shape of y$",
    ),
    "how": (lambda: ops.global_pool_forward(MAPS, "sum"), "how 'sum' is unknown: choose one of max, mean, softmax"),
    "temperature": (
        lambda: ops.global_pool_forward(MAPS, "softmax", temperature=0),
        r"temperature \(=0\) must be above 0",
    ),
    "temperature that float32 does not know": (
        lambda: ops.global_pool_forward(MAPS.astype("float32"), "softmax", temperature=1e-40),
        r"^temperature \(=1e-40\) must be at least 1.18e-38 in float32: take a larger one, or how=\"max\"$",
    ),
    "temperature nan": (lambda: ops.global_pool_forward(MAPS, "softmax", temperature=float("nan")), "must be above 0"),
    "no map": (lambda: ops.global_pool_forward(np.ones((2, 3)), "max"), "expected .* with at least one position"),
    "empty map": (lambda: ops.global_pool_forward(np.ones((2, 3, 0)), "max"), "at least one position"),
    "dy of global pooling": (
        lambda: ops.global_pool_backward(np.ones((2, 4)), MAPS, "max"),
        r"^dy has shape \(2, 4\), expected \(2, 3\): one value for each map$",
    ),
    "logits": (
        lambda: ops.cross_entropy_forward(np.ones(3), np.array([1])),
        r"logits have shape \(3,\): expected \(N, C\)",
    ),
    "empty batch": (lambda: ops.cross_entropy_forward(np.ones((0, 3)), np.zeros(0, int)), "neither of them 0"),
    "targets": (
        lambda: ops.cross_entropy_forward(np.ones((2, 3)), np.array([[1], [2]])),
        r"^targets has shape \(2, 1\), expected \(2,\): one class number for each row of logits$",
    ),
    "target too high": (
        lambda: ops.cross_entropy_forward(np.ones((2, 3)), np.array([0, 3])),
        "targets go from 0 to 3: .* must lie in 0 to 2",
    ),
    "target below 0": (
        lambda: ops.cross_entropy_backward(np.ones((2, 3)), np.array([-1, 2])),
        "targets go from -1 to 2",
    ),
    "column against row": (
        lambda: ops.bce_with_logits_forward(np.ones((4, 1)), np.ones(4)),
        r"targets has shape \(4,\), expected \(4, 1\)",
    ),
    "column against row of squares": (
        lambda: ops.mse_forward(np.ones((4, 1)), np.ones(4)),
        r"targets has shape \(4,\), expected \(4, 1\): the shape of predictions",
    ),
    "no squares": (lambda: ops.mse_backward(np.ones((0, 1)), np.ones((0, 1))), "predictions are empty"),
    "empty": (lambda: ops.bce_with_logits_forward(np.ones((0, 1)), np.ones((0, 1))), "logits are empty"),
}


@pytest.mark.parametrize(("make", "message"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_what_does_not_fit_is_refused_with_the_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()


NO_NUMBERS = {
    "temperature": lambda value: ops.global_pool_forward(MAPS, "softmax", temperature=value),
    "p": lambda value: ops.dropout_forward(MAPS, MAPS > 0, p=value),
    "eps": lambda value: ops.batch_norm_forward(MAPS, eps=value),
}


@pytest.mark.parametrize("name", NO_NUMBERS)
@pytest.mark.parametrize("value", ["1", None, True, 1j])
def test_options_that_are_no_numbers_are_refused(name, value):
    with pytest.raises(TypeError, match=f"^{name} must be a number, not {value!r}$"):
        NO_NUMBERS[name](value)


def test_foreign_byte_order_is_what_is_to_be_converted():
    x, w = np.ones((2, 3), ">f4"), np.ones((2, 3), "f4")
    for arguments, named in (((x, w), "x"), ((w, x), "w")):
        with pytest.raises(TypeError, match=rf'cnnlab\.asarray\({named}, dtype="float32"\)$'):
            ops.linear_forward(*arguments)


@pytest.mark.parametrize("name", ["ceil_mode", "count_include_pad"])
def test_switches_are_true_or_false(name):
    with pytest.raises(TypeError, match=f"{name} must be True or False, not 'yes'"):
        ops.avg_pool_forward(X, 2, **{name: "yes"})


def test_targets_that_are_no_integers_are_refused():
    with pytest.raises(TypeError, match="targets have dtype float64: expected integers"):
        ops.cross_entropy_forward(np.ones((2, 3)), np.array([0.0, 1.0]))


def test_of_two_dtypes_the_wider_is_the_one_to_convert():
    narrow, wide = np.ones((2, 3), np.float32), np.ones((2, 3))
    for x, w, named in ((wide, narrow, "x"), (narrow, wide, "w")):
        with pytest.raises(TypeError, match=rf'cnnlab\.asarray\({named}, dtype="float32"\)'):
            ops.linear_forward(x, w, np.ones(2, x.dtype))
