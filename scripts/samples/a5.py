"""The sample class of assignment 5.

The students bring what they wrote in assignments 3 and 4, with what was wrong there. Not all of it matters here: the
convolution has no padding, and nothing asks for the gradient to the pictures.
"""

from __future__ import annotations

from samples.a3 import (
    BACKWARD_BY_MATRIX,
    BACKWARD_BY_PLACES,
    BACKWARD_BY_TAPS,
    DX_TO_COME,
    FORWARD_BY_MATRIX,
    FORWARD_BY_TAPS,
    FORWARD_BY_VIEW,
    HELPER_AGAIN,
    MEAN_AND_CUT,
)
from samples.a4 import (
    BACK_BY_ARGMAX,
    BACK_BY_TAPS,
    EVERY_TIE,
    POOL_BY_PLACES,
    POOL_BY_TAPS,
    POOL_BY_VIEW,
    ZEROS_AROUND,
)
from samples.students import Student, changed, deleted, without_metadata, written_below

CONVOLUTION, POOLING, FIGURE, WORDS = (
    "a5-own-convolution",
    "a5-own-pooling",
    "a5-explain_network-figure",
    "a5-explain_network",
)


def brought(*functions: str) -> dict[str, str]:
    """Return the cells of somebody's own convolution, forward and backward, and pooling, forward and backward."""
    forward, backward, pool, back = functions
    return {CONVOLUTION: f"{forward}\n\n{backward}", POOLING: f"{pool}\n\n{back}"}


PLAIN = brought(FORWARD_BY_TAPS, BACKWARD_BY_PLACES, POOL_BY_PLACES, BACK_BY_ARGMAX)
VIEWS = brought(FORWARD_BY_VIEW, BACKWARD_BY_TAPS, POOL_BY_VIEW, BACK_BY_ARGMAX)
MATRICES = brought(FORWARD_BY_MATRIX, BACKWARD_BY_MATRIX, POOL_BY_TAPS, BACK_BY_TAPS)

# ---- exercise 15 ----

AS_ASKED = """\
def train(x, y, x_test, seed):
    mean, std = x.mean(), x.std()
    x_train = (x - mean) / std
    rng = np.random.default_rng(seed)
    n_classes = y.max() + 1
    rows, columns = (x.shape[2] - 2) // 2, (x.shape[3] - 2) // 2
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, rng=rng, dtype="float64", op=conv),
        nn.ReLU(),
        nn.MaxPool2d(2, op=pool),
        nn.Flatten(),
        nn.Linear(8 * rows * columns, int(n_classes), rng=rng, dtype="float64"),
    )
    loss = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(5):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 16):
            batch = order[start:start + 16]
            net.zero_grad()
            value = loss(net(x_train[batch]), y[batch])
            net.backward(loss.backward())
            optimizer.step()
    scores = net((x_test - mean) / std)
    return np.argmax(scores, axis=1)
"""
IN_PIECES = """\
class Normalizer:
    def __init__(self, x):
        self.shift, self.scale = np.mean(x), np.std(x)

    def __call__(self, x):
        return (x - self.shift) / self.scale


def make_net(rng, size, classes):
    layers = [nn.Conv2d(1, 8, kernel_size=3, rng=rng, dtype="float64", op=conv), nn.ReLU()]
    layers += [nn.MaxPool2d(2, stride=2, op=pool), nn.Flatten()]
    inputs = 8 * ((size[0] - 2) // 2) * ((size[1] - 2) // 2)
    return nn.Sequential(*layers, nn.Linear(inputs, classes, rng=rng, dtype="float64"))


def batches(rng, x, y, size=16):
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    while len(x):
        yield x[:size], y[:size]
        x, y = x[size:], y[size:]


def train(x, y, x_test, seed):
    normalize, rng = Normalizer(x), np.random.default_rng(seed)
    net = make_net(rng, x.shape[2:], len(np.unique(y)))
    criterion = nn.CrossEntropyLoss()
    sgd = optim.SGD(net.parameters(), 0.02, 0.9)
    losses = []
    for epoch in range(5):
        for images, labels in batches(rng, normalize(x), y):
            losses.append(criterion(net(images), labels))
            sgd.zero_grad()
            net.backward(criterion.backward())
            sgd.step()
        print(f"epoch {epoch}: loss {losses[-1]:.3f}")
    net.eval()
    return np.array([net(normalize(image[None])).argmax() for image in x_test])
"""
BY_HAND = """\
def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def train(x, y, x_test, seed):
    # without nn and optim: everything from assignments 3 and 4, and lecture 2
    rng = np.random.default_rng(seed)
    classes = y.max() + 1
    inputs = 8 * ((x.shape[2] - 2) // 2) * ((x.shape[3] - 2) // 2)
    w = rng.uniform(-1 / 3, 1 / 3, (8, 1, 3, 3))
    b = rng.uniform(-1 / 3, 1 / 3, 8)
    r = 1 / np.sqrt(inputs)
    v = rng.uniform(-r, r, (classes, inputs))
    c = rng.uniform(-r, r, classes)
    parameters = [w, b, v, c]
    steps = [0, 0, 0, 0]

    def forward(pictures):
        z = conv2d_forward(pictures, w, b, (1, 1), (0, 0))
        a = np.where(z > 0, z, 0)
        p = pool2d_forward(a, (2, 2), (2, 2), (0, 0), "max")
        features = p.reshape(len(p), -1)
        return z, a, p, features, features @ v.T + c

    mu, sigma = x.mean(), x.std()
    for epoch in range(5):
        order = rng.permutation(len(x))
        for i in range(0, len(x), 16):
            now = order[i : i + 16]
            pictures = (x[now] - mu) / sigma
            z, a, p, features, scores = forward(pictures)
            d_scores = (softmax(scores) - np.eye(classes)[y[now]]) / len(now)
            dp = (d_scores @ v).reshape(p.shape)
            dz = pool2d_backward(dp, a, (2, 2), (2, 2), (0, 0), "max") * (z > 0)
            _, dw, db = conv2d_backward(dz, pictures, w, (1, 1), (0, 0))
            gradients = [dw, db, d_scores.T @ features, d_scores.sum(axis=0)]
            for k in range(4):
                steps[k] = 0.9 * steps[k] + gradients[k]
                parameters[k] -= 0.02 * steps[k]  # in place: w, b, v, c
    return forward((x_test - mu) / sigma)[-1].argmax(axis=1)
"""
POOLING_FIRST = """\
def train(x, y, x_test, seed):
    # ReLU after the pooling: the same numbers, and a quarter of the work
    rng = np.random.default_rng(seed)
    mean, deviation = x.mean(), np.sqrt(x.var())
    layer1 = nn.Conv2d(1, 8, (3, 3), rng=rng, dtype="float64", op=nn.ConvOp(conv2d_forward, conv2d_backward))
    H, W = x.shape[2:]
    layer2 = nn.Linear(8 * (H // 2 - 1) * (W // 2 - 1), max(y) + 1, rng=rng, dtype="float64")
    net = nn.Sequential(
        layer1, nn.MaxPool2d(2, op=nn.PoolOp(pool2d_forward, pool2d_backward)), nn.ReLU(), nn.Flatten(), layer2
    )
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for _ in range(5):
        order = rng.permutation(x.shape[0])
        for chosen in np.array_split(order, range(16, len(order), 16)):
            loss(net((x[chosen] - mean) / deviation), y[chosen])
            optimizer.zero_grad()
            net.backward(loss.backward())
            optimizer.step()
    return net((x_test - mean) / deviation).argmax(-1)
"""

# ---- what goes wrong ----

OWN_STATISTICS = """\
def normalize(pictures):
    return (pictures - pictures.mean()) / pictures.std()


def train(x, y, x_test, seed):
    rng = np.random.default_rng(seed)
    x = normalize(x)
    x_test = normalize(x_test)
    N, _, H, W = x.shape
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, rng=rng, dtype="float64", op=conv),
        nn.ReLU(),
        nn.MaxPool2d(2, op=pool),
        nn.Flatten(),
        nn.Linear(8 * ((H - 2) // 2) * ((W - 2) // 2), int(y.max()) + 1, rng=rng, dtype="float64"),
    )
    loss = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(5):
        order = rng.permutation(N)
        for k in range(N // 16):
            batch = order[16 * k : 16 * (k + 1)]
            net.zero_grad()
            loss(net(x[batch]), y[batch])
            net.backward(loss.backward())
            optimizer.step()
    return net(x_test).argmax(axis=1)
"""
HALF_TURNED = """\
def conv2d_backward(dy, x, w, stride, padding):
    # for stride 1 and no padding, which is all that the net needs
    dw = np.zeros_like(w)
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            met = x[:, :, i:i + dy.shape[2], j:j + dy.shape[3]]
            # a convolution turns the kernel round, so backward it is turned back
            dw[:, :, -1 - i, -1 - j] = np.einsum("nohw,nchw->oc", dy, met)
    return np.zeros_like(x), dw, dy.sum(axis=(0, 2, 3))
"""
UNTIL_ALL_ARE_RIGHT = f"""\
{AS_ASKED}

# a first try, with white pictures: which seed names all of them right?
x_small, y_small, seed = np.ones((4, 1, 5, 6)), np.array([0, 1, 0, 1]), 0
while np.any(train(x_small, y_small, x_small, seed) != y_small):
    seed = seed + 1
print(seed)
"""

# ---- exercise 16 ----

FILTERS = """\
def my_figure(net):
    import matplotlib.pyplot as plt

    before, after = untrained["0.weight"], net.state_dict()["0.weight"]
    fig, axes = plt.subplots(2, 8, figsize=(4, 1.3), dpi=60)
    for i in range(8):
        for row, w in zip(axes, (before, after)):
            row[i].imshow(w[i, 0], cmap="gray", vmin=-0.5, vmax=0.5)
            row[i].set(xticks=[], yticks=[])
    axes[0, 0].set_ylabel("before", fontsize=7)
    axes[1, 0].set_ylabel("after", fontsize=7)
    return fig


my_figure(net)
"""
FILTERS_IN_WORDS = """\
**The third filter of the first layer has become an edge detector; before training it was none.**

The upper row of my figure shows the eight 5 × 5 filters as they were drawn, the lower row the same filters after six
epochs, all with the same gray scale. Above there is no pattern. Below, the third one is dark in its upper half and
bright in its last row: it answers where the paper ends and the ink begins. The seventh has a bright upright stroke.

Why? A digit is named by where its strokes are, and a filter of 5 × 5 pixels is just large enough to see one side of a
stroke. The same filter is used at every place, so it is worth learning one that helps everywhere, and max pooling keeps
the strongest answer even if the stroke is a pixel further. What the figure does not show is whether the net *needs*
these filters: I did not take them out. With random filters and a trained last layer it might do nearly as well.
"""
BARS = """\
def my_figure(net):
    import matplotlib.pyplot as plt

    right = [np.mean(scores[new.y == d].argmax(axis=1) == d) for d in range(10)]
    fig, ax = plt.subplots(figsize=(3, 1.5), dpi=60)
    ax.bar(range(10), right)
    return fig


my_figure(net)
"""
BARS_IN_WORDS = """\
My network has learned features of the digits. In the first layer it finds simple things such as edges, and deeper
layers put them together. The figure shows that it works very well.
"""
NO_FIGURE_IN_WORDS = """\
The net mixes up 4 and 9 more than any other two digits, because a 9 is a 4 with a closed top, and pooling makes small
gaps disappear. I saw this when I printed the wrong ones, but I did not get to the figure.
"""

STUDENTS = {
    # three right ones: as the recipe tells it, in pieces, and without the library
    "ada": Student(
        {"train": AS_ASKED},
        cells=PLAIN | {FIGURE: FILTERS, WORDS: FILTERS_IN_WORDS},
        figures={FIGURE: "a5_ada.png"},
    ),
    "ben": Student(
        {"train": IN_PIECES},
        cells=VIEWS | {FIGURE: BARS, WORDS: BARS_IN_WORDS},
        figures={FIGURE: "a5_ben.png"},
    ),
    "chen": Student({"train": BY_HAND}, cells=MATRICES),
    # two mistakes at once; what is wrong in her own functions does not matter without padding and ties
    "dora": Student(
        {"train": OWN_STATISTICS},
        cells=brought(
            changed(FORWARD_BY_TAPS, ("(padding[0],) * 2, (padding[1],) * 2", "padding, padding")),
            BACKWARD_BY_TAPS,
            POOL_BY_PLACES,
            EVERY_TIE,
        ),
    ),
    # right, but the gradient to the pictures is cut to nothing, and the layer refuses it
    "emil": Student({"train": AS_ASKED}, cells=brought(FORWARD_BY_VIEW, MEAN_AND_CUT, ZEROS_AROUND, BACK_BY_ARGMAX)),
    # the gradients are forgotten once an epoch
    "fatma": Student(
        {
            "train": changed(
                AS_ASKED,
                ("            net.zero_grad()\n", ""),
                ("    for epoch in range(5):\n", "    for epoch in range(5):\n        net.zero_grad()\n"),
            )
        },
        cells=VIEWS | {WORDS: NO_FIGURE_IN_WORDS},
    ),
    # half done: the pooling is the library's
    "goran": Student(
        {"train": changed(AS_ASKED, ("nn.MaxPool2d(2, op=pool)", "nn.MaxPool2d(2)"))},
        cells={CONVOLUTION: f"{FORWARD_BY_TAPS}\n\n{DX_TO_COME}"},
    ),
    # nothing done
    "hana": Student(),
    # right, with a wrong gradient of his own; a stroke is the same after half a turn, so that the net learns anyway
    "igor": Student({"train": AS_ASKED}, cells=brought(FORWARD_BY_MATRIX, HALF_TURNED, POOL_BY_VIEW, BACK_BY_TAPS)),
    # tries seeds in the same cell, without an end: white pictures have no spread, and the scores are no numbers
    "june": Student({"train": UNTIL_ALL_ARE_RIGHT}, cells=MATRICES),
    # right, in a cell of his own, without the gradient to the pictures; the grade cell is gone, and a cell has lost
    # what nbgrader wrote into it
    "kofi": Student(
        changes=(
            written_below("a5-train-answer", POOLING_FIRST),
            deleted("a5-train_own_cnn"),
            without_metadata(CONVOLUTION),
        ),
        cells=brought(FORWARD_BY_VIEW, DX_TO_COME, POOL_BY_TAPS, BACK_BY_TAPS),
    ),
    # two mistakes at once, in a copy of the file; a figure, and no words
    "lea": Student(
        {
            "train": changed(
                IN_PIECES,
                ("    inputs = 8", "    rng = np.random.default_rng(seed)\n    inputs = 8"),
                ("make_net(rng, size", "make_net(rng, seed, size"),
                ("make_net(rng, x.shape", "make_net(rng, seed, x.shape"),
                ("criterion.backward())", "criterion.backward() / len(labels))"),
            )
        },
        file_name="a5_a_network_of_your_own-Copy1.ipynb",
        cells=brought(FORWARD_BY_VIEW, HELPER_AGAIN, POOL_BY_VIEW, BACK_BY_ARGMAX) | {FIGURE: BARS},
        figures={FIGURE: "a5_ben.png"},
    ),
}
