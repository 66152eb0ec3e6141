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
# | 11 | `conv2d_backward`: the layer, backward | 11 | 120 minutes | D15, D28–D31 |
# | 12 | `compose_kernels` and `compose_biases`: two layers in one | 4 | 45 minutes | D32, D33 |
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
# * **Speed.** No loop over samples, channels, filters or places, please; one over the taps of the kernel, `K_H * K_W` rounds, is fine. One hidden check, worth half a point, hands over a batch with many channels, some 38 million multiply-adds.
#   Without such loops it takes far less than a tenth of a second. An answer that is not there after 3 seconds is stopped; this happens to loops over every single product, not to anything that is only a little slow.
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
# ## 11. The layer, backward
#
# A layer learns if it is told how the loss changes with each of its outputs: that is `dy`. From it you compute how the loss changes with everything that went in: `dx`, `dw` and `db`.
# There is one idea for all three. In the forward pass an **edge** takes one pixel times one weight into one output; with $\hat x$ for `x` with its zeros around,
#
# $$y_{n,o,p,q} \mathrel{+}= \hat x_{n,\,c,\;S_H p + u,\;S_W q + v}\;\; w_{o,c,u,v}, \qquad\qquad y_{n,o,p,q} \mathrel{+}= b_o .$$
#
# Going back, each edge carries `dy` of its output, times what it was multiplied with, to its other ends. **A gradient is a sum over all edges that meet there.**
#
# Write **`conv2d_backward(dy, x, w, stride, padding)`**. It returns the tuple `(dx, dw, db)`, in this order.
#
# * `x` has the shape `(N, C_in, H, W)` and `w` the shape `(C_out, C_in, K_H, K_W)`. `dy` has the shape of the layer's output, `(N, C_out, P_H, P_W)`.
# * `stride` is the pair `(S_H, S_W)`, and `padding` the pair of the numbers of zeros: rows at the top and at the bottom each, columns at the left and at the right each. Rows first, always.
#   Each may differ from the other; a padding may be 0, and it may be larger than the kernel, even than the picture.
# * `dx`, `dw` and `db` have the shapes of `x`, `w` and the bias, `(C_out,)`, and the dtype of `x`. `dy`, `x` and `w` come back unchanged.
# * Everything is summed, nothing averaged. If the loss takes a mean over the batch, the `1 / N` is in `dy` already.
#
# The three results are judged apart, so take them one at a time, and return zeros for those that are not written yet: `return np.zeros_like(x), np.zeros_like(w), db`.
#
# **Step 1, `db`.** The bias of filter $o$ goes into each output of that filter, in all samples and at all places:
#
# $$db_o = \sum_{n,p,q} dy_{n,o,p,q} .$$
#
# **Step 2, `dw`.** A weight is used at every place of every sample. Each time it saw another pixel:
#
# $$dw_{o,c,u,v} = \sum_{n,p,q} dy_{n,o,p,q}\;\, \hat x_{n,\,c,\;S_H p + u,\;S_W q + v} .$$
#
# **Step 3, `dx`.** A pixel lies in several windows, and each window sends something back to it, from each filter: $d\hat x$ begins as zeros, and then, for every place, filter and tap,
#
# $$d\hat x_{n,\,c,\;S_H p + u,\;S_W q + v} \mathrel{+}= dy_{n,o,p,q}\;\, w_{o,c,u,v} .$$
#
# At the end, `dx` is cut out of $d\hat x$: whatever was sent to the zeros around the picture is dropped. Pixels in no window get 0.
#
# **An example by hand.** One sample, one channel, one filter, stride $(1, 1)$, padding $(0, 0)$:
#
# $$x = \begin{pmatrix}1 & 2 & 0\\ 0 & 1 & 3\\ 2 & 0 & 1\end{pmatrix}, \qquad w = \begin{pmatrix}1 & 2\\ 0 & -1\end{pmatrix}, \qquad dy = \begin{pmatrix}1 & 0\\ -1 & 2\end{pmatrix}.$$
#
# First $db = 1 + 0 - 1 + 2 = 2$. The first weight saw the pixels $1, 2, 0, 1$, so $dw_{0,0} = 1\cdot1 + 0\cdot2 - 1\cdot0 + 2\cdot1 = 3$. The middle pixel lies in all four windows, each time under another weight, and gets
# $1\cdot(-1) + 0\cdot0 - 1\cdot2 + 2\cdot1 = -1$. Altogether
#
# $$dw = \begin{pmatrix}3 & 7\\ -2 & 3\end{pmatrix}, \qquad dx = \begin{pmatrix}1 & 2 & 0\\ -1 & -1 & 4\\ 0 & 1 & -2\end{pmatrix}.$$
#
# A loop over places, or over taps, is fast enough. You can also slide `dy` over `x`, and `w` over `dy`, as lecture 06 does; then the kernel is turned, and with a stride `dy` has zeros between its entries.
#
# *Before you write: a picture has 6 columns, the kernel 3, and the stride is 2, without padding. Which columns lie in two windows, and which in none? What is `dx` there?*


# %% nbgrader={"grade": false, "grade_id": "a3-conv2d_backward-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_backward(dy, x, w, stride, padding):
    """Return (dx, dw, db), the gradients with respect to input, weights and biases."""
    ### BEGIN SOLUTION
    (S_H, S_W), (top, left) = stride, padding
    H, W = x.shape[2:]
    K_H, K_W = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    d_padded, dw = np.zeros_like(padded), np.zeros_like(w)
    for p in range(dy.shape[2]):
        for q in range(dy.shape[3]):
            rows = slice(S_H * p, S_H * p + K_H)
            columns = slice(S_W * q, S_W * q + K_W)
            here = dy[:, :, p, q]  # (N, C_out)
            # All edges of this place at once: over the samples for dw, over the filters for dx.
            dw += np.einsum("no,ncuv->ocuv", here, padded[:, :, rows, columns])
            d_padded[:, :, rows, columns] += np.einsum("no,ocuv->ncuv", here, w)
    db = dy.sum(axis=(0, 2, 3))
    # top : top + H also works for a padding of 0; top : -top would be empty.
    dx = d_padded[:, :, top : top + H, left : left + W]
    return dx, dw, db
    ### END SOLUTION


# %%
check("a3.conv2d_backward", conv2d_backward)

# %% nbgrader={"grade": true, "grade_id": "a3-conv2d_backward", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of conv2d_backward run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a3.conv2d_backward", conv2d_backward, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ### A check of your own
#
# No points here, but a habit for life: no backward pass without a gradient check. It needs the forward pass only. Move one number up and down by a little $h$, and see how the loss
# $L = \sum dy \cdot y$ follows:
#
# $$\frac{\partial L}{\partial a} \approx \frac{L(a + h) - L(a - h)}{2h} .$$
#
# The next cell does so with your own `conv2d_forward` of exercise 10, for each number in `x`, `w` and `b`, and compares with your `conv2d_backward`. For right gradients the differences are below $10^{-8}$.
# If they differ, one of your two functions is wrong; this check does not say which.


# %%
def numeric_gradient(loss, a, h=1e-4):
    """Central differences for each entry of a in turn; a is changed and put back."""
    gradient = np.zeros_like(a)
    for at in np.ndindex(a.shape):
        kept = a[at]
        a[at] = kept + h
        up = loss()
        a[at] = kept - h
        gradient[at] = (up - loss()) / (2 * h)
        a[at] = kept
    return gradient


def compare_gradients(stride, padding, *, N=2, C_in=2, C_out=3, size=(6, 7), kernel=(3, 2), seed=0):
    """Print by how much each of the three gradients differs from central differences."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, C_in, *size))
    w = rng.standard_normal((C_out, C_in, *kernel))
    b = rng.standard_normal(C_out)
    dy = rng.standard_normal(conv2d_forward(x, w, b, stride, padding).shape)

    def loss():
        return np.sum(dy * conv2d_forward(x, w, b, stride, padding))

    gradients = conv2d_backward(dy, x, w, stride, padding)
    for name, ours, a in zip(("dx", "dw", "db"), gradients, (x, w, b), strict=True):
        print(f"{name}: largest difference {np.abs(ours - numeric_gradient(loss, a)).max():.0e}")


compare_gradients(stride=(2, 3), padding=(1, 0))

# %% [markdown]
# Now choose for yourself: other strides, paddings and sizes. Then put a mistake into `conv2d_backward` on purpose (turn the kernel, write `=` for `+=`, cut off one row too many) and watch which of the three lines notices it.
# Is there a kernel with which the turned one gets through?

# %% [markdown]
# ## 12. Two layers in one
#
# A layer is linear, apart from its bias, and two linear maps in a row are one: $W_2(W_1 x) = (W_2 W_1)\,x$. So two convolutions with nothing between do what a single one can do. Which one?
# Go from an output back to the picture: through tap $v$ of the second kernel to a place in between, and from there through tap $u$ of the first, to the pixel at $u + v$. **The weight of a pixel is the sum over all paths to it**; along a path the weights are multiplied.
#
# $$w_{o,c,t} = \sum_m\; \sum_{u + v = t} k^{(2)}_{o,m,v}\;\, k^{(1)}_{m,c,u} \qquad\qquad u, v, t \text{ are pairs: (row, column)}$$
#
# Write **`compose_kernels(k1, k2)`**. It returns the kernel of the one layer that does the work of two, first `k1` and then `k2`.
#
# * `k1` has the shape `(C_mid, C_in, K_H, K_W)` and `k2` the shape `(C_out, C_mid, L_H, L_W)`: as a layer uses them, by cross-correlation. Both layers have stride 1 and no padding.
# * The result has the shape `(C_out, C_in, K_H + L_H - 1, K_W + L_W - 1)`, and is to be used by cross-correlation, too.
#
# The layers have biases `b1`, of shape `(C_mid,)`, and `b2`, of shape `(C_out,)`. Write **`compose_biases(b1, k2, b2)`**, the biases of the one layer, of shape `(C_out,)`. Think of a black picture: in between,
# channel $m$ is then $b^{(1)}_m$ everywhere. What does the second layer make of that?
#
# * Results have the dtype of what is given, and what is given comes back unchanged.
#
# **An example by hand.** One channel everywhere, kernels of a single row: $k^{(1)} = (1, 2, 0)$ and $k^{(2)} = (3, -1)$.
# The first tap of $k^{(2)}$ reads three pixels with $3 \cdot (1, 2, 0)$; the second reads the three that begin one further with $-1 \cdot (1, 2, 0)$:
#
# $$\begin{array}{rrrr}3 & 6 & 0 & \\ & -1 & -2 & 0\\ \hline 3 & 5 & -2 & 0\end{array}$$
#
# So $w = (3, 5, -2, 0)$. With $b^{(1)} = 2$ and $b^{(2)} = 0.5$, the bias is $3 \cdot 2 - 1 \cdot 2 + 0.5 = 4.5$.
#
# *Before you write: a layer of 5×5 and one of 3×3 make one of which size? Which of its weights have a single path, and which have the most?*


# %% nbgrader={"grade": false, "grade_id": "a3-compose_kernels-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compose_kernels(k1, k2):
    """Return the kernel of the one layer that does the work of k1 and then k2."""
    ### BEGIN SOLUTION
    K_H, K_W = k1.shape[2:]
    L_H, L_W = k2.shape[2:]
    w = np.zeros((k2.shape[0], k1.shape[1], K_H + L_H - 1, K_W + L_W - 1), dtype=k1.dtype)
    for i in range(L_H):
        for j in range(L_W):
            # Tap (i, j) of k2 reads the whole of k1, moved by (i, j); the sum over m joins the two.
            w[:, :, i : i + K_H, j : j + K_W] += np.einsum("om,mcuv->ocuv", k2[:, :, i, j], k1)
    return w
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a3-compose_biases-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compose_biases(b1, k2, b2):
    """Return the biases of the one layer, shape (C_out,)."""
    ### BEGIN SOLUTION
    # Every tap of k2 reads a number to which b1 was added.
    return b2 + k2.sum(axis=(2, 3)) @ b1
    ### END SOLUTION


# %%
check("a3.compose_kernels", compose_kernels, compose_biases)

# %% nbgrader={"grade": true, "grade_id": "a3-compose_kernels", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of both functions run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a3.compose_kernels", compose_kernels, compose_biases, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ### One number is enough
#
# With a ReLU between the layers there is in general no such kernel. To prove it, a counter-example will do. Whatever its weights, one layer with a bias, $f(x) = Wx + c$, fulfills
#
# $$f(x) + f(-x) = 2 f(0) .$$
#
# Take the smallest nets there are: one channel, kernels of 1×1, biases 0. So $f(x) = k_2 \max(k_1 x, 0)$ with three numbers of your choice. No points here; **find three for which the equation fails**, on paper first.
# And for which does it hold, although there is a ReLU?

# %%
k1, k2, x = 0.0, 0.0, 0.0  # your three numbers


def with_relu(x):
    return k2 * np.maximum(k1 * x, 0)


left, right = with_relu(x) + with_relu(-x), 2 * with_relu(0.0)
print(
    f"f(x) + f(-x) = {left:g}, 2 f(0) = {right:g}:", "a counter-example" if left != right else "no counter-example yet"
)

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
# Gray is zero; white and black are large numbers of either sign. Now your own predictions: how large were the maps going to be, and what did they cost? And how long do the loops of exercise 8 take for a corner of the photo?

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

# %% [markdown]
# Now your way back as a question to the net: *which pixels does this output depend on?* Put a single 1 into `dy`, and `dx` is the answer. Here it goes back through two layers, each with its own `conv2d_backward`, and
# through the one layer that replaces them.

# %%
blur = np.array([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])[None, None] / 16
sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None]
both = compose_kernels(blur, sobel)

image, between = np.zeros((1, 1, 7, 9)), np.zeros((1, 1, 5, 7))
dy = np.zeros((1, 1, 3, 5))
dy[0, 0, 1, 2] = 1
d_between, _, _ = conv2d_backward(dy, between, sobel, (1, 1), (0, 0))
through_two, _, _ = conv2d_backward(d_between, image, blur, (1, 1), (0, 0))
through_one, _, _ = conv2d_backward(dy, image, both, (1, 1), (0, 0))
print("the same:", np.allclose(through_two, through_one))
viz.maps([sobel[0, 0], d_between[0, 0], through_two[0, 0]], titles=["Sobel", "one layer back", "two layers back"])

# %% [markdown]
# One layer back stands the kernel itself, two layers back the composed one: wider by as much as the first layer sees. Now forward, on a photo: smoothed first and then searched for edges, or both in one step.

# %%
gray = data.load_photos(size=120, grey=True)[1].x.astype(np.float64)[None]  # (1, 1, H, W)
none = np.zeros(1)
smooth = conv2d_forward(gray, blur, none, (1, 1), (0, 0))
in_two = conv2d_forward(smooth, sobel, none, (1, 1), (0, 0))
in_one = conv2d_forward(gray, both, none, (1, 1), (0, 0))
print(f"largest difference: {np.abs(in_two - in_one).max():.0e}")
viz.maps([smooth[0, 0], in_two[0, 0], in_one[0, 0]], titles=["smoothed", "in two steps", "in one step"])

# %% [markdown]
# If all checks passed, the two are the same up to rounding. Two layers of 3×3 need 18 weights here and one of 5×5 needs 25; with a ReLU between they would also see more. Lecture 07 counts what each of them costs.
