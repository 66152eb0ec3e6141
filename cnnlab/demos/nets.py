"""Reading the layers of a net, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def layers_in_order(net: Any, *, shortcuts: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield (name, layer) for each layer of a net in the order of computation.

    Parameters
    ----------
    net : Module
        A layer, an `nn.Sequential`, a net of `nn.models`, or these inside one another.
    shortcuts : bool
        Whether to go through a residual block on its longest way, leaving out the way around it.

    Raises
    ------
    TypeError
        It is no Module.
    ValueError
        It has a part whose layers do not simply follow one another.
    """
    from cnnlab import nn

    if not isinstance(net, nn.Module):
        raise TypeError(f"{net!r} is no layer: pass layers of cnnlab.nn, an nn.Sequential or a net of nn.models")
    yield from _walk(net, "", shortcuts=shortcuts)


def _walk(module: Any, name: str, *, shortcuts: bool) -> Iterator[tuple[str, Any]]:
    from cnnlab import nn

    if isinstance(module, nn.Sequential):
        parts = [(str(i), layer) for i, layer in enumerate(module.layers)]
    elif isinstance(module, nn.models.Stages):
        parts = list(module.named_children())
    elif shortcuts and isinstance(module, nn.models.BasicBlock):
        parts = [(part, getattr(module, part)) for part in ("conv1", "bn1", "relu", "conv2", "bn2")]
    elif any(True for _ in module.named_children()):
        raise ValueError(
            f"{name or 'the net'} is a {type(module).__name__}, whose parts do not simply follow one another: "
            "pass the layers of one way through it"
        )
    else:
        yield name, module
        return
    for part, layer in parts:
        yield from _walk(layer, f"{name}.{part}" if name else part, shortcuts=shortcuts)
