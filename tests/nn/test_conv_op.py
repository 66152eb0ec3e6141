"""A reader's own convolution in a layer: it computes, and its faults are reported as its own."""

import numpy as np
import pytest

from cnnlab import nn, ops


def my_forward(x, w, b, stride, padding):
    return ops.conv_forward(x, w, b, stride=stride, padding=padding)


def my_backward(dy, x, w, stride, padding):
    return ops.conv_backward(dy, x, w, stride=stride, padding=padding)


def layer(forward=my_forward, backward=my_backward, **options):
    options = {"stride": (2, 1), "padding": (1, 0), **options}
    return nn.Conv2d(2, 3, (3, 2), rng=np.random.default_rng(0), op=nn.ConvOp(forward, backward), **options)


def data():
    rng = np.random.default_rng(1)
    return rng.standard_normal((2, 2, 5, 4)).astype("float32"), rng.standard_normal((2, 3, 3, 3)).astype("float32")


def test_an_own_op_gets_tuples_of_ints_and_is_used():
    calls = []

    def forward(x, w, b, stride, padding):
        calls.append((b is None, stride, padding))
        return 2 * my_forward(x, w, b, stride, padding)

    x, _ = data()
    plain = nn.Conv2d(2, 3, (3, 2), (2, 1), (1, 0), rng=np.random.default_rng(0))
    np.testing.assert_allclose(layer(forward)(x), 2 * plain(x), rtol=1e-6)
    layer(forward, bias=False)(x)
    assert calls == [(False, (2, 1), (1, 0)), (True, (2, 1), (1, 0))]


@pytest.mark.parametrize("bias", [True, False])
def test_a_right_own_op_gives_the_layer_without_it(bias):
    x, dy = data()
    own, plain = layer(bias=bias), nn.Conv2d(2, 3, (3, 2), (2, 1), (1, 0), bias=bias, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(own(x), plain(x))
    np.testing.assert_array_equal(own.backward(dy), plain.backward(dy))
    for ours, theirs in zip(own.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(ours.grad, theirs.grad)


def test_same_padding_reaches_an_own_op_as_numbers():
    seen = []

    def forward(x, w, b, stride, padding):
        seen.append(padding)
        return my_forward(x, w, b, stride, padding)

    nn.Conv1d(1, 1, 5, padding="same", op=nn.ConvOp(forward, my_backward))(np.zeros((1, 1, 6), np.float32))
    assert seen == [(2,)]


def test_without_bias_an_own_backward_may_return_none_for_db():
    x, dy = data()
    own = layer(backward=lambda *a: (*my_backward(*a)[:2], None), bias=False)
    own(x)
    own.backward(dy)


FORWARD_FAULTS = {
    "None": (lambda y: None, "y as None: is a `return` missing"),
    "list": (lambda y: y.tolist(), "y as a list: return an array"),
    "shape": (lambda y: y[..., 1:], r"y of shape \(2, 3, 3, 2\), but it must be \(2, 3, 3, 3\)"),
    "dtype": (lambda y: y.astype("float64"), "y as float64, but its input is float32"),
}


@pytest.mark.parametrize("name", FORWARD_FAULTS)
def test_a_fault_of_an_own_forward_is_reported_as_its_own(name):
    spoil, text = FORWARD_FAULTS[name]

    def spoilt(x, w, b, stride, padding):
        return spoil(my_forward(x, w, b, stride, padding))

    with pytest.raises(nn.ConvOpError, match=f"your own spoilt returned {text}"):
        layer(spoilt)(data()[0])


BACKWARD_FAULTS = {
    "None": (lambda dx, dw, db: None, "returned a NoneType: return the three gradients, `dx, dw, db`"),
    "two": (lambda dx, dw, db: (dx, dw), "returned 2 values: return the three"),
    "dx shape": (lambda dx, dw, db: (dx[:1], dw, db), r"dx of shape \(1, 2, 5, 4\), but it must be \(2, 2, 5, 4\)"),
    "dw shape": (lambda dx, dw, db: (dx, dw[:, :1], db), r"dw of shape \(3, 1, 3, 2\), but .* \(3, 2, 3, 2\)"),
    "dw missing": (lambda dx, dw, db: (dx, None, db), "dw as None"),
    "db shape": (lambda dx, dw, db: (dx, dw, db[:, None]), r"db of shape \(3, 1\), but it must be \(3,\)"),
    "db missing": (lambda dx, dw, db: (dx, dw, None), "db as None"),
    "dtype": (lambda dx, dw, db: (dx, dw.astype("float64"), db), "dw as float64, but its input is float32"),
    "swapped": (lambda dx, dw, db: (dw, dx, db), r"dx of shape \(3, 2, 3, 2\)"),
}


@pytest.mark.parametrize("name", BACKWARD_FAULTS)
def test_a_fault_of_an_own_backward_is_reported_as_its_own(name):
    spoil, text = BACKWARD_FAULTS[name]

    def spoilt(dy, x, w, stride, padding):
        return spoil(*my_backward(dy, x, w, stride, padding))

    own = layer(backward=spoilt)
    x, dy = data()
    own(x)
    with pytest.raises(nn.ConvOpError, match=f"your own spoilt returned .*{text}|your own spoilt {text}"):
        own.backward(dy)
    assert own.weight.grad is None


def test_a_result_on_another_device_is_reported_as_its_own():
    strict = pytest.importorskip("array_api_strict")

    def elsewhere(x, w, b, stride, padding):
        return strict.asarray(my_forward(x, w, b, stride, padding))

    with pytest.raises(nn.ConvOpError, match="your own elsewhere returned y on another device"):
        layer(elsewhere)(data()[0])


def test_an_error_inside_an_own_op_passes_through_with_a_note():
    def broken(x, w, b, stride, padding):
        raise IndexError("mine")

    with pytest.raises(IndexError, match="mine") as caught:
        layer(broken)(data()[0])
    assert caught.value.__notes__ == ["This was raised by your own broken, the forward of the layer's ConvOp."]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"dilation": 2}, r"dilation \(=\(2, 2\)\) must be 1"),
        ({"padding_mode": "reflect"}, r'padding_mode \(="reflect"\) must be "zeros"'),
        ({"stride": 1, "padding": "same"}, "must be the same before and after"),
        ({"stride": 1, "padding": ((0, 1), 0)}, "must be the same before and after"),
    ],
)
def test_options_that_an_own_op_does_not_get_are_refused(options, text):
    with pytest.raises(ValueError, match=f"a ConvOp computes with stride and zero padding only.*{text}"):
        layer(**options)


def test_groups_are_refused_with_an_own_op():
    with pytest.raises(ValueError, match=r"groups \(=2\) must be 1"):
        nn.Conv2d(2, 2, 3, groups=2, op=nn.ConvOp(my_forward, my_backward))


def test_repr_names_the_own_functions():
    assert repr(layer()).endswith("padding=(1, 0), op=(my_forward, my_backward))")
