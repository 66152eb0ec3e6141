"""The giant matrix's Python side: what is computed, sent and refused."""

import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import nn, ops
from cnnlab.demos import GiantMatrix

RNG = np.random.default_rng(0)
# w's shape, n, stride, padding
CASES = [
    ((3,), 12, 1, 0),
    ((4,), 9, 3, 2),
    ((1,), 5, 2, 0),
    ((2, 3, 3), 8, 2, 1),
    ((2, 1, 2), 7, 1, 0),
    ((2, 3), (4, 5), (2, 1), (0, 1)),
    ((2, 2, 2, 3), (5, 6), (1, 2), 0),
    ((1, 2, 3, 1), (4, 5), (3, 2), (2, 0)),
]


def layer_of(w, stride, padding):
    """Return the layer of cnnlab.nn with these weights."""
    full = w if w.ndim > 2 else w[None, None]
    kind = nn.Conv1d if full.ndim == 3 else nn.Conv2d
    layer = kind(full.shape[1], full.shape[0], full.shape[2:], stride, padding, bias=False, dtype=np.float64)
    layer.weight.data = full
    return layer


@pytest.mark.parametrize("case", CASES)
def test_matrix_ties_and_counts_are_those_of_dense_matrix(case):
    shape, n, stride, padding = case
    w = RNG.standard_normal(shape)
    demo = GiantMatrix(w, n, stride=stride, padding=padding)
    layer = layer_of(w, stride, padding)
    inputs = (layer.weight.data.shape[1], *([n] if isinstance(n, int) else n))
    dense = nn.dense_matrix(layer, inputs)
    np.testing.assert_array_equal(demo.ties, dense.ties)
    np.testing.assert_array_equal(demo.matrix, dense.matrix)
    counts = {"full": dense.entry_count, "sparse": dense.connection_count, "shared": w.size}
    assert demo.parameter_counts == counts
    demo.bias = True
    rows, filters = dense.ties.shape[0], inputs and layer.weight.data.shape[0]
    assert demo.parameter_counts == {
        name: count + (filters if name == "shared" else rows) for name, count in counts.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_output_is_the_convolution(case):
    shape, n, stride, padding = case
    w = RNG.standard_normal(shape)
    full = w if w.ndim > 2 else w[None, None]
    x = RNG.standard_normal((full.shape[1], *([n] if isinstance(n, int) else n)))
    got = GiantMatrix(w, n, stride=stride, padding=padding, x=x).output
    expected = ops.conv_forward(x[None], full, stride=stride, padding=padding)[0]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_arrays_are_sent_unchanged_and_inputs_left_alone():
    w, x = RNG.standard_normal((2, 3, 2)), np.asfortranarray(RNG.standard_normal((3, 6)))
    for array in (w, x):
        array.setflags(write=False)
    demo = GiantMatrix(w, 6, x=x)
    np.testing.assert_array_equal(demo.w, w)
    np.testing.assert_array_equal(demo.x, x)
    assert (demo.data["rank"], demo.data["bare"]) == (1, False)
    assert GiantMatrix([1, 2], 3, x=[1, 2, 3]).x == [[1, 2, 3]]
    assert GiantMatrix(np.ones((2, 2), np.int8)).n == [5, 6]


@pytest.mark.parametrize(("view", "morph"), [("full", 0), ("sparse", 1), ("shared", 2)])
def test_views_are_places_of_the_morph(view, morph):
    demo = GiantMatrix(view=view)
    assert (demo.morph, demo.view) == (morph, view)
    demo.morph = min(morph + 0.4, 2)
    assert demo.view == view
    demo.view = "sparse"
    assert demo.morph == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"w": np.ones((1, 1, 1, 1, 1))}, "expected 1 or 2 or 3 or 4 axes"),
        ({"w": [1, np.nan]}, r"w is nan at index \(1,\)"),
        ({"w": [1j]}, "complex128"),
        ({"w": []}, "none of them empty"),
        ({"w": np.ones(7), "n": 5}, "kernel 7 is larger than the padded input 5: add padding"),
        ({"n": 81}, "matrix of 79 × 81: at most 60 × 80"),
        ({"n": 63}, "matrix of 61 × 63: at most 60 × 80"),
        ({"w": np.ones((9, 1, 3)), "n": 9}, r"w of shape \(9, 1, 3\) over n = 9 gives a matrix of 63 × 9"),
        ({"w": np.ones((2, 2)), "n": (9, 9)}, "over n = 9 × 9 gives a matrix of 64 × 81"),
        ({"n": (3, 4)}, r"n \(3, 4\) has 2 entries for 1 spatial axes"),
        ({"n": 0}, r"n \(=0\) must be at least 1"),
        ({"stride": 0}, r"stride \(=0\) must be at least 1"),
        ({"padding": -1}, r"padding \(=-1\) must be at least 0"),
        ({"view": "half"}, "view 'half' is unknown: choose one of full, sparse, shared"),
        ({"x": np.ones(11)}, r"x has shape \(11,\): w and n ask for 1 × 12"),
        ({"x": np.ones((2, 12))}, r"x has shape \(2, 12\): w and n ask for 1 × 12"),
        ({"x": np.full(12, np.inf)}, r"x is inf at index \(0,\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(arguments, words):
    with pytest.raises(ValueError, match=words):
        GiantMatrix(**arguments)


def test_kinds_that_are_not_known_are_refused():
    with pytest.raises(TypeError, match="stride must be a whole number"):
        GiantMatrix(stride=1.5)
    with pytest.raises(TraitError, match="cells"):
        GiantMatrix(cells="colors")

    class OnGpu:
        __cuda_array_interface__: ClassVar = {}

    for name in ("w", "x"):
        with pytest.raises(TypeError, match=rf"{name} lies on a GPU: pass cnnlab.to_numpy\({name}\)"):
            GiantMatrix(**{name: OnGpu()})


def test_assignments_are_checked():
    demo = GiantMatrix()
    for name, value, words in (
        ("n", [90], "at most 60 × 80"),
        ("n", [2], "kernel 3 is larger"),
        ("padding", [-1], "at least 0"),
        ("w", [[1, 2]], "w has shape"),
        ("picked", [10, 0], r"picked=\[10, 0\]: expected \[row, column\] within 10 × 12"),
        ("x", [[1.0, 2.0]], r"x has shape \(1, 2\)"),
    ):
        with pytest.raises(ValueError, match=words):
            setattr(demo, name, value)
    with pytest.raises(TraitError, match="morph"):
        demo.morph = 2.5
    demo.x = np.arange(12.0).tolist()
    with pytest.raises(ValueError, match=r"x has shape \(1, 12\) and would not fit n = \[9\]"):
        demo.n = [9]
    with demo.hold_trait_notifications():
        demo.n = [9]
        demo.x = []
    demo.picked = [6, 8]
    assert (demo.n, demo.x, demo.picked, demo.matrix.shape) == ([9], [], [6, 8], (7, 9))
    with pytest.raises(ValueError, match="x was not given"):
        _ = demo.output


def test_html_needs_nothing_from_anywhere():
    html = GiantMatrix().to_html()
    assert "://" not in html
    assert not re.search(r"\burl\(.|\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert (state["w"], state["n"], state["morph"]) == ([[[-1, 2, 0.5]]], [12], 2)
