"""One filter for each channel: no product of matrices, but shifted inputs times one weight, added up.

Each tap shifts the whole map and multiplies it by one number for each channel. The maps are taken a few at a time, so
that they stay in the cache while all taps pass over them.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, windows
from cnnlab.kernels.case import Case
from cnnlab.kernels.workspace import workspace

MAP_BYTES = 128 * 2**10  # of the outputs that are worked on at a time


class Depthwise(Algorithm):
    """Shifted multiply-add, for kernels that see one channel."""

    name = "depthwise"
    idea = "each channel by itself: the shifted map times the weight of each tap, added up"
    grouped = True

    def fault(self, case: Case) -> str | None:
        """Refuse filters that see several channels."""
        seen = case.in_channels // case.groups
        return None if seen == 1 else f"each filter sees {seen} channels, not one"

    def workspace(self, case: Case) -> int:
        """Return the bytes of one tap's products."""
        return max(MAP_BYTES, case.positions * case.itemsize)

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return w as it is, (C_out, 1, *kernel)."""
        del case
        return w

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Add up what the taps contribute, a few maps at a time."""
        G, out, rank = case.groups, y.shape[2:], len(case.kernel)
        w = weights.reshape(G, -1, *case.kernel)  # (G, filters of one channel, *kernel)
        y = y.reshape(y.shape[0], G, -1, *out, copy=False)
        many = max(1, MAP_BYTES // (prod(out) * x.itemsize))
        with workspace.borrow((many * prod(out),), x.dtype) as memory:
            for n, first, f in product(range(len(x)), range(0, G, many), range(w.shape[1])):
                some = slice(first, min(first + many, G))
                seen = windows(x[n, some], case.kernel, out, case.stride, case.dilation)
                target, filters = y[n, some, f], w[some, f]
                term = memory[: target.size].reshape(target.shape)
                for i, tap in enumerate(np.ndindex(*case.kernel)):
                    weight = filters[(slice(None), *tap)].reshape(-1, *[1] * rank)
                    np.multiply(seen[(slice(None), *tap)], weight, out=term if i else target)
                    if i:
                        target += term
                if b is not None:
                    target += b.reshape(G, -1)[some, f].reshape(-1, *[1] * rank)

    def grad_weight(self, dy: FloatArray, x: FloatArray, dw: FloatArray, case: Case) -> None:
        """Add up the products of the gradient with the shifted input, for each tap and channel."""
        G, out, rank = case.groups, dy.shape[2:], len(case.kernel)
        dy = dy.reshape(dy.shape[0], G, -1, *out)
        dw = dw.reshape(G, -1, *case.kernel, copy=False)
        axes = "abcdefghij"[:rank]
        for n in range(len(x)):
            seen = windows(x[n], case.kernel, out, case.stride, case.dilation)
            for tap in np.ndindex(*case.kernel):
                shifted = seen[(slice(None), *tap)]
                dw[(slice(None), slice(None), *tap)] += np.einsum(f"gf{axes},g{axes}->gf", dy[n], shifted)


register(Depthwise())
