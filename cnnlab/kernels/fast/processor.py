"""Whether the compiled kernels can run here: on this processor, with the packages that there are."""

from __future__ import annotations

from functools import lru_cache

from cnnlab.kernels import workers
from cnnlab.kernels.case import Case


@lru_cache(maxsize=1)
def refusal() -> str | None:
    """Return why the compiled kernels cannot be used here, if so; the first call imports numba."""
    try:
        from cnnlab.kernels.fast import vectors
    except ImportError as error:  # it refuses a NumPy that is newer than it knows
        return f"numba does not start: {error}"
    if not vectors.LANES:
        return "this processor has neither AVX-512 nor AVX2"
    try:
        from cnnlab.kernels.fast import spin  # numba looks for a place for what it compiles
    except RuntimeError as error:  # nothing may be written: it would be compiled anew in each process
        return f"there is no place to keep compiled kernels: {error}"
    workers.spin = spin
    return None


@lru_cache(maxsize=1)
def lanes() -> int:
    """Return how many floats the registers of this processor hold."""
    from cnnlab.kernels.fast import vectors

    return vectors.LANES


def fault(case: Case) -> str | None:
    """Return why no micro-kernel can compute the case."""
    if case.dtype != "float32":
        return f"the dtype is {case.dtype}, not float32"
    if len(case.kernel) > 3:
        return f"there are {len(case.kernel)} spatial axes, more than 3"
    return refusal()
