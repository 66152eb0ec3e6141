"""The convolution stepper's Python side: what is sent, what is refused, and its output."""

import numpy as np
import pytest
from traitlets import TraitError

from cnnlab import ops
from cnnlab.demos import ConvStepper

RNG = np.random.default_rng(1)


def test_deck_example_is_the_default():
    np.testing.assert_array_equal(ConvStepper().output, [[4, 3, 4], [2, 4, 3], [2, 3, 4]])
    np.testing.assert_array_equal(ConvStepper(stride=2).output, [[4, 4], [2, 4]])


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("flip", [False, True])
def test_output_is_that_of_the_op(mode, flip):
    x, w, b = RNG.standard_normal((7, 9)), RNG.standard_normal((3, 2)), 0.7
    options = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 3), "padding_mode": mode}
    kernel = w[::-1, ::-1] if flip else w
    expected = ops.conv_forward(x[None, None], kernel[None, None].copy(), np.array([b]), **options)[0, 0]
    np.testing.assert_allclose(ConvStepper(x, w, b, **options, flip=flip).output, expected, rtol=1e-12, atol=1e-12)


def test_one_axis_becomes_one_row():
    demo = ConvStepper([1.0, 2.0, 4.0, 8.0], [1.0, -1.0], stride=2, padding=1)
    assert demo.x == [[1, 2, 4, 8]]
    assert (demo.stride, demo.padding) == ([1, 2], [0, 1])
    np.testing.assert_array_equal(demo.output, [[-1, -2, 8]])


def test_inputs_arrive_to_the_last_bit_and_stay_unchanged():
    x, w = RNG.standard_normal((5, 4)), RNG.standard_normal((2, 3)).astype(np.float32)
    for array in (x, w):
        array.setflags(write=False)
    demo = ConvStepper(np.asfortranarray(x), w)
    np.testing.assert_array_equal(np.array(demo.x), x)
    np.testing.assert_array_equal(np.array(demo.w), w.astype(np.float64))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": np.ones((2, 3, 3))}, r"x has shape \(2, 3, 3\): expected 1 or 2 axes"),
        ({"x": np.ones((0, 3))}, "none of them empty"),
        ({"x": [[1, np.nan], [0, 1]]}, r"x is nan at index \(0, 1\)"),
        ({"x": np.ones(5)}, "x has 1 axes and w has 2"),
        ({"x": [["a", "b"]]}, "expected real numbers"),
        ({"w": np.ones((6, 2))}, "kernel 6 is larger than the padded input 5"),
        ({"stride": 0}, r"stride \(=0\) must be at least 1"),
        ({"stride": (1, 2, 3)}, "stride"),
        ({"padding": -1}, r"padding \(=-1\) must be at least 0"),
        (
            {"padding": 5, "padding_mode": "reflect"},
            'padding 5 with padding_mode "reflect" needs an input of at least 6',
        ),
        ({"b": float("inf")}, "b=inf"),
        ({"x": np.ones((25, 25))}, "x has 25 × 25 cells: at most 576"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(changes, words):
    with pytest.raises(ValueError, match=words):
        ConvStepper(**changes)


def test_wrong_types_are_refused():
    with pytest.raises(TypeError, match=r"stride must be a whole number, not 1\.5"):
        ConvStepper(stride=1.5)
    with pytest.raises(TraitError, match="padding_mode"):
        ConvStepper(padding_mode="mirror")


def test_what_python_assigns_is_checked_too():
    demo = ConvStepper()
    for name, value in {"x": [[1, None]], "w": [], "stride": [0, 1], "padding": [1], "dilation": [1, 1, 1]}.items():
        with pytest.raises((ValueError, TypeError)):
            setattr(demo, name, value)
    demo.x = np.eye(4).tolist()
    np.testing.assert_array_equal(demo.output, [[3, 0], [0, 3]])
