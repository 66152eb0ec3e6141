"""Memory for large results, which is used again when nobody holds them any more.

Fresh memory is slow: the system hands it out page by page at the first touch, and takes large pieces back as soon as
they are free. A training step makes the same large arrays again and again. So the memory of a result that nobody can
reach any more is kept for the next one of its size, up to a limit; as long as the array or a view of it lives, the
memory is its own.
"""

from __future__ import annotations

from collections import deque
from math import prod
from typing import Any

import numpy as np

from cnnlab.kernels.arrays import FloatArray, Ints
from cnnlab.kernels.workspace import Workspace, workspace

LEAST_BYTES = 128 * 2**10  # smaller pieces the system's allocator keeps by itself
_GRAIN = 64 * 2**10
_LINE = 64  # bytes: a vector that crosses the end of one takes two accesses

_Piece = tuple[np.ndarray[tuple[int], np.dtype[np.uint8]], int]  # memory, and the first line in it


class Results:
    """Pieces of memory by their size.

    A piece may come back at any moment, in any thread, and between any two steps here: so each step is one operation
    of a dict or a deque, and there is no lock.
    """

    def __init__(self, memory: Workspace) -> None:
        self._memory = memory  # whose limit holds here too
        self._free: dict[int, deque[_Piece]] = {}

    @property
    def kept(self) -> int:
        """Bytes that lie ready."""
        return sum([room * len(pieces) for room, pieces in list(self._free.items())])

    def empty(self, shape: Ints, dtype: np.dtype[Any]) -> FloatArray:
        """Return an array with any numbers in it."""
        size = prod(shape) * dtype.itemsize
        if size < LEAST_BYTES:
            return np.empty(shape, dtype)
        room = -(-size // _GRAIN) * _GRAIN
        try:
            piece = self._free[room].pop()
        except (KeyError, IndexError):
            memory = np.empty(room + _LINE, np.uint8)
            address = memory.ctypes.data
            piece = memory, address + -address % _LINE
        return np.asarray(_Lease(self, piece, room, shape, dtype))

    def zeros(self, shape: Ints, dtype: np.dtype[Any]) -> FloatArray:
        """Return an array of zeros."""
        array = self.empty(shape, dtype)
        array.fill(0)
        return array

    def contiguous(self, array: FloatArray) -> FloatArray:
        """Return the array, or a copy of one that does not lie in a row."""
        if array.flags.c_contiguous:
            return array
        copy = self.empty(array.shape, array.dtype)
        np.copyto(copy, array)
        return copy

    def take_back(self, piece: _Piece, room: int) -> None:
        """Keep a piece for the next result of its size; where that would be too much, let go of all others."""
        if self.kept + room > self._memory.limit:
            self.clear()
        if room <= self._memory.limit:
            self._free.setdefault(room, deque()).append(piece)

    def clear(self) -> None:
        """Let go of all that lies ready."""
        self._free.clear()


class _Lease:
    """What an array has as its base: the piece comes back when the last array that lies in it is gone."""

    __slots__ = ("__array_interface__", "_owner", "_piece", "_room")

    def __init__(self, owner: Results, piece: _Piece, room: int, shape: Ints, dtype: np.dtype[Any]) -> None:
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": dtype.str, "data": (piece[1], False)}
        self._owner, self._piece, self._room = owner, piece, room

    def __del__(self) -> None:
        self._owner.take_back(self._piece, self._room)


results = Results(workspace)
