"""The distributed scan, Python side: what is sent, what is refused, its net as convolutions and as an MLP."""

import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import nn
from cnnlab.demos import DistributedScan

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 19))
# one window of 8 inputs of 2 channels: blocks of 4 at hop 2, then all three
LAYERS = [(RNG.standard_normal((o, c * k)), RNG.standard_normal(o)) for o, c, k in ((3, 2, 4), (2, 3, 3), (1, 2, 1))]
OWN = {"x": X, "layers": LAYERS, "window": 8, "widths": (4, 2), "hops": (2, 1)}

CASES = [
    {},
    {"levels": 1},
    {"levels": 3},
    {"window": (5, 7)},
    {"window": (5, 7), "levels": 3, "features": (2, 3, 2)},
    {"window": (6, 3), "widths": ((2, 3), (3, 1)), "hops": ((2, 1), (1, 1)), "levels": 3},
    {"window": 16, "widths": (4, 3), "hops": (3, 2), "levels": 3},
    OWN,
]


@pytest.mark.parametrize("options", CASES)
def test_stack_and_its_expansion_give_the_scores(options):
    demo = DistributedScan(**options)
    x = np.array(demo.data["x"])[None]
    scan = nn.expand(demo.stack)
    np.testing.assert_allclose(demo.output, demo.stack(x)[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(demo.output, scan(x)[0], rtol=0, atol=1e-12)
    assert scan.kernel_size == tuple(demo.window)
    assert scan.stride == tuple(np.prod(demo.hops, axis=0))


@pytest.mark.parametrize("options", CASES)
def test_blocks_lead_from_the_expanded_mlp_back_to_the_stack(options):
    demo = DistributedScan(**options)
    back = nn.to_convolutions(nn.expand(demo.stack), demo.blocks)
    assert repr(back) == repr(demo.stack)
    for ours, theirs in zip(back.parameters(), demo.stack.parameters(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)


@pytest.mark.parametrize("options", CASES)
def test_parameters_are_those_of_the_three_nets(options):
    demo = DistributedScan(**options)
    free, tied = nn.expand(demo.stack), nn.expand(demo.stack, tied=True)
    size = {name: sum(p.data.size for p in net.parameters()) for name, net in (("dense", free), ("tied", tied))}
    untied = sum(np.count_nonzero(W) + len(b) for W, b in nn.layers_of(free.module))  # no weight here is 0
    assert demo.parameters == {**size, "untied": untied}


def test_all_levels_scan_with_the_same_window_and_hop():
    for levels in (1, 2, 3):
        demo = DistributedScan(levels=levels)
        assert demo.output.shape == (1, 5)
        assert np.prod([s for _, s in demo.blocks]) == 3


def test_inputs_arrive_to_the_last_bit_and_stay_unchanged():
    x, layers = X.copy(), [(W.copy(), b.copy()) for W, b in LAYERS]
    for array in (x, *(a for layer in layers for a in layer)):
        array.setflags(write=False)
    demo = DistributedScan(**{**OWN, "x": np.asfortranarray(x), "layers": layers})
    np.testing.assert_array_equal(np.array(demo.data["x"]), X)
    for sent, (W, b) in zip(demo.data["layers"], LAYERS, strict=True):
        np.testing.assert_array_equal(np.array(sent[0]), W)
        np.testing.assert_array_equal(np.array(sent[1]), b)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"levels": 0}, "levels=0: choose 1, 2 or 3"),
        ({"levels": 4}, "levels=4: choose 1, 2 or 3"),
        ({"window": 25}, r"window=\[25\] is larger than the input's \[24\]"),
        ({"window": 17, "widths": (5, 2)}, r"window=\[17\]: at most 16"),
        ({"window": 0}, r"window \(=0\) must be at least 1"),
        ({"widths": 4}, "widths=4: give two"),
        ({"widths": (5, 2)}, r"level 1: blocks of \[5\] at hop \[3\] cover \[11\] of \[12\]"),
        ({"widths": (13, 2)}, r"level 1: blocks of \[13\]"),
        (
            {"widths": (6, 2), "hops": (3, 2), "levels": 3},
            r"level 2: blocks of \[2\] at hop \[2\] cover \[2\] of \[3\]",
        ),
        ({"hops": (3, 0)}, r"hops\[1\] \(=0\) must be at least 1"),
        (
            {"window": (5, 7), "widths": (2, 2)},
            r"level 1: blocks of \[2, 2\] at hop \[2, 2\] cover \[4, 6\] of \[5, 7\]",
        ),
        ({"features": (3, 2)}, r"features=\[3, 2\]: give 3 layers"),
        ({"features": (7, 2, 1)}, r"features=\[7, 2, 1\]: give 3 layers of at most 6"),
        ({"x": np.ones((2, 2, 3, 3))}, "expected 1 or 2 or 3 axes"),
        ({"x": np.full(20, np.nan)}, r"x is nan at index \(0,\)"),
        ({"x": np.ones(5)}, r"window=\[12\] is larger than the input's \[5\]"),
        ({**OWN, "features": (3, 2, 1)}, "layers fix features"),
        ({**OWN, "levels": 3}, r"layers\[1\] takes 9 numbers, but a window of 2 places of 3 neurons"),
        ({**OWN, "layers": LAYERS[:2]}, r"features=\[3, 2\]: give 3 layers"),
        (
            {"x": np.ones((32, 60)), "window": 16, "widths": (2, 2), "hops": (1, 1), "features": (6, 6, 6)},
            r"the matrices have 46,758 entries, at most 20,000",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(options, words):
    with pytest.raises((ValueError, TraitError), match=words):
        DistributedScan(**options)


def test_an_array_on_a_gpu_is_refused_with_the_way_to_bring_it():
    class OnGpu:
        __cuda_array_interface__: ClassVar = {}
        ndim = 2

    with pytest.raises(TypeError, match=r"x lies on a GPU: pass cnnlab.to_numpy\(x\)"):
        DistributedScan(OnGpu())


def test_what_python_assigns_is_checked():
    demo = DistributedScan()
    demo.levels, demo.features, demo.order = 3, [4, 3, 2], "unit"
    assert demo.output.shape == (2, 5)
    for name, value in [("levels", 4), ("window", [40]), ("widths", [[1]]), ("features", [1]), ("order", "row")]:
        with pytest.raises((ValueError, TraitError)):
            setattr(demo, name, value)
    own = DistributedScan(**OWN)
    for name, value in [("levels", 1), ("window", [9]), ("hops", [[1], [1]]), ("features", [3, 3, 1])]:
        with pytest.raises(ValueError, match=f"{name}=.*the net given as layers was made for"):
            setattr(own, name, value)


def test_html_needs_nothing_from_anywhere_and_holds_the_state():
    demo = DistributedScan(levels=3)
    demo.position = 2
    html = demo.to_html()
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket|\burl\(", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    names = ("levels", "window", "widths", "hops", "features", "position", "order", "data")
    assert state == {name: getattr(demo, name) for name in names}
