"""Where the public sets are: files, mirrors, sizes and the digests that are published for them.

No digest was computed here: the files were never fetched in our tests. The SHA-256 and sizes were copied from the
checksum files of TensorFlow Datasets (``url_checksums/{mnist,fashion_mnist,cifar10}.txt``), and agree with Keras
(Fashion-MNIST) and with other projects that print them. A wrong one would refuse a right file, never the reverse.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """One file: its name (in the cache and on every mirror), SHA-256 in hex, and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Source:
    """One public set.

    ``folder`` is its place below the cache folder, a URL is ``mirror + file.name``, ``files`` are those of each split,
    and ``instead`` is the call for the embedded set that comes nearest.
    """

    title: str
    folder: str
    mirrors: tuple[str, ...]
    files: dict[str, tuple[RemoteFile, ...]]
    instead: str


MNIST = Source(
    title="MNIST",
    folder="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files={
        "train": (
            RemoteFile(
                "train-images-idx3-ubyte.gz",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                9_912_422,
            ),
            RemoteFile(
                "train-labels-idx1-ubyte.gz",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                28_881,
            ),
        ),
        "test": (
            RemoteFile(
                "t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                1_648_877,
            ),
            RemoteFile(
                "t10k-labels-idx1-ubyte.gz",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                4_542,
            ),
        ),
    },
    instead="load_digits(size=28)",
)

FASHION_MNIST = Source(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    mirrors=(  # its makers' own address speaks http only
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
    files={
        "train": (
            RemoteFile(
                "train-images-idx3-ubyte.gz",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                26_421_880,
            ),
            RemoteFile(
                "train-labels-idx1-ubyte.gz",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                29_515,
            ),
        ),
        "test": (
            RemoteFile(
                "t10k-images-idx3-ubyte.gz",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                4_422_102,
            ),
            RemoteFile(
                "t10k-labels-idx1-ubyte.gz",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                5_148,
            ),
        ),
    },
    instead="load_shapes()",
)

_CIFAR10_ARCHIVE = RemoteFile(
    "cifar-10-binary.tar.gz",
    # Its makers' page prints an MD5, c32a1d4ab5d03f1284b67883e8d87530; projects that give both give these two.
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    170_052_171,
)

CIFAR10 = Source(
    title="CIFAR-10",
    folder="cifar-10",
    mirrors=(
        "https://www.cs.toronto.edu/~kriz/",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
    ),
    files={"train": (_CIFAR10_ARCHIVE,), "test": (_CIFAR10_ARCHIVE,)},
    instead="load_shapes(size=32)",
)
