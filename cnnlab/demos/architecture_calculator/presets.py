"""Nets to begin with; those of history are read off `cnnlab.nn.models`."""

from __future__ import annotations

from functools import cache
from typing import Any

from cnnlab.demos.architecture_calculator.rows import known_rows, rows_of_net

DECK_LAYER = [("conv", 10, 5, 1, 2)]
SMALL_NET = [
    *DECK_LAYER,
    "relu",
    ("maxpool", 2),
    ("conv", 20, 3, 1, 1),
    "relu",
    ("maxpool", 2),
    "flatten",
    ("linear", 10),
]


@cache
def presets() -> list[dict[str, Any]]:
    """Return name, label, rows and input shape of each preset."""
    from cnnlab.nn import models

    own = [
        ("deck", "the deck’s layer", known_rows(DECK_LAYER), (3, 32, 32)),
        ("small", "a small net", known_rows(SMALL_NET), (3, 32, 32)),
    ]
    nets: list[tuple[str, str, Any, tuple[int, ...]]] = [
        ("lenet", "LeNet-5", models.lenet5, (1, 32, 32)),
        ("alexnet", "AlexNet", models.alexnet, (3, 224, 224)),
        ("vgg", "VGG-16", models.vgg16, (3, 224, 224)),
        ("nin", "Network in Network", models.network_in_network, (3, 32, 32)),
    ]
    read = [(name, label, rows_of_net(make(sketch=True), shape), shape) for name, label, make, shape in nets]
    return [
        {"name": name, "label": label, "rows": rows, "input_shape": list(shape)}
        for name, label, rows, shape in own + read
    ]
