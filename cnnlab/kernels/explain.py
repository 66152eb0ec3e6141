"""What the planner would do for a layer, and why, in words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np

from cnnlab.geometry import ConvGeometry
from cnnlab.kernels.algorithm import algorithms
from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case, Work
from cnnlab.kernels.gpu.algorithm import OnGPU, known
from cnnlab.kernels.gpu.convolution import choose as choose_on_gpu
from cnnlab.kernels.passes_back import backward_cases
from cnnlab.kernels.planner import Choice, check_forced, choose, fault, layer_of
from cnnlab.kernels.rules import TAPS_MACS
from cnnlab.kernels.settings import READABLE, forced
from cnnlab.kernels.threads import thread_count


class HasGeometry(Protocol):
    """A layer."""

    geometry: ConvGeometry


@dataclass(frozen=True)
class Step:
    """One of the computations of a layer.

    Attributes
    ----------
    work : str
        "forward", "grad_input" or "grad_weight". The gradient to the input may be several such steps: one for each
        rest that the stride leaves.
    algorithm : str
        The name of the one that was picked.
    because : str
        Why.
    flops : int
        Additions and multiplications, about: those of the algorithm, not of the definition.
    workspace : int
        Bytes of working memory of one thread, about.
    """

    work: str
    algorithm: str
    because: str
    flops: int
    workspace: int

    def __str__(self) -> str:
        size = f"{self.flops / 1e6:,.1f} MFLOP, {self.workspace / 2**20:.1f} MB"
        return f"{self.work:<12} {self.algorithm:<18} {size:>19}   {self.because}"


@dataclass(frozen=True, repr=False)
class Plan:
    """What `explain_plan` found. It prints as text.

    Attributes
    ----------
    layer : str
        Sizes and options in words.
    steps : tuple of Step
        What is computed, and how.
    refused : dict of str to str
        The algorithms that cannot compute the forward pass, and why.
    threads : int
        Threads that share the work.
    """

    layer: str
    steps: tuple[Step, ...]
    refused: dict[str, str]
    threads: int

    def __getitem__(self, work: str) -> str:
        """Return the name of the algorithm for "forward", "grad_input" or "grad_weight" (its largest part)."""
        found = [step for step in self.steps if step.work == work]
        if not found:
            raise KeyError(f"{work!r} is no step: there are {', '.join(dict.fromkeys(s.work for s in self.steps))}")
        return max(found, key=lambda step: step.flops).algorithm

    def __repr__(self) -> str:
        lines = [f"{self.layer}, {self.threads} thread{'s' * (self.threads != 1)}", *map(str, self.steps)]
        if self.refused:
            lines += ["cannot do it:", *(f"  {name:<18} {why}" for name, why in self.refused.items())]
        return "\n".join(lines)


def explain_plan(
    layer: HasGeometry | ConvGeometry, input_shape: Sequence[int], *, dtype: str = "float32", device: str = "cpu"
) -> Plan:
    """Say by which algorithm a convolution would be computed, why, and at what cost.

    Parameters
    ----------
    layer : convolution layer or ConvGeometry
        Its options and channels.
    input_shape : sequence of int
        Shape (N, C_in, *spatial).
    dtype : str
        "float32" or "float64".
    device : {"cpu", "gpu"}
        Where the arrays would lie; a plan for a GPU needs CuPy to be installed, but no GPU.

    Returns
    -------
    Plan
        With a text for people and fields for programs.

    Raises
    ------
    TypeError
        The layer is no convolution.
    ValueError
        The shape does not fit the layer, the algorithm that `use_algorithm` chose cannot compute it, or the device is
        neither "cpu" nor "gpu".
    ImportError
        The device is "gpu", and CuPy is not installed.

    Examples
    --------
    >>> geometry = ConvGeometry((3, 3), padding=1, in_channels=64, out_channels=64)
    >>> plan = explain_plan(geometry, (4, 64, 56, 56), dtype="float64")
    >>> plan["forward"]
    'winograd'
    """
    geometry = layer if isinstance(layer, ConvGeometry) else getattr(layer, "geometry", None)
    if not isinstance(geometry, ConvGeometry):
        raise TypeError(
            f"layer is a {type(layer).__name__}: pass a convolution layer such as nn.Conv2d, or a ConvGeometry"
        )
    if np.dtype(dtype).char not in "fd":
        raise ValueError(f'dtype {dtype!r} is not computed by the fast kernels: choose "float32" or "float64"')
    dtype = np.dtype(dtype).name
    shape = tuple(int(n) for n in input_shape)
    out = geometry.output_shape(shape)
    if len(shape) != geometry.rank + 2:
        raise ValueError(f"input_shape {shape} has no batch axis: pass (N, C_in, *spatial)")
    title = _title(geometry, shape, dtype)
    if device != "cpu":
        return _on_gpu(title, geometry, shape, dtype, device)
    small = max(prod(shape), prod(out), prod(geometry.weight_shape)) * geometry.tap_count() < TAPS_MACS
    if forced() == READABLE or (forced() is None and small):
        because = (
            "asked for" if forced() else f"less than {TAPS_MACS:,} multiply-adds: a plan would cost more than it saves"
        )
        return Plan(title, tuple(_taps(work, geometry, shape, because) for work in _WORK), {}, 1)

    correlation = layer_of(geometry)
    if geometry.padding_mode != "zeros":
        shape = (*shape[:2], *(n + sum(added) for n, added in zip(shape[2:], geometry.padding, strict=True)))
    forward = correlation.case(shape, geometry.weight_shape, dtype)
    check_forced(forward)
    steps = [_step("forward", forward)]
    back = correlation.case(shape, geometry.weight_shape, dtype, "grad_input")
    cases = (
        backward_cases(shape, geometry.weight_shape, out, correlation, dtype)
        if choose(back).algorithm is None
        else [back]
    )
    steps += [_step("grad_input", case) for case in cases]
    steps.append(_step("grad_weight", correlation.case(shape, geometry.weight_shape, dtype, "grad_weight")))
    able = {name: one for name, one in algorithms().items() if not isinstance(one, OnGPU)}
    refused = {name: why for name, one in able.items() if (why := fault(one, forward)) is not None}
    return Plan(title, tuple(steps), refused, thread_count())


_WORK: tuple[Work, ...] = ("forward", "grad_input", "grad_weight")


def _on_gpu(title: str, geometry: ConvGeometry, shape: Ints, dtype: str, device: str) -> Plan:
    if device != "gpu":
        raise ValueError(f'device {device!r} is unknown: choose "cpu" or "gpu"')
    if not known:
        raise ImportError('a plan for a GPU needs CuPy, which is not installed: pip install "cnnlab[gpu]"')
    title = f"{title} on a GPU"
    cases = [layer_of(geometry).case(shape, geometry.weight_shape, dtype, work) for work in _WORK]
    refused = {name: why for name, one in known.items() if (why := one.refusal(cases[0])) is not None}
    if forced() == READABLE or geometry.padding_mode != "zeros" or len(refused) == len(known):
        because = (
            "asked for" if forced() == READABLE else f"{len(geometry.kernel)} axes, padding {geometry.padding_mode}"
        )
        return Plan(title, tuple(_taps(work, geometry, shape, because) for work in _WORK), {}, 1)
    return Plan(title, tuple(_step(case.work, case, choose_on_gpu) for case in cases), refused, 1)


def _step(work: str, case: Case, choose: Callable[[Case], Choice] = choose) -> Step:
    choice = choose(case)
    algorithm = choice.algorithm
    if algorithm is None:
        raise LookupError(f"no rule fits {case}")
    return Step(work, algorithm.name, choice.because, algorithm.flops(case), algorithm.workspace(case))


def _taps(work: str, geometry: ConvGeometry, shape: Sequence[int], because: str) -> Step:
    return Step(work, READABLE, because, 2 * geometry.mac_count(tuple(shape)), 0)


def _title(geometry: ConvGeometry, shape: Sequence[int], dtype: str) -> str:
    kernel = "×".join(map(str, geometry.kernel))
    options = [f"{geometry.in_channels} → {geometry.out_channels}", f"kernel {kernel}"]
    for name in ("stride", "dilation"):
        if set(getattr(geometry, name)) != {1}:
            options.append(f"{name} {'×'.join(map(str, getattr(geometry, name)))}")
    if geometry.groups != 1:
        options.append(f"groups {geometry.groups}")
    return f"convolution {', '.join(options)} of {'×'.join(map(str, shape))} in {dtype}"
