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
