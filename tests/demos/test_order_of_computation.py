"""The order of computation, Python side: what is sent, what is refused, the scores and the counts."""

import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import inspection, nn
from cnnlab.demos import OrderOfComputation

RNG = np.random.default_rng(0)
LAYERS = [(RNG.standard_normal((3, 8)), RNG.standard_normal(3)), (RNG.standard_normal((1, 6)), np.zeros(1))]
X = RNG.standard_normal((2, 15))


def stack_of(demo):
    """The same net of `cnnlab.nn`."""
    conv = {1: nn.Conv1d, 2: nn.Conv2d}[len(demo.n)]
    layers = []
    for (W, b), hop in zip(demo.weights, demo.hops, strict=True):
        layer = conv(W.shape[1], W.shape[0], W.shape[2:], hop, dtype="float64", rng=np.random.default_rng(0))
        layer.weight.data, layer.bias.data = W, b
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


CASES = [
    {},
    {"n": 20, "widths": 8},
    {"n": 31, "widths": (5, 2, 3), "hops": (3, 2, 1), "features": (4, 3, 2)},
    {"n": (10, 12)},
    {"n": (13, 9), "widths": ((4, 2), (2, 3)), "hops": ((3, 2), (2, 1)), "features": (2, 1)},
    {"x": X, "layers": LAYERS, "widths": (4, 2), "hops": (2, 1)},
]


@pytest.mark.parametrize("options", CASES)
def test_scores_and_counts_are_those_of_the_convolutions(options):
    demo = OrderOfComputation(**options)
    stack, inside = stack_of(demo), (slice(None), *map(slice, demo.n))
    x = np.array(demo.data["x"])[inside]
    np.testing.assert_allclose(demo.output, stack(x[None])[0], rtol=0, atol=1e-12)
    assert demo.multiply_adds["layer_first"] == inspection.summary(stack, x.shape).multiply_adds
    window = nn.expand(stack)  # the MLP of one window, with a connection for each multiply-add
    sizes, shape = 0, (x.shape[0], *window.kernel_size)
    for layer in stack[::2]:
        dense = nn.dense_matrix(layer, shape)
        sizes, shape = sizes + dense.connection_count, dense.output_shape
    assert demo.multiply_adds["window_first"] == demo.output[0].size * sizes


def test_a_plain_scan_costs_the_same_in_both_orders_and_as_the_convolutions_of_its_mlp():
    scan = nn.Scan(nn.mlp([2 * 5, 4, 3, 1], rng=np.random.default_rng(1), dtype="float64"), 5, 2)
    demo = OrderOfComputation(x=X, layers=nn.layers_of(scan.module), widths=5, hops=2)
    np.testing.assert_allclose(demo.output, scan(X[None])[0], rtol=0, atol=1e-12)
    cost = inspection.summary(nn.to_convolutions(scan), X.shape).multiply_adds
    assert demo.multiply_adds == {"window_first": cost, "layer_first": cost}


def test_a_larger_net_keeps_the_weights_of_a_smaller_one_and_none_is_zero():
    small, large = OrderOfComputation(features=(2, 1)), OrderOfComputation(widths=(6, 4), features=(5, 3, 1))
    for (W, b), (V, c) in zip(small.weights, large.weights[:2], strict=True):
        np.testing.assert_array_equal(V[tuple(map(slice, W.shape))], W)
        np.testing.assert_array_equal(c[: len(b)], b)
    assert all(np.count_nonzero(W) == W.size for W, _ in large.weights)


def test_inputs_arrive_to_the_last_bit_and_stay_unchanged():
    x = X.copy()
    layers = [(W.copy(), b.copy()) for W, b in LAYERS]
    for array in (x, *(a for layer in layers for a in layer)):
        array.setflags(write=False)
    demo = OrderOfComputation(x=np.asfortranarray(x), layers=layers, widths=(4, 2))
    np.testing.assert_array_equal(np.array(demo.data["x"]), X)
    for sent, (W, b) in zip(demo.data["layers"], LAYERS, strict=True):
        np.testing.assert_array_equal(np.array(sent[0]), W)
        np.testing.assert_array_equal(np.array(sent[1]), b)


def test_one_row_of_numbers_is_one_channel():
    demo = OrderOfComputation(x=[1.0, 2.0, 4.0], widths=2, features=(1,))
    assert (demo.data["x"], demo.n) == ([[1, 2, 4]], [3])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, r"n \(=0\) must be at least 1"),
        ({"n": 65}, r"n=\[65\] is more than the input's \[64\]"),
        ({"n": 7}, "layer 2 looks at 3 places and there are only 2: give a larger input"),
        ({"n": (3, 3, 3)}, "n .* has 3 entries for 2 spatial axes"),
        ({"x": np.ones((2, 2, 3, 3))}, r"x has shape \(2, 2, 3, 3\): expected 1 or 2 or 3 axes"),
        ({"x": np.ones(65)}, r"x has shape \(1, 65\): at most 32 channels and 64 places"),
        ({"x": np.ones((33, 20))}, r"x has shape \(33, 20\): at most 32 channels"),
        ({"x": [[0.0, np.inf]]}, r"x is inf at index \(0, 1\)"),
        ({"x": np.ones((1, 0))}, "none of them empty"),
        ({"x": np.array(["a"])}, "expected real numbers"),
        ({"widths": (4, 3, 2, 1)}, "widths names 4 levels for 3 layers"),
        ({"widths": (4, 0)}, r"widths\[1\] \(=0\) must be at least 1"),
        ({"widths": 17, "n": 30}, "at most 16 can be seen as blocks"),
        ({"hops": (2, -1)}, r"hops\[1\] \(=-1\) must be at least 1"),
        ({"features": ()}, r"features=\(\): give the neurons of each layer"),
        ({"features": 3}, "features=3: give the neurons of each layer"),
        ({"features": (3, 0)}, r"features\[1\] \(=0\) must be at least 1"),
        ({"features": (7, 1)}, r"features=\[7, 1\]: at most 4 layers of 6"),
        ({"layers": LAYERS, "x": X}, "give widths"),
        ({"layers": LAYERS, "x": X, "widths": 4, "features": (3, 1)}, "no features"),
        (
            {"layers": LAYERS, "x": X, "widths": (3, 2)},
            r"layers\[0\] takes 8 numbers, but a window of 3 places of 2 channels holds 6",
        ),
        (
            {"layers": LAYERS, "x": X, "widths": (4, 3)},
            r"layers\[1\] takes 6 numbers, but a window of 3 places of 3 neurons of layers\[0\] holds 9",
        ),
        (
            {"layers": [(LAYERS[0][0], np.ones(2)), LAYERS[1]], "x": X, "widths": (4, 2)},
            r"b of layers\[0\] has shape \(2,\)",
        ),
        (
            {"layers": [(np.full((3, 8), np.nan), np.ones(3)), LAYERS[1]], "x": X, "widths": (4, 2)},
            r"W of layers\[0\] is nan at index \(0, 0\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(options, words):
    with pytest.raises((ValueError, TraitError), match=words):
        OrderOfComputation(**options)


def test_what_is_no_whole_number_is_refused():
    for options in ({"n": 2.5}, {"widths": (4.0, 3)}, {"hops": ("a",)}, {"features": (3, 1.5)}):
        with pytest.raises(TypeError, match="must be a whole number"):
            OrderOfComputation(**options)


def test_too_many_units_are_refused():
    with pytest.raises(ValueError, match=r"there are 24,786 units to compute, at most 20,000: lower n"):
        OrderOfComputation((16, 16), widths=(2, 7), hops=1, features=(6, 6, 6))


def test_an_array_on_a_gpu_is_refused_with_the_way_to_bring_it():
    class OnGpu:
        __cuda_array_interface__: ClassVar = {}
        ndim = 2

    with pytest.raises(TypeError, match=r"x lies on a GPU: pass cnnlab.to_numpy\(x\)"):
        OrderOfComputation(x=OnGpu())


def test_what_python_assigns_is_checked():
    demo = OrderOfComputation()
    demo.n, demo.widths, demo.hops = [30], [[8], [1], [1]], [[1], [1], [1]]
    assert demo.multiply_adds["window_first"] == demo.multiply_adds["layer_first"]
    for name, value in [("n", [65]), ("n", [1, 2]), ("widths", [[0], [1], [1]]), ("widths", [[17], [1], [1]])]:
        with pytest.raises((ValueError, TraitError)):
            setattr(demo, name, value)
    with pytest.raises(ValueError, match="at most 4 layers of 6"):
        demo.features = [9, 1]
    with pytest.raises(TraitError, match="clock"):
        demo.clock = -1
    own = OrderOfComputation(x=X, layers=LAYERS, widths=(4, 2))
    with pytest.raises(ValueError, match="the net given as layers was made for"):
        own.widths = [[3], [2]]
    with pytest.raises(ValueError, match="the net given as layers has"):
        own.features = [2, 1]


def test_html_needs_nothing_from_anywhere_and_holds_the_state():
    demo = OrderOfComputation(remember=True)
    demo.clock = 77
    html = demo.to_html()
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket|\burl\(", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == {
        name: getattr(demo, name) for name in (*("n", "widths", "hops", "features"), "remember", "clock", "data")
    }
