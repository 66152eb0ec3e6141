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
