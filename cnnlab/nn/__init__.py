"""Layers and networks: parameters, a forward pass, and its backward pass written out.

A layer keeps parameters and remembers its input; the mathematics is in `cnnlab.ops`.
"""

from cnnlab.nn import init, models
from cnnlab.nn.activation import ReLU, Sigmoid, Tanh
from cnnlab.nn.add import Add
from cnnlab.nn.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from cnnlab.nn.conv import Conv1d, Conv2d, Conv3d
from cnnlab.nn.conv_op import ConvOp, ConvOpError
from cnnlab.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from cnnlab.nn.dense import DenseMatrix, dense_matrix
from cnnlab.nn.distribute import to_convolutions
from cnnlab.nn.dropout import Dropout
from cnnlab.nn.expand import expand
from cnnlab.nn.flatten import Flatten
from cnnlab.nn.global_pool import GlobalPool
from cnnlab.nn.linear import Linear
from cnnlab.nn.loss import BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from cnnlab.nn.mlp import layers_of, mlp
from cnnlab.nn.module import Module
from cnnlab.nn.own_op import OwnOpMissingError, own_ops_required
from cnnlab.nn.parameter import Buffer, Parameter
from cnnlab.nn.pool import AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d
from cnnlab.nn.pool_op import PoolOp, PoolOpError
from cnnlab.nn.scan import Scan
from cnnlab.nn.sequential import Sequential
from cnnlab.nn.storage import load, save
from cnnlab.nn.tied import TiedLinear

__all__ = [
    "Add",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvOp",
    "ConvOpError",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CrossEntropyLoss",
    "DenseMatrix",
    "Dropout",
    "Flatten",
    "GlobalPool",
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
    "Scan",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "TiedLinear",
    "dense_matrix",
    "expand",
    "init",
    "layers_of",
    "load",
    "mlp",
    "models",
    "own_ops_required",
    "save",
    "to_convolutions",
]
