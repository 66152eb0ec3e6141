"""The readers of IDX and of CIFAR-10's binary archive: what they read, and that they believe no header."""

import gzip
import tarfile

import numpy as np
import pytest

from cnnlab.data.public._cifar import BATCHES, read_cifar10
from cnnlab.data.public._idx import read_idx


@pytest.mark.parametrize("shape", [(5,), (3, 4, 6), (2, 1, 1)])
def test_idx_array_comes_back(tmp_path, idx, shape):
    array = np.random.default_rng(0).integers(0, 256, shape)
    (tmp_path / "a.gz").write_bytes(idx(array))
    read = read_idx(tmp_path / "a.gz", len(shape))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


def test_idx_header_written_by_hand(tmp_path):
    content = bytes.fromhex("00000803 00000001 00000002 00000003") + bytes([10, 20, 30, 40, 50, 60])
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    assert read_idx(tmp_path / "a.gz", 3).tolist() == [[[10, 20, 30], [40, 50, 60]]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with : not an IDX file"),
        (bytes.fromhex("00000801 00000001 05"), "begins with 00 00 08 01: not an IDX file of bytes with 3 axes"),
        (bytes.fromhex("00000d03"), "begins with 00 00 0d 03"),
        (bytes.fromhex("00000803 00000001 0000"), "ends within its header, after 10 bytes"),
        (bytes.fromhex("00000803 00000001 00000001 00000002 07"), r"states the shape \(1, 1, 2\), but holds 1 numbers"),
        (bytes.fromhex("00000803 00000001 00000001 00000001 0707"), r"\(1, 1, 1\), but holds 2 numbers"),
        (bytes.fromhex("00000803 ffffffff ffffffff ffffffff 07"), "but holds 1 numbers"),
        (b"<!DOCTYPE html>", "begins with 3c 21 44 4f"),
    ],
)
def test_other_contents_are_refused(tmp_path, content, message):
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=rf"a\.gz {message}|{message}"):
        read_idx(tmp_path / "a.gz", 3)


@pytest.mark.parametrize("part", [slice(0, -6), slice(0, 5), slice(3, None)])
def test_damaged_gzip_is_refused(tmp_path, idx, part):
    (tmp_path / "a.gz").write_bytes(idx(np.arange(200))[part])
    with pytest.raises(ValueError, match=r"a\.gz is no whole gzip file"):
        read_idx(tmp_path / "a.gz", 1)


def records(rng, n):
    labels, pictures = rng.integers(0, 10, n), rng.integers(0, 256, (n, 3, 32, 32))
    rows = np.column_stack([labels, pictures.reshape(n, -1)]).astype(np.uint8)
    return labels, pictures, rows.tobytes()


def test_batches_are_joined_in_their_order_wherever_they_lie(tmp_path, cifar_archive):
    rng = np.random.default_rng(0)
    batches = {name: records(rng, n) for n, name in enumerate((*BATCHES["train"], *BATCHES["test"]), start=1)}
    lying = dict(sorted(batches.items(), key=lambda item: item[1][2]))  # in no order
    others = {"cifar-10-batches-bin/batches.meta.txt": b"airplane\n", "cifar-10-batches-bin/readme.html": b"<html>"}
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_bytes(cifar_archive(others | {name: content for name, (*_, content) in lying.items()}))
    for split in ("train", "test"):
        x, y = read_cifar10(path, split)
        np.testing.assert_array_equal(y, np.concatenate([batches[name][0] for name in BATCHES[split]]))
        np.testing.assert_array_equal(x, np.concatenate([batches[name][1] for name in BATCHES[split]]))


def test_archive_that_is_not_cifar10_is_refused(tmp_path, cifar_archive):
    (name,) = BATCHES["test"]
    path = tmp_path / "a.tar.gz"
    for content, message in (
        (cifar_archive({"else.bin": b"1"}), r"lacks cifar-10-batches-bin/test_batch.bin"),
        (cifar_archive({name: b"1" * 3072}), "has 3072 bytes, not a multiple of 3073"),
        (cifar_archive({name: b""}), "has 0 bytes"),
        (cifar_archive({name: bytes([10]) * 3073}), "has the label 10: CIFAR-10 has 0 to 9"),
        (cifar_archive({name: bytes(3073)})[:40], "is no whole tar.gz archive"),
        (b"<!DOCTYPE html>" * 100, "is no whole tar.gz archive"),
        (b"", "is no whole tar.gz archive"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read_cifar10(path, "test")


def test_folder_and_link_in_place_of_a_batch_are_refused(tmp_path):
    for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE):
        with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
            member = tarfile.TarInfo(BATCHES["test"][0])
            member.type, member.linkname = kind, "/etc/hostname"
            archive.addfile(member)
        with pytest.raises(ValueError, match=r"lacks|is no whole"):
            read_cifar10(tmp_path / "a.tar.gz", "test")
