"""Assignment 2, one giant network: its matrix, and the gradient of shared weights."""

from cnnlab.checks.a2.scan_matrix import SCAN_MATRIX
from cnnlab.checks.a2.tied_gradient import TIED_GRADIENT

EXERCISES = (SCAN_MATRIX, TIED_GRADIENT)
