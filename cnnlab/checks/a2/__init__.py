"""Assignment 2, one giant network: its matrix, shared weights, another order, and the scan as a stack."""

from cnnlab.checks.a2.layer_first import LAYER_FIRST
from cnnlab.checks.a2.scan_matrix import SCAN_MATRIX
from cnnlab.checks.a2.tied_gradient import TIED_GRADIENT
from cnnlab.checks.a2.to_conv_stack import TO_CONV_STACK

EXERCISES = (SCAN_MATRIX, TIED_GRADIENT, LAYER_FIRST, TO_CONV_STACK)
