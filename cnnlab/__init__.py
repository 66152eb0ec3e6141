"""cnnlab: convolutional neural networks, taught from the scan up.

The names below are loaded when they are first used, so that ``import cnnlab`` costs no more than NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from cnnlab import backend, checks, data, demos, geometry, kernels, nn, ops, optim, reference, train, viz
    from cnnlab.backend import (
        asarray,
        current_device,
        device,
        gpu_status,
        namespace,
        synchronize,
        to_numpy,
        use_device,
    )
    from cnnlab.inspection.gradients import gradient_check
    from cnnlab.inspection.table import summary
    from cnnlab.kernels import explain_plan, use_algorithm

__all__ = [
    "__version__",
    "asarray",
    "backend",
    "checks",
    "current_device",
    "data",
    "demos",
    "device",
    "explain_plan",
    "geometry",
    "gpu_status",
    "gradient_check",
    "kernels",
    "namespace",
    "nn",
    "ops",
    "optim",
    "reference",
    "summary",
    "synchronize",
    "to_numpy",
    "train",
    "use_algorithm",
    "use_device",
    "viz",
]

_MODULES = (
    "backend",
    "checks",
    "data",
    "demos",
    "geometry",
    "kernels",
    "nn",
    "ops",
    "optim",
    "reference",
    "train",
    "viz",
)
_HOMES = {
    "asarray": "backend",
    "current_device": "backend",
    "device": "backend",
    "explain_plan": "kernels",
    "gpu_status": "backend",
    "gradient_check": "inspection",
    "namespace": "backend",
    "summary": "inspection",
    "synchronize": "backend",
    "to_numpy": "backend",
    "use_algorithm": "kernels",
    "use_device": "backend",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"cnnlab.{name}")
    if name in _HOMES:
        return getattr(import_module(f"cnnlab.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'cnnlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    # What a reader may use, and not what this file imports for itself.
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
