"""Right and wrong ways of writing `train`, as students write them."""

import numpy as np

from cnnlab import nn, optim
from cnnlab.checks.a5.train_own_cnn import example


def conv_forward(x, w, b, stride, padding):
    """By products of matrices (im2col); stride and padding are not needed here."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))  # (N, C, H, W, K_H, K_W)
    return np.einsum("nchwuv,ocuv->nohw", windows, w) + b[:, None, None]


def conv_backward(dy, x, w, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.zeros_like(x), np.tensordot(dy, windows, axes=((0, 2, 3), (0, 2, 3))), dy.sum(axis=(0, 2, 3))


def pool_forward(x, kernel, stride, padding, how):
    H, W = x.shape[2] // 2, x.shape[3] // 2
    return x[:, :, : 2 * H, : 2 * W].reshape(*x.shape[:2], H, 2, W, 2).max(axis=(3, 5))


def pool_backward(dy, x, kernel, stride, padding, how):
    dx = np.zeros_like(x)
    for p in range(dy.shape[2]):
        for q in range(dy.shape[3]):
            window = x[:, :, 2 * p : 2 * p + 2, 2 * q : 2 * q + 2].reshape(*x.shape[:2], 4)
            winner = np.arange(4) == window.argmax(axis=2)[..., None]
            dx[:, :, 2 * p : 2 * p + 2, 2 * q : 2 * q + 2] = (winner * dy[:, :, p, q, None]).reshape(*x.shape[:2], 2, 2)
    return dx


def with_loops(x, w, b, stride, padding):
    """A convolution that loops over places."""
    N, _, H, W = x.shape
    y = np.zeros((N, len(w), H - 2, W - 2))
    for p in range(H - 2):
        for q in range(W - 2):
            y[:, :, p, q] = x[:, :, p : p + 3, q : q + 3].reshape(N, -1) @ w.reshape(len(w), -1).T + b
    return y


CONV, POOL = nn.ConvOp(conv_forward, conv_backward), nn.PoolOp(pool_forward, pool_backward)


def build(rng, x, y, conv=CONV, pool=POOL):
    H, W = x.shape[2:]
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, rng=rng, dtype="float64", op=conv),
        nn.ReLU(),
        nn.MaxPool2d(2, op=pool),
        nn.Flatten(),
        nn.Linear(8 * ((H - 2) // 2) * ((W - 2) // 2), len(set(y.tolist())), rng=rng, dtype="float64"),
    )


def loop(net, rng, x, y):
    """The five epochs."""
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for _ in range(5):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 16):
            chosen = order[start : start + 16]
            optimizer.zero_grad()
            loss(net(x[chosen]), y[chosen])
            net.backward(loss.backward())
            optimizer.step()


def by_the_layers(x, y, x_test, seed):
    rng = np.random.default_rng(seed)
    net = build(rng, x, y)
    loop(net, rng, (x - x.mean()) / x.std(), y)
    return np.argmax(net((x_test - x.mean()) / x.std()), axis=1)


def with_loops_over_places(x, y, x_test, seed):
    mean, std = np.mean(x), np.std(x)
    rng = np.random.default_rng(seed)
    net = build(rng, x, y, conv=nn.ConvOp(with_loops, conv_backward))
    loop(net, rng, x / std - mean / std, y)
    return net.eval()(x_test / std - mean / std).argmax(1)


def pooling_first(x, y, x_test, seed):
    """ReLU after the pooling: the largest is the same; shuffled pictures are cut into pieces; classes as int32."""
    rng = np.random.default_rng(seed)
    conv, relu, pool, flatten, linear = build(rng, x, y)
    net = nn.Sequential(conv, pool, relu, flatten, linear)
    ready = (x - x.mean()) / np.sqrt(np.mean((x - x.mean()) ** 2))
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for _ in range(5):
        order = rng.permutation(len(x))
        cuts = range(16, len(x), 16)
        for pictures, labels in zip(np.split(ready[order], cuts), np.split(y[order], cuts), strict=True):
            net.zero_grad()
            loss(net(pictures), labels)
            net.backward(loss.backward())
            optimizer.step()
    scores = [net((picture[None] - x.mean()) / x.std())[0] for picture in x_test]  # one by one
    return np.array([int(np.argmax(each)) for each in scores], dtype=np.int32)


def without_the_library(x, y, x_test, seed):
    """Everything by hand, the loss and the momentum too."""
    rng = np.random.default_rng(seed)
    net = build(rng, x, y)
    mean, std = x.mean(), x.std()
    velocity = {}
    for _ in range(5):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 16):
            chosen = order[start : start + 16]
            scores = net((x[chosen] - mean) / std)
            e = np.exp(scores - scores.max(1, keepdims=True))
            d = e / e.sum(1, keepdims=True)
            d[range(len(chosen)), y[chosen]] -= 1
            for parameter in net.parameters():
                parameter.grad = None
            net.backward(d / len(chosen))
            for i, parameter in enumerate(net.parameters()):
                velocity[i] = 0.9 * velocity.get(i, 0) + parameter.grad
                parameter.data = parameter.data - 0.02 * velocity[i]
    return net((x_test - mean) / std).argmax(axis=1)


RIGHT = [by_the_layers, with_loops_over_places, pooling_first, without_the_library]


# ---- wrong ----


def library_pooling(x, y, x_test, seed):
    rng = np.random.default_rng(seed)
    net = build(rng, x, y, pool=None)
    loop(net, rng, (x - x.mean()) / x.std(), y)
    return net((x_test - x.mean()) / x.std()).argmax(axis=1)


def library_convolution(x, y, x_test, seed):
    rng = np.random.default_rng(seed)
    net = build(rng, x, y, conv=None)
    loop(net, rng, (x - x.mean()) / x.std(), y)
    return net((x_test - x.mean()) / x.std()).argmax(axis=1)


def without_zero_grad(x, y, x_test, seed):
    rng = np.random.default_rng(seed)
    net = build(rng, x, y)
    ready = (x - x.mean()) / x.std()
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for _ in range(5):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 16):
            loss(net(ready[order[start : start + 16]]), y[order[start : start + 16]])
            net.backward(loss.backward())
            optimizer.step()
    return net((x_test - x.mean()) / x.std()).argmax(axis=1)


def normalized_by_the_test(x, y, x_test, seed):
    rng = np.random.default_rng(seed)
    net = build(rng, x, y)

    def normalize(pictures):
        return (pictures - pictures.mean()) / pictures.std()

    loop(net, rng, normalize(x), y)
    return net(normalize(x_test)).argmax(axis=1)


def averaged_again(x, y, x_test, seed):
    rng = np.random.default_rng(seed)
    net = build(rng, x, y)
    ready = (x - x.mean()) / x.std()
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    for _ in range(5):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 16):
            chosen = order[start : start + 16]
            net.zero_grad()
            loss(net(ready[chosen]), y[chosen])
            net.backward(loss.backward() / len(chosen))
            optimizer.step()
    return net((x_test - x.mean()) / x.std()).argmax(axis=1)


def two_at_once(x, y, x_test, seed):
    """No momentum, and the smaller batch is dropped."""
    rng = np.random.default_rng(seed)
    net = build(rng, x, y)
    ready = (x - x.mean()) / x.std()
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02)
    for _ in range(5):
        order = rng.permutation(len(x))
        for k in range(len(x) // 16):
            chosen = order[16 * k : 16 * (k + 1)]
            net.zero_grad()
            loss(net(ready[chosen]), y[chosen])
            net.backward(loss.backward())
            optimizer.step()
    return net((x_test - x.mean()) / x.std()).argmax(axis=1)


_OWN_LAYERS = {"Your own layers are not used"}
WRONG = [
    (library_pooling, _OWN_LAYERS),
    (library_convolution, _OWN_LAYERS),
    (without_zero_grad, {"The gradients are not set back to zero before each batch"}),
    (normalized_by_the_test, {"The test pictures take part in the normalization"}),
    (averaged_again, {"The loss is averaged twice"}),
    (two_at_once, {"The momentum is missing", "The last, smaller batch is left out"}),
]

EXAMPLES = [("train", example(), np.array([2, 1, 1, 1, 1, 1, 0, 1]))]
