"""A reader's own pooling in a layer: it computes, and its faults are reported as its own."""

import numpy as np
import pytest

from cnnlab import checks, nn, ops

SIZES = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
LAYERS = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}


def my_forward(x, kernel, stride, padding, how):
    forward = {"max": ops.max_pool_forward, "avg": ops.avg_pool_forward}[how]
    return forward(x, kernel_size=kernel, stride=stride, padding=padding)


def my_backward(dy, x, kernel, stride, padding, how):  # noqa: PLR0917  the signature of an own op
    backward = {"max": ops.max_pool_backward, "avg": ops.avg_pool_backward}[how]
    return backward(dy, x, kernel_size=kernel, stride=stride, padding=padding)


def layer(forward=my_forward, backward=my_backward, how="max", **options):
    return LAYERS[how](**(SIZES | options), op=nn.PoolOp(forward, backward))


def data():
    rng = np.random.default_rng(1)
    return rng.standard_normal((2, 2, 5, 4)).astype("float32"), rng.standard_normal((2, 2, 3, 3)).astype("float32")


def test_an_own_op_gets_tuples_of_ints_and_is_used():
    calls = []

    def forward(x, kernel, stride, padding, how):
        calls.append((kernel, stride, padding, how))
        return 2 * my_forward(x, kernel, stride, padding, how)

    x, _ = data()
    np.testing.assert_array_equal(layer(forward)(x), 2 * nn.MaxPool2d(**SIZES)(x))
    layer(forward, how="avg")(x)
    nn.MaxPool1d(2, op=nn.PoolOp(forward, my_backward))(x[:, 0])
    assert calls == [
        ((3, 2), (2, 1), (1, 0), "max"),
        ((3, 2), (2, 1), (1, 0), "avg"),
        ((2,), (2,), (0,), "max"),
    ]


@pytest.mark.parametrize("how", LAYERS)
def test_a_right_own_op_gives_the_layer_without_it(how):
    x, dy = data()
    own, plain = layer(how=how), LAYERS[how](**SIZES)
    np.testing.assert_array_equal(own(x), plain(x))
    np.testing.assert_array_equal(own.backward(dy), plain.backward(dy))


@pytest.mark.parametrize("how", LAYERS)
def test_the_functions_of_exercise_14_plug_in_as_they_are(how):
    forward, backward = (function.reference for function in checks.exercise("a4.pool2d").functions)
    x, dy = (array.astype("float64") for array in data())
    own, plain = layer(forward, backward, how=how), LAYERS[how](**SIZES)
    np.testing.assert_allclose(own(x), plain(x), rtol=1e-12)
    np.testing.assert_allclose(own.backward(dy), plain.backward(dy), rtol=1e-12)


def test_the_functions_of_exercises_10_and_11_plug_in_as_they_are():
    forward, backward = (checks.exercise(f"a3.conv2d_{way}").function().reference for way in ("forward", "backward"))
    x, options = data()[0].astype("float64"), {"stride": (2, 1), "padding": (1, 0), "dtype": "float64"}
    own = nn.Conv2d(2, 3, (3, 2), rng=np.random.default_rng(0), op=nn.ConvOp(forward, backward), **options)
    plain = nn.Conv2d(2, 3, (3, 2), rng=np.random.default_rng(0), **options)
    dy = np.random.default_rng(2).standard_normal((2, 3, 3, 3))
    np.testing.assert_allclose(own(x), plain(x), rtol=1e-12)
    np.testing.assert_allclose(own.backward(dy), plain.backward(dy), rtol=1e-12)
    for ours, theirs in zip(own.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad, theirs.grad, rtol=1e-12)


FAULTS = {
    "None": (lambda y: None, "as None: is a `return` missing"),
    "list": (lambda y: y.tolist(), "as a list: return an array"),
    "shape": (lambda y: y[..., 1:], r"of shape .*, but it must be"),
    "dtype": (lambda y: y.astype("float64"), "as float64, but its input is float32"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_an_own_function_is_reported_as_its_own(name):
    spoil, text = FAULTS[name]

    def spoilt(*arguments):
        return spoil((my_forward if len(arguments) == 5 else my_backward)(*arguments))

    x, dy = data()
    with pytest.raises(nn.PoolOpError, match=f"your own spoilt returned y {text}"):
        layer(spoilt)(x)
    own = layer(backward=spoilt)
    own(x)
    with pytest.raises(nn.PoolOpError, match=f"your own spoilt returned dx {text}"):
        own.backward(dy)


def test_an_error_inside_an_own_op_passes_through_with_a_note():
    def broken(x, kernel, stride, padding, how):
        raise IndexError("mine")

    with pytest.raises(IndexError, match="mine") as caught:
        layer(broken)(data()[0])
    assert caught.value.__notes__ == ["This was raised by your own broken, the forward of the layer's PoolOp."]


@pytest.mark.parametrize(
    ("how", "options", "text"),
    [
        ("max", {"dilation": 2, "kernel_size": 2, "padding": 0}, r"dilation \(=\(2, 2\)\) must be 1"),
        ("max", {"ceil_mode": True}, r"ceil_mode \(=True\) must be False"),
        ("avg", {"ceil_mode": True}, r"ceil_mode \(=True\) must be False"),
        ("avg", {"count_include_pad": False}, r"count_include_pad \(=False\) must be True"),
    ],
)
def test_options_that_an_own_op_does_not_get_are_refused(how, options, text):
    with pytest.raises(ValueError, match=f"a PoolOp computes with kernel, stride and padding only.*{text}"):
        layer(how=how, **options)


@pytest.mark.parametrize("how", LAYERS)
def test_functions_that_are_not_wrapped_are_refused(how):
    with pytest.raises(TypeError, match=r"wrap your functions, nn\.PoolOp\("):
        LAYERS[how](2, op=abs)


def test_repr_names_the_own_functions():
    assert repr(layer()).endswith("padding=(1, 0), op=(my_forward, my_backward))")
    assert "op=" not in repr(nn.MaxPool2d(2))


# ---- where only a reader's own code may compute ----


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda **own: nn.Conv2d(2, 3, 2, **own), r"Conv2d must compute .* op=nn\.ConvOp\(conv2d_forward, conv2d_b"),
        (lambda **own: nn.MaxPool2d(2, **own), r"MaxPool2d must compute .* op=nn\.PoolOp\(pool2d_forward, pool2d_b"),
        (lambda **own: nn.AvgPool2d(2, **own), r"AvgPool2d must compute .* op=nn\.PoolOp\("),
    ],
)
def test_where_own_ops_are_required_a_layer_without_one_says_so(make, text):
    x, _ = data()
    with nn.own_ops_required():
        plain = make()
        with pytest.raises(nn.OwnOpMissingError, match=text):
            plain(x)
        with pytest.raises(nn.OwnOpMissingError, match=text):
            nn.Sequential(plain)(x)
    plain(x)  # outside it computes


def test_where_own_ops_are_required_layers_with_one_compute():
    def conv_forward(x, w, b, stride, padding):
        return ops.conv_forward(x, w, b, stride=stride, padding=padding)

    def conv_backward(dy, x, w, stride, padding):
        return ops.conv_backward(dy, x, w, stride=stride, padding=padding)

    x, _ = data()
    conv, pool = nn.ConvOp(conv_forward, conv_backward), nn.PoolOp(my_forward, my_backward)
    net = nn.Sequential(nn.Conv2d(2, 3, 2, op=conv), nn.MaxPool2d(2, op=pool), nn.Flatten(), nn.Linear(6, 2))
    with nn.own_ops_required():
        y = net(x)
        assert net.backward(np.ones_like(y)).shape == x.shape
