"""The residual join."""

import textwrap

import numpy as np
import pytest

from cnnlab import nn


def conv(seed=0, **options):
    return nn.Conv1d(2, 2, 3, rng=np.random.default_rng(seed), dtype="float64", **{"padding": 1, **options})


def test_output_is_the_sum_and_the_gradient_is_the_sum(rng):
    one, other = conv(0), conv(1)
    x, dy = rng.standard_normal((2, 3, 2, 6))
    join = nn.Add(one, other)
    y, dx = join(x), join.backward(dy)
    np.testing.assert_allclose(y, one.eval()(x) + other.eval()(x))
    one.train()(x), other.train()(x)
    np.testing.assert_allclose(dx, one.backward(dy) + other.backward(dy))


def test_an_empty_sequential_is_the_identity(rng):
    block = conv()
    x, dy = rng.standard_normal((2, 3, 2, 6))
    join = nn.Add(nn.Sequential(), block)
    y, dx = join(x), join.backward(dy)
    np.testing.assert_allclose(y - x, block(x))
    np.testing.assert_allclose(dx - dy, block.backward(dy))


def test_one_branch_alone_and_the_same_layer_in_two(rng, gradient_check):
    x = rng.standard_normal((3, 2, 6))
    layer = conv()
    np.testing.assert_array_equal(nn.Add(layer)(x), layer(x))
    np.testing.assert_allclose(nn.Add(layer, layer)(x), 2 * layer(x))
    gradient_check(nn.Add(layer.forget(), nn.Sequential(nn.Sigmoid(), layer)), x)


def test_inputs_and_gradients_stay_as_they_were(rng):
    x, dy = rng.standard_normal((2, 3, 2, 6))
    x.flags.writeable = dy.flags.writeable = False
    join = nn.Add(nn.Sequential(), nn.Sequential())
    join(x)
    join.backward(dy)


def test_parts_are_named_by_their_place():
    join = nn.Add(nn.Sequential(), nn.Sequential(conv(), nn.ReLU()))
    assert [name for name, _ in join.named_parameters()] == ["1.0.weight", "1.0.bias"]
    assert repr(join) == textwrap.dedent("""\
        Add(
          (0): Sequential()
          (1): Sequential(
            (0): Conv1d(2, 2, kernel_size=(3,), stride=(1,), padding=(1,))
            (1): ReLU()
          )
        )""")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="Add has no branch: pass at least one"):
        nn.Add()
    with pytest.raises(TypeError, match=r"layer 1 of Add is the class ReLU: .*ReLU"):
        nn.Add(nn.ReLU(), nn.ReLU)
    with pytest.raises(TypeError, match=r"layer 0 of Add is a list.*one by one, `Add\(\*layers\)`"):
        nn.Add([nn.ReLU()])
    x = np.zeros((1, 2, 6))
    with pytest.raises(ValueError, match=r"return shapes \[\(1, 2, 6\), \(1, 2, 4\)\], and nothing is broadcast.*1×1"):
        nn.Add(nn.Sequential(), conv(padding=0))(x)
