"""Drawn layers, the readable op to compare with, and settings that are put back after each test."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from cnnlab import kernels, ops
from cnnlab.kernels.results import Results
from cnnlab.kernels.workspace import Workspace


@dataclass(frozen=True)
class Drawn:
    """A layer with sizes that fit together, and a generator for its numbers."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    options: dict[str, Any]
    seed: int

    def arrays(self, dtype="float64"):
        """Return x, w, b and dy."""
        rng = np.random.default_rng(self.seed)
        x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in (self.x, self.w, self.w[:1]))
        with kernels.use_algorithm("taps"):
            shape = ops.conv_forward(x, w, b, **self.options).shape
        return x, w, b, rng.standard_normal(shape).astype(dtype)


def sizes(rank, low, high):
    return st.tuples(*[st.integers(low, high)] * rank)


@st.composite
def layers(draw, *, kernel=None, dense=False, stride=None, groups=True):
    """Draw a layer; `kernel` may fix the kernel, `stride` the stride, and `dense` stride and dilation of 1."""
    rank = len(kernel) if kernel else draw(st.integers(1, 3))
    kernel = kernel or draw(sizes(rank, 1, 4))
    dilation = (1,) * rank if dense else draw(sizes(rank, 1, 2))
    pads = draw(st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * rank))
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    mode = draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]))
    most = {1: 40, 2: 11, 3: 4}[rank]
    # With zeros the kernel may be larger than the map; the other modes need more input than padding.
    spatial = tuple(
        max(e - sum(p), 1) + more if mode == "zeros" else max(e, *p) + 1 + more
        for e, p, more in zip(extent, pads, draw(sizes(rank, 0, most)), strict=True)
    )
    G = draw(st.sampled_from([1, 1, 2, 3])) if groups else 1
    C, M = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    return Drawn(
        (draw(st.integers(1, 5)), G * C, *spatial),
        (G * M, C, *kernel),
        {
            "stride": 1 if dense else stride or draw(sizes(rank, 1, 5)),
            "padding": pads,
            "dilation": dilation,
            "groups": G,
            "padding_mode": mode,
        },
        draw(st.integers(0, 2**32 - 1)),
    )


@pytest.fixture(autouse=True)
def small_work_is_shared_too(monkeypatch):
    """Let threads take part in layers as small as those that are drawn."""
    monkeypatch.setattr(kernels.threads, "least_macs", [1000, 1000])


@pytest.fixture(autouse=True)
def memory_is_full_of_nan(monkeypatch):
    """Let whoever reads memory of results, or borrowed memory, before it is written to see numbers that are none."""
    empty, take = Results.empty, Workspace.take

    def spoiled(self, shape, dtype):
        array = empty(self, shape, dtype)
        if dtype.kind == "f":
            array.fill(np.nan)
        return array

    def spoiled_bytes(self, size):
        piece = take(self, size)
        piece.fill(255)  # NaN in each format
        return piece

    monkeypatch.setattr(Results, "empty", spoiled)
    monkeypatch.setattr(Workspace, "take", spoiled_bytes)


@pytest.fixture(autouse=True)
def settings_are_put_back():
    with (
        kernels.use_algorithm(None),
        kernels.allow_winograd(True),
        kernels.allow_compiled(False),  # tests/kernels/test_fast.py allows them
        kernels.use_threads(None),
    ):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return where the kernels for a GPU, compiled for a CPU, are kept."""
    return tmp_path_factory.mktemp("kernels")
