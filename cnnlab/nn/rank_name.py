"""Docstrings of the layers that only fix the number of dimensions: Conv2d for Conv, MaxPool1d for MaxPool."""

from __future__ import annotations

from inspect import cleandoc
from typing import TypeVar

Layer = TypeVar("Layer", bound=type)

_OPTIONS, _EXAMPLES = "Parameters\n----------\n", "Examples\n--------\n"


def rank_name(layer: Layer) -> Layer:
    """Complete a layer's docstring, for `help`, by what is written once at its bases: remarks and options."""
    own, *bases = [cleandoc(kind.__doc__ or "") for kind in layer.__mro__]
    summary, _, example = own.partition(_EXAMPLES)
    parts = [summary.strip()]
    for base in bases:
        text, options, sections = base.partition(_EXAMPLES)[0].partition(_OPTIONS)
        parts.append(text.partition("\n\n")[2].strip())  # without the summary
        if options:
            parts += [options + sections.strip(), example and _EXAMPLES + example]
            layer.__doc__ = "\n\n".join(filter(None, parts))
            break
    return layer  # as it was where Python leaves docstrings out (-OO)
