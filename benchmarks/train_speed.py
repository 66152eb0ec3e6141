"""How fast whole training steps of the course's nets are, beside PyTorch in both memory layouts.

    python benchmarks/train_speed.py [--quick] [--threads 2] [--only REGEX] [--clock cpu]

All start from the same weights and see the same batch, and take turns as in conv_speed.py, each of some steps in a row,
as training has them; the losses of the first turn are compared. A step is forward, loss, backward and SGD with
momentum.
"""

from __future__ import annotations

import copy

import numpy as np
from _plots import ratios_plot
from _report import Case, setting, table
from _run import has_torch, parser_of, started

from cnnlab import nn, optim

STEPS = 5  # until losses are compared
IN_A_ROW = 30  # steps of a turn: behind the pause before it a training step takes up to twice as long as in training
COLUMNS = [(rival, "step") for rival in ("pytorch", "channels_last", "better")]
LAYOUTS = {"pytorch": "contiguous_format", "channels_last": "channels_last"}
NEAR = 1e-3  # of each other, the losses after the first turn


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


class Steps:
    """Training steps of one contestant, and the loss of the last one."""

    def __init__(self, step):
        self.step, self.loss = step, np.nan

    def __call__(self):
        self.loss = self.step()


def our_step(net, x, y):
    net = copy.deepcopy(net)
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        value = loss(net(x), y)
        net.zero_grad()
        net.backward_parameters(loss.backward())
        optimizer.step()
        return float(value)

    return step


def torch_step(net, x, y, layout):
    import torch

    layout = getattr(torch, layout)
    net = to_torch(net).to(memory_format=layout)
    x, y = torch.tensor(x).contiguous(memory_format=layout), torch.tensor(y)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def case_of(name, net, shape, classes, sets):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(shape, dtype=np.float32), rng.integers(0, classes, shape[0])
    steps = {who: Steps(our_step(net, x, y)) for who in sets}
    if has_torch():
        steps |= {who: Steps(torch_step(net, x, y, layout)) for who, layout in LAYOUTS.items()}

    seen = {}

    def same():
        for who, step in steps.items():
            with setting(who):
                for _ in range(STEPS):
                    step()
            seen[who] = step.loss
        if not max(seen.values()) - min(seen.values()) <= NEAR:
            raise AssertionError(f"{name}: after {STEPS} steps the losses differ by more than {NEAR}: {seen}")

    def losses():
        return {who: f"loss {loss:.6f}" for who, loss in seen.items()}

    return Case(name, "", {who: {"step": step} for who, step in steps.items()}, same, losses, IN_A_ROW)


def main():
    with started(parser_of(__doc__), __file__) as (run, _):
        all_ = nets(np.random.default_rng(0))
        chosen = run.chosen(all_, "net")
        print("training steps in batches of 64, ms of a step")
        measured, written = table(run, (case_of(name, *all_[name], run.sets) for name in chosen), COLUMNS)
        written += ratios_plot(run, measured, ("step",), "Training steps")
        run.say_end(*written)


if __name__ == "__main__":
    main()
