"""The sample class of assignment 1."""

from __future__ import annotations

from samples.students import Student, changed

# ---- exercise 1 ----

LOOP_1D = """\
def scan_1d(x, layers, width, hop):
    columns = []
    for start in range(0, x.shape[1] - width + 1, hop):
        v = x[:, start : start + width].flatten()
        for W, b in layers[:-1]:
            v = np.maximum(W @ v + b, 0)
        W, b = layers[-1]
        columns.append(W @ v + b)
    return np.stack(columns, axis=1) if columns else np.zeros((len(layers[-1][1]), 0), x.dtype)
"""
WINDOW_VIEW_1D = """\
def scan_1d(x, layers, width, hop):
    if x.shape[1] < width:
        return np.zeros((len(layers[-1][1]), 0), dtype=x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)[:, ::hop]  # (C, P, width)
    v = windows.transpose(1, 0, 2).reshape(windows.shape[1], -1)
    for number, (W, b) in enumerate(layers, start=1):
        v = v @ W.T + b
        if number < len(layers):
            v = v * (v > 0)
    return v.T
"""
EINSUM_1D = """\
def relu(z):
    return np.where(z > 0, z, np.zeros_like(z))


def scan_1d(x, layers, width, hop):
    # The first layer, looked at as one small matrix for each frame of the window.
    W, b = layers[0]
    kernel = W.reshape(len(W), x.shape[0], width)
    positions = len(range(0, x.shape[1] - width + 1, hop))
    z = np.zeros((len(W), positions), dtype=x.dtype) + b[:, None]
    for k in range(width if positions else 0):
        z += np.einsum("oc,cp->op", kernel[:, :, k], x[:, k : k + hop * (positions - 1) + 1 : hop])
    for W, b in layers[1:]:
        z = np.tensordot(W, relu(z), axes=1) + b[:, None]
    return z
"""

# ---- exercise 2 ----

LOOP_2D = """\
def scan_2d(image, layers, size, stride):
    height = (image.shape[1] - size[0]) // stride[0] + 1
    width = (image.shape[2] - size[1]) // stride[1] + 1
    y = np.empty((layers[-1][0].shape[0], max(height, 0), max(width, 0)), dtype=image.dtype)
    for i in range(height):
        for j in range(width):
            top, left = i * stride[0], j * stride[1]
            v = image[:, top : top + size[0], left : left + size[1]].ravel()
            for W, b in layers[:-1]:
                v = np.maximum(0, W.dot(v) + b)
            y[:, i, j] = layers[-1][0].dot(v) + layers[-1][1]
    return y
"""
WINDOW_VIEW_2D = """\
def scan_2d(image, layers, size, stride):
    view = np.lib.stride_tricks.sliding_window_view(image, size, axis=(1, 2))
    view = view[:, :: stride[0], :: stride[1]]  # (C, P_H, P_W, K_H, K_W)
    C, P_H, P_W, K_H, K_W = view.shape
    v = view.transpose(1, 2, 0, 3, 4).reshape(P_H * P_W, C * K_H * K_W)
    for W, b in layers[:-1]:
        v = np.maximum(v @ W.T + b, 0)
    W, b = layers[-1]
    return (v @ W.T + b).T.reshape(-1, P_H, P_W)
"""
EINSUM_2D = """\
def scan_2d(image, layers, size, stride):
    W, b = layers[0]
    kernel = W.reshape(len(W), len(image), *size)
    windows = np.lib.stride_tricks.sliding_window_view(image, size, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    z = np.einsum("cpqhw,ochw->opq", windows, kernel) + b[:, None, None]
    for W, b in layers[1:]:
        z = np.einsum("oi,ipq->opq", W, relu(z)) + b[:, None, None]
    return z
"""

# ---- exercise 3 ----

FORWARD = """\
def aggregate(maps, how, temperature):
    axes = tuple(range(1, maps.ndim))
    if how == "max":
        return np.max(maps, axis=axes)
    if how == "mean":
        return np.mean(maps, axis=axes)
    e = np.exp((maps - np.max(maps, axis=axes, keepdims=True)) / temperature)
    return np.sum(maps * e, axis=axes) / np.sum(e, axis=axes)
"""
FORWARD_BY_MAP = """\
def aggregate(maps, how, temperature):
    answers = []
    for scores in maps:
        y = scores.ravel()
        s = np.exp(y / temperature - max(y) / temperature)
        answers.append({"max": max(y), "mean": sum(y) / len(y), "softmax": s @ y / sum(s)}[how])
    return np.array(answers)
"""
BACKWARD = """\
def aggregate_backward(dy, maps, how, temperature):
    dmaps = np.zeros_like(maps)
    for o in range(len(maps)):
        y = maps[o]
        if how == "max":
            dmaps[o][np.unravel_index(np.argmax(y), y.shape)] = dy[o]
        elif how == "mean":
            dmaps[o] = dy[o] / y.size
        else:
            s = np.exp((y - y.max()) / temperature)
            s = s / s.sum()
            dmaps[o] = dy[o] * s * (1 + (y - np.sum(s * y)) / temperature)
    return dmaps
"""
BACKWARD_BY_JACOBIAN = """\
def aggregate_backward(dy, maps, how, temperature):
    rows = []
    for slope, scores in zip(dy, maps):
        y = scores.ravel()
        if how == "max":
            row = np.arange(y.size) == int(np.argmax(y))
        elif how == "mean":
            row = np.ones(y.size) / y.size
        else:
            s = np.exp((y - y.max()) / temperature)
            s = s / s.sum()
            jacobian = (np.diag(s) - np.outer(s, s)) / temperature
            row = s + jacobian @ y
        rows.append(slope * row.reshape(scores.shape))
    return np.stack(rows)
"""


def _answers(scan_1d: str, scan_2d: str, aggregate: str, aggregate_backward: str) -> dict[str, str]:
    return {
        "scan_1d": scan_1d,
        "scan_2d": scan_2d,
        "aggregate": aggregate,
        "aggregate_backward": aggregate_backward,
    }


DECIDE, DECIDE_OTHERWISE = (FORWARD, BACKWARD), (FORWARD_BY_MAP, BACKWARD_BY_JACOBIAN)

STUDENTS = {
    # three right ones, written differently
    "ada": Student(_answers(LOOP_1D, LOOP_2D, *DECIDE)),
    "ben": Student(_answers(WINDOW_VIEW_1D, WINDOW_VIEW_2D, *DECIDE_OTHERWISE)),
    "chen": Student(_answers(EINSUM_1D, EINSUM_2D, FORWARD, BACKWARD_BY_JACOBIAN)),
    # four with mistakes that have a name
    "dora": Student(
        _answers(
            changed(
                LOOP_1D,
                (
                    "for start in range(0, x.shape[1] - width + 1, hop):",
                    "for start in hop * np.arange((x.shape[1] - width) // hop):",
                ),
            ),
            LOOP_2D,
            FORWARD,
            changed(BACKWARD, ("[np.unravel_index(np.argmax(y), y.shape)]", "[y == y.max()]")),
        )
    ),
    "emil": Student(
        _answers(
            changed(LOOP_1D, (".flatten()", ".T.flatten()")),
            LOOP_2D,
            # two at once, and a third in the way back
            changed(FORWARD, ("e = np.exp((maps", "temperature = 1\n    e = np.exp((maps"), ("np.mean(", "np.sum(")),
            changed(BACKWARD, (" / y.size", "")),
        )
    ),
    "fatma": Student(_answers(changed(WINDOW_VIEW_1D, ("[:, ::hop]", "")), WINDOW_VIEW_2D, *DECIDE_OTHERWISE)),
    "goran": Student(
        _answers(
            LOOP_1D,
            changed(
                LOOP_2D,
                (
                    "def scan_2d(image, layers, size, stride):\n",
                    """\
def scan_2d(image, layers, size, stride):
    size = (size[1], size[0])  # width first, like x before y
""",
                ),
            ),
            changed(FORWARD, (" - np.max(maps, axis=axes, keepdims=True)", "")),
            BACKWARD,
        )
    ),
    # nothing done
    "hana": Student(),
    # ends the process
    "igor": Student(
        _answers("import os\n\n\ndef scan_1d(x, layers, width, hop):\n    os._exit(0)\n", LOOP_2D, *DECIDE)
    ),
    # never returns
    "june": Student(
        _answers(
            LOOP_1D,
            "def scan_2d(image, layers, size, stride):\n    i = 0\n    while i < size[0]:\n        pass\n",
            *DECIDE,
        )
    ),
    # a download that broke off
    "kofi": Student(_answers(LOOP_1D, LOOP_2D, *DECIDE), kept=2000),
    # right, in a file that the browser renamed
    "lea": Student(_answers(LOOP_1D, WINDOW_VIEW_2D, *DECIDE), file_name="a1_scanning (1).ipynb"),
}
