"""The flower scanner's Python side: what is sent, what is refused, what NumPy computes."""

import base64
import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import nn
from cnnlab.demos import FlowerScanner

RNG = np.random.default_rng(0)
X = RNG.random((3, 12, 17))
LAYERS = [(RNG.standard_normal((5, 3 * 4 * 6)), RNG.standard_normal(5)), (RNG.standard_normal((1, 5)), np.array([0.5]))]
SPRITE = RNG.random((4, 5, 3))


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["base64"]), "<f4").reshape(packed["shape"])


def scan(x, layers, size, stride):
    """The definition, window by window."""
    (KH, KW), (SH, SW) = size, stride
    rows = range(0, x.shape[1] - KH + 1, SH)
    scores = []
    for i in rows:
        for j in range(0, x.shape[2] - KW + 1, SW):
            v = x[:, i : i + KH, j : j + KW].reshape(-1)
            for k, (W, b) in enumerate(layers):
                v = W.astype(np.float32).astype(float) @ (np.maximum(v, 0) if k else v) + b.astype(np.float32)
            scores.append(v[0])
    return np.array(scores).reshape(len(rows), -1)


def test_picture_net_and_sprite_arrive_as_the_same_float32_numbers():
    demo = FlowerScanner(np.asfortranarray(X), LAYERS, size=(4, 6), flower=SPRITE, truth=(3.5, 2))
    np.testing.assert_array_equal(unpacked(demo.data["image"]), X.astype(np.float32))
    np.testing.assert_array_equal(unpacked(demo.data["sprite"]["patch"]), SPRITE[:3].astype(np.float32))
    np.testing.assert_array_equal(unpacked(demo.data["sprite"]["mask"]), SPRITE[3].astype(np.float32))
    for sent, (W, b) in zip(demo.data["layers"], LAYERS, strict=True):
        np.testing.assert_array_equal(unpacked(sent["weight"]), W.astype(np.float32))
        np.testing.assert_array_equal(unpacked(sent["bias"]), b.astype(np.float32))
    assert (demo.data["size"], demo.data["truth"]) == ([4, 6], [3.5, 2.0])


@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (3, 5), (8, 11), (20, 20)])
def test_scores_are_those_of_the_definition(stride):
    demo = FlowerScanner(X, LAYERS, size=(4, 6), stride=stride)
    expected = scan(X.astype(np.float32).astype(float), LAYERS, (4, 6), stride)
    np.testing.assert_allclose(demo.scores, expected, rtol=1e-12, atol=1e-12)
    best = np.unravel_index(expected.argmax(), expected.shape)
    assert demo.window == [best[0] * stride[0], best[1] * stride[1]]


def test_scores_follow_the_flower_and_the_shift():
    demo = FlowerScanner(X, LAYERS, size=(4, 6), flower=(SPRITE[:3], SPRITE[3]), flower_at=(7, 14))
    picture = X.astype(np.float32).astype(float)
    patch, mask = SPRITE[:3].astype(np.float32).astype(float), SPRITE[3].astype(np.float32).astype(float)
    picture[:, 7:12, 14:17] = picture[:, 7:12, 14:17] * (1 - mask) + patch * mask
    np.testing.assert_allclose(demo.picture, picture, rtol=1e-14)
    np.testing.assert_allclose(demo.scores, scan(picture, LAYERS, (4, 6), (1, 1)), rtol=1e-12, atol=1e-12)
    plain = FlowerScanner(X, LAYERS, size=(4, 6))
    plain.shift = [-2, 19]
    assert plain.shift == [10, 2]
    np.testing.assert_array_equal(plain.picture, np.roll(X.astype(np.float32), (-2, 2), (1, 2)))


def test_a_grey_picture_and_a_net_are_taken_too():
    net = nn.mlp([24, 3, 1], rng=np.random.default_rng(1))
    demo = FlowerScanner(X[0], net, size=(4, 6))
    assert demo.data["image"]["shape"] == [1, 12, 17]
    np.testing.assert_allclose(
        demo.scores, scan(X[:1].astype(np.float32).astype(float), nn.layers_of(net), (4, 6), (1, 1)), rtol=1e-9
    )


def test_inputs_are_left_unchanged():
    arrays = [X.copy(), SPRITE.copy(), *(part.copy() for layer in LAYERS for part in layer)]
    for array in arrays:
        array.setflags(write=False)
    x, sprite, W, b, V, c = arrays
    demo = FlowerScanner(x, [(W, b), (V, c)], size=(4, 6), flower=sprite)
    demo.flower_at = [0, 0]
    assert demo.scores.shape == (9, 12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": X[None]}, r"image has shape \(1, 3, 12, 17\): expected 2 or 3 axes"),
        ({"image": X.transpose(1, 2, 0)}, r"image has shape \(12, 17, 3\): transpose it to \(3, H, W\)"),
        ({"image": X[:2]}, r"image has shape \(2, 12, 17\): expected"),
        ({"image": X * 255}, r"image runs from .* to 254\.\d+: expected values in 0 … 1, divide it by 255"),
        ({"image": X - 1}, "scale it"),
        ({"image": np.where(np.equal(X, X[1, 2, 3]), np.nan, X)}, r"image is nan at index \(1, 2, 3\)"),
        ({"size": (4, 7)}, "takes 72 numbers but a window holds 3 × 4 × 7 = 84"),
        ({"size": (13, 6)}, "size=13 × 6 does not fit a picture of 12 × 17 pixels"),
        ({"size": 0}, "size"),
        ({"stride": (1, 0)}, "stride"),
        ({"stride": (1, 1, 1)}, "stride"),
        ({"threshold": float("inf")}, "threshold=inf"),
        ({"layers": []}, "layers is empty"),
        ({"layers": LAYERS[:1]}, "the last layer of layers has 5 outputs"),
        (
            {"layers": [LAYERS[0], (np.ones((1, 4)), np.zeros(1))]},
            r"layers\[1\] takes 4 numbers but layers\[0\] gives 5",
        ),
        ({"layers": [(LAYERS[0][0], np.zeros(2)), LAYERS[1]]}, r"b of layers\[0\] has shape \(2,\)"),
        ({"layers": [LAYERS[0][:1]]}, r"layers\[0\] has 1 parts"),
        ({"flower": SPRITE[:3]}, r"flower has shape \(3, 5, 3\): expected \(4, h, w\)"),
        ({"flower": SPRITE * 2}, "expected values in 0 … 1"),
        ({"flower": (SPRITE[:3], SPRITE[3] * 2)}, "mask runs from"),
        ({"flower": (SPRITE[:3], SPRITE[3, :2])}, r"its mask \(2, 3\)"),
        ({"flower": RNG.random((4, 13, 3))}, "flower has 13 × 3 pixels"),
        ({"flower_at": (1, 1)}, r"flower_at=\(1, 1\) without a flower"),
        ({"flower": SPRITE, "flower_at": (8, 0)}, r"flower_at=\[8, 0\] leaves the picture: rows may be 0 to 7"),
        ({"flower": SPRITE, "flower_at": (0.5, 0)}, "expected two whole numbers"),
        ({"truth": (12, 0)}, r"truth=\[12\.0, 0\.0\]"),
        ({"truth": (1, 2, 3)}, "expected the row and the column"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(changes, words):
    arguments = {"image": X, "layers": LAYERS, "size": (4, 6), **changes}
    with pytest.raises(ValueError, match=words):
        FlowerScanner(arguments.pop("image"), arguments.pop("layers"), **arguments)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("window", [9, 0], "window=.* leaves the picture: rows may be 0 to 8, columns 0 to 11"),
        ("window", [0, 0, 0], "two whole numbers"),
        ("shift", [0.5, 0], "two whole numbers"),
        ("flower_at", [1, 0], "without a flower"),
        ("stride", [0, 1], "stride"),
        ("map_of", 5, "map_of=5: expected -1 .* 0 to 4"),
        ("threshold", float("nan"), "threshold=nan"),
    ],
)
def test_what_python_assigns_later_is_checked_too(name, value, words):
    demo = FlowerScanner(X, LAYERS, size=(4, 6))
    before = getattr(demo, name)
    with pytest.raises((ValueError, TraitError), match=words):
        setattr(demo, name, value)
    assert getattr(demo, name) == before


def test_a_picture_with_a_flower_is_not_shifted():
    demo = FlowerScanner(X, LAYERS, size=(4, 6), flower=SPRITE)
    with pytest.raises(ValueError, match="set flower_at instead"):
        demo.shift = [1, 0]


def test_arrays_on_a_gpu_and_layers_that_are_no_list_are_refused():
    class OnGpu:
        __cuda_array_interface__: ClassVar = {}

    with pytest.raises(TypeError, match=r"image lies on a GPU: pass cnnlab.to_numpy\(image\)"):
        FlowerScanner(OnGpu(), LAYERS, size=(4, 6))
    with pytest.raises(TypeError, match="layers is a dict: pass"):
        FlowerScanner(X, {4: LAYERS}, size=(4, 6))


def test_html_needs_nothing_from_anywhere_and_holds_the_state():
    demo = FlowerScanner(X, LAYERS, size=(4, 6), flower=SPRITE)
    demo.flower_at, demo.stride, demo.window, demo.scanned, demo.map_of = [3, 4], [2, 1], [2, 5], 7, 3
    html = demo.to_html()
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == {
        **{"data": demo.data, "flower_at": [3, 4], "stride": [2, 1], "window": [2, 5], "scanned": 7, "map_of": 3},
        **{"threshold": 0.0, "shift": [0, 0]},
    }
