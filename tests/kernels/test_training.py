"""What ends a training step with NumPy's arrays: the same numbers as the readable ops, to the last bit."""

import warnings

import numpy as np
import pytest

from cnnlab import kernels, ops
from cnnlab.kernels import training
from cnnlab.nn import Parameter
from cnnlab.optim import SGD


def readable(function, *arguments):
    with kernels.use_algorithm("taps"):
        return function(*arguments)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("targets_dtype", ["int64", "int32", "uint8", "uint64"])
@pytest.mark.parametrize("shape", [(64, 10), (1, 1), (1, 7), (5, 1), (33, 257)])
def test_cross_entropy_is_that_of_the_readable_op(rng, dtype, targets_dtype, shape):
    logits = rng.standard_normal(shape).astype(dtype) * 9
    targets = rng.integers(0, min(shape[1], 200), shape[0]).astype(targets_dtype)
    loss, gradient = ops.cross_entropy_forward(logits, targets), ops.cross_entropy_backward(logits, targets)
    assert training.cross_entropy_forward(logits, targets) is not None
    wanted = readable(ops.cross_entropy_forward, logits, targets), readable(ops.cross_entropy_backward, logits, targets)
    assert (loss.dtype, gradient.dtype) == (dtype, dtype)
    np.testing.assert_array_equal(loss, wanted[0])
    np.testing.assert_array_equal(gradient, wanted[1])


def test_cross_entropy_of_odd_logits(rng):
    logits = rng.standard_normal((12, 6)).astype("float32")
    logits[0, 2], logits[1, :3], logits[2, 5], logits[3] = np.inf, -np.inf, np.nan, 1e30
    targets = np.array([2, 1, 0, 3, 0, 1, 2, 3, 4, 5, 0, 1])
    turned, every_other = np.asfortranarray(logits), np.repeat(targets, 2)[::2]
    before = logits.copy(), targets.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for some in (slice(0, 1), slice(1, 2), slice(2, 3), slice(3, None)):
            for op in (ops.cross_entropy_forward, ops.cross_entropy_backward):
                wanted = readable(op, logits[some], targets[some])
                np.testing.assert_array_equal(op(logits[some], targets[some]), wanted)
                np.testing.assert_array_equal(op(turned[some], every_other[some]), wanted)
    np.testing.assert_array_equal(logits, before[0])
    np.testing.assert_array_equal(targets, before[1])


@pytest.mark.parametrize(
    ("targets", "error", "match"),
    [
        (np.array([0, 6, 1]), ValueError, "0 to 5"),
        (np.array([-1, 2, 1]), ValueError, "-1 to 2"),
        (np.array([0.0, 2, 1]), TypeError, "integers"),
        (np.array([0, 1]), ValueError, r"\(3,\)"),
        ([0, 1, 2], TypeError, "list"),
    ],
)
def test_wrong_targets_are_refused_as_before(targets, error, match):
    for op in (ops.cross_entropy_forward, ops.cross_entropy_backward):
        with pytest.raises(error, match=match):
            op(np.zeros((3, 6), np.float32), targets)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (7, 3), (60_000,)])
def test_a_step_with_momentum_is_that_of_the_formula(rng, dtype, shape):
    first = np.asarray(rng.standard_normal(shape), dtype=dtype)
    gradients = [np.asarray(rng.standard_normal(shape), dtype=dtype) for _ in range(4)]
    found = []
    for algorithm in (None, "taps"):
        w = Parameter(first.copy())
        optimizer, held = SGD([w], lr=0.3, momentum=0.8), []
        with kernels.use_algorithm(algorithm):
            for gradient in gradients:
                held.append((w.data, w.data.copy()))
                w.grad = gradient
                optimizer.step()
        assert w.data.dtype == dtype
        assert w.data.shape == shape
        for old, copy in held:  # whoever holds old values keeps them
            np.testing.assert_array_equal(old, copy)
        found.append((w.data, optimizer.state[0]["momentum_buffer"]))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_other_arrays_are_left_to_the_readable_step():
    w, g = np.zeros(3, np.float32), np.ones(3, np.float32)
    for other in (np.ones(3), np.ones((3, 1), np.float32), np.ma.ones(3, np.float32), [1, 2, 3], w.astype(">f4")):
        assert training.momentum_step(w, g, other, lr=0.1, momentum=0.9) is None
        assert training.momentum_step(w, other, g, lr=0.1, momentum=0.9) is None
    with kernels.use_algorithm("taps"):
        assert training.momentum_step(w, g, g, lr=0.1, momentum=0.9) is None
        assert training.cross_entropy_forward(np.zeros((1, 2)), np.array([0])) is None
        assert training.cross_entropy_backward(np.zeros((1, 2)), np.array([0])) is None
