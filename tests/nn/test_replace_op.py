"""A reader's own convolution put into a whole net."""

import numpy as np
import pytest

from cnnlab import nn, ops


def counting():
    calls = []

    def forward(x, w, b, stride, padding):
        calls.append(tuple(w.shape))
        return ops.conv_forward(x, w, b, stride=stride, padding=padding)

    def backward(dy, x, w, stride, padding):
        return ops.conv_backward(dy, x, w, stride=stride, padding=padding)

    return nn.ConvOp(forward, backward), calls


def net(**last):
    g = np.random.default_rng(0)
    inner = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, rng=g), nn.ReLU())
    return nn.Sequential(nn.Conv2d(2, 3, (3, 2), 2, rng=g), inner, nn.Conv2d(4, 2, 1, rng=g, **last))


def test_every_convolution_below_uses_the_own_op_and_computes_the_same():
    x = np.random.default_rng(1).standard_normal((2, 2, 7, 6)).astype("float32")
    own, plain = net(), net()
    op, calls = counting()
    assert own.replace_op(op) is own
    np.testing.assert_array_equal(own(x), plain(x))
    assert calls == [(3, 2, 3, 2), (4, 3, 3, 3), (2, 4, 1, 1)]
    dy = np.random.default_rng(2).standard_normal((2, 2, 3, 3)).astype("float32")
    np.testing.assert_array_equal(own.backward(dy), plain.backward(dy))


def test_a_single_layer_can_take_another_op():
    layer = nn.Conv1d(1, 1, 2)
    op, calls = counting()
    layer.replace_op(op)(np.zeros((1, 1, 4), np.float32))
    assert len(calls) == 1


def test_none_puts_the_library_back():
    own = net()
    op, calls = counting()
    own.replace_op(op).replace_op(None)
    own(np.zeros((1, 2, 7, 6), np.float32))
    assert calls == []


def test_a_layer_with_other_options_is_named_and_nothing_is_changed():
    g = np.random.default_rng(0)
    own = nn.Sequential(
        nn.Conv2d(2, 4, 3, rng=g),
        nn.Sequential(nn.Conv2d(4, 4, 3, groups=2, dilation=2, rng=g)),
        nn.Conv2d(4, 4, 2, padding="same", padding_mode="circular", rng=g),
    )
    op, _ = counting()
    with pytest.raises(ValueError, match="Nothing was changed") as caught:
        own.replace_op(op)
    assert "1.0: dilation (=(2, 2)) must be 1, groups (=2) must be 1; 2: padding_mode" in str(caught.value)
    assert "must be the same before and after" in str(caught.value)
    assert [layer.op for layer in (own[0], own[1][0], own[2])] == [None] * 3


def test_a_net_without_convolutions_and_a_bare_function_are_refused():
    with pytest.raises(ValueError, match="this Sequential has no convolution layer"):
        nn.mlp([3, 1]).replace_op(counting()[0])
    with pytest.raises(TypeError, match=r"op is a function: wrap your functions, nn\.ConvOp"):
        net().replace_op(lambda x: x)
