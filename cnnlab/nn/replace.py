"""Putting a reader's own convolution into a whole network."""

from __future__ import annotations

from collections.abc import Iterator

from cnnlab.nn.conv import Conv, faults_for_own_op
from cnnlab.nn.conv_op import ConvOp, checked_op
from cnnlab.nn.module import Module


def replace_op(net: Module, op: ConvOp | None) -> None:
    """Do what `Module.replace_op` describes."""
    op = checked_op(op)
    layers = dict(_convolutions(net, ""))
    if not layers:
        raise ValueError(f"this {type(net).__name__} has no convolution layer: there is no op to replace")
    refused = {name: faults_for_own_op(layer.geometry) for name, layer in layers.items()} if op is not None else {}
    faults = [f"{name or type(net).__name__}: {', '.join(reasons)}" for name, reasons in refused.items() if reasons]
    if faults:
        raise ValueError(
            f"a ConvOp computes with stride and zero padding only, and these layers need more: {'; '.join(faults)}. "
            "Nothing was changed; replace the op of the other layers one by one, as in net[0].replace_op(op)"
        )
    for layer in layers.values():
        layer.op = op


def _convolutions(module: Module, name: str) -> Iterator[tuple[str, Conv]]:
    """Yield every convolution layer by its name in the net, such as "0.2"."""
    if isinstance(module, Conv):
        yield name, module
    for child_name, child in module.named_children():
        yield from _convolutions(child, f"{name}.{child_name}" if name else child_name)
