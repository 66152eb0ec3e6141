"""A window that moves over an input: what convolution and pooling share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

from cnnlab.geometry.options import Padding, Pads, kernel_size, pads, per_axis, whole_number
from cnnlab.geometry.receptive import ReceptiveField
from cnnlab.geometry.sources import padded_sources

Position: TypeAlias = tuple[int, ...]  # one index for each spatial axis
Slices: TypeAlias = tuple[slice, ...]


class Edge(NamedTuple):
    """One connection: the input at ``input`` reaches the output at ``output`` through the weight at ``tap``."""

    tap: Position
    input: Position
    output: Position


@dataclass(frozen=True, init=False)
class WindowGeometry:
    """The positions that a moving window visits.

    Parameters
    ----------
    kernel : int or sequence of int
        Size of the window, one entry for each spatial axis. Its length is the rank; an int means one axis.
    stride : int or sequence of int
        Step between windows.
    padding : int, sequence of int or of pairs (before, after), "same" or "valid"
        Positions added at both ends of an axis. "same" needs stride 1.
    dilation : int or sequence of int
        Distance between neighboring taps.

    Attributes
    ----------
    kernel, stride, dilation : tuple of int
        One entry for each axis.
    padding : tuple of (int, int)
        Positions added before and after each axis.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Pads
    dilation: tuple[int, ...]

    def __init__(
        self,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
    ) -> None:
        sizes = kernel_size(kernel)
        steps = per_axis("stride", stride, len(sizes), at_least=1)
        gaps = per_axis("dilation", dilation, len(sizes), at_least=1)
        self._set(kernel=sizes, stride=steps, padding=pads(padding, sizes, steps, gaps), dilation=gaps)

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)  # the only way to fill a frozen dataclass

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel)

    @property
    def extent(self) -> tuple[int, ...]:
        """Input positions from the first tap to the last, D·(K−1) + 1 an axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def output_size(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Return the spatial size of the output for an input of spatial size ``spatial``.

        ⌊(W + 2P − D·(K−1) − 1)/S⌋ + 1 on each axis, with 2P the padding of both ends (deck rows D35, D36, D40).

        Raises
        ------
        ValueError
            The window is larger than the padded input, or the number of axes is wrong.
        """
        if len(spatial) != self.rank:
            raise ValueError(
                f"the input has {len(spatial)} spatial axes {tuple(spatial)} and the kernel {self.kernel} has "
                f"{self.rank}: they must agree"
            )
        sizes = tuple(self._window_count(axis, width) for axis, width in enumerate(spatial))
        for axis, size in enumerate(sizes):
            if size < 1:
                raise ValueError(self._too_large(axis, spatial[axis] + sum(self.padding[axis])))
        return sizes

    def input_size(self, windows: Sequence[int]) -> tuple[int, ...]:
        """Return the spatial size of the smallest input with so many windows: `output_size`, solved for the input.

        (n − 1)·S + D·(K−1) + 1 − 2P on each axis. With more padding than the windows need it is 0 or negative.

        Examples
        --------
        >>> layer = WindowGeometry(3, stride=2, padding=1)
        >>> layer.input_size([4]), layer.output_size([7]), layer.output_size([8])
        ((7,), (4,), (4,))
        """
        axes = zip(windows, self.stride, self.extent, self.padding, strict=True)
        return tuple((n - 1) * step + extent - sum(added) for n, step, extent, added in axes)

    def taps(self, spatial: Sequence[int]) -> Iterator[tuple[Position, Slices]]:
        """Yield every tap with the part of the padded input that it sees.

        The part is a tuple of slices; it has the shape of the output. Taps come in row-major order.

        Examples
        --------
        >>> for tap, seen in WindowGeometry(3, stride=2).taps([7]):
        ...     print(tap, seen)
        (0,) (slice(0, 5, 2),)
        (1,) (slice(1, 6, 2),)
        (2,) (slice(2, 7, 2),)
        """
        last = [(size - 1) * step for size, step in zip(self.output_size(spatial), self.stride, strict=True)]
        for tap in _positions(self.kernel):
            starts = [t * d for t, d in zip(tap, self.dilation, strict=True)]
            yield tap, tuple(slice(a, a + b + 1, s) for a, b, s in zip(starts, last, self.stride, strict=True))

    def inner_taps(self, spatial: Sequence[int]) -> Iterator[tuple[Position, Slices, Slices]]:
        """Yield every tap with the part of the input that it sees, padding left out, and the outputs that see it.

        For ops to which padding contributes nothing: both parts have the same shape and neither is padded.
        """
        outputs = self.output_size(spatial)
        for tap in _positions(self.kernel):
            offsets = [t * d - before for t, d, (before, _) in zip(tap, self.dilation, self.padding, strict=True)]
            both = [_inside(*axis) for axis in zip(offsets, self.stride, spatial, outputs, strict=True)]
            yield tap, tuple(seen for seen, _ in both), tuple(seers for _, seers in both)

    def windows(self, spatial: Sequence[int]) -> Iterator[tuple[Position, Slices]]:
        """Yield every output position with the window of the padded input that it looks at.

        The window is a tuple of slices; it has the shape of the kernel. Positions come in row-major order.

        Examples
        --------
        >>> for position, window in WindowGeometry(3, stride=2).windows([7]):
        ...     print(position, window)
        (0,) (slice(0, 3, 1),)
        (1,) (slice(2, 5, 1),)
        (2,) (slice(4, 7, 1),)
        """
        for position in _positions(self.output_size(spatial)):
            starts = [p * s for p, s in zip(position, self.stride, strict=True)]
            yield (
                position,
                tuple(slice(a, a + e, d) for a, e, d in zip(starts, self.extent, self.dilation, strict=True)),
            )

    def edges(self, spatial: Sequence[int]) -> Iterator[Edge]:
        """Yield every connection between an input and an output position.

        This is the definition of weight sharing: all edges with the same ``tap`` carry the same weight w[tap]. With it

        * forward ``y[output] += w[tap] · x[input]``,
        * weight gradient ``dw[tap] += dy[output] · x[input]`` (deck row D15: the sum over all tied edges),
        * input gradient ``dx[input] += w[tap] · dy[output]``.

        Zeros in the padding have no edge. In the other padding modes an edge leads to the input position whose value
        stands in the padding.

        Examples
        --------
        >>> [tuple(edge) for edge in WindowGeometry(2).edges([3])]
        [((0,), (0,), (0,)), ((1,), (1,), (0,)), ((0,), (1,), (1,)), ((1,), (2,), (1,))]
        """
        sources = self.sources(spatial)
        for output in _positions(self.output_size(spatial)):
            for tap in _positions(self.kernel):
                padded = [o * s + t * d for o, s, t, d in zip(output, self.stride, tap, self.dilation, strict=True)]
                position = tuple(axis[i] for axis, i in zip(sources, padded, strict=True))
                inside = tuple(i for i in position if i is not None)
                if len(inside) == self.rank:
                    yield Edge(tap, inside, output)

    def sources(self, spatial: Sequence[int]) -> list[list[int | None]]:
        """Return, for every axis, the input position whose value stands at each padded position (`padded_sources`)."""
        return [padded_sources(n, *added, "zeros") for n, added in zip(spatial, self.padding, strict=True)]

    def receptive_field(self) -> ReceptiveField:
        """Return which inputs one output of this layer looks at (deck row D37)."""
        return ReceptiveField.of_input(self.rank).after(self)

    def tap_count(self) -> int:
        """Return the number of taps, the product of the kernel's sizes."""
        return prod(self.kernel)

    def _window_count(self, axis: int, width: int) -> int:
        padded = width + sum(self.padding[axis])
        return (padded - self.extent[axis]) // self.stride[axis] + 1

    def _too_large(self, axis: int, padded: int) -> str:
        kernel, gap, extent = self.kernel[axis], self.dilation[axis], self.extent[axis]
        reach = f"kernel {kernel}" if gap == 1 else f"kernel {kernel} with dilation {gap} covers {extent} and"
        return f"{reach} is larger than the padded input {padded}: add padding or use a smaller kernel"


def split_shape(shape: Sequence[int], kernel: Sequence[int]) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    """Split (N, C, *spatial) or (C, *spatial) into the batch axis (or none), the channels and the spatial axes."""
    if not isinstance(shape, Sequence):
        raise TypeError(f"the shape of the input must be (N, C, *spatial) or (C, *spatial), not {shape!r}")
    rank = len(kernel)
    if len(shape) not in {rank + 1, rank + 2}:
        raise ValueError(
            f"an input of shape {tuple(shape)} does not fit kernel {tuple(kernel)}: expected (N, C, *spatial) with "
            f"{rank} spatial axes"
        )
    sizes = tuple(whole_number("a size of the input", size, at_least=0) for size in shape)
    return sizes[: -rank - 1], sizes[-rank - 1], sizes[-rank:]


def split_channels(
    shape: Sequence[int], kernel: Sequence[int], in_channels: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split as `split_shape` into batch axis and spatial axes, for a layer that takes so many channels."""
    batch, channels, spatial = split_shape(shape, kernel)
    if channels != in_channels:
        raise ValueError(
            f"the input {tuple(shape)} has {channels} channels and the layer has in_channels={in_channels}: "
            "build the layer for the input, or bring the channels in front of the spatial axes"
        )
    return batch, spatial


def _inside(offset: int, step: int, width: int, outputs: int) -> tuple[slice, slice]:
    """Return the inputs that lie at offset + o·step inside one axis, and the outputs o that they belong to."""
    first = max(0, -(offset // step))  # the first output whose input position is not negative
    stop = min(outputs, (width - 1 - offset) // step + 1)
    if stop <= first:
        return slice(0, 0), slice(0, 0)
    return slice(offset + first * step, offset + (stop - 1) * step + 1, step), slice(first, stop)


def _positions(sizes: Sequence[int]) -> Iterator[Position]:
    return product(*map(range, sizes))
