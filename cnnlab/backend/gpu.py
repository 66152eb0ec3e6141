"""Finding out whether CuPy and a GPU can be used.

CuPy imports without a driver and fails only when an array is made, so the answer needs a trial computation.
"""

import sys
from dataclasses import dataclass
from types import ModuleType

from cnnlab.backend.errors import GPUBrokenError, GPUNotInstalledError, GPUUnavailableError, NoGPUError

_INSTALL = (
    'on a machine with an NVIDIA GPU, pip install "cupy-cuda13x[ctk]" '
    '("cupy-cuda12x[ctk]" for drivers older than 580); without one, work on the cpu'
)
_REINSTALL = (
    'exactly one CuPy package may be installed: pip uninstall every package that "pip list" shows as cupy…, '
    'then pip install "cupy-cuda13x[ctk]"; until then, work on the cpu'
)
_DRIVER = 'see whether "nvidia-smi" lists a GPU (if not: its driver is missing or too old); until then, work on the cpu'

_working: ModuleType | None = None  # CuPy, once a computation on the GPU has succeeded


@dataclass(frozen=True)
class GPUStatus:
    """Answer of `gpu_status`.

    Attributes
    ----------
    ok : bool
        Whether ``use_device("gpu")`` would succeed.
    reason : str
        The GPU that was found, or why there is none.
    hint : str
        What to do next.
    """

    ok: bool
    reason: str
    hint: str


def gpu_status() -> GPUStatus:
    """Tell whether a GPU can be used, and if not, why. Never raises.

    Returns
    -------
    GPUStatus
        ``ok``, ``reason`` and ``hint``.
    """
    try:
        cupy = require_cupy()
        name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.runtime.getDevice())["name"].decode()
        return GPUStatus(True, f"{name}, CuPy {cupy.__version__}", 'cnnlab.use_device("gpu") makes new arrays there')
    except GPUUnavailableError as error:
        return GPUStatus(False, error.reason, error.hint)
    except Exception as error:  # a report must not fail, whatever the driver does
        return GPUStatus(False, f"CuPy is installed but broken ({_quote(error)})", _REINSTALL)


def require_cupy() -> ModuleType:
    """Return the CuPy module after a trial computation on the GPU.

    Raises
    ------
    GPUNotInstalledError
        There is no CuPy.
    GPUBrokenError
        CuPy fails to import or to compute; ``__cause__`` is its own error.
    NoGPUError
        CuPy finds no usable GPU.
    """
    global _working  # noqa: PLW0603 a failure is tried again: the reader may have repaired it
    if _working is None:
        cupy = _import_cupy()
        _try_gpu(cupy)
        _working = cupy
    return _working


def loaded_cupy() -> ModuleType | None:
    """Return CuPy if it is imported and works, without importing it."""
    if "cupy" not in sys.modules:
        return None
    try:
        return require_cupy()
    except GPUUnavailableError:
        return None


def _import_cupy() -> ModuleType:
    try:
        import cupy
    except ModuleNotFoundError as error:
        if error.name == "cupy":
            raise GPUNotInstalledError("CuPy, which computes on the GPU, is not installed", _INSTALL) from error
        raise GPUBrokenError(f"CuPy is installed but broken ({_quote(error)})", _REINSTALL) from error
    except Exception as error:
        raise GPUBrokenError(f"CuPy is installed but broken ({_quote(error)})", _REINSTALL) from error
    module: ModuleType = cupy
    return module


def _try_gpu(cupy: ModuleType) -> None:
    try:
        runtime_error = cupy.cuda.runtime.CUDARuntimeError
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        # The CUDA runtime answers "no device" and "no driver" with an error of its own class;
        # any other class means that the runtime itself could not be loaded.
        if type(error).__name__ == "CUDARuntimeError":
            raise NoGPUError(f"no usable GPU ({_quote(error)})", _DRIVER) from error
        raise GPUBrokenError(f"CuPy is installed but broken ({_quote(error)})", _REINSTALL) from error
    if count == 0:
        raise NoGPUError("no usable GPU (CUDA counts 0 devices)", _DRIVER)
    try:
        total = int(cupy.arange(4).sum())  # compiles and runs a kernel
    except runtime_error as error:
        raise NoGPUError(f"no usable GPU ({_quote(error)})", _DRIVER) from error
    except Exception as error:
        raise GPUBrokenError(f"CuPy is installed but broken ({_quote(error)})", _REINSTALL) from error
    if total != 6:
        raise GPUBrokenError(f"CuPy is installed but broken (0 + 1 + 2 + 3 gave {total})", _REINSTALL)


def _quote(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
