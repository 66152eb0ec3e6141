"""The same network on every kind of array."""

import copy

import numpy as np
import pytest

from cnnlab import nn, ops, optim, train


def scanner(rng):
    return nn.Sequential(nn.Scan(nn.mlp([2 * 3, 4, 3], rng=rng, dtype="float64"), 3), nn.GlobalPool("softmax"))


def conv_net(rng):
    return nn.Sequential(
        nn.Conv1d(2, 4, 3, 1, 1, 1, 2, rng=rng, dtype="float64"),
        nn.Sigmoid(),
        nn.MaxPool1d(2),
        nn.ReLU(),
        nn.AvgPool1d(2, 1),
        nn.Flatten(),
        nn.Linear(4 * 3, 3, rng=rng, dtype="float64"),
    )


def residual_net(rng):
    def block():
        return nn.Sequential(
            nn.Conv1d(4, 4, 3, padding=1, rng=rng, dtype="float64"), nn.BatchNorm1d(4, dtype="float64"), nn.Tanh()
        )

    return nn.Sequential(
        nn.ConvTranspose1d(2, 4, 3, 2, 1, 1, rng=rng, dtype="float64"),
        nn.Add(nn.Sequential(), block()),
        nn.Dropout(0.3, rng=np.random.default_rng(7)),
        nn.Add(block(), block()),
        nn.MaxPool1d(3, 2, 1, 2, ceil_mode=True),
        nn.AvgPool1d(2, 2, 1, True, False),
        nn.BatchNorm1d(4, momentum=None, affine=False, dtype="float64"),
        nn.Flatten(),
        nn.Linear(4 * 5, 3, rng=rng, dtype="float64"),
        nn.BatchNorm1d(3, track_running_stats=False, dtype="float64"),
    )


NETS = {"scanner": scanner, "conv_net": conv_net, "residual_net": residual_net}


def on_lane(net, lane, dtype):
    """Copy a network with its parameters and buffers as arrays of a lane."""
    net = copy.deepcopy(net)
    for parameter in net.parameters():
        parameter.data = lane.array(parameter.data.astype(dtype))
    for _, buffer in net.named_buffers():
        buffer.data = lane.array(buffer.data.astype(dtype if buffer.data.dtype.kind == "f" else "int64"))
    return net


@pytest.mark.parametrize("name", NETS)
def test_forward_and_backward_on_every_lane(name, lane, rng, assert_close):
    net = NETS[name](rng)
    x, dy = rng.standard_normal((5, 2, 8)), rng.standard_normal((5, 3))
    there = on_lane(net, lane, lane.dtype)
    assert_close(there(lane.array(x.astype(lane.dtype))), net(x))
    assert_close(there.backward(lane.array(dy.astype(lane.dtype))), net.backward(dy))
    for ours, plain in zip(there.parameters(), net.parameters(), strict=True):
        assert type(ours.grad) is type(ours.data)
        assert_close(ours.grad, plain.grad)
    state = net.state_dict()
    for key, value in there.state_dict().items():
        np.testing.assert_allclose(value, state[key], rtol=1e-4, atol=1e-5, err_msg=key)
    assert_close(there.eval()(lane.array(x.astype(lane.dtype))), net.eval()(x))


@pytest.mark.parametrize("build", [optim.SGD, optim.Adam])
def test_training_on_every_lane(build, lane, rng):
    options = {"momentum": 0.9, "weight_decay": 0.01} if build is optim.SGD else {"weight_decay": 0.01}
    x, y = rng.standard_normal((20, 2, 8)), rng.integers(3, size=20)
    net = conv_net(rng)
    nets = net, on_lane(net, lane, lane.dtype)
    data = (x, y), (lane.array(x.astype(lane.dtype)), lane.array(y))
    curves = []
    for net, (inputs, targets) in zip(nets, data, strict=True):
        history = train.fit(
            net,
            inputs,
            targets,
            loss=nn.CrossEntropyLoss(),
            optimizer=build(net.parameters(), lr=0.01, **options),
            epochs=3,
            batch_size=8,
            rng=np.random.default_rng(0),
            validation=(inputs, targets),
            metrics={"accuracy": train.accuracy},
            progress=False,
        )
        curves.append(history.as_dict())
    plain, there = curves
    assert plain.keys() == there.keys()
    for name, values in plain.items():
        assert there[name] == pytest.approx(values, rel=2e-4), name


def test_a_state_goes_from_lane_to_lane(lane, rng, assert_close):
    net = conv_net(rng)
    there = on_lane(conv_net(rng), lane, lane.dtype)
    there.load_state_dict(net.state_dict())
    for ours, plain in zip(there.parameters(), net.parameters(), strict=True):
        assert_close(ours.data, plain.data)
    for name, value in there.state_dict().items():
        assert type(value) is np.ndarray, name


def test_an_own_convolution_on_every_lane(lane, rng, assert_close):
    own = nn.ConvOp(
        lambda x, w, b, stride, padding: ops.conv_forward(x, w, b, stride=stride, padding=padding),
        lambda dy, x, w, stride, padding: ops.conv_backward(dy, x, w, stride=stride, padding=padding),
    )
    net = nn.Conv2d(2, 3, (3, 2), 2, 1, rng=rng, dtype="float64", op=own)
    x = rng.standard_normal((2, 2, 5, 4))
    there = on_lane(net, lane, lane.dtype)
    y = net(x)
    assert_close(there(lane.array(x.astype(lane.dtype))), y)
    assert_close(there.backward(lane.array(y.astype(lane.dtype))), net.backward(y))


@pytest.mark.gpu
def test_a_network_moves_to_the_gpu_and_back(rng, assert_close):
    import cupy

    net = conv_net(rng)
    x, dy = rng.standard_normal((5, 2, 8)), rng.standard_normal((5, 3))
    y = net(x)
    net.backward(dy)
    before = net.parameters()[0].grad
    net.to("gpu")
    assert all(isinstance(p.data, cupy.ndarray) and isinstance(p.grad, cupy.ndarray) for p in net.parameters())
    assert_close(net(cupy.asarray(x)), y)
    assert_close(net.to("cpu").parameters()[0].grad, before)


@pytest.mark.gpu
def test_same_seed_gives_the_same_weights_on_the_gpu():
    for device in ("cpu", "gpu"):
        layer = nn.Conv2d(2, 3, 3, rng=np.random.default_rng(0), device=device)
        if device == "cpu":
            expected = layer.state_dict()
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, expected[name])
