"""Batch normalization: what it does to the statistics, numbers worked by hand, gradient checks, PyTorch."""

import numpy as np
import pytest

from cnnlab import ops

SHAPES = {"vectors": (6, 3), "1-D": (4, 3, 5), "2-D": (3, 2, 4, 3), "3-D": (2, 3, 2, 1, 4), "one map": (1, 3, 2, 2)}


@pytest.fixture(params=SHAPES.values(), ids=SHAPES)
def shape(request):
    return request.param


def axes_of(x):
    return (0, *range(2, x.ndim))


def draw(rng, shape, make=lambda x: x):
    """Draw x, w, b, mean, var and dy."""
    C = shape[1]
    arrays = (
        3 + 2 * rng.normal(size=shape),
        rng.normal(size=C),
        rng.normal(size=C),
        rng.normal(size=C),
        rng.uniform(0.5, 2, C),
        rng.normal(size=shape),
    )
    return [make(a) for a in arrays]


def test_output_has_mean_zero_and_variance_one_in_every_channel(lane, rng, shape):
    x = lane.array((5 + 3 * rng.normal(size=shape)).astype(lane.dtype))
    y = lane.numpy(ops.batch_norm_forward(x, eps=0.0)).astype(float)
    tolerance = 1e-5 if lane.dtype == "float32" else 1e-12
    np.testing.assert_allclose(y.mean(axis=axes_of(y)), 0, atol=tolerance)
    np.testing.assert_allclose(y.var(axis=axes_of(y)), 1, atol=10 * tolerance)


def test_statistics_are_those_of_each_channel(lane, rng, shape):
    x = lane.random(rng, *shape)
    mean, var = ops.batch_statistics(x)
    for c in range(shape[1]):
        values = lane.numpy(x)[:, c].astype(float)
        assert float(mean[c]) == pytest.approx(values.sum() / values.size, abs=1e-6)
        assert float(var[c]) == pytest.approx(((values - values.mean()) ** 2).sum() / values.size, abs=1e-6)


def test_two_values_have_a_variance():
    mean, var = ops.batch_statistics(np.array([[1.0], [5.0]]))
    assert (mean, var) == (3, 4)


def test_own_statistics_may_be_given(lane, rng, shape, assert_close):
    x, w, b, _, _, _ = draw(rng, shape, lambda a: lane.array(a.astype(lane.dtype)))
    mean, var = ops.batch_statistics(x)
    assert_close(ops.batch_norm_forward(x, w, b, mean=mean, var=var), lane.numpy(ops.batch_norm_forward(x, w, b)))


def test_given_statistics_make_it_a_scale_and_a_shift(lane, rng, shape, assert_close):
    host = draw(rng, shape)
    x, w, b, mean, var, dy = (lane.array(a.astype(lane.dtype)) for a in host)
    x_h, w_h, b_h, mean_h, var_h, dy_h = (a if a.ndim > 1 else a.reshape(-1, *[1] * (len(shape) - 2)) for a in host)
    scale = w_h / np.sqrt(var_h + 0.1)
    y = ops.batch_norm_forward(x, w, b, mean=mean, var=var, eps=0.1)
    assert_close(y, scale * x_h + (b_h - scale * mean_h))
    dx, dw, db = ops.batch_norm_backward(dy, x, w, mean=mean, var=var, eps=0.1)
    assert_close(dx, scale * dy_h)
    assert_close(db, dy_h.sum(axis=axes_of(dy_h)))
    assert_close(dw, (dy_h * (x_h - mean_h) / np.sqrt(var_h + 0.1)).sum(axis=axes_of(dy_h)))


def test_values_worked_by_hand():
    x = np.array([[1.0, 10.0], [3.0, 10.0]])
    w, b = np.array([2.0, 5.0]), np.array([0.5, 7.0])
    np.testing.assert_allclose(ops.batch_norm_forward(x, w, b, eps=3.0), [[-0.5, 7], [1.5, 7]])  # √(1 + 3) = 2
    dx, dw, db = ops.batch_norm_backward(np.array([[1.0, 1.0], [3.0, 2.0]]), x, w, eps=3.0)
    # x̂ = ∓1/2; g = 2, 6 in channel 0 and 5, 10 in channel 1; mean(g) 4 and 7.5; mean(g·x̂) 1 and 0
    np.testing.assert_allclose(dx, [[(2 - 4 + 0.5) / 2, -2.5 / np.sqrt(3)], [(6 - 4 - 0.5) / 2, 2.5 / np.sqrt(3)]])
    np.testing.assert_allclose(dw, [1, 0])
    np.testing.assert_allclose(db, [4, 3])


@pytest.mark.parametrize("given", [False, True], ids=["of the batch", "given"])
@pytest.mark.parametrize("affine", [False, True])
def test_gradient_check_along_random_directions(rng, shape, assert_gradient, given, affine):
    x, w, b, mean, var, dy = draw(rng, shape)
    w, b = (w, b) if affine else (None, None)
    options = {"mean": mean, "var": var} if given else {}

    def loss(x, w, b):
        return np.sum(ops.batch_norm_forward(x, w, b, **options) * dy)

    dx, dw, db = ops.batch_norm_backward(dy, x, w, **options)
    assert_gradient(lambda x: loss(x, w, b), x, dx)
    if affine:
        assert_gradient(lambda w: loss(x, w, b), w, dw)
        assert_gradient(lambda b: loss(x, w, b), b, db)


def test_shifting_or_scaling_a_channel_changes_nothing_and_so_gets_no_gradient(rng, shape, assert_close):
    x, w, b, _, _, dy = draw(rng, shape)
    assert_close(ops.batch_norm_forward(7 + 3 * x, w, b, eps=0.0), ops.batch_norm_forward(x, w, b, eps=0.0))
    dx, _, _ = ops.batch_norm_backward(dy, x, w, eps=0.0)
    np.testing.assert_allclose(dx.sum(axis=axes_of(x)), 0, atol=1e-11)
    np.testing.assert_allclose((dx * x).sum(axis=axes_of(x)), 0, atol=1e-11)


@pytest.mark.oracle
@pytest.mark.parametrize("training", [True, False])
def test_agrees_with_pytorch_on_random_layers(training):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(0)
    for trial in range(40):
        spatial = tuple(int(n) for n in rng.integers(1, 5, int(rng.integers(0, 4))))
        x, w, b, mean, var, dy = draw(rng, (int(rng.integers(2, 5)), int(rng.integers(1, 4)), *spatial))
        w, b = (w, b) if trial % 2 else (None, None)
        tensors = [None if a is None else torch.tensor(a, requires_grad=True) for a in (x, w, b)]
        y_torch = torch.nn.functional.batch_norm(
            tensors[0], torch.tensor(mean), torch.tensor(var), *tensors[1:], training=training, eps=1e-3
        )
        y_torch.backward(torch.tensor(dy))
        options = {"eps": 1e-3} if training else {"mean": mean, "var": var, "eps": 1e-3}
        y = ops.batch_norm_forward(x, w, b, **options)
        np.testing.assert_allclose(y, y_torch.detach().numpy(), rtol=1e-9, atol=1e-9)
        for ours, tensor in zip(ops.batch_norm_backward(dy, x, w, **options), tensors, strict=True):
            if tensor is not None:
                np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-9, atol=1e-9)


def test_an_empty_batch_can_be_normalized_by_given_statistics(lane):
    x, ones = lane.array(np.zeros((0, 2, 3))), lane.array(np.ones(2))
    assert ops.batch_norm_forward(x, ones, ones, mean=ones, var=ones).shape == (0, 2, 3)
    dx, dw, db = ops.batch_norm_backward(x, x, ones, mean=ones, var=ones)
    assert dx.shape == (0, 2, 3)
    assert not lane.numpy(dw).any()
    assert not lane.numpy(db).any()


def test_an_eps_of_numpy_does_not_widen_the_dtype(rng):
    x = rng.normal(size=(4, 3)).astype("float32")
    assert ops.batch_norm_forward(x, eps=np.float64(1e-5)).dtype == np.float32
    assert ops.batch_norm_backward(x, x, eps=np.float64(1e-5))[0].dtype == np.float32


ONES = np.ones(3)
TOGETHER = "mean and var go together: give both, or none to normalize by those of the batch"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ops.batch_statistics(np.ones((1, 3))), r"\(1, 3\), less than two values a channel"),
        (lambda: ops.batch_statistics(np.ones((0, 3, 4))), "less than two values a channel"),
        (lambda: ops.batch_norm_forward(np.ones((1, 3, 1))), "less than two values a channel"),
        (lambda: ops.batch_norm_forward(np.ones((4, 3)), eps=-1), r"eps \(=-1\) must be a finite number of 0 or more"),
        (lambda: ops.batch_norm_forward(np.ones((4, 3)), eps=float("nan")), r"eps \(=nan\)"),
        (lambda: ops.batch_norm_forward(np.ones(3)), r"shape \(3,\): expected \(N, C, \*spatial\)"),
        (lambda: ops.batch_norm_forward(np.ones((4, 2)), ONES), r"w has shape \(3,\), expected \(2,\)"),
        (lambda: ops.batch_norm_forward(np.ones((4, 2)), b=ONES), r"b has shape \(3,\), expected \(2,\)"),
        (lambda: ops.batch_norm_forward(np.ones((4, 3)), mean=ONES), f"^{TOGETHER}$"),
        (lambda: ops.batch_norm_backward(np.ones((4, 3)), np.ones((4, 3)), var=ONES), f"^{TOGETHER}$"),
        (
            lambda: ops.batch_norm_forward(np.ones((4, 3)), mean=np.ones(2), var=ONES),
            r"mean has shape \(2,\), expected \(3,\): one value for each channel",
        ),
        (
            lambda: ops.batch_norm_backward(np.ones((4, 2)), np.ones((4, 3))),
            r"dy has shape \(4, 2\), expected \(4, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
