"""Sizes and costs with exchangeable parts, from which the known mistakes of exercise 9 are made.

The right functions are not made from these: they stand by themselves in `sizes_and_costs`, so that a slip here cannot
make a wrong answer pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

Layers = list[tuple[int, int, int]]


def quotient(length: int, padding: int, reach: int, stride: int) -> Any:
    """Return how many steps fit, rounded down; `padding` is that of both sides, `reach` what the kernel covers."""
    return (length + padding - reach) // stride


def assemble_output_size(
    *,
    reach: Callable[[int, int], int] = lambda kernel, dilation: dilation * (kernel - 1) + 1,
    both_sides: Callable[[int], int] = lambda padding: 2 * padding,
    step: Callable[[int], int] = lambda stride: stride,
    steps: Callable[[int, int, int, int], Any] = quotient,
    first: int = 1,
    then: Callable[[Any], Any] = lambda size: size,
) -> Callable[[int, int, int, int, int], Any]:
    """Return an `output_size` with other parts.

    Parameters
    ----------
    reach
        What the kernel covers, from kernel and dilation.
    both_sides
        The padding of both sides together.
    step
        The stride that is used.
    steps
        From length, padding, reach and stride to the number of steps.
    first
        The one that stands before the first step.
    then
        What is done at the end.
    """

    def output_size(length: int, kernel: int, stride: int, padding: int, dilation: int) -> Any:
        return then(steps(length, both_sides(padding), reach(kernel, dilation), step(stride)) + first)

    return output_size


def assemble_same_padding(
    *,
    total: Callable[[int, int], int] = lambda kernel, dilation: dilation * (kernel - 1),
    split: Callable[[int, int], Any] = lambda total, dilation: (total // 2, total - total // 2),
    then: Callable[[Any], Any] = lambda pair: pair,
) -> Callable[[int, int], Any]:
    """Return a `same_padding` with other parts.

    Parameters
    ----------
    total
        The padding of both sides together, from kernel and dilation.
    split
        From that and the dilation to the two sides.
    then
        What is done at the end.
    """

    def same_padding(kernel: int, dilation: int) -> Any:
        return then(split(total(kernel, dilation), dilation))

    return same_padding


def sum_of_steps(reaches: Sequence[int], jumps: Sequence[int]) -> int:
    """Return what all layers add: each its reach, in steps of its own input."""
    return sum(reach * jump for reach, jump in zip(reaches, jumps, strict=True))


def steps_before(strides: Sequence[int]) -> list[int]:
    """Return for each layer how many pixels one step of its input is: the product of the strides before it."""
    return [prod(strides[:n]) for n in range(len(strides))]


def assemble_receptive_field(
    *,
    reach: Callable[[int, int], int] = lambda kernel, dilation: dilation * (kernel - 1),
    jumps: Callable[[Sequence[int]], list[int]] = steps_before,
    total: Callable[[Sequence[int], Sequence[int]], int] = sum_of_steps,
    first: int = 1,
    order: Callable[[Layers], Layers] = lambda layers: layers,
) -> Callable[[Layers], Any]:
    """Return a `receptive_field` with other parts.

    Parameters
    ----------
    reach
        What a layer adds in steps of its own input, from kernel and dilation.
    jumps
        How many pixels such a step is, for each layer, from all strides.
    total
        From reaches and jumps to a sum.
    first
        The field of a pixel.
    order
        What is done to the list of layers first.
    """

    def receptive_field(layers: Layers) -> Any:
        layers = order(list(layers))
        reaches = [reach(kernel, dilation) for kernel, _, dilation in layers]
        return first + total(reaches, jumps([stride for _, stride, _ in layers]))

    return receptive_field


def assemble_parameter_count(
    *,
    taps: Callable[[int, int], int] = lambda K_H, K_W: K_H * K_W,
    inputs: Callable[[int], int] = lambda C_in: C_in,
    filters: Callable[[int], int] = lambda C_out: C_out,
    biases: Callable[[int, int, bool], int] = lambda C_in, C_out, bias: C_out if bias else 0,
) -> Callable[[int, int, tuple[int, int], bool], Any]:
    """Return a `parameter_count` with other parts.

    Parameters
    ----------
    taps
        Weights of one channel of one filter.
    inputs, filters
        How many channels a filter has, and how many filters there are.
    biases
        Their number, from C_in, C_out and bias.
    """

    def parameter_count(in_channels: int, out_channels: int, kernel: tuple[int, int], bias: bool) -> Any:
        weights = filters(out_channels) * inputs(in_channels) * taps(*kernel)
        return weights + biases(in_channels, out_channels, bias)

    return parameter_count


Shape = tuple[int, int, int, int]


def assemble_mac_count(
    *,
    taps: Callable[[int, int], int] = lambda K_H, K_W: K_H * K_W,
    inputs: Callable[[int], int] = lambda C_in: C_in,
    filters: Callable[[int], int] = lambda C_out: C_out,
    places: Callable[[Shape, Shape], int] = lambda x, y: y[2] * y[3],
    samples: Callable[[int], int] = lambda N: N,
    cost: Callable[[int], int] = lambda terms: terms,
) -> Callable[[Shape, Shape, tuple[int, int]], Any]:
    """Return a `mac_count` with other parts.

    Parameters
    ----------
    taps
        Of one channel of one filter.
    inputs, filters, samples
        How many channels, filters and samples count.
    places
        From the shapes of x and y to the number of places.
    cost
        What a sum of so many terms costs.
    """

    def mac_count(x_shape: Shape, y_shape: Shape, kernel: tuple[int, int]) -> Any:
        N, C_in = x_shape[:2]
        outputs = samples(N) * filters(y_shape[1]) * places(x_shape, y_shape)
        return outputs * cost(inputs(C_in) * taps(*kernel))

    return mac_count
