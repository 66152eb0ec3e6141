"""Copies are found, whatever their names and comments; independent answers are not; the cost has a bound."""

import random
import re

import numpy as np
import pytest

from cnnlab.grading import similar
from cnnlab.grading.model import Cell
from cnnlab.grading.similar import compare, own_lines

ANSWER = """
def scan(x, layers, width, hop):
    starts = range(0, x.shape[1] - width + 1, hop)
    y = np.zeros((len(layers[-1][1]), len(starts)), x.dtype)
    for p, start in enumerate(starts):
        v = x[:, start:start + width].reshape(-1)
        for i, (W, b) in enumerate(layers):
            v = W @ v + b
            if i < len(layers) - 1:
                v = np.maximum(v, 0)
        y[:, p] = v
    return y
"""
OTHER = """
def scan(x, layers, width, hop):
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)[:, ::hop].swapaxes(0, 1)
    flat = windows.reshape(len(windows), -1)
    *hidden, (last, bias) = layers
    for weights, offset in hidden:
        flat = np.clip(flat @ weights.T + offset, 0, None)
    result = flat @ last.T
    result += bias
    return np.ascontiguousarray(result.T)
"""


def renamed(code):
    for old, new in (
        ("starts", "beginnings"),
        ("start", "at"),
        ("layers", "net"),
        (" v", " vec"),
        ("p,", "k,"),
        ("y", "out"),
    ):
        code = code.replace(old, new)
    return "# all my own work\n" + code.replace("\n    return", "\n\n    # done\n    return")


def test_a_copy_is_found_with_other_names_and_comments():
    found = compare({"ann": ANSWER, "bob": renamed(ANSWER), "cyd": OTHER})
    [pair] = found.pairs
    assert (pair.first, pair.second) == ("ann", "bob")
    assert pair.shape > 0.99
    assert pair.words < pair.shape
    assert found.compared == 3


def test_the_same_twice_is_all_alike_and_first():
    found = compare({"ann": ANSWER, "bob": ANSWER, "cyd": renamed(ANSWER)})
    assert (found.pairs[0].first, found.pairs[0].second) == ("ann", "bob")
    assert (found.pairs[0].words, found.pairs[0].shape) == (1, 1)


def test_what_the_release_gave_and_short_answers_are_not_compared():
    given = "import numpy as np\ndef f(x):\n    raise NotImplementedError"
    cells = [Cell(0, given), Cell(1, given + "\n    return x + 1"), Cell(2, "mine = 1")]
    assert own_lines(cells, {1, 2}, [given]) == "    return x + 1\nmine = 1"
    assert compare({"ann": "return x + 1", "bob": "return x + 1"}).pairs == ()
    assert compare({}).compared == 0


def test_the_quick_bound_leaves_no_pair_out(monkeypatch):
    """Against comparing every pair in full, on random edits of one text."""
    rng = random.Random(7)
    tokens = re.findall(r"\w+|\S", ANSWER)
    texts = {}
    for k in range(30):
        share = rng.choice([0.0, 0.02, 0.05, 0.1, 0.3])
        texts[f"s{k:02}"] = " ".join(t if rng.random() > share else rng.choice(tokens) for t in tokens)
    quick = compare(texts)
    monkeypatch.setattr(similar, "_unlike", _nothing_ruled_out)
    full = compare(texts)
    assert {(p.first, p.second) for p in quick.pairs} == {(p.first, p.second) for p in full.pairs}
    assert len(full.pairs) > 10


def _nothing_ruled_out(texts, least):
    return np.where(np.triu(np.ones((len(texts), len(texts)), dtype=bool), k=1), 0.5, np.inf)


def test_the_cost_has_a_bound(monkeypatch):
    calls = []
    real = similar._similarity
    monkeypatch.setattr(similar, "_similarity", lambda *a, **k: calls.append(a) or real(*a, **k))
    found = compare({f"s{k:03}": ANSWER * 100 for k in range(150)})
    assert len(calls) <= 2 * (similar._MOST_LOOKED_AT + similar._USUAL_PAIRS)
    assert max(len(text) for pair in calls for text in pair) <= similar._MOST_TOKENS
    assert len(found.pairs) == 50
    assert "11175" in found.note


@pytest.mark.parametrize("code", ["'''" * 5000, '"\\' * 5000, "\0é" * 3000, "𝒙 = 1\n" * 2000])
def test_no_code_stops_it(code):
    assert compare({"ann": code, "bob": code}).compared in {0, 2}


@pytest.mark.parametrize("code", ['"\\' * 150_000, '"""' + "'" * 299_000, "'" + "\\'" * 149_000, "rb" * 150_000])
def test_no_code_makes_reading_it_long(code):
    """The steps are counted, not the time: no token is looked for over more than its bound."""
    longest = max(len(found[0]) for found in similar._TOKEN.finditer(code[:20_000]))
    assert longest <= 20_000
    assert sum(1 for _ in similar._tokens(code)) <= 4 * similar._MOST_TOKENS + 1
