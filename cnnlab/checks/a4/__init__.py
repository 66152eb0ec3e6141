"""Assignment 4, other convolutions and pooling."""

from cnnlab.checks.a4.conv_nd import CONV_ND

EXERCISES = (CONV_ND,)
