"""A convolution as data: input, filters, bias and options in one form, with or without batch and channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.inputs import numbers
from cnnlab.demos.pack import pack
from cnnlab.geometry import ConvGeometry

_RANKS = (1, 2, 3, 4, 5)


def read_convolution(
    x: ArrayLike | None,
    w: ArrayLike | None,
    b: ArrayLike | None,
    expected: tuple[int, ...],
    *,
    stride: int | Sequence[int],
    padding: Any,
    dilation: int | Sequence[int],
    groups: int,
) -> dict[str, Any] | None:
    """Return what the browser needs to go through the sums, or None without x and w.

    Raises
    ------
    ValueError
        Only some are given, shapes and options do not fit, or they give an output of another shape than expected.
    """
    if x is None and w is None and b is None:
        return None
    if x is None or w is None:
        missing = "x" if x is None else "w"
        raise ValueError(f"{missing} is missing: a convolution is stepped through with x and w; pass both or neither")
    image, kernel = (numbers(a, name, ndim=_RANKS, dtype=np.float64) for a, name in ((x, "x"), (w, "w")))
    plain = kernel.ndim <= 2
    if plain:
        if image.ndim != kernel.ndim:
            raise ValueError(f"x has shape {image.shape} and w {kernel.shape}: without channels they have as many axes")
        image, kernel = image[None, None], kernel[None, None]
    rank = kernel.ndim - 2
    if image.ndim not in {rank + 1, rank + 2}:
        raise ValueError(
            f"x has shape {image.shape} and w {kernel.shape}: "
            "expected x of shape (N, C_in, *spatial) or (C_in, *spatial)"
        )
    batch = image.ndim == rank + 2
    image = image if batch else image[None]
    geometry = ConvGeometry(
        kernel.shape[2:],
        stride if isinstance(stride, Sequence) else (stride,) * rank,
        padding if isinstance(padding, str | Sequence) else (padding,) * rank,
        dilation if isinstance(dilation, Sequence) else (dilation,) * rank,
        groups=groups,
        in_channels=image.shape[1],
        out_channels=kernel.shape[0],
    )
    if kernel.shape != geometry.weight_shape:
        raise ValueError(f"w has shape {kernel.shape}: x and groups={groups} need {geometry.weight_shape}")
    output = geometry.output_shape(image.shape)
    shape = output[2:] if plain else output if batch else output[1:]
    if shape != expected:
        raise ValueError(f"x, w and the options give an output of shape {shape}, but expected has {expected}")
    return {
        "x": pack(image, "float64"),
        "w": pack(kernel, "float64"),
        "b": None if b is None else _bias(b, kernel.shape[0]).tolist(),
        "axes": [
            {"kernel": k, "stride": s, "before": before, "after": after, "dilation": d}
            for k, s, (before, after), d in zip(
                geometry.kernel, geometry.stride, geometry.padding, geometry.dilation, strict=True
            )
        ],
        "groups": geometry.groups,
        "shape": [int(n) for n in output],
        "plain": plain,
        "batch": batch and not plain,
    }


def _bias(b: ArrayLike, filters: int) -> NDArray[np.float64]:
    bias = numbers(np.atleast_1d(np.asarray(b)), "b", ndim=1, dtype=np.float64)
    if bias.shape != (filters,):
        raise ValueError(f"b has shape {bias.shape}: expected one number for each of the {filters} filters")
    return bias
