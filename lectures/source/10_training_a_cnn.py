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
# # 10. Training a CNN
#
# All parts are on the table: convolution, nonlinearity, pooling, and the gradient of each. Now they become one net that learns from pictures and their labels, and from nothing else.
# Its first layer will hold sixteen filters of 7×7 numbers, and nobody tells it what a filter is for. **What will it look for?** And once it knows a flower in the middle of a picture,
# **does it know the flower, or the middle?**
#
# *About 50 minutes. You need: lectures 06 and 09 (convolution and pooling, with their gradients). Deck rows D34, D54.*

# %%
import time

import numpy as np
from IPython.display import display

import cnnlab
from cnnlab import data, demos, nn, optim, train, viz

print("computing on the", cnnlab.use_device("auto"))  # a GPU, if there is one

# %% [markdown] tags=["notes"]
# **2 min.** Collect answers to the first question on the board ("petals", "colors", "circles") and leave them there until the section on filters. Do not settle the second one:
# most rooms say that a CNN is shift-invariant, and the shift experiment near the end shows that this one is not.

# %% [markdown]
# ## Four shapes
#
# Each picture shows a flower, a disc, a polygon or a leaf on a blurred meadow: same sizes, mostly the same colors, turned in any direction, near the middle. There are three sets:
# one to train on, one to *validate* (to choose settings and watch the training), and one to *test*, which is looked at once at the end.

# %%
training = data.load_shapes(8000, seed=1)
validation = data.load_shapes(1000, seed=2)
test = data.load_shapes(2000, seed=3)
names = training.names
print("x", training.x.shape, training.x.dtype, " y", training.y.shape, training.y.dtype)
print("of each class:", np.bincount(training.y))
viz.pictures(list(training.x[:16]), titles=[names[k] for k in training.y[:16]])

# %% [markdown] tags=["notes"]
# **4 min.** Ask what a rule by hand would use. Color fails: a disc and a flower are painted from the same box. Area fails: all lie in circles of the same sizes. What is left is the outline, and its direction says nothing.
#
# *Usually asked:* "Why a validation set and a test set?" Every choice that we make after looking at a number fits that number a little. The validation set is used up by choosing; the test set is kept for one honest look.

# %% [markdown]
# Pixels lie between 0 and 1. A net trains better on numbers about zero with a spread of about one, so one fixed shift and scale goes over all pictures.
# `cnnlab.asarray` puts them where the net will compute; `cnnlab.to_numpy` brings results back. These two are the only places where a GPU shows in the code.


# %%
def ready(pictures):
    return cnnlab.asarray((pictures - np.float32(0.4)) / np.float32(0.25))


x, y = ready(training.x), cnnlab.asarray(training.y)
x_val, y_val = ready(validation.x), cnnlab.asarray(validation.y)
x_test, y_test = ready(test.x), cnnlab.asarray(test.y)
print(f"before: mean {training.x.mean():.2f}, deviation {training.x.std():.2f}")
print(f"after:  mean {float(x.mean()):+.2f}, deviation {float(x.std()):.2f}")

# %% [markdown]
# ## First without a convolution
#
# The simplest net has one layer: four rows of weights, each as large as a picture. Its score for a class is the picture times that row, summed: a **template**, laid over the whole picture.
# An MLP has such templates as its first layer, and combines them. Both are trained on the same pictures as the CNN will be.


# %%
def flat(x):
    return x.reshape(len(x), -1)  # (N, C, H, W) -> (N, C·H·W)


def size(net):
    return sum(p.data.size for p in net.parameters())


def accuracy(net, x, y):
    return train.accuracy(train.predict(net, x), y)


# %%
def train_flat(sizes):
    net = nn.mlp(sizes, rng=np.random.default_rng(0))
    optimizer = optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-2)
    options = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer}
    options["schedule"] = optim.CosineAnnealingLR(optimizer, 8)
    options["rng"] = np.random.default_rng(0)
    train.fit(net, flat(x), y, epochs=8, progress=False, **options)
    return net


linear, mlp = train_flat([3 * 24 * 24, 4]), train_flat([3 * 24 * 24, 64, 4])
for name, model in (("linear classifier", linear), ("MLP", mlp)):
    right = accuracy(model, flat(x_val), y_val)
    print(f"{name:18s} {size(model):7,} parameters   validation accuracy {right:.3f}")

# %% [markdown] tags=["notes"]
# **6 min.** Draw one row of the linear layer folded back into a picture: "score = how much the picture looks like this". Let each student sketch the flower's template before the next cell. Most draw petals.
# Then the rings. Give them a minute: why rings, why a thin one at the rim?
#
# *Usually asked:* "The MLP gets nine in ten right; what is wrong with that?" Look at what it costs, and wait for the section on moved pictures: its templates are bolted to the middle.

# %% [markdown]
# **Before you run the next cell, predict:** the flower's template in the linear classifier is a picture of 24×24. The training pictures show flowers of nine colors, turned in every direction. What does the template
# look like? Gray is a weight of zero; the averages of each class stand in the first row.


# %%
def as_pictures(weights):
    """Weights (n, 3, H, W) as pictures: zero is gray."""
    weights = cnnlab.to_numpy(weights)
    return [0.5 + w / (2 * abs(w).max()) for w in weights]


averages = [training.x[training.y == k].mean(axis=0) for k in range(4)]
linear_templates = cnnlab.to_numpy(linear[0].weight.data).reshape(4, 3, 24, 24)
mlp_templates = cnnlab.to_numpy(mlp[0].weight.data).reshape(64, 3, 24, 24)
titles = [f"mean {name}" for name in names] + [f"{name}: weights" for name in names]
viz.pictures([*averages, *as_pictures(linear_templates)], titles=titles, columns=4)

# %% [markdown]
# Rings. A template over the whole picture must serve all flowers at once, and the average of a flower over all directions is round. What is left is *how far from the middle* there is
# which color. The MLP's templates are of the same kind; here are sixteen of its 64:

# %%
rings = "Sixteen templates: colored rings and spots around the middle of the picture."
viz.pictures(as_pictures(mlp_templates[:16]), alt=rings)


# %%
def quarter_turn(weights):
    """Correlation of each template with itself, turned by 90°."""
    turned = np.rot90(weights, axes=(2, 3))
    pairs = zip(weights, turned, strict=True)
    return [np.corrcoef(w.ravel(), t.ravel())[0, 1] for w, t in pairs]


print("correlation of a template with its own quarter turn, median:")
print(f"linear classifier {np.median(quarter_turn(linear_templates)):.2f}")
print(f"MLP               {np.median(quarter_turn(mlp_templates)):.2f}")

# %% [markdown]
# ## The net
#
# Now the parts of the last lectures in their usual order: convolution, ReLU, pooling, once more the same, then **flatten** and a **fully connected** layer that turns features into four scores.
# The function takes the module `nn` as an argument, for a reason that comes at the end.


# %%
def build(nn, **options):
    return nn.Sequential(
        nn.Conv2d(3, 16, 7, **options),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 3, **options),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(24 * 3 * 3, 4, **options),
    )


def new_net(rng):
    net = build(nn, rng=rng)
    net[0].weight.data = 0.3 * net[0].weight.data  # less noise to outgrow
    return net


cnnlab.summary(new_net(np.random.default_rng(0)), (3, 24, 24))

# %% [markdown] tags=["notes"]
# **5 min.** Go through the table line by line and let the room compute each size before it is read out: 24 − 7 + 1, halved, and so on. Where are the parameters? Where are the multiply-adds? (In different layers.)
#
# *Usually asked:* "Why 7×7 first, when everybody uses 3×3?" To see something in the filters. Three layers of 3×3 see as much (lecture 07) and are hard to look at.

# %% [markdown]
# The net has far fewer parameters than the MLP and about as many as the linear classifier. One unit after the last pooling sees a square of 14×14 pixels: large
# enough for a petal and its neighbor, too small for most of the shapes. How parts make a shape is left to the last layer.

# %% [markdown]
# ## The training loop
#
# `train.fit` does what the next cell writes out. For each mini-batch: forget old gradients, forward, loss, backward, one step of the optimizer. In each epoch the pictures come in a new random order.
# A first try: two epochs of 2,000 pictures.


# %%
def loop(net, x, y, orders):
    loss, optimizer = nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=2e-3)
    values = []
    for order in orders:  # one an epoch
        for start in range(0, len(order), 64):
            batch = cnnlab.asarray(order[start : start + 64])
            net.zero_grad()
            value = loss(net(x[batch]), y[batch])  # forward
            net.backward(loss.backward())  # back through every layer
            optimizer.step()
            values.append(value)
    return values


# %%
def answers(net, x):
    return cnnlab.to_numpy(train.predict(net, x)).argmax(axis=1)


shuffle = np.random.default_rng(0)
shuffled = new_net(np.random.default_rng(0))
orders = [shuffle.permutation(2000), shuffle.permutation(2000)]
losses = loop(shuffled, x[:2000], y[:2000], orders)
print(f"{len(losses)} steps, loss {losses[0]:.2f} → {losses[-1]:.2f}")
print(f"shuffled: validation accuracy {accuracy(shuffled, x_val, y_val):.2f}")

# %% [markdown] tags=["notes"]
# **6 min.** Write the five lines on the board without the code and let the class put them in order; ask what happens when `zero_grad` is left out (gradients of all batches add up).
# Let them vote on the sorted order: "the same", "a little worse", "useless".
#
# *Usually asked:* "It did see every picture just as often; why does the order matter?" Each step only improves the batch at hand. With one class in a batch the cheapest improvement is to answer that class always.
# Which class is left at the end is of no meaning: the last batches were leaves, but Adam's averages still carried those before.

# %% [markdown]
# **Before you run the next cell, predict:** the same 2,000 pictures, as many steps, but sorted by class: first all flowers, then all discs, and so on. How accurate is the net after two epochs?

# %%
sorted_by_class = np.argsort(training.y[:2000], kind="stable")
unshuffled = new_net(np.random.default_rng(0))
loop(unshuffled, x[:2000], y[:2000], [sorted_by_class] * 2)
counts = np.bincount(answers(unshuffled, x_val), minlength=4).tolist()
print(f"sorted: validation accuracy {accuracy(unshuffled, x_val, y_val):.2f}")
print("its answers:", dict(zip(names, counts, strict=True)))

# %% [markdown]
# It gives nearly all pictures the same answer. With flowers only, the quickest way to a smaller loss is to say "flower" louder; then the same for discs. What separates the classes is never asked for, because hardly a
# batch holds two of them.

# %% [markdown]
# ## What goes wrong most often
#
# The **learning rate** is the setting to try first, in factors of ten or more. Three rates, everything else the same:

# %%
loss = nn.CrossEntropyLoss()
short = {}
for rate in (2e-5, 2e-3, 2e-1):
    net = new_net(np.random.default_rng(0))
    optimizer = optim.Adam(net.parameters(), lr=rate)
    options = {"loss": loss, "optimizer": optimizer, "rng": np.random.default_rng(0)}
    history = train.fit(net, x[:1500], y[:1500], epochs=4, progress=False, **options)
    right = accuracy(net, x_val, y_val)
    print(f"rate {rate:g}: {history}, validation accuracy {right:.2f}")
    short[f"{rate:g}"] = history.loss
style = {"xlabel": "epoch", "ylabel": "training loss", "log": True}
viz.curves([1, 2, 3, 4], short, level=(np.log(4), "guessing: log 4"), **style)

# %% [markdown] tags=["notes"]
# **6 min.** Let the class name the three curves before you say which is which. Stress the number log 4: it is the loss of a net that knows nothing, and a curve that sits on it has not begun, or has died.
#
# *Usually asked:* "How do I find the rate for my own net?" Try powers of ten for a few hundred steps each; take the largest that still learns smoothly, and lower it over the training.

# %% [markdown]
# Too low, and the loss hardly moves. Too high, and it jumps up, then comes to rest at that of guessing. Why there? Look at the ReLUs after the second convolution, in the last of the three nets:

# %%
alive = cnnlab.to_numpy(net[:5](x_val[:200])) > 0  # (200, 24, 7, 7)
print(f"{alive.any(axis=(0, 2, 3)).sum()} of 24 maps are above zero anywhere in 200 pictures")

# %% [markdown]
# **Dead ReLUs**: zero for every picture, so no gradient passes and nothing moves any more. Start again, ten times lower. A rate that is right early is too coarse late, so a **schedule** lowers it: below, half a cosine
# from 0.002 to 0.
#
# The other classic is **too few pictures**. **Before you run the next cell, predict:** 100 pictures, 40 epochs. What does the training loss do, and what the loss on pictures that the net has not seen?

# %%
net = new_net(np.random.default_rng(0))
optimizer = optim.Adam(net.parameters(), lr=2e-3)
options = {"loss": loss, "optimizer": optimizer, "rng": np.random.default_rng(0)}
options |= {"validation": (x_val[:250], y_val[:250]), "metrics": {"accuracy": train.accuracy}}
few = train.fit(net, x[:100], y[:100], epochs=40, batch_size=20, progress=False, **options)
print("accuracy in training:", few.metrics["accuracy"][-1])
print("accuracy in validation:", few.validation["accuracy"][-1])
lowest = (1 + int(np.argmin(few.validation["loss"])), "lowest validation loss")
both = {"training": few.loss, "validation": few.validation["loss"]}
viz.curves(range(1, 41), both, xlabel="epoch", ylabel="loss", mark=lowest)

# %% [markdown]
# It learns its hundred pictures by heart, and grows more and more certain of answers that are wrong elsewhere: **overfitting**. More pictures help most. Two other remedies are to stop at the mark
# (`train.EarlyStop`) and to pull weights toward zero at every step (**weight decay**). The next section uses more pictures and weight decay.

# %% [markdown]
# ## For real
#
# 8,000 pictures, 12 epochs, weight decay, the cosine. The demo below fills in while the net trains: after each epoch it gets the new weights, so you can watch filters appear out of noise.
# Later, move its epoch slider; choose a filter to see which patches excite it most.

# %%
EPOCHS = 12
net = new_net(np.random.default_rng(0))
untrained = cnnlab.to_numpy(net[0].weight.data).copy()
optimizer = optim.Adam(net.parameters(), lr=2e-3, weight_decay=8e-3)
schedule = optim.CosineAnnealingLR(optimizer, EPOCHS)
shown, labels = cnnlab.to_numpy(x_val[1:101]), validation.y[1:101]
gallery = demos.FilterGallery(net, shown, labels, names=names, templates=linear_templates)
shown_below = display(gallery, display_id="filters")

# %%
options = {"loss": loss, "optimizer": optimizer, "schedule": schedule}
options |= {"validation": (x_val, y_val), "metrics": {"accuracy": train.accuracy}}
shuffle, curves = np.random.default_rng(0), {}
started = time.process_time()
for _ in range(EPOCHS):  # one call an epoch, so that the demo can look on
    one = train.fit(net, x, y, epochs=1, rng=shuffle, progress=False, **options)
    gallery.update(net, one)
    for name, values in one.as_dict().items():
        curves.setdefault(name, []).extend(values)
seconds = time.process_time() - started
shown_below.update(gallery)  # what is saved, or made into slides, is the trained net
print(f"{EPOCHS} epochs in {seconds:.0f} s of CPU time; at the end:")
print({name: round(values[-1], 3) for name, values in curves.items()})

# %% [markdown] tags=["notes"]
# **5 min.** Start the training, scroll back up to the demo and talk over it: which filters settle first? Afterwards drag the epoch slider to 0 and back.
# While it runs, say what one epoch is: 125 batches, each with a step.
#
# *Usually asked:* "Why is the validation loss lower than the training loss at first?" The training loss is a mean over the epoch, measured while the net was still worse; the validation loss is taken at its end.

# %%
both = {"training": curves["loss"], "validation": curves["validation loss"]}
viz.curves(range(1, EPOCHS + 1), both, xlabel="epoch", ylabel="loss", log=True)

# %% [markdown]
# The two curves stay close: hardly any overfitting. Now the one look at the test set, beside the two nets without convolutions.

# %%
tested = {"linear classifier": (linear, flat(x_test)), "MLP": (mlp, flat(x_test))}
tested["CNN"] = net, x_test
for name, (model, pictures) in tested.items():
    right = accuracy(model, pictures, y_test)
    print(f"{name:18s} {size(model):7,} parameters   test accuracy {right:.3f}")

# %% [markdown]
# ## What it gets wrong
#
# One number hides which classes are mixed up. A **confusion table** does not: one row for each class in the pictures, one column for each answer.

# %%
said = answers(net, x_test)
table = np.zeros((4, 4), int)
np.add.at(table, (test.y, said), 1)
print(f"{'':10s}" + "".join(f"{'“' + name + '”':>11s}" for name in names))
for name, row in zip(names, table, strict=True):
    print(f"{name:10s}" + "".join(f"{count:11d}" for count in row))
wrong = np.flatnonzero(said != test.y)
titles = [f"{names[test.y[i]]}, not {names[said[i]]}" for i in wrong[:12]]
viz.pictures(list(test.x[wrong[:12]]), titles=titles, columns=4)

# %% [markdown] tags=["notes"]
# **3 min.** Cover the titles and let the room name the pictures: nearly all are easy for us. Ask which part of a picture may have misled the net; the corner of a triangle looks like the tip of a leaf.
# This is the habit to teach: look at the mistakes before changing the net.

# %% [markdown]
# ## What the filters learned
#
# Time to compare with what you expected at the start. The first row holds eight of the sixteen filters before training, the second the same eight afterwards; then the other eight.

# %%
before, after = as_pictures(untrained), as_pictures(net[0].weight.data)
edges = "Sixteen filters of colored noise, and below each what it became: a slanted edge or a spot of two colors."
viz.pictures(before[:8] + after[:8] + before[8:] + after[8:], alt=edges)

# %% [markdown] tags=["notes"]
# **5 min.** Let students describe single filters in words: "dark below, green above, slanted". Then open the demo again and look at the patches that excite a filter most: rims of petals and discs.
# Draw the contrast: a template knows where; a filter knows what, and the map says where.
#
# *Usually asked:* "Why does the net need sixteen of them, if an edge is an edge?" For every direction and pair of colors another one. Nothing in the net knows that two of them are the same filter, turned.

# %% [markdown]
# Noise became **local templates**: edges between two colors, in one direction. Two numbers make that checkable. *Orientation* is 0 for a filter that changes equally in all directions and 1 for one that changes in one
# direction only (from the structure tensor, the 2×2 matrix of products of its slopes). *Opposition* is the smallest cosine between two of its color planes: near −1, one color's weights are the negative of another's.


# %%
def orientation(w):
    down, right = np.gradient(w, axis=(2, 3))
    pairs = (down, down), (down, right), (right, right)
    a, b, c = ((p * q).sum(axis=(1, 2, 3)) for p, q in pairs)
    return np.hypot(a - c, 2 * b) / (a + c)  # eigenvalues: difference over sum


def opposition(w):
    planes = w.reshape(len(w), 3, -1)
    planes = planes / np.linalg.norm(planes, axis=2, keepdims=True)
    return (planes @ planes.transpose(0, 2, 1)).min(axis=(1, 2))


filters = cnnlab.to_numpy(net[0].weight.data)
noise = np.random.default_rng(0).uniform(-1, 1, (1000, 3, 7, 7))
oriented = np.quantile(orientation(noise), 0.99)
opposed = np.quantile(opposition(noise), 0.01)
kinds = {"untrained": untrained, "trained": filters}  # beyond 99 of 100 filters of noise:
for name, w in kinds.items():
    slanted, colors = np.sum(orientation(w) > oriented), np.sum(opposition(w) < opposed)
    print(f"{name:10s} oriented: {slanted:2d} of 16   opposing colors: {colors:2d} of 16")

# %%
print("medians of          orientation   correlation with its quarter turn")
templates = {**kinds, "MLP's templates": mlp_templates}
for name, w in templates.items():
    print(f"{name:18s} {np.median(orientation(w)):12.2f} {np.median(quarter_turn(w)):+18.2f}")

# %% [markdown]
# Counted is what lies beyond 99 of 100 random filters. Nobody asked for edges or colors; they are what helps to tell four outlines apart *when a filter can be small and used everywhere*. The same pictures gave
# the MLP rings: at any *one* place, edges of all directions come by and cancel. Somewhere in the picture, each filter finds its own.
#
# This is no peculiarity of drawn shapes. [AlexNet](https://doi.org/10.1145/3065386), trained on over a million photographs, has 96 first filters of 3×11×11 (64 in torchvision's version): edges, gratings and pairs of opposing colors.

# %% [markdown]
# ## The flower, or the middle?
#
# In training every shape was within two pixels of the middle. **Before you run the next cell, predict:** move the test shapes to the right, by up to six pixels. A CNN was what we wanted for shift invariance. How much does it lose
# at six pixels: nothing, some, or most of it?

# %%
roomy = data.load_shapes(1000, size=40, shift=0, seed=4)  # to cut 24×24 out of
shifts = list(range(7))


def moved(pictures, down, right):
    return pictures[:, :, 8 - down : 32 - down, 8 - right : 32 - right]


def against_shift(scores):
    labels = cnnlab.asarray(roomy.y)
    return [train.accuracy(scores(ready(moved(roomy.x, 0, s))), labels) for s in shifts]


by_net = {
    "CNN": against_shift(lambda x: train.predict(net, x)),
    "MLP": against_shift(lambda x: train.predict(mlp, flat(x))),
    "linear classifier": against_shift(lambda x: train.predict(linear, flat(x))),
}
flower = roomy.x[roomy.y == 0][:1]
strip = [moved(flower, 0, s)[0] for s in shifts]
viz.pictures(strip, titles=[f"{s} px" for s in shifts])

# %% [markdown] tags=["notes"]
# **7 min.** Vote before running. Then ask which of the eight layers is to blame, and have someone point at it in the summary: everything up to the flatten moves along, and the fully connected layer has a weight for each place.
# The last row of lecture 01's table ("MLP, one place") was the same story.
#
# *Usually asked:* "Then why not always pool over everything?" Because place within a shape matters: petals are *around* a center. The price is in the table below.

# %%
style = {"xlabel": "moved to the right by (pixels)", "ylabel": "accuracy"}
style |= {"level": (0.25, "guessing")}
viz.curves(shifts, by_net, **style)

# %% [markdown]
# It falls later than the others, but it falls. The convolutions are not to blame: when the picture moves, their maps move along. But after the flatten, the fully connected layer has one weight for every feature *at every place* of the
# 3×3 map, and it has met flowers in the middle only.
#
# If that is right, the convolutions need no more training. Keep them as they are, and train only what comes after, on their features: once a **maximum over all places** with the old, centered pictures; once a small MLP
# that has seen moved pictures.

# %%
convolutions = net[:6]  # up to the second pooling; not trained any further
wide = data.load_shapes(4000, size=40, shift=0, seed=5)
by = np.random.default_rng(0).integers(-6, 7, (4000, 2))
wide_x = np.concatenate([moved(wide.x[i : i + 1], *by[i]) for i in range(4000)])


# %%
def train_head(head, features, y):
    optimizer = optim.Adam(head.parameters(), lr=3e-3)
    options = {"loss": loss, "optimizer": optimizer, "rng": np.random.default_rng(0)}
    options |= {"schedule": optim.CosineAnnealingLR(optimizer, 16), "progress": False}
    train.fit(head, features, y, epochs=16, **options)


started, rng = time.process_time(), np.random.default_rng(0)
maximum = nn.Sequential(nn.GlobalPool("max"), nn.Linear(24, 4, rng=rng))
train_head(maximum, train.predict(convolutions, x), y)
moving = nn.Sequential(nn.Flatten(), *nn.mlp([24 * 3 * 3, 64, 4], rng=rng))
train_head(moving, train.predict(convolutions, ready(wide_x)), cnnlab.asarray(wide.y))
print(f"both heads: {time.process_time() - started:.1f} s")


# %%
def on_same_filters(head):
    return against_shift(lambda x: train.predict(nn.Sequential(*convolutions, head), x))


heads = {"CNN": by_net["CNN"]}
heads["same filters, maximum"] = on_same_filters(maximum)
heads["same filters, MLP, saw moved pictures"] = on_same_filters(moving)
for name, values in heads.items():
    print(f"{name:38s} at 0 px {values[0]:.2f}   at 6 px {values[-1]:.2f}")
viz.curves(shifts, heads, **style)

# %% [markdown]
# Filters trained on shapes in the middle serve everywhere: **what a convolution learns at one place, it knows at all places**. The MLP on top knows the places that it was shown. The maximum, which was shown
# none of them, falls slowly, yet starts lower: it forgets how features lie to one another. Every net has to choose here. Most of today's pool over all places, after many more
# layers of convolution have put the arrangement into the features.

# %% [markdown]
# ## The same net in PyTorch
#
# `build` took the module `nn` as its argument. Hand it PyTorch's: layers, their order, their names and the shapes of their weights are the same, so the trained weights fit as they are.

# %%
try:
    import torch
except ImportError:
    print("PyTorch is not installed here: there is nothing to compare with")
else:
    twin = build(torch.nn)
    state = {name: torch.from_numpy(a) for name, a in net.state_dict().items()}
    twin.load_state_dict(state)
    with torch.no_grad():
        theirs = twin(torch.from_numpy(cnnlab.to_numpy(x_test))).numpy()
    ours = cnnlab.to_numpy(train.predict(net, x_test))
    print(twin)
    print(f"{ours.size:,} logits of up to {abs(ours).max():.1f};", end=" ")
    print(f"largest difference {abs(ours - theirs).max():.1e}")

# %% [markdown] tags=["notes"]
# **3 min.** Put the two loops side by side. The one real difference is who remembers how to go back: here each layer has its own `backward`, written down in lectures 06 and 09; in PyTorch the tensors carry the graph.
# Point out that a file of weights is only names and arrays: nothing in it can run.

# %% [markdown]
# The loop is the same too, up to one line. Here `loss.backward()` returns a gradient, which we hand through the layers ourselves; PyTorch recorded the forward pass and walks back through it:
#
# | | `cnnlab` | PyTorch |
# |---|---|---|
# | forget | `net.zero_grad()` | `optimizer.zero_grad()` |
# | forward | `value = loss(net(x), y)` | `value = loss(net(x), y)` |
# | backward | `net.backward(loss.backward())` | `value.backward()` |
# | step | `optimizer.step()` | `optimizer.step()` |
#
# Weights go into a file and come back; the file is a plain `.npz`, with PyTorch's names.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

with TemporaryDirectory() as folder:  # give a path of your own to keep the file
    path = Path(folder) / "four_shapes.npz"
    nn.save(net, path)
    print(f"{path.stat().st_size / 1000:.0f} kB")
    print({name: a.shape for name, a in np.load(path).items()})
    again = build(nn)
    nn.load(again, path)
print("same answers:", bool(np.all(answers(again, x_test) == said)))

# %% [markdown]
# ## What you saw
#
# * A CNN is convolution, nonlinearity, pooling, again, then flatten and a fully connected layer. Trained on labels alone, it beats an MLP with many times its parameters.
# * Shuffle; choose the learning rate first; watch training *and* validation; look at the mistakes.
# * Small filters that are used everywhere become oriented edges and opposing colors. Templates of the whole picture become averages: here, rings.
# * Convolutions know what they learned at all places. A fully connected layer on top does not: it knows the places that it was shown.

# %% [markdown] tags=["notes"]
# **1 min.** Return to the answers on the board. Ask each student for the one figure of the lecture that they would show somebody else.

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. Where do the 6,716 parameters come from?</summary>
#
# First convolution: $16 \cdot (3 \cdot 7 \cdot 7) + 16 = 2\,368$. Second: $24 \cdot (16 \cdot 3 \cdot 3) + 24 = 3\,480$. Fully connected: $4 \cdot (24 \cdot 3 \cdot 3) + 4 = 868$. Together 6,716. Nonlinearity,
# pooling and flatten have none.
# </details>
#
# <details><summary>2. The training loss stays at log 4 from the first epoch on. What are two possible causes, and how do you tell them apart?</summary>
#
# A rate that is much too high (the loss first jumped, and most ReLUs are now zero for every picture) or much too low (nothing has moved yet: the weights are nearly those at the start). Compare the weights with their starting
# values, or simply try a rate ten times lower and one ten times higher. A third cause: labels that do not belong to their pictures.
# </details>
#
# <details><summary>3. Why does the trained net not fit pictures of 40×40, and which layer would you replace?</summary>
#
# The convolutions and pools take any size, but their last maps are then 7×7, not 3×3, and the fully connected layer expects $24 \cdot 3 \cdot 3$ numbers. Replace it: a maximum or mean over all places takes any size, or
# make it a convolution with 3×3 kernels, which scans the picture as in lecture 02.
# </details>

# %% [markdown]
# ## Go on
#
# Train a net with layers that you wrote: assignment A5, exercise 15, `train_own_cnn`. Then tell somebody what it learned, with a figure of your own: exercise 16, `explain_network`.
#
# The cells above take other pictures too. Try `data.load_digits("train", size=28)`: one channel instead of three, ten classes, and the test set written by hands that the net has not seen.
#
# And why did all this take seconds and not hours? [Lecture 11](11_how_fast_convolutions_are_computed.ipynb), a bonus, opens the convolution and measures it.
