"""What each kind of layer makes of a shape, what it costs, and what its output sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from cnnlab.backend import Array
from cnnlab.geometry import WindowGeometry
from cnnlab.geometry.options import per_axis
from cnnlab.inspection.sight import Sight, union
from cnnlab.nn.activation import ReLU, Sigmoid, Tanh
from cnnlab.nn.add import Add
from cnnlab.nn.batch_norm import BatchNorm
from cnnlab.nn.checks import check_rank
from cnnlab.nn.conv import Conv
from cnnlab.nn.conv_transpose import ConvTranspose
from cnnlab.nn.dropout import Dropout
from cnnlab.nn.flatten import Flatten
from cnnlab.nn.global_pool import GlobalPool
from cnnlab.nn.linear import Linear
from cnnlab.nn.module import Module
from cnnlab.nn.pool import Pool
from cnnlab.nn.scan import Scan
from cnnlab.nn.tied import TiedLinear

if TYPE_CHECKING:
    from cnnlab.inspection.trace import Trace


@dataclass(frozen=True)
class Outcome:
    """What a layer makes: shape and sight of its output, its multiply-adds, and how many numbers it stores."""

    shape: tuple[int, ...]
    sight: Sight | None
    multiply_adds: int | None
    entries: int


Rule: TypeAlias = Callable[[Any, Array, "Sight | None", "Trace"], Outcome]


def rule_for(module: Module) -> Rule | None:
    """Return the rule of a layer of the library, or None for any other module."""
    # a subclass with a forward of its own is the reader's
    for kind, rule in _RULES.items():
        if isinstance(module, kind) and type(module).forward is _forward_of(kind, module):
            return rule
    return None


def _forward_of(kind: type[Module], module: Module) -> Any:
    """Return the library's forward among the classes of a module."""
    for known in type(module).__mro__:
        if known.__module__.startswith("cnnlab.nn.") and issubclass(known, kind):
            return known.forward
    return None


def _conv(layer: Conv, x: Array, sight: Sight | None, _: Trace) -> Outcome:
    check_rank(type(layer).__name__, x, layer.rank)
    shape = layer.geometry.output_shape(x.shape)
    return Outcome(shape, sight and sight.after(layer.geometry), layer.geometry.mac_count(x.shape), prod(shape))


def _conv_transpose(layer: ConvTranspose, x: Array, _sight: Sight | None, _: Trace) -> Outcome:
    check_rank(type(layer).__name__, x, layer.rank)
    shape = layer.geometry.output_shape(x.shape)
    # Neighbors may look at the same input, so that the distance between what they see is no whole number.
    return Outcome(shape, None, layer.geometry.mac_count(x.shape), prod(shape))


def _pool(layer: Pool, x: Array, sight: Sight | None, _: Trace) -> Outcome:
    check_rank(type(layer).__name__, x, layer.rank)
    shape = layer.geometry.output_shape(x.shape)
    return Outcome(shape, sight and sight.after(layer.geometry), 0, prod(shape))


def _linear(layer: Linear | TiedLinear, x: Array, sight: Sight | None, _: Trace) -> Outcome:
    outputs, inputs = layer.ties.shape if isinstance(layer, TiedLinear) else layer.weight.shape
    if x.ndim != 2 or x.shape[1] != inputs:
        raise ValueError(
            f"this layer takes (N, {inputs}) but gets {tuple(x.shape)}: change its in_features, or the layers before it"
        )
    shape = (x.shape[0], outputs)
    return Outcome(shape, sight and sight.joined(), prod(shape) * inputs, prod(shape))


def _flatten(layer: Flatten, x: Array, sight: Sight | None, trace: Trace) -> Outcome:
    if not 0 <= layer.start_dim < x.ndim:
        raise ValueError(f"start_dim (={layer.start_dim}) is not an axis of x with shape {tuple(x.shape)}")
    shape = (*x.shape[: layer.start_dim], prod(x.shape[layer.start_dim :]))
    seen = sight and sight.flat(x.shape[2:], trace.input_size) if layer.start_dim == 1 else None
    return Outcome(shape, seen, 0, 0)  # the same numbers seen otherwise


def _global_pool(_layer: GlobalPool, x: Array, sight: Sight | None, trace: Trace) -> Outcome:
    if x.ndim < 3:
        raise ValueError(f"x has shape {tuple(x.shape)}: GlobalPool takes maps (N, C, *spatial)")
    shape = tuple(x.shape[:2])
    return Outcome(shape, sight and sight.flat(x.shape[2:], trace.input_size).joined(), 0, prod(shape))


def _same(_layer: Module, x: Array, sight: Sight | None, _: Trace) -> Outcome:
    return Outcome(tuple(x.shape), sight, 0, prod(x.shape))


def _batch_norm(layer: BatchNorm, x: Array, sight: Sight | None, trace: Trace) -> Outcome:
    if x.ndim < 2 or x.shape[1] != layer.num_features:
        raise ValueError(f"this layer takes {layer.num_features} channels but gets x of shape {tuple(x.shape)}")
    return _same(layer, x, sight, trace)


def _add(layer: Add, x: Array, _sight: Sight | None, trace: Trace) -> Outcome:
    outputs = [branch(x) for branch in layer.branches]
    shapes = [tuple(y.shape) for y in outputs]
    if len(set(shapes)) > 1:
        raise ValueError(f"the branches of Add return shapes {shapes}: bring them to one shape")
    sights = [seen for y in outputs if (seen := trace.sight_of(y))]
    return Outcome(shapes[0], union(sights) if len(sights) == len(outputs) else None, 0, prod(shapes[0]))


def _scan(layer: Scan, x: Array, sight: Sight | None, trace: Trace) -> Outcome:
    rank = len(layer.kernel_size) if isinstance(layer.kernel_size, tuple) else max(x.ndim - 2, 1)
    check_rank("Scan", x, rank)
    window = WindowGeometry(per_axis("kernel_size", layer.kernel_size, rank, at_least=1), layer.stride)
    N, C = x.shape[:2]
    positions = window.output_size(x.shape[2:])
    windows = trace.stand_in((N * prod(positions), C * window.tap_count()), sight and sight.window(window))
    y = layer.module(windows)
    # what a scan stores are the windows that it cuts out
    return Outcome((N, y.shape[1], *positions), sight and sight.after(window), 0, prod(windows.shape))


_RULES: dict[type[Module], Rule] = {
    Conv: _conv,
    ConvTranspose: _conv_transpose,
    Pool: _pool,
    Linear: _linear,
    TiedLinear: _linear,
    Flatten: _flatten,
    GlobalPool: _global_pool,
    ReLU: _same,
    Sigmoid: _same,
    Tanh: _same,
    Dropout: _same,
    BatchNorm: _batch_norm,
    Add: _add,
    Scan: _scan,
}
