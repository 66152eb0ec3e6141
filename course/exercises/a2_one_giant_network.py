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
# # Assignment 2: one giant network
#
# In assignment 1 a small network looked at one window after another. Now all windows are there at once: copies of the small network, side by side, make one giant network.
# You write down its matrix, and find the gradient of a weight that stands in it many times. Then you compute it in another order, layer by layer, and count what that saves.
# In the end it is a stack of convolutions.
#
# | | you write | points | time | deck rows |
# |---|---|---|---|---|
# | 4 | `scan_matrix`: the giant matrix | 7 | 50 minutes | D11, D12 |
# | 5 | `tied_gradient` and `tied_step`: the gradient of shared weights | 6 | 35 minutes | D13–D16 |
# | 6 | `layer_first` and `mac_count_scan`: a different order | 5 | 45 minutes | D17–D22 |
# | 7 | `to_conv_stack`: distribute the scan | 7 | 75 minutes | D18–D24 |
#
# **How it works.** As in assignment 1: replace the line `raise NotImplementedError(…)` by your code, run the cell, then run the check below it as often as you like.
# Some checks are hidden and try other sizes when your notebook is graded. Go by these checks, not by the button "Validate" above: it runs only what the cells with points show you, and that is nothing here.
#
# Loops are welcome. Nothing here needs to be fast.

# %%
import numpy as np

from cnnlab.checks import check

# %% [markdown]
# ## 4. The giant matrix
#
# A layer that looks everywhere is a matrix as well: `x` goes in as one long vector, and out comes `y` at all places. Each row of the matrix belongs to one output at one place. It holds
# the weights of the window at that place, and zeros everywhere else. From row to row the same weights come again, moved on.
#
# Write **`scan_matrix(w, n, stride, padding)`**. It returns the matrix `M` for which `M @ x.ravel()` is the scan of `x`, as a vector:
#
# $$y_{o,p} = \sum_{c}\sum_{t} w_{o,c,t}\; x_{c,\; p\cdot\mathrm{stride} + t - \mathrm{padding}} \quad\text{(one axis)}, \qquad
# y_{o,p,q} = \sum_{c}\sum_{i,j} w_{o,c,i,j}\; x_{c,\; p\,S_H + i - \mathrm{pad}_H,\; q\,S_W + j - \mathrm{pad}_W} \quad\text{(two axes)}.$$
#
# * `w` has the shape `(C_out, C_in, K)` or `(C_out, C_in, K_H, K_W)`: one scan over one axis, or over two. The kernel is not flipped, and there is no bias.
# * `n`, `stride` and `padding` are tuples with one number for each axis. For one axis `n` is `(T,)` and the input `x` has the shape `(C_in, T)`; for two axes `n` is `(H, W)`,
#   `stride` is `(S_H, S_W)`, `padding` is `(pad_H, pad_W)`, rows first and columns second, and `x` has the shape `(C_in, H, W)`.
# * `padding` zeros stand before the input *and* after it, along that axis. A weight that meets such a zero has no column: it is left out of the row.
# * Only full windows of the padded input count: along an axis of size $n$ there are $\lfloor (n + 2\cdot\mathrm{padding} - K)/\mathrm{stride}\rfloor + 1$ places. The kernel always fits.
# * Rows are numbered in C order of (output channel, place), columns in C order of (input channel, position): all places of output 0 come first, and in two dimensions places go row by row.
#   So `M` has the shape `(C_out * places, C_in * positions)`.
# * `M` has the dtype of `w`, and `w` comes back unchanged.
#
# **Examples by hand.** One channel, $w = (2, -1)$, four inputs. On the left stride 1 and padding 0; on the right stride 2 and padding 1, where the first window begins at $-1$ and the last at $3$:
#
# $$\begin{pmatrix}2 & -1 & 0 & 0\\ 0 & 2 & -1 & 0\\ 0 & 0 & 2 & -1\end{pmatrix} \qquad\qquad \begin{pmatrix}-1 & 0 & 0 & 0\\ 0 & 2 & -1 & 0\\ 0 & 0 & 0 & 2\end{pmatrix}$$
#
# Two input channels with weights $(2, -1)$ and $(5, 3)$, three inputs in each: two blocks side by side. And a picture of 2 rows and 3 columns, under the kernel $\begin{pmatrix}1 & 2\\ 3 & 4\end{pmatrix}$: the second row of the kernel stands
# three columns after the first.
#
# $$\begin{pmatrix}2 & -1 & 0 & 5 & 3 & 0\\ 0 & 2 & -1 & 0 & 5 & 3\end{pmatrix} \qquad\qquad \begin{pmatrix}1 & 2 & 0 & 3 & 4 & 0\\ 0 & 1 & 2 & 0 & 3 & 4\end{pmatrix}$$
#
# Begin with one axis and one channel, then take in channels, then stride and padding. The checks give points for each, whether you have written the second axis or not.
#
# *Before you write: how many entries has the matrix for* `x` *of shape (20, 200) and* `w` *of shape (32, 20, 30), and how many different numbers other than 0 can stand in it?*


# %% nbgrader={"grade": false, "grade_id": "a2-scan_matrix-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scan_matrix(w, n, stride, padding):
    """Return the matrix M with M @ x.ravel() = the scan of x, shape (C_out * places, C_in * positions)."""
    ### BEGIN SOLUTION
    C_out, C_in, *kernel = w.shape
    axes = range(len(n))
    places = [(n[a] + 2 * padding[a] - kernel[a]) // stride[a] + 1 for a in axes]
    # As long as every axis stands by itself, no number of a row or column has to be computed: M[o, p, q, c, y, x].
    M = np.zeros((C_out, *places, C_in, *n), dtype=w.dtype)
    for o in range(C_out):
        for c in range(C_in):
            for place in np.ndindex(*places):
                for tap in np.ndindex(*kernel):
                    position = [place[a] * stride[a] + tap[a] - padding[a] for a in axes]
                    if all(0 <= position[a] < n[a] for a in axes):  # else it meets a zero of the padding
                        M[(o, *place, c, *position)] = w[(o, c, *tap)]
    return M.reshape(C_out * np.prod(places), C_in * np.prod(n))
    ### END SOLUTION


# %%
check("a2.scan_matrix", scan_matrix)

# %% nbgrader={"grade": true, "grade_id": "a2-scan_matrix", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of scan_matrix run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a2.scan_matrix", scan_matrix, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 5. The gradient of shared weights
#
# Backpropagation through the giant matrix gives a derivative for every entry, as if each were a weight of its own. But the entries are copies: an update of one must
# update all of them equally. The derivative for a shared weight is the **sum** over the edges at which it stands, because if it moves, all of them move:
#
# $$\frac{d\,\mathrm{Div}}{d w_s} = \sum_{(i,j)\,:\,\mathrm{ties}_{ij} = s} \frac{\partial\,\mathrm{Div}}{\partial W_{ij}}$$
#
# Write **`tied_gradient(dw_full, ties)`**. It returns the gradient of the shared weights, a vector.
#
# * `ties`, whole numbers of shape `(out, in)`, says which weight stands at an entry: weight number 0, 1, 2, … Where it is $-1$ there is **no connection**, and nothing to learn.
# * `dw_full` has the shape `(N, out, in)`: for each of `N` samples, what it contributes to the derivative for each entry. There are numbers at entries without a connection as well; they mean nothing.
# * Add up over the samples, too. The loss is a mean over the samples already, so that each contribution has been divided by `N`: do not divide again.
# * There are `ties.max() + 1` weights. A weight that stands nowhere (it never leaves the padding, say) has the gradient 0.
#
# Then write a step of training, **`tied_step(w, dw_full, ties, lr)`**. `w` holds the shared weights, a vector, and `lr` is the learning rate. It returns two arrays, `(w_new, W_new)`:
#
# * `w_new`, the weights after one step of gradient descent, $w - \mathrm{lr}\cdot\mathrm{gradient}$.
# * `W_new`, the full matrix of shape `(out, in)`, in which every copy of a weight has its new value, and entries without a connection are 0.
#
# The results have the dtype of `dw_full` or `w`, and all arguments come back unchanged.
#
# **An example by hand.** Two weights in a matrix of 2 × 3, as in a scan; two samples:
#
# $$\mathrm{ties} = \begin{pmatrix}0 & 1 & -1\\ -1 & 0 & 1\end{pmatrix}, \qquad
# \mathrm{dw\_full}_0 = \begin{pmatrix}1 & 2 & 5\\ 7 & 3 & 4\end{pmatrix}, \qquad \mathrm{dw\_full}_1 = \begin{pmatrix}0 & 1 & 1\\ 2 & -1 & 1\end{pmatrix}.$$
#
# Weight 0 gets $1 + 3$ from the first sample and $0 - 1$ from the second: $3$. Weight 1 gets $2 + 4 + 1 + 1 = 8$. The numbers 5, 7, 1 and 2 go nowhere. From $w = (1, 2)$ with learning rate $0.5$:
#
# $$w_\mathrm{new} = (1 - 1.5,\; 2 - 4) = (-0.5,\; -2), \qquad W_\mathrm{new} = \begin{pmatrix}-0.5 & -2 & 0\\ 0 & -0.5 & -2\end{pmatrix}.$$
#
# *Before you write: what does Python take* `g[-1]` *for? And what would* `W_new` *be if each entry went along its own derivative?*


# %% nbgrader={"grade": false, "grade_id": "a2-tied_gradient-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tied_gradient(dw_full, ties):
    """Return the gradient of each shared weight, shape (ties.max() + 1,)."""
    ### BEGIN SOLUTION
    gradient = np.zeros(ties.max() + 1, dtype=dw_full.dtype)
    for sample in dw_full:
        for i in range(ties.shape[0]):
            for j in range(ties.shape[1]):
                if ties[i, j] >= 0:  # without this line, -1 would be the last weight
                    gradient[ties[i, j]] += sample[i, j]
    return gradient
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a2-tied_step-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tied_step(w, dw_full, ties, lr):
    """Return the new shared weights, and the full matrix with their copies."""
    ### BEGIN SOLUTION
    w_new = w - lr * tied_gradient(dw_full, ties)  # a new array: w -= … would change the argument
    W_new = np.zeros(ties.shape, dtype=w_new.dtype)
    for i in range(ties.shape[0]):
        for j in range(ties.shape[1]):
            if ties[i, j] >= 0:
                W_new[i, j] = w_new[ties[i, j]]
    return w_new, W_new
    ### END SOLUTION


# %%
check("a2.tied_gradient", tied_gradient, tied_step)

# %% nbgrader={"grade": true, "grade_id": "a2-tied_gradient", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of both functions run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a2.tied_gradient", tied_gradient, tied_step, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 6. A different order
#
# Assignment 1 finished one window before it looked at the next. Now go layer by layer: layer 1 looks at *all* its windows first, and writes its answers down where it found them. That is a map,
# `neurons` rows by `places` columns, and to layer 2 it is what the recording was to layer 1. Layer 2 scans this map with a window of its own, and so on upwards.
#
# Write **`layer_first(x, layers, widths, hops)`**. It returns the last map, of shape `(neurons of the last layer, places)`.
#
# $$\mathrm{map}^{(0)} = x, \qquad z^{(l)}_{:,p} = W^{(l)}\,\mathrm{flatten}\big(\mathrm{map}^{(l-1)}[:,\; p\,\mathrm{hop}_l : p\,\mathrm{hop}_l+\mathrm{width}_l]\big) + b^{(l)}, \qquad \mathrm{map}^{(l)} = \mathrm{ReLU}\big(z^{(l)}\big)$$
#
# * `x` is a recording of shape `(C, T)`. `layers`, `widths` and `hops` are lists of one length, with an entry for each level from the input up.
# * A layer is a pair `(W, b)`. `W` has the shape `(neurons, channels below * width)`; the channels below are the `C` features on level 1, and the neurons of the layer below on the other levels.
# * A width and a hop are counted in places of the map below: for level 1 in frames, for level 2 in places of map 1, and so on. No hop is larger than its width.
# * A window, of shape `(channels below, width)`, is flattened in C order: all its places of channel 0 first, then those of channel 1.
# * Only full windows count, on every level, and there is always at least one. What is left over at the end of a map is not looked at.
# * There is a ReLU between the layers, and none after the last: there the answer is $z$ itself. It has the dtype of `x`, and all arguments come back unchanged.
#
# A plain scan, as in assignment 1, is a special case: only level 1 looks around, and all other widths and hops are 1. Try this one first. Where higher levels look around as well, the scan is *distributed* (lecture 05).
#
# Then count what it costs. Write **`mac_count_scan(order, shape, neurons, widths, hops)`**. It returns the number of multiply-adds, a whole number, in one of two orders:
#
# * `order` is `"layer"`: every value of every map is computed once, at all places of the map, also where no window above reads it.
# * `order` is `"window"`: each window of the whole net is computed by itself, and nothing is remembered from one window to the next. There are as many windows as the last map has places. For one window
#   compute what it needs: one place of the last map, the places of the map below that this one reads, the places that *these* read, and so on. Within one window a value that is read twice is computed once.
# * `shape` is `(C, T)`; `neurons` is a list with the number of neurons on each level. `widths` and `hops` are as above.
# * A multiply-add is a multiplication of a weight with a number, together with its addition. Adding a bias and the ReLU are not counted.
#
# **An example by hand.** One feature, eight frames, two levels with `widths = [3, 2]` and `hops = [2, 1]`, two neurons on level 1 and one on level 2:
#
# $$x = \begin{pmatrix}1 & 2 & 2 & 0 & 3 & 1 & 2 & 5\end{pmatrix}, \quad W^{(1)} = \begin{pmatrix}1 & -1 & 1\\ 0 & 1 & 0\end{pmatrix}, \quad b^{(1)} = \begin{pmatrix}-2\\ 0\end{pmatrix}, \quad W^{(2)} = \begin{pmatrix}1 & 2 & 1 & -1\end{pmatrix}, \quad b^{(2)} = -1.$$
#
# Level 1 has three windows, $(1, 2, 2)$, $(2, 0, 3)$ and $(3, 1, 2)$; the last frame is left over. Level 2 has two windows, flattened $(0, 3, 2, 0)$ and $(3, 2, 0, 1)$:
#
# $$z^{(1)} = \begin{pmatrix}-1 & 3 & 2\\ 2 & 0 & 1\end{pmatrix}, \qquad \mathrm{map}^{(1)} = \begin{pmatrix}0 & 3 & 2\\ 2 & 0 & 1\end{pmatrix}, \qquad z^{(2)} = \begin{pmatrix}7 & 5\end{pmatrix}.$$
#
# A value of level 1 takes 3 multiply-adds, and one of level 2 takes 4. Layer by layer: $3 \cdot 2 \cdot 3 + 2 \cdot 1 \cdot 4 = 26$. Window by window: each of the 2 windows needs 2 places of map 1, so it costs
# $2 \cdot 2 \cdot 3 + 1 \cdot 4 = 16$, together $32$. The middle place of map 1 was computed twice.
#
# *Before you write: three levels, all with width 3 and hop 2. How many places of map 2 does one window need, and how many of map 1? It is fewer than 9; draw them.*


# %% nbgrader={"grade": false, "grade_id": "a2-layer_first-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_first(x, layers, widths, hops):
    """Return the last map of the scan, shape (neurons of the last layer, places)."""
    ### BEGIN SOLUTION
    below = x
    for level, (W, b) in enumerate(layers):
        width, hop = widths[level], hops[level]
        starts = range(0, below.shape[1] - width + 1, hop)  # in places of the map below
        above = np.zeros((len(b), len(starts)), dtype=x.dtype)
        for p, start in enumerate(starts):
            above[:, p] = W @ below[:, start : start + width].reshape(-1) + b
        if level < len(layers) - 1:
            above = np.maximum(above, 0)
        below = above  # the next level scans this map
    return below
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a2-mac_count_scan-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mac_count_scan(order, shape, neurons, widths, hops):
    """Return the multiply-adds of a scan, "window" by window or "layer" by layer."""
    ### BEGIN SOLUTION
    C, T = shape
    levels = range(len(neurons))
    channels = [C, *neurons[:-1]]  # below each level
    at_one_place = [neurons[level] * channels[level] * widths[level] for level in levels]
    places, below = [], T  # of each map, from the input up
    for level in levels:
        below = (below - widths[level]) // hops[level] + 1
        places.append(below)
    if order == "layer":
        return sum(places[level] * at_one_place[level] for level in levels)
    # From the top down: n neighbors on a level start hop apart, so they read (n - 1) * hop + width places below.
    one_window, n = 0, 1
    for level in reversed(levels):
        one_window += n * at_one_place[level]
        n = (n - 1) * hops[level] + widths[level]
    return places[-1] * one_window
    ### END SOLUTION


# %%
check("a2.layer_first", layer_first, mac_count_scan)

# %% nbgrader={"grade": true, "grade_id": "a2-layer_first", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of both functions run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a2.layer_first", layer_first, mac_count_scan, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 7. Distribute the scan
#
# In exercise 6 a net was given level by level. Seen from one window of the recording, the same net is an ordinary MLP, with a weight for every connection inside the window. Most are zero and the others are copies: it is
# **block-sparse** and **tied**. Now go back. You get such a window MLP, and take out of it the stack of kernels that, slid along the recording, gives the same map. A plain scanning MLP is the simplest case: one wide kernel, and kernels of width 1 above it.
#
# Write **`to_conv_stack(layers, C, widths, hops)`**. It returns `(kernels, biases, strides)`: three lists, each with an entry for every layer.
#
# * `layers` is the MLP, `[(W, b), …]`: it takes one window, of shape `(C, frames)`, flattened. `widths` and `hops` are those of the levels, as in exercise 6. Layers above the levels look at one place; there may be none.
# * **Blocks.** In one window a level has $n$ blocks: the last level has one, and each level below has as many as the one above reads,
#   $n_{l} = (n_{l+1} - 1)\,\mathrm{hop}_{l+1} + \mathrm{width}_{l+1}$. On the same rule, level 1 reads $(n_1 - 1)\,\mathrm{hop}_1 + \mathrm{width}_1$ frames; this is the window.
# * **Rows.** On a level, `W` has a row for each unit and block, in C order of (unit, block): unit $d$ in block $p$ is row $d\,n + p$. `b` has the same order. All blocks of a unit have the same weights and the same bias.
# * **Columns.** `W` has a column for each channel and place below, in C order of (channel, place): on level 1 these are features and frames, on the others units and blocks of the level below.
#   Block $p$ looks at `width` places from $p \cdot \mathrm{hop}$ on, and has zeros elsewhere.
# * A kernel has the shape `(units, channels below, width)`, as in PyTorch: what comes out, what goes in, places. Above the levels the width is 1, and `W` is `(units, channels below)`.
# * A bias has the shape `(units,)`. The stride of a layer is its hop, and 1 above the levels. It is a whole number.
# * Kernels and biases have the dtype of `W` and `b`, and all arguments come back unchanged. All sizes fit; you need not test whether the blocks are really equal.
#
# **Examples by hand.** A plain scan with `C = 2`, `widths = [2]`, `hops = [1]`: one level with one block. $W = \begin{pmatrix}1 & 2 & 3 & -1\end{pmatrix}$ has one unit; its first two numbers belong to feature 0. The kernel is
# $w_0 = \begin{pmatrix}1 & 2\\ 3 & -1\end{pmatrix}$, of shape $(1, 2, 2)$: a row for each feature.
#
# And a distributed one, with `C = 1`, `widths = [2, 2]`, `hops = [1, 2]`. Level 2 has one block and reads two, so level 1 has $n = 2$ blocks, which cover three frames:
#
# $$W^{(1)} = \begin{pmatrix}1 & 2 & 0\\ 0 & 1 & 2\\ 3 & -1 & 0\\ 0 & 3 & -1\end{pmatrix},\; b^{(1)} = \begin{pmatrix}5\\ 5\\ -2\\ -2\end{pmatrix},\quad
# W^{(2)} = \begin{pmatrix}1 & 0 & 4 & -3\end{pmatrix},\; b^{(2)} = 6,\quad W^{(3)} = \begin{pmatrix}2\\ -1\end{pmatrix},\; b^{(3)} = \begin{pmatrix}0\\ 7\end{pmatrix}.$$
#
# Level 1 has two units with kernels $(1, 2)$ and $(3, -1)$ and biases $5$ and $-2$; shape $(2, 1, 2)$. Level 2 has one unit over two channels, $w_0 = \begin{pmatrix}1 & 0\\ 4 & -3\end{pmatrix}$ of shape $(1, 2, 2)$. Layer 3 stands above the levels:
# shape $(2, 1, 1)$. The strides are $1, 2, 1$: within a window level 2 does not move, but in the recording the next window begins 2 blocks on.
#
# *Before you write: which rows of* `W` *belong to unit 3 of a level with 5 blocks? And how can you reshape* `W` *so that unit, block, channel and place each have an axis of their own?*


# %% nbgrader={"grade": false, "grade_id": "a2-to_conv_stack-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_conv_stack(layers, C, widths, hops):
    """Return the kernels, biases and strides of the stack that does what the scanning MLP does."""
    ### BEGIN SOLUTION
    above = len(layers) - len(widths)
    widths, hops = [*widths, *[1] * above], [*hops, *[1] * above]  # a layer above the levels looks at one place
    blocks = [1]
    for level in range(len(layers) - 1, 0, -1):  # from the top down
        blocks.insert(0, (blocks[0] - 1) * hops[level] + widths[level])

    kernels, biases = [], []
    channels = C
    for level, (W, b) in enumerate(layers):
        n = blocks[level]
        units = len(b) // n
        entries = W.reshape(units, n, channels, -1)  # (unit, block, channel, place)
        kernels.append(entries[:, 0, :, : widths[level]])  # block 0 begins at place 0; the others are copies of it
        biases.append(b.reshape(units, n)[:, 0])
        channels = units
    return kernels, biases, hops
    ### END SOLUTION


# %% [markdown]
# Is it the same net? The next cell makes a window MLP with two levels and random weights, and scans a recording with it, window by window. Then your stack goes along the recording, layer by layer.


# %%
def run_stack(x, kernels, biases, strides):
    """Slide each kernel over the map below; ReLU between the layers."""
    for layer, (w, b, stride) in enumerate(zip(kernels, biases, strides, strict=True)):
        below = np.maximum(x, 0) if layer else x
        starts = range(0, below.shape[1] - w.shape[2] + 1, stride)
        windows = np.stack([below[:, start : start + w.shape[2]] for start in starts])  # (places, channels, width)
        x = np.einsum("oct,pct->op", w, windows) + b[:, None]
    return x


def run_windows(x, layers, frames, hop):
    """Run the whole MLP on one window after another."""
    columns = []
    for start in range(0, x.shape[1] - frames + 1, hop):
        v = x[:, start : start + frames].ravel()
        for layer, (W, b) in enumerate(layers):
            v = W @ (np.maximum(v, 0) if layer else v) + b
        columns.append(v)
    return np.stack(columns, axis=1)


# %%
rng = np.random.default_rng(0)
kernel, bias = rng.standard_normal((3, 2, 4)), rng.standard_normal(3)  # level 1: 3 units, 4 frames wide, hop 2
W1 = np.zeros((3, 5, 2, 12))  # 5 blocks in a window of 12 frames
for block in range(5):
    W1[:, block, :, 2 * block : 2 * block + 4] = kernel
mlp = [(W1.reshape(15, 24), np.repeat(bias, 5)), (rng.standard_normal((2, 15)), rng.standard_normal(2))]

x = rng.standard_normal((2, 40))
by_window = run_windows(x, mlp, 12, 2)
by_stack = run_stack(x, *to_conv_stack(mlp, 2, [4, 5], [2, 1]))
if by_stack.shape == by_window.shape:
    print(f"two maps of {by_window.shape}, largest difference {np.abs(by_window - by_stack).max():.1e}")
else:
    print(f"window by window the map is {by_window.shape}, but your stack gives {by_stack.shape}")

# %%
check("a2.to_conv_stack", to_conv_stack)

# %% nbgrader={"grade": true, "grade_id": "a2-to_conv_stack", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of to_conv_stack run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a2.to_conv_stack", to_conv_stack, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## See what you have built
#
# No points from here on. First the matrix of a real scan: assignment 1 slid a template of "welcome" along a recording. Here it looks at all places at once.

# %%
from cnnlab import data, viz

first, second = data.load_welcome_recordings()[:2]
frames_per_second = first.x.shape[1] / (len(first.wave) / first.sample_rate)
start, stop = round(first.start * frames_per_second), round(first.stop * frames_per_second)
template = first.x[:, start:stop]
template = template - template.mean(axis=1, keepdims=True)
w = (template / np.abs(template).sum())[None]  # (1, C, K): one output

C, T = second.x.shape
M = scan_matrix(w, (T,), (1,), (0,))
print(
    f"a matrix of {M.shape[0]} x {M.shape[1]}: {M.size:,} entries, {np.count_nonzero(M):,} connections, {w.size:,} weights"
)
viz.score_curve(second, M @ second.x.ravel(), width=w.shape[2], threshold=0.6)

# %% [markdown]
# The curve is that of `scan_1d`: the same numbers, all of them in one product. Most of the matrix is zero, and what is not zero repeats a few numbers.
#
# Now let such a matrix learn. Somebody has filtered short pieces of a recording with three weights and shows you input and output of ten of them. Two learners begin at zero: one has a full matrix,
# every entry a weight of its own; the other knows that it is a scan, and takes your `tied_step`. A trick gives the ties: the matrix of the scan whose weights are 1, 2, 3, minus one.

# %%
secret = np.array([[[0.5, 1.0, -0.5]]])
length = 30
ties = scan_matrix(np.array([[[1.0, 2.0, 3.0]]]), (length,), (1,), (0,)).astype(int) - 1
target = scan_matrix(secret, (length,), (1,), (0,))

pieces = first.x[8, : 6 * length].reshape(6, length).astype(float)
pieces = np.concatenate([pieces, second.x[8, : 6 * length].reshape(6, length)])
pieces = pieces - pieces.mean(axis=1, keepdims=True)
seen, unseen = pieces[:10], pieces[10:]


def derivatives(W):
    """What each piece contributes to the derivative of the mean squared error for each entry, (N, out, in)."""
    dy = (seen @ W.T - seen @ target.T) / len(seen)
    return dy[:, :, None] * seen[:, None, :]


def error(W, x):
    return np.mean((x @ W.T - x @ target.T) ** 2) / np.mean((x @ target.T) ** 2)


steps, lr = 80, 0.03
w, tied, full = np.zeros(3), np.zeros(ties.shape), np.zeros(ties.shape)
errors = {"tied, seen": [], "tied, unseen": [], "full, seen": [], "full, unseen": []}
for _ in range(steps):
    for name, W in (("tied", tied), ("full", full)):
        errors[f"{name}, seen"].append(error(W, seen))
        errors[f"{name}, unseen"].append(error(W, unseen))
    w, tied = tied_step(w, derivatives(tied), ties, lr)
    full = full - lr * derivatives(full).sum(axis=0)

print(f"weights found, tied: {w.round(2)}; entries of the full matrix: {full.size}")
viz.curves(range(steps), errors, xlabel="step", ylabel="error, relative", log=True)

# %%
viz.maps([target, tied, full], titles=["the filter", "tied", "full"])

# %% [markdown]
# The tied learner finds the three weights, and is right about pieces that it has never seen. The full one makes its error small on the pieces that it was shown, and has no idea of the others: ten examples cannot
# tell it so many numbers. Sharing is knowledge about the problem, and this knowledge was free.

# %% [markdown]
# Then the other order. Cut 32 frames of the template into four pieces of 8 frames, one neuron for each: these are level 1, at every second frame. Level 2 knows how the pieces lie, one 4 places after the other
# (8 frames at hop 2), and adds up. It covers 13 places, that is 32 frames. This is a distributed scan, and your `layer_first` runs it.

# %%
pieces = np.stack([template[:, t : t + 8] / np.abs(template[:, t : t + 8]).sum() for t in range(0, 32, 8)])  # (4, C, 8)
how_they_lie = np.zeros((1, 4, 13))
for piece in range(4):
    how_they_lie[0, piece, 4 * piece] = 1
layers = [(pieces.reshape(4, -1), np.zeros(4)), (how_they_lie.reshape(1, -1), np.zeros(1))]
widths, hops = [8, 13], [2, 1]

x = second.x.astype(float)
piece_maps = np.maximum(layer_first(x, layers[:1], widths[:1], hops[:1]), 0)
scores = layer_first(x, layers, widths, hops)[0]
names = {f"piece {piece}": row for piece, row in enumerate(piece_maps)}
viz.curves((2 * np.arange(piece_maps.shape[1]) + 4) / frames_per_second, names, xlabel="seconds", ylabel="level 1")

# %%
middles = (2 * np.arange(len(scores)) + 16) / frames_per_second
best = middles[scores.argmax()]
print(f"best window around second {best:.2f}; the word is there from {second.start:.2f} to {second.stop:.2f}")
for order in ("window", "layer"):
    print(f"{order}-first: {mac_count_scan(order, x.shape, [4, 1], widths, hops):,} multiply-adds")
viz.curves(middles, {"score": scores}, xlabel="middle of the window (s)", ylabel="level 2")

# %% [markdown]
# A piece alone fits in many places. All four, in this order and at these distances, fit best where the word is. And the order of computation matters now: windows share their pieces.
#
# Last, this scan as one window sees it. Your `scan_matrix` writes level 1 as a block-sparse, tied matrix over 32 frames, with rows and columns in just the order of exercise 7. Your `to_conv_stack` finds the pieces in it again.

# %%
blocks = 13  # of level 1, in one window
W1 = scan_matrix(pieces, (32,), (2,), (0,))  # (4 units · 13 blocks, C · 32)
window_mlp = [(W1, np.zeros(4 * blocks)), (how_they_lie.reshape(1, -1), np.zeros(1))]
kernels, biases, strides = to_conv_stack(window_mlp, C, widths, hops)
entries, shared = sum(W.size for W, _ in window_mlp), sum(w.size for w in kernels)
print(f"the window MLP has {entries:,} entries, the stack {shared:,} weights")
print(f"largest difference of the pieces: {np.abs(kernels[0] - pieces).max():.1e}")

by_stack = run_stack(second.x.astype(float), kernels, biases, strides)
print(f"largest difference of {by_stack.size} scores: {np.abs(by_stack[0] - scores).max():.1e}")
viz.maps(list(kernels[0]), titles=[f"kernel {piece}" for piece in range(4)])

# %% [markdown]
# Left to right is time, top to bottom the features, low pitch first. Four small kernels, one wide one, and strides: the giant network of this page is a convolutional neural network.
