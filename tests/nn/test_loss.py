"""Losses as objects: a float forward, a gradient backward."""

import math

import numpy as np
import pytest

from cnnlab import nn


def cases():
    rng = np.random.default_rng(0)
    return {
        "cross-entropy": (nn.CrossEntropyLoss(), rng.standard_normal((5, 4)), np.array([0, 3, 1, 3, 2])),
        "squared": (nn.MSELoss(), rng.standard_normal((5, 2)), rng.standard_normal((5, 2))),
        "binary": (nn.BCEWithLogitsLoss(), rng.standard_normal((5, 1)), rng.random((5, 1))),
    }


@pytest.mark.parametrize("name", cases())
def test_gradient_of_a_loss(name):
    loss, prediction, target = cases()[name]
    assert isinstance(loss(prediction, target), float)
    gradient = loss.backward()
    v = np.random.default_rng(1).standard_normal(prediction.shape)
    numeric = (loss(prediction + 1e-6 * v, target) - loss(prediction - 1e-6 * v, target)) / 2e-6
    assert numeric == pytest.approx(np.sum(gradient * v), rel=1e-6)


def test_values_worked_by_hand():
    logits = np.log(np.array([[1.0, 2.0, 1.0], [3.0, 3.0, 6.0]]))  # probabilities 1/4 1/2 1/4 and 1/4 1/4 1/2
    assert nn.CrossEntropyLoss()(logits, np.array([1, 0])) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert nn.MSELoss()(np.array([1.0, 5.0]), np.array([2.0, 2.0])) == pytest.approx((1 + 9) / 2)
    logits = np.log(np.array([3.0, 1 / 3]))  # probabilities 3/4 and 1/4
    assert nn.BCEWithLogitsLoss()(logits, np.array([1.0, 1.0])) == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)


@pytest.mark.parametrize("name", cases())
def test_each_backward_needs_its_own_loss(name):
    loss, prediction, target = cases()[name]
    with pytest.raises(RuntimeError, match=r"call loss\(prediction, target\) first"):
        loss.backward()
    loss(prediction, target)
    loss.backward()
    with pytest.raises(RuntimeError, match="once for each backward"):
        loss.backward()


@pytest.mark.parametrize("classes", [2, 10, 37])
def test_a_fresh_classifier_begins_near_log_of_the_number_of_classes(classes):
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 5, rng=rng), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 100, classes, rng=rng))
    x = rng.standard_normal((64, 1, 14, 14)).astype("float32")
    value = nn.CrossEntropyLoss()(net(x), rng.integers(classes, size=64))
    assert value == pytest.approx(math.log(classes), rel=0.05)


def test_targets_of_another_shape_are_refused_and_not_broadcast():
    with pytest.raises(ValueError, match=r"targets has shape \(4,\), expected \(4, 1\).*reshape"):
        nn.BCEWithLogitsLoss()(np.zeros((4, 1)), np.zeros(4))
    with pytest.raises(ValueError, match=r"targets has shape \(4,\), expected \(4, 1\).*reshape"):
        nn.MSELoss()(np.zeros((4, 1)), np.zeros(4))
    with pytest.raises(TypeError, match="expected integers"):
        nn.CrossEntropyLoss()(np.zeros((4, 2)), np.zeros(4))


@pytest.mark.oracle
@pytest.mark.parametrize("name", cases())
def test_loss_against_pytorch(name):
    import torch

    loss, prediction, target = cases()[name]
    tp = torch.from_numpy(prediction).requires_grad_()
    theirs = getattr(torch.nn, type(loss).__name__)()(tp, torch.from_numpy(target))
    assert loss(prediction, target) == pytest.approx(theirs.item(), rel=1e-12)
    theirs.backward()
    np.testing.assert_allclose(loss.backward(), tp.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("target", [-1.0, 2.0])
def test_truth_outside_zero_to_one_is_refused(target):
    with pytest.raises(ValueError, match=rf"from {min(target, 1):g} to {max(target, 1):g}: .*1 for yes and 0 for no"):
        nn.BCEWithLogitsLoss()(np.zeros((2, 1)), np.array([[target], [1.0]]))
