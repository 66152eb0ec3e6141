"""Read CIFAR-10's binary archive: batches of records, each a label and then 3 × 32 × 32 bytes. No pickle."""

import tarfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 32
_RECORD = 1 + 3 * SIDE * SIDE  # bytes
_FOLDER = "cifar-10-batches-bin/"
BATCHES = {
    "train": tuple(f"{_FOLDER}data_batch_{number}.bin" for number in range(1, 6)),
    "test": (f"{_FOLDER}test_batch.bin",),
}


def read_cifar10(path: Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return pictures (N, 3, 32, 32) and labels (N,) of a split; nothing is unpacked to the disk.

    Raises
    ------
    ValueError
        If the archive is damaged, lacks a batch, or a batch is not made of such records.
    """
    wanted = BATCHES[split]
    found: dict[str, NDArray[np.uint8]] = {}
    try:
        # As a stream: the batches do not lie in order, and going back would unpack the archive again.
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                stored = archive.extractfile(member) if member.name in wanted else None
                if stored is not None:
                    found[member.name] = np.frombuffer(stored.read(), np.uint8)
                if len(found) == len(wanted):
                    break
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is no whole tar.gz archive: {error}") from None
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}")
    for name, content in found.items():
        if not len(content) or len(content) % _RECORD:
            raise ValueError(f"{name} in {path} has {len(content)} bytes, not a multiple of {_RECORD}")
    records = np.concatenate([found[name] for name in wanted]).reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() > 9:
        raise ValueError(f"{path} has the label {labels.max()}: CIFAR-10 has 0 to 9")
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE), labels
