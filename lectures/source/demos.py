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
# # All demos
#
# The fourteen demos of the course, each in two lines, to be taken into your own notebook. They take your arrays and nets in place of the ones below; `help(demos.ConvStepper)`
# says how. Each computes in your browser, works by keyboard alone, shows its numbers and its code, and can be saved as a page: `demo.save("demo.html")`.
# The last cell puts all of them on one page that needs no kernel and no network.

# %%
import numpy as np

from cnnlab import data, demos, nn, optim, train

rng = np.random.default_rng(0)
gallery = []


def show(demo):
    """Keep a demo for the page at the end, and show it."""
    gallery.append(demo)
    return demo


# %% [markdown]
# Three of them look into nets that have learned something. These are small and quickly trained; the lectures do it better.


# %%
def fit(net, x, y, loss, epochs, **options):
    """Train a net with Adam and a learning rate that fades out."""
    optimizer = optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = optim.CosineAnnealingLR(optimizer, T_max=epochs)
    options = {"batch_size": 64, "progress": False, **options}
    return train.fit(net, x, y, loss=loss, optimizer=optimizer, schedule=schedule, epochs=epochs, rng=rng, **options)


def windows(images, corners, size):
    """Cut a window out of each picture or spectrogram (the last axes), flattened."""
    cut = [x[..., i : i + size[0], j : j + size[1]].ravel() for x, (i, j) in zip(images, corners, strict=True)]
    return np.stack(cut)


# %% [markdown]
# ## 1. Welcome scanner
#
# A window moves over the spectrogram of a recording, a small net scores it, the best score decides (lecture 01).

# %%
START, K = 15, 30  # in all these recordings the word begins at 0.3 s, which is frame 15; a window is 0.6 s
spoken = data.load_welcome("train", 1000, at=0.3)
at_word = np.stack([np.zeros(1000, int), START + rng.integers(-2, 3, 1000)], axis=1)
anywhere = np.stack([np.zeros(1000, int), rng.integers(0, spoken.x.shape[2] - K, 1000)], axis=1)
said_no = spoken.y == 0
x = np.concatenate([windows(spoken.x, at_word, (20, K)), windows(spoken.x[said_no], anywhere[said_no], (20, K))])
y = np.concatenate([spoken.y, np.zeros(said_no.sum(), np.float32)])[:, None]
hears = nn.mlp([20 * K, 24, 1], rng=rng)
fit(hears, x, y, nn.BCEWithLogitsLoss(), epochs=12)
recording = data.load_welcome_recordings()[0]

# %%
sound = {"wave": recording.wave, "truth": recording.start and (recording.start, recording.stop)}
show(demos.WelcomeScanner(recording.x, nn.layers_of(hears), width=K, **sound))

# %% [markdown]
# ## 2. Flower scanner
#
# The window moves over a picture, and its scores make a map. Drag the flower: the map follows (lecture 02).

# %%
SIZE = 24
scenes = data.load_flowers(2000, seed=1)
near = np.round(scenes.center).astype(int) - SIZE // 2 + rng.integers(0, 3, (2, 2000, 2))
corners = np.clip(near, 0, scenes.x.shape[2] - SIZE)
empty = scenes.x[scenes.y == 0]
free = rng.integers(0, scenes.x.shape[2] - SIZE + 1, (4, len(empty), 2))
at_place = [windows(scenes.x, each, (SIZE, SIZE)) for each in corners]
elsewhere = [windows(empty, each, (SIZE, SIZE)) for each in free]


def train_window_net(negatives):
    """Train on windows around the flowers, and on these; pictures come in as -1 … 1."""
    net = nn.mlp([3 * SIZE * SIZE, 32, 1], rng=rng)
    y = np.concatenate([scenes.y, scenes.y, np.zeros(sum(map(len, negatives)), np.float32)])
    fit(net, 2 * np.concatenate([*at_place, *negatives]) - 1, y[:, None], nn.BCEWithLogitsLoss(), epochs=8)
    return net


# %%
def hardest(net, top=4, stride=2):
    """The windows of each picture without a flower that look most like one."""
    maps = train.predict(nn.Scan(net, SIZE, stride), 2 * empty - 1, batch_size=50)[:, 0]
    best = np.argsort(-maps.reshape(len(empty), -1), axis=1)[:, :top]
    places = stride * np.stack(np.unravel_index(best.T, maps.shape[1:]), axis=-1)  # (top, pictures, 2)
    return [windows(empty, each, (SIZE, SIZE)) for each in places]


sees = train_window_net(elsewhere + hardest(train_window_net(elsewhere)))
(W, b), last = nn.layers_of(sees)
sees_layers = [(2 * W, b - W.sum(axis=1)), last]  # for pictures in 0 … 1: W (2x − 1) + b

# %%
meadow, sprite = empty[1], data.flower_sprite(10, seed=5)
show(demos.FlowerScanner(meadow, sees_layers, size=SIZE, flower=sprite, flower_at=(8, 32)))

# %% [markdown]
# ## 3. Giant matrix
#
# A scanning layer as one weight matrix: full, sparse, shared (lecture 03).

# %%
show(demos.GiantMatrix([-1, 2, 0.5], n=12, view="full"))

# %% [markdown]
# ## 4. Shared gradient
#
# The gradient of a weight that stands in many places is a sum over its edges (lecture 03).

# %%
show(demos.SharedGradient())

# %% [markdown]
# ## 5. Order of computation
#
# All layers at one window, or one layer at all windows: the same numbers, and who computes what again (lectures 04 and 05).

# %%
show(demos.OrderOfComputation())

# %% [markdown]
# ## 6. Map to decision
#
# Maximum, mean, softmax or an MLP over the scores, and the gradient back to the cells (lectures 01 and 04).

# %%
scores = nn.Scan(hears, K).eval()(recording.x[None])[0, 0, ::4]  # every fourth window of the recording of demo 1
show(demos.MapToDecision(scores.round(1), how="softmax"))

# %% [markdown]
# ## 7. Distributed scan
#
# One window, looked at by one, two or three levels; each net equals the block-sparse, tied MLP that it is (lecture 05).

# %%
show(demos.DistributedScan(levels=3))

# %% [markdown]
# ## 8. Convolution stepper
#
# Every product of a convolution; every number can be changed (lecture 06).

# %%
show(demos.ConvStepper(w=[[1, 2, 0], [3, 0, 0], [0, 0, -1]], padding=1))

# %% [markdown]
# ## 9. Volume view
#
# Channels, filters, groups: partial maps and their sum (lectures 06 and 08).

# %%
show(demos.VolumeView())

# %% [markdown]
# ## 10. Receptive field
#
# Which inputs reach a unit, and which units an input reaches, through any stack of layers (lecture 07).

# %%
show(demos.ReceptiveField([("conv", 3), ("maxpool", 2, 2), ("conv", 3), ("conv", 3)]))

# %% [markdown]
# ## 11. Architecture calculator
#
# Shapes, parameters, multiply-adds, memory and receptive fields of a net that you edit (lecture 07).

# %%
show(demos.ArchitectureCalculator())

# %% [markdown]
# ## 12. What filters learn
#
# Filters, maps and the patches that excite a filter most, here of a net that learned to tell four shapes in the cell below (lecture 10).

# %%
shapes = data.load_shapes(2500, seed=1)
x = (shapes.x - np.float32(0.4)) / np.float32(0.25)  # about zero on average, with a spread of one
layers = [nn.Conv2d(3, 16, 7, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 24, 3, rng=rng), nn.ReLU()]
net = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24 * 3 * 3, 4, rng=rng))
net[0].weight.data *= np.float32(0.3)
filters = demos.FilterGallery(net, x[:60], shapes.y[:60], names=shapes.names)
optimizer = optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-3)
for optimizer.lr in (2e-3, 2e-3, 2e-3, 1e-3, 5e-4, 2e-4):
    options = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer, "batch_size": 64, "progress": False}
    history = train.fit(net, x, shapes.y, epochs=1, rng=rng, metrics={"accuracy": train.accuracy}, **options)
    filters.update(net, history)

# %%
show(filters)

# %% [markdown]
# ## 13. Pooling stepper
#
# Who wins each window, and where the gradient goes back to (lecture 09).

# %%
show(demos.PoolingStepper(kernel_size=3, stride=1, view="backward"))

# %% [markdown]
# ## 14. Autopsy
#
# A wrong answer laid open: what is wrong, where, and which mistake would make it so. Here a student correlated with the kernel turned by 180°.

# %%
picture, kernel = rng.integers(-2, 3, (6, 7)).astype(float), np.array([[1.0, 2.0], [0.0, -1.0]])
cut = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
right, wrong = (np.einsum("ijuv,uv->ij", cut, k) for k in (kernel, kernel[::-1, ::-1]))

# %%
show(demos.Autopsy(right, wrong, x=picture, w=kernel))

# %% [markdown]
# ## All on one page
#
# One file, to be opened from the disk, put on a course page, or handed out. It asks nothing of any network.

# %%
from cnnlab.demos import save_gallery

page = save_gallery("demos.html", gallery)
print(f"{page}: {len(gallery)} demos, {page.stat().st_size / 1e6:.1f} MB")
