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
# # 5. Distributing the scan
#
# Take a window net that finds flowers. Cut most of the connections of its first layer, so that each neuron sees only a small block of the window. Then force neurons that look at different blocks to have the same weights.
#
# **Does the net get better or worse at finding flowers?** And a second question, left over from lecture 04: two neighboring windows share most of their pixels; can the work
# for one serve the other after all?
#
# *About 45 minutes. You need: window-first and layer-first, activation maps (lecture 04); tied weights (lecture 03). Deck rows D21–D24.*

# %% [markdown] tags=["notes"]
# **2 min.** Take a vote on the first question: better, worse, the same? Ask for a reason. "Fewer parameters, so it overfits less" is the usual one, and the experiment below shows that it is not the right one here.

# %%
import numpy as np

from cnnlab import data, demos, nn, optim, summary, train, viz

# %% [markdown]
# ## Only layer 1 looks around
#
# Here is the flower scanner of lecture 04 again, with other numbers of neurons, written as convolutions. For each layer the table says how many pixels of the picture one of its outputs depends on: its *receptive field*.

# %%
SIZE, HOP = 12, 2  # a window of 12 × 12 pixels, placed at every second row and column
rng = np.random.default_rng(0)
dense_scan = nn.Scan(nn.mlp([3 * SIZE * SIZE, 16, 16, 1], rng=rng), SIZE, HOP)
summary(nn.to_convolutions(dense_scan, rank=2), (3, 32, 32))

# %% [markdown]
# It is 12 × 12 after the first layer, and stays so. Only the first layer has an extent: its 16 neurons must judge everything that is spatial, the whole flower at once; the other layers only combine their verdicts at one place.
#
# That is a lot to ask of one layer. A neuron with a weight for each pixel of the window is a template of a *whole* flower, of one size. But how large is a flower?


# %%
def halved(pictures):
    """(N, 3, 64, 64) in 0 … 1 -> (N, 3, 32, 32) in -1 … 1: the mean of each 2 × 2 pixels."""
    return 2 * pictures.reshape(len(pictures), 3, 32, 2, 32, 2).mean(axis=(3, 5)) - 1


scenes = data.load_flowers(900, seed=1)
pictures = halved(scenes.x)
flower = 17  # a scene with a flower in its middle


def middle(picture, row, column):  # 24 × 24 pixels around a place
    row, column = round(row), round(column)
    return picture[:, row - 12 : row + 12, column - 12 : column + 12]


far = (middle(pictures[flower], *scenes.center[flower] / 2) + 1) / 2
near = middle(scenes.x[flower], *scenes.center[flower])
viz.pictures([far, near], titles=["24 × 24 pixels, from afar", "24 × 24 pixels, nearer"])

# %% [markdown]
# A window of 12 × 12 holds the left flower. Of the right one, the same flower, it holds a part, and a template of a whole flower fits nowhere. The *pieces* of a flower are less particular: the edge of a petal, a tip, the border of the yellow center fill a
# block of 4 × 4 on the left as on the right. So let layer 1 look for pieces, and leave it to layer 2 where the pieces must lie.

# %% [markdown] tags=["notes"]
# **5 min.** Read the column of receptive fields from top to bottom: 12 × 12 at once, then nothing more. Ask the class to describe a flower to somebody who only understands "colored edge at this place": the description has two stages by itself, what the pieces are, and how they lie.
#
# *Usually asked:* "Can the net of the next section then find flowers of any size?" No, its window still has a size. But its lower layer would be the same for other sizes; that part of the work is not in vain.

# %% [markdown]
# ## Two levels
#
# **Distribute** the window over two layers. Layer 1 looks at blocks of 4 × 4 pixels, placed at every second row and column: 5 × 5 blocks cover the window of 12 × 12 exactly. Its 16 neurons give 16 numbers a block. Layer 2 looks at
# all 5 × 5 blocks together and sees, through them, the whole window. Layer 3 combines its verdicts as before.


# %%
def two_levels(**options):
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, stride=2, **options),  # 16 neurons look at blocks of 4 × 4 pixels
        nn.ReLU(),
        nn.Conv2d(16, 16, 5, **options),  # 16 neurons look at 5 × 5 blocks
        nn.ReLU(),
        nn.Conv2d(16, 1, 1, **options),
    )


stack = two_levels(rng=np.random.default_rng(0), dtype="float64").eval()
summary(stack, (3, 32, 32))

# %% [markdown]
# The same window is covered and the scan steps by two pixels, as before. (It must: the next window begins at the next block.) But now *two* layers have an extent.
#
# **Before you go on, predict:** seen from one window, this is an MLP again, with 3 · 12 · 12 inputs and 5 · 5 · 16 neurons in its first layer. What does its weight matrix look like?
# Then look at a small one. Below is a window over the gray values of a scene, with few neurons; move the window, point at a row, and switch the number of levels between 1 and 2.

# %%
grey = pictures[flower].mean(axis=0, keepdims=True)[:, 8:22, 8:24].round(1)  # (1, 14, 16)
sizes = {"window": (8, 8), "widths": ((4, 4), (2, 2)), "hops": ((2, 2), (1, 1))}
demos.DistributedScan(grey, levels=2, **sizes)

# %% [markdown] tags=["notes"]
# **8 min.** Draw a square of 12 × 12 and lay the blocks into it: corners at 0, 2, 4, 6, 8 on each axis. They overlap by half. In the demo stay with one row of the matrix: a neuron of one block, with zeros for all inputs outside. Then compare it with the row of the next block: the same numbers, moved.
#
# *Usually asked:* "Must blocks overlap?" No. With stride 4 there would be 3 × 3 blocks side by side, and the scan would step by 4. "Must the sizes fit exactly?" Yes, otherwise pixels at the border of the window would be seen by no one; the library refuses such blocks.

# %% [markdown]
# ## Not the old net in new clothes
#
# In lecture 04 the order of computation changed and the net stayed. Now the net changes. `nn.expand` writes the stack as what it is over one window: an MLP whose matrices are **block-sparse** (no connection outside a block) and **tied** (every block
# has the same weights). Both compute the same scores:

# %%
expanded = nn.expand(stack).eval()  # Linear layers, with all zeros and copies written out
print(expanded)
batch = pictures[:10].astype(np.float64)
print(f"largest difference of the scores: {np.abs(stack(batch) - expanded(batch)).max():.1e}")
matrix = expanded.module[0].weight.data
print(f"first matrix: {matrix.size:,} entries, {np.mean(matrix == 0):.0%} of them 0,")
print(f"different values among the others: {len(np.unique(matrix[matrix != 0]))}")


# %% [markdown]
# Count the parameters in four ways: each entry of the matrices free; only the connections that are there, each with its own weight; tied, as in the stack; and, beside them, the scanner of the first section.


# %%
def size(net):
    return sum(p.data.size for p in net.parameters())


def untied(stack):
    """The block-sparse MLP of a stack with a weight of its own for every connection."""
    layers = [*nn.expand(stack, tied=True).module]
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.TiedLinear):
            own = layer.ties.copy()  # the number of each connection's weight; -1 where there is none
            own[own >= 0] = np.arange(np.sum(own >= 0))
            layers[i] = nn.TiedLinear(layer.matrix, own, layer.full_bias)
    return nn.Sequential(*layers)


print(f"same neurons, all connected:   {size(expanded):8,}")
print(f"block-sparse, untied:          {size(untied(stack)):8,}")
print(f"block-sparse, tied (stack):    {size(stack):8,}")
print(f"dense window net, 16 neurons:  {size(dense_scan):8,}")

# %% [markdown]
# Each step takes freedom away. So the distributed net is **another net, a constrained one**, and not a way to compute a dense net that one already has. The library refuses to distribute a dense net
# over such blocks:

# %%
free = nn.Scan(nn.mlp([3 * SIZE * SIZE, 25 * 16, 16, 1], rng=rng), SIZE, HOP)
try:
    nn.to_convolutions(free, [(4, 2), (5, 1)], rank=2)
except ValueError as error:
    print(error)

# %% [markdown] tags=["notes"]
# **7 min.** Two different statements: every stack *is* an MLP (a special one); hardly any MLP is a stack. The first is checked by the difference, the second by the refusal. That the tied net and the dense one of 16 neurons have equally many
# parameters is arranged, for the comparison to come: $432 \cdot 16 + 16 \cdot 16 = 48 \cdot 16 + 400 \cdot 16$, and the biases agree too.
#
# *Usually asked:* "Could one train the dense net until its weights are tied?" Only by tying them, which is the training rule of lecture 03.

# %% [markdown]
# ## Shared blocks
#
# Back to the question left over from lecture 04. There, two windows had pixels in common but no results. Now a block belongs to several windows.
#
# Window-first computes all 25 blocks for each window, then layers 2 and 3. Layer-first computes each block of the picture once, then layers 2 and 3 at each window.


# %%
weights = [(c.weight.data.reshape(len(c.bias.data), -1), c.bias.data) for c in stack[::2]]
(W1, b1), (W2, b2), (W3, b3) = weights
scene = pictures[flower].astype(np.float64)


def look(a, b):  # layer 1 at block (a, b): 16 answers
    return np.maximum(W1 @ scene[:, 2 * a : 2 * a + 4, 2 * b : 2 * b + 4].ravel() + b1, 0)


def judge(answers):  # layers 2 and 3 over the 5 × 5 blocks of one window
    return (W3 @ np.maximum(W2 @ answers.ravel() + b2, 0) + b3)[0]


# %%
def window_first():
    scores, multiply_adds = np.empty((11, 11)), 0
    for i, j in np.ndindex(11, 11):
        answers = np.empty((16, 5, 5))
        for a, b in np.ndindex(5, 5):
            answers[:, a, b] = look(i + a, j + b)
            multiply_adds += W1.size
        scores[i, j] = judge(answers)
        multiply_adds += W2.size + W3.size
    return scores, multiply_adds


# %%
def layer_first():
    answers, scores, multiply_adds = np.empty((16, 15, 15)), np.empty((11, 11)), 0
    for a, b in np.ndindex(15, 15):
        answers[:, a, b] = look(a, b)
        multiply_adds += W1.size
    for i, j in np.ndindex(11, 11):
        scores[i, j] = judge(answers[:, i : i + 5, j : j + 5])
        multiply_adds += W2.size + W3.size
    return scores, multiply_adds


# %% [markdown]
# **Before you run the next cell, predict:** how many times does window-first compute a block in the middle of the picture, and which share of the multiply-adds of layer 1 does layer-first save?

# %%
by_window, count_window_first = window_first()
by_layer, count_layer_first = layer_first()
by_stack = stack(scene[None])[0, 0]
difference = max(np.abs(by_window - by_layer).max(), np.abs(by_stack - by_layer).max())
print(f"largest difference of the scores: {difference:.1e}")
print(f"multiply-adds, window-first: {count_window_first:,}")
print(f"multiply-adds, layer-first:  {count_layer_first:,}")
print(f"the stack of convolutions:   {summary(stack, (3, 32, 32)).multiply_adds:,}")
in_windows, in_picture = 11 * 11 * 25, 15 * 15
print(f"blocks computed: {in_windows:,} and {in_picture}; saved: {1 - in_picture / in_windows:.0%}")


# %% [markdown]
# A block in the middle lies in 5 × 5 windows. Layer-first saves most of the work in layer 1, and nothing in layer 2, whose windows are all different. A stack of convolutions computes layer-first, and so gets this for nothing.
#
# The demo has a piece of the scene in gray and a net of the same geometry with fewer neurons, so that its blocks can be told apart. Blocks that windows share light up when they are computed again. *Remember blocks* lets window-first
# keep what it has computed; look at what that does to its count, and to what it must keep.

# %%
piece = scene.mean(axis=0, keepdims=True)[:, 8:24, 8:24]  # (1, 16, 16)
blocks = {"widths": ((4, 4), (5, 5)), "hops": ((2, 2), (1, 1))}
demos.OrderOfComputation(x=piece, features=(3, 2, 1), **blocks)

# %% [markdown] tags=["notes"]
# **8 min.** Count on the board for a single axis first: 11 windows of 5 blocks are 55, but there are only 15 blocks. On two axes the factor squares. That is why the saving of layer 1 is so large.
#
# *Usually asked:* "Is the distributed scan cheaper than the dense one?" Not necessarily: compare both with the summary at the top. What is cheaper is *this* net, layer-first, than the same net, window-first. "And if the hop of the scan were 1?" Then blocks of neighboring windows would not coincide with a
# stride of 2 in layer 1; one would give layer 1 the stride 1, and layer 2 would look at every second block.

# %% [markdown]
# ## Does it learn as well?
#
# Less freedom, then. What does it cost? Four nets learn to tell windows with a flower from windows with something else, from small training sets, all with the same settings:
#
# * **dense, as many parameters** as the distributed net: 16 neurons over the whole window;
# * **dense, as many neurons** as the distributed net: 400 over the whole window;
# * **local**: 400 neurons, each over its own block of 4 × 4, each with its own weights;
# * **local and tied**: the distributed net.


# %% tags=["skip"]
def flower_windows(scenes, rng):
    """The window around the flower of each scene, or the thing in its place: (N, 3, 12, 12)."""
    corner = np.round((scenes.center - 0.5) / 2).astype(int) - SIZE // 2
    corner = np.clip(corner + rng.integers(0, 2, corner.shape), 0, 32 - SIZE)
    pairs = zip(halved(scenes.x), corner, strict=True)
    return np.stack([picture[:, i : i + SIZE, j : j + SIZE] for picture, (i, j) in pairs])


def fit(net, x, y, rng):
    epochs = min(60, 12_000 // len(x))
    optimizer = optim.Adam(net.parameters(), lr=4e-3, weight_decay=1e-3)
    schedule = optim.CosineAnnealingLR(optimizer, T_max=epochs)
    options = {"batch_size": 50, "progress": False, "rng": rng}
    options |= {"loss": nn.BCEWithLogitsLoss(), "optimizer": optimizer, "schedule": schedule}
    train.fit(net, x, y[:, None], epochs=epochs, **options)
    return net


# %%
rng = np.random.default_rng(0)
test_scenes = data.load_flowers(1000, seed=2)
x, x_test = flower_windows(scenes, rng), flower_windows(test_scenes, rng)


def dense(*sizes):
    return lambda rng: nn.Sequential(nn.Flatten(), *nn.mlp(sizes, rng=rng))


nets = {
    "dense, as many parameters": dense(432, 16, 16, 1),
    "dense, as many neurons": dense(432, 400, 16, 1),
    "local": lambda rng: nn.Sequential(nn.Flatten(), *untied(two_levels(rng=rng))),
    "local and tied": lambda rng: nn.Sequential(*two_levels(rng=rng), nn.Flatten()),
}
names = ["flower" if y else "other" for y in scenes.y[:16]]
viz.pictures([(window + 1) / 2 for window in x[:16]], titles=names)

# %% [markdown]
# **Before you run the next cell, predict:** order the four nets by their accuracy on 1,000 new windows. Three random starts each, so that luck does not decide.

# %%
windows_seen, trained, means = [100, 300, 900], {}, {}
for name, build in nets.items():
    print(f"{name}: {size(build(rng)):,} parameters")
    means[name] = []
    for n in windows_seen:
        right = []
        for seed in range(3):
            start = np.random.default_rng(seed)
            trained[name] = fit(build(start), x[:n], scenes.y[:n], start)
            says_yes = train.predict(trained[name], x_test)[:, 0] > 0
            right.append(np.mean(says_yes == (test_scenes.y == 1)))
        means[name].append(np.mean(right))
        print(f"{n:6d} windows: {np.mean(right):.3f}, the three from {min(right):.3f} to {max(right):.3f}")

# %%
viz.curves(windows_seen, means, xlabel="training windows", ylabel="accuracy, new windows")

# %% [markdown]
# From 300 windows on, both nets that look at blocks beat both that look at everything. Parameters do not explain it. The dense net with as many parameters as the distributed one does worse; the dense net with the same 400 neurons and *all* of their connections does worse, too,
# though it could imitate the local nets by setting weights to 0. A few hundred windows do not tell it which. **Localized patterns in the lower layer generalize better.**
#
# The surprise is in the last two rows. Tying the blocks adds nothing here; with 900 windows it costs a little. In these windows the flower is always in the middle, so each block has its own part to look for, and different weights for different places can use that.
# What tying gives is the shared work of the last section, a net of about a quarter of the size, and pieces that are known wherever they appear.
#
# What has each net learned to look for? Here are the weights of eight first-layer neurons as colored pictures, of the dense net with as many parameters (above) and of the distributed one (below).

# %%
templates = trained["dense, as many parameters"][1].weight.data
pieces = trained["local and tied"][0].weight.data


def as_pictures(weights):
    """Weights (neurons, 3 · k · k) as colored pictures around middle gray."""
    k = int(np.sqrt(weights[0].size / 3))
    return [0.5 + 0.5 * w.reshape(3, k, k) / np.abs(w).max() for w in weights[:8]]


viz.pictures(as_pictures(templates) + as_pictures(pieces), columns=8)

# %% [markdown]
# Where are the petals? Flowers come with any number of them, turned in any direction, and a template for the whole flower has to suit them all: the petals are smeared into a disc or a ring. But colored discs, some with a yellow center, are just the things
# that are *not* flowers. A piece is small enough to be the same in many flowers: an edge between two colors, a corner. How pieces lie is left to layer 2.

# %% [markdown] tags=["notes"]
# **9 min.** Let the class write down an order of the four before the cell runs; it takes about half a minute. Then ask which comparison shows what: rows 1 and 4 have equal parameters, rows 2 and 3 equal neurons, rows 3 and 4 differ in tying only. With 100 windows there is little between the last three; say so.
#
# *Usually asked:* "So is sharing bad for accuracy?" Not in general. Here the window is already in the right place, because the scan moves it. Where an object moves *within* the window, tied blocks learn a piece at one place and know it at all. "Is this the best that each net can do?" No; all are trained with the same settings, without tuning.

# %% [markdown]
# ## And once more
#
# If two levels are good, take the step again: the window of layer 2 can be distributed as well. Pieces, groups of pieces, flower. Each level looks at blocks of the level below. For our window: blocks of 4 × 4 pixels, groups of 3 × 3 blocks, and 2 × 2 groups.


# %%
def three_levels(**options):
    pieces = nn.Conv2d(3, 16, 4, stride=2, **options)
    groups = nn.Conv2d(16, 16, 3, stride=2, **options)
    return nn.Sequential(pieces, nn.ReLU(), groups, nn.ReLU(), nn.Conv2d(16, 1, 2, **options))


deeper = three_levels(rng=np.random.default_rng(0), dtype="float64").eval()
as_mlp = nn.expand(deeper).eval()
print(f"window {as_mlp.kernel_size}, hop {as_mlp.stride}")
print(f"largest difference to its own MLP: {np.abs(deeper(batch) - as_mlp(batch)).max():.1e}")
print(f"parameters, untied: {size(untied(deeper)):,}; tied: {size(deeper):,}")

# %% [markdown]
# The same window, still fewer parameters, and once more another net. Its scan steps by 2 · 2 pixels, the product of the strides. The demo now has a single row of gray values, through the flower, so that the connections can be drawn: the same window for one, two or three levels. Compare the matrices, the counts, and the difference between the stack and its MLP.

# %%
row = scene.mean(axis=0)[14, 4:28].round(1)  # 24 numbers
demos.DistributedScan(row, window=12, levels=3, widths=(6, 2), hops=(3, 1))

# %% [markdown]
# Nothing stops at three. A picture of any size can be read by many layers, each with a small window over the maps of the one below: this is what one calls a *convolutional neural network*.

# %% [markdown] tags=["notes"]
# **6 min.** Switch the demo between 1, 2 and 3 levels at the same window and read the three parameter counts each time. The logic is the same at each step: what was one layer's whole view becomes blocks and a layer above them.
#
# *Usually asked:* "How many levels are best?" There is no rule that holds for all data. Deeper nets of small windows have won in practice (lecture 10 trains one); sizes and strides are a matter of lecture 07.

# %% [markdown]
# ## What you saw
#
# * In a plain scan only layer 1 looks around. A distributed scan gives each of the lower layers a small window over the layer below.
# * The result is a constrained net: over one window it is an MLP with block-sparse, tied matrices. It is not a rewriting of a dense net.
# * Neighboring windows share blocks, so layer-first now takes fewer multiply-adds than window-first.
# * Neurons with small windows learned more from a few hundred examples than neurons that see everything, at equally many parameters and at equally many neurons. Tying cost some accuracy here; it buys shared work and a small net.
# * The step can be repeated: pieces, groups of pieces, objects.

# %% [markdown] tags=["notes"]
# **1 min.** Let two students answer the opening questions: better or worse? and can work be shared?

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. A window of 30 frames is to be distributed: blocks of 6 frames at stride 3 in layer 1, and all blocks in layer 2. How many blocks is that, and by how many frames can the scan step?</summary>
#
# $(30-6)/3 + 1 = 9$ blocks. The scan steps by 3 frames (or a multiple), so that the blocks of the next window are blocks of this one.
# </details>
#
# <details><summary>2. Why does tying the weights of the blocks make it possible to share work between windows?</summary>
#
# The same pixels are block (0, 2) of one window and block (0, 1) of the next. Only if both blocks have the same weights is the answer the same number, and can be used twice. An untied block-sparse net shares nothing.
# </details>
#
# <details><summary>3. A dense net with 400 neurons can represent everything that the local net can. Why can it still do worse?</summary>
#
# That it *can* represent a function does not mean that training on few examples *finds* it. Among all settings that fit the training windows there are many that serve no other window; the local net cannot choose most of these.
# </details>

# %% [markdown]
# ## Go on
#
# You have now seen all that [assignment A2](../course/release/a2/a2_one_giant_network.ipynb) asks for. Exercise 6, `layer_first` and `mac_count_scan`, counts a distributed scan in its last part, and exercise 7, `to_conv_stack`, turns a scanning MLP, plain or distributed, into a stack of convolutions. A2 is due now.
#
# [Lecture 06](06_what_is_a_convolution.ipynb) gives the operation that has been at work here its definition, and its gradients: what is a convolution?
