"""Receptive fields: which inputs an output looks at, through one layer or a stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnlab.geometry.window import WindowGeometry


@dataclass(frozen=True)
class ReceptiveField:
    """Output ``o`` looks at inputs ``start + o·jump`` to ``start + o·jump + field − 1``, on each axis.

    Dilation, or a stride longer than the kernel, leaves gaps inside. Positions below 0 or behind the last input lie in
    the padding.

    Attributes
    ----------
    field : tuple of int
        Input positions from the first to the last that one output looks at.
    jump : tuple of int
        Distance in the input between the fields of neighboring outputs.
    start : tuple of int
        First input position that output 0 looks at; negative with padding.
    """

    field: tuple[int, ...]
    jump: tuple[int, ...]
    start: tuple[int, ...]

    @classmethod
    def of_input(cls, rank: int) -> ReceptiveField:
        """Return the field of the input itself: every position looks at itself."""
        return cls(field=(1,) * rank, jump=(1,) * rank, start=(0,) * rank)

    def after(self, layer: WindowGeometry) -> ReceptiveField:
        """Return the field of the outputs of ``layer``, put on top of the layers so far.

        field + (extent − 1)·jump, jump·S and start − P·jump, from the values below the layer: the recurrence of Araujo,
        Norris and Sim, "Computing receptive fields of convolutional neural networks" (Distill, 2019). At stride 1 the
        field grows by K − 1 a layer: 1 + L·(K−1) after L layers (deck row D38).

        Raises
        ------
        ValueError
            The layer has another number of axes.
        """
        if layer.rank != len(self.field):
            raise ValueError(f"kernel {layer.kernel} has {layer.rank} axes, the layers below it have {len(self.field)}")
        return ReceptiveField(
            field=tuple(f + (e - 1) * j for f, e, j in zip(self.field, layer.extent, self.jump, strict=True)),
            jump=tuple(j * s for j, s in zip(self.jump, layer.stride, strict=True)),
            start=tuple(a - before * j for a, (before, _), j in zip(self.start, layer.padding, self.jump, strict=True)),
        )

    def inputs(self, output: Sequence[int]) -> tuple[range, ...]:
        """Return, for each axis, the input positions from the first to the last that one output looks at.

        Examples
        --------
        >>> ReceptiveField(field=(5,), jump=(2,), start=(-1,)).inputs([3])
        (range(5, 10),)
        """
        firsts = [a + o * j for a, o, j in zip(self.start, output, self.jump, strict=True)]
        return tuple(range(first, first + f) for first, f in zip(firsts, self.field, strict=True))


def receptive_field(layers: Sequence[WindowGeometry]) -> ReceptiveField:
    """Return the receptive field of a stack of layers in the input of the first.

    Parameters
    ----------
    layers : sequence of ConvGeometry or PoolGeometry
        From the input upwards, at least one.

    Returns
    -------
    ReceptiveField

    Raises
    ------
    ValueError
        There is no layer, or the layers differ in their number of axes.

    Examples
    --------
    Three layers of 3×3 see 7×7:

    >>> from cnnlab.geometry import ConvGeometry
    >>> receptive_field([ConvGeometry((3, 3))] * 3).field
    (7, 7)
    """
    if not layers:
        raise ValueError("a receptive field needs at least one layer")
    seen = ReceptiveField.of_input(layers[0].rank)
    for layer in layers:
        seen = seen.after(layer)
    return seen
