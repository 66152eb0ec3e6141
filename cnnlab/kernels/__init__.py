"""Fast ways to compute what `cnnlab.ops` defines, with the same results.

`cnnlab.ops` asks here first. A function returns None where it has nothing better to offer: for arrays that are neither
NumPy's nor CuPy's, for other dtypes than float32 and float64, and for little work. Then the readable op computes.
"""

from cnnlab.kernels import batch_last, channels_last, depthwise, fast, fourier, gpu, im2col, linear, pointwise, winograd  # noqa: F401  (they register)
from cnnlab.kernels.dispatch import (
    adam_step,
    avg_pool_backward,
    avg_pool_forward,
    conv_backward,
    conv_backward_parameters,
    conv_forward,
    conv_relu_forward,
    conv_transpose_backward,
    conv_transpose_forward,
    cross_entropy_backward,
    cross_entropy_forward,
    in_place,
    max_pool_backward,
    max_pool_forward,
    momentum_step,
    product,
    relu_backward,
    relu_forward,
    settings_of_gpu,
    tanh_backward,
    tanh_forward,
)
from cnnlab.kernels.explain import Plan, Step, explain_plan
from cnnlab.kernels.settings import (
    allow_compiled,
    allow_winograd,
    compiled_allowed,
    current_algorithm,
    use_algorithm,
    winograd_allowed,
    workspace_limit,
)
from cnnlab.kernels.threads import thread_count, use_threads

fast.register()
gpu.register()

__all__ = [
    "Plan",
    "Step",
    "adam_step",
    "allow_compiled",
    "allow_winograd",
    "avg_pool_backward",
    "avg_pool_forward",
    "compiled_allowed",
    "conv_backward",
    "conv_backward_parameters",
    "conv_forward",
    "conv_relu_forward",
    "conv_transpose_backward",
    "conv_transpose_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "current_algorithm",
    "explain_plan",
    "in_place",
    "max_pool_backward",
    "max_pool_forward",
    "momentum_step",
    "product",
    "relu_backward",
    "relu_forward",
    "settings_of_gpu",
    "tanh_backward",
    "tanh_forward",
    "thread_count",
    "use_algorithm",
    "use_threads",
    "winograd_allowed",
    "workspace_limit",
]
