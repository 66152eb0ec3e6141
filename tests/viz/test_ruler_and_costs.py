"""Rulers of windows and shares of costs: what they say is counted here once more, without the geometry."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from cnnlab import nn, summary, viz
from cnnlab.viz import style


def counted(size, kernel, stride, before, after):
    """Lay windows down one after the other; return where they begin and which positions none covers."""
    starts = [s for s in range(-before, size + after, stride) if s + kernel <= size + after]
    free = set(range(-before, size + after)) - {s + k for s in starts for k in range(kernel)}
    return starts, sorted(free)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [(7, 3, 1, 0), (7, 3, 2, 0), (8, 3, 2, 0), (7, 3, 1, 1), (9, 2, 3, 0), (6, 5, 2, 2), (1, 1, 1, 0)],
)
def test_ruler_tells_the_windows(size, kernel, stride, padding):
    drawn = viz.window_ruler(size, kernel, stride=stride, padding=padding)
    starts, free = counted(size, kernel, stride, padding, padding)
    assert f"the {len(starts)} windows of {kernel} that fit at stride {stride}" in drawn.alt
    assert f"they begin at {', '.join(map(str, starts))}." in drawn.alt
    left = f"No window looks at {', '.join(map(str, free))}." if free else "Every position belongs to a window."
    assert drawn.alt.endswith(left)


def test_ruler_draws_one_block_for_each_product():
    drawn = viz.window_ruler(8, 3, stride=2)
    for theme, svg in (("light", drawn.light), ("dark", drawn.dark)):
        first, _, _, _, _, second = style.palette(theme).lines
        blocks = [svg.count(f"fill: {color}".encode()) for color in (first, second)]
        assert blocks == [2 * 3, 3]  # windows 0 and 2, and window 1 between them


def test_same_padding_of_an_even_kernel_has_one_more_at_the_end():
    assert "padded by 1 before and 2 after it, and the 7 windows" in viz.window_ruler(7, 4, padding="same").alt


def test_dilated_windows_leave_gaps():
    drawn = viz.window_ruler(6, 2, stride=4, dilation=3)
    assert "they begin at 0. No window looks at 1, 2, 4, 5." in drawn.alt


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3, 5), {}, "kernel 5 is larger than the padded input 3"),
        ((0, 1), {}, r"size \(=0\) must be at least 1"),
        ((38, 3), {"padding": 2}, "42 positions and 40 windows are too many to count"),
        ((30, 3), {}, "30 positions and 28 windows"),
        ((7, 3), {"stride": 2, "padding": "same"}, 'padding "same" needs stride 1'),
    ],
)
def test_rulers_that_cannot_be_drawn(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        viz.window_ruler(*arguments, **options)


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=rng), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2 * 4 * 4, 10, rng=rng)
    )


def test_costs_are_shared_out(small):
    # By hand: 2·(9 + 1) = 20 and 2·2 = 4 and 10·33 = 330 parameters; 32·9 = 288 and 320 multiply-adds.
    alt = viz.cost_shares({"small": summary(small, (1, 6, 6))}).alt
    assert "small: 354 parameters: 6% in convolutions, 93% in fully connected layers, 1% in other layers;" in alt
    assert alt.endswith("608 multiply-adds: 47% in convolutions, 53% in fully connected layers.")


def test_bars_are_as_long_as_the_shares(small):
    drawn = viz.cost_shares({"small": summary(small, (1, 6, 6))})
    color = style.palette("light").lines[1]
    widths = []
    for path in re.findall(rf'<path d="([^"]*)"[^>]*style="fill: {color}; stroke', drawn.light.decode()):
        xs = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", path)]
        widths.append(max(xs) - min(xs))
    parameters, multiply_adds = widths[:2]
    assert parameters / multiply_adds == pytest.approx((330 / 354) / (320 / 608), rel=1e-3)


def test_costs_that_cannot_be_drawn(small):
    with pytest.raises(ValueError, match="0 nets: pass 1 to 6"):
        viz.cost_shares({})
    with pytest.raises(ValueError, match="net 'none' has 0 parameters"):
        viz.cost_shares({"none": SimpleNamespace(parameters=0, multiply_adds=0, layers=())})
