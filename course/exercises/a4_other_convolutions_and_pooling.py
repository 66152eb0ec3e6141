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
# # Assignment 4: other convolutions and pooling
#
# A convolution has more arguments than a stride. Its filters may see one pixel only, or every second one, or some of the channels; the border may go on as a mirror does, or as a circle;
# and there may be one axis, two or three. You write one function that does it all. Then you write the layer that makes maps smaller, pooling, and the way back through it.
#
# | | you write | points | time | deck rows |
# |---|---|---|---|---|
# | 13 | `conv_nd`: 1×1, groups, dilation, padding modes, one to three axes | 7 | 60 minutes | D44, D45, D48–D50 |
# | 14 | `pool2d_forward` and `pool2d_backward`: pooling, both ways | 8 | 60 minutes | D51–D53 |
#
# **How it works.** Replace the line `raise NotImplementedError(…)` by your code, run the cell, then run the check below it as often as you like.
# The check tells you what is right already, and if it knows your mistake, it gives it a name and a hint. Some checks are hidden: they
# try other sizes when your notebook is graded. If your code is right, and not only right for the example, they pass too.
# Go by these checks, not by the button "Validate" above: it runs only what the cells with points show you, and that is nothing here.
#
# Loops are welcome. Nothing here needs to be fast. At the end of the page your functions find out which way a flower moves, and when.

# %%
import numpy as np

from cnnlab.checks import check

# %% [markdown]
# ## 13. Other convolutions
#
# The sum over input channels and taps stays what it was in assignment 3. What changes is *which* channels, *which* taps, and what stands outside of the input. For one sample, and
# with one number *an axis* for the place $p$, the tap $u$, the size $n$ of the input, the kernel $K$, the stride $S$, the padding $P$ and the dilation $D$:
#
# $$y_j(p) = b_j + \sum_{c=0}^{C-1} \sum_u w_{j,c}(u)\; \tilde x_{g(j)\,C + c}(S\,p + D\,u), \qquad C = \frac{C_{in}}{G}, \qquad g(j) = \left\lfloor \frac{j}{C_{out}/G} \right\rfloor,$$
#
# where $G$ is `groups` and $\tilde x$ is the input with $P$ more cells at both ends of each axis. An axis of the answer has $\lfloor (n + 2P - D\,(K-1) - 1)/S \rfloor + 1$ places.
#
# Write **`conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode)`**, for one, two and three spatial axes.
#
# * `x` has the shape `(N, C_in, *spatial)`: `(N, C_in, W)`, `(N, C_in, H, W)` or `(N, C_in, depth, H, W)`. The answer has as many axes: none is dropped, however short.
# * `w` has the shape `(C_out, C_in // groups, *kernel)` and `b` the shape `(C_out,)`. `groups` divides `C_in` and `C_out`.
# * `stride`, `padding` and `dilation` are tuples with one number for each spatial axis, in the order of the axes: `(2,)`, `(2, 1)` or `(1, 2, 2)`.
# * **Groups** are blocks side by side. The first $C_{out}/G$ filters see the first $C$ channels, the next ones see the next $C$ channels, and so on.
# * **Dilation** $D$ sets the taps $D$ cells apart. `1` is the ordinary kernel. The input stays as it is.
# * **`padding_mode`** says what stands in the padding. Along an axis with the cells 1 2 3 4, and `padding` 2:
#
#   | `padding_mode` | before | the axis | after |
#   |---|---|---|---|
#   | `"zeros"` | 0 0 | 1 2 3 4 | 0 0 |
#   | `"reflect"` | 3 2 | 1 2 3 4 | 3 2 |
#   | `"replicate"` | 1 1 | 1 2 3 4 | 4 4 |
#   | `"circular"` | 3 4 | 1 2 3 4 | 1 2 |
#
#   The corners, where the padding of several axes meets, follow from padding one axis after the other. `padding` is less than the length of its axis. (`np.pad` can do all four. It has other names for most of them, and a mode that looks like one of
#   them but is not: compare with the table.)
# * At least one window fits. `y` has the dtype of `x`, and all arguments come back unchanged.
#
# Each option has checks of its own. Start with the plain convolution, then add one option at a time: what is right keeps its points.
#
# **An example by hand.** One channel $x = (1, 2, 3, 4)$, one filter $w = (1, 10)$ with $b = 0.5$, dilation 2.
#
# * Without padding the windows are $(1, 3)$ and $(2, 4)$, so $y = (31.5,\ 42.5)$.
# * With padding 1 and `"reflect"`, $\tilde x = (2, 1, 2, 3, 4, 3)$. The windows are $(2, 2), (1, 3), (2, 4), (3, 3)$, so $y = (22.5,\ 31.5,\ 42.5,\ 33.5)$.
# * Now a second channel $(5, 6, 7, 8)$, a second filter $(1, -1)$ with bias 0, two groups, no padding. Filter 0 sees channel 0 as before; filter 1 sees channel 1 alone: $y_1 = (5 - 7,\ 6 - 8) = (-2, -2)$.
#
# *Before you write: how many cells lie from the first tap to the last of a kernel of 3 with dilation 4, both counted? And which loops of your function can one `for position in np.ndindex(*out)` replace?*


# %% nbgrader={"grade": false, "grade_id": "a4-conv_nd-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_nd(x, w, b, stride, padding, dilation, groups, padding_mode):
    """Return the convolution of x with w, shape (N, C_out, *positions)."""
    ### BEGIN SOLUTION
    # NumPy's "symmetric" would repeat the edge; what the table calls reflect is "reflect" there too.
    mode = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[padding_mode]
    padded = np.pad(x, [(0, 0), (0, 0)] + [(P, P) for P in padding], mode=mode)

    C_out, C, *kernel = w.shape  # C channels of one group
    reach = [D * (K - 1) + 1 for K, D in zip(kernel, dilation, strict=True)]  # from the first tap to the last
    out = [(n - r) // S + 1 for n, r, S in zip(padded.shape[2:], reach, stride, strict=True)]
    y = np.zeros((len(x), C_out, *out), dtype=x.dtype)
    for j in range(C_out):
        first = j // (C_out // groups) * C  # the first channel of this filter's group
        channels = padded[:, first : first + C]
        for position in np.ndindex(*out):
            # One slice an axis; its step is the dilation.
            axes = zip(position, stride, reach, dilation, strict=True)
            taps = tuple(slice(p * S, p * S + r, D) for p, S, r, D in axes)
            window = channels[(slice(None), slice(None), *taps)]  # (N, C, *kernel)
            products = (window * w[j]).reshape(len(x), -1)
            y[(slice(None), j, *position)] = products.sum(axis=1) + b[j]
    return y
    ### END SOLUTION


# %%
check("a4.conv_nd", conv_nd)

# %% nbgrader={"grade": true, "grade_id": "a4-conv_nd", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of conv_nd run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a4.conv_nd", conv_nd, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 14. Pooling, forward and backward
#
# A window moves over *each map by itself* and makes one number of what it sees: the largest cell, or the mean of all. There is nothing to learn and no channel is mixed with another. For the place $(p, q)$, with $x_{n,c}$ at row $h$ and column $w$ written $x(h, w)$,
#
# $$y(p, q) = \max_{u, v}\; x(p\,S_H + u - P_H,\; q\,S_W + v - P_W) \qquad\text{or}\qquad y(p, q) = \frac{1}{K_H K_W} \sum_{u, v}\; x(p\,S_H + u - P_H,\; q\,S_W + v - P_W),$$
#
# with $u$ from 0 to $K_H - 1$ and $v$ from 0 to $K_W - 1$.
#
# Write **`pool2d_forward(x, kernel, stride, padding, how)`**. `how` is `"max"` or `"avg"`.
#
# * `x` has the shape `(N, C, H, W)`, the answer the shape `(N, C, H', W')` with $H' = \lfloor (H + 2 P_H - K_H)/S_H \rfloor + 1$, and $W'$ likewise. Only full windows of the padded map count; what is left over at the end is not looked at.
# * `kernel`, `stride` and `padding` are pairs, rows first. Windows may touch, overlap, or leave cells out between them.
# * For `"max"` the padding takes no part: it counts as minus infinity. For `"avg"` it counts as zeros, and these zeros are cells too: every window is divided by the same $K_H K_W$.
# * `padding` is at most half of `kernel`, so each window holds a cell of the map.
# * `y` has the dtype of `x`, and all arguments come back unchanged.
#
# If the loss changes by `dy[n, c, p, q]` with each output, how does it change with each input? Write **`pool2d_backward(dy, x, kernel, stride, padding, how)`**, which returns `dx` with the shape and dtype of `x`.
#
# * `"max"`: the winner of a window gets all of its `dy`. If the largest number stands several times in a window, the **first in row-major order** is the winner, the others get nothing.
# * `"avg"`: each of the $K_H K_W$ cells gets the same share of `dy`. What falls into the padding is lost.
# * A cell may lie in several windows, or in none. It gets the sum of what they send.
#
# **An example by hand.** One map, windows of 2 × 2, stride 1, no padding:
#
# $$x = \begin{pmatrix}1 & 3 & 2\\ 3 & 0 & 3\end{pmatrix}, \qquad \text{max: } \begin{pmatrix}3 & 3\end{pmatrix}, \qquad \text{avg: } \begin{pmatrix}\tfrac74 & 2\end{pmatrix}.$$
#
# Now let `dy` = $\begin{pmatrix}8 & 4\end{pmatrix}$. In both windows 3 stands twice, and in both the 3 in the first row comes first. It is the same cell, so it gets $8 + 4$:
#
# $$\text{max: } dx = \begin{pmatrix}0 & 12 & 0\\ 0 & 0 & 0\end{pmatrix}, \qquad \text{avg: } dx = \begin{pmatrix}2 & 3 & 1\\ 2 & 3 & 1\end{pmatrix}.$$
#
# With padding $(1, 1)$ the first window holds three cells of padding and the 1. Its maximum is 1 and its average $\tfrac14$.
#
# *Before you write: a map holds negative numbers only and you pad it with zeros. What would the maximum of the first window be? And which of the two gradients can you compute without looking at `x`?*


# %% nbgrader={"grade": false, "grade_id": "a4-pool2d_forward-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool2d_forward(x, kernel, stride, padding, how):
    """Return the maximum or the mean of every window, shape (N, C, H', W')."""
    ### BEGIN SOLUTION
    (K_H, K_W), (S_H, S_W), (P_H, P_W) = kernel, stride, padding
    outside = -np.inf if how == "max" else 0
    padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), constant_values=outside)
    rows = (padded.shape[2] - K_H) // S_H + 1
    columns = (padded.shape[3] - K_W) // S_W + 1
    y = np.zeros((*x.shape[:2], rows, columns), dtype=x.dtype)
    for p in range(rows):
        for q in range(columns):
            top, left = p * S_H, q * S_W
            window = padded[:, :, top : top + K_H, left : left + K_W]  # (N, C, K_H, K_W): all maps at once
            if how == "max":
                y[:, :, p, q] = window.max(axis=(2, 3))
            else:
                y[:, :, p, q] = window.sum(axis=(2, 3)) / (K_H * K_W)
    return y
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a4-pool2d_backward-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool2d_backward(dy, x, kernel, stride, padding, how):
    """Return the gradient with respect to x, with the shape of x."""
    ### BEGIN SOLUTION
    (K_H, K_W), (S_H, S_W), (P_H, P_W) = kernel, stride, padding
    H, W = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)), constant_values=-np.inf)
    dx = np.zeros_like(padded)
    for n, c, p, q in np.ndindex(*dy.shape):
        top, left = p * S_H, q * S_W
        if how == "max":
            window = padded[n, c, top : top + K_H, left : left + K_W]
            u, v = np.unravel_index(window.argmax(), window.shape)  # argmax finds the first of equal cells
            dx[n, c, top + u, left + v] += dy[n, c, p, q]  # +=: windows may overlap
        else:
            dx[n, c, top : top + K_H, left : left + K_W] += dy[n, c, p, q] / (K_H * K_W)
    return dx[:, :, P_H : P_H + H, P_W : P_W + W]  # without the padding
    ### END SOLUTION


# %%
check("a4.pool2d", pool2d_forward, pool2d_backward)

# %% nbgrader={"grade": true, "grade_id": "a4-pool2d", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of both functions run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a4.pool2d", pool2d_forward, pool2d_backward, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## See what you have built
#
# No points from here on. First a photo is blurred by your function: one filter of 9 × 9 equal weights for each color, so three groups. The blurred picture keeps its size by a padding of 4. What stands in the padding?

# %%
from cnnlab import data, viz

photo = data.load_photos(size=72)[1].x.astype(np.float64)  # (3, H, W)
equal = np.full((3, 1, 9, 9), 1 / 81)
blurred = {}
for mode in ("zeros", "reflect", "circular"):
    blurred[mode] = conv_nd(photo[None], equal, np.zeros(3), (1, 1), (4, 4), (1, 1), 3, mode)[0]
viz.pictures([photo, *blurred.values()], titles=["photo", *blurred])

# %% [markdown]
# With zeros a dark frame creeps in from outside, and with the circle the colors of the opposite side. The mirror invents the least.
#
# Now three axes. A flower crosses a meadow in a short film, and a second film is the first one run backwards. The kernel is the wave of lecture 08 that travels to the right, 5 frames of 5 × 5 pixels,
# and beside it the one that travels to the left.

# %%
scenes = data.load_flowers(4, seed=3)
meadow = scenes.x[scenes.y == 0][0]  # a scene without a flower
ground, sprite = meadow[:, 10:40, :44], data.flower_sprite(8, seed=5)
opacity, side = sprite[3], sprite.shape[1]
clip = np.repeat(ground[:, None], 14, axis=1).astype(np.float64)  # (3, D, H, W)
for t in range(14):
    patch = clip[:, t, 8 : 8 + side, 6 + t : 6 + t + side]
    patch[:] = opacity * sprite[:3] + (1 - opacity) * patch
forwards = clip.mean(axis=0)[None]  # (C, D, H, W) with one channel
films = np.stack([forwards, forwards[:, ::-1]])  # (N, C, D, H, W)

time, column = np.arange(5)[:, None], np.arange(5)
wave = np.repeat(np.cos(2 * np.pi * (column - time) / 5)[:, None, :], 5, axis=1)  # (5, 5, 5)
right_and_left = np.stack([wave, wave[:, :, ::-1]])[:, None]  # (C_out, C_in, 5, 5, 5)
responses = conv_nd(films, right_and_left, np.zeros(2), (1, 1, 1), (0, 0, 0), (1, 1, 1), 1, "zeros")

# Frames below each other make one tall map, and one window of the size of that map asks: is it there, anywhere, ever?
N, C, D, H, W = responses.shape
tall = responses.reshape(N, C, D * H, W)
whole = {"kernel": (D * H, W), "stride": (1, 1), "padding": (0, 0), "how": "max"}
strongest = pool2d_forward(tall, **whole)  # (N, C, 1, 1)
for name, (right, left) in zip(("forwards", "backwards"), strongest[:, :, 0, 0], strict=True):
    print(f"{name:10s} to the right: {right:.2f}   to the left: {left:.2f}")

# %% [markdown]
# The larger number tells the direction. And your gradient tells when and where: the answer of the maximum came from a single cell, and `dx` is 1 there.

# %%
winners = pool2d_backward(np.ones_like(strongest), tall, **whole).reshape(responses.shape)
t, h, w = (int(i) for i in np.argwhere(winners[0, 0])[0])
print(f"forwards, to the right: strongest in frames {t} to {t + 4}, rows {h} to {h + 4}, columns {w} to {w + 4}")
framed = forwards[:, t + 2].copy()
framed[:, [h, h + 4], w : w + 5] = 1
framed[:, h : h + 5, [w, w + 4]] = 1
viz.pictures([forwards[:, 0], framed, forwards[:, 13]], titles=["first frame", f"frame {t + 2}", "last frame"])

# %% [markdown]
# The white square lies at the edge of a petal, where the picture changes most from frame to frame. Nobody told the filter where to look: the forward pass looked everywhere, and the backward pass found the way back.
