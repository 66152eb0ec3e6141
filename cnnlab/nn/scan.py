"""One network at every place of a larger input."""

from __future__ import annotations

from collections.abc import Sequence

from cnnlab import ops
from cnnlab.backend import Array, namespace
from cnnlab.geometry import WindowGeometry
from cnnlab.geometry.options import per_axis
from cnnlab.nn.checks import check_rank
from cnnlab.nn.module import Module


class Scan(Module):
    """Apply `module` to every full window of the input (deck rows D05 to D10).

    The scan is one giant network of identical subnets: the same parameters work at every place, and their gradients
    add up over all places. All windows of the batch go through `module` together, as its batch; for an input of N
    examples with P places that takes N · P · (size of a window) numbers of memory, so give it batches.

    Parameters
    ----------
    module
        Takes windows flattened in C order of (C, *kernel), shape (N·P, C·K), and returns (N·P, outputs).
    kernel_size
        Size of the window: one int for each spatial axis, or one for all.
    stride
        Step between windows, likewise.

    Raises
    ------
    TypeError, ValueError
        If `module` is no Module, or a size is not a whole number of 1 or more.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlab.nn.mlp import mlp
    >>> scan = Scan(mlp([20 * 30, 32, 1]), 30)
    >>> scan(np.zeros((2, 20, 200), dtype=np.float32)).shape
    (2, 1, 171)
    """

    def __init__(self, module: Module, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1) -> None:
        if not isinstance(module, Module):
            raise TypeError(
                f"Scan needs a Module, not a {type(module).__name__}: build one, such as nn.mlp([600, 32, 1])"
            )
        self.module = module
        self.kernel_size = tuple(kernel_size) if isinstance(kernel_size, Sequence) else kernel_size
        self.stride = tuple(stride) if isinstance(stride, Sequence) else stride
        # An int holds for any number of axes, which only the input tells; wrong sizes are refused here already.
        self._geometry(max(len(v) if isinstance(v, tuple) else 1 for v in (self.kernel_size, self.stride)))

    def forward(self, x: Array) -> Array:
        """Return y (N, outputs, *positions) for x (N, C, *spatial)."""
        rank = len(self.kernel_size) if isinstance(self.kernel_size, tuple) else max(x.ndim - 2, 1)
        check_rank("Scan", x, rank)
        geometry = self._geometry(rank)
        N, positions = x.shape[0], geometry.output_size(x.shape[2:])
        windows = ops.windows_forward(x, geometry.kernel, stride=geometry.stride)  # (N, P, C·K)
        xp = namespace(windows)
        y = self.module(xp.reshape(windows, (-1, windows.shape[-1])))  # (N·P, outputs)
        if y.ndim != 2:
            raise ValueError(f"the scanned module returned shape {tuple(y.shape)}: it must return (windows, outputs)")
        self.keep(x)
        return xp.moveaxis(xp.reshape(y, (N, *positions, y.shape[1])), -1, 1)

    def backward(self, dy: Array) -> Array:
        """Return dx (N, C, *spatial) for dy (N, outputs, *positions)."""
        x = self.recall()
        geometry = self._geometry(x.ndim - 2)
        dwindows = self.module.backward(_by_place(dy))  # (N·P, C·K)
        dwindows = namespace(dy).reshape(dwindows, (x.shape[0], -1, x.shape[1] * geometry.tap_count()))
        return ops.windows_backward(dwindows, x, geometry.kernel, stride=geometry.stride)

    def backward_parameters(self, dy: Array) -> None:
        """Go back without the gradient to the input."""
        self.recall()
        self.module.backward_parameters(_by_place(dy))

    def _geometry(self, rank: int) -> WindowGeometry:
        return WindowGeometry(per_axis("kernel_size", self.kernel_size, rank, at_least=1), self.stride)

    def extra_repr(self) -> str:
        """Return the window's size and step."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}"


def _by_place(dy: Array) -> Array:
    """Return dy (N, outputs, *positions) as the scanned module returned it, (N·P, outputs)."""
    xp = namespace(dy)
    return xp.reshape(xp.moveaxis(dy, 1, -1), (-1, dy.shape[1]))
