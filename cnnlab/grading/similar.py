"""Which submissions are much alike: a hint for people to look at both, never a verdict.

Only the student's own code is compared: cells that the release does not have, and in them only lines that it does not
have. Comments, layout and, in the second comparison, all names are left out. The similarity is RapidFuzz's: twice the
length of the longest common subsequence of tokens, over the length of both.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count

import numpy as np
from rapidfuzz.distance import Indel

from cnnlab.grading.model import Cell, Similarity, SimilarPair

# Short answers are alike by nature.
_FEWEST_TOKENS = 60
_MOST_TOKENS = 2_000
_MOST_STUDENTS = 2_000
_MOST_PAIRS = 50
# Alike word by word, or alike when only the names are others.
_WORDS = 0.9
_SHAPE = 0.97
_MOST_LOOKED_AT = 5_000
_USUAL_PAIRS = 300
_BUCKETS = 509

_similarity = Indel.normalized_similarity

# Strings are cut off: looking for the end of one that has none, again at each quotation mark, would take very long.
_TOKEN = re.compile(
    r"""#[^\n]*|(?P<text>[rbfuRBFU]{0,2}(?:\"{3}.{0,2000}?\"{3}|'{3}.{0,2000}?'{3}"""
    r"""|"(?:\\.|[^"\\\n]){0,500}+"|'(?:\\.|[^'\\\n]){0,500}+'))"""
    r"|(?P<name>[^\W\d]\w*)|(?P<number>\d[\w.]*)|\s+|(?P<sign>.)",
    re.DOTALL,
)


def own_lines(cells: Iterable[Cell], own: Collection[int], given: Iterable[str]) -> str:
    """Return the code that the student wrote: their cells, without the lines of the release.

    Parameters
    ----------
    cells, own
        Of a submission, as in `cnnlab.grading.repair.Repaired`.
    given
        Code cells of the release.
    """
    known = {line.strip() for source in given for line in source.splitlines()}
    lines = (line for cell in cells if cell.index in own for line in cell.source.splitlines())
    return "\n".join(line for line in lines if line.strip() not in known)


def compare(codes: Mapping[str, str]) -> Similarity:
    """Compare all students with each other.

    Parameters
    ----------
    codes
        Each student's own code.
    """
    tokens = {student: list(_tokens(code)) for student, code in sorted(codes.items())}
    long = [student for student, found in tokens.items() if len(found) >= _FEWEST_TOKENS]
    compared = long[:_MOST_STUDENTS]
    if len(compared) < 2:
        return Similarity(compared=len(compared))
    words = _as_texts([[word for word, _ in tokens[name]] for name in compared])
    shapes = _as_texts([[shape for _, shape in tokens[name]] for name in compared])
    unlike = np.minimum(_unlike(words, _WORDS), _unlike(shapes, _SHAPE))
    pairs = []
    looked_at = np.argwhere(unlike <= 1)
    looked_at = looked_at[np.argsort(unlike[tuple(looked_at.T)], kind="stable")]
    for row, column in looked_at[:_MOST_LOOKED_AT]:
        by_words = _similarity(words[row], words[column], score_cutoff=_WORDS / 2)
        by_shape = _similarity(shapes[row], shapes[column])
        if by_words >= _WORDS or by_shape >= _SHAPE:
            pairs.append(SimilarPair(compared[row], compared[column], _rounded(by_words), _rounded(by_shape)))
    pairs.sort(key=lambda pair: (-pair.words, -pair.shape, pair.first, pair.second))
    notes = []
    if len(long) > len(compared):
        notes.append(f"Of {len(long)} students the first {len(compared)} were compared.")
    if len(looked_at) > _MOST_LOOKED_AT:
        notes.append(f"{len(looked_at)} pairs may be much alike; the likeliest {_MOST_LOOKED_AT} were compared.")
    if len(pairs) > _MOST_PAIRS:
        notes.append(f"{len(pairs)} pairs are this much alike; the {_MOST_PAIRS} most alike are listed.")
    usual = _usual(words), _usual(shapes)
    return Similarity(tuple(pairs[:_MOST_PAIRS]), len(compared), *usual, " ".join(notes))


def _unlike(texts: Sequence[str], least: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return how unlike each pair is at least; above 1 it cannot be as similar as asked, at 1 and below it may be.

    Each insertion or deletion takes away or adds at most two pairs of neighbors, so that what two texts have in common
    of those bounds their similarity from above. Counting them is much faster than comparing the texts.
    """
    counts = np.zeros((len(texts), _BUCKETS), dtype=np.int32)
    for row, text in enumerate(texts):
        codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
        np.add.at(counts[row], (codes[:-1] * 31 + codes[1:]) % _BUCKETS, 1)
    lengths = np.array([len(text) for text in texts])
    unlike = np.full((len(texts), len(texts)), np.inf, dtype=np.float32)  # infinite for pairs named before
    for row in range(len(texts) - 1):
        both = lengths[row] + lengths[row + 1 :]
        common = np.minimum(counts[row], counts[row + 1 :]).sum(axis=1)
        # Unlike neighbors: both − 2 − 2 common. Each of the d insertions and deletions explains three at most.
        fewest = (both - 2 - 2 * common) / 3
        unlike[row, row + 1 :] = fewest / ((1 - least) * both)
    return unlike


def _usual(texts: Sequence[str]) -> float:
    """Return the median similarity of pairs spread over the class."""
    every = len(texts)
    pairs = {tuple(sorted((k % every, (k + 1 + k // every) % every))) for k in range(_USUAL_PAIRS)}
    return _rounded(np.median([_similarity(texts[a], texts[b]) for a, b in sorted(pairs) if a != b]))


def _rounded(value: float) -> float:
    return round(float(value), 3)


def _tokens(code: str) -> Iterable[tuple[str, str]]:
    """Yield each token as it is written, and without the name that it may be."""
    for number, found in enumerate(_TOKEN.finditer(code)):
        if number > 4 * _MOST_TOKENS:
            return
        kind = found.lastgroup
        if kind is None:
            continue
        word = found[0]
        named = kind == "name" and not keyword.iskeyword(word)
        yield word, "name" if named else "text" if kind == "text" else word


def _as_texts(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return each list with a character for each token, which compares faster; the commonest get the lowest."""
    common = Counter(token for each in lists for token in each[:_MOST_TOKENS])
    # The places of surrogates, which are no characters, are left out; what is beyond the last one shares it.
    places = (number if number < 0xD800 else min(number + 0x800, 0x10FFFF) for number in count())
    letters = {token: chr(place) for (token, _), place in zip(common.most_common(), places, strict=False)}
    return ["".join(letters[token] for token in each[:_MOST_TOKENS]) for each in lists]
