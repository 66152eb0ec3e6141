"""A layer as one giant matrix with ties, and a tied network that learns as the convolution does."""

import numpy as np
import pytest

from cnnlab import nn, ops, optim, reference

# Layer options and the shape of one input: unequal axes, strides that do not divide, groups, dilation, every padding.
CASES = {
    "1-D": (nn.Conv1d, (2, 3, 3), {}, (2, 8)),
    "1-D stride and padding": (nn.Conv1d, (2, 3, 4), {"stride": 3, "padding": 2}, (2, 9)),
    "2-D": (nn.Conv2d, (2, 3, (3, 2)), {}, (2, 5, 4)),
    "2-D same": (nn.Conv2d, (1, 2, (2, 3)), {"padding": "same"}, (1, 3, 4)),
    "2-D groups, dilation": (
        nn.Conv2d,
        (4, 6, (2, 1)),
        {"groups": 2, "dilation": (2, 1), "stride": (1, 2)},
        (4, 5, 5),
    ),
    "2-D circular": (nn.Conv2d, (1, 2, 3), {"padding": 1, "padding_mode": "circular"}, (1, 4, 5)),
    "3-D": (nn.Conv3d, (1, 2, (1, 2, 2)), {"stride": (1, 2, 1)}, (1, 2, 4, 3)),
    "no bias": (nn.Conv1d, (1, 2, 2), {"bias": False}, (1, 5)),
}


def build(name, seed=0):
    layer, sizes, options, shape = CASES[name]
    return layer(*sizes, **options, rng=np.random.default_rng(seed), dtype="float64"), shape


@pytest.mark.parametrize("name", CASES)
def test_matrix_is_that_of_the_reference_and_gives_the_output_of_the_layer(name, rng):
    layer, shape = build(name)
    g = layer.geometry
    dense = nn.dense_matrix(layer, shape)
    options = {"stride": g.stride, "padding": g.padding, "dilation": g.dilation, "groups": g.groups}
    expected = reference.conv_matrix(layer.weight.data, shape, **options, padding_mode=g.padding_mode)
    np.testing.assert_array_equal(dense.matrix, expected)
    x = rng.normal(size=(2, *shape))
    y = x.reshape(2, -1) @ dense.matrix.T + (0 if dense.bias is None else dense.bias)
    np.testing.assert_allclose(y.reshape(2, *dense.output_shape), layer(x), atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_tied_entries_hold_one_weight_and_all_others_are_zero(name):
    layer, shape = build(name)
    dense = nn.dense_matrix(layer, shape)
    weights = layer.weight.data.ravel()
    for number in np.unique(dense.ties):
        assert set(dense.matrix[dense.ties == number]) == {0.0 if number < 0 else weights[number]}
    assert dense.weight_count == weights.size
    assert dense.entry_count == dense.matrix.size
    assert dense.connection_count == np.count_nonzero(dense.matrix)


@pytest.mark.parametrize("name", CASES)
def test_summed_gradient_of_the_free_matrix_is_that_of_the_layer(name, rng):
    """Deck row D15, with the gradient of the free matrix from a plain Linear."""
    layer, shape = build(name)
    dense = nn.dense_matrix(layer, shape)
    x, dy = rng.normal(size=(3, *shape)), rng.normal(size=(3, *dense.output_shape))
    layer(x)
    layer.backward(dy)
    _, free, free_bias = ops.linear_backward(dy.reshape(3, -1), x.reshape(3, -1), dense.matrix)
    sums = [free[dense.ties == i].sum() for i in range(layer.weight.data.size)]
    np.testing.assert_allclose(np.reshape(sums, layer.weight.shape), layer.weight.grad, atol=1e-11)
    if layer.bias is not None:
        sums = [free_bias[dense.bias_ties == i].sum() for i in range(layer.bias.data.size)]
        np.testing.assert_allclose(sums, layer.bias.grad, atol=1e-11)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, 0.05, 0.9, 0.01), lambda p: optim.Adam(p, 0.05)])
def test_tied_network_learns_step_by_step_as_the_convolution(name, make, rng):
    conv, shape = build(name)
    dense = nn.dense_matrix(conv, shape)
    tied = nn.TiedLinear.of(dense)
    optimizers = make(conv.parameters()), make(tied.parameters())
    for _ in range(6):
        x, target = rng.normal(size=(4, *shape)), rng.normal(size=(4, *dense.output_shape))
        y, y_tied = conv(x), tied(x.reshape(4, -1))
        np.testing.assert_allclose(y_tied.reshape(y.shape), y, atol=1e-11)
        dx = conv.backward(y - target)
        dx_tied = tied.backward(y_tied - target.reshape(4, -1))
        np.testing.assert_allclose(dx_tied.reshape(dx.shape), dx, atol=1e-11)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        np.testing.assert_allclose(tied.weight.data.reshape(conv.weight.shape), conv.weight.data, atol=1e-11)
    assert np.abs(conv.weight.data - build(name)[0].weight.data).max() > 0.01  # it did learn
    assert np.unique(tied.matrix[dense.ties == 0]).size == 1  # and stayed tied


TRANSPOSED = {
    "1-D": (nn.ConvTranspose1d, (2, 3, 3), {}, (2, 4)),
    "2-D strides, groups": (nn.ConvTranspose2d, (4, 6, (3, 2), (2, 1), 1, (1, 0), 2), {}, (4, 3, 4)),
    "1-D dilation beyond the stride": (nn.ConvTranspose1d, (1, 2, 2, 1, 0, 2), {"dilation": 3, "bias": False}, (1, 4)),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolution_is_a_matrix_too(name, rng):
    build, arguments, options, shape = TRANSPOSED[name]
    layer = build(*arguments, **options, rng=rng, dtype="float64")
    dense = nn.dense_matrix(layer, shape)
    x = rng.normal(size=(2, *shape))
    tied = nn.TiedLinear.of(dense)
    y = layer(x)
    np.testing.assert_allclose(tied(x.reshape(2, -1)).reshape(y.shape), y, atol=1e-12)
    dy = rng.normal(size=y.shape)
    np.testing.assert_allclose(tied.backward(dy.reshape(2, -1)).reshape(x.shape), layer.backward(dy), atol=1e-12)
    np.testing.assert_allclose(tied.weight.grad.reshape(layer.weight.shape), layer.weight.grad, atol=1e-11)


def test_matrix_of_a_transposed_convolution_is_the_transposed_matrix(rng):
    w = rng.normal(size=(3, 2, 3))
    conv, back = nn.Conv1d(2, 3, 3, 2, 1, dtype="float64"), nn.ConvTranspose1d(3, 2, 3, 2, 1, dtype="float64")
    conv.weight.data = back.weight.data = w
    forth = nn.dense_matrix(conv, (2, 7))
    np.testing.assert_array_equal(nn.dense_matrix(back, forth.output_shape).matrix, forth.matrix.T)


def test_tied_network_on_every_lane(lane, rng, assert_close):
    layer, shape = build("2-D groups, dilation")
    dense = nn.dense_matrix(layer, shape)
    plain = nn.TiedLinear.of(dense)
    layer.weight.data, layer.bias.data = (
        lane.array(layer.weight.data.astype(lane.dtype)),
        lane.array(layer.bias.data.astype(lane.dtype)),
    )
    there = nn.TiedLinear.of(nn.dense_matrix(layer, shape))
    x, dy = rng.normal(size=(3, dense.ties.shape[1])), rng.normal(size=(3, dense.ties.shape[0]))
    assert_close(there(lane.array(x.astype(lane.dtype))), plain(x))
    assert_close(there.backward(lane.array(dy.astype(lane.dtype))), plain.backward(dy))
    for ours, other in zip(there.parameters(), plain.parameters(), strict=True):
        assert type(ours.grad) is type(ours.data)
        assert_close(ours.grad, other.grad)


def test_gradient_of_a_tied_network(gradient_check):
    layer, shape = build("2-D same")
    net = nn.Sequential(nn.Flatten(), nn.TiedLinear.of(nn.dense_matrix(layer, shape)))
    gradient_check(net, np.random.default_rng(1).standard_normal((3, *shape)))


def test_copying_and_summing_are_adjoint_also_for_an_empty_set(lane, rng):
    ties = lane.array(np.array([[0, 3, -1], [3, 3, 1]]))  # set 2 has no entry
    values, dy = lane.random(rng, 4), lane.random(rng, 2, 3)
    entries, sums = lane.numpy(ops.tie_forward(values, ties)), lane.numpy(ops.tie_backward(dy, values, ties))
    assert sums[2] == 0
    tolerance = 1e-5 if lane.dtype == "float32" else 1e-12
    assert np.sum(entries * lane.numpy(dy)) == pytest.approx(np.sum(lane.numpy(values) * sums), abs=tolerance)


def test_in_a_linear_layer_nothing_is_tied():
    layer = nn.Linear(4, 3)
    dense = nn.dense_matrix(layer, (4,))
    assert dense.entry_count == dense.connection_count == dense.weight_count == 12
    np.testing.assert_array_equal(dense.matrix, layer.weight.data)
    assert repr(dense) == "DenseMatrix(3 x 4: 12 entries, 12 connections, 12 weights)"


def test_each_bias_is_its_own_without_bias_ties():
    layer = nn.TiedLinear(np.ones((2, 2)), np.zeros((2, 2), int), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(layer(np.ones((1, 2))), [[3.0, 4.0]])
    assert (layer.weight.shape, layer.bias.shape) == ((1,), (2,))
    assert repr(layer) == "TiedLinear(in_features=2, out_features=2, weights=1, bias=True)"


EYE = np.eye(2)
ERRORS = {
    "kind": (lambda: nn.dense_matrix(nn.ReLU(), (3,)), TypeError, "takes a convolution or a Linear, not a ReLU"),
    "batch": (lambda: nn.dense_matrix(nn.Conv1d(1, 1, 2), (2, 1, 4)), ValueError, "batch axis"),
    "channels": (lambda: nn.dense_matrix(nn.Conv1d(1, 1, 2), (3, 4)), ValueError, "3 channels"),
    "features": (lambda: nn.dense_matrix(nn.Linear(4, 2), (5,)), ValueError, r"takes \(4,\)"),
    "reflect": (
        lambda: nn.dense_matrix(nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect"), (1, 4)),
        ValueError,
        r"padding_mode makes input \(1,\) meet two weights of the filter at output \(0,\)",
    ),
    "untied": (
        lambda: nn.TiedLinear(np.array([[1.0, 2.0]]), np.array([[0, 0]])),
        ValueError,
        r"matrix\[0, 0\] is 1.0, but its set 0 also holds 2.0",
    ),
    "not zero": (lambda: nn.TiedLinear(EYE + 1, np.array([[0, -1], [-1, 0]])), ValueError, r"must be 0 \(2 such"),
    "floats": (lambda: nn.TiedLinear(EYE, EYE), TypeError, "ties have dtype float64: expected integers"),
    "shape": (lambda: nn.TiedLinear(EYE, np.zeros(2, int)), ValueError, r"ties have shape \(2,\).*\(2, 2\)"),
    "too few values": (lambda: ops.tie_forward(np.ones(2), np.array([2])), ValueError, "ties go up to 2 .* 2 values"),
    "values": (lambda: ops.tie_forward(EYE, np.array([0])), ValueError, r"expected \(sets,\)"),
    "float ties": (lambda: ops.tie_forward(np.ones(2), EYE), TypeError, "ties have dtype float64"),
    "dy": (lambda: ops.tie_backward(EYE, np.ones(2), np.array([0, 1])), ValueError, "one gradient for each entry"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = ERRORS[name]
    with pytest.raises(error, match=text):
        act()
