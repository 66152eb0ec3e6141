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
# # 4. A different order
#
# Two programs scan the same recording with the same net of three layers. One finishes a window before it looks at the next. The other asks the first neuron about *all* windows,
# then the second neuron, layer after layer, and no window has its score before the very end. **Which of them does less work, and which is done first?**
#
# The first question is answered by counting, the second by a clock. Write down both answers now; the lecture ends with the second.
#
# *About 40 minutes. You need: the scan of a recording and of a picture (lectures 01 and 02). Deck rows D17–D20.*

# %% [markdown] tags=["notes"]
# **2 min.** Take a vote on both questions and write it on the board. Most will let layer-first win both or lose both.

# %%
import copy
import time

import numpy as np

from cnnlab import data, demos, nn, optim, train, viz

# %% [markdown]
# ## Two orders
#
# We need a net to compute with. This one is the word scanner of lecture 01 with one layer more and fewer neurons: a window of 30 frames, 8 neurons, 4 neurons, one score.
# The next two cells train it on windows with and without the word; how well it does is not our subject here.


# %% tags=["skip"]
def fit(net, x, y, *, epochs=10, lr=2e-3):
    optimizer = optim.Adam(net.parameters(), lr=lr, weight_decay=3e-4)
    schedule = optim.CosineAnnealingLR(optimizer, T_max=epochs)
    options = {"batch_size": 50, "progress": False, "rng": np.random.default_rng(0)}
    options |= {"loss": nn.BCEWithLogitsLoss(), "optimizer": optimizer, "schedule": schedule}
    train.fit(net, x, y[:, None], epochs=epochs, **options)
    return net.eval()


def in_float64(net):
    net = copy.deepcopy(net)
    for parameter in net.parameters():
        parameter.data = parameter.data.astype(np.float64)
    return net


def labels_for(positives, negatives):
    return np.repeat([1, 0], [len(positives), len(negatives)]).astype(np.float32)


# %% tags=["skip"]
rng = np.random.default_rng(0)
K = 30  # frames in a window
spoken = data.load_welcome("train", 1000, at=0.3, seed=1)  # the word begins in frame 15


def cut(x, starts):
    return np.stack([one[:, t : t + K].ravel() for one, t in zip(x, starts, strict=True)])


with_word, without = spoken.x[spoken.y == 1], spoken.x[spoken.y == 0]
n = len(without)  # as many as with the word
positives = np.concatenate([cut(with_word, rng.integers(13, 18, n)) for _ in range(2)])
negatives = np.concatenate([cut(without, rng.integers(0, 171, n)) for _ in range(6)])
word_net = nn.mlp([20 * K, 8, 4, 1], rng=rng)
fit(word_net, np.concatenate([positives, negatives]), labels_for(positives, negatives))
word_net = in_float64(word_net)

# %% [markdown]
# Write every neuron of every window into a table: a row for each layer, a column for each window. The scan of lecture 01 fills it **column by column**:
# all layers at window 0, then all layers at window 1. Call this *window-first*. A counter notes each multiplication of a weight with a number (and the addition that goes with it).

# %%
recordings = {recording.label: recording for recording in data.load_welcome_recordings()}
x = recordings["welcome in the middle"].x.astype(np.float64)
layers = nn.layers_of(word_net)  # [(W, b), (W, b), (W, b)]
P = x.shape[1] - K + 1  # windows


def window_first(x):
    scores, multiply_adds = np.empty(P), 0
    for t in range(P):
        y = x[:, t : t + K].ravel()
        for i, (W, b) in enumerate(layers):
            y = W @ (np.maximum(y, 0) if i else y) + b
            multiply_adds += W.size
        scores[t] = y[0]
    return scores, multiply_adds


# %% [markdown]
# Nothing in layer 2 at window 0 waits for window 1, and nothing in layer 1 at window 1 waits for layer 2 at window 0. So the two loops may change places, and the table is filled
# **row by row**: *layer-first*. What layer 1 found at all windows must now be kept until layer 2 comes round to it.


# %%
def layer_first(x):
    row, multiply_adds = [x[:, t : t + K].ravel() for t in range(P)], 0
    for i, (W, b) in enumerate(layers):
        for t in range(P):
            y = row[t]
            row[t] = W @ (np.maximum(y, 0) if i else y) + b
            multiply_adds += W.size
    return np.array([y[0] for y in row]), multiply_adds


# %% [markdown]
# **Before you run the next cell, predict:** do the scores differ, and by how much? Which order needs fewer multiply-adds?

# %%
scores, count_window_first = window_first(x)
scores_by_layer, count_layer_first = layer_first(x)
print(f"largest difference of {P} scores: {np.abs(scores - scores_by_layer).max():.1e}")
print(f"multiply-adds, window-first: {count_window_first:,}")
print(f"multiply-adds, layer-first:  {count_layer_first:,}")
by_hand = P * (20 * K * 8 + 8 * 4 + 4 * 1)
print(f"counted by hand, {P} · (600·8 + 8·4 + 4·1): {by_hand:,}")
viz.score_curve(recordings["welcome in the middle"], scores, width=K)

# %% [markdown] tags=["notes"]
# **9 min.** Draw the table on the board, 3 rows and as many columns as fit, and fill it in both orders with your finger. Ask for the dependencies first: which cells must be done before this one? Only the cells below it in its own column (the window's own lower layers).
# Any order that respects them is right, also a diagonal one. Within a row one may go on by neuron: first neuron at all windows, second neuron at all windows.
#
# *Usually asked:* "Neighboring windows share 29 of their 30 frames. Surely something can be saved?" Not here: frame 50 meets another weight in each window that contains it (first weight, second weight …), so every product is needed once. What could be shared is a *result*, and that needs a layer that
# looks at less than the window: lecture 05.

# %% [markdown]
# The same numbers, the same work: **only the order changed**. Here is the table at work, on the piece of the recording around the word. Both sides run on one clock of multiply-adds. Press play, or drag
# the clock: the left side has finished windows early on, the right side has finished neurons.

# %%
piece = x[:, 74:138]  # 64 frames
demos.OrderOfComputation(x=piece, widths=K, layers=layers)

# %% [markdown]
# ## One neuron scans the whole picture
#
# Now in two dimensions. The flower scanner of lecture 02, on pictures of half the size, 32 × 32, so that each pixel matters: a window of 12 × 12, 12 neurons, 6 neurons, one score. It is trained on
# windows with and without a flower, and then on the windows that it gets most wrong (hard negatives, as in lecture 01).

# %% tags=["skip"]
SIZE = 12
P = 32 - SIZE + 1  # places along each side


def halved(pictures):
    """(N, 3, 64, 64) in 0 … 1 -> (N, 3, 32, 32) in -1 … 1: the mean of each 2 × 2 pixels."""
    return 2 * pictures.reshape(len(pictures), 3, 32, 2, 32, 2).mean(axis=(3, 5)) - 1


def cut_square(pictures, corners):
    pairs = zip(pictures, corners, strict=True)
    return np.stack([one[:, i : i + SIZE, j : j + SIZE].ravel() for one, (i, j) in pairs])


scenes = data.load_flowers(1200, seed=1)
pictures, has_flower = halved(scenes.x), scenes.y == 1
corner = np.round((scenes.center - 0.5) / 2).astype(int) - SIZE // 2  # around the flower
near = [np.clip(corner + rng.integers(-1, 2, corner.shape), 0, P - 1) for _ in range(2)]
empty = pictures[~has_flower]

# %% tags=["skip"]
positives = np.concatenate([cut_square(pictures[has_flower], at[has_flower]) for at in near])
negatives = np.concatenate([cut_square(empty, at[~has_flower]) for at in near])
anywhere = [cut_square(empty, rng.integers(0, P, (len(empty), 2))) for _ in range(3)]
negatives = np.concatenate([negatives, *anywhere])
for _ in range(3):  # train, find the worst windows, train again
    flower_net = nn.mlp([3 * SIZE * SIZE, 12, 6, 1], rng=np.random.default_rng(0))
    fit(flower_net, np.concatenate([positives, negatives]), labels_for(positives, negatives))
    score_maps = train.predict(nn.Scan(flower_net, SIZE), empty, batch_size=50)
    hardest = np.argsort(-score_maps.reshape(len(empty), -1), axis=1)[:, :4]  # the worst windows
    corners = np.stack(np.unravel_index(hardest.T, (P, P)), axis=-1)
    negatives = np.concatenate([negatives, *(cut_square(empty, at) for at in corners)])

# %%
test_scenes = data.load_flowers(400, seed=2)
test_pictures = halved(test_scenes.x)
scene = test_pictures[12].astype(np.float64)
exact = in_float64(flower_net)
layers = nn.layers_of(exact)
(W1, b1), (W2, b2), (W3, b3) = layers
viz.pictures([(scene + 1) / 2], titles=["the scene"])

# %% [markdown]
# Take one neuron of the first layer. It has a weight for each of the 3 · 12 · 12 numbers in a window. Let it alone scan the scene, all 21 × 21 windows, and write
# each answer down **at the place where it was computed**.


# %%
def neuron_scans(picture, w, b):
    answers = np.empty((P, P))
    for i in range(P):
        for j in range(P):
            answers[i, j] = w @ picture[:, i : i + SIZE, j : j + SIZE].ravel() + b
    return answers


# %% [markdown]
# **Before you run the next cell, predict:** what will these 441 numbers look like, laid out as a picture: the scene itself, noise, or one bright dot on the flower?

# %%
one_map = neuron_scans(scene, W1[9], b1[9])
viz.maps([one_map], titles=["neuron 9 scans the scene"])

# %% [markdown]
# None of these. One sees that there are things in the scene and roughly where, but not which of them is the flower: a strong answer (dark violet or dark orange) only says that this window fits, or opposes, the neuron's weights.
# Such an array, the answers of one neuron at all places, is an **activation map**. Each of the 12 neurons has its own:


# %%
def first_layer_maps(picture):
    return np.stack([neuron_scans(picture, w, b) for w, b in zip(W1, b1, strict=True)])


maps1 = first_layer_maps(scene)  # (12, 21, 21)
viz.maps(list(maps1), titles=[f"neuron {d}" for d in range(12)])

# %% [markdown] tags=["notes"]
# **9 min.** Show the scene beside the maps and let the class find its things again in them. Entry (i, j) of a map belongs to the window whose *corner* is at (i, j), so what lies in the middle of the scene
# appears half a window up and to the left. Compare a map with the scan order: window-first produces entry (0, 0) of all 12 maps, then entry (0, 1) of all; layer-first finishes one map after another.
#
# *Usually asked:* "Why is the map smaller than the picture?" The window must fit: 32 − 12 + 1 = 21 places along a side, as in lectures 01 and 02. "Are these the weights?" No; weights belong to the net and stay the same for every scene, a map belongs to the net and one scene.

# %% [markdown]
# ## The next layer reads all maps at one place
#
# A neuron of the second layer takes the 12 answers of the first layer *at one window*. In the maps, these 12 numbers lie behind one another, all at the same place $(i, j)$:
#
# $$ z_d(i, j) = \sum_{c=0}^{11} W_2[d, c]\ \mathrm{ReLU}\big(\mathrm{map}_c(i, j)\big) + b_2[d] $$
#
# **Before you run the next cell, predict:** how many weights has this neuron, and how many pixels of the scene can change its answer at one place?

# %%
neuron, bias = W2[0], b2[0]
print(f"weights of a second-layer neuron: {neuron.size}")
inside = np.zeros_like(scene)  # only the window at (9, 9) is left of the scene
inside[:, 9 : 9 + SIZE, 9 : 9 + SIZE] = scene[:, 9 : 9 + SIZE, 9 : 9 + SIZE]
answer = neuron @ np.maximum(maps1[:, 9, 9], 0) + bias
answer_inside = neuron @ np.maximum(first_layer_maps(inside)[:, 9, 9], 0) + bias
print(f"its answer at (9, 9): {answer:.4f}")
print(f"the same, all pixels outside the window set to 0: {answer_inside:.4f}")

# %% [markdown]
# It has 12 weights, one for each map, and still it answers for a whole window of 144 pixels, because each of the 12 numbers does. It never looks beside its place; it only *mixes* what lies at it.
# Done at all places at once, that is a weighted sum of maps, and the result is a map again. So the third layer can do the same with the maps of the second, and a fourth, if there were one, with those of the third:


# %%
def next_maps(maps, W, b):
    """Every neuron reads all maps at the same place: (C, H, W) -> (neurons, H, W)."""
    return np.tensordot(W, np.maximum(maps, 0), axes=1) + b[:, None, None]


maps2 = next_maps(maps1, W2, b2)  # (6, 21, 21)
(score_map,) = next_maps(maps2, W3, b3)  # (21, 21)
viz.maps(list(maps2), titles=[f"layer 2, neuron {d}" for d in range(6)])

# %%
viz.maps([score_map], titles=["layer 3: the score"], signed=False)

# %%
window_by_window = nn.Scan(exact, SIZE)(scene[None])[0, 0]
i, j = np.unravel_index(score_map.argmax(), score_map.shape)
difference = np.abs(score_map - window_by_window).max()
print(f"largest difference to the scan of whole windows: {difference:.1e}")
row, column = (test_scenes.center[12] - 0.5) / 2
print(f"brightest place: window from ({i}, {j}), its middle at ({i + 5.5}, {j + 5.5})")
print(f"the flower is at ({row:.1f}, {column:.1f})")

# %% [markdown] tags=["notes"]
# **7 min.** The one idea of this section: *depth is read through, the plane is not*. Hold up 12 transparent sheets, one behind another, and push a pencil through them; its 12 holes are the inputs of a second-layer neuron. The last map is the map of
# scores of lecture 02: nothing new was computed, it came about in another order.
#
# *Usually asked:* "So layers 2 and 3 could be left out of the scan?" They are as much a scan as the first: the same weights at every place. Only their window is a single place. "Why then the large window in layer 1 only?" Nobody said that it must be so; this is the question of lecture 05.

# %% [markdown]
# ## One question about the last map
#
# The last map says *where* there is something like a flower. The question was only whether there is one. So the map is flattened, and its numbers are made into one answer as in lecture 01: by
# their maximum, by a softmax, or by another MLP. (Here every second row and column of it, 11 · 11 = 121 numbers, which is enough to find a flower and can be looked at number by number.)
#
# The maximum and the softmax get a scale and a threshold to learn, the MLP a weight for each place and neuron. All are trained on the maps of the same 1,200 scenes.

# %%
scan = nn.Scan(flower_net, SIZE, 2)
maps_train = train.predict(scan, pictures, batch_size=50)  # (1200, 1, 11, 11)
maps_test = train.predict(scan, test_pictures, batch_size=50)
start = np.random.default_rng(0)
softmax = nn.GlobalPool("softmax", temperature=0.3)
deciders = {
    "maximum": nn.Sequential(nn.GlobalPool("max"), nn.Linear(1, 1, rng=start)),
    "softmax": nn.Sequential(softmax, nn.Linear(1, 1, rng=start)),
    "MLP": nn.Sequential(nn.Sigmoid(), nn.Flatten(), *nn.mlp([121, 8, 1], rng=start)),
}
for name, decider in deciders.items():
    fit(decider, maps_train, scenes.y, epochs=30, lr=1e-2)
    known = np.mean((decider(maps_train)[:, 0] > 0) == has_flower)
    new = np.mean((decider(maps_test)[:, 0] > 0) == (test_scenes.y == 1))
    print(f"{name:8s} accuracy in training {known:.2f}, on new scenes {new:.2f}")

# %% [markdown]
# On the scenes that it has learned from, the MLP is as good as the others; on new ones it is the worst. It has a weight for each *place* and so must learn about each place from the few scenes that have their flower there, which is what scanning was to avoid.
#
# The demo has the map of our scene and the MLP that was just trained. Change between the four ways, drag the whole map sideways, and watch two things: the answer, and the arrows, which show where its gradient goes.

# %%
over_map = nn.layers_of(deciders["MLP"][2:])
demos.MapToDecision(score_map[::2, ::2], how="softmax", temperature=0.3, mlp=over_map, sigmoid=True)

# %% [markdown] tags=["notes"]
# **7 min.** Let the class say for each way which cells get a gradient before you switch to it: the maximum one cell, the mean all alike, the softmax mostly the best ones, the MLP wherever its weights lead. Then move the map: maximum, mean and softmax
# do not change as long as nothing is pushed out, the MLP does.
#
# *Usually asked:* "Why is training through a maximum possible at all, if one window learns from each picture?" It works, slowly; the window that learns is the one that decided, and over many pictures many windows have their turn.

# %% [markdown]
# ## The name of it
#
# A neuron that scans a picture and writes a map has a name. Its weights are called a **filter** (or kernel), and the scan is called a **convolution** of the picture with the filter. Lecture 06 says what that is in full.
#
# The whole scanner is then a stack of convolutions: the first with filters of 12 × 12, the others with filters of 1 × 1, as they look at a single place. The library can turn one into the other:

# %%
scanner = nn.Scan(exact, SIZE)
stack = nn.to_convolutions(scanner, rank=2).eval()
print(scanner)
print(stack)

# %%
several = test_pictures[:20].astype(np.float64)
print(f"scan, window by window:    {scanner(several).shape}")
print(f"stack, layer by layer:     {stack(several).shape}")
print(f"largest difference:        {np.abs(scanner(several) - stack(several)).max():.1e}")
print(f"parameters of both:        {sum(p.data.size for p in stack.parameters()):,}")

# %% [markdown] tags=["notes"]
# **4 min.** Only a name and a check here; strides, padding and gradients come later. Point at the printed kernel sizes: (12, 12), (1, 1), (1, 1). They are the answer to "where does each layer look?".
#
# *Usually asked:* "Is the difference exactly zero?" No: the same products are added in another order, and floating-point sums depend on the order. In float64 that is far below $10^{-12}$ here.

# %% [markdown]
# ## What the order does change
#
# The work is the same and so are the numbers. Two things are not.
#
# The first is **memory**. Window-first may forget all neurons of a window as soon as it has its score. Layer-first must keep what a layer found at *all* windows until the next layer has read it. Count the numbers that must be kept at
# the same time, inputs of a layer and its outputs, without the scene itself:

# %%
neurons = [len(b) for _, b in layers]  # 12, 6, 1
pairs = [below + above for below, above in zip([0, *neurons], neurons, strict=False)]
print(f"window-first keeps {max(pairs)} numbers and the {P * P} scores")
print(f"layer-first keeps {P * P * max(pairs):,} numbers")

# %% [markdown]
# The second is **time**. Window-first multiplies a layer's matrix with *one* vector, once for each window. Layer-first has all windows at hand when it comes to a layer: written as the rows of a matrix, they go through the layer in *one* product of two matrices.
#
# **Before you run the next cell, predict:** the multiply-adds are equal. How much quicker is layer-first?


# %%
def in_groups(windows, size):
    """Scores of all windows, `size` windows at a time: 1 is window-first, all is layer-first."""
    scores = []
    for first in range(0, len(windows), size):
        y = windows[first : first + size]
        for i, (W, b) in enumerate(layers):
            y = (np.maximum(y, 0) if i else y) @ W.T + b
        scores.append(y[:, 0])
    return np.concatenate(scores)


def seconds(windows, size, repeats=30):
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        in_groups(windows, size)
        times.append(time.perf_counter() - begin)
    return min(times)


# %%
corners = [(i, j) for i in range(P) for j in range(P)]
windows = cut_square([scene] * len(corners), corners)  # (441, 432): a row for each window
sizes = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
took = [1000 * seconds(windows, size) for size in sizes]
all_at_once = 1000 * seconds(windows, len(windows))
difference = np.abs(in_groups(windows, 1) - in_groups(windows, len(windows))).max()
print(f"largest difference: {difference:.1e}")
print(f"window-first takes {took[0] / all_at_once:.1f} times as long here")
labels = {"xlabel": "windows at a time", "ylabel": "milliseconds for the scan"}
viz.curves(sizes, {"one scan": took}, level=(all_at_once, "all 441"), **labels)

# %% [markdown]
# Layer-first is faster, though it multiplies nothing less. Two things add up. Python walks through the loop once for each group, and that costs the same for one window as for many. And the product of two matrices can use a weight that it has fetched
# for many windows, where window-first fetches it again for each. (This measurement does not tell the two apart; for so small a net the first is likely to be the larger.)
#
# Where the curve is flat, larger groups gain little, and they cost memory. A program may therefore take an order *between* the two, a group of windows at a time, layer by layer. It is free to choose, because the order changes no number.

# %% [markdown] tags=["notes"]
# **4 min.** The ratio depends on the machine, and on how busy it is; run the cell twice. On a graphics processor the two ends of the curve lie much further apart. The figure's left end is window-first, the dashed line layer-first. The matrix with a row for each window repeats most pixels many times: that, too, is memory paid for speed.
#
# *Usually asked:* "Then why did we learn window-first?" Because it says what is computed. How it is computed is a second question, and any order that respects the dependencies is allowed.

# %% [markdown]
# ## What you saw
#
# * Window by window or layer by layer: for this net, the same numbers and the same multiply-adds. Only the order changes.
# * The answers of one neuron at all places, laid out where they were computed, are an activation map. Each neuron of the first layer gives one.
# * Neurons of later layers read all maps below at the same place; their answers are maps again. The last map is the map of scores.
# * A neuron that scans is a convolution with a filter: the scanner is a stack of convolutions, with the same parameters.
# * Layer-first needs more memory and less time: each layer is one large matrix product.

# %% [markdown] tags=["notes"]
# **1 min.** Come back to the opening: the first question was about counting (no difference), the second about the clock (a large one).

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. A net has layers of 16, 8 and 1 neurons and a window of 10 × 10 pixels in three colors. It scans a picture of 40 × 50. How large is each map, how many are there, and how many multiply-adds does either order need?</summary>
#
# 31 × 41 places, so 16 + 8 + 1 = 25 maps of 31 × 41. At each of the 1,271 places $300 \cdot 16 + 16 \cdot 8 + 8 \cdot 1 = 4\,936$, together 6,273,656, in any order.
# </details>
#
# <details><summary>2. Could one fill the table of neurons and windows in a random order?</summary>
#
# If it respects one rule, yes: a neuron comes after the neurons of the layer below at the same window. Neurons at different windows never wait for one another.
# </details>
#
# <details><summary>3. Two windows overlap in all but one column of pixels. Why does layer-first still not save a single multiplication in this net?</summary>
#
# A pixel in both windows stands at another place in each, and so meets another weight. The first layer's neurons see a whole window, so no result, only the pixels, is common to two windows. Sharing needs neurons that
# see a part of the window and so serve several windows.
# </details>

# %% [markdown]
# ## Go on
#
# [Assignment A2](../course/release/a2/a2_one_giant_network.ipynb), exercise 6, `layer_first` and `mac_count_scan`: write the scan in this order yourself and count its multiply-adds. The last part of the exercise is about nets like those of the next lecture.
#
# [Lecture 05](05_distributing_the_scan.ipynb) takes the window of layer 1 apart. Then the order does save work, and, less expected, the net gets better.
