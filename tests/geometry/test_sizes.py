"""Sizes, windows and taps, against counting by hand and against each other."""

from itertools import product

import pytest

from cnnlab.geometry import ConvGeometry, PoolGeometry, WindowGeometry

AXES = [
    (width, kernel, stride, padding, dilation)
    for width, kernel, stride, padding, dilation in product([1, 4, 7, 8], [1, 2, 3], [1, 2, 3], [0, 1, 2], [1, 2])
    if width + 2 * padding >= dilation * (kernel - 1) + 1
]


def count_positions(width, kernel, stride, padding, dilation):
    """Move a window along the axis until it no longer fits."""
    start, count = -padding, 0
    while start + dilation * (kernel - 1) < width + padding:
        start, count = start + stride, count + 1
    return count


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_size_is_the_number_of_windows_that_fit(stride, dilation):
    cases = [axis for axis in AXES if axis[2] == stride and axis[4] == dilation]
    assert len(cases) > 25
    for width, kernel, _, padding, _ in cases:
        g = WindowGeometry(kernel, stride, padding, dilation)
        assert g.output_size([width]) == (count_positions(width, kernel, stride, padding, dilation),)


@pytest.mark.parametrize(
    ("width", "options", "size"),
    [
        (7, {"kernel": 3}, 5),  # D35
        (32, {"kernel": 5}, 28),  # D29
        (32, {"kernel": 5, "padding": 2}, 32),  # D41
        (7, {"kernel": 3, "stride": 2}, 3),  # D40
        (32, {"kernel": 3, "padding": 1, "stride": 2}, 16),  # D47
        (227, {"kernel": 11, "stride": 4}, 55),  # AlexNet
    ],
)
def test_sizes_of_the_deck(width, options, size):
    assert ConvGeometry(**options).output_size([width]) == (size,)


def test_axes_do_not_mix():
    g = ConvGeometry((3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 3))
    assert g.output_size((9, 8)) == (5, 5)


def test_output_shape_carries_batch_and_channels():
    g = ConvGeometry((3, 2), in_channels=4, out_channels=6, groups=2)
    assert g.output_shape((5, 4, 7, 8)) == (5, 6, 5, 7)
    assert g.output_shape((4, 7, 8)) == (6, 5, 7)
    assert PoolGeometry((3, 2)).output_shape((5, 4, 7, 8)) == (5, 4, 2, 4)


def test_of_weight_reads_channels_from_the_shape():
    g = ConvGeometry.of_weight((6, 2, 3, 2), groups=2, stride=2)
    assert (g.in_channels, g.out_channels, g.kernel, g.weight_shape) == (4, 6, (3, 2), (6, 2, 3, 2))


def test_worked_example_of_the_deck():
    g = ConvGeometry((5, 5), padding=2, in_channels=3, out_channels=10)
    assert g.output_shape((3, 32, 32)) == (10, 32, 32)  # D41
    assert g.parameter_count() == 760  # D42
    assert g.parameter_count(bias=False) == 750
    assert g.mac_count((3, 32, 32)) == 768_000  # D43
    assert g.mac_count((4, 3, 32, 32)) == 4 * 768_000


def test_groups_divide_weights_and_work():
    whole = ConvGeometry((3, 3), in_channels=8, out_channels=8)
    depthwise = ConvGeometry((3, 3), in_channels=8, out_channels=8, groups=8)
    assert whole.parameter_count(bias=False) == 8 * depthwise.parameter_count(bias=False)
    assert whole.mac_count((8, 5, 6)) == 8 * depthwise.mac_count((8, 5, 6))


def test_pooling_learns_nothing():
    pool = PoolGeometry((2, 2))
    assert pool.parameter_count() == 0
    assert pool.mac_count((3, 4, 4)) == 0
    with pytest.raises(ValueError, match="larger than the padded input"):
        pool.mac_count((3, 1, 4))


def visited(slices, shape):
    return list(product(*(range(n)[s] for s, n in zip(slices, shape, strict=True))))


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": (2, 1)}, {"padding": (1, 2)}, {"dilation": (2, 1)}, {"stride": 2, "padding": 1, "dilation": 2}],
)
def test_taps_and_windows_are_two_views_of_one_table(options):
    g, spatial = WindowGeometry((2, 3), **options), (6, 7)
    padded = [n + sum(p) for n, p in zip(spatial, g.padding, strict=True)]
    outputs = list(product(*map(range, g.output_size(spatial))))
    taps = list(product(range(2), range(3)))
    by_tap = {(tap, o): i for tap, seen in g.taps(spatial) for o, i in zip(outputs, visited(seen, padded), strict=True)}
    by_window = {
        (tap, o): i for o, window in g.windows(spatial) for tap, i in zip(taps, visited(window, padded), strict=True)
    }
    assert by_tap == by_window
    assert [tap for tap, _ in g.taps(spatial)] == taps
    assert [o for o, _ in g.windows(spatial)] == outputs


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_inner_taps_are_the_edges(stride):
    for width, kernel, _, padding, dilation in [axis for axis in AXES if axis[2] == stride]:
        g, spatial = WindowGeometry((kernel, 2), (stride, 1), (padding, 1), (dilation, 1)), (width, 3)
        out = g.output_size(spatial)
        found = []
        for tap, seen, seers in g.inner_taps(spatial):
            assert all(0 <= s.start <= s.stop <= n for s, n in zip(seen, spatial, strict=True))
            found += [(tap, i, o) for i, o in zip(visited(seen, spatial), visited(seers, out), strict=True)]
        assert sorted(found) == sorted(map(tuple, g.edges(spatial)))
