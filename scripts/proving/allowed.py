"""Inputs that the statements allow, drawn more widely than the checks draw theirs.

A mutant that passes all checks is held against these: if it differs on one of them, the checks have a hole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from cnnlab.checks.model import Case

Array = np.ndarray[Any, Any]
Rng = np.random.Generator
Ints = tuple[int, ...]


def cases(exercise_id: str, seed: int, count: int) -> Iterator[Case]:
    """Yield so many rounds of allowed inputs; none if nobody has written down what is allowed."""
    draw = ALLOWED.get(exercise_id)
    rng = np.random.default_rng(seed)
    for _ in range(count if draw else 0):
        for function, arguments in draw(rng):  # type: ignore[misc]
            yield Case("an allowed input", arguments, function)


def _int(rng: Rng, low: int, high: int) -> int:
    """Draw a whole number, both ends included."""
    return int(rng.integers(low, high + 1))


def _ints(rng: Rng, low: int, high: int, count: int) -> Ints:
    return tuple(int(n) for n in rng.integers(low, high + 1, count))


def _dtype(rng: Rng) -> Any:
    return np.float64 if rng.random() < 0.5 else np.float32


def _arrays(rng: Rng, *shapes: Sequence[int]) -> list[Array]:
    dtype = _dtype(rng)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def _layers(rng: Rng, first: int, dtype: Any) -> list[tuple[Array, Array]]:
    sizes = (first, *_ints(rng, 1, 4, _int(rng, 1, 3)))
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    return [(rng.standard_normal(s).astype(dtype), rng.standard_normal(s[0]).astype(dtype)) for s in shapes]


def _windows(rng: Rng, axes: int, *, most: int = 9, padded: bool = True) -> tuple[Ints, Ints, Ints, Ints]:
    """Draw sizes, kernel, stride and padding with which at least one window fits along each axis."""
    while True:
        n, kernel, stride = _ints(rng, 1, most, axes), _ints(rng, 1, 4, axes), _ints(rng, 1, 4, axes)
        padding = _ints(rng, 0, 3, axes) if padded else (0,) * axes
        if all(a + 2 * p >= k for a, p, k in zip(n, padding, kernel, strict=True)):
            return n, kernel, stride, padding


def _scan_1d(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    C, T, width, hop = _int(rng, 1, 4), _int(rng, 1, 14), _int(rng, 1, 5), _int(rng, 1, 6)
    (x,) = _arrays(rng, (C, T))
    return [("scan_1d", (x, _layers(rng, C * width, x.dtype), width, hop))]


def _scan_2d(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    C, (n, kernel, stride, _) = _int(rng, 1, 3), _windows(rng, 2, padded=False)
    (image,) = _arrays(rng, (C, *n))
    layers = _layers(rng, C * int(np.prod(kernel)), image.dtype)
    return [("scan_2d", (image, layers, kernel, stride))]


def _aggregate(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    shape = (_int(rng, 1, 4), *_ints(rng, 1, 5, _int(rng, 1, 2)))
    maps = rng.standard_normal(shape) * rng.choice([1, 1000]) + rng.choice([0, 0, 1000, -1000])
    maps = np.round(maps) if rng.random() < 0.3 else maps
    how, heat = str(rng.choice(["max", "mean", "softmax"])), float(rng.choice([0.1, 0.5, 1.0, 3.0]))
    return [
        ("aggregate", (maps, how, heat)),
        ("aggregate_backward", (rng.standard_normal(len(maps)), maps, how, heat)),
    ]


def _scan_matrix(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    n, kernel, stride, padding = _windows(rng, _int(rng, 1, 2), most=6)
    (w,) = _arrays(rng, (*_ints(rng, 1, 3, 2), *kernel))
    return [("scan_matrix", (w, n, stride, padding))]


def _tied_gradient(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    N, out, inputs = _ints(rng, 1, 4, 3)
    ties = rng.integers(-1, _int(rng, 1, 6), (out, inputs))
    ties[_int(rng, 0, out - 1), _int(rng, 0, inputs - 1)] = _int(rng, 0, 5)
    w, dw_full = _arrays(rng, (ties.max() + 1,), (N, out, inputs))
    return [("tied_gradient", (dw_full, ties)), ("tied_step", (w, dw_full, ties, float(rng.choice([0, 0.1, 1.5]))))]


def _levels(rng: Rng) -> tuple[list[int], list[int], list[int], int]:
    """Draw channels from the input up, widths, hops, and frames that are enough, with some left over at each level."""
    widths = list(_ints(rng, 1, 4, _int(rng, 1, 3)))
    hops = [_int(rng, 1, width) for width in widths]
    places = _int(rng, 1, 3)
    for width, hop in zip(reversed(widths), reversed(hops), strict=True):
        places = (places - 1) * hop + width + _int(rng, 0, hop - 1)
    return list(_ints(rng, 1, 3, len(widths) + 1)), widths, hops, places


def _layer_first(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    channels, widths, hops, T = _levels(rng)
    (x,) = _arrays(rng, (channels[0], T))
    shapes = [(up, down * width) for up, down, width in zip(channels[1:], channels, widths, strict=False)]
    layers = [tuple(rng.standard_normal(s).astype(x.dtype) for s in (shape, shape[:1])) for shape in shapes]
    order = str(rng.choice(["layer", "window"]))
    return [
        ("layer_first", (x, layers, widths, hops)),
        ("mac_count_scan", (order, (channels[0], T), channels[1:], widths, hops)),
    ]


def _to_conv_stack(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    channels, widths, hops, _ = _levels(rng)
    above = _ints(rng, 1, 3, _int(rng, 0, 2))
    blocks = [1] * (len(above) + 1)
    for width, hop in zip(reversed(widths), reversed(hops), strict=True):
        blocks.insert(0, (blocks[0] - 1) * hop + width)
    dtype, layers = _dtype(rng), []
    sizes = zip([*channels[1:], *above], [*channels, *above], [*widths, *above], [*hops, *above], strict=False)
    for level, (up, down, width, hop) in enumerate(sizes):
        n, below = blocks[level + 1], blocks[level]
        width, hop = (width, hop) if level < len(widths) else (1, 1)  # noqa: PLW2901
        W, kernel = np.zeros((up, n, down, below)), rng.standard_normal((up, down, width))
        for p in range(n):
            W[:, p, :, p * hop : p * hop + width] = kernel
        b = np.repeat(rng.standard_normal(up), n)
        layers.append((W.reshape(up * n, down * below).astype(dtype), b.astype(dtype)))
    return [("to_conv_stack", (layers, channels[0], widths, hops))]


def _conv2d_loops(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    (N, C_in, C_out), (n, kernel, stride, _) = _ints(rng, 1, 3, 3), _windows(rng, 2, most=6, padded=False)
    return [("conv2d_loops", (*_arrays(rng, (N, C_in, *n), (C_out, C_in, *kernel), (C_out,)), stride))]


def _sizes_and_costs(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    (n,), (kernel,), (stride,), (padding,) = _windows(rng, 1, most=20)
    dilation = _int(rng, 1, 4) if n + 2 * padding > 4 * (kernel - 1) else 1
    layers = [tuple(_ints(rng, 1, 5, 3)) for _ in range(_int(rng, 1, 4))]
    N, pair = _int(rng, 1, 9), _ints(rng, 1, 7, 2)
    return [
        ("output_size", (n, kernel, stride, padding, dilation)),
        ("same_padding", _ints(rng, 1, 9, 2)),
        ("receptive_field", (layers,)),
        ("parameter_count", (*_ints(rng, 1, 9, 2), pair, bool(rng.random() < 0.5))),
        ("mac_count", ((N, *_ints(rng, 1, 9, 3)), (N, *_ints(rng, 1, 9, 3)), pair)),
    ]


def _conv2d_forward(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    (N, C_in, C_out), (n, kernel, stride, padding) = _ints(rng, 1, 4, 3), _windows(rng, 2)
    arrays = _arrays(rng, (N, C_in, *n), (C_out, C_in, *kernel), (C_out,))
    return [("conv2d_forward", (*arrays, stride, padding))]


def _conv2d_backward(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    (N, C_in, C_out), (n, kernel, stride, padding) = _ints(rng, 1, 3, 3), _windows(rng, 2, most=7)
    arrays = _arrays(rng, (N, C_out, *_out(n, kernel, stride, padding)), (N, C_in, *n), (C_out, C_in, *kernel))
    return [("conv2d_backward", (*arrays, stride, padding))]


def _out(n: Ints, kernel: Ints, stride: Ints, padding: Ints) -> Ints:
    return tuple((a + 2 * p - k) // s + 1 for a, k, s, p in zip(n, kernel, stride, padding, strict=True))


def _compose_kernels(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    C_in, C_mid, C_out = _ints(rng, 1, 4, 3)
    k1, k2 = _arrays(rng, (C_mid, C_in, *_ints(rng, 1, 4, 2)), (C_out, C_mid, *_ints(rng, 1, 4, 2)))
    b1, k2_too, b2 = _arrays(rng, (C_mid,), k2.shape, (C_out,))
    return [("compose_kernels", (k1, k2)), ("compose_biases", (b1, k2_too, b2))]


def _conv_nd(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    axes = _int(rng, 1, 3)
    groups, C, filters, N = _ints(rng, 1, 3, 4)
    while True:
        n, kernel, stride, padding = _windows(rng, axes, most=(9, 7, 5)[axes - 1])
        dilation = _ints(rng, 1, 3, axes)
        reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        fits = all(a + 2 * p >= r for a, p, r in zip(n, padding, reach, strict=True))
        if fits and all(p < a for p, a in zip(padding, n, strict=True)):
            break
    arrays = _arrays(rng, (N, groups * C, *n), (groups * filters, C, *kernel), (groups * filters,))
    mode = str(rng.choice(["zeros", "reflect", "replicate", "circular"]))
    return [("conv_nd", (*arrays, stride, padding, dilation, groups, mode))]


def _pool2d(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    while True:
        n, kernel, stride, padding = _windows(rng, 2, most=7)
        if all(2 * p <= k for p, k in zip(padding, kernel, strict=True)):
            break
    maps = _ints(rng, 1, 3, 2)
    x, dy = _arrays(rng, (*maps, *n), (*maps, *_out(n, kernel, stride, padding)))
    x = np.round(x) if rng.random() < 0.5 else x
    how = str(rng.choice(["max", "avg"]))
    return [
        ("pool2d_forward", (x, kernel, stride, padding, how)),
        ("pool2d_backward", (dy, x, kernel, stride, padding, how)),
    ]


def _train(rng: Rng) -> list[tuple[str, tuple[Any, ...]]]:
    N, M, H, W = _int(rng, 2, 50), _int(rng, 1, 60), _int(rng, 4, 9), _int(rng, 4, 9)
    classes = _int(rng, 2, min(N, 5))
    y = rng.permutation(np.arange(N) % classes)
    low, high = np.sort(rng.uniform(0, 255, 2))
    x, x_test = (np.round(rng.uniform(low, high + 2, (n, 1, H, W))) for n in (N, M))
    return [("train", (x, y, x_test, _int(rng, 0, 1_000_000)))]


ALLOWED: dict[str, Callable[[Rng], list[tuple[str, tuple[Any, ...]]]]] = {
    "a1.scan_1d": _scan_1d,
    "a1.scan_2d": _scan_2d,
    "a1.aggregate": _aggregate,
    "a2.scan_matrix": _scan_matrix,
    "a2.tied_gradient": _tied_gradient,
    "a2.layer_first": _layer_first,
    "a2.to_conv_stack": _to_conv_stack,
    "a3.conv2d_loops": _conv2d_loops,
    "a3.sizes_and_costs": _sizes_and_costs,
    "a3.conv2d_forward": _conv2d_forward,
    "a3.conv2d_backward": _conv2d_backward,
    "a3.compose_kernels": _compose_kernels,
    "a4.conv_nd": _conv_nd,
    "a4.pool2d": _pool2d,
    "a5.train_own_cnn": _train,
}
