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
# # Assignment 5: a network of your own
#
# All parts of a CNN have gone through your hands: the convolution and its gradients in assignment 3, the pooling in assignment 4. Now they become a net that learns. The convolution and the pooling in it are **your code**;
# you write the training around them. Then you tell somebody what your net has learned, with a figure of your own.
#
# | | you write | points | time | deck rows |
# |---|---|---|---|---|
# | 15 | `train`: train a CNN with your own layers | 7 | 90 minutes | D34, D54 |
# | 16 | an answer in words, and a figure: explain your network | 3 | 60 minutes | D54 |
#
# **How it works.** In exercise 15 replace the line `raise NotImplementedError(…)` by your code, run the cell, then run the check below it as often as you like.
# The check tells you what is right already, and if it knows your mistake, it gives it a name and a hint. Some checks are hidden: they
# take other pictures when your notebook is graded. Exercise 16 is read and graded by a person.
# Go by these checks, not by the button "Validate" above: it runs only what the cells with points show you, and that is nothing here.

# %%
import numpy as np

from cnnlab import nn, optim
from cnnlab.checks import check

# %% [markdown]
# ## Bring your own functions
#
# Copy four functions from your assignments 3 and 4 into the next two cells, as they are: `conv2d_forward`, `conv2d_backward`, `pool2d_forward`, `pool2d_backward`. They must be right, since a net cannot learn from a wrong gradient; the
# checks below are those that you know. If one of them is not green yet, finish that exercise first. (Nothing is graded twice: these checks give no points here.)
#
# Loops are welcome if there are not too many: a function that loops over places, or over taps, trains the small net of exercise 15 in a second or two. Seven loops inside each other take some seconds each time, which is quick enough
# for the checks, too.


# %% nbgrader={"grade": false, "grade_id": "a5-own-convolution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_forward(x, w, b, stride, padding):
    """Your function of exercise 10."""
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


def conv2d_backward(dy, x, w, stride, padding):
    """Your function of exercise 11."""
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
    dx = d_padded[:, :, top : top + H, left : left + W]
    return dx, dw, db
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "a5-own-pooling", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool2d_forward(x, kernel, stride, padding, how):
    """Your first function of exercise 14."""
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
            y[:, :, p, q] = window.max(axis=(2, 3)) if how == "max" else window.sum(axis=(2, 3)) / (K_H * K_W)
    return y
    ### END SOLUTION


def pool2d_backward(dy, x, kernel, stride, padding, how):
    """Your second function of exercise 14."""
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
check("a3.conv2d_forward", conv2d_forward)
check("a3.conv2d_backward", conv2d_backward)
check("a4.pool2d", pool2d_forward, pool2d_backward)

# %% [markdown]
# The layers of `cnnlab.nn` compute with your functions if they get them as their `op`:

# %%
conv = nn.ConvOp(conv2d_forward, conv2d_backward)
pool = nn.PoolOp(pool2d_forward, pool2d_backward)
print(nn.Conv2d(1, 8, 3, op=conv))
print(nn.MaxPool2d(2, op=pool))

# %% [markdown]
# ## 15. Train a CNN with your own layers
#
# Write **`train(x, y, x_test, seed)`**. It builds a small net, trains it on the pictures `x` with their classes `y`, and returns the classes that the net says for the pictures `x_test`.
#
# * `x` has the shape `(N, 1, H, W)`, `x_test` the shape `(M, 1, H, W)`; both are float64 gray levels. `y` has the shape `(N,)` and holds whole numbers from 0 to `y.max()`; there are `y.max() + 1` classes.
# * The answer is an array of whole numbers of the shape `(M,)`. What the net says of a picture must not depend on the other pictures of `x_test`. All arguments come back unchanged.
#
# So that your answer can be compared with the right one, picture by picture, **the recipe leaves nothing open**.
#
# 1. **Normalize.** Take the mean and the standard deviation of *all pixels of `x`*, two numbers. Subtract the first from all pictures and divide by the second: from those of `x`, and with the same two numbers from those of `x_test`.
# 2. **One generator**, `np.random.default_rng(seed)`, draws everything that is random: first the weights, then the orders. Below it is called `rng`.
# 3. **The net**, in this order, each layer with `dtype="float64"` and the first and the last with `rng=rng`:
#
#    | layer | | output |
#    |---|---|---|
#    | convolution, *your own* | 8 filters of 3 × 3, no padding, stride 1 | `(N, 8, H - 2, W - 2)` |
#    | ReLU | | |
#    | max pooling, *your own* | 2 × 2, stride 2; a row or column that is left over is not looked at | `(N, 8, (H - 2) // 2, (W - 2) // 2)` |
#    | flatten | | `(N, features)` |
#    | fully connected | | `(N, classes)` |
#
# 4. **Loss and optimizer.** `nn.CrossEntropyLoss()`, which is the mean over a batch, and `optim.SGD` with learning rate 0.02 and momentum 0.9.
# 5. **Five epochs.** Each begins with a new order of the pictures, `rng.permutation(N)`. The first 16 pictures of that order are the first batch, the next 16 the second, and so on; what is left over at the end is a smaller batch, and counts too.
# 6. For **each batch**: forget the old gradients, go forward, compute the loss, go backward, make a step. A pair of lines that you know from lecture 10: `value = loss(scores, labels)` and `net.backward(loss.backward())`.
# 7. **Answer** with the class of the largest score.
#
# The loop is what you write here, so `cnnlab.train` is not there while your notebook is graded, and neither are convolution and pooling of the library: without an `op`, a layer stops and says so.
# One visible check and one hidden check do not compare picture by picture. They train on 240 pictures of strokes in four directions and ask whether at least 87 % of 300 new ones are named right. A net that works gets nine in ten and more.
#
# If the check fails and knows no name for it, look at the losses of the example below; if the first of them is right and the second is not, a gradient is wrong: are the checks of your own functions still green?
#
# **An example.** It cannot be done by hand, but you can follow it. Six pictures of 5 × 6 and eight to name:
#
# ```python
# x = np.round(128 + 100 * np.sin(np.arange(180.0) ** 2)).reshape(6, 1, 5, 6)
# y = np.array([0, 1, 2, 2, 1, 0])
# x_test = np.round(128 + 100 * np.sin(np.arange(240.0) ** 2 + 1)).reshape(8, 1, 5, 6)
# train(x, y, x_test, 0)
# ```
#
# The mean of `x` is 127.2 and its standard deviation 70.5. After the pooling there are 8 maps of 1 × 2 cells, so 16 features. The five orders begin with picture 3, 4, 3, 4 and 0. The loss is 1.301, 1.271, 1.221, 1.160 and 1.098 in the five epochs, and the answer is `[2 1 1 1 1 1 0 1]`.
#
# *Before you write: the six pictures of the example fit into one batch. Which lines of the recipe make no difference there, and would you notice if they were wrong?*


# %% nbgrader={"grade": false, "grade_id": "a5-train-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train(x, y, x_test, seed):
    """Return the classes of x_test, shape (M,), as a net says that was trained on x and y."""
    ### BEGIN SOLUTION
    mean, spread = x.mean(), x.std()  # of the training pictures only
    ready = (x - mean) / spread  # a new array: x stays as it is

    rng = np.random.default_rng(seed)
    N, _, H, W = x.shape
    features = 8 * ((H - 2) // 2) * ((W - 2) // 2)
    first = nn.Conv2d(1, 8, 3, rng=rng, dtype="float64", op=conv)  # draws its weights here,
    last = nn.Linear(features, int(y.max()) + 1, rng=rng, dtype="float64")  # and this one goes on
    net = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2, op=pool), nn.Flatten(), last)
    loss = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

    for _ in range(5):
        order = rng.permutation(N)
        for start in range(0, N, 16):
            chosen = order[start : start + 16]  # a slice may end beyond the array: then it is shorter
            net.zero_grad()  # layers add to the gradients that they have
            loss(net(ready[chosen]), y[chosen])
            net.backward(loss.backward())  # the 1 / N of the mean is in there already
            optimizer.step()

    net.eval()  # nothing is kept for backward now
    return net((x_test - mean) / spread).argmax(axis=1)
    ### END SOLUTION


# %%
check("a5.train_own_cnn", train)

# %% nbgrader={"grade": true, "grade_id": "a5-train_own_cnn", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Here the hidden checks of train run when your notebook is graded. There is nothing to write in this cell.
### BEGIN HIDDEN TESTS
from cnnlab.checks import check

check("a5.train_own_cnn", train, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## See what you have built
#
# No points in this part. Your `train` takes any gray pictures, with any number of classes: handwritten digits of 8 × 8 pixels, for example. The digits to name are by people whose hands the net has never seen.
# (There are six times as many pictures as in the checks: give it ten seconds, and with seven loops some minutes.)

# %%
from cnnlab import data, viz

digits, unseen = data.load_digits("train"), data.load_digits("test")
said = train(digits.x.astype(np.float64), digits.y, unseen.x.astype(np.float64), seed=0)
print(f"{np.mean(said == unseen.y):.1%} of {len(unseen)} digits are named right")
wrong = np.flatnonzero(said != unseen.y)[:16]
viz.pictures([unseen.x[i] for i in wrong], titles=[f"{unseen.y[i]}, not {said[i]}" for i in wrong])

# %% [markdown]
# ## 16. Explain your network
#
# Train a net, look into it, and **tell somebody who has not taken this course what it has learned**, with one figure that shows it. Take the net below or another one of your own, and any data of the course.
#
# The next cell trains a net for you to look into: larger digits, 16 × 16, and a net with your own convolution and pooling. It takes up to a minute; with seven loops, leave out the two `op`. `train.fit` of the library runs the loop that you wrote.

# %%
from cnnlab import train as library

pictures, new = data.load_digits("train", size=16), data.load_digits("test", size=16)


def ready(x):
    return (x - pictures.x.mean()) / pictures.x.std()


rng = np.random.default_rng(0)
convolution, pooling = nn.Conv2d(1, 8, 5, rng=rng, op=conv), nn.MaxPool2d(2, op=pool)
net = nn.Sequential(convolution, nn.ReLU(), pooling, nn.Flatten(), nn.Linear(8 * 6 * 6, 10, rng=rng))
untrained = net.state_dict()  # copies, to compare with
optimizer = optim.SGD(net.parameters(), 0.02, 0.9)
library.fit(
    net,
    ready(pictures.x),
    pictures.y,
    loss=nn.CrossEntropyLoss(),
    optimizer=optimizer,
    epochs=6,
    rng=rng,
    progress=False,
)
scores = library.predict(net, ready(new.x))
print(f"{library.accuracy(scores, new.y):.1%} of {len(new)} new digits are named right")

# %% [markdown]
# Some things to look at, of which you need one only:
#
# * the filters before and after training, and the activation maps of a picture;
# * pictures that are named wrong: what do they have in common, and which class do they go to?
# * what happens when pictures are moved, turned, made noisy, or partly covered;
# * the same net with fewer filters, larger ones, or without pooling: what gets worse, and for which pictures?

# %% [markdown] nbgrader={"grade": false, "grade_id": "a5-explain_network-rubric", "locked": true, "schema_version": 3, "solution": false, "task": false}
# **How your answer is graded.** A person reads it and looks at your figure. Three points, half points are possible:
#
# | | 1 point | half a point | nothing |
# |---|---|---|---|
# | **A claim** about what this net has learned | says one definite thing that could be false, and names the layer, filter, class or pictures it is about | true of every CNN, or hard to pin down | missing |
# | **Evidence** | the figure shows it: axes or pictures are labeled, and there is something to compare with (before training, another class, another net, guessing) | there is a figure, but the reader must take your word for it | no figure, or one that shows something else |
# | **An explanation** and its limits | says *why* the net does this, from how convolution, pooling and training work, and names one thing that the figure does not show | only one of the two | missing, or contradicts the figure |
#
# About 150 to 300 words. It does not count how well the net does, how large it is, or how polished the English is. A claim that turned out wrong, with a figure that says so, is a good answer.

# %% [markdown]
# **Your figure.** Draw it in the next cell, from `net` or from a net of your own that you train there. What the cell shows when you hand in the notebook is what the reader sees: run it, and save the notebook afterwards.


# %% nbgrader={"grade": false, "grade_id": "a5-explain_network-figure", "locked": false, "schema_version": 3, "solution": true, "task": false}
def my_figure(net):
    """Return the figure that your answer speaks of."""
    ### BEGIN SOLUTION
    # Each picture is covered by a gray square at every place in turn. How sure does the net remain?
    shown = [int(np.flatnonzero((new.y == digit) & (scores.argmax(axis=1) == digit))[0]) for digit in range(8)]
    grids = []
    for i in shown:
        covered = np.repeat(new.x[i : i + 1], 16 * 16, axis=0)
        for place, picture in enumerate(covered):
            top, left = divmod(place, 16)
            picture[0, max(top - 2, 0) : top + 3, max(left - 2, 0) : left + 3] = pictures.x.mean()
        shares = np.exp(library.predict(net, ready(covered)))
        sure = shares[:, new.y[i]] / shares.sum(axis=1)
        grids.append(sure.reshape(1, 16, 16))
    names = [f"a {digit}" for digit in range(8)] + [f"sure of {digit}" for digit in range(8)]
    alt = "Eight digits, and below each how sure the net remains when a square covers that place: white is sure."
    return viz.pictures([*(new.x[i] for i in shown), *grids], titles=names, alt=alt)
    ### END SOLUTION


my_figure(net)

# %% [markdown]
# **Your answer.** Double-click the next cell and write in the place of its text.

# %% [markdown] nbgrader={"grade": true, "grade_id": "a5-explain_network", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# **My net names a digit by one or two places where it differs from the others, not by its whole outline.**
#
# The figure covers each digit in the upper row by a gray square of 5 × 5 pixels, at every place in turn. The picture below it shows how sure the net stays of the right answer when the square is *there*: white is sure, black is not at all.
# If the net looked at the whole outline, every place with ink would be a little gray. Instead most of each picture is white, also where there is ink, and a few dark spots decide. The 5 loses its name only when one spot in its upper part is
# covered, although that is a small part of its ink. For the 6 it is the left side of its loop, for the 7 the upright stroke. The 0 is the exception: wherever the square is, the net stays at 40 % or more, so no single place decides.
#
# Why? The filters of the first layer see 5 × 5 pixels and answer to strokes and ends of strokes, wherever they are; pooling keeps the strongest answer of 2 × 2 places. But the fully connected layer behind has a weight for each filter
# *at each place*. Training makes only those weights large that tell classes apart, and two digits that share most of their strokes differ at few places. Cover them, and what is left fits another digit as well.
#
# What the figure does not show: eight digits are no proof. I took the first right one of each class, and other hands may write a 5 that hangs on another spot. And a gray square is itself something that the net has never seen,
# with edges of its own; part of the darkness may come from those. Covering with the color of the paper, for all 382 digits, would tell.
