"""A scan as convolutions (deck rows D10 to D24)."""

from __future__ import annotations

import copy
from math import prod

import numpy as np

from cnnlab import backend
from cnnlab.backend import Array, namespace
from cnnlab.geometry import WindowGeometry
from cnnlab.geometry.options import per_axis
from cnnlab.nn.activation import ReLU, Sigmoid, Tanh
from cnnlab.nn.conv import Conv, Conv1d, Conv2d, Conv3d
from cnnlab.nn.dropout import Dropout
from cnnlab.nn.levels import Blocks, Level, first_block, levels_of, refuse_untied
from cnnlab.nn.linear import Linear
from cnnlab.nn.module import Module
from cnnlab.nn.scan import Scan
from cnnlab.nn.sequential import Sequential
from cnnlab.nn.tied import TiedLinear

ELEMENTWISE = (ReLU, Sigmoid, Tanh, Dropout)  # a dropout is, in evaluation mode


def to_convolutions(
    scan: Scan, blocks: Blocks | None = None, *, rank: int | None = None, tolerance: float = 0.0
) -> Sequential:
    """Turn the scan of an MLP into convolutions that compute the same numbers.

    Without `blocks`: the first layer, which sees the whole window, becomes one convolution as wide as the window, with
    the scan's stride; each later layer sees one place and becomes a 1×1 convolution (deck rows D17 to D19).

    With `blocks`: a distributed scan (deck rows D22 to D24) becomes a stack of strided convolutions. A window of 8
    frames, distributed over two levels with ``blocks=[(4, 2), (3, 1)]``::

        frames    0 1 2 3 4 5 6 7      the window, K = 8
        level 1   └─────┘              block 0: 4 frames, kernel 4
                      └─────┘          block 1: 2 frames on, stride 2
                          └─────┘      block 2
        level 2   blocks 0 1 2         all three blocks, kernel 3; the next window begins 1 block on, stride 1

    So the scan's hop is 2·1 frames, the product of the strides. In the MLP the first layer has D units for each block,
    in C order of (unit, block): unit d of block p is row d·3 + p. Its weights must be block-sparse (0 outside the
    unit's own block) and tied (equal in all blocks, the biases too); likewise on each further level but the last, which
    sees all that is left. Layers after the last level become 1×1 convolutions. `expand` builds such an MLP.

    Parameters
    ----------
    scan
        The scan of a `Sequential` of Linear (or TiedLinear) layers and element-wise activations, or of one Linear. With
        a `Dropout` the numbers are the same in evaluation mode.
    blocks
        (kernel, stride) for each level, from the input up; each an int or one int for each axis. Together the levels
        must cover the window, and their strides multiply to the scan's.
    rank
        Number of spatial axes; needed only if the scan gives its window and stride as ints and they hold for more
        than one axis.
    tolerance
        How far weights may be from being sparse and tied; the values of the first block are taken.

    Returns
    -------
    Sequential
        Convolutions with the activations between them. Values are copies; shapes (N, outputs, *positions) as the
        scan's.

    Raises
    ------
    TypeError
        If `scan` is no Scan.
    ValueError
        If the module is no such MLP, if the blocks do not cover the window, or if the weights are not block-sparse
        and tied: it says which blocks differ and by how much.

    Examples
    --------
    >>> from cnnlab.nn.mlp import mlp
    >>> to_convolutions(Scan(mlp([20 * 30, 32, 1]), 30, 2))
    Sequential(
      (0): Conv1d(20, 32, kernel_size=(30,), stride=(2,))
      (1): ReLU()
      (2): Conv1d(32, 1, kernel_size=(1,), stride=(1,))
    )
    """
    if not isinstance(scan, Scan):
        raise TypeError(f"to_convolutions takes a Scan, not a {type(scan).__name__}: wrap the MLP, nn.Scan(mlp, width)")
    rank = _rank_of(scan, rank)
    kernel = per_axis("kernel_size", scan.kernel_size, rank, at_least=1)
    stride = per_axis("stride", scan.stride, rank, at_least=1)
    steps = _steps(scan.module)
    linears = [step for step in steps if isinstance(step, (Linear, TiedLinear))]
    levels = levels_of(kernel, stride, [(kernel, stride)] if blocks is None else blocks, len(linears))
    C, rest = divmod(_inputs(linears[0]), prod(kernel))
    if rest:
        raise ValueError(
            f"the module takes {_inputs(linears[0])} numbers, which is no multiple of a window of {kernel}: "
            "give rank=… if the window has more axes"
        )

    layers: list[Module] = []
    waiting = iter(levels)
    one_place = Level(WindowGeometry((1,) * rank), (1,) * rank)
    for i, step in enumerate(steps):
        if isinstance(step, (Linear, TiedLinear)):
            layer = _as_conv(step, C, next(waiting, one_place), tolerance=tolerance, name=f"layer {i} of the MLP")
            C = layer.geometry.out_channels
            layers.append(layer)
        else:
            layers.append(without_kept(step))
    return Sequential(*layers)


def _rank_of(scan: Scan, rank: int | None) -> int:
    told = {len(size) for size in (scan.kernel_size, scan.stride) if isinstance(size, tuple)}
    if rank is not None:
        told.add(rank)
    if len(told) > 1:
        raise ValueError(f"rank (={rank}) is not that of the scan, {scan.extra_repr()}: leave rank out")
    return told.pop() if told else 1  # an int means one axis, as in the geometry


def _steps(module: Module) -> list[Module]:
    """Return the layers of an MLP, or say which one does not belong to it."""
    steps = list(module) if isinstance(module, Sequential) else [module]
    for i, step in enumerate(steps):
        if not isinstance(step, (Linear, TiedLinear, *ELEMENTWISE)):
            raise ValueError(
                f"layer {i} of the scanned module is a {type(step).__name__}: only Linear layers and element-wise "
                "activations become convolutions"
            )
    if not isinstance(next(iter(steps), None), (Linear, TiedLinear)):
        raise ValueError(f"the scanned module must begin with a Linear layer, but is {module!r}")
    return steps


def _as_conv(layer: Linear | TiedLinear, C: int, level: Level, *, tolerance: float, name: str) -> Conv:
    """Return the convolution that does at every place what `layer` does to one window with C channels."""
    weight, bias = _entries(layer)
    blocks, below, above = level.blocks, level.below, level.above
    outputs, rest = divmod(weight.shape[0], prod(above))
    if rest or weight.shape[1] != C * prod(below):
        raise ValueError(
            f"{name} has {weight.shape[1]} inputs and {weight.shape[0]} units: these blocks need {C * prod(below)} "
            f"inputs and a multiple of {prod(above)} units"
        )
    matrix = weight.reshape(outputs, *above, C, *below)
    biases = None if bias is None else bias.reshape(outputs, *above)
    if prod(above) > 1:
        refuse_untied(matrix, biases, level, tolerance=tolerance, name=name)

    names: dict[int, type[Conv]] = {1: Conv1d, 2: Conv2d, 3: Conv3d}
    conv_class: type[Conv] = names.get(blocks.rank) or type(f"Conv{blocks.rank}d", (Conv,), {"rank": blocks.rank})
    rng = np.random.default_rng(0)  # the values drawn are replaced
    conv = conv_class(C, outputs, blocks.kernel, blocks.stride, bias=bias is not None, rng=rng)
    like = layer.weight.data
    conv.weight.data = _back(first_block(matrix, level), like)
    if conv.bias is not None and bias is not None:
        conv.bias.data = _back(bias[:: prod(above)], like)  # the bias of each unit in its first block
    return conv


def _inputs(layer: Linear | TiedLinear) -> int:
    return layer.in_features if isinstance(layer, Linear) else int(layer.ties.shape[1])


def _entries(layer: Linear | TiedLinear) -> tuple[Array, Array | None]:
    """Return the whole matrix and bias on the host."""
    if isinstance(layer, TiedLinear):
        weight, bias = layer.matrix, layer.full_bias
    else:
        weight, bias = layer.weight.data, None if layer.bias is None else layer.bias.data
    return backend.to_numpy(weight), None if bias is None else backend.to_numpy(bias)


def _back(values: Array, like: Array) -> Array:
    """Put host values where `like` lies, as a copy."""
    return namespace(like).asarray(np.array(values, order="C"), device=like.device)


def without_kept(activation: Module) -> Module:
    """Return a copy of an activation without what it kept for backward."""
    return copy.deepcopy(copy.copy(activation).forget())
