"""Whole training steps of the course's nets, beside PyTorch on a CPU in its better memory layout.

    python benchmarks/train_speed.py [--quick] [--threads 2] [--rounds 15] [--clock cpu]

Both start from the same weights and see the same batches; after the last step their losses are compared. A step is
forward, loss, backward and SGD with momentum. The ratio is PyTorch's time divided by ours, so more than 1 means that we
are ahead.
"""

from __future__ import annotations

import argparse
import copy
import os
import time

import numpy as np

import cnnlab
from cnnlab import kernels, nn, optim


def nets(rng):
    """Return name: (net, shape of a batch, classes)."""
    make = {"rng": rng}
    return {
        "LeNet-5, tanh, 1×32×32": (nn.models.lenet5(rng=rng), (64, 1, 32, 32), 10),
        "6 and 16 maps, 1×28×28": (
            nn.Sequential(
                nn.Conv2d(1, 6, 5, padding=2, **make), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(6, 16, 5, **make), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(400, 120, **make), nn.ReLU(), nn.Linear(120, 10, **make),
            ), (64, 1, 28, 28), 10,
        ),
        "32 and 64 maps, 1×28×28": (
            nn.Sequential(
                nn.Conv2d(1, 32, 3, padding=1, **make), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(32, 64, 3, padding=1, **make), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(3136, 10, **make),
            ), (64, 1, 28, 28), 10,
        ),
        "shapes, lecture 10, 3×24×24": (
            nn.Sequential(
                nn.Conv2d(3, 16, 7, padding=3, **make), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(16, 24, 3, padding=1, **make), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(864, 4, **make),
            ), (64, 3, 24, 24), 4,
        ),
    }  # fmt: skip


def to_torch(net):
    import torch

    layers = []
    for layer in net:
        name = type(layer).__name__
        if name == "Conv2d":
            g = layer.geometry
            layers.append(
                torch.nn.Conv2d(g.in_channels, g.out_channels, g.kernel, g.stride, [before for before, _ in g.padding])
            )
        elif name == "Linear":
            layers.append(torch.nn.Linear(layer.in_features, layer.out_features))
        elif name in {"MaxPool2d", "AvgPool2d"}:
            layers.append(getattr(torch.nn, name)(layer.kernel_size, layer.stride))
        else:
            layers.append(getattr(torch.nn, name)())
        if name in {"Conv2d", "Linear"}:
            layers[-1].weight.data = torch.tensor(layer.weight.data)
            layers[-1].bias.data = torch.tensor(layer.bias.data)
    return torch.nn.Sequential(*layers)


def our_step(net, x, y):
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        value = loss(net(x), y)
        net.zero_grad()
        net.backward_parameters(loss.backward())
        optimizer.step()
        return value

    return step


def torch_step(net, x, y, layout):
    import torch

    net = copy.deepcopy(net).to(memory_format=layout)
    x, y = torch.tensor(x).contiguous(memory_format=layout), torch.tensor(y)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="3 rounds")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    options = parser.parse_args()
    clock = time.thread_time if options.clock == "cpu" else time.perf_counter
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: pip install 'cnnlab[oracle]' to compare with it")
        return
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(options.threads)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"
    print(
        f"cnnlab {cnnlab.__version__}, NumPy {np.__version__}, PyTorch {torch.__version__}; {options.threads} threads, "
        f"{options.clock} clock, load {load}"
    )
    rng = np.random.default_rng(0)
    ratios = []
    with threadpool_limits(options.threads, "blas"), kernels.use_threads(options.threads):
        for name, (net, shape, classes) in nets(rng).items():
            x, y = rng.standard_normal(shape, dtype=np.float32), rng.integers(0, classes, shape[0])
            other = to_torch(net)
            layouts = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
            steps = {"ours": our_step(net, x, y)}
            steps |= {layout: torch_step(other, x, y, order) for layout, order in layouts.items()}
            seconds, losses = {who: [] for who in steps}, {}
            for number in range((3 if options.quick else options.rounds) + 1):
                for who, step in steps.items():
                    start = clock()
                    losses[who] = step()
                    if number:
                        seconds[who].append(clock() - start)
            better = min(layouts, key=lambda layout: np.median(seconds[layout]))
            ratio = np.median(np.array(seconds[better]) / np.array(seconds["ours"]))
            ratios.append(ratio)
            print(
                f"{name:<30} ours {1e3 * np.median(seconds['ours']):7.2f} ms   PyTorch "
                f"{1e3 * np.median(seconds[better]):7.2f} ms ({better})   ratio {ratio:5.2f}   "
                f"losses differ by {abs(losses['ours'] - losses[better]):.1e}",
                flush=True,
            )
    print(f"geometric mean {np.exp(np.mean(np.log(ratios))):.2f}")


if __name__ == "__main__":
    main()
