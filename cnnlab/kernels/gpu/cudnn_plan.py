"""One operation of cuDNN: the graph it is described by, the plan that is taken, and running it on addresses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import Any

from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.recording import Recording
from cnnlab.kernels.passes import Layer

TRIED = 10  # plans that are timed, at most: as many as PyTorch tries
CALLS, ROUNDS = 5, 3  # of each plan that is timed
INEXACT = "eng17_"  # a gradient of the weights that is off by 2e-5 of the largest number for 3×3, by 3e-3 for 5×5
SMALL = 3  # side of a kernel for which it may be taken


@dataclass(frozen=True)
class Allowed:
    """What a plan may do: compute float32 on tensor cores, give the same bits at every run, work in so many bytes."""

    tensor_cores: bool
    same_bits: bool
    workspace: int

    def ruled_out(self, dtype: str) -> list[str]:
        """Return the numerical notes of cuDNN that no plan may have."""
        notes = ["DOWN_CONVERT_INPUTS", *["NONDETERMINISTIC"] * self.same_bits]
        return notes + ["TENSOR_CORE"] * (dtype == "float32" and not self.tensor_cores)


class Plan:
    """A graph that is built, and one of cuDNN's plans for it.

    Parameters
    ----------
    graph : cudnn.pygraph
        With the plan of that number built.
    tensors : tuple
        The two inputs and the output, as `describe` returns them.
    number : int
        Of the plan.
    """

    def __init__(self, graph: Any, tensors: tuple[Any, ...], number: int) -> None:
        self.graph, self.tensors, self.number = graph, tensors, number
        self.workspace = int(graph.get_workspace_size_plan_at_index(number))
        self._direct = _direct(graph, tensors, number)

    def run(self, addresses: Sequence[int], workspace: int, handle: Any) -> None:
        """Run it on the arrays at these addresses, in the order of the tensors, working in what begins at the last."""
        if self._direct is not None:
            self._direct(addresses, workspace, handle)
        else:
            pack = dict(zip(self.tensors, addresses, strict=True))
            self.graph.execute_plan_at_index(pack, workspace, self.number, handle)


def _direct(graph: Any, tensors: tuple[Any, ...], number: int) -> Callable[[Sequence[int], int, Any], None] | None:
    """Return the frontend's own last step, or None where this version of it has another.

    What the package does before that step at each call, to learn what it was given, takes longer than a small layer.
    """
    try:
        order = [[tensor.get_uid() for tensor in tensors].index(uid) for uid in graph._variant_pack_uids()]
        execute, place = graph._lowered_graph._execute_with_raw_ptrs, graph._materialize_backend_plan(number).cpp_index
    except (AttributeError, TypeError, ValueError):
        return None
    if place is None or sorted(order) != list(range(len(tensors))):
        return None
    pointers = ctypes.c_void_p * len(order)

    def run(addresses: Sequence[int], workspace: int, handle: Any) -> None:
        given = pointers(*[addresses[one] for one in order])
        execute(ctypes.addressof(given), len(order), workspace, handle.backend_handle, place)

    return run


def describe(graph: Any, shapes: Sequence[Ints], layer: Layer, case: Case) -> tuple[Any, ...]:
    """Add the operation to a graph; return its two inputs and its output."""
    import cudnn

    kind = cudnn.data_type.DOUBLE if case.dtype == "float64" else cudnn.data_type.FLOAT
    more = max(0, 2 - len(case.kernel))  # a sound becomes a picture of one row
    first, second, result = (_with_axes(shape, more) for shape in shapes)
    inputs = [
        graph.tensor(name=name, dim=list(shape), stride=_row_major(shape), data_type=kind)
        for name, shape in (("first", first), ("second", second))
    ]
    options = {
        "pre_padding": [0] * more + [before for before, _ in layer.pads],
        "post_padding": [0] * more + [after for _, after in layer.pads],
        "stride": [1] * more + list(case.stride),
        "dilation": [1] * more + list(case.dilation),
    }
    if case.work == "forward":
        output = graph.conv_fprop(image=inputs[0], weight=inputs[1], **options)
    elif case.work == "grad_weight":
        output = graph.conv_wgrad(image=inputs[0], loss=inputs[1], **options)
    else:
        output = graph.conv_dgrad(loss=inputs[0], filter=inputs[1], **options)
    output.set_output(True).set_data_type(kind).set_dim(list(result)).set_stride(_row_major(result))
    return (*inputs, output)


def plans(handle: Any, shapes: Sequence[Ints], layer: Layer, case: Case, allowed: Allowed) -> Iterator[Plan]:
    """Yield the plans that can be built, in the order of cuDNN's heuristics.

    Parameters
    ----------
    handle : cudnn.Handle
    shapes : sequence of tuple
        Of the two inputs and the output.
    layer, case
        What to compute.
    allowed : Allowed
        What plans may do.

    Raises
    ------
    cudnn.cudnnGraphNotSupportedError
        There is none.
    """
    import cudnn

    kind = cudnn.data_type.DOUBLE if case.dtype == "float64" else cudnn.data_type.FLOAT
    graph = cudnn.pygraph(io_data_type=kind, intermediate_data_type=kind, compute_data_type=kind, handle=handle)
    tensors = describe(graph, shapes, layer, case)
    graph.validate()
    graph.build_operation_graph()
    graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
    graph.deselect_numeric_notes([getattr(cudnn.numerical_note, name) for name in allowed.ruled_out(case.dtype)])
    graph.deselect_workspace_greater_than(allowed.workspace)
    graph.check_support()
    found = 0
    barred = case.work == "grad_weight" and max(case.kernel) > SMALL
    for number in range(graph.get_execution_plan_count()):
        if barred and graph.get_plan_name_at_index(number).startswith(INEXACT):
            continue
        with suppress(cudnn.cudnnGraphNotSupportedError):  # ruled out above, or not to be built here
            graph.build_plan_at_index(number)
            plan = Plan(graph, tensors, number)
            if plan.workspace <= allowed.workspace:
                found += 1
                yield plan
    if not found:
        raise cudnn.cudnnGraphNotSupportedError("none of its plans can be built")


def fastest(
    offered: Iterator[Plan], addresses: Sequence[int], handle: Callable[[], Any], otherwise: Callable[[], Any]
) -> Plan | None:
    """Return the plan that is fastest on these arrays, of the first ones; None if another way is faster yet.

    What counts is the time on the GPU, without Python in front of the launches.
    """
    tried = [plan for _, plan in zip(range(TRIED), offered, strict=False)]
    memory = device.empty((max(1, *(plan.workspace for plan in tried)),), "uint8")
    times = [milliseconds(lambda plan=plan: plan.run(addresses, memory.data.ptr, handle())) for plan in tried]  # type: ignore[misc]
    return None if milliseconds(otherwise) < min(times) else tried[times.index(min(times))]


def milliseconds(work: Callable[[], Any]) -> float:
    """Return the time of one call by the GPU's clock, the best of some; infinity if it fails."""
    cuda = device.library().cuda

    def calls() -> None:
        for _ in range(CALLS):
            work()

    times = []
    try:
        replay = Recording(calls).replay
        for _ in range(ROUNDS):
            start, stop = cuda.Event(), cuda.Event()
            start.record()
            replay()
            stop.record()
            stop.synchronize()
            times.append(float(cuda.get_elapsed_time(start, stop)) / CALLS)
    except Exception:  # whatever it is, another way is to be taken
        return float("inf")
    return min(times)


def _with_axes(shape: Ints, more: int) -> Ints:
    return (*shape[:2], *[1] * more, *shape[2:])


def _row_major(shape: Ints) -> list[int]:
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]
