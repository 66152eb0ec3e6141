"""What every layer and network can do."""

import copy
import textwrap

import numpy as np
import pytest

from cnnlab import nn


class Twice(nn.Module):
    """A reader's own module: one layer used at two places, found in a list, no call of super().__init__()."""

    def __init__(self, layer):
        self.layers = [layer, layer]

    def forward(self, x):
        return self.layers[1](self.layers[0](x))

    def backward(self, dy):
        return self.layers[0].backward(self.layers[1].backward(dy))


def small_net(seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=rng), nn.ReLU(), nn.Flatten(), nn.Sequential(nn.Linear(8, 3, bias=False, rng=rng))
    )


def test_calling_is_forward():
    x = np.random.default_rng(0).standard_normal((2, 1, 4, 4)).astype(np.float32)
    net = small_net()
    np.testing.assert_array_equal(net(x), net.forward(x))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(2, 3),
        nn.ReLU(),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Conv1d(2, 3, 1),
        nn.MaxPool1d(1),
        nn.AvgPool1d(1),
        nn.GlobalPool("max"),
        nn.Tanh(),
        nn.ConvTranspose1d(3, 2, 1),
        nn.BatchNorm1d(3),
        nn.Dropout(),
        nn.Add(nn.ReLU()),
        nn.Scan(nn.mlp([4, 1]), 2),
        nn.Sequential(nn.ReLU()),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_backward_without_forward_says_what_to_do(layer):
    dy = np.zeros((1, 3, 1), np.float32)
    with pytest.raises(RuntimeError, match=r"backward has no forward.*call the layer on its input first"):
        layer.backward(dy)


def test_evaluation_mode_keeps_nothing():
    net = small_net().eval()
    net(np.zeros((1, 1, 4, 4), np.float32))
    with pytest.raises(RuntimeError, match="training mode"):
        net.backward(np.zeros((1, 3), np.float32))


def test_each_backward_uses_up_one_forward():
    layer = nn.ReLU()
    layer(np.ones(2))
    layer.backward(np.ones(2))
    with pytest.raises(RuntimeError, match="once for each backward"):
        layer.backward(np.ones(2))


def test_forget_drops_what_was_kept():
    net = small_net()
    net(np.zeros((1, 1, 4, 4), np.float32))
    with pytest.raises(RuntimeError):
        net.forget().backward(np.zeros((1, 3), np.float32))


def test_one_layer_at_two_places_gets_the_sum_of_both_gradients():
    rng = np.random.default_rng(0)
    layer = nn.Linear(3, 3, rng=rng, dtype="float64")
    x, dy = rng.standard_normal((2, 5, 3))
    twice = Twice(layer)
    twice(x)
    dx = twice.backward(dy)

    first, second = copy.deepcopy(layer), copy.deepcopy(layer)
    first.zero_grad(), second.zero_grad()
    apart = nn.Sequential(first, second)
    apart(x)
    np.testing.assert_allclose(dx, apart.backward(dy))
    np.testing.assert_allclose(layer.weight.grad, first.weight.grad + second.weight.grad)
    np.testing.assert_allclose(layer.bias.grad, first.bias.grad + second.bias.grad)


def test_gradient_of_one_module_at_two_places(gradient_check):
    rng = np.random.default_rng(1)
    gradient_check(Twice(nn.Linear(3, 3, rng=rng, dtype="float64")), rng.standard_normal((4, 3)))


def test_the_latest_forward_is_gone_back_through_first():
    layer = nn.ReLU()
    layer(np.array([1.0, -1.0]))
    layer(np.array([-1.0, 1.0]))
    np.testing.assert_array_equal(layer.backward(np.array([5.0, 5.0])), [0.0, 5.0])
    np.testing.assert_array_equal(layer.backward(np.array([5.0, 5.0])), [5.0, 0.0])


def test_parameters_are_named_as_in_pytorch_and_a_shared_one_comes_once():
    assert [name for name, _ in small_net().named_parameters()] == ["0.weight", "0.bias", "3.0.weight"]
    layer = nn.Linear(2, 2)
    assert [name for name, _ in Twice(layer).named_parameters()] == ["layers.0.weight", "layers.0.bias"]
    assert len(nn.Sequential(layer, nn.ReLU(), layer).parameters()) == 2


def test_zero_grad_sets_none():
    net = small_net()
    net(np.ones((1, 1, 4, 4), np.float32))
    net.backward(np.ones((1, 3), np.float32))
    assert all(parameter.grad is not None for parameter in net.parameters())
    net.zero_grad()
    assert all(parameter.grad is None for parameter in net.parameters())


def test_train_and_eval_reach_all_modules():
    net = nn.Sequential(Twice(nn.Linear(2, 2)), nn.Scan(nn.mlp([2, 1]), 1))
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())


def test_state_goes_round_through_a_file(tmp_path):
    one, other = small_net(0), small_net(1)
    np.savez(tmp_path / "net.npz", **one.state_dict())
    with np.load(tmp_path / "net.npz") as state:
        other.load_state_dict(state)
    x = np.random.default_rng(2).standard_normal((2, 1, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(one(x), other(x))


def test_state_is_a_copy_both_ways():
    net = small_net()
    state = net.state_dict()
    state["0.bias"][...] = 7
    assert not np.any(net[0].bias.data == 7)
    net.load_state_dict(state)
    state["0.bias"][...] = 8
    assert np.all(net[0].bias.data == 7)


def test_loading_keeps_the_dtype_of_the_parameters():
    net = nn.Linear(2, 1)
    net.load_state_dict({"weight": np.ones((1, 2)), "bias": np.ones(1)})
    assert net.weight.data.dtype == np.float32
    assert net.weight.data.tolist() == [[1.0, 1.0]]


def test_a_state_that_does_not_fit_is_refused_with_all_faults_and_changes_nothing():
    net = small_net()
    before = net.state_dict()
    state = {"0.weight": np.zeros((2, 1, 5, 5)), "0.bias": np.zeros(2), "9.weight": np.zeros(1)}
    with pytest.raises(ValueError, match="does not fit Sequential") as caught:
        net.load_state_dict(state)
    for fault in ("missing: 3.0.weight", "unknown: 9.weight", "0.weight has shape (2, 1, 5, 5), not (2, 1, 3, 3)"):
        assert fault in str(caught.value)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_to_the_device_where_it_is_changes_no_value_and_drops_what_was_kept():
    net = small_net()
    before = net.state_dict()
    net(np.zeros((1, 1, 4, 4), np.float32))
    assert net.to("cpu") is net
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(RuntimeError):
        net.backward(np.zeros((1, 3), np.float32))


def test_a_module_without_forward_or_backward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(np.zeros(1))
    with pytest.raises(NotImplementedError, match="Empty has no backward"):
        Empty().backward(np.zeros(1))


def test_repr_is_as_in_pytorch():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2, padding=(2, 1), bias=False), nn.ReLU(), nn.Sequential(nn.Linear(4, 2))
    )
    assert repr(net) == textwrap.dedent("""\
        Sequential(
          (0): Conv2d(3, 8, kernel_size=(5, 5), stride=(2, 2), padding=(2, 1), bias=False)
          (1): ReLU()
          (2): Sequential(
            (0): Linear(in_features=4, out_features=2, bias=True)
          )
        )""")


@pytest.mark.oracle
def test_repr_against_pytorch():
    import torch

    def build(lib):
        return lib.Sequential(
            lib.Conv1d(2, 4, 3, padding=1, dilation=2, groups=2, padding_mode="circular"),
            lib.Sigmoid(),
            lib.Flatten(),
            lib.Sequential(lib.ReLU(), lib.Linear(4, 2, bias=False)),
            lib.ConvTranspose2d(2, 4, 3, 2, 1, 1, 2, False, (1, 2)),
            lib.Tanh(),
        )

    assert repr(build(nn)).replace("start_dim=1", "start_dim=1, end_dim=-1") == repr(build(torch.nn))


def test_sequential_is_indexed_sliced_and_counted():
    net = small_net()
    assert len(net) == 4
    assert net[1] is list(net)[1]
    assert [type(layer) for layer in net[1:3]] == [nn.ReLU, nn.Flatten]
    assert net[:1][0].weight is net[0].weight


def test_sequential_refuses_what_is_no_module():
    with pytest.raises(TypeError, match=r"layer 1 of Sequential is the class ReLU: .*ReLU"):
        nn.Sequential(nn.ReLU(), nn.ReLU)
    with pytest.raises(TypeError, match=r"one by one, `Sequential\(\*layers\)`"):
        nn.Sequential([nn.ReLU()])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("net.npz", "state is a str.*numpy.load"),
        (nn.ReLU(), "state is a ReLU.*state_dict"),
        ({"0.weight": [[1.0]]}, r"state\['0.weight'\] is a list"),
    ],
)
def test_what_is_no_state_is_refused_with_the_way_out(state, message):
    with pytest.raises(TypeError, match=message):
        small_net().load_state_dict(state)
