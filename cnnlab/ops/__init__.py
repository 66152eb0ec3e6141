"""The mathematics of the layers: pure functions in forward/backward pairs.

Every function computes with the library of the arrays it is given, on their device and in their dtype, and changes none
of them. A backward function takes ``dy``, the gradient of the loss with respect to the output, and returns the gradient
with respect to each input.
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
from cnnlab.ops.batch_norm import batch_norm_backward, batch_norm_forward, batch_statistics
from cnnlab.ops.conv import conv_backward, conv_backward_parameters, conv_forward, conv_relu_forward
from cnnlab.ops.conv_transpose import conv_transpose_backward, conv_transpose_forward
from cnnlab.ops.dropout import dropout_backward, dropout_forward
from cnnlab.ops.global_pool import global_pool_backward, global_pool_forward
from cnnlab.ops.linear import linear_backward, linear_backward_parameters, linear_forward
from cnnlab.ops.loss import (
    bce_with_logits_backward,
    bce_with_logits_forward,
    cross_entropy_backward,
    cross_entropy_forward,
    mse_backward,
    mse_forward,
)
from cnnlab.ops.padding import pad_backward, pad_forward
from cnnlab.ops.pool import avg_pool_backward, avg_pool_forward, max_pool_backward, max_pool_forward
from cnnlab.ops.tie import tie_backward, tie_forward
from cnnlab.ops.windows import windows_backward, windows_forward

__all__ = [
    "avg_pool_backward",
    "avg_pool_forward",
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_statistics",
    "bce_with_logits_backward",
    "bce_with_logits_forward",
    "conv_backward",
    "conv_backward_parameters",
    "conv_forward",
    "conv_relu_forward",
    "conv_transpose_backward",
    "conv_transpose_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "dropout_backward",
    "dropout_forward",
    "global_pool_backward",
    "global_pool_forward",
    "linear_backward",
    "linear_backward_parameters",
    "linear_forward",
    "max_pool_backward",
    "max_pool_forward",
    "mse_backward",
    "mse_forward",
    "pad_backward",
    "pad_forward",
    "relu_backward",
    "relu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "softmax",
    "softmax_backward",
    "tanh_backward",
    "tanh_forward",
    "tie_backward",
    "tie_forward",
    "windows_backward",
    "windows_forward",
]
