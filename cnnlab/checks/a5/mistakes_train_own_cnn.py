"""What goes wrong in a training loop, each as the training that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cnnlab.checks.assembled import mistakes_from
from cnnlab.checks.model import Mistake

Array = np.ndarray[Any, Any]
Generator = np.random.Generator
Normal = Callable[[Array, Array], tuple[Array, Array]]
_FILTERS, _EPOCHS, _BATCH, _RATE = 8, 5, 16, 0.02


def _by_training(x: Array, x_test: Array) -> tuple[Array, Array]:
    return (x - x.mean()) / x.std(), (x_test - x.mean()) / x.std()


def _by_itself(x: Array, x_test: Array) -> tuple[Array, Array]:
    return (x - x.mean()) / x.std(), (x_test - x_test.mean()) / x_test.std()


def _by_both(x: Array, x_test: Array) -> tuple[Array, Array]:
    both = np.concatenate([x, x_test])
    return (x - both.mean()) / both.std(), (x_test - both.mean()) / both.std()


def _test_as_it_is(x: Array, x_test: Array) -> tuple[Array, Array]:
    return (x - x.mean()) / x.std(), x_test


def _by_variance(x: Array, x_test: Array) -> tuple[Array, Array]:
    return (x - x.mean()) / x.var(), (x_test - x.mean()) / x.var()


def _by_pixel(x: Array, x_test: Array) -> tuple[Array, Array]:
    mean, spread = x.mean(axis=0), x.std(axis=0)
    return (x - mean) / spread, (x_test - mean) / spread


def _by_picture(x: Array, x_test: Array) -> tuple[Array, Array]:
    axes: dict[str, Any] = {"axis": (1, 2, 3), "keepdims": True}
    return (x - x.mean(**axes)) / x.std(**axes), (x_test - x_test.mean(**axes)) / x_test.std(**axes)


def _new_each_epoch(rng: Generator, seed: int, n: int) -> Iterator[Array]:
    while True:
        yield rng.permutation(n)


def _once(rng: Generator, seed: int, n: int) -> Iterator[Array]:
    order = rng.permutation(n)
    while True:
        yield order


def _from_a_new_generator(rng: Generator, seed: int, n: int) -> Iterator[Array]:
    return _new_each_epoch(np.random.default_rng(seed), seed, n)


def _from_the_seed_each_time(rng: Generator, seed: int, n: int) -> Iterator[Array]:
    return _once(np.random.default_rng(seed), seed, n)


def _unshuffled(rng: Generator, seed: int, n: int) -> Iterator[Array]:
    while True:
        yield np.arange(n)


def _best(scores: Array) -> Any:
    return scores.argmax(axis=1)


def _shares(scores: Array) -> Array:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def assemble(
    *,
    normal: Normal = _by_training,
    second: Callable[[Generator, int], Generator] = lambda rng, seed: rng,
    orders: Callable[[Generator, int, int], Iterator[Array]] = _new_each_epoch,
    labels: Callable[[Array, slice], Any] = lambda order, batch: order[batch],
    stop: Callable[[int], int] = lambda n: n,
    epochs: int = _EPOCHS,
    divisor: Callable[[int], float] = lambda n: n,
    forget: Callable[[int], bool] = lambda batch: True,
    momentum: float = 0.9,
    rate: float = _RATE,
    asked: Callable[[Array, Array], Array] = lambda x, x_test: x_test,
    say: Callable[[Array], Any] = _best,
) -> Callable[[Array, Array, Array, int], Any]:
    """Return a `train` with other parts.

    Parameters
    ----------
    normal
        From x and x_test to what the net sees of both.
    second
        From the first layer's generator and the seed to the generator of the second layer.
    orders
        From generator, seed and number of pictures to one order an epoch.
    labels
        From an order and the place of a batch in it to the labels that are taken.
    stop
        From the number of pictures to where batches end.
    epochs
        How many.
    divisor
        What the sum of the losses of so many pictures is divided by.
    forget
        Whether gradients are set to zero before the batch of that number.
    momentum, rate
        Of the steps.
    asked
        From both sets, normalized, to the one that is named in the end.
    say
        From scores to the answer.
    """

    def train(x: Array, y: Array, x_test: Array, seed: int) -> Any:
        with np.errstate(all="ignore"):
            rng = np.random.default_rng(seed)
            net = _Net(rng, second(rng, seed), x.shape, int(y.max()) + 1)
            seen, unseen = normal(x, x_test)
            windows = _windows(seen)  # the same in each epoch
            gradients = velocities = [np.zeros_like(p) for p in net.parameters]
            drawn = orders(rng, seed, len(x))
            for _ in range(epochs):
                order = next(drawn)
                for number, start in enumerate(range(0, stop(len(x)), _BATCH)):
                    batch = slice(start, start + _BATCH)
                    new = net.gradients(windows[order[batch]], y[labels(order, batch)], divisor)
                    gradients = new if forget(number) else [g + n for g, n in zip(gradients, new, strict=True)]
                    velocities = [momentum * v + g for v, g in zip(velocities, gradients, strict=True)]
                    net.parameters = [p - rate * v for p, v in zip(net.parameters, velocities, strict=True)]
            return say(net.scores(_windows(asked(seen, unseen))))

    return train


def _windows(x: Array) -> Array:
    """Return the 3×3 windows of each 2×2 window of the pooling, shape (N, places, 4, 9)."""
    found = np.lib.stride_tricks.sliding_window_view(x[:, 0], (3, 3), axis=(1, 2))  # (N, H, W, 3, 3)
    H, W = found.shape[1] // 2, found.shape[2] // 2
    pooled = found[:, : 2 * H, : 2 * W].reshape(len(x), H, 2, W, 2, 9).transpose(0, 1, 3, 2, 4, 5)
    return pooled.reshape(len(x), H * W, 4, 9)


class _Net:
    """The net on windows that are laid out as rows: everything is a product of matrices."""

    def __init__(self, first: Generator, second: Generator, shape: tuple[int, ...], classes: int) -> None:
        places = ((shape[2] - 2) // 2) * ((shape[3] - 2) // 2)
        inputs = _FILTERS * places
        bounds = 1 / 3, 1 / np.sqrt(inputs)
        w = first.uniform(-bounds[0], bounds[0], (_FILTERS, 9))
        b = first.uniform(-bounds[0], bounds[0], _FILTERS)
        v = second.uniform(-bounds[1], bounds[1], (classes, inputs))
        self.parameters = [w, b, v, second.uniform(-bounds[1], bounds[1], classes)]

    def _features(self, windows: Array) -> tuple[Array, Array]:
        """Return each filter's winner in each pooling window, and its value: both (N, FILTERS, places)."""
        maps = windows @ self.parameters[0].T + self.parameters[1]  # (N, places, 4, FILTERS)
        winner = maps.argmax(axis=2)
        value = np.take_along_axis(maps, winner[:, :, None], axis=2)[:, :, 0]
        return winner.transpose(0, 2, 1), np.maximum(value, 0).transpose(0, 2, 1)

    def scores(self, windows: Array) -> Array:
        """Return the scores (N, classes)."""
        features = self._features(windows)[1].reshape(len(windows), -1)
        return np.asarray(features @ self.parameters[2].T + self.parameters[3])

    def gradients(self, windows: Array, y: Array, divisor: Callable[[int], float]) -> list[Array]:
        """Return the gradient to each parameter."""
        winner, value = self._features(windows)
        features = value.reshape(len(windows), -1)
        shares = _shares(features @ self.parameters[2].T + self.parameters[3])
        d_scores = (shares - np.eye(shares.shape[1])[y]) / divisor(len(y))
        d_value = (d_scores @ self.parameters[2]).reshape(value.shape) * (value > 0)
        n, place = np.ogrid[: len(windows), : windows.shape[1]]
        seen = windows[n[:, None], place[:, None], winner]  # (N, FILTERS, places, 9): what the winners saw
        dw = np.einsum("nfp,nfpt->ft", d_value, seen)
        return [dw, d_value.sum(axis=(0, 2)), d_scores.T @ features, d_scores.sum(axis=0)]


def _with_library_layers(x: Array, y: Array, x_test: Array, seed: int) -> Any:
    from cnnlab import nn

    net = nn.Sequential(nn.Conv2d(1, 8, 3, rng=np.random.default_rng(seed), dtype="float64"), nn.MaxPool2d(2))
    return net((x_test - x.mean()) / x.std()).reshape(len(x_test), -1).argmax(axis=1)


_wrong = mistakes_from(assemble)

_NO_ZERO_GRAD = (
    "The gradients are not set back to zero before each batch",
    (
        "A layer adds each new gradient to the one it has; a step then goes along all gradients since the last zero.",
        "Look inside the loop over batches, in front of backward.",
        "net.zero_grad() as the first line for each batch.",
    ),
)
_TEST_STATISTICS = (
    "The test pictures take part in the normalization",
    (
        "What the net says of one picture then depends on the other pictures that it is tested with.",
        "Look where mean and spread are computed: from which pictures?",
        "mean, spread = x.mean(), x.std(), and the same two numbers for x_test.",
    ),
)
_NOT_ALL_PIXELS = (
    "Mean and spread are not those of all training pixels",
    (
        "One mean and one spread for the whole training set are asked for; here there are many of them.",
        "Look for an axis in mean and std.",
        "mean, spread = x.mean(), x.std(): two numbers, no axis.",
    ),
)
_OTHER_ORDER = (
    "The order of the pictures is drawn from another generator",
    (
        "The generator that drew the weights also draws the orders; a new one begins at the start again.",
        "Count the calls of np.random.default_rng: there must be one.",
        "order = rng.permutation(len(x)), with the rng that the layers got.",
    ),
)
_SCORES = (
    "Scores are returned, not classes",
    (
        "The answer has one number for each class and picture. Asked for is the class with the largest score.",
        "Look at the return line.",
        "return net(…).argmax(axis=1).",
    ),
)

MISTAKES = (
    Mistake(
        "own_layers",
        "Your own layers are not used",
        (
            "A convolution or a pooling computes with the library's code; here it has to be the code that you wrote.",
            "Look at the layers of your net: which of them has no op?",
            "nn.Conv2d(…, op=conv) and nn.MaxPool2d(2, op=pool), with conv and pool from the cell above.",
        ),
        _with_library_layers,
        raises="OwnOpMissingError",
    ),
    _wrong("no_zero_grad", *_NO_ZERO_GRAD, forget=lambda batch: False),
    _wrong("zero_grad_each_epoch", *_NO_ZERO_GRAD, forget=lambda batch: batch == 0),
    _wrong(
        "averaged_twice",
        "The loss is averaged twice",
        (
            "nn.CrossEntropyLoss is the mean over the batch already; divided again, the steps are far too short.",
            "Look for a division by the length of the batch, or for a mean, after the loss.",
            "net.backward(loss.backward()), and nothing in between.",
        ),
        divisor=lambda n: n * n,
    ),
    _wrong("test_statistics", *_TEST_STATISTICS, normal=_by_itself),
    _wrong("joint_statistics", *_TEST_STATISTICS, normal=_by_both),
    _wrong(
        "test_not_normalized",
        "The test pictures are not normalized",
        (
            "The net has learned from numbers about 0 and is asked about numbers up to 200.",
            "Look at what you hand to the net after training.",
            "net((x_test - mean) / spread), with mean and spread of the training pictures.",
        ),
        normal=_test_as_it_is,
    ),
    _wrong(
        "not_normalized",
        "The pictures are not normalized",
        (
            "Pixels are numbers up to 200 and more; with those the first steps are far too long.",
            "Look at what you hand to the net.",
            "x = (x - mean) / spread makes a new array; use it, not the one that was handed over.",
        ),
        normal=lambda x, x_test: (x, x_test),
    ),
    _wrong(
        "variance",
        "The pictures are divided by the variance",
        (
            "The spread is the standard deviation, the square root of the variance.",
            "Look at your normalization.",
            "(x - x.mean()) / x.std().",
        ),
        normal=_by_variance,
    ),
    _wrong("statistics_of_each_pixel", *_NOT_ALL_PIXELS, normal=_by_pixel),
    _wrong("statistics_of_each_picture", *_NOT_ALL_PIXELS, normal=_by_picture),
    _wrong(
        "second_layer",
        "The layers do not share one generator",
        (
            "The fully connected layer must draw after the convolution, from the same generator.",
            "Look at rng= of both layers: a new generator of the same seed draws the same numbers once more.",
            "rng = np.random.default_rng(seed) once, then rng=rng in both layers.",
        ),
        second=lambda rng, seed: np.random.default_rng(seed),
    ),
    _wrong(
        "labels_in_old_order",
        "The labels are not shuffled with the pictures",
        (
            "Pictures and labels of a batch do not belong together, so that there is nothing to learn.",
            "Look at how you take a batch of x, and how of y.",
            "chosen = order[start : start + 16], then x[chosen] and y[chosen].",
        ),
        labels=lambda order, batch: batch,
    ),
    _wrong(
        "not_shuffled",
        "The pictures are not shuffled",
        (
            "The batches are the same in each epoch, in the order in which the pictures came.",
            "Look at the start of your loop over epochs.",
            "order = rng.permutation(len(x)) at the start of each epoch; batches are pieces of order.",
        ),
        orders=_unshuffled,
    ),
    _wrong(
        "shuffled_once",
        "The order is drawn only once",
        (
            "Each epoch has an order of its own; here all have the first one.",
            "Look where rng.permutation stands: in which loop?",
            "for epoch in range(5): order = rng.permutation(len(x)), then the loop over batches inside.",
        ),
        orders=_once,
    ),
    _wrong("order_of_a_new_generator", *_OTHER_ORDER, orders=_from_a_new_generator),
    _wrong("order_of_the_seed", *_OTHER_ORDER, orders=_from_the_seed_each_time),
    _wrong(
        "last_batch",
        "The last, smaller batch is left out",
        (
            "When 16 does not divide the number of pictures, a smaller batch is left at the end, and it counts too.",
            "Look at the range of your loop over batches.",
            "range(0, len(x), 16): the last slice may be shorter.",
        ),
        stop=lambda n: n - n % _BATCH,
    ),
    _wrong(
        "momentum",
        "The momentum is missing",
        (
            "Without momentum a step of this learning rate is about ten times too short.",
            "Look where you make the optimizer.",
            "optim.SGD(net.parameters(), lr=0.02, momentum=0.9), once, before the loops.",
        ),
        momentum=0.0,
    ),
    _wrong(
        "one_epoch",
        "There is one epoch only",
        (
            "Every picture is to be seen five times; here it is seen once.",
            "Look at your loop over epochs: does the return stand inside it?",
            "for epoch in range(5): …, and the return line not indented under it.",
        ),
        epochs=1,
    ),
    _wrong(
        "no_step",
        "The parameters never change",
        (
            "The answers are those of the net as it was drawn.",
            "Look at the end of your loop over batches.",
            "optimizer.step() as the last line for each batch, with the optimizer of this net's parameters.",
        ),
        rate=0.0,
    ),
    _wrong(
        "training_pictures",
        "The training pictures are named, not the test pictures",
        (
            "There is one answer for each training picture.",
            "Look at what you hand to the net after training.",
            "net((x_test - mean) / spread).argmax(axis=1).",
        ),
        asked=lambda x, x_test: x,
    ),
    _wrong("scores", *_SCORES, say=lambda scores: scores),
    _wrong("shares", *_SCORES, say=_shares),
    _wrong(
        "smallest_score",
        "The class with the smallest score is returned",
        (
            "The larger its score, the more the net believes in a class.",
            "Look at the return line.",
            "argmax, not argmin.",
        ),
        say=lambda scores: scores.argmin(axis=1),
    ),
    _wrong(
        "from_one",
        "Classes are counted from 1",
        (
            "The first class is 0, as in y.",
            "Look for a 1 that is added to the answer.",
            "return net(…).argmax(axis=1), as it is.",
        ),
        say=lambda scores: scores.argmax(axis=1) + 1,
    ),
)
