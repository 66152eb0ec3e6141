"""A network as a table: what each layer puts out, costs and sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from cnnlab.geometry.options import whole_number
from cnnlab.inspection.table_html import table_html
from cnnlab.inspection.trace import Call, Trace
from cnnlab.nn.module import Module

HEADS = ("layer", "output", "parameters", "multiply-adds", "activations", "receptive field", "jump")


@dataclass(frozen=True)
class LayerSummary:
    """One row of a summary: one use of one layer, for one example.

    Attributes
    ----------
    name
        Place in the net, as in the names of parameters: "0", "features.3".
    kind
        Name of the class.
    depth
        Number of modules around it, within the net.
    composite
        Whether it is made of the layers in the rows below it, which then tell its costs.
    output_shape
        (channels, *spatial), or (features,).
    windows
        In a scan the number of windows that the layer works on, each of which gives `output_shape`; else 1.
    parameters
        Numbers it learns; 0 where it is used a second time.
    multiply_adds
        Of convolutions and fully connected layers. Other layers count as 0; None for a module of your own with
        parameters, whose work is not known.
    activation_bytes
        Memory of its output, in the dtype of the parameters; of a Scan the windows that it cuts out.
    receptive_field
        Input positions, an entry for each axis, from the first to the last that one output looks at; those in the
        padding count. Where a layer looks at a whole map, all of the input that the map looks at. None where it cannot
        be told: for vectors without places, after a transposed convolution or a layer of your own.
    jump
        Distance in the input between what neighboring outputs look at; None where there are no neighbors.
    """

    name: str
    kind: str
    depth: int
    composite: bool
    output_shape: tuple[int, ...]
    windows: int
    parameters: int
    multiply_adds: int | None
    activation_bytes: int
    receptive_field: tuple[int, ...] | None
    jump: tuple[int, ...] | None


@dataclass(frozen=True)
class Summary:
    """What `summary` returns: prints as a table, and shows as one in a notebook.

    Attributes
    ----------
    layers
        The rows, in the order of computation; a module stands above its parts.
    input_shape, output_shape
        Of one example.
    parameters
        All parameters of the net, shared ones once.
    dtype
        Of the parameters.
    """

    layers: tuple[LayerSummary, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    dtype: str

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of all layers for which they are known."""
        return sum(layer.multiply_adds or 0 for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        """Memory of all outputs together, which training keeps for the backward pass."""
        return sum(layer.activation_bytes for layer in self.layers)

    def __getitem__(self, name: str) -> LayerSummary:
        """Return the row of the layer of this name, at its first use."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"no layer is named {name!r}: there are {', '.join(layer.name for layer in self.layers)}")

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table's cells as text, without heads and totals."""
        return [_cells(layer) for layer in self.layers]

    def totals(self) -> tuple[str, ...]:
        """Return the cells of the last row."""
        sure = all(layer.multiply_adds is not None for layer in self.layers)
        return (
            "total",
            "",
            f"{self.parameters:,}",
            f"{'' if sure else 'at least '}{self.multiply_adds:,}",
            _bytes(self.activation_bytes),
            "",
            "",
        )

    def caption(self) -> str:
        """Return what the table holds for."""
        return f"for one input of shape {self.input_shape}, {self.dtype}"

    def __repr__(self) -> str:
        lines = [HEADS, *self.rows(), self.totals()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(_aligned(cells, widths)).rstrip() for cells in lines]
        rule = "-" * max(map(len, text))
        return "\n".join([text[0], rule, *text[1:-1], rule, text[-1], self.caption()])

    def _repr_html_(self) -> str:
        indents = [layer.depth for layer in self.layers]
        return table_html(HEADS, self.rows(), indents, self.totals(), self.caption())


def summary(net: Module, input_shape: Sequence[int]) -> Summary:
    """Tabulate a network: output shape, parameters, multiply-adds, memory, receptive field and jump of each layer.

    The layers of the library are not computed, only their shapes are followed, so a large net takes no time. Modules
    of your own are run once on zeros, in evaluation mode. The net itself stays as it is, with its mode, what it keeps,
    its gradients and its running statistics.

    Parameters
    ----------
    net
        A layer or a network.
    input_shape
        Shape (C, *spatial) of one example, without the batch axis.

    Returns
    -------
    Summary

    Raises
    ------
    TypeError
        If `net` is no Module or a size is no whole number.
    ValueError
        If the layers do not fit the input or one another; a note names the layer.

    Examples
    --------
    The deck's worked example (D41 to D43):

    >>> from cnnlab import nn
    >>> summary(nn.Conv2d(3, 10, 5, padding=2), (3, 32, 32))
    layer   output        parameters  multiply-adds  activations  receptive field  jump
    -----------------------------------------------------------------------------------
    Conv2d  (10, 32, 32)         760        768,000     40.0 KiB              5×5   1×1
    -----------------------------------------------------------------------------------
    total                        760        768,000     40.0 KiB
    for one input of shape (3, 32, 32), float32
    """
    given: object = net  # the type checker trusts the annotation, readers may not follow it
    if not isinstance(given, Module):
        raise TypeError(f"summary takes a Module, not a {type(given).__name__}: pass the net itself")
    shape_given: object = input_shape
    if not isinstance(shape_given, Iterable):
        raise TypeError(f"input_shape must be (C, *spatial) of one example, as in (3, 32, 32), not {shape_given!r}")
    shape = tuple(whole_number("input_shape", size, at_least=1) for size in input_shape)
    if not shape:
        raise ValueError("input_shape is empty: give (C, *spatial) of one example, as in (3, 32, 32)")
    trace = Trace(net, shape)
    top, *below = trace.calls
    calls = below if top.composite else [top]
    return Summary(
        layers=tuple(_layer(call, top) for call in calls),
        input_shape=shape,
        output_shape=trace.output_shape,
        parameters=sum(prod(parameter.shape) for parameter in net.parameters()),
        dtype=trace.dtype,
    )


def _layer(call: Call, top: Call) -> LayerSummary:
    sight = call.sight
    return LayerSummary(
        name=call.name,
        kind=call.kind,
        depth=max(0, call.depth - top.composite),
        composite=call.composite,
        output_shape=call.shape[1:],
        windows=call.shape[0],
        parameters=call.parameters,
        multiply_adds=call.multiply_adds,
        activation_bytes=call.memory,
        receptive_field=(sight.each.field or None) if sight else None,
        jump=(sight.jump or None) if sight else None,
    )


def _cells(layer: LayerSummary) -> tuple[str, ...]:
    counted = not layer.composite or layer.parameters
    shape = str(layer.output_shape)
    costs = "?" if layer.multiply_adds is None else f"{layer.multiply_adds:,}"
    return (
        f"{'  ' * layer.depth}{f'{layer.name} {layer.kind}'.strip()}",
        shape if layer.windows == 1 else f"{layer.windows} × {shape}",
        f"{layer.parameters:,}" if counted else "",
        costs if not layer.composite else "",
        _bytes(layer.activation_bytes) if layer.activation_bytes or not layer.composite else "",
        _sizes(layer.receptive_field),
        _sizes(layer.jump),
    )


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Fill cells to the width of their columns; names and shapes to the left, numbers to the right."""
    return [
        cell.ljust(width) if i < 2 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def _sizes(sizes: Sequence[int] | None) -> str:
    return "×".join(map(str, sizes)) if sizes else "–"


def _bytes(count: int) -> str:
    """Return a size for a reader: 512 B, 40.0 KiB, 3.1 MiB."""
    if count < 1024:
        return f"{count} B"
    power = min((count.bit_length() - 1) // 10, 4)
    return f"{count / 1024**power:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[power - 1]}"
