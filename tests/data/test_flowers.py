"""Flower scenes: shapes, places, seeds, and that nothing but the flower tells the classes apart."""

import numpy as np
import pytest

from cnnlab.data import _paint, flowers, load_flowers
from cnnlab.data.flowers import _NO_FLOWERS, _free_place


def test_shapes_types_and_values():
    s = load_flowers(6, size=(40, 56))
    assert s.x.shape == (6, 3, 40, 56)
    assert s.center.shape == (6, 2)
    assert s.radius.shape == s.y.shape == (6,)
    assert {a.dtype for a in (s.x, s.y, s.center, s.radius)} == {np.dtype("float32")}
    assert s.x.min() >= 0
    assert s.x.max() <= 1
    assert len(s) == 6


def test_each_pair_holds_one_of_each_class():
    y = load_flowers(300, size=24).y
    np.testing.assert_array_equal(y.reshape(-1, 2).sum(axis=1), 1)
    assert 45 < y[::2].sum() < 105


@pytest.mark.parametrize("size", [64, (30, 77)])
def test_more_scenes_leave_the_first_ones_as_they_are(size):
    few, many = load_flowers(5, size=size, seed=3), load_flowers(12, size=size, seed=3)
    np.testing.assert_array_equal(few.x, many.x[:5])
    np.testing.assert_array_equal(few.y, many.y[:5])
    np.testing.assert_array_equal(few.center, many.center[:5])
    assert not np.array_equal(few.x, load_flowers(5, size=size, seed=4).x)


def test_thing_at_the_place_lies_inside_the_picture():
    s = load_flowers(200, size=(28, 64))
    assert (s.radius >= 8).all()
    assert (s.radius <= 11).all()
    for axis, side in enumerate((28, 64)):
        assert (s.center[:, axis] - s.radius >= 0).all()
        assert (s.center[:, axis] + s.radius <= side - 1).all()
    assert np.ptp(s.center[:, 1]) > 35


def test_place_is_where_asked():
    s = load_flowers(100, where=(15, 17), rows=(40, 45), size=(64, 80))
    assert (s.center[:, 1] >= 15).all()
    assert (s.center[:, 1] <= 17).all()
    assert (s.center[:, 0] >= 40).all()
    assert (s.center[:, 0] <= 45).all()


def test_flower_is_drawn_at_its_center():
    """Scenes that differ only in the row of the place differ in the picture around both places and nowhere far away."""
    left = load_flowers(40, where=(12, 12), rows=(32, 32), seed=6)
    right = load_flowers(40, where=(51, 51), rows=(32, 32), seed=6)
    for a, b, r in zip(left.x, right.x, left.radius, strict=True):
        changed = np.abs(a - b).max(axis=0) > 1e-6
        assert changed[30:35, 10:15].any()
        assert changed[30:35, 49:54].any()
        assert r <= 11


def test_flower_scene_differs_from_the_ground_only_near_what_is_drawn():
    rng = np.random.default_rng(0)
    before = _paint.ground(64, 64, rng)
    for draw in (_paint.flower, *_NO_FLOWERS):
        for _ in range(20):
            after = before.copy()
            draw(after, (30.3, 25.8), 10.0, rng)
            rows, cols = np.nonzero(np.abs(after - before).max(axis=0))
            distance = np.hypot(rows - 30.3, cols - 25.8)
            assert distance.max() < 11.5
            assert distance.max() > 6
            assert distance.min() < 1


@pytest.mark.parametrize("draw", [_paint.flower, *_NO_FLOWERS])
def test_things_at_the_border_are_cut_not_moved(draw):
    """A thing over the corner is the corner of the same thing on a larger picture."""
    ground = np.full((3, 60, 70), 0.5, np.float32)
    large, small = ground.copy(), ground[:, 20:, 30:].copy()
    draw(large, (22.5, 31.25), 9.0, np.random.default_rng(4))
    draw(small, (2.5, 1.25), 9.0, np.random.default_rng(4))
    np.testing.assert_allclose(small, large[:, 20:, 30:], atol=1e-5)
    assert np.abs(large - ground).max() > 0.1


def test_flower_has_five_to_eight_petals():
    """Half-way out, the outline is crossed twice a petal."""
    seen = set()
    for seed in range(60):
        picture = np.zeros((3, 301, 301), np.float32)
        _paint.flower(picture, (150, 150), 140.0, np.random.default_rng(seed))
        angle = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
        row, col = np.round(150 + 105 * np.sin(angle)).astype(int), np.round(150 + 105 * np.cos(angle)).astype(int)
        petal = picture[:, row, col].max(axis=0) > 0
        crossings = int((petal != np.roll(petal, 1)).sum())
        assert crossings % 2 == 0
        seen.add(crossings // 2)
    assert seen == {5, 6, 7, 8}


def test_one_flower_or_any_other_thing_takes_the_place(monkeypatch):
    drawn = []

    def noting(draw):
        def note(picture, center, radius, rng):
            drawn.append((draw.__name__, center))
            draw(picture, center, radius, rng)

        return note

    monkeypatch.setattr(_paint, "flower", noting(_paint.flower))
    monkeypatch.setattr(flowers, "_NO_FLOWERS", tuple(noting(draw) for draw in _NO_FLOWERS))
    instead, others = set(), set()
    for seed in range(30):
        drawn.clear()
        s = load_flowers(2, seed=seed)
        for y, place in zip(s.y, s.center, strict=True):
            at_place = [name for name, center in drawn if np.allclose(center, place)]
            assert len(at_place) == 1
            assert (at_place == ["flower"]) == bool(y)
            instead |= set() if y else set(at_place)
        assert [name for name, _ in drawn].count("flower") == 1
        others |= {name for name, center in drawn if not np.isclose(s.center, center).all(axis=1).any()}
    assert instead == others == {"disc", "polygon", "leaf"}


def test_things_do_not_overlap():
    rng = np.random.default_rng(2)
    for _ in range(100):
        taken = [(20.0, 30.0, 11.0)]
        for _ in range(4):
            circle = _free_place(rng, (50, 64), rng.uniform(6, 11), taken)
            if circle is not None:
                for other in taken:
                    assert np.hypot(circle[0] - other[0], circle[1] - other[1]) > circle[2] + other[2]
                assert circle[2] <= min(circle[0], 49 - circle[0], circle[1], 63 - circle[1])
                taken.append(circle)
        assert len(taken) > 1


def test_brightness_and_color_of_the_picture_do_not_tell(best_threshold):
    s = load_flowers(1200, seed=8)
    for value in (*s.x.mean(axis=(2, 3)).T, s.x.std(axis=(1, 2, 3)), s.radius, s.center[:, 0], s.center[:, 1]):
        assert best_threshold(value, s.y) < 0.58


def test_counting_colors_does_not_tell(logistic_accuracy, color_histograms):
    """Neither in the whole picture nor, by much, around the place, which a scan is not told."""
    train, test = load_flowers(1000, size=48, seed=0), load_flowers(600, size=48, seed=1)
    seen, unseen = color_histograms(train.x), color_histograms(test.x)
    assert logistic_accuracy(seen, train.y, unseen, test.y) < 0.58

    def around(s):
        corners = np.round(s.center).astype(int) - 11
        return color_histograms(
            np.stack([x[:, i : i + 23, j : j + 23] for x, (i, j) in zip(s.x, corners, strict=True)])
        )

    assert logistic_accuracy(around(train), train.y, around(test), test.y) < 0.75


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n=0.*at least 1"),
        ({"size": 20}, "size=20.*24 × 24"),
        ({"size": (64, 23)}, r"size=\(64, 23\)"),
        ({"where": (5, 16)}, r"where=\(5, 16\).*64 pixels.*from 11 to 52"),
        ({"where": (16, 53)}, r"where=\(16, 53\)"),
        ({"where": (20, 16)}, r"backwards.*where=\(16, 20\)"),
        ({"rows": (5, 16), "size": (40, 64)}, r"rows=\(5, 16\).*40 pixels.*from 11 to 28"),
        ({"seed": -2}, "seed=-2"),
    ],
)
def test_impossible_requests_are_refused_with_the_value_and_the_way_out(options, message):
    with pytest.raises(ValueError, match=message):
        load_flowers(**{"n": 2, **options})


def test_requests_of_another_kind_are_refused_likewise():
    with pytest.raises(TypeError, match="n='4': ask for a whole number of pictures"):
        load_flowers("4")
    with pytest.raises(TypeError, match="rows='top' is neither a number nor a range: give pixels"):
        load_flowers(4, rows="top")
    with pytest.raises(TypeError, match=r"size=\(64, 64, 3\): give whole pixels, size=64"):
        load_flowers(4, size=(64, 64, 3))
    with pytest.raises(TypeError, match=r"seed='one': use a whole number"):
        load_flowers(4, seed="one")


def test_one_number_is_a_place():
    assert load_flowers(3, where=20, rows=30).center.tolist() == [[30, 20]] * 3
