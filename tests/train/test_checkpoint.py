"""Checkpoints: going on to the same curve, and refusing what is another training."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from cnnlab import nn, optim, train
from cnnlab.train.settings import generators

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda p: optim.Adam(p, lr=0.02),
    "AdamW": lambda p: optim.AdamW(p, lr=0.02),
}
SCHEDULES = {
    "none": lambda o: None,
    "steps": lambda o: optim.StepLR(o, 2, 0.5),
    "cosine": lambda o: optim.CosineAnnealingLR(o, 6),
}


@pytest.fixture
def training(tmp_path):
    """Build everything anew from fixed seeds, as a program does that is started again."""

    def make(optimizer="Adam", schedule="cosine", bits=np.random.PCG64, **options):
        rng = np.random.default_rng(0)
        x = rng.standard_normal((30, 2, 6)).astype("float32")
        y = rng.integers(3, size=30)
        net = nn.Sequential(
            nn.Conv1d(2, 4, 3, rng=rng),
            nn.BatchNorm1d(4),
            nn.ReLU(),
            nn.Dropout(0.3, rng=np.random.Generator(bits(5))),
            nn.Flatten(),
            nn.Linear(16, 3, rng=rng),
        )
        optimizer = OPTIMIZERS[optimizer](net.parameters())
        return net, {
            "x": x,
            "y": y,
            "loss": nn.CrossEntropyLoss(),
            "optimizer": optimizer,
            "schedule": SCHEDULES[schedule](optimizer),
            "epochs": 6,
            "batch_size": 8,
            "rng": np.random.Generator(bits(1)),
            "validation": (x[:10], y[:10]),
            "metrics": {"accuracy": train.accuracy},
            "checkpoint": tmp_path / "run.npz",
            "progress": False,
            **options,
        }

    return make


def fit(training):
    net, options = training
    return train.fit(net, **options), net


def assert_same(run, other):
    (history, net), (other_history, other_net) = run, other
    assert history.as_dict() == other_history.as_dict()
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, other_net.state_dict()[name], err_msg=name)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_going_on_gives_the_same_curve_and_values_to_the_last_bit(optimizer, schedule, training):
    whole = fit(training(optimizer, schedule, checkpoint=None))
    for epochs in (1, 4, 6):
        part = fit(training(optimizer, schedule, epochs=epochs))
    assert part[0].resumed == 4
    assert_same(part, whole)


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_each_kind_of_generator_goes_on_where_it_was(bits, training):
    bits = getattr(np.random, bits)
    whole = fit(training(bits=bits, checkpoint=None))
    fit(training(bits=bits, epochs=3))
    assert_same(fit(training(bits=bits)), whole)


def test_a_checkpoint_changes_no_step(training):
    assert_same(fit(training()), fit(training(checkpoint=None)))


@pytest.mark.parametrize("call", [1, 6, 13, 21])
def test_the_same_cell_run_again_after_a_stop_goes_on(call, training, stop_after):
    """Net, optimizer, schedule and rng are not built anew: half an epoch is in them, which must not count."""
    whole = fit(training(checkpoint=None))
    net, options = training()
    history = train.fit(net, **options | {"metrics": {"accuracy": stop_after(call)}})
    assert history.interrupted
    if len(history) == 0:  # nothing was written yet, and the net is not new any more
        assert not options["checkpoint"].exists()
        return
    assert_same((train.fit(net, **options), net), whole)


def test_without_rng_the_order_of_the_batches_goes_on_too(training, monkeypatch):
    seeds = iter([3, 3, 4])
    monkeypatch.setattr(
        "cnnlab.nn.init.np.random.default_rng",
        lambda seed=None: np.random.Generator(np.random.PCG64(next(seeds) if seed is None else seed)),
    )
    whole = fit(training(checkpoint=None, rng=None))
    fit(training(epochs=2, rng=None))
    assert_same(fit(training(rng=None)), whole)


def test_a_generator_that_two_share_is_still_shared_afterwards(training):
    def shared(**options):
        net, options = training(**options)
        net[3].rng = options["rng"]
        return net, options

    whole = fit(shared(checkpoint=None))
    fit(shared(epochs=2))
    assert_same(fit(shared()), whole)
    with pytest.raises(train.CheckpointError, match=r"random numbers was order of batches = 3.rng: PCG64 and is"):
        fit(training())


def test_generators_are_found_wherever_they_are_and_named_once(training):
    net, options = training()
    outer = nn.Sequential(net, nn.Sequential(nn.ReLU(), net[3]))
    assert list(generators(outer, options["rng"])) == ["order of batches", "0.3.rng = 1.1.rng"]


def test_it_says_that_it_goes_on_and_that_nothing_is_left(training, capsys):
    fit(training(epochs=2))
    assert capsys.readouterr().out == ""
    fit(training())
    assert "run.npz: 2 of 6 epochs are done\n" in capsys.readouterr().out
    history, _ = fit(training())
    assert "run.npz: 6 of 6 epochs are done, and none is left to train\n" in capsys.readouterr().out
    assert history.resumed == len(history) == 6
    assert "6 epochs, 6 of them from a checkpoint" in repr(history)


def test_it_is_written_every_few_epochs_and_at_the_end(training, tmp_path):
    file, done = tmp_path / "run.npz", []

    def look(prediction, target):
        if file.exists():
            with np.load(file) as saved:
                done.append(len(json.loads(str(saved["about"]))["history"]["loss"]))
        else:
            done.append(0)
        return 0.0

    history, _ = fit(
        training(
            checkpoint=train.Checkpoint(file, every=3), epochs=5, batch_size=30, validation=None, metrics={"look": look}
        )
    )
    assert done == [0, 0, 0, 3, 3]
    look(None, None)
    assert done[-1] == len(history) == 5


def test_early_stopping_goes_on_and_stays_stopped(training):
    def worsening(**options):
        net, options = training(early_stop=train.EarlyStop(3), **options)
        x, y = options["x"], options["y"]
        return net, options | {"validation": (x, (y + (np.arange(30) % 2)) % 3), "epochs": options["epochs"] * 5}

    whole = fit(worsening(checkpoint=None))
    best = whole[0].best_epoch
    assert 1 < best < len(whole[0]) < 30  # else this test shows nothing
    assert whole[0].stopped_early
    net, options = worsening()
    for epochs in (best, best + 1, 30, 30):
        net, options = worsening()
        again = train.fit(net, **options | {"epochs": epochs})
    assert_same((again, net), whole)
    assert (again.stopped_early, again.best_epoch) == (True, best)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_averages_and_dropout_go_on(momentum, training):
    def build(**options):
        net, options = training(**options)
        net[1].momentum = momentum
        return net, options

    whole = fit(build(checkpoint=None))
    fit(build(epochs=3))
    history, net = fit(build())
    assert_same((history, net), whole)
    assert net[1].num_batches_tracked.data == 6 * 4
    assert net[3].rng.bit_generator.state == whole[1][3].rng.bit_generator.state


def reset_averages(net):
    net[1].load_state_dict(
        nn.BatchNorm1d(4).state_dict() | {name: net[1].state_dict()[name] for name in ("weight", "bias")}
    )


def reset_dropout(net):
    net[3].rng = np.random.default_rng(5)


@pytest.mark.parametrize("reset", [None, reset_averages, reset_dropout])
def test_the_curve_depends_on_running_averages_and_on_the_generator_of_dropout(reset, training):
    """So that the test above shows something: a checkpoint without either would give another curve."""
    whole, _ = fit(training(checkpoint=None))
    net, options = training(epochs=3, checkpoint=None)
    train.fit(net, **options)
    if reset:
        reset(net)
    rest = train.fit(net, **options)
    same = rest.validation["loss"] == whole.validation["loss"][3:]
    assert same is (reset is None)


def test_a_frozen_layer_stays_frozen_and_belongs_to_the_training(training):
    def build(**options):
        net, options = training(**options)
        net[1].running_mean.data = np.full(4, 0.5, "float32")
        net[1].eval()
        return net, options

    whole = fit(build(checkpoint=None))
    fit(build(epochs=3))
    history, net = fit(build())
    assert_same((history, net), whole)
    np.testing.assert_array_equal(net[1].running_mean.data, np.full(4, 0.5))
    assert not net[1].training
    with pytest.raises(train.CheckpointError, match="frozen layers was 1 and is nothing"):
        fit(training())


def test_it_can_be_read_with_numpy_alone_without_pickle(training, tmp_path):
    _, net = fit(training(epochs=2))
    with np.load(tmp_path / "run.npz", allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["net/0.weight"], net[0].weight.data)
        about = json.loads(str(saved["about"]))
    assert about["format"] == "cnnlab checkpoint 1"
    assert about["generators"]["order of batches"]["bit_generator"] == "PCG64"


# What is another training --------------------------------------------------------------------------------------------


def other_net(net, options):
    wider = nn.Sequential(nn.Conv1d(2, 5, 3), nn.BatchNorm1d(5), *net[2:5], nn.Linear(20, 3))
    return wider, options | {"optimizer": optim.Adam(wider.parameters(), lr=0.02), "schedule": None}


def part_only(net, options):
    return net, options | {"optimizer": optim.Adam(net[0].parameters(), lr=0.02)}


def other_data(name, change):
    return lambda net, options: (net, options | {name: change(options[name])})


def changed(array):
    array = array.copy()
    array[17] += 1
    return array


def with_optimizer(build):
    return lambda net, options: (net, options | {"optimizer": build(net.parameters())})


def with_schedule(build):
    return lambda net, options: (net, options | {"schedule": build(options["optimizer"])})


OTHERS = {
    "net": (other_net, r"net was \(0\): Conv1d\(2, 4, .*and is \(0\): Conv1d\(2, 5, "),
    "part of the net": (
        part_only,
        "trained parameters was 0.weight, 0.bias, 1.weight, 1.bias, 5.weight, 5.bias and is 0.weight, 0.bias",
    ),
    "optimizer": (with_optimizer(lambda p: optim.AdamW(p, lr=0.02)), "optimizer was Adam and is AdamW"),
    "rate": (with_optimizer(lambda p: optim.Adam(p, lr=0.5)), r"optimizer.lr was 0.02 and is 0.5\. To go on"),
    "option": (with_optimizer(lambda p: optim.Adam(p, lr=0.02, eps=1e-3)), "optimizer.eps was 1e-08 and is 0.001"),
    "schedule": (with_schedule(lambda o: optim.StepLR(o, 2)), "schedule was NoneType and is StepLR"),
    "loss": (other_data("loss", lambda _: nn.BCEWithLogitsLoss()), r"loss was CrossEntropyLoss\(\) and is BCE"),
    "batch size": (other_data("batch_size", lambda _: 7), "batch_size was 8 and is 7"),
    "metrics": (other_data("metrics", lambda _: {}), "metrics was accuracy and is nothing"),
    "x": (other_data("x", changed), r"x was float32 \(30, 2, 6\) with content \w+ and is float32 \(30, 2, 6\)"),
    "y": (other_data("y", changed), "y was int64"),
    "validation": (other_data("validation", lambda _: None), "validation x was float32.* and is nothing"),
    "early stop": (other_data("validation", lambda v: v), r"early_stop was None and is EarlyStop\(patience=3"),
    "generator": (other_data("rng", lambda _: np.random.Generator(np.random.MT19937(0))), "order of batches: MT19937"),
    "fewer epochs": (other_data("epochs", lambda _: 1), r"holds 2 epochs, more than epochs \(=1\): ask for 2 or more"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_training_is_refused_with_what_differs_and_nothing_is_touched(name, training):
    fit(training(schedule="none", epochs=2))
    change, text = OTHERS[name]
    net, options = change(*training(schedule="none"))
    if name == "early stop":
        options["early_stop"] = train.EarlyStop(3)
    if name == "net":  # as the optimizer's schedule has to be its own
        options["schedule"] = None
    file, before = options["checkpoint"].read_bytes(), net.state_dict()
    with pytest.raises(train.CheckpointError, match=text) as caught:
        train.fit(net, **options)
    assert "to start over, give another path or move that file away" in str(caught.value)
    assert options["checkpoint"].read_bytes() == file
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


@pytest.mark.parametrize("content", ["cut off", "text", "another npz", "another format"])
def test_a_file_that_is_no_checkpoint_is_refused_and_left_as_it_is(content, training):
    fit(training(epochs=1))
    net, options = training()
    file: Path = options["checkpoint"]
    if content == "cut off":
        file.write_bytes(file.read_bytes()[:-100])
    elif content == "text":
        file.write_text("my notes")
    elif content == "another npz":
        nn.save(net, file)
    else:
        np.savez(file, about=np.array(json.dumps({"format": "cnnlab checkpoint 99"})))
    before = file.read_bytes()
    texts = {"another npz": "is no checkpoint of train.fit and was left", "another format": "go on with the cnnlab of"}
    with pytest.raises(train.CheckpointError, match=texts.get(content, "is no whole .npz file")) as caught:
        train.fit(net, **options)
    assert "to start over, give another path" in str(caught.value)
    assert file.read_bytes() == before


def test_loading_a_checkpoint_as_a_net_says_where_it_belongs(training):
    _, net = fit(training(epochs=1))
    with pytest.raises(ValueError, match=r"A checkpoint of train.fit is taken up by train.fit"):
        nn.load(net, training()[1]["checkpoint"])


def test_a_write_that_fails_leaves_the_old_checkpoint_whole(training, monkeypatch):
    whole = fit(training(checkpoint=None))
    fit(training(epochs=2))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("cnnlab.nn.archive.os.fsync", full)
    with pytest.raises(OSError, match=r"run.npz cannot be written .No space left on device.: make room there"):
        fit(training())
    monkeypatch.undo()
    history, net = fit(training())
    assert history.resumed == 2
    assert_same((history, net), whole)


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: train.Checkpoint("run.ckpt"), ValueError, "must end in .npz: call it 'run.npz'"),
        (lambda: train.Checkpoint("run.npz", every=0), ValueError, r"every \(=0\) must be at least 1"),
        (lambda: train.Checkpoint("run.npz", every=1.5), TypeError, "every must be a whole number, not 1.5"),
    ],
)
def test_options_are_checked(act, error, text):
    with pytest.raises(error, match=text):
        act()
