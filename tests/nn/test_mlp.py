"""Building an MLP, and reading its layers as a list."""

import numpy as np
import pytest

from cnnlab import nn


def test_mlp_is_linear_relu_linear():
    net = nn.mlp([6, 4, 3, 1], rng=np.random.default_rng(0))
    assert [type(layer) for layer in net] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert [p.shape for p in net.parameters()] == [(4, 6), (4,), (3, 4), (3,), (1, 3), (1,)]


def test_mlp_draws_from_the_given_generator():
    one, other = (nn.mlp([6, 4, 1], rng=np.random.default_rng(5), dtype="float64") for _ in range(2))
    np.testing.assert_array_equal(one[2].weight.data, other[2].weight.data)
    assert one[0].weight.data.dtype == np.float64


def test_layers_of_computes_what_the_net_computes():
    net = nn.mlp([6, 5, 4, 2], rng=np.random.default_rng(0), dtype="float64")
    x = np.random.default_rng(1).standard_normal((3, 6))
    h = x
    layers = nn.layers_of(net)
    for i, (W, b) in enumerate(layers):
        h = h @ W.T + b
        if i < len(layers) - 1:
            h = np.maximum(h, 0)
    np.testing.assert_allclose(h, net(x))


def test_layers_of_returns_copies_and_zeros_for_a_missing_bias():
    net = nn.Sequential(nn.Linear(3, 2, bias=False))
    [(W, b)] = nn.layers_of(net)
    np.testing.assert_array_equal(b, np.zeros(2, np.float32))
    W[...] = 7
    assert not np.any(net[0].weight.data == 7)


@pytest.mark.parametrize(
    "net",
    [
        nn.Linear(2, 2),
        nn.Sequential(),
        nn.Sequential(nn.Linear(2, 2), nn.ReLU()),
        nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 2)),
        nn.Sequential(nn.ReLU(), nn.Linear(2, 2), nn.ReLU()),
        nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)),
        nn.Scan(nn.mlp([2, 1]), 2),
    ],
    ids=range(8),
)
def test_layers_of_refuses_other_networks(net):
    with pytest.raises(ValueError, match=r"takes a Sequential of Linear, ReLU, …, Linear"):
        nn.layers_of(net)


def test_an_mlp_needs_two_sizes():
    with pytest.raises(ValueError, match=r"sizes \(=\[3\]\) must name at least"):
        nn.mlp([3])
