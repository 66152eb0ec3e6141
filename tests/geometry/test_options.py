"""Every option is read as PyTorch reads it, and a wrong one is answered with its value and the next step."""

from fractions import Fraction
from math import inf, nan
from sys import float_info

import numpy as np
import pytest

from cnnlab.geometry import ConvGeometry, ConvTransposeGeometry, PoolGeometry, ReceptiveField, WindowGeometry
from cnnlab.geometry.options import above_zero, number, number_between, truth


def test_one_number_holds_for_every_axis():
    g = ConvGeometry((3, 2, 4), stride=2, padding=1, dilation=3)
    assert g.stride == (2, 2, 2)
    assert g.dilation == (3, 3, 3)
    assert g.padding == ((1, 1), (1, 1), (1, 1))


def test_an_int_kernel_has_one_axis():
    assert ConvGeometry(3).kernel == (3,)


def test_lists_and_tuples_are_the_same_geometry():
    assert ConvGeometry([3, 2], [1, 2], [0, 1], [1, 1]) == ConvGeometry((3, 2), (1, 2), (0, 1))


def test_geometries_are_values():
    assert len({ConvGeometry(3), ConvGeometry((3,)), ConvGeometry(3, padding=1)}) == 2
    with pytest.raises(AttributeError):
        ConvGeometry(3).stride = (2,)


def test_valid_adds_nothing():
    assert ConvGeometry((3, 5), padding="valid") == ConvGeometry((3, 5), padding=0)


@pytest.mark.parametrize(
    ("kernel", "dilation", "pads"),
    [(1, 1, (0, 0)), (3, 1, (1, 1)), (5, 2, (4, 4)), (2, 1, (0, 1)), (4, 1, (1, 2)), (4, 3, (4, 5))],
)
def test_same_adds_the_odd_one_at_the_end(kernel, dilation, pads):
    assert ConvGeometry(kernel, padding="same", dilation=dilation).padding == (pads,)


@pytest.mark.parametrize("kernel", range(1, 6))
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("width", [1, 4, 7])
def test_same_keeps_the_size(kernel, dilation, width):
    assert ConvGeometry(kernel, padding="same", dilation=dilation).output_size([width]) == (width,)


def test_pads_may_differ_at_the_two_ends():
    assert ConvGeometry((2, 2), padding=((0, 1), 2)).padding == ((0, 1), (2, 2))


def test_padding_as_it_is_stored_can_be_given_again():
    g = ConvGeometry((4, 3), padding="same")
    assert ConvGeometry(g.kernel, g.stride, g.padding, g.dilation) == g


def test_options_left_out_are_those_of_pytorch():
    given = {"stride": 1, "padding": 0, "dilation": 1}
    assert WindowGeometry((3, 2)) == WindowGeometry((3, 2), **given)
    more = {"groups": 1, "in_channels": 1, "out_channels": 1}
    assert ConvGeometry((3, 2)) == ConvGeometry((3, 2), **given, **more, padding_mode="zeros")
    assert ConvTransposeGeometry((3, 2)) == ConvTransposeGeometry((3, 2), **given, **more, output_padding=0)
    assert PoolGeometry((3, 2)) == PoolGeometry((3, 2), (3, 2), padding=0, dilation=1, ceil_mode=False)


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3)], ids=repr)
def test_whole_numbers_of_every_kind_are_ints(value):
    g = ConvGeometry((value, value), value, value, value, in_channels=value, out_channels=value, groups=value)
    assert g == ConvGeometry((3, 3), 3, 3, 3, in_channels=3, out_channels=3, groups=3)
    assert {type(n) for n in (*g.kernel, *g.stride, *g.padding[0], *g.dilation, g.in_channels, g.groups)} == {int}


@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_may_be_those_of_numpy(value):
    assert truth("bias", np.bool_(value)) is truth("bias", value) is value


@pytest.mark.parametrize("value", [None, 1, 0.0, "yes", np.ones(2, bool), np.array(1)], ids=repr)
def test_nothing_else_is_true_or_false(value):
    with pytest.raises(TypeError, match=r"^bias must be True or False, not "):
        truth("bias", value)


def test_numbers_of_every_kind_are_floats():
    for value in (3, 0.5, Fraction(1, 2), np.float16(0.5), np.int8(3)):
        assert type(number("p", value)) is float
        assert number("p", value) == value
    assert (number("p", 10**400), number("p", -(10**400))) == (inf, -inf)
    assert (number_between("p", 0, 0, 1), number_between("p", 1, 0, 1)) == (0, 1)


@pytest.mark.parametrize("value", [True, None, "1", 1j, np.ones(1)], ids=repr)
def test_nothing_else_is_a_number(value):
    with pytest.raises(TypeError, match=r"^p must be a number, not "):
        number("p", value)


@pytest.mark.parametrize("value", [-0.1, 1.1, nan, 10**400])
def test_a_number_out_of_its_range_is_named(value):
    with pytest.raises(ValueError, match=rf"^p \(={value}\) must be from 0 to 1$"):
        number_between("p", value, 0, 1)


@pytest.mark.parametrize("value", [-0.1, inf, nan, 10**400])
def test_a_range_without_end_asks_for_a_finite_number(value):
    assert number_between("eps", 1e300, 0, float_info.max) == 1e300
    with pytest.raises(ValueError, match=rf"^eps \(={value}\) must be a finite number of 0 or more$"):
        number_between("eps", value, 0, float_info.max)


@pytest.mark.parametrize("value", [0, -1, nan])
def test_what_is_not_above_zero_is_named(value):
    assert above_zero("temperature", inf) == inf
    with pytest.raises(ValueError, match=rf"^temperature \(={value}\) must be above 0$"):
        above_zero("temperature", value)


def test_padding_as_large_as_no_memory_is_only_counted():
    """Nothing is made for each position: asking for a size costs nothing."""
    assert ConvGeometry(3, padding=10**15).output_shape((1, 8)) == (1, 2 * 10**15 + 6)


OF_TWO_AXES = {
    "sources": lambda: ConvGeometry((2, 2)).sources([3]),
    "sources of a window": lambda: WindowGeometry((2, 2)).sources([3]),
    "sources of a pool": lambda: PoolGeometry((2, 2)).sources([3]),
    "input size": lambda: WindowGeometry((2, 2)).input_size([3]),
    "output size": lambda: WindowGeometry((2, 2)).output_size([3]),
    "taps": lambda: list(WindowGeometry((2, 2)).taps([3])),
    "inner taps": lambda: list(WindowGeometry((2, 2)).inner_taps([3])),
    "windows": lambda: list(WindowGeometry((2, 2)).windows([3])),
    "edges": lambda: list(WindowGeometry((2, 2)).edges([3])),
    "edges of a transposed convolution": lambda: list(ConvTransposeGeometry((2, 2)).edges([3])),
    "inputs of an output": lambda: ReceptiveField.of_input(2).inputs([3]),
}


@pytest.mark.parametrize("ask", OF_TWO_AXES.values(), ids=OF_TWO_AXES)
def test_two_axes_do_not_take_one(ask):
    with pytest.raises(ValueError):
        ask()


def test_pooling_stride_is_the_kernel_unless_given():
    assert PoolGeometry((3, 2)).stride == (3, 2)
    assert PoolGeometry((3, 2), stride=1).stride == (1, 1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: ConvGeometry(()),
            ValueError,
            r"^kernel has no axis: give one size for each spatial axis, as \(3, 3\) for pictures$",
        ),
        (lambda: ConvGeometry(3, padding=((1, -2),)), ValueError, r"^padding \(=-2\) must be at least 0$"),
        (lambda: ConvGeometry(3, padding=((-1, 2),)), ValueError, r"^padding \(=-1\) must be at least 0$"),
        (
            lambda: ConvGeometry(3).output_shape((1, 5.5)),
            TypeError,
            "a size of the input must be a whole number, not 5.5",
        ),
        (lambda: ConvGeometry(3).output_shape((1, -5)), ValueError, r"a size of the input \(=-5\) must be at least 0"),
        (
            lambda: ConvGeometry(3).output_shape(5),
            TypeError,
            r"must be \(N, C, \*spatial\) or \(C, \*spatial\), not 5$",
        ),
        (lambda: ConvGeometry((3, 0)), ValueError, r"kernel \(=0\) must be at least 1"),
        (lambda: ConvGeometry(2.0), TypeError, "kernel must be a whole number, not 2.0"),
        (lambda: ConvGeometry("3"), TypeError, "kernel must be a whole number, not '3'"),
        (lambda: ConvGeometry(True), TypeError, "kernel must be a whole number, not True"),
        (lambda: ConvGeometry((3, 3), stride=0), ValueError, r"stride \(=0\) must be at least 1"),
        (
            lambda: ConvGeometry((3, 3), stride=(1, 2, 3)),
            ValueError,
            r"stride \(1, 2, 3\) has 3 entries for 2 spatial axes",
        ),
        (lambda: ConvGeometry((3, 3), stride=None), TypeError, "stride must be a whole number, not None"),
        (lambda: ConvGeometry((3, 3), dilation=0), ValueError, r"dilation \(=0\) must be at least 1"),
        (lambda: ConvGeometry((3, 3), dilation=1.5), TypeError, "dilation must be a whole number, not 1.5"),
        (lambda: ConvGeometry((3, 3), padding=-1), ValueError, r"padding \(=-1\) must be at least 0"),
        (lambda: ConvGeometry((3, 3), padding=(1,)), ValueError, r"padding \(1,\) has 1 entries for 2 spatial axes"),
        (lambda: ConvGeometry((3, 3), padding="full"), ValueError, 'padding \'full\' is unknown.*"same" or "valid"'),
        (
            lambda: ConvGeometry(3, padding=((1, 2, 3),)),
            ValueError,
            r"padding \(1, 2, 3\) of one axis must be a number or a pair",
        ),
        (
            lambda: ConvGeometry((3, 3), stride=(1, 2), padding="same"),
            ValueError,
            r'"same" needs stride 1, not \(1, 2\)',
        ),
        (
            lambda: ConvGeometry(3, padding_mode="mirror"),
            ValueError,
            "'mirror' is unknown: choose one of zeros, reflect, replicate, circular",
        ),
        (lambda: ConvGeometry(3, groups=0), ValueError, r"groups \(=0\) must be at least 1"),
        (
            lambda: ConvGeometry(3, in_channels=6, out_channels=4, groups=4),
            ValueError,
            r"in_channels \(=6\) must be divisible by groups \(=4\)",
        ),
        (
            lambda: ConvGeometry(3, in_channels=4, out_channels=6, groups=4),
            ValueError,
            r"out_channels \(=6\) must be divisible by groups \(=4\)",
        ),
        (lambda: ConvGeometry(3, in_channels=0), ValueError, r"in_channels \(=0\) must be at least 1"),
        (
            lambda: ConvGeometry.of_weight((3, 3)),
            ValueError,
            r"weights have shape \(3, 3\): expected \(C_out, C_in/groups, \*kernel\)",
        ),
        (
            lambda: ConvGeometry(5).output_size([4]),
            ValueError,
            "kernel 5 is larger than the padded input 4: add padding or use a smaller kernel",
        ),
        (
            lambda: ConvGeometry(3, dilation=3, padding=1).output_size([4]),
            ValueError,
            "kernel 3 with dilation 3 covers 7 and is larger than the padded input 6",
        ),
        (
            lambda: ConvGeometry((3, 3)).output_size([7]),
            ValueError,
            r"1 spatial axes \(7,\) and the kernel \(3, 3\) has 2",
        ),
        (lambda: ConvGeometry((3, 3)).output_shape((7, 7)), ValueError, r"shape \(7, 7\) does not fit kernel \(3, 3\)"),
        (
            lambda: ConvGeometry((3, 3), in_channels=3).output_shape((1, 2, 7, 7)),
            ValueError,
            "has 2 channels and the layer has in_channels=3: build the layer for the input, or bring the channels in "
            "front of the spatial axes$",
        ),
        (
            lambda: ConvGeometry(3, padding=3, padding_mode="reflect").output_shape((1, 3)),
            ValueError,
            'padding 3 with padding_mode "reflect" needs an input of at least 4, not 3: pad less or use padding_mode '
            '"zeros"$',
        ),
        (
            lambda: ConvGeometry(3, padding=4, padding_mode="circular").output_shape((1, 3)),
            ValueError,
            'padding 4 with padding_mode "circular" needs an input of at least 4, not 3',
        ),
        (
            lambda: PoolGeometry(3, padding=2),
            ValueError,
            "padding 2 is more than half of the pooling kernel 3: a window could lie in the padding alone; pad less$",
        ),
        (lambda: PoolGeometry((2, 2)).output_shape((2, 2)), ValueError, r"shape \(2, 2\) does not fit kernel \(2, 2\)"),
        (lambda: PoolGeometry(4).output_shape((1, 3)), ValueError, "kernel 4 is larger than the padded input 3"),
    ],
)
def test_wrong_option_is_answered_with_its_value_and_the_next_step(make, error, message):
    with pytest.raises(error, match=message):
        make()
