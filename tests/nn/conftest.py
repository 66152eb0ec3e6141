"""What the tests of layers share."""

import numpy as np
import pytest

STEP = 1e-6
RELATIVE = 1e-6  # central differences in float64: an error of about STEP² and rounding of about 1e-16 / STEP


@pytest.fixture
def gradient_check():
    """Compare backward with central differences, along one random direction for the input and for each parameter."""

    def check(module, x, *, seed=0):
        rng = np.random.default_rng(seed)
        dy = rng.standard_normal(module(x).shape)
        module.forget().zero_grad()
        module(x)
        dx = module.backward(dy)
        assert dx.shape == x.shape

        def slope(change):
            values = []
            for step in (STEP, -STEP):
                change(step)
                values.append(np.sum(module.eval()(x_now[0]) * dy))
            change(0)
            module.train()
            return (values[0] - values[1]) / (2 * STEP)

        x_now = [x]
        v = rng.standard_normal(x.shape)

        def move_x(step):
            x_now[0] = x + step * v

        scale = np.linalg.norm(dx)
        assert slope(move_x) == pytest.approx(np.sum(dx * v), rel=RELATIVE, abs=RELATIVE * scale)
        for name, parameter in module.named_parameters():
            start, u = parameter.data, rng.standard_normal(parameter.shape)

            def move(step, parameter=parameter, start=start, u=u):
                parameter.data = start + step * u

            gradient, scale = np.sum(parameter.grad * u), np.linalg.norm(parameter.grad)
            assert scale > 0, name
            assert slope(move) == pytest.approx(gradient, rel=RELATIVE, abs=RELATIVE * scale), name

    return check


@pytest.fixture
def distinct():
    """Make an array of distinct values at least 0.1 apart and away from 0, so that no kink is near."""

    def make(shape, seed=0):
        size = int(np.prod(shape))
        values = (np.arange(size) - size // 2 + 0.5) / 10
        return np.random.default_rng(seed).permutation(values).reshape(shape)

    return make
