"""Lecture 05: the distributed net is its own block-tied MLP, shares work, and learns as the text says."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def fifth(run_lecture):
    return run_lecture(
        "05_distributing_the_scan",
        expanded_difference="np.abs(stack(batch) - expanded(batch)).max()",
        parameters="[size(expanded), size(untied(stack)), size(stack), size(dense_scan)]",
        zeros="np.mean(matrix == 0)",
        counts="[count_window_first, count_layer_first]",
        by_summary="summary(stack, (3, 32, 32)).multiply_adds",
        scores_difference="max(np.abs(y - stack(scene[None])[0, 0]).max() for y in (by_window, by_layer))",
        demo_counts="demos.OrderOfComputation(x=piece, features=(3, 2, 1), **blocks).multiply_adds",
        means="means",
        sizes_of_nets="[size(build(np.random.default_rng(0))) for build in nets.values()]",
        deeper_difference="np.abs(deeper(batch) - as_mlp(batch)).max()",
        deeper_parameters="[size(untied(deeper)), size(deeper)]",
        deeper_hop="list(as_mlp.stride)",
    )


def test_distributed_net_is_its_block_tied_mlp(fifth):
    assert fifth.values["expanded_difference"] <= 1e-12
    in_blocks = 25 * 16 * 48 + 25 * 16 + 400 * 16 + 16 + 16 + 1
    tied = 16 * 48 + 16 + 400 * 16 + 16 + 16 + 1
    dense = 432 * 400 + 400 + 400 * 16 + 16 + 16 + 1
    assert fifth.values["parameters"] == [dense, in_blocks, tied, tied]
    assert fifth.values["zeros"] == pytest.approx(1 - 48 / 432)


def test_a_dense_net_is_refused(fifth):
    assert "is not block-sparse and tied" in fifth.printed


def test_layer_first_needs_fewer_multiply_adds(fifth):
    window_first, layer_first = fifth.values["counts"]
    assert window_first == 121 * (25 * 16 * 48 + 400 * 16 + 16)
    assert layer_first == 225 * 16 * 48 + 121 * (400 * 16 + 16) == fifth.values["by_summary"]
    assert fifth.values["scores_difference"] <= 1e-12
    demo = fifth.values["demo_counts"]
    assert demo["window_first"] == 9 * (25 * 3 * 16 + 2 * 75 + 2)
    assert demo["layer_first"] == 49 * 3 * 16 + 9 * (2 * 75 + 2)


def test_nets_that_look_at_blocks_generalize_better(fifth):
    small, large, local, tied = fifth.values["means"].values()
    assert fifth.values["sizes_of_nets"] == [7217, 179633, 26033, 7217]
    for i in (1, 2):  # 300 and 900 windows
        assert min(local[i], tied[i]) >= max(small[i], large[i]) + 0.01
    assert local[2] >= tied[2] + 0.01
    assert local[0] >= small[0]


def test_three_levels_are_one_more_net(fifth):
    assert fifth.values["deeper_difference"] <= 1e-12
    untied, tied = fifth.values["deeper_parameters"]
    assert tied == 16 * 48 + 16 + 16 * 144 + 16 + 64 + 1
    assert untied == 25 * 16 * 49 + 4 * 16 * 145 + 65
    assert fifth.values["deeper_hop"] == [4, 4]


def test_it_complains_about_nothing(fifth):
    assert fifth.complaints == ""
