"""The slow definitions themselves, against numbers worked by hand and against NumPy."""

import ast
from pathlib import Path

import numpy as np
import pytest

import cnnlab
from cnnlab import reference


def test_reference_shares_no_code_with_what_it_judges():
    allowed = {"collections", "math", "numpy", "typing", "cnnlab.geometry", "cnnlab.reference"}
    for path in (Path(cnnlab.__file__).parent / "reference").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in getattr(node, "names", [])]
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert all(any(n == a or n.startswith(f"{a}.") for a in allowed) for n in names), (path, names)


def test_convolution_of_one_axis_is_numpys_correlation(rng, assert_close):
    x, w = rng.normal(size=(1, 1, 9)), rng.normal(size=(1, 1, 4))
    assert_close(reference.conv_by_edges(x, w)[0, 0], np.correlate(x[0, 0], w[0, 0], mode="valid"))


def test_convolution_sums_over_channels_and_adds_the_bias():
    x = np.array([[[1.0, 2.0], [10.0, 20.0]]])  # (1, 2, 2)
    w = np.array([[[1.0], [2.0]], [[0.0], [-1.0]]])  # (2, 2, 1)
    np.testing.assert_array_equal(reference.conv_by_edges(x, w, np.array([0.5, 1.0])), [[[21.5, 42.5], [-9, -19]]])


def test_groups_see_their_own_channels_only():
    x, w = np.array([[[1.0], [10.0], [100.0], [1000.0]]]), np.ones((4, 2, 1))
    np.testing.assert_array_equal(reference.conv_by_edges(x, w, groups=2), [[[11], [11], [1100], [1100]]])


def test_gradients_worked_by_hand_with_stride_and_padding():
    x, w, dy = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]]), np.array([[[5.0, 7.0]]])
    # windows of the padded input 0 1 2 3 0: (0 1), (2 3)
    dx, dw, db = reference.conv_backward_by_edges(dy, x, w, stride=2, padding=1)
    np.testing.assert_array_equal(dx, [[[50, 7, 70]]])
    np.testing.assert_array_equal(dw, [[[14, 26]]])
    np.testing.assert_array_equal(db, [12])


def test_dense_matrix_is_sparse_and_made_of_equal_blocks(rng):
    w = rng.normal(size=(3, 2, 2))
    matrix = reference.conv_matrix(w, (2, 5)).reshape(3, 4, 2, 5)
    for o in range(4):
        np.testing.assert_array_equal(matrix[:, o, :, o : o + 2], w)
    assert np.count_nonzero(matrix) == 4 * w.size


def test_dense_matrix_adds_weights_that_meet_in_the_padding():
    matrix = reference.conv_matrix(np.array([[[1.0, 10.0, 100.0]]]), (1, 2), padding=1, padding_mode="replicate")
    np.testing.assert_array_equal(matrix, [[11, 100], [1, 110]])


def test_scan_of_a_recording_is_the_loop_of_the_deck(rng, assert_close):
    x, (W1, b1), (W2, b2) = (
        rng.normal(size=(3, 9)),
        *[(rng.normal(size=s), rng.normal(size=s[0])) for s in ((4, 12), (2, 4))],
    )
    for hop in (1, 2, 3):
        scores = []
        for t in range(0, 9 - 4 + 1, hop):  # D07
            scores.append(W2 @ np.maximum(W1 @ x[:, t : t + 4].reshape(-1) + b1, 0) + b2)
        assert_close(reference.scan_1d(x, [(W1, b1), (W2, b2)], 4, hop), np.stack(scores, axis=1))


def test_scan_of_a_picture_puts_rows_first(rng):
    layers = [(np.eye(12)[5:6], np.zeros(1))]  # picks value 5 of each window of (2, 2, 3): channel 0, row 1, column 2
    x = rng.normal(size=(2, 5, 6))
    np.testing.assert_array_equal(reference.scan_2d(x, layers, (2, 3)), x[:1, 1:, 2:])
    np.testing.assert_array_equal(reference.scan_2d(x, layers, (2, 3), (2, 1)), x[:1, 1::2, 2:])


def test_scan_of_a_too_small_input_is_refused():
    with pytest.raises(ValueError, match="kernel 4 is larger than the padded input 3"):
        reference.scan_1d(np.ones((1, 3)), [(np.ones((1, 4)), np.zeros(1))], 4)


def test_pooling_by_windows_worked_by_hand():
    x = np.array([[[[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]]], dtype=float)
    np.testing.assert_array_equal(reference.max_pool_by_windows(x, (2, 2))[0, 0], [[6, 8], [3, 4]])
    np.testing.assert_array_equal(reference.avg_pool_by_windows(x, (2, 2))[0, 0], [[13 / 4, 21 / 4], [2, 2]])
    dy = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    dx = reference.max_pool_backward_by_windows(dy, np.zeros((1, 1, 4, 4)), (2, 2))
    np.testing.assert_array_equal(dx[0, 0, ::2, ::2], dy[0, 0])  # all equal: the first of each window
    assert dx.sum() == 10
    dx = reference.avg_pool_backward_by_windows(dy, x, (2, 2))
    np.testing.assert_array_equal(dx[0, 0], np.kron(dy[0, 0], np.full((2, 2), 0.25)))


def test_transposed_convolution_worked_by_hand():
    x, w = np.array([[[1.0, 2.0]]]), np.array([[[1.0, 10.0, 100.0]]])
    np.testing.assert_array_equal(
        reference.conv_transpose_by_edges(x, w, np.array([0.5])), [[[1.5, 12.5, 120.5, 200.5]]]
    )
    np.testing.assert_array_equal(
        reference.conv_transpose_by_edges(x, w, stride=2, padding=1, output_padding=1), [[[10, 102, 20, 200]]]
    )
    dy = np.array([[[1.0, 2.0, 3.0, 4.0]]])
    dx, dw, db = reference.conv_transpose_backward_by_edges(dy, x, w)
    np.testing.assert_array_equal(dx, [[[321, 432]]])
    np.testing.assert_array_equal(dw, [[[1 + 4, 2 + 6, 3 + 8]]])
    np.testing.assert_array_equal(db, [10])


def test_groups_of_a_transposed_convolution_see_their_own_channels_only():
    x, w = np.array([[[1.0], [10.0], [100.0], [1000.0]]]), np.arange(1.0, 9).reshape(4, 2, 1)
    y = reference.conv_transpose_by_edges(x, w, groups=2)
    np.testing.assert_array_equal(y[0, :, 0], [1 + 30, 2 + 40, 500 + 7000, 600 + 8000])


def test_pooling_with_dilation_and_rounding_up_worked_by_hand():
    x = np.array([[[1.0, 7.0, 3.0, 4.0, 5.0, 6.0]]])
    np.testing.assert_array_equal(reference.max_pool_by_windows(x, (2,), stride=1, dilation=4), [[[5, 7]]])
    up = {"stride": 3, "padding": 1, "ceil_mode": True}
    # windows: padding 1 7 3, 3 4 5 6, 6 padding beyond beyond
    np.testing.assert_array_equal(reference.max_pool_by_windows(x, (4,), **up), [[[7, 6, 6]]])
    np.testing.assert_array_equal(reference.avg_pool_by_windows(x, (4,), **up), [[[11 / 4, 18 / 4, 6 / 2]]])
    inputs_only = reference.avg_pool_by_windows(x, (4,), **up, count_include_pad=False)
    np.testing.assert_array_equal(inputs_only, [[[11 / 3, 18 / 4, 6]]])
    dy = np.array([[[3.0, 8.0, 6.0]]])
    dx = reference.avg_pool_backward_by_windows(dy, x, (4,), **up, count_include_pad=False)
    np.testing.assert_array_equal(dx, [[[1, 1, 1 + 2, 2, 2, 2 + 6]]])
    dx = reference.max_pool_backward_by_windows(dy, x, (4,), **up)
    np.testing.assert_array_equal(dx, [[[0, 3, 0, 0, 0, 8 + 6]]])


def test_a_window_in_the_padding_alone_is_minus_infinity_and_gives_nothing():
    x, options = np.array([[[1.0, 2.0, 3.0]]]), {"padding": 1, "dilation": 4}
    np.testing.assert_array_equal(reference.max_pool_by_windows(x, (2,), **options), [[[-np.inf]]])
    np.testing.assert_array_equal(
        reference.max_pool_backward_by_windows(np.array([[[5.0]]]), x, (2,), **options), [[[0, 0, 0]]]
    )
