"""The autopsy's Python side: what is sent, what is refused, and what is wrong by NumPy."""

import base64
import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab.checks.compare import differs, tolerance
from cnnlab.demos import Autopsy

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((2, 3, 5, 6)), RNG.standard_normal((4, 3, 3, 2)), RNG.standard_normal(4)
Y = RNG.standard_normal((2, 4, 3, 5))


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["base64"]), "<f8").reshape(packed["shape"])


def test_arrays_are_sent_unchanged_and_not_touched():
    arrays = [a.copy() for a in (Y, Y + 1, X, W, B)]
    for array in arrays:
        array.setflags(write=False)
    expected, got, x, w, b = arrays
    data = Autopsy(expected, got, x=x, w=w, b=b).data
    np.testing.assert_array_equal(unpacked(data["expected"]), Y)
    np.testing.assert_array_equal(unpacked(data["got"]), Y + 1)
    np.testing.assert_array_equal(unpacked(data["convolution"]["x"]), X)
    np.testing.assert_array_equal(unpacked(data["convolution"]["w"]), W)
    assert data["convolution"]["b"] == B.tolist()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_counts_as_wrong_is_what_the_checks_say(dtype):
    expected = (RNG.standard_normal((3, 4, 5)) * 7).astype(dtype)
    got = expected + (RNG.random(expected.shape) < 0.4) * RNG.choice([1e-12, 1e-7, 1e-3, 1.0], expected.shape)
    got[1, 2, 3] = np.nan
    demo = Autopsy(expected, got)
    assert demo.data["tolerance"] == tolerance(expected)
    np.testing.assert_array_equal(demo.wrong, differs(expected, got))
    assert demo.first_wrong == tuple(np.argwhere(differs(expected, got))[0])


def test_a_right_answer_has_no_wrong_cell():
    demo = Autopsy(Y, Y + 1e-13)
    assert not demo.wrong.any()
    assert demo.first_wrong is None


@pytest.mark.parametrize(
    ("got", "words", "has_numbers"),
    [
        (None, "The answer is None. Does the function end with a return line?", False),
        (object(), "an object of type object", False),
        ("twelve", "an object of type str", False),
        ([[1.0, 2.0], [3.0]], "parts have different lengths", False),
        ([[1.0, 2.0], [3.0, 4.0]], "The answer is a list, not a NumPy array", True),
        (3, "The answer is one number, not an array.", True),
        (np.float64(3), "The answer is one number, not an array.", True),
        (np.ones((2, 2), complex), "complex numbers (dtype complex128)", False),
        (np.array([[None]]), "no real numbers (dtype object)", False),
        (np.array([["a", "b"]]), "no real numbers (dtype <U1)", False),
        (np.ones((2, 2), bool), "", True),
        (np.zeros((0, 2)), "", True),
    ],
)
def test_whatever_came_back_is_described(got, words, has_numbers):
    data = Autopsy(np.eye(2), got).data
    assert words in data["words"]
    assert (data["got"] is not None) == has_numbers
    json.dumps(data, allow_nan=False)


def test_shapes_are_brought_together_and_it_is_said_how():
    assert Autopsy(np.ones((2, 3)), np.ones((2, 3))).data["how"] == ""
    squeezed = Autopsy(np.ones((1, 2, 3)), np.ones((2, 3, 1))).data
    assert squeezed["got"]["shape"] == [1, 2, 3]
    assert "Apart from axes of length 1" in squeezed["how"]
    cut = Autopsy(np.ones((4, 3)), np.ones((2, 5))).data
    assert "Compared are the 6 cells that both have" in cut["how"]
    front = Autopsy(np.ones((2, 4, 3)), np.ones((2, 5))).data
    assert front["got"]["shape"] == [1, 2, 5]
    assert "given axes in front" in front["how"]
    assert "the 6 cells" in front["how"]


def test_a_large_array_is_cut_around_the_first_wrong_number():
    expected = RNG.standard_normal((3, 40, 300, 500)).astype(np.float32)
    got = expected.copy()
    got[2, 17, 33:40, 444] += 1
    demo = Autopsy(expected, got)
    block = demo.data["block"]
    assert block["whole"] == [3, 40, 300, 500]
    assert (block["cells"], block["wrong"]) == (expected.size, 7)
    shown = unpacked(demo.data["expected"])
    assert shown.size <= 20_000
    inside = tuple(slice(start, start + n) for start, n in zip(block["start"], shown.shape, strict=True))
    np.testing.assert_array_equal(shown, expected[inside].astype(float))
    np.testing.assert_array_equal(unpacked(demo.data["got"]), got[inside].astype(float))
    assert all(s <= i < s + n for s, i, n in zip(block["start"], (2, 17, 33, 444), shown.shape, strict=True))


def test_nothing_is_sent_that_was_not_given():
    data = Autopsy(Y, Y + 1).data
    assert data["convolution"] is None
    assert (data["suspects"], data["hints"], data["mistake"], data["title"]) == ([], [], None, None)


class OnGpu:
    __cuda_array_interface__: ClassVar = {}


@pytest.mark.parametrize(
    ("expected", "changes", "words"),
    [
        (OnGpu(), {}, r"expected lies on a GPU: pass cnnlab.to_numpy\(expected\)"),
        (Y, {"got": OnGpu()}, "got lies on a GPU"),
        (np.ones(3, complex), {}, "expected has dtype complex128"),
        (np.ones((2, 0)), {}, r"expected has shape \(2, 0\): there is no number"),
        (Y, {"tolerance": -1.0}, r"tolerance=-1\.0"),
        (Y, {"tolerance": float("nan")}, "tolerance=nan"),
        (Y, {"hints": "look"}, "hints='look' is one text"),
        (Y, {"x": X}, "w is missing"),
        (Y, {"w": W}, "x is missing"),
        (Y, {"b": B}, "x is missing"),
        (Y, {"x": X[0, 0], "w": W}, r"x has shape \(5, 6\) and w \(4, 3, 3, 2\)"),
        (Y, {"x": X, "w": W[0, 0]}, "without channels they have as many axes"),
        (Y, {"x": X, "w": W[:, :2]}, r"w has shape \(4, 2, 3, 2\): x and groups=1 need \(4, 3, 3, 2\)"),
        (Y, {"x": X, "w": W, "stride": 2}, r"give an output of shape \(2, 4, 2, 3\), but expected has \(2, 4, 3, 5\)"),
        (Y, {"x": X, "w": W, "b": B[:2]}, r"b has shape \(2,\): expected one number for each of the 4 filters"),
        (Y, {"x": X * np.nan, "w": W}, r"x is nan at index \(0, 0, 0, 0\)"),
        (Y, {"suspects": [{"name": "a"}]}, r"suspects\[0\] is"),
        (Y, {"suspects": [{"name": "a", "output": None}]}, r"the output of suspects\[0\] \('a'\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(expected, changes, words):
    with pytest.raises((TypeError, ValueError), match=words):
        Autopsy(expected, changes.pop("got", Y), **changes)


def test_state_is_checked_when_python_assigns():
    demo = Autopsy(Y, Y + 1)
    demo.cell, demo.tap, demo.hints_shown = [1, 3, 2, 4], 3, 1
    with pytest.raises(TraitError, match=r"cell=\[1, 3, 2, 5\] is no index into an array of shape \(2, 4, 3, 5\)"):
        demo.cell = [1, 3, 2, 5]
    with pytest.raises(TraitError, match="tap=-1"):
        demo.tap = -1
    with pytest.raises(TraitError):
        demo.hints_shown = -1


def test_html_needs_nothing_from_anywhere_and_texts_cannot_break_out():
    nasty = '</script><img src=x onerror="alert(1)">'
    html = Autopsy(
        Y, Y + 1, title=nasty, mistake=nasty, hints=[nasty], suspects=[{"name": nasty, "output": Y}]
    ).to_html()
    assert "://" not in html
    assert "<img" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
