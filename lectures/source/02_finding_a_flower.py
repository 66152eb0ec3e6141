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
# # 2. Finding a flower
#
# Four pictures of 64 × 64 pixels, and one question about each: **is there a flower, anywhere?** The scan of lecture 01 should answer this too, with a window that moves in two directions.
# But a picture has many more windows than a recording, and the net may say yes at each of them.
# **If the net judges 97 of 100 windows rightly, how many of 100 pictures does it judge rightly?**
#
# *About 45 minutes. You need: lecture 01. Deck rows D08–D09.*

# %%
import numpy as np

from cnnlab import data, demos, nn, optim, train, viz

scenes = data.load_flowers(4, seed=2)
viz.pictures(list(scenes.x), titles=["flower" if y else "no flower" for y in scenes.y])

# %% [markdown] tags=["notes"]
# **2 min.** Let the class name the difference before you read the titles. Discs have a flower's yellow center, polygons and leaves a petal's color: no single pixel, and no single
# color, gives a flower away. What they name in the end is the outline, and that needs a window.

# %% [markdown]
# ## Pictures from a generator
#
# `load_flowers` draws a meadow, two to four things that are no flowers, and one more thing at a place that we choose. In half of the pictures this one is a flower.
# In the other half another thing stands **in the flower's place**, so that the place alone says nothing.
#
# For training the place is always the same: row 32, column 16. An array of pictures is `(N, C, H, W)`, with `C` = 3 colors.

# %%
training = data.load_flowers(3000, where=16, rows=32, seed=1)
N, C, H, W = training.x.shape
print(f"{N} pictures of {C} colors, {H} × {W}; {training.y.mean():.0%} have a flower")
names = ["no flower", "flower"]
viz.pictures(list(training.x[:4]), titles=[names[int(y)] for y in training.y[:4]])

# %% [markdown] tags=["notes"]
# **3 min.** Point at row 32, column 16 in each picture. *Usually asked:* "Why train with the flower at one place only?" – To see what a net can carry over to other
# places. In real data places are unevenly filled too: photographers put things in the middle.

# %% [markdown]
# ## One MLP over the whole picture
#
# First the net that sees everything at once, as in lecture 01. Its pixels, 0 … 1, are stretched to −1 … 1: training goes better with inputs about zero.


# %%
def centered(x):
    return 2 * x - 1


def flat(x):
    return x.reshape(len(x), -1)  # (N, C, H, W) -> (N, C·H·W)


def size(net):
    return sum(p.data.size for p in net.parameters())


def accuracy(logits, y):
    return float(np.mean((logits > 0) == (y > 0.5)))


def share(of):
    return f"{np.mean(of):.1%}"


# %% [markdown] tags=["notes"]
# **6 min.** Collect guesses on the board first, in pixels. *Usually asked:* "Would training with flowers at all places help?" – In lecture 01 it helped little. Here it is harder: there the
# word could begin at some 170 frames, here a flower's center may lie on 42 × 42 pixels, and each place has to be learned from the few pictures that have a flower there.


# %% tags=["skip"]
def train_mlp(net, x, y, *, epochs, lr, weight_decay, progress=False):
    """Train as in lecture 01: the last two epochs with a tenth of the learning rate."""
    optimizer = optim.Adam(net.parameters(), lr=lr, weight_decay=weight_decay)
    options = {"loss": nn.BCEWithLogitsLoss(), "optimizer": optimizer, "batch_size": 50}
    options |= {"rng": np.random.default_rng(0), "progress": progress}
    train.fit(net, x, y[:, None], epochs=epochs - 2, **options)
    optimizer.lr = lr / 10
    train.fit(net, x, y[:, None], epochs=2, **options)


# %%
x = centered(training.x)
whole = nn.mlp([C * H * W, 32, 1], rng=np.random.default_rng(0))
train_mlp(whole, flat(x), training.y, epochs=15, lr=3e-4, weight_decay=3e-3, progress=True)


def whole_logits(x):
    return train.predict(whole, flat(centered(x)))[:, 0]


trained_place = data.load_flowers(500, where=16, rows=32, seed=21)
at_place = accuracy(whole_logits(trained_place.x), trained_place.y)
print(f"{size(whole):,} parameters")
print(f"unseen pictures, flower at row 32, column 16: accuracy {at_place:.2f}")

# %% [markdown]
# **Before you run the next cell, predict:** the flower stays in row 32 and moves along its columns. A flower is about 20 pixels wide. How far may it move before the net is at a loss?

# %%
columns = [12, 14, 16, 18, 20, 24, 36, 52]
moved = [data.load_flowers(150, where=column, rows=32, seed=22) for column in columns]
curve = [accuracy(whole_logits(test.x), test.y) for test in moved]
viz.curves(
    columns,
    {"MLP over the whole picture": curve},
    xlabel="column of the flower",
    ylabel="accuracy, unseen",
    mark=(16, "column in training"),
    level=(0.5, "guessing"),
)

# %%
away = np.mean(np.array(curve)[np.abs(np.array(columns) - 16) >= 4])
print(f"four columns away or more: accuracy {away:.2f}")
unseen = data.load_flowers(400, seed=23)  # the flower anywhere
print(f"flower anywhere: accuracy {accuracy(whole_logits(unseen.x), unseen.y):.2f}")

# %% [markdown]
# A coin again, after a fifth of a flower's width.

# %% [markdown]
# ## Scan in two directions
#
# So take a window of 24 × 24 pixels, which a flower just fits into, and a small MLP that says whether *this window* holds a flower. Along the height a full window
# fits at `H−K+1` places, along the width at `W−K+1`:
#
# $$ y(i, j) = \mathrm{MLP}\big(x[:,\ i : i+K,\ j : j+K]\big), \qquad i = 0, \dots, H-K, \quad j = 0, \dots, W-K $$
#
# One score for each pair `(i, j)`: what comes out is no longer a curve but a **map**, itself a picture with one channel.

# %% [markdown] tags=["notes"]
# **8 min.** Draw the picture, a window in its upper left corner, and the map's first cell; then the window at the right end and the last cell of the first row. The map is smaller by K−1 in
# each direction. *Usually asked:* "The deck writes the width first?" – Yes: its loop is i = 1 … W−K+1, j = 1 … H−K+1. Ours is always rows first, `(H, W)`, as arrays are stored; both visit the same windows.
# At the loop, let them say what would go wrong with `for i in range(W - K + 1)`: on square pictures nothing, which is why the check takes another shape. A picture flattened as row, column, channel has the
# same numbers in another order; the net then sees noise and complains about nothing.

# %% [markdown]
# The windows to train on come from the same pictures as before. Positives: one window on each flower, up to two pixels beside it. A flower in the mirror is a flower, so each
# counts twice. Negatives: four random windows from each picture without a flower.

# %%
K = 24
yes, no = training.y == 1, training.y == 0
rng = np.random.default_rng(0)


def windows_at(x, corners):
    """Cut windows at the corners (r, c) of each picture and flatten them: (windows, C·K·K)."""
    cut = [x[i, :, r : r + K, c : c + K] for i, row in enumerate(corners) for r, c in row]
    return flat(np.stack(cut))


beside = rng.integers(-2, 3, (yes.sum(), 1, 2))
centers = training.center[yes].astype(int)[:, None]
on_flower = windows_at(x[yes], centers - K // 2 + beside)
mirrored = on_flower.reshape(-1, C, K, K)[..., ::-1].reshape(on_flower.shape)
positives = np.concatenate([on_flower, mirrored])
negatives = windows_at(x[no], rng.integers(0, H - K + 1, (no.sum(), 4, 2)))
print(f"{len(positives)} windows with a flower, {len(negatives)} without")


# %%
def train_window_net(net, positives, negatives):
    windows = np.concatenate([positives, negatives])
    labels = (np.arange(len(windows)) < len(positives)).astype(np.float32)
    train_mlp(net, windows, labels, epochs=4, lr=1e-3, weight_decay=1e-3)


small = nn.mlp([C * K * K, 64, 1], rng=np.random.default_rng(0))
train_window_net(small, positives, negatives)
print(f"{size(small):,} parameters, instead of {size(whole):,}")

# %% [markdown]
# The loop of lecture 01, once more inside itself. The order of flattening, channel, row, column, must be the one in training.


# %%
def scan(x):
    C, H, W = x.shape
    scores = np.empty((H - K + 1, W - K + 1))
    for i in range(H - K + 1):  # down
        for j in range(W - K + 1):  # right
            window = x[:, i : i + K, j : j + K]
            scores[i, j] = small(window.reshape(1, C * K * K))[0, 0]
    return scores


# %% [markdown]
# **Before you run the next cell, predict:** a picture is 40 pixels high and 64 wide. What shape has its map, and how many windows are that?

# %%
small.eval()
wide = data.load_flowers(2, size=(40, 64), seed=3)
wide_map = scan(centered(wide.x[0]))
scanner = nn.Scan(small, (K, K)).eval()  # (N, C, H, W) -> (N, 1, H−K+1, W−K+1)
from_layer = scanner(centered(wide.x))[0, 0]
difference = np.abs(wide_map - from_layer).max()
print(f"map {wide_map.shape}: {wide_map.size} windows")
print(f"largest difference between the loop and nn.Scan: {difference:.1e}")


# %%
def maps_of(net, x, stride=1):
    """One map for each picture, computed for 20 pictures at a time to save memory."""
    return train.predict(nn.Scan(net, K, stride), x, batch_size=20)[:, 0]


pair = scenes.x[:2]
viz.score_maps(pair, maps_of(small, centered(pair)), size=K, titles=["flower", "no flower"])

# %% [markdown]
# Each score is drawn at the middle of its window, so the map is narrower than the picture by a window's width. The frame is the best window, the white line runs around all
# that scores above zero. A flower is a bright spot, but so are other things.

# %% [markdown]
# ## A small error, very many times
#
# How often is the window net wrong? Take new pictures **without** a flower and ask it about each window: every yes is a mistake.

# %%
P = (H - K + 1) * (W - K + 1)
few, answers = unseen.x[:200], unseen.y[:200]
maps = maps_of(small, centered(few))
empty = maps[answers == 0]  # the maps of pictures without a flower
print(f"{P} windows a picture; without a flower {share(empty <= 0)} are judged rightly")

# %% [markdown] tags=["notes"]
# **8 min.** The arithmetic for the board: with p the probability that a window is wrong and P independent windows, a picture is right with (1−p)^P. Neighbors are not independent, so it is not
# quite as bad. *Usually asked:* "Why not raise the threshold?" – That trades flowers for false alarms; the hard negatives move the two apart. Let them try it later with the demo's threshold.

# %% [markdown]
# That sounds good. **Predict before you go on:** the picture's answer is yes if any of its windows says yes. On how many of these pictures is the answer right?

# %%
best = maps.max(axis=(1, 2))
print(f"right answers, pictures without a flower: {share(best[answers == 0] <= 0)}")
print(f"right answers, pictures with a flower:    {share(best[answers == 1] > 0)}")
print(f"accuracy with the flower anywhere:        {accuracy(best, answers):.3f}")

# %% [markdown]
# The maximum listens to the one window that is most wrong, among more than a thousand. In two dimensions the hard negatives of lecture 01 are no refinement: without them the scanner is useless.
#
# Three rounds: scan the training pictures without a flower, add the four windows of each that score highest to the negatives, train on.

# %%
for round_number in range(1, 4):
    found = maps_of(small, x[no], stride=3)  # every third place will do
    print(f"before round {round_number}: {share(found.max(axis=(1, 2)) > 0)} false alarms")
    highest = np.argsort(-flat(found), axis=1)[:, :4]
    corners = 3 * np.stack(np.unravel_index(highest, found.shape[1:]), axis=-1)
    negatives = np.concatenate([negatives, windows_at(x[no], corners)])
    train_window_net(small, positives, negatives)

# %%
maps = maps_of(small, centered(unseen.x))
best = maps.max(axis=(1, 2))
print(f"unseen pictures, flower anywhere: accuracy {accuracy(best, unseen.y):.3f}")
print(f"flowers found {share(best[unseen.y == 1] > 0)}, false alarms {share(best[unseen.y == 0] > 0)}")

# %% [markdown]
# Is it as good everywhere? Cut the picture into 3 × 3 fields and sort the unseen pictures by the field in which the flower lies (or what stands in its place):

# %%
row, column = np.clip((unseen.center - 11) // 14, 0, 2).T  # centers lie from 11 to 52


def by_field(logits):
    right = (logits > 0) == (unseen.y == 1)
    fields = [right[(row == i) & (column == j)].mean() for i in range(3) for j in range(3)]
    return np.reshape(fields, (3, 3))


fields = [by_field(best), by_field(whole_logits(unseen.x))]
viz.maps(fields, titles=["scan, maximum", "MLP over the whole picture"], numbers=True)

# %% [markdown]
# The scanner was trained with flowers in the middle left field only and finds them everywhere. It could not do otherwise: all places are judged by the same weights. The
# whole-picture MLP does not even know the field it was trained in: a field is 14 pixels wide, and four pixels off it guesses.

# %% [markdown]
# ## The map says where
#
# We asked for a yes or a no. The map holds more: the brightest place **is** the flower.

# %%
four = data.load_flowers(4, seed=31)
four_maps = maps_of(small, centered(four.x))
viz.score_maps(four.x, four_maps, size=K, titles=[names[int(y)] for y in four.y])

# %% [markdown] tags=["notes"]
# **7 min.** Move the flower by the arrow keys, one pixel at a time, and read the best score aloud; it wavers, because the ground behind the flower changes. Put it over another thing. *Usually asked:* "Why does the spot
# in the map move exactly as far as the flower?" – The same weights at every place: move the input, and the map moves along. This has a name, equivariance to shifts, and lecture 03 proves it.

# %%
found = (unseen.y == 1) & (best > 0)
corner = np.unravel_index(flat(maps[found]).argmax(axis=1), maps.shape[1:])
distance = np.hypot(*(np.stack(corner) + (K - 1) / 2 - unseen.center[found].T))
print(f"best window's middle to flower's center: median {np.median(distance):.1f} pixels,")
print(f"at most 4 pixels for {share(distance <= 4)} of the flowers that were found")

# %% [markdown]
# The whole-picture MLP cannot be asked this at all. Nor was the scanner trained to say where: it judges single windows, and having one score for each place is all it takes.
#
# Now move the flower yourself. The demo takes pictures in 0 … 1, our net −1 … 1; but the stretching is linear and so is the first layer, so one can go into the
# other: $W(2x - 1) + b = (2W)\,x + (b - W\mathbf{1})$.

# %%
(weight, bias), *others = nn.layers_of(small)
layers = [(2 * weight, bias - weight.sum(axis=1)), *others]
grounds = data.load_flowers(12, seed=9)
meadow = grounds.x[grounds.y == 0][1]
sprite = data.flower_sprite(10, seed=5)
flower_scanner = demos.FlowerScanner(meadow, layers, size=K, flower=sprite, flower_at=(8, 32))
own = maps_of(small, centered(flower_scanner.picture[None].astype(np.float32)))[0]
difference = np.abs(flower_scanner.scores - own).max()
print(f"largest difference between the demo's map and nn.Scan: {difference:.1e}")

# %% [markdown]
# Drag the flower: the bright spot follows, pixel by pixel. Then drag the window over the other things, and choose a threshold.

# %%
flower_scanner

# %% [markdown]
# ## From map to decision
#
# As in lecture 01, the scores of all places become one answer: by the maximum, by a softmax-weighted mean, by the plain mean, or by an MLP over the map. Each is trained on new pictures
# with the flower anywhere, the last MLP on pictures with the flower at its old place. Two numbers are learned for the first three, a scale and a threshold.
#
# **Predict:** which two of the five will fail?

# %%
rng = np.random.default_rng(0)
coarse = maps[:, None, ::2, ::2]  # every second row and column: (N, 1, 21, 21)


def pooled(how):
    return nn.Sequential(nn.GlobalPool(how), nn.Linear(1, 1, rng=rng))


def mlp_over_map():
    return nn.Sequential(nn.Sigmoid(), nn.Flatten(), *nn.mlp([21 * 21, 16, 1], rng=rng))


deciders = {how: pooled(how) for how in ("max", "softmax", "mean")}
deciders |= {"MLP": mlp_over_map(), "MLP, one place": mlp_over_map()}

# %% [markdown] tags=["notes"]
# **4 min.** Ask for reasons, not only for names. *Usually asked:* "Is the MLP over the map not the more general one?" – It is, and that is its trouble: it can hold an opinion about each place, so it has to learn that none is
# due. The maximum has this built in. What is built in need not be learned.

# %%
anywhere = data.load_flowers(400, seed=41)
one_place = data.load_flowers(400, where=16, rows=32, seed=42)
on_anywhere, on_place = (maps_of(small, centered(some.x), stride=2)[:, None] for some in (anywhere, one_place))
for name, decider in deciders.items():
    scores, y = (on_place, one_place.y) if "one place" in name else (on_anywhere, anywhere.y)
    train_mlp(decider, scores, y, epochs=30, lr=1e-2, weight_decay=1e-4)
    right = accuracy(train.predict(decider, coarse)[:, 0], unseen.y)
    print(f"{name:14s} {size(decider):5d} parameters   accuracy {right:.3f}")

# %% [markdown]
# In the mean the few windows with the flower drown. An MLP over the map has weights for each *place*, and with them the whole problem returns: trained with the flower at one place it
# is lost elsewhere, although the map in front of it shows the flower plainly. Trained with flowers anywhere it must learn each place from a few pictures, and stays behind the maximum
# with its two numbers. And it takes maps of one size only.

# %% [markdown]
# ## Larger steps
#
# Neighboring windows see nearly the same. Put the window at every second place down and every second to the right: a **stride** (in sound: a hop) of 2.
#
# **Predict:** how many of the windows are left, and what does the scanner lose?

# %%
same = np.abs(maps_of(small, centered(unseen.x[:5]), stride=2) - maps[:5, ::2, ::2]).max()
print(f"stride 2 against every second score of the full map: {same:.1e}\n")
print("stride  windows  flowers found  false alarms  accuracy")
for stride in (1, 2, 3, 4, 6, 8, 12):
    fewer = maps[:, ::stride, ::stride]
    best = fewer.max(axis=(1, 2))
    found, alarms = share(best[unseen.y == 1] > 0), share(best[unseen.y == 0] > 0)
    row = f"{stride:6d} {fewer[0].size:8d} {found:>14s} {alarms:>13s}"
    print(row, f"{accuracy(best, unseen.y):9.3f}")

# %% [markdown] tags=["notes"]
# **4 min.** With stride s the nearest window is at most s/2 off in each direction. Look again at the white lines in the maps: how wide is a bright spot, and the narrowest one? That is the stride one can afford.
# *Usually asked:* "So is stride 2 simply better?" – Here it is four times cheaper at nearly the same answers; the place
# becomes coarser, and after a shift by one pixel the map is another one, no longer a shifted copy. Lecture 07 comes back to it.

# %% [markdown]
# A stride of `s` in both directions leaves about one window in `s²`. With a stride of 2 next to nothing is lost, and fewer windows are fewer chances for a false alarm. With 3 the first flowers
# are missed, although some window is then within two pixels of any flower: one that is barely recognized scores above zero at a few places only, and these fall between the steps.

# %% [markdown]
# ## Where it ends
#
# The scanner forgives a flower any place. What about its **size**? All flowers so far had a radius of 8 to 11 pixels. Here are new pictures, seen through a lens that makes them smaller or larger:


# %%
def magnified(x, factor):
    """The middle of each picture, `factor` times as large, on 64 × 64 pixels."""
    pixels = np.round((np.arange(64) - 31.5) / factor + (x.shape[2] - 1) / 2).astype(int)
    return x[:, :, pixels[:, None], pixels]


large = data.load_flowers(80, where=64, rows=64, size=128, seed=51)
factors = [0.5, 0.7, 0.85, 1, 1.2, 1.5, 2]
one = large.x[large.y == 1][1:2]
shown = factors[::2]
viz.pictures([magnified(one, f)[0] for f in shown], titles=[f"× {f}" for f in shown])

# %% [markdown] tags=["notes"]
# **5 min.** Let them draw the curve before it is shown; both ends should fall, and not equally. *Usually asked:* "Could one not train with flowers of all sizes?" – Yes, if the window is large enough to hold the largest, with more pictures and more weights.
# Scanning over sizes costs neither, only time: each size has its own windows, and each window is one more chance for a false alarm. For the photos, zoom in on the frames and ask what the net may have taken for petals.

# %%
says_yes = {}
for factor in factors:
    scores = maps_of(small, centered(magnified(large.x, factor)), stride=2)
    says_yes[factor] = scores.max(axis=(1, 2)) > 0
with_flower = [yes[large.y == 1].mean() for yes in says_yes.values()]
without = [yes[large.y == 0].mean() for yes in says_yes.values()]
viz.curves(
    factors,
    {"pictures with a flower": with_flower, "pictures without": without},
    xlabel="size of the flower, 1 = as in training",
    ylabel="share of yes",
    mark=(1, "as in training"),
)

# %% [markdown]
# A little larger is forgiven, half the size is not, and with twice the size many are missed. The scan with its maximum is invariant to shifts because shifts are built in. Sizes are not.
#
# The cure is the idea of this lecture once more: if the size does not matter, **scan over sizes too**. Take every second pixel of the pictures that show their flower twice as large, and it has the size that the net knows:

# %%
twice = magnified(large.x, 2)[large.y == 1]
for name, pictures in (("as they are", twice), ("every second pixel", twice[:, :, ::2, ::2])):
    found = maps_of(small, centered(pictures)).max(axis=(1, 2)) > 0
    print(f"{name:18s} {pictures.shape[2]} × {pictures.shape[3]}: flowers found {share(found)}")

# %% [markdown]
# Last, two **photos**: a cat, and a cup of coffee. No flower in either. **Predict:** what will a net say that has only ever seen drawings?

# %%
photos = data.load_photos(size=200)
photo_maps = [maps_of(small, centered(photo.x[None]))[0] for photo in photos]
for photo, scores in zip(photos, photo_maps, strict=True):
    print(f"{photo.shows}: {share(scores > 0)} of {scores.size} windows say flower, best {scores.max():.1f}")
viz.score_maps([p.x for p in photos], photo_maps, size=K, titles=[p.name for p in photos])

# %% [markdown]
# Nearly all windows are refused, which is more than one could ask of it. But a single window above zero makes the picture's answer a yes, and a photo of this size has thousands: on the cat the scanner says yes.
# Neither its training pictures nor its hard negatives showed fur, whiskers or an eye. It was fitted to the generator's world, and says nothing reliable outside (a **domain shift**, as with the other
# synthesizer in lecture 01).

# %% [markdown]
# ## What you saw
#
# * In two directions the scan is the same loop twice, and one score a place makes a map. Its brightest place is the flower.
# * A small error of the window net, repeated at each of many places, is a large error of the picture. Hard negatives make the scanner usable.
# * All places are judged by the same weights: trained with flowers at one place, it finds them at all places. A decision by the maximum keeps this, an MLP over the map loses it.
# * A stride saves windows in two directions at once. Other sizes and other kinds of picture are not forgiven.

# %% [markdown] tags=["notes"]
# **1 min.** Have them say the second point in their own words: it is the one that is forgotten.

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. A picture is 100 × 150 pixels, the window 24 × 24, the stride (2, 3). What shape has the map?</summary>
#
# $\lfloor (100-24)/2 \rfloor + 1 = 39$ rows and $\lfloor (150-24)/3 \rfloor + 1 = 43$ columns. Height first, as always.
# </details>
#
# <details><summary>2. A window net is wrong on one window in a thousand, each independently. How often is a picture of 1,681 windows without a flower judged rightly by the maximum?</summary>
#
# With probability $0.999^{1681} \approx 0.19$. Neighboring windows are in truth wrong together, so it is somewhat better; but this is why the negatives have to be hard ones.
# </details>
#
# <details><summary>3. We added each flower's mirror image to the positives. Would it be as good an idea for the word "welcome", played backwards?</summary>
#
# No. A mirrored flower is a flower, so the net may as well know it; "welcome" backwards is another sound. Copies may change only what does not matter to the answer.
# </details>

# %% [markdown]
# ## Go on
#
# [Assignment A1](../course/release/a1/a1_scanning.ipynb), exercise 2, `scan_2d`: the double loop, with a stride for each direction and pictures that are not square. Exercise 3,
# `aggregate`: from a map to one answer by maximum, mean and softmax, and the gradient back to the map.
#
# [Lecture 03](03_one_giant_network.ipynb) looks at the scan from outside: all its windows together are one giant network, whose parameters are shared.
