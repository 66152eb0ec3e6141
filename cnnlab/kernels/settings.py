"""Which algorithm to use: the planner's choice, or one by name; and how much memory to keep.

Plain module state, as in `cnnlab.backend.state`: a ContextVar would be lost between the cells of a notebook.
"""

from __future__ import annotations

from cnnlab.geometry.options import whole_number
from cnnlab.kernels.algorithm import algorithms
from cnnlab.kernels.results import results
from cnnlab.kernels.workspace import workspace

READABLE = "taps"  # the sum over taps in cnnlab.ops, which is no kernel: the kernels then leave everything to it

_forced: str | None = None
_winograd = True
_compiled = True


class use_algorithm:  # noqa: N801  (used like a function)
    """Compute convolutions by one algorithm, from here on or inside a ``with`` block.

    Parameters
    ----------
    name : str or None
        "pointwise", "linear", "im2col", "im2col_full", "channels_last", "batch_last", "winograd", "fft" or "depthwise";
        "taps" for the readable sum over the taps in `cnnlab.ops`, of the pooling layers too; None or "auto" for the
        planner's choice. With `cnnlab[fast]` "direct", "winograd_compiled", "depthwise_compiled" and "narrow" too.
        For arrays on a GPU, where CuPy is installed, "gpu_im2col", "gpu_direct" or "cudnn".

    Raises
    ------
    ValueError
        There is no such algorithm. One that cannot compute a layer raises when the layer is computed.

    Notes
    -----
    The gradient to the input is one or more correlations of other sizes, and not every algorithm has a gradient of the
    weights: what the chosen one cannot do of a backward pass is left to the planner. `explain_plan` tells.

    Examples
    --------
    >>> with use_algorithm("im2col"):
    ...     current_algorithm()
    'im2col'
    >>> current_algorithm()
    'auto'
    """

    def __init__(self, name: str | None) -> None:
        global _forced  # noqa: PLW0603
        known = (READABLE, *algorithms())
        if name not in {*known, None, "auto"}:
            raise ValueError(f'there is no algorithm {name!r}: choose one of {", ".join(known)}, or "auto"')
        self._before = _forced
        _forced = None if name == "auto" else name

    def __enter__(self) -> None:
        """Do nothing: the choice holds since the call."""

    def __exit__(self, *_: object) -> None:
        """Put back the choice from before."""
        global _forced  # noqa: PLW0603
        _forced = self._before


def current_algorithm() -> str:
    """Return the name of the algorithm that `use_algorithm` chose, or "auto"."""
    return _forced or "auto"


def forced() -> str | None:
    """Return the name of the algorithm that was chosen, if one was."""
    return _forced


class allow_winograd:  # noqa: N801  (used like a function)
    """Say whether the planner may choose Winograd's algorithm, from here on or inside a ``with`` block.

    It is faster for many 3×3 layers, and less exact: in float32 about 1e-5 of the largest number, not 1e-6.

    Examples
    --------
    >>> with allow_winograd(False):
    ...     winograd_allowed()
    False
    """

    def __init__(self, allowed: bool) -> None:
        global _winograd
        if not isinstance(allowed, bool):
            raise TypeError(f"allowed must be True or False, not {allowed!r}")
        self._before, _winograd = _winograd, allowed

    def __enter__(self) -> None:
        """Do nothing: the setting holds since the call."""

    def __exit__(self, *_: object) -> None:
        """Put back the setting from before."""
        global _winograd  # noqa: PLW0603
        _winograd = self._before


def winograd_allowed() -> bool:
    """Return whether the planner may choose Winograd's algorithm."""
    return _winograd


class allow_compiled:  # noqa: N801  (used like a function)
    """Say whether the planner may choose kernels compiled by numba, from here on or inside a ``with`` block.

    They are there with the extra ``cnnlab[fast]``; without it this changes nothing.

    Examples
    --------
    >>> with allow_compiled(False):
    ...     compiled_allowed()
    False
    """

    def __init__(self, allowed: bool) -> None:
        global _compiled
        if not isinstance(allowed, bool):
            raise TypeError(f"allowed must be True or False, not {allowed!r}")
        self._before, _compiled = _compiled, allowed

    def __enter__(self) -> None:
        """Do nothing: the setting holds since the call."""

    def __exit__(self, *_: object) -> None:
        """Put back the setting from before."""
        global _compiled  # noqa: PLW0603
        _compiled = self._before


def compiled_allowed() -> bool:
    """Return whether the planner may choose compiled kernels."""
    return _compiled


def workspace_limit(size: int | None = None) -> int:
    """Return how many bytes of working memory the fast kernels keep; set it first if a size is given.

    The memory of large results that nobody holds any more is kept for the next ones likewise, up to as much again.

    Parameters
    ----------
    size : int, optional
        Bytes, 64 MB unless set. Tiles get smaller to keep to it, and kernels are transformed some at a time; those of
        many groups or a padded copy of one picture may exceed it, and are then not kept.

    Examples
    --------
    >>> workspace_limit() // 2**20
    64
    """
    if size is not None:
        workspace.limit = whole_number("size", size, at_least=0)
        workspace.clear()
        results.clear()
    return workspace.limit
