"""A Sequential computes what its layers do one after the other, also where it pools before it cuts off at 0."""

import numpy as np
import pytest

from cnnlab import inspection, nn

POOLS = [
    (2, {}),
    (3, {"stride": 2, "padding": 1}),
    (3, {"stride": 1}),
    (2, {"stride": 3, "ceil_mode": True}),
    ((1, 3), {"dilation": 2}),
]


def one_by_one(layers, x, dy):
    for layer in layers:
        x = layer.forward(x)
    for layer in reversed(layers):
        dy = layer.backward(dy)
    return x, dy


@pytest.mark.parametrize(("size", "options"), POOLS)
@pytest.mark.parametrize("kind", ["ties", "NaN", "negative"])
def test_relu_and_max_pooling_in_either_order(rng, size, options, kind):
    x = rng.integers(-3, 3, (3, 4, 13, 14)).astype("float64")  # ties, of zeros too
    if kind == "NaN":
        x[rng.random(x.shape) < 0.05] = np.nan
        x[rng.random(x.shape) < 0.05] = -np.inf
    if kind == "negative":
        x = -np.abs(x)
    net = nn.Sequential(nn.ReLU(), nn.MaxPool2d(size, **options))
    y = net(x)
    dy = rng.standard_normal(y.shape)
    dx = net.backward(dy)
    wanted, dx_wanted = one_by_one([nn.ReLU(), nn.MaxPool2d(size, **options)], x, dy)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_allclose(dx, dx_wanted, rtol=1e-12)


def test_several_of_them_with_parameters_and_twice(rng):
    relu, pool = nn.ReLU(), nn.MaxPool2d(2)
    conv = nn.Conv2d(2, 2, 3, padding=1, rng=rng, dtype="float64")
    net = nn.Sequential(conv, relu, pool, nn.MaxPool2d(2, stride=1), conv, relu, pool)
    x = rng.standard_normal((2, 2, 14, 12))
    inspection.gradient_check(net, x, strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", ["1-D", "2-D", "3-D", "small"])
def test_a_convolution_and_the_relu_behind_it(rng, layer, dtype):
    kind, rank, size = {"1-D": (nn.Conv1d, 1, 40), "2-D": (nn.Conv2d, 2, 20), "3-D": (nn.Conv3d, 3, 9)}.get(
        layer, (nn.Conv2d, 2, 3)
    )
    conv = kind(3, 8, 3, padding=1, rng=rng, dtype=dtype)
    x = rng.standard_normal((4, 3, *(size,) * rank)).astype(dtype)
    net = nn.Sequential(conv, nn.ReLU(), nn.Tanh())
    y = net(x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx, gradients = net.backward(dy), [p.grad for p in net.parameters()]
    net.zero_grad()
    wanted, dx_wanted = one_by_one([conv, nn.ReLU(), nn.Tanh()], x, dy)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(dx, dx_wanted)
    for got, parameter in zip(gradients, net.parameters(), strict=True):
        np.testing.assert_array_equal(got, parameter.grad)
    net.zero_grad()
    net(x)
    net.backward_parameters(dy)
    for got, parameter in zip(gradients, net.parameters(), strict=True):
        np.testing.assert_array_equal(got, parameter.grad)
    net.eval()(x)
    with pytest.raises(RuntimeError):  # nothing is left or kept
        net.backward(dy)


def test_a_convolution_and_its_relu_twice(rng):
    conv, relu = nn.Conv2d(2, 2, 3, padding=1, rng=rng, dtype="float64"), nn.ReLU()
    net = nn.Sequential(conv, relu, conv, relu, relu, nn.Conv2d(2, 1, 1, rng=rng, dtype="float64"), relu)
    inspection.gradient_check(net, rng.standard_normal((2, 2, 6, 5)), strict=True)


def test_a_frozen_part_keeps_what_a_net_in_training_needs_of_both(rng):
    net = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3, rng=rng), nn.ReLU()), nn.Flatten(), nn.Linear(32, 2, rng=rng))
    net.train()
    net[0].eval()
    x = rng.standard_normal((3, 1, 6, 6), dtype="float32")
    assert net.backward(np.ones_like(net(x))).shape == x.shape


def test_only_our_own_convolutions_are_computed_with_their_relu(rng):
    seen = []

    class MyConv(nn.Conv2d):
        def forward(self, x):
            seen.append("mine")
            return super().forward(x)

    patched = nn.Conv2d(1, 1, 3, rng=rng)
    patched.forward = lambda x: seen.append("patched") or nn.Conv2d.forward(patched, x)

    def forward(x, w, b, stride, padding):
        seen.append("op")
        return np.zeros((1, 1, 6, 6), np.float32)

    own = nn.Conv2d(1, 1, 3, op=nn.ConvOp(forward, None))
    x = rng.standard_normal((1, 1, 8, 8), dtype="float32")
    for conv in (MyConv(1, 1, 3, rng=rng), patched, own):
        nn.Sequential(conv, nn.ReLU()).eval()(x)
    assert seen == ["mine", "patched", "op"]
    with pytest.raises(TypeError, match="op of its own"):
        own.forward_with_relu(x)


def test_only_our_own_layers_change_places(rng):
    seen = []

    class MyReLU(nn.ReLU):
        def forward(self, x):
            seen.append(x.shape)
            return super().forward(x)

    relu = nn.ReLU()
    relu.forward = lambda x: seen.append(x.shape) or nn.ReLU.forward(relu, x)
    own = nn.MaxPool2d(2, op=nn.PoolOp(lambda x, *_, **__: x[..., ::2, ::2], None))
    x = rng.standard_normal((1, 1, 8, 8))
    for first in (MyReLU(), relu):
        nn.Sequential(first, nn.MaxPool2d(2))(x)
    nn.Sequential(MyReLU(), own).eval()(x)
    assert seen == [x.shape] * 3


def test_a_summary_has_the_layers_as_they_were_written():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2))
    kinds = [(layer.kind, layer.output_shape) for layer in inspection.summary(net, (1, 8, 8)).layers]
    assert kinds == [("Conv2d", (2, 6, 6)), ("ReLU", (2, 6, 6)), ("MaxPool2d", (2, 3, 3))]
    kinds = [(layer.kind, layer.output_shape) for layer in inspection.summary(net[:2], (1, 8, 8)).layers]
    assert kinds == [("Conv2d", (2, 6, 6)), ("ReLU", (2, 6, 6))]


def test_of_nothing_nothing():
    net = nn.Sequential()
    assert net(np.ones(3)).shape == (3,)
    net.backward_parameters(np.ones(3))


def test_a_net_that_begins_with_flatten_leaves_out_the_gradient_to_its_input(rng, monkeypatch):
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5, rng=rng), nn.Tanh(), nn.Linear(5, 2, rng=rng))
    x, dy = rng.standard_normal((4, 3, 4), dtype="float32"), rng.standard_normal((4, 2), dtype="float32")
    net(x)
    net.backward(dy)
    wanted = [parameter.grad for parameter in net.parameters()]
    monkeypatch.setattr(net[1], "backward", None)
    for _ in range(2):
        net.zero_grad()
        net(x)
        net.backward_parameters(dy)
        for parameter, gradient in zip(net.parameters(), wanted, strict=True):
            np.testing.assert_array_equal(parameter.grad, gradient)
    with pytest.raises(RuntimeError):
        net[0].backward(dy)  # nothing is left on its stack
