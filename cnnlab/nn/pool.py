"""Pooling layers: one of each kind in any number of dimensions, and names that fix that number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from cnnlab import ops
from cnnlab.backend import Array
from cnnlab.geometry import PoolGeometry
from cnnlab.geometry.options import per_axis, truth
from cnnlab.nn.checks import check_rank
from cnnlab.nn.module import Module
from cnnlab.nn.own_op import check_op
from cnnlab.nn.pool_op import PoolOp, checked_pool_op
from cnnlab.nn.rank_name import rank_name


class Pool(Module):
    """What the pooling layers share: their options, with the names and the order of PyTorch.

    Parameters
    ----------
    kernel_size
        Size of the window: one int for each spatial axis, or one for all.
    stride
        Step between windows; the kernel size by default, so that windows touch and do not overlap.
    padding
        Added at both ends of each axis, at most half the kernel size.
    dilation
        Only of max pooling: distance between neighboring positions of a window.
    ceil_mode
        Whether a last window may reach beyond the padded input, so that nothing is left over. It must start inside the
        input or in the padding before it.
    count_include_pad
        Only of average pooling: whether the zeros of the padding count.
    op
        Your own pooling (`PoolOp`), in place of the library's.

    Attributes
    ----------
    geometry : PoolGeometry
        Sizes and windows of the layer.

    Raises
    ------
    TypeError, ValueError
        If an option is no whole number, out of range, or does not fit the others, or has no place in an own `op`.
    """

    rank: ClassVar[int]
    how: ClassVar[str]  # as an own op is told it
    op: PoolOp | None

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = per_axis("kernel_size", kernel_size, self.rank, at_least=1)
        self.stride = self.kernel_size if stride is None else per_axis("stride", stride, self.rank, at_least=1)
        self.padding = per_axis("padding", padding, self.rank, at_least=0)
        self.geometry = PoolGeometry(self.kernel_size, self.stride, self.padding, dilation, ceil_mode=ceil_mode)
        self.ceil_mode = self.geometry.ceil_mode

    @property
    def options(self) -> dict[str, Any]:
        """The options by name, as the ops take them."""
        return {name: getattr(self, name) for name in ("kernel_size", "stride", "padding", "ceil_mode")}

    def extra_repr(self) -> str:
        """Return the sizes, and the options that differ from their defaults."""
        usual = {"dilation": (1,) * self.rank, "ceil_mode": False, "count_include_pad": True}
        shown = {name: value for name, value in self.options.items() if usual.get(name) != value}
        return ", ".join(f"{name}={value}" for name, value in (shown | ({"op": self.op} if self.op else {})).items())

    def forward(self, x: Array) -> Array:
        """Return y (N, C, *out) for x (N, C, *spatial)."""
        check_rank(type(self).__name__, x, self.rank)
        check_op(self.op, type(self).__name__, "nn.PoolOp(pool2d_forward, pool2d_backward)")
        if self.op is None:
            y = self._library_forward(x)
        else:
            y_shape = self.geometry.output_shape(x.shape)
            y = self.op.run_forward(x, self.kernel_size, self.stride, self.padding, how=self.how, y_shape=y_shape)
        self.keep(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx (N, C, *spatial): what each input gets of the dy (N, C, *out) of its windows."""
        x = self.recall()
        if self.op is None:
            return self._library_backward(dy, x)
        return self.op.run_backward(dy, x, self.kernel_size, self.stride, self.padding, how=self.how)

    def _library_forward(self, x: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has no forward: use a max or an average pooling")

    def _library_backward(self, dy: Array, x: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} has no backward: use a max or an average pooling")


class MaxPool(Pool):
    """The largest value of each window, in `rank` dimensions; for the options see `help(nn.pool.Pool)`.

    A tie goes to the first in row-major order, where its whole gradient goes too. The padding never wins.
    """

    how = "max"

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        *,  # in PyTorch return_indices comes here, which this layer does not have
        ceil_mode: bool = False,
        op: PoolOp | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
        self.dilation = self.geometry.dilation
        self.op = checked_pool_op(op, self.geometry)

    @property
    def options(self) -> dict[str, Any]:
        """The options by name, as the op takes them."""
        return super().options | {"dilation": self.dilation}

    def _library_forward(self, x: Array) -> Array:
        return ops.max_pool_forward(x, **self.options)

    def _library_backward(self, dy: Array, x: Array) -> Array:
        return ops.max_pool_backward(dy, x, **self.options)


class AvgPool(Pool):
    """The mean of each window, in `rank` dimensions; for the options see `help(nn.pool.Pool)`.

    Going back, each dy is dealt out to its window in equal shares. Zeros of the padding count unless
    `count_include_pad` is False.
    """

    how = "avg"

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        *,
        op: PoolOp | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode)
        self.count_include_pad = truth("count_include_pad", count_include_pad)
        self.op = checked_pool_op(op, self.geometry, padding_counts=self.count_include_pad)

    @property
    def options(self) -> dict[str, Any]:
        """The options by name, as the op takes them."""
        return super().options | {"count_include_pad": self.count_include_pad}

    def _library_forward(self, x: Array) -> Array:
        return ops.avg_pool_forward(x, **self.options)

    def _library_backward(self, dy: Array, x: Array) -> Array:
        return ops.avg_pool_backward(dy, x, **self.options)


@rank_name
class MaxPool1d(MaxPool):
    """The largest value of each window of x (N, C, T)."""

    rank = 1


@rank_name
class MaxPool2d(MaxPool):
    """The largest value of each window of x (N, C, H, W).

    Examples
    --------
    >>> import numpy as np
    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    rank = 2


@rank_name
class MaxPool3d(MaxPool):
    """The largest value of each window of x (N, C, D, H, W)."""

    rank = 3


@rank_name
class AvgPool1d(AvgPool):
    """The mean of each window of x (N, C, T)."""

    rank = 1


@rank_name
class AvgPool2d(AvgPool):
    """The mean of each window of x (N, C, H, W).

    Examples
    --------
    >>> import numpy as np
    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    rank = 2


@rank_name
class AvgPool3d(AvgPool):
    """The mean of each window of x (N, C, D, H, W)."""

    rank = 3
