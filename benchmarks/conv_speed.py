"""How fast convolutions are, forward and backward, beside PyTorch on a CPU and two usual ways in NumPy.

    python benchmarks/conv_speed.py [--layers suite|held-out] [--quick] [--threads 2] [--only REGEX] [--clock cpu]

Ours with NumPy alone, ours with the compiled kernels of cnnlab[fast], and the others take turns in one process, and
what counts is the ratio within a round: the other's time divided by ours, so more than 1 means that ours is faster.
Backward leaves out the gradient to the input where a layer is the first of its net. On a busy machine ``--clock cpu``
measures the time of the one thread that computes; with several threads there is only the wall clock. The rules were set
with the suite, and not with the layers held out. CSV files and pictures go to benchmarks/out/.
"""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np
from _conv_layers import held_out, suite
from _conv_rivals import Columns, PyTorch, Textbook
from _plots import ratios_plot
from _report import Case, setting, table
from _run import has_torch, parser_of, started

from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry

COLUMNS = [("pytorch", step) for step in ("forward", "backward", "both")]
COLUMNS += [(rival, "both") for rival in ("channels_last", "textbook", "cs231n")]


class Ours:
    def __init__(self, layer, x, w, b):
        self.layer, self.x, self.w, self.b = layer, x, w, b

    def forward(self):
        return ops.conv_forward(self.x, self.w, self.b, **self.layer.options)

    def backward(self, dy):
        if self.layer.first:
            return ops.conv_backward_parameters(dy, self.x, self.w, **self.layer.options)
        return ops.conv_backward(dy, self.x, self.w, **self.layer.options)


def contestants(layer, sets, x, w, b):
    found = dict.fromkeys(sets, Ours(layer, x, w, b))
    if has_torch():
        found["pytorch"] = PyTorch(layer, x, w, b)
        if x.ndim > 3:
            found["channels_last"] = PyTorch(layer, x, w, b, channels_last=True)
    if layer.options.get("groups", 1) == 1:
        found |= {"textbook": Textbook(layer, x, w, b), "cs231n": Columns(layer, x, w, b)}
    return found


def case_of(layer, sets):
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(shape, dtype=np.float32) for shape in (layer.x, layer.w, layer.w[:1]))
    w *= np.float32(prod(w.shape[1:]) ** -0.5)
    geometry = ConvGeometry.of_weight(layer.w, **layer.options)
    dy = rng.standard_normal(geometry.output_shape(layer.x), dtype=np.float32)
    found = contestants(layer, sets, x, w, b)
    turns = {
        who: {
            "forward": one.forward,
            "backward": partial(one.backward, one.upstream(dy) if isinstance(one, PyTorch) else dy),
        }
        for who, one in found.items()
    }

    def same():
        y = wanted = None
        for who, passes in turns.items():
            with setting(who):
                got_y, got = np.asarray(passes["forward"]()), np.asarray(passes["backward"]()[-2])
            if y is None:
                y, wanted = got_y, got
            np.testing.assert_allclose(got_y, y, atol=2e-3, err_msg=who)
            np.testing.assert_allclose(got, wanted, atol=2e-3 * np.abs(wanted).max(), err_msg=who)

    def plans():
        works = ["forward", "grad_weight"] + ["grad_input"] * (not layer.first)
        picked = {}
        for who in sets:
            with setting(who):
                plan = kernels.explain_plan(geometry, layer.x)
            picked[who] = "/".join(plan[work] for work in works)
        return picked

    return Case(layer.name, layer.group, turns, same, plans)


def main():
    parser = parser_of(__doc__)
    parser.add_argument(
        "--layers", choices=("all", "suite", "held-out"), default="all", help="which list to measure (default: all)"
    )
    with started(parser, __file__) as (run, options):
        lists = {"suite": suite(), "held-out": held_out()}
        if options.layers != "all":
            lists = {options.layers: lists[options.layers]}
        chosen = run.chosen((layer.name for layers in lists.values() for layer in layers), "layer")
        written = []
        for name, layers in lists.items():
            asked = [layer for layer in layers if layer.name in chosen]
            if not asked:
                continue
            part = "_held_out" if name == "held-out" else ""
            print(f"{'layers held out from tuning' if part else 'the suite'}, ms of forward and backward")
            measured, files = table(run, (case_of(layer, run.sets) for layer in asked), COLUMNS, part)
            title = f"Convolution layers{', held out from tuning' if part else ''}"
            written += files + ratios_plot(run, measured, ("forward", "backward"), title, part)
            print()
        run.say_end(*written)


if __name__ == "__main__":
    main()
