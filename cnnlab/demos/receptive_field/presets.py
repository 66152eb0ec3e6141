"""Stacks to begin with; those of known nets are read off the nets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from cnnlab.demos.receptive_field.stack import described, geometries


@cache
def presets() -> list[dict[str, Any]]:
    """Return name, label, layers and input size of each preset."""
    from cnnlab.nn import models

    halving: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1}
    one: list[tuple[str, str, Any, int | Sequence[int]]] = [
        ("threes", "three of 3", [3, 3, 3], 13),
        ("seven", "one of 7", [7], 13),
        ("dilated", "dilation 1, 2, 4", [("conv", 3, 1, 0, d) for d in (1, 2, 4)], 21),
        ("halving", "stride 2, three times", [halving] * 3, 32),
        ("pools", "conv, pool, conv, pool", [("conv", 3, 1, 1), ("pool", 2), ("conv", 3, 1, 1), ("pool", 2)], 24),
        ("flat", "pictures: 3 × 5, pool, 3 × 3", [("conv", (3, 5)), ("pool", 2), ("conv", (3, 3))], (14, 20)),
        ("lenet", "LeNet-5", models.lenet5(sketch=True), (32, 32)),
        ("alexnet", "AlexNet", models.alexnet(sketch=True), (224, 224)),
        ("vgg", "VGG-16", models.vgg16(sketch=True), (224, 224)),
        ("resnet", "ResNet-18, longest way", models.resnet18(sketch=True), (224, 224)),
    ]
    return [
        {
            "name": name,
            "label": label,
            "layers": [described(layer) for layer in geometries(layers)],
            "input_size": list(size) if isinstance(size, Sequence) else [size],
        }
        for name, label, layers, size in one
    ]
