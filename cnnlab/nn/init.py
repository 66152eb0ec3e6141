"""Starting values of weights and biases, as PyTorch's layers draw them.

`torch.nn.Linear` and `torch.nn.Conv*d` call ``kaiming_uniform_(weight, a=sqrt(5))``: uniform in ±bound with
``bound = gain · sqrt(3 / fan_in)`` and ``gain = sqrt(2 / (1 + a²))`` (He et al. 2015, "Delving deep into
rectifiers", equations 10 and 14, with a the slope of a leaky ReLU). For a = √5 this is 1 / sqrt(fan_in), the
bound that PyTorch also uses for the bias.
"""

from __future__ import annotations

import math

import numpy as np

from cnnlab import backend
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
    parameter_dtype = np.dtype("float32" if dtype is None else dtype)  # type: ignore[call-overload]  # raises TypeError
    if parameter_dtype.kind != "f":
        raise TypeError(f"dtype is {parameter_dtype}, but parameters must be floating point: float32 or float64")
    bound = 1 / math.sqrt(fan_in)
    values = rng.uniform(-bound, bound, size=shape)
    return Parameter(backend.asarray(values, dtype=parameter_dtype, device=device))


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
