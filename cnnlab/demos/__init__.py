"""Demos to touch: each computes in the browser from the reader's own arrays and lives on in a saved page.

A demo is an anywidget in a notebook and a self-contained page through `to_html` and `save`.
"""

from cnnlab.demos.architecture_calculator import ArchitectureCalculator
from cnnlab.demos.autopsy import Autopsy
from cnnlab.demos.conv_stepper import ConvStepper
from cnnlab.demos.distributed_scan import DistributedScan
from cnnlab.demos.filter_gallery import FilterGallery
from cnnlab.demos.flower_scanner import FlowerScanner
from cnnlab.demos.giant_matrix import GiantMatrix
from cnnlab.demos.map_to_decision import MapToDecision
from cnnlab.demos.order_of_computation import OrderOfComputation
from cnnlab.demos.pooling_stepper import PoolingStepper
from cnnlab.demos.receptive_field import ReceptiveField
from cnnlab.demos.shared_gradient import SharedGradient
from cnnlab.demos.volume_view import VolumeView
from cnnlab.demos.welcome_scanner import WelcomeScanner

__all__ = [
    "ArchitectureCalculator",
    "Autopsy",
    "ConvStepper",
    "DistributedScan",
    "FilterGallery",
    "FlowerScanner",
    "GiantMatrix",
    "MapToDecision",
    "OrderOfComputation",
    "PoolingStepper",
    "ReceptiveField",
    "SharedGradient",
    "VolumeView",
    "WelcomeScanner",
]
