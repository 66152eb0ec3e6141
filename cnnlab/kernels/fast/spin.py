"""Looking out for a signal without falling asleep, for `cnnlab.kernels.workers`."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.loops import compiled

LOOKS = 30_000  # 25 to 50 ns each
SOME = 50  # of them

_sched_yield = types.ExternalFunction("sched_yield", types.int32())


@intrinsic  # type: ignore[untyped-decorator]
def _look(context: Any, address: Any) -> Any:
    """Return the number at an address as another thread wrote it, after a moment's pause."""
    del context, address

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        b.call(v.declared(b, "llvm.x86.sse2.pause", ir.FunctionType(ir.VoidType(), [])), [])
        return b.load_atomic(v.pointer(b, arguments[0], v.WORD), "acquire", 8)

    return types.int64(types.intp), build


@compiled
def watch(address: int) -> None:
    """Return when the number at an address is no longer 0, at the latest after about a millisecond."""
    for _ in range(LOOKS // SOME):
        for _ in range(SOME):
            if _look(address) != 0:
                return
        _sched_yield()  # perhaps whoever is to send the signal waits for this very core
