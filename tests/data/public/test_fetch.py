"""Fetching, from servers on this machine: bad mirrors, damaged and closed folders, interruptions, two at once."""

import gzip
import hashlib
import os
import re
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cnnlab.data import DownloadError, load_mnist
from cnnlab.data.public import _download, _sources, cache_folder, stored_sets

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.fixture
def files(tiny_mnist):
    return tiny_mnist[0]


@pytest.fixture
def good(new_mirror, files):
    mirror = new_mirror()
    mirror.offer(files)
    return mirror


def everything_in(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_files_are_fetched_once_and_then_read_offline(tmp_path, files, good, register):
    register("MNIST", files, good)
    first = load_mnist("train", data_home=tmp_path)
    assert good.asked == [f"/{IMAGES}", f"/{LABELS}"]  # and nothing of the other split
    good.close()
    again = load_mnist("train", data_home=tmp_path)
    np.testing.assert_array_equal(again.x, first.x)
    assert everything_in(tmp_path) == {f"mnist/{name}": files[name] for name in (IMAGES, LABELS)}


SIGN_IN = b"<!DOCTYPE html><title>Sign in to the campus network</title>"


@pytest.mark.usefixtures("impatient")
def test_next_mirror_is_tried_whatever_is_wrong_with_the_first(tmp_path, files, good, new_mirror, register):
    image = files[IMAGES]
    changed = bytes([image[0] ^ 1]) + image[1:]
    answers = {
        "404": lambda h: h.send_error(404),
        "500": lambda h: h.send_error(500),
        "sign-in page": lambda h: good.reply(h, SIGN_IN, Content_Type="text/html"),
        "truncated": lambda h: good.reply(h, image[:100], length=len(image)),
        "short, and says so": lambda h: good.reply(h, image[:-1]),
        "wrong digest": lambda h: good.reply(h, changed),
        "empty": lambda h: good.reply(h, b""),
        "no end": good.stall,
        "hangs up": lambda h: h.connection.close(),
        "redirect to http": lambda h: good.reply(h, b"", status=302, Location="http://example.invalid/mnist"),
        "redirect to itself": lambda h: good.reply(h, b"", status=302, Location=f"/{IMAGES}"),
    }
    for name, answer in answers.items():
        bad = new_mirror()
        bad.answer(IMAGES, answer)
        register("MNIST", files, bad, good)
        home = tmp_path / name
        assert load_mnist(data_home=home).x.shape == (7, 1, 28, 28), name
        assert bad.asked, name
        assert everything_in(home) == {f"mnist/{name}": files[name] for name in (IMAGES, LABELS)}


def test_next_mirror_is_tried_when_nobody_listens_at_the_first(tmp_path, files, good, dead_url, register):
    register("MNIST", files, dead_url, good)
    assert load_mnist(data_home=tmp_path).x.shape == (7, 1, 28, 28)


@pytest.mark.parametrize("begins", [True, False])
@pytest.mark.usefixtures("impatient")
def test_server_that_falls_silent_is_left_in_time(tmp_path, files, new_mirror, register, begins):
    silent = new_mirror()
    silent.answer(IMAGES, silent.stall if begins else lambda h: h.server.done.wait(20))
    register("MNIST", files, silent)
    with pytest.raises(DownloadError, match=f"{IMAGES}: no answer in time"):
        load_mnist(data_home=tmp_path)


def test_server_that_packs_on_its_way_is_asked_not_to(tmp_path, files, new_mirror, register):
    packing = new_mirror()

    def answer(handler, content):
        if "gzip" in handler.headers["Accept-Encoding"]:
            packing.reply(handler, gzip.compress(content), Content_Encoding="gzip")
        else:
            packing.reply(handler, content)

    for name, content in files.items():
        packing.answer(name, partial(answer, content=content))
    register("MNIST", files, packing)
    assert len(load_mnist(data_home=tmp_path)) == 7


def test_reasons_are_told_in_a_few_words(tmp_path, files, new_mirror, register):
    mirrors = {name: new_mirror() for name in ("circle", "http", "page")}
    mirrors["circle"].answer(IMAGES, lambda h: h.server.reply(h, b"", status=302, Location=f"/{IMAGES}"))
    mirrors["http"].answer(IMAGES, lambda h: h.server.reply(h, b"", status=302, Location="http://example.invalid/"))
    mirrors["page"].answer(IMAGES, lambda h: h.server.reply(h, SIGN_IN))
    register("MNIST", files, *mirrors.values())
    with pytest.raises(DownloadError) as caught:
        load_mnist(data_home=tmp_path)
    told = {line.strip().partition(f"{IMAGES}: ")[2] for line in str(caught.value).splitlines()}
    assert told >= {
        "no connection, or a broken one (TooManyRedirects)",
        "redirects to http://example.invalid/, which is not https",
        "sends another file: its SHA-256 is not the published one",
    }


def test_second_mirror_is_not_asked_when_the_first_has_the_file(tmp_path, files, good, new_mirror, register):
    second = new_mirror()
    register("MNIST", files, good, second)
    load_mnist(data_home=tmp_path)
    assert second.asked == []


def test_redirect_within_reach_is_followed(tmp_path, files, good, new_mirror, register):
    moved = new_mirror()
    for name in files:
        moved.answer(name, lambda h, name=name: good.reply(h, b"", status=301, Location=good.url + name))
    register("MNIST", files, moved)
    assert len(load_mnist(data_home=tmp_path)) == 7


def test_file_that_a_server_labels_as_packed_is_kept_as_it_is(tmp_path, files, new_mirror, register):
    mislabeling = new_mirror()
    for name, content in files.items():
        mislabeling.answer(name, lambda h, content=content: mislabeling.reply(h, content, Content_Encoding="gzip"))
    register("MNIST", files, mislabeling)
    assert len(load_mnist(data_home=tmp_path)) == 7


def test_server_that_sends_without_end_is_left(tmp_path, files, new_mirror, register):
    flooding = new_mirror()
    flooding.answer(IMAGES, flooding.drip)
    register("MNIST", files, flooding)
    with pytest.raises(DownloadError, match=rf"sends more than the {len(files[IMAGES])} bytes"):
        load_mnist(data_home=tmp_path)


def test_server_that_is_slow_but_never_silent_is_left(tmp_path, files, new_mirror, register, monkeypatch):
    slow = new_mirror()
    slow.answer(IMAGES, slow.drip)
    source = register("MNIST", files, slow)
    large = (_sources.RemoteFile(IMAGES, "0" * 64, 1_000_000), source.files["train"][1])
    monkeypatch.setitem(source.files, "train", large)
    monkeypatch.setattr(_download, "PATIENCE", 0.2)
    monkeypatch.setattr(_download, "SLOWEST", 10_000_000)
    with pytest.raises(DownloadError, match=r"is slow: \d+ bytes in"):
        load_mnist(data_home=tmp_path)
    assert everything_in(tmp_path) == {}


def test_without_a_network_one_error_names_the_file_its_place_and_what_to_use_instead(
    tmp_path, files, dead_url, new_mirror, register
):
    empty = new_mirror()
    register("MNIST", files, dead_url, empty)
    with pytest.raises(DownloadError) as caught:
        load_mnist("test", data_home=tmp_path)
    text = str(caught.value)
    name = "t10k-images-idx3-ubyte.gz"
    for part in (
        f"{name} of MNIST",
        f"{dead_url}{name}: no connection",
        f"{empty.url}{name}: 404 Not Found",
        str(tmp_path / "mnist" / name),
        hashlib.sha256(files[name]).hexdigest(),
        f"mnist/{name}",
        f"beside t10k-labels-idx1-ubyte.gz, {IMAGES}, {LABELS}",
        "CNNLAB_DATA",
        "data_home",
        "cnnlab.data.load_digits(size=28)",
    ):
        assert part in text
    assert isinstance(caught.value, OSError)
    assert caught.value.__context__ is None  # one error, not a chain of five
    assert everything_in(tmp_path) == {}


def test_file_put_there_by_hand_is_used_without_asking_anybody(tmp_path, files, good, register):
    register("MNIST", files, good)
    (tmp_path / "mnist").mkdir()
    for name in (IMAGES, LABELS):
        (tmp_path / "mnist" / name).write_bytes(files[name])
    assert len(load_mnist(data_home=tmp_path)) == 7
    assert good.asked == []


@pytest.mark.parametrize("damage", [lambda b: b[:50], lambda b: b[:-1] + b"x", lambda b: b"", lambda b: b + b"x"])
def test_damaged_file_is_fetched_again(tmp_path, files, good, register, damage):
    register("MNIST", files, good)
    load_mnist(data_home=tmp_path)
    path = tmp_path / "mnist" / IMAGES
    path.write_bytes(damage(files[IMAGES]))
    assert len(load_mnist(data_home=tmp_path)) == 7
    assert path.read_bytes() == files[IMAGES]


def test_damaged_file_is_kept_and_named_while_no_better_one_can_be_had(tmp_path, files, dead_url, register):
    register("MNIST", files, dead_url)
    path = tmp_path / "mnist" / IMAGES
    path.parent.mkdir()
    path.write_bytes(b"half a file")
    with pytest.raises(DownloadError, match=re.escape(f"{path}: another file, or a damaged one")):
        load_mnist(data_home=tmp_path)
    assert everything_in(tmp_path) == {f"mnist/{IMAGES}": b"half a file"}


def test_interruption_leaves_nothing_that_counts(tmp_path, files, new_mirror, register, monkeypatch):
    """Ctrl-C in the middle of a file; afterwards the same folder is filled as if nothing had been."""
    mirror = new_mirror()
    mirror.answer(IMAGES, lambda h: mirror.stall(h, files[IMAGES][:200], len(files[IMAGES])))
    register("MNIST", files, mirror)

    class Interrupting:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def update(self, _):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_download, "_bar", lambda *_: Interrupting())
        patch.setattr(_download, "_CHUNK", 100)
        with pytest.raises(KeyboardInterrupt):
            load_mnist(data_home=tmp_path)
    assert everything_in(tmp_path) == {}
    mirror.offer(files)
    assert len(load_mnist(data_home=tmp_path)) == 7


PROGRAM = """
import sys, pathlib
from cnnlab.data.public import _sources
from cnnlab.data import load_mnist
url, home, *known = sys.argv[1:]
files = tuple(_sources.RemoteFile(*k.split(":")[:2], int(k.split(":")[2])) for k in known)
_sources.MNIST = _sources.Source("MNIST", "mnist", (url,), {"train": files}, "load_digits(size=28)")
print(len(load_mnist(data_home=home)))
"""


def start_program(url, home, files):
    known = [f"{n}:{hashlib.sha256(files[n]).hexdigest()}:{len(files[n])}" for n in (IMAGES, LABELS)]
    arguments = [sys.executable, "-c", PROGRAM, url, str(home), *known]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_download_leaves_nothing_that_counts(tmp_path, files, new_mirror, good, register):
    mirror = new_mirror()
    reached = threading.Event()

    def stall(handler):
        reached.set()
        mirror.stall(handler, files[IMAGES][:200], len(files[IMAGES]))

    mirror.answer(IMAGES, stall)
    program = start_program(mirror.url, tmp_path, files)
    assert reached.wait(20)
    program.kill()
    program.communicate()
    assert not (tmp_path / "mnist" / IMAGES).exists()
    register("MNIST", files, good)
    assert len(load_mnist(data_home=tmp_path)) == 7


def test_two_programs_at_once_both_get_the_set(tmp_path, files, new_mirror):
    """Neither is answered before both have asked, so both find the folder empty."""
    mirror = new_mirror()
    both = threading.Barrier(2)

    def answer(handler):
        both.wait(20)
        mirror.reply(handler, files[IMAGES])

    mirror.offer(files)
    mirror.answer(IMAGES, answer)
    programs = [start_program(mirror.url, tmp_path, files) for _ in range(2)]
    outputs = [program.communicate(timeout=60) for program in programs]
    assert [out for out, _ in outputs] == ["7\n", "7\n"], outputs
    assert everything_in(tmp_path) == {f"mnist/{name}": files[name] for name in (IMAGES, LABELS)}


@contextmanager
def without_rights():
    """No administrator's rights for a while: an administrator may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights of this kind are those of POSIX systems")
def test_folder_of_a_class_is_read_and_never_written_to(files, good, register):
    register("MNIST", files, good)
    with tempfile.TemporaryDirectory() as outer:  # not below pytest's own folder, which is its user's alone
        Path(outer).chmod(0o755)
        home = Path(outer) / "class"
        load_mnist("train", data_home=home)  # the teacher
        for path in (home, home / "mnist"):
            path.chmod(0o555)
        asked, before = list(good.asked), {p: p.stat().st_mtime_ns for p in home.rglob("*")}
        with without_rights():
            assert len(load_mnist("train", data_home=home)) == 7  # a student
            with pytest.raises(
                DownloadError, match=r"t10k-images.*\n.*(?i:permission denied|could not write)"
            ) as caught:
                load_mnist("test", data_home=home)
        assert "CNNLAB_DATA" in str(caught.value)
        assert good.asked == asked  # where nothing can be kept, nothing is fetched
        assert {p: p.stat().st_mtime_ns for p in home.rglob("*")} == before


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights of this kind are those of POSIX systems")
def test_folder_that_may_not_be_looked_into_holds_nothing(files, good, register):
    register("MNIST", files, good)
    with tempfile.TemporaryDirectory() as outer:
        home = Path(outer)  # its maker's alone
        for split in ("train", "test"):
            load_mnist(split, data_home=home)
        assert stored_sets(home) == ["MNIST"]
        home.chmod(0o000)
        with without_rights():
            assert stored_sets(home) == []
            with pytest.raises(DownloadError, match=r"(?i:permission denied)"):
                load_mnist(data_home=home)


def test_everybody_may_read_what_was_fetched(tmp_path, files, good, register):
    register("MNIST", files, good)
    load_mnist(data_home=tmp_path)
    assert stat.S_IMODE((tmp_path / "mnist" / IMAGES).stat().st_mode) == 0o644


def test_place_that_is_no_folder_is_named(tmp_path, files, good, register):
    register("MNIST", files, good)
    (tmp_path / "mnist").write_text("a file")
    with pytest.raises(DownloadError, match=r"mnist: (File exists|Not a directory)"):
        load_mnist(data_home=tmp_path)
    (tmp_path / "home").write_text("a file")
    with pytest.raises(DownloadError, match="Not a directory"):
        load_mnist(data_home=tmp_path / "home")
    assert good.asked == []


def test_full_disk_is_reported_and_no_other_mirror_bothered(tmp_path, files, good, register, monkeypatch):
    register("MNIST", files, good, good)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_download.Downloader, "__call__", full)
    with pytest.raises(DownloadError, match="No space left on device") as caught:
        load_mnist(data_home=tmp_path)
    assert str(caught.value).count("No space left") == 1


def test_folder_is_the_argument_or_the_variable_or_the_platforms(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "variable"))
    assert cache_folder(tmp_path / "argument") == tmp_path / "argument"
    assert cache_folder(str(tmp_path / "argument")) == tmp_path / "argument"
    assert cache_folder() == tmp_path / "variable"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CNNLAB_DATA", "~/data")
    assert cache_folder() == tmp_path / "data"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for unset in ("", None):
        monkeypatch.setenv("CNNLAB_DATA", unset) if unset is not None else monkeypatch.delenv("CNNLAB_DATA")
        assert "cnnlab" in str(cache_folder()).lower()
        assert cache_folder() != tmp_path / "data"


def test_variable_is_followed_by_the_loaders(tmp_path, files, good, register, monkeypatch):
    register("MNIST", files, good)
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    load_mnist()
    assert (tmp_path / "mnist" / IMAGES).exists()


def test_stored_sets_are_those_that_are_whole(tmp_path, files, good, register):
    register("MNIST", files, good)
    assert stored_sets(tmp_path) == []
    load_mnist("train", data_home=tmp_path)
    assert stored_sets(tmp_path) == []
    load_mnist("test", data_home=tmp_path)
    assert stored_sets(tmp_path) == ["MNIST"]


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/mnist/", True),
        ("http://example.org/mnist/", False),
        ("http://127.0.0.1:8000/", True),
        ("http://localhost/", True),
        ("http://127.0.0.1.example.org/", False),
        ("http://localhost@example.org/", False),
        ("ftp://127.0.0.1/", False),
        ("file:///etc/passwd", False),
    ],
)
def test_only_https_and_this_machine_are_read(url, safe):
    assert _download.is_safe(url) is safe


def test_mirror_without_https_is_not_asked(tmp_path, files, register):
    register("MNIST", files, "http://example.invalid/")
    with pytest.raises(DownloadError, match=r"example\.invalid/.*: is not https"):
        load_mnist(data_home=tmp_path)
