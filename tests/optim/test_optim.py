"""Optimizers: first steps by hand, whole runs against PyTorch, and what they refuse."""

import math
from fractions import Fraction

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


def test_nesterov_by_hand():
    optimizer = optim.SGD([parameter(0.0)], lr=0.1, momentum=0.5, nesterov=True)
    np.testing.assert_allclose(step(optimizer, 1.0), [-0.15])  # v = 1, step along 1 + 0.5·1
    np.testing.assert_allclose(step(optimizer, 2.0), [-0.475])  # v = 0.5·1 + 2, step along 2 + 0.5·2.5


def test_dampening_by_hand_spares_the_first_gradient():
    optimizer = optim.SGD([parameter(0.0)], lr=1.0, momentum=0.5, dampening=0.75)
    np.testing.assert_allclose(step(optimizer, 4.0), [-4.0])  # v = 4
    np.testing.assert_allclose(step(optimizer, 4.0), [-7.0])  # v = 0.5·4 + 0.25·4


def test_adamw_by_hand():
    optimizer = optim.AdamW([parameter(10.0)], lr=0.1, betas=(0.5, 0.75), eps=1.0, weight_decay=0.5)
    # 10 · (1 - 0.1·0.5), then Adam's own step for a gradient of 2
    np.testing.assert_allclose(step(optimizer, 2.0), [9.5 - 0.2 / 3])


def test_decay_of_adamw_does_not_hang_on_the_gradient_and_that_of_adam_does():
    """Two weights with gradients of different size: AdamW takes the same share off both."""

    def shrunk(build):
        with_decay, without = (build([parameter(1.0, 1.0)], lr=0.01, weight_decay=d) for d in (0.1, 0.0))
        for _ in range(5):
            step(with_decay, 100.0, 0.5), step(without, 100.0, 0.5)
        return without.params[0].data - with_decay.params[0].data

    decoupled, in_the_gradient = shrunk(optim.AdamW), shrunk(optim.Adam)
    np.testing.assert_allclose(decoupled, 5 * 0.01 * 0.1, rtol=0.05)
    assert np.all(in_the_gradient < decoupled / 50)  # Adam divides the decay by the gradient's size


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


@pytest.mark.parametrize("value", ["0.1", None, True, [0.1], 0.1j, np.array(0.1), np.bool_(True), math.nan, -1])
def test_the_learning_rate_is_checked_between_steps_too(value):
    optimizer = optim.SGD([parameter(0.0)], lr=0.5)
    with pytest.raises((TypeError, ValueError), match="lr"):
        optimizer.lr = value
    assert optimizer.lr == 0.5


@pytest.mark.parametrize("build", [optim.SGD, optim.Adam, optim.AdamW])
@pytest.mark.parametrize("rate", [np.float64(0.1), np.float32(0.1), np.int64(1), Fraction(1, 10)])
def test_a_rate_of_another_number_type_does_not_change_the_dtype(build, rate):
    optimizer = build([parameter(1.0, dtype="float32")], lr=rate, weight_decay=np.float64(0.1))
    assert type(optimizer.lr) is float
    assert step(optimizer, 1.0).dtype == np.float32


@pytest.mark.parametrize("build", [optim.SGD, optim.Adam, optim.AdamW])
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
    "SGD nesterov": {"lr": 0.05, "momentum": 0.7, "weight_decay": 0.05, "nesterov": True},
    "SGD dampening": {"lr": 0.05, "momentum": 0.7, "dampening": 0.4},
    "Adam": {},
    "AdamW": {},
    "AdamW all": {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.3},
    "Adam all": {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1},
}


def compare_with_pytorch(kind, options, seed, assert_close, steps=30):
    import torch

    rng = np.random.default_rng(seed)
    ours = [nn.Parameter(rng.standard_normal(shape)) for shape in ((3, 4), (5,))]
    theirs = [torch.nn.Parameter(torch.from_numpy(p.data.copy())) for p in ours]
    our_optimizer = getattr(optim, kind)(ours, **options)
    their_optimizer = getattr(torch.optim, kind)(theirs, **options)
    for i in range(steps):
        for p, q in zip(ours, theirs, strict=True):
            g = rng.standard_normal(p.shape) + p.data
            skipped = i % 7 == 3 and p is ours[1]  # a parameter's own count of steps
            p.grad, q.grad = (None, None) if skipped else (g, torch.from_numpy(g))
        our_optimizer.step()
        their_optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        assert_close(p.data, q.detach().numpy())


@pytest.mark.oracle
@pytest.mark.parametrize("name", RUNS)
def test_many_steps_against_pytorch(name, assert_close):
    compare_with_pytorch(name.split()[0], RUNS[name], 0, assert_close)


def random_options(kind, rng):
    options = {"lr": 10 ** rng.uniform(-4, -0.5), "weight_decay": rng.choice([0.0, rng.uniform(0, 0.5)])}
    if kind == "SGD":
        options["momentum"] = rng.choice([0.0, rng.uniform(0.1, 0.99)])
        options["nesterov"] = bool(options["momentum"] and rng.integers(2))
        return options | {"dampening": 0.0 if options["nesterov"] else rng.uniform(-0.5, 1.5)}
    return options | {"betas": tuple(rng.uniform(0, 0.999, 2)), "eps": 10 ** rng.uniform(-10, -2)}


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_random_hyperparameters_against_pytorch(kind, assert_close):
    for seed in range(25):
        options = random_options(kind, np.random.default_rng(seed))
        options = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
        compare_with_pytorch(kind, options, seed, assert_close)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_defaults_are_those_of_pytorch(kind):
    import torch

    ours = getattr(optim, kind)([parameter(0.0)], lr=0.001).options
    theirs = getattr(torch.optim, kind)([torch.nn.Parameter(torch.zeros(1))], lr=0.001).defaults
    assert ours == {name: theirs[name] for name in ours}
    if kind != "SGD":
        assert getattr(torch.optim, kind)([torch.nn.Parameter(torch.zeros(1))]).defaults["lr"] == optim.Adam([P]).lr


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
    "rate is text": (lambda: optim.SGD([P], lr="0.1"), TypeError, r"lr must be a number, not '0.1'"),
    "rate is yes": (lambda: optim.Adam([P], lr=True), TypeError, "lr must be a number, not True"),
    "rate is huge": (lambda: optim.Adam([P], lr=10**400), ValueError, r"lr \(=10+\) must be a finite number"),
    "momentum is nan": (lambda: optim.SGD([P], 0.1, momentum=math.nan), ValueError, r"momentum \(=nan\)"),
    "momentum is text": (lambda: optim.SGD([P], 0.1, momentum="high"), TypeError, "momentum must be .*'high'"),
    "dampening": (lambda: optim.SGD([P], 0.1, dampening=math.inf), ValueError, r"dampening \(=inf\)"),
    "nesterov alone": (lambda: optim.SGD([P], 0.1, nesterov=True), ValueError, r"nesterov needs momentum \(=0.0\)"),
    "nesterov damped": (
        lambda: optim.SGD([P], 0.1, momentum=0.9, dampening=0.5, nesterov=True),
        ValueError,
        r"dampening \(=0.5\) 0: give a momentum",
    ),
    "nesterov is 1": (lambda: optim.SGD([P], 0.1, 0.9, nesterov=1), TypeError, "nesterov must be True or False, not 1"),
    "one beta": (lambda: optim.Adam([P], betas=0.9), TypeError, r"betas must be a pair of numbers .*not 0.9"),
    "three betas": (lambda: optim.AdamW([P], betas=(0.1, 0.2, 0.3)), ValueError, "has 3 entries: give two"),
    "beta is text": (lambda: optim.Adam([P], betas=("a", 0.9)), TypeError, r"betas\[0\] must be a number, not 'a'"),
    "beta is nan": (lambda: optim.Adam([P], betas=(0.9, math.nan)), ValueError, r"betas\[1\] \(=nan\)"),
    "eps is nan": (lambda: optim.AdamW([P], eps=math.nan), ValueError, r"eps \(=nan\)"),
    "decay is infinite": (lambda: optim.AdamW([P], weight_decay=math.inf), ValueError, r"weight_decay \(=inf\)"),
    "decay is nothing": (lambda: optim.AdamW([P], weight_decay=None), TypeError, "weight_decay must be .*None"),
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
    """The values were exchanged for others after the backward pass."""
    exchanged = parameter(1.0)
    optimizer = optim.SGD([exchanged], lr=0.1)
    exchanged.grad = np.ones(1)
    exchanged.data = np.ones(2)
    with pytest.raises(ValueError, match=r"parameter 0 has shape \(2,\) but its gradient \(1,\)"):
        optimizer.step()


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
