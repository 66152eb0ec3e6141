"""Data for the course: small embedded sets and scenes made by code; nothing here needs a network."""

from cnnlab.data.audio import log_mel, mu_law_decode, normalize_log_mel
from cnnlab.data.digits import DigitSet, load_digits
from cnnlab.data.flowers import FlowerSet, load_flowers
from cnnlab.data.photos import Photo, load_photos
from cnnlab.data.shapes import ShapeSet, load_shapes
from cnnlab.data.welcome import WelcomeRecording, WelcomeSet, load_welcome, load_welcome_recordings

__all__ = [
    "DigitSet",
    "FlowerSet",
    "Photo",
    "ShapeSet",
    "WelcomeRecording",
    "WelcomeSet",
    "load_digits",
    "load_flowers",
    "load_photos",
    "load_shapes",
    "load_welcome",
    "load_welcome_recordings",
    "log_mel",
    "mu_law_decode",
    "normalize_log_mel",
]
