"""The small net of exercise 15 and its training, written out for one recipe: the right answer."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FILTERS, KERNEL = 8, 3
EPOCHS, BATCH = 5, 16
LEARNING_RATE, MOMENTUM = 0.02, 0.9


def train(x: Array, y: Array, x_test: Array, seed: int) -> Array:
    """Return the classes that a net says, after it has learned from x and y.

    Convolution 3×3 with 8 filters, ReLU, max pooling 2×2, fully connected; all that is drawn comes from one generator.

    Parameters
    ----------
    x
        Pictures to learn from, shape (N, 1, H, W).
    y
        Their classes, from 0 to the largest of them, shape (N,).
    x_test
        Pictures to name, shape (M, 1, H, W).
    seed
        Of the generator.

    Returns
    -------
    numpy.ndarray
        Shape (M,), whole numbers.
    """
    rng = np.random.default_rng(seed)
    parameters = _drawn(rng, classes=int(y.max()) + 1, size=x.shape[2:])
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    mean, spread = x.mean(), x.std()
    ready = (x - mean) / spread
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            chosen = order[start : start + BATCH]
            gradients = _gradients(parameters, ready[chosen], y[chosen])
            for i, gradient in enumerate(gradients):
                velocities[i] = MOMENTUM * velocities[i] + gradient
                parameters[i] = parameters[i] - LEARNING_RATE * velocities[i]
    scores = _pooled(_maps(parameters, (x_test - mean) / spread)).reshape(len(x_test), -1) @ parameters[2].T
    return np.asarray((scores + parameters[3]).argmax(axis=1))


def _drawn(rng: np.random.Generator, *, classes: int, size: tuple[int, ...]) -> list[Array]:
    """Return weights and biases of the two layers, drawn as `cnnlab.nn` draws them."""
    H, W = ((n - KERNEL + 1) // 2 for n in size)
    shapes = [(FILTERS, 1, KERNEL, KERNEL), (classes, FILTERS * H * W)]
    drawn = []
    for shape in shapes:
        bound = 1 / np.sqrt(np.prod(shape[1:]))
        drawn += [rng.uniform(-bound, bound, shape), rng.uniform(-bound, bound, shape[:1])]
    return drawn


def _maps(parameters: list[Array], x: Array) -> Array:
    """Return the activation maps (N, FILTERS, H, W) of the convolution, tap by tap, after the ReLU."""
    w, b = parameters[:2]
    H, W = (n - KERNEL + 1 for n in x.shape[2:])
    z = np.zeros((len(x), FILTERS, H, W)) + b[:, None, None]
    for i in range(KERNEL):
        for j in range(KERNEL):
            z += w[:, :, i, j, None] * x[:, :, i : i + H, j : j + W]
    return np.asarray(np.maximum(z, 0))


def _corners(maps: Array) -> list[Array]:
    """Return the four cells of all 2×2 windows, in row-major order; what is left over at the end is not in them."""
    H, W = (n - n % 2 for n in maps.shape[2:])
    return [maps[:, :, i:H:2, j:W:2] for i in range(2) for j in range(2)]


def _pooled(maps: Array) -> Array:
    return np.asarray(np.max(_corners(maps), axis=0))


def _gradients(parameters: list[Array], x: Array, y: Array) -> list[Array]:
    """Return the gradient of the mean cross-entropy of a batch with respect to each parameter."""
    w, _, v, c = parameters
    maps = _maps(parameters, x)
    pooled = _pooled(maps)
    features = pooled.reshape(len(x), -1)
    scores = features @ v.T + c
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(x)), y] -= 1
    d_scores = shares / len(x)
    d_pooled = (d_scores @ v).reshape(pooled.shape)
    # Back through the pooling, to the first of the largest, and through the ReLU.
    d_maps = np.zeros_like(maps)
    open_to = np.ones(pooled.shape, dtype=bool)
    for corner, d_corner in zip(_corners(maps), _corners(d_maps), strict=True):
        wins = open_to & (corner == pooled)
        d_corner[wins & (corner > 0)] = d_pooled[wins & (corner > 0)]
        open_to &= ~wins
    dw = np.zeros_like(w)
    H, W = maps.shape[2:]
    for i in range(KERNEL):
        for j in range(KERNEL):
            dw[:, 0, i, j] = (d_maps * x[:, :, i : i + H, j : j + W]).sum(axis=(0, 2, 3))
    return [dw, d_maps.sum(axis=(0, 2, 3)), d_scores.T @ features, d_scores.sum(axis=0)]
