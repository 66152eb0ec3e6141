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
from cnnlab.checks.model import Mistake

Recording = np.ndarray[Any, Any]
Scan1d = Callable[[Recording, Layers, int, int], Any]


def _scan_with(**parts: Any) -> Scan1d:
    return lambda x, layers, width, hop: scan(x, layers, (width,), (hop,), **parts)


def _scan_then(change: Callable[[Recording], Any]) -> Scan1d:
    return lambda x, layers, width, hop: change(scan(x, layers, (width,), (hop,)))


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

MISTAKES = (
    Mistake("stops_early", *_LAST_WINDOW, _scan_with(starts=stops_early)),
    Mistake("counts_one_less", *_LAST_WINDOW, _scan_with(starts=counts_one_less)),
    Mistake("partial_windows", *_PARTIAL, _scan_with(starts=every_start)),
    Mistake("partial_last_window", *_PARTIAL, _scan_with(starts=one_over)),
    Mistake(
        "time_first",
        "The window is flattened time first",
        (
            "The numbers of a window reach the network in the wrong order: all features of one frame first.",
            "Look at the line that makes a vector from the window: is there a .T, order='F', or a loop over frames?",
            "x[:, start : start + width].reshape(-1) lists feature 0 over time, then feature 1, and so on.",
        ),
        _scan_with(flatten=_time_first),
    ),
    Mistake(
        "hop_ignored",
        "hop is not used",
        (
            "The answer has a column for every place, as if hop were 1.",
            "Look for hop in your loop: where do the windows start?",
            "Windows start at every t in range(0, T - width + 1, hop).",
        ),
        _scan_with(starts=every_place),
    ),
    Mistake(
        "hop_not_in_start",
        "hop sets the number of windows, but not where they start",
        (
            "The number of columns is right, but column p belongs to the window that starts at p.",
            "Look at the slice: which frame does window number p start with?",
            "Window p is x[:, p * hop : p * hop + width].",
        ),
        _scan_with(starts=neighbors),
    ),
    Mistake(
        "hop_is_width",
        "The windows move by their width, not by hop",
        (
            "Your windows lie side by side; they should start hop frames apart and may overlap.",
            "Look at the step of your loop.",
            "Windows start at every t in range(0, T - width + 1, hop).",
        ),
        _scan_with(starts=side_by_side),
    ),
    Mistake(
        "relu_last",
        "ReLU is applied after the last layer too",
        (
            "Negative scores became 0: the last layer has no ReLU.",
            "Look at the loop over the layers: what is different for the last one?",
            "for W, b in layers[:-1]: v = np.maximum(W @ v + b, 0); then W, b = layers[-1] without ReLU.",
        ),
        _scan_with(apply=relu_everywhere),
    ),
    Mistake(
        "no_relu",
        "ReLU between the layers is missing",
        (
            "Negative numbers pass from one layer to the next; a ReLU should make them 0.",
            "Look at the loop over the layers: what happens between two of them?",
            "v = np.maximum(W @ v + b, 0) after every layer except the last.",
        ),
        _scan_with(apply=no_relu),
    ),
    Mistake(
        "no_bias",
        "The bias is left out",
        (
            "The numbers are those of a network without biases.",
            "Look at where a layer is computed: it is given as a pair (W, b).",
            "v = W @ v + b.",
        ),
        _scan_with(apply=no_bias),
    ),
    Mistake(
        "windows_first",
        "The answer is transposed: windows first, outputs second",
        (
            "The numbers are right, but the axes are exchanged: the shape should be (outputs, windows).",
            "Look at how you collect the results: a list of windows becomes the first axis of an array.",
            "Fill y[:, p] for each window, or np.stack(columns, axis=1).",
        ),
        _scan_then(np.transpose),
    ),
    Mistake("squeezed", *_LOST_AXIS, _scan_then(np.squeeze)),
    Mistake("outputs_squeezed", *_LOST_AXIS, _scan_then(lambda y: y[0] if len(y) == 1 else y)),
    Mistake("first_output", *_LOST_AXIS, _scan_then(lambda y: y[0])),
    Mistake(
        "only_maximum",
        "Only the best score is kept",
        (
            "The answer holds one score for the whole recording; here every window keeps its own.",
            "Look for max at the end of your function.",
            "Return all of y, shape (outputs, windows); taking the maximum is a later exercise.",
        ),
        _scan_then(lambda y: y.max(axis=1)),
    ),
)
