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
# # Assignment 3: convolution
#
# You know what a convolution is: a filter that looks at every window and writes down one number. Now you build the layer. First word by word, with loops; then you learn to say beforehand
# how large its answer is and what it costs; then you write it so that it is fast, forward and backward. At the end two layers become one.
#
# | | you write | points | time | deck rows |
# |---|---|---|---|---|
# | 8 | `conv2d_loops`: what is a convolution | 4 | 20 minutes | D25–D31 |
# | 9 | `output_size`, `same_padding`, `receptive_field`, `parameter_count`, `mac_count`: sizes and costs | 8 | 60 minutes | D35–D43, D46, D47 |
# | 10 | `conv2d_forward`: the layer, forward | 8 | 60 minutes | D28–D31, D36, D40, D46 |
# | 11 | `conv2d_backward`: the layer, backward | 11 | 120 minutes | D15, D31 |
# | 12 | `compose_kernels`: stacking | 4 | 45 minutes | D32, D33 |
#
# **How it works.** Replace the line `raise NotImplementedError(…)` by your code, run the cell, then run the check below it as often as you like.
# The check tells you what is right already, and if it knows your mistake, or your two, it gives them a name and a hint. Some checks are hidden: they
# try other sizes when your notebook is graded. If your code is right, and not only right for the example, they pass too.
# Go by these checks, not by the button "Validate" above: it runs only what the cells with points show you, and that is nothing here.
#
# One notation for all: a batch of images `x` has the shape `(N, C_in, H, W)`: samples, channels, rows, columns. The filters `w` have the shape `(C_out, C_in, K_H, K_W)`, and `b` holds one bias for each filter, shape `(C_out,)`.
# `stride` is the pair `(S_H, S_W)`. Rows come first, columns second, always.

# %%
import numpy as np

from cnnlab.checks import check

# %% [markdown]
# ## 8. What is a convolution
#
# A filter is a small perceptron: it multiplies a window of the image by its weights, adds everything up, over all input channels, and adds its bias. That is one number of the answer. Then the window moves on by the stride, and the same weights
# are used again. Every filter gives one map; every sample of the batch is treated alike.
#
# $$y_{n,o,p,q} = b_o + \sum_{c=0}^{C_{in}-1}\ \sum_{i=0}^{K_H-1}\ \sum_{j=0}^{K_W-1} w_{o,c,i,j}\; x_{n,\,c,\,p S_H + i,\,q S_W + j}$$
#
# Write **`conv2d_loops(x, w, b, stride)`** with loops, just as the formula says it. It returns `y` of shape `(N, C_out, H_out, W_out)`.
#
# * Only full windows count: as many as fit into `H` rows and `W` columns. At least one fits. There is no padding yet.
# * The first tap of the filter meets the first pixel of the window: nothing is turned round. (What the field calls a convolution is a cross-correlation.)
# * `y` has the dtype of `x`, and `x`, `w` and `b` come back unchanged. Nothing here needs to be fast.
#
# **An example by hand.** One sample, one channel, one filter, stride $(1, 1)$:
#
# $$x_{0,0} = \begin{pmatrix}1 & 2 & 0 & 1\\ 0 & 1 & 3 & 0\\ 2 & 0 & 1 & 2\end{pmatrix}, \qquad w_{0,0} = \begin{pmatrix}1 & 2\\ 3 & -1\end{pmatrix}, \qquad b_0 = -1.$$
#
# The first window holds $\begin{pmatrix}1 & 2\\ 0 & 1\end{pmatrix}$, and the first number is $1\cdot1 + 2\cdot2 + 3\cdot0 - 1\cdot1 - 1 = 3$.
# In all, $y_{0,0} = \begin{pmatrix}3 & 1 & 10\\ 7 & 5 & 3\end{pmatrix}$. If this looks familiar: it is the map of assignment 1. A scan with a single layer *is* a convolution.
#
# *Before you write: which of the loops belong to the left side of the formula, and which to the sums? Into which of them does the bias go?*


# %% nbgrader={"grade": false, "grade_id": "a3-conv2d_loops-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_loops(x, w, b, stride):
    """Return the sum of products of every filter with every full window, plus its bias, (N, C_out, H_out, W_out)."""
    ### BEGIN SOLUTION
    N, C_in, H, W = x.shape
    C_out, _, K_H, K_W = w.shape
    S_H, S_W = stride
    H_out = (H - K_H) // S_H + 1
    W_out = (W - K_W) // S_W + 1
    y = np.zeros((N, C_out, H_out, W_out), dtype=x.dtype)
    for n in range(N):
        for o in range(C_out):
            for p in range(H_out):
                for q in range(W_out):
                    total = b[o]  # once for each number of the answer
                    for c in range(C_in):
                        for i in range(K_H):
                            for j in range(K_W):
                                total += w[o, c, i, j] * x[n, c, p * S_H + i, q * S_W + j]
                    y[n, o, p, q] = total
    return y
    ### END SOLUTION


# %%
check("a3.conv2d_loops", conv2d_loops)

# %% nbgrader={"grade": true, "grade_id": "a3-conv2d_loops", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of conv2d_loops run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a3.conv2d_loops", conv2d_loops, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 9. Sizes and costs
#
# Before a net is built, somebody has to know what comes out of each layer, what it sees, and what it costs. Five short functions answer this. All their answers are whole numbers (`int`), all are exact,
# and none needs an array. You can run the check at the end after each of them; what is not written yet, it says so.
#
# **`output_size(length, kernel, stride, padding, dilation)`**: how many full windows fit along one axis? `length` is the number of rows (or columns) of the image; `padding` zeros are added in front, and as many behind. The kernel has
# `kernel` taps, with `dilation - 1` places between neighboring taps; so with dilation 1 they stand side by side. At least one window fits.
#
# $$\left\lfloor\frac{\text{what is left when the first window has its place}}{\text{stride}}\right\rfloor + 1$$
#
# What the first window leaves you work out yourself. By hand: 7 pixels and a kernel of 3 give 5 windows, with stride 2 they give 3, and 8 pixels with stride 2 give 3 as well: the last pixel is left over. 32 pixels, a kernel of 5 and padding 2 give 32.
# A kernel of 3 with dilation 2 covers 5 places, so 12 pixels give 8 windows.
#
# **`same_padding(kernel, dilation)`**: how many zeros make the output of a layer with stride 1 as long as its input? Returns the pair `(before, after)`, with as few zeros as possible, the two as equal as possible; if they differ, **`after`** is larger by one (as in PyTorch).
# By hand: a kernel of 5 needs $(2, 2)$, one of 4 needs $(1, 2)$, one of 3 with dilation 2 needs $(2, 2)$.
#
# **`receptive_field(layers)`**: how many pixels in a row, along one axis, from the first to the last that an output of the last layer can see? `layers` is a list `[(kernel, stride, dilation), …]`; its first entry is the layer that looks at the image.
# By hand: two layers with kernels of 3 and stride 1 see 5 pixels. If the first has a kernel of 3 and stride 2, and the second a kernel of 5, its five taps stand 2 pixels apart, each with a window of 3: from the first to the last pixel these are $4 \cdot 2 + 3 = 11$.
#
# **`parameter_count(in_channels, out_channels, kernel, bias)`**: how many numbers does a layer learn? `kernel` is the pair `(K_H, K_W)`, and `bias` is `True` or `False`.
# By hand: ten 5×5 filters for 3 channels have 76 numbers each with their bias, 760 in all; without biases 750.
#
# **`mac_count(x_shape, y_shape, kernel)`**: how many multiply-adds does it take to compute `y`? `x_shape` is `(N, C_in, H, W)`, `y_shape` is `(N, C_out, H_out, W_out)`, and `kernel` is `(K_H, K_W)`. A multiplication with the addition that follows it counts as one. Biases do not count,
# and products with the zeros of a padding count like all others.
# By hand: `(1, 3, 32, 32)` becomes `(1, 10, 32, 32)` with 5×5 filters: 10,240 numbers come out, each a sum of 75 products: 768,000.
#
# *Before you write: a picture twice as high and twice as wide goes through the same layer. Which of the five answers change, and by how much?*


# %% nbgrader={"grade": false, "grade_id": "a3-output_size-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def output_size(length, kernel, stride, padding, dilation):
    """Return how many full windows fit along one axis."""
    ### BEGIN SOLUTION
    reach = dilation * (kernel - 1) + 1  # from the first tap to the last
    left = length + 2 * padding - reach
    return left // stride + 1
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a3-same_padding-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def same_padding(kernel, dilation):
    """Return the zeros (before, after) that keep the length at stride 1."""
    ### BEGIN SOLUTION
    total = dilation * (kernel - 1)  # so many places an output is shorter without padding
    before = total // 2
    return before, total - before
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a3-receptive_field-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def receptive_field(layers):
    """Return how many pixels in a row an output of the last layer sees."""
    ### BEGIN SOLUTION
    r, jump = 1, 1  # before the first layer: one pixel, and steps of one pixel
    for kernel, stride, dilation in layers:
        r += dilation * (kernel - 1) * jump  # the further taps of this layer, in pixels
        jump *= stride  # one step behind this layer, in pixels
    return r
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a3-parameter_count-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def parameter_count(in_channels, out_channels, kernel, bias):
    """Return how many numbers a convolution layer learns."""
    ### BEGIN SOLUTION
    K_H, K_W = kernel
    weights = out_channels * in_channels * K_H * K_W
    return weights + out_channels if bias else weights
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a3-mac_count-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mac_count(x_shape, y_shape, kernel):
    """Return how many multiply-adds a convolution layer takes."""
    ### BEGIN SOLUTION
    N, C_out, H_out, W_out = y_shape
    K_H, K_W = kernel
    products = x_shape[1] * K_H * K_W  # for one number of the answer
    return N * C_out * H_out * W_out * products
    ### END SOLUTION


# %%
check("a3.sizes_and_costs", output_size, same_padding, receptive_field, parameter_count, mac_count)

# %% nbgrader={"grade": true, "grade_id": "a3-sizes_and_costs", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of these five functions run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a3.sizes_and_costs", output_size, same_padding, receptive_field, parameter_count, mac_count, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## 10. The layer, forward
#
# Seven loops inside each other are easy to read and slow to run: Python spends its time on the loops, not on the products. NumPy does many products in one go, if you hand them over together. There are several ways:
#
# * take one tap $(i, j)$ of all filters, and the pixels that it meets *at all places at once*, a slice of `x` with a step; multiply, add up over the channels; then the next tap;
# * lay all windows out as the rows of one large matrix ("im2col") and multiply it once by the filters, laid out as columns;
# * let `np.lib.stride_tricks.sliding_window_view` show all windows, and `np.einsum` or `np.tensordot` do the sum.
#
# Write **`conv2d_forward(x, w, b, stride, padding)`**. It returns the same as exercise 8, shape `(N, C_out, H_out, W_out)`, and now with padding.
#
# * `padding` is the pair `(P_H, P_W)`: `P_H` rows of zeros above and as many below, `P_W` columns of zeros to the left and as many to the right. Either may be 0.
# * Only full windows of the padded image count; at least one fits. Rows and columns that are left over are not looked at.
# * `y` has the dtype of `x`, and `x`, `w` and `b` come back unchanged.
# * **Speed.** No loop over samples, channels, filters or places, please; one over the taps of the kernel, `K_H * K_W` rounds, is fine. One hidden check, worth half a point, hands over a batch with many channels, some 19 million multiply-adds.
#   Without such loops it takes far less than a tenth of a second. An answer that is not there after 2 seconds is stopped; this happens to loops over every single product, not to anything that is only a little slow.
#
# **An example by hand.** `x`, `w` and `b` of exercise 8, with stride $(2, 2)$ and padding $(1, 0)$. The padded image has five rows and still four columns, so there are $2 \times 2$ windows.
# The first is $\begin{pmatrix}0 & 0\\ 1 & 2\end{pmatrix}$, with $3\cdot1 - 1\cdot2 - 1 = 0$. In all, $y_{0,0} = \begin{pmatrix}0 & -2\\ 7 & 3\end{pmatrix}$. The fifth row, of zeros, is left over.
#
# *Before you write: the tap (i, j) meets a pixel in every window. In which row of the padded image is the first of them, in which the last? Write it as a slice `first : stop : step`, and try it with a stride that leaves something over.*


# %% nbgrader={"grade": false, "grade_id": "a3-conv2d_forward-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_forward(x, w, b, stride, padding):
    """Return what a convolution layer makes of a batch of images, shape (N, C_out, H_out, W_out)."""
    ### BEGIN SOLUTION
    (S_H, S_W), (P_H, P_W) = stride, padding
    padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))
    N, _, H, W = padded.shape
    C_out, _, K_H, K_W = w.shape
    H_out = (H - K_H) // S_H + 1
    W_out = (W - K_W) // S_W + 1
    y = np.zeros((N, C_out, H_out, W_out), dtype=x.dtype)
    for i in range(K_H):
        for j in range(K_W):
            # The pixels that tap (i, j) meets, at all places at once: (N, C_in, H_out, W_out).
            met = padded[:, :, i : i + S_H * H_out : S_H, j : j + S_W * W_out : S_W]
            y += np.einsum("oc,nchw->nohw", w[:, :, i, j], met, optimize=True)
    return y + b[:, None, None]  # one bias for each map
    ### END SOLUTION


# %%
check("a3.conv2d_forward", conv2d_forward)

# %% nbgrader={"grade": true, "grade_id": "a3-conv2d_forward", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of conv2d_forward run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a3.conv2d_forward", conv2d_forward, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# <!-- Exercises 11 and 12 stand here. -->

# %% [markdown]
# ## See what you have built
#
# No points from here on. Here are three filters for a photo, all of one shape, $(3, 3, 3)$: one for edges that stand upright, one for edges that lie flat, and one for blue where there is little red.
# Your layer looks for all three at once.

# %%
from cnnlab import data, viz

photo = data.load_photos()[1].x  # (3, 400, 600)

upright = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
center = np.zeros((3, 3))
center[1, 1] = 2.0
w = np.stack([np.stack([upright] * 3) / 3, np.stack([upright.T] * 3) / 3, np.stack([-center, 0 * center, center])])

y = conv2d_forward(photo[None], w, np.zeros(3), (2, 2), (1, 1))
bright = np.clip(0.5 + y[0] / 3, 0, 1)
viz.pictures([photo, *bright[:, None]], titles=["the photo", "upright edges", "flat edges", "blue, not red"])

# %% [markdown]
# Grey is zero; white and black are large numbers of either sign. Now your own predictions: how large were the maps going to be, and what did they cost? And how long do the loops of exercise 8 take for a corner of the photo?

# %%
from time import perf_counter

H_out, W_out = (output_size(length, 3, 2, 1, 1) for length in photo.shape[1:])
print("the maps are", y.shape[2:], "and should be", (H_out, W_out))
print("multiply-adds:", mac_count((1, *photo.shape), y.shape, (3, 3)))

corner = photo[None, :, :64, :64]
for name, run in (
    ("loops", lambda: conv2d_loops(corner, w, np.zeros(3), (1, 1))),
    ("layer", lambda: conv2d_forward(corner, w, np.zeros(3), (1, 1), (0, 0))),
):
    start = perf_counter()
    run()
    print(f"{name}: {1000 * (perf_counter() - start):.1f} ms")

# %% [markdown]
# The same numbers, the same products, only handed over together. Lecture 11 shows how far this can be driven.
