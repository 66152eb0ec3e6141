"""Photos: what is shipped, and the laws of making them smaller and grey."""

from pathlib import Path

import numpy as np
import pytest

from cnnlab.data import load_photos
from cnnlab.data.photos import _averaging

FOLDER = Path(__file__).parents[2] / "cnnlab" / "data" / "photos"


@pytest.fixture(scope="module")
def photos():
    return load_photos()


def test_shapes_types_and_values(photos):
    assert [(photo.name, photo.x.shape) for photo in photos] == [
        ("chelsea", (3, 300, 451)),
        ("coffee", (3, 400, 600)),
    ]
    for photo in photos:
        assert photo.x.dtype == np.float32
        assert photo.x.min() >= 0
        assert photo.x.max() <= 1
        assert photo.x.std() > 0.1


def test_the_cat_is_brown_and_the_coffee_lies_in_the_middle(photos):
    """Channels are red, green and blue in this order, and rows are rows."""
    cat, coffee = photos
    assert cat.x[0].mean() > cat.x[1].mean() > cat.x[2].mean()
    cup, corner = coffee.x[:, 150:250, 250:350], coffee.x[:, :40, :40]
    assert cup[0].mean() > 2 * cup[2].mean()  # brown
    assert np.abs(cup.mean() - corner.mean()) > 0.05


def test_license_file_names_every_photo_and_its_author(photos):
    text = (FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    for photo in photos:
        assert f"`{photo.name}.jpg`" in text
        assert photo.author in text
        assert photo.license in text
    assert {path.stem for path in FOLDER.glob("*.jpg")} == {photo.name for photo in photos}


def test_files_are_small():
    assert all(path.stat().st_size < 200_000 for path in FOLDER.glob("*.jpg"))


def test_grey_is_the_weighted_sum_of_the_colors(photos):
    for color, grey in zip(photos, load_photos(grey=True), strict=True):
        red, green, blue = color.x
        assert grey.x.shape == (1, *color.x.shape[1:])
        assert grey.x.dtype == np.float32
        np.testing.assert_allclose(grey.x[0], 0.2126 * red + 0.7152 * green + 0.0722 * blue, atol=1e-6)


@pytest.mark.parametrize(("size", "shapes"), [(451, [(300, 451), (301, 451)]), (60, [(40, 60), (40, 60)]), (1, 0)])
def test_longer_side_is_as_asked_and_the_proportion_kept(size, shapes):
    assert [photo.x.shape[1:] for photo in load_photos(size=size)] == (shapes or [(1, 1), (1, 1)])


@pytest.mark.parametrize("size", [37, 200, 451])
def test_smaller_photos_have_the_same_mean_color(photos, size):
    for large, small in zip(photos, load_photos(size=size), strict=True):
        assert small.x.dtype == np.float32
        np.testing.assert_allclose(small.x.mean(axis=(1, 2)), large.x.mean(axis=(1, 2)), atol=1e-5)


def test_whole_factor_is_the_mean_of_blocks(photos):
    _, coffee = photos
    _, small = load_photos(size=150)
    np.testing.assert_allclose(small.x, coffee.x.reshape(3, 100, 4, 150, 4).mean(axis=(2, 4)), atol=1e-5)


def test_new_pixel_between_old_ones_takes_a_part_of_each():
    np.testing.assert_allclose(_averaging(2, 3), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]], rtol=1e-6)
    np.testing.assert_allclose(_averaging(3, 3), np.eye(3), atol=1e-7)


def test_what_is_returned_can_be_written_to_without_harm(photos):
    load_photos()[0].x[:] = 0
    np.testing.assert_array_equal(load_photos()[0].x, photos[0].x)


def test_impossible_requests_are_refused_with_the_value_and_the_way_out():
    with pytest.raises(ValueError, match="size=0: ask for at least 1 pixel"):
        load_photos(size=0)
    with pytest.raises(ValueError, match="size=500: chelsea is 300 × 451 pixels; ask for at most 451"):
        load_photos(size=500)
    with pytest.raises(TypeError, match=r"size=\(40, 60\): ask for a whole number of pixels"):
        load_photos(size=(40, 60))
    with pytest.raises(TypeError, match="grey='yes': say True or False"):
        load_photos(grey="yes")
