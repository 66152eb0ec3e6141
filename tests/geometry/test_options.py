"""Every option is read as PyTorch reads it, and a wrong one is answered with its value and the next step."""

import pytest

from cnnlab.geometry import ConvGeometry, PoolGeometry


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


def test_pooling_stride_is_the_kernel_unless_given():
    assert PoolGeometry((3, 2)).stride == (3, 2)
    assert PoolGeometry((3, 2), stride=1).stride == (1, 1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ConvGeometry(()), ValueError, "kernel has no axis"),
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
            "has 2 channels and the layer has in_channels=3",
        ),
        (
            lambda: ConvGeometry(3, padding=3, padding_mode="reflect").output_shape((1, 3)),
            ValueError,
            'padding 3 with padding_mode "reflect" needs an input of at least 4, not 3',
        ),
        (
            lambda: ConvGeometry(3, padding=4, padding_mode="circular").output_shape((1, 3)),
            ValueError,
            'padding 4 with padding_mode "circular" needs an input of at least 4, not 3',
        ),
        (lambda: PoolGeometry(3, padding=2), ValueError, "padding 2 is more than half of the pooling kernel 3"),
        (lambda: PoolGeometry((2, 2)).output_shape((2, 2)), ValueError, r"shape \(2, 2\) does not fit kernel \(2, 2\)"),
        (lambda: PoolGeometry(4).output_shape((1, 3)), ValueError, "kernel 4 is larger than the padded input 3"),
    ],
)
def test_wrong_option_is_answered_with_its_value_and_the_next_step(make, error, message):
    with pytest.raises(error, match=message):
        make()
