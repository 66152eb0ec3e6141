"""The progress bar, in processes of their own: nothing may warn, whatever is installed."""

import os
import subprocess
import sys
import textwrap

import pytest

TRAINING = """
import numpy as np
from cnnlab import nn, optim, train
rng = np.random.default_rng(0)
net = nn.mlp([2, 1], rng=rng)
x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
metrics = {"accuracy": train.binary_accuracy}
def fit(**options):
    return train.fit(net, x, y, loss=nn.BCEWithLogitsLoss(), optimizer=optim.SGD(net.parameters(), lr=0.1),
                     epochs=2, batch_size=4, rng=rng, **options)
"""
# What a kernel looks like to tqdm; without ipywidgets it would warn.
KERNEL_WITHOUT_WIDGETS = """
import sys, types
sys.modules["ipywidgets"] = None
class Shell:
    config = {"IPKernelApp": {}}
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=Shell)
"""
INTERRUPTED = """
def stop(prediction, target):
    raise KeyboardInterrupt
history = fit(metrics={"stop": stop})
assert history.interrupted
"""


def run(*parts):
    code = "".join(textwrap.dedent(part) for part in parts)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("before", ["", KERNEL_WITHOUT_WIDGETS], ids=["terminal", "notebook without ipywidgets"])
def test_the_bar_shows_epoch_loss_and_metrics_without_a_warning(before):
    result = run(before, TRAINING, "fit(metrics=metrics, validation=(x, y))")
    assert result.returncode == 0, result.stderr
    last = result.stderr.splitlines()[-1]
    for part in ("epoch 2/2", "4/4", "loss=", ", accuracy=", "validation loss="):
        assert part in last
    assert "arning" not in result.stderr
    assert result.stdout == ""


def test_without_progress_it_is_silent():
    result = run(TRAINING, "fit(progress=False)")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_bar_says_that_training_was_stopped():
    result = run(TRAINING, INTERRUPTED)
    assert result.returncode == 0, result.stderr
    assert "stopped after 0 of 2 epochs" in result.stderr.splitlines()[-1]


def test_a_signal_from_the_keyboard_stops_the_training_and_not_the_program():
    code = """
    import os, signal
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background begins without
    def interrupt(prediction, target):
        os.kill(os.getpid(), signal.SIGINT)
        return 0.0
    history = fit(metrics={"i": interrupt}, progress=False)
    print(history.interrupted, train.predict(net, x).shape)
    """
    result = run(TRAINING, code)
    assert (result.returncode, result.stdout) == (0, "True (8, 1)\n"), result.stderr
