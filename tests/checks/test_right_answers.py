"""Every right way of writing an answer passes, whatever its arrays look like in memory."""

import numpy as np
import pytest

from cnnlab.checks import exercise, run_exercise


def mlp(layers, columns):
    """Run the network on columns of flattened windows, (in, P) -> (out, P)."""
    for number, (W, b) in enumerate(layers):
        columns = W @ columns + b[:, None]
        if number + 1 < len(layers):
            columns = columns * (columns > 0)
    return columns


def scan_1d_by_loops(x, layers, width, hop):
    scores = []
    start = 0
    while start + width <= x.shape[1]:
        v = [x[c, start + k] for c in range(x.shape[0]) for k in range(width)]
        for number, (W, b) in enumerate(layers):
            v = [sum(W[i, j] * v[j] for j in range(len(v))) + b[i] for i in range(len(b))]
            if number + 1 < len(layers):
                v = [max(value, 0) for value in v]
        scores.append(v)
        start += hop
    return np.array(scores).reshape(len(scores), len(layers[-1][1])).T


def scan_1d_by_slices(x, layers, width, hop):
    starts = range(0, x.shape[1] - width + 1, hop)
    columns = [x[:, start : start + width].ravel() for start in starts]
    return mlp(layers, np.array(columns, dtype=x.dtype).reshape(len(columns), x.shape[0] * width).T)


def scan_1d_by_einsum(x, layers, width, hop):
    W, b = layers[0]
    T = x.shape[1]
    windows = x[:, np.arange(0, max(0, T - width + 1), hop)[:, None] + np.arange(width)]  # (C, P, K)
    y = np.einsum("ock,cpk->op", W.reshape(len(b), x.shape[0], width), windows) + b[:, None]
    return y if len(layers) == 1 else mlp(layers[1:], np.maximum(y, 0))


def scan_1d_by_window_view(x, layers, width, hop):
    C, T = x.shape
    if width > T:
        return np.empty((len(layers[-1][1]), 0))
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)[:, ::hop]  # (C, P, K)
    return mlp(layers, windows.transpose(0, 2, 1).reshape(C * width, -1))


def scan_2d_by_loops(image, layers, size, stride):
    C, H, W_ = image.shape
    rows = [r for r in range(H) if r % stride[0] == 0 and r + size[0] <= H]
    columns = [c for c in range(W_) if c % stride[1] == 0 and c + size[1] <= W_]
    y = np.empty((len(layers[-1][1]), len(rows), len(columns)))
    for p, r in enumerate(rows):
        for q, c in enumerate(columns):
            v = np.array([image[k, r + i, c + j] for k in range(C) for i in range(size[0]) for j in range(size[1])])
            y[:, p, q] = mlp(layers, v[:, None])[:, 0]
    return y


def scan_2d_by_slices(image, layers, size, stride):
    C = len(image)
    taps = [
        image[c, i : image.shape[1] - size[0] + i + 1 : stride[0], j : image.shape[2] - size[1] + j + 1 : stride[1]]
        for c in range(C)
        for i in range(size[0])
        for j in range(size[1])
    ]
    stack = np.stack(taps)  # (C * K_H * K_W, P_H, P_W)
    return mlp(layers, stack.reshape(len(stack), -1)).reshape(-1, *stack.shape[1:])


def scan_2d_by_tensordot(image, layers, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(image, size, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    W, b = layers[0]
    y = np.tensordot(W.reshape(len(b), len(image), *size), windows, axes=([1, 2, 3], [0, 3, 4])) + b[:, None, None]
    for W, b in layers[1:]:
        y = np.einsum("oi,ipq->opq", W, np.maximum(y, 0)) + b[:, None, None]
    return y


def scan_2d_by_strides(image, layers, size, stride):
    C, H, W_ = image.shape
    places = ((H - size[0]) // stride[0] + 1, (W_ - size[1]) // stride[1] + 1)
    s = image.strides
    windows = np.lib.stride_tricks.as_strided(
        image, (*places, C, *size), (s[1] * stride[0], s[2] * stride[1], *s), writeable=False
    )
    columns = windows.reshape(places[0] * places[1], -1).T
    return mlp(layers, columns).reshape(-1, *places)


RIGHT = {
    "a1.scan_1d": [scan_1d_by_loops, scan_1d_by_slices, scan_1d_by_einsum, scan_1d_by_window_view],
    "a1.scan_2d": [scan_2d_by_loops, scan_2d_by_slices, scan_2d_by_tensordot, scan_2d_by_strides],
}
ALL_RIGHT = [(name, function) for name, functions in RIGHT.items() for function in functions]


@pytest.mark.parametrize(("exercise_id", "function"), ALL_RIGHT, ids=[f.__name__ for _, f in ALL_RIGHT])
@pytest.mark.parametrize("seed", [0, 1, 2, 12345])
def test_every_right_way_gets_all_points(exercise_id, function, seed):
    found = exercise(exercise_id)
    result = run_exercise(found, function, hidden=True, seed=seed)
    assert [(o.title, o.message) for o in result.outcomes if not o.passed] == []
    assert result.score == result.max_score == found.points
    assert type(result.score) is float


def fortran(array):
    return np.asfortranarray(array)


def every_second(array):
    spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
    spread[..., ::2] = array
    return spread[..., ::2]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def reversed_twice(array):
    return array[..., ::-1].copy()[..., ::-1]


def as_double(array):
    return array.astype(np.float64)


@pytest.mark.parametrize("layout", [fortran, every_second, read_only, reversed_twice, as_double])
@pytest.mark.parametrize("exercise_id", RIGHT)
def test_answers_may_have_any_layout(exercise_id, layout):
    found = exercise(exercise_id)
    result = run_exercise(found, lambda *arguments: layout(found.function().reference(*arguments)), hidden=True, seed=4)
    assert result.score == found.points


@pytest.mark.parametrize("layout", [fortran, every_second, read_only, reversed_twice])
@pytest.mark.parametrize("exercise_id", RIGHT)
def test_reference_takes_input_of_any_layout(exercise_id, layout):
    found = exercise(exercise_id)
    for check in found.checks:
        for case in check.cases(np.random.default_rng(8)):
            x, layers, *numbers = case.arguments
            laid_out = [(layout(W), layout(b)) for W, b in layers]
            answer = found.function().reference(layout(x), laid_out, *numbers)
            np.testing.assert_allclose(answer, RIGHT[exercise_id][0](x, layers, *numbers), rtol=1e-4, atol=1e-4)


def test_the_examples_of_the_statement():
    first, second = (exercise(name).checks[0].cases(np.random.default_rng(0))[0] for name in RIGHT)
    # Worked by hand in the notebook.
    np.testing.assert_array_equal(exercise("a1.scan_1d").function().reference(*first.arguments), [[3, 2, 11]])
    np.testing.assert_array_equal(
        exercise("a1.scan_2d").function().reference(*second.arguments), [[[3, 1, 10], [7, 5, 3]]]
    )
