"""The fully connected layer, the activations and the losses."""

import math

import numpy as np
import pytest

from cnnlab import ops


def test_linear_by_loops(lane, rng, assert_close):
    x, w, b, dy = (lane.random(rng, *shape) for shape in ((4, 3), (2, 3), (2,), (4, 2)))
    X, W, B, DY = map(lane.numpy, (x, w, b, dy))
    y, dx, dw = np.zeros((4, 2)), np.zeros((4, 3)), np.zeros((2, 3))
    for n, o, i in np.ndindex(4, 2, 3):
        y[n, o] += X[n, i] * W[o, i]
        dx[n, i] += DY[n, o] * W[o, i]
        dw[o, i] += DY[n, o] * X[n, i]
    assert_close(ops.linear_forward(x, w), y)
    assert_close(ops.linear_forward(x, w, b), y + B)
    for got, want in zip(ops.linear_backward(dy, x, w), (dx, dw, sum(DY)), strict=True):
        assert_close(got, want)


def test_linear_gradient_check(rng, assert_gradient):
    x, w, b, dy = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(5, 4))
    dx, dw, db = ops.linear_backward(dy, x, w)
    assert_gradient(lambda x: np.sum(ops.linear_forward(x, w, b) * dy), x, dx)
    assert_gradient(lambda w: np.sum(ops.linear_forward(x, w, b) * dy), w, dw)
    assert_gradient(lambda b: np.sum(ops.linear_forward(x, w, b) * dy), b, db)


def test_relu_by_hand(lane, assert_close):
    x = lane.array(np.array([[-2.0, -0.0, 0.0, 3.0]], dtype=np.float32))
    dy = lane.array(np.array([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32))
    assert_close(ops.relu_forward(x), np.array([[0, 0, 0, 3.0]]))
    assert_close(ops.relu_backward(dy, x), np.array([[0, 0, 0, 4.0]]))


def test_relu_lets_not_a_number_through(lane):
    y = lane.numpy(ops.relu_forward(lane.array(np.array([np.nan, -1.0], dtype=np.float32))))
    np.testing.assert_array_equal(np.isnan(y), [True, False])


def test_sigmoid_by_its_formula(lane, rng, assert_close):
    x = lane.random(rng, 3, 4)
    assert_close(ops.sigmoid_forward(x), 1 / (1 + np.exp(-lane.numpy(x).astype(float))))


def test_sigmoid_of_huge_numbers_is_zero_or_one(lane, assert_close):
    x = lane.array(np.array([-np.inf, -1e30, 1e30, np.inf], dtype=np.float32))
    assert_close(ops.sigmoid_forward(x), np.array([0.0, 0.0, 1.0, 1.0]))


def test_sigmoid_of_minus_x_is_the_rest_to_one(rng, assert_close):
    x = rng.normal(size=20) * 10
    assert_close(ops.sigmoid_forward(x) + ops.sigmoid_forward(-x), np.ones(20))


def test_tanh_by_its_formula(lane, rng, assert_close):
    x = lane.random(rng, 3, 4)
    e = np.exp(2 * lane.numpy(x).astype(float))
    assert_close(ops.tanh_forward(x), (e - 1) / (e + 1))


def test_tanh_is_odd_and_ends_at_one(rng, assert_close):
    x = rng.normal(size=20) * 10
    assert_close(ops.tanh_forward(-x), -ops.tanh_forward(x))
    np.testing.assert_array_equal(ops.tanh_forward(np.array([-np.inf, 1e30])), [-1, 1])


def test_tanh_gradient_check(lane, rng, assert_gradient, assert_close):
    x, dy = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    dx = ops.tanh_backward(dy, ops.tanh_forward(x))
    assert_gradient(lambda x: np.sum(ops.tanh_forward(x) * dy), x, dx)
    there = [lane.array(a.astype(lane.dtype)) for a in (dy, np.tanh(x))]
    assert_close(ops.tanh_backward(*there), dx)


def test_squared_error_by_hand(lane, assert_close):
    predictions = lane.array(np.array([[1.0, 2.0], [3.0, 0.0]], dtype=np.float32))
    targets = lane.array(np.array([[1.0, 4.0], [0.0, 1.0]], dtype=np.float32))
    assert float(ops.mse_forward(predictions, targets)) == pytest.approx((0 + 4 + 9 + 1) / 4)
    assert_close(ops.mse_backward(predictions, targets), np.array([[0, -1], [1.5, -0.5]]))


def test_squared_error_gradient_check(rng, assert_gradient):
    predictions, targets = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    gradient = ops.mse_backward(predictions, targets)
    assert_gradient(lambda p: float(ops.mse_forward(p, targets)), predictions, gradient)


def test_softmax_by_its_formula(lane, rng, assert_close):
    x = lane.random(rng, 2, 3, 4)
    e = np.exp(lane.numpy(x).astype(float))
    for axis in (0, 1, -1):
        assert_close(ops.softmax(x, axis), e / e.sum(axis=axis, keepdims=True))


def test_softmax_does_not_feel_a_common_shift_however_large(lane, assert_close):
    x = np.array([[1.0, 2.0, 3.0]], dtype=np.float32)
    assert_close(ops.softmax(lane.array(x + 1e4)), lane.numpy(ops.softmax(lane.array(x))))


@pytest.mark.parametrize(("shape", "axis"), [((2, 0), 1), ((0, 3), 1), ((0, 3), 0), ((0,), -1)])
def test_softmax_of_nothing_is_nothing(lane, shape, axis):
    x = lane.array(np.zeros(shape, lane.dtype))
    assert ops.softmax(x, axis).shape == shape
    assert ops.softmax_backward(x, ops.softmax(x, axis), axis).shape == shape


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (ops.relu_forward, lambda dy, x: ops.relu_backward(dy, x)),
        (ops.sigmoid_forward, lambda dy, x: ops.sigmoid_backward(dy, ops.sigmoid_forward(x))),
        (ops.softmax, lambda dy, x: ops.softmax_backward(dy, ops.softmax(x))),
        (lambda x: ops.softmax(x, 0), lambda dy, x: ops.softmax_backward(dy, ops.softmax(x, 0), 0)),
    ],
    ids=["relu", "sigmoid", "softmax", "softmax over axis 0"],
)
def test_activation_gradient_check(lane, rng, assert_gradient, assert_close, *, forward, backward):
    x, dy = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    x += 0.1 * np.sign(x)  # away from the kink of ReLU
    assert_gradient(lambda x: np.sum(forward(x) * dy), x, backward(dy, x))
    lane_x, lane_dy = lane.array(x), lane.array(dy)
    assert_close(backward(lane_dy, lane_x), backward(lane.numpy(lane_dy), lane.numpy(lane_x)))


def test_cross_entropy_by_hand(lane):
    logits = lane.array(np.log(np.array([[1.0, 2.0, 1.0], [6.0, 1.0, 3.0]])).astype(np.float32))
    loss = ops.cross_entropy_forward(logits, lane.array(np.array([1, 2])))
    assert loss.shape == ()
    assert math.isclose(float(loss), (math.log(2) + math.log(10 / 3)) / 2, rel_tol=1e-5)


def test_cross_entropy_gradient_check(rng, assert_gradient):
    logits, targets = rng.normal(size=(5, 4)), np.array([0, 3, 1, 3, 2])
    gradient = ops.cross_entropy_backward(logits, targets)
    assert_gradient(lambda z: ops.cross_entropy_forward(z, targets), logits, gradient)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64"])
def test_cross_entropy_takes_any_integers_on_every_lane(lane, rng, assert_close, dtype):
    logits, targets = lane.random(rng, 3, 4), lane.array(np.array([0, 3, 1], dtype=dtype))
    want = ops.cross_entropy_backward(lane.numpy(logits), lane.numpy(targets))
    assert_close(ops.cross_entropy_backward(logits, targets), want)


def test_cross_entropy_of_huge_logits_is_finite(lane, assert_close):
    logits = lane.array(np.array([[1e30, 0.0], [0.0, 1e30]], dtype=np.float32))
    assert_close(ops.cross_entropy_forward(logits, lane.array(np.array([0, 1]))), np.array(0.0))
    assert_close(ops.cross_entropy_forward(logits, lane.array(np.array([1, 1]))), np.array(5e29))
    assert_close(ops.cross_entropy_backward(logits, lane.array(np.array([1, 1]))), np.array([[0.5, -0.5], [0, 0]]))


def test_the_loss_of_an_example_does_not_feel_how_large_the_logits_of_another_are(lane, assert_close):
    """A maximum over the whole batch, in place of one for each row, would take the small row down to 0/0."""
    logits = lane.array(np.array([[0.0, 0.0], [2000.0, 2000.0]], dtype=lane.dtype))
    targets = lane.array(np.array([1, 0]))
    assert float(ops.cross_entropy_forward(logits, targets)) == pytest.approx(np.log(2))
    assert_close(ops.cross_entropy_backward(logits, targets), [[0.25, -0.25], [-0.25, 0.25]])


def test_cross_entropy_of_an_excluded_class_is_finite():
    assert ops.cross_entropy_forward(np.array([[0.0, -np.inf]]), np.array([0])) == 0


def test_bce_by_hand(lane):
    logits = lane.array(np.array([0.0, np.log(3.0), np.log(3.0)], dtype=np.float32))  # σ = 1/2, 3/4, 3/4
    targets = lane.array(np.array([1.0, 1.0, 0.0], dtype=np.float32))
    loss = ops.bce_with_logits_forward(logits, targets)
    assert loss.shape == ()
    assert math.isclose(float(loss), (math.log(2) + math.log(4 / 3) + math.log(4)) / 3, rel_tol=1e-5)


def test_bce_gradient_check(rng, assert_gradient, lane, assert_close):
    logits, targets = rng.normal(size=(4, 3)) * 3, rng.uniform(size=(4, 3))
    gradient = ops.bce_with_logits_backward(logits, targets)
    assert_gradient(lambda z: ops.bce_with_logits_forward(z, targets), logits, gradient)
    assert_close(ops.bce_with_logits_backward(lane.array(logits), lane.array(targets)), gradient)


def test_bce_of_huge_logits_is_finite(lane, assert_close):
    logits = lane.array(np.array([1e30, -1e30], dtype=np.float32))
    right, wrong = (lane.array(np.array(t, dtype=np.float32)) for t in ([1.0, 0.0], [0.0, 1.0]))
    assert_close(ops.bce_with_logits_forward(logits, right), np.array(0.0))
    assert_close(ops.bce_with_logits_forward(logits, wrong), np.array(1e30))
    assert_close(ops.bce_with_logits_backward(logits, wrong), np.array([0.5, -0.5]))


def test_bce_is_the_cross_entropy_of_two_classes(rng, assert_close):
    z, t = rng.normal(size=6), rng.integers(0, 2, size=6)
    two = np.stack([np.zeros(6), z], axis=1)
    assert_close(ops.bce_with_logits_forward(z, t.astype(float)), ops.cross_entropy_forward(two, t))


@pytest.mark.oracle
def test_losses_agree_with_pytorch(rng, assert_close):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    logits, targets, truth = rng.normal(size=(7, 5)) * 5, rng.integers(0, 5, size=7), rng.uniform(size=(7, 5))
    functional = torch.nn.functional
    for loss, ours, other in (
        (functional.cross_entropy, (ops.cross_entropy_forward, ops.cross_entropy_backward), targets),
        (
            functional.binary_cross_entropy_with_logits,
            (ops.bce_with_logits_forward, ops.bce_with_logits_backward),
            truth,
        ),
    ):
        z = torch.tensor(logits, requires_grad=True)
        value = loss(z, torch.tensor(other))
        value.backward()
        assert_close(ours[0](logits, other), value.detach().numpy())
        assert_close(ours[1](logits, other), z.grad.numpy())
