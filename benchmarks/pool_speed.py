"""How fast max and average pooling are, forward and backward, beside PyTorch and the readable op.

    python benchmarks/pool_speed.py [--quick] [--threads 2] [--only REGEX] [--clock cpu]

Ours with NumPy alone and with the compiled kernels of cnnlab[fast], the readable op tap by tap, and PyTorch in both
memory layouts take turns as in conv_speed.py. PyTorch's gradient comes from its autograd, as in a training step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _plots import ratios_plot
from _report import Case, setting, table
from _run import has_torch, parser_of, started

from cnnlab import ops

COLUMNS = [("pytorch", step) for step in ("forward", "backward", "both")]
COLUMNS += [(rival, "both") for rival in ("channels_last", "taps")]


@dataclass(frozen=True)
class Pool:
    """A pooling layer: "max" or "avg", the shape of x (N, C, *spatial), the kernel and the options."""

    name: str
    kind: str
    x: tuple[int, ...]
    kernel: int
    options: dict[str, Any] = field(default_factory=dict)


def pool(name, kind, x, kernel, **options):
    return Pool(name, kind, x, kernel, options)


POOLS = {
    "2×2": (
        pool("lenet max", "max", (64, 6, 28, 28), 2),
        pool("course max", "max", (64, 16, 28, 28), 2),
        pool("digits max", "max", (64, 64, 14, 14), 2),
        pool("shapes max", "max", (64, 24, 12, 12), 2),
        pool("vgg16 max", "max", (4, 64, 224, 224), 2),
        pool("odd sizes max", "max", (32, 32, 27, 31), 2),
        pool("lenet avg", "avg", (64, 6, 28, 28), 2),
        pool("densenet avg", "avg", (4, 128, 56, 56), 2),
    ),
    "3×3 with stride 2": (
        pool("alexnet max", "max", (4, 64, 55, 55), 3, stride=2),
        pool("resnet18 max, padded", "max", (4, 64, 112, 112), 3, stride=2, padding=1),
        pool("avg 3×3 stride 2, padded", "avg", (4, 64, 56, 56), 3, stride=2, padding=1),
    ),
    "overlapping, stride 1": (
        pool("inception max 3×3", "max", (4, 192, 28, 28), 3, stride=1, padding=1),
        pool("inception avg 3×3", "avg", (4, 192, 28, 28), 3, stride=1, padding=1),
        pool("max 5×5", "max", (4, 64, 28, 28), 5, stride=1, padding=2),
    ),
    "whole maps": (pool("resnet18 avg 7×7", "avg", (16, 512, 7, 7), 7),),
    "1-D and 3-D": (
        pool("sound max 1-D", "max", (16, 32, 2000), 4),
        pool("sound avg 1-D", "avg", (16, 32, 2000), 4),
        pool("speech max 1-D, padded", "max", (16, 64, 1000), 3, stride=2, padding=1),
        pool("clip max 3-D", "max", (4, 16, 16, 32, 32), 2),
        pool("clip avg 3-D", "avg", (4, 16, 16, 32, 32), 2),
        pool("clip max 3-D, padded", "max", (2, 16, 16, 32, 32), 3, stride=2, padding=1),
    ),
}


class Ours:
    def __init__(self, layer, x, dy):
        self.layer, self.x, self.dy = layer, x, dy
        self.ops = getattr(ops, f"{layer.kind}_pool_forward"), getattr(ops, f"{layer.kind}_pool_backward")

    def forward(self):
        return self.ops[0](self.x, self.layer.kernel, **self.layer.options)

    def backward(self):
        return self.ops[1](self.dy, self.x, self.layer.kernel, **self.layer.options)


class PyTorch:
    def __init__(self, layer, x, dy, *, channels_last=False):
        import torch

        self.torch, self.layer = torch, layer
        rank = x.ndim - 2
        last = {2: torch.channels_last, 3: torch.channels_last_3d}
        order = last[rank] if channels_last else torch.contiguous_format
        self.x, self.dy = (torch.tensor(a).contiguous(memory_format=order) for a in (x, dy))
        self.x.requires_grad_()
        self.pool = getattr(torch.nn.functional, f"{layer.kind}_pool{rank}d")

    def forward(self):
        self.y = self.pool(self.x, self.layer.kernel, **self.layer.options)
        return self.y

    def backward(self):
        return self.torch.autograd.grad(self.y, self.x, self.dy, retain_graph=True)[0]  # again in the same turn


def case_of(group, layer, sets):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(layer.x, dtype=np.float32)
    dy = rng.standard_normal(Ours(layer, x, None).forward().shape, dtype=np.float32)
    found = dict.fromkeys((*sets, "taps"), Ours(layer, x, dy))
    if has_torch():
        found["pytorch"] = PyTorch(layer, x, dy)
        if x.ndim > 3:
            found["channels_last"] = PyTorch(layer, x, dy, channels_last=True)
    turns = {who: {"forward": one.forward, "backward": one.backward} for who, one in found.items()}

    def same():
        wanted = None
        for who, passes in turns.items():
            with setting(who):
                got = [compute() for compute in passes.values()]
            got = [np.asarray(one.detach() if isinstance(found[who], PyTorch) else one) for one in got]
            wanted = wanted or got
            for one, other in zip(got, wanted, strict=True):
                np.testing.assert_allclose(one, other, atol=1e-5, err_msg=who)

    return Case(layer.name, group, turns, same, dict)


def main():
    with started(parser_of(__doc__), __file__) as (run, _):
        layers = {layer.name: (group, layer) for group, layers in POOLS.items() for layer in layers}
        chosen = run.chosen(layers, "layer")
        print("pooling, ms of forward and backward")
        measured, written = table(run, (case_of(*layers[name], run.sets) for name in chosen), COLUMNS)
        written += ratios_plot(run, measured, ("forward", "backward"), "Pooling layers")
        run.say_end(*written)


if __name__ == "__main__":
    main()
