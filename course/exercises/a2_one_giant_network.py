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
# You write down its matrix, and find the gradient of a weight that stands in it many times.
#
# | | you write | points | time | deck rows |
# |---|---|---|---|---|
# | 4 | `scan_matrix`: the giant matrix | 7 | 50 minutes | D11, D12 |
# | 5 | `tied_gradient` and `tied_step`: the gradient of shared weights | 6 | 35 minutes | D13–D16 |
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
