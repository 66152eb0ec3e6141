"""Lecture 04: both orders give the same numbers for the same work, and what the text says of maps and times holds."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def fourth(run_lecture):
    return run_lecture(
        "04_a_different_order",
        word_difference="np.abs(scores - scores_by_layer).max()",
        word_counts="[count_window_first, count_layer_first, by_hand]",
        word_argmax="int(scores.argmax())",
        word_start="recordings['welcome in the middle'].start",
        demo_counts="list(demos.OrderOfComputation(x=piece, widths=K, layers=nn.layers_of(word_net))"
        ".multiply_adds.values())",
        answers="[answer, answer_inside]",
        maps_difference="np.abs(score_map - window_by_window).max()",
        stack_difference="np.abs(scanner(several) - stack(several)).max()",
        stack_kernels="[list(layer.geometry.kernel) for layer in stack[::2]]",
        found="[int(v) for v in np.unravel_index(score_map.argmax(), score_map.shape)]",
        flower="[float(v) for v in (test_scenes.center[12] - 0.5) / 2]",
        right="{name: [float(np.mean((train.predict(d, m)[:, 0] > 0) == (y == 1)))"
        " for m, y in ((maps_train, scenes.y), (maps_test, test_scenes.y))] for name, d in deciders.items()}",
        kept="[max(pairs), P * P * max(pairs)]",
        took="[took[0], took[-1], all_at_once]",
        grouped_difference="difference",
    )


def test_both_orders_give_the_same_scores_for_the_same_multiply_adds(fourth):
    assert fourth.values["word_difference"] <= 1e-12
    window_first, layer_first, by_hand = fourth.values["word_counts"]
    assert window_first == layer_first == by_hand == 171 * (600 * 8 + 8 * 4 + 4)
    assert fourth.values["demo_counts"] == [35 * 4836] * 2


def test_word_is_found_where_it_is(fourth):
    assert abs(0.02 * fourth.values["word_argmax"] - fourth.values["word_start"]) <= 0.15


def test_second_layer_sees_its_window_and_nothing_else(fourth):
    answer, changed = fourth.values["answers"]
    assert abs(answer - changed) <= 1e-12


def test_maps_give_the_scores_of_the_windows(fourth):
    assert fourth.values["maps_difference"] <= 1e-12
    assert fourth.values["grouped_difference"] <= 1e-12
    place = zip(fourth.values["found"], fourth.values["flower"], strict=True)
    assert all(abs(corner + 5.5 - center) <= 3 for corner, center in place)


def test_scan_is_a_stack_of_convolutions(fourth):
    assert fourth.values["stack_difference"] <= 1e-12
    assert fourth.values["stack_kernels"] == [[12, 12], [1, 1], [1, 1]]


def test_mlp_over_the_map_knows_its_own_scenes_only(fourth):
    right = fourth.values["right"]
    for name in ("maximum", "softmax"):
        assert right[name][1] >= 0.70
    assert right["MLP"][0] >= right["maximum"][0] - 0.05
    assert right["MLP"][1] <= min(right["maximum"][1], right["softmax"][1]) - 0.02


def test_layer_first_keeps_more_and_takes_less_time(fourth):
    window_first, layer_first = fourth.values["kept"]
    assert (window_first, layer_first) == (18, 441 * 18)
    first, groups_of_32, at_once = fourth.values["took"]
    assert first > 3 * at_once
    assert first > 2 * groups_of_32


def test_it_complains_about_nothing(fourth):
    assert fourth.complaints == ""
