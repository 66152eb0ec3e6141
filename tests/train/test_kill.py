"""A training that is killed, at whatever moment, goes on to the values of one that was left in peace."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

# Kills itself at a moment given as "place:count": without warning, as kill -9 and the end of a cluster's time do.
PROGRAM = """
import os, signal, sys
import numpy as np
from cnnlab import nn, optim, train
from cnnlab.nn import archive

checkpoint, result, place, count = sys.argv[1:]
calls = {}

def passing(name):
    calls[name] = calls.get(name, 0) + 1
    if name == place and calls[name] == int(count):
        os.kill(os.getpid(), signal.SIGKILL)

def watched(name, function, after=False):
    def call(*arguments, **options):
        if not after:
            passing(name)
        value = function(*arguments, **options)
        if after:
            passing(name)
        return value
    return call

archive.np.lib.format.write_array = watched("array", archive.np.lib.format.write_array)
archive.os.fsync = watched("fsync", archive.os.fsync)
archive.Path.replace = watched("replaced", watched("replace", archive.Path.replace), after=True)

rng = np.random.default_rng(0)
x = rng.standard_normal((120, 2, 12)).astype("float32")
y = rng.integers(3, size=120)
net = nn.Sequential(
    nn.Conv1d(2, 8, 3, rng=rng), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(0.2, rng=rng),
    nn.Flatten(), nn.Linear(40, 3, rng=rng),
)
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3)
history = train.fit(
    net, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=40, batch_size=16, rng=rng,
    schedule=optim.CosineAnnealingLR(optimizer, 40), validation=(x[:30], y[:30]),
    metrics={"accuracy": watched("batch", train.accuracy)}, early_stop=train.EarlyStop(100),
    checkpoint=checkpoint, progress=False,
)
np.savez(result, **{name: np.array(v) for name, v in (net.state_dict() | history.as_dict()).items()})
"""


def command(folder, place="nowhere", count=0):
    arguments = [folder / "run.npz", folder / "result.npz", place, count]
    return [sys.executable, "-c", PROGRAM, *map(str, arguments)]


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "CNNLAB_DEVICE": "cpu"}


def run(folder, place="nowhere", count=0):
    return subprocess.run(
        command(folder, place, count), env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
    )


def result_of(folder):
    with np.load(folder / "result.npz") as result:
        return dict(result)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finished = run(folder)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == ""
    return result_of(folder)


def assert_ends_like(undisturbed, folder):
    finished = run(folder)
    assert finished.returncode == 0, finished.stderr
    assert result_of(folder).keys() == undisturbed.keys()
    for name, value in result_of(folder).items():
        np.testing.assert_array_equal(value, undisturbed[name], err_msg=name)
    assert sorted(p.name for p in folder.iterdir()) == ["result.npz", "run.npz"]  # and nothing half written
    return finished


# An epoch has 8 batches and one validation, and a file 25 arrays; it takes one fsync, and its folder another.
MOMENTS = {
    "in the first epoch": (("batch", 5),),
    "in a later epoch": (("batch", 40),),
    "in the validation": (("batch", 27),),
    "half of the first file": (("array", 12),),
    "half of a later file": (("array", 25 * 4 + 13),),
    "before it is on the disk": (("fsync", 7),),
    "before it takes its place": (("replace", 3),),
    "just in its place": (("replaced", 3),),
    "after the last epoch": (("replaced", 40),),
    "again and again": (("batch", 30), ("array", 20), ("replace", 2), ("batch", 12), ("replaced", 1)),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_training_ends_as_an_undisturbed_one(moment, undisturbed, tmp_path):
    for place, count in MOMENTS[moment]:
        killed = run(tmp_path, place, count)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not (tmp_path / "result.npz").exists()
    finished = assert_ends_like(undisturbed, tmp_path)
    nothing_yet = moment in ("in the first epoch", "half of the first file")
    assert ("continuing from" in finished.stdout) is not nothing_yet


def kill_after(folder, seconds):
    """Start a training, kill it so long after there is a checkpoint; return whether it was still at work."""
    process = subprocess.Popen(command(folder), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    give_up = time.monotonic() + 60
    while not (folder / "run.npz").exists() and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.001)
    time.sleep(seconds)
    process.kill()
    process.communicate(timeout=60)
    return process.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_training_killed_at_any_time_ends_as_an_undisturbed_one(seed, undisturbed, tmp_path):
    for seconds in np.random.default_rng(seed).uniform(0, 0.15, size=3):
        killed = kill_after(tmp_path, seconds)
        assert killed or (tmp_path / "result.npz").exists()
    assert_ends_like(undisturbed, tmp_path)
