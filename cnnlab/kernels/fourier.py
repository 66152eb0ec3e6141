"""Products of spectra: a correlation is a product, number by number, after a Fourier transform.

Mathieu, Henaff and LeCun 2014, "Fast training of convolutional networks through FFTs". The cost of the transforms does
not depend on the size of the kernel, so large kernels gain. At each frequency the sum over channels is a product of
matrices.
"""

from __future__ import annotations

from math import log2, prod
from typing import Any

import numpy as np

from cnnlab.kernels.algorithm import Algorithm, register
from cnnlab.kernels.arrays import FloatArray, Ints, at
from cnnlab.kernels.case import Case


class Fourier(Algorithm):
    """Transform input and kernels, multiply at each frequency, transform back."""

    name = "fft"
    idea = "Fourier transforms of input and kernels, one product of matrices for each frequency"
    has_grad_weight = False
    tolerance = {"float32": 2e-5, "float64": 1e-12}  # noqa: RUF012

    def fault(self, case: Case) -> str | None:
        """Refuse strides and dilation, of which nothing would be gained."""
        return None if case.dense else f"stride {case.stride} and dilation {case.dilation} must be 1"

    def flops(self, case: Case) -> int:
        """Return the operations of the transforms and of the products of complex numbers."""
        points = prod(_sizes(case.padded))
        N, C, M, G = case.batch, case.in_channels, case.out_channels, case.groups
        transforms = N * C + N * M + M * C // G
        return int(2.5 * points * log2(max(points, 2)) * transforms + 8 * N * M * C // G * points / 2)

    def workspace(self, case: Case) -> int:
        """Return the bytes of the spectra, each kept twice for a moment."""
        points = prod(_sizes(case.padded)) // 2 + 1
        C, M = case.in_channels // case.groups, case.filters
        return 2 * points * (case.batch * (C + M) + C * M) * 2 * case.itemsize

    def prepare(self, w: FloatArray, case: Case) -> Any:
        """Return w: its spectrum depends on the size of the chunk."""
        del case
        return w

    def forward(self, x: FloatArray, weights: Any, b: FloatArray | None, y: FloatArray, case: Case) -> None:
        """Multiply the spectrum of x with the conjugate of the kernels', and transform back."""
        del case
        axes = tuple(range(2, x.ndim))
        sizes = _sizes(x.shape[2:])
        spectrum = _by_frequency(np.fft.rfftn(x, sizes, axes))  # (F, N, C)
        filters = _by_frequency(np.fft.rfftn(weights, sizes, axes).conj())  # (F, C_out, C)
        product = np.matmul(spectrum, filters.transpose(0, 2, 1))  # (F, N, C_out)
        frequencies = (*sizes[:-1], sizes[-1] // 2 + 1)
        product = np.moveaxis(product, 0, -1).reshape(*y.shape[:2], *frequencies)
        whole = np.fft.irfftn(product, sizes, axes)
        y[...] = whole[at(slice(0, n) for n in y.shape[2:])]
        if b is not None:
            y += b.reshape(-1, *[1] * len(axes))


def _by_frequency(spectrum: Any) -> Any:
    """Bring (N, C, *frequencies) to (F, N, C)."""
    return np.ascontiguousarray(np.moveaxis(spectrum.reshape(*spectrum.shape[:2], -1), -1, 0))


def _sizes(padded: Ints) -> Ints:
    """Return sizes that are no smaller and have only small prime factors: the others are slow to transform."""
    return tuple(_smooth(n) for n in padded)


def _smooth(n: int) -> int:
    while True:
        rest = n
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return n
        n += 1


register(Fourier())
