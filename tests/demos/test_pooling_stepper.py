"""The pooling stepper's Python side: what is sent, what is refused, and its own numbers against the ops."""

import doctest
import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab.demos import PoolingStepper, pooling_stepper
from cnnlab.ops import avg_pool_backward, avg_pool_forward, max_pool_backward, max_pool_forward

RNG = np.random.default_rng(3)


def test_the_docstrings_example_runs():
    result = doctest.testmod(pooling_stepper)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_the_input_arrives_to_the_last_bit_and_is_left_unchanged():
    x, dy = RNG.standard_normal((5, 4)), RNG.standard_normal((2, 2))
    for array in (x, dy):
        array.setflags(write=False)
    demo = PoolingStepper(x, dy=dy)
    np.testing.assert_array_equal(np.array(demo.x), x)
    np.testing.assert_array_equal(np.array(demo.dy), dy)


def test_one_axis_is_a_row_and_its_options_belong_to_the_width():
    demo = PoolingStepper([1, 5, 2, 4, 3], 3, stride=2, padding=1, dilation=1, dy=[1, 2, 3])
    assert (demo.x, demo.dy) == ([[1, 5, 2, 4, 3]], [[1, 2, 3]])
    assert (demo.kernel_size, demo.stride, demo.padding, demo.data) == ([1, 3], [1, 2], [0, 1], {"rank": 1})
    np.testing.assert_array_equal(demo.output, [[5, 5, 4]])


@pytest.mark.parametrize("how", ["max", "average"])
def test_output_and_gradient_are_those_of_the_ops(how):
    for _ in range(60):
        shape = tuple(RNG.integers(3, 9, 2))
        kernel = RNG.integers(1, 4, 2)
        options = {
            "stride": [int(s) for s in RNG.integers(1, 4, 2)] if RNG.random() < 0.7 else None,
            "padding": [int(RNG.integers(0, k // 2 + 1)) for k in kernel],
            "ceil_mode": bool(RNG.random() < 0.5),
        }
        extra = {"dilation": [int(d) for d in RNG.integers(1, 3, 2)]} if how == "max" else {}
        counts = {} if how == "max" else {"count_include_pad": bool(RNG.random() < 0.5)}
        if np.any((kernel - 1) * extra.get("dilation", 1) + 1 > shape):
            continue
        x = RNG.integers(-3, 4, shape).astype(float)
        demo = PoolingStepper(x, kernel.tolist(), how=how, **options, **extra, **counts)
        forward, backward = {
            "max": (max_pool_forward, max_pool_backward),
            "average": (avg_pool_forward, avg_pool_backward),
        }[how]
        arguments = {**options, **extra, **counts}
        y = forward(x[None, None], kernel.tolist(), **arguments)
        np.testing.assert_allclose(demo.output, y[0, 0], rtol=1e-14)
        demo.dy = RNG.standard_normal(y.shape[2:]).tolist()
        dx = backward(np.array(demo.dy)[None, None], x[None, None], kernel.tolist(), **arguments)
        np.testing.assert_allclose(demo.gradient, dx[0, 0], rtol=1e-12, atol=1e-14)


def test_a_gradient_of_another_shape_keeps_its_places_and_the_rest_is_one():
    demo = PoolingStepper(dy=[[10, 20], [30, 40]])
    demo.stride = [1, 2]  # 3 × 2 outputs now
    np.testing.assert_array_equal(demo.output, [[6, 8], [6, 8], [3, 4]])
    assert demo.gradient.sum() == 10 + 20 + 30 + 40 + 1 + 1
    demo.stride = [2, 4]  # 2 × 1
    assert demo.gradient.sum() == 10 + 30


class OnGpu:
    __cuda_array_interface__: ClassVar = {}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"x": np.zeros((2, 3, 4))}, ValueError, r"x has shape \(2, 3, 4\): expected 1 or 2 axes"),
        ({"x": [[1, np.nan]]}, ValueError, r"x is nan at index \(0, 1\): replace"),
        ({"x": [[1, -np.inf], [0, 0]]}, ValueError, r"x is -inf at index \(0, 1\)"),
        ({"x": [["a"]]}, ValueError, "x has dtype <U1: expected real numbers"),
        ({"x": np.zeros((25, 24))}, ValueError, "x has 25 × 24 cells: at most 576"),
        ({"x": OnGpu()}, TypeError, r"x lies on a GPU: pass cnnlab.to_numpy\(x\)"),
        ({"dy": OnGpu()}, TypeError, r"dy lies on a GPU: pass cnnlab.to_numpy\(dy\)"),
        ({"kernel_size": 5}, ValueError, "kernel 5 is larger than the padded input 4: add padding"),
        ({"kernel_size": (2, 2, 2)}, ValueError, r"kernel_size \(2, 2, 2\) has 3 entries for 2 spatial axes"),
        ({"kernel_size": 0}, ValueError, r"kernel_size \(=0\) must be at least 1"),
        ({"stride": 0}, ValueError, r"stride \(=0\) must be at least 1"),
        ({"padding": 2}, ValueError, "padding 2 is more than half of the pooling kernel 2"),
        ({"padding": 0.5}, TypeError, "padding must be a whole number, not 0.5"),
        (
            {"dilation": 2, "how": "average"},
            ValueError,
            'dilation=2: average pooling has none; leave it out, or choose how="max"',
        ),
        (
            {"dy": [[1, 2, 3], [4, 5, 6]]},
            ValueError,
            r"dy has shape \(2, 3\): expected \(2, 2\), the shape of the output",
        ),
        ({"x": [1, 2, 3, 4], "dy": [1, 2, 3]}, ValueError, r"dy has shape \(3,\): expected \(2,\)"),
        ({"dy": [[1, 2], [3, np.inf]]}, ValueError, r"dy is inf at index \(1, 1\)"),
        ({"how": "median"}, TraitError, "median"),
        ({"view": "sideways"}, TraitError, "sideways"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(arguments, error, words):
    with pytest.raises(error, match=words):
        PoolingStepper(**arguments)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("x", [[1, np.nan]], "x is nan"),
        ("x", np.zeros((30, 30)).tolist(), "30 × 30 cells"),
        ("dy", [1.0, 2.0], "dy has shape"),
        ("kernel_size", [2], "kernel_size .* has 1 entries"),
        ("stride", [0, 1], r"stride \(=0\)"),
        ("padding", [-1, 0], r"padding \(=-1\)"),
        ("dilation", [0, 1], r"dilation \(=0\)"),
        ("shift", [1], "shift .* has 1 entries"),
    ],
)
def test_traits_are_checked_when_python_assigns(name, value, words):
    demo = PoolingStepper()
    with pytest.raises((ValueError, TypeError), match=words):
        setattr(demo, name, value)


def test_options_that_do_not_fit_together_say_so_when_the_output_is_asked_for():
    demo = PoolingStepper()
    demo.padding = [2, 0]
    with pytest.raises(ValueError, match="padding 2 is more than half of the pooling kernel 2"):
        _ = demo.output
    demo.kernel_size = [4, 4]
    assert demo.output.shape == (2, 1)


def test_html_needs_nothing_from_anywhere_and_holds_the_state(tmp_path):
    demo = PoolingStepper(view="backward", how="average", kernel_size=(3, 2), padding=(1, 0))
    demo.step = 1
    html = demo.save(tmp_path / "demo.html").read_text(encoding="utf-8")
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == {name: getattr(demo, name) for name in demo.traits(demo=True)}
    assert (state["view"], state["step"], state["stride"], state["dy"]) == ("backward", 1, None, None)
