"""Prediction and measures of success."""

import numpy as np
import pytest

from cnnlab import nn, train


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_prediction_does_not_depend_on_the_batch_size(batch_size, rng, assert_close):
    net = nn.Sequential(nn.Conv1d(2, 3, 3, rng=rng), nn.ReLU(), nn.GlobalPool("mean"))
    x = rng.standard_normal((7, 2, 9)).astype("float32")
    y = train.predict(net, x, batch_size=batch_size)
    assert y.shape == (7, 3)
    assert_close(y, net(x))


def test_prediction_is_in_evaluation_mode_and_puts_each_mode_back(rng):
    modes = []

    class Spy(nn.Module):
        def forward(self, x):
            modes.append(self.training)
            return x

    net = nn.Sequential(Spy(), Spy())
    net[1].training = False
    train.predict(net, rng.standard_normal((2, 3)))
    assert modes == [False, False]
    assert (net.training, net[0].training, net[1].training) == (True, True, False)


def test_prediction_leaves_a_forward_waiting_for_its_backward_alone(rng):
    net = nn.mlp([3, 2], dtype="float64")
    x = rng.standard_normal((4, 3))
    net(x)
    train.predict(net, x[:1])
    assert net.backward(np.ones((4, 2))).shape == (4, 3)


def test_the_mode_is_put_back_after_an_error():
    net = nn.mlp([3, 2])
    with pytest.raises(TypeError):
        train.predict(net, np.zeros((1, 3)))
    assert net.training


def test_nothing_to_predict_is_refused():
    with pytest.raises(ValueError, match=r"x with shape \(0, 3\) holds nothing to predict"):
        train.predict(nn.mlp([3, 2]), np.zeros((0, 3), np.float32))


def test_evaluation_is_loss_and_metrics_over_the_whole_set(rng):
    net = nn.mlp([3, 2], rng=rng, dtype="float64")
    x, y = rng.standard_normal((7, 3)), rng.integers(2, size=7)
    values = train.evaluate(net, x, y, loss=nn.CrossEntropyLoss(), metrics={"accuracy": train.accuracy}, batch_size=3)
    scores = net(x)
    log_sum = np.log(np.exp(scores).sum(axis=1))
    assert values["loss"] == pytest.approx(np.mean(log_sum - scores[np.arange(7), y]))
    assert values["accuracy"] == np.mean(scores.argmax(axis=1) == y)


def test_accuracy_by_hand(lane):
    logits = lane.array(np.array([[1, 2, 0], [5, 1, 1], [0, 0, 1], [3, 3, 0]], dtype="float32"))
    assert train.accuracy(logits, lane.array(np.array([1, 0, 0, 0]))) == 0.75  # a tie goes to the first


def test_binary_accuracy_by_hand(lane):
    logits = lane.array(np.array([[2], [-1], [0.5], [0]], dtype="float32"))
    assert train.binary_accuracy(logits, lane.array(np.array([[1], [1], [1], [0]], dtype="float32"))) == 0.75


def test_accuracy_refuses_shapes_that_would_be_broadcast():
    with pytest.raises(ValueError, match=r"logits have shape \(4, 1\) and targets \(4, 1\).*binary_accuracy"):
        train.accuracy(np.zeros((4, 1)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"logits have shape \(4, 1\) and targets \(4,\)"):
        train.binary_accuracy(np.zeros((4, 1)), np.zeros(4))


def test_what_is_no_array_is_named():
    with pytest.raises(TypeError, match="x is a list"):
        train.predict(nn.mlp([1, 1]), [[1.0]])
