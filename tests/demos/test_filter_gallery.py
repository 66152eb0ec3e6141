"""The filter gallery's Python side: what is sent, what is refused, what an epoch adds."""

import base64
import json
import re
from typing import ClassVar

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import nn, optim, train
from cnnlab.demos import FilterGallery

RNG = np.random.default_rng(0)
PICTURES = RNG.random((5, 3, 12, 15)).astype(np.float32)
LABELS = np.array([0, 1, 2, 1, 0])


def net(seed=0, last=3):
    rng = np.random.default_rng(seed)
    head = (nn.Flatten(), nn.Linear(4 * 5 * 6, last, rng=rng))
    return nn.Sequential(nn.Conv2d(3, 4, (3, 4), rng=rng), nn.ReLU(), nn.MaxPool2d(2), *head)


def unpacked(packed):
    kinds = {"float32": "<f4"}
    return np.frombuffer(base64.b64decode(packed["base64"]), kinds[packed["dtype"]]).reshape(packed["shape"])


def weights_of(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


def test_weights_and_pictures_arrive_as_the_same_float32_numbers():
    model = net()
    demo = FilterGallery(model, PICTURES, LABELS)
    np.testing.assert_array_equal(unpacked(demo.data["pictures"]), PICTURES)
    np.testing.assert_array_equal(unpacked(demo.records[0]["weights"]), weights_of(model))
    np.testing.assert_array_equal(demo.filters, model[0].weight.data)
    assert demo.data["labels"] == LABELS.tolist()
    assert [layer["shape"] for layer in demo.data["layers"]] == [[4, 10, 12], [4, 10, 12], [4, 5, 6], [120], [3]]
    json.dumps({"data": demo.data, "records": demo.records}, allow_nan=False)


def test_the_net_is_copied_and_its_mode_stays():
    model = net()
    demo = FilterGallery(model, PICTURES)
    before = demo.filters
    model[0].weight.data += 1
    np.testing.assert_array_equal(demo.filters, before)
    assert model.training
    assert all(layer.training for layer in model)


def test_inputs_are_left_unchanged():
    pictures, labels, templates = PICTURES.copy(), LABELS.copy(), PICTURES[:2].copy()
    for array in (pictures, labels, templates):
        array.setflags(write=False)
    FilterGallery(net(), pictures, labels, templates=templates)


def test_without_arguments_there_is_an_example_that_tells_its_classes_apart():
    demo = FilterGallery()
    assert demo.filters.shape == (12, 3, 7, 7)
    np.testing.assert_allclose(demo.filters.mean(axis=(2, 3)), 0, atol=1e-6)
    assert unpacked(demo.data["pictures"]).shape == (64, 3, 24, 24)
    assert "made by hand" in demo.data["note"]
    assert FilterGallery(net(), PICTURES).data["note"] == ""
    np.testing.assert_array_equal(FilterGallery().filters, demo.filters)


def test_update_adds_an_epoch_from_what_fit_returns():
    model = net()
    demo = FilterGallery(model, PICTURES, LABELS)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    seen = [demo.filters]
    for _ in range(3):
        history = train.fit(
            *(model, PICTURES, LABELS),
            loss=nn.CrossEntropyLoss(),
            optimizer=optimizer,
            epochs=1,
            metrics={"accuracy": train.accuracy},
            progress=False,
        )
        demo.update(model, history, seconds=2.0)
        seen.append(model[0].weight.data.copy())
        assert demo.records[-1]["values"] == {
            "loss": history.loss[0],
            "accuracy": history.metrics["accuracy"][0],
            "seconds": 2.0,
        }
    assert demo.epochs == [0, 1, 2, 3]
    for epoch, weight in enumerate(seen):
        demo.epoch = epoch
        np.testing.assert_array_equal(demo.filters, weight)
    demo.epoch = None
    np.testing.assert_array_equal(demo.filters, seen[-1])


def test_a_past_history_gives_curves_and_the_net_belongs_to_its_last_epoch():
    history = train.History(
        loss=[0.9, 0.5, 0.3], metrics={"accuracy": [0.5, 0.7, 0.8]}, validation={"loss": [0.6, 0.4]}
    )
    demo = FilterGallery(net(), PICTURES, history=history)
    assert demo.epochs == [3]
    assert [record["epoch"] for record in demo.records] == [1, 2, 3]
    assert demo.records[0]["values"] == {"loss": 0.9, "accuracy": 0.5}
    assert demo.records[2]["values"] == {"loss": 0.3, "accuracy": 0.8, "validation loss": 0.4}
    demo.update(net(1), loss=0.2)
    assert demo.epochs == [3, 4]


def test_many_epochs_are_thinned_and_a_large_net_is_kept_by_its_first_layer(monkeypatch):
    size = weights_of(net()).size
    monkeypatch.setattr("cnnlab.demos.filter_gallery._KEPT_NUMBERS", 4 * size)
    demo = FilterGallery(net(), PICTURES)
    for seed in range(1, 12):
        demo.update(net(seed), loss=1 / seed)
    assert len(demo.epochs) <= 5
    assert (demo.epochs[0], demo.epochs[-1]) == (0, 11)
    assert [record["epoch"] for record in demo.records] == list(range(12))  # the curve stays whole
    np.testing.assert_array_equal(demo.filters, net(11)[0].weight.data)

    monkeypatch.setattr("cnnlab.demos.filter_gallery._WHOLE_NET", 10)
    demo = FilterGallery(net(), PICTURES)
    demo.update(net(1))
    first = net()[0]
    count = first.weight.data.size + first.bias.data.size
    assert [record["weights"]["shape"] for record in demo.records] == [[count], [size]]
    demo.epoch = 0
    np.testing.assert_array_equal(demo.filters, first.weight.data)


def test_alexnets_first_layers_are_followed_and_the_rest_is_named():
    demo = FilterGallery(nn.models.alexnet(sketch=False, rng=np.random.default_rng(0)), np.zeros((1, 3, 224, 224)))
    assert demo.filters.shape == (64, 3, 11, 11)
    assert "features.6 (Conv2d) holds 663,936 numbers" in demo.data["stop"]


def test_a_layer_that_is_not_followed_ends_the_list_with_its_name():
    class Double(nn.Module):
        def forward(self, x):
            return 2 * x

    data = FilterGallery(nn.Sequential(nn.Conv2d(3, 2, 3), Double(), nn.ReLU()), PICTURES).data
    assert data["stop"] == "layer 1 is a Double, which this demo does not follow"
    assert len(data["layers"]) == 1


class OnGpu:
    __cuda_array_interface__: ClassVar = {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"net": None}, "net is missing"),
        ({"pictures": None}, "pictures is missing"),
        ({"pictures": OnGpu()}, r"pictures lies on a GPU: pass cnnlab.to_numpy\(pictures\)"),
        ({"pictures": PICTURES[0]}, r"pictures has shape \(3, 12, 15\): expected 4 axes"),
        ({"pictures": PICTURES[:, :2]}, r"pictures has shape \(5, 2, 12, 15\): expected 1 or 3 channels"),
        (
            {"pictures": np.where(np.equal(PICTURES, PICTURES[1, 2, 3, 4]), np.inf, PICTURES)},
            r"inf at index \(1, 2, 3, 4\)",
        ),
        ({"pictures": np.zeros((30, 3, 200, 200))}, r"pictures holds 3,600,000 numbers: .* pictures\[:16\]"),
        ({"pictures": PICTURES[..., :2]}, r"layer 0 does not fit pictures of shape \(3, 12, 2\)"),
        ({"pictures": PICTURES[..., :14]}, "layer 4 does not fit .* in_features=120, but it gets"),
        ({"net": nn.Conv2d(3, 4, 3)}, "net is a Conv2d: pass an nn.Sequential"),
        ({"net": nn.Sequential(nn.Flatten(), nn.Linear(540, 2))}, "the net has no Conv2d"),
        ({"labels": LABELS[:3]}, r"labels has shape \(3,\)"),
        ({"labels": LABELS / 2}, "dtype float64"),
        ({"labels": LABELS - 1}, "whole numbers from 0"),
        ({"names": ["a", "b"]}, r"names=\['a', 'b'\]: the net and the labels have 3 classes"),
        ({"names": "abc"}, "names='abc'"),
        ({"layer": 3}, r"layer=3 gives no maps of a filter: choose one of \[0, 1, 2\]"),
        ({"templates": PICTURES[:, :, :5]}, r"templates has shape \(5, 3, 5, 15\): each must be as large as a picture"),
        ({"templates": np.zeros((70, 540))}, "templates holds 70"),
        ({"history": [1, 2]}, "history is a list"),
        ({"history": {"loss": [1.0, np.nan]}}, r"history\['loss'\] is nan"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(changes, words):
    arguments = {"net": net(), "pictures": PICTURES, "labels": LABELS, **changes}
    with pytest.raises((TypeError, ValueError, TraitError), match=words):
        FilterGallery(**arguments)


def test_state_and_updates_are_checked():
    demo = FilterGallery(net(), PICTURES, LABELS)
    demo.picture, demo.layer, demo.filter, demo.cell, demo.epoch = 4, 2, 3, [4, 5], 0
    for name, value, words in (
        ("picture", 5, "picture=5 is out of range: there are 5 pictures"),
        ("filter", 4, "filter=4 is out of range: there are 4 filters in layer 2"),
        ("layer", 4, "layer=4 gives no maps"),
        ("cell", [5, 0], r"cell=\[5, 0\] lies outside the map of 5 × 6"),
        ("epoch", 1, r"epoch=1 is not kept: recorded are \[0\]"),
    ):
        with pytest.raises(TraitError, match=words):
            setattr(demo, name, value)
    with pytest.raises(ValueError, match="epoch=0 is not above the last one, 0"):
        demo.update(net(), epoch=0)
    with pytest.raises(ValueError, match="loss=nan in epoch 1"):
        demo.update(net(), loss=float("nan"))
    with pytest.raises(ValueError, match="this net has other layers or sizes"):
        demo.update(net(last=4))
    broken = net()
    broken[0].weight.data[0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="weight of layer 0 is not finite"):
        demo.update(broken)
    assert demo.epochs == [0]


def test_html_needs_nothing_from_anywhere_and_holds_the_state():
    demo = FilterGallery(net(), PICTURES, LABELS, names=["a</script>", "b", "c"])
    demo.filter = 2
    html = demo.to_html()
    assert "://" not in html
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state["filter"] == 2
    assert state["records"] == demo.records
