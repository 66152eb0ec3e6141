"""NVIDIA's compiler takes the kernels, and CuPy has what is called: needs CuPy (``cnnlab[gpu]``), and no GPU."""

import inspect
import subprocess
import sys
from importlib.util import find_spec

import pytest

from cnnlab.kernels.gpu import cublas, device

from .gpu_stand_in import StandIn

PROGRAM = """
import sys
from cupy.cuda import nvrtc

text, oldest = sys.stdin.read(), min(nvrtc.getSupportedArchs())
for arch in (oldest, max(nvrtc.getSupportedArchs())):
    program = nvrtc.createProgram(text, "kernels.cu", [], [])
    try:
        nvrtc.compileProgram(program, ["--std=c++17", f"-arch=compute_{arch}"])
    finally:
        print(nvrtc.getProgramLog(program).strip(), end="")
    ptx = nvrtc.getPTX(program)
    print(arch, (ptx if isinstance(ptx, str) else ptx.decode()).count(".entry"))
"""


@pytest.mark.skipif(find_spec("cupy") is None, reason="CuPy, which brings NVRTC, is not installed")
@pytest.mark.parametrize("dtype", device.TYPES)
def test_every_kernel_compiles_without_a_warning(dtype):
    text = device.source(dtype)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=text, capture_output=True, text=True, check=False, timeout=300
    )
    if "NVRTC" in run.stderr and "not found" in run.stderr:
        pytest.skip(run.stderr.splitlines()[-1])
    assert run.returncode == 0, run.stdout + run.stderr
    kernels = text.count("__global__ void")
    assert [line.split()[1] for line in run.stdout.splitlines()] == [str(kernels)] * 2, run.stdout


NAMES = """
import cupy

print(cupy.cuda.cublas.gemmStridedBatchedEx.__doc__.partition(")")[0].partition("(")[2])
cublas, runtime = cupy.cuda.cublas, cupy.cuda.runtime
print(runtime.CUDA_R_32F, runtime.CUDA_R_64F)
print(cublas.CUBLAS_COMPUTE_32F, cublas.CUBLAS_COMPUTE_32F_FAST_TF32, cublas.CUBLAS_COMPUTE_64F)
print(cublas.CUBLAS_OP_N, cublas.CUBLAS_OP_T, cublas.CUBLAS_GEMM_DEFAULT)
for name in ("runtime.getDevice", "get_current_stream", "MemoryPool", "using_allocator"):
    found = cupy.cuda
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found), name
assert callable(cupy.RawModule)
assert {"begin_capture", "end_capture", "wait_event"} <= set(dir(cupy.cuda.Stream))
assert "launch" in dir(cupy.cuda.Graph)
assert {"ptr", "device_id"} <= set(dir(cupy.cuda.MemoryPointer))
"""
ORDER = (
    "handle transa transb m n k alpha A Atype lda strideA B Btype ldb strideB beta C Ctype ldc strideC "
    "batchCount computeType algo"
)


@pytest.mark.skipif(find_spec("cupy") is None, reason="CuPy is not installed")
def test_cupy_has_what_is_called_and_cublas_takes_the_arguments_in_this_order_and_these_numbers():
    run = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    arguments, *numbers = run.stdout.splitlines()
    names = [one.split()[-1] for one in arguments.split(",")]
    assert " ".join(names) == ORDER
    assert [list(map(int, line.split())) for line in numbers] == [
        [cublas.REAL["f"], cublas.REAL["d"]],
        [cublas.COMPUTE_32F, cublas.COMPUTE_32F_FAST_TF32, cublas.COMPUTE_64F],
        [cublas.NORMAL, cublas.TRANSPOSED, cublas.DEFAULT],
    ]
    taken = ["handle", *list(inspect.signature(StandIn._gemm).parameters)[2:]]
    same = {
        "transa": "flip_a",
        "transb": "flip_b",
        "computeType": "precision",
        "algo": "algorithm",
        "batchCount": "batch",
    }
    for stem, prefix in (("A", "a"), ("B", "b"), ("C", "c")):
        same |= {stem: prefix, f"{stem}type": f"{prefix}_type", f"ld{prefix}": f"{prefix}_row"}
        same[f"stride{stem}"] = f"{prefix}_step"
    assert taken == [same.get(name, name) for name in names]


@pytest.mark.skipif(find_spec("cuda") is None or find_spec("cuda.pathfinder") is None, reason="CuPy is not installed")
def test_cublas_has_the_functions():
    from cuda.pathfinder import DynamicLibNotFoundError

    try:
        library = cublas.functions()
    except DynamicLibNotFoundError as error:
        pytest.skip(str(error).splitlines()[0])
    assert all(getattr(library, name).argtypes for name in cublas._TAKES)
