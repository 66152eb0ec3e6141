"""Pooling with dilation and ceil_mode, against moving a window along the axis by hand."""

from itertools import product

import pytest

from cnnlab.geometry import PoolGeometry

AXES = [
    (width, kernel, stride, padding, dilation)
    for width, kernel, stride in product(range(1, 9), [1, 2, 3, 4], [1, 2, 3, 5])
    for padding, dilation in product(range(kernel // 2 + 1), [1, 2, 3])
]


def windows_by_hand(width, kernel, stride, padding, dilation):
    """List the taps of every window: it starts before the end of the input and sticks out by less than a stride."""
    windows, start = [], -padding
    while True:
        taps = [start + t * dilation for t in range(kernel)]
        if start >= width or taps[-1] - stride >= width + padding - 1:
            return windows
        windows.append(taps)
        start += stride


def geometry(width, kernel, stride, padding, dilation):
    return PoolGeometry(kernel, stride, padding, dilation, ceil_mode=True)


def fits(axis):
    width, kernel, stride, padding, dilation = axis
    return dilation * (kernel - 1) + 1 - stride < width + 2 * padding


FITTING = [axis for axis in AXES if fits(axis)]


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_windows_are_opened_until_nothing_is_left_over(stride):
    cases = [axis for axis in FITTING if axis[2] == stride]
    assert len(cases) > 100
    for axis in cases:
        assert geometry(*axis).output_size([axis[0]]) == (len(windows_by_hand(*axis)),), axis


def test_only_a_window_that_sticks_out_by_a_whole_stride_is_too_large():
    refused = 0
    for axis in AXES:
        if not fits(axis):
            refused += 1
            with pytest.raises(ValueError, match="larger than the padded input"):
                geometry(*axis).output_size([axis[0]])
    assert refused > 50


def test_beyond_the_padding_there_is_room_for_less_than_a_stride():
    options = {"stride": 3, "padding": 1}
    assert PoolGeometry(2, **options).sources([4]) == [[None, 0, 1, 2, 3, None]]
    assert PoolGeometry(2, **options, ceil_mode=True).sources([4]) == [[None, 0, 1, 2, 3, None, None, None]]


def test_edges_are_the_taps_inside_the_input():
    for axis in FITTING:
        width = axis[0]
        found = [(e.output[0], e.tap[0], e.input[0]) for e in geometry(*axis).edges([width])]
        by_hand = [
            (o, t, i) for o, taps in enumerate(windows_by_hand(*axis)) for t, i in enumerate(taps) if 0 <= i < width
        ]
        assert found == by_hand, axis


def test_inner_taps_are_the_edges():
    for axis in FITTING:
        g, width = geometry(*axis), axis[0]
        found = []
        for tap, (seen,), (seers,) in g.inner_taps([width]):
            outputs = range(g.output_size([width])[0])
            found += [(tap, (i,), (o,)) for i, o in zip(range(width)[seen], outputs[seers], strict=True)]
        assert sorted(found) == sorted(map(tuple, g.edges([width])))


@pytest.mark.parametrize("in_padding", [False, True])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_taps_are_counted_in_the_input_or_with_its_padding(in_padding, ceil_mode):
    for axis in FITTING:
        width, kernel, stride, padding, dilation = axis
        if not ceil_mode and dilation * (kernel - 1) + 1 > width + 2 * padding:
            continue
        g = PoolGeometry(kernel, stride, padding, dilation, ceil_mode=ceil_mode)
        added = padding if in_padding else 0
        windows = windows_by_hand(*axis)[: g.output_size([width])[0]]
        by_hand = [sum(-added <= i < width + added for i in taps) for taps in windows]
        assert g.tap_counts([width], in_padding=in_padding) == [by_hand], axis


def test_axes_do_not_mix():
    g = PoolGeometry((3, 2), (2, 3), (1, 0), (1, 2), ceil_mode=True)
    assert g.output_size((6, 7)) == (4, 3)
    assert g.tap_counts((6, 7), in_padding=False) == [[2, 3, 3, 1], [2, 2, 1]]


def test_without_a_rest_rounding_up_changes_nothing():
    for axis in AXES:
        width, kernel, stride, padding, dilation = axis
        room = width + 2 * padding - dilation * (kernel - 1) - 1
        if room >= 0 and room % stride == 0:
            plain = PoolGeometry(kernel, stride, padding, dilation)
            assert geometry(*axis).output_size([width]) == plain.output_size([width])


@pytest.mark.parametrize("shape", [(2, 0, 4), (2, 3, 0), (3, 0)])
def test_there_must_be_something_to_pool(shape):
    with pytest.raises(ValueError, match="has nothing to pool: only the batch may be empty"):
        PoolGeometry(2, padding=1).output_shape(shape)


def test_an_empty_batch_stays_empty():
    assert PoolGeometry(2).output_shape((0, 3, 4)) == (0, 3, 2)


def test_geometries_are_values():
    assert PoolGeometry(2) == PoolGeometry(2, 2, 0, 1, ceil_mode=False) != PoolGeometry(2, ceil_mode=True)
    with pytest.raises(AttributeError):
        PoolGeometry(2).ceil_mode = True


def test_ceil_mode_is_true_or_false():
    with pytest.raises(TypeError, match="ceil_mode must be True or False, not 1"):
        PoolGeometry(2, ceil_mode=1)
