"""CuPy's part in the kernels for a GPU, played by NumPy and a C++ compiler: no GPU is needed.

The text of ``kernels.cu`` is compiled for the CPU as it stands, with a few lines before it that make CUDA's words mean
loops, and run over the very grid and block that a launch asks for. The product of cuBLAS reads the same pointers and
steps. Arrays are NumPy's under another name that refuses to be read on the host, as a copy from a GPU would be, and
that begin as NaN with a margin around them, so that what is left out, or written beside, is found.
"""

import ctypes
import re
import shutil
import subprocess
from functools import cache
from types import SimpleNamespace

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlab.kernels.gpu import cublas, device

COMPILER = shutil.which("g++") or shutil.which("clang++")
STRUCTS = {"const Window": 72, "const Counted": 24}  # those that are passed by value, and their bytes
MARGIN = 64  # numbers before and after each array
CPU = """
#include <math.h>
struct Two { int x, y; };
static Two blockIdx, threadIdx, blockDim, gridDim;
#define __global__
#define __device__
#define __restrict__
"""
RUN = """
extern "C" void run_{name}(int blocks_x, int blocks_y, int threads_x, int threads_y, {parameters}) {{
    gridDim.x = blocks_x, gridDim.y = blocks_y, blockDim.x = threads_x, blockDim.y = threads_y;
    for (blockIdx.y = 0; blockIdx.y < blocks_y; ++blockIdx.y)
        for (blockIdx.x = 0; blockIdx.x < blocks_x; ++blockIdx.x)
            for (threadIdx.y = 0; threadIdx.y < threads_y; ++threadIdx.y)
                for (threadIdx.x = 0; threadIdx.x < threads_x; ++threadIdx.x) {name}({arguments});
}}
"""


class HiddenTransferError(AssertionError):
    """A number was asked for on the host."""


class Array(np.ndarray):
    """A NumPy array that says where it lies as CuPy's do, and does not give its numbers away."""

    making = np.empty  # by the stand-in that was made last

    def __new__(cls, shape, dtype):
        return cls.making(shape, dtype)

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data, device_id=0)

    def __array_function__(self, function, types, arguments, keywords):
        found = super().__array_function__(function, types, arguments, keywords)
        return np.asarray(found).view(Array) if isinstance(found, np.ndarray | np.generic) else found

    def _refuse(self, *_, **__):
        raise HiddenTransferError("a number was read on the host: on a GPU that waits for it and copies")

    __float__ = __int__ = __bool__ = __index__ = __complex__ = item = tolist = _refuse


def on_gpu(x):
    return np.array(x).view(Array)


def host(x):
    return np.array(np.asarray(x), subok=False)


def signatures(text):
    """Return the parameters of each kernel, as (type, name)."""
    found = {}
    for name, parameters in re.findall(r"__global__ void (\w+)\(([^)]*)\)", text):
        found[name] = [tuple(one.strip().rsplit(" ", 1)) for one in parameters.split(",")]
    return found


@cache
def compiled(dtype, folder):
    """Compile the kernels for the CPU; return the library and the parameters of each."""
    text = device.source(dtype)
    parameters = signatures(text)
    runs = [
        RUN.format(
            name=name,
            parameters=", ".join(f"{kind}{'*' * (kind in STRUCTS)} {one}" for kind, one in those),
            arguments=", ".join("*" * (kind in STRUCTS) + one for kind, one in those),
        )
        for name, those in parameters.items()
    ]
    code, library = folder / f"{dtype}.cpp", folder / f"{dtype}.so"
    sizes = [f"static_assert(sizeof({kind}) == {size});\n" for kind, size in STRUCTS.items()]
    code.write_text(CPU + text + "".join(sizes + runs), encoding="utf-8")
    subprocess.run(
        [COMPILER, "-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-o", str(library), str(code)],
        check=True,
        capture_output=True,
        text=True,
    )
    return ctypes.CDLL(str(library)), parameters


def _poison(dtype):
    return np.nan if dtype.kind == "f" else np.iinfo(dtype).max


class StandIn:
    """What `cnnlab.kernels.gpu` asks of CuPy, and a record of what was launched."""

    ndarray = Array

    def __init__(self, folder):
        self._folder = folder
        self.launched = []
        self.bytes_made = 0  # of all arrays
        self.copied = 0  # arrays from the host
        self._made = []
        Array.making = self.empty
        self.cuda = SimpleNamespace(
            runtime=SimpleNamespace(getDevice=lambda: 0),
        )

    def empty(self, shape, dtype):
        dtype, size = np.dtype(dtype), int(np.prod(shape))
        whole = np.full(size + 2 * MARGIN, _poison(dtype), dtype)
        self._made.append(whole)
        self.bytes_made += size * dtype.itemsize
        return whole[MARGIN : MARGIN + size].reshape(shape).view(Array)

    def margins_are_whole(self):
        ends = [np.concatenate([one[:MARGIN], one[-MARGIN:]]) for one in self._made]
        return all(np.array_equal(end, np.full_like(end, _poison(end.dtype)), equal_nan=True) for end in ends)

    def ascontiguousarray(self, x):
        return np.ascontiguousarray(x).view(Array)

    def full(self, shape, value, dtype):
        return np.full(shape, value, dtype).view(Array)

    def array(self, x, dtype=None):
        self.copied += not isinstance(x, Array)
        return np.array(x, dtype).view(Array)

    asarray = array

    def RawModule(self, code, options):
        dtype = {text: name for name, text in device.TYPES.items()}[code.split("\n", 1)[0].split()[-1]]
        assert code == device.source(dtype)
        assert options == ("--std=c++17",)
        library, parameters = compiled(dtype, self._folder)
        return SimpleNamespace(get_function=lambda name: self._kernel(name, dtype, library, parameters[name]))

    def _kernel(self, name, dtype, library, parameters):
        def start(grid, block, arguments):
            assert len(grid) == len(block) <= 2
            (columns, rows), (wide, high) = (*grid, 1)[:2], (*block, 1)[:2]
            assert 0 < columns < 2**31
            assert 0 < rows < 2**16
            assert 0 < wide * high <= 1024
            assert len(arguments) == len(parameters), name
            given = [ctypes.c_int(one) for one in (columns, rows, wide, high)]
            for (kind, parameter), value in zip(parameters, arguments, strict=True):
                if kind == "int":
                    assert type(value) is np.int32, f"{name}: {parameter} is {value!r}"
                    given.append(ctypes.c_int(value))
                elif kind in STRUCTS:
                    assert type(value) is np.ndarray, f"{name}: {parameter} is {value!r}"
                    assert (value.size, value.dtype) == (1, f"V{STRUCTS[kind]}"), f"{name}: {parameter}"
                    given.append(ctypes.c_void_p(value.ctypes.data))
                elif kind == "T":
                    assert value.dtype == dtype, f"{name}: {parameter} is {value!r}"
                    given.append((ctypes.c_float if dtype == "float32" else ctypes.c_double)(value))
                else:
                    assert type(value) is Array, f"{name}: {parameter} is {value!r}"
                    expected = {"int*": "int32", "const int*": "int32", "const long long*": "int64"}.get(kind, dtype)
                    assert value.dtype == expected, f"{name}: {parameter}"
                    assert value.flags.c_contiguous, f"{name}: {parameter}"
                    given.append(ctypes.c_void_p(value.data.ptr))
            library[f"run_{name}"](*given)
            self.launched.append(name)

        return start

    def cublas(self, name, *arguments):
        """Do what a function of cuBLAS does, as its manual says: matrices lie column after column."""
        (self._gemm if name == "cublasGemmStridedBatchedEx" else self._gemv)(name, *arguments)
        self.launched.append("gemm" if "Gemm" in name else "gemv")

    def _gemm(  # noqa: PLR0917  (as cuBLAS has it)
        self, name, flip_a, flip_b, m, n, k, alpha, a, a_type, a_row, a_step, b, b_type, b_row, b_step, beta, c,
        c_type, c_row, c_step, batch, precision, algorithm,
    ):  # fmt: skip
        assert len(cublas._TAKES[name]) == 23
        assert a_type == b_type == c_type
        kind = np.dtype({0: "float32", 1: "float64"}[a_type])
        assert precision in {0: {68, 77}, 1: {70}}[a_type]
        assert algorithm == -1
        one, zero = (_numbers(at, 1, kind)[0] for at in (alpha, beta))
        left = _matrices(a, *((k, m) if flip_a else (m, k)), a_row, a_step, batch, kind)
        right = _matrices(b, *((n, k) if flip_b else (k, n)), b_row, b_step, batch, kind)
        left, right = (x.swapaxes(1, 2) if flip else x for x, flip in ((left, flip_a), (right, flip_b)))
        out = _matrices(c, m, n, c_row, c_step, batch, kind)
        assert out.shape[0] == batch
        out[...] = one * (left @ right) + (zero * out if zero else 0)

    def _gemv(  # noqa: PLR0917
        self, name, flip, m, n, alpha, a, a_row, a_step, x, x_between, x_step, beta, y, y_between, y_step, batch
    ):
        assert len(cublas._TAKES[name]) == 16
        kind = np.dtype({"S": "float32", "D": "float64"}[name[6]])
        assert _numbers(alpha, 1, kind)[0] == 1
        assert _numbers(beta, 1, kind)[0] == 0
        assert x_between == y_between == 1
        matrix = _matrices(a, m, n, a_row, a_step, batch, kind)
        matrix = matrix.swapaxes(1, 2) if flip else matrix
        vector = _matrices(x, matrix.shape[2], 1, matrix.shape[2], x_step, batch, kind)
        out = _matrices(y, matrix.shape[1], 1, matrix.shape[1], y_step, batch, kind)
        assert out.shape[0] == batch
        out[...] = matrix @ vector


def _numbers(address, size, kind):
    return np.frombuffer((ctypes.c_char * (size * kind.itemsize)).from_address(address), kind)


def _matrices(address, rows, columns, between, step, batch, kind):  # noqa: PLR0917
    assert between >= max(1, rows)
    many = batch if step else 1
    flat = _numbers(address, (columns - 1) * between + rows + (many - 1) * step, kind)
    found = as_strided(flat, (many, rows, columns), [n * kind.itemsize for n in (step, 1, between)])
    return np.broadcast_to(found, (batch, rows, columns)) if many != batch else found
