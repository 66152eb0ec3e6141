"""Laws of convolution and pooling over drawn shapes and options (hypothesis), none of them chosen by us."""

from dataclasses import dataclass
from math import prod

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import nn, ops

laws = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
CLOSE = {"rtol": 1e-10, "atol": 1e-10}


@dataclass(frozen=True)
class Layer:
    """A drawn convolution: sizes that fit together, and a generator for its numbers."""

    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    options: dict
    seed: int

    def arrays(self):
        rng = np.random.default_rng(self.seed)
        return rng.standard_normal(self.x_shape), rng.standard_normal(self.w_shape), rng

    def forward(self, x, w, b=None):
        return ops.conv_forward(x, w, b, **self.options)


def sizes(rank, low, high):
    return st.tuples(*[st.integers(low, high)] * rank)


@st.composite
def layers(draw, *, padding=True, stride=True, groups=True, mode=True):
    rank = draw(st.integers(1, 3))
    kernel, dilation = draw(sizes(rank, 1, 3)), draw(sizes(rank, 1, 2))
    pad = draw(sizes(rank, 0, 2)) if padding else (0,) * rank
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    # Reflecting needs more input than padding, and every kernel must fit.
    spatial = tuple(max(e, p + 1) + more for e, p, more in zip(extent, pad, draw(sizes(rank, 0, 4)), strict=True))
    G = draw(st.integers(1, 2)) if groups else 1
    C_in, C_out = G * draw(st.integers(1, 3)), G * draw(st.integers(1, 3))
    return Layer(
        (draw(st.integers(1, 3)), C_in, *spatial),
        (C_out, C_in // G, *kernel),
        {
            "stride": draw(sizes(rank, 1, 3)) if stride else 1,
            "padding": pad,
            "dilation": dilation,
            "groups": G,
            "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])) if mode else "zeros",
        },
        draw(st.integers(0, 2**32 - 1)),
    )


@laws
@given(layers())
def test_gradients_are_adjoint_to_the_layer(layer):
    """⟨conv(x, w), dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩, and ⟨1·b, dy⟩ = ⟨b, db⟩: conv is linear in each of them."""
    x, w, rng = layer.arrays()
    y = layer.forward(x, w)
    dy = rng.standard_normal(y.shape)
    dx, dw, db = ops.conv_backward(dy, x, w, **layer.options)
    product = np.vdot(y, dy)
    np.testing.assert_allclose([np.vdot(x, dx), np.vdot(w, dw)], product, **CLOSE)
    b = rng.standard_normal(w.shape[0])
    with_bias = layer.forward(x, w, b)
    np.testing.assert_allclose(np.vdot(with_bias - y, dy), np.vdot(b, db), **CLOSE)


@laws
@given(layers(), st.floats(-3, 3))
def test_convolution_is_linear_in_its_input(layer, factor):
    x, w, rng = layer.arrays()
    other = rng.standard_normal(x.shape)
    together = layer.forward(x + factor * other, w)
    np.testing.assert_allclose(together, layer.forward(x, w) + factor * layer.forward(other, w), **CLOSE)


@laws
@given(layers(padding=False, stride=False), st.integers(1, 3))
def test_shifted_input_gives_shifted_output(layer, shift):
    """At stride 1 and away from the border; here the input is longer by the shift along its last axis."""
    _, w, rng = layer.arrays()
    x = rng.standard_normal((*layer.x_shape[:-1], layer.x_shape[-1] + shift))
    whole = layer.forward(x, w)
    np.testing.assert_allclose(layer.forward(x[..., shift:], w), whole[..., shift:], **CLOSE)


@laws
@given(layers())
def test_stride_keeps_every_s_th_output_of_stride_one(layer):
    x, w, _ = layer.arrays()
    dense = ops.conv_forward(x, w, **layer.options | {"stride": 1})
    steps = tuple(slice(None, None, step) for step in layer.options["stride"])
    np.testing.assert_allclose(layer.forward(x, w), dense[..., *steps], **CLOSE)


@laws
@given(layers(padding=False, groups=False))
def test_one_by_one_convolution_is_a_linear_layer_at_every_position(layer):
    x, w, rng = layer.arrays()
    w = rng.standard_normal((*w.shape[:2], *(1,) * (w.ndim - 2)))
    b = rng.standard_normal(w.shape[0])
    pixels = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])  # (N·P, C_in)
    expected = ops.linear_forward(pixels, w.reshape(w.shape[:2]), b).reshape(x.shape[0], *x.shape[2:], -1)
    np.testing.assert_allclose(ops.conv_forward(x, w, b), np.moveaxis(expected, -1, 1), **CLOSE)


@laws
@given(layers(padding=False, groups=False))
def test_scanning_a_linear_layer_is_a_convolution(layer):
    x, w, rng = layer.arrays()
    b = rng.standard_normal(w.shape[0])
    linear = nn.Linear(prod(w.shape[1:]), w.shape[0], dtype="float64")
    linear.weight.data, linear.bias.data = w.reshape(w.shape[0], -1), b
    scan = nn.Scan(linear, w.shape[2:], layer.options["stride"])
    np.testing.assert_allclose(scan(x), ops.conv_forward(x, w, b, stride=layer.options["stride"]), **CLOSE)


@laws
@given(st.integers(1, 3), st.data())
def test_two_convolutions_with_nothing_between_are_one(rank, drawn):
    """Its kernel is the full convolution of the two (deck row D33), here for one channel each."""
    first, second = drawn.draw(sizes(rank, 1, 3)), drawn.draw(sizes(rank, 1, 3))
    spatial = tuple(a + b + 1 for a, b in zip(first, second, strict=True))
    rng = np.random.default_rng(drawn.draw(st.integers(0, 2**32 - 1)))
    x, k1, k2 = (rng.standard_normal((1, 1, *shape)) for shape in (spatial, first, second))
    combined = np.zeros((1, 1, *(a + b - 1 for a, b in zip(first, second, strict=True))))
    for place in np.ndindex(second):  # the sum over both kernels, written out
        here = tuple(slice(i, i + n) for i, n in zip(place, first, strict=True))
        combined[0, 0][here] += k2[0, 0][place] * k1[0, 0]
    stacked = ops.conv_forward(ops.conv_forward(x, k1), k2)
    np.testing.assert_allclose(stacked, ops.conv_forward(x, combined), **CLOSE)


@laws
@given(layers(groups=False, mode=False))
def test_transposed_convolution_walks_the_same_connections_back(layer):
    """⟨conv(x), z⟩ = ⟨x, convᵀ(z)⟩ for the very same weights."""
    x, w, rng = layer.arrays()
    options = {name: layer.options[name] for name in ("stride", "padding", "dilation")}
    y = ops.conv_forward(x, w, **options)
    z = rng.standard_normal(y.shape)
    shorter = ops.conv_transpose_forward(z, w, **options).shape[2:]
    # What the stride left over at the end of x is what output_padding is for.
    rest = tuple(n - m for n, m in zip(x.shape[2:], shorter, strict=True))
    back = ops.conv_transpose_forward(z, w, **options, output_padding=rest)
    np.testing.assert_allclose(np.vdot(y, z), np.vdot(x, back), **CLOSE)


@st.composite
def pools(draw):
    rank = draw(st.integers(1, 3))
    kernel = draw(sizes(rank, 1, 3))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    spatial = tuple(k + more for k, more in zip(kernel, draw(sizes(rank, 0, 4)), strict=True))
    options = {"stride": draw(sizes(rank, 1, 3)), "padding": padding, "ceil_mode": draw(st.booleans())}
    return (
        (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *spatial),
        kernel,
        options,
        draw(st.integers(0, 2**32 - 1)),
    )


@laws
@given(pools(), st.booleans())
def test_max_pooling_hands_every_gradient_to_one_input(pool, ties):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, shape).astype(float) if ties else rng.standard_normal(shape)
    y = ops.max_pool_forward(x, kernel, **options)
    dy = rng.standard_normal(y.shape)
    dx = ops.max_pool_backward(dy, x, kernel, **options)
    np.testing.assert_allclose(dx.sum(axis=tuple(range(2, x.ndim))), dy.sum(axis=tuple(range(2, x.ndim))), **CLOSE)
    # Only winners are paid: the pooled value times its gradient is the input times its gradient.
    np.testing.assert_allclose(np.vdot(y, dy), np.vdot(x, dx), **CLOSE)


@laws
@given(pools())
def test_average_pooling_is_adjoint_to_its_gradient(pool):
    shape, kernel, options, seed = pool
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    y = ops.avg_pool_forward(x, kernel, **options)
    dy = rng.standard_normal(y.shape)
    np.testing.assert_allclose(np.vdot(y, dy), np.vdot(x, ops.avg_pool_backward(dy, x, kernel, **options)), **CLOSE)
