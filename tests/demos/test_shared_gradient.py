"""The shared gradient's Python side: what is computed, sent and refused."""

import json
import re
from typing import ClassVar

import numpy as np
import pytest

from cnnlab import ops
from cnnlab.demos import SharedGradient
from cnnlab.geometry import ConvGeometry

RNG = np.random.default_rng(0)
# x's shape, w's shape, stride, padding
CASES = [
    ((10,), (3,), 1, 0),
    ((9,), (4,), 3, 2),
    ((5,), (1,), 2, 0),
    ((3,), (2,), 1, 3),
    ((5, 6), (3, 2), 1, 0),
    ((4, 7), (2, 3), (2, 3), (1, 0)),
    ((3, 5), (1, 4), 1, (0, 2)),
]


def case_of(shape, kernel, stride, padding):
    """Return x, w and dy with random values."""
    geometry = ConvGeometry(kernel, stride, padding)
    return RNG.standard_normal(shape), RNG.standard_normal(kernel), RNG.standard_normal(geometry.output_size(shape))


@pytest.mark.parametrize("case", CASES)
def test_gradient_is_that_of_the_op_and_of_its_contributions(case):
    x, w, dy = case_of(*case)
    demo = SharedGradient(x, w, dy=dy, stride=case[2], padding=case[3])
    options = {"stride": case[2], "padding": case[3]}
    _, dw, _ = ops.conv_backward(dy[None, None], x[None, None], w[None, None], **options)
    np.testing.assert_allclose(demo.gradient, dw[0, 0], rtol=1e-12, atol=1e-12)
    sums = [sum(part for *_, part in demo.contributions(tap)) for tap in range(w.size)]
    np.testing.assert_allclose(sums, dw.ravel(), rtol=1e-12, atol=1e-12)
    y = ops.conv_forward(x[None, None], w[None, None], **options)[0, 0]
    np.testing.assert_allclose(demo.output, y, rtol=1e-12, atol=1e-12)
    assert demo.loss == pytest.approx((dy * y).sum(), rel=1e-12)
    np.testing.assert_array_equal(demo.upstream, dy)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("given", [True, False])
def test_a_target_gives_the_squared_loss(case, given):
    x, w, target = case_of(*case)
    options = {"stride": case[2], "padding": case[3]}
    difference = np.zeros(w.size)
    difference[-1] = -1
    difference[0] = 1
    if not given:
        difference = difference.reshape(w.shape)
        target = ops.conv_forward(x[None, None], difference[None, None], **options)[0, 0]
    demo = SharedGradient(x, w, target=target if given else None, **options)
    y = ops.conv_forward(x[None, None], w[None, None], **options)[0, 0]
    np.testing.assert_allclose(demo.upstream, y - target, rtol=1e-12, atol=1e-12)
    assert demo.loss == pytest.approx(0.5 * ((y - target) ** 2).sum(), rel=1e-12)
    assert demo.rate > 0
    assert demo.step == len(demo.contributions(0))


def test_half_the_best_step_lowers_the_loss():
    demo = SharedGradient()
    before, dw = demo.loss, demo.gradient
    demo.w = [list(np.array(demo.w[0]) - demo.rate * dw)]
    assert demo.loss < 0.5 * before


def test_arrays_are_sent_unchanged_and_inputs_left_alone():
    x, w = np.asfortranarray(RNG.standard_normal((4, 5))), RNG.standard_normal((2, 3))
    dy = RNG.standard_normal((3, 3))
    for array in (x, w, dy):
        array.setflags(write=False)
    demo = SharedGradient(x, w, dy=dy)
    np.testing.assert_array_equal(demo.x, x)
    np.testing.assert_array_equal(demo.w, w)
    np.testing.assert_array_equal(demo.dy, dy)
    assert (demo.target, demo.data) == ([], {"rank": 2})
    assert SharedGradient([1, 2, 3], [1], target=[1, 2, 3]).target == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": np.ones((2, 2, 2))}, "expected 1 or 2 axes"),
        ({"x": np.ones((3, 3))}, "x has 2 axes and w has 1"),
        ({"x": [1, np.nan, 2]}, r"x is nan at index \(1,\)"),
        ({"w": [np.inf]}, r"w is inf at index \(0,\)"),
        ({"w": ["a"]}, "expected real numbers"),
        ({"x": np.ones(145)}, "x has 1 × 145 values: at most 144 can be read"),
        ({"w": np.ones(26), "x": np.ones(30)}, "w has 1 × 26 values: at most 25"),
        ({"x": [1, 2]}, "kernel 3 is larger than the padded input 2"),
        ({"target": [1, 2]}, "target has 1 × 2 values but the output has 1 × 8"),
        ({"dy": [1, 2]}, "dy has 1 × 2 values but the output has 1 × 8"),
        ({"dy": np.ones((2, 4))}, "expected 1 axes"),
        ({"dy": np.ones(8), "target": np.ones(8)}, "target and dy were both given"),
        ({"rate": 0}, "rate=0"),
        ({"rate": float("nan")}, "rate=nan"),
        ({"stride": 0}, r"stride \(=0\) must be at least 1"),
        ({"padding": -2}, r"padding \(=-2\) must be at least 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(arguments, words):
    with pytest.raises(ValueError, match=words):
        SharedGradient(**arguments)


def test_an_array_on_a_gpu_is_refused():
    class OnGpu:
        __cuda_array_interface__: ClassVar = {}

    for name in ("x", "w", "target", "dy"):
        with pytest.raises(TypeError, match=rf"{name} lies on a GPU: pass cnnlab.to_numpy\({name}\)"):
            SharedGradient(**{name: OnGpu()})


def test_assignments_are_checked():
    demo = SharedGradient(dy=np.ones(8))
    for name, value, words in (
        ("tap", 3, "tap=3: w has 3 weights"),
        ("h", 0.0, "h=0"),
        ("rate", -1.0, "rate=-1"),
        ("stride", [1, 2], "dy has 1 × 8 values but the output has 1 × 4"),
        ("x", [1, 2], "x has shape"),
        ("w", [[1, 2]], "dy has 1 × 8 values but the output has 1 × 9"),
    ):
        with pytest.raises(ValueError, match=words):
            setattr(demo, name, value)
    with demo.hold_trait_notifications():
        demo.dy = []
        demo.stride = [1, 2]
    demo.tap = 2
    assert len(demo.contributions(2)) == 4


def test_html_needs_nothing_from_anywhere():
    html = SharedGradient().to_html()
    assert "://" not in html
    assert not re.search(r"\burl\(.|\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert (state["w"], state["tap"], state["step"]) == ([[0.5, 1, -1]], 0, 8)
