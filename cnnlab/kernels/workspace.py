"""Memory that algorithms borrow for intermediate results and give back, so that it is not made anew at each call.

Fresh memory is slow: the system clears each page at its first touch. What is given back is kept for the next call, up
to a limit. Threads borrow different pieces; no result ever lies in one.
"""

from __future__ import annotations

import os
import threading
from math import prod

import numpy as np

from cnnlab.kernels.arrays import FloatArray, Ints

_DEFAULT = 64 * 2**20
LINE = 64  # bytes of a line of the cache


class _Loan:
    """What `Workspace.borrow` returns: twice as fast as a generator."""

    __slots__ = ("_dtype", "_memory", "_piece", "_shape")

    def __init__(self, memory: Workspace, shape: Ints, dtype: np.dtype[np.generic]) -> None:
        self._memory, self._shape, self._dtype = memory, shape, dtype

    def __enter__(self) -> FloatArray:
        shape, dtype = self._shape, self._dtype
        size = prod(shape) * dtype.itemsize
        self._piece = piece = self._memory.take(size)
        return np.ndarray(shape, dtype, piece)

    def __exit__(self, *_: object) -> None:
        self._memory.give(self._piece)


class _Loans:
    """What `Workspace.borrow_rows` returns."""

    __slots__ = ("_dtype", "_memory", "_piece", "_sizes")

    def __init__(self, memory: Workspace, sizes: Ints, dtype: np.dtype[np.generic]) -> None:
        self._memory, self._sizes, self._dtype = memory, sizes, dtype

    def __enter__(self) -> list[FloatArray]:
        dtype, first, edges = self._dtype, 0, []
        for size in self._sizes:
            edges.append(first)
            first += -(-size * dtype.itemsize // LINE) * LINE
        self._piece = piece = self._memory.take(first)
        sizes = zip(self._sizes, edges, strict=True)
        return [np.ndarray((size,), dtype, piece, edge) for size, edge in sizes]

    def __exit__(self, *_: object) -> None:
        self._memory.give(self._piece)


class Workspace:
    """Pieces of memory to be borrowed.

    Parameters
    ----------
    limit : int
        So many bytes are kept at most, and so many the algorithms try to do with.
    """

    def __init__(self, limit: int = _DEFAULT) -> None:
        self.limit = limit
        self._free: list[np.ndarray[tuple[int], np.dtype[np.uint8]]] = []
        self._kept = 0
        self._lock = threading.Lock()

    @property
    def kept(self) -> int:
        """Bytes that lie ready."""
        with self._lock:
            return self._kept

    def borrow(self, shape: Ints, dtype: np.dtype[np.generic]) -> _Loan:
        """Lend an array with any numbers in it for the time of a ``with`` block."""
        return _Loan(self, shape, dtype)

    def borrow_rows(self, *sizes: int, dtype: np.dtype[np.generic]) -> _Loans:
        """Lend arrays of so many numbers each, in one piece: that costs less than a piece for each."""
        return _Loans(self, sizes, dtype)

    def clear(self) -> None:
        """Let go of all that lies ready."""
        with self._lock:
            self._free.clear()
            self._kept = 0

    def take(self, size: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """Hand out a piece of so many bytes at least, to be given back."""
        with self._lock:
            best, least = -1, -1
            for i, piece in enumerate(self._free):
                if piece.nbytes >= size and (best < 0 or piece.nbytes < least):
                    best, least = i, piece.nbytes
            if best >= 0:
                self._kept -= least
                return self._free.pop(best)
        piece = np.empty(max(size, 1) + LINE, dtype=np.uint8)
        start = -piece.ctypes.data % LINE  # vectors that lie across two lines of the cache are read twice
        return piece[start : start + max(size, 1)]

    def give(self, piece: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None:
        """Take back a piece."""
        with self._lock:
            self._free.append(piece)
            self._kept += piece.nbytes
            while self._kept > self.limit:
                self._kept -= self._free.pop(0).nbytes  # the one unused for longest

    def _forked(self) -> None:
        self._lock = threading.Lock()  # another thread may have held it


workspace = Workspace()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=workspace._forked)
