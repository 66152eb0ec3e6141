"""Starting values."""

import math

import numpy as np
import pytest

from cnnlab import nn


def layers(seed, **options):
    rng = np.random.default_rng(seed)
    return [
        nn.Linear(50, 400, rng=rng, **options),
        nn.Conv1d(8, 400, 5, groups=4, rng=rng, **options),
        nn.Conv3d(2, 400, (1, 2, 3), rng=rng, **options),
    ]


def test_values_fill_the_interval_of_one_over_the_root_of_fan_in():
    for layer, fan_in in zip(layers(0), (50, 2 * 5, 2 * 1 * 2 * 3), strict=True):
        bound = 1 / math.sqrt(fan_in)
        for parameter in layer.parameters():
            values = parameter.data / bound
            assert 0.97 < np.max(values) <= 1
            assert -1 <= np.min(values) < -0.97
            # A uniform variable on ±1 has mean 0 and variance 1/3.
            assert np.mean(values) == pytest.approx(0, abs=4 / math.sqrt(3 * values.size))
            assert np.var(values) == pytest.approx(1 / 3, abs=0.06)


def test_same_seed_gives_same_weights_in_every_dtype():
    for one, other, narrow in zip(layers(3), layers(3), layers(3, dtype="float64"), strict=True):
        np.testing.assert_array_equal(one.weight.data, other.weight.data)
        np.testing.assert_array_equal(one.bias.data, narrow.bias.data.astype(np.float32))
    assert not np.array_equal(layers(3)[0].weight.data, layers(4)[0].weight.data)


def test_without_a_generator_two_layers_differ():
    assert not np.array_equal(nn.Linear(5, 5).weight.data, nn.Linear(5, 5).weight.data)


def test_float32_is_the_default_and_float64_can_be_had():
    assert {p.data.dtype for layer in layers(0) for p in layer.parameters()} == {np.dtype("float32")}
    assert {p.data.dtype for layer in layers(0, dtype=np.float64) for p in layer.parameters()} == {np.dtype("float64")}


def test_without_bias_there_is_none():
    assert nn.Linear(2, 3, bias=False).bias is None
    layer = nn.Conv2d(2, 3, 1, 1, 0, 1, 1, False)
    assert layer.bias is None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


def test_a_seed_in_place_of_a_generator_is_refused():
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator but is 0.*default_rng\(seed\)"):
        nn.Linear(2, 2, rng=0)


def test_integer_weights_are_refused():
    with pytest.raises(TypeError, match="dtype is int64, but parameters must be floating point"):
        nn.Linear(2, 2, dtype="int64")


@pytest.mark.oracle
def test_spread_is_that_of_pytorch():
    import torch

    torch.manual_seed(0)
    theirs = [
        torch.nn.Linear(50, 400),
        torch.nn.Conv1d(8, 400, 5, groups=4),
        torch.nn.Conv3d(2, 400, (1, 2, 3)),
    ]
    for our_layer, their_layer in zip(layers(0), theirs, strict=True):
        for ours, other in ((our_layer.weight, their_layer.weight), (our_layer.bias, their_layer.bias)):
            assert ours.shape == tuple(other.shape)
            assert np.abs(ours.data).max() == pytest.approx(float(other.detach().abs().max()), rel=0.02)
            assert ours.data.std() == pytest.approx(float(other.detach().std()), rel=0.12)


FUNCTIONS = {
    "kaiming_uniform_": [{}, {"a": 0.3}, {"mode": "fan_out", "nonlinearity": "relu"}, {"nonlinearity": "tanh"}],
    "kaiming_normal_": [{}, {"a": 0.3}, {"mode": "fan_out", "nonlinearity": "relu"}, {"nonlinearity": "sigmoid"}],
    "xavier_uniform_": [{}, {"gain": 2.5}],
    "xavier_normal_": [{}, {"gain": 2.5}],
}
CALLS = [(name, options) for name, each in FUNCTIONS.items() for options in each]


def deviation(name, options, outputs, inputs):
    """Return the standard deviation by the formulas of the two papers."""
    if name.startswith("xavier"):
        return options.get("gain", 1) * math.sqrt(2 / (inputs + outputs))
    slope = options.get("a", 0)
    gain = {"relu": 2**0.5, "tanh": 5 / 3, "sigmoid": 1}.get(options.get("nonlinearity"), math.sqrt(2 / (1 + slope**2)))
    return gain / math.sqrt(outputs if options.get("mode") == "fan_out" else inputs)


@pytest.mark.parametrize(("name", "options"), CALLS)
@pytest.mark.parametrize("shape", [(300, 200), (60, 20, 5), (40, 10, 3, 4), (20, 30, 2, 3, 4)])
def test_spread_is_that_of_the_papers(name, options, shape, rng):
    parameter = nn.Parameter(np.zeros(shape))
    assert getattr(nn.init, name)(parameter, **options, rng=rng) is parameter
    places = math.prod(shape[2:])
    expected = deviation(name, options, shape[0] * places, shape[1] * places)
    values = parameter.data
    assert values.std() == pytest.approx(expected, rel=5 / math.sqrt(2 * values.size))
    assert abs(values.mean()) < 5 * expected / math.sqrt(values.size)
    largest = np.abs(values).max() / expected
    if "uniform" in name:
        assert 0.99 * math.sqrt(3) < largest <= math.sqrt(3)
    else:
        assert 3.5 < largest < 6


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_a_new_array_of_the_old_kind(name, lane):
    old = lane.array(np.ones((3, 4), dtype="float32"))
    parameter = nn.Parameter(old)
    getattr(nn.init, name)(parameter, rng=np.random.default_rng(0))
    assert (type(parameter.data), parameter.data.dtype) == (type(old), old.dtype)
    assert parameter.data.device == old.device
    assert (lane.numpy(old) == 1).all()
    plain = getattr(nn.init, name)(nn.Parameter(np.ones((3, 4))), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(lane.numpy(parameter.data), plain.data.astype("float32"))


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options"), CALLS)
def test_spread_against_pytorch(name, options, rng):
    import torch

    torch.manual_seed(0)
    ours = getattr(nn.init, name)(nn.Parameter(np.zeros((200, 40, 3))), **options, rng=rng).data
    theirs = getattr(torch.nn.init, name)(torch.empty(200, 40, 3, dtype=torch.float64), **options).numpy()
    assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
    if "uniform" in name:
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


@pytest.mark.oracle
@pytest.mark.parametrize("nonlinearity", ["linear", "sigmoid", "tanh", "relu", "leaky_relu"])
def test_gain_against_pytorch(nonlinearity):
    import torch

    slope = 0.2 if nonlinearity == "leaky_relu" else 0
    assert nn.init.calculate_gain(nonlinearity, slope) == pytest.approx(
        torch.nn.init.calculate_gain(nonlinearity, slope or None)
    )


@pytest.mark.oracle
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_spread_of_a_transposed_convolution_is_that_of_pytorch(rank, rng):
    import torch

    ours = getattr(nn, f"ConvTranspose{rank}d")(40, 60, 3, groups=2, rng=rng)
    theirs = getattr(torch.nn, f"ConvTranspose{rank}d")(40, 60, 3, groups=2)
    for one, other in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        assert one.shape == tuple(other.shape)
        assert np.abs(one.data).max() == pytest.approx(float(other.detach().abs().max()), rel=0.05)


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda p, i: i.kaiming_normal_(p.data), TypeError, "parameter is a ndarray: pass a Parameter"),
        (
            lambda p, i: i.xavier_normal_(nn.Parameter(np.ones(3))),
            ValueError,
            r"shape \(3,\), of which there is no fan",
        ),
        (lambda p, i: i.kaiming_normal_(p, mode="fan"), ValueError, "mode 'fan' is unknown: choose fan_in or fan_out"),
        (lambda p, i: i.kaiming_normal_(p, nonlinearity="gelu"), ValueError, "nonlinearity 'gelu' is unknown: choose"),
        (lambda p, i: i.xavier_normal_(p, gain=float("nan")), ValueError, "standard deviation of nan"),
        (lambda p, i: i.xavier_uniform_(p, gain=-1), ValueError, "standard deviation of -"),
        (lambda p, i: i.kaiming_uniform_(p, rng=0), TypeError, r"rng must be a numpy.random.Generator but is 0"),
    ],
)
def test_wrong_wishes_are_refused_and_leave_the_values(act, error, text):
    parameter = nn.Parameter(np.ones((3, 4)))
    with pytest.raises(error, match=text):
        act(parameter, nn.init)
    assert (parameter.data == 1).all()


def test_a_leaky_relu_that_does_not_leak_is_a_relu():
    assert nn.init.calculate_gain("leaky_relu") == nn.init.calculate_gain("relu") == math.sqrt(2)
