"""Choosing an algorithm by name, and what the planner says of its own choice."""

import numpy as np
import pytest

import cnnlab
from cnnlab import kernels, nn, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import algorithm, rules
from cnnlab.kernels.algorithm import Algorithm, algorithms

LAYER = ConvGeometry((3, 3), padding=1, in_channels=4, out_channels=6)


def test_a_plain_call_holds_until_the_next(rng):
    cnnlab.use_algorithm("im2col")
    assert kernels.current_algorithm() == "im2col"
    cnnlab.use_algorithm("auto")
    assert kernels.current_algorithm() == "auto"


def test_a_with_block_puts_the_choice_back_also_after_an_error():
    cnnlab.use_algorithm("im2col")
    with cnnlab.use_algorithm("batch_last"):
        assert kernels.current_algorithm() == "batch_last"
    assert kernels.current_algorithm() == "im2col"
    with pytest.raises(ValueError, match="in the block"), cnnlab.use_algorithm("batch_last"):
        raise ValueError("in the block")
    assert kernels.current_algorithm() == "im2col"


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ValueError, match=r"there is no algorithm 'magic': choose one of taps, .*im2col.*winograd"):
        cnnlab.use_algorithm("magic")


def test_one_that_cannot_says_why_and_which_can(rng):
    x, w = rng.standard_normal((1, 2, 8, 8)), rng.standard_normal((3, 2, 1, 8))
    with (
        cnnlab.use_algorithm("winograd"),
        pytest.raises(
            ValueError,
            match=r"winograd cannot compute this layer: the kernel is 1×8.* 2 to 7 taps .*These can: .*im2col",
        ),
    ):
        ops.conv_forward(x, w)


def test_taps_is_the_readable_op(monkeypatch, rng):
    def refuse(*_, **__):
        raise AssertionError("a kernel was asked")

    monkeypatch.setattr(kernels.planner, "correlate", refuse)
    monkeypatch.setattr(kernels.pooling, "_each_block", refuse)
    with cnnlab.use_algorithm("taps"):
        x = rng.standard_normal((2, 3, 30, 30))
        assert ops.conv_forward(x, rng.standard_normal((4, 3, 3, 3))).shape == (2, 4, 28, 28)
        assert ops.max_pool_forward(x, 2).shape == (2, 3, 15, 15)


def test_winograd_can_be_ruled_out():
    layer, shape = ConvGeometry((3, 3), in_channels=64, out_channels=64), (4, 64, 58, 58)
    assert cnnlab.explain_plan(layer, shape)["forward"] == "winograd"
    with kernels.allow_winograd(False):
        assert cnnlab.explain_plan(layer, shape)["forward"] == "im2col"


def test_the_plan_tells_what_is_picked_why_and_at_what_cost():
    plan = cnnlab.explain_plan(nn.Conv2d(4, 6, 3, padding=1), (2, 4, 30, 40))
    assert [step.work for step in plan.steps] == ["forward", "grad_input", "grad_weight"]
    assert plan.steps[0].flops == 2 * LAYER.mac_count((2, 4, 30, 40))
    text = repr(plan)
    assert "4 → 6, kernel 3×3 of 2×4×30×40 in float32" in text
    for step in plan.steps:
        assert step.algorithm in algorithms()
        assert step.because in text
    assert "depthwise each filter sees 4 channels, not one" in " ".join(text.split())


def test_the_plan_of_a_strided_layer_has_a_step_for_each_residue():
    layer = ConvGeometry((3, 3), stride=2, padding=1, in_channels=64, out_channels=8)
    plan = cnnlab.explain_plan(layer, (1, 64, 30, 30))
    assert [step.work for step in plan.steps].count("grad_input") == 4


def test_little_work_is_planned_for_the_readable_op():
    plan = cnnlab.explain_plan(ConvGeometry((2,)), (1, 1, 5))
    assert {step.algorithm for step in plan.steps} == {"taps"}
    assert plan["grad_weight"] == "taps"


@pytest.mark.parametrize(
    ("layer", "shape", "error"),
    [("conv", (1, 4, 8, 8), TypeError), (LAYER, (1, 3, 8, 8), ValueError), (LAYER, (4, 8, 8), ValueError)],
)
def test_a_plan_for_what_does_not_fit_is_refused(layer, shape, error):
    with pytest.raises(error):
        cnnlab.explain_plan(layer, shape)


def test_another_provider_can_add_an_algorithm_and_its_rule(monkeypatch, rng):
    class Ones(Algorithm):
        name = "ones"
        idea = "for this test"
        provider = "a test"
        has_grad_weight = False

        def forward(self, x, weights, b, y, case):
            y[...] = 1

    monkeypatch.setattr(algorithm, "_known", dict(algorithm._known))
    monkeypatch.setattr(rules, "RULES", list(rules.RULES))
    kernels.algorithm.register(Ones())
    rules.add(rules.Rule("ones", lambda case: case.kernel == (2, 7), "this is a test"))
    x, w = rng.standard_normal((2, 3, 20, 20)), rng.standard_normal((4, 3, 2, 7))
    assert (ops.conv_forward(x, w) == 1).all()
    assert np.isfinite(ops.conv_backward_parameters(np.ones((2, 4, 19, 14)), x, w)[0]).all()
