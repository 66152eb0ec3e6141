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

LONG = 1_000  # products that a number of the result is a sum over, at least: then cuBLAS is ahead
FEW = 450_000  # numbers of an output, at most: with more, forward, sums have to be twice as long
WORK = 10_000_000  # multiply-adds of a gradient of weights, at least
THREE = (3, 3)  # a kernel for whose gradient cuDNN has a plan of its own
CHANNELS = 32  # of an input, at least, for that plan

_ALL: frozenset[Work] = frozenset({"forward", "grad_weight", "grad_input"})


def _depthwise(case: Case) -> bool:
    return case.in_channels == case.groups > 1


def _long_sums(case: Case) -> bool:
    if case.groups > 1 or allows_tf32() or benchmarks():  # which times both
        return False
    if case.work == "forward":
        few = case.batch * case.out_channels * case.positions <= FEW
        return case.depth >= (LONG if few else 2 * LONG)
    if case.work == "grad_input":
        return case.filters * case.taps >= LONG
    own_plan = case.dense and case.kernel == THREE and case.in_channels >= CHANNELS
    return case.macs >= WORK and not own_plan


RULES: list[Rule] = [
    Rule("gpu_im2col", _long_sums, "long sums for few numbers: cuBLAS cuts them into pieces", _ALL),
    Rule("cudnn", lambda case: True, "NVIDIA's library is installed", _ALL),
    Rule("gpu_direct", _depthwise, "each filter sees one channel: nothing is laid out", _ALL - {"grad_weight"}),
    Rule("gpu_im2col", lambda case: True, "columns in a bounded workspace, and products by cuBLAS", _ALL),
]
