"""`cnnlab.ops` as a student's process sees it beside `cnnlab.nn`; mounted as ``cnnlab/ops/__init__.py``.

Activations, the fully connected layer and losses. No convolution, no pooling, no windows and no padding: the student
has written those, and is to use them.
"""

from cnnlab.ops.activation import (
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    softmax,
    softmax_backward,
    tanh_backward,
    tanh_forward,
)
from cnnlab.ops.linear import linear_backward, linear_backward_parameters, linear_forward
from cnnlab.ops.loss import (
    bce_with_logits_backward,
    bce_with_logits_forward,
    cross_entropy_backward,
    cross_entropy_forward,
    mse_backward,
    mse_forward,
)

__all__ = [
    "bce_with_logits_backward",
    "bce_with_logits_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "linear_backward",
    "linear_backward_parameters",
    "linear_forward",
    "mse_backward",
    "mse_forward",
    "relu_backward",
    "relu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "softmax",
    "softmax_backward",
    "tanh_backward",
    "tanh_forward",
]
