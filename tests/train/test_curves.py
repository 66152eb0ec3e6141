"""Whole trainings: where they start, where they end, and that every kind of array takes the same way."""

import copy
import math

import numpy as np
import pytest

from cnnlab import nn, optim, train


def pictures(rng, n, classes=4):
    """Return noise with labels without sense: only learning by heart helps."""
    return rng.standard_normal((n, 1, 10, 8)), rng.integers(classes, size=n)


def conv_net(rng, classes=4, dtype="float32"):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, rng=rng, dtype=dtype),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 4 * 3, classes, rng=rng, dtype=dtype),
    )


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_the_first_loss_is_about_the_logarithm_of_the_number_of_classes(classes, rng):
    x, y = pictures(rng, 200, classes)
    net = conv_net(rng, classes)
    first = train.evaluate(net, x.astype("float32"), y, loss=nn.CrossEntropyLoss())["loss"]
    assert first == pytest.approx(math.log(classes), rel=0.1)


OPTIMIZERS = {
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_32_pictures_are_learned_by_heart(name, schedule, rng):
    x, y = pictures(rng, 32)
    net = conv_net(rng)
    optimizer = OPTIMIZERS[name](net.parameters())
    history = train.fit(
        net,
        x.astype("float32"),
        y,
        loss=nn.CrossEntropyLoss(),
        optimizer=optimizer,
        schedule=optim.CosineAnnealingLR(optimizer, 120) if schedule == "cosine" else None,
        epochs=120,
        batch_size=16,
        rng=rng,
        metrics={"accuracy": train.accuracy},
        progress=False,
    )
    assert history.loss[-1] < 0.02
    assert history.metrics["accuracy"][-1] == 1


def test_the_schedule_takes_a_step_after_each_epoch(problem):
    net, x, y, options = problem(40, epochs=5)
    optimizer, rates = options["optimizer"], []

    def look(prediction, target):
        rates.append(optimizer.lr)
        return 0.0

    train.fit(net, x, y, **options, schedule=optim.StepLR(optimizer, 2, 0.5), metrics={"look": look})
    per_epoch = [0.01, 0.01, 0.005, 0.005, 0.0025]
    assert rates == [rate for rate in per_epoch for _ in range(3)]  # three batches each
    assert optimizer.lr == 0.0025


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_seed_gives_the_same_curve_on_every_lane(name, lane, tmp_path):
    """With a schedule, early stopping and a stop in the middle, after which a checkpoint is taken up."""
    rng = np.random.default_rng(0)
    x, y = pictures(rng, 40)
    plain = conv_net(rng, dtype="float64")
    there = copy.deepcopy(plain)
    for parameter in there.parameters():
        parameter.data = lane.array(parameter.data.astype(lane.dtype))

    def fit(net, x, y, epochs, checkpoint=None):
        optimizer = OPTIMIZERS[name](net.parameters())
        return train.fit(
            net,
            x,
            y,
            loss=nn.CrossEntropyLoss(),
            optimizer=optimizer,
            schedule=optim.CosineAnnealingLR(optimizer, 4),
            early_stop=train.EarlyStop(10),
            epochs=epochs,
            batch_size=16,
            rng=np.random.default_rng(1),
            validation=(x, y),
            checkpoint=checkpoint,
            progress=False,
        )

    want = fit(plain, x, y, 4)
    x, y = lane.array(x.astype(lane.dtype)), lane.array(y)
    fit(there, x, y, 2, tmp_path / "run.npz")
    got = fit(there, x, y, 4, tmp_path / "run.npz")
    assert got.resumed == 2
    assert got.best_epoch == want.best_epoch
    for curve, values in want.as_dict().items():
        assert got.as_dict()[curve] == pytest.approx(values, rel=1e-4), curve
    assert all(type(p.data) is type(x) and p.data.dtype == x.dtype for p in there.parameters())


def test_normalization_and_dropout_take_the_same_way_on_every_lane(lane):
    rng = np.random.default_rng(0)
    x, y = pictures(rng, 40)
    plain = nn.Sequential(
        nn.Conv2d(1, 4, 3, rng=rng, dtype="float64"),
        nn.BatchNorm2d(4, dtype="float64"),
        nn.ReLU(),
        nn.Dropout(0.3, rng=np.random.default_rng(2)),
        nn.Flatten(),
        nn.Linear(4 * 8 * 6, 4, rng=rng, dtype="float64"),
    )
    there = copy.deepcopy(plain)
    for value in [*there.parameters(), *(buffer for _, buffer in there.named_buffers())]:
        numbers = value.data
        value.data = lane.array(numbers.astype(lane.dtype) if numbers.dtype == np.float64 else numbers)

    def fit(net, x, y):
        return train.fit(
            net,
            x,
            y,
            loss=nn.CrossEntropyLoss(),
            optimizer=optim.SGD(net.parameters(), lr=0.05, momentum=0.9),
            epochs=3,
            batch_size=16,
            rng=np.random.default_rng(1),
            validation=(x, y),
            progress=False,
        )

    want = fit(plain, x, y)
    got = fit(there, lane.array(x.astype(lane.dtype)), lane.array(y))
    for curve, values in want.as_dict().items():
        assert got.as_dict()[curve] == pytest.approx(values, rel=1e-4), curve
    for name, value in plain.state_dict().items():
        np.testing.assert_allclose(there.state_dict()[name], value, rtol=1e-3, atol=1e-4, err_msg=name)
        assert there.state_dict()[name].dtype == (lane.dtype if value.dtype == np.float64 else value.dtype)


def test_a_checkpoint_from_one_kind_of_array_is_taken_up_by_another(lane, tmp_path):
    rng = np.random.default_rng(0)
    x, y = pictures(rng, 40)
    x = x.astype(lane.dtype)
    net = conv_net(rng, dtype=lane.dtype)

    def fit(net, x, y, epochs):
        return train.fit(
            net,
            x,
            y,
            loss=nn.CrossEntropyLoss(),
            optimizer=optim.Adam(net.parameters()),
            epochs=epochs,
            rng=np.random.default_rng(1),
            checkpoint=tmp_path / "run.npz",
            progress=False,
        )

    fit(net, x, y, 2)
    for parameter in net.parameters():
        parameter.data = lane.array(parameter.data)
    history = fit(net, lane.array(x), lane.array(y), 3)
    assert (history.resumed, len(history)) == (2, 3)
    assert history.loss[2] < history.loss[0]
