"""The geometry of a pooling layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.geometry.options import Padding
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

    Raises
    ------
    TypeError, ValueError
        An option is no whole number, out of range, or does not fit the others.

    Examples
    --------
    >>> PoolGeometry((2, 2)).output_shape((8, 3, 4, 5))
    (8, 3, 2, 2)
    """

    def __init__(
        self,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
    ) -> None:
        super().__init__(kernel, kernel if stride is None else stride, padding)
        for size, (before, after) in zip(self.kernel, self.padding, strict=True):
            if max(before, after) > size // 2:
                raise ValueError(
                    f"padding {max(before, after)} is more than half of the pooling kernel {size}: "
                    "a window could lie in the padding alone; pad less"
                )

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the output, (N, C, *out), for an input of shape (N, C, *spatial); N may be missing.

        Raises
        ------
        ValueError
            The number of axes is wrong, or the window is larger than the padded input.
        """
        batch, channels, spatial = split_shape(shape, self.kernel)
        return (*batch, channels, *self.output_size(spatial))

    def parameter_count(self) -> int:
        """Return 0: pooling learns nothing (deck row D52)."""
        return 0

    def mac_count(self, shape: Sequence[int]) -> int:
        """Return 0: pooling compares or adds, it has no multiply-adds. The shape is checked as in `output_shape`."""
        self.output_shape(shape)
        return 0
