"""Every known mistake fails and gets its own name; what is no known mistake gets none."""

from dataclasses import replace

import numpy as np
import pytest

from cnnlab.checks import exercise, run_exercise
from cnnlab.checks.compare import alike

SCAN_1D, SCAN_2D = exercise("a1.scan_1d"), exercise("a1.scan_2d")


def names(result):
    return {outcome.mistake_name for outcome in result.outcomes} - {None}


# The same mistakes as students write them, without the parts that the known ones are made of.
def mlp(layers, v):
    for W, b in layers[:-1]:
        v = np.maximum(W.dot(v) + b, 0)
    W, b = layers[-1]
    return W.dot(v) + b


def short_by_one(x, layers, width, hop):
    P = max(0, (x.shape[1] - width) // hop)
    y = np.zeros((len(layers[-1][1]), P))
    for p in range(P):
        y[:, p] = mlp(layers, x[:, p * hop : p * hop + width].flatten())
    return y


def zero_padded(x, layers, width, hop):
    padded = np.pad(x, ((0, 0), (0, width)))
    columns = [mlp(layers, padded[:, t : t + width].flatten()) for t in range(0, x.shape[1], hop)]
    return np.stack(columns, axis=1)


def frame_by_frame(x, layers, width, hop):
    starts = range(0, x.shape[1] - width + 1, hop)
    y = np.zeros((len(layers[-1][1]), len(starts)))
    for p, t in enumerate(starts):
        y[:, p] = mlp(layers, np.concatenate([x[:, t + k] for k in range(width)]))
    return y


def list_of_windows(x, layers, width, hop):
    windows = [mlp(layers, x[:, t : t + width].ravel()) for t in range(0, x.shape[1] - width + 1, hop)]
    return np.array(windows).reshape(-1, len(layers[-1][1]))


def list_of_windows_that_fails_when_short(x, layers, width, hop):
    return np.stack([mlp(layers, x[:, t : t + width].ravel()) for t in range(0, x.shape[1] - width + 1, hop)])


def relu_by_habit(x, layers, width, hop):
    y = []
    for t in range(0, x.shape[1] - width + 1, hop):
        v = x[:, t : t + width].ravel()
        for W, b in layers:
            v = np.clip(W @ v + b, 0, None)
        y.append(v)
    return np.array(y).reshape(-1, len(layers[-1][1])).T


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (short_by_one, "The last window is missing"),
        (zero_padded, "Windows that hang over the end are scored"),
        (frame_by_frame, "The window is flattened time first"),
        (list_of_windows, "The answer is transposed: windows first, outputs second"),
        (list_of_windows_that_fails_when_short, "The answer is transposed: windows first, outputs second"),
        (relu_by_habit, "ReLU is applied after the last layer too"),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_student_version_of_a_scan_1d_mistake_is_named(function, name, hidden):
    assert names(run_exercise(SCAN_1D, function, hidden=hidden, seed=11)) == {name}


def places(image, layers, size, stride, *, flatten=np.ravel, less=(0, 0)):
    rows = range(0, image.shape[1] - size[0] + 1 - less[0], stride[0])
    columns = range(0, image.shape[2] - size[1] + 1 - less[1], stride[1])
    y = np.zeros((len(layers[-1][1]), len(rows), len(columns)))
    for p, r in enumerate(rows):
        for q, c in enumerate(columns):
            y[:, p, q] = mlp(layers, flatten(image[:, r : r + size[0], c : c + size[1]]))
    return y


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda *a: places(*a, less=(1, 0)), "The last row of the map is missing"),
        (lambda *a: places(*a, less=(0, 1)), "The last column of the map is missing"),
        (lambda *a: places(*a, less=(1, 1)), "The last row and the last column of the map are missing"),
        (
            lambda *a: places(*a, flatten=lambda w: np.moveaxis(w, 0, -1).ravel()),
            "The window is flattened channel last",
        ),
        (lambda *a: places(*a, flatten=lambda w: w.flatten("F")), "The window is flattened in Fortran order"),
        (
            lambda image, layers, size, stride: places(image, layers, (size[1], size[0]), stride),
            "Height and width of the window are swapped",
        ),
        (lambda *a: np.swapaxes(places(*a), 1, 2), "The map is transposed: width before height"),
        (lambda image, layers, size, stride: places(image, layers, size, (1, 1)), "stride is not used"),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_student_version_of_a_scan_2d_mistake_is_named(function, name, hidden):
    assert names(run_exercise(SCAN_2D, function, hidden=hidden, seed=11)) == {name}


def two_mistakes(x, layers, width, hop):
    return relu_by_habit(x, layers, width, 1)


def rounds(x, layers, width, hop):
    return np.round(SCAN_1D.function().reference(x, layers, width, hop))


def window_reversed(x, layers, width, hop):
    flipped = [(layers[0][0][:, ::-1], layers[0][1]), *layers[1:]]
    return SCAN_1D.function().reference(x, flipped, width, hop)


def right_then_wrong(x, layers, width, hop):
    # Like the known mistake on small recordings only.
    known = next(m for m in SCAN_1D.mistakes if m.id == "hop_ignored")
    return known.function(x, layers, width, hop) if x.shape[1] < 10 else np.zeros((1, 1))


@pytest.mark.parametrize("hidden", [False, True])
def test_two_mistakes_at_once_are_both_named(hidden):
    result = run_exercise(SCAN_1D, two_mistakes, hidden=hidden, seed=3)
    assert names(result) == {"hop is not used; ReLU is applied after the last layer too"}
    both = next(outcome.mistakes for outcome in result.outcomes if outcome.mistakes)
    assert [mistake.id for mistake in both] == ["hop_ignored", "relu_last"]


def three_mistakes(x, layers, width, hop):
    return relu_by_habit(x[:, ::-1], [(W, 0 * b) for W, b in layers], width, 1)


@pytest.mark.parametrize("function", [three_mistakes, rounds, window_reversed, right_then_wrong])
@pytest.mark.parametrize("hidden", [False, True])
def test_what_is_no_known_mistake_gets_no_name(function, hidden):
    result = run_exercise(SCAN_1D, function, hidden=hidden, seed=3)
    assert names(result) == set()
    assert not all(outcome.passed for outcome in result.outcomes)


def test_further_inputs_must_agree_with_the_mistake_too():
    known = next(m for m in SCAN_1D.mistakes if m.id == "no_bias")

    def like_it_on_visible_inputs(x, *others):
        # No visible case has float32 input.
        return known.function(x, *others) + (x.dtype == np.float32)

    assert names(run_exercise(SCAN_1D, known.function, hidden=False)) == {known.name}
    assert names(run_exercise(SCAN_1D, like_it_on_visible_inputs, hidden=False)) == set()


def test_mistakes_that_cannot_be_told_apart_are_not_named():
    known = next(m for m in SCAN_1D.mistakes if m.id == "no_bias")
    for name, expected in (("Another name", set()), (known.name, {known.name})):
        found = replace(SCAN_1D, mistakes=(known, replace(known, id="twin", name=name)))
        assert names(run_exercise(found, known.function, hidden=False)) == expected


def test_the_name_stands_beside_an_exception_in_a_smaller_case():
    # np.stack fails when there is no window; where there is one, the answer is transposed.
    result = run_exercise(SCAN_1D, list_of_windows_that_fails_when_short, hidden=False)
    outcome = next(outcome for outcome in result.outcomes if outcome.kind == "raised")
    assert outcome.title == "Recordings shorter than, as long as, and longer than a window"
    assert outcome.mistake_name == "The answer is transposed: windows first, outputs second"
    one, other = outcome.message.split(" In another case (2 features × 6 frames, width 4, hop 2): ")
    assert one.startswith("ValueError in your line")
    assert one.endswith("need at least one array to stack.")
    assert other == "The answer has shape (2, 1); it should have shape (1, 2)."


def test_a_hidden_check_tells_of_both_and_gives_nothing_away():
    unseen = replace(SCAN_1D, checks=tuple(replace(check, hidden=True) for check in SCAN_1D.checks))
    result = run_exercise(unseen, list_of_windows_that_fails_when_short, hidden=True, seed=1)
    outcome = next(outcome for outcome in result.outcomes if outcome.kind == "raised")
    assert outcome.mistake_name == "The answer is transposed: windows first, outputs second"
    assert outcome.message.startswith("ValueError in your line")
    assert outcome.message.endswith("”. For another input: The answer has the wrong shape.")
    assert "need at least" not in outcome.message


def test_an_exception_in_a_larger_case_is_told_beside_the_wrong_numbers():
    known = next(m for m in SCAN_1D.mistakes if m.id == "no_bias")

    def fails_when_long(x, *others):
        if x.shape[1] > 8:
            raise KeyError("too long")
        return known.function(x, *others)

    outcomes = run_exercise(SCAN_1D, fails_when_long, hidden=False).outcomes
    told = [outcome.message for outcome in outcomes if outcome.kind == "wrong_value" and "KeyError" in outcome.message]
    assert told
    assert all("First wrong number at" in message.split(" In another case (")[0] for message in told)
    assert {name for outcome in outcomes if (name := outcome.mistake_name)} == {known.name}


def test_where_every_failing_case_raised_there_is_no_name():
    def always_raises(x, *others):
        raise KeyError("no")

    result = run_exercise(SCAN_1D, always_raises, hidden=True, seed=3)
    assert {(outcome.kind, outcome.mistake_name) for outcome in result.outcomes} == {("raised", None)}
    assert not any("other" in outcome.message for outcome in result.outcomes)


def test_equal_answers_of_whole_numbers_are_alike():
    # No right answer of an array holds whole numbers, but a known mistake may.
    assert alike(np.array([1, 2]), np.array([1, 2]))
    assert not alike(np.array([1, 2]), np.array([1, 3]))
    assert not alike(np.array([1, 2]), np.array([[1, 2]]))
    assert not alike(np.array([1.0, 2.0]), np.array([1, 2]))
