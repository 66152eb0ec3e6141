"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard, TypeVar, overload

from cnnlab.backend import Array
from cnnlab.nn.activation import ReLU
from cnnlab.nn.conv import Conv
from cnnlab.nn.conv_relu import ConvReLU
from cnnlab.nn.flatten import Flatten
from cnnlab.nn.module import Module
from cnnlab.nn.pool import MaxPool

Kind = TypeVar("Kind", bound=Module)


class Sequential(Module):
    """Apply `layers` one after the other; go back through them in the opposite order.

    Parameters
    ----------
    *layers
        The modules, first to last. The same module may occur twice: its gradients add up.

    Raises
    ------
    TypeError
        If something is not a `Module`.
    """

    def __init__(self, *layers: Module) -> None:
        check_modules("Sequential", layers)
        self.layers = layers

    def forward(self, x: Array) -> Array:
        """Return the output of the last layer."""
        for layer in self._in_order():
            x = layer(x)
        return x

    def backward(self, dy: Array) -> Array:
        """Return the gradient to the input of the first layer."""
        for layer in reversed(self._in_order()):
            dy = layer.backward(dy)
        return dy

    def backward_parameters(self, dy: Array) -> None:
        """Go back without the gradient to the input of the first layer; a Flatten before it has nothing to do."""
        order = self._in_order()
        if len(order) > 1 and _is_plain(order[0], Flatten):
            order.pop(0).recall()
        for layer in reversed(order[1:]):
            dy = layer.backward(dy)
        if order:
            order[0].backward_parameters(dy)

    def _in_order(self) -> list[Module]:
        """Return the layers in the order of computation: max pooling before a ReLU that it follows.

        The largest of some numbers, cut off at 0, is the largest of the numbers cut off, and the gradients are the same
        too; but there are fewer numbers to cut off then. A ReLU that is next to a convolution after that is computed
        with it.
        """
        order = list(self.layers)
        for i in range(1, len(order)):
            before, after = order[i - 1 : i + 1]
            if _is_plain(before, ReLU) and _is_plain(after, MaxPool):
                order[i - 1 : i + 1] = after, before
        for i in range(len(order) - 1, 0, -1):
            before, after = order[i - 1 : i + 1]
            if _is_plain(before, Conv) and _is_plain(after, ReLU):
                order[i - 1 : i + 1] = [ConvReLU(before, after)]
        return order

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the layers, named by their place: "0", "1", …."""
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    @overload
    def __getitem__(self, place: int) -> Module: ...
    @overload
    def __getitem__(self, place: slice) -> Sequential: ...
    def __getitem__(self, place: int | slice) -> Module | Sequential:
        """Return the layer at `place`, or for a slice a Sequential that shares those layers."""
        return Sequential(*self.layers[place]) if isinstance(place, slice) else self.layers[place]


def _is_plain(layer: Module, kind: type[Kind]) -> TypeGuard[Kind]:
    """Return whether a layer is the library's, with no `forward` or op of somebody else's."""
    if not isinstance(layer, kind) or type(layer).__module__ != kind.__module__:
        return False
    given = vars(layer)
    return "forward" not in given and given.get("op") is None


def check_modules(owner: str, layers: tuple[object, ...]) -> None:
    """Raise TypeError unless all `layers` of an `owner` such as Sequential are modules."""
    for i, layer in enumerate(layers):
        if isinstance(layer, type):
            raise TypeError(
                f"layer {i} of {owner} is the class {layer.__name__}: make a layer of it, {layer.__name__}(…)"
            )
        if not isinstance(layer, Module):
            hint = f"pass the layers one by one, `{owner}(*layers)`" if isinstance(layer, list) else "pass layers"
            raise TypeError(f"layer {i} of {owner} is a {type(layer).__name__}, not a Module: {hint}")
