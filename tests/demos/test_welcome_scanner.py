"""The welcome scanner's Python side: what is sent, what is refused, what is saved."""

import base64
import json
import re

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab.demos import WelcomeScanner

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 50))
LAYERS = [(RNG.standard_normal((3, 40)), RNG.standard_normal(3)), (RNG.standard_normal((1, 3)), np.array([0.5]))]


def unpacked(packed):
    kinds = {"float32": "<f4", "int16": "<i2"}
    return np.frombuffer(base64.b64decode(packed["base64"]), kinds[packed["dtype"]]).reshape(packed["shape"])


def test_weights_arrive_as_the_same_float32_numbers():
    demo = WelcomeScanner(X, LAYERS, width=10)
    np.testing.assert_array_equal(unpacked(demo.data["x"]), X.astype(np.float32))
    (net,) = demo.data["nets"]
    assert net["width"] == 10
    for sent, (W, b) in zip(net["layers"], LAYERS, strict=True):
        np.testing.assert_array_equal(unpacked(sent["weight"]), W.astype(np.float32))
        np.testing.assert_array_equal(unpacked(sent["bias"]), b.astype(np.float32))


def test_a_transposed_view_is_sent_in_c_order():
    demo = WelcomeScanner(np.asfortranarray(X), LAYERS, width=10)
    np.testing.assert_array_equal(unpacked(demo.data["x"]), X.astype(np.float32))


def test_sound_is_sent_as_16_bits_and_a_loud_one_is_turned_down():
    wave = np.linspace(-1, 1, 8000).astype(np.float32)
    for gain, kept in ((1.0, 1.0), (0.5, 0.5), (4.0, 1.0)):
        sent = unpacked(WelcomeScanner(X, LAYERS, width=10, wave=wave * gain).data["wave"])
        np.testing.assert_allclose(sent / 32767, wave * kept, atol=2e-5)


def test_nets_of_several_widths_are_sent_in_order_of_width():
    nets = {w: [(np.ones((1, 4 * w)), np.zeros(1))] for w in (20, 5, 10)}
    demo = WelcomeScanner(X, nets, width=10)
    assert [net["width"] for net in demo.data["nets"]] == [5, 10, 20]
    demo.width = 20
    with pytest.raises(ValueError, match=r"width=7 has no net: this demo holds nets for \[5, 10, 20\]"):
        demo.width = 7


def test_inputs_are_left_unchanged():
    x, wave = X.copy(), np.zeros(8000, np.float32)
    x.setflags(write=False)
    wave.setflags(write=False)
    WelcomeScanner(x, LAYERS, width=10, wave=wave)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": X[0]}, r"x has shape \(50,\): expected 2 axes"),
        ({"x": X[:, :0]}, "none of them empty"),
        ({"x": np.where(np.equal(X, X[1, 2]), np.nan, X)}, r"x is nan at index \(1, 2\)"),
        ({"x": X.astype(complex)}, "complex128"),
        ({"layers": []}, "layers is empty"),
        ({"width": 11}, "takes 40 numbers but a window holds 4 × 11 = 44"),
        ({"width": 51}, "does not fit a recording of 50 frames"),
        ({"layers": [LAYERS[0]]}, "the last layer of layers has 3 outputs"),
        (
            {"layers": [LAYERS[0], (np.ones((1, 4)), np.zeros(1))]},
            r"layers\[1\] takes 4 numbers but layers\[0\] gives 3",
        ),
        ({"layers": [(LAYERS[0][0], np.zeros(2)), LAYERS[1]]}, r"b of layers\[0\] has shape \(2,\)"),
        ({"layers": [(LAYERS[0][0],)]}, r"layers\[0\] has 1 parts"),
        (
            {"layers": [LAYERS[0], (np.array([[1, np.inf, 0]]), np.zeros(1))]},
            r"W of layers\[1\] is inf at index \(0, 1\)",
        ),
        ({"layers": {8: LAYERS}}, r"width=10 has no net: layers holds widths \[8\]"),
        ({"hop": 0}, "hop=0"),
        ({"hop": 1.5}, r"hop=1\.5"),
        ({"threshold": float("nan")}, "threshold=nan"),
        ({"frame_seconds": 0}, "frame_seconds=0"),
        ({"wave": np.zeros(8000, np.int16)}, "dtype int16"),
        ({"wave": np.zeros(4000, np.float32)}, r"wave lasts 0\.50 s but x lasts 1\.00 s"),
        ({"wave": np.zeros(8000, np.float32), "sample_rate": 0}, "sample_rate=0"),
        ({"truth": (20, 40)}, r"truth=\(20, 40\) is no stretch of a recording of 1 s"),
        ({"truth": (0.5, 0.5)}, "is no stretch"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(changes, words):
    arguments = {"x": X, "layers": LAYERS, "width": 10, **changes}
    with pytest.raises(ValueError, match=words):
        WelcomeScanner(arguments.pop("x"), arguments.pop("layers"), **arguments)


def test_a_hop_below_one_is_refused_later_too():
    demo = WelcomeScanner(X, LAYERS, width=10)
    with pytest.raises(TraitError, match="hop"):
        demo.hop = 0


def test_html_needs_nothing_from_anywhere():
    html = WelcomeScanner(X, LAYERS, width=10, wave=np.zeros(8000, np.float32)).to_html()
    assert "://" not in html
    assert re.findall(r"\burl\(.", html) == ["url(#"]  # the hatching, inside the same picture
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    assert "default-src 'none'" in html


def test_html_holds_the_state_as_it_stands(tmp_path):
    demo = WelcomeScanner(X, LAYERS, width=10)
    demo.threshold, demo.hop, demo.position = 1.25, 3, 6
    path = demo.save(tmp_path / "demo.html")
    html = path.read_text(encoding="utf-8")
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == {"threshold": 1.25, "hop": 3, "position": 6, "width": 10, "data": demo.data}


def test_display_offers_the_widget_and_the_page():
    data, _ = WelcomeScanner(X, LAYERS, width=10)._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(data)
    assert data["text/html"].startswith("<style>")
