"""The references of exercises 11 and 12 against oracles that share no line with them."""

import numpy as np
import pytest

from cnnlab.checks import exercise
from cnnlab.checks.compare import same
from cnnlab.reference import conv_backward_by_edges, conv_by_edges

BACKWARD, COMPOSE = exercise("a3.conv2d_backward"), exercise("a3.compose_kernels")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gradients_are_sums_over_edges(seed):
    for check in BACKWARD.checks:
        for case in check.cases(np.random.default_rng(seed)):
            dy, x, w, stride, padding = case.arguments
            wanted = conv_backward_by_edges(dy, x, w, stride=stride, padding=padding)
            assert same(wanted, BACKWARD.function().reference(*case.arguments)), case.name


def test_no_case_of_the_backward_pass_is_square_by_accident():
    for check in BACKWARD.checks:
        for seed in range(5):
            for case in check.cases(np.random.default_rng(seed)):
                x = case.arguments[1]
                if case.name != "the example above":
                    assert x.shape[2] != x.shape[3], case.name


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_layer_does_the_work_of_two(seed):
    rng = np.random.default_rng(seed)
    compose_kernels, compose_biases = (function.reference for function in COMPOSE.functions)
    for check in COMPOSE.checks:
        for case in check.cases(rng):
            if case.function:
                continue
            k1, k2 = (k.astype(np.float64) for k in case.arguments)
            b1, b2 = rng.standard_normal(len(k1)), rng.standard_normal(len(k2))
            w, b = compose_kernels(k1, k2), compose_biases(b1, k2, b2)
            x = rng.standard_normal((1, k1.shape[1], w.shape[2] + 1, w.shape[3] + 1))
            assert same(conv_by_edges(conv_by_edges(x, k1, b1), k2, b2), conv_by_edges(x, w, b)), case.name
