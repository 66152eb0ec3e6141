"""Optimizers that go on where another one was."""

import numpy as np
import pytest

from cnnlab import nn, optim

BUILDERS = {
    "SGD": lambda p: optim.SGD(p, 0.1, weight_decay=0.1),
    "momentum": lambda p: optim.SGD(p, 0.1, momentum=0.9, dampening=0.1),
    "nesterov": lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, 0.1, betas=(0.5, 0.9)),
    "AdamW": lambda p: optim.AdamW(p, 0.1, eps=1e-3),
}
SHAPES = ((2, 3), (4,))


def parameters(array=np.array, dtype="float64"):
    return [nn.Parameter(array(np.ones(shape, dtype))) for shape in SHAPES]


def train(optimizer, steps, rng, array=np.array, dtype="float64"):
    for i in range(steps):
        for parameter in optimizer.params:
            gradient = rng.standard_normal(parameter.shape)
            parameter.grad = None if i == 0 and parameter is optimizer.params[1] else array(gradient.astype(dtype))
        optimizer.step()


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_going_on_gives_the_same_numbers_on_every_lane(name, steps, lane):
    first, second = (BUILDERS[name](parameters(lane.array, lane.dtype)) for _ in range(2))
    train(first, steps, np.random.default_rng(0), lane.array, lane.dtype)
    second.load_state_dict(first.state_dict())
    for ours, theirs in zip(second.params, first.params, strict=True):
        ours.data = theirs.data
    for optimizer in (first, second):
        train(optimizer, 3, np.random.default_rng(1), lane.array, lane.dtype)
    for ours, theirs in zip(second.params, first.params, strict=True):
        np.testing.assert_array_equal(lane.numpy(ours.data), lane.numpy(theirs.data))


def test_a_state_is_plain_numbers_and_copies_of_arrays():
    optimizer = BUILDERS["Adam"](parameters())
    train(optimizer, 3, np.random.default_rng(0))
    state = optimizer.state_dict()
    assert state["optimizer"] == "Adam"
    assert state["options"] == {"lr": 0.1, "weight_decay": 0.0, "betas": (0.5, 0.9), "eps": 1e-8}
    assert [entry["step"] for entry in state["state"]] == [3, 2]
    assert all(type(entry[name]) is np.ndarray for entry in state["state"] for name in ("exp_avg", "exp_avg_sq"))
    before = optimizer.state[0]["exp_avg"].copy()
    state["state"][0]["exp_avg"][...] = 7
    np.testing.assert_array_equal(optimizer.state[0]["exp_avg"], before)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_what_is_remembered_has_the_names_and_values_of_pytorch(kind, assert_close):
    import torch

    options = {"momentum": 0.9} if kind == "SGD" else {}
    ours = getattr(optim, kind)(parameters(), lr=0.1, **options)
    theirs = getattr(torch.optim, kind)([torch.nn.Parameter(torch.ones(s).double()) for s in SHAPES], lr=0.1, **options)
    rng = np.random.default_rng(0)
    for _ in range(3):
        for p, q in zip(ours.params, theirs.param_groups[0]["params"], strict=True):
            p.grad = rng.standard_normal(p.shape)
            q.grad = torch.from_numpy(p.grad)
        ours.step()
        theirs.step()
    for i, entry in enumerate(ours.state_dict()["state"]):
        assert entry.keys() == theirs.state_dict()["state"][i].keys()
        for name, value in entry.items():
            assert_close(np.asarray(value, "float64"), theirs.state_dict()["state"][i][name].numpy().astype("float64"))


def test_loading_takes_over_the_options():
    one, other = optim.SGD(parameters(), 0.5, momentum=0.9, nesterov=True), optim.SGD(parameters(), 0.1)
    other.load_state_dict(one.state_dict())
    assert other.options == one.options


def test_states_that_do_not_fit_are_refused_and_change_nothing():
    optimizer = BUILDERS["Adam"](parameters())
    train(optimizer, 2, np.random.default_rng(0))
    good = optimizer.state_dict()
    other = optim.Adam([nn.Parameter(np.zeros((3, 3))), nn.Parameter(np.zeros(4))], lr=7)
    train(other, 2, np.random.default_rng(0))
    for state, text in [
        ({}, "this is no state of an optimizer, 'optimizer' is missing"),
        (
            BUILDERS["AdamW"](parameters()).state_dict(),
            "a state of AdamW, not of Adam: make the optimizer",
        ),
        (optim.Adam(parameters()[:1]).state_dict(), "of 1 parameters, but the optimizer has 2"),
        (other.state_dict(), r"exp_avg of parameter 0 has shape \(3, 3\), but the parameter \(2, 3\)"),
        (good | {"options": {"lr": 0.1}}, "'betas' is on one side only"),
        (good | {"options": good["options"] | {"lr": -1}}, r"lr \(=-1\)"),
        (good | {"state": [{"step": 1}, {}]}, r"for parameter 0 this state has \['step'\], but Adam remembers"),
    ]:
        with pytest.raises(ValueError, match=text):
            optimizer.load_state_dict(state)
        assert optimizer.options == good["options"]
        np.testing.assert_array_equal(optimizer.state[0]["exp_avg"], good["state"][0]["exp_avg"])


def test_repr_shows_the_options():
    assert repr(BUILDERS["nesterov"](parameters())) == (
        "SGD(lr=0.1, weight_decay=0.0, momentum=0.9, dampening=0.0, nesterov=True)"
    )
