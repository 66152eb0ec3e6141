"""Cutting out windows, as the explicit crops of a scan do."""

import numpy as np
import pytest

from cnnlab import ops, reference

CASES = {
    "1-D": ((2, 3, 8), (3,), 1),
    "2-D": ((2, 3, 6, 5), (3, 2), (2, 1)),
    "2-D window as large as the input": ((1, 2, 3, 4), (3, 4), 1),
    "3-D": ((2, 1, 4, 3, 5), (2, 3, 2), (1, 1, 2)),
}


@pytest.mark.parametrize(("shape", "kernel", "stride"), CASES.values(), ids=CASES)
def test_equals_scanning_with_a_network_that_repeats_its_window(lane, rng, assert_close, *, shape, kernel, stride):
    x = lane.random(rng, *shape)
    size = shape[1] * int(np.prod(kernel))
    repeat = [(np.eye(size, dtype=lane.dtype), np.zeros(size, dtype=lane.dtype))]
    want = np.stack([reference.scan_by_crops(each, repeat, kernel, stride) for each in lane.numpy(x)])
    got = ops.windows_forward(x, kernel, stride=stride)  # (N, P, C·K)
    assert_close(got, np.moveaxis(want.reshape(shape[0], size, -1), 1, 2))


@pytest.mark.parametrize(("shape", "kernel", "stride"), CASES.values(), ids=CASES)
def test_backward_is_the_adjoint(lane, rng, *, shape, kernel, stride):
    x = lane.random(rng, *shape)
    y = ops.windows_forward(x, kernel, stride=stride)
    dy = lane.random(rng, *y.shape)
    dx = ops.windows_backward(dy, x, kernel, stride=stride)
    x, y, dx, dy = (lane.numpy(a).astype(float) for a in (x, y, dx, dy))
    relative = 1e-10 if lane.dtype == "float64" else 1e-4
    np.testing.assert_allclose(np.sum(x * dx), np.sum(y * dy), rtol=relative, atol=relative)


def test_stride_left_out_is_one(rng):
    x, dy = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 4, 6))
    np.testing.assert_array_equal(ops.windows_forward(x, (2,)), ops.windows_forward(x, (2,), stride=1))
    np.testing.assert_array_equal(ops.windows_backward(dy, x, (2,)), ops.windows_backward(dy, x, (2,), stride=1))


def test_an_input_counts_once_for_every_window_that_sees_it():
    x = np.zeros((1, 1, 5))
    dx = ops.windows_backward(np.ones((1, 4, 2)), x, (2,))
    np.testing.assert_array_equal(dx, [[[1, 2, 2, 2, 1]]])
