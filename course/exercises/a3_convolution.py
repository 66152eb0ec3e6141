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
# | | you write | points | time | deck rows |
# |---|---|---|---|---|
# | 11 | `conv2d_backward`: the layer, backward | 11 | 90 minutes | D15, D28–D31 |
# | 12 | `compose_kernels` and `compose_biases`: two layers in one | 4 | 40 minutes | D32, D33 |

# %%
import numpy as np

from cnnlab.checks import check


# %%
def conv2d_forward(x, w, b, stride, padding):
    """Stand in for exercise 10, until the parts of this notebook are put together."""
    (S_H, S_W), (P_H, P_W), (K_H, K_W) = stride, padding, w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (P_H, P_H), (P_W, P_W)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (K_H, K_W), axis=(2, 3))[:, :, ::S_H, ::S_W]
    return np.einsum("ncpquv,ocuv->nopq", windows, w) + b[:, None, None]


# %% [markdown]
# --- sections of ex3b begin here ---

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
# Here the hidden checks of compose_kernels and compose_biases run when your notebook is graded. There is nothing to write in this cell.
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
# ### See what you have built
#
# No points from here on. First, your way back as a question to the net: *which pixels does this output depend on?* Put a single 1 into `dy`, and `dx` is the answer. Here it goes back through two layers, each with its own `conv2d_backward`, and
# through the one layer that replaces them.

# %%
from cnnlab import data, viz

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
photo = data.load_photos(size=120, grey=True)[1].x.astype(np.float64)[None]  # (1, 1, H, W)
none = np.zeros(1)
smooth = conv2d_forward(photo, blur, none, (1, 1), (0, 0))
in_two = conv2d_forward(smooth, sobel, none, (1, 1), (0, 0))
in_one = conv2d_forward(photo, both, none, (1, 1), (0, 0))
print(f"largest difference: {np.abs(in_two - in_one).max():.0e}")
viz.maps([smooth[0, 0], in_two[0, 0], in_one[0, 0]], titles=["smoothed", "in two steps", "in one step"])

# %% [markdown]
# If all checks passed, the two are the same up to rounding. Two layers of 3×3 need 18 weights here and one of 5×5 needs 25; with a ReLU between they would also see more. Lecture 07 counts what each of them costs.
