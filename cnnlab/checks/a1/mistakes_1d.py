"""What goes wrong when a recording is scanned, each as the small function that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlab.checks.a1.scanning import (
    Layers,
    counts_one_less,
    every_place,
    every_start,
    neighbors,
    no_bias,
    no_relu,
    one_over,
    relu_everywhere,
    scan,
    side_by_side,
    stops_early,
)
from cnnlab.checks.assembled import mistakes_from

Recording = np.ndarray[Any, Any]
Scan1d = Callable[[Recording, Layers, int, int], Any]


def assemble(*, then: Callable[[Recording], Any] | None = None, **parts: Any) -> Scan1d:
    """Return a scan with other parts: those of `scan`, and what is done to its answer."""

    def wrong(x: Recording, layers: Layers, width: int, hop: int) -> Any:
        y = scan(x, layers, (width,), (hop,), **parts)
        return y if then is None else then(y)

    return wrong


def _time_first(window: Recording) -> Recording:
    return window.T.reshape(-1)


_LAST_WINDOW = (
    "The last window is missing",
    (
        "There is one window too few: the one that ends exactly with the recording.",
        "Look at how you count the windows, or at where your loop stops.",
        "Windows start at every t in range(0, T - width + 1, hop).",
    ),
)
_PARTIAL = (
    "Windows that hang over the end are scored",
    (
        "Some scores belong to windows that are only partly inside the recording; only full windows count.",
        "Look at the last start of your loop: does start + width stay within T?",
        "Windows start at every t in range(0, T - width + 1, hop).",
    ),
)
_LOST_AXIS = (
    "An axis of the answer is lost",
    (
        "The answer must keep its two axes (outputs, windows), also when one of them has length 1.",
        "Look for squeeze, for an index [0], or for one number kept per window.",
        "Start with y = np.zeros((out, P)) and fill y[:, p] for each window.",
    ),
)

_wrong = mistakes_from(assemble)

MISTAKES = (
    _wrong("stops_early", *_LAST_WINDOW, starts=stops_early),
    _wrong("counts_one_less", *_LAST_WINDOW, starts=counts_one_less),
    _wrong("partial_windows", *_PARTIAL, starts=every_start),
    _wrong("partial_last_window", *_PARTIAL, starts=one_over),
    _wrong(
        "time_first",
        "The window is flattened time first",
        (
            "The numbers of a window reach the network in the wrong order: all features of one frame first.",
            "Look at the line that makes a vector from the window: is there a .T, order='F', or a loop over frames?",
            "x[:, start : start + width].reshape(-1) lists feature 0 over time, then feature 1, and so on.",
        ),
        flatten=_time_first,
    ),
    _wrong(
        "hop_ignored",
        "hop is not used",
        (
            "The answer has a column for every place, as if hop were 1.",
            "Look for hop in your loop: where do the windows start?",
            "Windows start at every t in range(0, T - width + 1, hop).",
        ),
        starts=every_place,
    ),
    _wrong(
        "hop_not_in_start",
        "hop sets the number of windows, but not where they start",
        (
            "The number of columns is right, but column p belongs to the window that starts at p.",
            "Look at the slice: which frame does window number p start with?",
            "Window p is x[:, p * hop : p * hop + width].",
        ),
        starts=neighbors,
    ),
    _wrong(
        "hop_is_width",
        "The windows move by their width, not by hop",
        (
            "Your windows lie side by side; they should start hop frames apart and may overlap.",
            "Look at the step of your loop.",
            "Windows start at every t in range(0, T - width + 1, hop).",
        ),
        starts=side_by_side,
    ),
    _wrong(
        "relu_last",
        "ReLU is applied after the last layer too",
        (
            "Negative scores became 0: the last layer has no ReLU.",
            "Look at the loop over the layers: what is different for the last one?",
            "for W, b in layers[:-1]: v = np.maximum(W @ v + b, 0); then W, b = layers[-1] without ReLU.",
        ),
        apply=relu_everywhere,
    ),
    _wrong(
        "no_relu",
        "ReLU between the layers is missing",
        (
            "Negative numbers pass from one layer to the next; a ReLU should make them 0.",
            "Look at the loop over the layers: what happens between two of them?",
            "v = np.maximum(W @ v + b, 0) after every layer except the last.",
        ),
        apply=no_relu,
    ),
    _wrong(
        "no_bias",
        "The bias is left out",
        (
            "The numbers are those of a network without biases.",
            "Look at where a layer is computed: it is given as a pair (W, b).",
            "v = W @ v + b.",
        ),
        apply=no_bias,
    ),
    _wrong(
        "windows_first",
        "The answer is transposed: windows first, outputs second",
        (
            "The numbers are right, but the axes are exchanged: the shape should be (outputs, windows).",
            "Look at how you collect the results: a list of windows becomes the first axis of an array.",
            "Fill y[:, p] for each window, or np.stack(columns, axis=1).",
        ),
        then=np.transpose,
    ),
    _wrong("squeezed", *_LOST_AXIS, then=np.squeeze),
    _wrong("outputs_squeezed", *_LOST_AXIS, then=lambda y: y[0] if len(y) == 1 else y),
    _wrong("first_output", *_LOST_AXIS, then=lambda y: y[0]),
    _wrong(
        "only_maximum",
        "Only the best score is kept",
        (
            "The answer holds one score for the whole recording; here every window keeps its own.",
            "Look for max at the end of your function.",
            "Return all of y, shape (outputs, windows); taking the maximum is a later exercise.",
        ),
        then=lambda y: y.max(axis=1),
    ),
)
