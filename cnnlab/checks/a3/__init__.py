"""Assignment 3, convolution: what it is, what it costs, the layer both ways, and two layers in one."""

from cnnlab.checks.a3.compose_kernels import COMPOSE_KERNELS
from cnnlab.checks.a3.conv2d_backward import CONV2D_BACKWARD
from cnnlab.checks.a3.conv2d_forward import CONV2D_FORWARD
from cnnlab.checks.a3.conv2d_loops import CONV2D_LOOPS
from cnnlab.checks.a3.sizes_and_costs import SIZES_AND_COSTS

EXERCISES = (CONV2D_LOOPS, SIZES_AND_COSTS, CONV2D_FORWARD, CONV2D_BACKWARD, COMPOSE_KERNELS)
