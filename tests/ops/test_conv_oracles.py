"""Convolution against what does not share its code: numbers worked by hand, walks along the edges, PyTorch."""

import numpy as np
import pytest

from cnnlab import ops, reference

IMAGE = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], dtype=float)
DECK = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=float)  # the same when flipped or transposed
ASYMMETRIC = np.array([[1, 2, 0], [0, 1, -1], [3, 0, 1]], dtype=float)


@pytest.mark.parametrize(
    ("kernel", "stride", "expected"),
    [
        (DECK, 1, [[4, 3, 4], [2, 4, 3], [2, 3, 4]]),
        (DECK, 2, [[4, 4], [2, 4]]),
        (ASYMMETRIC, 1, [[4, 4, 6], [2, 4, 6], [0, 5, 7]]),
        (ASYMMETRIC, 2, [[4, 6], [0, 7]]),
    ],
    ids=["deck", "deck stride 2", "asymmetric", "asymmetric stride 2"],
)
def test_worked_example_of_the_deck(lane, assert_close, kernel, stride, expected):
    x, w = lane.array(IMAGE[None, None]), lane.array(kernel[None, None])
    y = ops.conv_forward(x, w, stride=stride)
    assert_close(y, np.array(expected, dtype=float)[None, None])


def test_gradients_worked_by_hand():
    x = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    w = np.array([[[[1.0, 10.0]]]])
    dy = np.array([[[[1.0, -1.0], [2.0, 0.0]]]])
    dx, dw, db = ops.conv_backward(dy, x, w)
    np.testing.assert_array_equal(dx[0, 0], [[1, 9, -10], [2, 20, 0]])
    np.testing.assert_array_equal(dw[0, 0], [[1 - 2 + 8, 2 - 3 + 10]])
    np.testing.assert_array_equal(db, [2])


def test_bias_is_added_to_its_own_map(lane, assert_close):
    y = ops.conv_forward(
        lane.array(np.zeros((2, 1, 3))), lane.array(np.zeros((3, 1, 2))), lane.array(np.array([1.0, 2, 3]))
    )
    assert_close(y, np.broadcast_to(np.array([1.0, 2, 3])[:, None], (2, 3, 2)))


def test_forward_is_a_sum_over_edges(lane, rng, conv_case, assert_close):
    x, w, b = conv_case.draw(rng, lane)
    want = reference.conv_by_edges(lane.numpy(x), lane.numpy(w), lane.numpy(b), **conv_case.options)
    assert_close(ops.conv_forward(x, w, b, **conv_case.options), want)


def test_gradients_are_sums_over_edges(lane, rng, conv_case, assert_close):
    x, w, _ = conv_case.draw(rng, lane)
    dy = lane.random(rng, *ops.conv_forward(x, w, **conv_case.options).shape)
    want = reference.conv_backward_by_edges(lane.numpy(dy), lane.numpy(x), lane.numpy(w), **conv_case.options)
    for got, expected in zip(ops.conv_backward(dy, x, w, **conv_case.options), want, strict=True):
        assert_close(got, expected)


def draw_layer(rng):
    """Draw shapes and options at random; most of them fit."""
    rank, groups = int(rng.integers(1, 4)), int(rng.integers(1, 4))

    def of_rank(low, high):
        return tuple(int(v) for v in rng.integers(low, high, rank))

    C_in, C_out = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    options = {
        "stride": of_rank(1, 4),
        "padding": of_rank(0, 3),
        "dilation": of_rank(1, 3),
        "groups": groups,
        "padding_mode": str(rng.choice(["zeros", "reflect", "replicate", "circular"])),
    }
    if rng.random() < 0.2:
        options |= {"padding": "same", "stride": (1,) * rank}
    x = rng.normal(size=(int(rng.integers(1, 4)), C_in, *of_rank(3, 8)))
    w = rng.normal(size=(C_out, C_in // groups, *of_rank(1, 5)))
    return x, w, rng.normal(size=C_out), options


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_pytorch_on_random_layers(seed):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(seed)
    compared = refused = 0
    while compared < 60:
        x, w, b, options = draw_layer(rng)
        layer = getattr(torch.nn, f"Conv{x.ndim - 2}d")(x.shape[1], len(w), w.shape[2:], dtype=torch.float64, **options)
        layer.weight.data, layer.bias.data = torch.tensor(w), torch.tensor(b)
        x_torch = torch.tensor(x, requires_grad=True)
        try:
            y_torch = layer(x_torch)
        except RuntimeError:  # the kernel or the padding does not fit the input
            refused += 1
            with pytest.raises(ValueError, match=r"larger than the padded input|needs an input of at least"):
                ops.conv_forward(x, w, b, **options)
            continue
        dy = rng.normal(size=y_torch.shape)
        y_torch.backward(torch.tensor(dy))
        got = (ops.conv_forward(x, w, b, **options), *ops.conv_backward(dy, x, w, **options))
        want = (y_torch.detach(), x_torch.grad, layer.weight.grad, layer.bias.grad)
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-9, atol=1e-9)
        compared += 1
    assert refused < 60
