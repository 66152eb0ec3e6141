"""Networks that made history, with random weights, and the names of torchvision's parameters where it has the net.

Each takes `sketch=True` for a net without numbers: right in every shape, and for `cnnlab.summary` as good as the real
one, but without its memory.
"""

from cnnlab.nn.models.alexnet import alexnet
from cnnlab.nn.models.lenet import lenet5
from cnnlab.nn.models.network_in_network import network_in_network
from cnnlab.nn.models.resnet import BasicBlock, resnet18
from cnnlab.nn.models.stages import Stages
from cnnlab.nn.models.vgg import vgg16

__all__ = ["BasicBlock", "Stages", "alexnet", "lenet5", "network_in_network", "resnet18", "vgg16"]
