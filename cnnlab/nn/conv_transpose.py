"""Transposed convolution layers: one in any number of dimensions, and names that fix that number."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np

from cnnlab import ops
from cnnlab.backend import Array
from cnnlab.geometry import ConvTransposeGeometry
from cnnlab.geometry.options import per_axis, truth
from cnnlab.nn.checks import check_rank
from cnnlab.nn.init import generator, uniform_fan_in
from cnnlab.nn.module import Module
from cnnlab.nn.rank_name import rank_name


class ConvTranspose(Module):
    """A bank of kernels that each input lays out in the output, in `rank` dimensions: a convolution walked back.

    With the weights and options of a `Conv`, it is that layer's map from `dy` to `dx`: its adjoint. Names, order and
    defaults of the options are those of PyTorch.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input and of the output.
    kernel_size, stride, dilation
        One int for each spatial axis, or one for all. The stride is a step in the output.
    padding
        Likewise: positions cut off at both ends of each axis of the output.
    output_padding
        Likewise: positions added at the end of each axis, less than stride or dilation.
    groups
        Number of groups of channels that do not see each other.
    bias
        Whether to add one number for each output channel.
    padding_mode
        "zeros", the only one there is, as in PyTorch.
    rng
        Draws the starting values (see `cnnlab.nn.init`); freshly seeded by default.
    dtype, device
        Of the parameters; float32 on the current default device by default.

    Attributes
    ----------
    weight : Parameter
        Shape (in_channels, out_channels/groups, *kernel).
    bias : Parameter or None
        Shape (out_channels,).
    geometry : ConvTransposeGeometry
        Sizes, connections and costs of the layer.

    Raises
    ------
    TypeError, ValueError
        If an option is out of range or does not fit the others.
    """

    rank: ClassVar[int]

    def __init__(  # noqa: PLR0917  (the order of PyTorch)
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        *,
        rng: np.random.Generator | None = None,
        dtype: object = None,
        device: str | None = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                f'padding_mode (="{padding_mode}") must be "zeros" in a transposed convolution, whose padding is what '
                "is cut off: leave it out"
            )
        self.geometry = ConvTransposeGeometry(
            per_axis("kernel_size", kernel_size, self.rank, at_least=1),
            stride,
            padding,
            output_padding,
            dilation,
            groups=groups,
            in_channels=in_channels,
            out_channels=out_channels,
        )
        bias, rng = truth("bias", bias), generator(rng)
        shape = self.geometry.weight_shape
        fan_in = prod(shape[1:])  # of the adjoint, as in PyTorch
        self.weight = uniform_fan_in(shape, fan_in, rng=rng, dtype=dtype, device=device)
        bias_shape = (self.geometry.out_channels,)
        self.bias = uniform_fan_in(bias_shape, fan_in, rng=rng, dtype=dtype, device=device) if bias else None

    def forward(self, x: Array) -> Array:
        """Return y (N, C_out, *out) for x (N, C_in, *spatial)."""
        check_rank(type(self).__name__, x, self.rank)
        b = None if self.bias is None else self.bias.data
        y = ops.conv_transpose_forward(x, self.weight.data, b, **self._options())
        self.keep(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx (N, C_in, *spatial) for dy (N, C_out, *out)."""
        dx, dw, db = ops.conv_transpose_backward(dy, self.recall(), self.weight.data, **self._options())
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(db)
        return dx

    def extra_repr(self) -> str:
        """Return the sizes, and the options that differ from their defaults."""
        g, conv = self.geometry, self.geometry.adjoint
        parts = [f"{g.in_channels}, {g.out_channels}, kernel_size={conv.kernel}, stride={conv.stride}"]
        if any(map(any, conv.padding)):
            parts.append(f"padding={tuple(before for before, _ in conv.padding)}")
        if set(conv.dilation) != {1}:
            parts.append(f"dilation={conv.dilation}")
        if any(g.output_padding):
            parts.append(f"output_padding={g.output_padding}")
        if conv.groups != 1:
            parts.append(f"groups={conv.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)

    def _options(self) -> dict[str, Any]:
        conv = self.geometry.adjoint
        return {
            "stride": conv.stride,
            "padding": conv.padding,
            "output_padding": self.geometry.output_padding,
            "dilation": conv.dilation,
            "groups": conv.groups,
        }


@rank_name
class ConvTranspose1d(ConvTranspose):
    """Transposed convolution of x (N, C, T)."""

    rank = 1


@rank_name
class ConvTranspose2d(ConvTranspose):
    """Transposed convolution of x (N, C, H, W).

    Examples
    --------
    Twice the height and width:

    >>> layer = ConvTranspose2d(8, 3, 4, stride=2, padding=1)
    >>> layer(np.zeros((1, 8, 5, 6), dtype=np.float32)).shape
    (1, 3, 10, 12)
    """

    rank = 2


@rank_name
class ConvTranspose3d(ConvTranspose):
    """Transposed convolution of x (N, C, D, H, W)."""

    rank = 3
