"""Demos to touch: each computes in the browser from the reader's own arrays and lives on in a saved page.

A demo is an anywidget in a notebook and a self-contained page through `to_html` and `save`.
"""

from cnnlab.demos.autopsy import Autopsy
from cnnlab.demos.conv_stepper import ConvStepper
from cnnlab.demos.filter_gallery import FilterGallery
from cnnlab.demos.welcome_scanner import WelcomeScanner

__all__ = ["Autopsy", "ConvStepper", "FilterGallery", "WelcomeScanner"]
