"""Schedules: by hand, against PyTorch, and what they refuse."""

import math

import numpy as np
import pytest

from cnnlab import nn, optim


def optimizer(lr=0.8):
    return optim.SGD([nn.Parameter(np.zeros(1))], lr=lr)


def rates(schedule, epochs):
    seen = [schedule.optimizer.lr]
    for _ in range(epochs):
        schedule.step()
        seen.append(schedule.optimizer.lr)
    return seen


def test_steps_by_hand():
    assert rates(optim.StepLR(optimizer(), step_size=2, gamma=0.5), 5) == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


def test_cosine_by_hand():
    schedule = optim.CosineAnnealingLR(optimizer(1.0), T_max=3, eta_min=0.2)
    # cos 60° = 1/2 and cos 120° = -1/2: a quarter and three quarters of the way down from 1 to 0.2
    assert rates(schedule, 3) == pytest.approx([1.0, 0.8, 0.4, 0.2])
    assert schedule.optimizer.lr == 0.2


def test_building_a_schedule_changes_no_rate():
    one = optimizer(0.3)
    optim.CosineAnnealingLR(one, T_max=5)
    assert one.lr == 0.3


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["StepLR", "CosineAnnealingLR"])
def test_many_epochs_against_pytorch(kind, seed):
    import torch

    rng = np.random.default_rng(seed)
    length, lr = int(rng.integers(1, 12)), float(10 ** rng.uniform(-4, 0))
    options = (
        {"gamma": float(rng.uniform(0.1, 1.2))} if kind == "StepLR" else {"eta_min": lr * float(rng.uniform(0, 2))}
    )
    ours = getattr(optim, kind)(optimizer(lr), length, **options)
    their_optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    theirs = getattr(torch.optim.lr_scheduler, kind)(their_optimizer, length, **options)
    want = [lr]
    for _ in range(30):
        their_optimizer.step()
        theirs.step()
        want.append(theirs.get_last_lr()[0])
    assert rates(ours, 30) == pytest.approx(want, rel=1e-9, abs=1e-9 * lr)


@pytest.mark.oracle
def test_defaults_are_those_of_pytorch():
    import torch

    theirs = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    schedules = torch.optim.lr_scheduler
    assert optim.StepLR(optimizer(), 3).gamma == schedules.StepLR(theirs, 3).gamma
    assert optim.CosineAnnealingLR(optimizer(), 3).eta_min == schedules.CosineAnnealingLR(theirs, 3).eta_min


def test_a_schedule_goes_on_where_another_was():
    first, second = (optim.StepLR(optimizer(), 2, 0.5) for _ in range(2))
    whole = rates(optim.StepLR(optimizer(), 2, 0.5), 6)
    rates(first, 3)
    second.load_state_dict(first.state_dict())
    assert second.optimizer.lr == first.optimizer.lr
    assert rates(second, 3) == whole[3:]


def test_a_state_of_another_schedule_is_refused_and_changes_nothing():
    schedule = optim.StepLR(optimizer(), 2)
    for state, text in [
        (optim.StepLR(optimizer(), 3).state_dict(), "of StepLR with .*'step_size': 3.*make the schedule it came from"),
        (optim.StepLR(optimizer(0.1), 2).state_dict(), "'base_lr': 0.1"),
        (optim.CosineAnnealingLR(optimizer(), 2).state_dict(), "this is a state of CosineAnnealingLR"),
        ({}, "this is no state of a schedule, 'schedule' is missing"),
        (schedule.state_dict() | {"last_epoch": -1}, r"last_epoch \(=-1\) must be at least 0"),
    ]:
        with pytest.raises(ValueError, match=text):
            schedule.load_state_dict(state)
    assert (schedule.last_epoch, schedule.optimizer.lr) == (0, 0.8)


def test_repr_shows_where_it_stands():
    schedule = optim.StepLR(optimizer(), 2)
    schedule.step()
    assert repr(schedule) == "StepLR(base_lr=0.8, step_size=2, gamma=0.1, last_epoch=1)"


REFUSED = {
    "step is 0": (lambda: optim.StepLR(optimizer(), 0), ValueError, r"step_size \(=0\) must be at least 1"),
    "step is text": (lambda: optim.StepLR(optimizer(), "2"), TypeError, "step_size must be a whole number, not '2'"),
    "step is yes": (lambda: optim.StepLR(optimizer(), True), TypeError, "step_size must be a whole number, not True"),
    "gamma is nan": (lambda: optim.StepLR(optimizer(), 2, math.nan), ValueError, r"gamma \(=nan\)"),
    "gamma is negative": (lambda: optim.StepLR(optimizer(), 2, -0.1), ValueError, r"gamma \(=-0.1\)"),
    "gamma is text": (lambda: optim.StepLR(optimizer(), 2, "half"), TypeError, "gamma must be a number, not 'half'"),
    "length": (lambda: optim.CosineAnnealingLR(optimizer(), 2.5), TypeError, "T_max must be a whole number, not 2.5"),
    "lowest": (lambda: optim.CosineAnnealingLR(optimizer(), 2, math.inf), ValueError, r"eta_min \(=inf\)"),
    "no optimizer": (lambda: optim.StepLR(0.1, 2), TypeError, "optimizer is a float: pass an optimizer such as"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        act()
