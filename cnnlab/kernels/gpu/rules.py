"""Which algorithm for which case on a GPU, read from the top.

The numbers were measured on an H200 with CuPy 14.2 and cuDNN 9.19, replayed as CUDA graphs, float32 without TF32:
`benchmarks/gpu_speed.py --algorithms` does it again on another one. cuDNN's plans that are deterministic multiply a sum
in one go; cuBLAS cuts long sums into pieces, and so keeps a GPU busy where there are few of them.
"""

from __future__ import annotations

from cnnlab.kernels.case import Case, Work
from cnnlab.kernels.gpu.product import allows_tf32
from cnnlab.kernels.gpu.settings import benchmarks
from cnnlab.kernels.rules import Rule

DIRECT_WEIGHTS = 32  # that a number of the result is a sum over, at most
LONG = 1_000  # products that a number of the result is a sum over, at least: then cuBLAS is ahead
FEW = 450_000  # numbers of an output, at most: with more cuDNN is ahead forward
WORK = 5_000_000  # multiply-adds of a gradient of weights, at least

THREE = (3, 3)

_ALL: frozenset[Work] = frozenset({"forward", "grad_weight", "grad_input"})


def _few_weights(case: Case) -> bool:
    if case.in_channels == case.groups > 1:
        return True
    return (case.filters * case.taps if case.work == "grad_input" else case.depth) <= DIRECT_WEIGHTS


def _long_sums(case: Case) -> bool:
    if case.groups > 1 or allows_tf32() or benchmarks():  # which times both
        return False
    if case.work == "forward":
        return case.depth >= LONG and case.batch * case.out_channels * case.positions <= FEW
    if case.work == "grad_input":
        return case.filters * case.taps >= LONG
    return case.macs >= WORK and not (case.dense and case.kernel == THREE)  # for that cuDNN has one of its own


RULES: list[Rule] = [
    Rule("gpu_im2col", _long_sums, "long sums for few numbers: cuBLAS cuts them into pieces", _ALL),
    Rule("cudnn", lambda case: True, "NVIDIA's library is installed", _ALL),
    Rule("gpu_direct", _few_weights, "each filter sees one channel, or few weights in all: nothing is laid out", _ALL),
    Rule("gpu_im2col", lambda case: True, "columns in a bounded workspace, and products by cuBLAS", _ALL),
]
