"""A small problem that training tests share."""

import numpy as np
import pytest

from cnnlab import nn, optim, train


@pytest.fixture
def problem():
    """Make a net, data and the options of `fit`, always the same."""

    def make(n=40, *, seed=0, **options):
        rng = np.random.default_rng(seed)
        net = nn.mlp([4, 8, 2], rng=rng)
        x = rng.standard_normal((n, 4)).astype("float32")
        y = (x[:, 0] > 0).astype("int64")
        optimizer = optim.Adam(net.parameters(), lr=0.01)
        options = {"epochs": 3, "batch_size": 16, "rng": np.random.default_rng(1), "progress": False, **options}
        return net, x, y, {"loss": nn.CrossEntropyLoss(), "optimizer": optimizer, **options}

    return make


@pytest.fixture
def stop_after():
    """Make a metric that interrupts, as the keyboard does, at a call of the given number."""

    def make(calls):
        seen = []

        def metric(prediction, target):
            seen.append(1)
            if len(seen) == calls:
                raise KeyboardInterrupt
            return train.accuracy(prediction, target)

        return metric

    return make
