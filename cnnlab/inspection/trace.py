"""Following shapes, costs and receptive fields through a net without computing it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any

import numpy as np

from cnnlab.backend import Array, namespace
from cnnlab.inspection.rules import Outcome, rule_for
from cnnlab.inspection.sight import Sight, union
from cnnlab.nn.module import Module
from cnnlab.nn.parameter import Parameter


@dataclass(frozen=True)
class Call:
    """One call of one module.

    Attributes
    ----------
    name
        Place in the net, such as "0" or "features.3"; empty for the net itself.
    kind
        Name of the class.
    depth
        Number of modules it was called from.
    composite
        Whether it called other modules.
    shape
        Of the output, with the batch axis: 1, or in a scan the number of windows.
    parameters
        Its own numbers that were not counted yet.
    multiply_adds
        None where they cannot be told.
    memory
        Bytes of what it made, for one example.
    sight
        What its output sees; None where it cannot be told.
    """

    name: str
    kind: str
    depth: int
    composite: bool
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int | None
    memory: int
    sight: Sight | None


@dataclass
class _Frame:
    """The arrays that have come up inside the module being run."""

    arrays: list[Array] = field(default_factory=list)
    calls: int = 0


class Trace:
    """A net run once on stand-ins for arrays: zeros of the right shape that take no memory.

    Layers of the library are not computed; what they would return follows from their geometry. Modules of one's own are
    run, in evaluation mode. All this happens on a copy that shares only the parameters.
    """

    def __init__(self, net: Module, input_shape: Sequence[int]) -> None:
        parameters = net.parameters()
        like = parameters[0].data if parameters else np.zeros((), np.float32)
        self._zero = namespace(like).zeros((), dtype=like.dtype, device=like.device)
        self.itemsize = np.dtype(str(like.dtype).rpartition(".")[2]).itemsize
        self.dtype = str(like.dtype).rpartition(".")[2]
        self.calls: list[Call] = []
        self._input_size = tuple(input_shape[1:])
        self._seen: dict[int, Sight] = {}
        self._alive: list[Array] = []  # an id is only good as long as its array lives
        self._counted: set[int] = set()
        self._frames = [_Frame()]
        copied = _copy_without_kept(net).eval()
        for name, module in _named_modules(copied, ""):
            vars(module)["forward"] = partial(self._run, module, name, module.forward)
        x = self.stand_in((1, *input_shape), Sight.of_input(len(self._input_size)))
        self.output_shape = tuple(copied(x).shape[1:])

    def stand_in(self, shape: Sequence[int], sight: Sight | None) -> Array:
        """Return zeros of a shape that take no memory, and remember what they see."""
        x = namespace(self._zero).broadcast_to(self._zero, tuple(shape))
        self._remember(x, sight)
        return x

    def _run(self, module: Module, name: str, forward: Callable[[Array], Array], x: Array) -> Array:
        place, depth = len(self.calls), len(self._frames) - 1
        self.calls.append(Call(name, "", 0, False, (), 0, None, 0, None))  # keeps the place above its parts
        self._frames[-1].calls += 1
        sight = self.sight_of(x)
        self._frames.append(_Frame([x]))
        try:
            rule = rule_for(module)
            if rule is None:
                y, outcome = self._run_own(module, forward, x)
            else:
                outcome = rule(module, x, sight, self)
                y = self.stand_in(outcome.shape, outcome.sight)
        except Exception as error:
            if not hasattr(error, "__notes__"):
                error.add_note(f"This happened in layer {name or 'at the top'} ({type(module).__name__}).")
            raise
        inside = self._frames.pop()
        self._frames[-1].arrays.append(y)
        self.calls[place] = Call(
            name=name,
            kind=type(module).__name__,
            depth=depth,
            composite=inside.calls > 0,
            shape=tuple(y.shape),
            parameters=self._own_parameters(module),
            multiply_adds=outcome.multiply_adds,
            memory=outcome.entries * self.itemsize,
            sight=outcome.sight,
        )
        return y

    def _run_own(self, module: Module, forward: Callable[[Array], Array], x: Array) -> tuple[Array, Outcome]:
        """Run a module without a rule: one that calls others, or one of the reader's own."""
        y = forward(x)
        passed_on = id(y) in self._seen
        sight = self.sight_of(y) if self._frames[-1].calls or passed_on else None
        self._remember(y, sight)
        computes = not self._frames[-1].calls and any(isinstance(v, Parameter) for v in vars(module).values())
        entries = 0 if passed_on else prod(y.shape)
        return y, Outcome(tuple(y.shape), sight, None if computes else 0, entries)

    def sight_of(self, x: Array) -> Sight | None:
        """Return what an array sees; if it was made outside of layers (a sum), of what it may have been made."""
        if id(x) in self._seen:
            return self._seen[id(x)]
        around = [y for y in self._frames[-1].arrays if y.shape == x.shape]
        sights = [self._seen[id(y)] for y in around if id(y) in self._seen]
        return union(sights) if len(sights) == len(around) else None

    def _remember(self, x: Array, sight: Sight | None) -> None:
        self._alive.append(x)
        if sight is not None:
            self._seen[id(x)] = sight

    @property
    def input_size(self) -> tuple[int, ...]:
        """Spatial size of the net's input."""
        return self._input_size

    def _own_parameters(self, module: Module) -> int:
        count = 0
        for value in vars(module).values():
            if isinstance(value, Parameter) and id(value) not in self._counted:
                self._counted.add(id(value))
                count += prod(value.shape)
        return count


def _copy_without_kept(net: Module) -> Module:
    """Copy a net: parameters are shared, what it kept for backward is left behind, all else is its own."""
    memo: dict[int, Any] = {id(parameter): parameter for parameter in net.parameters()}
    memo |= {id(kept): [] for module in net.modules() if (kept := vars(module).get("_kept")) is not None}
    return copy.deepcopy(net, memo)


def _named_modules(module: Module, name: str) -> Iterator[tuple[str, Module]]:
    """Yield every module once, by its first name."""
    seen: set[int] = set()

    def walk(module: Module, name: str) -> Iterator[tuple[str, Module]]:
        if id(module) in seen:
            return
        seen.add(id(module))
        yield name, module
        for child_name, child in module.named_children():
            yield from walk(child, f"{name}.{child_name}" if name else child_name)

    return walk(module, name)
