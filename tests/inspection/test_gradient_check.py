"""The gradient check accepts what is right, near kinks too, and names what is wrong: every fault is planted here."""

import copy

import numpy as np
import pytest

import cnnlab
from cnnlab import nn, ops
from cnnlab.inspection import GradientCheckError, gradient_check

X, W, B = (2, 3, 6, 5), (4, 3, 3, 2), (4,)


def arrays(rng):
    return rng.normal(size=X), rng.normal(size=W), rng.normal(size=B)


def small_net(rng):
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 3, rng=rng),
    )


# What is right ------------------------------------------------------------------------------------------------------


def test_the_name_is_at_top_level_too():
    assert cnnlab.gradient_check is gradient_check


def test_a_right_network_passes_with_every_parameter_named(rng):
    result = gradient_check(small_net(rng), rng.normal(size=X))
    assert result
    assert [f.name for f in result.findings] == ["x", "0.weight", "0.bias", "4.weight", "4.bias"]
    assert max(f.error for f in result.findings) < 1e-8
    assert repr(result).splitlines()[0] == "gradient check of Sequential: all gradients right"


LAYERS = {
    "conv1d": (lambda g: nn.Conv1d(2, 4, 3, 2, 1, groups=2, rng=g), (2, 2, 9)),
    "conv2d circular": (lambda g: nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular", rng=g), (1, 1, 4, 5)),
    "conv3d": (lambda g: nn.Conv3d(1, 2, (1, 2, 2), bias=False, rng=g), (2, 1, 2, 3, 4)),
    "average pool": (lambda g: nn.AvgPool2d(2, 1), (1, 2, 3, 4)),
    "scan": (lambda g: nn.Sequential(nn.Scan(nn.mlp([6, 4, 1], rng=g), 3), nn.GlobalPool("softmax")), (2, 2, 7)),
    "scan, max": (
        lambda g: nn.Sequential(nn.Scan(nn.mlp([6, 4, 1], rng=g), 3), nn.GlobalPool("max")),
        (2, 2, 7),
    ),
    "batch norm": (lambda g: nn.Sequential(nn.Conv2d(2, 3, 2, rng=g), nn.BatchNorm2d(3), nn.Tanh()), (3, 2, 4, 5)),
    "dropout": (lambda g: nn.Sequential(nn.Dropout(0.4, rng=g), nn.Linear(5, 4, rng=g), nn.Dropout(rng=g)), (3, 5)),
    "residual": (lambda g: nn.Add(nn.Sequential(), nn.Conv1d(2, 2, 3, padding=1, rng=g)), (2, 2, 6)),
    "tied": (lambda g: nn.TiedLinear(np.ones((2, 3)), np.array([[0, 0, 0], [0, 0, 0]])), (4, 3)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_right_layers_pass(name, rng):
    build, shape = LAYERS[name]
    result = gradient_check(build(rng), rng.normal(size=shape), strict=True)
    assert result.wrong == ()


def test_losses_convops_and_pairs_pass(rng):
    x, w, b = arrays(rng)
    logits = rng.normal(size=(5, 3))
    own = nn.ConvOp(
        lambda x, w, b, stride, padding: ops.conv_forward(x, w, b, stride=stride, padding=padding),
        lambda dy, x, w, stride, padding: ops.conv_backward(dy, x, w, stride=stride, padding=padding),
    )
    options = {"stride": (1, 2), "padding": 1}
    checks = {
        "cross entropy": gradient_check(nn.CrossEntropyLoss(), logits, np.array([0, 2, 1, 1, 0])),
        "bce": gradient_check(nn.BCEWithLogitsLoss(), logits, rng.uniform(size=(5, 3))),
        "own op": gradient_check(own, x, w, b, options=options),
        "own op without bias": gradient_check(own, x, w),
        "conv": gradient_check((ops.conv_forward, ops.conv_backward), x, w, b, options=options),
        "conv without bias": gradient_check((ops.conv_forward, ops.conv_backward), x, w, None),
        "from the output": gradient_check((ops.sigmoid_forward, ops.sigmoid_backward), x),
        "no dy": gradient_check((ops.cross_entropy_forward, ops.cross_entropy_backward), logits, np.arange(5) % 3),
        "own names": gradient_check((lambda u, v: u * v, lambda g, p, q: (g * q, g * p)), x, x + 1),
        "no axes": gradient_check((lambda s: s * s, lambda dy, s: 2 * s * dy), np.asarray(3.0)),
        "pool": gradient_check((ops.max_pool_forward, ops.max_pool_backward), x, (2, 2), options={"stride": (1, 2)}),
    }
    assert {name: check.wrong for name, check in checks.items()} == dict.fromkeys(checks, ())
    assert [f.name for f in checks["conv"].findings] == ["x", "w", "b"]
    assert [f.name for f in checks["conv without bias"].findings] == ["x", "w"]
    assert [f.name for f in checks["own names"].findings] == ["u", "v"]


def test_an_input_without_gradient_is_said_to_be_unchecked(rng):
    result = gradient_check((ops.bce_with_logits_forward, ops.bce_with_logits_backward), rng.normal(size=4), np.ones(4))
    assert result.unchecked == ("targets",)
    assert "not checked, since backward returns no gradient for it: targets" in repr(result)


KINKED = {
    "relu at zero": (nn.ReLU, (3, 4)),
    "ties in a pool": (lambda: nn.MaxPool2d(2), (1, 2, 4, 4)),
    "ties of all places": (lambda: nn.GlobalPool("max"), (2, 3, 4)),
}


@pytest.mark.parametrize("name", KINKED)
def test_a_point_on_a_kink_is_moved(name):
    build, shape = KINKED[name]
    result = gradient_check(build(), np.zeros(shape))
    assert result
    assert result.redraws > 0
    assert "drawn anew near a kink" in repr(result)


@pytest.mark.parametrize("distance", [1e-5, 3e-6, 1e-6, 1e-9])
def test_a_point_next_to_a_kink_is_no_fault_of_the_gradient(distance):
    assert gradient_check(nn.ReLU(), distance * np.array([1.0, -1.0, 0.5]))


def test_a_network_with_thousands_of_kinks_passes(rng):
    net = nn.Sequential(nn.Conv2d(1, 8, 3, rng=rng), nn.ReLU(), nn.Conv2d(8, 4, 3, rng=rng), nn.ReLU())
    assert gradient_check(net, rng.normal(size=(4, 1, 20, 20)))


def test_steep_and_flat_functions_and_large_and_small_values_pass(rng):
    x = rng.normal(size=(3, 4))
    for scale in (1e-4, 1.0, 1e4):
        assert gradient_check(nn.Sigmoid(), scale * x)
        cube = (lambda x, a: a * x**3, lambda dy, x, a: a * 3 * x**2 * dy)
        assert gradient_check(cube, x, scale)
    assert gradient_check((lambda x: 0 * x, lambda dy, x: 0 * dy), x)


class Noisy(nn.Module):
    """Drops numbers by chance, like a dropout, with a generator of its own."""

    def __init__(self, rng):
        self.rng = rng

    def forward(self, x):
        mask = self.rng.random(x.shape) < 0.5
        self.keep(mask)
        return x * mask

    def backward(self, dy):
        return dy * self.recall()


def test_chance_from_a_generator_of_the_module_is_held_still_and_not_used_up(rng):
    shared = np.random.default_rng(3)
    net = nn.Sequential(Noisy(shared), nn.Linear(6, 6, rng=rng), Noisy(shared))
    before = shared.bit_generator.state
    assert gradient_check(net, rng.normal(size=(4, 6)))
    assert shared.bit_generator.state == before


def test_nothing_given_is_changed(rng):
    net, x = small_net(rng), rng.normal(size=X).astype("float32")
    x.flags.writeable = False
    y = net(x)
    net.eval()
    for parameter in net.parameters():
        parameter.data.flags.writeable = False
    before = copy.deepcopy(net.state_dict())
    assert gradient_check(net, x)
    assert not net.training
    assert all(parameter.grad is None and parameter.data.dtype == np.float32 for parameter in net.parameters())
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert net.train().backward(np.ones_like(y)).shape == X  # what it kept is still there

    loss = nn.BCEWithLogitsLoss()
    loss(np.zeros(3), np.ones(3))
    gradient_check(loss, np.zeros(2), np.ones(2))
    assert loss.backward().shape == (3,)


def test_same_result_each_time_and_another_for_another_generator(rng):
    net, x = small_net(rng), rng.normal(size=X)
    assert gradient_check(net, x) == gradient_check(net, x)
    assert gradient_check(net, x) != gradient_check(net, x, rng=np.random.default_rng(5))


def test_on_every_lane(lane, rng):
    net = nn.Sequential(nn.Conv1d(2, 3, 3, rng=rng), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(9, 2, rng=rng))
    for parameter in net.parameters():
        parameter.data = lane.array(parameter.data)
    x = lane.array(rng.normal(size=(2, 2, 9)).astype("float32"))
    if lane.dtype == "float32":
        with pytest.raises(TypeError, match="device without float64"):
            gradient_check(net, x)
        return
    assert gradient_check(net, x)
    assert gradient_check(nn.ReLU(), lane.array(np.zeros((2, 3))))


# What is wrong ------------------------------------------------------------------------------------------------------


def conv_fault(spoil):
    """Return a pair whose backward is spoiled: ``spoil(dx, dw, db, dy, x, w)``."""

    def backward(dy, x, w):
        return spoil(*ops.conv_backward(dy, x, w), dy, x, w)

    return ops.conv_forward, backward


def without_flip(_, dw, db, *arrays):
    """Correlate dy with the kernel as it is, not flipped."""
    dy, _, w = arrays
    pads = [(k - 1, k - 1) for k in w.shape[2:]]
    return ops.conv_forward(dy, np.swapaxes(w, 0, 1), padding=pads), dw, db


FAULTS = {
    "missing flip": (without_flip, ("x",), "entries are wrong"),
    "factor two": (lambda dx, dw, db, *_: (dx, 2 * dw, db), ("w",), "it is 2 times the right one; 72 of 72 entries"),
    "sign": (lambda dx, dw, db, *_: (-dx, dw, db), ("x",), "it is -1 times the right one"),
    "mean over the batch": (lambda dx, dw, db, *_: (dx, dw / X[0], db), ("w",), "it is 0.5 times the right one"),
    "one example only": (
        lambda dx, dw, db, dy, x, w: (dx, ops.conv_backward(dy[:1], x[:1], w)[1], db),
        ("w",),
        "72 of 72 entries are wrong",
    ),
    "bias of the batch not summed": (
        lambda dx, dw, db, dy, x, w: (dx, dw, dy.sum(axis=(2, 3))),
        ("b",),
        r"shape (2, 4), not (4,): is a sum over the batch missing?",
    ),
    "bias not summed over places": (
        lambda dx, dw, db, dy, x, w: (dx, dw, dy[:, :, 0, 0].sum(axis=0)),
        ("b",),
        "4 of 4 entries are wrong",
    ),
    "bias zero": (lambda dx, dw, db, *_: (dx, dw, 0 * db), ("b",), "it is 0; 4 of 4 entries are wrong"),
    "one entry": (
        lambda dx, dw, db, *_: (dx, dw + 0.5 * (np.arange(dw.size) == 40).reshape(dw.shape), db),
        ("w",),
        "1 of 72 entries is wrong, most at w[2, 0, 2, 0]",
    ),
    "overwritten, not added": (
        lambda dx, dw, db, *_: (dx * (np.arange(dx.shape[-1]) > 0), dw, db),
        ("x",),
        "36 of 180 entries are wrong",
    ),
    "small": (lambda dx, dw, db, *_: (dx, dw * (1 + 1e-5), db), ("w",), "it is 1 times the right one"),
    "none": (lambda dx, dw, db, *_: (dx, None, db), ("w",), "backward gave no gradient for it (None)"),
    "number": (lambda dx, dw, db, *_: (dx, 3.0, db), ("w",), "backward gave a float for it, not an array"),
    "two at once": (lambda dx, dw, db, *_: (2 * dx, dw, 3 * db), ("x", "b"), "it is 3 times"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_named_and_nothing_else(name, rng):
    spoil, wrong, text = FAULTS[name]
    result = gradient_check(conv_fault(spoil), *arrays(rng))
    assert not result
    assert result.wrong == wrong
    assert text in repr(result)


@pytest.mark.parametrize("name", ["missing flip", "factor two", "bias zero", "one example only"])
def test_the_same_in_an_own_op_of_a_network(name, rng):
    spoil, wrong, _ = FAULTS[name]
    own = nn.ConvOp(
        lambda x, w, b, stride, padding: ops.conv_forward(x, w, b),
        lambda dy, x, w, stride, padding: spoil(*ops.conv_backward(dy, x, w), dy, x, w),
    )
    assert gradient_check(own, *arrays(rng)).wrong == wrong
    net = nn.Sequential(nn.Conv2d(3, 4, (3, 2), op=own, rng=rng), nn.Sigmoid())
    names = {"x": "x", "w": "0.weight", "b": "0.bias"}
    assert gradient_check(net, rng.normal(size=X)).wrong == tuple(names[n] for n in wrong)


class Square(nn.Module):
    """x², with a fault in what it keeps."""

    def __init__(self, fault):
        self.fault = fault
        self.kept = None

    def forward(self, x):
        if self.kept is None or self.fault == "none":
            self.kept = x
        return x * x

    def backward(self, dy):
        return 2 * self.kept * dy


def test_a_value_kept_from_an_earlier_call_is_found_in_a_module(rng):
    assert gradient_check(Square("none"), rng.normal(size=(2, 3)))
    result = gradient_check(Square("keeps its first input"), rng.normal(size=(2, 3)))
    assert result.wrong == ("x",)
    assert "right in a first call, but wrong after a call with other values" in repr(result)


def test_a_value_kept_from_an_earlier_call_is_found_in_a_pair(rng):
    cache = {}

    def forward(x, w):
        cache["x"] = x
        return x * w

    def backward(dy, x, w):
        return dy * w, dy * cache["x"]

    result = gradient_check((forward, backward), rng.normal(size=4), rng.normal(size=4))
    assert result.wrong == ("w",)
    assert "uses something kept from there" in repr(result)

    def first_only(dy, x, w):
        cache.setdefault("first", x)
        return dy * w, dy * cache["first"]

    assert gradient_check((forward, first_only), rng.normal(size=4), rng.normal(size=4)).wrong == ("w",)


def test_a_wrong_parameter_of_a_module_is_named(rng):
    class HalfBias(nn.Linear):
        def backward(self, dy):
            dx = super().backward(dy)
            self.bias.grad = self.bias.grad / 2
            return dx

    class NoBias(nn.Linear):
        def backward(self, dy):
            dx = super().backward(dy)
            self.bias.grad = None
            return dx

    net = nn.Sequential(nn.Linear(4, 3, rng=rng), nn.Sigmoid(), HalfBias(3, 2, rng=rng))
    result = gradient_check(net, rng.normal(size=(5, 4)))
    assert result.wrong == ("2.bias",)
    assert "it is 0.5 times the right one" in repr(result)
    net = nn.Sequential(nn.Linear(4, 3, rng=rng), nn.Sigmoid(), NoBias(3, 2, rng=rng))
    assert gradient_check(net, rng.normal(size=(5, 4))).wrong == ("2.bias",)


def test_a_parameter_that_is_not_used_may_have_no_gradient(rng):
    net = nn.ReLU()
    net.unused = nn.Parameter(np.ones(3))
    assert gradient_check(net, rng.normal(size=(2, 3)))


def test_a_wrong_gradient_on_a_kink_is_not_excused(rng):
    wrong = (ops.relu_forward, lambda dy, x: 1.5 * ops.relu_backward(dy, x))
    assert gradient_check(wrong, np.zeros((3, 4))).wrong == ("x",)
    assert gradient_check(wrong, rng.normal(size=(3, 4))).wrong == ("x",)


def test_a_wrong_loss_is_found(rng):
    class SumNotMean(nn.CrossEntropyLoss):
        def gradient(self, prediction, target):
            return super().gradient(prediction, target) * prediction.shape[0]

    result = gradient_check(SumNotMean(), rng.normal(size=(4, 3)), np.array([0, 1, 2, 1]))
    assert result.wrong == ("prediction",)
    assert "it is 4 times the right one" in repr(result)


def test_a_function_that_only_jumps_is_undecided():
    result = gradient_check((lambda x: np.floor(x * 1e9), lambda dy, x: 0 * dy), np.array([0.3, 0.7]))
    assert result.wrong == ("x",)
    assert "undecided: at every point tried, forward has a kink or a jump" in repr(result)


def test_strict_raises_with_the_report(rng):
    with pytest.raises(GradientCheckError, match="it is 2 times the right one") as caught:
        gradient_check(conv_fault(FAULTS["factor two"][0]), *arrays(rng), strict=True)
    assert caught.value.result.wrong == ("w",)


# What cannot be checked ---------------------------------------------------------------------------------------------

GENERATOR = np.random.default_rng(0)
ERRORS = {
    "not a subject": (lambda: gradient_check(np.sin, np.ones(2)), TypeError, r"takes a Module, a Loss, a ConvOp or a"),
    "module without x": (lambda: gradient_check(nn.ReLU()), TypeError, "a Module takes its input x, but 0 inputs"),
    "module with options": (lambda: gradient_check(nn.ReLU(), np.ones(2), options={"a": 1}), TypeError, "for pairs"),
    "loss without target": (lambda: gradient_check(nn.CrossEntropyLoss(), np.ones((2, 2))), TypeError, "1 inputs"),
    "integers": (lambda: gradient_check(nn.ReLU(), np.arange(3)), TypeError, "x is int64: a gradient needs"),
    "chance": (
        lambda: gradient_check((lambda x: x * GENERATOR.random(), lambda dy, x: dy), np.ones(2)),
        ValueError,
        "gave two losses for the same input",
    ),
    "not finite": (
        lambda: gradient_check((lambda x: x * np.nan, lambda dy, x: dy), np.ones(2)),
        ValueError,
        "gave nan: choose finite inputs",
    ),
    "float32 inside": (
        lambda: gradient_check((lambda x: x.astype("float32"), lambda dy, x: dy), np.ones(2)),
        TypeError,
        "returned float32 for inputs in float64",
    ),
    "directions": (lambda: gradient_check(nn.ReLU(), np.ones(2), directions=0), ValueError, r"directions \(=0\)"),
    "seed": (lambda: gradient_check(nn.ReLU(), np.ones(2), rng=3), TypeError, r"default_rng\(seed\)"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = ERRORS[name]
    with pytest.raises(error, match=text):
        act()
