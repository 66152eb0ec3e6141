"""What has to be computed: one correlation without padding, by its sizes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from math import prod
from typing import Literal, TypeAlias

import numpy as np

from cnnlab.kernels.arrays import Ints, correlation_size

NAMES = {np.dtype(name).char: name for name in ("float32", "float64")}  # to look up `dtype.name` takes 5 µs
Work: TypeAlias = Literal["forward", "grad_weight", "grad_input"]


@dataclass(frozen=True)
class Case:
    """A correlation y = w ⋆ x of an input that is padded already, or one of its gradients.

    The sizes are those of the correlation in all three. The gradient to the input can also be had from correlations of
    dy with flipped kernels (`cnnlab.kernels.passes_back`); those are cases of their own, with "forward" work.

    Attributes
    ----------
    batch, in_channels, out_channels, groups : int
        N, C_in, C_out and G.
    padded : tuple of int
        Spatial size of the input with its padding.
    kernel, stride, dilation : tuple of int
        One entry for each axis.
    dtype : str
        "float32" or "float64".
    work : {"forward", "grad_weight", "grad_input"}
    added : tuple of int
        How many positions of the padded input are zeros that were added, on each axis; empty for none.
    uneven : bool
        Whether more of them are on one side of an axis than on the other.
    """

    batch: int
    in_channels: int
    out_channels: int
    groups: int
    padded: Ints
    kernel: Ints
    stride: Ints
    dilation: Ints
    dtype: str
    work: Work = "forward"
    added: Ints = ()
    uneven: bool = False

    def __hash__(self) -> int:
        """Return the hash of all sizes, computed once: plans are looked up at each call."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(tuple(getattr(self, one.name) for one in fields(self)))

    @cached_property
    def out(self) -> Ints:
        """Spatial size of the output."""
        return correlation_size(self.padded, self.kernel, self.stride, self.dilation)

    @cached_property
    def positions(self) -> int:
        """Places in one map of the output, P."""
        return prod(self.out)

    @property
    def inputs(self) -> int:
        """Places in one map of the input, without the zeros that were added."""
        return prod(n - more for n, more in zip(self.padded, self.added or (0,) * len(self.padded), strict=True))

    @property
    def taps(self) -> int:
        """Taps of the kernel."""
        return prod(self.kernel)

    @property
    def depth(self) -> int:
        """Weights of one filter, K = C_in/G · taps: the inner size of the product."""
        return self.in_channels // self.groups * self.taps

    @property
    def filters(self) -> int:
        """Filters of one group."""
        return self.out_channels // self.groups

    @cached_property
    def macs(self) -> int:
        """Multiply-adds of the definition."""
        return self.batch * self.out_channels * self.positions * self.depth

    @cached_property
    def few_places(self) -> bool:
        """Whether there are more filters than places where each is used, in one group: threads then share channels.

        Those of the output or of the input, as `Algorithm.lays_out` says. With shared places each thread would prepare
        or read all filters, and their gradients be added up.
        """
        return self.groups == 1 and self.filters > self.batch * self.positions

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return np.dtype(self.dtype).itemsize

    @property
    def dense(self) -> bool:
        """Whether stride and dilation are 1."""
        return set(self.stride) | set(self.dilation) == {1}
