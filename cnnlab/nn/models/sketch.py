"""Nets without numbers, for counting and drawing those that are too large to hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.nn.init import generator


class NoNumbers(np.random.Generator):
    """Draws zeros that take no memory: one number, seen at every place, which cannot be written to.

    A net built with it has all its shapes, but computes zeros and cannot be trained in place.

    Parameters
    ----------
    dtype
        Of the parameters that are drawn, so that they need not be converted, which would copy them.
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__(np.random.PCG64(0))
        self._zero = np.zeros((), "float32" if dtype is None else dtype)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Return zeros of the given shape."""
        return np.broadcast_to(self._zero, size)


def making(rng: np.random.Generator | None, dtype: object, device: str | None, *, sketch: bool) -> dict[str, Any]:
    """Return the keyword arguments with which the layers of a model are made."""
    if sketch:
        return {"rng": NoNumbers(dtype), "dtype": dtype, "device": "cpu"}
    return {"rng": generator(rng), "dtype": dtype, "device": device}
