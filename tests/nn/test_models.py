"""The networks that made history have the published numbers of parameters, shapes and names."""

import tracemalloc

import numpy as np
import pytest

import cnnlab
from cnnlab import nn
from cnnlab.nn import models

# Name, input, parameters, multiply-adds of convolutions and fully connected layers.
# AlexNet, VGG-16, ResNet-18: torchvision states "num_params" and "_ops" (0.714, 15.47 and 1.814 billion multiply-adds)
# with its weights; the digits behind those are ours. LeNet-5: 156 + 2,416 + 48,120 + 10,164 + 850. Network in Network:
# summed by hand from the configuration that its docstring names; no published number was found.
PUBLISHED = {
    "lenet5": ((1, 32, 32), 61_706, 416_520),
    "alexnet": ((3, 224, 224), 61_100_840, 714_188_480),
    "vgg16": ((3, 224, 224), 138_357_544, 15_470_264_320),
    "resnet18": ((3, 224, 224), 11_689_512, 1_814_073_344),
    "network_in_network": ((3, 32, 32), 966_986, 1024 * 60_480 + 256 * 534_528 + 64 * 370_560),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name):
    shape, parameters, multiply_adds = PUBLISHED[name]
    net = getattr(models, name)(sketch=True)
    assert sum(p.data.size for p in net.parameters()) == parameters
    table = cnnlab.summary(net, shape)
    assert (table.parameters, table.multiply_adds) == (parameters, multiply_adds)
    assert table.output_shape == (10 if shape[1] == 32 else 1000,)


def test_a_sketch_takes_no_memory():
    tracemalloc.start()
    nets = [build(sketch=True) for build in (models.vgg16, models.alexnet, models.resnet18)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e6
    assert nets[0].features[0].weight.data.shape == (64, 3, 3, 3)
    assert {str(p.data.dtype) for p in nets[0].parameters()} == {"float32"}
    assert {str(p.data.dtype) for p in models.lenet5(sketch=True, dtype="float64").parameters()} == {"float64"}


# Shapes by hand, from the papers: the output of each stage for one picture.
STAGES = {
    "lenet5": {"0": (6, 28, 28), "2": (6, 14, 14), "3": (16, 10, 10), "5": (16, 5, 5), "6": (120, 1, 1), "9": (84,)},
    "alexnet": {
        "features.0": (64, 55, 55),
        "features.2": (64, 27, 27),
        "features.5": (192, 13, 13),
        "features.12": (256, 6, 6),
        "flatten": (9216,),
        "classifier.1": (4096,),
    },
    "vgg16": {"features.4": (64, 112, 112), "features.23": (512, 14, 14), "features.30": (512, 7, 7)},
    "resnet18": {
        "conv1": (64, 112, 112),
        "maxpool": (64, 56, 56),
        "layer1": (64, 56, 56),
        "layer2": (128, 28, 28),
        "layer3": (256, 14, 14),
        "layer4": (512, 7, 7),
        "avgpool": (512,),
    },
    "network_in_network": {"6": (96, 16, 16), "14": (192, 8, 8), "21": (10, 8, 8), "22": (10,)},
}


@pytest.mark.parametrize("name", STAGES)
def test_shapes_of_the_stages(name):
    table = cnnlab.summary(getattr(models, name)(sketch=True), PUBLISHED[name][0])
    assert {layer: table[layer].output_shape for layer in STAGES[name]} == STAGES[name]


def test_receptive_fields():
    """AlexNet and VGG-16 as published by Araujo, Norris and Sim (Distill, 2019)."""
    last = {"alexnet": ("features.12", 195, 32), "vgg16": ("features.30", 212, 32), "resnet18": ("layer4", 435, 32)}
    for name, (layer, field, jump) in last.items():
        row = cnnlab.summary(getattr(models, name)(sketch=True), (3, 224, 224))[layer]
        assert (row.receptive_field, row.jump) == ((field,) * 2, (jump,) * 2)


def test_names_and_shapes_are_those_of_torchvision():
    alexnet = {name: value.shape for name, value in models.alexnet(sketch=True).named_parameters()}
    assert alexnet["features.0.weight"] == (64, 3, 11, 11)
    assert alexnet["features.10.bias"] == (256,)
    assert alexnet["classifier.1.weight"] == (4096, 9216)
    assert alexnet["classifier.6.weight"] == (1000, 4096)
    assert len(alexnet) == 16
    vgg = {name: value.shape for name, value in models.vgg16(sketch=True).named_parameters()}
    assert vgg["features.28.weight"] == (512, 512, 3, 3)
    assert vgg["classifier.0.weight"] == (4096, 25088)
    assert vgg["classifier.3.bias"] == (4096,)
    assert len(vgg) == 32


def test_resnet_has_the_names_of_torchvision_with_its_running_statistics():
    state = {name: value.shape for name, value in models.resnet18(sketch=True).state_dict().items()}
    norms = ["bn1"]
    for stage in (1, 2, 3, 4):
        norms += [f"layer{stage}.{block}.bn{i}" for block in (0, 1) for i in (1, 2)]
        norms += [f"layer{stage}.0.downsample.1"] * (stage > 1)
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {f"{norm}.{part}" for norm in norms for part in parts}
    convolutions = [name.replace("bn", "conv").replace("downsample.1", "downsample.0") for name in norms]
    expected |= {f"{conv}.weight" for conv in convolutions} | {"fc.weight", "fc.bias"}
    assert set(state) == expected
    assert len(state) == 122
    assert state["layer2.0.downsample.0.weight"] == (128, 64, 1, 1)
    assert state["layer4.1.conv2.weight"] == (512, 512, 3, 3)
    assert state["layer3.0.bn1.running_var"] == (256,)


@pytest.mark.parametrize("name", ["lenet5", "network_in_network", "resnet18"])
def test_a_forward_and_a_backward_pass(name):
    shape = (1, 32, 32) if name == "lenet5" else (3, 32, 32)
    net = getattr(models, name)(rng=np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((2, *shape)).astype("float32")
    y = net(x)
    assert y.shape == (2, 1000 if name == "resnet18" else 10)
    assert y.dtype == np.float32
    assert np.all(np.isfinite(y))
    assert np.ptp(y) > 0
    dx = net.backward(np.ones_like(y))
    assert dx.shape == x.shape
    assert all(p.grad is not None and np.all(np.isfinite(p.grad)) for p in net.parameters())


@pytest.mark.oracle
def test_resnet_computes_what_pytorch_does_with_its_state(rng):
    """Table 1 of the paper, written out with PyTorch's functions over our state by torchvision's names."""
    import torch

    F = torch.nn.functional

    net = models.resnet18(num_classes=7, rng=rng, dtype="float64")
    for buffer in dict(net.named_buffers()).values():
        if buffer.data.ndim:  # running statistics that are not those of the start
            buffer.data = rng.uniform(0.5, 1.5, size=buffer.shape)
    w = {name: torch.from_numpy(value) for name, value in net.state_dict().items()}

    def norm(x, name):
        statistics = (w[f"{name}.running_mean"], w[f"{name}.running_var"])
        return F.batch_norm(x, *statistics, w[f"{name}.weight"], w[f"{name}.bias"])

    def block(x, name, stride):
        y = F.relu(norm(F.conv2d(x, w[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
        y = norm(F.conv2d(y, w[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
        if f"{name}.downsample.0.weight" in w:
            x = norm(F.conv2d(x, w[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
        return F.relu(x + y)

    x = rng.normal(size=(2, 3, 40, 33))
    y = F.relu(norm(F.conv2d(torch.from_numpy(x), w["conv1.weight"], stride=2, padding=3), "bn1"))
    y = F.max_pool2d(y, 3, 2, 1)
    for stage in (1, 2, 3, 4):
        y = block(block(y, f"layer{stage}.0", 1 if stage == 1 else 2), f"layer{stage}.1", 1)
    expected = F.linear(y.mean(dim=(2, 3)), w["fc.weight"], w["fc.bias"])
    np.testing.assert_allclose(net.eval()(x), expected.numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_the_features_run_on_a_small_picture(name):
    net = getattr(models, name)(sketch=True)
    x = np.ones((1, 3, 64, 80), np.float32)
    assert net.features(x).shape[1:] == cnnlab.summary(net.features, x.shape[1:]).output_shape


def test_gradient_of_a_residual_block(rng):
    for block in (models.BasicBlock(2, 2, rng=rng), models.BasicBlock(2, 4, 2, rng=rng)):
        assert cnnlab.gradient_check(block, rng.normal(size=(3, 2, 6, 5)))


def test_options(rng):
    assert models.lenet5(7, rng=rng)[-1].weight.shape == (7, 84)
    assert models.resnet18(5, sketch=True).fc.weight.shape == (5, 512)
    assert models.network_in_network(100, sketch=True)[-3].geometry.out_channels == 100
    one, other = (models.lenet5(rng=np.random.default_rng(3)).state_dict() for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    with pytest.raises(TypeError, match="rng must be"):
        models.lenet5(rng=3)


def test_stages_run_in_order_and_back():
    net = models.Stages(first=nn.Linear(3, 4, dtype="f8"), then=nn.Sigmoid(), last=nn.Linear(4, 2, dtype="f8"))
    same = nn.Sequential(net.first, net.then, net.last)
    x = np.random.default_rng(0).standard_normal((5, 3))
    np.testing.assert_array_equal(net(x), same(x))
    assert cnnlab.gradient_check(net, x)
