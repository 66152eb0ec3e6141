"""Rows of the table: what a reader may pass, brought to one form, and what they make of a shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

from cnnlab.demos.nets import layers_in_order
from cnnlab.geometry import PADDING_MODES, ConvGeometry, PoolGeometry
from cnnlab.geometry.options import whole_number

Row: TypeAlias = dict[str, Any]

MOST_ROWS = 200

# Options of each kind in the order of PyTorch, with their defaults; None where a number must be given.
OPTIONS: dict[str, dict[str, Any]] = {
    "conv": {
        "out_channels": None,
        "kernel_size": None,
        "stride": 1,
        "padding": 0,
        "dilation": 1,
        "groups": 1,
        "bias": True,
        "padding_mode": "zeros",
    },
    "maxpool": {"kernel_size": None, "stride": "kernel", "padding": 0, "dilation": 1, "ceil_mode": False},
    "avgpool": {
        "kernel_size": None,
        "stride": "kernel",
        "padding": 0,
        "ceil_mode": False,
        "count_include_pad": True,
    },
    "relu": {},
    "tanh": {},
    "sigmoid": {},
    "batchnorm": {"affine": True},
    "dropout": {"p": 0.5},
    "flatten": {},
    "globalpool": {"how": "mean"},
    "linear": {"out_features": None, "bias": True},
}
_AT_LEAST = {
    "out_channels": 1,
    "out_features": 1,
    "groups": 1,
    "kernel_size": 1,
    "stride": 1,
    "padding": 0,
    "dilation": 1,
}
_PER_AXIS = {"kernel_size", "stride", "padding", "dilation"}
_CLASSES = {
    "Conv": "conv",
    "MaxPool": "maxpool",
    "AvgPool": "avgpool",
    "ReLU": "relu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "BatchNorm": "batchnorm",
    "Dropout": "dropout",
    "Flatten": "flatten",
    "GlobalPool": "globalpool",
    "Linear": "linear",
}


def known_row(given: Any) -> Row:
    """Return a row with all options of its kind, or say what is wrong with it.

    Parameters
    ----------
    given : str, tuple or dict
        A kind without options, as "relu"; (kind, options …) in PyTorch's order without the number of inputs, as
        ("conv", 10, 5, 1, 2); or a dict with "kind".

    Raises
    ------
    TypeError, ValueError
        The kind or an option is unknown, missing or out of range.
    """
    if isinstance(given, Mapping):
        values = dict(given)
    else:
        parts = [given] if isinstance(given, str) else list(given)
        kind = parts[0] if parts else None
        names = list(OPTIONS.get(kind, {})) if isinstance(kind, str) else []
        if len(parts) - 1 > len(names) and names:
            raise ValueError(f"{given!r} has {len(parts) - 1} options: {kind} takes {', '.join(names)}")
        values = dict(zip(("kind", *names), parts, strict=False))
    kind = values.pop("kind", None)
    if kind not in OPTIONS:
        raise ValueError(f"kind {kind!r} is unknown: choose one of {', '.join(OPTIONS)}")
    options = OPTIONS[kind]
    if unknown := [name for name in values if name not in options]:
        raise ValueError(f"{kind} has no option {unknown[0]!r}: it has {', '.join(options) or 'none'}")
    row = {"kind": kind, **options, **{name: value for name, value in values.items() if value is not None}}
    for name, value in row.items():
        row[name] = _known_option(name, value)
    return row


def _known_option(name: str, value: Any) -> Any:
    if value is None:
        raise ValueError(f"{name} is missing")
    if (name, value) in (("stride", "kernel"), ("padding", "same")):
        return value
    if name in _PER_AXIS and isinstance(value, Sequence) and not isinstance(value, str):
        sizes = [whole_number(name, size, at_least=_AT_LEAST[name]) for size in value]
        if not 1 <= len(sizes) <= 3:
            raise ValueError(f"{name}={sizes}: expected one number, or one for each of at most 3 axes")
        return sizes[0] if len(set(sizes)) == 1 else sizes
    if name in _AT_LEAST:
        return whole_number(name, value, at_least=_AT_LEAST[name])
    if name in {"bias", "ceil_mode", "count_include_pad", "affine"} and not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    if name == "p" and not (isinstance(value, (int, float)) and 0 <= value < 1):
        raise ValueError(f"p={value!r}: expected a share of at least 0 and less than 1")
    if name == "how" and value not in {"mean", "max"}:
        raise ValueError(
            f'how={value!r}: choose "mean" or "max", whose sizes and costs are the same as those of others'
        )
    if name == "padding_mode" and value not in PADDING_MODES:
        raise ValueError(f"padding_mode={value!r}: choose one of {', '.join(PADDING_MODES)}")
    return value


def known_rows(given: Sequence[Any]) -> list[Row]:
    """Return each row as `known_row` does; an error names the row, counted from 1 as in the table."""
    rows = []
    for i, row in enumerate(given, 1):
        try:
            rows.append(known_row(row))
        except (TypeError, ValueError) as error:
            raise type(error)(f"row {i}: {error}") from None
    if not 1 <= len(rows) <= MOST_ROWS:
        raise ValueError(f"rows has {len(rows)} entries: expected 1 to {MOST_ROWS}")
    return rows


def rows_of_net(net: Any, input_shape: Sequence[int]) -> list[Row]:
    """Return the rows of a net whose layers follow one another, after checking that it takes this input.

    Raises
    ------
    ValueError
        A layer has no row, or takes another number of channels or features than it gets.
    """
    rows: list[Row] = []
    shape: tuple[int, ...] = tuple(input_shape)
    for name, layer in layers_in_order(net):
        row = _row_of_layer(layer, name)
        takes = getattr(layer, "in_features", None) or getattr(layer, "num_features", None)
        takes = layer.geometry.in_channels if row["kind"] == "conv" else takes
        if takes is not None and takes != shape[0]:
            raise ValueError(
                f"layer {name or 'at the top'} ({type(layer).__name__}) takes {takes} channels or features and gets "
                f"{shape[0]} of {shape}: give the input_shape that the net is made for"
            )
        try:
            shape = shape_after(row, shape)
        except ValueError as error:
            raise ValueError(f"layer {name or 'at the top'} ({type(layer).__name__}): {error}") from None
        rows.append(row)
    return rows


def _row_of_layer(layer: Any, name: str) -> Row:
    kind = _CLASSES.get(re.sub(r"[123]d$", "", type(layer).__name__))
    where = f"layer {name or 'at the top'} ({type(layer).__name__})"
    if kind is None:
        raise ValueError(f"{where} has no row in the table: it holds {', '.join(OPTIONS)}")
    values: dict[str, Any] = {"kind": kind}
    for option in OPTIONS[kind]:
        values[option] = getattr(layer, option, None)
    if kind == "conv":
        g = layer.geometry
        values |= {"out_channels": g.out_channels, "kernel_size": g.kernel, "stride": g.stride, "dilation": g.dilation}
        values |= {"groups": g.groups, "padding_mode": g.padding_mode, "padding": _padding_of(g, where)}
    if "bias" in values:
        values["bias"] = layer.bias is not None
    try:
        return known_row(values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _padding_of(geometry: ConvGeometry, where: str) -> str | list[int]:
    if all(before == after for before, after in geometry.padding):
        return [before for before, _ in geometry.padding]
    if set(geometry.stride) == {1}:
        same = ConvGeometry(geometry.kernel, padding="same", dilation=geometry.dilation)
        if geometry.padding == same.padding:
            return "same"
    raise ValueError(f'{where} has padding {geometry.padding}: the table holds equal padding on both sides, or "same"')


def geometry_of(row: Row, shape: Sequence[int]) -> ConvGeometry | PoolGeometry:
    """Return the geometry of a convolution or a pool on an input of shape (C, *spatial).

    Raises
    ------
    ValueError
        The options do not fit the number of axes or channels.
    """
    rank = len(shape) - 1
    if not 1 <= rank <= 3:
        raise ValueError(f"{row['kind']} needs maps (C, *spatial) with 1 to 3 axes, not {tuple(shape)}")
    kernel = row["kernel_size"]
    kernel = (kernel,) * rank if isinstance(kernel, int) else tuple(kernel)
    if len(kernel) != rank:
        raise ValueError(f"kernel_size {kernel} has {len(kernel)} entries for {rank} spatial axes: give one for each")
    if row["kind"] == "conv":
        names = ("stride", "padding", "dilation", "groups", "padding_mode")
        options = {name: row[name] for name in names}
        return ConvGeometry(kernel, **options, in_channels=shape[0], out_channels=row["out_channels"])
    stride = None if row["stride"] == "kernel" else row["stride"]
    return PoolGeometry(kernel, stride, row["padding"], row.get("dilation", 1), ceil_mode=row["ceil_mode"])


def shape_after(row: Row, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of the output of a row, without the batch axis.

    Raises
    ------
    ValueError
        The row does not fit the shape.
    """
    kind = row["kind"]
    if kind in {"conv", "maxpool", "avgpool"}:
        return geometry_of(row, shape).output_shape(tuple(shape))
    if kind == "flatten":
        return (prod(shape),)
    if kind == "globalpool":
        if len(shape) < 2:
            raise ValueError(f"globalpool needs maps (C, *spatial), not {tuple(shape)}")
        return (shape[0],)
    if kind == "linear":
        if len(shape) != 1:
            raise ValueError(f"linear takes a vector, not maps {tuple(shape)}: put a flatten before it")
        return (row["out_features"],)
    if kind == "batchnorm" and len(shape) > 4:
        raise ValueError(f"batchnorm takes at most 3 spatial axes, not {tuple(shape)}")
    return tuple(shape)
