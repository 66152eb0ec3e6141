"""The geometry of a convolution layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from cnnlab.geometry.options import Padding, PaddingMode, channels_in_groups, known_padding_mode, whole_number
from cnnlab.geometry.remembered import remembered
from cnnlab.geometry.sources import check_long_enough, padded_sources
from cnnlab.geometry.window import WindowGeometry, split_channels


@dataclass(frozen=True, init=False)
class ConvGeometry(WindowGeometry):
    """Sizes, connections and costs of a convolution layer (deck rows D35–D50).

    Parameters
    ----------
    kernel : int or sequence of int
        Kernel size, one entry for each spatial axis; an int means one axis.
    stride, dilation : int or sequence of int
        Step between windows; distance between neighboring taps.
    padding : int, sequence of int or of pairs (before, after), "same" or "valid"
        Positions added at both ends of an axis. "same" needs stride 1 and adds the one more at the end (even kernels).
    groups : int
        Number of groups of channels that do not see each other.
    in_channels, out_channels : int
        Channels of input and output.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What stands in the padding.

    Raises
    ------
    TypeError, ValueError
        An option is no whole number, out of range, or does not fit the others.

    Examples
    --------
    The deck's worked example (D41–D43): ten 5×5 filters over 3×32×32 with padding 2.

    >>> layer = ConvGeometry((5, 5), padding=2, in_channels=3, out_channels=10)
    >>> layer.output_shape((3, 32, 32))
    (10, 32, 32)
    >>> layer.parameter_count(), layer.mac_count((3, 32, 32))
    (760, 768000)
    """

    groups: int
    in_channels: int
    out_channels: int
    padding_mode: PaddingMode

    def __init__(
        self,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        *,
        groups: int = 1,
        in_channels: int = 1,
        out_channels: int = 1,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__(kernel, stride, padding, dilation)
        self._set(
            groups=channels_in_groups(groups, in_channels=in_channels, out_channels=out_channels),
            in_channels=int(in_channels),
            out_channels=int(out_channels),
            padding_mode=known_padding_mode(padding_mode),
        )

    @classmethod
    def of_weight(
        cls,
        shape: Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        padding_mode: str = "zeros",
    ) -> ConvGeometry:
        """Return the geometry of a layer with weights of shape (C_out, C_in/groups, *kernel).

        Raises
        ------
        TypeError, ValueError
            As the class; also when the shape has fewer than three axes.
        """
        return _of_weight(cls, shape, (stride, padding, dilation, groups, padding_mode))

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights, (C_out, C_in/groups, *kernel)."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel)

    def sources(self, spatial: Sequence[int]) -> list[list[int | None]]:
        """Return, for every axis, the input position whose value stands at each padded position (`padded_sources`)."""
        return [padded_sources(n, *added, self.padding_mode) for n, added in zip(spatial, self.padding, strict=True)]

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the output's shape (N, C_out, *out) for an input of shape (N, C_in, *spatial); N may be missing.

        Raises
        ------
        ValueError
            The number of axes or channels is wrong, or the kernel is larger than the padded input.
        """
        return _output_shape(self, shape)

    def parameter_count(self, *, bias: bool = True) -> int:
        """Return the number of weights, with one bias an output channel unless ``bias=False`` (deck row D42)."""
        return prod(self.weight_shape) + (self.out_channels if bias else 0)

    def mac_count(self, shape: Sequence[int]) -> int:
        """Return the multiply-adds for an input of that shape: outputs × weights of one filter (deck row D43).

        Multiplications with zeros of the padding count; additions of the bias do not. With a batch axis in ``shape``
        the whole batch is counted.
        """
        return prod(self.output_shape(shape)) * prod(self.weight_shape[1:])


@remembered
def _of_weight(
    kind: type[ConvGeometry],
    shape: Sequence[int],
    options: tuple[int | Sequence[int], Padding, int | Sequence[int], int, str],
) -> ConvGeometry:
    stride, padding, dilation, groups, padding_mode = options
    if len(shape) < 3:
        raise ValueError(f"the weights have shape {tuple(shape)}: expected (C_out, C_in/groups, *kernel)")
    C_out, C_in_per_group, *kernel = shape
    return kind(
        kernel,
        stride,
        padding,
        dilation,
        groups=groups,
        in_channels=C_in_per_group * whole_number("groups", groups, at_least=1),
        out_channels=C_out,
        padding_mode=padding_mode,
    )


@remembered
def _output_shape(geometry: ConvGeometry, shape: Sequence[int]) -> tuple[int, ...]:
    batch, spatial = split_channels(shape, geometry.kernel, geometry.in_channels)
    for size, added in zip(spatial, geometry.padding, strict=True):
        check_long_enough(size, max(added), geometry.padding_mode)
    return (*batch, geometry.out_channels, *geometry.output_size(spatial))
