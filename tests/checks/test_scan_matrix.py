"""Exercise 4 against the library's own matrix and its own scan."""

import numpy as np
import pytest

from cnnlab import ops
from cnnlab.checks import exercise
from cnnlab.reference import conv_matrix

SCAN_MATRIX = exercise("a2.scan_matrix")


def cases(seed):
    return [case.arguments for check in SCAN_MATRIX.checks for case in check.cases(np.random.default_rng(seed))]


def drawn(rng, axes):
    channels, kernel = rng.integers(1, 4, 2), rng.integers(1, 5, axes)
    padding, stride = rng.integers(0, 3, axes), rng.integers(1, 4, axes)
    n = np.maximum(1, kernel - 2 * padding) + rng.integers(0, 5, axes)
    w = rng.standard_normal((*channels, *kernel))
    return w, *(tuple(each.tolist()) for each in (n, stride, padding))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_answers_expected_are_those_of_the_library(seed):
    for w, n, stride, padding in cases(seed):
        expected = conv_matrix(w, (w.shape[1], *n), stride=stride, padding=padding)
        np.testing.assert_array_equal(SCAN_MATRIX.function().reference(w, n, stride, padding), expected)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_any_sizes_give_the_matrix_and_the_scan_of_the_library(axes):
    rng = np.random.default_rng(axes)
    for _ in range(60):
        w, n, stride, padding = drawn(rng, axes)
        M = SCAN_MATRIX.function().reference(w, n, stride, padding)
        np.testing.assert_array_equal(M, conv_matrix(w, (w.shape[1], *n), stride=stride, padding=padding))
        x = rng.standard_normal((1, w.shape[1], *n))
        y = ops.conv_forward(x, w, stride=stride, padding=padding)
        np.testing.assert_allclose(M @ x.ravel(), y.ravel(), atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_is_wider_than_high_and_has_at_least_two_places_an_axis(seed):
    for check in SCAN_MATRIX.checks:
        if check.hidden and "2-D" in check.title:
            for case in check.cases(np.random.default_rng(seed)):
                w, n, stride, padding = case.arguments
                places = [(n[a] + 2 * padding[a] - w.shape[2 + a]) // stride[a] + 1 for a in (0, 1)]
                assert n[0] < n[1]
                assert min(places) >= 2
