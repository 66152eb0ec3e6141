"""What must hold for every convolution, whatever its numbers."""

import numpy as np
import pytest

from cnnlab import ops, reference


def inner(a, b):
    return np.sum(a * b)


def test_input_gradient_is_the_adjoint(lane, rng, conv_case, assert_close):
    x, w, _ = conv_case.draw(rng, lane)
    y = ops.conv_forward(x, w, **conv_case.options)
    dy = lane.random(rng, *y.shape)
    dx, dw, _ = ops.conv_backward(dy, x, w, **conv_case.options)
    x, w, y, dy, dx, dw = (lane.numpy(a).astype(float) for a in (x, w, y, dy, dx, dw))
    relative = 1e-11 if lane.dtype == "float64" else 1e-4
    np.testing.assert_allclose(inner(x, dx), inner(y, dy), rtol=relative, atol=relative)
    np.testing.assert_allclose(inner(w, dw), inner(y, dy), rtol=relative, atol=relative)


def test_linear_in_the_input_and_in_the_filters(rng, conv_case, assert_close):
    x1, w1, _ = conv_case.draw(rng)
    x2, w2, _ = conv_case.draw(rng)

    def conv(x, w):
        return ops.conv_forward(x, w, **conv_case.options)

    assert_close(conv(2 * x1 - 3 * x2, w1), 2 * conv(x1, w1) - 3 * conv(x2, w1))
    assert_close(conv(x1, 2 * w1 - 3 * w2), 2 * conv(x1, w1) - 3 * conv(x1, w2))


def test_gradient_check_along_random_directions(rng, conv_case, assert_gradient):
    x, w, b = conv_case.draw(rng)
    dy = rng.normal(size=ops.conv_forward(x, w, b, **conv_case.options).shape)
    dx, dw, db = ops.conv_backward(dy, x, w, **conv_case.options)
    assert_gradient(lambda x: inner(ops.conv_forward(x, w, b, **conv_case.options), dy), x, dx)
    assert_gradient(lambda w: inner(ops.conv_forward(x, w, b, **conv_case.options), dy), w, dw)
    assert_gradient(lambda b: inner(ops.conv_forward(x, w, b, **conv_case.options), dy), b, db)


def test_equals_its_dense_matrix(rng, conv_case, assert_close):
    x, w, _ = conv_case.draw(rng)
    matrix = reference.conv_matrix(w, x.shape[1:], **conv_case.options)
    y = ops.conv_forward(x, w, **conv_case.options)
    assert_close(y, (x.reshape(len(x), -1) @ matrix.T).reshape(y.shape))


def test_examples_of_a_batch_do_not_meet(rng, conv_case, assert_close):
    x, w, b = conv_case.draw(rng)
    each = [ops.conv_forward(x[n : n + 1], w, b, **conv_case.options) for n in range(len(x))]
    assert_close(ops.conv_forward(x, w, b, **conv_case.options), np.concatenate(each))


@pytest.mark.parametrize("shift", [(1, 0), (0, 2), (-2, 3)])
def test_shifting_the_input_shifts_the_output(rng, assert_close, shift):
    x, w, b = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)

    def conv(x):
        return ops.conv_forward(x, w, b, padding="same", padding_mode="circular")

    assert_close(conv(np.roll(x, shift, axis=(2, 3))), np.roll(conv(x), shift, axis=(2, 3)))


def test_shifting_a_pattern_on_an_empty_ground_shifts_its_map(rng, assert_close):
    pattern, w = rng.normal(size=(1, 2, 3, 4)), rng.normal(size=(3, 2, 3, 2))
    here, there = np.zeros((1, 2, 12, 13)), np.zeros((1, 2, 12, 13))
    here[:, :, 2:5, 2:6] = pattern
    there[:, :, 6:9, 5:9] = pattern
    y_here, y_there = ops.conv_forward(here, w), ops.conv_forward(there, w)
    assert_close(y_there[:, :, 4:9, 4:9], y_here[:, :, :5, 1:6])


@pytest.mark.parametrize("stride", [(2, 1), (1, 3), (2, 3)])
def test_stride_is_stride_one_and_then_every_sth(rng, assert_close, stride):
    x, w = rng.normal(size=(2, 3, 8, 9)), rng.normal(size=(4, 3, 3, 2))
    dense = ops.conv_forward(x, w, padding=1)
    assert_close(ops.conv_forward(x, w, padding=1, stride=stride), dense[:, :, :: stride[0], :: stride[1]])


def test_one_by_one_is_a_linear_layer_at_every_pixel(lane, rng, assert_close):
    x, w, b = lane.random(rng, 2, 3, 4, 5), lane.random(rng, 6, 3, 1, 1), lane.random(rng, 6)
    y = lane.numpy(ops.conv_forward(x, w, b))
    pixels = lane.array(np.moveaxis(lane.numpy(x), 1, -1).reshape(-1, 3))
    matrix = lane.array(lane.numpy(w)[:, :, 0, 0])
    each = lane.numpy(ops.linear_forward(pixels, matrix, b))
    assert_close(y, np.moveaxis(each.reshape(2, 4, 5, 6), -1, 1))


@pytest.mark.parametrize("stride", [1, 2])
def test_a_scan_with_a_small_network_is_a_convolution_and_then_one_by_one_convolutions(rng, assert_close, stride):
    x = rng.normal(size=(3, 7, 8))
    layers = [(rng.normal(size=(5, 3 * 2 * 3)), rng.normal(size=5)), (rng.normal(size=(2, 5)), rng.normal(size=2))]
    (w1, b1), (w2, b2) = layers
    hidden = ops.relu_forward(ops.conv_forward(x[None], w1.reshape(5, 3, 2, 3), b1, stride=stride))
    y = ops.conv_forward(hidden, w2.reshape(2, 5, 1, 1), b2)
    assert_close(y[0], reference.scan_2d(x, layers, (2, 3), stride))


def test_dilation_is_a_kernel_with_holes(rng, assert_close):
    x, w = rng.normal(size=(2, 3, 9, 8)), rng.normal(size=(4, 3, 3, 2))
    holes = np.zeros((4, 3, 5, 4))
    holes[:, :, ::2, ::3] = w
    assert_close(ops.conv_forward(x, w, dilation=(2, 3)), ops.conv_forward(x, holes))


def test_groups_are_convolutions_side_by_side(rng, assert_close):
    x, w, b = rng.normal(size=(2, 6, 5, 4)), rng.normal(size=(9, 2, 2, 3)), rng.normal(size=9)
    parts = [
        ops.conv_forward(x[:, 2 * g : 2 * g + 2], w[3 * g : 3 * g + 3], b[3 * g : 3 * g + 3], padding=1)
        for g in range(3)
    ]
    assert_close(ops.conv_forward(x, w, b, padding=1, groups=3), np.concatenate(parts, axis=1))


@pytest.mark.parametrize(
    ("mode", "numpy_mode"), [("zeros", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
def test_padding_is_padding_and_then_no_padding(rng, assert_close, mode, numpy_mode):
    x, w = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2))
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (1, 1)], mode=numpy_mode)
    assert_close(ops.conv_forward(x, w, padding=(2, 1), padding_mode=mode), ops.conv_forward(padded, w))


def test_input_gradient_at_stride_one_is_a_full_convolution_with_the_flipped_kernel(rng, assert_close):
    x, w, dy = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=(2, 4, 4, 4))
    dx, _, _ = ops.conv_backward(dy, x, w)
    flipped = np.swapaxes(w[:, :, ::-1, ::-1], 0, 1)
    assert_close(dx, ops.conv_forward(dy, flipped, padding=(2, 1)))


def test_two_convolutions_with_nothing_between_are_one(rng, assert_close):
    x, w1, w2 = rng.normal(size=(2, 3, 8, 7)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=(5, 4, 2, 3))
    # Each filter of the second layer, seen as a batch of maps, sent back through the first: deck row D33.
    composed = ops.conv_forward(w2, np.swapaxes(w1[:, :, ::-1, ::-1], 0, 1), padding=(2, 1))
    assert_close(ops.conv_forward(ops.conv_forward(x, w1), w2), ops.conv_forward(x, composed))


def test_a_batch_of_none_has_no_output_and_no_gradient(lane):
    x, w = lane.array(np.zeros((0, 2, 5, 4))), lane.array(np.ones((3, 2, 2, 2)))
    y = ops.conv_forward(x, w)
    assert y.shape == (0, 3, 4, 3)
    dx, dw, db = ops.conv_backward(y, x, w)
    assert dx.shape == x.shape
    assert not lane.numpy(dw).any()
    assert not lane.numpy(db).any()


def test_a_picture_of_no_rows_in_padding_gives_biases_and_no_gradient_to_itself(lane):
    x, w = lane.array(np.zeros((2, 2, 0, 3))), lane.array(np.ones((3, 2, 2, 2)))
    b = lane.array(np.array([1.0, 2.0, 3.0]))
    y = ops.conv_forward(x, w, b, padding=(2, 0))
    assert y.shape == (2, 3, 3, 2)
    assert np.array_equal(np.unique(lane.numpy(y)), [1, 2, 3])
    dx, dw, db = ops.conv_backward(y, x, w, padding=(2, 0))
    assert dx.shape == x.shape
    assert not lane.numpy(dw).any()
    assert np.array_equal(lane.numpy(db), [12, 24, 36])  # 2 · 3 · 2 outputs of each filter
