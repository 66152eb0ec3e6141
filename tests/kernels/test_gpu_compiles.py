"""NVIDIA's compiler takes the kernels as they are: needs CuPy with NVRTC (``cnnlab[gpu]``), and no GPU."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from cnnlab.kernels.gpu import device

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
