"""Which algorithm for which case on a GPU, read from the top.

The numbers were not measured: they say which form does less by count. `benchmarks/gpu_speed.py --algorithms` times each
algorithm on each layer where there is a GPU.
"""

from __future__ import annotations

from cnnlab.kernels.case import Case, Work
from cnnlab.kernels.rules import Rule

DIRECT_WEIGHTS = 32  # that a number of the result is a sum over, at most

_ALL: frozenset[Work] = frozenset({"forward", "grad_weight", "grad_input"})


def _few_weights(case: Case) -> bool:
    if case.in_channels == case.groups > 1:
        return True
    return (case.filters * case.taps if case.work == "grad_input" else case.depth) <= DIRECT_WEIGHTS


RULES: list[Rule] = [
    Rule("cudnn", lambda case: True, "NVIDIA's library is installed", _ALL),
    Rule("gpu_direct", _few_weights, "each filter sees one channel, or few weights in all: nothing is laid out", _ALL),
    Rule("gpu_im2col", lambda case: True, "columns in a bounded workspace, and products by cuBLAS", _ALL),
]
