"""Which kernels compute: those for CuPy arrays, or those for NumPy arrays, which leave others to the readable op."""

from __future__ import annotations

from typing import Any

from cnnlab.geometry import ConvGeometry, ConvTransposeGeometry, PoolGeometry
from cnnlab.kernels import elementwise, planner, pooling, training
from cnnlab.kernels.gpu import convolution as gpu_convolution
from cnnlab.kernels.gpu import elementwise as gpu_elementwise
from cnnlab.kernels.gpu import pooling as gpu_pooling
from cnnlab.kernels.gpu import product as gpu_product
from cnnlab.kernels.gpu import training as gpu_training
from cnnlab.kernels.gpu.device import takes
from cnnlab.kernels.product import product as product_on_cpu


def conv_forward(x: Any, w: Any, b: Any, geometry: ConvGeometry) -> Any:
    """Return y (N, C_out, *out) as `cnnlab.kernels.planner.conv_forward` does, or None."""
    return gpu_convolution.conv_forward(x, w, b, geometry) if takes(x) else planner.conv_forward(x, w, b, geometry)


def conv_relu_forward(x: Any, w: Any, b: Any, geometry: ConvGeometry) -> Any:
    """Return max(y, 0) likewise, in the pass that computes y."""
    if takes(x):
        return gpu_convolution.conv_forward(x, w, b, geometry, relu=True)
    return planner.conv_forward(x, w, b, geometry, relu=True)


def conv_backward(dy: Any, x: Any, w: Any, geometry: ConvGeometry) -> tuple[Any, Any, Any] | None:
    """Return (dx, dw, db) likewise."""
    return gpu_convolution.conv_backward(dy, x, w, geometry) if takes(x) else planner.conv_backward(dy, x, w, geometry)


def conv_backward_parameters(dy: Any, x: Any, w: Any, geometry: ConvGeometry) -> tuple[Any, Any] | None:
    """Return (dw, db) likewise."""
    return (
        gpu_convolution.conv_backward_parameters(dy, x, w, geometry)
        if takes(x)
        else planner.conv_backward_parameters(dy, x, w, geometry)
    )


def conv_transpose_forward(x: Any, w: Any, b: Any, geometry: ConvTransposeGeometry) -> Any:
    """Return y (N, C_out, *out) likewise."""
    return (
        gpu_convolution.conv_transpose_forward(x, w, b, geometry)
        if takes(x)
        else planner.conv_transpose_forward(x, w, b, geometry)
    )


def conv_transpose_backward(dy: Any, x: Any, w: Any, geometry: ConvTransposeGeometry) -> tuple[Any, Any, Any] | None:
    """Return (dx, dw, db) likewise."""
    return (
        gpu_convolution.conv_transpose_backward(dy, x, w, geometry)
        if takes(x)
        else planner.conv_transpose_backward(dy, x, w, geometry)
    )


def max_pool_forward(x: Any, geometry: PoolGeometry) -> Any:
    """Return the largest value of every window, (N, C, *out), or None likewise."""
    return gpu_pooling.max_pool_forward(x, geometry) if takes(x) else pooling.max_pool_forward(x, geometry)


def max_pool_backward(dy: Any, x: Any, geometry: PoolGeometry) -> Any:
    """Return dx (N, C, *spatial) likewise."""
    return gpu_pooling.max_pool_backward(dy, x, geometry) if takes(x) else pooling.max_pool_backward(dy, x, geometry)


def avg_pool_forward(x: Any, geometry: PoolGeometry, *, count_include_pad: bool) -> Any:
    """Return the mean of every window, (N, C, *out), likewise; zeros of the padding count if asked for."""
    kernels = gpu_pooling if takes(x) else pooling
    return kernels.avg_pool_forward(x, geometry, count_include_pad=count_include_pad)


def avg_pool_backward(dy: Any, x: Any, geometry: PoolGeometry, *, count_include_pad: bool) -> Any:
    """Return dx (N, C, *spatial) likewise."""
    kernels = gpu_pooling if takes(x) else pooling
    return kernels.avg_pool_backward(dy, x, geometry, count_include_pad=count_include_pad)


def product(a: Any, b: Any) -> Any:
    """Return a @ b (N, M) for matrices a (N, K) and b (K, M) of any array library."""
    if takes(a) and (found := gpu_product.product(a, b)) is not None:
        return found
    return product_on_cpu(a, b)


def relu_forward(x: Any) -> Any:
    """Return max(x, 0) likewise."""
    return gpu_elementwise.relu_forward(x) if takes(x) else elementwise.relu_forward(x)


def relu_backward(dy: Any, x: Any) -> Any:
    """Return dy where not x ≤ 0, else 0, likewise."""
    return gpu_elementwise.relu_backward(dy, x) if takes(x) else elementwise.relu_backward(dy, x)


def tanh_forward(x: Any) -> Any:
    """Return tanh(x) likewise."""
    return gpu_elementwise.tanh_forward(x) if takes(x) else elementwise.tanh_forward(x)


def tanh_backward(dy: Any, y: Any) -> Any:
    """Return dy · (1 − y²) likewise."""
    return gpu_elementwise.tanh_backward(dy, y) if takes(y) else elementwise.tanh_backward(dy, y)


def cross_entropy_forward(logits: Any, targets: Any) -> Any:
    """Return the mean loss of logits (N, C) for integer targets (N,) likewise."""
    return (gpu_training if takes(logits) else training).cross_entropy_forward(logits, targets)


def cross_entropy_backward(logits: Any, targets: Any) -> Any:
    """Return its gradient (N, C) likewise."""
    return (gpu_training if takes(logits) else training).cross_entropy_backward(logits, targets)


def momentum_step(w: Any, gradient: Any, velocity: Any, *, lr: float, momentum: float) -> tuple[Any, Any] | None:
    """Return (w - lr · v, v) for v = momentum · velocity + gradient, or None likewise."""
    if takes(w):
        return gpu_training.momentum_step(w, gradient, velocity, lr=lr, momentum=momentum)
    return training.momentum_step(w, gradient, velocity, lr=lr, momentum=momentum)


def settings_of_gpu() -> tuple[Any, ...]:
    """Return what the kernels for a GPU depend on besides sizes: settings that may change between two calls."""
    return gpu_convolution.settings()


def in_place(parameters: list[Any], gradients: list[Any], *memories: list[Any]) -> Any:
    """Return the arrays of an optimizer as `cnnlab.kernels.gpu.InPlace`, or None where it cannot change them."""
    return gpu_training.in_place(parameters, gradients, *memories) if parameters and takes(parameters[0]) else None


def adam_step(
    w: Any, gradient: Any, mean: Any, square: Any, *, lr: float, betas: tuple[float, float], root: float, eps: float
) -> tuple[Any, Any, Any] | None:
    """Return w - lr · m / (√s / root + eps) and the running means m and s, or None likewise."""
    if not takes(w):
        return None
    return gpu_training.adam_step(w, gradient, mean, square, lr=lr, betas=betas, root=root, eps=eps)
