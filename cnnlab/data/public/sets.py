"""The loaders of the public sets."""

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.data._arguments import how_many, one_of
from cnnlab.data.public import _sources
from cnnlab.data.public._cifar import read_cifar10
from cnnlab.data.public._fetch import fetch
from cnnlab.data.public._idx import read_idx
from cnnlab.data.public._sources import Source

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class PictureSet:
    """N pictures of ten classes.

    Attributes
    ----------
    x : array of float32, shape (N, C, H, W)
        Values in 0 … 1; one channel for grey, or red, green and blue.
    y : array of int64, shape (N,)
        The class: an index into ``names``.
    names : tuple of str
        What the classes are.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.y)


def load_mnist(
    split: str = "train", limit: int | None = None, data_home: str | os.PathLike[str] | None = None
) -> PictureSet:
    """Load MNIST, handwritten digits of 28 × 28 pixels: 60,000 to train with, 10,000 to test.

    Fetched when first asked for, 12 MB in all, then read from the cache without a network. Without either, the error
    says where to put which file; `load_digits` with ``size=28`` is a small set of this kind that is part of cnnlab.

    Each file counts only if its SHA-256 is the published one, every time that it is read. Mirrors, all https, are
    tried in turn. The folder may be one for a whole class that nobody but the teacher can write to. (The fetching is
    tested against a server of our own; the real files were never fetched in our tests.)

    Parameters
    ----------
    split : {"train", "test"}
        Which pictures.
    limit : int or None
        Only the first so many: ``limit=10_000`` of the training pictures take 31 MB of memory, all of them 188 MB.
    data_home : path or None
        The folder of all public sets; the files are in its subfolder ``mnist``. None: the environment variable
        ``CNNLAB_DATA``, or else the platform's cache folder.

    Returns
    -------
    PictureSet
        ``x`` of shape (N, 1, 28, 28), ink being 1.

    Raises
    ------
    DownloadError
        If a file is neither there nor to be had.
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.
    """
    return _idx_pictures(_sources.MNIST, split, limit, data_home, DIGITS)


def load_fashion_mnist(
    split: str = "train", limit: int | None = None, data_home: str | os.PathLike[str] | None = None
) -> PictureSet:
    """Load Fashion-MNIST, clothes of ten kinds, 28 × 28 pixels: 60,000 to train with, 10,000 to test.

    Fetched when first asked for, 31 MB in all, then read from the cache (its subfolder ``fashion-mnist``) without a
    network; everything else is as for `load_mnist`. (The real files were never fetched in our tests.)

    Parameters
    ----------
    split : {"train", "test"}
        Which pictures.
    limit : int or None
        Only the first so many.
    data_home : path or None
        The folder of all public sets, as for `load_mnist`.

    Returns
    -------
    PictureSet
        ``x`` of shape (N, 1, 28, 28), the background being 0.

    Raises
    ------
    DownloadError
        If a file is neither there nor to be had.
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.
    """
    return _idx_pictures(_sources.FASHION_MNIST, split, limit, data_home, CLOTHES)


def load_cifar10(
    split: str = "train", limit: int | None = None, data_home: str | os.PathLike[str] | None = None
) -> PictureSet:
    """Load CIFAR-10, color photos of ten kinds of things, 32 × 32 pixels: 50,000 to train with, 10,000 to test.

    Fetched when first asked for, 170 MB, then read from the cache (its subfolder ``cifar-10``) without a network;
    everything else is as for `load_mnist`. The binary archive is read, which holds no pickled objects. (The real file
    was never fetched in our tests.)

    Parameters
    ----------
    split : {"train", "test"}
        Which pictures.
    limit : int or None
        Only the first so many: all 50,000 take 614 MB of memory.
    data_home : path or None
        The folder of all public sets, as for `load_mnist`.

    Returns
    -------
    PictureSet
        ``x`` of shape (N, 3, 32, 32).

    Raises
    ------
    DownloadError
        If the file is neither there nor to be had.
    TypeError, ValueError
        If an argument is of another kind or out of range; the text says which values are possible.
    """
    limit = _checked(split, limit)
    (archive,) = fetch(_sources.CIFAR10, split, data_home)
    pictures, labels = read_cifar10(archive, split)
    return _first(pictures, labels, limit, split, THINGS)


def _idx_pictures(
    source: Source, split: str, limit: int | None, data_home: str | os.PathLike[str] | None, names: tuple[str, ...]
) -> PictureSet:
    limit = _checked(split, limit)
    of_pictures, of_labels = fetch(source, split, data_home)
    pictures, labels = read_idx(of_pictures, 3), read_idx(of_labels, 1)
    if len(pictures) != len(labels):
        raise ValueError(f"{of_pictures} has {len(pictures)} pictures, but {of_labels.name} {len(labels)} labels")
    return _first(pictures[:, None], labels, limit, split, names)


def _checked(split: str, limit: int | None) -> int | None:
    """Look at the arguments before anything is fetched."""
    one_of("split", split, ("train", "test"))
    return None if limit is None else how_many(limit, "picture", name="limit")


def _first(
    pictures: NDArray[np.uint8], labels: NDArray[np.uint8], limit: int | None, split: str, names: tuple[str, ...]
) -> PictureSet:
    if limit is not None and limit > len(labels):
        raise ValueError(f"limit={limit}: the {split} split has {len(labels)} pictures; ask for at most that, or None")
    x = pictures[:limit].astype(np.float32)
    x /= 255  # in place: the whole of CIFAR-10 is large enough once
    return PictureSet(x=x, y=labels[:limit].astype(np.int64), names=names)
