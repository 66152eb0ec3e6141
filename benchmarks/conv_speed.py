"""How fast the convolutions are, beside PyTorch on a CPU and the two usual ways of computing them in NumPy.

    python benchmarks/conv_speed.py [--quick] [--threads 2] [--held-out] [--rounds 15] [--only REGEX] [--clock cpu]

All are measured in turn in one process, and what counts is the ratio within a round: PyTorch's time divided by ours,
so more than 1 means that we are ahead. Backward leaves out the gradient to the input where a layer is the first of its
net. On a busy machine ``--clock cpu`` measures the time of the one thread that computes; with several threads there is
only the wall clock. The tables go to benchmarks/out/ as CSV too. Nothing here is run by the tests.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import re
import time
import tracemalloc
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
from _conv_layers import HELD_OUT, suite
from numpy.lib.stride_tricks import as_strided

import cnnlab
from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry

OUT = Path(__file__).parent / "out"
EXTRA = ("ours", "textbook", "cs231n")  # whose memory is measured


class Ours:
    def __init__(self, layer, x, w, b):
        self.layer, self.x, self.w, self.b = layer, x, w, b

    def forward(self):
        return ops.conv_forward(self.x, self.w, self.b, **self.layer.options)

    def backward(self, dy):
        if self.layer.first:
            return ops.conv_backward_parameters(dy, self.x, self.w, **self.layer.options)
        return ops.conv_backward(dy, self.x, self.w, **self.layer.options)


class Columns:
    """All columns of the batch in one matrix, kept for the backward pass; no groups and zeros as padding."""

    def __init__(self, layer, x, w, b):
        self.layer, self.x, self.w, self.b = layer, x, w, b
        self.g = ConvGeometry.of_weight(w.shape, **layer.options)
        self.out = self.g.output_size(x.shape[2:])

    def columns(self, x):
        """Return (C·K, N·P)."""
        g, rank = self.g, self.g.rank
        steps = x.strides[2:]
        shape = (x.shape[1], *g.kernel, x.shape[0], *self.out)
        strides = (
            x.strides[1],
            *(s * d for s, d in zip(steps, g.dilation, strict=True)),
            x.strides[0],
            *(s * d for s, d in zip(steps, g.stride, strict=True)),
        )
        return np.ascontiguousarray(as_strided(x, shape, strides)).reshape(prod(shape[: 1 + rank]), -1)

    def forward(self):
        N, M = len(self.x), len(self.w)
        x = np.pad(self.x, ((0, 0), (0, 0), *self.g.padding))
        self.kept = self.columns(x)
        y = self.w.reshape(M, -1) @ self.kept + self.b[:, None]
        return np.ascontiguousarray(np.moveaxis(y.reshape(M, N, *self.out), 1, 0))

    def backward(self, dy):
        M = len(self.w)
        dy2 = np.moveaxis(dy, 1, 0).reshape(M, -1)
        dw, db = (dy2 @ self.kept.T).reshape(self.w.shape), dy2.sum(axis=1)
        if self.layer.first:
            return dw, db
        g = self.g
        padded = [n + sum(p) for n, p in zip(self.x.shape[2:], g.padding, strict=True)]
        dx = np.zeros((*self.x.shape[:2], *padded), self.x.dtype)
        dcolumns = (self.w.reshape(M, -1).T @ dy2).reshape(self.x.shape[1], *g.kernel, len(self.x), *self.out)
        for tap, seen in g.taps(self.x.shape[2:]):
            dx[..., *seen] += np.moveaxis(dcolumns[(slice(None), *tap)], 0, 1)
        inside = [slice(a, n - b) for n, (a, b) in zip(padded, g.padding, strict=True)]
        return np.ascontiguousarray(dx[..., *inside]), dw, db


class Textbook(Columns):
    """The textbook's im2col: one picture after the other, its columns made anew in the backward pass."""

    def forward(self):
        M = len(self.w)
        x = np.pad(self.x, ((0, 0), (0, 0), *self.g.padding))
        w = self.w.reshape(M, -1)
        return np.stack([(w @ self.columns(one[None]) + self.b[:, None]).reshape(M, *self.out) for one in x])

    def backward(self, dy):
        N = len(self.x)
        parts = []
        for n in range(N):
            one = Columns(self.layer, self.x[n : n + 1], self.w, self.b)
            one.kept = one.columns(np.pad(one.x, ((0, 0), (0, 0), *self.g.padding)))
            parts.append(one.backward(dy[n : n + 1]))
        dw, db = (sum(part[i] for part in parts) for i in (-2, -1))
        return (dw, db) if self.layer.first else (np.concatenate([part[0] for part in parts]), dw, db)


class PyTorch:
    def __init__(self, layer, x, w, b, *, channels_last=False):
        import torch

        self.torch, self.layer = torch, layer
        rank = x.ndim - 2
        order = {2: torch.channels_last, 3: torch.channels_last_3d}.get(rank) if channels_last else None
        self.order = order or torch.contiguous_format
        self.x, self.w = (torch.tensor(a).contiguous(memory_format=self.order) for a in (x, w))
        self.b = torch.tensor(b)
        self.conv = (torch.conv1d, torch.conv2d, torch.conv3d)[rank - 1]

        def each(value):
            return list(value) if isinstance(value, tuple) else [value] * rank

        o = layer.options
        self.arguments = [each(o.get("stride", 1)), each(o.get("padding", 0)), each(o.get("dilation", 1)), False]
        self.arguments += [[0] * rank, o.get("groups", 1)]

    def forward(self):
        with self.torch.no_grad():
            return self.conv(self.x, self.w, self.b, **self.layer.options)

    def upstream(self, dy):
        return self.torch.tensor(dy).contiguous(memory_format=self.order)

    def backward(self, dy):
        wanted = [not self.layer.first, True, True]
        back = self.torch.ops.aten.convolution_backward
        return back(dy, self.x, self.w, [len(self.b)], *self.arguments, wanted)


def contestants(layer, x, w, b):
    try:
        found = {"pytorch": PyTorch(layer, x, w, b), "channels_last": PyTorch(layer, x, w, b, channels_last=True)}
    except ImportError:
        found = {}
    found["ours"] = Ours(layer, x, w, b)
    if layer.options.get("groups", 1) == 1:
        found |= {"textbook": Textbook(layer, x, w, b), "cs231n": Columns(layer, x, w, b)}
    return found


def measure(layer, rounds, clock):
    """Return seconds by contestant and pass, (rounds,) each, and extra bytes of ours and of the textbook's way."""
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(shape, dtype=np.float32) for shape in (layer.x, layer.w, layer.w[:1]))
    w *= np.float32(prod(w.shape[1:]) ** -0.5)
    all_ = contestants(layer, x, w, b)
    y = all_["ours"].forward()
    dy = rng.standard_normal(y.shape, dtype=np.float32)
    upstream = {name: one.upstream(dy) if isinstance(one, PyTorch) else dy for name, one in all_.items()}
    wanted = all_["ours"].backward(dy)[-2]
    for name, one in all_.items():  # warm up, and see that all compute the same
        np.testing.assert_allclose(np.asarray(one.forward()), y, atol=2e-3, err_msg=name)
        got = np.asarray(one.backward(upstream[name])[-2])
        np.testing.assert_allclose(got, wanted, atol=2e-3 * np.abs(wanted).max(), err_msg=name)
    seconds = {(name, step): [] for name, step in product(all_, ("forward", "backward"))}
    for _ in range(rounds):
        for name, one in all_.items():
            start = clock()
            one.forward()
            middle = clock()
            one.backward(upstream[name])
            seconds[name, "forward"].append(middle - start)
            seconds[name, "backward"].append(clock() - middle)
    return {key: np.array(value) for key, value in seconds.items()}, {
        name: extra(all_[name], dy) for name in EXTRA if name in all_
    }


def extra(one, dy):
    """Return the bytes at the peak of forward and backward beyond what they return."""
    kernels.workspace_limit(kernels.workspace_limit())  # lets go of what is kept
    tracemalloc.start()
    y = one.forward()
    results = y.nbytes + sum(a.nbytes for a in one.backward(dy))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return max(0, peak - results)


COLUMNS = [("pytorch", step) for step in ("forward", "backward", "both")]
COLUMNS += [(rival, "both") for rival in ("channels_last", "textbook", "cs231n")]


def compared(seconds):
    """Return the median of the ratios of each rival's time to ours, by rival and pass."""
    found = {}
    for (name, step), values in seconds.items():
        if name != "ours":
            found[name, step] = np.median(values / seconds["ours", step])
            both = sum(seconds[name, one] for one in ("forward", "backward"))
            found[name, "both"] = np.median(both / sum(seconds["ours", one] for one in ("forward", "backward")))
    return found


def table(layers, rounds, clock, writer):
    ratios = {}
    heads = "".join(f"{head:>9}" for head in ("forward", "backward", "both", "ch. last", "textbook", "cs231n"))
    print(f"{'layer':<27} {'ms':>8}{heads}   MB ours/textbook/cs231n   plan: forward/grad_weight/grad_input")
    for layer in layers:
        seconds, memory = measure(layer, rounds, clock)
        found = compared(seconds)
        for key, value in found.items():
            ratios.setdefault(key, []).append(value)
        plan = kernels.explain_plan(ConvGeometry.of_weight(layer.w, **layer.options), layer.x)
        picked = "/".join(plan[work] for work in ["forward", "grad_weight"] + ["grad_input"] * (not layer.first))
        cells = "".join(f"{found[key]:9.2f}" if key in found else f"{'–':>9}" for key in COLUMNS)
        extras = "/".join(f"{memory[name] / 1e6:.1f}" if name in memory else "–" for name in EXTRA)
        ms = 1e3 * np.median(seconds["ours", "forward"] + seconds["ours", "backward"])
        print(f"{layer.name:<27} {ms:8.2f}{cells}   {extras:<23}   {picked}", flush=True)
        for (name, step), values in seconds.items():
            row = [layer.name, name, step, float(np.median(values)), float(values.min()), memory.get(name, ""), picked]
            writer.writerow(row)
    print("geometric means of the medians of ratios (more than 1: we are ahead):")
    for (rival, step), values in ratios.items():
        mean, low = np.exp(np.mean(np.log(values))), min(values)
        print(f"  {step:<9} {rival:<14} {mean:5.2f}   lowest {low:5.2f}   of {len(values)} layers")


def growth(clock):
    """Time against batch, channels, size of the map and of the kernel: the last column shall stay about level."""
    print("\ngrowth: ns a thousand multiply-adds, forward")
    base = {"N": 8, "C": 32, "HW": 32, "K": 3}
    sweeps = {"N": (1, 4, 16, 64, 256, 1024), "C": (1, 4, 16, 64, 256), "HW": (8, 32, 128, 512), "K": (1, 3, 5, 9, 15)}
    for axis, values in sweeps.items():
        for value in values:
            s = base | {axis: value}
            if axis == "HW" and value > 128:
                s["C"] = 4
            x = np.ones((s["N"], s["C"], s["HW"], s["HW"]), np.float32)
            w = np.ones((s["C"], s["C"], s["K"], s["K"]), np.float32)
            best = np.inf
            for _ in range(3):
                start = clock()
                ops.conv_forward(x, w, padding=s["K"] // 2)
                best = min(best, clock() - start)
            geometry = ConvGeometry.of_weight(w.shape, padding=s["K"] // 2)
            macs = geometry.mac_count(x.shape)
            plan = kernels.explain_plan(geometry, x.shape)
            print(f"  {axis:>2} = {value:<5} {plan['forward']:<14} {1e3 * best:9.3f} ms {1e12 * best / macs:8.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="3 rounds")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--held-out", action="store_true", help="the layers that no rule was set on")
    parser.add_argument("--only", default="", help="layers whose name matches")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--growth", action="store_true", help="only the growth table")
    options = parser.parse_args()
    if options.clock == "cpu" and options.threads > 1:
        parser.error("--clock cpu counts one thread: use it with --threads 1")
    clock = time.thread_time if options.clock == "cpu" else time.perf_counter

    from threadpoolctl import threadpool_limits

    versions = f"cnnlab {cnnlab.__version__}, NumPy {np.__version__}"
    try:
        import torch

        torch.set_num_threads(options.threads)
        versions += f", PyTorch {torch.__version__}"
    except ImportError:
        versions += ", PyTorch not installed"
    threads = options.threads
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"
    print(f"{versions}; {platform.machine()}, {os.cpu_count()} cores, load {load}")
    print(f"{threads} thread{'s' * (threads > 1)}, {options.clock} clock; ratios are the others' time to ours")
    with threadpool_limits(threads, "blas"), kernels.use_threads(threads):
        if options.growth:
            growth(clock)
            return
        layers = [one for one in (HELD_OUT if options.held_out else suite()) if re.search(options.only, one.name)]
        OUT.mkdir(exist_ok=True)
        name = f"conv_speed{'_held_out' * options.held_out}_{threads}.csv"
        with (OUT / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["layer", "who", "pass", "median_s", "min_s", "extra_bytes", "plan"])
            table(layers, 3 if options.quick else options.rounds, clock, writer)
        print(f"written to {OUT / name}")


if __name__ == "__main__":
    main()
