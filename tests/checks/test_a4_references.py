"""What assignment 4 takes for right, against the definitions in `cnnlab.reference`, which share no line with it."""

import numpy as np
import pytest

from cnnlab import reference
from cnnlab.checks.compare import same
from cnnlab.checks.registry import exercise

CONV, POOL = exercise("a4.conv_nd"), exercise("a4.pool2d")
MODES = ["zeros", "reflect", "replicate", "circular"]


def cases_of(found, seed):
    return [case for check in found.checks for case in check.cases(np.random.default_rng(seed))]


def conv_by_edges(x, w, b, *options):
    names = ("stride", "padding", "dilation", "groups", "padding_mode")
    return reference.conv_by_edges(x, w, b, **dict(zip(names, options, strict=True)))


def pool_by_windows(x, kernel, stride, padding, how):
    return getattr(reference, f"{how}_pool_by_windows")(x, kernel, stride=stride, padding=padding)


def pool_backward_by_windows(dy, x, kernel, stride, *rest):
    padding, how = rest
    return getattr(reference, f"{how}_pool_backward_by_windows")(dy, x, kernel, stride=stride, padding=padding)


ORACLES = {
    "conv_nd": conv_by_edges,
    "pool2d_forward": pool_by_windows,
    "pool2d_backward": pool_backward_by_windows,
}


@pytest.mark.parametrize("found", [CONV, POOL], ids=["conv_nd", "pool2d"])
def test_every_case_has_the_answer_of_the_definition(found):
    for case in cases_of(found, seed=21):
        function = found.function(case.function)
        assert same(ORACLES[function.name](*case.arguments), function.reference(*case.arguments)), case.name


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("mode", MODES)
def test_convolutions_with_all_options_are_those_of_the_definition(axes, mode):
    rng = np.random.default_rng([axes, MODES.index(mode)])
    for _ in range(4):
        K, S, D = (tuple(int(n) for n in rng.integers(1, 4, axes)) for _ in range(3))
        P = tuple(int(n) for n in rng.integers(0, 4, axes))
        least = [max(p + 1, d * (k - 1) + 1 - 2 * p) for p, k, d in zip(P, K, D, strict=True)]
        spatial = [n + int(rng.integers(3)) for n in least]
        groups, C, M = (int(n) for n in rng.integers(1, 3, 3))
        x = rng.standard_normal((2, groups * C, *spatial))
        w, b = rng.standard_normal((groups * M, C, *K)), rng.standard_normal(groups * M)
        arguments = (x, w, b, S, P, D, groups, mode)
        assert same(conv_by_edges(*arguments), CONV.function().reference(*arguments)), arguments[3:]


@pytest.mark.parametrize("how", ["max", "avg"])
def test_pooling_of_whole_numbers_full_of_ties_is_that_of_the_definition(how):
    rng = np.random.default_rng(3)
    for _ in range(12):
        K, S = (tuple(int(n) for n in rng.integers(1, 5, 2)) for _ in range(2))
        P = tuple(int(rng.integers(k // 2 + 1)) for k in K)
        x = rng.integers(-2, 2, (2, 2, *(k + int(rng.integers(4)) for k in K))).astype(float)
        y = POOL.function("pool2d_forward").reference(x, K, S, P, how)
        assert same(pool_by_windows(x, K, S, P, how), y)
        dy = rng.standard_normal(y.shape)
        dx = POOL.function("pool2d_backward").reference(dy, x, K, S, P, how)
        assert same(pool_backward_by_windows(dy, x, K, S, P, how), dx)


def test_cases_keep_what_the_statement_promises():
    for seed in range(20):
        for case in cases_of(CONV, seed):
            x, w, _, S, P, D, groups, _ = case.arguments
            sizes = list(zip(x.shape[2:], w.shape[2:], S, P, D, strict=True))
            assert all(p < n and n + 2 * p >= d * (k - 1) + 1 for n, k, _, p, d in sizes), case.name
            assert x.shape[1] == groups * w.shape[1]
            assert len(w) % groups == 0
        for case in cases_of(POOL, seed):
            kernel, _, padding = case.arguments[-4:-1]
            assert all(2 * p <= k for k, p in zip(kernel, padding, strict=True)), case.name
