"""How the cost of a convolution grows with batch, channels, map and kernel: no size may be a cliff.

    python benchmarks/conv_growth.py [--quick] [--threads 2] [--only REGEX] [--clock cpu]

One size at a time grows while the others stay. The table has nanoseconds for a thousand multiply-adds, from the least
time of all rounds, for the forward pass and both gradients. Below each sweep stands the cliff: the largest ratio of one
line's cost to that of the line before, so 1 or less where cost grows no faster than work. Sizes between those that
vectors and tiles like are in the sweeps on purpose. PyTorch (contiguous) is measured beside ours.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
from _plots import growth_plot
from _report import OURS, Case, Rows, measure, said, setting
from _run import has_torch, parser_of, started

from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import planner

STEPS = ("forward", "grad_weight", "grad_input")
HEADS = {"numpy": "numpy", "fast": "fast", "pytorch": "PyTorch"}
# The size that grows: its values, and the other sizes.
SWEEPS = {
    "N": ((1, 2, 3, 4, 6, 8, 16, 32, 64, 128, 256, 1024), {"C": 32, "HW": 32, "K": 3}),
    "C": ((1, 2, 3, 4, 6, 8, 12, 16, 17, 24, 32, 33, 48, 64, 65, 96, 128, 256), {"N": 8, "HW": 32, "K": 3}),
    "HW": ((4, 5, 7, 8, 13, 14, 16, 28, 32, 33, 56, 64, 112, 128, 256, 512, 1024), {"N": 1, "C": 32, "K": 3}),
    "K": ((1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15), {"N": 8, "C": 32, "HW": 32}),
}


def sizes_of(axis, value):
    """Return the shapes of x and w, and the geometry."""
    s = SWEEPS[axis][1] | {axis: value}
    w = (s["C"], s["C"], s["K"], s["K"])
    return (s["N"], s["C"], s["HW"], s["HW"]), w, ConvGeometry.of_weight(w, padding=s["K"] // 2)


def case_of(axis, value, sets):
    x_shape, w_shape, geometry = sizes_of(axis, value)
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape, dtype=np.float32) for shape in (x_shape, w_shape))
    dy = rng.standard_normal(geometry.output_shape(x_shape), dtype=np.float32)
    padding = w_shape[-1] // 2
    ours = {
        "forward": partial(ops.conv_forward, x, w, padding=padding),
        "grad_weight": partial(planner.grad_weight, dy, x, w_shape, geometry),
        "grad_input": partial(planner.grad_input, dy, w, x_shape[2:], geometry),
    }
    turns = dict.fromkeys(sets, ours)
    if has_torch():
        turns["pytorch"] = theirs(x, w, dy, padding)

    def same():
        wanted = None
        for who, passes in turns.items():
            with setting(who):
                got = [np.asarray(compute()) for compute in passes.values()]
            wanted = wanted or got
            for one, other in zip(got, wanted, strict=True):
                np.testing.assert_allclose(one, other, atol=2e-3 * np.abs(other).max(), err_msg=f"{axis} {value} {who}")

    def plans():
        picked = {}
        for who in sets:
            with setting(who):
                plan = kernels.explain_plan(geometry, x_shape)
            picked[who] = "/".join(plan[step] for step in STEPS)
        return picked

    return Case(f"{axis} = {value}", axis, turns, same, plans)


def theirs(x, w, dy, padding):
    import torch

    layer = torch.nn.functional.conv2d
    x, w, dy = (torch.tensor(a) for a in (x, w, dy))
    back = partial(torch.ops.aten.convolution_backward, dy, x, w, None, [1, 1], [padding] * 2, [1, 1], False, [0, 0], 1)
    return {
        "forward": partial(layer, x, w, padding=padding),
        "grad_weight": lambda: back([False, True, False])[1],
        "grad_input": lambda: back([True, False, False])[0],
    }


def cost(axis, value, seen, who, step):
    """Return the nanoseconds of a thousand multiply-adds."""
    x_shape, _, geometry = sizes_of(axis, value)
    return 1e12 * seen.seconds[who, step].min() / geometry.mac_count(x_shape)


def cliff(costs):
    """Return the largest ratio of a cost to the one before, and the value that has it."""
    return max((after / before, value) for (_, before), (value, after) in pairwise(costs.items()))


def sweep(run, axis, rows):
    """Measure, print and write one sweep; return what was seen by value, and the cliffs by pass and contestant."""
    values, others = SWEEPS[axis]
    whos = [*run.sets, *(["pytorch"] if has_torch() else [])]
    print(f"{axis} grows, with {', '.join(f'{name} = {size}' for name, size in others.items())}")
    print(f"{'':<10}" + "".join(f"{step:>{9 * len(whos)}}" for step in STEPS) + "   extra MB")
    print(f"{'':<10}" + "".join(f"{HEADS[who]:>9}" for _ in STEPS for who in whos) + f"   {'/'.join(run.sets)}")
    seen, costs = {}, {(step, who): {} for step in STEPS for who in whos}
    for value in values:
        seen[value] = one = measure(case_of(axis, value, run.sets), run)
        for (step, who), of in costs.items():
            of[value] = cost(axis, value, one, who, step)
            rows.add(
                axis=axis,
                value=value,
                **{"pass": step},
                who=who,
                min_s=one.seconds[who, step].min(),
                ns_per_1000_macs=of[value],
                extra_bytes=one.memory.get(who),
                note=one.notes.get(who),
            )
        line = "".join(f"{of[value]:9.1f}" for of in costs.values())
        extra = "/".join(f"{one.memory[who] / 1e6:.1f}" for who in run.sets)
        print(f"{axis:>2} = {value:<5}{line}   {extra:<12} {said(one.notes)}", flush=True)
    cliffs = {key: cliff(of) for key, of in costs.items()}
    print(f"{'cliff':<10}" + "".join(f"{rise:9.2f}" for rise, _ in cliffs.values()))
    print(f"{'  at':<10}" + "".join(f"{value:>9}" for _, value in cliffs.values()) + "\n")
    return seen, cliffs


def main():
    with started(parser_of(__doc__, rounds=5), __file__) as (run, _):
        chosen = run.chosen(SWEEPS, "size")
        print("ns for a thousand multiply-adds\n")
        with Rows(run.path(".csv"), run.facts) as rows:
            found = {axis: sweep(run, axis, rows) for axis in chosen}
        written = [rows.path]
        with Rows(run.path("_summary.csv"), run.facts) as summary:
            for axis, (_, cliffs) in found.items():
                for (step, who), (rise, value) in cliffs.items():
                    summary.add(axis=axis, **{"pass": step}, who=who, cliff=rise, at=value)
        written.append(summary.path)
        for who in (*OURS, "pytorch"):
            rises = {
                (axis, step, value): rise
                for axis, (_, cliffs) in found.items()
                for (step, one), (rise, value) in cliffs.items()
                if one == who
            }
            if rises:
                axis, step, value = worst = max(rises, key=rises.__getitem__)
                print(f"{HEADS[who]}: the highest cliff is {rises[worst]:.2f}, {step} at {axis} = {value}")
        labels = {
            axis: f"{axis} ({', '.join(f'{name} {size}' for name, size in SWEEPS[axis][1].items())})" for axis in chosen
        }
        written += growth_plot(run, {axis: seen for axis, (seen, _) in found.items()}, cost, labels)
        run.say_end(*written)


if __name__ == "__main__":
    main()
