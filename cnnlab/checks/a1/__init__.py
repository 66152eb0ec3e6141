"""Assignment 1, scanning: find the welcome, find the flower, decide."""

from cnnlab.checks.a1.aggregate import AGGREGATE
from cnnlab.checks.a1.scan_1d import SCAN_1D
from cnnlab.checks.a1.scan_2d import SCAN_2D

EXERCISES = (SCAN_1D, SCAN_2D, AGGREGATE)
