"""Transposed convolution: the connections of a convolution with the ends exchanged."""

from itertools import product

import pytest

from cnnlab.geometry import ConvGeometry, ConvTransposeGeometry

AXES = [
    (inputs, kernel, stride, padding, dilation, more)
    for inputs, kernel, stride, padding, dilation, more in product(
        [1, 2, 5], [1, 2, 3], [1, 2, 3], [0, 1, 2], [1, 2, 3], [0, 1, 2]
    )
    if more < max(stride, dilation)
]


def places(axis):
    """List all (tap, input, output) by laying out a copy of the kernel at every S-th place, then cutting both ends."""
    inputs, kernel, stride, padding, dilation, more = axis
    length = (inputs - 1) * stride + dilation * (kernel - 1) + 1 + more - 2 * padding
    triples = [(t, i, i * stride + t * dilation - padding) for i in range(inputs) for t in range(kernel)]
    return length, {((t,), (i,), (o,)) for t, i, o in triples if 0 <= o < length}


def geometry(axis):
    _, kernel, stride, padding, dilation, more = axis
    return ConvTransposeGeometry(kernel, stride, padding, more, dilation)


def test_size_and_edges_are_those_of_kernels_laid_out_side_by_side():
    refused = 0
    for axis in AXES:
        length, edges = places(axis)
        g = geometry(axis)
        if length < 1:
            refused += 1
            with pytest.raises(ValueError, match="cuts off the whole output"):
                g.output_size([axis[0]])
            continue
        assert g.output_size([axis[0]]) == (length,), axis
        found = [tuple(edge) for edge in g.edges([axis[0]])]
        assert len(found) == len(set(found))
        assert set(found) == edges, axis
    assert 0 < refused < len(AXES) / 2


def test_the_adjoint_of_its_output_has_the_size_of_the_input():
    for axis in AXES:
        inputs, _, stride, _, _, more = axis
        g = geometry(axis)
        if more < stride and places(axis)[0] >= 1:
            assert g.adjoint.output_size(g.output_size([inputs])) == (inputs,), axis


@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"stride": 3, "padding": 1}, {"dilation": 2}])
def test_input_size_is_the_smallest_with_so_many_windows(options):
    g = ConvGeometry(3, **options)
    for windows in range(1, 6):
        (size,) = g.input_size([windows])
        assert g.output_size([size]) == (windows,)
        if windows > 1:
            assert g.output_size([size - 1]) == (windows - 1,)


def test_output_padding_tells_apart_inputs_that_give_equally_many_windows():
    conv = ConvGeometry(3, stride=2, padding=1)
    for width in (7, 8):
        (windows,) = conv.output_size([width])
        more = width - conv.input_size([windows])[0]
        assert ConvTransposeGeometry(3, 2, 1, more).output_size([windows]) == (width,)


def test_options_left_out_change_nothing():
    plain = ConvTransposeGeometry(3, 1, 0, 0, 1, groups=1, in_channels=1, out_channels=1)
    assert plain == ConvTransposeGeometry(3) == ConvTransposeGeometry.of_weight((1, 1, 3))
    assert plain != ConvTransposeGeometry(3, stride=2, output_padding=1)
    assert len({plain, ConvTransposeGeometry((3,))}) == 1
    with pytest.raises(AttributeError):
        plain.output_padding = (1,)


def test_shapes_channels_and_costs():
    g = ConvTransposeGeometry((3, 2), (2, 1), (1, 0), (1, 0), groups=2, in_channels=4, out_channels=6)
    assert (g.in_channels, g.out_channels, g.weight_shape) == (4, 6, (4, 3, 3, 2))
    assert g.output_shape((5, 4, 3, 7)) == (5, 6, 6, 8)
    assert g.output_shape((4, 3, 7)) == (6, 6, 8)
    assert g == ConvTransposeGeometry.of_weight(
        (4, 3, 3, 2), stride=(2, 1), padding=(1, 0), output_padding=(1, 0), groups=2
    )
    assert g.parameter_count() == 4 * 3 * 6 + 6
    assert g.parameter_count(bias=False) == 4 * 3 * 6
    # without padding each multiplication is an edge, for each channel of the group
    plain = ConvTransposeGeometry((3, 2), 2, groups=2, in_channels=4, out_channels=6)
    edges = sum(1 for _ in plain.edges((3, 7)))
    assert plain.mac_count((4, 3, 7)) == edges * 4 * 3
    assert plain.mac_count((5, 4, 3, 7)) == 5 * edges * 4 * 3


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: ConvTransposeGeometry(3, 2, output_padding=2),
            ValueError,
            r"output_padding \(=2\) must be smaller than stride \(=2\) or dilation \(=1\)",
        ),
        (lambda: ConvTransposeGeometry(3, output_padding=-1), ValueError, r"output_padding \(=-1\) must be at least 0"),
        (lambda: ConvTransposeGeometry(3, output_padding=0.5), TypeError, "output_padding must be a whole number"),
        (lambda: ConvTransposeGeometry(3, padding="same"), ValueError, "padding 'same' .* transposed convolution"),
        (
            lambda: ConvTransposeGeometry(3, groups=4, in_channels=6, out_channels=8),
            ValueError,
            r"in_channels \(=6\) must be divisible by groups \(=4\)",
        ),
        (
            lambda: ConvTransposeGeometry(3, groups=4, in_channels=8, out_channels=6),
            ValueError,
            r"out_channels \(=6\) must be divisible by groups \(=4\)",
        ),
        (lambda: ConvTransposeGeometry.of_weight((3, 3)), ValueError, r"expected \(C_in, C_out/groups, \*kernel\)"),
        (
            lambda: ConvTransposeGeometry(2, padding=1).output_size([1]),
            ValueError,
            r"cuts off the whole output, \(0,\)",
        ),
        (lambda: ConvTransposeGeometry((2, 2)).output_size([4]), ValueError, r"spatial axes \(4,\) .* equally many"),
        (
            lambda: ConvTransposeGeometry(2).output_shape((1, 1, 0)),
            ValueError,
            "they must be equally many, and none of length 0$",
        ),
        (
            lambda: ConvTransposeGeometry(2, in_channels=3).output_shape((1, 2, 4)),
            ValueError,
            "has 2 channels and the layer has in_channels=3",
        ),
    ],
)
def test_wrong_option_is_answered_with_its_value_and_the_next_step(make, error, message):
    with pytest.raises(error, match=message):
        make()
