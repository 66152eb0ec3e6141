"""How fast convolutions and training steps are on a GPU, beside PyTorch with cuDNN at the same precision.

    python benchmarks/gpu_speed.py [--quick] [--held-out] [--rounds 15] [--only REGEX] [--tf32 off|on|both]
                                   [--untried] [--any-bits]
    python benchmarks/gpu_speed.py --algorithms     which of our algorithms is ahead on which layer, to set rules by

Both compute in turn in one process, timed by CUDA's events, and what counts is the ratio within a round: PyTorch's time
divided by ours, so more than 1 means that we are ahead. A layer is timed twice: as replays of a CUDA graph of some
calls, what the GPU takes, and called from Python, which is what counts for small layers. Both may try cuDNN's kernels
out first (with --untried neither), and neither takes kernels that give other bits at another run (with --any-bits both
may), PyTorch in its default memory layout and in channels_last. Each precision has a process of its own, since CuPy
reads CUPY_TF32 once. "error" is our largest error over the largest number of its result, by sums in float64. The tables
go to benchmarks/out/ as CSV too. Without a GPU it says so and ends well. Nothing here is run by the tests.
"""

from __future__ import annotations

import argparse
import copy
import csv
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache, partial
from math import prod
from pathlib import Path
from time import perf_counter

import numpy as np
from _conv_layers import HELD_OUT, suite

import cnnlab
from cnnlab import kernels, nn, ops, optim, train
from cnnlab.backend.gpu import require_cupy
from cnnlab.kernels import gpu
from cnnlab.kernels.gpu import convolution, elementwise, product

OUT = Path(__file__).parent / "out"
SECONDS = 0.002  # that a measurement takes at least, in calls in a row
IN_A_GRAPH = 10  # calls
CUDA = "cuda"  # as PyTorch calls the GPU
PASSES = ("forward", "backward")


def there(*arrays):
    return [cnnlab.asarray(array, device="gpu") for array in arrays]


def seconds(work, calls):
    """Return the seconds of one call, by events on the current stream."""
    events = require_cupy().cuda
    start, stop = events.Event(), events.Event()
    start.record()
    for _ in range(calls):
        work()
    stop.record()
    stop.synchronize()
    return events.get_elapsed_time(start, stop) / 1e3 / calls


def warm(work):
    """Call it until it has compiled and chosen all it wants; return how many calls make a measurement."""
    for _ in range(3):
        work()
    return max(1, min(1000, int(SECONDS / max(seconds(work, 3), 1e-7))))


class Ours:
    def __init__(self, layer, x, w, b, dy):
        self.layer = layer
        self.x, self.w, self.b, self.dy = there(x, w, b, dy)
        self._geometry = cnnlab.geometry.ConvGeometry.of_weight(layer.w, **layer.options)

    def forward(self):
        return ops.conv_forward(self.x, self.w, self.b, **self.layer.options)

    def backward(self):
        if self.layer.first:
            return ops.conv_backward_parameters(self.dy, self.x, self.w, **self.layer.options)
        return ops.conv_backward(self.dy, self.x, self.w, **self.layer.options)

    def weights(self):
        return convolution._grad_weight(self.dy, self.x, self.w.shape, self._geometry)

    def input(self):
        return convolution._grad_input(self.dy, self.w, self.x.shape, self._geometry)


class PyTorch:
    def __init__(self, layer, x, w, b, dy, *, channels_last=False):
        import torch

        rank = x.ndim - 2
        order = {2: torch.channels_last, 3: torch.channels_last_3d}.get(rank) if channels_last else None
        order = order or torch.contiguous_format
        self.torch, self.layer = torch, layer
        self.x, self.w, self.dy = (torch.tensor(a, device=CUDA).contiguous(memory_format=order) for a in (x, w, dy))
        self.b = torch.tensor(b, device=CUDA)
        self.conv = (torch.conv1d, torch.conv2d, torch.conv3d)[rank - 1]

        def each(value):
            return list(value) if isinstance(value, tuple) else [value] * rank

        o = layer.options
        self.arguments = [each(o.get("stride", 1)), each(o.get("padding", 0)), each(o.get("dilation", 1)), False]
        self.arguments += [[0] * rank, o.get("groups", 1)]

    def forward(self):
        with self.torch.no_grad():
            return self.conv(self.x, self.w, self.b, **self.layer.options)

    def backward(self):
        wanted = [not self.layer.first, True, True]
        back = self.torch.ops.aten.convolution_backward
        return back(self.dy, self.x, self.w, [len(self.b)], *self.arguments, wanted)


class Replayed:
    """Some calls as one CUDA graph, recorded by the library whose they are."""

    def __init__(self, work, *, ours, calls=IN_A_GRAPH):
        def some():
            for _ in range(calls):
                work()

        if ours:
            self.replay = kernels.gpu.Recording(some).replay
            return
        import torch

        aside = torch.cuda.Stream()
        with torch.cuda.stream(aside):
            some()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            some()
        self.replay = graph.replay


def arrays_of(layer):
    x, w, b = (numbers(shape, seed) for seed, shape in enumerate((layer.x, layer.w, layer.w[:1])))
    w *= np.float32(prod(w.shape[1:]) ** -0.5)
    x_there, w_there = there(x, w)
    return x, w, b, numbers(ops.conv_forward(x_there, w_there, **layer.options).shape, 3)


@cache
def drawn():
    return np.random.default_rng(0).standard_normal(2**20 + 7, dtype=np.float32)


def numbers(shape, seed):
    """Return normal numbers of that shape, which repeat after a million: drawing takes longer than computing."""
    return np.resize(np.roll(drawn(), 101 * seed), shape)


def interleaved(works, rounds):
    """Return the seconds of each, (rounds,), taken in turn."""
    calls = {key: warm(work) for key, work in works.items()}
    found = {key: [] for key in works}
    for _ in range(rounds):
        for key, work in works.items():
            found[key].append(seconds(work, calls[key]))
    return {key: np.array(value) for key, value in found.items()}


def peak_bytes(work):
    """Return the most bytes that CuPy's pool lent at a time during a call, results included."""
    hooks = require_cupy().cuda

    class Peak(hooks.MemoryHook):
        name = "peak"
        now = most = 0

        def malloc_postprocess(self, *, mem_size, **_):
            self.now += mem_size
            self.most = max(self.most, self.now)

        def free_postprocess(self, *, mem_size, **_):
            self.now -= mem_size

    with Peak() as hook:
        work()
    return hook.most


def rivals(layer, arrays):
    if not has_torch():
        return {}
    return {"pytorch": PyTorch(layer, *arrays), "channels_last": PyTorch(layer, *arrays, channels_last=True)}


def has_torch():
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def errors(ours, others, tf32):
    """Return our largest error by sums in float64, over the largest number: a wrong result would be no bargain.

    Say whose results are off by more than is usual.
    """
    allowed = 1e-2 if tf32 else 1e-3
    largest = 0.0
    exact = copy.copy(ours)
    exact.x, exact.w, exact.b, exact.dy = (one.astype("float64") for one in (ours.x, ours.w, ours.b, ours.dy))
    with kernels.use_algorithm("gpu_im2col"):
        wanted = [exact.forward(), *exact.backward()]
    for who, one in {"ours": ours, **others}.items():
        results = [one.forward(), *one.backward()]
        for result, want in zip([result for result in results if result is not None], wanted, strict=True):
            error = float(abs(require_cupy().asarray(result) - want).max() / abs(want).max())
            if who == "ours":
                largest = max(largest, error)
            if not error <= allowed:
                print(f"  a result of {who}, {want.shape}, is off by {error:.1e} of its largest number")
    return largest


def picked(layer):
    geometry = cnnlab.geometry.ConvGeometry.of_weight(layer.w, **layer.options)
    plan = kernels.explain_plan(geometry, layer.x, device="gpu")
    return "/".join(plan[work] for work in ["forward", "grad_weight"] + ["grad_input"] * (not layer.first))


def layers_table(layers, rounds, tf32, writer):
    ratios = {}
    heads = ("µs", "forward", "backward", "both", "ch. last", "called", "error", "MB")
    print(f"{'layer':<27} " + " ".join(f"{head:>8}" for head in heads) + "   algorithms")
    for layer in layers:
        arrays = arrays_of(layer)
        ours, others = Ours(layer, *arrays), rivals(layer, arrays)
        error = errors(ours, others, tf32)
        works = {}
        for who, one in {"ours": ours, **others}.items():
            for step in PASSES:
                works[who, "called", step] = getattr(one, step)
                works[who, "replayed", step] = Replayed(getattr(one, step), ours=who == "ours").replay
        found = interleaved(works, rounds)
        for who in ("ours", *others):
            for step in PASSES:
                found[who, "replayed", step] /= IN_A_GRAPH
            for how in ("replayed", "called"):
                found[who, how, "both"] = sum(found[who, how, step] for step in PASSES)
        memory = max(peak_bytes(ours.forward), peak_bytes(ours.backward))
        row = {key: np.median(found[key] / found["ours", *key[1:]]) for key in found if key[0] != "ours"}
        for key, value in row.items():
            ratios.setdefault(key, []).append(value)
        cells = [row.get(("pytorch", "replayed", step)) for step in (*PASSES, "both")]
        cells += [row.get(("channels_last", "replayed", "both")), row.get(("pytorch", "called", "both"))]
        text = " ".join(f"{'–' if cell is None else format(cell, '.2f'):>8}" for cell in cells)
        us = 1e6 * np.median(found["ours", "replayed", "both"])
        print(f"{layer.name:<27} {us:8.1f} {text} {error:8.0e} {memory / 1e6:8.1f}   {picked(layer)}", flush=True)
        for (who, how, step), values in found.items():
            extra = memory if who == "ours" else ""
            line = [layer.name, who, how, step, float(np.median(values)), float(values.min()), extra, picked(layer)]
            writer.writerow(line)
    means(ratios)


def means(ratios):
    if ratios:
        print("geometric means of the medians of ratios (more than 1: we are ahead):")
    for (who, how, step), values in ratios.items():
        mean = np.exp(np.mean(np.log(values)))
        print(f"  {step:<9} {how:<9} {who:<14} {mean:5.2f}   lowest {min(values):5.2f}   of {len(values)}")


def passes(shape):
    """Return name: (ours, PyTorch's) for what moves memory more than it computes, on maps (N, C, H, W)."""
    import torch

    x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    (ours,), theirs = there(x), torch.tensor(x, device=CUDA)
    (b,), their_b = there(np.ones(shape[1], np.float32)), torch.ones(1, shape[1], 1, 1, device=CUDA)
    found = {
        "bias and ReLU, in place": (
            lambda: elementwise.add_bias(ours, b, relu=True),
            lambda: theirs.add_(their_b).relu_(),
        ),
        "gradient of biases": (lambda: product.column_sums(ours), lambda: theirs.sum((0, 2, 3))),
        "ReLU back": (
            lambda: ops.relu_backward(ours, ours),
            lambda: torch.ops.aten.threshold_backward(theirs, theirs, 0),
        ),
        "tanh": (lambda: ops.tanh_forward(ours), lambda: torch.tanh(theirs)),
    }
    pool, back = torch.nn.functional.max_pool2d, torch.ops.aten.max_pool2d_with_indices_backward
    for size, stride, padding in ((2, 2, 0), (3, 2, 1)):
        options = {"stride": stride, "padding": padding}
        y, places = pool(theirs, size, stride, padding, return_indices=True)
        dy = ops.max_pool_forward(ours, size, **options)
        name, each = f"max pool {size}, stride {stride}", [[size] * 2, [stride] * 2, [padding] * 2]
        found[name] = (
            partial(ops.max_pool_forward, ours, size, **options),
            partial(pool, theirs, size, stride, padding, return_indices=True),
        )
        found[f"{name}, back"] = (
            partial(ops.max_pool_backward, dy, ours, size, **options),
            partial(back, y, theirs, *each, [1, 1], False, places),
        )
    mean = torch.nn.functional.avg_pool2d
    found["average pool 2"] = lambda: ops.avg_pool_forward(ours, 2), lambda: mean(theirs, 2)
    half, their_half = ops.avg_pool_forward(ours, 2), mean(theirs, 2)
    back = torch.ops.aten.avg_pool2d_backward
    found["average pool 2, back"] = (
        lambda: ops.avg_pool_backward(half, ours, 2),
        lambda: back(their_half, theirs, [2, 2], [2, 2], [0, 0], False, True, None),
    )
    return found


def passes_table(rounds, writer):
    if not has_torch():
        return
    ratios = {}
    print("\nother passes, replayed, µs")
    for shape in ((64, 64, 56, 56), (64, 6, 28, 28)):
        for name, (ours, theirs) in passes(shape).items():
            works = {"ours": Replayed(ours, ours=True).replay, "pytorch": Replayed(theirs, ours=False).replay}
            found = {who: values / IN_A_GRAPH for who, values in interleaved(works, rounds).items()}
            ratio = np.median(found["pytorch"] / found["ours"])
            ratios.setdefault(("pytorch", "replayed", "pass"), []).append(ratio)
            text = "   ".join(f"{who} {1e6 * np.median(values):6.1f}" for who, values in found.items())
            print(f"{name + ', ' + '×'.join(map(str, shape)):<42} {text}   ratio {ratio:.2f}", flush=True)
            for who, values in found.items():
                writer.writerow([name, who, "replayed", shape, float(np.median(values)), float(values.min()), "", ""])
    means(ratios)


def our_step(net, x, y):
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        prediction = net(x)
        value = loss.forward(prediction, y)  # stays on the GPU: reading it would wait
        net.zero_grad()
        net.backward_parameters(loss.gradient(prediction, y))
        optimizer.step()
        return value

    return step


def torch_step(net, x, y, layout):
    import torch

    net = net.to(device=CUDA, memory_format=layout)
    x, y = torch.tensor(x, device=CUDA).contiguous(memory_format=layout), torch.tensor(y, device=CUDA)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        value = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value

    return step


def recorded_step(net, x, y):
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    step = train.RecordedStep(net, nn.CrossEntropyLoss(), optimizer, x, y)
    return lambda: step(x, y)


def torch_steps(net, x, y):
    """Return PyTorch's steps by name: in both layouts as they are written, and the first as a CUDA graph."""
    import torch
    from train_speed import to_torch

    net = to_torch(net)
    steps = {
        name: torch_step(copy.deepcopy(net), x, y, getattr(torch, layout))
        for name, layout in (("pytorch", "contiguous_format"), ("channels_last", "channels_last"))
    }
    return steps | {"pytorch graph": Replayed(steps["pytorch"], ours=False, calls=1).replay}


def steps_table(rounds, writer):
    from train_speed import nets

    rng, ratios = np.random.default_rng(0), {}
    print("\ntraining steps, batch 64, in microseconds")
    for name, (net, shape, classes) in nets(rng).items():
        x, y = rng.standard_normal(shape, dtype=np.float32), rng.integers(0, classes, shape[0])
        steps = torch_steps(net, x, y) if has_torch() else {}
        data = there(x, y)
        steps["called"] = our_step(copy.deepcopy(net).to("gpu"), *data)
        steps["recorded"] = recorded_step(net.to("gpu"), *data)
        found = interleaved(steps, rounds)
        text = "   ".join(f"{who} {1e6 * np.median(values):6.1f}" for who, values in found.items())
        for who, values in found.items():
            writer.writerow([name, who, "", "step", float(np.median(values)), float(values.min()), "", ""])
        if has_torch():
            better = min(("pytorch", "channels_last"), key=lambda who: np.median(found[who]))
            for mine, other in (("recorded", better), ("called", better), ("recorded", "pytorch graph")):
                whose = other if other == "pytorch graph" else "better layout"
                ratios.setdefault((whose, mine, "step"), []).append(np.median(found[other] / found[mine]))
            text += f"   ratio {ratios['better layout', 'recorded', 'step'][-1]:.2f}"
        print(f"{name:<30} {text}", flush=True)
    means(ratios)


def fit_table(rounds, writer):
    """Time `train.fit` by the wall clock, with the steps it records and without."""
    from train_speed import nets

    name, examples, epochs = "32 and 64 maps, 1×28×28", 4096, 3
    net, (batch, *shape), classes = nets(np.random.default_rng(0))[name]
    x, y = there(numbers((examples, *shape), 0), np.arange(examples) % classes)
    found = {True: [], False: []}
    for _ in range(min(rounds, 5)):
        for recorded, times in found.items():
            mine = copy.deepcopy(net).to("gpu")
            optimizer = optim.SGD(mine.parameters(), lr=0.01, momentum=0.9)
            cnnlab.synchronize()
            begun = perf_counter()
            loss, options = nn.CrossEntropyLoss(), {"batch_size": batch, "progress": False, "recorded": recorded}
            train.fit(mine, x, y, loss=loss, optimizer=optimizer, epochs=epochs, **options)
            cnnlab.synchronize()
            times.append((perf_counter() - begun) / (epochs * examples / batch))
    print(f"\ntrain.fit, {name}, {epochs} epochs of {examples} examples, µs for a step with all around it")
    for recorded, times in found.items():
        print(f"  {'recorded' if recorded else 'called':<9} {1e6 * np.median(times):7.1f}")
        writer.writerow(
            [name, "ours", "recorded" if recorded else "called", "fit", np.median(times), min(times), "", ""]
        )


def algorithms_table(layers, rounds):
    names = list(gpu.known)
    print(f"{'layer':<27} {'pass':<11}" + "".join(f"{name:>12}" for name in names) + "   µs, replayed")
    for layer in layers:
        ours = Ours(layer, *arrays_of(layer))
        works = {"forward": ours.forward, "grad_weight": ours.weights} | (
            {} if layer.first else {"grad_input": ours.input}
        )
        times = {}
        for name in names:
            with kernels.use_algorithm(name):
                replays = {step: Replayed(work, ours=True).replay for step, work in works.items()}
                for key, values in interleaved(replays, rounds).items():
                    times[key, name] = np.median(values) / IN_A_GRAPH
        for step in works:
            cells = "".join(f"{1e6 * times[step, name]:12.1f}" for name in names)
            print(f"{layer.name:<27} {step:<11}{cells}", flush=True)


def versions():
    cupy = require_cupy()
    number = cupy.cuda.runtime.getDevice()
    name = cupy.cuda.runtime.getDeviceProperties(number)["name"].decode()
    text = f"{name}; cnnlab {cnnlab.__version__}, CuPy {cupy.__version__}, CUDA {cupy.cuda.runtime.runtimeGetVersion()}"
    if "cudnn" in gpu.known:
        import cudnn

        text += f", cuDNN {cudnn.backend_version_string()} by its frontend {cudnn.__version__}"
    if has_torch():
        import torch

        text += f", PyTorch {torch.__version__} with cuDNN {torch.backends.cudnn.version()}"
    else:
        text += "; PyTorch with CUDA is not installed: only our own times"
    return text


def measure(options, tf32):
    if has_torch():
        import torch

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = not options.untried
        torch.backends.cudnn.deterministic = not options.any_bits
    gpu.cudnn_benchmark(not options.untried)
    gpu.cudnn_deterministic(not options.any_bits)
    kind = ("as its heuristics say" if options.untried else "tried out") + ", any bits" * options.any_bits
    print(
        f"{versions()}; cuDNN's kernels {kind}; TF32 {'on' if tf32 else 'off'}; ratios are PyTorch's time to ours",
        flush=True,
    )
    layers = [one for one in (HELD_OUT if options.held_out else suite()) if re.search(options.only, one.name)]
    rounds = 3 if options.quick else options.rounds
    if options.algorithms:
        algorithms_table(layers, rounds)
        return
    OUT.mkdir(exist_ok=True)
    options_that_matter = ("held_out", "untried", "any_bits")
    name = "".join(f"_{one}" for one in options_that_matter if getattr(options, one))
    file = OUT / f"gpu_speed{name}_tf32_{'on' if tf32 else 'off'}.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["layer", "who", "how", "pass", "median_s", "min_s", "peak_bytes", "algorithms"])
        layers_table(layers, rounds, tf32, writer)
        passes_table(rounds, writer)
        steps_table(rounds, writer)
        fit_table(rounds, writer)
    if "cudnn" in gpu.known:
        for why, count in Counter(gpu.known["cudnn"].refused.values()).items():
            print(f"not by cuDNN, {count} times: {why}")
    print(f"written to benchmarks/out/{file.name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="3 rounds")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--held-out", action="store_true", help="the layers that no rule was set on")
    parser.add_argument("--only", default="", help="layers whose name matches")
    parser.add_argument("--algorithms", action="store_true", help="our algorithms beside one another")
    parser.add_argument("--untried", action="store_true", help="take the plans that cuDNN's heuristics put first")
    parser.add_argument("--any-bits", action="store_true", help="allow kernels that are not deterministic")
    parser.add_argument("--tf32", choices=("off", "on", "both"), default="both")
    options = parser.parse_args()
    status = cnnlab.gpu_status()
    if not status.ok:
        print(f"no GPU here: {status.reason}. Nothing was measured. To measure, {status.hint}")
        return 0
    if options.tf32 != "both":
        measure(options, options.tf32 == "on")
        return 0
    ended = 0
    for setting, value in (("off", "0"), ("on", "1")):
        command = [sys.executable, __file__, *sys.argv[1:], "--tf32", setting]
        ended |= subprocess.run(command, env=os.environ | {"CUPY_TF32": value}, check=False).returncode
    return ended


if __name__ == "__main__":
    sys.exit(main())
