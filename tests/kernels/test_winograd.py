"""Winograd's algorithm in NumPy: its matrices and transforms, parts of any size, and what it deals out."""

import numpy as np
import pytest

from cnnlab import kernels, nn, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import planner, winograd, winograd_tiles
from cnnlab.kernels.winograd_matrices import matrix
from cnnlab.kernels.winograd_tiles import Tile, both_sides

FLOAT = np.dtype(float)
ALL = [(m, r) for m in range(1, 8) for r in range(1, 8) if 3 <= m + r - 1 <= 8]


def test_the_matrices_of_four_outputs_and_three_taps_are_those_of_the_paper():
    B = [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0]]
    G = [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6]]
    A = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    np.testing.assert_array_equal(matrix("input", 4, 3, FLOAT), [*B, [0, 4, 0, -5, 0, 1]])
    np.testing.assert_array_equal(matrix("kernel", 4, 3, FLOAT), [*G, [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]])
    np.testing.assert_array_equal(matrix("output", 4, 3, FLOAT), A)


@pytest.mark.parametrize(("m", "r"), ALL)
def test_a_line_by_the_matrices_is_the_correlation(rng, m, r):
    d, g = rng.standard_normal(m + r - 1), rng.standard_normal(r)
    B, G, A = (matrix(name, m, r, FLOAT) for name in ("input", "kernel", "output"))
    np.testing.assert_allclose(A @ ((G @ g) * (B @ d)), np.correlate(d, g, "valid"), atol=1e-12)


@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (2, 4), (7, 5)])
def test_one_tile_by_the_matrices_is_the_correlation_and_its_adjoint(rng, kernel):
    tile = Tile(8, kernel)
    d, g, dy = (rng.standard_normal(shape) for shape in ((8, 8), kernel, tile.outs))
    (B, C), (G, H), (A, D) = (tile.sides(name, FLOAT) for name in ("input", "kernel", "output"))
    inputs = B @ d @ C.T
    y = A @ ((G @ g @ H.T) * inputs) @ D.T
    seen = np.lib.stride_tricks.sliding_window_view(d, kernel)
    np.testing.assert_allclose(y, (seen * g).sum(axis=(2, 3)), atol=1e-12)
    gradient = G.T @ ((A.T @ dy @ D) * inputs) @ H
    np.testing.assert_allclose(gradient, (seen * dy[..., None, None]).sum(axis=(0, 1)), atol=1e-12)


@pytest.mark.parametrize(("name", "back"), [("input", False), ("output", False), ("kernel", True), ("kernel", False)])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 5)])
def test_a_transform_is_a_product_from_both_sides_wherever_its_tiles_lie(rng, name, back, kernel):
    left, right = sides = Tile(6, kernel).sides(name, FLOAT, back=back)
    (o, i), (p, j) = left.shape, right.shape
    tiles = rng.standard_normal((i, j, 7))
    wanted = np.einsum("pi,qj,ijn->pqn", left, right, tiles)
    within, beyond = rng.standard_normal((i, j, 20)), np.full((o, p, 20), np.nan)
    within[:, :, 5:12] = tiles
    alone, memory = np.empty((o, p, 7)), np.empty(max(o * j, i * p) * 7)
    both_sides(sides, within[:, :, 5:12], alone, memory)
    both_sides(sides, tiles, beyond[:, :, 5:12], memory)
    np.testing.assert_allclose(alone, wanted, atol=1e-12)
    np.testing.assert_allclose(beyond[:, :, 5:12], wanted, atol=1e-12)
    assert np.isnan(beyond[:, :, :5]).all()
    assert np.isnan(beyond[:, :, 12:]).all()


def agrees(x_shape, w_shape, rng, **options):
    x, w, b = rng.standard_normal(x_shape), rng.standard_normal(w_shape), rng.standard_normal(w_shape[0])
    geometry = ConvGeometry.of_weight(w_shape, **options)
    dy = rng.standard_normal(geometry.output_shape(x_shape))
    with kernels.use_algorithm("taps"):
        y, (_, dw, _) = ops.conv_forward(x, w, b, **options), ops.conv_backward(dy, x, w, **options)
    with kernels.use_algorithm("winograd"):
        np.testing.assert_allclose(planner.conv_forward(x, w, b, geometry), y, atol=1e-10)
        np.testing.assert_allclose(planner.grad_weight(dy, x, w_shape, geometry), dw, atol=1e-10)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (500, 16, 2**14), (2**20, 10**6, 2**30)])
@pytest.mark.parametrize(
    "layer",
    [
        ((3, 5, 9, 14), (19, 5, 3, 3), {}),
        ((2, 40, 21, 7), (19, 40, 3, 3), {}),
        ((1, 2, 1, 30), (19, 2, 3, 3), {}),
        ((5, 3, 4, 4), (19, 3, 3, 3), {}),
        ((3, 5, 9, 14), (7, 5, 5, 4), {}),
        ((2, 6, 17, 19), (9, 2, 3, 3), {"groups": 3, "dilation": (2, 3)}),
        ((2, 4, 7, 9, 11), (6, 2, 3, 2, 3), {"groups": 2, "stride": (2, 1, 1), "dilation": (1, 1, 2)}),
    ],
)
def test_parts_of_any_size_give_the_same(monkeypatch, rng, layer, sizes):
    monkeypatch.setattr(winograd_tiles, "PLACE_BYTES", sizes[0])
    monkeypatch.setattr(winograd_tiles, "KERNEL_BYTES", sizes[0])
    monkeypatch.setattr(winograd, "TILES", sizes[1])
    monkeypatch.setattr(winograd, "SUMS_BYTES", sizes[2])
    x_shape, w_shape, options = layer
    pads = (((0, 1),) if len(w_shape) == 5 else ()) + ((1, 2), (0, 1))
    agrees(x_shape, w_shape, rng, padding=pads, **options)


def test_kernels_of_many_filters_are_transformed_some_at_a_time(monkeypatch, rng):
    made = []
    prepare = winograd.Winograd.prepare
    monkeypatch.setattr(
        winograd.Winograd, "prepare", lambda self, w, case: made.append(prepare(self, w, case)) or made[-1]
    )
    limit = kernels.workspace_limit()
    try:
        kernels.workspace_limit(2**18)
        agrees((2, 40, 9, 10), (75, 40, 5, 5), rng, padding=2)
        with kernels.use_algorithm("winograd"):
            plan = kernels.explain_plan(nn.Conv2d(40, 75, 5, padding=2), (2, 40, 9, 10))
    finally:
        kernels.workspace_limit(limit)
    assert [one.shape for one in made] == [(64, 1, 40, 15)] * 5
    assert plan.steps[0].workspace < 2**20 + 2**18


@pytest.mark.parametrize("count", [2, 3])
def test_where_tiles_are_few_threads_share_filters_and_no_more_memory(monkeypatch, rng, count):
    made, limit = [], kernels.workspace_limit()
    prepare = winograd.Winograd.prepare
    monkeypatch.setattr(
        winograd.Winograd, "prepare", lambda self, w, case: made.append(prepare(self, w, case)) or made[-1]
    )
    try:
        kernels.workspace_limit(2**18)  # of 16 filters' kernels
        with kernels.use_threads(count):
            agrees((1, 40, 5, 6), (75, 40, 5, 5), rng, padding=2)
            apart, made = made, []
            agrees((2, 40, 9, 10), (75, 40, 5, 5), rng, padding=2)  # tiles enough: threads share the pictures
    finally:
        kernels.workspace_limit(limit)
    assert sum(one.shape[-1] for one in apart) == 75
    assert max(one.shape[-1] for one in apart) * count <= 16 + count
    assert [one.shape[-1] for one in made] == [15] * 5


@pytest.mark.parametrize("kernel", [(r, s) for r in range(2, 8) for s in range(2, 8)])
def test_every_kernel_that_it_takes(rng, kernel):
    agrees((2, 3, 13, 15), (4, 3, *kernel), rng, padding=1)


@pytest.mark.parametrize("dilation", [(2, 2), (1, 4), (5, 3)])
@pytest.mark.parametrize("size", [(13, 14), (6, 30), (11, 7)])
def test_lines_that_a_dilation_deals_out_unevenly_or_not_at_all(rng, dilation, size):
    agrees((2, 3, *size), (4, 3, 3, 2), rng, padding=(5, 2), dilation=dilation)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (7, 7), (4, 2)])
def test_it_is_as_exact_as_it_says_with_many_channels(rng, kernel, dtype):
    shape, w_shape = (1, 384, 19, 19), (8, 384, *kernel)
    x, w = rng.standard_normal(shape), rng.standard_normal(w_shape)
    geometry = ConvGeometry.of_weight(w_shape)
    dy = rng.standard_normal(geometry.output_shape(shape))
    with kernels.use_algorithm("im2col"):
        exact = planner.conv_forward(x, w, None, geometry), planner.grad_weight(dy, x, w_shape, geometry)
    x, w, dy = (one.astype(dtype) for one in (x, w, dy))
    with kernels.use_algorithm("winograd"):
        found = planner.conv_forward(x, w, None, geometry), planner.grad_weight(dy, x, w_shape, geometry)
    most = kernels.algorithm.algorithms()["winograd"].tolerance[dtype]
    for ours, theirs in zip(found, exact, strict=True):
        assert np.abs(ours - theirs).max() <= most * np.abs(theirs).max()


def rows(channels, filters, kernel, size, **options):
    make = nn.Conv3d if len(kernel) == 3 else nn.Conv2d
    layer = make(channels, filters, kernel, **options)
    return [step.algorithm for step in kernels.explain_plan(layer, (2, channels, *size)).steps]


def test_it_is_taken_where_it_saves_more_than_it_costs():
    assert rows(64, 192, (5, 5), (27, 27), padding=2)[0] == "winograd"
    assert rows(64, 64, (3, 3), (32, 32), padding=2, dilation=2)[0] == "winograd"
    assert rows(128, 128, (3, 3), (14, 14), padding=1, groups=4)[0] == "winograd"
    assert rows(32, 32, (3, 3, 3), (8, 28, 28), padding=1)[0] == "winograd"
    assert rows(32, 32, (7, 7), (32, 32), padding=3)[0] == "winograd"  # columns are too deep for the cache
    # Few channels, a stride, or next to no tiles.
    assert rows(3, 16, (7, 7), (32, 32), padding=3)[0] != "winograd"
    assert rows(3, 10, (5, 5), (32, 32), padding=2)[0] != "winograd"
    assert rows(64, 192, (5, 5), (27, 27), padding=2, stride=2)[0] != "winograd"
    assert rows(256, 256, (3, 3), (7, 7), padding=1)[0] != "winograd"


@pytest.mark.parametrize("rank", [1, 4])
def test_it_refuses_what_has_no_tiles(rng, rank):
    x, w = rng.standard_normal((2, 3, *[7] * rank)), rng.standard_normal((4, 3, *[3] * rank))
    with (
        kernels.use_algorithm("winograd"),
        pytest.raises(ValueError, match=f"the number of axes is {rank}, not 2 or 3"),
    ):
        ops.conv_forward(x, w)
    with kernels.use_algorithm("taps"):
        wanted = ops.conv_forward(x, w)
    np.testing.assert_allclose(ops.conv_forward(x, w), wanted, atol=1e-10)


def test_columns_of_few_outputs_are_added_up_though_the_input_has_tiles():
    # dx has 14×14 places, dy 10×10: col2im has half the columns of the correlation that Winograd's way would compute.
    layer = nn.Conv2d(6, 16, 5)
    assert kernels.explain_plan(layer, (64, 6, 14, 14))["grad_input"] == "batch_last"
