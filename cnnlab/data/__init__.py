"""Data for the course: small sets that are part of the package, pictures made by code, and three public sets.

Only the public ones (MNIST, Fashion-MNIST, CIFAR-10) need a network, the first time they are asked for. A note on
origin and license lies beside each set.
"""

from cnnlab.data.audio import log_mel, mu_law_decode, normalize_log_mel
from cnnlab.data.digits import DigitSet, load_digits
from cnnlab.data.flowers import FlowerSet, flower_sprite, load_flowers
from cnnlab.data.photos import Photo, load_photos
from cnnlab.data.public import DownloadError, PictureSet, load_cifar10, load_fashion_mnist, load_mnist
from cnnlab.data.shapes import ShapeSet, load_shapes
from cnnlab.data.welcome import WelcomeRecording, WelcomeSet, load_welcome, load_welcome_recordings

__all__ = [
    "DigitSet",
    "DownloadError",
    "FlowerSet",
    "Photo",
    "PictureSet",
    "ShapeSet",
    "WelcomeRecording",
    "WelcomeSet",
    "flower_sprite",
    "load_cifar10",
    "load_digits",
    "load_fashion_mnist",
    "load_flowers",
    "load_mnist",
    "load_photos",
    "load_shapes",
    "load_welcome",
    "load_welcome_recordings",
    "log_mel",
    "mu_law_decode",
    "normalize_log_mel",
]
