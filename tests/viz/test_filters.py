"""Filters beside their maps: what is drawn, what is said of it, what is refused."""

import numpy as np
import pytest

from cnnlab import viz


def arrays(*shapes):
    rng = np.random.default_rng(6)
    return [rng.standard_normal(shape) for shape in shapes]


def test_each_filter_stands_beside_its_map():
    drawn = viz.filters_and_maps(
        arrays(*[(3, 2)] * 3), [np.array([[-1.5, 0.25]]), np.array([[0, 2.0]]), np.eye(3)], titles=list("abc")
    )
    assert drawn.light.count(b"<image") == 6 + 1  # the scale is an image too
    assert "3 filters, each beside its map: a, b, c." in drawn.alt
    assert "-1.5 to 0.25; 0 to 2; 0 to 1" in drawn.alt
    assert drawn.light != drawn.dark


def test_few_weights_are_written_out():
    """Numbers are drawn as outlines: those of 25 cells make the file longer, those of 36 are left away."""
    small, large = (viz.filters_and_maps([np.ones((n, n))], [np.ones((4, 4))]).light.count(b"<use") for n in (5, 6))
    assert small - large >= 25


@pytest.mark.parametrize(
    ("results", "scale"),
    [([[1.0, 2.0]], "1 to 2"), ([[1.0, 2.0], [0.5, 1]], "0.5 to 2"), ([[1.0, 2.0], [-3.0, 0.5]], "-3 to 3")],
)
def test_one_map_below_zero_gives_all_a_scale_that_is_centered(results, scale):
    drawn = viz.filters_and_maps([np.ones((2, 2))] * len(results), [np.array([r]) for r in results])
    assert f"on a color scale from {scale}." in drawn.alt


def test_arrays_of_zeros_are_drawn():
    assert viz.filters_and_maps([np.zeros((2, 2))], [np.zeros((3, 3))]).alt.endswith(
        "0 to 0, on a color scale from 0 to 1."
    )


@pytest.mark.parametrize(
    ("filters", "results", "options", "message"),
    [
        ([], [], {}, "filters is empty"),
        (arrays((2, 2)), [], {}, "0 maps for 1 filters"),
        (arrays((2, 2)), arrays((4, 4)), {"titles": ["a", "b"]}, "2 titles for 1 filters"),
        (arrays((2, 2)), arrays((4, 4)), {"columns": 0}, r"columns \(=0\)"),
        (arrays((3, 2, 2)), arrays((4, 4)), {}, r"filters\[0\] has shape \(3, 2, 2\)"),
        (arrays((2, 2)), arrays((1, 4, 4)), {}, r"results\[0\] has shape \(1, 4, 4\)"),
        (arrays((2, 2)), [np.array([[np.inf]])], {}, r"results\[0\] holds a value that is not finite"),
    ],
)
def test_what_cannot_be_drawn_is_named(filters, results, options, message):
    with pytest.raises(ValueError, match=message):
        viz.filters_and_maps(filters, results, **options)
