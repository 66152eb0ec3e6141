"""Lecture 09: pooling computes what the deck says, forgives what the lecture says, and its gradients are right."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def ninth(run_lecture):
    return run_lecture(
        "09_pooling",
        deck="[nn.MaxPool2d(2)(deck[None, None])[0, 0].tolist(), pool(deck, 2, 2, np.max).tolist()]",
        deck_mean="[nn.AvgPool2d(2)(deck[None, None])[0, 0].tolist(), pool(deck, 2, 2, np.mean).tolist()]",
        change="change",
        agreement="agreement",
        sums="[float(dy_ones.sum()), float(added.sum()), float(overwritten.sum())]",
        tied="float(tied.mean())",
        twins="{claim: float(difference) for claim, difference in twins.items()}",
        right="right",
        flips="changed_answers",
        larger="larger_right",
        sizes="{name: sum(p.data.size for p in net.parameters()) for name, net in nets.items()}",
        seven="bool(np.array_equal(nn.MaxPool2d(2)(seven), nn.MaxPool2d(2)(changed)))",
    )


def test_deck_example(ninth):
    assert ninth.values["deck"] == [[[6, 8], [3, 4]]] * 2
    assert ninth.values["deck_mean"] == [[[3.25, 5.25], [2, 2]]] * 2


def test_sizes_and_the_row_that_is_left_over(ninth):
    assert "H = 55, K = 3, S = 2:  H' = 27" in ninth.printed
    assert ninth.values["seven"]


def test_pooled_maps_change_about_as_much_as_unpooled_ones(ninth):
    change = ninth.values["change"]
    for name in ("max 2 × 2", "average 2 × 2", "max 4 × 4", "every second place (stride 2)"):
        assert 0.85 * change["no pooling"][1] < change[name][1] <= 1.02 * change["no pooling"][1]
        assert 0.9 < change[name][3] < 1.2  # as far as another digit
    assert 0.35 < change["no pooling"][1] < 0.55
    assert max(change["global max"]) < 0.1


def test_stripes_are_aliased_and_a_blur_helps(ninth):
    assert "moved by 0: 0.0 1.0 0.0 1.0 0.0 1.0" in ninth.printed
    assert "moved by 1: 1.0 1.0 1.0 1.0 1.0 1.0" in ninth.printed
    assert "moved by 0: 0.5 1.0 0.5 1.0 0.5 1.0" in ninth.printed
    assert "moved by 1: 0.75 0.75 0.75 0.75 0.75 0.75" in ninth.printed


def test_gradients_agree_with_slopes_and_with_the_reference(ninth):
    for by_slopes, by_windows in ninth.values["agreement"].values():
        assert by_slopes < 1e-7
        assert by_windows < 1e-12


def test_overlapping_windows_add_up(ninth):
    dy, added, overwritten = ninth.values["sums"]
    assert added == pytest.approx(dy)
    assert overwritten < dy


def test_ties_are_no_rare_case_and_go_to_the_first(ninth):
    assert ninth.values["tied"] > 0.3
    assert "[[4.0, 4.0], [4.0, 4.0]]  max y = 4, dx = [[10.0, 0.0], [0.0, 0.0]]" in ninth.printed


def test_twins_are_equal(ninth):
    assert max(ninth.values["twins"].values()) < 1e-5


def test_flattening_net_falls_and_global_net_stays(ninth):
    flat, everywhere = ninth.values["right"]["flatten"], ninth.values["right"]["global max"]
    assert flat[0] >= 0.8
    assert 0.4 <= flat[3] <= 0.68
    assert 0.12 <= flat[5] <= 0.33
    assert everywhere[0] >= 0.8
    assert max(everywhere) - min(everywhere) <= 0.06
    assert ninth.values["sizes"]["global max"] < ninth.values["sizes"]["flatten"] / 2


def test_answers_depend_on_the_remainder_of_the_shift(ninth):
    flips = ninth.values["flips"]["global max, 48 × 48"]
    assert flips[3] <= 0.01  # 4 pixels: one whole cell of the last maps
    assert min(flips[:3] + flips[4:]) > 0.02
    assert max(ninth.values["flips"]["global max"]) < 0.25
    assert ninth.values["flips"]["flatten"][4] > 0.6


def test_a_larger_sheet_is_another_matter(ninth):
    assert ninth.values["larger"] < ninth.values["right"]["global max"][0]


def test_it_complains_about_nothing(ninth):
    assert ninth.complaints == ""
