"""How functions are compiled by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function at its first call, once for each kind of arguments; what is compiled is kept on disk."""
    dispatcher: Function = njit(nogil=True, cache=True, error_model="numpy")(function)
    return dispatcher


def in_any_order(function: Function) -> Function:
    """Compile a function likewise, whose sums may be computed in any order: as sums of vectors."""
    dispatcher: Function = njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc"})(function)
    return dispatcher
