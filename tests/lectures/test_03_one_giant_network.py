"""Lecture 03 reaches the numbers that it speaks of."""

import pytest


@pytest.fixture
def third(run_lecture):
    return run_lecture(
        "03_one_giant_network",
        all_copies="float(max(copy(with_word.x[:, t : t + 30].reshape(1, -1))[0, 0] for t, copy in enumerate(copies)))",
        giant="float(giant(with_word.x[None])[0, 0])",
        shifted="{place: scores_with_pattern_at(place).tolist() for place in (0, 5, 11, 27, 28)}",
        counts="[of_small, of_lecture_01]",
        small_matrix="[layer_1.entry_count, layer_1.connection_count, layer_1.weight_count]",
        dense_difference="float(difference)",
        parted="[[float(np.abs(copy_of_block(m[0], t) - copy_of_block(m[0], 0)).max()) for t in range(P)]"
        " for m in (entries, stepped)]",
        still="float(np.abs(copy_of_block(stepped[0], 2) - copy_of_block(entries[0], 2)).max())",
        two_edges="[partial_1, partial_2, numeric_two]",
        scan_difference="float(np.abs(summed - tied_small).max())",
        relative="[float(relative), float(length)]",
        gradient_sizes="[tied.size, numeric.size, sum(p.data.size for p in scanned.parameters())]",
        apart="float(apart)",
        losses="[losses[0], losses[-1]]",
        right="{f'{how} {seed}': float(result['right']) for (how, seed), result in results.items()}",
        found="{f'{how} {seed}': float(result['at the word']) for (how, seed), result in results.items()}",
        mistaken="{f'{how} {seed}': shares for (how, seed), shares in mistaken.items()}",
        shares="shares_of_gradient",
    )


def test_copies_side_by_side_are_the_scan(third):
    assert third.values["all_copies"] == pytest.approx(third.values["giant"], abs=1e-5)


def test_scores_move_with_the_pattern_and_the_maximum_stays_until_the_edge(third):
    shifted = third.values["shifted"]
    assert shifted["5"][:9] == pytest.approx(shifted["11"][6:15], abs=1e-12)
    assert max(shifted["5"]) == pytest.approx(max(shifted["11"]), abs=1e-12)
    assert max(shifted["5"]) == pytest.approx(max(shifted["27"]), abs=1e-12)
    assert max(shifted["0"]) < max(shifted["5"]) - 0.1
    assert max(shifted["28"]) < max(shifted["5"]) - 0.1
    assert shifted["5"].index(max(shifted["5"])) == 3  # "begins two frames before the pattern"


def test_parameters_are_counted_as_in_the_deck(third):
    small, large = third.values["counts"]
    assert small == {"full": 18 * 16, "sparse": 18 * 6, "shared": 18}
    assert third.values["small_matrix"] == list(small.values())
    assert large == {"full": 171 * 32 * 4000, "sparse": 171 * 32 * 600, "shared": 32 * 600}


def test_giant_matrix_is_the_scan(third):
    assert third.values["dense_difference"] < 1e-12


def test_untied_copies_part_at_the_first_step(third):
    before, after = third.values["parted"]
    assert max(before) == 0
    assert min(after[1:]) > 1e-3
    assert third.values["still"] == 0  # "copy 2 has not moved at all"


def test_two_edges_add_up(third):
    first, second, numeric = third.values["two_edges"]
    assert (first, second) == (4, 10)
    assert numeric == pytest.approx(14, rel=1e-8)


def test_sum_over_edges_is_the_gradient_of_the_scan(third):
    assert third.values["scan_difference"] < 1e-14


def test_tied_gradient_is_the_numeric_gradient_over_all_parameters(third):
    assert max(third.values["relative"]) < 1e-7
    assert third.values["gradient_sizes"] == [8 * 600 + 8 + 8 + 1] * 3


def test_own_loop_and_library_train_alike(third):
    assert third.values["apart"] < 1e-12
    first, last = third.values["losses"]
    assert last < first / 2


def test_softmax_learns_the_word_and_its_place_from_yes_and_no(third):
    for seed in (0, 1, 2):
        assert third.values["right"][f"softmax {seed}"] >= 0.90
        assert third.values["found"][f"softmax {seed}"] >= 0.93


def test_maximum_depends_on_the_start_and_may_learn_half_a_word(third):
    right = [third.values["right"][f"max {seed}"] for seed in (0, 1, 2)]
    assert max(right) >= min(third.values["right"][f"softmax {seed}"] for seed in (0, 1, 2))
    assert sorted(right)[1] <= 0.9  # "the others do not"
    assert min(right) <= 0.88
    alike, others = third.values["mistaken"][f"max {right.index(min(right))}"]
    assert alike >= 0.3
    assert others <= 0.1


def test_maximum_teaches_one_copy_and_softmax_many(third):
    shares = third.values["shares"]
    assert shares["before training max"] == shares["after training max"] == 1
    assert shares["before training softmax"] > 100
    assert 2 < shares["after training softmax"] < 30


def test_it_complains_about_nothing(third):
    assert third.complaints == ""
