"""Exercise 9, sizes and costs: what comes out of a layer, what it sees, and what it costs (rows D35 to D43, D46)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cnnlab.checks.a3.counting import (
    Layers,
    Shape,
    assemble_mac_count,
    assemble_output_size,
    assemble_parameter_count,
    assemble_receptive_field,
    assemble_same_padding,
)
from cnnlab.checks.a3.mistakes_sizes_and_costs import MISTAKES
from cnnlab.checks.model import Case, Check, Exercise, Function


def output_size(length: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return how many windows fit along one axis, counted one by one.

    Parameters
    ----------
    length
        Rows or columns of the image.
    kernel, stride, padding, dilation
        Along the same axis; the kernel fits at least once. Source: rows D36 and D40.
    """
    count, start = 0, -padding
    while start + dilation * (kernel - 1) < length + padding:  # the place of the last tap
        count += 1
        start += stride
    return count


def same_padding(kernel: int, dilation: int) -> tuple[int, int]:
    """Return the zeros before and behind with which an output at stride 1 is as long as its input. Source: row D36."""
    before, after = 0, 0
    while before + after < dilation * (kernel - 1):
        if before < after:
            before += 1
        else:
            after += 1
    return before, after


def receptive_field(layers: Layers) -> int:
    """Return how many pixels in a row one output depends on, from its first to its last.

    Parameters
    ----------
    layers
        ``[(kernel, stride, dilation), …]``, the one that looks at the image first. Source: row D38.
    """
    first, last = 0, 0
    for kernel, stride, dilation in reversed(layers):
        first, last = first * stride, last * stride + dilation * (kernel - 1)
    return last - first + 1


def parameter_count(in_channels: int, out_channels: int, kernel: tuple[int, int], bias: bool) -> int:
    """Return how many numbers a layer learns. Source: row D42."""
    weights = np.zeros((out_channels, in_channels, *kernel))
    return weights.size + (out_channels if bias else 0)


def mac_count(x_shape: Shape, y_shape: Shape, kernel: tuple[int, int]) -> int:
    """Return how many multiply-adds a layer takes, biases left out.

    Parameters
    ----------
    x_shape, y_shape
        (N, C_in, H, W) and (N, C_out, H_out, W_out).
    kernel
        Rows and columns. Source: row D43.
    """
    N, C_out, H_out, W_out = y_shape
    terms = x_shape[1] * kernel[0] * kernel[1]  # of the sum for one output
    return N * C_out * H_out * W_out * terms


def _size(length: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Case:
    name = f"length {length}, kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}"
    return Case(name, (length, kernel, stride, padding, dilation), "output_size")


def _same(kernel: int, dilation: int = 1) -> Case:
    return Case(f"kernel {kernel}, dilation {dilation}", (kernel, dilation), "same_padding")


def _field(*layers: tuple[int, int, int]) -> Case:
    many = f"{len(layers)} layers" if len(layers) > 1 else "one layer"
    return Case(f"{many}: {', '.join(map(str, layers))}", (list(layers),), "receptive_field")


def _parameters(C_in: int, C_out: int, kernel: Sequence[int], *, bias: bool) -> Case:
    K_H, K_W = kernel
    name = f"{C_in} → {C_out} channels, {K_H} × {K_W}, {'with' if bias else 'without'} biases"
    return Case(name, (C_in, C_out, (K_H, K_W), bias), "parameter_count")


def _macs(N: int, channels: Sequence[int], image: Sequence[int], out: Sequence[int], kernel: Sequence[int]) -> Case:
    x, y = (N, channels[0], *image), (N, channels[1], *out)
    return Case(f"{x} → {y}, kernel {kernel[0]} × {kernel[1]}", (x, y, tuple(kernel)), "mac_count")


def _sizes(rng: np.random.Generator) -> list[Case]:
    return [
        _size(7, 3),
        _size(7, 3, stride=2),
        _size(32, 5, padding=2),
        _size(8, 3, stride=2),
        _size(9, 2, stride=3, padding=1),
        _size(9, 4, stride=4, padding=1),
        _size(12, 3, dilation=2),
        _size(15, 4, stride=2, padding=3, dilation=3),
    ]


def _same_paddings(rng: np.random.Generator) -> list[Case]:
    return [_same(3), _same(4), _same(1), _same(3, 2), _same(4, 2), _same(2, 3), _same(5, 3)]


def _fields(rng: np.random.Generator) -> list[Case]:
    return [
        _field((3, 1, 1), (3, 1, 1)),
        _field((3, 2, 1), (5, 1, 1)),
        _field((5, 1, 1)),
        _field((3, 1, 2), (2, 1, 3)),
        _field((7, 2, 1), (3, 2, 1), (2, 1, 1), (3, 3, 2), (3, 2, 1)),
    ]


def _parameter_counts(rng: np.random.Generator) -> list[Case]:
    return [
        _parameters(3, 10, (5, 5), bias=True),
        _parameters(3, 10, (5, 5), bias=False),
        _parameters(4, 2, (3, 2), bias=True),
        _parameters(5, 7, (1, 4), bias=False),
    ]


def _mac_counts(rng: np.random.Generator) -> list[Case]:
    return [
        _macs(1, (3, 10), (32, 32), (32, 32), (5, 5)),
        _macs(1, (2, 3), (7, 9), (5, 4), (3, 2)),
        _macs(4, (5, 2), (6, 8), (6, 4), (2, 3)),
    ]


# What a wrong answer earns must not hang on the seed: the seed draws numbers, and what makes a mistake show is fixed:
# what a division leaves over, whether a kernel is even, which layers have strides.


def _drawn(rng: np.random.Generator, *ranges: tuple[int, int]) -> list[int]:
    return [int(rng.integers(low, high + 1)) for low, high in ranges]


def _size_with_rest(
    rng: np.random.Generator, stride: int, rest: int, kernel: int, *, padding: int = 0, dilation: int = 1
) -> Case:
    (steps,) = _drawn(rng, (3, 12))
    length = steps * stride + rest + dilation * (kernel - 1) + 1 - 2 * padding
    return _size(length, kernel, stride, padding, dilation)


def _hidden_plain_sizes(rng: np.random.Generator) -> list[Case]:
    kernel, more = _drawn(rng, (2, 7), (0, 20))
    return [
        _size(kernel + more, kernel),
        _size_with_rest(rng, 2, 1, kernel),
        _size_with_rest(rng, 2, 0, kernel, padding=1),
        _size_with_rest(rng, 3, 2, kernel, padding=1),
        _size_with_rest(rng, 4, 3, kernel, padding=2),
        _size_with_rest(rng, 3, 1, kernel, padding=2),
        _size(kernel, kernel, 3, 0, 1),
    ]


def _hidden_dilated_sizes(rng: np.random.Generator) -> list[Case]:
    kernel, dilation = _drawn(rng, (3, 6), (2, 4))
    return [
        _size_with_rest(rng, 1, 0, kernel, dilation=dilation),
        _size_with_rest(rng, 2, 1, kernel, padding=1, dilation=dilation),
        _size_with_rest(rng, 3, 2, kernel + 1, padding=2, dilation=dilation + 1),
        _size_with_rest(rng, 3, 0, kernel, padding=1, dilation=dilation + 1),
        _size(224 + kernel, 1, 2, 0, dilation),
    ]


def _hidden_same_paddings(rng: np.random.Generator) -> list[Case]:
    a, b, c = _drawn(rng, (2, 6), (2, 6), (2, 6))
    return [_same(2 * a + 1), _same(2 * b), _same(2 * c, 2), _same(2 * a, 3), _same(2 * b + 1, 2), _same(1, 2)]


def _hidden_fields(rng: np.random.Generator) -> list[Case]:
    a, b, c = _drawn(rng, (2, 5), (2, 5), (2, 5))
    return [
        _field((a, 1, 1)),
        _field((a, 1, 1), (b, 1, 1), (c, 1, 1)),
        _field((a, 2, 1), (b, 1, 1)),
        _field((a, 2, 1), (b, 3, 1), (c, 2, 1)),
        _field((b, 3, 1), (c, 2, 1), (a, 2, 1), (4, 1, 1), (2, 1, 1)),
    ]


def _hidden_dilated_fields(rng: np.random.Generator) -> list[Case]:
    a, b, c = _drawn(rng, (2, 5), (2, 5), (2, 5))
    return [
        _field((a, 1, 2)),
        _field((3, 1, 1), (3, 1, 2), (3, 1, 4)),
        _field((a, 2, 3), (b, 1, 2), (c, 3, 1), (2, 2, 4)),
    ]


def _hidden_parameter_counts(rng: np.random.Generator) -> list[Case]:
    C_in, C_out, K = _drawn(rng, (3, 6), (8, 12), (2, 5))
    return [
        _parameters(C_in, C_out, (K, K + 2), bias=True),
        _parameters(C_out, C_in, (K + 1, K), bias=True),
        _parameters(C_in, C_out, (K, K + 1), bias=False),
        _parameters(2 * C_out, 2 * C_in, (1, 1), bias=False),
        _parameters(64 * C_in, 64 * C_out, (3, 3), bias=True),
    ]


def _hidden_mac_counts(rng: np.random.Generator) -> list[Case]:
    N, C_in, C_out, K, P = _drawn(rng, (2, 5), (3, 6), (8, 12), (2, 5), (4, 9))
    return [
        _macs(1, (C_in, C_out), (P + K - 1, P + K), (P, P + 2), (K, K - 1)),
        _macs(N, (C_out, C_in), (2 * P, 3 * P), (P, P + 1), (K, K + 2)),
        _macs(N, (C_in, C_out), (224, 200), (112, 100), (7, 5)),
    ]


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, hidden=True)

SIZES_AND_COSTS = Exercise(
    id="a3.sizes_and_costs",
    title="Sizes and costs",
    functions=(
        Function(
            "output_size",
            ("length", "kernel", "stride", "padding", "dilation"),
            output_size,
            assemble=assemble_output_size,
        ),
        Function("same_padding", ("kernel", "dilation"), same_padding, assemble=assemble_same_padding),
        Function("receptive_field", ("layers",), receptive_field, assemble=assemble_receptive_field),
        Function(
            "parameter_count",
            ("in_channels", "out_channels", "kernel", "bias"),
            parameter_count,
            assemble=assemble_parameter_count,
        ),
        Function("mac_count", ("x_shape", "y_shape", "kernel"), mac_count, assemble=assemble_mac_count),
    ),
    points=8,
    checks=(
        _visible("output_size", cases=_sizes),
        _visible("same_padding", cases=_same_paddings),
        _visible("receptive_field", cases=_fields),
        _visible("parameter_count", cases=_parameter_counts),
        _visible("mac_count", cases=_mac_counts),
        _hidden("output_size: other lengths, strides and paddings", points=1.0, cases=_hidden_plain_sizes),
        _hidden("output_size: dilation", points=0.5, cases=_hidden_dilated_sizes),
        _hidden("same_padding: odd and even kernels, dilation", points=1.0, cases=_hidden_same_paddings),
        _hidden("receptive_field: other stacks, with strides", points=0.5, cases=_hidden_fields),
        _hidden("receptive_field: dilation", points=0.5, cases=_hidden_dilated_fields),
        _hidden("parameter_count: other layers", points=1.0, cases=_hidden_parameter_counts),
        _hidden("mac_count: other layers", points=1.0, cases=_hidden_mac_counts),
    ),
    mistakes=MISTAKES,
)
