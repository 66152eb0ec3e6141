"""Batch normalization layers: one in any number of dimensions, and names that fix that number."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np

from cnnlab import ops
from cnnlab.backend import Array, asarray, namespace
from cnnlab.geometry.options import number_between, truth, whole_number
from cnnlab.nn.checks import check_rank
from cnnlab.nn.init import constant
from cnnlab.nn.module import Module
from cnnlab.nn.parameter import Buffer, Parameter
from cnnlab.nn.rank_name import rank_name


class BatchNorm(Module):
    """Shift and scale each channel to mean 0 and variance 1, in `rank` dimensions, then by a trained bias and weight.

    In training mode by mean and variance of the batch; running averages of both are kept and used in evaluation mode.
    With ``eval()`` on this layer alone, in a net in training mode, it is frozen: it uses the averages and leaves them,
    and gradients go back to x, weight and bias.

    Parameters
    ----------
    num_features
        Number of channels.
    eps
        Added to the variance, so that nothing is divided by 0.
    momentum
        Share of the latest batch in the running averages; None gives all batches equal shares.
    affine
        Whether to scale and shift by a weight and a bias for each channel.
    track_running_stats
        Whether to keep running averages. Without them the batch's own numbers are used in evaluation mode too.
    dtype, device
        Of parameters and running averages; float32 on the current default device by default.

    Attributes
    ----------
    weight, bias : Parameter or None
        Shape (num_features,); ones and zeros at first.
    running_mean, running_var : Buffer or None
        Shape (num_features,); zeros and ones at first. The variance goes in as the unbiased one, as in PyTorch.
    num_batches_tracked : Buffer or None
        How many batches are in the averages.

    Raises
    ------
    TypeError, ValueError
        If an option is out of range. In training mode also if a batch has a single value for each channel.
    """

    rank: ClassVar[int]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: object = None,
        device: str | None = None,
    ) -> None:
        self.num_features = whole_number("num_features", num_features, at_least=1)
        self.eps = number_between("eps", eps, 0, sys.float_info.max)
        self.momentum = None if momentum is None else number_between("momentum", momentum, 0, 1)
        self.affine = truth("affine", affine)
        self.track_running_stats = truth("track_running_stats", track_running_stats)

        def filled(value: float) -> Array:
            return constant((self.num_features,), value, dtype=dtype, device=device)

        self.weight = Parameter(filled(1)) if affine else None
        self.bias = Parameter(filled(0)) if affine else None
        self.running_mean = Buffer(filled(0)) if track_running_stats else None
        self.running_var = Buffer(filled(1)) if track_running_stats else None
        count = asarray(np.zeros((), dtype="int64"), device=device)
        self.num_batches_tracked = Buffer(count) if track_running_stats else None

    def forward(self, x: Array) -> Array:
        """Return y of the shape of x (N, C, *spatial)."""
        self._check_axes(x)
        self._check_channels(x)
        given: dict[str, Array] = {}
        if self.running_mean is not None and self.running_var is not None and not (self.training and x.size):
            given = {"mean": self.running_mean.data, "var": self.running_var.data}  # also of an empty batch
            mean, var = given["mean"], given["var"]
        else:
            mean, var = ops.batch_statistics(x)
        w, b = (None if p is None else p.data for p in (self.weight, self.bias))
        y = ops.batch_norm_forward(x, w, b, mean=mean, var=var, eps=self.eps)
        if not given:
            self._track(mean, var, x.size // self.num_features)
        self.keep((x, given))
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx of the shape of dy; mean and variance of the batch are functions of x too."""
        x, given = self.recall()
        w = None if self.weight is None else self.weight.data
        dx, dw, db = ops.batch_norm_backward(dy, x, w, **given, eps=self.eps)
        if self.weight is not None and self.bias is not None:
            self.weight.accumulate(dw)
            self.bias.accumulate(db)
        return dx

    def extra_repr(self) -> str:
        """Return number of channels and options."""
        names = ("eps", "momentum", "affine", "track_running_stats")
        return ", ".join([str(self.num_features), *(f"{name}={getattr(self, name)}" for name in names)])

    def _check_axes(self, x: Array) -> None:
        check_rank(type(self).__name__, x, self.rank)

    def _check_channels(self, x: Array) -> None:
        if x.shape[1] != self.num_features:
            raise ValueError(
                f"x has shape {tuple(x.shape)} and the layer num_features={self.num_features}: "
                "the second axis must be the channels"
            )

    def _track(self, mean: Array, var: Array, count: int) -> None:
        """Take the statistics of a batch with `count` values a channel into the running averages."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        xp = namespace(mean)
        tracked = xp.asarray(self.num_batches_tracked.data + 1)
        share = 1 / xp.astype(tracked, mean.dtype) if self.momentum is None else self.momentum
        var = var * (count / (count - 1))  # unbiased: one degree of freedom went into the mean
        self.running_mean.data = (1 - share) * self.running_mean.data + share * mean
        self.running_var.data = (1 - share) * self.running_var.data + share * var
        self.num_batches_tracked.data = tracked


@rank_name
class BatchNorm1d(BatchNorm):
    """Batch normalization of x (N, C) or (N, C, T)."""

    rank = 1

    def _check_axes(self, x: Array) -> None:
        if getattr(x, "ndim", None) != 2:  # vectors are channels without places
            super()._check_axes(x)


@rank_name
class BatchNorm2d(BatchNorm):
    """Batch normalization of x (N, C, H, W).

    Examples
    --------
    >>> layer = BatchNorm2d(3)
    >>> y = layer(np.random.default_rng(0).normal(5, 2, size=(8, 3, 4, 5)).astype("float32"))
    >>> bool(abs(y.mean(axis=(0, 2, 3))).max() < 1e-5)
    True
    """

    rank = 2


@rank_name
class BatchNorm3d(BatchNorm):
    """Batch normalization of x (N, C, D, H, W)."""

    rank = 3
