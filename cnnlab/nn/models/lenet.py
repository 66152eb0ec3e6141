"""LeNet-5."""

from __future__ import annotations

import numpy as np

from cnnlab.nn.activation import Tanh
from cnnlab.nn.conv import Conv2d
from cnnlab.nn.flatten import Flatten
from cnnlab.nn.linear import Linear
from cnnlab.nn.models.sketch import making
from cnnlab.nn.pool import AvgPool2d
from cnnlab.nn.sequential import Sequential


def lenet5(
    num_classes: int = 10,
    *,
    rng: np.random.Generator | None = None,
    dtype: object = None,
    device: str | None = None,
    sketch: bool = False,
) -> Sequential:
    """Return LeNet-5 for pictures of 1×32×32: 61,706 parameters.

    LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition", section II.B, in
    the form that is common today. It differs from the paper in four places: layer C3 sees all 6 maps (1,516 parameters
    become 2,416), pooling has no parameters of its own, tanh is not scaled, and the last layer is fully connected in
    place of radial basis functions. The paper counts about 60,000.

    Parameters
    ----------
    num_classes
        Number of outputs.
    rng, dtype, device
        As in `Conv2d`.
    sketch
        Whether to leave out the numbers (see `cnnlab.nn.models`).

    Examples
    --------
    >>> sum(p.data.size for p in lenet5(sketch=True).parameters())
    61706
    """
    make = making(rng, dtype, device, sketch=sketch)
    return Sequential(
        Conv2d(1, 6, 5, **make),  # C1, 28×28
        Tanh(),
        AvgPool2d(2),  # S2, 14×14
        Conv2d(6, 16, 5, **make),  # C3, 10×10
        Tanh(),
        AvgPool2d(2),  # S4, 5×5
        Conv2d(16, 120, 5, **make),  # C5, 1×1
        Tanh(),
        Flatten(),
        Linear(120, 84, **make),  # F6
        Tanh(),
        Linear(84, num_classes, **make),
    )
