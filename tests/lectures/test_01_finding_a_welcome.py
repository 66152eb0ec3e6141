"""Lecture 01 reaches the numbers that it speaks of."""

import pytest


@pytest.fixture
def first(run_lecture):
    return run_lecture(
        "01_finding_a_welcome",
        starts="list(starts)",
        curves="curves",
        at_trained_place="accuracy_at(whole_logits, START)",
        whole_anywhere="accuracy_at(whole_logits, None)",
        fair_in_training="accuracy(fair_logits(anywhere.x), anywhere.y)",
        fair_anywhere="accuracy_at(fair_logits, None)",
        scan_anywhere="accuracy_at(max_logits, None)",
        loop_difference="float(np.abs(scan(with_word.x) - nn.Scan(small, K).eval()(with_word.x[None])[0, 0]).max())",
        deciders="{name: accuracy(train.predict(d, scores_test)[:, 0], test.y) for name, d in deciders.items()}",
        other="accuracy(max_logits(other.x), other.y)",
        small_parameters="size(small)",
        whole_parameters="size(whole)",
    )


def test_whole_recording_net_knows_the_trained_place_and_no_other(first):
    assert first.values["at_trained_place"] >= 0.85
    assert first.values["whole_anywhere"] <= 0.60
    away = [
        a
        for s, a in zip(first.values["starts"], first.values["curves"]["whole-recording MLP"], strict=True)
        if s != 0.3
    ]
    assert sum(away) / len(away) <= 0.60


def test_fair_control_learns_its_training_recordings_by_heart(first):
    assert first.values["fair_in_training"] >= 0.95
    assert first.values["fair_anywhere"] <= 0.70


def test_scan_finds_the_word_anywhere(first):
    assert first.values["scan_anywhere"] >= 0.93
    assert min(first.values["curves"]["scan, maximum"]) >= 0.90
    assert first.values["small_parameters"] < first.values["whole_parameters"] / 5


def test_loop_and_layer_are_the_same_scan(first):
    assert first.values["loop_difference"] < 1e-4


def test_what_is_said_of_the_decisions_holds(first):
    got = first.values["deciders"]
    for good in ("maximum", "softmax, τ = 1", "MLP"):
        assert got[good] >= 0.93
    for poor in ("mean", "MLP, one place"):
        assert got[poor] <= 0.65


def test_another_synthesizer_is_the_limit_that_the_text_says(first):
    assert first.values["other"] <= 0.75


def test_it_complains_about_nothing(first):
    assert first.complaints == ""
