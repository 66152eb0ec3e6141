"""NVIDIA's cuDNN through its frontend package, on CuPy's memory: the extra ``cnnlab[gpu-cudnn]``.

A graph of one operation is built for each case and kept, with the plan that cuDNN's heuristics put first, or with the
fastest of the first ones where `cudnn_benchmark` is on. What it refuses, for whatever reason, is remembered and
computed by im2col. Plans that are not deterministic are ruled out unless `cudnn_deterministic` is off, and so are those
on tensor cores for float32 unless CuPy's own setting allows TF32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from threading import get_ident
from typing import Any

from cnnlab.kernels.arrays import Ints
from cnnlab.kernels.case import Case
from cnnlab.kernels.gpu import device
from cnnlab.kernels.gpu.algorithm import OnGPU, weight_shape
from cnnlab.kernels.gpu.columns import Columns
from cnnlab.kernels.gpu.cudnn_plan import Allowed, Plan, fastest, plans
from cnnlab.kernels.gpu.direct import Direct
from cnnlab.kernels.gpu.elementwise import add_bias
from cnnlab.kernels.gpu.product import allows_tf32
from cnnlab.kernels.gpu.rules import RULES
from cnnlab.kernels.gpu.settings import benchmarks, deterministic
from cnnlab.kernels.passes import Layer
from cnnlab.kernels.settings import workspace_limit

KEPT = 4096  # plans, at most, and refusals
WORKSPACE = 4  # times `cnnlab.kernels.workspace_limit`: memory is not as scarce as that on a GPU


class CuDNN(OnGPU):
    """cuDNN's choice among its own kernels."""

    name = "cudnn"
    idea = "NVIDIA's own kernels, picked by their heuristics"
    tolerance = {"float32": 1e-4, "float64": 1e-12}  # noqa: RUF012  (some use Winograd's algorithm)

    def __init__(self) -> None:
        self.others: dict[str, OnGPU] = {one.name: one for one in (Columns(), Direct())}
        self.refused: dict[Any, str] = {}  # why, by layer and case
        self._plans: dict[Any, Plan] = {}
        self._handles: dict[Any, Any] = {}

    def refusal(self, case: Case) -> str | None:
        """Refuse uneven padding too: for some of it cuDNN's gradient to the input is wrong."""
        if case.uneven:
            return "more zeros are added on one side than on the other"
        return super().refusal(case)

    def workspace(self, case: Case) -> int:
        """Return the limit, under which a plan has to stay: each says what it takes only when it is built."""
        del case
        return WORKSPACE * workspace_limit()

    def other(self, case: Case) -> OnGPU:
        """Return what computes a case that cuDNN refuses: the algorithm that would be taken without it."""
        able = (rule for rule in RULES if rule.algorithm in self.others and case.work in rule.works)
        return next(self.others[str(rule.algorithm)] for rule in able if rule.fits(case))

    def correlate(self, x: Any, w: Any, b: Any, layer: Layer, case: Case) -> Any:
        """Run conv_fprop, and add the biases."""

        def otherwise() -> Any:
            return self.other(case).correlate(x, w, b, layer, case)

        y = self._run((x, w), (case.batch, case.out_channels, *case.out), layer, case, otherwise)
        return otherwise() if y is None else add_bias(y, b, relu=layer.relu)

    def correlate_weights(self, dy: Any, x: Any, layer: Layer, case: Case) -> Any:
        """Run conv_wgrad."""

        def otherwise() -> Any:
            return self.other(case).correlate_weights(dy, x, layer, case)

        dw = self._run((x, dy), weight_shape(case), layer, case, otherwise)
        return otherwise() if dw is None else dw

    def correlate_back(self, dy: Any, w: Any, spatial: Ints, layer: Layer, case: Case) -> Any:
        """Run conv_dgrad."""

        def otherwise() -> Any:
            return self.other(case).correlate_back(dy, w, spatial, layer, case)

        dx = self._run((dy, w), (case.batch, case.in_channels, *spatial), layer, case, otherwise)
        return otherwise() if dx is None else dx

    def _run(self, given: tuple[Any, Any], shape: Ints, layer: Layer, case: Case, otherwise: Callable[[], Any]) -> Any:
        """Return the result of the operation that the case's work names, or None where it is to be had otherwise."""
        number, thread = device.library().cuda.runtime.getDevice(), get_ident()
        key = layer, case, allows_tf32(), benchmarks(), deterministic(), workspace_limit(), number, thread
        if key in self.refused:
            return None
        try:
            handle = partial(self._handle, number, thread)
            plan = self._plans.get(key)
            result = device.empty(shape, given[0].dtype)
            addresses = [given[0].data.ptr, given[1].data.ptr, result.data.ptr]
            if plan is None:
                shapes = given[0].shape, given[1].shape, shape
                allowed = Allowed(allows_tf32(), deterministic(), self.workspace(case))
                offered = plans(handle(), shapes, layer, case, allowed)
                plan = fastest(offered, addresses, handle, otherwise) if benchmarks() else next(offered)
                if plan is None:
                    self.refused[key] = f"{self.other(case).name} was faster"
                    return None
                self._plans[key] = plan
                while len(self._plans) > KEPT:
                    self._plans.pop(next(iter(self._plans)))
            memory = device.empty((plan.workspace,), "uint8") if plan.workspace else result
            plan.run(addresses, memory.data.ptr, handle())
        except Exception as error:  # whatever it is, there is another way
            if type(error).__name__ == "OutOfMemoryError":  # of CuPy: it says nothing about the case
                raise
            while len(self.refused) >= KEPT:
                self.refused.pop(next(iter(self.refused)))
            self.refused[key] = f"{type(error).__name__}: {error}"
            return None
        return result

    def _handle(self, number: int, thread: int) -> Any:
        """Return this thread's handle on a device, at work on the current stream."""
        import cudnn

        found = self._handles.get((number, thread))
        if found is None:
            found = self._handles[number, thread] = [cudnn.create_handle(), None]
        stream = device.library().cuda.get_current_stream().ptr
        if found[1] != stream:
            cudnn.set_stream(handle=found[0], stream=stream)
            found[1] = stream
        return found[0]


def installed() -> bool:
    """Return whether the frontend package is there."""
    return find_spec("cudnn") is not None
