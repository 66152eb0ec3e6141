"""Making a job of a compiled function: code that a worker can run without the interpreter, and its arguments.

A function that is to be shared has arguments that all shares have in common, and behind them numbers of a share's own:
addresses and ranges, a row of them for each share. The function of its name with ``_shared`` takes the common ones as
a tuple, and what `cnnlab.kernels.fast.spin.share_out` has to know of the rows. It is written out beside each function:
numba keeps on disk what stands in a module, and compiles anew in each process what another function has made.
"""

from __future__ import annotations

from inspect import signature as parameters_of
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.compiler import Flags, compile_internal
from numba.extending import intrinsic

from cnnlab.kernels.fast import vectors as v
from cnnlab.kernels.fast.spin import JOB_CODE, share_out

__all__ = ["code_of", "kept", "share_out"]


@intrinsic  # type: ignore[untyped-decorator]
def code_of(context: Any, function: Any, fixed: Any) -> Any:
    """Return the address of code that calls a compiled function, for the addresses of its arguments and of a row."""
    del context
    written = function.dispatcher.py_func
    own = len(parameters_of(written).parameters) - len(fixed)
    called = types.none(*fixed.types, *[types.int64] * own)

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del signature, arguments
        compiled = _part(context, written, called)
        code = ir.Function(b.module, JOB_CODE, b.module.get_unique_name("job"))
        code.linkage = "internal"
        inside = ir.IRBuilder(code.append_basic_block("entry"))
        given = inside.load(v.pointer(inside, code.args[0], context.get_value_type(fixed)))
        row = [v.load(inside, v.at(inside, code.args[1], 8 * i), v.WORD) for i in range(own)]
        status, _ = context.call_internal_no_propagate(
            inside, compiled.fndesc, compiled.signature, [*cgutils.unpack_tuple(inside, given), *row]
        )
        inside.ret(inside.zext(status.is_error, v.WORD))  # there is only one error: no memory
        return b.ptrtoint(code, v.WORD)

    return types.intp(function, fixed), build


def _part(context: Any, function: Any, called: Any) -> Any:
    """Compile a function as a part of the one that is being compiled."""
    flags = Flags()
    flags.nrt = flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"  # as `cnnlab.kernels.fast.compiled` has it
    library = context.codegen().create_library(function.__name__)
    # Whoever asks optimizes it and makes machine code of it. It would be done twice, which takes as long again.
    library._optimize_final_module = library._finalize_specific = lambda: None
    part = compile_internal(context.typing_context, context, library, function, called.args, types.none, flags, {})
    context.active_code_library.add_linking_library(part.library)
    return part


@intrinsic  # type: ignore[untyped-decorator]
def kept(context: Any, fixed: Any) -> Any:
    """Return where a copy of a tuple lies, as long as the function that asks runs."""
    del context

    def build(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        place = cgutils.alloca_once(b, arguments[0].type)
        b.store(arguments[0], place)
        return b.ptrtoint(place, v.WORD)

    return types.intp(fixed), build
