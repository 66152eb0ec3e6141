"""The receptive field explorer's Python side: what a stack may be, what is refused, what it computes."""

import json
import re

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import nn
from cnnlab.demos import ReceptiveField
from cnnlab.geometry import ConvGeometry, PoolGeometry, receptive_field


def paths_by_edges(stack, size, unit):
    """Count paths edge by edge, in all axes at once."""
    level, *index = unit
    sizes = [tuple(size)]
    for layer in stack:
        sizes.append(layer.output_size(sizes[-1]))
    counts = {tuple(index): 1}
    for below in range(level - 1, -1, -1):
        down: dict[tuple[int, ...], int] = {}
        for edge in stack[below].edges(sizes[below]):
            if edge.output in counts:
                down[edge.input] = down.get(edge.input, 0) + counts[edge.output]
        counts = down
    found = np.zeros(sizes[0])
    for position, count in counts.items():
        found[position] = count
    return found


def random_stack(rng, rank, layers):
    """Draw layers and an input on which they fit."""
    stack = []
    for _ in range(layers):
        kernel, stride = rng.integers(1, 5, rank), rng.integers(1, 4, rank)
        dilation = rng.integers(1, 3, rank)
        if rng.random() < 0.4:
            padding = [int(rng.integers(0, k // 2 + 1)) for k in kernel]
            ceil_mode = bool(rng.random() < 0.5)
            stack.append(
                PoolGeometry(kernel.tolist(), stride.tolist(), padding, dilation.tolist(), ceil_mode=ceil_mode)
            )
        else:
            padding = [tuple(map(int, rng.integers(0, 3, 2))) for _ in kernel]
            stack.append(ConvGeometry(kernel.tolist(), stride.tolist(), padding, dilation.tolist()))
    size = tuple(int(n) for n in rng.integers(1, 4, rank))
    for layer in reversed(stack):
        size = tuple(max(1, n) + int(rng.integers(0, 2)) for n in layer.input_size(size))
    return stack, size


@pytest.mark.parametrize("seed", range(12))
def test_paths_are_those_found_edge_by_edge(seed):
    rng = np.random.default_rng(seed)
    stack, size = random_stack(rng, 1 + seed % 2, 3)
    demo = ReceptiveField(stack, input_size=size)
    assert demo.stack == [
        ConvGeometry(g.kernel, g.stride, g.padding, g.dilation) if isinstance(g, ConvGeometry) else g for g in stack
    ]
    for level in range(4):
        top = size if level == 0 else demo.stack[level - 1].output_size(size_at(demo.stack, size, level - 1))
        demo.unit = [level, *(int(rng.integers(0, n)) for n in top)]
        np.testing.assert_array_equal(demo.paths, paths_by_edges(stack, size, demo.unit))
    assert demo.receptive_field == receptive_field(stack)


def size_at(stack, size, level):
    for layer in stack[:level]:
        size = layer.output_size(size)
    return size


@pytest.mark.parametrize(
    "layers",
    [
        [3, 3],
        [("conv", 3), ("conv", 3)],
        [{"kernel_size": 3}, {"kind": "conv", "kernel_size": (3,)}],
        [ConvGeometry(3), ConvGeometry(3)],
        nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Sequential(nn.Conv1d(4, 1, 3), nn.Tanh())),
        [nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.Conv1d(4, 1, 3), nn.Flatten(), nn.Linear(9, 2)],
    ],
)
def test_a_stack_may_be_given_in_many_ways(layers):
    demo = ReceptiveField(layers, input_size=9)
    assert demo.stack == [ConvGeometry(3)] * 2
    assert demo.unit == [2, 2]


def test_nets_are_read_up_to_where_places_end():
    demo = ReceptiveField(nn.models.alexnet(sketch=True), input_size=(224, 224))
    assert len(demo.layers) == 8
    assert demo.receptive_field.field == (195, 195)
    assert ReceptiveField(nn.models.resnet18(sketch=True)).receptive_field.field == (435, 435)


def test_even_same_padding_of_a_layer_is_kept():
    demo = ReceptiveField([nn.Conv2d(1, 1, (4, 3), padding="same")], input_size=(5, 7))
    assert demo.layers[0]["padding"] == [[1, 2], [1, 1]]


def test_by_default_the_last_layer_has_seven_units_on_each_axis():
    demo = ReceptiveField([("conv", (3, 5), 2), ("pool", 2)])
    assert demo.stack[1].output_size(demo.stack[0].output_size(demo.input_size)) == (7, 7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"layers": []}, "no convolution and no pool"),
        ({"layers": [nn.ReLU()]}, "no convolution and no pool"),
        ({"layers": [0]}, r"layers\[0\]: kernel \(=0\) must be at least 1"),
        ({"layers": [3, ("conv", 3, 0)]}, r"layers\[1\]: stride \(=0\)"),
        ({"layers": [("konv", 3)]}, "kind 'konv' is unknown: choose one of conv, pool"),
        ({"layers": [{"kernel_size": 3, "strid": 2}]}, "option 'strid' is unknown"),
        ({"layers": [{"kind": "conv"}]}, "kernel_size is missing"),
        ({"layers": [("pool", 3, 2, 2)]}, "padding 2 is more than half of the pooling kernel 3"),
        ({"layers": [{"kernel_size": 3, "ceil_mode": True}]}, "ceil_mode belongs to pools"),
        ({"layers": [("conv", (3, 3, 3))]}, r"layers\[0\] has 3 axes"),
        ({"layers": [("conv", (3, 3)), ConvGeometry(3)]}, r"layers\[1\] has 1 axes and layers\[0\] has 2"),
        ({"layers": [ConvGeometry(3, padding=1, padding_mode="reflect")]}, 'padding_mode "reflect"'),
        ({"layers": [3] * 65}, "holds 65 convolutions and pools: at most 64"),
        ({"layers": [nn.Linear(3, 2)]}, "Linear is no convolution or pool"),
        ({"layers": nn.Sequential(nn.Conv1d(1, 1, 3), nn.ConvTranspose1d(1, 1, 3))}, "layer 1 .ConvTranspose1d."),
        ({"layers": nn.Add(nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 3))}, "do not simply follow one another"),
        ({"layers": [3, 9], "input_size": 5}, r"layers\[1\]: kernel 9 is larger than the padded input 3"),
        ({"input_size": (9, 0)}, r"input_size \(=0\) must be at least 1"),
        ({"input_size": 2000}, r"input_size=\[2000\]: at most 1024"),
        ({"layers": [("conv", (3, 3))], "input_size": (9, 9, 9)}, "3 entries for 2 spatial axes"),
        ({"unit": (4, 0)}, r"unit=\[4, 0\]: there are layers 0 \(the input\) to 3"),
        ({"unit": (3, 7)}, r"unit=\[3, 7\]: layer 3 has size \(7,\)"),
        ({"unit": (3, 1, 1)}, "an index for each of 1 axes"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(arguments, words):
    with pytest.raises(ValueError, match=words):
        ReceptiveField(**arguments)


@pytest.mark.parametrize("layers", [3, "conv", [object()], [("conv", 2.5)]])
def test_what_is_no_layer_is_refused(layers):
    with pytest.raises(TypeError, match=r"is no layer|must be a whole number"):
        ReceptiveField(layers)


def test_what_python_assigns_is_checked_too():
    demo = ReceptiveField()
    for name, value, words in [
        ("unit", [3, 9], "layer 3 has size"),
        ("layers", [("conv", (3, 3))], "hold_trait_notifications"),
        ("input_size", [0], "must be at least 1"),
        ("target", 1, "target"),
        ("view", "side", "view"),
    ]:
        before = getattr(demo, name)
        with pytest.raises((ValueError, TraitError), match=words):
            setattr(demo, name, value)
        assert getattr(demo, name) == before


def test_the_unit_stays_inside_when_the_stack_changes():
    demo = ReceptiveField(unit=(3, 6))
    demo.layers = [3, 3]
    assert demo.unit == [2, 6]
    demo.input_size = [7]
    assert demo.unit == [2, 2]
    with demo.hold_trait_notifications():
        demo.layers, demo.input_size = [("conv", (3, 5))], [9, 12]
    assert demo.unit == [1, 2, 2]


def test_the_layers_handed_in_stay_as_they_are():
    layers = [{"kernel_size": [3], "padding": [1]}, ("conv", 3)]
    before = json.dumps(layers)
    ReceptiveField(layers)
    assert json.dumps(layers) == before


def test_html_needs_nothing_from_anywhere_and_holds_the_state(tmp_path):
    demo = ReceptiveField([("conv", (3, 3)), ("pool", 2)], input_size=(9, 12))
    demo.unit, demo.weighted, demo.view = [1, 2, 3], True, "height"
    html = demo.save(tmp_path / "demo.html").read_text(encoding="utf-8")
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == {name: getattr(demo, name) for name in state}
    assert {"layers", "input_size", "unit", "weighted", "step", "selected", "view", "target", "data"} <= set(state)


def test_presets_are_stacks_that_fit():
    for preset in ReceptiveField().data["presets"]:
        demo = ReceptiveField(preset["layers"], input_size=preset["input_size"])
        assert len(demo.unit) == 1 + len(preset["input_size"])
