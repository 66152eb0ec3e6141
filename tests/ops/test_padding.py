"""Padding against NumPy's, and its adjoint."""

import numpy as np
import pytest

from cnnlab import ops

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
PADS = {
    "both ends": [(2, 1), (1, 2)],
    "one axis": [(0, 0), (2, 2)],
    "none": [(0, 0), (0, 0)],
    "last axis only": [(3, 0)],
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pads", PADS.values(), ids=PADS)
def test_equals_numpy(lane, rng, assert_close, mode, pads):
    x = lane.random(rng, 2, 3, 4)
    untouched = [(0, 0)] * (3 - len(pads))
    assert_close(ops.pad_forward(x, pads, mode=mode), np.pad(lane.numpy(x), untouched + pads, mode=MODES[mode]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pads", PADS.values(), ids=PADS)
def test_backward_is_the_adjoint(lane, rng, mode, pads):
    x = lane.random(rng, 2, 3, 4)
    y = ops.pad_forward(x, pads, mode=mode)
    dy = lane.random(rng, *y.shape)
    dx = ops.pad_backward(dy, pads, mode=mode)
    assert dx.shape == x.shape
    x, y, dx, dy = (lane.numpy(a).astype(float) for a in (x, y, dx, dy))
    np.testing.assert_allclose(np.sum(x * dx), np.sum(y * dy), rtol=1e-10 if lane.dtype == "float64" else 1e-4)


def test_result_is_new_even_when_nothing_is_added():
    x = np.ones((2, 3))
    for mode in MODES:
        assert not np.shares_memory(ops.pad_forward(x, [(0, 0)], mode=mode), x)
        assert not np.shares_memory(ops.pad_backward(x, [(0, 0)], mode=mode), x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.pad_forward(x, [(1, 1)], mode="mirror"), "'mirror' is unknown"),
        (lambda x: ops.pad_forward(x, [(1, 1)] * 3), "names 3 axes, the array has 2"),
        (lambda x: ops.pad_forward(x, [(1, -1)]), r"padding \(=-1\) must be at least 0"),
        (lambda x: ops.pad_forward(x, [(3, 0)], mode="reflect"), "needs an input of at least 4, not 3"),
        (
            lambda x: ops.pad_backward(x, [(2, 2)]),
            r"^dy has 3 positions on axis 1, fewer than the padding \(2, 2\): "
            r"pass the gradient with respect to the padded array$",
        ),
        (lambda x: ops.pad_forward(x, []), r"padding \(\) names 0 axes, the array has 2"),
        (lambda x: ops.pad_backward(x, [(1, 1)], mode="mirror"), "'mirror' is unknown"),
    ],
)
def test_wrong_padding_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 3)))


@pytest.mark.parametrize("padding", [3, "same", (1, 2), [(1,)], [(1, 2, 3)], [1], [(1.5, 2)], [(True, 2)]], ids=str)
def test_padding_that_is_not_made_of_pairs_is_refused(padding):
    with pytest.raises(
        TypeError, match=r"must be pairs \(before, after\)|padding must be a whole number, not (1.5|True)"
    ):
        ops.pad_forward(np.ones((2, 3)), padding)


def test_all_axes_may_be_padded(rng):
    x, pads = rng.normal(size=(2, 3)), [(1, 0), (2, 1)]
    np.testing.assert_array_equal(ops.pad_forward(x, pads), np.pad(x, pads))
    np.testing.assert_array_equal(ops.pad_backward(np.pad(x, pads, mode="edge"), pads), x)
