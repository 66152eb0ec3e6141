"""What small nets learn from the embedded pictures, and in how many seconds of one core.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/learn_data.py [shapes] [digits] [flowers]

Each line is one training from one seed. Test sets of a few hundred pictures: expect 2 points more or less.
"""

import sys
import time

import numpy as np

from cnnlab import data, nn, optim, train


def report(name, net, x, y, tests, *, epochs, lr=2e-3, weight_decay=0.0):
    """Train on (x, y) with Adam and a cosine schedule, and print the accuracy on each of the tests."""
    optimizer = optim.Adam(net.parameters(), lr=lr, weight_decay=weight_decay)
    started = time.process_time()
    train.fit(
        net,
        x,
        y,
        loss=nn.CrossEntropyLoss(),
        optimizer=optimizer,
        schedule=optim.CosineAnnealingLR(optimizer, epochs),
        epochs=epochs,
        rng=np.random.default_rng(0),
        progress=False,
    )
    seconds = time.process_time() - started
    size = sum(parameter.data.size for parameter in net.parameters())
    accuracy = {
        what: float((train.predict(net, x_test).argmax(axis=1) == y_test).mean())
        for what, (x_test, y_test) in tests.items()
    }
    results = "  ".join(f"{what} {value:.3f}" for what, value in accuracy.items())
    print(f"{name:<42} {size:>7,} parameters {seconds:6.1f} s  {results}", flush=True)


def flat(x):
    return x.reshape(len(x), -1)


def shapes():
    def ready(s):
        return (s.x - np.float32(0.4)) / np.float32(0.25)

    unseen = data.load_shapes(1000, seed=1)
    for n, epochs, weight_decay in ((5000, 10, 3e-3), (10_000, 16, 8e-3)):
        seen = data.load_shapes(n)
        net = two_convolutions((3, 16, 24), kernel=7, side=24, classes=4)
        net[0].weight.data *= np.float32(0.3)  # small first weights let the first layer find edges
        test = {"test": (ready(unseen), unseen.y)}
        report(
            f"shapes, {n} for {epochs} epochs", net, ready(seen), seen.y, test, epochs=epochs, weight_decay=weight_decay
        )
    seen = data.load_shapes(5000)
    test = {"test": (flat(ready(unseen)), unseen.y)}
    net = nn.mlp([1728, 64, 4], rng=np.random.default_rng(5))
    report(
        "shapes, MLP, 5000 for 10 epochs", net, flat(ready(seen)), seen.y, test, epochs=10, lr=1e-3, weight_decay=1e-3
    )


def digits():
    seen, unseen = data.load_digits("train"), data.load_digits("test")
    test = {"other hands": (flat(unseen.x), unseen.y)}
    net = nn.mlp([64, 64, 10], rng=np.random.default_rng(0))
    report("digits 8 × 8, MLP", net, flat(seen.x), seen.y, test, epochs=40)
    x, y = np.concatenate([seen.x, unseen.x]), np.concatenate([seen.y, unseen.y])
    order = np.random.default_rng(0).permutation(len(y))
    kept, left_out = order[:1415], order[1415:]
    test = {"random rest": (flat(x[left_out]), y[left_out])}
    net = nn.mlp([64, 64, 10], rng=np.random.default_rng(0))
    report("digits 8 × 8, MLP, all hands known", net, flat(x[kept]), y[kept], test, epochs=40)
    for copies in (1, 4):
        seen = data.load_digits("train", size=28, copies=copies)
        tests = {
            f"right {by}": (data.load_digits("test", size=28, shift=(0, by)).x, unseen.y) for by in (0, 1, 2, 3, 5)
        }
        net = two_convolutions((1, 8, 16), kernel=5, side=28, classes=10)
        report(f"digits 28 × 28, {copies} warped of each", net, seen.x, seen.y, tests, epochs=12)


def flowers():
    """One flower place in training, others in the test: the opening question of the lecture on flowers."""
    seen = data.load_flowers(4000, where=(15, 17), rows=(31, 33))
    tests = {}
    for column in (16, 20, 24, 32, 48):
        s = data.load_flowers(400, where=column, rows=(31, 33), seed=column)
        tests[f"column {column}"] = (flat(s.x) - np.float32(0.4), s.y)
    net = nn.mlp([3 * 64 * 64, 32, 2], rng=np.random.default_rng(0))
    x, y = flat(seen.x) - np.float32(0.4), seen.y.astype(np.int64)
    report("flowers, MLP of whole pictures, column 16", net, x, y, tests, epochs=10, lr=1e-3, weight_decay=1e-4)


def two_convolutions(channels, kernel, side, classes):
    """conv – ReLU – pool – conv 3 × 3 – ReLU – pool – linear, with He's starting values."""
    rng = np.random.default_rng(0)
    C_in, C_1, C_2 = channels
    features = C_2 * (((side - kernel + 1) // 2 - 2) // 2) ** 2
    layers = [nn.Conv2d(C_in, C_1, kernel), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(C_1, C_2, 3), nn.ReLU()]
    layers += [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(features, classes)]
    for layer in layers:
        if hasattr(layer, "weight"):
            nn.init.kaiming_normal_(layer.weight, rng=rng)
            layer.bias.data[:] = 0
    return nn.Sequential(*layers)


if __name__ == "__main__":
    parts = {"shapes": shapes, "digits": digits, "flowers": flowers}
    for name in sys.argv[1:] or parts:
        parts[name]()
