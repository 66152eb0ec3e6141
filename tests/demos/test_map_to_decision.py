"""Map to decision, the Python side: what is sent, what is refused, what NumPy computes."""

import base64
import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import nn, ops
from cnnlab.demos import MapToDecision

RNG = np.random.default_rng(0)
Y = RNG.standard_normal((4, 6)) * 3
LAYERS = [(RNG.standard_normal((5, 24)), RNG.standard_normal(5)), (RNG.standard_normal((1, 5)), np.array([0.5]))]


def test_scores_arrive_to_the_last_bit_and_the_mlp_as_float32():
    demo = MapToDecision(np.asfortranarray(Y), mlp=LAYERS)
    np.testing.assert_array_equal(np.array(demo.scores), Y)
    for sent, (W, b) in zip(demo.data["mlp"], LAYERS, strict=True):
        for name, part in (("weight", W), ("bias", b)):
            got = np.frombuffer(base64.b64decode(sent[name]["base64"]), "<f4").reshape(sent[name]["shape"])
            np.testing.assert_array_equal(got, part.astype(np.float32))
    assert demo.data["rank"] == 2
    assert MapToDecision(Y[0]).data == {"rank": 1, "mlp": None, "sigmoid": False}


@pytest.mark.parametrize("temperature", [0.01, 0.3, 1, 7.5, 100])
def test_decisions_and_gradients_are_those_of_the_global_pool(temperature):
    demo = MapToDecision(Y, temperature=temperature)
    for how in ("max", "mean", "softmax"):
        expected = ops.global_pool_forward(Y[None, None], how, temperature=temperature)
        assert demo.decisions[how] == pytest.approx(expected[0, 0], rel=1e-13)
        gradient = ops.global_pool_backward(np.ones((1, 1)), Y[None, None], how, temperature=temperature)
        np.testing.assert_allclose(demo.gradients[how], gradient[0, 0], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("sigmoid", [False, True])
def test_the_gradient_of_the_mlp_is_that_of_differences(sigmoid):
    demo = MapToDecision(Y, mlp=LAYERS, sigmoid=sigmoid)
    numeric = np.empty(Y.shape)
    for cell in np.ndindex(Y.shape):
        sides = []
        for step in (1e-5, -1e-5):
            moved = Y.copy()
            moved[cell] += step
            sides.append(MapToDecision(moved, mlp=LAYERS, sigmoid=sigmoid).decisions["mlp"])
        numeric[cell] = (sides[0] - sides[1]) / 2e-5
    np.testing.assert_allclose(demo.gradients["mlp"], numeric, atol=1e-8)


def test_among_equal_scores_the_first_gets_the_gradient():
    demo = MapToDecision([[1.0, 2.0], [2.0, 2.0]])
    np.testing.assert_array_equal(demo.gradients["max"], [[0, 1], [0, 0]])


def test_a_moved_map_wraps_or_loses_what_leaves():
    demo = MapToDecision(Y)
    demo.shift = [1, -2]
    np.testing.assert_array_equal(demo.map, np.roll(Y, (1, -2), (0, 1)))
    demo.wrap, demo.offset = False, 2.5
    expected = np.full(Y.shape, Y.min())
    expected[1:, :-2] = Y[:-1, 2:]
    np.testing.assert_allclose(demo.map, expected + 2.5, rtol=1e-15)


def test_a_net_is_taken_and_the_example_needs_no_argument():
    net = nn.mlp([24, 3, 1], rng=np.random.default_rng(1))
    demo = MapToDecision(Y, mlp=net)
    x = Y.reshape(1, -1).astype(np.float32)
    assert demo.decisions["mlp"] == pytest.approx(net(x)[0, 0], rel=1e-4)
    example = MapToDecision()
    assert example.decisions["max"] > 0 > example.decisions["mean"]
    assert example.decisions["mlp"] > 0
    example.shift = [0, 4]
    assert example.decisions["max"] > 0 > example.decisions["mlp"]


def test_inputs_are_left_unchanged():
    arrays = [Y.copy(), *(part.copy() for layer in LAYERS for part in layer)]
    for array in arrays:
        array.setflags(write=False)
    y, W, b, V, c = arrays
    assert MapToDecision(y, mlp=[(W, b), (V, c)], sigmoid=True).gradients["mlp"].shape == (4, 6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scores": Y[None]}, r"scores has shape \(1, 4, 6\): expected 1 or 2 axes"),
        ({"scores": Y[:0]}, "none of them empty"),
        ({"scores": np.where(np.equal(Y, Y[1, 2]), np.inf, Y)}, r"scores is inf at index \(1, 2\)"),
        ({"scores": Y.astype(complex)}, "complex128"),
        ({"scores": np.zeros((25, 24)), "mlp": None}, r"scores has 25 × 24 cells: at most 576 .*scores\[::2, ::2\]"),
        ({"temperature": 0}, r"temperature=0\.0: expected 0\.01 to 100"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"threshold": float("inf")}, "threshold=inf"),
        ({"how": "median"}, "median"),
        ({"how": "mlp", "mlp": None}, 'how="mlp" needs a net'),
        ({"mlp": []}, "mlp is empty"),
        ({"mlp": LAYERS[:1]}, "the last layer of mlp has 5 outputs"),
        ({"mlp": [(np.ones((1, 6)), np.zeros(1))]}, r"mlp\[0\] takes 6 numbers but the map has 24 cells"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(changes, words):
    arguments = {"scores": Y, "mlp": LAYERS, **changes}
    with pytest.raises((ValueError, TraitError), match=words):
        MapToDecision(arguments.pop("scores"), **arguments)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("scores", [[1.0, 2.0]], r"scores has shape \(1, 2\), but this demo was made for \(4, 6\)"),
        ("shift", [4, 0], r"shift=\[4, 0\]: expected rows and columns, less than"),
        ("shift", [1], "expected rows and columns"),
        ("cell", 24, "cell=24: the map has 24 cells"),
        ("temperature", 200, "temperature=200"),
        ("offset", float("nan"), "offset=nan"),
        ("how", "mlp", "needs a net"),
    ],
)
def test_what_python_assigns_later_is_checked_too(name, value, words):
    demo = MapToDecision(Y)
    before = getattr(demo, name)
    with pytest.raises((ValueError, TraitError), match=words):
        setattr(demo, name, value)
    assert getattr(demo, name) == before


def test_an_array_on_a_gpu_is_refused_with_the_way_to_bring_it():
    class OnGpu:
        __cuda_array_interface__: ClassVar = {}

    with pytest.raises(TypeError, match=r"scores lies on a GPU: pass cnnlab.to_numpy\(scores\)"):
        MapToDecision(OnGpu())


def test_html_needs_nothing_from_anywhere_and_holds_the_state():
    demo = MapToDecision(Y, mlp=LAYERS, how="softmax", temperature=2)
    demo.shift, demo.wrap, demo.offset, demo.subtract, demo.cell = [1, 2], False, 7.0, False, 9
    html = demo.to_html()
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    names = ("data", "scores", "temperature", "how", "threshold", "shift", "wrap", "offset", "subtract", "cell")
    assert state == {name: getattr(demo, name) for name in names}
