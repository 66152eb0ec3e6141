"""Convolution and pooling of CuPy arrays, for `cnnlab.kernels.dispatch` to ask.

Importing this imports no CuPy. Its arrays are known only where a program has imported it, and the kernels in
``kernels.cu`` are compiled by CuPy at their first use, which keeps them on disk.
"""

from __future__ import annotations

from importlib.util import find_spec

from cnnlab.kernels.algorithm import register as name_it
from cnnlab.kernels.gpu.algorithm import OnGPU, known
from cnnlab.kernels.gpu.columns import Columns
from cnnlab.kernels.gpu.cudnn import CuDNN, installed
from cnnlab.kernels.gpu.direct import Direct
from cnnlab.kernels.gpu.recording import Recording
from cnnlab.kernels.gpu.settings import cudnn_benchmark, cudnn_deterministic

__all__ = ["OnGPU", "Recording", "cudnn_benchmark", "cudnn_deterministic", "known", "provided", "register"]


def provided() -> list[OnGPU]:
    """Return the algorithms that the installed packages allow."""
    return [Columns(), Direct(), *([CuDNN()] if installed() else [])]


def register() -> bool:
    """Add the algorithms if CuPy is installed, and their names to those of `use_algorithm`; return whether it is."""
    if find_spec("cupy") is None:
        return False
    for one in provided():
        known[one.name] = one
        name_it(one)
    return True
