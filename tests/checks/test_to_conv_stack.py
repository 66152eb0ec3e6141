"""Exercise 7 against the library's own convolutions, and against the scan itself."""

import numpy as np
import pytest

from cnnlab import nn
from cnnlab.checks import exercise

TO_CONV_STACK = exercise("a2.to_conv_stack")
to_conv_stack = TO_CONV_STACK.function().reference


def cases(seed):
    return [case.arguments for check in TO_CONV_STACK.checks for case in check.cases(np.random.default_rng(seed))]


def scan_of(layers, C, hop):
    steps = []
    for W, b in layers:
        linear = nn.Linear(W.shape[1], W.shape[0], dtype="float64")
        linear.weight.data, linear.bias.data = W.astype(float), b.astype(float)
        steps += [linear, nn.ReLU()]
    return nn.Scan(nn.Sequential(*steps[:-1]), layers[0][0].shape[1] // C, hop).eval()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_kernels_expected_are_those_of_the_library_and_scan_alike(seed):
    for layers, C, widths, hops in cases(seed):
        kernels, biases, strides = to_conv_stack(layers, C, widths, hops)
        assert all(hop <= width for width, hop in zip(widths, hops, strict=True))
        scan = scan_of(layers, C, int(np.prod(hops)))
        stack = nn.to_convolutions(scan, list(zip(widths, hops, strict=True))).eval()
        for conv, w, b, stride in zip(stack[::2], kernels, biases, strides, strict=True):
            np.testing.assert_array_equal(conv.weight.data, w)
            np.testing.assert_array_equal(conv.bias.data, b)
            assert conv.geometry.stride == (stride,)
        x = np.random.default_rng(seed).standard_normal((2, C, 2 * scan.kernel_size + 3))
        np.testing.assert_allclose(stack(x), scan(x), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_every_check_of_two_or_three_levels_has_more_than_one_block_and_layers_above(seed):
    for check in TO_CONV_STACK.checks:
        arguments = [case.arguments for case in check.cases(np.random.default_rng(seed))]
        assert any(len(layers) > len(widths) for layers, _, widths, _ in arguments), check.title
        if "One level" not in check.title:
            assert any(len(layers[0][1]) > len(to_conv_stack(layers, *rest)[1][0]) for layers, *rest in arguments)
