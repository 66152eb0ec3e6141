"""Assignment 3, convolution: the layer backward, and two layers in one."""

from cnnlab.checks.a3.compose_kernels import COMPOSE_KERNELS
from cnnlab.checks.a3.conv2d_backward import CONV2D_BACKWARD

EXERCISES = (CONV2D_BACKWARD, COMPOSE_KERNELS)
