"""Make known mistakes from one implementation with exchangeable parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnlab.checks.model import Mistake


def mistakes_from(
    assemble: Callable[..., Callable[..., Any]], *, of: str = "", result: str = ""
) -> Callable[..., Mistake]:
    """Return a function ``wrong(id, name, hints, **parts)`` that makes a `Mistake` with these parts exchanged.

    Parameters
    ----------
    assemble
        As in `cnnlab.checks.model.Function`.
    of, result
        As in `Mistake`.
    """

    def wrong(id: str, name: str, hints: tuple[str, str, str], **parts: Any) -> Mistake:  # noqa: A002
        return Mistake(id, name, hints, assemble(**parts), of=of, parts=parts, result=result)

    return wrong
