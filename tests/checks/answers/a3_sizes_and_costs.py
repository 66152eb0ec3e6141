"""Right ways to write exercise 9, and wrong ones as students write them."""

import math
from functools import reduce

import numpy as np


def size_by_formula(length, kernel, stride, padding, dilation):
    return (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def same_by_formula(kernel, dilation):
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


def field_by_jumps(layers):
    r, jump = 1, 1
    for kernel, stride, dilation in layers:
        r += dilation * (kernel - 1) * jump
        jump *= stride
    return r


def parameters_by_formula(in_channels, out_channels, kernel, bias):
    return out_channels * (in_channels * kernel[0] * kernel[1] + bool(bias))


def macs_by_formula(x_shape, y_shape, kernel):
    return math.prod(y_shape) * x_shape[1] * math.prod(kernel)


def size_by_floor(length, kernel, stride, padding, dilation):
    reach = dilation * (kernel - 1) + 1
    return math.floor((length + 2 * padding - reach) / stride + 1)


def same_by_ceil(kernel, dilation):
    half = dilation * (kernel - 1) / 2
    return [int(half), math.ceil(half)]


def field_backwards(layers):
    r = 1
    for kernel, stride, dilation in layers[::-1]:
        r = (r - 1) * stride + dilation * (kernel - 1) + 1
    return r


def parameters_by_shapes(in_channels, out_channels, kernel, bias):
    w = np.empty((out_channels, in_channels, kernel[0], kernel[1]))
    b = np.empty(out_channels if bias else 0)
    return w.size + b.size


def macs_by_product(x_shape, y_shape, kernel):
    return np.prod(y_shape) * np.prod([x_shape[1], *kernel])


def size_by_range(length, kernel, stride, padding, dilation):
    return len(range(0, length + 2 * padding - dilation * (kernel - 1), stride))


def same_by_steps(kernel, dilation):
    total = (kernel - 1) * dilation
    return np.array([total // 2, (total + 1) // 2]).tolist()


def field_by_products(layers):
    strides = np.cumprod([1] + [layer[1] for layer in layers[:-1]])
    return 1 + sum((k - 1) * d * s for (k, _, d), s in zip(layers, strides, strict=True))


def parameters_by_filters(in_channels, out_channels, kernel, bias):
    K_H, K_W = kernel
    one = in_channels * K_H * K_W
    if bias:
        one += 1
    return one * out_channels


def macs_by_samples(x_shape, y_shape, kernel):
    N, C_in, _, _ = x_shape
    _, C_out, P_H, P_W = y_shape
    return sum(C_out * P_H * P_W * (C_in * kernel[0] * kernel[1]) for _ in range(N))


def size_by_trying(length, kernel, stride, padding, dilation):
    taps = np.arange(kernel) * dilation
    starts = np.arange(0, length + 2 * padding, stride)
    return int(np.sum(starts + taps[-1] <= length + 2 * padding - 1))


def same_by_divmod(kernel, dilation):
    half, odd = divmod(dilation * (kernel - 1), 2)
    return half, half + odd


def field_by_pixels(layers):
    pixels = {0}
    for kernel, stride, dilation in reversed(layers):
        pixels = {place * stride + tap * dilation for place in pixels for tap in range(kernel)}
    return max(pixels) - min(pixels) + 1


def macs_by_reduce(x_shape, y_shape, kernel):
    return reduce(lambda a, b: a * b, [*y_shape, x_shape[1], kernel[0], kernel[1]], 1)


RIGHT = [
    (size_by_formula, same_by_formula, field_by_jumps, parameters_by_formula, macs_by_formula),
    (size_by_floor, same_by_ceil, field_backwards, parameters_by_shapes, macs_by_product),
    (size_by_range, same_by_steps, field_by_products, parameters_by_filters, macs_by_samples),
    (size_by_trying, same_by_divmod, field_by_pixels, parameters_by_filters, macs_by_reduce),
]


def size_up_and_padding_once(length, kernel, stride, padding, dilation):
    span = length + padding - dilation * (kernel - 1) - 1
    return math.ceil(span / stride) + 1


def size_without_one(length, kernel, stride, padding, dilation):
    reach = kernel + (kernel - 1) * (dilation - 1)
    return int((length - reach + 2 * padding) / stride)


def size_of_wide_kernel(length, kernel, stride, padding, dilation):
    return int((length - kernel * dilation + 2 * padding) / stride + 1)


def same_by_half(kernel, dilation):
    return (kernel - 1) // 2 * dilation, kernel // 2 * dilation


def same_for_odd_kernels(kernel, dilation):
    p = dilation * (kernel - 1) // 2
    return p, p


def field_by_lecture(layers):
    r = 1
    for kernel, _, dilation in layers:
        r += dilation * (kernel - 1)
    return r


def field_of_whole_kernels(layers):
    r, step = 1, 1
    for kernel, stride, dilation in layers:
        r = r + kernel * dilation * step
        step = step * stride
    return r


def field_without_one_and_with_previous_stride(layers):
    r, before = 0, 1
    for kernel, stride, dilation in layers:
        r += (kernel - 1) * dilation * before
        before = stride
    return r


def parameters_of_weights(in_channels, out_channels, kernel, bias):
    return in_channels * out_channels * kernel[0] * kernel[1]


def parameters_of_square_kernels_without_inputs(in_channels, out_channels, kernel, bias):
    return out_channels * kernel[0] ** 2 + (out_channels if bias else 0)


def macs_of_input(x_shape, y_shape, kernel):
    return x_shape[0] * x_shape[1] * x_shape[2] * x_shape[3] * y_shape[1] * kernel[0] * kernel[1]


def macs_of_one_sample_doubled(x_shape, y_shape, kernel):
    return 2 * math.prod(y_shape[1:]) * x_shape[1] * kernel[0] * kernel[1]


_right = RIGHT[0]
WRONG = [
    ((size_up_and_padding_once, *_right[1:]), {"The division is rounded up", "The padding is added once"}),
    ((size_without_one, *_right[1:]), {"The + 1 is forgotten"}),
    ((size_of_wide_kernel, *_right[1:]), {"The dilated kernel is taken as dilation * kernel"}),
    ((_right[0], same_by_half, *_right[2:]), {"The kernel is halved before the dilation is multiplied in"}),
    (
        (_right[0], same_for_odd_kernels, *_right[2:]),
        {"The two sides together are not what a kernel takes away"},
    ),
    ((*_right[:2], field_by_lecture, *_right[3:]), {"The strides do not count"}),
    ((*_right[:2], field_of_whole_kernels, *_right[3:]), {"Each layer adds its whole kernel, not one less"}),
    (
        (*_right[:2], field_without_one_and_with_previous_stride, *_right[3:]),
        {"The + 1 is forgotten", "Only the stride of the layer before counts, not the product of all before"},
    ),
    ((*_right[:3], parameters_of_weights, _right[4]), {"The biases are not counted"}),
    (
        (*_right[:3], parameters_of_square_kernels_without_inputs, _right[4]),
        {"One side of the kernel is used twice", "The input channels are not counted"},
    ),
    ((*_right[:4], macs_of_input), {"Places of the input are counted, not those of the output"}),
    (
        (*_right[:4], macs_of_one_sample_doubled),
        {"Multiplications and additions are counted apart", "The samples are not counted"},
    ),
]
EXAMPLES = [
    ("output_size", (7, 3, 1, 0, 1), 5),
    ("output_size", (7, 3, 2, 0, 1), 3),
    ("output_size", (8, 3, 2, 0, 1), 3),
    ("output_size", (32, 5, 1, 2, 1), 32),
    ("output_size", (12, 3, 1, 0, 2), 8),
    ("same_padding", (5, 1), (2, 2)),
    ("same_padding", (4, 1), (1, 2)),
    ("same_padding", (3, 2), (2, 2)),
    ("receptive_field", ([(3, 1, 1), (3, 1, 1)],), 5),
    ("receptive_field", ([(3, 2, 1), (5, 1, 1)],), 11),
    ("parameter_count", (3, 10, (5, 5), True), 760),
    ("parameter_count", (3, 10, (5, 5), False), 750),
    ("mac_count", ((1, 3, 32, 32), (1, 10, 32, 32), (5, 5)), 768_000),
]
