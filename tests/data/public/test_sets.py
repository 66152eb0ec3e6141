"""The loaders of the public sets on tiny files: shapes, values, classes, limits; and the table of the real files."""

import inspect
import re

import numpy as np
import pytest

import cnnlab.data
from cnnlab.data import load_cifar10, load_fashion_mnist, load_mnist
from cnnlab.data.public import _sources
from cnnlab.data.public._cifar import BATCHES

SOURCES = (_sources.MNIST, _sources.FASHION_MNIST, _sources.CIFAR10)


@pytest.fixture
def cifar(cifar_archive):
    rng = np.random.default_rng(1)
    batches = {
        name: np.column_stack([rng.integers(0, 10, n), rng.integers(0, 256, (n, 3072))]).astype(np.uint8)
        for name, n in zip((*BATCHES["train"], *BATCHES["test"]), (2, 1, 3, 1, 2, 4), strict=True)
    }
    return cifar_archive({name: rows.tobytes() for name, rows in batches.items()}), batches


@pytest.mark.parametrize("loader", [(load_mnist, "MNIST"), (load_fashion_mnist, "FASHION_MNIST")])
@pytest.mark.parametrize("part", [("train", "train", 7), ("test", "t10k", 4)])
def test_idx_sets_are_what_their_files_hold(tmp_path, tiny_mnist, serve, loader, part):
    files, arrays = tiny_mnist
    (load, which), (split, prefix, n) = loader, part
    serve(which, files)
    s = load(split, data_home=tmp_path)
    assert s.x.shape == (n, 1, 28, 28)
    assert (s.x.dtype, s.y.dtype, len(s)) == (np.float32, np.int64, n)
    np.testing.assert_allclose(s.x[:, 0] * 255, arrays[f"{prefix}-images-idx3-ubyte.gz"], atol=1e-4)
    np.testing.assert_array_equal(s.y, arrays[f"{prefix}-labels-idx1-ubyte.gz"])
    assert s.x.max() <= 1
    assert len(s.names) == 10


def test_cifar10_is_what_its_archive_holds(tmp_path, cifar, serve):
    content, batches = cifar
    mirror = serve("CIFAR10", {"cifar-10-binary.tar.gz": content})
    for split, n in (("train", 9), ("test", 4)):
        s = load_cifar10(split, data_home=tmp_path)
        rows = np.concatenate([batches[name] for name in BATCHES[split]])
        assert s.x.shape == (n, 3, 32, 32)
        assert (s.x.dtype, s.y.dtype, len(s)) == (np.float32, np.int64, n)
        np.testing.assert_allclose(s.x.reshape(n, -1) * 255, rows[:, 1:], atol=1e-4)
        np.testing.assert_array_equal(s.y, rows[:, 0])
    assert s.names[0] == "airplane"
    assert len(s.names) == 10
    assert mirror.asked == ["/cifar-10-binary.tar.gz"]  # one file for both splits


@pytest.mark.parametrize("limit", [1, 3, 7, np.int64(2)])
def test_limit_gives_the_first_ones(tmp_path, tiny_mnist, serve, limit):
    serve("MNIST", tiny_mnist[0])
    few, all_of_them = load_mnist("train", limit, tmp_path), load_mnist("train", data_home=tmp_path)
    np.testing.assert_array_equal(few.x, all_of_them.x[:limit])
    np.testing.assert_array_equal(few.y, all_of_them.y[:limit])
    assert few.x.base is None  # holds no more memory than it shows


def test_limit_reaches_over_batches(tmp_path, cifar, serve):
    serve("CIFAR10", {"cifar-10-binary.tar.gz": cifar[0]})
    few, all_of_them = load_cifar10(limit=4, data_home=tmp_path), load_cifar10(data_home=tmp_path)
    np.testing.assert_array_equal(few.x, all_of_them.x[:4])
    np.testing.assert_array_equal(few.y, all_of_them.y[:4])


def test_more_than_there_are_is_refused(tmp_path, tiny_mnist, serve):
    serve("MNIST", tiny_mnist[0])
    with pytest.raises(ValueError, match="limit=8: the train split has 7 pictures; ask for at most that, or None"):
        load_mnist(limit=8, data_home=tmp_path)


def test_labels_of_another_number_of_pictures_are_refused(tmp_path, tiny_mnist, idx, serve):
    files = tiny_mnist[0] | {"train-labels-idx1-ubyte.gz": idx(np.zeros(6))}
    serve("MNIST", files)
    with pytest.raises(ValueError, match=r"has 7 pictures, but train-labels-idx1-ubyte\.gz 6 labels"):
        load_mnist(data_home=tmp_path)


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist, load_cifar10])
def test_bad_arguments_are_refused_before_anything_is_fetched(tmp_path, load):
    with pytest.raises(ValueError, match='split \'valid\' is unknown: use "train" or "test"'):
        load("valid", data_home=tmp_path)
    with pytest.raises(ValueError, match="limit=0: ask for at least 1 picture"):
        load(limit=0, data_home=tmp_path)
    with pytest.raises(TypeError, match=r"limit=2\.5: ask for a whole number of pictures"):
        load(limit=2.5, data_home=tmp_path)
    with pytest.raises(ValueError, match="split 3 is unknown"):
        load(3, data_home=tmp_path)
    with pytest.raises(TypeError, match="data_home=5: give the path of a folder, or None"):
        load(data_home=5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.title)
def test_real_mirrors_are_several_and_speak_https(source):
    assert len(set(source.mirrors)) >= 2
    assert all(re.fullmatch(r"https://[^/]+/.*/", mirror) for mirror in source.mirrors)


def test_real_digests_are_sha256_and_all_different():
    files = {file for source in SOURCES for split in source.files.values() for file in split}
    assert len(files) == 9
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in files)
    assert len({file.sha256 for file in files}) == 9
    assert len({file.size for file in files}) == 9


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.title)
def test_what_is_named_instead_exists_and_is_embedded(source):
    name, arguments = re.fullmatch(r"(load_\w+)\((.*)\)", source.instead).groups()
    options = dict(part.split("=") for part in arguments.split(", ") if part)
    load = getattr(cnnlab.data, name)
    few = {"n": 4} if "n" in inspect.signature(load).parameters else {}
    s = load(**few, **{key: int(value) for key, value in options.items()})
    assert s.x.ndim == 4
