"""A part in evaluation mode of a net in training mode: it computes as in evaluation, and gradients go through it."""

import copy
import threading

import numpy as np
import pytest

import cnnlab
from cnnlab import nn

F64 = {"dtype": "float64"}


def net(rng):
    """Return a small net whose batch normalization has seen data."""
    norm = nn.BatchNorm2d(4, **F64)
    norm.running_mean.data, norm.running_var.data = rng.standard_normal(4), rng.uniform(0.5, 2, 4)
    norm.weight.data, norm.bias.data = rng.standard_normal((2, 4))
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, rng=rng, **F64),
        norm,
        nn.ReLU(),
        nn.Dropout(0.4, rng=rng),
        nn.Flatten(),
        nn.Linear(4 * 5 * 4, 3, rng=rng, **F64),
    )


def batch(rng):
    return rng.standard_normal((6, 2, 5, 4)), rng.standard_normal((6, 3))


def test_a_frozen_normalization_uses_its_averages_and_leaves_them(rng):
    frozen = net(rng)
    frozen[1].eval()
    x, dy = batch(rng)
    before = copy.deepcopy(frozen[1].state_dict())
    maps = frozen[0](x)
    got = frozen[:2](x)
    expected = copy.deepcopy(frozen[1]).eval()(maps)
    np.testing.assert_array_equal(got, expected)
    frozen(x)
    frozen.backward(dy)
    for name, value in frozen[1].state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("frozen", [(1,), (3,), (1, 3), (0, 1, 2)], ids=str)
def test_gradients_of_a_net_with_frozen_parts(frozen, rng):
    one = net(rng)
    for place in frozen:
        one[place].eval()
    assert cnnlab.gradient_check(one, batch(rng)[0])


def test_a_whole_frozen_block_lets_gradients_through(rng):
    body = nn.Sequential(nn.Add(nn.Sequential(), nn.Linear(3, 3, rng=rng, **F64)), nn.BatchNorm1d(3, **F64))
    whole = nn.Sequential(nn.Linear(4, 3, rng=rng, **F64), body.eval(), nn.Linear(3, 2, rng=rng, **F64))
    assert whole.training
    assert cnnlab.gradient_check(whole, rng.standard_normal((5, 4)))
    assert not body.training


def test_a_frozen_dropout_is_the_identity_in_both_directions(rng):
    frozen = nn.Sequential(nn.Dropout(0.5, rng=rng))
    frozen[0].eval()
    x, dy = rng.standard_normal((2, 3, 4))
    np.testing.assert_array_equal(frozen(x), x)
    np.testing.assert_array_equal(frozen.backward(dy), dy)


@pytest.mark.oracle
@pytest.mark.parametrize("frozen", [(1,), (3,), (1, 3)], ids=str)
def test_frozen_parts_against_pytorch(frozen, rng):
    import torch

    ours = net(rng)
    ours[3].p = 0.0  # their generators differ; whether a dropout in training drops is tested elsewhere
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.0),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 5 * 4, 3),
    ).double()
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in ours.state_dict().items()})
    for place in frozen:
        ours[place].eval()
        theirs[place].eval()
    for _ in range(2):  # gradients add up, and the averages of what is not frozen move on
        x, dy = batch(rng)
        tx = torch.from_numpy(x).requires_grad_()
        ty = theirs(tx)
        ty.backward(torch.from_numpy(dy))
        np.testing.assert_allclose(ours(x), ty.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(ours.backward(dy), tx.grad.numpy(), atol=1e-12)
    for (name, parameter), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(parameter.grad, other.grad.numpy(), atol=1e-11, err_msg=name)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), atol=1e-12, err_msg=name)


def kept_in(module):
    return [len(vars(part).get("_kept", ())) for part in module.modules()]


def test_a_net_in_evaluation_mode_keeps_nothing_in_any_part(rng):
    one = net(rng).eval()
    one(batch(rng)[0])
    assert not any(kept_in(one))


def test_a_frozen_part_that_is_called_alone_keeps_nothing(rng):
    one = net(rng)
    one[1].eval()
    one[1](rng.standard_normal((2, 4, 3, 3)))
    assert not any(kept_in(one))
    with pytest.raises(RuntimeError, match=r"has to be called by a net in training mode, as net\(x\)"):
        one[1].backward(np.zeros((2, 4, 3, 3)))


def test_nothing_is_kept_after_a_call_that_failed(rng):
    """What a call in training mode sets for its parts ends with it, also when it ends in an error."""
    one = net(rng)
    with pytest.raises(ValueError, match="channels"):
        one(rng.standard_normal((1, 3, 5, 4)))
    alone = nn.BatchNorm2d(4, **F64).eval()
    alone(rng.standard_normal((2, 4, 3, 3)))
    assert not any(kept_in(alone))


def test_a_training_in_one_thread_makes_no_other_thread_keep(rng):
    alone, kept = nn.ReLU().eval(), []

    class Meanwhile(nn.Module):
        def forward(self, x):
            thread = threading.Thread(target=lambda: alone(x))
            thread.start()
            thread.join()
            kept.extend(kept_in(alone))
            return x

    nn.Sequential(Meanwhile())(np.ones(3))
    assert kept == [0]
