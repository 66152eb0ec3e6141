"""A scan in layers, and its multiply-adds, with exchangeable parts, from which the known mistakes are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from cnnlab.checks.a1.scanning import Layers, Starts, full_windows, scan

Array = np.ndarray[Any, Any]
Numbers = Sequence[int]


def as_given(hops: Numbers) -> Numbers:
    """Return the hops as they were given."""
    return hops


def relu_between(level: int, levels: int) -> bool:
    """Return whether ReLU stands before a level, counted from 0; before number `levels` is after the last."""
    return 0 < level < levels


def channel_first(level: int, window: Array) -> Array:
    """Return a window (channels, width) as a vector: all places of channel 0 first."""
    return window.reshape(-1)


def assemble_layer_first(
    *,
    hops: Callable[[Numbers], Numbers] = as_given,
    starts: Starts = full_windows,
    flatten: Callable[[int, Array], Array] = channel_first,
    relu: Callable[[int, int], bool] = relu_between,
    bias: Callable[[Array], Array] = lambda b: b,
    then: Callable[[Array], Any] = lambda y: y,
) -> Callable[[Array, Layers, Numbers, Numbers], Any]:
    """Return a `layer_first` with other parts.

    Parameters
    ----------
    hops
        What is made of the hops first.
    starts
        Where windows start, from the places of the level below, width and hop.
    flatten
        From the number of the level, counted from 0, and a window of it to a vector.
    relu
        Whether ReLU stands before a level, from its number and how many there are.
    bias
        What is made of the bias of each layer.
    then
        What is done to the last map.
    """

    def layer_first(x: Array, layers: Layers, widths: Numbers, steps: Numbers) -> Any:
        y = x
        for level, ((W, b), width, hop) in enumerate(zip(layers, widths, hops(steps), strict=True)):
            y = scan(
                np.maximum(y, 0) if relu(level, len(layers)) else y,
                [(W, bias(b))],
                (width,),
                (hop,),
                starts=starts,
                flatten=partial(flatten, level),
            )
        return then(np.maximum(y, 0) if relu(len(layers), len(layers)) else y)

    return layer_first


def places(below: int, width: int, hop: int) -> int:
    """Return how many full windows there are over so many places."""
    return (below - width) // hop + 1


def map_sizes(T: int, widths: Numbers, hops: Numbers, count: Callable[[int, int, int], int]) -> list[int]:
    """Return the number of places of each map, each counted over the map below."""
    sizes: list[int] = []
    for width, hop in zip(widths, hops, strict=True):
        sizes.append(count(sizes[-1] if sizes else T, width, hop))
    return sizes


def chained(widths: Numbers, hops: Numbers) -> list[int]:
    """Return how many values of each level one window needs: so many that the windows above find all of theirs."""
    needed = [1]
    for width, hop in zip(reversed(widths[1:]), reversed(hops[1:]), strict=True):
        needed.insert(0, (needed[0] - 1) * hop + width)
    return needed


def channels_below(C: int, neurons: Numbers) -> list[int]:
    """Return how many channels each level looks at."""
    return [C, *neurons[:-1]]


def assemble_mac_count(
    *,
    choose: Callable[[str], str] = lambda order: order,
    hops: Callable[[Numbers], Numbers] = as_given,
    count: Callable[[int, int, int], int] = places,
    sizes: Callable[[int, Numbers, Numbers, Callable[[int, int, int], int]], Numbers] = map_sizes,
    windows: Callable[[Numbers], int] = lambda sizes: sizes[-1],
    maps: Callable[[Numbers, Numbers], Numbers] = lambda sizes, widths: sizes,
    needed: Callable[[Numbers, Numbers], Numbers] = chained,
    channels: Callable[[int, Numbers], Numbers] = channels_below,
    outputs: Callable[[int], int] = lambda neurons: neurons,
    cost: Callable[[int], int] = lambda terms: terms,
) -> Callable[[str, tuple[int, int], Numbers, Numbers, Numbers], int]:
    """Return a `mac_count_scan` with other parts.

    Parameters
    ----------
    choose
        The order that is counted, from the one that was asked for.
    hops
        What is made of the hops first.
    count
        How many windows there are, from the places below, width and hop.
    sizes
        The number of places of each map, from T, widths, hops and `count`.
    windows
        How many windows the whole net has, from these.
    maps
        At how many places each level is counted layer by layer, from these and the widths.
    needed
        How many values of each level one window needs, from widths and hops.
    channels
        How many channels each level looks at, from C and the neurons.
    outputs
        How many neurons of a layer count.
    cost
        Multiply-adds of one neuron with so many inputs.
    """

    def mac_count_scan(order: str, shape: tuple[int, int], neurons: Numbers, widths: Numbers, steps: Numbers) -> int:
        C, T = shape
        used = list(hops(list(steps)))
        found = sizes(T, widths, used, count)
        layers = zip(channels(C, neurons), neurons, widths, strict=True)
        costs = [outputs(out) * cost(below * width) for below, out, width in layers]
        if choose(order) == "layer":
            return sum(many * each for many, each in zip(maps(found, widths), costs, strict=True))
        return windows(found) * sum(many * each for many, each in zip(needed(widths, used), costs, strict=True))

    return mac_count_scan
