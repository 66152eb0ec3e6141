"""ResNet-18."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.backend import Array
from cnnlab.nn.activation import ReLU
from cnnlab.nn.batch_norm import BatchNorm2d
from cnnlab.nn.conv import Conv2d
from cnnlab.nn.global_pool import GlobalPool
from cnnlab.nn.linear import Linear
from cnnlab.nn.models.sketch import making
from cnnlab.nn.models.stages import Stages
from cnnlab.nn.module import Module
from cnnlab.nn.pool import MaxPool2d
from cnnlab.nn.sequential import Sequential


class BasicBlock(Module):
    """Two convolutions with a way around them: ReLU(F(x) + x).

    He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", figure 2 and equations 1 and 2. Where
    the shape changes, the way around is a 1×1 convolution (their option B). Parts have torchvision's names.

    Parameters
    ----------
    in_channels, out_channels
        Channels of input and output.
    stride
        Of the first convolution and of the way around.
    **make
        rng, dtype and device of the convolutions, as in `Conv2d`.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, **make: Any) -> None:
        norm: dict[str, Any] = {"dtype": make.get("dtype"), "device": make.get("device")}
        self.conv1 = Conv2d(in_channels, out_channels, 3, stride, 1, bias=False, **make)
        self.bn1 = BatchNorm2d(out_channels, **norm)
        self.relu = ReLU()
        self.conv2 = Conv2d(out_channels, out_channels, 3, 1, 1, bias=False, **make)
        self.bn2 = BatchNorm2d(out_channels, **norm)
        self.downsample: Sequential | None = None
        if stride != 1 or in_channels != out_channels:
            around = Conv2d(in_channels, out_channels, 1, stride, bias=False, **make)
            self.downsample = Sequential(around, BatchNorm2d(out_channels, **norm))

    def forward(self, x: Array) -> Array:
        """Return y (N, C_out, *out) for x (N, C_in, H, W)."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))

    def backward(self, dy: Array) -> Array:
        """Return dx: the sum of what comes back on both ways."""
        dy = self.relu.backward(dy)
        around = dy if self.downsample is None else self.downsample.backward(dy)
        through = self.relu.backward(self.conv2.backward(self.bn2.backward(dy)))
        return self.conv1.backward(self.bn1.backward(through)) + around


def resnet18(
    num_classes: int = 1000,
    *,
    rng: np.random.Generator | None = None,
    dtype: object = None,
    device: str | None = None,
    sketch: bool = False,
) -> Stages:
    """Return ResNet-18 for pictures of 3×224×224, and for other sizes from 3×32×32 on: 11,689,512 parameters.

    He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", table 1, with torchvision's names.

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
    >>> sum(p.data.size for p in resnet18(sketch=True).parameters())
    11689512
    """
    make = making(rng, dtype, device, sketch=sketch)

    def stage(inputs: int, outputs: int, stride: int) -> Sequential:
        return Sequential(BasicBlock(inputs, outputs, stride, **make), BasicBlock(outputs, outputs, **make))

    return Stages(
        conv1=Conv2d(3, 64, 7, 2, 3, bias=False, **make),
        bn1=BatchNorm2d(64, dtype=make["dtype"], device=make["device"]),
        relu=ReLU(),
        maxpool=MaxPool2d(3, 2, 1),
        layer1=stage(64, 64, 1),
        layer2=stage(64, 128, 2),
        layer3=stage(128, 256, 2),
        layer4=stage(256, 512, 2),
        avgpool=GlobalPool("mean"),
        fc=Linear(512, num_classes, **make),
    )
