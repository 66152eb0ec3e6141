"""Write the sample class of assignment a1 into course/samples/a1, from its release notebook.

Usage: python scripts/build_samples.py [--check]

Each student fills the same four cells of the release, so the samples follow when the release changes; run this after
`cnnlab build`. With --check nothing is written, and the exit status says whether anything would be. What each student
must get is in course/samples/a1/expected.csv, written by hand.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = "a1_scanning"

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


def _changed(source: str, old: str, new: str) -> str:
    if old not in source:
        raise ValueError(f"{old!r} is not in the answer that is to be spoiled")
    return source.replace(old, new)


DECIDE, DECIDE_OTHERWISE = (FORWARD, BACKWARD), (FORWARD_BY_MAP, BACKWARD_BY_JACOBIAN)
# The answer cells of the release, in the order of the answers below.
CELLS = ("a1-scan_1d-answer", "a1-scan_2d-answer", "a1-aggregate-answer", "a1-aggregate_backward-answer")

# Who answers how; None leaves the cell as it was released.
STUDENTS: dict[str, tuple[str | None, ...]] = {
    # three right ones, written differently
    "ada": (LOOP_1D, LOOP_2D, *DECIDE),
    "ben": (WINDOW_VIEW_1D, WINDOW_VIEW_2D, *DECIDE_OTHERWISE),
    "chen": (EINSUM_1D, EINSUM_2D, FORWARD, BACKWARD_BY_JACOBIAN),
    # four with mistakes that have a name
    "dora": (
        _changed(
            LOOP_1D,
            "for start in range(0, x.shape[1] - width + 1, hop):",
            "for start in hop * np.arange((x.shape[1] - width) // hop):",
        ),
        LOOP_2D,
        FORWARD,
        _changed(BACKWARD, "[np.unravel_index(np.argmax(y), y.shape)]", "[y == y.max()]"),
    ),
    "emil": (
        _changed(LOOP_1D, ".flatten()", ".T.flatten()"),
        LOOP_2D,
        # two at once, and a third in the way back
        _changed(_changed(FORWARD, "e = np.exp((maps", "temperature = 1\n    e = np.exp((maps"), "np.mean(", "np.sum("),
        _changed(BACKWARD, " / y.size", ""),
    ),
    "fatma": (_changed(WINDOW_VIEW_1D, "[:, ::hop]", ""), WINDOW_VIEW_2D, *DECIDE_OTHERWISE),
    "goran": (
        LOOP_1D,
        _changed(
            LOOP_2D,
            "def scan_2d(image, layers, size, stride):\n",
            """\
def scan_2d(image, layers, size, stride):
    size = (size[1], size[0])  # width first, like x before y
""",
        ),
        _changed(FORWARD, " - np.max(maps, axis=axes, keepdims=True)", ""),
        BACKWARD,
    ),
    # nothing done
    "hana": (None, None, None, None),
    # ends the process
    "igor": ("import os\n\n\ndef scan_1d(x, layers, width, hop):\n    os._exit(0)\n", LOOP_2D, *DECIDE),
    # never returns
    "june": (
        LOOP_1D,
        "def scan_2d(image, layers, size, stride):\n    i = 0\n    while i < size[0]:\n        pass\n",
        *DECIDE,
    ),
    # right, in a file that the browser renamed
    "lea": (LOOP_1D, WINDOW_VIEW_2D, *DECIDE),
}
FILE_NAMES = {"lea": f"{NAME} (1).ipynb"}
UNREADABLE = "kofi"


def samples() -> dict[Path, str]:
    """Return the text of each sample, by its path in the project."""
    release = json.loads((ROOT / "course" / "release" / "a1" / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    folder = Path("course", "samples", "a1")
    files = {
        folder / student / FILE_NAMES.get(student, f"{NAME}.ipynb"): as_text(filled_in(release, answers))
        for student, answers in STUDENTS.items()
    }
    # A download that broke off.
    files[folder / UNREADABLE / f"{NAME}.ipynb"] = as_text(filled_in(release, STUDENTS["ada"]))[:2000]
    return files


def filled_in(release: dict, texts: tuple[str | None, ...]) -> dict:
    """Return the release with these answers in its answer cells."""
    notebook = copy.deepcopy(release)
    answers = dict(zip(CELLS, texts, strict=True))
    for cell in notebook["cells"]:
        answer = answers.pop(cell["metadata"].get("nbgrader", {}).get("grade_id"), None)
        if answer is not None:
            cell["source"] = answer.rstrip("\n").splitlines(keepends=True)
    if any(answer is not None for answer in answers.values()):
        raise ValueError(f"the release has no cell {', '.join(answers)}: are the names in this script still right?")
    return notebook


def as_text(notebook: dict) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write what differs, or only say so."""
    check = sys.argv[1:] == ["--check"]
    stale = 0
    for relative, text in samples().items():
        path = ROOT / relative
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{'stale' if check else 'written'}  {relative}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
