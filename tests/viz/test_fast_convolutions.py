"""The figures of lecture 11: what they say is counted here once more."""

import re

import numpy as np
import pytest

from cnnlab import viz
from cnnlab.viz import style


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pixel", "times"),
    [
        ((5, 5), (3, 3), 1, (2, 2), 9),
        ((5, 5), (3, 3), 1, (0, 0), 1),
        ((4, 6), (2, 3), 1, (1, 4), 4),
        ((5, 5), (3, 3), 2, (2, 2), 4),
    ],
)
def test_a_pixel_stands_in_each_window_that_sees_it(size, kernel, stride, pixel, times):
    starts = [range(0, n - k + 1, stride) for n, k in zip(size, kernel, strict=True)]
    seen = [
        all(s <= p < s + k for s, p, k in zip((r, c), pixel, kernel, strict=True)) for r in starts[0] for c in starts[1]
    ]
    assert sum(seen) == times
    drawn = viz.window_columns(size, kernel, stride=stride, pixel=pixel)
    assert f"a matrix of {kernel[0] * kernel[1]} rows and {len(seen)} columns" in drawn.alt
    assert drawn.alt.endswith(f"it stands {times} times in the matrix.")
    filled = drawn.light.count(f"fill: {style.palette('light').highlight}".encode())
    assert filled == times + 1  # and once in the picture


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (((2, 5), (3, 3)), {}, r"kernel \(3, 3\) at stride 1 does not fit"),
        (((5, 5), (3, 3)), {"pixel": (5, 0)}, r"pixel \(5, 0\) does not exist"),
        (((5, 5), (3, 3)), {"window": 9}, "window 9 does not exist: there are 9"),
        (((8, 8), (2, 2)), {}, r"a matrix of \(4, 49\) is too large"),
        (((6, 6), (5, 5)), {}, r"a matrix of \(25, 4\) is too large"),
    ],
)
def test_columns_that_cannot_be_drawn(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        viz.window_columns(*arguments, **options)


def test_four_products_give_the_outputs_of_the_definition():
    rng = np.random.default_rng(0)
    d, g = rng.integers(-9, 10, 4), rng.integers(-9, 10, 3)
    drawn = viz.minimal_filtering(d.tolist(), g.tolist())
    said = re.search(r"added and subtracted to give (\S+) and (\S+)\.$", drawn.alt)
    assert [float(said[i].replace("−", "-")) for i in (1, 2)] == np.correlate(d, g).tolist()
    with pytest.raises(ValueError, match="3 inputs and 3 weights"):
        viz.minimal_filtering([1, 2, 3], [1, 2, 3])


def test_runs_are_those_of_an_array_in_that_order():
    sizes, window = {"N": 3, "C": 2, "H": 4, "W": 5}, (slice(None), slice(None), slice(1, 3), slice(2, 5))
    inside = np.zeros(tuple(sizes[axis] for axis in "NCHW"), bool)
    inside[window] = True
    drawn = viz.memory_layouts(sizes, ["NCHW", "NHWC", "CHWN"], kernel=(2, 3), place=(1, 2))
    for order in ("NCHW", "NHWC", "CHWN"):
        cells = "".join("01"[i] for i in inside.transpose(["NCHW".index(axis) for axis in order]).ravel().astype(int))
        runs = re.findall("1+", cells)
        assert {len(run) for run in runs} == {len(runs[0])}
        assert f"{order}: {len(runs)} runs of {len(runs[0])}." in drawn.alt


@pytest.mark.parametrize(
    ("sizes", "orders", "options", "message"),
    [
        ({"N": 1, "C": 1, "H": 2}, ["NCHW"], {"kernel": (1, 1)}, "must have the axes N, C, H and W"),
        ({"N": 1, "C": 1, "H": 2, "W": 2}, ["NCHH"], {"kernel": (1, 1)}, "must have the axes N, C, H and W"),
        ({"N": 2, "C": 3, "H": 5, "W": 5}, ["NCHW"], {"kernel": (1, 1)}, "150 numbers in 3 channels"),
        ({"N": 1, "C": 1, "H": 2, "W": 2}, ["NCHW"], {"kernel": (2, 2), "place": (1, 0)}, "does not fit 2 by 2"),
    ],
)
def test_layouts_that_cannot_be_drawn(sizes, orders, options, message):
    with pytest.raises(ValueError, match=message):
        viz.memory_layouts(sizes, orders, **options)


def test_bars_say_their_numbers():
    drawn = viz.bars(["one", "two"], {"ms": [1, 2.5], "MB": [0, 0]}, formats=[".1f", ".0f"])
    assert drawn.alt == "Bars. ms: one 1, two 2.5; MB: one 0, two 0."


@pytest.mark.parametrize(
    ("names", "panels", "message"),
    [
        ([], {"ms": []}, "0 names and 1 panels"),
        (["one"], {}, "1 names and 0 panels"),
        (["one"], {"ms": [1, 2]}, "panel 'ms' has 2 values for 1 names"),
        (["one"], {"ms": [-1]}, "has a value below zero"),
    ],
)
def test_bars_that_cannot_be_drawn(names, panels, message):
    with pytest.raises(ValueError, match=message):
        viz.bars(names, panels)
