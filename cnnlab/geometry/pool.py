"""The geometry of a pooling layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.geometry.options import Padding, truth
from cnnlab.geometry.remembered import remembered
from cnnlab.geometry.sources import padded_sources
from cnnlab.geometry.window import WindowGeometry, split_shape


@dataclass(frozen=True, init=False)
class PoolGeometry(WindowGeometry):
    """Sizes and windows of a pooling layer (deck rows D51–D53).

    Parameters
    ----------
    kernel : int or sequence of int
        Window size, one entry for each spatial axis; an int means one axis.
    stride : int, sequence of int or None
        Step between windows; None means the kernel, so that windows touch and do not overlap.
    padding : int or sequence of int
        Positions added at both ends of an axis, at most half the kernel, so that no window lies in the padding alone.
    dilation : int or sequence of int
        Distance between neighboring taps of a window.
    ceil_mode : bool
        Whether a last window may reach beyond the padded input, so that no input is left over. It must start inside the
        input or in the padding before it.

    Raises
    ------
    TypeError, ValueError
        An option is no whole number, out of range, or does not fit the others.

    Examples
    --------
    >>> PoolGeometry((2, 2)).output_shape((8, 3, 4, 5))
    (8, 3, 2, 2)
    >>> PoolGeometry((2, 2), ceil_mode=True).output_shape((8, 3, 4, 5))
    (8, 3, 2, 3)
    """

    ceil_mode: bool

    def __init__(
        self,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel, kernel if stride is None else stride, padding, dilation)
        self._set(ceil_mode=truth("ceil_mode", ceil_mode))
        for size, (before, after) in zip(self.kernel, self.padding, strict=True):
            if max(before, after) > size // 2:
                raise ValueError(
                    f"padding {max(before, after)} is more than half of the pooling kernel {size}: "
                    "a window could lie in the padding alone; pad less"
                )

    @classmethod
    def of_options(
        cls,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] | None,
        padding: Padding,
        dilation: int | Sequence[int],
        *,
        ceil_mode: bool,
    ) -> PoolGeometry:
        """Return the geometry of these options, which is remembered: a layer asks at each step."""
        options = kernel, kernel if stride is None else stride, padding, dilation
        return _of_options(cls, options, "ceil" if truth("ceil_mode", ceil_mode) else "floor")

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the output, (N, C, *out), for an input of shape (N, C, *spatial); N may be missing.

        Raises
        ------
        ValueError
            The number of axes is wrong, an axis other than the batch is empty, or the window is larger than the padded
            input.
        """
        return _output_shape(self, shape)

    def tap_counts(self, spatial: Sequence[int], *, in_padding: bool) -> list[list[int]]:
        """Return, for every axis, how many taps of each window meet the input, or the input and its padding.

        A tap that reaches beyond the padding (`ceil_mode`) never counts. The taps of a window of several axes are the
        product of its counts.

        Examples
        --------
        Windows (padding 0 1), (1 2 3), (3 padding beyond):

        >>> pool = PoolGeometry(3, stride=2, padding=1, ceil_mode=True)
        >>> pool.tap_counts([4], in_padding=False), pool.tap_counts([4], in_padding=True)
        ([[2, 3, 1]], [[3, 3, 2]])
        """
        return [list(counts) for counts in _tap_counts(self, spatial, "padding" if in_padding else "input")]

    def sources(self, spatial: Sequence[int]) -> list[list[int | None]]:
        """Return, for every axis, the input position at each position of the padding, the input and what lies beyond.

        None stands where there is none (`padded_sources`).
        """
        beyond = [step - 1 if self.ceil_mode else 0 for step in self.stride]  # a window sticks out by less than a step
        axes = zip(spatial, self.padding, beyond, strict=True)
        return [padded_sources(n, before, after + more, "zeros") for n, (before, after), more in axes]

    def parameter_count(self) -> int:
        """Return 0: pooling learns nothing (deck row D52)."""
        return 0

    def mac_count(self, shape: Sequence[int]) -> int:
        """Return 0: pooling compares or adds, it has no multiply-adds. The shape is checked as in `output_shape`."""
        self.output_shape(shape)
        return 0

    def _window_count(self, axis: int, width: int) -> int:
        count = super()._window_count(axis, width)
        if not self.ceil_mode:
            return count
        before, after = self.padding[axis]
        next_start = count * self.stride[axis]
        last_stop = next_start - self.stride[axis] + self.extent[axis]
        return count + (last_stop < before + width + after and next_start < before + width)

    def taps_before(self, axis: int, offset: int) -> int:
        """Return how many taps of a window lie less than `offset` behind its start."""
        return min(max(-(-offset // self.dilation[axis]), 0), self.kernel[axis])


@remembered
def _of_options(
    kind: type[PoolGeometry],
    options: tuple[int | Sequence[int], int | Sequence[int], Padding, int | Sequence[int]],
    rounding: str,
) -> PoolGeometry:
    kernel, stride, padding, dilation = options
    return kind(kernel, stride, padding, dilation, ceil_mode=rounding == "ceil")


@remembered
def _output_shape(geometry: PoolGeometry, shape: Sequence[int]) -> tuple[int, ...]:
    batch, channels, spatial = split_shape(shape, geometry.kernel)
    if 0 in {channels, *spatial}:
        raise ValueError(f"the input {tuple(shape)} has nothing to pool: only the batch may be empty")
    return (*batch, channels, *geometry.output_size(spatial))


@remembered
def _tap_counts(geometry: PoolGeometry, spatial: Sequence[int], where: str) -> tuple[tuple[int, ...], ...]:
    counts = []
    for axis, windows in enumerate(geometry.output_size(spatial)):
        before, after = geometry.padding[axis]
        stop = before + spatial[axis]
        first, stop = (0, stop + after) if where == "padding" else (before, stop)
        starts = range(0, windows * geometry.stride[axis], geometry.stride[axis])
        taps = ((geometry.taps_before(axis, stop - a), geometry.taps_before(axis, first - a)) for a in starts)
        counts.append(tuple(inside - outside for inside, outside in taps))
    return tuple(counts)
