"""Lecture 02 reaches the numbers that it speaks of."""

import pytest


@pytest.fixture
def second(run_lecture):
    return run_lecture(
        "02_finding_a_flower",
        columns="columns",
        curve="curve",
        at_trained_place="accuracy(whole_logits(trained_place.x), trained_place.y)",
        whole_anywhere="accuracy(whole_logits(unseen.x), unseen.y)",
        sizes="[size(small), size(whole)]",
        loop_difference="np.abs(wide_map - from_layer).max()",
        wide_shape="list(wide_map.shape)",
        easy_windows="np.mean(empty <= 0)",
        easy_pictures="np.mean(empty.max(axis=(1, 2)) <= 0)",
        scan_anywhere="accuracy(maps.max(axis=(1, 2)), unseen.y)",
        fields="[table.tolist() for table in fields]",
        near="np.mean(distance <= 4)",
        demo_difference="np.abs(flower_scanner.scores - own).max()",
        deciders="{name: accuracy(train.predict(d, coarse)[:, 0], unseen.y) for name, d in deciders.items()}",
        strides="{s: accuracy(maps[:, ::s, ::s].max(axis=(1, 2)), unseen.y) for s in (1, 2, 12)}",
        found="{s: np.mean(maps[:, ::s, ::s].max(axis=(1, 2))[unseen.y == 1] > 0) for s in (1, 2, 12)}",
        stride_difference="same",
        by_size="{factor: yes[large.y == 1].mean() for factor, yes in says_yes.items()}",
        twice="[(maps_of(small, centered(p)).max(axis=(1, 2)) > 0).mean() for p in (twice, twice[:, :, ::2, ::2])]",
        photos="[[scores.size, np.mean(scores > 0)] for scores in photo_maps]",
    )


def test_whole_picture_net_knows_the_trained_place_and_no_other(second):
    assert second.values["at_trained_place"] >= 0.85
    assert second.values["whole_anywhere"] <= 0.60
    places = zip(second.values["columns"], second.values["curve"], strict=True)
    away = [accuracy for column, accuracy in places if abs(column - 16) >= 4]
    assert len(away) >= 4
    assert sum(away) / len(away) <= 0.60


def test_loop_and_layer_are_the_same_scan_of_a_picture_that_is_not_square(second):
    assert second.values["wide_shape"] == [40 - 24 + 1, 64 - 24 + 1]
    assert second.values["loop_difference"] < 1e-4


def test_nearly_all_windows_right_and_nearly_all_pictures_wrong_before_hard_negatives(second):
    assert second.values["easy_windows"] >= 0.93
    assert second.values["easy_pictures"] <= 0.35


def test_scan_finds_the_flower_anywhere(second):
    assert second.values["scan_anywhere"] >= 0.93
    scan, whole = second.values["fields"]
    assert min(map(min, scan)) >= 0.80
    assert sum(map(sum, whole)) / 9 <= 0.60
    small, large = second.values["sizes"]
    assert small < large / 3


def test_brightest_place_is_the_flower(second):
    assert second.values["near"] >= 0.90


def test_demo_has_the_numbers_of_the_lecture(second):
    assert second.values["demo_difference"] < 1e-3


def test_what_is_said_of_the_decisions_holds(second):
    got = second.values["deciders"]
    assert min(got["max"], got["softmax"]) >= 0.90
    assert 0.75 <= got["MLP"] < got["max"]
    assert max(got["mean"], got["MLP, one place"]) <= 0.65


def test_stride_2_takes_every_second_score_and_loses_little_and_12_loses_flowers(second):
    assert second.values["stride_difference"] < 1e-4
    accuracy, found = second.values["strides"], second.values["found"]
    assert accuracy["2"] >= accuracy["1"] - 0.03
    assert found["12"] <= found["1"] - 0.3


def test_other_sizes_are_not_found_until_they_are_scanned_over(second):
    by_size = second.values["by_size"]
    assert by_size["1"] >= 0.9
    assert by_size["0.5"] <= 0.4
    assert by_size["2"] <= 0.8
    as_they_are, shrunk = second.values["twice"]
    assert shrunk >= max(0.8, as_they_are + 0.1)


def test_photos_are_scanned_in_full(second):
    for windows, share in second.values["photos"]:
        assert windows == (133 - 24 + 1) * (200 - 24 + 1)
        assert share <= 0.1
    assert second.values["photos"][0][1] > 0  # the cat


def test_it_complains_about_nothing(second):
    assert second.complaints == ""
