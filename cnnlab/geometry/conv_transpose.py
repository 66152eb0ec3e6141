"""The geometry of a transposed convolution: that of a convolution, from its output to its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from cnnlab.geometry.conv import ConvGeometry
from cnnlab.geometry.options import Padding, channels_in_groups, per_axis, whole_number
from cnnlab.geometry.window import Edge, Position, Slices, split_channels


@dataclass(frozen=True, init=False)
class ConvTransposeGeometry:
    """Sizes, connections and costs of a transposed convolution layer.

    It has the connections of a convolution, its adjoint, with input and output exchanged: what the convolution reads,
    this layer writes. So a stride makes the output larger, and padding is what is cut off at the output's ends.

    Parameters
    ----------
    kernel, stride, padding, dilation, groups
        Of the adjoint, as in `ConvGeometry`; padding in numbers only.
    output_padding : int or sequence of int
        Positions added at the end of each axis of the output, less than stride or dilation: with a stride, inputs of
        several sizes give the adjoint equally many windows, and this chooses among them.
    in_channels, out_channels : int
        Channels of input and output (of output and input of the adjoint).

    Attributes
    ----------
    adjoint : ConvGeometry
        The convolution that goes from this layer's output to its input.
    output_padding : tuple of int
        One entry for each axis.

    Raises
    ------
    TypeError, ValueError
        An option is no whole number, out of range, or does not fit the others.

    Examples
    --------
    Kernel 4, stride 2 and padding 1 double a picture.

    >>> layer = ConvTransposeGeometry((4, 4), stride=2, padding=1, in_channels=8, out_channels=3)
    >>> layer.output_shape((8, 5, 6)), layer.weight_shape
    ((3, 10, 12), (8, 3, 4, 4))
    """

    adjoint: ConvGeometry
    output_padding: tuple[int, ...]

    def __init__(
        self,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        output_padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        *,
        groups: int = 1,
        in_channels: int = 1,
        out_channels: int = 1,
    ) -> None:
        if isinstance(padding, str):
            raise ValueError(
                f"padding {padding!r} is unknown to a transposed convolution: give a number, or one an axis"
            )
        channels_in_groups(groups, in_channels=in_channels, out_channels=out_channels)  # by the names they have here
        adjoint = ConvGeometry(
            kernel, stride, padding, dilation, groups=groups, in_channels=out_channels, out_channels=in_channels
        )
        added = per_axis("output_padding", output_padding, adjoint.rank, at_least=0)
        for more, step, gap in zip(added, adjoint.stride, adjoint.dilation, strict=True):
            if more >= max(step, gap):
                raise ValueError(
                    f"output_padding (={more}) must be smaller than stride (={step}) or dilation (={gap}): "
                    "pad less or use a longer stride"
                )
        object.__setattr__(self, "adjoint", adjoint)  # the only way to fill a frozen dataclass
        object.__setattr__(self, "output_padding", added)

    @classmethod
    def of_weight(
        cls,
        shape: Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        output_padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
    ) -> ConvTransposeGeometry:
        """Return the geometry of a layer with weights of shape (C_in, C_out/groups, *kernel).

        Raises
        ------
        TypeError, ValueError
            As the class; also when the shape has fewer than three axes.
        """
        if len(shape) < 3:
            raise ValueError(f"the weights have shape {tuple(shape)}: expected (C_in, C_out/groups, *kernel)")
        C_in, C_out_per_group, *kernel = shape
        return cls(
            kernel,
            stride,
            padding,
            output_padding,
            dilation,
            groups=groups,
            in_channels=C_in,
            out_channels=C_out_per_group * whole_number("groups", groups, at_least=1),
        )

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.adjoint.out_channels

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.adjoint.in_channels

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights, (C_in, C_out/groups, *kernel): that of the adjoint."""
        return self.adjoint.weight_shape

    def output_size(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Return the spatial size of the output: of the adjoint's smallest input, plus `output_padding`.

        (n − 1)·S + D·(K−1) + 1 − 2P + output_padding on each axis (`cnnlab.geometry.WindowGeometry.input_size`).

        Raises
        ------
        ValueError
            The number of axes is wrong, one of them is empty, or the padding cuts everything off.
        """
        if len(spatial) != self.adjoint.rank or min(spatial) < 1:
            raise ValueError(
                f"the input has spatial axes {tuple(spatial)} and the kernel is {self.adjoint.kernel}: "
                "they must be equally many, and none of length 0"
            )
        smallest = self.adjoint.input_size(spatial)
        sizes = tuple(n + more for n, more in zip(smallest, self.output_padding, strict=True))
        if min(sizes) < 1:
            raise ValueError(
                f"padding {self.adjoint.padding} cuts off the whole output, {sizes} would remain: pad less"
            )
        return sizes

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the output's shape (N, C_out, *out) for an input of shape (N, C_in, *spatial); N may be missing.

        Raises
        ------
        ValueError
            The number of axes or channels is wrong, or as `output_size`.
        """
        batch, spatial = split_channels(shape, self.adjoint.kernel, self.in_channels)
        return (*batch, self.out_channels, *self.output_size(spatial))

    def taps(self, spatial: Sequence[int]) -> Iterator[tuple[Position, Slices]]:
        """Yield every tap with the part of the output, before padding is cut off, to which it carries the input.

        The part is a tuple of slices; it has the shape of the input.
        """
        return self.adjoint.taps(self.adjoint.input_size(spatial))

    def edges(self, spatial: Sequence[int]) -> Iterator[Edge]:
        """Yield every connection between an input and an output position: the adjoint's, with the ends exchanged.

        Examples
        --------
        >>> [tuple(edge) for edge in ConvTransposeGeometry(2).edges([2])]
        [((0,), (0,), (0,)), ((1,), (0,), (1,)), ((0,), (1,), (1,)), ((1,), (1,), (2,))]
        """
        for tap, inside, window in self.adjoint.edges(self.output_size(spatial)):
            # With output_padding of a stride or more (under dilation) the adjoint has windows that no input stands for.
            if all(o < n for o, n in zip(window, spatial, strict=True)):
                yield Edge(tap, window, inside)

    def parameter_count(self, *, bias: bool = True) -> int:
        """Return the number of weights, with one bias an output channel unless ``bias=False``."""
        return prod(self.weight_shape) + (self.out_channels if bias else 0)

    def mac_count(self, shape: Sequence[int]) -> int:
        """Return the multiply-adds for an input of that shape: inputs × weights that each of them meets.

        Those whose result the padding cuts off count.
        """
        self.output_shape(shape)
        return prod(shape) * prod(self.weight_shape[1:])
