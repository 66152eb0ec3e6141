"""Exercise 6 against the library's own scans and counts."""

import numpy as np
import pytest

from cnnlab import nn, summary
from cnnlab.checks import exercise
from cnnlab.demos import OrderOfComputation

LAYER_FIRST = exercise("a2.layer_first")
layer_first, mac_count_scan = (function.reference for function in LAYER_FIRST.functions)


def cases(seed, function):
    every = [case for check in LAYER_FIRST.checks for case in check.cases(np.random.default_rng(seed))]
    return [case.arguments for case in every if LAYER_FIRST.function(case.function).name == function]


def stack_of(channels, widths, hops):
    """Convolutions with the activations between them."""
    layers = []
    for below, above, width, hop in zip(channels[:-1], channels[1:], widths, hops, strict=True):
        layers += [nn.Conv1d(below, above, width, stride=hop, dtype="float64"), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_maps_expected_are_those_of_convolutions_and_of_the_scan_of_whole_windows(seed):
    for x, layers, widths, hops in cases(seed, "layer_first"):
        stack = stack_of([len(x), *(len(b) for _, b in layers)], widths, hops)
        for conv, (W, b) in zip(stack[::2], layers, strict=True):
            conv.weight.data, conv.bias.data = W.reshape(conv.weight.data.shape).astype(float), b.astype(float)
        y = layer_first(x, layers, widths, hops)
        assert y.dtype == x.dtype
        batch = x[None].astype(float)
        np.testing.assert_allclose(y, stack(batch)[0], rtol=1e-5, atol=1e-4 if x.dtype == np.float32 else 1e-11)
        np.testing.assert_allclose(nn.expand(stack).eval()(batch), stack(batch), atol=1e-10)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_counts_expected_are_those_of_the_summary_and_of_one_window_at_a_time(seed):
    for order, (C, T), neurons, widths, hops in cases(seed, "mac_count_scan"):
        stack = stack_of([C, *neurons], widths, hops)
        found = mac_count_scan(order, (C, T), neurons, widths, hops)
        if order == "layer":
            assert found == summary(stack, (C, T)).multiply_adds
        else:
            window = nn.expand(stack).kernel_size
            frames = window if isinstance(window, int) else window[0]
            one_window = summary(stack, (C, frames)).multiply_adds
            assert found == stack(np.zeros((1, C, T))).shape[2] * one_window


def test_the_counts_are_those_of_the_demo():
    shown = OrderOfComputation(20, widths=(4, 3), hops=(2, 1)).multiply_adds
    assert shown == {
        f"{order}_first": mac_count_scan(order, (1, 20), [3, 2, 1], [4, 3, 1], [2, 1, 1])
        for order in ("window", "layer")
    }


@pytest.mark.parametrize("seed", range(5))
def test_no_hop_is_larger_than_its_width_and_there_is_a_window_on_every_level(seed):
    for *_, widths, hops in cases(seed, "layer_first") + cases(seed, "mac_count_scan"):
        assert all(hop <= width for width, hop in zip(widths, hops, strict=True))
    for x, layers, widths, hops in cases(seed, "layer_first"):
        assert layer_first(x, layers, widths, hops).shape[1] >= 1


@pytest.mark.parametrize("seed", range(5))
def test_relu_makes_a_difference_for_every_neuron_of_a_map_of_several_places(seed):
    for x, layers, widths, hops in cases(seed, "layer_first"):
        for n in range(1, len(layers) + 1):
            y = layer_first(x, layers[:n], widths[:n], hops[:n])
            if y.shape[1] > 1 and x.shape != (1, 8):  # not the example of the statement
                assert (y.min(axis=1) < 0).all()
                assert (y.max(axis=1) > 0).all()
