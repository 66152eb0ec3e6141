"""Receptive fields, against following every edge back to the input."""

import pytest

from cnnlab.geometry import ConvGeometry, PoolGeometry, ReceptiveField, receptive_field


def inputs_by_following_edges(layers, width, output):
    """All input positions from which a path leads to one output of a stack."""
    widths = [width]
    for layer in layers:
        widths.append(layer.output_size([widths[-1]])[0])
    reached = {output}
    for layer, below in zip(reversed(layers), reversed(widths[:-1]), strict=True):
        reached = {e.input[0] for e in layer.edges([below]) if e.output[0] in reached}
    return reached


STACKS = {
    "one layer": [ConvGeometry(3)],
    "three of kernel 3": [ConvGeometry(3)] * 3,
    "even kernel": [ConvGeometry(4), ConvGeometry(2)],
    "strides": [ConvGeometry(3, 2), ConvGeometry(3, 3), ConvGeometry(2)],
    "padding": [ConvGeometry(3, padding=1), ConvGeometry(5, stride=2, padding=2)],
    "same with an even kernel": [ConvGeometry(4, padding="same"), ConvGeometry(3, padding="same")],
    "dilation": [ConvGeometry(3, dilation=1), ConvGeometry(3, dilation=2), ConvGeometry(3, dilation=2)],
    "pooling": [ConvGeometry(3), PoolGeometry(2), ConvGeometry(3), PoolGeometry(3, 2, 1)],
}


@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS)
def test_field_is_what_the_edges_reach(layers):
    width, field = 40, receptive_field(layers)
    top = width
    for layer in layers:
        (top,) = layer.output_size([top])
    for output in range(top):
        inputs = field.inputs([output])[0]
        assert inputs_by_following_edges(layers, width, output) == {i for i in inputs if 0 <= i < width}


def test_a_stride_longer_than_the_kernel_leaves_gaps_inside_the_field():
    layers = [ConvGeometry(2, stride=3), ConvGeometry(2)]
    inputs = receptive_field(layers).inputs([1])[0]
    reached = inputs_by_following_edges(layers, 20, 1)
    assert (min(reached), max(reached)) == (inputs[0], inputs[-1])
    assert len(reached) < len(inputs)


def test_each_layer_adds_kernel_minus_one():
    for L in range(1, 6):
        assert receptive_field([ConvGeometry((5, 3))] * L).field == (1 + L * 4, 1 + L * 2)  # D38


def test_one_layer_sees_its_kernel():
    assert ConvGeometry((3, 5), padding=(1, 0)).receptive_field() == ReceptiveField(
        field=(3, 5), jump=(1, 1), start=(-1, 0)
    )


def test_vgg16_before_its_classifier():
    conv, pool = ConvGeometry((3, 3), padding=1), PoolGeometry((2, 2))
    stack = [conv, conv, pool, conv, conv, pool, *[conv, conv, conv, pool] * 3]
    field = receptive_field(stack)
    assert field.field == (212, 212)  # as published by Araujo, Norris and Sim
    assert field.jump == (32, 32)


def test_downsampling_widens_the_field_of_what_follows():
    assert receptive_field([ConvGeometry(3), ConvGeometry(3)]).field == (5,)
    assert receptive_field([ConvGeometry(3, stride=2), ConvGeometry(3)]).field == (7,)


def test_nothing_and_unequal_layers_are_refused():
    with pytest.raises(ValueError, match=r"^a receptive field needs at least one layer$"):
        receptive_field([])
    with pytest.raises(ValueError, match=r"kernel \(3,\) has 1 axes, the layers below it have 2"):
        receptive_field([ConvGeometry((3, 3)), ConvGeometry(3)])
