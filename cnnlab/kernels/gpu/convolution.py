"""The passes of a convolution of CuPy arrays: which algorithm, and what it is given.

None is returned where the readable op is to compute: for other modes of padding than zeros, more than three spatial
axes, and maps too large for 32-bit counts. Nothing here waits for the GPU or copies from it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cnnlab.geometry import ConvGeometry, ConvTransposeGeometry
from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case, Work
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.algorithm import OnGPU, known
from cnnlab.kernels.gpu.elementwise import add_bias
from cnnlab.kernels.gpu.product import allows_tf32, column_sums
from cnnlab.kernels.gpu.rules import RULES
from cnnlab.kernels.gpu.settings import benchmarks, deterministic
from cnnlab.kernels.passes import Layer
from cnnlab.kernels.planner import Choice, layer_of
from cnnlab.kernels.settings import READABLE, forced


def choose(case: Case) -> Choice:
    """Return the algorithm that was asked for if it can compute the case, else that of the first rule that fits.

    Raises
    ------
    ValueError
        `use_algorithm` chose one that is not for a GPU, or that cannot compute the forward pass.
    """
    name = forced()
    if name is not None:
        because = known[name].refusal(case) if name in known else "it is for NumPy arrays, and these are on a GPU"
        if because is None:
            return Choice(known[name], "asked for")
        if name not in known or case.work == "forward":
            able = [other for other, one in known.items() if one.refusal(case) is None]
            raise ValueError(
                f"{name} cannot compute this layer: {because}. These can: {', '.join([*able, READABLE])}; "
                'or let the planner choose, cnnlab.use_algorithm("auto")'
            )
    for rule in RULES:
        if rule.algorithm in known and case.work in rule.works and rule.fits(case):
            algorithm = known[rule.algorithm]
            if algorithm.refusal(case) is None:
                return Choice(algorithm, rule.because)
    return Choice(None, "no rule fits")


def conv_forward(x: Any, w: Any, b: Any, geometry: ConvGeometry, *, relu: bool = False) -> Any:
    """Return y (N, C_out, *out) as `cnnlab.kernels.planner.conv_forward` does, with a ReLU max(y, 0), or None."""
    if not _applies(geometry, x, w):
        return None
    layer, case, algorithm = _chosen(geometry, x.shape, w.shape, x.dtype.char, "forward", settings(), relu=relu)
    if algorithm is None:
        return None
    b = b if b is None else device.contiguous(b)
    return algorithm.correlate(device.contiguous(x), device.contiguous(w), b, layer, case)


def conv_backward(dy: Any, x: Any, w: Any, geometry: ConvGeometry) -> tuple[Any, Any, Any] | None:
    """Return (dx, dw, db) likewise."""
    if not _applies(geometry, dy, x, w):
        return None
    dx, dw = _grad_input(dy, w, x.shape, geometry), _grad_weight(dy, x, w.shape, geometry)
    return None if dx is None or dw is None else (dx, dw, column_sums(dy))


def conv_backward_parameters(dy: Any, x: Any, w: Any, geometry: ConvGeometry) -> tuple[Any, Any] | None:
    """Return (dw, db) likewise."""
    if not _applies(geometry, dy, x, w):
        return None
    dw = _grad_weight(dy, x, w.shape, geometry)
    return None if dw is None else (dw, column_sums(dy))


def conv_transpose_forward(x: Any, w: Any, b: Any, geometry: ConvTransposeGeometry) -> Any:
    """Return y (N, C_out, *out): what the adjoint convolution does to a gradient; or None."""
    adjoint, out = geometry.adjoint, geometry.output_size(x.shape[2:])
    if not _applies(adjoint, x, w) or adjoint.output_size(out) != x.shape[2:]:
        return None
    y = _grad_input(x, w, (len(x), w.shape[1] * adjoint.groups, *out), adjoint)
    return y if y is None or b is None else add_bias(y, device.contiguous(b), relu=False)


def conv_transpose_backward(dy: Any, x: Any, w: Any, geometry: ConvTransposeGeometry) -> tuple[Any, Any, Any] | None:
    """Return (dx, dw, db) likewise."""
    adjoint = geometry.adjoint
    if not _applies(adjoint, dy, x, w) or adjoint.output_size(dy.shape[2:]) != x.shape[2:]:
        return None
    dx, dw = conv_forward(dy, w, None, adjoint), _grad_weight(x, dy, w.shape, adjoint)
    return None if dx is None or dw is None else (dx, dw, column_sums(dy))


def _grad_input(dy: Any, w: Any, x_shape: Ints, geometry: ConvGeometry) -> Any:
    layer, case, algorithm = _chosen(geometry, tuple(x_shape), w.shape, dy.dtype.char, "grad_input", settings())
    if algorithm is None:
        return None
    return algorithm.correlate_back(device.contiguous(dy), device.contiguous(w), tuple(x_shape[2:]), layer, case)


def _grad_weight(dy: Any, x: Any, w_shape: Ints, geometry: ConvGeometry) -> Any:
    layer, case, algorithm = _chosen(geometry, x.shape, tuple(w_shape), x.dtype.char, "grad_weight", settings())
    if algorithm is None:
        return None
    return algorithm.correlate_weights(device.contiguous(dy), device.contiguous(x), layer, case)


def _applies(geometry: ConvGeometry, *arrays: Any) -> bool:
    return forced() != READABLE and geometry.padding_mode == "zeros" and device.takes(*arrays)


def settings() -> tuple[str | None, bool, bool, bool]:
    """Return what the choice of an algorithm depends on, besides the sizes."""
    return forced(), allows_tf32(), benchmarks(), deterministic()


@lru_cache(maxsize=4096)
def _chosen(  # noqa: PLR0917  (positional, as it is looked up at each call)
    geometry: ConvGeometry, x_shape: Ints, w_shape: Ints, char: str, work: Work, under: object, *, relu: bool = False
) -> tuple[Layer, Case, OnGPU | None]:
    """Return what is computed, and by what, under these settings; an error is not remembered."""
    del under
    layer = layer_of(geometry, relu=relu)
    case = layer.case(x_shape, w_shape, {"f": "float32", "d": "float64"}[char], work)
    algorithm = choose(case).algorithm
    return layer, case, algorithm if isinstance(algorithm, OnGPU) else None
