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
# # 7. Sizes, strides, receptive fields
#
# The paper on AlexNet ([Krizhevsky, Sutskever and Hinton, 2012](https://doi.org/10.1145/3065386)), the network that made convolutions famous, says of its first layer:
# pictures of 224×224 pixels, filters of 11×11, moved by 4 pixels at a time. It draws the resulting maps as 55×55. Readers who went after this with a pencil found room for only 54. **Who is wrong?**
#
# And a question that the paper does not ask: its last convolution has four others below it. **Does any unit up there see the whole picture?**
#
# *About 50 minutes. You need: what a convolution layer computes (lecture 06). Deck rows D35–D43, D46, D47.*

# %%
import numpy as np

from cnnlab import data, demos, geometry, nn, ops, summary, viz
from cnnlab.geometry import ConvGeometry

rng = np.random.default_rng(0)

# %% [markdown] tags=["notes"]
# **2 min.** Draw AlexNet's first layer as a box of 224 and a box of 55 and leave the 54 beside it; both questions are answered at the end of their sections. Everything today is counting:
# nothing is trained. Let the class count on the board before a formula is written there.

# %% [markdown]
# ## How many windows fit?
#
# A kernel of `K` cells visits every place where it fits. How many are there? Count them on an axis of `W` = 7 positions, with `K` = 3:

# %%
viz.window_ruler(7, 3)

# %% [markdown] tags=["notes"]
# **5 min.** Ask where the *last* window begins, not how many there are: the +1 then comes by itself. Draw a fence: 4 gaps, 5 posts.
# *Usually asked:* "Why not center the window on each pixel?" At the border half of it would hang out; that is the next section. Until then only full windows count.
# *Usually asked:* "And a picture that is not square?" Each axis is counted alone; nothing in the formula knows the other axis.

# %% [markdown]
# The first window begins at position 0. The last one ends at `W − 1`, so it begins at `W − K`. From 0 to `W − K` there are **`W − K + 1`** windows,
# and as many outputs; each axis of a picture is counted alone. Does that hold for all sizes? Lay the windows down one by one:


# %%
def counted(W, K, S=1, P=0):
    """Lay windows down from the first position, padding included, until one sticks out."""
    first, windows = -P, 0
    while first + K <= W + P:
        first, windows = first + S, windows + 1
    return windows


pairs = [(W, K) for W in range(1, 41) for K in range(1, W + 1)]
agree = sum(counted(W, K) == W - K + 1 for W, K in pairs)
print(f"counted = W − K + 1 for {agree} of {len(pairs)} pairs of W and K")
x = rng.standard_normal((1, 1, 7, 7), dtype="float32")
y = nn.Conv2d(1, 1, 3, rng=rng)(x)
print(f"a 3×3 layer makes {x.shape} into {y.shape}")

# %% [markdown]
# So every layer takes something away. **Before you run the next cell, predict:** how many layers of 5×5 can stand on one another
# if the picture has 32×32 pixels?

# %%
x = rng.standard_normal((1, 1, 32, 32), dtype="float32")
shrinking = [x.shape[-1]]
try:
    while True:
        x = nn.Conv2d(1, 1, 5, rng=rng)(x)
        shrinking.append(x.shape[-1])
except ValueError as error:
    print(" → ".join(map(str, shrinking)), f"  ({len(shrinking) - 1} layers), then:\n{error}")

# %%
depths = range(9)
left = {f"K = {K}": [max(32 - L * (K - 1), 0) for L in depths] for K in (3, 5, 7)}
viz.curves(depths, left, xlabel="layers", ylabel="size of the map", title="A picture of 32 positions shrinks")

# %% [markdown]
# Size is not all that is lost. Here is how many windows of 3×3 look at each pixel of a 7×7 picture:

# %%
looks = np.zeros((7, 7))
for edge in ConvGeometry((3, 3)).edges((7, 7)):  # every connection from an input to an output
    looks[edge.input] += 1
viz.maps([looks], numbers=True)

# %% [markdown]
# What lies at the border is looked at less, and what lies in a corner once. If the flower grows there, the net has one try.

# %% [markdown]
# ## Padding
#
# The remedy for both: add `P` positions at each end and put zeros there. The axis is now `W + 2P` long, so there are **`W − K + 1 + 2P`** outputs.

# %%
viz.window_ruler(7, 3, padding=1)

# %% [markdown] tags=["notes"]
# **7 min.** Let them solve W − K + 1 + 2P = W themselves; someone will notice that even K has no solution, which is why odd kernels are the custom. Spend time on the blurred cup: students think of
# zeros as "nothing", but a zero is black. On the gray picture, ask before running: what does the first layer's map look like in the middle, and what at the border?
# *Usually asked:* "Which mode is best?" Zeros are what nearly all nets use: cheapest, and the net learns around them. Reflection helps where borders are looked at, as in generated pictures.

# %% [markdown]
# The size stays as it is if `2P = K − 1`. This is called **"same" padding**. **Before you run the next cell, predict:** which `P` does a kernel of 5 need? And one of 4?

# %%
for K in range(1, 8):
    layer = ConvGeometry(K, padding="same")
    ((before, after),) = layer.padding
    print(f"K = {K}: {before} before, {after} after; 32 positions give {layer.output_size([32])[0]}")

# %% [markdown]
# For odd `K`, `P = (K−1)/2`. For even `K` no `P` fits, since `K − 1` is odd: one end must get one more, and PyTorch and we give it to the last. An odd kernel also has
# a middle, so that an output lies exactly over a pixel. Even kernels are rare.
#
# Zeros are not nothing. To a picture they are a **black frame**. Below, each output is the mean of 15×15 pixels; only what stands in the padding differs.

# %%
coffee = data.load_photos(size=120, grey=True)[1].x
K = 15
mean_of_window = np.full((1, 1, K, K), 1 / K**2, dtype=coffee.dtype)
modes = ("zeros", "reflect", "replicate", "circular")
blurred = {m: ops.conv_forward(coffee[None], mean_of_window, padding="same", padding_mode=m)[0] for m in modes}
viz.pictures([coffee, *blurred.values()], titles=["photo", *modes], columns=3)


# %%
def frame(picture):
    """The pixels at the very border."""
    return np.concatenate([picture[0, [0, -1]].ravel(), picture[0, 1:-1, [0, -1]].ravel()])


for mode, picture in blurred.items():
    print(f"{mode:9s} border {frame(picture).mean():.2f}, all pixels {picture.mean():.2f}")

# %% [markdown]
# With zeros the border is darker, about half as bright as with the others. The other modes are no truer: *reflect* mirrors the picture, *replicate* repeats its last pixel, *circular* goes on at
# the opposite side. All are inventions about what lies outside.
#
# Now a picture with nothing in it, all one gray, through four layers of 3×3 with padding 1 and random weights. Every unit sees gray. What differs from the middle?

# %%
layers = [nn.Conv2d(8 if i else 1, 8, 3, padding=1, rng=rng, dtype="float64") for i in range(4)]
y = np.ones((1, 1, 21, 31))
differs = []
for layer in layers:
    y = np.maximum(layer(y), 0)
    differs.append(np.abs(y - y[:, :, 10:11, 15:16])[0].sum(axis=0))
rows = [int((change[:10, 15] > 1e-9).sum()) for change in differs]
print(f"rows at the upper border that differ from the middle: {rows}")
titles = [f"after layer {i}" for i in range(1, 5)]
viz.maps([change / change.max() for change in differs], titles=titles, columns=4)

# %% [markdown]
# The border shows, and creeps in by one row a layer. A convolution treats all places alike; a **padded** one does not quite, and nets use this to tell where a thing is
# ([Islam, Jia and Bruce, ICLR 2020](https://arxiv.org/abs/2001.08248)). Why one row a layer? That is the next question.

# %% [markdown]
# ## What one unit sees
#
# An output of a `K`×`K` layer looks at `K`×`K` units of the layer below: its **receptive field** there. But each of these looks at `K`×`K` further down.
# **Before you run the next cells, predict:** with three layers of 3×3 on one another, how many pixels can change one output?
#
# Ask a net. Change one pixel, see whether the unit changes; do so for every pixel, one picture each, all in one batch.


# %%
def pixels_that_matter(net, size, unit):
    """Change each pixel in turn; return which changes reach the unit, in any of its channels."""
    x = np.random.default_rng(1).standard_normal((1, 1, size, size))
    changed = x + np.eye(size * size).reshape(-1, 1, size, size)  # (pixels, 1, H, W)
    i, j = unit
    effect = net(changed)[:, :, i, j] - net(x)[:, :, i, j]
    return (np.abs(effect) > 1e-9).any(axis=1).reshape(size, size)


make = {"rng": np.random.default_rng(0), "dtype": "float64"}
net = nn.Sequential(
    *[nn.Conv2d(1, 8, 3, **make), nn.ReLU()],
    *[nn.Conv2d(8, 8, 3, **make), nn.ReLU()],
    *[nn.Conv2d(8, 8, 3, **make), nn.ReLU()],
)

# %% [markdown] tags=["notes"]
# **6 min.** Draw the cone from the side: one unit, three below it, five, seven. Neighbors' windows overlap in all but one column, which is why a layer adds K − 1 and not K, and why nothing multiplies.
# Click a unit of each layer of the demo, then drag its border to see a cone cut by the picture's edge. *Usually asked:* "Why 49 and not 9·9·9?" Paths multiply, places do not: many paths
# lead to the same pixel (the section after this one counts them).

# %%
seen = []
for depth in (1, 2, 3):
    size = 13 - 2 * depth  # of the map, counted from 0: its middle unit is at size // 2
    seen.append(pixels_that_matter(net[: 2 * depth], 13, (size // 2, size // 2)))
    rows, columns = (seen[-1].any(axis=axis).sum() for axis in (1, 0))
    print(f"after layer {depth}: {seen[-1].sum()} pixels, {rows} rows and {columns} columns")
viz.maps([s * 1.0 for s in seen], titles=["1 layer", "2 layers", "3 layers"], columns=3)

# %% [markdown]
# In the layer right below, each unit sees 3×3. In the *input* a unit of layer 3 sees 7×7: windows of neighbors overlap in all but one row, so a layer adds
# **`K − 1`**, and after `L` layers the field is **`1 + L·(K − 1)`** on each axis. The library follows the layers' geometry and changes no pixel:

# %%
print("layers  in the layer below  in the input  1 + L·(K−1)")
for L in range(1, 6):
    stack = [ConvGeometry((3, 3))] * L
    below, field = ("×".join(map(str, geometry.receptive_field(s).field)) for s in (stack[-1:], stack))
    print(f"{L:6d}  {below:>18}  {field:>12}  {1 + L * 2:11d}")
one_layer_each = [layer.geometry for layer in net if isinstance(layer, nn.Conv2d)]
rows, columns = geometry.receptive_field(one_layer_each).inputs((3, 3))
same = np.array_equal(np.argwhere(seen[2]), [(i, j) for i in rows for j in columns])
print("the same pixels as the net's own answer:", same)

# %% [markdown]
# Point at any unit of the net to see what it looks at and which units it reaches further up:

# %%
demos.ReceptiveField(net, input_size=(13, 13))

# %% [markdown]
# ## Seen is not the same as used
#
# Forty layers of 3 see a row of 81 positions. But one path leads from the unit to the outermost of them, and very many lead to the middle.
# **Before you run the next cell, predict:** how wide is the strip in the middle that holds 95 % of all paths?


# %%
def path_shares(L, K=3):
    """The share of all paths that end at each position of the receptive field, on one axis."""
    paths = np.ones(1)
    for _ in range(L):
        paths = np.convolve(paths, np.ones(K) / K)  # each unit sends a path to each of K below it
    return paths


def strip(shares, most=0.95):
    middle = len(shares) // 2
    return next(2 * h + 1 for h in range(middle + 1) if shares[middle - h : middle + h + 1].sum() >= most)


for L in (5, 10, 20, 40, 80):
    shares = path_shares(L)
    print(f"{L:2d} layers see {len(shares):3d}; 95 % of the paths end in the middle {strip(shares):2d}")

# %% [markdown] tags=["notes"]
# **5 min.** Pascal's triangle with three parents: draw 1, then 1 1 1, then 1 2 3 2 1. The path counts of L layers are a sum of L independent steps, so they tend to a bell of width √L (central limit theorem).
# In a net without ReLUs, with independent weights of mean zero, the expected squared gradient is in proportion to the paths: in the square, mixed products of different paths average to zero.
# *Usually asked:* "Does training change this?" Yes: Luo et al. find that the used part grows in training, but stays well short of the field. *Usually asked:* "So deep stacks are useless?" No:
# the middle gets richer features. But do not count on the rim.

# %%
depths = range(1, 81, 4)
widths = {
    "receptive field, 1 + L·(K−1)": [1 + 2 * L for L in depths],
    "middle strip with 95 % of the paths": [strip(path_shares(L)) for L in depths],
}
viz.curves(depths, widths, xlabel="layers of 3", ylabel="positions")

# %% [markdown]
# From 20 layers to 80, the field grows fourfold and the strip about twofold: it grows with `√L`. Do paths say anything about nets that compute? Take 100 nets of six layers with random weights and ask each, by backpropagation, how
# much every pixel matters to the one unit at the top:

# %%
L, size = 6, 13
gradients = np.zeros((size, size))
for seed in range(100):
    make = {"rng": np.random.default_rng(seed), "dtype": "float64"}
    convolutions = [nn.Conv2d(8 if i else 1, 8, 3, bias=False, **make) for i in range(L)]
    net = nn.Sequential(*[layer for conv in convolutions for layer in (conv, nn.ReLU())][:-1])
    y = net(make["rng"].standard_normal((1, 1, size, size)))  # one unit is left: (1, 8, 1, 1)
    squared = net.backward(make["rng"].standard_normal(y.shape))[0, 0] ** 2
    gradients += squared / squared.sum() / 100  # the mean over all nets; each counts alike
paths = np.outer(path_shares(L), path_shares(L))
viz.maps([paths, gradients], titles=["share of the paths", "squared gradient, mean"])

# %%
for name, shares in (("paths", paths), ("gradients", gradients)):
    print(f"{name}: the 5×5 in the middle, of 13×13, have {shares[4:9, 4:9].sum():.0%}")
print(f"correlation of the two pictures: {np.corrcoef(paths.ravel(), gradients.ravel())[0, 1]:.3f}")

# %% [markdown]
# A bright middle and a rim that hardly counts: the **effective receptive field** ([Luo, Li, Urtasun and Zemel, NIPS 2016](https://arxiv.org/abs/1701.04128)). The receptive field says what a unit *can* see, no more.
# The same counts to step through, one axis only:

# %%
demos.ReceptiveField([3] * 6, input_size=17, weighted=True)

# %% [markdown]
# ## A picture of 224 pixels
#
# Six layers see 13 pixels. **Predict** once more: how many layers of 3×3 until one unit sees all of a picture of 224?

# %%
L = 1
while geometry.receptive_field([ConvGeometry((3, 3))] * L).field[0] < 224:
    L += 1
print(f"{L} layers; {L - 1} see {geometry.receptive_field([ConvGeometry((3, 3))] * (L - 1)).field[0]}")
one_layer = ConvGeometry((3, 3), padding=1, in_channels=64, out_channels=64).mac_count((64, 224, 224))
print(f"with 64 channels each: {L * one_layer:,} multiply-adds")
print(f"all of ResNet-18:      {summary(nn.models.resnet18(sketch=True), (3, 224, 224)).multiply_adds:,}")

# %% [markdown] tags=["notes"]
# **2 min.** Let them guess before anyone solves 1 + 2L ≥ 224. The cost line is the argument: a hundred layers at full size cost over a hundred times what a whole good net costs.
# Ask for remedies: larger kernels (cost K²), dilation (lecture 08), a smaller picture (loses detail at once), or smaller maps *inside* the net.

# %% [markdown]
# No one builds that. The remedy is to make the maps smaller **inside** the net: on a map of half the size, one step to the neighbor is two pixels of the picture,
# and each further layer adds twice as much. Pooling does this (lecture 09), and so does a convolution that takes longer steps.

# %% [markdown]
# ## Stride
#
# A convolution with **stride** `S` moves its window by `S` positions. On 7 positions, a window of 3 with stride 2:

# %%
viz.window_ruler(7, 3, stride=2)

# %% [markdown] tags=["notes"]
# **6 min.** On the board: the last window begins at W − K, or a little before; the number of *steps* is (W − K)/S rounded down, and windows are steps plus one.
# In the demo, set the stride to 3 in one direction only, and look for the hatched strip; then pad until it vanishes. Resolve AlexNet with the whole class: it is the first payoff of the lecture.
# *Usually asked:* "Does the lost strip matter?" Seldom; but the net is blind there, on one side only, and a transposed convolution, on the way back to the full size, comes out too small by the strip.

# %% [markdown]
# Three windows, so 7×7 becomes 3×3. **Before you run the next cell, predict:** how many windows fit on 8 positions?

# %%
viz.window_ruler(8, 3, stride=2)

# %% [markdown]
# Three again. Nobody looks at the last position. The steps that fit are `(W − K + 2P)/S`, **rounded down**, and there is one window more than steps:
#
# $$ \left\lfloor \frac{W - K + 2P}{S} \right\rfloor + 1 $$

# %%
cases = [
    (W, K, S, P) for W in range(1, 25) for K in range(1, 8) for S in range(1, 5) for P in range(4) if W + 2 * P >= K
]
agree = sum(counted(W, K, S, P) == (W - K + 2 * P) // S + 1 for W, K, S, P in cases)
print(f"counted = formula for {agree} of {len(cases)} choices of W, K, S and P")
same = sum(counted(W, K, S, P) == ConvGeometry(K, S, P).output_size([W])[0] for W, K, S, P in cases)
print(f"counted = cnnlab's geometry for {same} of {len(cases)}")
x = rng.standard_normal((1, 1, 7, 7), dtype="float32")
print(f"3×3 with stride 2 makes {x.shape} into {nn.Conv2d(1, 1, 3, stride=2, rng=rng)(x).shape}")

# %% [markdown]
# In a picture the unused strip is a whole row or column, here hatched. Change stride and padding until both vanish:

# %%
patch = (coffee[0, 6:66:6, 12:72:6] * 9).round()  # 10×10 pixels of the photo, as numbers from 0 to 9
demos.ConvStepper(patch, [[1, 0, -1], [2, 0, -2], [1, 0, -1]], stride=(3, 2))

# %% [markdown]
# Longer steps give nothing new: stride `S` is stride 1, of which every `S`-th output is kept. The others are simply never computed.

# %%
w = rng.standard_normal((4, 1, 5, 5), dtype="float32")
for S in (2, 3, 4):
    strided = ops.conv_forward(coffee[None], w, stride=S)
    kept = ops.conv_forward(coffee[None], w)[:, :, ::S, ::S]
    costs = [ConvGeometry((5, 5), s, out_channels=4).mac_count(coffee.shape) for s in (1, S)]
    difference = np.abs(strided - kept).max()
    print(f"stride {S}: {strided.shape}, difference {difference:.1g}, {costs[0] / costs[1]:.1f} times cheaper")

# %% [markdown]
# Now AlexNet's first layer can be settled. Filters of 11, stride 4:

# %%
for W, P in ((224, 0), (224, 2), (227, 0)):
    windows = counted(W, 11, 4, P)
    unused = W + 2 * P - ((windows - 1) * 4 + 11)
    print(f"{W} pixels, padding {P}: {windows} windows, positions left over: {unused}")

# %% [markdown]
# The pencil was right. For 55 it takes 227 pixels, as in the Caffe version of the net, or a padding of 2, as in torchvision's. The paper mentions neither. Give all four
# numbers when you describe a layer: `W`, `K`, `S` and `P`.

# %% [markdown]
# ## Receptive fields with strides
#
# Walk up from the input and keep two numbers on each axis: the field `r`, and the **jump** `j`, the distance in the input between what two neighbors see. Both begin at 1.
# A layer reaches `K − 1` steps further, each worth `j` pixels; after it, neighbors are `S` times as far apart:
#
# $$ r \leftarrow r + (K-1)\,j, \qquad j \leftarrow j\,S $$


# %%
def field_and_jump(kernels_and_strides):
    r, j = 1, 1
    for K, S in kernels_and_strides:
        r, j = r + (K - 1) * j, j * S
    return r, j


make = {"rng": np.random.default_rng(0), "dtype": "float64"}
net = nn.Sequential(nn.Conv2d(1, 8, 5, 2, **make), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 8, 3, **make))
seen = pixels_that_matter(net, 25, (1, 1))
print("recurrence:         ", field_and_jump([(5, 2), (2, 2), (3, 1)]))
print("geometry:           ", geometry.receptive_field([net[i].geometry for i in (0, 2, 3)]))
rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
print("pixels that matter: ", f"{len(rows)}×{len(columns)}; unit (1, 1) begins at ({rows[0]}, {columns[0]})")

# %% [markdown] tags=["notes"]
# **4 min.** Do the example on the board before running it: 1 → 5 (jump 2) → 7 (jump 4) → 15. At stride 1 the jump stays 1, and the sum is 1 + L·(K − 1) again. Ask where the order of layers matters:
# a stride helps every layer *above* it and none below, which is why nets shrink early.

# %% [markdown]
# Three ways, one answer. At stride 1 the jump stays 1 and the rule is the old one. With strides the jump multiplies, and the field with it:

# %%
depths = range(1, 13)
stacks = {
    "stride 1": [(3, 1)] * 12,
    "stride 2 in every third layer": [(3, 1), (3, 1), (3, 2)] * 4,
    "stride 2 in every layer": [(3, 2)] * 12,
}
fields = {name: [field_and_jump(stack[:L])[0] for L in depths] for name, stack in stacks.items()}
for name, sizes in fields.items():
    enough = next((L for L, r in zip(depths, sizes, strict=True) if r >= 224), None)
    print(f"{name}: {f'{enough} layers see 224' if enough else f'{len(sizes)} layers see only {sizes[-1]}'}")
viz.curves(depths, fields, xlabel="layers of 3×3", ylabel="receptive field", level=(224, "224"), log=True)

# %% [markdown]
# ## What a layer costs
#
# The deck's example: pictures of 3×32×32, ten filters of 5×5, stride 1, padding 2. **Before you run the next cell, predict** three things: the shape of the output, the number of
# parameters, and the number of multiplications.

# %%
layer = nn.Conv2d(3, 10, 5, padding=2, rng=rng)
summary(layer, (3, 32, 32))

# %% [markdown] tags=["notes"]
# **6 min.** Have them write all three down first; most forget the 3 channels in a filter, or the bias. The point to stress: parameters do not depend on the picture, multiply-adds do not depend on whether weights are shared.
# In the demo: change padding to 0, then the stride to 2, and read what changes and what does not. *Usually asked:* "FLOPs or multiply-adds?" One multiply-add is two floating-point operations; papers mix both, so
# factors of 2 between sources are common.

# %%
C_out, H, W = summary(layer, (3, 32, 32)).output_shape
in_one_filter = 3 * 5 * 5
print(f"a filter: 3·5·5 = {in_one_filter} weights and a bias, {in_one_filter + 1} parameters")
print(f"parameters: {C_out} · {in_one_filter + 1} = {C_out * (in_one_filter + 1)}")
outputs = C_out * H * W
print(f"multiply-adds: {outputs:,} outputs · {in_one_filter} = {outputs * in_one_filter:,}")
edges = sum(1 for edge in layer.geometry.edges((32, 32)))
print(f"counted edge by edge, without products with the padding: {3 * C_out * edges:,}")

# %% [markdown]
# Parameters depend on the kernel and the channels, not on the picture. Multiply-adds depend on both: **each weight is used once for every output position**. The customary count includes products with the zeros of the padding;
# without them there are somewhat fewer.

# %%
small_net = nn.Sequential(
    *[layer, nn.ReLU(), nn.MaxPool2d(2)],
    *[nn.Conv2d(10, 20, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2)],
    *[nn.Flatten(), nn.Linear(20 * 8 * 8, 10, rng=rng)],
)
demos.ArchitectureCalculator(small_net, input_shape=(3, 32, 32))

# %% [markdown]
# Every cell of the table can be changed, and a row that does not fit says why. All that belongs to a convolution layer, with PyTorch's names:
#
# | | | the example |
# |---|---|---|
# | input | `(N, C_in, H, W)` | `(N, 3, 32, 32)` |
# | you choose | filters `C_out`, kernel `K_H`×`K_W`, stride `S`, padding `P` | 10, 5×5, 1, 2 |
# | weight | `(C_out, C_in, K_H, K_W)` | `(10, 3, 5, 5)` |
# | bias | `(C_out,)` | `(10,)` |
# | output | `(N, C_out, H', W')` with `H' = ⌊(H − K_H + 2P)/S⌋ + 1`, `W'` likewise | `(N, 10, 32, 32)` |
# | parameters | `C_out·(C_in·K_H·K_W + 1)` | 760 |
# | multiply-adds | `C_out·H'·W' · C_in·K_H·K_W` for each picture | 768,000 |
#
# The table is worth a test with nothing square, no two numbers alike:

# %%
N, C_in, H, W = 2, 3, 20, 31
C_out, K_H, K_W, S, P = 5, 4, 7, 3, 1
layer = nn.Conv2d(C_in, C_out, (K_H, K_W), S, P, rng=rng)
y = layer(np.zeros((N, C_in, H, W), dtype="float32"))
print("weight", layer.weight.data.shape, " bias", layer.bias.data.shape, " output", y.shape)
expected = (N, C_out, (H - K_H + 2 * P) // S + 1, (W - K_W + 2 * P) // S + 1)
counts = (C_out * (C_in * K_H * K_W + 1), expected[1] * expected[2] * expected[3] * C_in * K_H * K_W)
found = summary(layer, (C_in, H, W))
print("as in the table:", y.shape == expected and (found.parameters, found.multiply_adds) == counts)

# %% [markdown]
# ## Settings that everybody uses
#
# All numbers are yours to choose. By custom kernels are square, `P` keeps the size, the number of filters is a power of two, and most layers are one of these four. Here each works on 64 maps of 32×32:

# %%
settings = {
    "3×3, P = 1, S = 1": nn.Conv2d(64, 64, 3, padding=1, rng=rng),
    "5×5, P = 2, S = 1": nn.Conv2d(64, 64, 5, padding=2, rng=rng),
    "1×1, P = 0, S = 1": nn.Conv2d(64, 64, 1, rng=rng),
    "3×3, P = 1, S = 2": nn.Conv2d(64, 64, 3, stride=2, padding=1, rng=rng),
}
for name, layer in settings.items():
    s = summary(layer, (64, 32, 32))
    print(f"{name}: {s.output_shape!s:12s} {s.parameters:7,} parameters {s.multiply_adds:11,} multiply-adds")

# %% [markdown] tags=["notes"]
# **3 min.** The first three keep the size (P = (K−1)/2), the last halves it: the stride formula with an even W rounds down to exactly W/2. Powers of two are habit and hardware, not theory.
# *Usually asked:* "What is a 1×1 for?" It mixes channels at one place: next lecture. End with VGG's argument: small kernels, stacked.

# %% [markdown]
# Where is the 7×7? **Predict:** three layers of 3×3 see as much as one of 7×7. Which has more parameters?

# %%
for K, small in ((5, 2), (7, 3)):
    large_one = ConvGeometry((K, K), in_channels=64, out_channels=64)
    threes = [ConvGeometry((3, 3), in_channels=64, out_channels=64)] * small
    assert geometry.receptive_field(threes).field == (K, K)
    print(f"see {K}×{K}: one layer {large_one.parameter_count():,} parameters,", end=" ")
    print(f"{small} layers of 3×3 {sum(g.parameter_count() for g in threes):,}")

# %% [markdown]
# The stack is cheaper, and has a nonlinearity after each layer, where the large kernel has one in all. This is the argument for VGG ([Simonyan and Zisserman, ICLR 2015](https://arxiv.org/abs/1409.1556)), and why
# kernels larger than 3×3 became rare behind the first layer. (Stacked kernels cannot make every 7×7 kernel, though; they are a constrained choice.)

# %% [markdown]
# ## Three famous nets
#
# All of today's rules on AlexNet, in torchvision's layout. `sketch=True` makes a net that has shapes but no numbers:

# %%
nets = {"AlexNet": nn.models.alexnet, "VGG-16": nn.models.vgg16, "ResNet-18": nn.models.resnet18}
tables = {name: summary(make_net(sketch=True), (3, 224, 224)) for name, make_net in nets.items()}
tables["AlexNet"]

# %% [markdown] tags=["notes"]
# **6 min.** Read one row of the table together and recompute it. Then the vote, with hands: where are the parameters, where is the work? Almost everybody says the same place for both. Explain with one sentence: a weight of a
# convolution works at every place, a weight of a fully connected layer once. *Usually asked:* "Does the last layer need to see everything?" The fully connected layers (or the mean over the map) see all of it together.

# %% [markdown]
# Count from the input to the last convolution. Now the second question of the beginning has its answer:

# %%
for name, table in tables.items():
    last = [row for row in table.layers if row.kind == "Conv2d"][-1]
    field, jump = ("×".join(map(str, pair)) for pair in (last.receptive_field, last.jump))
    print(f"{name:9s} the last convolution has a receptive field of {field} and a jump of {jump}")

# %% [markdown]
# The picture has 224×224. No unit of AlexNet's last convolution sees all of it (nor of the pooling above, says the table), and none of VGG-16's last convolution: there only the fully connected
# layers put the parts together. ResNet-18's field is larger than the picture; how much of it counts is another matter, as we saw.
#
# **Predict** before the last figure: in AlexNet, which layers hold most of the *parameters*, convolutions or fully connected layers? And which do most of the *multiply-adds*?

# %%
viz.cost_shares(tables)

# %%
for name, table in tables.items():
    dense = [row for row in table.layers if row.kind == "Linear"]
    parameters = sum(row.parameters for row in dense) / table.parameters
    work = sum(row.multiply_adds for row in dense) / table.multiply_adds
    print(f"{name:9s} {table.parameters:11,} parameters, {parameters:4.0%} in fully connected layers;", end=" ")
    print(f"{table.multiply_adds:14,} multiply-adds, {work:5.1%} there")
first = tables["AlexNet"]["features.0"]
print(f"each weight of AlexNet's first layer is used {first.output_shape[1] * first.output_shape[2]:,} times a picture")

# %% [markdown]
# Almost all parameters of the older two are where almost no work is done. A weight of a fully connected layer is used once a picture; a weight of a convolution once at every place. So the
# questions "does it fit into memory?" and "is it fast?" have answers in different layers. ResNet-18 takes the mean over the last map in place of two fully connected layers, and has
# a fraction of AlexNet's parameters, though it does more work.
#
# One more pattern hides in its bar, so even:

# %%
work = [row.multiply_adds for row in tables["ResNet-18"].layers if row.kind == "Conv2d"]
common = max(set(work), key=work.count)
print(f"{work.count(common)} of {len(work)} convolutions cost exactly {common:,} multiply-adds")
for stage in ("layer1", "layer2", "layer3", "layer4"):
    row = tables["ResNet-18"][f"{stage}.1.conv1"]
    print(f"{row.name}: {row.output_shape!s:14s} {row.parameters:9,} parameters, {row.multiply_adds:,} multiply-adds")

# %% [markdown]
# Whenever the map is halved, the channels are doubled: a quarter of the places, four times the weights. The cost of a layer stays, its parameters and its field grow. Many nets follow this rule.

# %% [markdown]
# ## What you saw
#
# * `⌊(W − K + 2P)/S⌋ + 1` windows fit, an axis. It is a count, and what is left over at the end is never looked at.
# * Zero padding keeps the size, and lets the border be seen.
# * A layer adds `(K − 1)·j` to the receptive field; strides multiply the jump `j`. Seen is not used: the middle counts most.
# * Parameters do not depend on the size of the picture; multiply-adds do. They lie in different layers of a net.

# %% [markdown] tags=["notes"]
# **1 min.** Back to the board: 54 or 55, and does it see everything? Let two students answer in their own words.

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. A layer 7×7 with stride 2 and padding 3 gets 224×224 pixels (this is how ResNet-18 begins). What size comes out, and is any pixel unused?</summary>
#
# $\lfloor (224 - 7 + 6)/2 \rfloor + 1 = \lfloor 111.5 \rfloor + 1 = 112$. Half a step is left over: the last of the padded positions, a zero, is not looked at. All pixels are.
# </details>
#
# <details><summary>2. You put a stride of 2 into the first of five 3×3 layers, or into the last. Which net has the larger receptive field, and which is cheaper?</summary>
#
# Into the first, for both. First: $3 + 4 \cdot 2 \cdot 2 = 19$; last: $1 + 5 \cdot 2 = 11$, since a stride only helps the layers above it. And four layers then work on a map with a quarter of the places. What it gives up is detail.
# </details>
#
# <details><summary>3. The worked example gets pictures of 64×64 in place of 32×32. What becomes of its 760 parameters and 768,000 multiply-adds?</summary>
#
# 760 parameters as before: filters do not know how large the picture is. Four times the places, four times the multiply-adds: 3,072,000.
# </details>

# %% [markdown]
# ## Go on
#
# [Assignment A3](../course/release/a3/a3_convolution.ipynb) follows: the convolution layer, written by you. Exercise 8, `conv2d_loops`, is the definition; exercise 9, `sizes_and_costs`, is this lecture (`output_size`, `same_padding`, `receptive_field`,
# `parameter_count`, `mac_count`); exercise 10, `conv2d_forward`, and exercise 11, `conv2d_backward`, make the layer; exercise 12, `compose_kernels`, stacks two of them. Then [lecture 08](08_one_by_one_and_other_convolutions.ipynb): kernels of 1×1, and convolutions of sound and of clips.
