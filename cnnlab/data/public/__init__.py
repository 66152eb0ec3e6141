"""Public sets, fetched when first asked for: MNIST, Fashion-MNIST, CIFAR-10."""

from cnnlab.data.public._fetch import DownloadError, cache_folder, stored_sets
from cnnlab.data.public.sets import PictureSet, load_cifar10, load_fashion_mnist, load_mnist

__all__ = [
    "DownloadError",
    "PictureSet",
    "cache_folder",
    "load_cifar10",
    "load_fashion_mnist",
    "load_mnist",
    "stored_sets",
]
