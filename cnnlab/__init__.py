"""cnnlab: convolutional neural networks, taught from the scan up."""

__version__ = "0.1.0"
