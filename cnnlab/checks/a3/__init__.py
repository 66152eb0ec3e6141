"""Assignment 3, convolution: what it is, what it costs, and the layer."""

from cnnlab.checks.a3.conv2d_forward import CONV2D_FORWARD
from cnnlab.checks.a3.conv2d_loops import CONV2D_LOOPS
from cnnlab.checks.a3.sizes_and_costs import SIZES_AND_COSTS

EXERCISES = (CONV2D_LOOPS, SIZES_AND_COSTS, CONV2D_FORWARD)
