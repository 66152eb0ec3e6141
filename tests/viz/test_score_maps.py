"""Maps beside pictures: the best window in words, as many panels as asked for, and what cannot be drawn."""

import numpy as np
import pytest

from cnnlab import viz


def scanned(*, sides=(9, 12), size=(4, 5), stride=(1, 1), best=(2, 3), seed=0):
    """A random picture and a map of its windows, below 0 but at one place."""
    rng = np.random.default_rng(seed)
    shape = [(side - n) // s + 1 for side, n, s in zip(sides, size, stride, strict=True)]
    scores = -1 - rng.random(shape)
    scores[best] = 2.5
    return rng.random((3, *sides)), scores


def test_best_window_is_told_in_pixels():
    image, scores = scanned()
    alt = viz.score_maps([image], [scores], size=(4, 5), titles=["meadow"]).alt
    assert "meadow: best of 48 windows is 2.50, at row 2, column 3; 1 lie above 0" in alt


def test_stride_counts_in_pixels():
    image, scores = scanned(stride=(2, 3), best=(1, 2))
    assert scores.shape == (3, 3)
    assert "at row 2, column 6;" in viz.score_maps([image], [scores], size=(4, 5), stride=(2, 3)).alt


def test_one_map_a_picture_and_one_scale():
    pairs = [scanned(seed=seed) for seed in range(3)]
    drawn = viz.score_maps([x for x, _ in pairs], [y for _, y in pairs], size=(4, 5))
    assert drawn.light.count(b"<image") == 2 * 3 + 1
    assert drawn.alt.count("best of 48 windows") == 3


def test_the_best_place_decides_what_is_drawn():
    image, _ = scanned()
    here, there = (viz.score_maps([image], [scanned(best=best)[1]], size=(4, 5)) for best in ((2, 3), (5, 0)))
    assert here.light != there.light


def test_threshold_counts_what_lies_above_it():
    image, scores = scanned()
    assert "0 lie above 3" in viz.score_maps([image], [scores], size=(4, 5), threshold=3.0).alt


def test_a_map_of_one_row_of_equal_scores_is_drawn():
    image = np.zeros((1, 4, 8))
    assert "best of 5 windows is 0.00" in viz.score_maps([image], [np.zeros((1, 5))], size=4).alt


@pytest.mark.parametrize(
    ("images", "scores", "options", "message"),
    [
        ([], [], {}, "images is empty"),
        ([np.zeros((3, 9, 9))], [], {}, "0 maps for 1 images"),
        ([np.zeros((3, 9, 9))], [np.zeros((6, 6))], {"titles": ["a", "b"]}, "2 titles for 1 images"),
        ([np.zeros((9, 9, 3))], [np.zeros((6, 6))], {}, r"images\[0\] has shape \(9, 9, 3\).*channels come first"),
        ([np.zeros((3, 9, 12))], [np.zeros((9, 6))], {}, r"scores\[0\] has shape \(9, 6\).*give \(6, 9\)"),
        ([np.zeros((3, 9, 9))], [np.full((6, 6), np.nan)], {}, r"scores\[0\] holds a value that is not finite"),
        ([np.zeros((3, 9, 9))], [np.zeros((6, 6))], {"stride": 0}, "stride"),
    ],
)
def test_what_cannot_be_drawn_is_named(images, scores, options, message):
    with pytest.raises(ValueError, match=message):
        viz.score_maps(images, scores, size=4, **options)
