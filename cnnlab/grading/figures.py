"""The figures among the outputs of a submitted cell, for the person who grades an answer by hand.

What a student's notebook shows is not believed in any grade that a machine gives, and is not run or passed on as it is:
a picture is made anew from the bytes that claim to be one. In an ``img`` element a drawing can neither run a script nor
load anything.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any

_MOST_FIGURES = 6
_MOST_CHARACTERS = 3 << 20
# What `cnnlab.viz` and others put into a page; of a figure in two themes the first is the light one.
_IN_HTML = re.compile(r"""src=["']data:image/(png|svg\+xml);base64,([A-Za-z0-9+/]+={0,2})["']""")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def figures_of(outputs: Sequence[Any]) -> list[dict[str, Any]]:
    """Return clean outputs with the figures of the given ones, at most six.

    Parameters
    ----------
    outputs
        Of one cell, as they stand in the file.

    Examples
    --------
    >>> figures_of([{"output_type": "display_data", "data": {"text/html": "<script>1</script>"}}])
    []
    """
    found = [figure for output in outputs if isinstance(output, dict) for figure in _figure(output.get("data"))]
    return [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {
                "text/html": f'<img alt="A figure, as it was handed in" src="data:image/{kind};base64,{code}">',
                "text/plain": "A figure, as it was handed in",
            },
        }
        for kind, code in found[:_MOST_FIGURES]
    ]


def _figure(data: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and base64 text of the one picture in an output, if there is one of a sensible size."""
    if not isinstance(data, dict):
        return
    png, svg, page = ("".join(_text(data.get(f"{kind}"))) for kind in ("image/png", "image/svg+xml", "text/html"))
    code = "".join(png.split())
    if _BASE64.fullmatch(code):
        picture = "png", code
    elif svg:
        picture = "svg+xml", base64.b64encode(svg.encode("utf-8", "replace")).decode()
    elif match := _IN_HTML.search(page):
        picture = match[1], match[2]
    else:
        return
    if len(picture[1]) <= _MOST_CHARACTERS:
        yield picture


def _text(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, str)]
