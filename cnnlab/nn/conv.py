"""Convolution layers: one in any number of dimensions, and names that fix that number."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np

from cnnlab import ops
from cnnlab.backend import Array
from cnnlab.geometry import ConvGeometry
from cnnlab.geometry.options import Padding, per_axis, truth
from cnnlab.nn.checks import check_rank
from cnnlab.nn.conv_op import ConvOp, checked_op
from cnnlab.nn.init import generator, uniform_fan_in
from cnnlab.nn.module import Module
from cnnlab.nn.own_op import check_op
from cnnlab.nn.rank_name import rank_name


class Conv(Module):
    """A bank of filters that scan the input, in `rank` dimensions (cross-correlation: kernels are not flipped).

    Names, order and defaults of the options are those of PyTorch.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the input, and number of filters.
    kernel_size, stride, dilation
        One int for each spatial axis, or one for all.
    padding
        Likewise, or "same" (stride 1: the output has the size of the input) or "valid" (none).
    groups
        Number of groups of channels that do not see each other.
    bias
        Whether to add one number for each filter.
    padding_mode
        "zeros", "reflect", "replicate" or "circular".
    rng
        Draws the starting values (see `cnnlab.nn.init`); freshly seeded by default.
    dtype, device
        Of the parameters; float32 on the current default device by default.
    op
        Your own convolution (`ConvOp`), in place of the library's.

    Attributes
    ----------
    weight : Parameter
        Shape (out_channels, in_channels/groups, *kernel).
    bias : Parameter or None
        Shape (out_channels,).
    geometry : ConvGeometry
        Sizes, connections and costs of the layer.

    Raises
    ------
    TypeError, ValueError
        If an option is out of range or does not fit the others, or has no place in an own `op`.
    """

    rank: ClassVar[int]

    def __init__(  # noqa: PLR0917  (the order of PyTorch)
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: np.random.Generator | None = None,
        dtype: object = None,
        device: str | None = None,
        op: ConvOp | None = None,
    ) -> None:
        self.geometry = ConvGeometry(
            per_axis("kernel_size", kernel_size, self.rank, at_least=1),
            stride,
            padding,
            dilation,
            groups=groups,
            in_channels=in_channels,
            out_channels=out_channels,
            padding_mode=padding_mode,
        )
        self.op = checked_op(op)
        if op is not None and (faults := faults_for_own_op(self.geometry)):
            raise ValueError(
                f"a ConvOp computes with stride and zero padding only: {'; '.join(faults)}. "
                "Change the option or leave out op"
            )
        bias, rng = truth("bias", bias), generator(rng)
        shape = self.geometry.weight_shape
        fan_in = prod(shape[1:])
        self.weight = uniform_fan_in(shape, fan_in, rng=rng, dtype=dtype, device=device)
        self.bias = uniform_fan_in(shape[:1], fan_in, rng=rng, dtype=dtype, device=device) if bias else None

    def forward(self, x: Array) -> Array:
        """Return y (N, C_out, *out) for x (N, C_in, *spatial)."""
        return self._forward(x, relu=False)

    def forward_with_relu(self, x: Array) -> Array:
        """Return max(y, 0) in one pass, for a net that has a ReLU next; an own op computes y alone, and is refused."""
        if self.op is not None:
            raise TypeError(f"{type(self).__name__} has an op of its own, behind which a ReLU is a layer: call both")
        return self._forward(x, relu=True)

    def _forward(self, x: Array, *, relu: bool) -> Array:
        check_rank(type(self).__name__, x, self.rank)
        check_op(self.op, type(self).__name__, "nn.ConvOp(conv2d_forward, conv2d_backward)")
        y_shape = self.geometry.output_shape(x.shape)  # refuses an x that does not fit the layer
        w, b = self.weight.data, None if self.bias is None else self.bias.data
        if self.op is None:
            compute = ops.conv_relu_forward if relu else ops.conv_forward
            y = compute(x, w, b, **self._options())
        else:
            y = self.op.run_forward(x, w, b, *self._stride_and_padding(), y_shape=y_shape)
        self.keep(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx (N, C_in, *spatial) for dy (N, C_out, *out)."""
        x, w = self.recall(), self.weight.data
        if self.op is None:
            dx, dw, db = ops.conv_backward(dy, x, w, **self._options())
        else:
            bias = self.bias is not None
            dx, dw, db = self.op.run_backward(dy, x, w, *self._stride_and_padding(), bias=bias)
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(db)
        return dx

    def backward_parameters(self, dy: Array) -> None:
        """Go back without the gradient to the input; an own op computes it all the same."""
        if self.op is not None:
            self.backward(dy)
            return
        dw, db = ops.conv_backward_parameters(dy, self.recall(), self.weight.data, **self._options())
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(db)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that differ from their defaults."""
        g = self.geometry
        parts = [f"{g.in_channels}, {g.out_channels}, kernel_size={g.kernel}, stride={g.stride}"]
        if any(map(any, g.padding)):
            symmetric = all(before == after for before, after in g.padding)
            parts.append(f"padding={self._stride_and_padding()[1] if symmetric else g.padding}")
        if set(g.dilation) != {1}:
            parts.append(f"dilation={g.dilation}")
        if g.groups != 1:
            parts.append(f"groups={g.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if g.padding_mode != "zeros":
            parts.append(f"padding_mode={g.padding_mode}")
        if self.op is not None:
            parts.append(f"op={self.op}")
        return ", ".join(parts)

    def _options(self) -> dict[str, Any]:
        g = self.geometry
        return {
            "stride": g.stride,
            "padding": g.padding,
            "dilation": g.dilation,
            "groups": g.groups,
            "padding_mode": g.padding_mode,
        }

    def _stride_and_padding(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.geometry.stride, tuple(before for before, _ in self.geometry.padding)


def faults_for_own_op(geometry: ConvGeometry) -> list[str]:
    """Return what a layer needs beyond stride and equal zero padding at both ends, which is all an own op gets."""
    faults = []
    if set(geometry.dilation) != {1}:
        faults.append(f"dilation (={geometry.dilation}) must be 1")
    if geometry.groups != 1:
        faults.append(f"groups (={geometry.groups}) must be 1")
    if geometry.padding_mode != "zeros":
        faults.append(f'padding_mode (="{geometry.padding_mode}") must be "zeros"')
    if any(before != after for before, after in geometry.padding):
        faults.append(f"padding (={geometry.padding}) must be the same before and after each axis")
    return faults


@rank_name
class Conv1d(Conv):
    """Convolution of x (N, C, T).

    Examples
    --------
    >>> Conv1d(20, 32, 30)
    Conv1d(20, 32, kernel_size=(30,), stride=(1,))
    """

    rank = 1


@rank_name
class Conv2d(Conv):
    """Convolution of x (N, C, H, W).

    Examples
    --------
    >>> import numpy as np
    >>> layer = Conv2d(3, 10, 5, padding=2, rng=np.random.default_rng(0))
    >>> layer(np.zeros((1, 3, 32, 32), dtype=np.float32)).shape
    (1, 10, 32, 32)
    """

    rank = 2


@rank_name
class Conv3d(Conv):
    """Convolution of x (N, C, D, H, W)."""

    rank = 3
