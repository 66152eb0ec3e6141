"""Assignment 4, other convolutions and pooling."""

from cnnlab.checks.a4.conv_nd import CONV_ND
from cnnlab.checks.a4.pool2d import POOL2D

EXERCISES = (CONV_ND, POOL2D)
