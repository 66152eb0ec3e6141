"""Exercise 5 against the library's own ties, and against the slope of a loss."""

import numpy as np
import pytest

from cnnlab import ops
from cnnlab.checks import exercise
from cnnlab.checks.a2.tied_gradient import scan_ties
from cnnlab.reference import conv_matrix

TIED_GRADIENT = exercise("a2.tied_gradient")
gradient, step = (function.reference for function in TIED_GRADIENT.functions)


def cases(seed, function):
    every = [case for check in TIED_GRADIENT.checks for case in check.cases(np.random.default_rng(seed))]
    return [case.arguments for case in every if TIED_GRADIENT.function(case.function).name == function]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gradient_expected_is_that_of_the_library(seed):
    for dw_full, ties in cases(seed, "tied_gradient"):
        values = np.zeros(ties.max() + 1, dw_full.dtype)
        expected = ops.tie_backward(dw_full.sum(axis=0), values, ties)
        np.testing.assert_allclose(gradient(dw_full, ties), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_step_expected_copies_as_the_library_does(seed):
    for w, dw_full, ties, lr in cases(seed, "tied_step"):
        w_new, W_new = step(w, dw_full, ties, lr)
        np.testing.assert_allclose(w_new, w - lr * ops.tie_backward(dw_full.sum(axis=0), w, ties), atol=1e-12)
        np.testing.assert_array_equal(W_new, ops.tie_forward(w_new, ties))


def test_the_gradient_is_the_slope_of_a_mean_loss():
    rng = np.random.default_rng(3)
    ties, w = scan_ties((2, 2), 3, 6, 2, 1), rng.standard_normal(12)
    x, targets = rng.standard_normal((4, 12)), rng.standard_normal((4, 6))

    def loss(w):
        return 0.5 * ((x @ ops.tie_forward(w, ties).T - targets) ** 2).sum(axis=1).mean()

    dy = (x @ ops.tie_forward(w, ties).T - targets) / len(x)
    found = gradient(dy[:, :, None] * x[:, None, :], ties)
    slopes = [(loss(w + 1e-6 * e) - loss(w - 1e-6 * e)) / 2e-6 for e in np.eye(12)]
    np.testing.assert_allclose(found, slopes, atol=1e-8)


@pytest.mark.parametrize(("channels", "K", "n", "stride", "padding"), [((2, 3), 3, 7, 2, 1), ((1, 2), 4, 2, 5, 1)])
def test_ties_of_a_scan_are_the_matrix_of_numbered_weights(channels, K, n, stride, padding):
    numbered = np.arange(1.0, channels[0] * channels[1] * K + 1).reshape(*channels, K)
    matrix = conv_matrix(numbered, (channels[1], n), stride=stride, padding=padding)
    np.testing.assert_array_equal(scan_ties(channels, K, n, stride, padding), matrix - 1)


@pytest.mark.parametrize("seed", range(5))
def test_every_check_has_an_entry_without_a_connection_and_as_many_weights_as_ties_say(seed):
    for check in TIED_GRADIENT.checks:
        found = []
        for case in check.cases(np.random.default_rng(seed)):
            named = dict(zip(TIED_GRADIENT.function(case.function).parameters, case.arguments, strict=True))
            found.append((named["ties"] == -1).any())
            assert len(named.get("w", range(named["ties"].max() + 1))) == named["ties"].max() + 1
        assert any(found), check.title
