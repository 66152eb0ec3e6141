"""Choosing an algorithm for a case, and computing with it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cnnlab.geometry import ConvGeometry, ConvTransposeGeometry
from cnnlab.kernels import rules, workers
from cnnlab.kernels.algorithm import Algorithm, algorithms
from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.borders import fold_by_mode, pad_by_mode
from cnnlab.kernels.case import NAMES, Case
from cnnlab.kernels.elementwise import sum_maps
from cnnlab.kernels.passes import Layer, correlate, correlate_weights
from cnnlab.kernels.passes_back import correlate_back
from cnnlab.kernels.settings import READABLE, compiled_allowed, forced, winograd_allowed
from cnnlab.kernels.threads import one_blas_thread, run_parts, shares_of

LARGE_MAP = 2**18  # places
SIDE_BY_SIDE = 500_000_000  # multiply-adds of a gradient; with fewer, each of two threads computes one with NumPy


@dataclass(frozen=True)
class Choice:
    """An algorithm for a case, and why; None where the gradient to the input is to be had from correlations."""

    algorithm: Algorithm | None
    because: str


def choose(case: Case) -> Choice:
    """Return the algorithm that was asked for if it can compute the case, else that of the first rule that fits."""
    return _choose(case, forced(), (winograd_allowed(), compiled_allowed()), len(rules.RULES))


@lru_cache(maxsize=4096)
def _choose(case: Case, name: str | None, *_: object) -> Choice:
    known = algorithms()
    if name is not None and _fault(known[name], case) is None:
        return Choice(known[name], "asked for")
    for rule in rules.RULES:
        if case.work not in rule.works or not rule.fits(case):
            continue
        if rule.algorithm is None:
            return Choice(None, rule.because)
        if _fault(known[rule.algorithm], case) is None:
            return Choice(known[rule.algorithm], rule.because)
    return Choice(None, "no rule fits")


def _fault(algorithm: Algorithm, case: Case) -> str | None:
    if case.work == "grad_weight" and not algorithm.has_grad_weight:
        return "it has no gradient of the weights"
    if case.work == "grad_input" and not algorithm.has_grad_input:
        return "it has no gradient to the input"
    return algorithm.fault(case)


def fault(algorithm: Algorithm, case: Case) -> str | None:
    """Return why an algorithm cannot compute a case, or None if it can."""
    return _fault(algorithm, case)


def conv_forward(
    x: FloatArray, w: FloatArray, b: FloatArray | None, geometry: ConvGeometry, *, relu: bool = False
) -> FloatArray | None:
    """Return y (N, C_out, *out), or None where the readable op is to compute it.

    Parameters
    ----------
    x : array (N, C_in, *spatial)
        Input.
    w : array (C_out, C_in/groups, *kernel)
        Filters.
    b : array (C_out,) or None
        Biases.
    geometry : ConvGeometry
        The options; arrays and options fit together.
    relu : bool
        Whether to return max(y, 0).

    Raises
    ------
    ValueError
        `use_algorithm` chose an algorithm that cannot compute this layer; it says why, and which can.
    """
    if not applies(geometry, x, w):
        return None
    layer = layer_of(geometry, relu=relu)
    if geometry.padding_mode != "zeros":
        x = pad_by_mode(x, geometry.padding, geometry.padding_mode)
    if forced() is not None:
        check_forced(layer.case(x.shape, w.shape, NAMES[x.dtype.char]))
    return correlate(x, w, b, layer, _algorithm)


def conv_backward(
    dy: FloatArray, x: FloatArray, w: FloatArray, geometry: ConvGeometry
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return (dx, dw, db) for dy (N, C_out, *out), or None where the readable op is to compute them."""
    if not applies(geometry, dy, x, w):
        return None
    if _compiled(dy):  # each of them shares its work among the threads, which costs little
        return grad_input(dy, w, x.shape[2:], geometry), grad_weight(dy, x, w.shape, geometry), grad_bias(dy)
    found: dict[str, FloatArray] = {}

    def to_input() -> None:
        found["dx"] = grad_input(dy, w, x.shape[2:], geometry)

    def to_weights() -> None:
        found["dw"], found["db"] = grad_weight(dy, x, w.shape, geometry), grad_bias(dy)

    both = [to_input, to_weights]
    macs = dy.size * w[0].size
    with one_blas_thread():
        if macs < SIDE_BY_SIDE and shares_of(2 * macs) == len(both):
            run_parts(both)
        else:  # each shares its own work
            to_input()
            to_weights()
    return found["dx"], found["dw"], found["db"]


def conv_backward_parameters(
    dy: FloatArray, x: FloatArray, w: FloatArray, geometry: ConvGeometry
) -> tuple[FloatArray, FloatArray] | None:
    """Return (dw, db) likewise."""
    if not applies(geometry, dy, x, w):
        return None
    with nullcontext() if _compiled(dy) else one_blas_thread():
        return grad_weight(dy, x, w.shape, geometry), grad_bias(dy)


def _compiled(array: FloatArray) -> bool:
    """Return whether most work on such arrays is that of compiled kernels, which need no BLAS."""
    return compiled_allowed() and workers.spin is not None and array.dtype.char == "f"


def conv_transpose_forward(
    x: FloatArray, w: FloatArray, b: FloatArray | None, geometry: ConvTransposeGeometry
) -> FloatArray | None:
    """Return y (N, C_out, *out): what the adjoint convolution does to a gradient; or None likewise."""
    adjoint = geometry.adjoint
    # With output padding of a dilation's width the convolution would have more outputs than this layer has inputs.
    out = geometry.output_size(x.shape[2:])
    if not applies(adjoint, x, w) or adjoint.output_size(out) != x.shape[2:]:
        return None
    y = grad_input(x, w, out, adjoint)
    if b is not None:
        y += b.reshape(-1, *[1] * adjoint.rank)
    return y


def conv_transpose_backward(
    dy: FloatArray, x: FloatArray, w: FloatArray, geometry: ConvTransposeGeometry
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return (dx, dw, db): the adjoint convolution of dy, and the gradient of its weights; or None likewise."""
    adjoint = geometry.adjoint
    if not applies(adjoint, dy, x, w) or adjoint.output_size(dy.shape[2:]) != x.shape[2:]:
        return None
    dx = correlate(dy, w, None, layer_of(adjoint), _algorithm)
    return dx, grad_weight(x, dy, w.shape, adjoint), grad_bias(dy)


def grad_input(dy: FloatArray, w: FloatArray, spatial: Ints, geometry: ConvGeometry) -> FloatArray:
    """Return dx (N, C_in, *spatial) for dy (N, C_out, *out)."""
    layer = layer_of(geometry)
    if geometry.padding_mode == "zeros":
        return correlate_back(dy, w, tuple(spatial), layer, _algorithm)
    padded = tuple(n + sum(added) for n, added in zip(spatial, geometry.padding, strict=True))
    dx = correlate_back(dy, w, padded, layer, _algorithm)
    return fold_by_mode(dx, geometry.padding, geometry.padding_mode)


def grad_weight(dy: FloatArray, x: FloatArray, w_shape: Ints, geometry: ConvGeometry) -> FloatArray:
    """Return dw (C_out, C_in/groups, *kernel) for dy (N, C_out, *out) and x (N, C_in, *spatial)."""
    if geometry.padding_mode != "zeros":
        x = pad_by_mode(x, geometry.padding, geometry.padding_mode)
    return correlate_weights(dy, x, tuple(w_shape), layer_of(geometry), _algorithm)


def grad_bias(dy: FloatArray) -> FloatArray:
    """Return db (C_out,): each map is summed, of large ones pairs of sums at a time, which is more exact."""
    N, C = dy.shape[:2]
    maps = dy.reshape(N * C, -1)
    sums = sum_maps(maps) if maps.shape[1] <= LARGE_MAP else maps.sum(axis=1)
    return np.asarray(np.add.reduce(sums.reshape(N, C), axis=0))


@lru_cache(maxsize=1024)
def layer_of(geometry: ConvGeometry, *, relu: bool = False) -> Layer:
    """Return the options of the correlation; only zeros are padded there, chunk by chunk."""
    pads = geometry.padding if geometry.padding_mode == "zeros" else ((0, 0),) * geometry.rank
    return Layer(geometry.stride, geometry.dilation, geometry.groups, pads, relu)


def applies(geometry: ConvGeometry, *arrays: object) -> bool:
    """Return whether the kernels are to compute with these: NumPy's float32 and float64, and work worth a plan."""
    largest = 0
    for array in arrays:
        if type(array) is not np.ndarray or not array.size:
            return False
        dtype = array.dtype
        if dtype.char not in NAMES or not dtype.isnative:
            return False
        largest = max(largest, array.size)
    # The readable op takes a step in Python for each tap, and one multiply-add for each number that the tap sees.
    name = forced()
    return largest * geometry.tap_count() >= rules.TAPS_MACS if name is None else name != READABLE


def check_forced(case: Case) -> None:
    """Raise ValueError if the algorithm that was asked for cannot compute the case."""
    name = forced()
    if name is None:
        return
    known = algorithms()
    because = _fault(known[name], case)
    if because is not None:
        able = [other for other, algorithm in known.items() if _fault(algorithm, case) is None]
        raise ValueError(
            f"{name} cannot compute this layer: {because}. These can: {', '.join([*able, READABLE])}; "
            'or let the planner choose, cnnlab.use_algorithm("auto")'
        )


def _algorithm(case: Case) -> Algorithm | None:
    return choose(case).algorithm
