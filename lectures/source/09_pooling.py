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
# # 9. Pooling, forward and backward
#
# "Pooling makes a network invariant to small shifts." You will read this sentence in most books. Take a convolutional net with two pooling layers that reads handwritten digits, and
# move every digit five pixels to the right on its white paper. **How many does it still read?** And if the answer is not "nearly all": what is the sentence worth?
#
# We measure it. On the way: what pooling computes, what it costs, and where its gradient goes.
#
# *About 45 minutes. You need: convolution layers and their sizes (lectures 06 and 07). Deck rows D51–D53.*

# %%
import numpy as np

from cnnlab import data, demos, geometry, inspection, nn, optim, reference, train, viz

digits = data.load_digits("train", size=28, copies=2, seed=1)
test = {shift: data.load_digits("test", size=28, shift=(0, shift), seed=2) for shift in range(6)}
print(f"{len(digits)} digits to train with, {len(test[0])} by other hands to test with")
shown = [0.85 * (1 - test[shift].x[i]) for i in (2, 35) for shift in (0, 1, 3, 5)]
viz.pictures(shown, titles=["as it is", "by 1", "by 3", "by 5"] * 2)

# %% [markdown] tags=["notes"]
# **2 min.** Take a vote on the question: 90 percent, 70, 50, 20. Write the numbers on the board and leave them there until the last section.

# %% [markdown]
# ## Another way to make maps smaller
#
# A strided convolution makes maps smaller by leaving places out. **Pooling** looks at all of them and keeps a summary: a window of `kernel_size` moves over *each map by itself*, `stride` cells at a time, and a fixed
# function, the maximum or the mean, makes one number of it. By default windows touch: the stride is the kernel size.
#
# **Predict** both results for windows of 2 × 2, before you run the cell:

# %%
deck = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], dtype=np.float64)


def pool(x, K, S, function):
    """Apply a function to every window of one map."""
    H, W = (x.shape[0] - K) // S + 1, (x.shape[1] - K) // S + 1
    return np.array([[function(x[i * S : i * S + K, j * S : j * S + K]) for j in range(W)] for i in range(H)])


for name, function, layer in (("max", np.max, nn.MaxPool2d(2)), ("average", np.mean, nn.AvgPool2d(2))):
    by_loop, by_layer = pool(deck, 2, 2, function), layer(deck[None, None])[0, 0]
    parameters = len(list(layer.parameters()))
    print(f"{name:8s}{by_loop.tolist()}   the layer: {by_layer.tolist()}   parameters: {parameters}")

# %% [markdown] tags=["notes"]
# **4 min.** Do the four windows by hand. Stress two differences from a convolution: channels are never mixed, and there is nothing to learn. In the demo step through the windows, then switch to "average".
#
# *Usually asked:* "Why the maximum?" A map says how strongly a pattern is there. "Is it anywhere in this window?" is an OR, which is a maximum, as in lecture 01. The mean asks how much of it is there.

# %%
demos.PoolingStepper(deck)

# %% [markdown]
# ## Sizes: windows that touch, windows that overlap
#
# A window is placed like a filter, so the size is that of lecture 07 without padding: $H' = \lfloor (H-K)/S \rfloor + 1$. The usual choice is $K=2, S=2$, which halves each axis and leaves a quarter of the
# numbers. AlexNet took $K=3, S=2$: windows share a row or a column with their neighbors. **Predict** the size of its pooled maps, from 55 × 55, and what $K=2, S=2$ does with 7 rows.

# %%
for H, K, S in ((28, 2, 2), (55, 3, 2), (27, 3, 2), (13, 3, 2), (7, 2, 2)):
    print(f"H = {H:2d}, K = {K}, S = {S}:  H' = {geometry.PoolGeometry((K,), S).output_size((H,))[0]}")

seven = np.arange(49.0).reshape(1, 1, 7, 7)
changed = seven.copy()
changed[..., 6, :] = 1000  # the last row
print("does the last of 7 rows matter?", not np.array_equal(nn.MaxPool2d(2)(seven), nn.MaxPool2d(2)(changed)))
print("with ceil_mode:", nn.MaxPool2d(2, ceil_mode=True)(seven).shape[2:])

# %% [markdown] tags=["notes"]
# **4 min.** The row that is never looked at surprises most. `ceil_mode=True` adds a last, partial window. Padding exists too (at most half the kernel); for the maximum it counts as minus infinity, for the mean
# as zeros.
#
# *Usually asked:* "Why did AlexNet overlap?" Krizhevsky, Sutskever and Hinton report a slightly lower error, and slightly less overfitting. Later nets mostly went back to 2 × 2, or to strided convolutions.

# %% [markdown]
# ## The maps of a trained net
#
# Now a net to measure: three convolutions with padding, two max poolings between them, and at the end the maps flattened into one fully connected layer. It is trained on digits that all stand in the middle.


# %%
def convolutions(rng):
    first = [nn.Conv2d(1, 8, 5, padding=2, rng=rng), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(8, 16, 5, padding=2, rng=rng), nn.ReLU(), nn.MaxPool2d(2)]
    return [*first, *second, nn.Conv2d(16, 32, 3, padding=1, rng=rng), nn.ReLU()]


def trained(net, rng, epochs=5):
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    schedule = optim.CosineAnnealingLR(optimizer, T_max=epochs)
    options = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer, "schedule": schedule, "epochs": epochs}
    train.fit(net, digits.x, digits.y, rng=rng, batch_size=64, **options)
    return net.eval()


rng = np.random.default_rng(0)
flat_net = trained(nn.Sequential(*convolutions(rng), nn.Flatten(), nn.Linear(32 * 7 * 7, 10, rng=rng)), rng)
print(inspection.summary(flat_net, (1, 28, 28)))
print(f"digits by other hands, in the middle: {train.accuracy(train.predict(flat_net, test[0].x), test[0].y):.2f}")

# %% [markdown] tags=["notes"]
# **4 min.** While it trains: which layers of the table have no parameters? Where do most parameters sit? In the one layer that knows about places. Then the maps: pooled ones are coarser and look as
# strong or stronger, because a maximum never makes a stroke fainter.

# %%
first_maps = nn.Sequential(flat_net[0], flat_net[1]).eval()(test[0].x)  # (N, 8, 28, 28), after the first ReLU
one = first_maps[2]
strongest = np.argsort(-one.std(axis=(1, 2)))[:3]
pooled = nn.MaxPool2d(2)(one[None])[0]
titles = [f"map {c}, 28 × 28" for c in strongest] + [f"map {c}, pooled" for c in strongest]
viz.maps([*one[strongest], *pooled[strongest]], titles=titles, columns=3)

# %% [markdown]
# ## How much shift is forgiven?
#
# The reason given for invariance is this: if a strong value moves by a cell and stays in its window, the maximum does not change. Try it. A map with four spikes; the demo moves it by one cell and compares the outputs.

# %%
spikes = np.zeros((6, 10))
spikes[1, 2], spikes[2, 5], spikes[4, 1], spikes[4, 8] = 5, 4, 3, 2
demos.PoolingStepper(spikes, view="shift")

# %% [markdown] tags=["notes"]
# **9 min.** This is the lecture's measurement; give the class time to predict. The unit must be clear: 1 means "as different as the maps of another digit". Ask why all curves but one lie together: a shift
# moves a whole stroke, not a lone spike, and along a stroke there is always an edge that crosses a border between windows.
#
# *Usually asked:* "So do the books lie?" The statement is true of a cell whose winner stays inside, and of a net that pools again and again until one cell is left. It is not true of a pooling layer on real maps.
#
# *Usually asked:* "Does a larger window help?" Each cell forgives more, but the map has fewer cells, and each of them now means more. The curve for 4 × 4 shows the balance: nothing gained.

# %% [markdown]
# A spike that stays in its window is forgiven, and half of them stay: with windows of 2, every second step crosses a border. Now the real thing: the first maps of our net, for all test digits, moved by 1 to 4 pixels. How much do
# they change, place by place? As a unit we take how much they differ from the maps of *another* digit.
#
# **Before you run the next cell, predict:** without pooling, one pixel changes the maps by a little less than half of that unit. What is left after max pooling 2×2? After 4×4? With stride 2 instead (every second place kept)? After a *global* maximum?

# %%
ways = {
    "no pooling": lambda maps: maps,
    "every second place (stride 2)": lambda maps: maps[:, :, ::2, ::2],
    "max 2 × 2": nn.MaxPool2d(2),
    "average 2 × 2": nn.AvgPool2d(2),
    "max 4 × 4": nn.MaxPool2d(4),
    "global max": nn.GlobalPool("max"),
}
maps_at = [nn.Sequential(flat_net[0], flat_net[1]).eval()(test[shift].x) for shift in range(5)]
change = {}
for name, way in ways.items():
    pooled_at = [way(maps) for maps in maps_at]
    unit = np.linalg.norm(pooled_at[0] - np.roll(pooled_at[0], 1, axis=0))  # from each digit to the next one
    change[name] = [float(np.linalg.norm(pooled - pooled_at[0]) / unit) for pooled in pooled_at]
    print(f"{name:30s}", *(f"{c:.2f}" for c in change[name]))
viz.curves(range(5), change, xlabel="shift of the picture (pixels)", ylabel="change of the maps")

# %% [markdown]
# Pooling forgives next to nothing: a few hundredths at one pixel. At three pixels a digit is as far from itself as from another digit, pooled or not. Only the *global* maximum does not
# care, because it has no places left to compare.
#
# Downsampling even adds a trouble of its own. Zhang's example ([arXiv:1904.11486](https://arxiv.org/abs/1904.11486)): a row of stripes, pooled, and the same row moved by one.

# %%
stripes = np.array([0, 0, 1, 1] * 3, dtype=np.float64)[None, None]


def with_blur(x):
    """Max at every place, then a blur [1 2 1]/4, then every second place; the row is a circle."""
    dense = np.maximum(x, np.roll(x, -1, axis=2))
    return ((np.roll(dense, 1, axis=2) + 2 * dense + np.roll(dense, -1, axis=2)) / 4)[:, :, ::2]


for name, way in (("max 2, stride 2", nn.MaxPool1d(2)), ("max, blur, stride 2", with_blur)):
    for moved in (0, 1):
        print(f"{name:20s} moved by {moved}:", *way(np.roll(stripes, moved, axis=2))[0, 0])

# %% [markdown]
# Stripes became a flat wall: the fine pattern is *aliased*, and which of the two comes out hangs on a single pixel. It is the old rule of sampling: before you keep every second value, blur. With a blur in between
# the two answers come closer. Zhang built it into known nets, and their answers became steadier.

# %% [markdown]
# ## Backward: to the winner
#
# Let $y_o = \max_{i \in \text{window}(o)} x_i$. If $x_i$ is the winner, a small change of it passes straight through; any other may change a little without effect. So
#
# $$ \frac{\partial L}{\partial x_i} = \sum_{o\,:\; i \text{ wins } o} \frac{\partial L}{\partial y_o} \quad \text{(maximum)}, \qquad \frac{\partial L}{\partial x_i} = \sum_{o\,:\; i \in \text{window}(o)} \frac{1}{K_H K_W} \frac{\partial L}{\partial y_o} \quad \text{(average).} $$
#
# Where windows overlap, the terms **add**, as for all shared edges since lecture 03. Below is a piece of a map of our net, with windows of 3 × 3 at stride 2. Step through it: one strong cell can win several windows.

# %%
row, column = (int(v) for v in np.argwhere(one[strongest[0]] == one[strongest[0]].max())[0])
top, left = min(max(row - 3, 0), 28 - 7), min(max(column - 4, 0), 28 - 9)
piece = one[strongest[0], top : top + 7, left : left + 9].round(1)
demos.PoolingStepper(piece, kernel_size=3, stride=2, view="backward")

# %% [markdown] tags=["notes"]
# **9 min.** Let a student do one overlapping pair by hand. The classic mistake is `dx[winner] = dy` in place of `+=`; the next cell shows how much it loses. Then ties: who gets the gradient is a convention, not
# mathematics; any share among the tied is a subgradient. Draw the kink of max(a, b) at a = b.
#
# *Usually asked:* "Do ties matter?" After a ReLU many windows hold only zeros. There the first zero gets the gradient, and the ReLU in front, closed at 0, stops it.

# %% [markdown]
# Two checks on random numbers, where no two are equal: our layer against a difference quotient for each input, and against `reference`, which looks at one window after another. Then the mistake that everyone makes
# once, `=` for `+=` where windows overlap.

# %%
rng = np.random.default_rng(1)
x = rng.standard_normal((1, 2, 7, 9))
agreement = {}
for name, layer in (("max", nn.MaxPool2d(3, 2)), ("average", nn.AvgPool2d(3, 2))):
    dy = rng.standard_normal(layer(x).shape)
    dx = layer.backward(dy)
    slopes, h = np.zeros_like(x), 1e-6
    for i in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[i] = h
        slopes[i] = ((layer(x + step) - layer(x - step)) * dy).sum() / (2 * h)
    by_windows = getattr(reference, f"{'max' if name == 'max' else 'avg'}_pool_backward_by_windows")
    windows = by_windows(dy, x, (3, 3), stride=(2, 2))
    agreement[name] = [float(abs(dx - other).max()) for other in (slopes, windows)]
    print(
        f"{name:8s} difference quotients: {agreement[name][0]:.1e}   one window after another: {agreement[name][1]:.1e}"
    )

# %%
layer = nn.MaxPool2d(3, 2)
dy_ones = np.ones_like(layer(x))
added, overwritten = layer.backward(dy_ones), np.zeros_like(x)
for n, c, i, j in np.ndindex(*dy_ones.shape):
    patch = x[n, c, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
    u, v = np.unravel_index(patch.argmax(), patch.shape)
    overwritten[n, c, 2 * i + u, 2 * j + v] = dy_ones[n, c, i, j]
print(f"dy sums to {dy_ones.sum():.0f}, dx to {added.sum():.0f}; with = for += only to {overwritten.sum():.0f}")

# %% [markdown]
# Equal values make the winner ambiguous. The rule here, and of PyTorch on a CPU, is: the first in row-major order. On blank paper and after a ReLU that is no rare case.
#
# And what must a layer remember for its backward pass? For the mean, only the shape. For the maximum, `y` is not enough: the first two windows below have the same `y` and different gradients. The third is a tie.

# %%
relu_windows = first_maps.reshape(len(first_maps), 8, 14, 2, 14, 2).transpose(0, 1, 2, 4, 3, 5).reshape(-1, 4)
tied = (relu_windows == relu_windows.max(axis=1, keepdims=True)).sum(axis=1) > 1
print(f"windows of our net's first maps with a tie: {tied.mean():.0%}")
for window in ([[1.0, 4.0], [2.0, 3.0]], [[3.0, 2.0], [4.0, 1.0]], [[4.0, 4.0], [4.0, 4.0]]):
    x, ten = np.array(window)[None, None], np.array([[[[10.0]]]])
    gradients = []
    for layer in (nn.MaxPool2d(2), nn.AvgPool2d(2)):
        layer(x)
        gradients.append(layer.backward(ten)[0, 0].tolist())
    print(f"{window}  max y = {x.max():.0f}, dx = {gradients[0]}   average dx = {gradients[1]}")

# %% [markdown]
# So the winners must be kept: as a mask or as indices (PyTorch's `return_indices=True` shows them), two bits for a window of 2 × 2. Our layer keeps its input `x` and finds them again, which takes more memory and
# one more comparison.

# %% [markdown]
# ## Pooling or stride
#
# A convolution with stride 2 gives maps of the same size as one with stride 1 followed by a pooling of 2 × 2. What is the difference?

# %%
convs = {
    "stride 1, then pool 2 × 2": nn.Conv2d(8, 16, 3, padding=1, rng=rng),
    "stride 2": nn.Conv2d(8, 16, 3, stride=2, padding=1, rng=rng),
}
halve = geometry.PoolGeometry((2, 2))
for name, layer in convs.items():
    g = layer.geometry
    pooled = name != "stride 2"
    out = halve.output_shape(g.output_shape((8, 28, 28))) if pooled else g.output_shape((8, 28, 28))
    field = geometry.receptive_field([g, halve] if pooled else [g]).field
    print(f"{name:26s} {out}  {g.parameter_count()} parameters", end="  ")
    print(f"{g.mac_count((8, 28, 28)):9,} multiply-adds   receptive field {field}")

# %% [markdown] tags=["notes"]
# **5 min.** Stride 2 leaves out three of four places without ever computing them; pooling computes all four and keeps the best. Both throw away the same amount. ResNets stride, VGG pools.
#
# *Usually asked:* "Which is better?" Accuracies are close; a strided layer is cheaper and learns its own weights. Springenberg and others (2015) replaced all pooling by strides and lost nothing on small pictures.

# %%
one_step, two_steps = convs["stride 1, then pool 2 × 2"], convs["stride 2"]
two_steps.weight.data, two_steps.bias.data = one_step.weight.data, one_step.bias.data
x = rng.standard_normal((2, 8, 28, 28)).astype(np.float32)
skipped = one_step(x)[:, :, ::2, ::2]
average = nn.Conv2d(8, 8, 2, stride=2, groups=8, bias=False)
average.weight.data = np.full((8, 1, 2, 2), 0.25, dtype=np.float32)
twins = {
    "stride 2 = stride 1, every second place kept": abs(two_steps(x) - skipped).max(),
    "average pooling = a depthwise convolution with weights 1/4": abs(nn.AvgPool2d(2)(x) - average(x)).max(),
}
for claim, difference in twins.items():
    print(f"{claim}: largest difference {difference:.1e}")

# %% [markdown]
# Average pooling is a convolution whose weights nobody learns. Max pooling is none: it is not linear, which makes it a second nonlinearity beside the ReLU.

# %% [markdown]
# ## All places at once
#
# In lecture 01 the scores of all windows were joined by one maximum. That was pooling with a window as large as the map, **global** max pooling: one number for each channel, from a map of any size. A net that ends so
# accepts pictures of any size, which one that flattens cannot.

# %%
rng = np.random.default_rng(0)
global_net = trained(nn.Sequential(*convolutions(rng), nn.GlobalPool("max"), nn.Linear(32, 10, rng=rng)), rng)
maps = nn.Sequential(*list(global_net)[:-2]).eval()(test[0].x)  # (N, 32, 7, 7)
print("equal to a pooling of 7 × 7:", np.array_equal(nn.GlobalPool("max")(maps), nn.MaxPool2d(7)(maps)[:, :, 0, 0]))
wide = np.pad(test[0].x[:2], ((0, 0), (0, 0), (3, 8), (5, 20)))  # paper around it
print("a wider picture:", wide.shape, "->", global_net(wide).shape)
try:
    flat_net(wide)
except ValueError as error:
    print("the net that flattens:", str(error).partition(":")[0])

# %% [markdown] tags=["notes"]
# **3 min.** Say what the two heads share and where they differ: the same three convolutions, the same training; the last layer has 32·49 inputs, with a weight for each feature *at each place*, or 32 inputs, one for each feature.
# Global average pooling is the more common one (Network in Network again); here the digit fills so little of the paper that a mean drowns it, as in lecture 01.

# %% [markdown]
# ## Is it invariant now?
#
# Back to the first question. Two nets, with the same convolutions and the same two max poolings, trained on the same digits in the middle. One flattens its last maps, the other takes their global maximum.
#
# **Before you run the next cell, predict** for both: which share of the digits is read right, moved by 0, 1, … 5 pixels to the right?

# %%
nets = {"flatten": flat_net, "global max": global_net}
logits = {name: [train.predict(net, test[s].x) for s in test] for name, net in nets.items()}
right = {name: [train.accuracy(z, test[0].y) for z in each] for name, each in logits.items()}
for name, values in right.items():
    parameters = sum(p.data.size for p in nets[name].parameters())
    print(f"{name:11s}", *(f"{v:.2f}" for v in values), f"   {parameters:,} parameters")
chance = (0.1, "guessing")
viz.curves(list(test), right, xlabel="shift (pixels)", ylabel="accuracy", level=chance)

# %% [markdown] tags=["notes"]
# **6 min.** Compare with the votes on the board. Two pooling layers stood in both nets, so pooling cannot be what makes the difference; the head does. It is lecture 01 once more: a weight for each place, or one maximum over all
# places. Training with shifted digits is the other cure, and it too has to show every place.
#
# *Usually asked:* "Then why do real nets, which do not all end in a global maximum, work?" They end in a global mean mostly, and they are trained with random crops. Azulay and Weiss (2019) found them far from invariant all the same.

# %% [markdown]
# The net that flattens reads fewer than a third of the digits when they stand five pixels further, with two max poolings inside. **Pooling alone does not make a net shift-invariant**: what comes after it decides. With the
# global maximum the accuracy hardly moves, and it needs fewer parameters.
#
# Look closer, though. An accuracy that stays does not mean that the *answers* stay:


# %%
def flips(logits):
    """Return the share of answers that differ from those to the first, unmoved pictures, at each further shift."""
    first, *others = [z.argmax(axis=1) for z in logits]
    return [float(np.mean(answers != first)) for answers in others]


larger = np.pad(test[0].x, ((0, 0), (0, 0), (10, 10), (10, 10)))  # 48 × 48, only paper added
on_larger = [train.predict(global_net, np.roll(larger, shift, axis=3)) for shift in test]
larger_right = train.accuracy(on_larger[0], test[0].y)
changed_answers = {name: flips(each) for name, each in (logits | {"global max, 48 × 48": on_larger}).items()}
print("answers that changed, at 1, 2, … 5 pixels:")
for name, shares in changed_answers.items():
    print(f"  {name:20s}", *(f"{share:4.0%}" for share in shares))
print(f"accuracy of global max on 48 × 48: {larger_right:.2f}, on 28 × 28: {right['global max'][0]:.2f}")

# %% [markdown]
# Two limits remain. On the large sheet, where the border is far, a shift by 4 pixels changes no answer: the poolings have stride 2 · 2 = 4, so all maps behind them move by one whole cell. A shift by 1, 2 or 3 meets other winners, and some
# answers flip: aliasing again. On the small sheet the zeros of the padding are near and count as well.
#
# And the large sheet costs accuracy. It has new places, where a window holds only a slice of a digit, and no border nearby; in training the maximum never met these. The net accepts every size, and is at home in the one that it was trained on.

# %% [markdown]
# ## What you saw
#
# * Pooling makes one number of a window, in each map by itself, with nothing to learn: $H' = \lfloor (H-K)/S \rfloor + 1$.
# * Backward, the maximum sends the gradient to its winner, the mean shares it equally, and overlapping windows add. The winners must be kept or found again.
# * A pooling layer forgives almost no shift of real maps. A *global* pooling does, because it leaves no places.
# * Even then, striding by 4 makes answers depend on the shift's remainder.

# %% [markdown] tags=["notes"]
# **1 min.** Read the first sentence of the lecture aloud once more and let the class correct it.

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. Max pooling with K = 3, S = 2 on 27 × 27 maps: what size comes out, and to how many windows can one cell belong?</summary>
#
# $\lfloor (27-3)/2 \rfloor + 1 = 13$. In each direction a cell lies in one window or two, so in up to $2 \cdot 2 = 4$ windows; if it wins all of them, four gradients add up in it.
# </details>
#
# <details><summary>2. Can a max pooling layer have a gradient of zero at most of its inputs, and is that bad?</summary>
#
# It always has: with windows of 2 × 2 that touch, three of four inputs get nothing. It is not bad: they had no influence on the output. Over many pictures the winners change.
# </details>
#
# <details><summary>3. Take a net of convolutions with padding but without any stride, then global max pooling. Which shifts leave its answer exactly as it is?</summary>
#
# All that keep the border out of play: with stride 1 everywhere the maps move with the picture, cell by cell, and the maximum does not care where. Padding spoils it where the pattern, or its receptive field, comes near the border.
# </details>

# %% [markdown]
# ## Go on
#
# [Assignment A4](../course/release/a4/a4_other_convolutions_and_pooling.ipynb), exercise 14, `pool2d`: both directions, for maximum and mean, with overlapping windows and padding. Then [lecture 10](10_training_a_cnn.ipynb), *Training a CNN*, puts all layers together.
