"""Early stopping: by hand on made-up curves, and in a training."""

import math

import numpy as np
import pytest

from cnnlab import nn, optim, train

NAN = math.nan


def curve(*values, name="validation loss"):
    history = train.History(loss=[1.0] * len(values), metrics={"accuracy": list(values)})
    history.validation["loss"] = list(values)
    assert name in history.as_dict()
    return history


@pytest.mark.parametrize(
    ("values", "best", "over"),
    [
        ((), None, False),
        ((3.0,), 1, False),
        ((3.0, 2.0, 1.0), 3, False),
        ((3.0, 2.0, 2.5), 2, False),
        ((3.0, 2.0, 2.5, 2.1), 2, True),
        ((3.0, 2.0, 2.5, 1.9), 4, False),
        ((2.0, 2.0, 2.0), 1, True),  # as good as the best is not better
        ((NAN, 2.0, NAN), 2, False),
        ((2.0, NAN, NAN), 1, True),
        ((NAN, NAN), None, True),
        ((NAN,), None, False),
    ],
)
def test_two_epochs_without_a_new_best_value_end_it(values, best, over):
    stop = train.EarlyStop(2)
    assert stop.best_epoch(curve(*values)) == best
    assert stop.is_over(curve(*values)) is over


def test_high_values_are_good_where_that_is_said():
    stop = train.EarlyStop(1, monitor="accuracy", mode="max")
    assert not stop.is_over(curve(0.1, 0.5, 0.6))
    assert stop.best_epoch(curve(0.1, 0.5, 0.4)) == 2
    assert stop.is_over(curve(0.1, 0.5, 0.4))


@pytest.fixture
def worsening(problem):
    """Make a training whose validation loss falls and then rises: its answers are those of x for some time only."""

    def make(**options):
        net, x, y, options = problem(40, epochs=60, **options)
        options["optimizer"].lr = 0.05
        wrong = np.where(np.arange(40) % 3 == 0, 1 - y, y)
        return net, x, y, options | {"validation": (x, wrong)}

    return make


def test_it_stops_and_puts_the_best_epoch_back(worsening):
    net, x, y, options = worsening(early_stop=train.EarlyStop(patience=3))
    history = train.fit(net, x, y, **options)
    losses = history.validation["loss"]
    assert history.stopped_early
    assert history.best_epoch == int(np.argmin(losses)) + 1
    assert len(history) == history.best_epoch + 3 < 60
    assert train.evaluate(net, *options["validation"], loss=nn.CrossEntropyLoss())["loss"] == min(losses)

    # An undisturbed training of just so many epochs ends with the very same values.
    other, x, y, options = worsening()
    train.fit(other, x, y, **options | {"epochs": history.best_epoch})
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, other.state_dict()[name])


def test_without_restoring_the_last_values_stay(worsening):
    net, x, y, options = worsening(early_stop=train.EarlyStop(3, restore_best=False))
    history = train.fit(net, x, y, **options)
    last = train.evaluate(net, *options["validation"], loss=nn.CrossEntropyLoss())["loss"]
    assert last == history.validation["loss"][-1] > min(history.validation["loss"])


def test_the_best_epoch_is_put_back_also_when_the_epochs_run_out(worsening):
    net, x, y, options = worsening(early_stop=train.EarlyStop(patience=1000))
    history = train.fit(net, x, y, **options)
    assert not history.stopped_early
    assert len(history) == 60 > history.best_epoch
    best = train.evaluate(net, *options["validation"], loss=nn.CrossEntropyLoss())["loss"]
    assert best == min(history.validation["loss"])


def test_a_curve_of_a_metric_can_be_watched(worsening):
    stop = train.EarlyStop(4, monitor="validation accuracy", mode="max")
    net, x, y, options = worsening(early_stop=stop, metrics={"accuracy": train.accuracy})
    history = train.fit(net, x, y, **options)
    values = history.validation["accuracy"]
    assert history.best_epoch == int(np.argmax(values)) + 1
    assert train.accuracy(train.predict(net, x), options["validation"][1]) == max(values)


def test_an_interrupt_keeps_the_latest_values(worsening, stop_after):
    net, x, y, options = worsening(early_stop=train.EarlyStop(50), metrics={"accuracy": stop_after(45)})
    history = train.fit(net, x, y, **options)
    assert history.interrupted
    assert history.best_epoch is None


def test_the_history_says_so():
    history = train.History(loss=[2.0, 1.0], resumed=1, stopped_early=True, best_epoch=2)
    assert repr(history) == "History(2 epochs, 1 of them from a checkpoint, stopped early, best in epoch 2: loss 2 → 1)"


REFUSED = {
    "patience": (lambda: train.EarlyStop(0), ValueError, r"patience \(=0\) must be at least 1"),
    "no number": (lambda: train.EarlyStop(NAN), TypeError, "patience must be a whole number, not nan"),
    "text": (lambda: train.EarlyStop("3"), TypeError, "patience must be a whole number, not '3'"),
    "monitor": (lambda: train.EarlyStop(3, monitor=5), TypeError, "monitor must be the name of a curve .*not 5"),
    "restore": (lambda: train.EarlyStop(3, restore_best=1), TypeError, "restore_best must be True or False, not 1"),
    "mode": (lambda: train.EarlyStop(3, mode="low"), ValueError, "mode is 'low': choose \"min\""),
    "metric": (lambda: train.EarlyStop(3, monitor="accuracy"), ValueError, "'accuracy' are good .*add mode=\"max\""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_name_the_value_and_the_next_step(name):
    act, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        act()


def test_fit_refuses_plans_that_do_not_fit_before_it_starts(problem):
    net, x, y, options = problem()
    before = net.state_dict()
    other = optim.SGD(net.parameters(), lr=0.1)
    for changes, error, text in [
        ({"early_stop": train.EarlyStop(3)}, ValueError, r"'validation loss'.*measures loss: pass validation=\(x, y\)"),
        (
            {"early_stop": train.EarlyStop(3, monitor="recall", mode="max"), "validation": (x, y)},
            ValueError,
            "measures loss, validation loss: add it to metrics, or watch another",
        ),
        ({"early_stop": 3}, TypeError, r"early_stop is 3: pass one such as train.EarlyStop\(patience=5\)"),
        ({"schedule": "cosine"}, TypeError, r"schedule is 'cosine': pass one such as optim.StepLR"),
        ({"schedule": optim.StepLR(other, 3)}, ValueError, "the schedule belongs to another optimizer: make it anew"),
        ({"validation": x}, ValueError, r"validation is a ndarray: pass inputs and targets, validation=\(x, y\)"),
        ({"validation": (x,)}, ValueError, "validation is a tuple: pass inputs and targets"),
        ({"checkpoint": "run.pt"}, ValueError, r"path \(='run.pt'\) must end in .npz: call it 'run.npz'"),
        ({"checkpoint": True}, TypeError, "path must be a file's name such as 'net.npz', not True"),
        ({"checkpoint": "nowhere/at/all/run.npz"}, FileNotFoundError, "there is no folder nowhere/at/all: make it"),
    ]:
        with pytest.raises(error, match=text):
            train.fit(net, x, y, **options | changes)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
