"""Sizes, taps, windows, edges, receptive fields and costs of layers that scan, in plain integers.

What a convolution connects is decided here and nowhere else: the ops, the slow references, the figures and the lectures
all ask the same geometry.
"""

from cnnlab.geometry.conv import ConvGeometry
from cnnlab.geometry.conv_transpose import ConvTransposeGeometry
from cnnlab.geometry.options import PADDING_MODES, PaddingMode
from cnnlab.geometry.pool import PoolGeometry
from cnnlab.geometry.receptive import ReceptiveField, receptive_field
from cnnlab.geometry.sources import padded_sources
from cnnlab.geometry.window import Edge, Position, WindowGeometry

__all__ = [
    "PADDING_MODES",
    "ConvGeometry",
    "ConvTransposeGeometry",
    "Edge",
    "PaddingMode",
    "PoolGeometry",
    "Position",
    "ReceptiveField",
    "WindowGeometry",
    "padded_sources",
    "receptive_field",
]
