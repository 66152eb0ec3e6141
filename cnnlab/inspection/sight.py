"""Which part of a net's input an array inside the net looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.geometry import ReceptiveField, WindowGeometry


@dataclass(frozen=True)
class Sight:
    """What the entries of one array see of the input.

    Attributes
    ----------
    each
        What one entry sees, and how far apart neighbors look.
    together
        What all entries see together, for a vector; None on a map, whose size is then needed.
    """

    each: ReceptiveField
    together: ReceptiveField | None = None

    @classmethod
    def of_input(cls, rank: int) -> Sight:
        """Return the sight of the input with so many spatial axes; without any it is a vector."""
        itself = ReceptiveField.of_input(rank)
        return cls(itself, None if rank else itself)

    def after(self, window: WindowGeometry) -> Sight | None:
        """Return what a map sees whose entries look at windows of this one."""
        return Sight(self.each.after(window)) if window.rank == len(self.each.field) else None

    def flat(self, spatial: Sequence[int], input_size: Sequence[int]) -> Sight:
        """Return the sight of a map of this spatial size, laid out as a vector."""
        return Sight(self.each, self.together or _joined(self.each, spatial, input_size))

    def joined(self) -> Sight:
        """Return what an entry sees that looks at the whole vector."""
        return Sight(self.together, self.together) if self.together else self

    def window(self, window: WindowGeometry) -> Sight | None:
        """Return the sight of the vector that one window of this map is."""
        above = self.after(window)
        return above and Sight(self.each, above.each)

    @property
    def jump(self) -> tuple[int, ...] | None:
        """Distance between what neighbors see; None where there are no neighbors."""
        return None if self.together else self.each.jump


def union(sights: Sequence[Sight]) -> Sight | None:
    """Return what entries see that look at one entry of each: the largest field, where one holds the others."""
    fields = [sight.each for sight in sights]
    if not fields or len({len(field.field) for field in fields}) > 1:
        return None
    start = tuple(min(axis) for axis in zip(*(field.start for field in fields), strict=True))
    ends = [[a + f for a, f in zip(field.start, field.field, strict=True)] for field in fields]
    stop = tuple(max(axis) for axis in zip(*ends, strict=True))
    each = ReceptiveField(
        field=tuple(b - a for a, b in zip(start, stop, strict=True)),
        jump=tuple(max(axis) for axis in zip(*(field.jump for field in fields), strict=True)),
        start=start,
    )
    vectors = [sight.together for sight in sights if sight.together]
    widest = max(vectors, key=lambda field: field.field, default=None)
    return Sight(each, widest)


def _joined(field: ReceptiveField, spatial: Sequence[int], input_size: Sequence[int]) -> ReceptiveField:
    """Return what all places of a map see together, as far as it lies in the input and not in the padding."""
    lows = [max(0, a) for a in field.start]
    highs = [
        min(size, a + (n - 1) * j + f)
        for size, a, n, j, f in zip(input_size, field.start, spatial, field.jump, field.field, strict=True)
    ]
    return ReceptiveField(
        field=tuple(high - low for low, high in zip(lows, highs, strict=True)), jump=field.jump, start=tuple(lows)
    )
