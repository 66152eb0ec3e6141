"""AlexNet."""

from __future__ import annotations

import numpy as np

from cnnlab.nn.activation import ReLU
from cnnlab.nn.conv import Conv2d
from cnnlab.nn.dropout import Dropout
from cnnlab.nn.flatten import Flatten
from cnnlab.nn.linear import Linear
from cnnlab.nn.models.sketch import making
from cnnlab.nn.models.stages import Stages
from cnnlab.nn.pool import MaxPool2d
from cnnlab.nn.sequential import Sequential


def alexnet(
    num_classes: int = 1000,
    *,
    dropout: float = 0.5,
    rng: np.random.Generator | None = None,
    dtype: object = None,
    device: str | None = None,
    sketch: bool = False,
) -> Stages:
    """Return AlexNet for pictures of 3×224×224: 61,100,840 parameters.

    Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks", in torchvision's layout and with
    its names: 64 filters of 3×11×11 in the first layer, where the 2012 paper has 96. torchvision's adaptive pooling,
    which does nothing at this size, is left out.

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
    >>> sum(p.data.size for p in alexnet(sketch=True).parameters())
    61100840
    """
    make = making(rng, dtype, device, sketch=sketch)
    return Stages(
        features=Sequential(
            Conv2d(3, 64, 11, 4, 2, **make),
            ReLU(),
            MaxPool2d(3, 2),
            Conv2d(64, 192, 5, padding=2, **make),
            ReLU(),
            MaxPool2d(3, 2),
            Conv2d(192, 384, 3, padding=1, **make),
            ReLU(),
            Conv2d(384, 256, 3, padding=1, **make),
            ReLU(),
            Conv2d(256, 256, 3, padding=1, **make),
            ReLU(),
            MaxPool2d(3, 2),
        ),
        flatten=Flatten(),
        classifier=Sequential(
            Dropout(dropout, rng=make["rng"]),
            Linear(256 * 6 * 6, 4096, **make),
            ReLU(),
            Dropout(dropout, rng=make["rng"]),
            Linear(4096, 4096, **make),
            ReLU(),
            Linear(4096, num_classes, **make),
        ),
    )
