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
# # 8. One by one, and other convolutions
#
# Two films of a flower that crosses a meadow. The second is the first one run backwards, so both consist of the very same pictures. **Which filter can tell them apart?** No filter that you
# have met so far can. And what is the use of a filter that is one pixel high and one pixel wide, so that it sees no edge, no spot, no shape?
#
# This lecture changes every argument of a convolution that lectures 06 and 07 left alone: the size 1, groups, dilation, what stands in the padding, and the number of axes.
#
# *About 45 minutes. You need: what a convolution layer computes (lecture 06), its sizes and costs (lecture 07). Deck rows D44, D45, D48–D50.*

# %%
import importlib.util

import numpy as np

from cnnlab import data, demos, geometry, nn, optim, reference, train, viz

rng = np.random.default_rng(0)


def filled(layer, weight):
    """Put given weights, and no bias, into a layer without one."""
    layer.weight.data = np.asarray(weight, dtype=layer.weight.data.dtype)
    return layer


# %% [markdown] tags=["notes"]
# **2 min.** Ask the question about the two films and collect answers; do not settle it. Most will say "a bigger filter", some "compare two frames". Say that the lecture has one idea in eight
# forms: the sum over input channels and taps stays, only the set of taps changes.

# %% [markdown]
# ## A filter without extent
#
# A filter spans *all* channels of its input, whatever its height and width. With $K_H = K_W = 1$ there is one weight for each channel, and the output at a place is
#
# $$ y_{j}(h, w) = b_j + \sum_{c} w_{j,c}\; x_{c}(h, w) , $$
#
# a perceptron that looks through the depth of the stack at one pixel. On a color photo the depth is red, green, blue: a 1×1 convolution with three filters is a **recoloring**.

# %%
photo = data.load_photos(size=180)[1].x.astype(np.float64)  # (3, H, W), in 0 … 1
C, H, W = photo.shape
opponents = [[0.21, 0.72, 0.07], [1, -1, 0], [-0.5, -0.5, 1]]  # luminance, red − green, blue − yellow
recolor = filled(nn.Conv2d(3, 3, 1, bias=False, dtype=np.float64), np.array(opponents)[:, :, None, None])
print("weights", recolor.weight.data.shape, "   input", photo.shape, "   output", recolor(photo[None]).shape[1:])
bright, red_green, blue_yellow = recolor(photo[None])[0]
grey = [bright[None], 0.5 + red_green[None] / 2, 0.5 + blue_yellow[None] / 2]  # opponents: middle grey is zero
viz.pictures([photo, *grey], titles=["photo", "luminance", "red − green", "blue − yellow"])

# %% [markdown] tags=["notes"]
# **6 min.** Write the weights as a 3 × 3 matrix and say that a 1×1 layer *is* that matrix, applied to each pixel's column of numbers. Draw the stack as a loaf with a skewer through it: the skewer
# is the 1×1 filter. In the demo press "1 × 1" to see a 3×3 filter shrink to its center tap.
#
# *Usually asked:* "Is it not just a multiplication by a number?" For one channel it is. With C_in channels it is a dot product of C_in numbers, and C_out of them: a matrix. Depth is what
# it works on.

# %% [markdown]
# **Before you run the next cell, predict:** the pixels of the photo are shuffled, all channels alike, so that nothing is left of cup and spoon. The recoloring is
# applied to the shuffled photo, and the shuffle then undone. What comes out? And with a 3×3 filter?

# %%
order = rng.permutation(H * W)


def shuffled(x, order):
    return x.reshape(len(x), -1)[:, order].reshape(x.shape)


recolored_then_sorted = shuffled(recolor(shuffled(photo, order)[None])[0], np.argsort(order))
three = filled(nn.Conv2d(3, 1, 3, padding=1, bias=False, dtype=np.float64), rng.standard_normal((1, 3, 3, 3)))
three_then_sorted = shuffled(three(shuffled(photo, order)[None])[0], np.argsort(order))
shuffle_differences = [
    abs(recolored_then_sorted - recolor(photo[None])[0]).max(),
    abs(three_then_sorted - three(photo[None])[0]).max(),
]
print("difference from the layer on the photo as it is, 1 × 1: {:.1e}   3 × 3: {:.1f}".format(*shuffle_differences))
viz.pictures(
    [shuffled(photo, order), recolored_then_sorted[:1]],
    titles=["shuffled", "luminance, sorted"],
)

# %% [markdown]
# The 1×1 layer does not notice: each pixel is on its own. So it can never see what is made of *neighbors*, an edge, a texture, a shape. For that the 3×3 filter is there, and shuffling ruins it.
#
# In the demo, the same photo and four 3×3 filters. The switch "1 × 1" keeps only their center taps: watch what is left of the maps, of the parameters and of the multiply-adds.

# %%
small = data.load_photos(size=40)[1].x
demos.VolumeView(small, np.round(0.5 * rng.standard_normal((4, 3, 3, 3)), 1), padding=1)

# %% [markdown]
# ## An MLP at every pixel
#
# Put one 1×1 layer on another, with a ReLU between. A column of `C_in` numbers goes through a layer of perceptrons, a nonlinearity, another layer: that is an MLP, and the same MLP at each pixel.
# Here it is both ways, as convolutions and as an MLP over a table with one row a pixel.

# %%
mlp = nn.mlp([3, 8, 2], rng=rng, dtype=np.float64)
stack = nn.Sequential(nn.Conv2d(3, 8, 1, dtype=np.float64), nn.ReLU(), nn.Conv2d(8, 2, 1, dtype=np.float64))
for convolution, linear in ((stack[0], mlp[0]), (stack[2], mlp[2])):
    convolution.weight.data = linear.weight.data[:, :, None, None]
    convolution.bias.data = linear.bias.data

as_maps = stack(photo[None])[0]  # (2, H, W)
as_rows = mlp(photo.reshape(3, -1).T)  # (H·W, 2)
mlp_difference = abs(as_maps - as_rows.T.reshape(2, H, W)).max()
print(f"{H * W} pixels, largest difference: {mlp_difference:.1e}")

# %% [markdown] tags=["notes"]
# **5 min.** Stress that nothing new was computed: a reshape stands between the two. Then the point of Lin, Chen and Yan: a convolution is a *linear* look at a patch; put a small MLP at each
# place and each place can answer a nonlinear question before neighbors are mixed again.
#
# *Usually asked:* "Why convolutions and not Linear, then?" In PyTorch a Linear works on the last axis, the channels stand second; a 1×1 convolution saves moving axes. The numbers are the same.

# %% [markdown]
# Lin, Chen and Yan put such MLPs between the convolutions of a net and called it *Network in Network* (ICLR 2014, [arXiv:1312.4400](https://arxiv.org/abs/1312.4400)). You have been using one since lecture 02: the scan of a
# window MLP, layer by layer. **Before you run the next cell, predict:** a window of 24 × 24 color pixels, an MLP with layers of 32, 16 and 1. Which kernel sizes have its three convolutions?

# %%
scan = nn.Scan(nn.mlp([3 * 24 * 24, 32, 16, 1], rng=rng), (24, 24))
print(nn.to_convolutions(scan))

# %% [markdown]
# Only the first layer looks at the window's extent. All later layers of a scanned MLP were 1×1 convolutions all along; lectures 04 and 05 called them "the same neuron at each place".

# %% [markdown]
# ## Fewer channels before a costly filter
#
# A layer's multiply-adds are outputs × weights of one filter, $(C_{out} \cdot H' \cdot W') \cdot (C_{in} \cdot K_H \cdot K_W)$. The depth counts as much as the area. A 1×1 layer changes the depth and costs little itself: so let one
# reduce the depth *before* a large filter, a **bottleneck**.
#
# The numbers are of GoogLeNet ([arXiv:1409.4842](https://arxiv.org/abs/1409.4842)): 192 maps of 28 × 28 in, 32 out, filters 5×5. **Predict:** with a 1×1 layer from 192 to 16 maps first, how many times fewer multiply-adds?

# %%
direct = [nn.Conv2d(192, 32, 5, padding=2, rng=rng)]
bottleneck = [nn.Conv2d(192, 16, 1, rng=rng), nn.Conv2d(16, 32, 5, padding=2, rng=rng)]
costs = {}
for name, layers in (("direct", direct), ("through 16", bottleneck)):
    parameters, macs, shape = 0, 0, (192, 28, 28)
    for layer in layers:
        parameters += layer.geometry.parameter_count()
        macs += layer.geometry.mac_count(shape)
        shape = layer.geometry.output_shape(shape)
    costs[name] = (parameters, macs)
    print(f"{name:10s} {parameters:8,} parameters {macs:12,} multiply-adds   output {shape}")
print(f"{costs['direct'][1] / costs['through 16'][1]:.1f} times fewer")

# %% [markdown] tags=["notes"]
# **5 min.** Do the two products on the board before running: 192·25·32 against 192·16 + 16·25·32, both times 784. Ask which of the two layers of the bottleneck costs more (the 5×5 still).
# The rank shows what is paid: the large filter sees 16 mixtures of the 192 maps, the same mixtures at each of its 25 taps.
#
# *Usually asked:* "Is a bottleneck as good, then?" It is a smaller family of functions. It works where the maps are redundant, which trained ones mostly are; nothing guarantees it.

# %% [markdown]
# Nothing is free. Without a nonlinearity between them, the two layers are *one* 5×5 layer whose weights are products, and every 5×5 filter sees the same 16 mixtures of the 192 maps. In the language of
# linear algebra: as a matrix from 192 channels to 32 filters × 25 taps, its rank is at most 16.

# %%
thin, wide = (layer.weight.data.astype(np.float64) for layer in bottleneck)
composed = np.einsum("omhw,mc->ochw", wide, thin[:, :, 0, 0])  # (32, 192, 5, 5)


def channel_rank(w):
    return np.linalg.matrix_rank(w.transpose(0, 2, 3, 1).reshape(-1, w.shape[1]))


print("rank over the channels: direct", channel_rank(direct[0].weight.data), "  bottleneck", channel_rank(composed))

# %% [markdown]
# ## Groups
#
# A filter need not see all channels. With `groups=G` the input channels fall into G blocks and so do the filters; a filter sees its own block only, with $C_{in}/G$ slices. Weights and multiply-adds
# fall by the factor G. The end of the road is `groups=C_in`, one channel for each filter: a **depthwise** convolution.

# %%
for groups in (1, 2, 8, 64):
    layer = nn.Conv2d(64, 64, 3, padding=1, groups=groups, rng=rng)
    g = layer.geometry
    print(f"groups={groups:2d}  weights {g.weight_shape!s:16s} {g.parameter_count(bias=False):6,}", end="  ")
    print(f"multiply-adds {g.mac_count((64, 56, 56)):11,}")

# %% [markdown]
# Move the slider "groups" from 1 to 3: which slices of the weights disappear, and what are the planes that a filter no longer adds up?

# %%
demos.VolumeView(small, np.round(0.5 * rng.standard_normal((6, 3, 3, 3)), 1), padding=1)

# %% [markdown] tags=["notes"]
# **8 min.** Draw the weight as a matrix of blocks, output channels by input channels: full; block-diagonal with groups; diagonal when depthwise. A 1×1 layer is the reverse: full in the channels, a
# single tap in space. Groups began as a makeshift: AlexNet's two halves ran on two GPUs.
#
# *Usually asked:* "Then a depthwise layer must be far quicker?" It has far fewer multiply-adds; per number fetched from memory it does little work, so the clock shows less. Lecture 11 measures.
#
# *Usually asked:* "Can C_out be larger than C_in in a depthwise layer?" Yes, by a whole factor: the multiplier. groups must divide both.

# %% [markdown]
# The price is that groups never hear of each other. Change the channels of the last group only, and look at which outputs move. Stack such layers as you like, the answer stays:

# %%
grouped = nn.Sequential(*[nn.Conv2d(8, 8, 3, padding=1, groups=4, rng=rng, dtype=np.float64) for _ in range(3)])
x = rng.standard_normal((1, 8, 10, 14))
changed = x.copy()
changed[:, 6:] += rng.standard_normal((1, 2, 10, 14))
moved = abs(grouped(changed) - grouped(x)).max(axis=(0, 2, 3))
print("largest change of each of the 8 output channels:", np.round(moved, 2))

# %% [markdown]
# So something must mix the channels, and you know what does only that. **Depthwise separable**: a depthwise 3×3 looks around within each map, a 1×1 then mixes the maps. *MobileNet*
# ([arXiv:1704.04861](https://arxiv.org/abs/1704.04861)) is built of them. One of its layers, 512 maps of 14 × 14:

# %%
full = nn.Conv2d(512, 512, 3, padding=1, bias=False).geometry
depthwise = nn.Conv2d(512, 512, 3, padding=1, groups=512, bias=False).geometry
pointwise = nn.Conv2d(512, 512, 1, bias=False).geometry
full_macs, depth_macs, point_macs = (g.mac_count((512, 14, 14)) for g in (full, depthwise, pointwise))
print(f"full 3 × 3           {full_macs:12,} multiply-adds")
print(f"depthwise + 1 × 1    {depth_macs:12,} + {point_macs:,}")
print(f"ratio {(depth_macs + point_macs) / full_macs:.4f},  1/C_out + 1/K² = {1 / 512 + 1 / 9:.4f}")
print(f"share of the 1 × 1 layer: {point_macs / (depth_macs + point_macs):.0%}")

# %% [markdown]
# In such a net nearly all of the work is done by filters that see no neighborhood. And again it is a constrained convolution, not another thing: one filter with $w_{o,c}(u,v) = p_{o,c}\, d_c(u,v)$,
# each map looked at through one template, whichever filter asks.

# %%
d, p = rng.standard_normal((8, 1, 3, 3)), rng.standard_normal((5, 8, 1, 1))
separable = nn.Sequential(
    filled(nn.Conv2d(8, 8, 3, groups=8, bias=False, dtype=np.float64), d),
    filled(nn.Conv2d(8, 5, 1, bias=False, dtype=np.float64), p),
)
product = filled(nn.Conv2d(8, 5, 3, bias=False, dtype=np.float64), p * d[:, 0])  # (5, 8, 3, 3)
separable_difference = abs(separable(x) - product(x)).max()
print(f"largest difference: {separable_difference:.1e}")

# %% [markdown]
# ## Holes and borders
#
# Two arguments are left. `dilation=D` sets the taps D apart: the filter reaches over $D(K-1)+1$ positions with K weights. Three layers with dilations 1, 2, 4 see as far as a filter of 15 with 9 weights.
# But reaching far is not the same as seeing all. In how many ways does each input reach the output?

# %%
for dilations in ((1, 1, 1), (1, 2, 4), (2, 2, 2)):
    stack_of_three = demos.ReceptiveField([("conv", 3, 1, 0, D) for D in dilations], input_size=19)
    field = geometry.receptive_field([geometry.ConvGeometry(3, dilation=D) for D in dilations])
    print(f"dilations {dilations}: reaches {field.field[0]:2d}, paths", *stack_of_three.paths.astype(int))

# %% [markdown] tags=["notes"]
# **5 min.** Students who have only read "a larger receptive field for free" remember the zeros; the effect is called gridding. For padding modes ask for the row before showing it.
#
# *Usually asked:* "Which mode should I take?" Zeros, unless the border matters. It invents an edge of black; reflect and replicate continue the picture; circular is right where the left border
# really touches the right one, such as angles or a planet's longitude.

# %% [markdown]
# With dilations 2, 2, 2 every second input has no path at all: a net of such layers sees its picture through a grid. Dilations that grow, as 1, 2, 4, leave no holes.
#
# `padding_mode` says what stands in the padding. A kernel of size 1 with weight 1 copies what it sees, padding included, so it shows us. The input is 1 2 3 4 5, padding 3 at both ends:

# %%
row = np.arange(1.0, 6.0)[None, None]  # (1, 1, 5)
padded = {}
for mode in ("zeros", "reflect", "replicate", "circular"):
    copy = filled(nn.Conv1d(1, 1, 1, padding=3, padding_mode=mode, bias=False, dtype=np.float64), [[[1]]])
    padded[mode] = copy(row)[0, 0].astype(int)
    print(f"{mode:10s}", *padded[mode])

# %% [markdown]
# *Reflect* mirrors at the middle of the last cell, which is not repeated. NumPy's `np.pad` calls that "reflect" too, and has a "symmetric" that repeats it: a common mix-up.

# %% [markdown]
# ## One axis: sound
#
# Nothing in a convolution asks for two axes. In 1-D the input is $C_{in} \times W$, the weights are $C_{out} \times C_{in} \times K$, and a filter moves one way. The spectrogram of lecture 01 is such an input: 20 bands are the
# channels, time is the axis. Train its window net once more, quickly:

# %%
K, START = 30, 15  # a window of 0.6 s; the word begins at frame 15
spoken = data.load_welcome("train", 800, at=0.3)
T, no = spoken.x.shape[2], spoken.y == 0
at_word = START + rng.integers(-2, 3, 800)
elsewhere = rng.integers(0, T - K, (2, no.sum()))
windows = [spoken.x[i, :, t : t + K].ravel() for i, t in enumerate(at_word)]
for starts in elsewhere:
    windows += [spoken.x[i, :, t : t + K].ravel() for i, t in zip(np.flatnonzero(no), starts, strict=True)]
windows, labels = np.stack(windows), np.concatenate([spoken.y, np.zeros(elsewhere.size, np.float32)])[:, None]
hears = nn.mlp([20 * K, 24, 1], rng=rng)
optimizer = optim.Adam(hears.parameters(), lr=1e-3, weight_decay=1e-3)
options = {"loss": nn.BCEWithLogitsLoss(), "optimizer": optimizer, "epochs": 8, "rng": rng, "progress": False}
print(f"loss after the last epoch: {train.fit(hears, windows, labels, **options).loss[-1]:.3f}")

# %%
for parameter in hears.parameters():
    parameter.data = parameter.data.astype(np.float64)
scanner = nn.Scan(hears, K).eval()
as_convolutions = nn.to_convolutions(scanner)
print(as_convolutions)
recording = data.load_welcome_recordings()[0].x[None].astype(np.float64)  # (1, 20, T)
scan_difference = abs(scanner(recording) - as_convolutions(recording)).max()
print(
    f"input {recording.shape[1:]}, weights {as_convolutions[0].weight.data.shape}, largest difference {scan_difference:.1e}"
)

# %% [markdown] tags=["notes"]
# **6 min.** Say aloud which axis is which: bands are channels, so the filter does not move along frequency, only along time. Ask what a 2-D convolution over the spectrogram would assume instead: that a
# pattern means the same an octave higher.
#
# *Usually asked:* "Is a spectrogram an image?" As an array, yes. Its axes differ: the same sound later is the same word, the same sound higher is another voice or another vowel.

# %% [markdown]
# The welcome scanner was a 1-D convolution. Its filters, 20 bands × 30 frames, and a first-principles check with NumPy: the map of a filter is the sum over bands of one-channel correlations, plus the bias.

# %%
w, b = as_convolutions[0].weight.data, as_convolutions[0].bias.data
by_bands = b[5] + sum(np.correlate(recording[0, c], w[5, c], "valid") for c in range(20))
band_difference = abs(as_convolutions[0](recording)[0, 5] - by_bands).max()
print(f"filter 5, largest difference: {band_difference:.1e}")
strongest = np.argsort(-(w**2).sum(axis=(1, 2)))[:4]
viz.maps([w[j, ::-1] for j in strongest], titles=[f"filter {j}" for j in strongest], columns=4)

# %% [markdown]
# High bands are at the top, time runs to the right. Loud where violet, quiet where orange: rough templates of pieces of the word.

# %% [markdown]
# ## Three axes: a clip
#
# In 3-D the input is $C_{in} \times D \times H \times W$. The deck writes the depth last; PyTorch, and we, put it first. D may be the slices of a scan of the body, or the frames of a film. We lay a flower on a
# meadow, one pixel further to the right in each frame, and average the colors to one channel. The second film is the same frames in reverse order.

# %%
scenes = data.load_flowers(4, seed=3)
meadow = scenes.x[scenes.y == 0][0]  # a scene without a flower
ground, sprite = meadow[:, 10:50, :52], data.flower_sprite(8, seed=5)
opacity, side = sprite[3], sprite.shape[1]


def film(columns):
    """Return a clip (1, D, H, W) with the flower's left edge at these columns, one for each frame."""
    frames = np.repeat(ground[:, None], len(columns), axis=1).astype(np.float64)  # (3, D, H, W)
    for t, column in enumerate(columns):
        patch = frames[:, t, 12 : 12 + side, column : column + side]
        patch[:] = opacity * sprite[:3] + (1 - opacity) * patch
    return frames.mean(axis=0, keepdims=True)


forwards = film(range(20))
backwards = forwards[:, ::-1]
print("clip", forwards.shape)
viz.pictures([forwards[:, t] for t in (0, 6, 12, 18)], titles=[f"frame {t}" for t in (0, 6, 12, 18)])

# %% [markdown] tags=["notes"]
# **8 min.** The x–t picture is the heart of it: draw a stack of frames as a block of cheese and cut it along time. What stands still leaves upright stripes, what moves leaves slanted ones, and
# direction is a slant, which an oriented filter finds. Let the class find the kernel before showing it. Adelson and Bergen (1985) put it this way.
#
# *Usually asked:* "Could a 2-D filter with the frames as channels do it?" Yes for a clip of fixed length: it then has its own weights for every frame and does not slide along time. It is the
# whole-recording MLP of lecture 01, in time.

# %% [markdown]
# First a bank of 2-D filters with random weights. Each looks at every frame, and the largest response counts. **Predict** what happens to these sixteen numbers when the film runs backwards:

# %%
bank = nn.Conv2d(1, 16, 5, rng=rng, dtype=np.float64)


def largest_by_frames(clip):
    """For each filter the largest response over all places and frames: frames are the batch of a 2-D convolution."""
    return bank(clip.transpose(1, 0, 2, 3)).max(axis=(0, 2, 3))


print("sixteen 2-D filters, largest change:", abs(largest_by_frames(forwards) - largest_by_frames(backwards)).max())
cuts = {"forwards": forwards, "backwards": backwards}
viz.maps([clip[0, :, 20] for clip in cuts.values()], titles=list(cuts), columns=2)

# %% [markdown]
# No change at all: the same frames give the same numbers, in another order. What differs is how the frames follow one another, and the picture above makes it visible. It is row 20 of every frame, one below the
# other: time runs downwards. The meadow at rest draws upright stripes; the flower draws slanted ones, and **the direction of motion is the direction of the slant**.
#
# A slanted stripe is an oriented edge, and filters for oriented edges are old acquaintances. So take a wave that travels: $w(t, v) = \cos\big(2\pi (v - t)/5\big)$, the same in each row $u$ of the kernel.

# %%
t, v = np.arange(5)[:, None], np.arange(5)
wave = np.cos(2 * np.pi * (v - t) / 5)  # (time, column)
kernel = np.repeat(wave[:, None, :], 5, axis=1)  # (D, H, W)
to_the_right = filled(nn.Conv3d(1, 1, 5, bias=False, dtype=np.float64), kernel[None, None])
to_the_left = filled(nn.Conv3d(1, 1, 5, bias=False, dtype=np.float64), kernel[None, None, :, :, ::-1])
print("weights", to_the_right.weight.data.shape, "   map", to_the_right(forwards[None]).shape[1:])
viz.maps([*kernel, wave], titles=[f"t = {i}" for i in range(5)] + ["one row over t"])

# %%
responses = {}
for name, clip in (("forwards", forwards), ("backwards", backwards), ("at rest", film([8] * 20))):
    responses[name] = [float(layer(clip[None]).max()) for layer in (to_the_right, to_the_left)]
    print(f"{name:10s} right: {responses[name][0]:.2f}   left: {responses[name][1]:.2f}")
seen = {n: np.maximum(to_the_right(c[None])[0, 0, 8], 0) for n, c in cuts.items()}
viz.maps(list(seen.values()), titles=list(seen), columns=2)

# %% [markdown]
# Below the numbers is what the filter for motion to the right sees in the middle of either film, after a ReLU. It responds several times as strongly to the film that runs forwards, its mirror image as strongly to the other film, and neither responds to a flower at
# rest, since at each pixel the kernel's weights sum to zero over time. One convolution, 125 weights, and it sees what no still picture shows.
#
# What are its limits? It has a speed, one pixel a frame. Here are other speeds, negative to the left:

# %%
speeds = range(-4, 5)
tuned = {"right": [], "left": []}
for speed in speeds:
    first = 0 if speed > 0 else 20 if speed < 0 else 10
    clip = film([first + speed * i for i in range(6)])
    for name, layer in (("right", to_the_right), ("left", to_the_left)):
        tuned[name].append(float(layer(clip[None]).max()))
viz.curves(list(speeds), tuned, xlabel="speed of the flower (pixels a frame)", ylabel="largest response")

# %% [markdown]
# Each filter is best at its own speed. At 4 pixels a frame the *wrong* one wins: a wave of length 5 that jumps by 4 looks just as if it had gone back by 1. So the wheels of a coach in a film turn backwards.
#
# The demo takes the film, too: choose the time slice of the kernel that is drawn, and move the place.

# %%
film_demo = demos.VolumeView(forwards[:, 4:12, 8:32, :40].round(2), kernel[None, None].round(2))
film_demo.step = int(film_demo.output.argmax())  # begin where the response is largest
film_demo

# %% [markdown]
# ## One layer, every argument
#
# `Conv1d`, `Conv2d` and `Conv3d` are one layer, in PyTorch and here, with the same names, order and defaults:
#
# | argument | default | meaning |
# |---|---|---|
# | `in_channels`, `out_channels` | | channels of the input; number of filters |
# | `kernel_size` | | taps along each axis; one int for all, or one each |
# | `stride` | 1 | the filter moves that far |
# | `padding` | 0 | positions added at both ends of an axis; "same" or "valid" |
# | `dilation` | 1 | distance between taps |
# | `groups` | 1 | blocks of channels that do not see each other; divides both channel numbers |
# | `bias` | True | one number for each filter |
# | `padding_mode` | 'zeros' | what stands in the padding |

# %% [markdown] tags=["notes"]
# **4 min.** Read the formula with the table: every argument changes which inputs stand in the sum, none changes that it is a sum. If PyTorch is not installed on the classroom's machines, the last cell says so
# and the check against the plain loops of `reference` remains.

# %% [markdown]
# What they compute, in the notation of PyTorch's manual, where ⋆ is the cross-correlation of one channel with one slice of a filter (for `groups=1`):
#
# $$ \mathrm{out}(N_i, C_{out,j}) = \mathrm{bias}(C_{out,j}) + \sum_{k} \mathrm{weight}(C_{out,j}, k) \star \mathrm{input}(N_i, k) $$
#
# The sum over $k$, channel by channel, against our layer in three dimensions; then the layer with every option set against `reference.conv_by_edges`, which walks over all connections, one after another:

# %%
layer = nn.Conv3d(3, 4, 3, rng=rng, dtype=np.float64)
x = rng.standard_normal((2, 3, 4, 5, 6))
total = layer.bias.data[:, None, None, None] + np.zeros((2, 4, 2, 3, 4))
for k in range(3):
    one = filled(nn.Conv3d(1, 4, 3, bias=False, dtype=np.float64), layer.weight.data[:, k : k + 1])
    total += one(x[:, k : k + 1])
channel_difference = abs(layer(x) - total).max()
print(f"sum over channels: largest difference {channel_difference:.1e}")

every = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2, "padding_mode": "circular"}
x2, w2, b2 = rng.standard_normal((2, 4, 7, 9)), rng.standard_normal((6, 2, 3, 3)), rng.standard_normal(6)
layer = filled(nn.Conv2d(4, 6, 3, **every, dtype=np.float64), w2)
layer.bias.data = b2
by_edges = reference.conv_by_edges(
    x2, w2, b2, **{k: (v, v) if k in ("stride", "padding", "dilation") else v for k, v in every.items()}
)
edge_difference = abs(layer(x2) - by_edges).max()
print(f"every option:      largest difference {edge_difference:.1e}")

# %% [markdown]
# And PyTorch itself, if it is installed where this notebook runs:

# %%
torch_differences = []
if importlib.util.find_spec("torch") is None:
    print("PyTorch is not installed here: nothing was compared.")
else:
    import torch

    for rank, sizes in ((1, (11,)), (2, (7, 9)), (3, (6, 7, 9))):
        ours = getattr(nn, f"Conv{rank}d")(4, 6, 3, **every, rng=rng, dtype=np.float64)
        theirs = getattr(torch.nn, f"Conv{rank}d")(4, 6, 3, **every, dtype=torch.float64)
        theirs.load_state_dict({name: torch.from_numpy(p.data) for name, p in ours.named_parameters()})
        x = rng.standard_normal((2, 4, *sizes))
        torch_differences.append(abs(ours(x) - theirs(torch.from_numpy(x)).detach().numpy()).max())
        print(f"Conv{rank}d: largest difference from PyTorch {torch_differences[-1]:.1e}")

# %% [markdown]
# ## What you saw
#
# * A 1×1 filter is a perceptron through the depth of one pixel. It cannot see neighbors; it mixes channels. Stacked with ReLUs it is an MLP at every pixel.
# * Fewer channels before a large filter, groups, depthwise and separable convolutions: constrained versions of the full layer, cheaper by what they cannot express.
# * Dilation reaches farther with the same weights, and may jump over inputs. The padding mode decides what lies beyond the border.
# * With one axis it hears, with three it sees motion, which is an orientation in space and time. The layer stays the same sum.

# %% [markdown] tags=["notes"]
# **1 min.** Return to the two films: who can tell them apart, and why could none of the 2-D filters?

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. A layer has 64 input channels and 128 filters of size 1×1, with bias. How many parameters has it, and how does their number change when the picture is twice as wide?</summary>
#
# $128 \cdot 64 + 128 = 8320$. It does not change: the weights are those of one pixel's perceptrons. The multiply-adds double.
# </details>
#
# <details><summary>2. Why does a net of depthwise layers alone, however deep, never find a red spot beside a green one?</summary>
#
# Each output channel then depends on one input channel only. "Red here and green there" needs a sum over channels, which takes a 1×1 or any layer with fewer groups.
# </details>
#
# <details><summary>3. The motion filter's weights sum to zero over time at each pixel. What would it respond to if you left one of its five frames out?</summary>
#
# The remaining weights at a pixel no longer sum to zero, so still patterns of the wave's own width would excite it too. It would mix up "moves to the right" with "has stripes".
# </details>

# %% [markdown]
# ## Go on
#
# [Assignment A4](../course/release/a4/a4_other_convolutions_and_pooling.ipynb), exercise 13, `conv_nd`: one function for one, two and three axes with stride, padding, dilation, groups and all padding modes. Then [lecture 09](09_pooling.ipynb), on the other way
# to make maps smaller.
