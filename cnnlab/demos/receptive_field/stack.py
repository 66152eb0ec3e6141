"""What a reader may pass as a stack of layers, brought to one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnnlab.demos.nets import layers_in_order
from cnnlab.geometry import ConvGeometry, PoolGeometry, ReceptiveField, WindowGeometry

MOST_LAYERS = 64
_OPTIONS = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
_PLAIN = (int, tuple, list, Mapping, WindowGeometry)
_KINDS = {"conv": "conv", "pool": "pool", "maxpool": "pool", "avgpool": "pool"}
_SEES_ONE = {"ReLU", "Sigmoid", "Tanh", "Dropout", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d"}
_SEES_ALL = {"Flatten", "GlobalPool"}  # from here on there are no places any more


def geometries(layers: Any, rank: int | None = None) -> list[WindowGeometry]:
    """Return the geometry of each convolution and pool of a stack.

    Parameters
    ----------
    layers : sequence, or a Module
        Numbers (a kernel size at stride 1), tuples (kind, kernel_size, stride, padding, dilation), dicts with these
        names, geometries, layers of `cnnlab.nn`; or one net. Layers that see one place only are skipped; a net is read
        as far as its flatten or global pooling.
    rank : int, optional
        Number of axes, for layers given by numbers only.

    Raises
    ------
    TypeError, ValueError
        A layer is none of these, or an option is out of range.
    """
    given = _leaves(layers)
    told = next((r for r in map(_rank_of, given) if r), None)
    found = []
    for i, layer in enumerate(given):
        try:
            found.append(_geometry(layer, rank or told or 1))
        except (TypeError, ValueError) as error:
            raise type(error)(f"layers[{i}]: {error}") from None
    if not found:
        raise ValueError("layers holds no convolution and no pool: there is no receptive field to show")
    if len(found) > MOST_LAYERS:
        raise ValueError(f"layers holds {len(found)} convolutions and pools: at most {MOST_LAYERS} can be shown")
    for i, layer in enumerate(found):
        if layer.rank > 2:
            raise ValueError(f"layers[{i}] has {layer.rank} axes: stacks of 1 or 2 axes can be drawn")
        if layer.rank != found[0].rank:
            raise ValueError(
                f"layers[{i}] has {layer.rank} axes and layers[0] has {found[0].rank}: all must have the same"
            )
    return found


def sizes_through(stack: Sequence[WindowGeometry], input_size: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the spatial size of the input and of the output of each layer, as far as they fit."""
    sizes = [tuple(input_size)]
    for layer in stack:
        try:
            sizes.append(layer.output_size(sizes[-1]))
        except ValueError:
            break
    return sizes


def fields_through(stack: Sequence[WindowGeometry]) -> list[ReceptiveField]:
    """Return the receptive field of the input (each position sees itself) and of each layer."""
    fields = [ReceptiveField.of_input(stack[0].rank)]
    for layer in stack:
        fields.append(fields[-1].after(layer))
    return fields


def described(layer: WindowGeometry) -> dict[str, Any]:
    """Return a geometry as JSON holds it, with one entry for each axis."""
    return {
        "kind": "pool" if isinstance(layer, PoolGeometry) else "conv",
        "kernel_size": list(layer.kernel),
        "stride": list(layer.stride),
        "padding": [list(pair) for pair in layer.padding],
        "dilation": list(layer.dilation),
        "ceil_mode": isinstance(layer, PoolGeometry) and layer.ceil_mode,
    }


def _leaves(layers: Any) -> list[Any]:
    found: list[Any] = []
    for name, layer in _each(layers):
        kind = type(layer).__name__
        if kind in _SEES_ALL:
            break
        if kind in _SEES_ONE:
            continue
        geometry = layer if isinstance(layer, _PLAIN) else getattr(layer, "geometry", None)
        if not isinstance(geometry, (*_PLAIN, ConvGeometry, PoolGeometry)):
            where = f"layer {name} ({kind})" if name else kind
            raise ValueError(f"{where} is no convolution or pool: pass the layers below it")
        found.append(geometry)
    return found


def _each(layers: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(layers, (list, tuple)):
        yield from layers_in_order(layers, shortcuts=True)
        return
    for layer in layers:
        if isinstance(layer, _PLAIN):
            yield "", layer
        else:
            yield from layers_in_order(layer, shortcuts=True)


def _rank_of(layer: Any) -> int | None:
    if isinstance(layer, WindowGeometry):
        return layer.rank
    if isinstance(layer, Mapping):
        values: list[Any] = [layer.get(name) for name in _OPTIONS]
    else:
        values = [] if isinstance(layer, int) else list(layer[1:])
    return next((len(v) for v in values if isinstance(v, Sequence) and not isinstance(v, str)), None)


def _geometry(layer: Any, rank: int) -> WindowGeometry:
    if isinstance(layer, WindowGeometry):
        if not isinstance(layer, (ConvGeometry, PoolGeometry)):
            raise ValueError("expected the geometry of a convolution or a pool")
        if isinstance(layer, ConvGeometry) and layer.padding_mode != "zeros":
            raise ValueError(
                f'padding_mode "{layer.padding_mode}" puts inputs into the padding a second time, which the picture '
                'leaves out: use "zeros"'
            )
        return layer
    if isinstance(layer, int) and not isinstance(layer, bool):
        layer = ("conv", layer)
    if not isinstance(layer, Mapping):
        given = list(layer) if isinstance(layer, Sequence) else [layer]
        if not given or len(given) > len(_OPTIONS) + 1:
            raise ValueError(f"{layer!r} is no (kind, kernel_size, stride, padding, dilation, ceil_mode)")
        layer = dict(zip(("kind", *_OPTIONS), given, strict=False))
    options = dict(layer)
    kind = options.pop("kind", "conv")
    if kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is unknown: choose one of {', '.join(_KINDS)}")
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise ValueError(f"option {unknown[0]!r} is unknown: choose from {', '.join(_OPTIONS)}")
    if options.get("kernel_size") is None:
        raise ValueError("kernel_size is missing")
    kernel = options.pop("kernel_size")
    kernel = tuple(kernel) if isinstance(kernel, Sequence) else (kernel,) * rank
    pool = _KINDS[kind] == "pool"
    ceil_mode = options.pop("ceil_mode", False)
    if ceil_mode and not pool:
        raise ValueError("ceil_mode belongs to pools: a convolution has none")
    return PoolGeometry(kernel, **options, ceil_mode=ceil_mode) if pool else ConvGeometry(kernel, **options)
