# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 1: scanning
#
# Somebody says "welcome", but when? Somewhere in the picture is a flower, but where? A small network can answer both questions,
# if you let it look everywhere. In this assignment you write the loop that does so, once over time and once over a picture, and then make one answer of the many scores.
#
# | | you write | points | time | deck rows |
# |---|---|---|---|---|
# | 1 | `scan_1d`: find the welcome | 5 | 20 minutes | D05–D07 |
# | 2 | `scan_2d`: find the flower | 4 | 25 minutes | D08, D09 |
# | 3 | `aggregate` and `aggregate_backward`: from map to decision | 6 | 45 minutes | D06, D08 |
#
# **How it works.** Replace the line `raise NotImplementedError(…)` by your code, run the cell, then run the check below it as often as you like.
# The check tells you what is right already, and if it knows your mistake, it gives it a name and a hint. Some checks are hidden: they
# try other sizes when your notebook is graded. If your code is right, and not only right for the example, they pass too.
# Go by these checks, not by the button "Validate" above: it runs only what the cells with points show you, and that is nothing here.
#
# Loops are welcome. Nothing here needs to be fast. At the end of the page your two functions scan a spoken recording and a whole scene.

# %%
import numpy as np

from cnnlab.checks import check

# %% [markdown]
# ## 1. Find the welcome
#
# A recording is an array `x` of shape `(C, T)`: `C` features (here: loudness in frequency bands) for each of `T` frames.
# A network has learned to judge a piece of `width` frames. You slide it along the recording: first look at frames `0 … width-1`, then move on by `hop` frames, and so on.
# Each look gives one column of scores.
#
# $$y_{:,p} = \mathrm{MLP}\big(\mathrm{flatten}(x[:,\; p\cdot\mathrm{hop} \,:\, p\cdot\mathrm{hop}+\mathrm{width}])\big), \qquad p = 0, 1, 2, \dots$$
#
# Write **`scan_1d(x, layers, width, hop)`**. It returns `y` of shape `(out, P)`: the network's outputs, for each of the `P` windows.
#
# * `layers` is the network: a list `[(W, b), …]`, where `W` has shape `(out, in)` and `b` has shape `(out,)`. A layer computes `W @ v + b`.
#   Between two layers stands a ReLU, `np.maximum(v, 0)`; after the last layer there is none.
# * The window, of shape `(C, width)`, is flattened in C order: all frames of feature 0, then all frames of feature 1, and so on.
# * Only full windows count. Frames left over at the end, too few for a window, are not looked at.
# * If the recording is shorter than the window, there is no full window: return an array of shape `(out, 0)`.
# * `y` has the dtype of `x`, and `x` and `layers` come back unchanged.
#
# **An example by hand.** Two features, four frames, and a network of a single layer:
#
# $$x = \begin{pmatrix}1 & 2 & 0 & 3\\ 0 & 1 & 2 & 0\end{pmatrix}, \qquad W = \begin{pmatrix}1 & 2 & 3 & -1\end{pmatrix}, \qquad b = -1, \qquad \mathrm{width} = 2, \quad \mathrm{hop} = 1.$$
#
# The first window holds $\begin{pmatrix}1 & 2\\ 0 & 1\end{pmatrix}$, flattened $(1, 2, 0, 1)$. Its score is $1\cdot1 + 2\cdot2 + 3\cdot0 - 1\cdot1 - 1 = 3$.
# The windows after it are $(2, 0, 1, 2)$ and $(0, 3, 2, 0)$ with scores $2$ and $11$. A window at the fourth frame would not be full. So $y = \begin{pmatrix}3 & 2 & 11\end{pmatrix}$, of shape $(1, 3)$.
#
# *Before you write: with ten frames, `width` 4 and `hop` 3, how many windows are there, and which frames are left over? A drawing helps.*


# %% nbgrader={"grade": false, "grade_id": "a1-scan_1d-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scan_1d(x, layers, width, hop):
    """Return the outputs of the network for every full window of x, shape (out, P)."""
    ### BEGIN SOLUTION
    T = x.shape[1]
    starts = range(0, T - width + 1, hop)  # empty when T < width
    out = len(layers[-1][1])
    y = np.zeros((out, len(starts)), dtype=x.dtype)
    for p, start in enumerate(starts):
        v = x[:, start : start + width].reshape(-1)  # (C, width) -> (C * width,)
        for W, b in layers[:-1]:
            v = np.maximum(W @ v + b, 0)
        W, b = layers[-1]
        y[:, p] = W @ v + b
    return y
    ### END SOLUTION


# %%
check("a1.scan_1d", scan_1d)

# %% nbgrader={"grade": true, "grade_id": "a1-scan_1d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of scan_1d run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a1.scan_1d", scan_1d, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. Find the flower
#
# The same idea, now in two directions. A picture is an array `image` of shape `(C, H, W)`: `C` color channels, `H` rows, `W` columns. The window is `K_H` rows high
# and `K_W` columns wide, and visits the picture row by row. There is one score per place, so the scores of one output form a map, a small picture themselves:
# bright where the network sees what it is looking for.
#
# $$y_{:,p,q} = \mathrm{MLP}\big(\mathrm{flatten}(\mathrm{image}[:,\; p\,S_H : p\,S_H+K_H,\; q\,S_W : q\,S_W+K_W])\big)$$
#
# Write **`scan_2d(image, layers, size, stride)`**. It returns `y` of shape `(out, P_H, P_W)`: one map for each output of the network.
#
# * `size` is the pair `(K_H, K_W)` and `stride` the pair `(S_H, S_W)`: rows first, columns second, always. Windows start every `S_H` rows and every `S_W` columns.
# * `layers` is as in exercise 1.
# * The window, of shape `(C, K_H, K_W)`, is flattened in C order: channel 0 row by row, then channel 1, and so on.
# * Only full windows count. `y` has the dtype of `image`, and `image` and `layers` come back unchanged.
#
# **An example by hand.** One channel, three rows, four columns, and the network of exercise 1:
#
# $$\mathrm{image}_0 = \begin{pmatrix}1 & 2 & 0 & 1\\ 0 & 1 & 3 & 0\\ 2 & 0 & 1 & 2\end{pmatrix}, \qquad \mathrm{size} = (2, 2), \quad \mathrm{stride} = (1, 1).$$
#
# The first window is $\begin{pmatrix}1 & 2\\ 0 & 1\end{pmatrix}$ again, flattened $(1, 2, 0, 1)$, with score $3$. There are two rows of three places, and the map is
# $y_0 = \begin{pmatrix}3 & 1 & 10\\ 7 & 5 & 3\end{pmatrix}$, so `y` has the shape $(1, 2, 3)$.
#
# *Before you write: pictures and windows are rarely square. Which two of the numbers `H`, `W`, `K_H`, `K_W`, `S_H`, `S_W` would you mix up first?*


# %% nbgrader={"grade": false, "grade_id": "a1-scan_2d-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scan_2d(image, layers, size, stride):
    """Return the outputs of the network for every full window of image, shape (out, P_H, P_W)."""
    ### BEGIN SOLUTION
    K_H, K_W = size
    rows = range(0, image.shape[1] - K_H + 1, stride[0])
    columns = range(0, image.shape[2] - K_W + 1, stride[1])
    out = len(layers[-1][1])
    y = np.zeros((out, len(rows), len(columns)), dtype=image.dtype)
    for p, top in enumerate(rows):
        for q, left in enumerate(columns):
            v = image[:, top : top + K_H, left : left + K_W].reshape(-1)  # (C * K_H * K_W,)
            for W, b in layers[:-1]:
                v = np.maximum(W @ v + b, 0)
            W, b = layers[-1]
            y[:, p, q] = W @ v + b
    return y
    ### END SOLUTION


# %%
check("a1.scan_2d", scan_2d)

# %% nbgrader={"grade": true, "grade_id": "a1-scan_2d", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of scan_2d run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a1.scan_2d", scan_2d, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 3. From map to decision
#
# The question was "is there one, anywhere?", and a scan answers with a row of scores, or a map of them. So many numbers must become one. Three ways, for the scores $y_i$ of one map:
#
# * `"max"`: the largest score. If any window says yes, the answer is yes.
# * `"mean"`: the mean of all scores.
# * `"softmax"`: the mean with weights that favor large scores,
#
# $$Y = \sum_i s_i\, y_i, \qquad s_i = \frac{e^{y_i/\tau}}{\sum_j e^{y_j/\tau}}, \qquad \tau = \mathrm{temperature} > 0.$$
#
# Write **`aggregate(maps, how, temperature)`**. `maps` has the shape `(out, P)` or `(out, P_H, P_W)`: what `scan_1d` and `scan_2d` return. The answer has the shape `(out,)`: one number for each map.
#
# * Scores may be large, 1000 and more. $e^{1000}$ is no number that a computer holds; but $s_i$ stays the same if you subtract one number from all scores of a map.
# * `temperature` has a meaning for `"softmax"` only.
#
# **An example by hand.** Two rows of three scores, temperature 1:
#
# $$\mathrm{maps} = \begin{pmatrix}1 & 3 & 2\\ 0 & -1 & 0\end{pmatrix}, \qquad \text{max: } (3,\ 0), \qquad \text{mean: } (2,\ -\tfrac13).$$
#
# For the softmax of the first row the weights are in the ratio $e^{-2} : 1 : e^{-1}$, so $Y_0 = \dfrac{1 \cdot e^{-2} + 3 + 2\,e^{-1}}{e^{-2} + 1 + e^{-1}}$, between the mean and the maximum.
#
# A net that is trained from its one answer needs the way back: if the loss changes by `dy[o]` with the answer for map `o`, how does it change with each of its scores? Write **`aggregate_backward(dy, maps, how, temperature)`**, which returns an
# array with the shape of `maps`.
#
# * `"max"`: the largest score gets all. If it stands several times, the **first in row-major order** gets it, the others nothing.
# * `"mean"`: every score has the same share in it.
# * `"softmax"`: a score counts twice, for itself and through all weights. Differentiate $Y$ by one $y_k$ with the product rule, on paper; what comes out is short: a weight times a bracket. Scores may be large here, too.
#
# For the example and `dy` = $(2, 1)$, `"max"` gives $\begin{pmatrix}0 & 2 & 0\\ 1 & 0 & 0\end{pmatrix}$.
#
# *Before you write: which gradients of one map add up to `dy`, whatever the scores? Why must they?*


# %% nbgrader={"grade": false, "grade_id": "a1-aggregate-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def aggregate(maps, how, temperature):
    """Return one number for each map, shape (out,)."""
    ### BEGIN SOLUTION
    flat = maps.reshape(len(maps), -1)  # (out, P): rows and columns in one axis
    if how == "max":
        return flat.max(axis=1)
    if how == "mean":
        return flat.mean(axis=1)
    # The largest exponent is 0, so nothing overflows; what is subtracted cancels in the fraction.
    raised = np.exp((flat - flat.max(axis=1, keepdims=True)) / temperature)
    shares = raised / raised.sum(axis=1, keepdims=True)
    return (shares * flat).sum(axis=1)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a1-aggregate_backward-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def aggregate_backward(dy, maps, how, temperature):
    """Return the gradient with respect to each score, with the shape of maps."""
    ### BEGIN SOLUTION
    flat = maps.reshape(len(maps), -1)  # (out, P)
    if how == "max":
        slope = np.zeros_like(flat)
        slope[np.arange(len(flat)), flat.argmax(axis=1)] = 1  # argmax finds the first of equal scores
    elif how == "mean":
        slope = np.full_like(flat, 1 / flat.shape[1])
    else:
        # dY/dy_k = s_k + sum_i y_i ds_i/dy_k, and ds_i/dy_k = s_i ((i == k) - s_k) / temperature.
        raised = np.exp((flat - flat.max(axis=1, keepdims=True)) / temperature)
        shares = raised / raised.sum(axis=1, keepdims=True)
        answer = (shares * flat).sum(axis=1, keepdims=True)
        slope = shares * (1 + (flat - answer) / temperature)
    return (dy[:, None] * slope).reshape(maps.shape)
    ### END SOLUTION


# %%
check("a1.aggregate", aggregate, aggregate_backward)

# %% nbgrader={"grade": true, "grade_id": "a1-aggregate", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of both functions run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a1.aggregate", aggregate, aggregate_backward, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## See what you have built
#
# No points from here on. Your functions work for any network, so here is one that needs no training. It has a single layer, and its weights are *cut out of a
# recording*: the piece in which a voice says "welcome". The product of such a template with a window is large where the window looks like it.
#
# You scan another recording with it, spoken by another voice. The frame marks the place where that one says "welcome".

# %%
from cnnlab import data, viz

first, second = data.load_welcome_recordings()[:2]
frames_per_second = first.x.shape[1] / (len(first.wave) / first.sample_rate)
start, stop = round(first.start * frames_per_second), round(first.stop * frames_per_second)

template = first.x[:, start:stop]
template = template - template.mean(axis=1, keepdims=True)
layers = [(template.reshape(1, -1) / np.abs(template).sum(), np.zeros(1, dtype=np.float32))]

scores = scan_1d(second.x, layers, stop - start, 1)
viz.score_curve(second, scores[0], width=stop - start, threshold=0.6)

# %% [markdown]
# If all checks passed, the curve is highest in the middle of the frame. That went well; a template is easily fooled, though. Try `data.load_welcome_recordings()[5]`, where nobody says "welcome",
# but "become" and "outcome". This is why lecture 01 trains a network.
#
# Now the flower. The template is a flower's own picture, and the scene is scanned twice: as it is, and moved down by 9 rows and right by 14 columns
# (what leaves at one side comes back at the other).

# %%
flowers = data.load_flowers(20, where=(18, 24), rows=(22, 26), seed=4)
number = int(np.argmax(flowers.y))  # the first scene with a flower
scene = flowers.x[number]
moved = np.roll(scene, (9, 14), axis=(1, 2))

K = 20
top, left = (int(center) - K // 2 for center in flowers.center[number])
template = scene[:, top : top + K, left : left + K]
template = template - template.mean(axis=(1, 2), keepdims=True)
layers = [(template.reshape(1, -1), np.zeros(1, dtype=np.float32))]

maps = [scan_2d(image, layers, (K, K), (1, 1)) for image in (scene, moved)]
low, high = min(y.min() for y in maps), max(y.max() for y in maps)
bright = [(y - low) / (high - low) for y in maps]
viz.pictures([scene, bright[0], moved, bright[1]], titles=["scene", "its map", "moved", "its map"])

# %% [markdown]
# One spot of the map is brightest, and when the flower moves, the spot moves with it, by just as much. Nobody taught the network this: it follows from looking
# everywhere with the same weights. Lecture 03 makes a network out of this idea.
