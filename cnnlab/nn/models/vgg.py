"""VGG-16."""

from __future__ import annotations

import numpy as np

from cnnlab.nn.activation import ReLU
from cnnlab.nn.conv import Conv2d
from cnnlab.nn.dropout import Dropout
from cnnlab.nn.flatten import Flatten
from cnnlab.nn.linear import Linear
from cnnlab.nn.models.sketch import making
from cnnlab.nn.models.stages import Stages
from cnnlab.nn.module import Module
from cnnlab.nn.pool import MaxPool2d
from cnnlab.nn.sequential import Sequential

_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # channels; a pool ends each


def vgg16(
    num_classes: int = 1000,
    *,
    dropout: float = 0.5,
    rng: np.random.Generator | None = None,
    dtype: object = None,
    device: str | None = None,
    sketch: bool = False,
) -> Stages:
    """Return VGG-16 for pictures of 3×224×224: 138,357,544 parameters, 0.55 GB in float32.

    Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", configuration D
    of table 1, with torchvision's names. Its adaptive pooling, which does nothing at this size, is left out.

    Parameters
    ----------
    num_classes
        Number of outputs.
    dropout
        Share of the numbers that a dropout sets to 0.
    rng, dtype, device
        As in `Conv2d`.
    sketch
        Whether to leave out the numbers (see `cnnlab.nn.models`).

    Examples
    --------
    >>> sum(p.data.size for p in vgg16(sketch=True).parameters())
    138357544
    """
    make = making(rng, dtype, device, sketch=sketch)
    features: list[Module] = []
    channels = 3
    for block in _BLOCKS:
        for filters in block:
            features += [Conv2d(channels, filters, 3, padding=1, **make), ReLU()]
            channels = filters
        features.append(MaxPool2d(2))
    return Stages(
        features=Sequential(*features),
        flatten=Flatten(),
        classifier=Sequential(
            Linear(512 * 7 * 7, 4096, **make),
            ReLU(),
            Dropout(dropout, rng=make["rng"]),
            Linear(4096, 4096, **make),
            ReLU(),
            Dropout(dropout, rng=make["rng"]),
            Linear(4096, num_classes, **make),
        ),
    )
