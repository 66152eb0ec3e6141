"""A scan is one network at every place, its parameters shared."""

import copy
from itertools import product

import numpy as np
import pytest

from cnnlab import nn
from cnnlab.ops import windows_backward, windows_forward

# Kernel, stride and shape of x (N, C, *spatial): kernel and spatial sizes differ by axis, strides do not divide.
CASES = {
    "1-D": ((3,), 1, (2, 4, 8)),
    "1-D hop": ((4,), (3,), (2, 3, 12)),
    "2-D": ((3, 2), 1, (2, 2, 5, 6)),
    "2-D strides": ((2, 4), (2, 3), (3, 1, 7, 9)),
    "3-D": ((1, 2, 3), 2, (2, 2, 3, 4, 5)),
    "one window": ((5,), 1, (2, 1, 5)),
}


def build(kernel, stride, shape, *, out=2, seed=0):
    rng = np.random.default_rng(seed)
    net = nn.mlp([shape[1] * int(np.prod(kernel)), 5, out], rng=rng, dtype="float64")
    return nn.Scan(net, kernel, stride), rng.standard_normal(shape)


def crops(kernel, stride, shape):
    """Yield each place with the slices of its window, written out by hand."""
    steps = stride if isinstance(stride, tuple) else (stride,) * len(kernel)
    firsts = [range(0, n - k + 1, s) for n, k, s in zip(shape[2:], kernel, steps, strict=True)]
    for place in product(*(range(len(axis)) for axis in firsts)):
        starts = [axis[i] for axis, i in zip(firsts, place, strict=True)]
        yield place, (..., *(slice(a, a + k) for a, k in zip(starts, kernel, strict=True)))


@pytest.mark.parametrize("name", CASES)
def test_scan_is_the_module_on_every_crop(name):
    kernel, stride, shape = CASES[name]
    scan, x = build(kernel, stride, shape)
    y = scan(x)
    places = list(crops(kernel, stride, shape))
    assert y.shape == (shape[0], 2, *(i + 1 for i in places[-1][0]))
    for place, window in places:
        np.testing.assert_allclose(y[:, :, *place], scan.module(x[window].reshape(shape[0], -1)), atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_sum_of_the_gradients_of_separate_copies(name):
    kernel, stride, shape = CASES[name]
    scan, x = build(kernel, stride, shape)
    dy = np.random.default_rng(1).standard_normal(scan(x).shape)
    dx = scan.backward(dy)

    dx_sum, gradients = np.zeros_like(x), [np.zeros(p.shape) for p in scan.parameters()]
    for place, window in crops(kernel, stride, shape):
        subnet = copy.deepcopy(scan.module)  # this place's own network
        subnet.zero_grad()
        crop = x[window]
        subnet(crop.reshape(shape[0], -1))
        dx_sum[window] += subnet.backward(dy[:, :, *place]).reshape(crop.shape)
        gradients = [total + p.grad for total, p in zip(gradients, subnet.parameters(), strict=True)]
    np.testing.assert_allclose(dx, dx_sum, atol=1e-12)
    for parameter, total in zip(scan.parameters(), gradients, strict=True):
        np.testing.assert_allclose(parameter.grad, total, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_scan_of_an_mlp_is_a_wide_convolution_and_convolutions_of_one(name):
    kernel, stride, shape = CASES[name]
    scan, x = build(kernel, stride, shape)
    rank = len(kernel)
    conv = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[rank]
    first, second = nn.layers_of(scan.module)
    convolution = nn.Sequential(
        conv(shape[1], 5, kernel, stride, dtype="float64"), nn.ReLU(), conv(5, 2, 1, dtype="float64")
    )
    convolution.load_state_dict(
        {
            "0.weight": first[0].reshape(5, shape[1], *kernel),
            "0.bias": first[1],
            "2.weight": second[0].reshape(2, 5, *(1,) * rank),
            "2.bias": second[1],
        }
    )
    y = scan(x)
    np.testing.assert_allclose(y, convolution(x), atol=1e-12)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    np.testing.assert_allclose(scan.backward(dy), convolution.backward(dy), atol=1e-12)
    for ours, theirs in zip(scan.parameters(), convolution.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad, theirs.grad.reshape(ours.shape), atol=1e-12)


@pytest.mark.parametrize("name", ["1-D hop", "2-D strides"])
def test_gradient_of_a_scan(name, gradient_check):
    scan, x = build(*CASES[name])
    gradient_check(nn.Sequential(scan, nn.GlobalPool("softmax", 0.5)), x)


def test_a_shift_of_the_input_is_a_shift_of_the_scores():
    scan, _ = build((3,), 1, (1, 2, 9))
    x = np.random.default_rng(0).standard_normal((1, 2, 12))
    np.testing.assert_allclose(scan(x[:, :, 2:])[:, :, :-1], scan(x)[:, :, 2:-1])


def test_an_int_holds_for_every_axis():
    x = np.random.default_rng(0).standard_normal((2, 1, 5, 6))
    net = nn.mlp([4, 1], dtype="float64")
    np.testing.assert_array_equal(nn.Scan(net, 2, 2)(x), nn.Scan(net, (2, 2), (2, 2))(x))


def test_cutting_windows_and_adding_them_up_are_adjoint():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 7, 8))
    windows = windows_forward(x, (3, 2), stride=(2, 3))
    dy = rng.standard_normal(windows.shape)
    dx = windows_backward(dy, x, (3, 2), stride=(2, 3))
    assert np.sum(windows * dy) == pytest.approx(np.sum(x * dx))


def test_windows_are_copies():
    x = np.zeros((1, 1, 4))
    windows_forward(x, (2,))[...] = 1
    assert not x.any()


ERRORS = {
    "no module": (lambda: nn.Scan(np.tanh, 3), TypeError, "Scan needs a Module, not a ufunc"),
    "size": (lambda: nn.Scan(nn.ReLU(), 0), ValueError, r"kernel_size \(=0\) must be at least 1"),
    "stride": (lambda: nn.Scan(nn.ReLU(), 3, 1.5), TypeError, "stride must be a whole number, not 1.5"),
    "axes": (lambda: nn.Scan(nn.ReLU(), (3, 3), (1, 1, 1)), ValueError, "3 entries|2 entries"),
    "no batch": (lambda: nn.Scan(nn.ReLU(), (3,))(np.zeros((4, 9))), ValueError, r"x\[None\]"),
    "no place": (lambda: nn.Scan(nn.ReLU(), 9)(np.zeros((1, 1, 8))), ValueError, "kernel 9 is larger than .* 8"),
    "net": (lambda: nn.Scan(nn.Linear(7, 1, dtype="f8"), 3)(np.zeros((1, 2, 8))), ValueError, r"\(6, 6\).*\(1, 7\)"),
    "not a vector": (lambda: nn.Scan(nn.Flatten(0), 3)(np.zeros((1, 2, 8))), ValueError, r"return \(windows, outputs"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = ERRORS[name]
    with pytest.raises(error, match=text):
        act()


def test_repr_shows_the_window_and_the_subnet():
    assert repr(nn.Scan(nn.mlp([6, 1]), (2, 3), 2)) == (
        "Scan(\n  kernel_size=(2, 3), stride=2\n  (module): Sequential(\n"
        "    (0): Linear(in_features=6, out_features=1, bias=True)\n  )\n)"
    )
