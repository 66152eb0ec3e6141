"""Work on a GPU that is recorded once and replayed: a CUDA graph, with the memory that it works in.

A launch from Python takes longer than most kernels of a small net; a graph starts all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from cnnlab.kernels.gpu import cublas, device

Result = TypeVar("Result")
WARM = 2  # calls before: kernels are compiled, plans chosen and handles made then, none of which can be recorded


class Recording(Generic[Result]):
    """What a function gives the GPU to do.

    The function is called some times before it is recorded. All its arrays come from memory of the recording's own,
    which nothing else is ever given, and stay where they are: a replay reads and writes the same addresses.

    Parameters
    ----------
    work
        A function that launches work and returns arrays. It must neither wait for the GPU, nor copy to or from the
        host, nor decide anything by chance or by what it counts: a replay does what was recorded.

    Attributes
    ----------
    result
        What the function returned while it was recorded; a replay writes new numbers into its arrays.

    Raises
    ------
    Exception
        What the function raises, and what CUDA raises where it waited or copied.
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        cupy = device.library()
        cupy.get_default_memory_pool().free_all_blocks()  # what it keeps for later, the recording needs for itself
        self._pool = cupy.cuda.MemoryPool()
        self._stream = cupy.cuda.Stream(non_blocking=True)
        before = cupy.cuda.get_current_stream().record()
        try:
            with cupy.cuda.using_allocator(self._pool.malloc), self._stream:
                self._stream.wait_event(before)
                for _ in range(WARM):
                    work()
                self._handles = cublas.handles_of(self._stream.ptr)  # their memory is written into the graph
                self._stream.synchronize()
                self._graph, self.result = self._recorded(work)
        finally:
            with suppress(Exception):  # what went wrong before says more
                self._stream.synchronize()  # what was launched may be writing yet
            cublas.forget(self._stream.ptr)

    def _recorded(self, work: Callable[[], Result]) -> tuple[Any, Result]:
        self._stream.begin_capture()
        try:
            result = work()
        except BaseException:
            with suppress(Exception):  # the capture is broken: the error that broke it says more
                self._stream.end_capture()
            raise
        return self._stream.end_capture(), result

    def replay(self) -> Result:
        """Do all of it again on the current stream, without waiting; return the same arrays."""
        self._graph.launch(device.library().cuda.get_current_stream())
        return self.result
