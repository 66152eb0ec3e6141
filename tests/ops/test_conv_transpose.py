"""Transposed convolution: the adjoint of the convolution, walks along the edges, numbers worked by hand, PyTorch."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from cnnlab import ops, reference
from cnnlab.geometry import ConvTransposeGeometry


@dataclass(frozen=True)
class Case:
    """Shapes and options of one layer."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def outputs(self):
        return self.w[1] * self.options.get("groups", 1)

    def draw(self, rng, lane=None):
        """Draw x, w, b and dy; of one lane, or as NumPy arrays in float64."""
        make = (lambda *shape: lane.random(rng, *shape)) if lane else (lambda *shape: rng.normal(size=shape))
        y = ConvTransposeGeometry.of_weight(self.w, **self.options).output_shape(self.x)
        return make(*self.x), make(*self.w), make(self.outputs), make(*y)


CASES = {
    "1-D": Case((2, 3, 5), (3, 2, 3)),
    "1-D stride longer than the kernel": Case((2, 2, 4), (2, 3, 2), {"stride": 3, "output_padding": 1}),
    "1-D one position": Case((1, 1, 1), (1, 1, 4), {"padding": 1}),
    "1-D output padding beyond what padding cut off": Case(
        (2, 2, 3), (2, 1, 2), {"stride": 3, "padding": 1, "output_padding": 2}
    ),
    "1-D output padding of a stride and more": Case((2, 2, 4), (2, 2, 2), {"dilation": 3, "output_padding": 2}),
    "2-D": Case((2, 3, 4, 3), (3, 4, 3, 2)),
    "2-D unequal options": Case(
        (2, 3, 4, 3),
        (3, 2, 2, 3),
        {"stride": (3, 2), "padding": (1, 2), "output_padding": (2, 1), "dilation": (1, 2)},
    ),
    "2-D pads that differ at the ends": Case((1, 2, 4, 3), (2, 2, 3, 2), {"padding": ((0, 1), (1, 0))}),
    "2-D groups": Case((2, 4, 3, 4), (4, 3, 2, 3), {"groups": 2, "stride": (1, 2)}),
    "2-D depthwise": Case((2, 3, 4, 3), (3, 2, 3, 2), {"groups": 3, "padding": 1}),
    "2-D one pixel kernel": Case((2, 3, 3, 4), (3, 5, 1, 1)),
    "3-D": Case((1, 2, 2, 3, 2), (2, 3, 2, 1, 3), {"stride": (2, 1, 1), "padding": (0, 0, 1)}),
    "4-D": Case((1, 2, 2, 1, 2, 2), (2, 1, 2, 2, 1, 2), {"groups": 2}),
}


def adjoint_options(case):
    """Return the options of the convolution that goes back from the output."""
    return {name: value for name, value in case.options.items() if name != "output_padding"}


def is_plain(case):
    """Whether the adjoint has exactly one window for each input."""
    g = ConvTransposeGeometry.of_weight(case.w, **case.options)
    return all(more < step for more, step in zip(g.output_padding, g.adjoint.stride, strict=True))


PLAIN = {name: case for name, case in CASES.items() if is_plain(case)}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


@pytest.fixture(params=PLAIN.values(), ids=PLAIN)
def plain_case(request):
    return request.param


def inner(a, b):
    return np.sum(a * b)


def test_is_the_adjoint_of_the_convolution(lane, rng, plain_case):
    """⟨conv(z), x⟩ = ⟨z, convT(x)⟩ for every z and x, with the same weights."""
    x, w, _, z = plain_case.draw(rng, lane)
    y = ops.conv_transpose_forward(x, w, **plain_case.options)
    back = ops.conv_forward(z, w, **adjoint_options(plain_case))
    x, y, z, back = (lane.numpy(a).astype(float) for a in (x, y, z, back))
    relative = 1e-11 if lane.dtype == "float64" else 1e-4
    np.testing.assert_allclose(inner(back, x), inner(z, y), rtol=relative, atol=relative)


def test_forward_is_what_the_convolution_does_to_its_input_gradient(rng, plain_case):
    x, w, _, z = plain_case.draw(rng)
    dx, _, _ = ops.conv_backward(x, z, w, **adjoint_options(plain_case))
    np.testing.assert_array_equal(ops.conv_transpose_forward(x, w, **plain_case.options), dx)


def test_forward_is_a_sum_over_edges(lane, rng, case, assert_close):
    x, w, b, _ = case.draw(rng, lane)
    want = reference.conv_transpose_by_edges(lane.numpy(x), lane.numpy(w), lane.numpy(b), **case.options)
    assert_close(ops.conv_transpose_forward(x, w, b, **case.options), want)


def test_gradients_are_sums_over_edges(lane, rng, case, assert_close):
    x, w, _, dy = case.draw(rng, lane)
    want = reference.conv_transpose_backward_by_edges(lane.numpy(dy), lane.numpy(x), lane.numpy(w), **case.options)
    for got, expected in zip(ops.conv_transpose_backward(dy, x, w, **case.options), want, strict=True):
        assert_close(got, expected)


def test_gradient_check_along_random_directions(rng, case, assert_gradient):
    x, w, b, dy = case.draw(rng)
    dx, dw, db = ops.conv_transpose_backward(dy, x, w, **case.options)
    assert_gradient(lambda x: inner(ops.conv_transpose_forward(x, w, b, **case.options), dy), x, dx)
    assert_gradient(lambda w: inner(ops.conv_transpose_forward(x, w, b, **case.options), dy), w, dw)
    assert_gradient(lambda b: inner(ops.conv_transpose_forward(x, w, b, **case.options), dy), b, db)


def test_equals_the_transposed_dense_matrix_of_the_convolution(rng, plain_case, assert_close):
    x, w, _, _ = plain_case.draw(rng)
    y = ops.conv_transpose_forward(x, w, **plain_case.options)
    matrix = reference.conv_matrix(w, y.shape[1:], **adjoint_options(plain_case))
    assert_close(y, (x.reshape(len(x), -1) @ matrix).reshape(y.shape))


def test_stride_is_zeros_between_the_inputs(rng, assert_close):
    x, w = rng.normal(size=(2, 3, 4, 3)), rng.normal(size=(3, 2, 3, 2))
    spread = np.zeros((2, 3, 7, 7))
    spread[:, :, ::2, ::3] = x
    assert_close(ops.conv_transpose_forward(x, w, stride=(2, 3)), ops.conv_transpose_forward(spread, w))


def test_at_stride_one_it_is_a_full_convolution_with_the_flipped_kernel(rng, assert_close):
    x, w = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(3, 4, 3, 2))
    flipped = np.swapaxes(w[:, :, ::-1, ::-1], 0, 1)
    assert_close(ops.conv_transpose_forward(x, w), ops.conv_forward(x, flipped, padding=(2, 1)))


def test_padding_cuts_off_both_ends_and_output_padding_adds_at_the_end(rng, assert_close):
    x, w = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 2, 3))
    full = ops.conv_transpose_forward(x, w, stride=3)  # 12 long
    assert_close(ops.conv_transpose_forward(x, w, stride=3, padding=2), full[..., 2:-2])
    assert_close(ops.conv_transpose_forward(x, w, stride=3, padding=2, output_padding=1), full[..., 2:-1])
    longer = ops.conv_transpose_forward(x, w, stride=3, padding=1, output_padding=2)
    assert_close(longer, np.pad(full, [(0, 0), (0, 0), (0, 1)])[..., 1:])


def test_groups_are_layers_side_by_side(rng, assert_close):
    x, w, b = rng.normal(size=(2, 6, 3, 4)), rng.normal(size=(6, 3, 2, 3)), rng.normal(size=9)
    parts = [
        ops.conv_transpose_forward(x[:, 2 * g : 2 * g + 2], w[2 * g : 2 * g + 2], b[3 * g : 3 * g + 3], stride=2)
        for g in range(3)
    ]
    assert_close(ops.conv_transpose_forward(x, w, b, stride=2, groups=3), np.concatenate(parts, axis=1))


def test_values_worked_by_hand():
    x, w = np.array([[[1.0, 2.0]]]), np.array([[[1.0, 10.0, 100.0]]])
    np.testing.assert_array_equal(ops.conv_transpose_forward(x, w), [[[1, 12, 120, 200]]])
    np.testing.assert_array_equal(ops.conv_transpose_forward(x, w, np.array([0.5]), padding=1), [[[12.5, 120.5]]])
    np.testing.assert_array_equal(ops.conv_transpose_forward(x, w, stride=2), [[[1, 10, 102, 20, 200]]])
    np.testing.assert_array_equal(ops.conv_transpose_forward(x, w, dilation=2), [[[1, 2, 10, 20, 100, 200]]])


def test_a_batch_of_none_has_no_output_and_no_gradient(lane):
    x, w = lane.array(np.zeros((0, 2, 5, 4))), lane.array(np.ones((2, 3, 2, 2)))
    y = ops.conv_transpose_forward(x, w, stride=2)
    assert y.shape == (0, 3, 10, 8)
    dx, dw, db = ops.conv_transpose_backward(y, x, w, stride=2)
    assert dx.shape == x.shape
    assert not lane.numpy(dw).any()
    assert not lane.numpy(db).any()


def draw_layer(rng):
    """Draw shapes and options at random; most of them fit."""
    rank, groups = int(rng.integers(1, 4)), int(rng.integers(1, 4))

    def of_rank(low, high):
        return tuple(int(v) for v in rng.integers(low, high, rank))

    C_in, C_out_group = groups * int(rng.integers(1, 4)), int(rng.integers(1, 4))
    options = {
        "stride": of_rank(1, 4),
        "padding": of_rank(0, 3),
        "output_padding": of_rank(0, 3) if rng.random() < 0.5 else (0,) * rank,
        "dilation": of_rank(1, 4),
        "groups": groups,
    }
    x = rng.normal(size=(int(rng.integers(1, 4)), C_in, *of_rank(1, 6)))
    w = rng.normal(size=(C_in, C_out_group, *of_rank(1, 5)))
    return x, w, rng.normal(size=C_out_group * groups), options


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_pytorch_on_random_layers(seed):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(seed)
    compared = refused = 0
    while compared < 60:
        x, w, b, options = draw_layer(rng)
        theirs = getattr(torch.nn.functional, f"conv_transpose{x.ndim - 2}d")
        tensors = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
        try:
            y_torch = theirs(*tensors, **options)
        except RuntimeError:  # the padding cuts everything off, or there is too much output padding
            refused += 1
            with pytest.raises(ValueError, match=r"cuts off the whole output|must be smaller than stride"):
                ops.conv_transpose_forward(x, w, b, **options)
            continue
        dy = rng.normal(size=y_torch.shape)
        y_torch.backward(torch.tensor(dy))
        got = (
            ops.conv_transpose_forward(x, w, b, **options),
            *ops.conv_transpose_backward(dy, x, w, **options),
        )
        for ours, other in zip(got, (y_torch.detach(), *(t.grad for t in tensors)), strict=True):
            np.testing.assert_allclose(ours, other.numpy(), rtol=1e-9, atol=1e-9)
        compared += 1
    assert 0 < refused < 60
