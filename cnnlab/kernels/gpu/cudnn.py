"""NVIDIA's cuDNN through its frontend package, on CuPy's memory: the extra ``cnnlab[gpu-cudnn]``.

A graph of one operation is built for each case and kept, with the plan that cuDNN's heuristics put first. What it
refuses, for whatever reason, is remembered and computed by im2col. Plans that are not deterministic are ruled out, and
so are those on tensor cores for float32, unless CuPy's own setting allows TF32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from threading import get_ident
from typing import Any

from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.algorithm import OnGPU, weight_shape
from cnnlab.kernels.gpu.columns import Columns
from cnnlab.kernels.gpu.product import allows_tf32
from cnnlab.kernels.passes import Layer
from cnnlab.kernels.settings import workspace_limit

KEPT = 512  # graphs, at most


@dataclass
class Plan:
    """A graph that is built: its tensors in the order of the arrays, and the bytes that it wants to work in."""

    graph: Any
    tensors: tuple[Any, ...]
    workspace: int


class CuDNN(OnGPU):
    """cuDNN's choice among its own kernels."""

    name = "cudnn"
    idea = "NVIDIA's own kernels, picked by their heuristics"
    tolerance = {"float32": 1e-4, "float64": 1e-12}  # noqa: RUF012  (some use Winograd's algorithm)

    def __init__(self) -> None:
        self.otherwise = Columns()
        self.refused: dict[Any, str] = {}  # why, by layer and case
        self._plans: dict[Any, Plan] = {}
        self._handles: dict[Any, Any] = {}

    def workspace(self, case: Case) -> int:
        """Return the limit, under which a plan has to stay: each says what it takes only when it is built."""
        del case
        return workspace_limit()

    def correlate(self, x: Any, w: Any, b: Any, layer: Layer, case: Case) -> Any:
        """Run conv_fprop, and add the biases."""
        y = self._run((x, w), (case.batch, case.out_channels, *case.out), layer, case)
        if y is None:
            return self.otherwise.correlate(x, w, b, layer, case)
        if b is not None:
            y += b.reshape(-1, *[1] * len(case.out))
        return y

    def correlate_weights(self, dy: Any, x: Any, layer: Layer, case: Case) -> Any:
        """Run conv_wgrad."""
        dw = self._run((x, dy), weight_shape(case), layer, case)
        return self.otherwise.correlate_weights(dy, x, layer, case) if dw is None else dw

    def correlate_back(self, dy: Any, w: Any, spatial: Ints, layer: Layer, case: Case) -> Any:
        """Run conv_dgrad."""
        dx = self._run((dy, w), (case.batch, case.in_channels, *spatial), layer, case)
        return self.otherwise.correlate_back(dy, w, spatial, layer, case) if dx is None else dx

    def _run(self, given: tuple[Any, Any], shape: Ints, layer: Layer, case: Case) -> Any:
        """Return the result of the operation that the case's work names, or None where cuDNN has no plan for it."""
        cupy = device.library()
        key = layer, case, allows_tf32(), workspace_limit(), cupy.cuda.runtime.getDevice(), get_ident()
        if key in self.refused:
            return None
        try:
            handle = self._handle(*key[-2:])
            plan = self._plans.get(key)
            if plan is None:
                plan = self._plans[key] = _build(handle, [given[0].shape, given[1].shape, shape], layer, case)
                while len(self._plans) > KEPT:
                    self._plans.pop(next(iter(self._plans)))
            result = cupy.empty(shape, given[0].dtype)
            memory = cupy.empty((max(plan.workspace, 1),), "uint8")
            addresses = [int(array.data.ptr) for array in (*given, result)]
            pack = dict(zip(plan.tensors, addresses, strict=True))
            plan.graph.execute(pack, int(memory.data.ptr), handle=handle)
        except Exception as error:  # whatever it is, there is another way
            self.refused[key] = f"{type(error).__name__}: {error}"
            return None
        return result

    def _handle(self, number: int, thread: int) -> Any:
        """Return this thread's handle on a device, at work on the current stream."""
        import cudnn

        if (number, thread) not in self._handles:
            self._handles[number, thread] = cudnn.create_handle()
        handle = self._handles[number, thread]
        cudnn.set_stream(handle=handle, stream=device.library().cuda.get_current_stream().ptr)
        return handle


def installed() -> bool:
    """Return whether the frontend package is there."""
    return find_spec("cudnn") is not None


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


def _build(handle: Any, shapes: Sequence[Ints], layer: Layer, case: Case) -> Plan:
    import cudnn

    kind = cudnn.data_type.DOUBLE if case.dtype == "float64" else cudnn.data_type.FLOAT
    graph = cudnn.pygraph(io_data_type=kind, intermediate_data_type=kind, compute_data_type=kind, handle=handle)
    tensors = describe(graph, shapes, layer, case)
    graph.validate()
    graph.build_operation_graph()
    graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
    notes = [cudnn.numerical_note.NONDETERMINISTIC, cudnn.numerical_note.DOWN_CONVERT_INPUTS]
    if case.dtype == "float32" and not allows_tf32():
        notes.append(cudnn.numerical_note.TENSOR_CORE)
    graph.deselect_numeric_notes(notes)
    graph.deselect_workspace_greater_than(workspace_limit())
    graph.check_support()
    graph.build_plans()
    return Plan(graph, tensors, int(graph.get_workspace_size()))


def _with_axes(shape: Ints, more: int) -> Ints:
    return (*shape[:2], *[1] * more, *shape[2:])


def _row_major(shape: Ints) -> list[int]:
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]
