"""Demo 11: what each layer of a net puts out, costs and sees (deck rows D35 to D43, D46, D47)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from cnnlab.demos.architecture_calculator.presets import SMALL_NET, presets
from cnnlab.demos.architecture_calculator.rows import Row, known_rows, rows_of_net, shape_after
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry.options import whole_number

if TYPE_CHECKING:
    from cnnlab.nn import Sequential

_LAYERS = {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "flatten": "Flatten"}


class ArchitectureCalculator(Demo):
    """Write a net as a table and read sizes, parameters, multiply-adds, memory and receptive field of each row.

    Every cell can be edited. A row that does not fit says why; the rows after it stay empty. The numbers are those of
    `cnnlab.summary`: ``⌊(W + 2P − D·(K − 1) − 1)/S⌋ + 1`` outputs on an axis, ``C_out·(C_in/groups·K_H·K_W + 1)``
    parameters, and for each output one multiply-add a weight (deck rows D40 to D43). Convolutions and pools have as
    many axes as the input.

    Parameters
    ----------
    net_or_rows : Module, or sequence of rows
        A net of `cnnlab.nn` whose layers follow one another; or rows: a kind ("relu"), a tuple of a kind and its
        options in PyTorch's order without the number of inputs (``("conv", 10, 5, 1, 2)``: ten filters of 5×5, stride
        1, padding 2), or a dict with "kind". Kinds are conv, maxpool, avgpool, relu, tanh, sigmoid, batchnorm, dropout,
        flatten, globalpool and linear. By default a small net that begins with the deck's example.
    input_shape : (C, *spatial)
        Of one example, with up to three axes.
    batch : int
        Examples in a batch, for the memory.
    dtype : {"float32", "float16", "float64"}
        What a number is stored as.

    Attributes
    ----------
    rows, input_shape, batch, dtype, selected
        What the reader has set, a dict for each row; assign to change the view. `selected` counts rows from 0.

    Raises
    ------
    TypeError, ValueError
        An option is unknown or out of range, or a net has a layer without a row. Rows that do not fit one another are
        no error: the table explains them.

    Examples
    --------
    The deck's example, and the net that a table stands for:

    >>> demo = ArchitectureCalculator([("conv", 10, 5, 1, 2), "relu"], input_shape=(3, 32, 32))
    >>> demo.shapes
    [(10, 32, 32), (10, 32, 32)]
    >>> from cnnlab import summary
    >>> summary(demo.build(sketch=True), demo.input_shape).parameters
    760
    """

    _esm = script("architecture_calculator", "model", "faults", "words", "code", "skyline", "rows", "view")
    _css = style("architecture_calculator")
    title: ClassVar[str] = "Architecture calculator"

    rows: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    input_shape: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    batch = traitlets.Int(1, min=1).tag(sync=True, demo=True)
    dtype = traitlets.Enum(("float32", "float16", "float64"), "float32").tag(sync=True, demo=True)
    selected = traitlets.Int(0, min=0).tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        net_or_rows: Any = SMALL_NET,
        *,
        input_shape: Sequence[int] = (3, 32, 32),
        batch: int = 1,
        dtype: str = "float32",
    ) -> None:
        shape = _known_shape(input_shape)
        plain = isinstance(net_or_rows, (list, tuple))
        rows = known_rows(net_or_rows) if plain else rows_of_net(net_or_rows, shape)
        super().__init__(rows=rows, input_shape=shape, batch=batch, dtype=dtype, data={"presets": presets()})

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shape of the output of each row, as far as the rows fit."""
        found: list[tuple[int, ...]] = []
        for row in self.rows:
            try:
                found.append(shape_after(row, found[-1] if found else self.input_shape))
            except ValueError:
                break
        return found

    def build(self, *, rng: np.random.Generator | None = None, sketch: bool = False) -> Sequential:
        """Return the net that the table stands for.

        Parameters
        ----------
        rng : Generator, optional
            Draws the weights.
        sketch : bool
            Whether to leave out the numbers, as in `cnnlab.nn.models`: good for `cnnlab.summary` and without memory.

        Raises
        ------
        ValueError
            A row does not fit; it is named.
        """
        from cnnlab.nn import Sequential
        from cnnlab.nn.models.sketch import making

        make = making(rng, None, None, sketch=sketch)
        shape, layers = tuple(self.input_shape), []
        for i, row in enumerate(self.rows, 1):
            try:
                after = shape_after(row, shape)
            except ValueError as error:
                raise ValueError(f"row {i}: {error}") from None
            layers.append(_layer(row, shape, make))
            shape = after
        return Sequential(*layers)

    @traitlets.validate("rows")
    def _known_rows(self, proposal: Any) -> list[Row]:
        return known_rows(proposal["value"])

    @traitlets.validate("input_shape")
    def _known_input(self, proposal: Any) -> list[int]:
        return _known_shape(proposal["value"])


def _known_shape(shape: Sequence[int]) -> list[int]:
    sizes = [whole_number("input_shape", size, at_least=1) for size in shape]
    if not 1 <= len(sizes) <= 4:
        raise ValueError(f"input_shape={sizes}: expected (C, *spatial) with at most 3 spatial axes")
    return sizes


def _layer(row: Row, shape: Sequence[int], make: dict[str, Any]) -> Any:
    """Return the layer of a row that gets maps of this shape."""
    from cnnlab import nn

    kind, rank = row["kind"], max(1, len(shape) - 1)
    options = {name: value for name, value in row.items() if name != "kind"}
    for name in ("kernel_size", "stride", "padding", "dilation"):
        if isinstance(options.get(name), list):
            options[name] = tuple(options[name])
    if options.get("stride") == "kernel":
        options["stride"] = None
    if kind == "conv":
        return getattr(nn, f"Conv{rank}d")(shape[0], **options, **make)
    if kind in {"maxpool", "avgpool"}:
        name = "MaxPool" if kind == "maxpool" else "AvgPool"
        return getattr(nn, f"{name}{rank}d")(**options)
    if kind == "linear":
        return nn.Linear(shape[0], **options, **make)
    if kind == "batchnorm":
        return getattr(nn, f"BatchNorm{rank}d")(shape[0], **options)
    if kind == "dropout":
        return nn.Dropout(options["p"], rng=make["rng"])
    return nn.GlobalPool(options["how"]) if kind == "globalpool" else getattr(nn, _LAYERS[kind])()
