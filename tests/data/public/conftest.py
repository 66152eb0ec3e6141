"""A server on this machine that stands in for the mirrors, and tiny files in the formats of the public sets."""

import gzip
import hashlib
import io
import socket
import struct
import tarfile
import threading
import time
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from cnnlab.data.public import _download, _sources
from cnnlab.data.public._sources import RemoteFile


class Handler(BaseHTTPRequestHandler):
    """Answers each path by the function that the mirror holds for it; 404 for others."""

    def do_GET(self):
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
        else:
            answer(self)

    def log_message(self, *_):
        pass


def send(handler, content, *, status=200, length=None, **headers):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


class Mirror(ThreadingHTTPServer):
    """One mirror: ``url`` to reach it, ``asked`` paths so far, and a way to say how it answers for a file."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.answers = [], {}
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.done = threading.Event()  # ends answers that wait
        threading.Thread(target=partial(self.serve_forever, poll_interval=0.01), daemon=True).start()

    def handle_error(self, *_):
        """A client that hangs up is part of the tests."""

    def offer(self, files):
        for name, content in files.items():
            self.answers[f"/{name}"] = partial(send, content=content)

    def answer(self, name, answer):
        self.answers[f"/{name}"] = answer

    reply = staticmethod(send)

    @staticmethod
    def stall(handler, content=b"x" * 100, length=1000):
        """Begin an answer and do not go on."""
        send(handler, content, length=length)
        handler.wfile.flush()
        handler.server.done.wait(20)

    @staticmethod
    def drip(handler):
        """Answer a little at a time, for ever."""
        send(handler, b"", length=1_000_000)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not handler.server.done.is_set():
            handler.wfile.write(b"x" * (1 << 14))
            time.sleep(0.05)

    def close(self):
        self.done.set()
        self.shutdown()
        self.server_close()


@pytest.fixture
def new_mirror(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    mirrors = []

    def start():
        mirrors.append(Mirror())
        return mirrors[-1]

    yield start
    for mirror in mirrors:
        mirror.close()


@pytest.fixture
def dead_url():
    """Where nobody listens: a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


@pytest.fixture
def idx():
    """Make a gzipped IDX file of an array of bytes."""

    def make(array):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)

    return make


@pytest.fixture
def cifar_archive():
    """Make a tar.gz archive of named files."""

    def make(batches):
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w:gz") as archive:
            for name, content in batches.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return target.getvalue()

    return make


@pytest.fixture
def tiny_mnist(idx):
    """The four files of a tiny MNIST: 7 and 4 pictures; and the arrays in them."""
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte.gz": rng.integers(0, 256, (7, 28, 28)),
        "train-labels-idx1-ubyte.gz": rng.integers(0, 10, 7),
        "t10k-images-idx3-ubyte.gz": rng.integers(0, 256, (4, 28, 28)),
        "t10k-labels-idx1-ubyte.gz": rng.integers(0, 10, 4),
    }
    return {name: idx(array) for name, array in arrays.items()}, arrays


def registered(source, files, mirrors):
    """The same source with the digests and sizes of other files, on other mirrors."""
    known = {
        split: tuple(
            RemoteFile(f.name, hashlib.sha256(files[f.name]).hexdigest(), len(files[f.name])) for f in of_split
        )
        for split, of_split in source.files.items()
    }
    return replace(source, files=known, mirrors=tuple(mirrors))


@pytest.fixture
def register(monkeypatch):
    """Put the tiny files of a set, and mirrors of this machine, in place of the real ones."""

    def put(which, files, *mirrors):
        source = registered(getattr(_sources, which), files, [getattr(m, "url", m) for m in mirrors])
        monkeypatch.setattr(_sources, which, source)
        return source

    return put


@pytest.fixture
def serve(new_mirror, register):
    """Offer the tiny files of a set on a mirror of its own."""

    def start(which, files):
        mirror = new_mirror()
        mirror.offer(files)
        register(which, files, mirror)
        return mirror

    return start


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(_download, "TIMEOUT", (5.0, 1.0))
