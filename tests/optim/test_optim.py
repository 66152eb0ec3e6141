"""Optimizers: first steps by hand, whole runs against PyTorch, and what they refuse."""

import math

import numpy as np
import pytest

from cnnlab import nn, optim


def parameter(*values, dtype="float64"):
    return nn.Parameter(np.array(values, dtype=dtype))


def step(optimizer, *gradient):
    [target] = optimizer.params
    target.grad = np.array(gradient)
    optimizer.step()
    return target.data


def test_sgd_by_hand():
    np.testing.assert_allclose(step(optim.SGD([parameter(1.0, -2.0)], lr=0.1), 10.0, 20.0), [0.0, -4.0])


def test_momentum_by_hand():
    optimizer = optim.SGD([parameter(0.0)], lr=0.1, momentum=0.5)
    np.testing.assert_allclose(step(optimizer, 1.0), [-0.1])  # v = 1
    np.testing.assert_allclose(step(optimizer, 1.0), [-0.25])  # v = 0.5·1 + 1
    np.testing.assert_allclose(step(optimizer, 0.0), [-0.325])  # v = 0.5·1.5


def test_weight_decay_by_hand():
    np.testing.assert_allclose(step(optim.SGD([parameter(2.0)], lr=0.1, weight_decay=0.5), 3.0), [2 - 0.1 * (3 + 1)])


def test_adam_by_hand():
    optimizer = optim.Adam([parameter(1.0)], lr=0.1, betas=(0.5, 0.75), eps=1.0)
    # m = 2, v = 4 after the correction: 0.1 · 2 / (2 + 1)
    np.testing.assert_allclose(step(optimizer, 2.0), [1 - 0.2 / 3])
    # m = (0.5·1 + 0.5·4) / 0.75 = 10/3, v = (0.75·1 + 0.25·16) / 0.4375 = 76/7
    np.testing.assert_allclose(step(optimizer, 4.0), [1 - 0.2 / 3 - (1 / 3) / (math.sqrt(76 / 7) + 1)])


def test_first_step_of_adam_is_the_learning_rate_for_any_gradient():
    optimizer = optim.Adam([parameter(0.0, 0.0, 0.0)], lr=0.01)
    np.testing.assert_allclose(step(optimizer, 1e-3, -1.0, 1e4), [-0.01, 0.01, -0.01], rtol=1e-4)


def test_a_parameter_without_gradient_stays():
    still, moving = parameter(1.0), parameter(1.0)
    for optimizer in (optim.SGD([still, moving], lr=0.1), optim.Adam([still, moving])):
        moving.grad = np.ones(1)
        optimizer.step()
    assert still.data.tolist() == [1.0]
    assert moving.data[0] < 1


def test_zero_grad_sets_none():
    target = parameter(1.0)
    target.grad = np.ones(1)
    optim.SGD([target], lr=0.1).zero_grad()
    assert target.grad is None


def test_the_learning_rate_can_be_changed_between_steps():
    optimizer = optim.SGD([parameter(0.0)], lr=1.0)
    optimizer.lr = 0.5
    np.testing.assert_allclose(step(optimizer, 1.0), [-0.5])


@pytest.mark.parametrize("build", [optim.SGD, optim.Adam])
def test_a_step_changes_no_array_in_place_and_keeps_the_dtype(build):
    target = parameter(1.0, 2.0, dtype="float32")
    optimizer = build([target], lr=0.1, weight_decay=0.1)
    old = target.data
    old.flags.writeable = False
    gradient = np.array([1.0, 1.0])  # float64, as a parameter's gradient may be
    gradient.flags.writeable = False
    for _ in range(2):
        target.grad = gradient
        optimizer.step()
    assert target.data.dtype == np.float32
    assert old.tolist() == [1.0, 2.0]


RUNS = {
    "SGD": {"lr": 0.05},
    "SGD momentum": {"lr": 0.05, "momentum": 0.9},
    "SGD momentum decay": {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1},
    "Adam": {},
    "Adam all": {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1},
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", RUNS)
def test_many_steps_against_pytorch(name, rng, assert_close):
    import torch

    kind, options = name.split()[0], RUNS[name]
    ours = [nn.Parameter(rng.standard_normal(shape)) for shape in ((3, 4), (5,))]
    theirs = [torch.nn.Parameter(torch.from_numpy(p.data.copy())) for p in ours]
    our_optimizer = getattr(optim, kind)(ours, **options)
    their_optimizer = getattr(torch.optim, kind)(theirs, **options)
    for i in range(30):
        for p, q in zip(ours, theirs, strict=True):
            g = rng.standard_normal(p.shape) + p.data
            skipped = i % 7 == 3 and p is ours[1]  # a parameter's own count of steps
            p.grad, q.grad = (None, None) if skipped else (g, torch.from_numpy(g))
        our_optimizer.step()
        their_optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        assert_close(p.data, q.detach().numpy())


@pytest.mark.oracle
def test_defaults_are_those_of_pytorch():
    import torch

    ours = vars(optim.Adam([parameter(0.0)]))
    theirs = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))]).defaults
    assert {name: ours[name] for name in ("lr", "betas", "eps", "weight_decay")} == {
        name: theirs[name] for name in ("lr", "betas", "eps", "weight_decay")
    }


P = parameter(1.0)
REFUSED = {
    "negative rate": (lambda: optim.SGD([P], lr=-1), ValueError, r"lr \(=-1\) must be a finite number of 0 or more"),
    "rate is nan": (lambda: optim.Adam([P], lr=math.nan), ValueError, r"lr \(=nan\)"),
    "rate is infinite": (lambda: optim.Adam([P], lr=math.inf), ValueError, r"lr \(=inf\)"),
    "momentum": (lambda: optim.SGD([P], 0.1, momentum=1), ValueError, r"momentum \(=1\) must be from 0 to below 1"),
    "decay": (lambda: optim.SGD([P], 0.1, weight_decay=-0.1), ValueError, r"weight_decay \(=-0.1\)"),
    "first beta": (lambda: optim.Adam([P], betas=(-0.1, 0.9)), ValueError, r"betas\[0\] \(=-0.1\)"),
    "second beta": (lambda: optim.Adam([P], betas=(0.9, 1.0)), ValueError, r"betas\[1\] \(=1.0\)"),
    "eps": (lambda: optim.Adam([P], eps=-1e-8), ValueError, r"eps \(=-1e-08\)"),
    "nothing": (lambda: optim.SGD([], lr=0.1), ValueError, "no parameter to optimize"),
    "twice": (lambda: optim.SGD([P, P], lr=0.1), ValueError, "a parameter comes twice"),
    "the net": (lambda: optim.Adam(nn.ReLU()), TypeError, r"params is a ReLU: .*net.parameters\(\)"),
    "an array": (lambda: optim.Adam([np.zeros(1)]), TypeError, r"params\[0\] is a ndarray, not a Parameter"),
    "a layer": (lambda: optim.Adam(nn.Sequential(nn.ReLU())), TypeError, r"params\[0\] is a ReLU, not a Parameter"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        act()


def test_a_gradient_of_another_shape_is_refused():
    optimizer = optim.SGD([parameter(1.0)], lr=0.1)
    with pytest.raises(ValueError, match=r"parameter 0 has shape \(1,\) but its gradient \(2,\)"):
        step(optimizer, 1.0, 2.0)


@pytest.mark.parametrize("build", [lambda p: optim.SGD(p, 0.1, momentum=0.5), optim.Adam])
def test_an_optimizer_left_behind_by_a_move_says_so(build):
    import array_api_strict as strict

    from cnnlab.backend import DeviceMismatchError

    target = parameter(1.0)
    optimizer = build([target])
    step(optimizer, 1.0)
    target.data, target.grad = strict.asarray(target.data), strict.asarray(np.ones(1))
    with pytest.raises(
        DeviceMismatchError, match=r"gradient is on array_api_strict device.* (velocity|mean) is on cpu"
    ):
        optimizer.step()
