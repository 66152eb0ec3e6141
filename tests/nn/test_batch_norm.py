"""Batch normalization as a layer: running averages, modes, buffers."""

import copy

import numpy as np
import pytest

from cnnlab import nn

F64 = {"dtype": "float64"}
KINDS = {
    "BatchNorm1d of vectors": (nn.BatchNorm1d, (6, 3)),
    "BatchNorm1d": (nn.BatchNorm1d, (4, 3, 5)),
    "BatchNorm2d": (nn.BatchNorm2d, (2, 3, 4, 3)),
    "BatchNorm3d": (nn.BatchNorm3d, (2, 3, 2, 1, 3)),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


def axes_of(x):
    return (0, *range(2, x.ndim))


def test_training_normalizes_by_the_batch_and_evaluation_by_the_running_averages(kind, rng):
    build, shape = kind
    layer = build(3, 0.0, **F64)
    x = 5 + 2 * rng.standard_normal(shape)
    y = layer(x)
    np.testing.assert_allclose(y.mean(axis=axes_of(y)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=axes_of(y)), 1)
    places = (3, *[1] * (len(shape) - 2))
    mean, var = (b.data.reshape(places) for b in (layer.running_mean, layer.running_var))
    np.testing.assert_allclose(layer.eval()(x), (x - mean) / np.sqrt(var))


def test_running_averages_worked_by_hand():
    layer = nn.BatchNorm1d(1, momentum=0.25, **F64)
    layer(np.array([[1.0], [3.0]]))  # mean 2, variance 1, unbiased 2
    assert (layer.running_mean.data, layer.running_var.data) == (0.5, 0.75 * 1 + 0.25 * 2)
    layer(np.array([[10.0], [10.0]]))
    assert (layer.running_mean.data, layer.running_var.data) == (0.75 * 0.5 + 2.5, 0.75 * 1.25)
    assert layer.num_batches_tracked.data == 2
    layer.eval()(np.array([[7.0]]))
    assert layer.num_batches_tracked.data == 2


def test_without_momentum_all_batches_have_equal_shares(rng):
    layer = nn.BatchNorm2d(2, momentum=None, **F64)
    batches = [rng.standard_normal((3, 2, 2, 2)) for _ in range(4)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean.data, np.mean([x.mean(axis=(0, 2, 3)) for x in batches], axis=0))
    np.testing.assert_allclose(
        layer.running_var.data, np.mean([x.var(axis=(0, 2, 3), ddof=1) for x in batches], axis=0)
    )


def test_running_averages_are_new_arrays_each_time():
    layer = nn.BatchNorm1d(2)
    before = layer.running_mean.data
    layer(np.ones((3, 2), np.float32))
    assert not before.any()


def test_without_running_averages_the_batch_counts_in_both_modes(rng):
    layer = nn.BatchNorm1d(3, track_running_stats=False, **F64)
    x = rng.standard_normal((5, 3))
    np.testing.assert_array_equal(layer(x), layer.eval()(x))
    assert not list(layer.named_buffers())
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_without_affine_there_are_no_parameters(kind, rng, gradient_check):
    build, shape = kind
    layer = build(3, affine=False, **F64)
    assert not layer.parameters()
    assert list(layer.state_dict()) == ["running_mean", "running_var", "num_batches_tracked"]
    layer(rng.standard_normal(shape))
    layer.backward(rng.standard_normal(shape))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_dtypes_are_kept(kind, rng, dtype, momentum):
    build, shape = kind
    layer = build(3, momentum=momentum, dtype=dtype)
    x = rng.standard_normal(shape).astype(dtype)
    y = layer(x)
    dx = layer.backward(y)
    floats = [y, dx, *(p.grad for p in layer.parameters()), layer.running_mean.data, layer.running_var.data]
    assert {a.dtype for a in floats} == {np.dtype(dtype)}
    assert layer.num_batches_tracked.data.dtype == np.int64


def test_an_empty_batch_goes_through_and_leaves_the_averages(kind):
    build, shape = kind
    layer = build(3, **F64)
    x = np.zeros((0, *shape[1:]))
    assert layer(x).shape == x.shape
    assert layer.backward(x).shape == x.shape
    assert not layer.weight.grad.any()
    assert not layer.running_mean.data.any()


@pytest.mark.oracle
@pytest.mark.parametrize("momentum", [0.3, None])
@pytest.mark.parametrize("track", [True, False])
def test_five_steps_and_an_evaluation_against_pytorch(kind, rng, momentum, track):
    import torch

    build, shape = kind
    ours = build(3, 1e-3, momentum, True, track, **F64)
    theirs = getattr(torch.nn, build.__name__)(3, 1e-3, momentum, True, track).double()
    ours.weight.data, ours.bias.data = rng.standard_normal((2, 3))
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in ours.state_dict().items()})
    for _ in range(5):
        x, dy = rng.standard_normal((2, *shape))
        tx = torch.from_numpy(x).requires_grad_()
        ty = theirs(tx)
        ty.backward(torch.from_numpy(dy))
        np.testing.assert_allclose(ours(x), ty.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(ours.backward(dy), tx.grad.numpy(), atol=1e-12)
    for parameter, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(parameter.grad, other.grad.numpy(), atol=1e-11)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), atol=1e-12, err_msg=name)
        assert ours.state_dict()[name].dtype == value.numpy().dtype
    x = rng.standard_normal(shape)
    np.testing.assert_allclose(ours.eval()(x), theirs.eval()(torch.from_numpy(x)).detach().numpy(), atol=1e-12)


@pytest.mark.oracle
def test_repr_against_pytorch():
    import torch

    ours, theirs = nn.BatchNorm2d(4, 1e-3, None, False, False), torch.nn.BatchNorm2d(4, 1e-3, None, False, False)
    assert repr(ours) == repr(theirs).replace("bias=True, ", "").replace("bias=False, ", "")  # PyTorch 2.13 has one


ERRORS = {
    "no channels": (lambda: nn.BatchNorm1d(0), ValueError, r"num_features \(=0\) must be at least 1"),
    "eps below 0": (lambda: nn.BatchNorm1d(2, eps=-1), ValueError, r"eps \(=-1\) must be a finite number of 0 or more"),
    "eps not a number": (lambda: nn.BatchNorm1d(2, eps=float("nan")), ValueError, r"eps \(=nan\)"),
    "eps as text": (lambda: nn.BatchNorm1d(2, eps="small"), TypeError, "eps must be a number, not 'small'"),
    "momentum": (lambda: nn.BatchNorm1d(2, momentum=1.5), ValueError, r"momentum \(=1.5\) must be from 0 to 1"),
    "momentum True": (lambda: nn.BatchNorm1d(2, momentum=True), TypeError, "momentum must be a number, not True"),
    "affine": (lambda: nn.BatchNorm1d(2, affine="no"), TypeError, "affine must be True or False, not 'no'"),
    "track": (lambda: nn.BatchNorm1d(2, track_running_stats=1), TypeError, "track_running_stats must be True or False"),
    "dtype": (lambda: nn.BatchNorm1d(2, dtype="int64"), TypeError, "dtype is int64, but parameters must be floating"),
    "rank": (lambda: nn.BatchNorm2d(3)(np.ones((2, 3), np.float32)), ValueError, r"BatchNorm2d takes x \(N, C, H, W\)"),
    "rank of 1d": (lambda: nn.BatchNorm1d(3)(np.ones((2, 3, 4, 5))), ValueError, r"BatchNorm1d takes x \(N, C, T\)"),
    "channels": (lambda: nn.BatchNorm1d(3)(np.ones((4, 2), np.float32)), ValueError, r"\(4, 2\).*num_features=3"),
    "one value": (lambda: nn.BatchNorm1d(3)(np.ones((1, 3), np.float32)), ValueError, "less than two values a channel"),
    "dtype of x": (lambda: nn.BatchNorm1d(3)(np.ones((4, 3))), TypeError, "float64.*float32"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = ERRORS[name]
    with pytest.raises(error, match=text):
        act()


def test_a_refused_batch_leaves_the_averages(rng):
    layer = nn.BatchNorm1d(3)
    before = copy.deepcopy(layer.state_dict())
    with pytest.raises(ValueError, match="less than two"):
        layer(np.ones((1, 3), np.float32))
    with pytest.raises(TypeError):
        layer(np.ones((4, 3)))
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
