"""Lecture 08: the equalities hold, counts are those of the deck's formulas, the motion filter has a direction."""

import importlib.util

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def eighth(run_lecture):
    return run_lecture(
        "08_one_by_one_and_other_convolutions",
        shuffle="shuffle_differences",
        mlp="mlp_difference",
        kernels="[layer.geometry.kernel for layer in nn.to_convolutions(scan) if hasattr(layer, 'geometry')]",
        costs="costs",
        ranks="[int(channel_rank(direct[0].weight.data)), int(channel_rank(composed))]",
        moved="list(moved)",
        separable="separable_difference",
        macs="[full_macs, depth_macs, point_macs]",
        paths="stack_of_three.paths.tolist()",
        padded="{mode: row.tolist() for mode, row in padded.items()}",
        scan="scan_difference",
        bands="band_difference",
        by_frames="float(abs(largest_by_frames(forwards) - largest_by_frames(backwards)).max())",
        same_frames="bool((np.sort(forwards, axis=1) == np.sort(backwards, axis=1)).all())",
        responses="responses",
        tuned="tuned",
        channels="channel_difference",
        edges="edge_difference",
        torch="torch_differences",
    )


def test_one_by_one_does_not_see_a_shuffle_and_three_by_three_does(eighth):
    one, three = eighth.values["shuffle"]
    assert one < 1e-12
    assert three > 0.1


def test_one_by_one_stack_is_an_mlp_at_every_pixel(eighth):
    assert eighth.values["mlp"] < 1e-12


def test_later_layers_of_a_scan_are_one_by_one(eighth):
    assert eighth.values["kernels"] == [[24, 24], [1, 1], [1, 1]]


def test_bottleneck_costs_a_ninth_and_limits_the_rank(eighth):
    area = 28 * 28
    direct, through = eighth.values["costs"]["direct"], eighth.values["costs"]["through 16"]
    assert direct == [192 * 25 * 32 + 32, 192 * 25 * 32 * area]
    assert through == [192 * 16 + 16 + 16 * 25 * 32 + 32, (192 * 16 + 16 * 25 * 32) * area]
    assert eighth.values["ranks"] == [192, 16]


def test_groups_do_not_hear_of_each_other(eighth):
    assert eighth.values["moved"][:6] == [0.0] * 6
    assert min(eighth.values["moved"][6:]) > 0.01


def test_depthwise_separable_is_a_product_kernel_and_nearly_all_one_by_one(eighth):
    assert eighth.values["separable"] < 1e-12
    full, depth, point = eighth.values["macs"]
    assert full == 512 * 512 * 9 * 196
    assert (depth + point) / full == pytest.approx(1 / 512 + 1 / 9)
    assert point / (depth + point) > 0.95


def test_equal_dilations_leave_holes(eighth):
    assert [path for path in eighth.values["paths"] if path] == [1, 3, 6, 7, 6, 3, 1]
    assert 0 in eighth.values["paths"][3:16]


def test_padding_modes_are_as_printed(eighth):
    middle = [1, 2, 3, 4, 5]
    assert eighth.values["padded"] == {
        "zeros": [0, 0, 0, *middle, 0, 0, 0],
        "reflect": [4, 3, 2, *middle, 4, 3, 2],
        "replicate": [1, 1, 1, *middle, 5, 5, 5],
        "circular": [3, 4, 5, *middle, 1, 2, 3],
    }


def test_welcome_scanner_is_a_one_dimensional_convolution(eighth):
    assert eighth.values["scan"] < 1e-12
    assert eighth.values["bands"] < 1e-12
    assert "Conv1d(20, 24, kernel_size=(30,)" in eighth.printed


def test_frames_one_by_one_do_not_tell_the_direction(eighth):
    assert eighth.values["same_frames"]
    assert eighth.values["by_frames"] < 1e-12


def test_motion_filter_has_a_direction(eighth):
    (right, left), (right_back, left_back), at_rest = eighth.values["responses"].values()
    assert right > 2.5 * left
    assert left_back > 2.5 * right_back
    assert max(at_rest) < 1e-12


def test_motion_filter_has_a_speed(eighth):
    right, left = eighth.values["tuned"]["right"], eighth.values["tuned"]["left"]
    assert max(right) == right[5]  # speeds are -4 … 4: +1 pixel a frame
    assert max(left) == left[3]
    assert right[4] < 1e-12
    assert all(r > 1.2 * wrong for r, wrong in zip(right[5:8], left[5:8], strict=True))
    assert left[8] > right[8]  # 4 pixels a frame: the wrong one wins
    assert right[0] > left[0]


def test_layer_is_a_sum_over_channels(eighth):
    assert eighth.values["channels"] < 1e-12


def test_every_option_agrees_with_the_loops_over_edges(eighth):
    assert eighth.values["edges"] < 1e-12


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_agrees_with_pytorch(eighth):
    assert len(eighth.values["torch"]) == 3
    assert max(eighth.values["torch"]) < 1e-12


def test_it_says_so_without_pytorch(eighth):
    said = "PyTorch is not installed here" in eighth.printed
    assert said == (not eighth.values["torch"])


def test_it_complains_about_nothing(eighth):
    assert eighth.complaints == ""
