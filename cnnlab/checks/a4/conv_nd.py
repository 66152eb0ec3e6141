"""Exercise 13, other convolutions: 1×1, groups, dilation, padding modes, one to three axes (rows D44, D45, D48–D50)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.inputs import numbers
from cnnlab.checks.a4.convolving_nd import assemble
from cnnlab.checks.a4.mistakes_conv_nd import MISTAKES
from cnnlab.checks.model import Case, Check, Exercise, Function

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]
MODES = ("zeros", "reflect", "replicate", "circular")


def conv_nd(  # noqa: PLR0917  the student's signature
    x: Array, w: Array, b: Array, stride: Ints, padding: Ints, dilation: Ints, groups: int, padding_mode: str
) -> Array:
    """Return the convolution of a batch, with one, two or three spatial axes.

    Parameters
    ----------
    x
        Shape (N, C_in, *spatial).
    w
        Filters, shape (C_out, C_in / groups, *kernel).
    b
        Biases, shape (C_out,).
    stride, padding, dilation
        One number a spatial axis; less padding than there are cells.
    groups
        Divides C_in and C_out.
    padding_mode
        "zeros", "reflect", "replicate" or "circular".

    Returns
    -------
    numpy.ndarray
        Shape (N, C_out, *positions). Source: rows D44, D45, D48–D50.
    """
    padded = x
    for axis, P in enumerate(padding, start=2):
        padded = _padded(padded, axis, P, padding_mode)
    C_out, C, *kernel = w.shape
    reach = [D * (K - 1) + 1 for K, D in zip(kernel, dilation, strict=True)]
    out = [(n - r) // S + 1 for n, r, S in zip(padded.shape[2:], reach, stride, strict=True)]
    y = np.zeros((len(x), C_out, *out), dtype=x.dtype)
    for j in range(C_out):
        first = j // (C_out // groups) * C  # the first channel of this filter's group
        for position in np.ndindex(*out):
            starts = [p * S for p, S in zip(position, stride, strict=True)]
            places = [slice(at, at + r, D) for at, r, D in zip(starts, reach, dilation, strict=True)]
            window = padded[(slice(None), slice(first, first + C), *places)]  # (N, C, *kernel)
            y[(slice(None), j, *position)] = (window * w[j]).sum(axis=tuple(range(1, window.ndim))) + b[j]
    return y


def _padded(x: Array, axis: int, P: int, mode: str) -> Array:
    n = x.shape[axis]
    cells = []
    for i in range(-P, n + P):
        inside = {"zeros": i, "reflect": _mirrored(i, n), "replicate": min(max(i, 0), n - 1), "circular": i % n}[mode]
        known = 0 <= inside < n
        cells.append(np.take(x, inside, axis) if known else np.zeros_like(np.take(x, 0, axis)))
    return np.stack(cells, axis)


def _mirrored(i: int, n: int) -> int:
    """Mirror at the middle of the first and of the last cell."""
    return -i if i < 0 else 2 * (n - 1) - i if i >= n else i


def _case(
    rng: np.random.Generator,
    N: int,
    channels: tuple[int, int],
    kernel: Ints,
    out: Ints,
    *,
    stride: Ints | None = None,
    rest: Ints | None = None,
    padding: Ints | None = None,
    dilation: Ints | None = None,
    groups: int = 1,
    mode: str = "zeros",
    dtype: Any = np.float64,
) -> Case:
    """Make a case from the size of its answer; `rest` is what is left over behind the last window."""
    C_in, C_out = channels
    ones, none = (1,) * len(kernel), (0,) * len(kernel)
    S, R, P, D = stride or ones, rest or none, padding or none, dilation or ones
    spatial = [
        (o - 1) * s + d * (k - 1) + 1 + r - 2 * p for o, s, d, k, r, p in zip(out, S, D, kernel, R, P, strict=True)
    ]
    x = numbers(rng, (N, C_in, *spatial), dtype)
    w = numbers(rng, (C_out, C_in // groups, *kernel), dtype)
    return _named(x, w, _biases(rng, C_out, dtype), S, P, D, groups, mode)


def _biases(rng: np.random.Generator, count: int, dtype: Any) -> Array:
    """Return numbers far from zero and from each other: a bias that is left out or exchanged must show."""
    return np.asarray((np.arange(count) + 1 + np.round(rng.random(count) / 2, 2)).astype(dtype))


def _named(x: Array, w: Array, b: Array, *options: Any) -> Case:
    S, P, D, groups, mode = options
    sizes = f"x {_times(x.shape)}, w {_times(w.shape)}"
    tuples = {"stride": S, "padding": P, "dilation": D}
    told = [f"{name} {value}" for name, value in tuples.items() if set(value) != {int(name != "padding")}]
    told += [f"groups {groups}"] * (groups > 1) + [mode] * (any(P) and mode != "zeros")
    return Case(", ".join((sizes, *told)), (x, w, b, *options))


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _example(rng: np.random.Generator) -> list[Case]:
    x = np.array([[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])
    one, two = np.array([[[1.0, 10.0]]]), np.array([[[1.0, 10.0]], [[1.0, -1.0]]])
    b = np.array([0.5, 0.0])
    return [
        _named(x[:, :1], one, b[:1], (1,), (0,), (2,), 1, "zeros"),
        _named(x[:, :1], one, b[:1], (1,), (1,), (2,), 1, "reflect"),
        _named(x, two, b, (1,), (0,), (2,), 2, "zeros"),
    ]


# The option of each check stands alone there: who has not written it yet, or wrote it wrong, keeps the other points.


def _axes(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, 1, (3, 2), (1, 1), (2, 3)),
        _case(rng, 2, (2, 3), (3,), (4,)),
        _case(rng, 2, (2, 1), (2, 1, 3), (2, 3, 1)),
        _case(rng, 1, (1, 2), (1, 2, 2), (1, 2, 3), stride=(1, 2, 1)),
    ]


def _plain(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, 2, (2, 3), (3, 2), (3, 4), stride=(2, 1), rest=(1, 0)),
        _case(rng, 2, (3, 2), (2, 3), (4, 5), padding=(0, 2)),
        _case(rng, 2, (1, 2), (3, 2), (3, 2), stride=(2, 3), rest=(1, 2), padding=(2, 1)),
    ]


def _groups(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, 2, (2, 2), (2, 1), (2, 2), groups=2),
        _case(rng, 2, (4, 6), (2, 3), (2, 2), groups=2),
        _case(rng, 2, (3, 6), (1, 2), (3, 2), groups=3),
    ]


def _dilation(rng: np.random.Generator) -> list[Case]:
    return [
        _case(rng, 2, (2, 2), (3, 2), (3, 4), dilation=(2, 3)),
        _case(rng, 2, (1, 2), (2, 3), (6, 4), dilation=(1, 2), padding=(2, 1)),
        _case(rng, 2, (2, 2), (2, 2), (4, 3), dilation=(3, 2), stride=(2, 1), rest=(1, 0)),
    ]


def _modes(rng: np.random.Generator, *modes: str) -> list[Case]:
    # The last case sees each cell of the padding, corners too, one by one.
    H, W, K = (int(n) for n in rng.integers((0, 0, 0), (2, 3, 2)))
    return [
        case
        for mode in modes
        for case in (
            _case(rng, 2, (1, 2), (2, 3), (6 + H, 8 + W), padding=(2, 3), mode=mode),
            _case(rng, 2, (1, 2), (3, 2 + K), (3 + H, 6 + W), padding=(0, 2), mode=mode),
            _case(rng, 2, (1, 2), (1, 1), (7 + H, 6 + W), padding=(2, 1), mode=mode),
        )
    ]


def _visible_modes(rng: np.random.Generator) -> list[Case]:
    return [
        case
        for mode in MODES[1:]
        for case in (
            _case(rng, 2, (1, 2), (2, 1), (6, 7), padding=(2, 1), mode=mode),
            _case(rng, 2, (1, 2), (1, 3), (4, 6), padding=(0, 2), mode=mode),
        )
    ]


# What a wrong answer earns must not hang on the seed: the seed draws numbers and a few sizes, nothing else.


def _hidden_pointwise(rng: np.random.Generator) -> list[Case]:
    C, H, W = (int(n) for n in rng.integers((4, 2, 4), (6, 4, 7)))
    return [
        _case(rng, 1, (C, 3), (1, 1), (H, W)),
        _case(rng, 3, (2, C), (1, 1), (W, H)),
        _case(rng, 2, (C, 2), (1, 1), (H, 3), stride=(2, 3), rest=(1, 2)),
        _case(rng, 1, (2, 1), (1,), (W,)),
    ]


def _hidden_axes(rng: np.random.Generator) -> list[Case]:
    T, D = (int(n) for n in rng.integers((5, 3), (8, 5)))
    return [
        _case(rng, 2, (3, 2), (4,), (T,), stride=(2,), rest=(1,), padding=(2,)),
        _case(rng, 1, (2, 3), (2,), (T,)),
        _case(rng, 2, (2, 3), (2, 3, 2), (D, 2, 3), stride=(1, 2, 1), padding=(1, 0, 1)),
        _case(rng, 1, (3, 1), (3, 1, 2), (1, D, 2)),
    ]


def _hidden_plain(rng: np.random.Generator) -> list[Case]:
    H, W = (int(n) for n in rng.integers((2, 4), (4, 6)))
    return [
        _case(rng, 3, (3, 2), (2, 4), (H, W), stride=(1, 2), rest=(0, 1)),
        _case(rng, 2, (2, 4), (4, 3), (H + 3, W + 1), padding=(1, 2)),
        _case(rng, 2, (2, 3), (3, 1), (H + 1, W), stride=(3, 2), rest=(2, 1), padding=(2, 1)),
    ]


def _hidden_groups(rng: np.random.Generator) -> list[Case]:
    H, W = (int(n) for n in rng.integers((2, 4), (4, 6)))
    return [
        _case(rng, 2, (6, 4), (2, 1), (H, W), groups=2),
        _case(rng, 2, (4, 4), (1, 2), (2, 3), groups=4),
        _case(rng, 2, (3, 6), (2, 3), (W, H), groups=3),
        _case(rng, 2, (6, 9), (1, 1), (H, 2), groups=3),
    ]


def _hidden_dilation(rng: np.random.Generator) -> list[Case]:
    H, W = (int(n) for n in rng.integers((4, 5), (6, 8)))
    return [
        _case(rng, 2, (1, 2), (2, 3), (H, W), dilation=(3, 2)),
        _case(rng, 2, (2, 3), (3, 2), (H, W), dilation=(2, 4), padding=(1, 2)),
        _case(rng, 2, (1, 2), (3, 3), (H, 3), dilation=(1, 2), stride=(1, 2), rest=(0, 1)),
    ]


def _hidden_together(rng: np.random.Generator) -> list[Case]:
    T, H = (int(n) for n in rng.integers((5, 4), (8, 6)))
    volume: dict[str, Any] = {"stride": (1, 2, 1), "rest": (0, 1, 0), "padding": (1, 2, 2), "dilation": (1, 2, 3)}
    return [
        _case(rng, 2, (4, 2), (3,), (T,), stride=(2,), padding=(3,), dilation=(2,), groups=2, mode="circular"),
        _case(rng, 2, (2, 4), (2, 2, 2), (4, 4, 5), groups=2, mode="reflect", **volume),
        _case(rng, 2, (3, 3), (2, 3), (H, 6), padding=(1, 2), dilation=(2, 1), groups=3, mode="replicate"),
        _case(rng, 2, (4, 6), (3, 2), (H, 4), padding=(1, 2), stride=(1, 2), groups=2, dtype=np.float32),
    ]


_visible = partial(Check, points=0.5, hidden=False)
_hidden = partial(Check, points=0.5, hidden=True)

CONV_ND = Exercise(
    id="a4.conv_nd",
    title="Other convolutions",
    functions=(
        Function(
            "conv_nd",
            ("x", "w", "b", "stride", "padding", "dilation", "groups", "padding_mode"),
            conv_nd,
            assemble=assemble,
        ),
    ),
    points=7,
    checks=(
        _visible("The example above", cases=_example),
        _visible("Kernels of size 1; one, two and three axes", cases=_axes),
        _visible("Two axes: stride, and padding with zeros", cases=_plain),
        _visible("Two axes: groups", cases=_groups),
        _visible("Two axes: dilation", cases=_dilation),
        _visible("Two axes: reflect, replicate and circular", cases=_visible_modes),
        _hidden("Kernels of size 1, other sizes", cases=_hidden_pointwise),
        _hidden("One and three axes, other sizes", cases=_hidden_axes),
        _hidden("Two axes: stride and padding, other sizes", cases=_hidden_plain),
        _hidden("Two axes: groups, down to one channel each", cases=_hidden_groups),
        _hidden("Two axes: dilation, other sizes", cases=_hidden_dilation),
        _hidden("Two axes: reflect and replicate, other sizes", cases=lambda rng: _modes(rng, "reflect", "replicate")),
        _hidden("Two axes: circular, other sizes", cases=lambda rng: _modes(rng, "circular")),
        _hidden("All options at once", cases=_hidden_together),
    ),
    mistakes=MISTAKES,
)
