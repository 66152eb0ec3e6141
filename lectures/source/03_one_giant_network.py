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
# # 3. One giant network
#
# The scanner of lecture 01 asked one small MLP about 171 windows, one after another. To train it we had to say where the word is in every recording.
#
# Usually nobody does. A label says "this recording contains *welcome*", and that is all: 171 windows and one answer. **Which of the windows shall learn from it? And a
# weight that is used at 171 places: which way should it move, if each place asks for something else?**
#
# *About 45 minutes. You need: lecture 01, and backpropagation through an MLP. Deck rows D10–D16.*

# %% [markdown] tags=["notes"]
# **2 min.** Let the class answer the second question before you go on; most propose a mean. Come back to it at the sum over edges.

# %%
import numpy as np

from cnnlab import data, demos, nn, ops, optim, train, viz

recordings = {recording.label: recording for recording in data.load_welcome_recordings()}
with_word = recordings["welcome among near misses"]

# %% [markdown]
# ## All copies at once
#
# So far the MLP *moved*. Now let nothing move: put a copy of it at every place, all side by side, and the decision on top of their scores. That is one network,
# from the whole recording to one answer. It is large, and all its **subnets** are identical: they **share their parameters**.

# %%
K = 30
subnet = nn.mlp([20 * K, 32, 1], rng=np.random.default_rng(0)).eval()  # not trained yet
giant = nn.Sequential(nn.Scan(subnet, K), nn.GlobalPool("max")).eval()

x = with_word.x
copies = [subnet] * (x.shape[1] - K + 1)  # copy number t sees the frames t … t + K - 1, and no others
scores = [copy(x[:, t : t + K].reshape(1, -1))[0, 0] for t, copy in enumerate(copies)]
print(f"{len(copies)} copies; their maximum: {max(scores):.6f}; the giant network: {giant(x[None])[0, 0]:.6f}")

# %% [markdown] tags=["notes"]
# **6 min.** Draw a row of inputs, three or four small triangles over it that overlap, and one node above them all. Stress that this is only another way of
# looking: the numbers are the scan's. The new view pays because we know how to train *a network*.
#
# *Usually asked:* "Is the answer then really the same for every shift?" Only while every window that counts stays inside, as the table shows. And with a hop of 2
# only for shifts by a multiple of 2: an odd shift puts other numbers into the windows.

# %% [markdown]
# What does the giant network do with an input that is shifted? Take a short one: a pattern of five numbers in a row of 30, zeros elsewhere, a subnet with a window of 5, weights as they were drawn.
#
# **Before you run the next cells, predict:** the pattern moves by 6. What becomes of the scores, and of their maximum? And what when the pattern comes near the edge?

# %%
pattern = np.array([1.0, 3.0, -2.0, 2.0, 1.0])
short = nn.Scan(nn.mlp([5, 8, 1], rng=np.random.default_rng(2), dtype=np.float64), 5).eval()


def scores_with_pattern_at(place, length=30):
    signal = np.zeros((1, 1, length))
    inside = pattern[: length - place]  # what does not fit is cut off
    signal[0, 0, place : place + len(inside)] = inside
    return short(signal)[0, 0]


viz.curves(
    np.arange(26),
    {f"pattern at {place}": scores_with_pattern_at(place) for place in (5, 11)},
    xlabel="place t of the window",
    ylabel="score",
)

# %%
print("pattern at   highest score   at place")
for place in (0, 1, 2, 5, 11, 20, 25, 26, 27, 28):
    y = scores_with_pattern_at(place)
    print(f"{place:10d}   {y.max():13.4f}   {y.argmax():8d}")

# %% [markdown]
# The scores move along with the pattern: the scan is **shift-equivariant**. Their maximum stays: the network with its decision is **shift-invariant**. No weight had to be
# trained for this; it
# follows from the subnets being identical.
#
# It ends at the edges. With its random weights this subnet likes best a window that begins two frames before the pattern. On the left that window no longer fits, so the
# maximum drops while
# the pattern is there in full; on the right it fits even when the end of the pattern, which it does not see, is cut off.

# %% [markdown]
# ## Full, sparse, shared
#
# Look at the first hidden layer of all subnets together. With H units in each of P subnets it has H·P units, over C·T inputs. Its weights fill a matrix with a row for
# each unit and a column
# for each input. There are three such layers:
#
# * **full**: a regular MLP. Each unit has its own weight to each input: M·N parameters for M units over N inputs.
# * **sparse**: each unit sees only its window. Outside there is no connection; inside, all weights are its own.
# * **shared**: the scan. Sparse as well, and all subnets hold the same weights.
#
# **Before you run the next cell, predict:** C = 2 channels, T = 8 frames, windows of K = 3 frames, H = 3 hidden units in a subnet. How many weights has each of the three?


# %%
def count_weights(C, T, K, H):
    P = T - K + 1
    return {"full": (H * P) * (C * T), "sparse": (H * P) * (C * K), "shared": H * (C * K)}


of_small, of_lecture_01 = count_weights(C=2, T=8, K=3, H=3), count_weights(C=20, T=200, K=30, H=32)
print(f"{'':8s}{'small case':>12s}{'lecture 01':>14s}")
for kind in of_small:
    print(f"{kind:8s}{of_small[kind]:12,}{of_lecture_01[kind]:14,}")

# %% [markdown] tags=["notes"]
# **8 min.** Fill the three matrices by hand for one channel, T = 5 and K = 3: the full one, then rub out what lies outside the windows, then write a, b, c into each row.
# The biases are shared in the same way and left out of the counts.
#
# *Usually asked:* "Is a structural zero not just a weight that happens to be 0?" No. A weight of 0 has a gradient and moves at the next step; where there is no
# connection, there is nothing to move.
#
# *Usually asked:* "Do we save time, too, or only memory?" The sparsity saves multiply-adds, the sharing does not: every copy still computes. Sharing saves parameters, and
# with them data.

# %% [markdown]
# Windows save something; sharing then divides what is left by P, the number of places. Here is the matrix of a real scan, the small case with weights as drawn.
# `nn.to_convolutions` takes the scan apart into its
# layers, each at all places at once (lecture 06 says why they bear that name), and `nn.dense_matrix` writes a layer out in full.

# %%
C, T, K, H = 2, 8, 3, 3
P = T - K + 1
subnet = nn.mlp([C * K, H, 1], rng=np.random.default_rng(3), dtype=np.float64)
small = nn.Sequential(nn.Scan(subnet, K), nn.GlobalPool("softmax")).eval()
first, relu, second = nn.to_convolutions(small[0])
layer_1, layer_2 = nn.dense_matrix(first, (C, T)), nn.dense_matrix(second, (H, P))
print(layer_1)
print(layer_2)

x = np.random.default_rng(4).standard_normal((1, C, T))
hidden = np.maximum(layer_1.matrix @ x.ravel() + layer_1.bias, 0)
scores = layer_2.matrix @ hidden + layer_2.bias
difference = np.abs(scores - small[0](x)[0, 0]).max()
print(f"largest difference between the two matrices and the scan: {difference:.1e}")


# %%
def by_place(matrix, units, inputs):
    """Sort rows and columns by place first: (unit, place) -> (place, unit), (channel, frame) -> (frame, channel)."""
    axes = matrix.reshape(units, P, inputs, -1).transpose(1, 0, 3, 2)
    return axes.reshape(matrix.shape)


viz.maps(
    [layer_1.matrix, by_place(layer_1.matrix, H, C), by_place(layer_2.matrix, 1, H)],
    titles=["by unit and channel", "by place and frame", "second layer, by place"],
)

# %% [markdown]
# White is no connection. On the left, sorted as the arrays lie in memory, each pair of a unit and a channel makes a band: one row of K weights, moved on by one in each next row.
# In the middle the same rows and columns are sorted by place: now one **block** comes again and again, K·C columns wide and H rows high. The block is the subnet's weight
# matrix. On the right, the second layer: its blocks do not overlap, since each place has its own hidden units.
#
# In the demo, press play: it takes the full matrix to the sparse and then the shared one, row by row. Point at an entry to see all its copies.

# %%
demos.GiantMatrix(first.weight.data.round(1), T, view="full", x=x[0].round(1))

# %% [markdown]
# ## Let them go, and they part
#
# It is a network like any other, so train it like any other. Backpropagation gives the derivative for *every* entry of the two matrices, as if each were a weight of its
# own. Nothing
# here knows of copies: an MLP with two layers, softmax pooling, binary cross-entropy.


# %%
def backpropagate(entries, x, target):
    """Derivatives of the loss for all entries of a two-layer network, each entry a weight of its own."""
    W1, b1, W2, b2 = entries
    before = W1 @ x + b1
    hidden = np.maximum(before, 0)
    y = W2 @ hidden + b2  # one score for each copy
    share = np.exp(y - y.max()) / np.exp(y - y.max()).sum()
    Y = share @ y  # softmax pooling
    dY = 1 / (1 + np.exp(-Y)) - target  # binary cross-entropy
    dy = dY * share * (1 + y - Y)
    dbefore = (W2.T @ dy) * (before > 0)
    return np.outer(dbefore, x), dbefore, np.outer(dy, hidden), dy


entries = (layer_1.matrix, layer_1.bias, layer_2.matrix, layer_2.bias)
slopes = backpropagate(entries, x.ravel(), target=1.0)
print("derivatives:", " + ".join(str(slope.size) for slope in slopes))

# %% [markdown] tags=["notes"]
# **5 min.** Go through `backpropagate` quickly: they know each line but the softmax pooling. What matters is what is *not* in it: sharing.
#
# *Usually asked:* "All copies compute the same function, so why are their gradients not the same?" They see different inputs, and the decision gives them different
# weight. The same function at
# another point has another slope.

# %% [markdown]
# **Before you run the next cell, predict:** six equal copies. Each existing weight takes one step of gradient descent along its own derivative. Are the copies still
# equal? Is the
# network still shift-invariant?


# %%
def copy_of_block(matrix, t):
    """The first-layer weights of copy t, (H, C·K)."""
    return matrix.reshape(H, P, C, T)[:, t, :, t : t + K].reshape(H, C * K)


all_ties = (layer_1.ties, layer_1.bias_ties, layer_2.ties, layer_2.bias_ties)  # −1: no connection
stepped = [entry - np.where(ties >= 0, slope, 0) for entry, slope, ties in zip(entries, slopes, all_ties, strict=True)]
viz.maps(
    [copy_of_block(stepped[0], t) - copy_of_block(entries[0], t) for t in range(P)],
    titles=[f"step of copy {t}" for t in range(P)],
    columns=3,
)

# %%
blip = np.array([[2.0, -1.0, 1.0], [1.0, 2.0, -2.0]])  # (C, K): something to recognize
print("score of the copy that sees it, for each of the six places:")
for name, (W1, b1, W2, b2) in {"before the step": entries, "after it": stepped}.items():
    seen = []
    for t in range(P):
        shifted = np.zeros((C, T))
        shifted[:, t : t + K] = blip
        seen.append((W2 @ np.maximum(W1 @ shifted.ravel() + b1, 0) + b2)[t])
    print(f"{name:16s}", "  ".join(f"{score:.3f}" for score in seen))

# %% [markdown]
# The copies have parted at the first step; copy 2 has not moved at all. What was learned at one place is not known at another: we are back at lecture 01's first net, with
# a narrower view.
#
# So training must keep a **constraint**: the copies begin equal, and **an update of one copy must update all of them equally**. Which update, when each copy asks for
# another one? The chain rule answers.

# %% [markdown]
# ## One weight, two edges
#
# The smallest net with a shared weight: two inputs, two edges in different layers, both holding the one value $w$.
#
# $$ h = w_1 x_1, \qquad z = w_2\,(h + x_2), \qquad \mathrm{Div} = \tfrac12 (z - d)^2, \qquad w_1 = w_2 = w $$
#
# `Div` is the divergence between output and desired output: the loss. **Before you run the next cell, predict:** with $x_1 = 1$, $x_2 = 3$, $d = 8$ and $w = 2$, what is
# $d\mathrm{Div}/dw$? First find the two partial derivatives, each with the other edge held fixed.

# %%
x1, x2, d, w = 1.0, 3.0, 8.0, 2.0


def div(w1, w2):
    return 0.5 * (w2 * (w1 * x1 + x2) - d) ** 2


error = w * (w * x1 + x2) - d
partial_1 = error * w * x1  # backpropagation to the first edge
partial_2 = error * (w * x1 + x2)  # and to the second
numeric_two = (div(w + 1e-5, w + 1e-5) - div(w - 1e-5, w - 1e-5)) / 2e-5  # both move together
print(f"{partial_1} + {partial_2} = {partial_1 + partial_2};  numeric: {numeric_two:.6f}")
viz.influence({"w₁": partial_1, "w₂": partial_2})

# %% [markdown] tags=["notes"]
# **5 min.** Draw the influence diagram and write the numbers on its arrows as the class finds them. A path's slope is the product along it, paths add up: nothing more is
# needed for all that follows.
#
# *Usually asked:* "The two edges lie in different layers. May one share across layers?" The chain rule does not care. Recurrent networks do exactly this.

# %% [markdown]
# A small change of $w$ goes to the loss on two paths, and on each the first arrow has slope 1, because the edge *is* $w$. So the two derivatives add up:
#
# $$ \frac{d\,\mathrm{Div}}{dw} = \frac{\partial\,\mathrm{Div}}{\partial w_1}\cdot\frac{dw_1}{dw} + \frac{\partial\,\mathrm{Div}}{\partial w_2}\cdot\frac{dw_2}{dw}
# = \frac{\partial\,\mathrm{Div}}{\partial w_1} + \frac{\partial\,\mathrm{Div}}{\partial w_2} $$

# %% [markdown]
# ## One weight, many edges
#
# Nothing changes for a set $S$ of any size whose edges are all tied to one value $w^S$:
#
# $$ \frac{d\,\mathrm{Div}}{dw^S} = \sum_{e \in S} \frac{\partial\,\mathrm{Div}}{\partial w_e} $$
#
# Each term is what ordinary backpropagation finds for that edge in the untied network. We have these already. Here is one weight of the small scan, with an edge in each
# of its six copies:

# %%
ties = layer_1.ties  # for each entry, which weight it is
dW1 = slopes[0]
one = 4  # weight number 4: unit 0, channel 1, the middle frame
viz.influence({f"copy {t}": slope for t, slope in enumerate(dW1[ties == one])}, shared=f"w[{one}]")

# %% [markdown] tags=["notes"]
# **7 min.** Play the demo with the mean switched on. The usual guess from the opening, the mean, is refuted by the numeric gradient: it is not the derivative. Say where it
# does no harm: in a plain scan every weight has as many edges as there are places, so the mean is the sum with a smaller learning rate. With padding, weights have different
# numbers of edges, and then the mean even points elsewhere.
#
# *Usually asked:* "Will the sum not explode when there are many copies?" The sum is the true slope: moving all copies at once does change the loss that much. Choose the
# learning rate for it.

# %% [markdown]
# `ops.tie_backward` sums so for every set. The library's scan must come to the same, and both must agree with the numeric gradient, which knows of no edges at all: move
# one weight
# of the subnet a little up and down, and see what the loss does. A net with lecture 01's window, on two pieces of real recordings, *each* of its weights:

# %%
summed = ops.tie_backward(dW1, first.weight.data.ravel(), ties)
loss = nn.BCEWithLogitsLoss()
small.train()
loss(small(x), np.array([[1.0]]))
small.backward(loss.backward())
tied_small = subnet[0].weight.grad.ravel().copy()
print(f"largest difference between the sum over edges and nn.Scan: {np.abs(summed - tied_small).max():.1e}")

# %%
pieces = np.stack([with_word.x[:, 90:150], recordings["no welcome"].x[:, 90:150]]).astype(np.float64)  # (2, 20, 60)
target = np.array([[1.0], [0.0]])
scanned = nn.mlp([20 * 30, 8, 1], rng=np.random.default_rng(0), dtype=np.float64)
net = nn.Sequential(nn.Scan(scanned, 30), nn.GlobalPool("softmax"))
loss(net(pieces), target)
net.backward(loss.backward())
tied = np.concatenate([p.grad.ravel() for p in net.parameters()])


# %%
def central_difference(values, i, h=1e-5):
    """Slope of the loss when number i of these values moves, in every place where it is used."""
    kept, losses = values[i], []
    for moved in (kept + h, kept - h):
        values[i] = moved
        losses.append(loss(net(pieces), target))
    values[i] = kept
    return (losses[0] - losses[1]) / (2 * h)


net.eval()  # keep nothing for a backward pass
all_values = [p.data.reshape(-1) for p in net.parameters()]  # views: to change these is to change the net
numeric = np.array([central_difference(values, i) for values in all_values for i in range(values.size)])
relative = np.abs(tied - numeric).max() / np.abs(numeric).max()
print(f"{numeric.size:,} parameters, each at {60 - 30 + 1} places of 2 recordings")
print(f"largest difference, relative to the largest derivative: {relative:.1e}")
length = np.linalg.norm(tied - numeric) / np.linalg.norm(numeric)
print(f"length of the difference, relative to that of the gradient: {length:.1e}")

# %% [markdown]
# Now step through the sum yourself. The demo has one channel and one filter: a band of the recording and four weights, and a target output to come near to.
# **Before you run the next cell, predict:** somebody takes the *mean* over the edges in place of the sum. How much lower is the loss after one step, compared with a step
# by the sum?

# %%
band = with_word.x[6, 96:108].round(1)
shared = demos.SharedGradient(x=band, w=[0.5, -0.5, 1.0, 0.5], padding=1)
shared.show_mean = True
shared.step = 0
shared

# %% [markdown]
# The mean is no derivative: it is too small by the number of edges, so the net learns that many times slower, as with a wrong learning rate. And where weights have
# different numbers of edges, as those that
# meet the padding here, it is not even the right direction.

# %% [markdown]
# ## The algorithm
#
# Training with shared parameters is then gradient descent with one more line. For sets $S_1, S_2, \dots$ of tied edges:
#
# 1. set $\nabla_S = 0$ for every set $S$
# 2. for each training instance: run the network forward and backward, **as if nothing were tied**; for each set $S$ and each edge $e$ in it: $\nabla_S \leftarrow \nabla_S + \partial\mathrm{Div}/\partial w_e$
# 3. for each set $S$: take one step, $w^S \leftarrow w^S - \eta\,\nabla_S / N$, and copy $w^S$ to **all** edges in $S$
# 4. again from 1, until the loss no longer falls

# %% [markdown] tags=["notes"]
# **5 min.** Let them point to each line of the algorithm in the code below. The sum has two parts, over instances and over edges: the same `+=` does both.
#
# The division by N belongs to the loss, which is a mean over the instances; it has nothing to do with the edges.

# %% [markdown]
# A problem to try it on: does a small noisy input contain the pattern, wherever it may be? Every line of the algorithm is in `gradients`; `backpropagate` is the one from
# above, for a
# net without ties.

# %%
rng = np.random.default_rng(5)
N = 24
X = 0.5 * rng.standard_normal((N, C, T))
targets = np.arange(N) % 2.0
for i in range(1, N, 2):  # every second one has the pattern, at a random place
    t = rng.integers(P)
    X[i, :, t : t + K] += blip


def gradients(values):
    edges = [ops.tie_forward(v, ties) for v, ties in zip(values, all_ties, strict=True)]  # copy to all edges
    sums = [np.zeros_like(v) for v in values]
    for x, target in zip(X, targets, strict=True):
        for total, slope, ties in zip(sums, backpropagate(edges, x.ravel(), target), all_ties, strict=True):
            for s in range(len(total)):
                total[s] += slope[ties == s].sum()
    return sums


# %%
rate = 0.5
start = [p.data.ravel().copy() for p in small.parameters()]
values = start
for _ in range(40):
    values = [v - rate * g / N for v, g in zip(values, gradients(values), strict=True)]

small.zero_grad()
optimizer = optim.SGD(small.parameters(), lr=rate)
losses = []
for _ in range(40):
    losses.append(loss(small(X), targets[:, None]))
    small.backward(loss.backward())
    optimizer.step()
    optimizer.zero_grad()

apart = max(np.abs(v - p.data.ravel()).max() for v, p in zip(values, small.parameters(), strict=True))
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}; largest difference between the two after 40 steps: {apart:.1e}")

# %% [markdown]
# The scan of the library *is* this algorithm: it puts all windows through one MLP as a batch, and backpropagation over that batch adds up the same terms. `nn.TiedLinear` keeps
# the ties of any matrix in the same way: as many entries as the giant matrix, as many weights as the scan.

# %%
print(nn.TiedLinear.of(layer_1))

# %% [markdown]
# ## Nobody says where the word is
#
# Now for real. 1,000 recordings with the word anywhere, and for each only yes or no: a **weak label**. The giant network is trained from the recording to the answer,
# **end to end**. Nobody cuts windows out, nobody
# looks for hard negatives. On top is the maximum, or a softmax over the scores. In training we use every second window, which halves the work; the same weights then
# scan every window.
#
# **Before you run the next cells, predict:** will the subnet score high *at the word*, or just somewhere? And which of the two decisions trains better?


# %%
training = data.load_welcome("train", 1000, at=None, seed=1)
test = data.load_welcome("test", 400, at=None, seed=7)


def train_end_to_end(how, seed):
    subnet = nn.mlp([20 * 30, 32, 1], rng=np.random.default_rng(seed))
    net = nn.Sequential(nn.Scan(subnet, 30, 2), nn.GlobalPool(how))
    optimizer = optim.Adam(net.parameters(), lr=2e-3, weight_decay=3e-4)
    options = {"batch_size": 25, "rng": np.random.default_rng(0), "progress": False}
    options["schedule"] = optim.StepLR(optimizer, 4, 0.1)  # after four epochs, small steps
    targets = training.y[:, None]
    history = train.fit(net, training.x, targets, loss=nn.BCEWithLogitsLoss(), optimizer=optimizer, epochs=6, **options)
    print(f"{how}, start {seed}: training loss {history.loss[-1]:.2f}")
    return nn.Sequential(nn.Scan(subnet, 30), nn.GlobalPool(how)).eval()


nets = {(how, seed): train_end_to_end(how, seed) for how in ("softmax", "max") for seed in (0, 1, 2)}

# %% [markdown] tags=["notes"]
# **6 min.** Let the class look at the score curve in silence. Then ask where the net knows the place from: in positive recordings the word is the one thing that all have and
# the others lack.
#
# *Usually asked:* "Where did the hard negatives of lecture 01 go?" The decision finds them: in a recording without the word, the gradient goes to the windows that score
# highest, and these
# are the hard ones. Mining by hand did in rounds what this does at every step.

# %%
yes = test.y == 1
middle = (test.start + test.stop)[yes] // 2


def evaluate(net):
    scores = train.predict(net[0], test.x, batch_size=50)  # (N, 1, P)
    answers = net[1](scores)[:, 0] > 0
    best = scores[yes, 0].argmax(axis=1)  # where the highest window begins, in recordings with the word
    return {"right": np.mean(answers == yes), "at the word": np.mean((best <= middle) & (middle < best + 30))}


results = {key: evaluate(net) for key, net in nets.items()}
print("decision  start   accuracy   highest window holds the word's middle")
for (how, seed), result in results.items():
    print(f"{how:8s}  {seed:5d}   {result['right']:8.3f}   {result['at the word']:10.0%}")

# %%
viz.score_curve(with_word, nets["softmax", 0][0](with_word.x[None])[0, 0], width=30)

# %% [markdown]
# The softmax nets learn the word about as well as the scanner of lecture 01, which had been told every place (compare the numbers that it prints). They also *found* the
# place, which was in no label. Training picked it out: only the windows
# around the word make recordings with it differ from those without.
#
# With the maximum it depends on the start: the best of the three does as well as the softmax nets, the others do not. What did those learn? Look at which recordings
# without the word they take for a yes:

# %%
come = {"come", "become", "outcome", "income", "awesome"}
sounds_alike = np.array([any(spoken.word in come for spoken in words) for words in test.spoken])
print("wrong yes, in recordings …   with come, become …   without such a word")
mistaken = {}
for (how, seed), net in nets.items():
    answers = train.predict(net, test.x, batch_size=50)[:, 0] > 0
    mistaken[how, seed] = [answers[~yes & group].mean() for group in (sounds_alike, ~sounds_alike)]
    print(f"{how:8s} start {seed}   {mistaken[how, seed][0]:22.0%}   {mistaken[how, seed][1]:23.0%}")

# %% [markdown]
# They listen for *-come*: half of the word, which is enough for most recordings. The reason lies in how each decision sends its gradient down. **How many of the 171
# copies get a part of it?**


# %%
def effective_number(gradient):
    """How many windows share the gradient: 1 if one has it all, P if all have the same."""
    share = np.abs(gradient) / np.abs(gradient).sum()
    return 1 / (share**2).sum()


untrained = nn.Scan(nn.mlp([20 * 30, 32, 1], rng=np.random.default_rng(0)), 30).eval()
shares_of_gradient = {}
for name, scan in {"before training": untrained, "after training": nets["softmax", 0][0]}.items():
    scores = scan(training.x[:50])
    for how in ("softmax", "max"):
        dscores = ops.global_pool_backward(np.ones((50, 1), np.float32), scores, how)
        count = float(np.mean([effective_number(one[0]) for one in dscores]))
        shares_of_gradient[f"{name} {how}"] = count
        print(f"{name:16s} {how:8s} {count:6.1f} of {scores.shape[2]} windows")

# %% [markdown]
# The maximum asks one copy at a time, the one that happens to be highest: a first good guess, half of the word, can keep all that follows. The softmax begins by asking
# everybody and narrows down
# as the scores become clear. Both teach *all* copies, because the weights are shared; they differ in what the sum over edges consists of.
#
# The place is found, but not promised. The net is rewarded for the answer alone, and any piece of sound that tells the two kinds of recording apart will do.

# %% [markdown]
# ## What you saw
#
# * A scan with its decision is one giant network of identical subnets. It is trained end to end, and its answer does not change when the input shifts, up to the edge.
# * As a matrix it is sparse, made of one block again and again. Sharing, more than sparsity, makes the number of parameters small.
# * The derivative for a shared weight is the **sum** of the derivatives of all its edges, each found as if nothing were tied; one step, copied to all edges.
# * With yes and no as the only labels, the network finds the word's place by itself, if the decision lets more than one window learn.

# %% [markdown] tags=["notes"]
# **1 min.** Ask the opening question again: which windows learn, and which way does a weight move when its places disagree?

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. One channel, T = 100, K = 5, one hidden unit in each subnet, hop 1. How many weights have the full, the sparse and the shared first layer?</summary>
#
# There are $P = 100 - 5 + 1 = 96$ units: full $96 \cdot 100 = 9600$, sparse $96 \cdot 5 = 480$, shared 5.
# </details>
#
# <details><summary>2. A weight stands at four edges with derivatives 3, −1, 2 and 0. What is its gradient? What do the copies do if each takes its own step?</summary>
#
# The sum, 4. On its own, the first copy would move down by $3\eta$, the second up by $\eta$, the third down by $2\eta$ and the last not at all: after one step they are
# four different weights.
# </details>
#
# <details><summary>3. With the maximum on top, the gradient reaches one window only. Why do all copies of the subnet change nevertheless?</summary>
#
# The derivative of each weight is a sum over its edges, of which all but those of the winning copy contribute 0. The sum is then one step for the one value that all copies hold.
# </details>

# %% [markdown]
# ## Go on
#
# Write both sides of this lecture yourself in [assignment A2](../course/release/a2/a2_one_giant_network.ipynb): in exercise 4, `scan_matrix`, the giant matrix of a scan, in one and two dimensions; in exercise 5,
# `tied_gradient`, the sum over edges and the
# step of training that keeps all copies equal. [Lecture 04](04_a_different_order.ipynb) computes the same giant network in a different order.
