"""The architecture calculator's Python side: which rows and nets it takes, what it refuses, what it builds."""

import json
import re

import numpy as np
import pytest
from traitlets import TraitError

import cnnlab
from cnnlab import nn
from cnnlab.demos import ArchitectureCalculator


def test_the_decks_example():
    demo = ArchitectureCalculator([("conv", 10, 5, 1, 2)])
    (layer,) = cnnlab.summary(demo.build(sketch=True), demo.input_shape).layers
    assert (layer.output_shape, layer.parameters, layer.multiply_adds) == ((10, 32, 32), 760, 768_000)


@pytest.mark.parametrize(
    ("make", "shape", "parameters"),
    [
        (nn.models.lenet5, (1, 32, 32), 61_706),
        (nn.models.alexnet, (3, 224, 224), 61_100_840),
        (nn.models.vgg16, (3, 224, 224), 138_357_544),
        (nn.models.network_in_network, (3, 32, 32), 966_986),
    ],
)
def test_known_nets_come_back_as_they_are(make, shape, parameters):
    net = make(sketch=True)
    demo = ArchitectureCalculator(net, input_shape=shape)
    theirs = [layer for layer in cnnlab.summary(net, shape).layers if not layer.composite]
    ours = cnnlab.summary(demo.build(sketch=True), shape)
    assert ours.parameters == parameters
    numbers = ("kind", "output_shape", "parameters", "multiply_adds", "activation_bytes", "receptive_field", "jump")
    for mine, other in zip(ours.layers, theirs, strict=True):
        assert [getattr(mine, name) for name in numbers] == [getattr(other, name) for name in numbers]
    assert demo.shapes == [layer.output_shape for layer in theirs]


def test_presets_hold_the_same_nets():
    presets = {preset["name"]: preset for preset in ArchitectureCalculator().data["presets"]}
    assert list(presets) == ["deck", "small", "lenet", "alexnet", "vgg", "nin"]
    alexnet = ArchitectureCalculator(nn.models.alexnet(sketch=True), input_shape=(3, 224, 224))
    assert presets["alexnet"]["rows"] == alexnet.rows


def test_every_option_of_a_layer_is_kept():
    net = nn.Sequential(
        nn.Conv2d(4, 6, (3, 5), (2, 1), (1, 2), (1, 2), groups=2, bias=False, padding_mode="circular"),
        nn.BatchNorm2d(6, affine=False),
        nn.Sequential(nn.MaxPool2d((2, 3), (1, 2), (1, 1), 2, ceil_mode=True), nn.Sigmoid()),
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        nn.Conv2d(6, 3, (2, 4), padding="same"),
        nn.Dropout(0.25),
        nn.GlobalPool("max"),
        nn.Linear(3, 2, bias=False),
        nn.Tanh(),
    )
    demo = ArchitectureCalculator(net, input_shape=(4, 20, 24))
    assert repr(demo.build()) == repr(
        nn.Sequential(*(part for layer in net.layers for part in getattr(layer, "layers", [layer])))
    )
    assert demo.rows[5]["padding"] == "same"


def test_rows_may_be_words_tuples_or_dicts():
    expected = ArchitectureCalculator([("conv", 4, (3, 5), 2), "relu", ("maxpool", 2), ("linear", 3, False)]).rows
    rows = [
        {"kind": "conv", "out_channels": 4, "kernel_size": [3, 5], "stride": 2},
        ("relu",),
        {"kind": "maxpool", "kernel_size": 2, "stride": None},
        {"kind": "linear", "out_features": 3, "bias": False},
    ]
    before = json.dumps(rows)
    assert ArchitectureCalculator(rows).rows == expected
    assert json.dumps(rows) == before


def test_the_net_that_is_built_computes():
    demo = ArchitectureCalculator(input_shape=(3, 12, 16))
    net = demo.build(rng=np.random.default_rng(0))
    assert net(np.zeros((2, 3, 12, 16), np.float32)).shape == (2, 10)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "rows has 0 entries: expected 1 to 200"),
        (["relu"] * 201, "rows has 201 entries"),
        (["rulu"], "row 1: kind 'rulu' is unknown: choose one of conv, maxpool"),
        (["relu", ("conv", 10)], "row 2: kernel_size is missing"),
        ([("conv", 0, 3)], r"row 1: out_channels \(=0\) must be at least 1"),
        ([("conv", 4, (3, 0))], r"kernel_size \(=0\)"),
        ([("conv", 4, (3, 3, 3, 3))], "at most 3 axes"),
        ([("conv", 4, 3, 1, -1)], r"padding \(=-1\)"),
        ([("conv", 4, 3, 1, 0, 1, 1, True, "mirror")], "padding_mode='mirror'"),
        ([("linear", 10, True, 3)], "has 3 options: linear takes out_features, bias"),
        ([{"kind": "conv", "filters": 3}], "conv has no option 'filters'"),
        ([("dropout", 1)], "p=1: expected a share"),
        ([("globalpool", "softmax")], "how='softmax'"),
    ],
)
def test_rows_with_unknown_options_are_refused(rows, words):
    with pytest.raises(ValueError, match=words):
        ArchitectureCalculator(rows)


@pytest.mark.parametrize(
    "row", [("conv", 2.5, 3), ("conv", 4, "3"), ("linear", 4, 1), {"kind": "maxpool", "kernel_size": True}]
)
def test_options_of_another_type_are_refused(row):
    with pytest.raises(TypeError, match=r"row 1: .* must be"):
        ArchitectureCalculator([row])


@pytest.mark.parametrize(
    ("net", "error", "words"),
    [
        (nn.Conv2d(4, 3, 3), ValueError, r"takes 4 channels or features and gets 3 of \(3, 32, 32\)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(10, 2)), ValueError, r"layer 1 \(Linear\) takes 10 .* gets 3072"),
        (nn.Conv2d(3, 3, 40), ValueError, "kernel 40 is larger than the padded input 32"),
        (nn.models.resnet18(sketch=True), ValueError, "layer1.0 is a BasicBlock"),
        (nn.ConvTranspose2d(3, 3, 2), ValueError, "ConvTranspose2d. has no row in the table"),
        (nn.Conv2d(3, 3, 3, padding=[(0, 1), (0, 1)]), ValueError, "equal padding on both sides"),
        (nn.GlobalPool("softmax"), ValueError, "how='softmax'"),
        (3, TypeError, "3 is no layer"),
    ],
)
def test_nets_that_have_no_rows_are_refused(net, error, words):
    with pytest.raises(error, match=words):
        ArchitectureCalculator(net)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_shape": (3, 0, 4)}, r"input_shape \(=0\) must be at least 1"),
        ({"input_shape": ()}, r"input_shape=\[\]"),
        ({"input_shape": (3, 4, 4, 4, 4)}, "at most 3 spatial axes"),
    ],
)
def test_inputs_that_are_none_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        ArchitectureCalculator(**arguments)


def test_rows_that_do_not_fit_are_taken_but_not_built():
    demo = ArchitectureCalculator([("conv", 4, 3), ("linear", 10)])
    assert demo.shapes == [(4, 30, 30)]
    with pytest.raises(ValueError, match="row 2: linear takes a vector, not maps"):
        demo.build()
    demo.rows = [("conv", 4, 3), "flatten", ("linear", 10)]
    assert demo.shapes == [(4, 30, 30), (3600,), (10,)]


def test_what_python_assigns_is_checked_too():
    demo = ArchitectureCalculator()
    for name, value in [("rows", ["x"]), ("input_shape", [0]), ("batch", 0), ("dtype", "int8"), ("selected", -1)]:
        before = getattr(demo, name)
        with pytest.raises((ValueError, TraitError)):
            setattr(demo, name, value)
        assert getattr(demo, name) == before


def test_html_needs_nothing_from_anywhere_and_holds_the_state(tmp_path):
    demo = ArchitectureCalculator([("conv", 10, 5, 1, 2)], batch=8, dtype="float16")
    html = demo.save(tmp_path / "demo.html").read_text(encoding="utf-8")
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == {name: getattr(demo, name) for name in state}
    assert set(state) == {"rows", "input_shape", "batch", "dtype", "selected", "data"}
