"""The volume view's Python side: what is sent, what is refused, and its own numbers against the ops."""

import doctest
import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab.demos import VolumeView, volume_view
from cnnlab.demos.volume_view.examples import examples
from cnnlab.geometry import ConvGeometry
from cnnlab.ops import conv_forward

RNG = np.random.default_rng(4)
X, W = RNG.standard_normal((4, 6, 5)), RNG.standard_normal((6, 2, 3, 2))


def test_the_docstrings_example_runs():
    result = doctest.testmod(volume_view)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_arrays_arrive_to_the_last_bit_and_are_left_unchanged():
    x, w, b = X.copy(), RNG.standard_normal((6, 4, 3, 2)), RNG.standard_normal(6)
    for array in (x, w, b):
        array.setflags(write=False)
    demo = VolumeView(x, w, b)
    for sent, array in ((demo.x, x), (demo.w, w), (demo.b, b)):
        np.testing.assert_array_equal(np.array(sent), array)


def test_grouped_weights_are_kept_with_zeros_between_the_groups():
    demo = VolumeView(X, W, groups=2)
    dense = np.array(demo.w)
    assert dense.shape == (6, 4, 3, 2)
    np.testing.assert_array_equal(dense[:3, :2], W[:3])
    np.testing.assert_array_equal(dense[3:, 2:], W[3:])
    assert not dense[:3, 2:].any()
    assert not dense[3:, :2].any()
    np.testing.assert_array_equal(demo.weight, W)
    before = demo.output
    demo.groups = 1  # the same map, as the added weights are 0
    np.testing.assert_allclose(demo.output, before, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_output_is_that_of_the_op(rank, mode):
    for _ in range(12):
        groups = int(RNG.integers(1, 4))
        depth, filters = int(RNG.integers(1, 3)), groups * int(RNG.integers(1, 3))
        kernel = RNG.integers(1, 4, rank)
        x = RNG.standard_normal((groups * depth, *RNG.integers(5, 8, rank)))
        w, b = RNG.standard_normal((filters, depth, *kernel)), RNG.standard_normal(filters)
        names = ("stride", "padding", "dilation")
        limits = {"stride": (1, 4), "padding": (0, 3), "dilation": (1, 3)}
        options = {name: [int(n) for n in RNG.integers(*limits[name], rank)] for name in names}
        demo = VolumeView(x, w, b, **options, groups=groups, padding_mode=mode)
        y = conv_forward(x[None], w, b, **options, groups=groups, padding_mode=mode)[0]
        np.testing.assert_allclose(demo.output, y, rtol=1e-12, atol=1e-12)
        demo.one_by_one = True
        center = tuple(slice(k // 2, k // 2 + 1) for k in kernel)
        y = conv_forward(x[None], w[(..., *center)].copy(), b, **options, groups=groups, padding_mode=mode)[0]
        np.testing.assert_allclose(demo.output, y, rtol=1e-12, atol=1e-12)


def test_it_begins_in_the_middle_of_the_map():
    assert VolumeView(X, W, groups=2, padding=1).step == np.ravel_multi_index((3, 3), (6, 6))
    assert VolumeView(np.ones((1, 9)), np.ones((1, 1, 2))).step == 4


def test_the_decks_numbers_are_among_the_examples():
    deck = examples()[1]
    shapes = {name: deck[name]["shape"] for name in ("x", "w", "b")}
    assert shapes == {"x": [3, 32, 32], "w": [10, 3, 5, 5], "b": [10]}
    layer = ConvGeometry.of_weight(shapes["w"], padding=deck["padding"])
    assert layer.output_shape(shapes["x"]) == (10, 32, 32)
    assert (layer.parameter_count(), layer.mac_count(shapes["x"])) == (760, 768000)


class OnGpu:
    __cuda_array_interface__: ClassVar = {}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"x": X}, ValueError, "w is missing: pass the filters, or neither x nor w"),
        ({"w": W}, ValueError, "x is missing: pass the input"),
        ({"x": X[0, 0], "w": W}, ValueError, r"x has shape \(5,\): expected 2 or 3 or 4 axes"),
        ({"x": X[None], "w": W}, ValueError, r"x has shape \(1, 4, 6, 5\) and w has shape .*leave out the batch axis"),
        (
            {"x": X, "w": W},
            ValueError,
            r"w has shape \(6, 2, 3, 2\), its filters see 2 channels, and x has 4 in groups=1",
        ),
        ({"x": X, "w": W, "groups": 4}, ValueError, r"out_channels \(=6\) must be divisible by groups \(=4\)"),
        ({"x": X, "w": W, "groups": 3}, ValueError, r"in_channels \(=4\) must be divisible by groups \(=3\)"),
        ({"groups": 2}, ValueError, r"in_channels \(=3\) must be divisible by groups \(=2\)"),
        ({"groups": 0}, ValueError, r"groups \(=0\) must be at least 1"),
        ({"x": X, "w": np.full((6, 4, 3, 2), np.nan)}, ValueError, r"w is nan at index \(0, 0, 0, 0\)"),
        ({"x": X.astype(complex), "w": W}, ValueError, "x has dtype complex128"),
        ({"x": OnGpu(), "w": W}, TypeError, r"x lies on a GPU: pass cnnlab.to_numpy\(x\)"),
        ({"x": X, "w": OnGpu()}, TypeError, r"w lies on a GPU"),
        (
            {"x": X, "w": W, "groups": 2, "b": np.ones(5)},
            ValueError,
            "b has 5 entries: expected 6, one for each filter",
        ),
        ({"x": X, "w": W, "groups": 2, "b": np.ones((6, 1))}, ValueError, r"b has shape \(6, 1\): expected 1 axes"),
        ({"x": X, "w": W, "groups": 2, "stride": (1, 2, 3)}, ValueError, r"stride \(1, 2, 3\) has 3 entries for 2"),
        ({"x": X, "w": W, "groups": 2, "dilation": 4}, ValueError, "kernel 3 with dilation 4 covers 9"),
        ({"padding": 9, "padding_mode": "circular"}, ValueError, "padding 9 with padding_mode"),
        (
            {"x": np.zeros((1, 100, 100)), "w": np.ones((100, 1, 9, 9))},
            ValueError,
            "the layer has 68558400 multiply-adds: at most 5000000",
        ),
        ({"padding_mode": "mirror"}, TraitError, "mirror"),
        (
            {"x": np.zeros((1, 200, 200)), "w": np.ones((1, 1, 3, 3))},
            ValueError,
            r"x has shape \(1, 200, 200\), 40000 numbers",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(arguments, error, words):
    with pytest.raises(error, match=words):
        VolumeView(**arguments)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("x", [[[1.0, np.inf]]], "x is inf"),
        ("w", [1.0], "w has shape"),
        ("b", [np.nan] * 6, "b is nan"),
        ("stride", [1], "stride .* has 1 entries for 2"),
        ("padding", [-1, 0], r"padding \(=-1\)"),
        ("groups", 2, r"in_channels \(=3\) must be divisible by groups \(=2\)"),
    ],
)
def test_traits_are_checked_when_python_assigns(name, value, words):
    with pytest.raises(ValueError, match=words):
        setattr(VolumeView(), name, value)


def test_html_needs_nothing_from_anywhere_and_holds_the_state(tmp_path):
    demo = VolumeView(X, W, groups=2)
    demo.filter, demo.step = 4, 3
    html = demo.save(tmp_path / "demo.html").read_text(encoding="utf-8")
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == {name: getattr(demo, name) for name in demo.traits(demo=True)}
    assert (state["filter"], state["step"], state["b"]) == (4, 3, None)
