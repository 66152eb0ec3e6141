"""Remembering results: a layer asks for the same sizes at each step."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def remembered(function: Function) -> Function:
    """Keep the results of a function of something hashable and of plain options.

    Options are looked up only where they are ints, strings or tuples of these: True and 1.0 equal 1, and are to be
    refused nevertheless.
    """
    known = lru_cache(maxsize=1024)(function)

    @wraps(function)
    def result(first: Any, *options: Any) -> Any:
        return (known if plain(options) else function)(first, *options)

    return cast("Function", result)


def plain(values: tuple[Any, ...]) -> bool:
    """Return whether all are ints, strings or tuples of these, and no kind of these.

    Examples
    --------
    >>> plain((1, "same", (2, (3, 4)))), plain((True,)), plain(([1, 2],))
    (True, False, False)
    """
    for value in values:
        kind = type(value)
        if kind is tuple:
            if not plain(value):
                return False
        elif kind is not int and kind is not str:
            return False
    return True
