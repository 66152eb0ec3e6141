"""Buffers: part of a module's state, not trained."""

import numpy as np
import pytest

from cnnlab import nn


class Centered(nn.Module):
    """A reader's own module that remembers an offset."""

    def __init__(self, offset):
        self.offset = nn.Buffer(offset)
        self.scale = nn.Parameter(np.ones(1))

    def forward(self, x):
        return self.scale.data * (x - self.offset.data)


def net():
    return nn.Sequential(nn.Conv2d(1, 2, 3, rng=np.random.default_rng(0)), nn.BatchNorm2d(2), nn.Sequential(nn.ReLU()))


def test_buffers_are_named_and_are_no_parameters():
    names = ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    assert [name for name, _ in net().named_buffers()] == names
    assert [name for name, _ in net().named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_state_holds_each_modules_parameters_and_then_its_buffers():
    own = nn.Sequential(Centered(np.ones(3)), net())
    assert list(own.state_dict()) == [
        "0.scale",
        "0.offset",
        *("1.0.weight", "1.0.bias", "1.1.weight", "1.1.bias"),
        *("1.1.running_mean", "1.1.running_var", "1.1.num_batches_tracked"),
    ]


def test_a_shared_module_gives_its_buffers_once():
    layer = nn.BatchNorm1d(2)
    assert len(list(nn.Sequential(layer, nn.ReLU(), layer).named_buffers())) == 3


def test_state_goes_from_one_net_to_another_with_its_buffers():
    one, other = net(), net()
    x = np.random.default_rng(1).standard_normal((4, 1, 5, 6)).astype(np.float32)
    one(x), one(2 * x)
    other.load_state_dict(one.state_dict())
    np.testing.assert_array_equal(one.eval()(x), other.eval()(x))
    assert other[1].num_batches_tracked.data == 2


def test_state_goes_through_a_file(tmp_path):
    one, other = net(), net()
    one(np.random.default_rng(1).standard_normal((4, 1, 5, 6)).astype(np.float32))
    nn.save(one, tmp_path / "net.npz")
    nn.load(other, tmp_path / "net.npz")
    for name, value in one.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], value)
        assert other.state_dict()[name].dtype == value.dtype


def test_state_is_a_copy():
    one = net()
    state = one.state_dict()
    state["1.running_mean"][...] = 7
    state["1.num_batches_tracked"][...] = 7
    assert not one[1].running_mean.data.any()
    assert one[1].num_batches_tracked.data == 0


def test_a_missing_or_misshapen_buffer_is_told_and_nothing_is_changed():
    one = net()
    state = one.state_dict()
    del state["1.running_var"]
    state["1.running_mean"] = np.ones(5)
    state["0.bias"] = np.ones(2)
    with pytest.raises(ValueError, match=r"missing: 1.running_var; 1.running_mean has shape \(5,\), not \(2,\)"):
        one.load_state_dict(state)
    assert (one[0].bias.data != 1).all()


def test_moving_a_module_keeps_its_buffers():
    one = net().to("cpu")
    assert one[1].running_var.data.tolist() == [1, 1]


@pytest.mark.gpu
def test_buffers_move_to_the_gpu_and_back():
    import cupy

    one = net().to("gpu")
    assert all(isinstance(buffer.data, cupy.ndarray) for _, buffer in one.named_buffers())
    one(cupy.ones((4, 1, 5, 6), dtype="float32"))
    assert one.to("cpu")[1].num_batches_tracked.data == 1


def test_repr():
    assert repr(nn.Buffer(np.zeros((2, 3)))) == "Buffer(shape=(2, 3), dtype=float64)"
