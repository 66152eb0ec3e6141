"""What it saves to compute a ReLU in the pass of the convolution before it.

    python benchmarks/relu_speed.py [--quick] [--threads 2] [--only REGEX] [--clock cpu]

`ops.conv_relu_forward` beside `ops.conv_forward` and `ops.relu_forward`, with NumPy's kernels and with the compiled
ones, and PyTorch's convolution with its ReLU in the same memory. All take turns as in conv_speed.py.
"""

from __future__ import annotations

import numpy as np
from _conv_layers import ALEXNET, RESNET, VGG
from _conv_layers import layer as conv
from _report import APART, Case, setting, table
from _run import has_torch, parser_of, started

from cnnlab import ops

LAYERS = (
    *(layer.batch(4) for layer in (ALEXNET[2], *VGG[1:4], RESNET[1])),
    conv("1×1", 64, (56, 56), 256, (1, 1), N=4),
    conv("depthwise", 64, (56, 56), 64, (3, 3), N=4, groups=64, padding=1),
    conv("few filters", 3, (64, 64), 8, (3, 3), N=16, padding=1),
    conv("1-D", 20, (400,), 32, (9,), N=16),
)


def case_of(layer, sets):
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(shape, dtype=np.float32) for shape in (layer.x, layer.w, layer.w[:1]))

    def together():
        return ops.conv_relu_forward(x, w, b, **layer.options)

    def apart():
        return ops.relu_forward(ops.conv_forward(x, w, b, **layer.options))

    turns = {ours: {"forward": together} for ours in sets} | {APART[ours]: {"forward": apart} for ours in sets}
    if has_torch():
        import torch

        there = [torch.tensor(array) for array in (x, w, b)]
        function = getattr(torch.nn.functional, f"conv{x.ndim - 2}d")
        turns["pytorch"] = {"forward": lambda: function(*there, **layer.options).relu_()}

    def same():
        wanted = apart()
        for who, passes in turns.items():
            with setting(who):
                np.testing.assert_allclose(
                    np.asarray(passes["forward"]()), wanted, atol=2e-4 * np.abs(wanted).max(), err_msg=who
                )

    return Case(layer.name, "", turns, same, dict)


def main():
    with started(parser_of(__doc__), __file__) as (run, _):
        layers = {layer.name: layer for layer in LAYERS}
        chosen = run.chosen(layers, "layer")
        print("convolution and ReLU, ms")
        columns = [*((APART[ours], "forward") for ours in run.sets), ("pytorch", "forward")]
        _, written = table(run, (case_of(layers[name], run.sets) for name in chosen), columns)
        run.say_end(*written)


if __name__ == "__main__":
    main()
