"""What a training shows while it works."""

from __future__ import annotations

import warnings
from typing import Any


def bar(total: int, done: int, shown: bool) -> Any:
    """Return a progress bar over the batches of all epochs, for a terminal or a notebook."""
    return _tqdm()(total=total, initial=done, unit="batch", disable=not shown)


def say(text: str) -> None:
    """Print a line, whether or not a bar is shown."""
    _tqdm().write(text)


def _tqdm() -> Any:
    with warnings.catch_warnings():
        # In a notebook without ipywidgets, tqdm.auto warns and then draws its bar as text, which is what we want.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm
