"""The matrices of Winograd's minimal filtering F(m, r) for any number of outputs m and of taps r.

Correlating n = m + r - 1 inputs with r taps is the transpose of multiplying a polynomial with m coefficients by one
with r. Two polynomials can be evaluated at n points, multiplied there, and the product be found from its values (Toom
and Cook); at the point "infinity" the value is the leading coefficient. Transposed, the two evaluations give Aᵀ and G,
and the interpolation gives Bᵀ: y = Aᵀ [(G g) ⊙ (Bᵀ d)] takes n products in place of m·r (Winograd 1980, "Arithmetic
complexity of computations"; Lavin and Gray 2016, section 4.1).
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from cnnlab.kernels.arrays import FloatArray

Name: TypeAlias = Literal["input", "kernel", "output"]

# Small, and as many of either sign: the powers of large points lose digits.
POINTS = [Fraction(p) for p in ("0", "1", "-1", "2", "-2", "1/2", "-1/2")]


@cache
def matrix(name: Name, outputs: int, taps: int, dtype: np.dtype[Any], *, back: bool = False) -> FloatArray:
    """Return Bᵀ (n, n) for "input", G (n, taps) for "kernel" or Aᵀ (outputs, n) for "output"; `back` turns it."""
    points = POINTS[: outputs + taps - 2]
    rows = {"input": _interpolation, "kernel": _kernel, "output": _output}[name](points, outputs, taps)
    found = np.array([[float(number) for number in row] for row in rows]).astype(dtype)
    return np.ascontiguousarray(found.T) if back else found


def _interpolation(points: list[Fraction], outputs: int, taps: int) -> list[list[Fraction]]:
    del outputs, taps
    zero = Fraction(0)
    rows = [[*_with_zeros_at([q for q in points if q != p]), zero] for p in points]
    return [*rows, _with_zeros_at(points)]


def _kernel(points: list[Fraction], outputs: int, taps: int) -> list[list[Fraction]]:
    del outputs
    apart = [prod(p - q for q in points if q != p) for p in points]
    rows = [[p**i / distance for i in range(taps)] for p, distance in zip(points, apart, strict=True)]
    return [*rows, _leading(taps)]


def _output(points: list[Fraction], outputs: int, taps: int) -> list[list[Fraction]]:
    del taps
    infinity = _leading(outputs)
    return [[*(p**i for p in points), infinity[i]] for i in range(outputs)]


def _leading(size: int) -> list[Fraction]:
    return [Fraction(int(i == size - 1)) for i in range(size)]


def _with_zeros_at(points: list[Fraction]) -> list[Fraction]:
    """Return the coefficients of Π (t - p), that of t⁰ first."""
    found = [Fraction(1)]
    for p in points:
        found = [low - p * high for low, high in zip([Fraction(0), *found], [*found, Fraction(0)], strict=True)]
    return found
