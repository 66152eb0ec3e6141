"""Network in Network."""

from __future__ import annotations

import numpy as np

from cnnlab.nn.activation import ReLU
from cnnlab.nn.conv import Conv2d
from cnnlab.nn.dropout import Dropout
from cnnlab.nn.global_pool import GlobalPool
from cnnlab.nn.models.sketch import making
from cnnlab.nn.module import Module
from cnnlab.nn.pool import AvgPool2d, MaxPool2d
from cnnlab.nn.sequential import Sequential


def network_in_network(
    num_classes: int = 10,
    *,
    dropout: float = 0.5,
    rng: np.random.Generator | None = None,
    dtype: object = None,
    device: str | None = None,
    sketch: bool = False,
) -> Sequential:
    """Return Network in Network for pictures of 3×32×32: 966,986 parameters (deck row D45).

    Lin, Chen and Yan 2014, "Network in Network" (ICLR), sections 3 and 4.2: three convolutions, each followed by an
    MLP at every pixel (two 1×1 convolutions), and a mean over each class's map in place of fully connected layers. The
    paper leaves the sizes to the authors' published configuration for CIFAR-10 (cifar10_nin, Caffe). They stand here as
    in the port of it among Lasagne's recipes (modelzoo/cifar10_nin.py), with which every size below was compared; the
    number of parameters follows from them.

    ========  ================  ==============  ============================
    block     convolution       1×1, 1×1        then
    ========  ================  ==============  ============================
    1         192 of 5×5, P=2   160, 96         max 3×3 S=2, dropout
    2         192 of 5×5, P=2   192, 192        mean 3×3 S=2, dropout
    3         192 of 3×3, P=1   192, classes    mean over the map
    ========  ================  ==============  ============================

    A ReLU follows each of the nine, the last one too. Pools round sizes up there (32, 16, 8), so `ceil_mode` is set.

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
    >>> sum(p.data.size for p in network_in_network(sketch=True).parameters())
    966986
    """
    make = making(rng, dtype, device, sketch=sketch)

    def block(inputs: int, kernel: int, *channels: int) -> list[Module]:
        """Return a convolution with "same" padding and the MLP at every pixel."""
        layers: list[Module] = []
        for filters in channels:
            layers += [Conv2d(inputs, filters, kernel, padding=kernel // 2, **make), ReLU()]
            inputs, kernel = filters, 1
        return layers

    return Sequential(
        *block(3, 5, 192, 160, 96),
        MaxPool2d(3, 2, ceil_mode=True),
        Dropout(dropout, rng=make["rng"]),
        *block(96, 5, 192, 192, 192),
        AvgPool2d(3, 2, ceil_mode=True),
        Dropout(dropout, rng=make["rng"]),
        *block(192, 3, 192, 192, num_classes),
        GlobalPool("mean"),
    )
