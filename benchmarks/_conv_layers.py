"""The layers that the speed benchmarks measure: a suite that rules may be tuned on, and a list held out from that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Layer:
    """A convolution: shapes of x (N, C_in, *spatial) and w (C_out, C_in/groups, *kernel), and the options."""

    name: str
    x: tuple[int, ...]
    w: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    first: bool = False  # the first layer of its net: nobody needs its dx
    group: str = ""

    def batch(self, N):
        return replace(self, name=f"{self.name} N={N}", x=(N, *self.x[1:]))


def layer(name, C, size, M, kernel, *, N=1, groups=1, first=False, **options):
    if groups != 1:
        options["groups"] = groups
    return Layer(name, (N, C, *size), (M, C // groups, *kernel), options, first)


def square(name, C, size, M, k, **more):
    return layer(name, C, (size, size), M, (k, k), **more)


ALEXNET = (
    square("alexnet conv1", 3, 224, 64, 11, stride=4, padding=2, first=True),
    square("alexnet conv2", 64, 27, 192, 5, padding=2),
    square("alexnet conv3", 192, 13, 384, 3, padding=1),
    square("alexnet conv4", 384, 13, 256, 3, padding=1),
    square("alexnet conv5", 256, 13, 256, 3, padding=1),
)
VGG = (
    square("vgg16 conv1_1", 3, 224, 64, 3, padding=1, first=True),
    square("vgg16 conv1_2", 64, 224, 64, 3, padding=1),
    square("vgg16 conv2_2", 128, 112, 128, 3, padding=1),
    square("vgg16 conv3_2", 256, 56, 256, 3, padding=1),
    square("vgg16 conv4_2", 512, 28, 512, 3, padding=1),
    square("vgg16 conv5_2", 512, 14, 512, 3, padding=1),
)
RESNET = (
    square("resnet18 conv1", 3, 224, 64, 7, stride=2, padding=3, first=True),
    square("resnet18 layer1", 64, 56, 64, 3, padding=1),
    square("resnet18 layer2 down", 64, 56, 128, 3, stride=2, padding=1),
    square("resnet18 layer2 short", 64, 56, 128, 1, stride=2),
    square("resnet18 layer2", 128, 28, 128, 3, padding=1),
    square("resnet18 layer3 down", 128, 28, 256, 3, stride=2, padding=1),
    square("resnet18 layer3", 256, 14, 256, 3, padding=1),
    square("resnet18 layer4", 512, 7, 512, 3, padding=1),
)
SMALL = (
    square("lenet conv1", 1, 32, 6, 5, N=64, first=True),
    square("lenet conv2", 6, 14, 16, 5, N=64),
    square("lenet conv3", 16, 5, 120, 5, N=64),
    square("course conv1", 1, 28, 16, 3, N=64, padding=1, first=True),
    square("course conv2", 16, 14, 32, 3, N=64, padding=1),
    square("shapes conv1", 3, 24, 16, 7, N=64, padding=3, first=True),
    square("shapes conv2", 16, 12, 24, 3, N=64, padding=1),
    square("digits conv2", 32, 14, 64, 3, N=64, padding=1),
    square("deck 5×5", 3, 32, 10, 5, padding=2, first=True),
    square("deck 5×5", 3, 32, 10, 5, N=64, padding=2, first=True).batch(64),
)
OTHERS = (
    square("depthwise", 32, 56, 32, 3, N=4, padding=1, groups=32),
    square("depthwise stride 2", 64, 56, 64, 3, N=1, stride=2, padding=1, groups=64),
    square("pointwise", 64, 56, 128, 1, N=4),
    square("bottleneck 1×1", 256, 14, 1024, 1, N=4),
    square("dilated", 64, 32, 64, 3, N=2, padding=2, dilation=2),
    square("grouped", 64, 28, 128, 3, N=4, padding=1, groups=4),
    layer("sound 1-D", 20, (200,), 32, (30,), N=16, first=True),
    layer("speech 1-D", 64, (1000,), 64, (25,), N=4, padding=12),
    layer("clip 3-D", 8, (8, 28, 28), 16, (3, 3, 3), N=4, padding=1),
)


def suite():
    nets = {"AlexNet": ALEXNET, "VGG-16": VGG, "ResNet-18": RESNET}
    batches = [replace(one.batch(N), group=net) for net, layers in nets.items() for one in layers for N in (1, 4)]
    others = {"small nets": SMALL, "others": OTHERS}
    return [*batches, *(replace(one, group=name) for name, layers in others.items() for one in layers)]


def held_out():
    return [replace(one, group="held out") for one in HELD_OUT]


# Not looked at while rules are set: other nets, and sizes between those above.
HELD_OUT = (
    square("squeezenet conv1", 3, 224, 96, 7, N=2, stride=2, first=True),
    square("squeezenet fire expand", 32, 54, 128, 3, N=2, padding=1),
    square("squeezenet squeeze", 128, 54, 16, 1, N=2),
    square("densenet growth", 128, 28, 32, 3, N=2, padding=1),
    square("inception 5×5", 24, 14, 64, 5, N=8, padding=2),
    layer("inception 1×7", 160, (17, 17), 160, (1, 7), N=2, padding=(0, 3)),
    square("resnet50 bottleneck 3×3", 128, 28, 128, 3, N=8, padding=1),
    square("resnet50 last 1×1", 2048, 7, 512, 1, N=2),
    square("cifar conv1", 3, 32, 32, 3, N=128, padding=1, first=True),
    square("cifar conv2", 32, 16, 48, 3, N=128, padding=1),
    square("cifar down", 48, 16, 96, 3, N=32, stride=2, padding=1),
    square("mobilenet depthwise", 144, 28, 144, 3, N=2, padding=1, groups=144),
    square("unet 3×3", 48, 96, 48, 3, padding=1),
    square("super-resolution 9×9", 1, 96, 64, 9, padding=4, first=True),
    layer("waveform 1-D", 1, (16000,), 64, (80,), N=4, stride=4, first=True),
    layer("text 1-D", 100, (60,), 128, (5,), N=32, padding=2),
    layer("volume 3-D", 16, (12, 24, 24), 32, (3, 3, 3), N=1, padding=1),
    square("17 channels", 17, 31, 29, 3, N=16, padding=1),
)
