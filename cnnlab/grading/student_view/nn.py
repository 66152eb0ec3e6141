"""`cnnlab.nn` as a student's process sees it where an exercise allows it; mounted as ``cnnlab/nn/__init__.py``.

The layers of a small network. Convolution and pooling compute with the student's own functions: without an ``op`` they
raise `OwnOpMissingError`, because there is nothing else here that they could compute with (`cnnlab.ops`).
"""

from cnnlab.nn import init
from cnnlab.nn.activation import ReLU, Sigmoid, Tanh
from cnnlab.nn.conv import Conv1d, Conv2d, Conv3d
from cnnlab.nn.conv_op import ConvOp, ConvOpError
from cnnlab.nn.flatten import Flatten
from cnnlab.nn.linear import Linear
from cnnlab.nn.loss import BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from cnnlab.nn.module import Module
from cnnlab.nn.own_op import OwnOpMissingError
from cnnlab.nn.parameter import Buffer, Parameter
from cnnlab.nn.pool import AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d
from cnnlab.nn.pool_op import PoolOp, PoolOpError
from cnnlab.nn.sequential import Sequential

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCEWithLogitsLoss",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvOp",
    "ConvOpError",
    "CrossEntropyLoss",
    "Flatten",
    "Linear",
    "Loss",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Module",
    "OwnOpMissingError",
    "Parameter",
    "PoolOp",
    "PoolOpError",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "init",
]
