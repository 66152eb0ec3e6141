"""Each layer: its gradients, its shapes on awkward sizes, and PyTorch as a second opinion."""

import numpy as np
import pytest

from cnnlab import nn

F64 = {"dtype": "float64"}


def rng(seed=0):
    return np.random.default_rng(seed)


SMOOTH = {
    "linear": (lambda: nn.Linear(4, 3, rng=rng(), **F64), (5, 4)),
    "linear without bias": (lambda: nn.Linear(4, 3, False, rng=rng(), **F64), (5, 4)),
    "sigmoid": (nn.Sigmoid, (3, 4)),
    "flatten": (nn.Flatten, (2, 3, 4)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 4, 3, 2, rng=rng(), **F64), (2, 2, 9)),
    "conv2d": (lambda: nn.Conv2d(2, 3, (3, 2), (1, 2), (0, 1), rng=rng(), **F64), (2, 2, 5, 7)),
    "conv2d with all options": (
        lambda: nn.Conv2d(4, 6, (2, 3), 2, (1, 2), (1, 2), 2, False, "reflect", rng=rng(), **F64),
        (2, 4, 6, 9),
    ),
    "conv2d same": (lambda: nn.Conv2d(2, 3, (4, 3), padding="same", rng=rng(), **F64), (1, 2, 5, 4)),
    "transposed conv1d": (lambda: nn.ConvTranspose1d(2, 3, 4, 3, 2, 1, rng=rng(), **F64), (2, 2, 5)),
    "transposed conv2d with all options": (
        lambda: nn.ConvTranspose2d(4, 6, (2, 3), (2, 1), (1, 0), (1, 0), 2, False, (1, 2), rng=rng(), **F64),
        (2, 4, 3, 4),
    ),
    "transposed conv3d": (
        lambda: nn.ConvTranspose3d(1, 2, (1, 3, 2), padding=(0, 1, 0), rng=rng(), **F64),
        (2, 1, 2, 4, 3),
    ),
    "tanh": (nn.Tanh, (3, 4)),
    # without running averages it computes in evaluation mode, where the check measures, what it does in training mode
    "batch norm of vectors": (lambda: nn.BatchNorm1d(3, track_running_stats=False, **F64), (5, 3)),
    "batch norm 1d": (lambda: nn.BatchNorm1d(3, 1e-3, track_running_stats=False, **F64), (4, 3, 5)),
    "batch norm 2d": (lambda: nn.BatchNorm2d(3, affine=False, track_running_stats=False, **F64), (2, 3, 4, 5)),
    "batch norm 3d": (lambda: nn.BatchNorm3d(2, track_running_stats=False, **F64), (2, 2, 2, 3, 2)),
    "dropout of nothing": (lambda: nn.Dropout(0), (3, 4)),
    "residual join": (
        lambda: nn.Add(nn.Sequential(), nn.Sequential(nn.Conv1d(2, 2, 3, padding=1, rng=rng(), **F64), nn.Sigmoid())),
        (2, 2, 6),
    ),
    "conv3d": (lambda: nn.Conv3d(1, 2, (1, 3, 2), padding=1, rng=rng(), **F64), (2, 1, 2, 4, 3)),
    "average pool 1d": (lambda: nn.AvgPool1d(3, 2, 1), (2, 2, 8)),
    "average pool 2d": (lambda: nn.AvgPool2d((3, 2), (2, 1)), (2, 2, 6, 5)),
    "average pool 2d with all options": (lambda: nn.AvgPool2d((3, 2), 2, (1, 0), True, False), (2, 2, 6, 5)),
    "average pool 3d": (lambda: nn.AvgPool3d(2), (1, 2, 3, 4, 5)),
    "global mean": (lambda: nn.GlobalPool("mean"), (2, 3, 4, 5)),
    "global softmax": (lambda: nn.GlobalPool("softmax", 0.7), (2, 3, 7)),
}
KINKED = {
    "relu": (nn.ReLU, (3, 4)),
    "max pool 1d": (lambda: nn.MaxPool1d(3, 2, 1), (2, 2, 8)),
    "max pool 2d overlapping": (lambda: nn.MaxPool2d((3, 2), (2, 1), (1, 0)), (2, 2, 6, 5)),
    "max pool 2d with all options": (lambda: nn.MaxPool2d((3, 2), 2, (1, 0), (1, 2), ceil_mode=True), (2, 2, 6, 6)),
    "max pool 3d": (lambda: nn.MaxPool3d((1, 2, 3)), (1, 2, 3, 4, 5)),
    "global max": (lambda: nn.GlobalPool("max"), (2, 3, 4, 5)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_of_a_smooth_layer(name, gradient_check):
    build, shape = SMOOTH[name]
    gradient_check(build(), rng(1).standard_normal(shape))


@pytest.mark.parametrize("name", KINKED)
def test_gradient_of_a_layer_with_kinks_away_from_them(name, gradient_check, distinct):
    build, shape = KINKED[name]
    gradient_check(build(), distinct(shape))


def test_gradient_of_a_small_network(gradient_check):
    g = rng(2)
    net = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, rng=g, **F64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, groups=2, rng=g, **F64),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Linear(4 * 1 * 2, 3, rng=g, **F64),
    )
    gradient_check(net, rng(3).standard_normal((3, 2, 6, 9)))


def test_backward_twice_adds_up_in_the_parameters():
    layer = nn.Conv1d(1, 2, 3, rng=rng(), **F64)
    x, dy = rng(1).standard_normal((2, 1, 6)), rng(2).standard_normal((2, 2, 4))
    layer(x)
    layer.backward(dy)
    once = layer.weight.grad.copy()
    layer(x)
    layer.backward(dy)
    np.testing.assert_allclose(layer.weight.grad, 2 * once)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_keep_the_dtype(dtype):
    net = nn.Sequential(
        nn.Conv2d(1, 2, 2, rng=rng(), dtype=dtype),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.AvgPool2d(1),
        nn.Sigmoid(),
        nn.GlobalPool("softmax"),
        nn.Linear(2, 2, rng=rng(), dtype=dtype),
    )
    x = rng().standard_normal((2, 1, 5, 4)).astype(dtype)
    y = net(x)
    dx = net.backward(y)
    assert {y.dtype, dx.dtype, *(p.grad.dtype for p in net.parameters())} == {np.dtype(dtype)}


def test_inputs_are_never_changed():
    net = nn.Sequential(nn.Conv1d(1, 2, 2, rng=rng(), **F64), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1, **F64))
    x, dy = rng().standard_normal((2, 1, 5)), rng().standard_normal((2, 1))
    x.flags.writeable = dy.flags.writeable = False
    for parameter in net.parameters():
        parameter.data.flags.writeable = False
    net(x)
    net.backward(dy)


def test_options_stand_in_the_order_of_pytorch():
    layer = nn.Conv2d(4, 6, (2, 3), 2, (1, 2), (1, 2), 2, False, "circular")
    g = layer.geometry
    assert (g.in_channels, g.out_channels, g.kernel, g.stride, g.padding) == (4, 6, (2, 3), (2, 2), ((1, 1), (2, 2)))
    assert (g.dilation, g.groups, layer.bias, g.padding_mode) == ((1, 2), 2, None, "circular")
    pool = nn.MaxPool2d(4, 3, 2)
    assert (pool.kernel_size, pool.stride, pool.padding) == ((4, 4), (3, 3), (2, 2))
    assert nn.AvgPool1d(3).stride == (3,)
    assert nn.MaxPool2d(4, 3, 2, (1, 2)).geometry.dilation == (1, 2)
    mean = nn.AvgPool2d(4, 3, 2, True, False)
    assert (mean.ceil_mode, mean.count_include_pad) == (True, False)
    layer = nn.ConvTranspose2d(4, 6, (2, 3), 2, 1, (1, 0), 2, False, (1, 2), "zeros")
    g = layer.geometry
    assert (g.in_channels, g.out_channels, g.adjoint.kernel, g.adjoint.stride) == (4, 6, (2, 3), (2, 2))
    assert (g.adjoint.padding, g.output_padding, g.adjoint.groups) == (((1, 1), (1, 1)), (1, 0), 2)
    assert (layer.bias, g.adjoint.dilation, layer.weight.shape) == (None, (1, 2), (4, 3, 2, 3))
    assert repr(nn.ConvTranspose1d(2, 3, 4)) == "ConvTranspose1d(2, 3, kernel_size=(4,), stride=(1,))"
    assert (nn.BatchNorm1d(3).eps, nn.BatchNorm1d(3).momentum) == (1e-5, 0.1)
    norm = nn.BatchNorm1d(3, 1e-3, None, False, False)
    assert (norm.eps, norm.momentum, norm.weight, norm.running_mean) == (1e-3, None, None, None)


def test_flatten_from_a_later_axis():
    assert nn.Flatten(2)(np.zeros((2, 3, 4, 5))).shape == (2, 3, 20)
    assert nn.Flatten(0)(np.zeros((2, 3))).shape == (6,)


def torch_pairs():
    """Our layer, PyTorch's layer by name and arguments, and the shape of an input."""
    conv2d = (4, 6, (2, 3), (2, 1), (1, 2), (1, 2), 2)
    return [
        (nn.Linear, "Linear", (4, 3), {}, (5, 4)),
        (nn.Conv1d, "Conv1d", (2, 3, 4, 3, 2), {}, (2, 2, 9)),
        (nn.Conv2d, "Conv2d", conv2d, {}, (2, 4, 6, 9)),
        (nn.Conv2d, "Conv2d", (*conv2d, False, "reflect"), {}, (2, 4, 6, 9)),
        (nn.Conv2d, "Conv2d", (2, 3, (3, 5)), {"padding": "same", "padding_mode": "circular"}, (2, 2, 6, 9)),
        (nn.Conv3d, "Conv3d", (2, 3, (1, 3, 2), 2, 1), {"padding_mode": "replicate"}, (2, 2, 3, 4, 5)),
        (nn.MaxPool1d, "MaxPool1d", (3, 2, 1), {}, (2, 2, 8)),
        (nn.MaxPool2d, "MaxPool2d", ((3, 2), (2, 1), (1, 0)), {}, (2, 2, 6, 5)),
        (nn.MaxPool3d, "MaxPool3d", (2,), {}, (1, 2, 3, 4, 5)),
        (nn.AvgPool1d, "AvgPool1d", (3, 2, 1), {}, (2, 2, 8)),
        (nn.AvgPool2d, "AvgPool2d", (2, 3, 1), {}, (2, 2, 6, 5)),
        (nn.AvgPool3d, "AvgPool3d", ((1, 2, 3), 1), {}, (1, 2, 3, 4, 5)),
        (nn.Flatten, "Flatten", (2,), {}, (2, 3, 4, 5)),
        (nn.ConvTranspose1d, "ConvTranspose1d", (2, 3, 4, 3, 2, 1), {}, (2, 2, 5)),
        (nn.ConvTranspose2d, "ConvTranspose2d", (4, 6, (2, 3), 2, 1, (1, 0), 2, False, (1, 2)), {}, (2, 4, 3, 4)),
        (nn.ConvTranspose3d, "ConvTranspose3d", (2, 3, 2), {"output_padding": 1, "stride": 2}, (1, 2, 2, 3, 2)),
        (nn.MaxPool2d, "MaxPool2d", ((3, 2), 2, (1, 0), (1, 2)), {"ceil_mode": True}, (2, 2, 6, 6)),
        (nn.AvgPool2d, "AvgPool2d", ((3, 2), 2, (1, 0), True, False), {}, (2, 2, 6, 5)),
        (nn.Tanh, "Tanh", (), {}, (3, 4)),
        (
            nn.Conv2d,
            "Conv2d",
            (2, 3, (2, 4)),
            {"padding": "same", "dilation": (3, 1), "padding_mode": "reflect"},
            (1, 2, 5, 6),
        ),
        (nn.Conv3d, "Conv3d", (1, 2, 2), {"padding": "same", "padding_mode": "circular"}, (1, 1, 3, 2, 4)),
        (nn.Conv2d, "Conv2d", (2, 3, 3), {"padding": 1, "padding_mode": "replicate"}, (0, 2, 5, 6)),
    ]


@pytest.mark.oracle
@pytest.mark.parametrize("pair", torch_pairs(), ids=lambda pair: pair[1])
def test_layer_against_pytorch(pair):
    import torch

    build, name, arguments, options, shape = pair
    parametric = name.startswith(("Conv", "Linear"))
    ours = build(*arguments, **options, **({"rng": rng(), **F64} if parametric else {}))
    theirs = getattr(torch.nn, name)(*arguments, **options).double()
    theirs.load_state_dict({key: torch.from_numpy(value) for key, value in ours.state_dict().items()})
    x = rng(1).standard_normal(shape)
    tx = torch.from_numpy(x).requires_grad_()
    y, ty = ours(x), theirs(tx)
    np.testing.assert_allclose(y, ty.detach().numpy(), rtol=1e-12, atol=1e-12)
    dy = rng(2).standard_normal(y.shape)
    ty.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(ours.backward(dy), tx.grad.numpy(), rtol=1e-12, atol=1e-12)
    for parameter, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(parameter.grad, other.grad.numpy(), rtol=1e-12, atol=1e-12)


ERRORS = {
    "no batch axis": (lambda: nn.Conv2d(3, 4, 3)(np.zeros((3, 8, 8), np.float32)), ValueError, r"x\[None\]"),
    "wrong rank": (lambda: nn.MaxPool1d(2)(np.zeros((1, 3, 8, 8))), ValueError, r"MaxPool1d takes x \(N, C, T\)"),
    "wrong channels": (lambda: nn.Conv2d(3, 4, 3)(np.zeros((1, 2, 8, 8), np.float32)), ValueError, "2 channels.*=3"),
    "too small": (lambda: nn.Conv1d(1, 1, 5)(np.zeros((1, 1, 4), np.float32)), ValueError, "kernel 5 is larger.*4"),
    "wrong dtype": (lambda: nn.Conv1d(1, 1, 1)(np.zeros((1, 1, 4))), TypeError, "float64.*float32"),
    "integers": (lambda: nn.Linear(2, 2)(np.zeros((1, 2), int)), TypeError, "int64.*floating-point"),
    "features": (lambda: nn.Linear(2, 2)(np.zeros((1, 3), np.float32)), ValueError, r"\(1, 3\).*\(2, 2\)"),
    "groups": (
        lambda: nn.Conv2d(6, 8, 3, groups=4),
        ValueError,
        r"in_channels \(=6\) must be divisible by groups \(=4",
    ),
    "no filters": (lambda: nn.Conv2d(6, 0, 3), ValueError, r"out_channels \(=0\) must be at least 1"),
    "no features": (lambda: nn.Linear(0, 3), ValueError, r"in_features \(=0\) must be at least 1"),
    "fraction of a feature": (lambda: nn.Linear(2, 2.5), TypeError, "out_features must be a whole number, not 2.5"),
    "kernel of another rank": (lambda: nn.Conv2d(1, 1, (3,)), ValueError, "kernel_size.*1 entries for 2"),
    "padding name": (lambda: nn.Conv2d(1, 1, 3, padding="full"), ValueError, '"same" or "valid"'),
    "same with stride": (lambda: nn.Conv2d(1, 1, 3, 2, "same"), ValueError, '"same" needs stride 1'),
    "padding mode": (lambda: nn.Conv2d(1, 1, 3, padding_mode="zero"), ValueError, "padding_mode 'zero' is unknown"),
    "padding of a transposed convolution": (
        lambda: nn.ConvTranspose2d(1, 1, 3, padding="same"),
        ValueError,
        "padding 'same' .* transposed convolution",
    ),
    "padding mode of a transposed convolution": (
        lambda: nn.ConvTranspose2d(1, 1, 3, padding_mode="reflect"),
        ValueError,
        r'padding_mode \(="reflect"\) must be "zeros"',
    ),
    "output padding": (
        lambda: nn.ConvTranspose1d(1, 1, 3, 2, output_padding=2),
        ValueError,
        r"output_padding \(=2\) must be smaller than stride \(=2\)",
    ),
    "groups of a transposed convolution": (
        lambda: nn.ConvTranspose1d(4, 6, 3, groups=4),
        ValueError,
        r"out_channels \(=6\) must be divisible by groups \(=4\)",
    ),
    "channels of a transposed convolution": (
        lambda: nn.ConvTranspose1d(4, 6, 3)(np.zeros((1, 6, 5), np.float32)),
        ValueError,
        "6 channels and the layer has in_channels=4",
    ),
    "batch axis of a transposed convolution": (
        lambda: nn.ConvTranspose2d(1, 1, 3)(np.zeros((1, 5, 5), np.float32)),
        ValueError,
        r"ConvTranspose2d takes x \(N, C, H, W\).*x\[None\]",
    ),
    "pool dilation": (lambda: nn.MaxPool2d(2, dilation=0), ValueError, r"dilation \(=0\) must be at least 1"),
    "pool switch": (lambda: nn.MaxPool2d(2, ceil_mode="no"), TypeError, "ceil_mode must be True or False, not 'no'"),
    "pool count": (lambda: nn.AvgPool2d(2, count_include_pad=0), TypeError, "count_include_pad must be True or False"),
    "nothing to pool": (lambda: nn.MaxPool2d(2, padding=1)(np.zeros((1, 2, 0, 3))), ValueError, "nothing to pool"),
    "pool padding": (lambda: nn.MaxPool2d(2, padding=2), ValueError, "padding 2 is more than half"),
    "pool name": (lambda: nn.GlobalPool("sum"), ValueError, '"max", "mean" or "softmax"'),
    "pool temperature": (lambda: nn.GlobalPool("softmax", 0), ValueError, r"temperature \(=0\) must be above 0"),
    "flatten axis": (lambda: nn.Flatten(2)(np.zeros((2, 3))), ValueError, r"start_dim \(=2\) is not an axis"),
    "gradient shape": (lambda: after_forward().backward(np.zeros((3, 2))), ValueError, r"\(3, 2\), expected \(1, 2\)"),
}


def after_forward():
    layer = nn.Linear(2, 2, **F64)
    layer(np.zeros((1, 2)))
    return layer


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = ERRORS[name]
    with pytest.raises(error, match=text):
        act()


def test_a_refused_input_leaves_nothing_behind():
    layer = nn.Conv1d(1, 1, 2)
    with pytest.raises(ValueError):
        layer(np.zeros((1, 2, 4), np.float32))
    with pytest.raises(RuntimeError, match="no forward"):
        layer.backward(np.zeros((1, 1, 3), np.float32))


@pytest.mark.parametrize(("x", "named"), [([[1.0]], "x is a list"), ("picture", "x is a str"), (None, "x is None")])
@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(1, 1, 1),
        nn.ConvTranspose1d(1, 1, 1),
        nn.MaxPool2d(2),
        nn.Linear(1, 1),
        nn.BatchNorm1d(1),
        nn.BatchNorm2d(1),
        nn.Dropout(),
        nn.Tanh(),
    ],
    ids=repr,
)
def test_what_is_no_array_is_named(layer, x, named):
    with pytest.raises(TypeError, match=named):
        layer(x)
