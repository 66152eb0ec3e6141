"""Measure every algorithm over a grid of layers, and compare what is fastest with what the rules pick.

    python benchmarks/conv_rules.py [--rounds 5] [--clock cpu] [--grid small|large] [--work forward]

The times go to benchmarks/out/conv_rules.csv. The table ends with what the rules lose against the best algorithm
for each layer, and with the constants of `cnnlab.kernels.rules` that would lose least on this grid, each tried by
itself. On another machine, change the constants there and run this again; the held-out layers of conv_speed.py are the
test.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from _report import Rows
from _run import OUT, all_threads, facts

from cnnlab import kernels
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import planner, rules
from cnnlab.kernels.algorithm import algorithms

# Constants, and values to try.
TRIED = {
    "WINOGRAD_PRODUCT": (0.018, 0.026, 0.036, 0.05, 0.07),
    "WINOGRAD_INPUT": (0.8, 1.1, 1.6, 2.2, 3.2),
    "WINOGRAD_RUN": (0.0, 7.0, 14.0, 28.0),
    "WINOGRAD_OUTPUT": (0.4, 0.6, 0.85, 1.2, 1.7),
    "WINOGRAD_KERNEL": (0.45, 0.65, 0.9, 1.3, 1.8),
    "WINOGRAD_GAIN": (0.9, 1.0, 1.1, 1.2, 1.3),
    "WINOGRAD_GAIN_BACK": (0.9, 1.05, 1.2),
    "IM2COL_PRODUCT": (0.013, 0.019, 0.027, 0.038, 0.054),
    "IM2COL_COPY": (0.27, 0.38, 0.54, 0.76, 1.1),
    "IM2COL_FAR": (0.0, 0.32, 0.64, 0.9),
    "IM2COL_NEAR_ROWS": (150, 300, 600),
    "IM2COL_GROUP": (0, 40_000, 80_000, 160_000),
    "BATCH_LAST_BATCH": (2, 4, 8, 16, 32, 64),
    "BATCH_LAST_CHANNELS": (1, 3, 4, 8, 16, 32),
    "BATCH_LAST_PLACES": (0, 100, 300, 600, 1200),
    "CHANNELS_LAST_CHANNELS": (2, 4, 8, 12, 16, 32),
    "FFT_TAPS": (50, 100, 200, 400),
    "CHANNELS_LAST_PLACES": (0, 100, 200, 400, 800, 1600),
    "CHANNELS_LAST_RUN": (10, 20, 30, 50),
    "SHORT_ROWS": (0, 200, 400, 800),
    "FILTERS_A_CHANNEL": (0, 0.5, 1, 2, 4),
    "PLACES_A_FILTER": (0.5, 1, 2, 4, 8, 16),
    "COL2IM_RATIO": (0.5, 1, 1.5, 2, 3, 5),
    "COL2IM_RATIO_ALONE": (0.5, 1, 1.5, 2, 3, 5),
}


def grid(size):
    """Yield (x_shape, w_shape, options)."""
    few = size == "small"
    for N in (1, 64) if few else (1, 4, 16, 64):
        for C, M in ((1, 8), (3, 16), (16, 32), (64, 64), (128, 128), (256, 64)):
            for width in (8, 28) if few else (7, 14, 28, 56):
                for kernel, stride in ((3, 1), (3, 2), (5, 1)) if few else ((3, 1), (3, 2), (5, 1), (7, 2), (15, 1)):
                    if N * C * M * width**2 * kernel**2 <= 4e9 and kernel <= width:
                        yield (N, C, width, width), (M, C, kernel, kernel), {"stride": stride, "padding": kernel // 2}
    yield from GROUPED_DILATED_DEEP


# Sizes of x and w, and options.
GROUPED_DILATED_DEEP = (
    ((4, 64, 28, 28), (128, 16, 3, 3), {"padding": 1, "groups": 4}),
    ((4, 32, 28, 28), (64, 16, 3, 3), {"padding": 1, "groups": 2}),
    ((1, 256, 28, 28), (256, 8, 3, 3), {"padding": 1, "groups": 32}),
    ((16, 16, 28, 28), (16, 4, 3, 3), {"padding": 1, "groups": 4}),
    ((4, 16, 32, 32), (16, 16, 3, 3), {"padding": 2, "dilation": 2}),
    ((2, 64, 32, 32), (64, 64, 3, 3), {"padding": 2, "dilation": 2}),
    ((2, 64, 33, 33), (64, 64, 3, 3), {"padding": 4, "dilation": 4}),
    ((4, 8, 8, 28, 28), (16, 8, 3, 3, 3), {"padding": 1}),
    ((1, 32, 8, 28, 28), (32, 32, 3, 3, 3), {"padding": 1}),
)


def measure(layer, work, rounds, clock):
    """Return the least seconds by algorithm."""
    x_shape, w_shape, options = layer
    rng = np.random.default_rng(0)
    geometry = ConvGeometry.of_weight(w_shape, **options)
    x, w = (rng.standard_normal(shape, dtype=np.float32) for shape in (x_shape, w_shape))
    dy = rng.standard_normal(geometry.output_shape(x_shape), dtype=np.float32)
    runs = {
        "forward": lambda: kernels.conv_forward(x, w, None, geometry),
        "grad_weight": lambda: planner.grad_weight(dy, x, w_shape, geometry),
        "grad_input": lambda: planner.grad_input(dy, w, x_shape[2:], geometry),
    }
    case = planner.layer_of(geometry).case(x_shape, w_shape, "float32", work)
    able = [name for name, one in algorithms().items() if planner.fault(one, case) is None]
    able = [name for name in able if name != "fft" or case.taps >= 25]
    # The planner's own way stands for the correlation with flipped kernels.
    ways = [*able, "auto"] if work == "grad_input" else able
    best = dict.fromkeys(ways, np.inf)
    for _ in range(rounds + 1):
        for name in ways:
            ratios = rules.COL2IM_RATIO, rules.COL2IM_RATIO_ALONE
            with kernels.use_algorithm(name):
                if name == "auto":
                    rules.COL2IM_RATIO = rules.COL2IM_RATIO_ALONE = np.inf
                    planner._choose.cache_clear()
                start = clock()
                runs[work]()
                best[name] = min(best[name], clock() - start)
                rules.COL2IM_RATIO, rules.COL2IM_RATIO_ALONE = ratios
                planner._choose.cache_clear()
    if "auto" in best:
        best["flipped"] = best.pop("auto")
    return case, best


def picked(case, times):
    planner._choose.cache_clear()  # the rules may have changed
    algorithm = planner.choose(case).algorithm
    name = "flipped" if algorithm is None else algorithm.name
    return times.get(name, min(times.values()))


def loss(measured):
    """Return the geometric mean of the time that the rules take over the least."""
    return float(np.exp(np.mean([np.log(picked(case, times) / min(times.values())) for case, times in measured])))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--grid", choices=("small", "large"), default="small")
    parser.add_argument("--work", choices=("forward", "grad_weight", "grad_input"), action="append")
    options = parser.parse_args()
    clock = time.thread_time if options.clock == "cpu" else time.perf_counter
    measured = []
    OUT.mkdir(exist_ok=True)
    where = facts(1, options.clock, options.rounds)
    with Rows(OUT / "conv_rules.csv", where) as rows, all_threads(1):
        for layer in grid(options.grid):
            for work in options.work or ("forward", "grad_weight", "grad_input"):
                case, times = measure(layer, work, options.rounds, clock)
                measured.append((case, times))
                for name, seconds in times.items():
                    x, w = ("x".join(map(str, shape)) for shape in layer[:2])
                    rows.add(work=work, x=x, w=w, options=repr(layer[2]), algorithm=name, seconds=seconds)
                best = min(times, key=times.get)
                lost = picked(case, times) / times[best]
                told = ", ".join(f"{option} {value}" for option, value in layer[2].items())
                sizes = f"{layer[0]!s:<20} {layer[1]!s:<18} {told:<22}"
                print(f"{work:<12} {sizes}  best {best:<14} rules lose {lost:5.2f}", flush=True)
    print(f"\nthe rules take {loss(measured):.3f} times as long as the best algorithm for each layer (geometric mean)")
    for name, values in TRIED.items():
        before = getattr(rules, name)
        tried = {}
        for value in values:
            setattr(rules, name, value)
            tried[value] = loss(measured)
        setattr(rules, name, before)
        best = min(tried, key=tried.get)
        print(f"  {name:<26} now {before:<6} best {best:<6} {tried[best]:.3f}")
    planner._choose.cache_clear()


if __name__ == "__main__":
    main()
