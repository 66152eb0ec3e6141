"""The array layer: where arrays live, and which library computes with them.

Arrays are plain ``numpy.ndarray`` or ``cupy.ndarray``. Computation follows its inputs: an op asks `namespace` for the
library of the arrays it was given. The device chosen with `use_device` matters only where new arrays are made.
"""

from cnnlab.backend.arrays import Array, asarray, namespace, on_gpu, synchronize, to_numpy
from cnnlab.backend.errors import (
    DeviceError,
    DeviceMismatchError,
    GPUBrokenError,
    GPUNotInstalledError,
    GPUUnavailableError,
    NoGPUError,
)
from cnnlab.backend.gpu import GPUStatus, gpu_status
from cnnlab.backend.state import current_device, device, use_device

__all__ = [
    "Array",
    "DeviceError",
    "DeviceMismatchError",
    "GPUBrokenError",
    "GPUNotInstalledError",
    "GPUStatus",
    "GPUUnavailableError",
    "NoGPUError",
    "asarray",
    "current_device",
    "device",
    "gpu_status",
    "namespace",
    "on_gpu",
    "synchronize",
    "to_numpy",
    "use_device",
]
