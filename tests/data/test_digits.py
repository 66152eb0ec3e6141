"""Digits: the stored ones, their split by hands, and the laws of enlarging, warping and shifting."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from cnnlab.data import load_digits
from cnnlab.data.digits import _enlarge
from cnnlab.data.digits._enlarge import Hand, enlarge

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "scripts" / "build_digits.py"
    if not path.exists():
        pytest.skip("scripts/ is not part of this copy")
    spec = importlib.util.spec_from_file_location("build_digits", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("size", "shape"), [(8, (8, 8)), (28, (28, 28)), ((20, 33), (20, 33))])
def test_shapes_types_and_values(size, shape):
    for split, n in (("train", 1415), ("test", 382)):
        s = load_digits(split, size=size)
        assert s.x.shape == (n, 1, *shape)
        assert s.y.shape == s.form.shape == (n,)
        assert (s.x.dtype, s.y.dtype, s.form.dtype) == (np.float32, np.int64, np.int64)
        assert s.x.min() == 0
        assert s.x.max() == 1
        assert len(s) == n


def test_small_digits_are_the_counts_of_sixteenths():
    sixteenths = load_digits().x * 16
    np.testing.assert_array_equal(sixteenths, np.round(sixteenths))
    assert set(np.unique(sixteenths)) == set(range(17))


def test_first_digit_is_the_zero_of_scikit_learn():
    rows = "0 0 5 13 9 1 0 0, 0 0 13 15 10 15 5 0, 0 3 15 2 0 11 8 0, 0 4 12 0 0 8 8 0, 0 5 8 0 0 9 8 0, "
    rows += "0 4 11 0 1 12 7 0, 0 2 14 5 10 12 0 0, 0 0 6 13 10 0 0 0"
    expected = np.array([row.split() for row in rows.split(", ")], int)
    s = load_digits()
    np.testing.assert_array_equal(s.x[0, 0] * 16, expected)
    assert s.y[:10].tolist() == list(range(10))


def test_classes_are_balanced():
    for split in ("train", "test"):
        counts = np.bincount(load_digits(split).y, minlength=10)
        assert counts.min() > 0.85 * counts.max()


def test_no_form_is_in_both_splits():
    train, test = load_digits("train"), load_digits("test")
    assert set(train.form) == set(range(11))
    assert set(test.form) == {11, 12, 13}


def test_every_form_has_the_labels_of_the_printed_form(tool):
    y = np.concatenate([load_digits(split).y for split in ("train", "test")])
    form = np.concatenate([load_digits(split).form for split in ("train", "test")])
    assert (np.diff(form) >= 0).all()
    np.testing.assert_array_equal(tool.forms(y), form)
    assert max(np.bincount(form)) <= len(tool.FORM) == 130


def test_form_that_begins_elsewhere_is_noticed(tool, monkeypatch):
    y = np.concatenate([load_digits(split).y for split in ("train", "test")])
    monkeypatch.setattr(tool, "FIRST", (0, 130, 256, 400, *tool.FIRST[4:]))
    with pytest.raises(SystemExit, match="pictures 256 to 399 are no form"):
        tool.forms(y)


def test_enlarging_without_warp_keeps_the_ink_where_it_was():
    """Averaged back over the blocks of its cells, the large picture is the small one, but for the sharpened edges."""
    small, large = load_digits().x[:, 0], load_digits(size=56, warp=0).x[:, 0]
    cells = large[:, 8:48, 8:48].reshape(-1, 8, 5, 8, 5).mean(axis=(2, 4))
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(small, cells, strict=True)]
    assert min(alike) > 0.85
    outside = large.copy()
    outside[:, 4:52, 4:52] = 0
    assert outside.max() == 0


def test_digit_is_as_large_and_as_central_on_a_wider_picture():
    square, wide, tall = (load_digits("test", size=s, warp=0).x for s in (24, (24, 40), (40, 24)))
    np.testing.assert_allclose(wide[:, :, :, 8:32], square, atol=1e-5)
    np.testing.assert_allclose(tall[:, :, 8:32], square, atol=1e-5)
    np.testing.assert_allclose(wide.sum(), square.sum(), rtol=1e-6)


def test_cubics_run_through_the_stored_cells():
    ink = np.random.default_rng(0).random((3, 8, 8), np.float32)
    rows, cols = np.indices((8, 8), np.float32).reshape(2, 64)
    at = np.tile(np.stack([rows, cols]), (3, 1, 1))
    np.testing.assert_allclose(_enlarge._sample(ink, at).reshape(3, 8, 8), ink, atol=1e-5)


def test_cubics_keep_a_slope():
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[:, None] * 2, (1, 8, 8))
    rng = np.random.default_rng(1)
    at = rng.uniform(2, 5, (1, 2, 50)).astype(np.float32)  # away from the paper around it
    np.testing.assert_allclose(_enlarge._sample(ramp, at)[0], 2 * at[0, 0], rtol=1e-5)


def test_hand_of_no_strength_changes_nothing():
    hand = Hand.drawn(np.random.default_rng(3), 0.0)
    np.testing.assert_array_equal(hand.turned, np.eye(2))
    assert not hand.bends.any()


def test_quarter_turn_is_the_picture_turned():
    ink = load_digits().x[:5, 0]
    still, turned = np.eye(2, dtype=np.float32), np.array([[0, 1], [-1, 0]], np.float32)
    bends = np.zeros((2, 4, 4), np.float32)
    upright = enlarge(ink, [Hand(still, bends)] * 5, (30, 30))
    np.testing.assert_allclose(
        enlarge(ink, [Hand(turned, bends)] * 5, (30, 30)), np.rot90(upright, axes=(1, 2)), atol=1e-4
    )


def test_hand_is_stretched_then_slanted_then_turned():
    for seed in range(5):
        angle, slant, tall, wide = np.random.default_rng(seed).uniform(-1, 1, 4) * (np.pi / 15, 0.15, 0.12, 0.12)
        hand = Hand.drawn(np.random.default_rng(seed), 1.0)
        for place in np.eye(2):
            down, right = place * np.exp([tall, wide])
            right += slant * down
            turned = np.exp(1j * angle) * (right + 1j * down)
            np.testing.assert_allclose(hand.turned @ place, [turned.imag, turned.real], atol=1e-6)


def test_equal_bends_are_a_shift():
    ink = load_digits().x[:5, 0]
    still, bends = np.eye(2, dtype=np.float32), np.zeros((2, 4, 4), np.float32)
    bends[0] = 0.8  # cells down, of 20 / 8 pixels each: two rows
    moved = enlarge(ink, [Hand(still, bends)] * 5, (28, 28))
    upright = enlarge(ink, [Hand(still, 0 * bends)] * 5, (28, 28))
    np.testing.assert_allclose(moved[:, :-2], upright[:, 2:], atol=1e-4)


def test_warp_grows_with_its_strength():
    plain = load_digits("test", size=28, warp=0).x
    changes = [np.abs(load_digits("test", size=28, warp=w).x - plain).mean() for w in (0.25, 0.5, 1, 2)]
    assert changes == sorted(changes)
    assert changes[0] > 0.005


def test_copies_are_all_different_and_the_first_ones_stay():
    one, three = load_digits("test", size=20), load_digits("test", size=20, copies=3)
    np.testing.assert_array_equal(three.x[:382], one.x)
    np.testing.assert_array_equal(three.y.reshape(3, 382), np.tile(one.y, (3, 1)))
    np.testing.assert_array_equal(three.form.reshape(3, 382), np.tile(one.form, (3, 1)))
    copies = three.x.reshape(3, 382, -1)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (np.abs(copies[a] - copies[b]).mean(axis=1) > 0.002).all()


def test_seed_decides_how_digits_are_warped():
    a, again, b = (load_digits("test", size=20, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a.x, again.x)
    assert (np.abs(a.x - b.x).mean(axis=(1, 2, 3)) > 0.002).all()


@pytest.mark.parametrize(("size", "shift"), [(28, 5), (28, (0, -3)), ((20, 31), (-4, 7)), (8, (1, 0))])
def test_shift_moves_every_pixel_and_lets_paper_follow(size, shift):
    still, moved = load_digits("test", size=size).x, load_digits("test", size=size, shift=shift).x
    down, right = (shift, shift) if isinstance(shift, int) else shift
    H, W = still.shape[2:]
    expected = np.zeros_like(still)
    for i in range(H):
        for j in range(W):
            if 0 <= i - down < H and 0 <= j - right < W:
                expected[:, :, i, j] = still[:, :, i - down, j - right]
    np.testing.assert_array_equal(moved, expected)


def test_shift_out_of_the_picture_leaves_paper():
    assert not load_digits("test", size=16, shift=(0, 40)).x.any()


def test_what_is_returned_can_be_written_to_without_harm():
    first = load_digits()
    first.x[:] = 7
    first.form[:] = 7
    assert load_digits().x.max() == 1
    assert load_digits().form.max() == 10


def test_stored_file_is_small_and_holds_no_objects():
    path = ROOT / "cnnlab" / "data" / "digits" / "digits.npz"
    assert path.stat().st_size < 50_000
    with np.load(path, allow_pickle=False) as archive:
        assert {name: (a.shape, str(a.dtype)) for name, a in archive.items()} == {
            "ink": ((1797, 8, 8), "uint8"),
            "digit": ((1797,), "uint8"),
            "form": ((1797,), "uint8"),
        }


def test_pixels_tell_the_digits_but_the_number_of_dark_ones_does_not(logistic_accuracy):
    train, test = load_digits("train"), load_digits("test")

    def ink(s):
        return s.x.mean(axis=(2, 3))

    assert logistic_accuracy(ink(train), train.y, ink(test), test.y) < 0.3
    assert logistic_accuracy(train.x.reshape(1415, 64), train.y, test.x.reshape(382, 64), test.y) > 0.8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "valid"}, 'split \'valid\' is unknown: use "train" or "test"'),
        ({"size": 12}, "size=12: ask for 8.*at least 16"),
        ({"size": (8, 28)}, r"size=\(8, 28\)"),
        ({"copies": 0, "size": 28}, "copies=0: ask for at least 1 copy"),
        ({"copies": 2}, "copies=2.*8 × 8 digits are given as they are.*size=28"),
        ({"warp": 1.0}, "warp=1.0: 8 × 8"),
        ({"warp": -1, "size": 28}, "warp=-1: give 0 or a positive"),
        ({"seed": -1, "size": 28}, "seed=-1"),
    ],
)
def test_impossible_requests_are_refused_with_the_value_and_the_way_out(options, message):
    with pytest.raises(ValueError, match=message):
        load_digits(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 28.0}, r"size=28\.0: give whole pixels, size=28"),
        ({"shift": 0.5}, r"shift=0\.5: give whole pixels, shift=5"),
        ({"shift": (1, 2, 3)}, r"shift=\(1, 2, 3\)"),
        ({"copies": "2", "size": 28}, "copies='2': ask for a whole number of copies"),
        ({"warp": "much", "size": 28}, "warp='much' is not a number"),
    ],
)
def test_requests_of_another_kind_are_refused_likewise(options, message):
    with pytest.raises(TypeError, match=message):
        load_digits(**options)
