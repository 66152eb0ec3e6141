"""A net as data: what each layer does, and its numbers one after another, for a browser that computes the maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.geometry import ConvGeometry, PoolGeometry

if TYPE_CHECKING:
    from cnnlab.nn import Module

MOST_NUMBERS = 700_000  # weights that a page can hold and a browser can compute with at once
_BUFFERS = ("weight", "bias", "running_mean", "running_var")


def layers_in_order(net: Module) -> Iterator[tuple[str, Module]]:
    """Yield (name, layer) for each layer, going into `Sequential` and `Stages`, whose order is that of their parts."""
    from cnnlab import nn

    for name, part in net.named_children():
        if isinstance(part, nn.Sequential | nn.models.Stages):
            yield from ((f"{name}.{inner}", layer) for inner, layer in layers_in_order(part))
        else:
            yield name, part


def follow(net: Module, shape: Sequence[int]) -> tuple[list[dict[str, Any]], str | None]:
    """Return what each layer does to a picture of `shape`, and in words why the list ends before the net does.

    Parameters
    ----------
    net : Sequential or Stages
        Read, never changed.
    shape : (C, H, W)

    Raises
    ------
    TypeError
        `net` is no chain of layers.
    ValueError
        No Conv2d can be reached, or a layer does not fit what the one before it gives.
    """
    from cnnlab import nn

    if not isinstance(net, nn.Sequential | nn.models.Stages):
        raise TypeError(
            f"net is a {type(net).__name__}: pass an nn.Sequential of layers, such as nn.Conv2d and nn.ReLU"
        )
    layers: list[dict[str, Any]] = []
    total, stop = 0, None
    now: tuple[int, ...] = tuple(shape)
    for name, layer in layers_in_order(net):
        what = _describe(layer)
        if what is None:
            stop = f"layer {name} is a {type(layer).__name__}, which this demo does not follow"
            break
        what |= {"name": name, "title": type(layer).__name__, "arrays": {}}
        for key, values in arrays_of(layer).items():
            what["arrays"][key] = {"start": total, "shape": list(values.shape)}
            total += values.size
        if total > MOST_NUMBERS:
            held = sum(values.size for values in arrays_of(layer).values())
            stop = (
                f"layer {name} ({type(layer).__name__}) holds {held:,} numbers; up to {MOST_NUMBERS:,} in all are shown"
            )
            break
        try:
            now = _shape_after(layer, now)
        except ValueError as error:
            raise ValueError(f"layer {name} does not fit pictures of shape {tuple(shape)}: {error}") from error
        what["shape"] = list(now)
        layers.append(what)
    if not any(layer["kind"] == "conv" for layer in layers):
        raise ValueError(f"the net has no Conv2d to look at{f': {stop}' if stop else ''}")
    return layers, stop


def arrays_of(layer: Module) -> dict[str, NDArray[Any]]:
    """Return the numbers that a layer computes with in evaluation mode, by name, on the host."""
    state = layer.state_dict()
    return {name: np.asarray(state[name]) for name in _BUFFERS if name in state}


def numbers_of(net: Module, layers: list[dict[str, Any]]) -> NDArray[np.float32]:
    """Return the numbers of the followed layers one after another, as float32.

    Raises
    ------
    ValueError
        The net has other layers or sizes than those that were followed, or a number is not finite.
    """
    own = [arrays_of(layer) for _, layer in layers_in_order(net)][: len(layers)]
    shapes = [{key: list(values.shape) for key, values in arrays.items()} for arrays in own]
    wanted = [{key: at["shape"] for key, at in layer["arrays"].items()} for layer in layers]
    if shapes != wanted:
        raise ValueError("this net has other layers or sizes than the one shown: make a new FilterGallery for it")
    for layer, arrays in zip(layers, own, strict=True):
        for key, values in arrays.items():
            if not np.isfinite(values).all():
                raise ValueError(f"{key} of layer {layer['name']} is not finite: the training went wrong before this")
    return np.concatenate([values.astype(np.float32).ravel() for arrays in own for values in arrays.values()])


def first_part(layers: list[dict[str, Any]]) -> int:
    """Return how many numbers the layers hold up to the first convolution, and with it."""
    stop = next(i for i, layer in enumerate(layers) if layer["kind"] == "conv") + 1
    return sum(prod(at["shape"]) for layer in layers[:stop] for at in layer["arrays"].values())


def _describe(layer: Module) -> dict[str, Any] | None:
    """Return kind and options of a layer as JSON, or None for one that the browser cannot compute."""
    from cnnlab import nn

    if isinstance(layer, nn.Conv2d):
        g = layer.geometry
        return {"kind": "conv", **_window(g), "groups": g.groups, "mode": g.padding_mode}
    if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        kind = "max" if isinstance(layer, nn.MaxPool2d) else "mean"
        return {"kind": kind, **_window(layer.geometry), "count_pad": getattr(layer, "count_include_pad", True)}
    if isinstance(layer, nn.BatchNorm2d):
        return {"kind": "norm", "eps": layer.eps} if layer.track_running_stats else None
    if isinstance(layer, nn.GlobalPool):
        return {"kind": "global", "how": layer.how, "temperature": layer.temperature}
    plain = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid", nn.Dropout: "same", nn.Linear: "linear"}
    if isinstance(layer, nn.Flatten):
        return {"kind": "flatten"} if layer.start_dim == 1 else None
    return next(({"kind": kind} for cls, kind in plain.items() if isinstance(layer, cls)), None)


def _window(g: ConvGeometry | PoolGeometry) -> dict[str, Any]:
    sizes = {"kernel": g.kernel, "stride": g.stride, "dilation": g.dilation}
    return {name: list(values) for name, values in sizes.items()} | {"padding": [list(pair) for pair in g.padding]}


def _shape_after(layer: Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of one example behind a layer; a layer of the wrong place or size raises ValueError."""
    from cnnlab import nn

    if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d | nn.BatchNorm2d | nn.GlobalPool) and len(shape) != 3:
        raise ValueError(f"{type(layer).__name__} needs maps (C, H, W) and gets {shape}")
    if isinstance(layer, nn.BatchNorm2d) and layer.num_features != shape[0]:
        raise ValueError(f"num_features={layer.num_features}, but it gets {shape[0]} channels")
    if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        return layer.geometry.output_shape(shape)
    if isinstance(layer, nn.GlobalPool):
        return shape[:1]
    if isinstance(layer, nn.Flatten):
        return (prod(shape),)
    if isinstance(layer, nn.Linear):
        if shape[-1] != layer.in_features or len(shape) != 1:
            raise ValueError(f"in_features={layer.in_features}, but it gets {shape}")
        return (layer.out_features,)
    return shape
