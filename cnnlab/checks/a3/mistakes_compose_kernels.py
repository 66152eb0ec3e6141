"""What goes wrong when two kernels become one, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cnnlab.checks.assembled import mistakes_from

Array = np.ndarray[Any, Any]
Taps = Iterator[tuple[tuple[int, ...], tuple[int, ...]]]


def _same(value: Any) -> Any:
    return value


def _first_kernel_inside(k1: Array, k2: Array) -> Taps:
    """Yield all pairs of a tap u of the first kernel and a tap v of the second; u changes fastest."""
    for v in np.ndindex(*k2.shape[2:]):
        for u in np.ndindex(*k1.shape[2:]):
            yield u, v


def _second_kernel_inside(k1: Array, k2: Array) -> Taps:
    for u in np.ndindex(*k1.shape[2:]):
        for v in np.ndindex(*k2.shape[2:]):
            yield u, v


def _through_the_middle(at1: Array, at2: Array) -> Array:
    """Return the sum over the middle channels of one tap of each, (C_mid, C_in) and (C_out, C_mid)."""
    return np.asarray(at2 @ at1)


def _last_middle(at1: Array, at2: Array) -> Array:
    return np.asarray(np.multiply.outer(at2[:, -1], at1[-1]))


def _first_middle(at1: Array, at2: Array) -> Array:
    return np.asarray(np.multiply.outer(at2[:, 0], at1[0]))


def _mean_of_middle(at1: Array, at2: Array) -> Array:
    return np.asarray(at2 @ at1 / at1.dtype.type(len(at1)))


def _each_middle(at1: Array, at2: Array) -> Array:
    return np.asarray(at2[:, :, None] * at1[None])  # (C_out, C_mid, C_in)


def _full(size1: int, size2: int) -> int:
    return size1 + size2 - 1


def assemble_kernels(
    *,
    first: Callable[[Array], Array] = _same,
    second: Callable[[Array], Array] = _same,
    taps: Callable[[Array, Array], Taps] = _first_kernel_inside,
    middle: Callable[[Array, Array], Array] = _through_the_middle,
    place: Callable[[int, int, int], int] = lambda u, v, full: u + v,
    overwrite: bool = False,
    size: Callable[[int, int], int] = _full,
    start: Callable[[int, int], int] = lambda size1, size2: 0,
    then: Callable[[Array], Any] = _same,
) -> Callable[[Array, Array], Any]:
    """Return a `compose_kernels` with other parts.

    Parameters
    ----------
    first, second
        What is done to each kernel first.
    taps
        The order in which pairs of taps are taken.
    middle
        From one tap of each kernel to what is added.
    place
        Where two taps end along one axis, from their numbers and the size of the whole kernel.
    overwrite
        Write, where it should be added.
    size, start
        How much of the whole kernel is returned, and from where on, along one axis; from the sizes of both kernels.
        What is not there is zero.
    then
        What is done to the answer.
    """

    def compose_kernels(k1: Array, k2: Array) -> Any:
        k1, k2 = first(k1), second(k2)
        one = middle(k1[:, :, 0, 0], k2[:, :, 0, 0])
        sizes = list(zip(k1.shape[2:], k2.shape[2:], strict=True))
        room = [size1 + size2 for size1, size2 in sizes]  # one more than there are taps: zeros
        w = np.zeros((*one.shape, *room), dtype=k1.dtype)
        for u, v in taps(k1, k2):
            i, j = (place(a, b, _full(*pair)) for a, b, pair in zip(u, v, sizes, strict=True))
            share = middle(k1[:, :, u[0], u[1]], k2[:, :, v[0], v[1]])
            w[..., i, j] = share if overwrite else w[..., i, j] + share
        rows, columns = (slice(start(*pair), start(*pair) + size(*pair)) for pair in sizes)
        return then(w[..., rows, columns])

    return compose_kernels


def _weighted_by_all_taps(b1: Array, k2: Array) -> Array:
    return np.asarray(k2.sum(axis=(2, 3)) @ b1)


def _lost(b1: Array, k2: Array) -> Any:
    return k2.dtype.type(0)


def _unweighted(b1: Array, k2: Array) -> Array:
    return b1


def _by_one_tap(b1: Array, k2: Array) -> Array:
    return np.asarray(k2[:, :, 0, 0] @ b1)


def _by_middle_tap(b1: Array, k2: Array) -> Array:
    return np.asarray(k2[:, :, k2.shape[2] // 2, k2.shape[3] // 2] @ b1)


def _by_mean_of_taps(b1: Array, k2: Array) -> Array:
    return np.asarray(k2.mean(axis=(2, 3)) @ b1)


def _by_sum_of_each(b1: Array, k2: Array) -> Array:
    return np.asarray(k2.sum(axis=(1, 2, 3)) * b1.sum())


def _by_exchanged(b1: Array, k2: Array) -> Array:
    return np.asarray(b1 @ k2.sum(axis=(2, 3)))


def _once_a_tap(b1: Array, k2: Array) -> Any:
    return b1 * k2.dtype.type(k2.shape[2] * k2.shape[3])


def _sum_unweighted(b1: Array, k2: Array) -> Any:
    return b1.sum()


def _weight_without_bias(b1: Array, k2: Array) -> Array:
    return np.asarray(k2.sum(axis=(1, 2, 3)))


def assemble_biases(
    *, arriving: Callable[[Array, Array], Any] = _weighted_by_all_taps, own: Callable[[Array], Any] = _same
) -> Callable[[Array, Array, Array], Any]:
    """Return a `compose_biases` with other parts.

    Parameters
    ----------
    arriving
        What arrives of the first layer's biases, from them and the second kernel.
    own
        What is done to the second layer's biases.
    """

    def compose_biases(b1: Array, k2: Array, b2: Array) -> Any:
        return arriving(b1, k2) + own(b2)

    return compose_biases


_kernels = mistakes_from(assemble_kernels)
_biases = mistakes_from(assemble_biases, of="compose_biases")

_CORRELATED = (
    "The kernels are correlated, not convolved",
    (
        "Tap u of k1 after tap v of k2 ends at u + v; here one of the kernels is turned, so it ends elsewhere.",
        "Look at the index that you write to, or whether one kernel slides over the other without a turn.",
        "w[:, :, u[0] + v[0], u[1] + v[1]] += k2[:, :, v[0], v[1]] @ k1[:, :, u[0], u[1]].",
    ),
)
_HALF = (
    "One kernel is turned along one axis",
    (
        "Along one axis taps end where they should; along the other a kernel lies in a mirror.",
        "Look for ::-1 or flip: if you slide one kernel over the other, one of them is turned along both axes.",
        "w[:, :, u[0] + v[0], u[1] + v[1]] += k2[:, :, v[0], v[1]] @ k1[:, :, u[0], u[1]].",
    ),
)
_SAME_SIZE = (
    "The result keeps the size of one of the two kernels",
    (
        "Two layers together look at a larger window than each of them; its outer taps are missing.",
        "Look at the size of the result: draw one output, the window of k2, and the window of k1 at each of its ends.",
        "The result has K_H + L_H - 1 rows and K_W + L_W - 1 columns.",
    ),
)
_OVERLAP = (
    "Only the places where one kernel lies inside the other are kept",
    (
        "Two layers together look at a larger window than each of them; here only its middle is left.",
        "Did you slide one kernel over the other without zeros around? Each overlap counts, also of a single tap.",
        "Pad with L - 1 zeros at each side first: the result has K_H + L_H - 1 rows and K_W + L_W - 1 columns.",
    ),
)
_ONE_TOO_MANY = (
    "The result has one row and one column too many",
    (
        "The last row and column are zeros: no pair of taps ends there.",
        "The largest index is (K_H - 1) + (L_H - 1). How many indices are that, from 0 on?",
        "The result has K_H + L_H - 1 rows and K_W + L_W - 1 columns.",
    ),
)
_CHANNELS = (
    "The channels are multiplied in the wrong order",
    (
        "A path runs from channel c by k1[m, c] to m in the middle, and from there by k2[o, m] to o.",
        "Look at the matrix product, or the letters of einsum: is the axis in the middle the one that both share?",
        "k2[:, :, v[0], v[1]] @ k1[:, :, u[0], u[1]], of shapes (C_out, C_mid) and (C_mid, C_in).",
    ),
)
_MIDDLE_NOT_SUMMED = (
    "The channels in the middle are not all added up",
    (
        "From channel c to filter o there is a path through each of the channels in the middle; all of them count.",
        "Look at how the axis C_mid goes: by a sum, or by an index, or by = in a loop?",
        "k2[:, :, v[0], v[1]] @ k1[:, :, u[0], u[1]] sums over it.",
    ),
)
_MIDDLE_MEAN = (
    "A mean over the channels in the middle is taken in place of the sum",
    (
        "The result is too small by the number of channels in the middle.",
        "Look for mean, or for a division.",
        "All paths add up; nothing is divided.",
    ),
)
_OVERWRITTEN = (
    "Taps are overwritten where they should be added to",
    (
        "Several pairs of taps end at the same place; here one of them is left.",
        "Look for = where the result gets its values.",
        "Start with zeros, then += for each pair of taps.",
    ),
)
_DROPPED = (
    "The biases of the first layer are lost",
    (
        "b1 is added to what the second layer reads, so something of it arrives at the end.",
        "What does the second layer give for a picture that is b1[m] everywhere in channel m?",
        "b = b2 + k2.sum(axis=(2, 3)) @ b1.",
    ),
)
_UNWEIGHTED = (
    "The biases of the first layer are added without weights",
    (
        "b1 passes through the second layer, which multiplies it by its weights.",
        "What does the second layer give for a picture that is b1[m] everywhere in channel m?",
        "b = b2 + k2.sum(axis=(2, 3)) @ b1.",
    ),
)
_ONE_TAP = (
    "The biases of the first layer come in through one tap only",
    (
        "Each tap of k2 reads a number to which b1 was added, not just the first or the middle one.",
        "Look at k2 where it meets b1: is there an index where a sum should be?",
        "b = b2 + k2.sum(axis=(2, 3)) @ b1.",
    ),
)
_BIAS_CHANNELS = (
    "The biases of the first layer meet the wrong weights",
    (
        "b1[m] goes with the weights k2[o, m] only: the ones that read channel m.",
        "Look at how the sum over the channels is done: over products, or over each factor by itself?",
        "b = b2 + k2.sum(axis=(2, 3)) @ b1.",
    ),
)

MISTAKES = (
    _kernels("second_turned", *_CORRELATED, second=lambda k: k[:, :, ::-1, ::-1]),
    _kernels("first_turned", *_CORRELATED, first=lambda k: k[:, :, ::-1, ::-1]),
    _kernels("difference", *_CORRELATED, place=lambda u, v, full: (u - v) % full),
    _kernels("other_difference", *_CORRELATED, place=lambda u, v, full: (v - u) % full),
    _kernels("second_rows_turned", *_HALF, second=lambda k: k[:, :, ::-1]),
    _kernels("second_columns_turned", *_HALF, second=lambda k: k[..., ::-1]),
    _kernels("first_rows_turned", *_HALF, first=lambda k: k[:, :, ::-1]),
    _kernels("first_columns_turned", *_HALF, first=lambda k: k[..., ::-1]),
    _kernels(
        "result_turned",
        "The result is turned by 180°",
        (
            "The numbers are right, but the first stands last: a layer would need the kernel the other way round.",
            "Look for ::-1 or flip. The two kernels are convolved, but the result is used as it is, without a turn.",
            "w[:, :, u[0] + v[0], u[1] + v[1]] += k2[:, :, v[0], v[1]] @ k1[:, :, u[0], u[1]].",
        ),
        then=lambda w: w[..., ::-1, ::-1],
    ),
    _kernels("size_of_first", *_SAME_SIZE, size=lambda size1, size2: size1),
    _kernels("size_of_second", *_SAME_SIZE, size=lambda size1, size2: size2),
    _kernels(
        "center_like_first",
        *_SAME_SIZE,
        size=lambda size1, size2: size1,
        start=lambda size1, size2: (size2 - 1) // 2,
    ),
    _kernels(
        "center_like_second",
        *_SAME_SIZE,
        size=lambda size1, size2: size2,
        start=lambda size1, size2: (size1 - 1) // 2,
    ),
    _kernels("size_of_larger", *_SAME_SIZE, size=max, start=lambda size1, size2: (min(size1, size2) - 1) // 2),
    _kernels(
        "overlap_only",
        *_OVERLAP,
        size=lambda size1, size2: abs(size1 - size2) + 1,
        start=lambda size1, size2: min(size1, size2) - 1,
    ),
    _kernels("one_too_many", *_ONE_TOO_MANY, size=lambda size1, size2: size1 + size2),
    _kernels("first_times_second", *_CHANNELS, middle=lambda at1, at2: at1 @ at2),
    _kernels("second_exchanged", *_CHANNELS, middle=lambda at1, at2: at2.T @ at1),
    _kernels("first_exchanged", *_CHANNELS, middle=lambda at1, at2: at2 @ at1.T),
    _kernels("both_exchanged", *_CHANNELS, middle=lambda at1, at2: at2.T @ at1.T),
    _kernels(
        "result_exchanged",
        "The first two axes of the result are exchanged",
        (
            "The numbers are right, but channels stand before filters.",
            "Look at the shape that you begin with, and at the order of the axes of what you add.",
            "The result has the shape (C_out, C_in, rows, columns), as every kernel.",
        ),
        then=lambda w: w.swapaxes(0, 1),
    ),
    _kernels("last_middle", *_MIDDLE_NOT_SUMMED, middle=_last_middle),
    _kernels("first_middle", *_MIDDLE_NOT_SUMMED, middle=_first_middle),
    _kernels("each_middle", *_MIDDLE_NOT_SUMMED, middle=_each_middle),
    _kernels("mean_of_middle", *_MIDDLE_MEAN, middle=_mean_of_middle),
    _kernels("last_of_second", *_OVERWRITTEN, overwrite=True),
    _kernels("last_of_first", *_OVERWRITTEN, overwrite=True, taps=_second_kernel_inside),
    _kernels("last_of_second_and_middle", *_OVERWRITTEN, overwrite=True, middle=_last_middle),
    _kernels(
        "last_of_first_and_middle", *_OVERWRITTEN, overwrite=True, taps=_second_kernel_inside, middle=_last_middle
    ),
    _biases("first_bias_lost", *_DROPPED, arriving=_lost),
    _biases(
        "second_bias_lost",
        "The biases of the second layer are lost",
        (
            "The second layer adds b2 to each of its outputs; it must arrive unchanged.",
            "Look for b2 in your function.",
            "b = b2 + k2.sum(axis=(2, 3)) @ b1.",
        ),
        own=np.zeros_like,
    ),
    _biases("bias_unweighted", *_UNWEIGHTED, arriving=_unweighted),
    _biases("bias_once_a_tap", *_UNWEIGHTED, arriving=_once_a_tap),
    _biases("bias_sum_unweighted", *_UNWEIGHTED, arriving=_sum_unweighted),
    _biases("bias_by_first_tap", *_ONE_TAP, arriving=_by_one_tap),
    _biases("bias_by_middle_tap", *_ONE_TAP, arriving=_by_middle_tap),
    _biases(
        "bias_by_mean",
        "A mean over the taps is taken in place of the sum",
        (
            "What arrives of b1 is too small by the number of taps in k2.",
            "Look for mean, or for a division.",
            "b = b2 + k2.sum(axis=(2, 3)) @ b1.",
        ),
        arriving=_by_mean_of_taps,
    ),
    _biases("bias_sums_apart", *_BIAS_CHANNELS, arriving=_by_sum_of_each),
    _biases("bias_exchanged", *_BIAS_CHANNELS, arriving=_by_exchanged),
    _biases(
        "bias_without_first",
        "The weights are added up without the biases",
        (
            "The weights of k2 are in the answer, but b1 is not.",
            "Look for b1 in your function.",
            "b = b2 + k2.sum(axis=(2, 3)) @ b1.",
        ),
        arriving=_weight_without_bias,
    ),
)
