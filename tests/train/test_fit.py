"""The training loop."""

from itertools import chain

import numpy as np
import pytest

from cnnlab import nn, optim, train


def test_training_lowers_the_loss_and_finds_the_answer(problem):
    net, x, y, options = problem(200, epochs=30, metrics={"accuracy": train.accuracy})
    history = train.fit(net, x, y, **options)
    assert history.loss[-1] < history.loss[0] / 3
    assert history.metrics["accuracy"][-1] > 0.95
    assert train.accuracy(train.predict(net, x), y) > 0.95


def test_same_seed_gives_the_same_curve_and_another_seed_another(problem):
    curves = []
    for seed in (1, 1, 2):
        net, x, y, options = problem(rng=np.random.default_rng(seed))
        curves.append(train.fit(net, x, y, **options).loss)
    assert curves[0] == curves[1]
    assert curves[0] != curves[2]


def test_a_small_network_learns_32_pictures_by_heart():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((32, 1, 10, 8)).astype("float32")
    y = rng.integers(4, size=32)  # labels without sense: only learning by heart helps
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 4 * 3, 4, rng=rng)
    )
    history = train.fit(
        net,
        x,
        y,
        loss=nn.CrossEntropyLoss(),
        optimizer=optim.Adam(net.parameters(), lr=0.01),
        epochs=60,
        batch_size=32,
        rng=rng,
        metrics={"accuracy": train.accuracy},
        progress=False,
    )
    assert history.loss[-1] < 0.02
    assert history.metrics["accuracy"][-1] == 1


def test_a_scan_learns_a_pattern_wherever_it_stands():
    rng = np.random.default_rng(0)
    pattern = 2 * rng.standard_normal((3, 4)).astype("float32")

    def recordings(n, places):
        x = rng.standard_normal((n, 3, 20)).astype("float32")
        y = rng.integers(2, size=n)
        for i in np.flatnonzero(y):
            place = rng.choice(places)
            x[i, :, place : place + 4] = pattern
        return x, y[:, None].astype("float32")

    x, y = recordings(300, range(8))
    net = nn.Sequential(nn.Scan(nn.mlp([12, 8, 1], rng=rng), 4), nn.GlobalPool("max"))
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    loss = nn.BCEWithLogitsLoss()
    train.fit(net, x, y, loss=loss, optimizer=optimizer, epochs=25, rng=rng, progress=False)
    elsewhere = recordings(200, range(8, 17))
    assert train.evaluate(net, *elsewhere, loss=loss, metrics={"a": train.binary_accuracy})["a"] > 0.9


def test_one_epoch_shows_each_example_once_and_the_last_batch_is_smaller(problem):
    net, x, y, options = problem(40, epochs=2)
    x[:, 1] = np.arange(40)
    seen = []
    forward = net.forward
    net.forward = lambda batch: seen.append(batch[:, 1].tolist()) or forward(batch)
    train.fit(net, x, y, **options)
    assert [len(batch) for batch in seen] == [16, 16, 8] * 2
    epochs = [list(chain(*seen[:3])), list(chain(*seen[3:]))]
    for epoch in epochs:
        assert sorted(epoch) == list(range(40))
        assert epoch != sorted(epoch)
    assert epochs[0] != epochs[1]


def test_history_is_the_mean_over_examples_measured_before_each_step(problem):
    net, x, y, options = problem(40, epochs=1, metrics={"accuracy": train.accuracy})
    options["optimizer"].lr = 0  # nothing changes, so the mean over batches is that of the whole set
    history = train.fit(net, x, y, **options)
    whole = train.evaluate(net, x, y, loss=options["loss"], metrics=options["metrics"])
    assert history.loss == pytest.approx([whole["loss"]], rel=1e-5)
    assert history.metrics == {"accuracy": pytest.approx([whole["accuracy"]])}


def test_validation_is_measured_after_each_epoch(problem):
    net, x, y, options = problem(epochs=2, metrics={"accuracy": train.accuracy})
    xv, yv = x[:10], y[:10]
    history = train.fit(net, x, y, **options, validation=(xv, yv))
    after = train.evaluate(net, xv, yv, loss=options["loss"], metrics=options["metrics"])
    assert history.validation.keys() == {"loss", "accuracy"}
    assert len(history.validation["loss"]) == len(history) == 2
    assert history.validation["loss"][-1] == after["loss"]
    assert history.as_dict().keys() == {"loss", "accuracy", "validation loss", "validation accuracy"}


def test_validation_changes_no_step(problem):
    net, x, y, options = problem()
    plain = train.fit(net, x, y, **options).loss
    net, x, y, options = problem()
    assert train.fit(net, x, y, **options, validation=(x, y)).loss == plain


def test_training_twice_goes_on_where_it_stopped(problem):
    net, x, y, options = problem(epochs=4)
    whole = train.fit(net, x, y, **options).loss
    net, x, y, options = problem(epochs=2)
    parts = train.fit(net, x, y, **options).loss + train.fit(net, x, y, **options).loss
    assert parts == whole


def test_the_mode_is_put_back_and_nothing_is_left_behind(problem):
    net, x, y, options = problem()
    net.eval()
    train.fit(net, x, y, **options, validation=(x, y))
    assert not any(module.training for module in net.modules())
    assert all(parameter.grad is None for parameter in net.parameters())
    with pytest.raises(RuntimeError, match="no forward"):
        net.backward(np.zeros((1, 2), np.float32))


@pytest.mark.parametrize("call", [1, 5])
def test_an_interrupt_keeps_the_net_usable_and_the_history_so_far(problem, stop_after, call):
    net, x, y, options = problem(40, epochs=9, metrics={"accuracy": stop_after(call)})
    before = net.state_dict()
    history = train.fit(net, x, y, **options)
    assert history.interrupted
    assert f"{len(history)} epoch{'s' * (call == 1)}, interrupted" in repr(history)
    assert len(history) == len(history.metrics.get("accuracy", [])) == (0 if call == 1 else 1)
    assert not np.array_equal(net.state_dict()["0.weight"], before["0.weight"])
    options["metrics"] = {}
    again = train.fit(net, x, y, **options)
    assert not again.interrupted
    assert len(again) == 9


def test_an_interrupt_in_the_validation_drops_the_whole_epoch(problem, stop_after):
    # Three batches an epoch and one validation: the eighth call is the second validation.
    net, x, y, options = problem(40, epochs=9, metrics={"accuracy": stop_after(8)})
    history = train.fit(net, x, y, **options, validation=(x, y))
    assert {name: len(values) for name, values in history.as_dict().items()} == dict.fromkeys(history.as_dict(), 1)
    assert all(module.training for module in net.modules())


def test_a_loss_that_is_not_finite_names_epoch_batch_and_next_step(problem):
    net, x, y, options = problem(40)
    net[0].weight.data = np.full_like(net[0].weight.data, np.nan)
    with pytest.raises(FloatingPointError, match=r"loss became nan in epoch 1, batch 1: .*lower the learning rate"):
        train.fit(net, x, y, **options)


def test_a_loss_that_breaks_down_later_names_the_place(problem):
    net, x, y, options = problem(40)
    calls = []

    class Breaking(nn.CrossEntropyLoss):
        def forward(self, prediction, target):
            calls.append(1)
            return float("inf") if len(calls) == 5 else super().forward(prediction, target)

    with pytest.raises(FloatingPointError, match=r"loss became inf in epoch 2, batch 2: .*\(lr=0.01\)"):
        train.fit(net, x, y, **options | {"loss": Breaking()})
    with pytest.raises(RuntimeError, match="no forward"):  # that of the batch that failed is forgotten
        net.backward(np.zeros((16, 2), np.float32))


def test_inputs_that_are_not_finite_are_named_as_the_cause(problem):
    net, x, y, options = problem(10)
    x[3, 1] = np.nan
    with pytest.raises(FloatingPointError, match="the inputs of this batch are not finite, so clean x first"):
        train.fit(net, x, y, **options)


def test_errors_name_the_value_and_the_next_step(problem):
    net, x, y, options = problem()

    def fit(x=x, y=y, **changes):
        return train.fit(net, x, y, **options | changes)

    with pytest.raises(ValueError, match=r"x holds 40 examples and y 39: pass as many of each"):
        fit(y=y[1:])
    with pytest.raises(ValueError, match="x holds 0 examples"):
        fit(x[:0], y[:0])
    with pytest.raises(TypeError, match="y is a list, not an array"):
        fit(y=y.tolist())
    with pytest.raises(ValueError, match="validation x holds 3 examples and validation y 2"):
        fit(validation=(x[:3], y[:2]))
    with pytest.raises(ValueError, match=r"epochs \(=0\) must be at least 1"):
        fit(epochs=0)
    with pytest.raises(TypeError, match=r"batch_size must be a whole number, not 1.5"):
        fit(batch_size=1.5)
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator but is 7"):
        fit(rng=7)
    with pytest.raises(ValueError, match=r"not in this net.*make it anew from net.parameters\(\)"):
        fit(optimizer=optim.Adam(nn.mlp([4, 2]).parameters()))


def test_part_of_a_net_can_be_trained(problem):
    net, x, y, options = problem()
    before = net.state_dict()
    train.fit(net, x, y, **options | {"optimizer": optim.SGD(net[2].parameters(), lr=0.1)})
    after = net.state_dict()
    assert np.array_equal(before["0.weight"], after["0.weight"])
    assert not np.array_equal(before["2.weight"], after["2.weight"])
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.oracle
def test_whole_training_against_pytorch(problem):
    import torch

    net, x, y, options = problem(40, epochs=5)
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in net.state_dict().items()})
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01)
    rng, curve = np.random.default_rng(1), []
    for _ in range(5):
        order, total = rng.permutation(40), 0.0
        for start in range(0, 40, 16):
            chosen = order[start : start + 16]
            optimizer.zero_grad()
            value = torch.nn.functional.cross_entropy(theirs(torch.from_numpy(x[chosen])), torch.from_numpy(y[chosen]))
            value.backward()
            optimizer.step()
            total += value.item() * len(chosen)
        curve.append(total / 40)
    assert train.fit(net, x, y, **options).loss == pytest.approx(curve, rel=1e-5)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"net": lambda x: x}, r"net is <function .*>: pass a Module, such as nn\.mlp"),
        ({"loss": nn.BCEWithLogitsLoss}, r"loss is the class BCEWithLogitsLoss, not an object of it: pass a loss"),
        ({"loss": "bce"}, r"loss is 'bce': pass a loss, such as nn\.CrossEntropyLoss\(\)"),
        ({"optimizer": optim.Adam}, r"optimizer is the class Adam, not an object of it: pass an optimizer"),
        ({"optimizer": None}, r"optimizer is None: pass an optimizer, such as optim\.Adam"),
        ({"metrics": [train.accuracy]}, r"metrics is a list: pass functions by name"),
    ],
)
def test_parts_of_the_wrong_kind_are_named_with_an_example(wrong, complaint):
    net = nn.Linear(2, 1)
    parts = {"net": net, "loss": nn.BCEWithLogitsLoss(), "optimizer": optim.SGD(net.parameters(), lr=0.1)} | wrong
    x, y = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
    with pytest.raises(TypeError, match=complaint):
        train.fit(parts.pop("net"), x, y, epochs=1, progress=False, **parts)
