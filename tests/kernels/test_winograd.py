"""Winograd's algorithm in NumPy: its transforms, and parts of any size."""

import numpy as np
import pytest

from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import planner, winograd, winograd_tiles
from cnnlab.kernels.winograd_tiles import both_sides, matrix


@pytest.mark.parametrize(
    ("name", "back", "o", "i"), [("input", False, 6, 6), ("output", False, 4, 6), ("kernel", True, 3, 6)]
)
def test_a_transform_is_a_product_from_both_sides_wherever_its_tiles_lie(rng, name, back, o, i):
    small = matrix(name, np.dtype(float), back=back)
    assert small.shape == (o, i)
    tiles = rng.standard_normal((i, i, 7))
    wanted = np.einsum("pi,qj,ijn->pqn", small, small, tiles)
    within, beyond = rng.standard_normal((i, i, 20)), np.full((o, o, 20), np.nan)
    within[:, :, 5:12] = tiles
    alone, memory = np.empty((o, o, 7)), np.empty(i * o * 7)
    both_sides(small, within[:, :, 5:12], alone, memory)
    both_sides(small, tiles, beyond[:, :, 5:12], memory)
    np.testing.assert_allclose(alone, wanted, atol=1e-12)
    np.testing.assert_allclose(beyond[:, :, 5:12], wanted, atol=1e-12)
    assert np.isnan(beyond[:, :, :5]).all()
    assert np.isnan(beyond[:, :, 12:]).all()


def test_one_tile_by_the_transforms_is_the_correlation(rng):
    d, g, dy = rng.standard_normal((6, 6)), rng.standard_normal((3, 3)), rng.standard_normal((4, 4))
    B, G, A = (matrix(name, np.dtype(float)) for name in ("input", "kernel", "output"))
    inputs = B @ d @ B.T
    y = A @ ((G @ g @ G.T) * inputs) @ A.T
    seen = np.lib.stride_tricks.sliding_window_view(d, (3, 3))
    np.testing.assert_allclose(y, (seen * g).sum(axis=(2, 3)), atol=1e-12)
    gradient = G.T @ ((A.T @ dy @ A) * inputs) @ G
    np.testing.assert_allclose(gradient, (seen * dy[..., None, None]).sum(axis=(0, 1)), atol=1e-12)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (500, 16, 2**14), (2**20, 10**6, 2**30)])
@pytest.mark.parametrize("x_shape", [(3, 5, 9, 14), (2, 40, 21, 7), (1, 2, 1, 30), (5, 3, 4, 4)])
def test_parts_of_any_size_give_the_same(monkeypatch, rng, x_shape, sizes):
    monkeypatch.setattr(winograd_tiles, "PLACE_BYTES", sizes[0])
    monkeypatch.setattr(winograd_tiles, "KERNEL_BYTES", sizes[0])
    monkeypatch.setattr(winograd, "TILES", sizes[1])
    monkeypatch.setattr(winograd, "SUMS_BYTES", sizes[2])
    w_shape, options = (19, x_shape[1], 3, 3), {"padding": ((1, 2), (0, 1))}
    x, w, b = rng.standard_normal(x_shape), rng.standard_normal(w_shape), rng.standard_normal(19)
    geometry = ConvGeometry.of_weight(w_shape, **options)
    dy = rng.standard_normal(geometry.output_shape(x_shape))
    with kernels.use_algorithm("taps"):
        y, (_, dw, _) = ops.conv_forward(x, w, b, **options), ops.conv_backward(dy, x, w, **options)
    with kernels.use_algorithm("winograd"):
        np.testing.assert_allclose(planner.conv_forward(x, w, b, geometry), y, atol=1e-10)
        np.testing.assert_allclose(planner.grad_weight(dy, x, w_shape, geometry), dw, atol=1e-10)
