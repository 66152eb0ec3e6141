"""Four shapes: classes, places, seeds, and what a rule without shapes could use."""

import numpy as np
import pytest

from cnnlab import nn, optim, train
from cnnlab.data import digits, flowers, load_digits, load_flowers, load_shapes, shapes
from cnnlab.data._seeds import stream


def test_shapes_types_and_values():
    s = load_shapes(7, size=(26, 40))
    assert s.x.shape == (7, 3, 26, 40)
    assert s.center.shape == (7, 2)
    assert s.radius.shape == s.y.shape == (7,)
    assert {a.dtype for a in (s.x, s.center, s.radius)} == {np.dtype("float32")}
    assert s.y.dtype == np.int64
    assert s.x.min() >= 0
    assert s.x.max() <= 1
    assert len(s) == 7
    assert s.names == ("flower", "disc", "polygon", "leaf")


def test_each_four_hold_one_of_each_class_in_random_order():
    y = load_shapes(400).y.reshape(-1, 4)
    np.testing.assert_array_equal(np.sort(y, axis=1), np.tile(np.arange(4), (100, 1)))
    assert len({tuple(four) for four in y}) == 24  # every order is drawn
    np.testing.assert_allclose(np.bincount(y[:, 0]), 25, atol=4 * np.sqrt(100 * 3 / 16))


@pytest.mark.parametrize("options", [{}, {"size": (24, 37), "shift": 6}])
def test_more_pictures_leave_the_first_ones_as_they_are(options):
    few, many = load_shapes(5, seed=3, **options), load_shapes(14, seed=3, **options)
    np.testing.assert_array_equal(few.x, many.x[:5])
    np.testing.assert_array_equal(few.y, many.y[:5])
    np.testing.assert_array_equal(few.center, many.center[:5])
    other = load_shapes(5, seed=4, **options)
    assert not np.isclose(few.x, other.x).all(axis=(1, 2, 3)).any()


def test_sets_of_the_same_seed_share_no_random_numbers(monkeypatch):
    """Not only other pictures: a shape would stand on the very meadow of a scene."""
    used = {}
    for name, module in (("shapes", shapes), ("flowers", flowers), ("digits", digits)):
        keys = used[name] = set()

        def note(seed, *key, keys=keys):
            keys.add(key)
            return stream(seed, *key)

        monkeypatch.setattr(module, "stream", note)
    load_shapes(3), load_flowers(3), load_digits(size=16)
    assert {name: len(keys) for name, keys in used.items()} == {"shapes": 3, "flowers": 3, "digits": 1415}
    recordings = {(source, i) for source in range(3) for i in range(2000)}
    everything = [*used.values(), recordings]
    assert len(set.union(*everything)) == sum(map(len, everything))


@pytest.mark.parametrize(("size", "shift"), [(24, 2), (24, 50), ((25, 60), 10), ((60, 25), 0)])
def test_shape_lies_inside_the_picture_and_near_its_middle(size, shift):
    s = load_shapes(200, size=size, shift=shift)
    sides = np.array(s.x.shape[2:])
    away = np.abs(s.center - (sides - 1) / 2)
    room = (sides - 1) / 2 - s.radius[:, None]
    assert (away <= np.minimum(shift, room) + 1e-4).all()
    assert (away.max(axis=0) >= 0.9 * np.minimum(shift, (sides - 1) / 2 - 8) - 0.5).all()  # and uses what it may


def test_shift_moves_the_shape_and_nothing_else():
    still, moved = load_shapes(40, size=48, shift=0, seed=1), load_shapes(40, size=48, shift=10, seed=1)
    np.testing.assert_array_equal(still.radius, moved.radius)
    for a, b, center, radius in zip(still.x, moved.x, moved.center, still.radius, strict=True):
        rows, cols = np.nonzero(np.abs(a - b).max(axis=0) > 0.05)
        near = np.minimum(np.hypot(rows - 23.5, cols - 23.5), np.hypot(rows - center[0], cols - center[1]))
        assert near.max() < radius + 2


def test_classes_have_the_same_sizes_and_places():
    s = load_shapes(2000, size=(24, 30), shift=3)
    for value in (s.radius, s.center[:, 0], s.center[:, 1]):
        of_class = np.array([value[s.y == c].mean() for c in range(4)])
        assert np.ptp(of_class) < 5 * value.std() / np.sqrt(500)


def test_color_alone_tells_little(logistic_accuracy, color_histograms):
    """Leaves are green more often; that much color tells, and not more. A net of the lecture reaches 0.98."""
    train, test = load_shapes(1600, seed=0), load_shapes(800, seed=1)
    seen, unseen = color_histograms(train.x), color_histograms(test.x)
    assert 0.25 < logistic_accuracy(seen, train.y, unseen, test.y) < 0.65


@pytest.mark.slow
def test_convolutional_net_learns_the_shapes_better_than_an_mlp_of_many_more_parameters():
    """The net of the lecture on fewer pictures; on 5000, ten epochs take it to 0.98."""
    rng = np.random.default_rng(0)
    layers = [nn.Conv2d(3, 16, 7, rng=rng), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(16, 24, 3, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(216, 4, rng=rng)]
    pictures, unseen = load_shapes(2000), load_shapes(800, seed=1)
    accuracy = []
    for net, x, x_test in (
        (nn.Sequential(*layers), pictures.x, unseen.x),
        (nn.mlp([1728, 64, 4], rng=rng), pictures.x.reshape(2000, -1), unseen.x.reshape(800, -1)),
    ):
        optimizer = optim.Adam(net.parameters(), lr=2e-3)
        train.fit(
            net,
            (x - 0.4) / 0.25,
            pictures.y,
            loss=nn.CrossEntropyLoss(),
            optimizer=optimizer,
            epochs=6,
            rng=rng,
            progress=False,
        )
        accuracy.append((train.predict(net, (x_test - 0.4) / 0.25).argmax(axis=1) == unseen.y).mean())
    assert accuracy[0] > 0.93
    assert accuracy[1] < accuracy[0] - 0.03


def test_no_global_random_state_is_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    load_shapes(4)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n=0.*at least 1"),
        ({"size": 23}, "size=23.*24 × 24"),
        ({"size": (64, 20)}, r"size=\(64, 20\)"),
        ({"shift": -1}, "shift=-1: give 0 or a positive number"),
        ({"shift": float("nan")}, "shift=nan"),
        ({"seed": -2}, "seed=-2"),
    ],
)
def test_impossible_requests_are_refused_with_the_value_and_the_way_out(options, message):
    with pytest.raises(ValueError, match=message):
        load_shapes(**{"n": 2, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": "4"}, "n='4': ask for a whole number of pictures"),
        ({"size": 24.0}, r"size=24\.0: give whole pixels, size=24"),
        ({"size": (24, 24, 3)}, r"size=\(24, 24, 3\): give whole pixels"),
        ({"shift": "much"}, "shift='much' is not a number"),
    ],
)
def test_requests_of_another_kind_are_refused_likewise(options, message):
    with pytest.raises(TypeError, match=message):
        load_shapes(**{"n": 2, **options})
