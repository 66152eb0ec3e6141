"""Going back for the parameters alone: the same gradients, and no work for the input's."""

import numpy as np
import pytest

from cnnlab import nn, ops


def nets():
    rng = np.random.default_rng(3)
    make = {"rng": rng, "dtype": "float64"}
    shared = nn.Conv2d(2, 2, 3, padding=1, **make)
    return {
        "convolutions": (
            nn.Sequential(nn.Conv2d(2, 3, 3, **make), nn.ReLU(), nn.Conv2d(3, 2, 2, **make)),
            (2, 2, 6, 5),
        ),
        "no bias": (nn.Conv2d(2, 4, 3, bias=False, **make), (2, 2, 6, 5)),
        "linear": (nn.Sequential(nn.Linear(6, 4, **make), nn.Tanh(), nn.Linear(4, 2, **make)), (3, 6)),
        "one layer twice": (nn.Sequential(shared, nn.ReLU(), shared), (1, 2, 5, 5)),
        "nothing to learn in front": (nn.Sequential(nn.Flatten(), nn.Linear(6, 2, **make)), (2, 2, 3)),
        "stages": (nn.models.Stages(a=nn.Conv1d(2, 3, 2, **make), b=nn.Conv1d(3, 2, 2, **make)), (2, 2, 6)),
        "scan": (nn.Scan(nn.Linear(8, 3, **make), 4), (2, 2, 9)),
        "own op": (
            nn.Conv2d(
                2,
                3,
                3,
                op=nn.ConvOp(
                    lambda x, w, b, stride, padding: ops.conv_forward(x, w, b, stride=stride, padding=padding),
                    lambda dy, x, w, stride, padding: ops.conv_backward(dy, x, w, stride=stride, padding=padding),
                ),
                **make,
            ),
            (1, 2, 5, 5),
        ),
        "empty": (nn.Sequential(), (2, 3)),
    }


@pytest.fixture(params=nets().values(), ids=nets())
def net_and_x(request, rng):
    net, shape = request.param
    return net, rng.standard_normal(shape)


def test_the_parameters_get_the_same_gradients(net_and_x, rng):
    net, x = net_and_x
    dy = rng.standard_normal(net(x).shape)
    net.backward(dy)
    expected = [p.grad for p in net.parameters()]
    net.zero_grad()
    net(x)
    assert net.backward_parameters(dy) is None
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        np.testing.assert_allclose(parameter.grad, gradient, rtol=1e-12, atol=1e-12)


def test_nothing_is_left_for_another_backward(net_and_x, rng):
    net, x = net_and_x
    net.backward_parameters(rng.standard_normal(net(x).shape))
    assert not [module for module in net.modules() if vars(module).get("_kept")]


def test_a_subclass_with_its_own_backward_has_that_one_used(rng):
    class Doubled(nn.Conv1d):
        def backward(self, dy):
            return super().backward(2 * dy)

    layer = Doubled(1, 1, 2, dtype="float64")
    x = rng.standard_normal((1, 1, 4))
    dy = rng.standard_normal(layer(x).shape)
    layer.backward_parameters(dy)
    np.testing.assert_allclose(layer.bias.grad, [2 * dy.sum()])


def test_fit_does_not_ask_the_first_layer_for_the_gradient_to_its_input(monkeypatch, rng):
    from cnnlab import optim, train

    def refuse(*_, **__):
        raise AssertionError("dx of the first layer")

    monkeypatch.setattr(ops, "conv_backward", refuse)
    net = nn.Sequential(nn.Conv2d(1, 2, 3, rng=rng), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2, rng=rng))
    x = rng.standard_normal((6, 1, 4, 4)).astype("float32")
    y = rng.integers(0, 2, 6)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    history = train.fit(net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=1, progress=False)
    assert len(history.loss) == 1
