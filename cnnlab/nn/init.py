"""Starting values of weights and biases, as PyTorch draws them.

The layers draw theirs with `uniform_fan_in`. To begin elsewhere, call one of `kaiming_uniform_`, `kaiming_normal_`,
`xavier_uniform_` and `xavier_normal_` on a parameter, as in ``nn.init.kaiming_normal_(layer.weight, rng=rng)``. The
names are PyTorch's, with their underscore; but where PyTorch overwrites the values in place, here the parameter gets a
new array, of the old shape, dtype and device, and arrays handed out before stay as they were.

`torch.nn.Linear` and `torch.nn.Conv*d` call ``kaiming_uniform_(weight, a=sqrt(5))``: uniform in ±bound with
``bound = gain · sqrt(3 / fan_in)`` and ``gain = sqrt(2 / (1 + a²))`` (He et al. 2015, "Delving deep into
rectifiers", equations 10 and 14, with a the slope of a leaky ReLU). For a = √5 this is 1 / sqrt(fan_in), the
bound that PyTorch also uses for the bias.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cnnlab import backend
from cnnlab.backend import Array
from cnnlab.nn.parameter import Parameter


def uniform_fan_in(
    shape: tuple[int, ...],
    fan_in: int,
    *,
    rng: np.random.Generator,
    dtype: object = None,
    device: str | None = None,
) -> Parameter:
    """Return a parameter drawn uniformly from ±1 / sqrt(fan_in).

    Drawn on the host in float64 and then cast and moved, so that the same seed gives the same values on every device.

    Parameters
    ----------
    shape
        Shape of the parameter.
    fan_in
        Number of inputs of one neuron: in_features, or in_channels / groups times the kernel's size.
    rng
        Source of randomness.
    dtype
        Floating dtype or its name; float32 by default.
    device
        "cpu" or "gpu"; the current default device by default.

    Raises
    ------
    TypeError
        If `dtype` is not a floating-point dtype.

    Examples
    --------
    >>> uniform_fan_in((2, 4), fan_in=4, rng=np.random.default_rng(0))
    Parameter(shape=(2, 4), dtype=float32, grad=no)
    """
    bound = 1 / math.sqrt(fan_in)
    try:
        values = rng.uniform(-bound, bound, size=shape)
    except (MemoryError, ValueError) as error:  # a ValueError where no array of any machine could be so large
        raise MemoryError(
            f"a parameter of shape {shape} is larger than the memory: take fewer channels or a smaller kernel"
        ) from error
    return Parameter(backend.asarray(values, dtype=_floating(dtype), device=device))


def constant(shape: tuple[int, ...], value: float, *, dtype: object = None, device: str | None = None) -> Array:
    """Return an array filled with one number; dtype and device as in `uniform_fan_in`."""
    return backend.asarray(np.full(shape, float(value)), dtype=_floating(dtype), device=device)


def kaiming_uniform_(
    parameter: Parameter,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator | None = None,
) -> Parameter:
    """Draw a weight anew, uniformly from ±gain · √(3 / fan), which keeps the variance from layer to layer under ReLU.

    He et al. 2015, "Delving deep into rectifiers", equations 10 and 14.

    Parameters
    ----------
    parameter
        A weight with at least two axes: (out, in) or (C_out, C_in/groups, *kernel).
    a
        Slope of the leaky ReLU below 0; used with that nonlinearity only.
    mode
        "fan_in" keeps the variance on the way forward, "fan_out" on the way back.
    nonlinearity
        What follows the layer: gives the gain (`calculate_gain`).
    rng
        Source of randomness, which draws on the host; freshly seeded by default.

    Returns
    -------
    Parameter
        The same parameter, with new values.

    Raises
    ------
    TypeError, ValueError
        If the parameter has fewer than two axes, or an option is unknown.

    Examples
    --------
    >>> from cnnlab.nn import Conv2d
    >>> weight = kaiming_uniform_(Conv2d(3, 8, 5).weight, nonlinearity="relu", rng=np.random.default_rng(0))
    >>> bool(abs(weight.data).max() < (6 / 75) ** 0.5)
    True
    """
    return _fill(parameter, "uniform", calculate_gain(nonlinearity, a) / math.sqrt(_fan(parameter, mode)), rng)


def kaiming_normal_(
    parameter: Parameter,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator | None = None,
) -> Parameter:
    """Draw a weight anew from a normal distribution of deviation gain / √fan; options as in `kaiming_uniform_`."""
    return _fill(parameter, "normal", calculate_gain(nonlinearity, a) / math.sqrt(_fan(parameter, mode)), rng)


def xavier_uniform_(parameter: Parameter, gain: float = 1, *, rng: np.random.Generator | None = None) -> Parameter:
    """Draw a weight anew, uniformly from ±gain · √(6 / (fan_in + fan_out)): a compromise between both directions.

    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", equation 16.

    Parameters
    ----------
    parameter, rng
        As in `kaiming_uniform_`; the same errors.
    gain
        For the nonlinearity that follows, as from `calculate_gain`.

    Returns
    -------
    Parameter
        The same parameter, with new values.
    """
    fans = _fan(parameter, "fan_in") + _fan(parameter, "fan_out")
    return _fill(parameter, "uniform", gain * math.sqrt(2 / fans), rng)


def xavier_normal_(parameter: Parameter, gain: float = 1, *, rng: np.random.Generator | None = None) -> Parameter:
    """Draw a weight anew from a normal distribution of deviation gain · √(2 / (fan_in + fan_out)).

    Options as in `xavier_uniform_`.
    """
    fans = _fan(parameter, "fan_in") + _fan(parameter, "fan_out")
    return _fill(parameter, "normal", gain * math.sqrt(2 / fans), rng)


def calculate_gain(nonlinearity: str, a: float = 0) -> float:
    """Return by how much a layer's weights should be larger because of what follows it, as PyTorch recommends.

    Parameters
    ----------
    nonlinearity
        "linear", "sigmoid", "tanh", "relu" or "leaky_relu".
    a
        Slope of the leaky ReLU below 0.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    leaky = math.sqrt(2 / (1 + a * a))
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "leaky_relu": leaky}
    if nonlinearity not in gains:
        raise ValueError(f"nonlinearity {nonlinearity!r} is unknown: choose one of {', '.join(gains)}")
    return gains[nonlinearity]


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """Return `rng`, or for None a freshly seeded generator.

    Raises
    ------
    TypeError
        If `rng` is something else, such as a seed.
    """
    if rng is None:
        return np.random.default_rng()
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator but is {rng!r}: pass numpy.random.default_rng(seed)")
    return rng


def _floating(dtype: object) -> np.dtype[np.floating[Any]]:
    try:
        given = np.dtype("float32" if dtype is None else dtype)  # type: ignore[call-overload]
    except TypeError as error:
        raise TypeError(f"dtype {dtype!r} is unknown: choose float32 or float64") from error
    if given.kind != "f":
        raise TypeError(f"dtype is {given}, but parameters must be floating point: float32 or float64")
    found: np.dtype[np.floating[Any]] = given
    return found


def _fan(parameter: Parameter, mode: str) -> int:
    """Return how many inputs, or outputs, one output, or input, has, by the shape of the weight."""
    given: object = parameter  # the type checker trusts the annotation, readers may not follow it
    if not isinstance(given, Parameter):
        raise TypeError(f"parameter is a {type(given).__name__}: pass a Parameter such as layer.weight")
    if len(parameter.shape) < 2:
        raise ValueError(f"the parameter has shape {parameter.shape}, of which there is no fan: only weights have one")
    outputs, inputs, *kernel = parameter.shape
    fans = {"fan_in": inputs, "fan_out": outputs}
    if mode not in fans:
        raise ValueError(f"mode {mode!r} is unknown: choose fan_in or fan_out")
    return fans[mode] * math.prod(kernel)


def _fill(parameter: Parameter, how: str, deviation: float, rng: np.random.Generator | None) -> Parameter:
    """Give a parameter values of that standard deviation, drawn on the host in float64, and return it."""
    if not 0 <= deviation < math.inf:
        raise ValueError(f"gain and slope would give a standard deviation of {deviation}: they must be finite numbers")
    rng, old = generator(rng), parameter.data
    bound = math.sqrt(3) * deviation
    shape = parameter.shape
    values = rng.normal(0, deviation, shape) if how == "normal" else rng.uniform(-bound, bound, shape)
    parameter.data = backend.namespace(old).asarray(values, dtype=old.dtype, device=old.device)
    return parameter
