"""A fully connected layer in which sets of weights are kept equal."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from cnnlab import backend, ops
from cnnlab.backend import Array, namespace
from cnnlab.nn.dense import DenseMatrix, Ties
from cnnlab.nn.module import Module
from cnnlab.nn.parameter import Parameter


class TiedLinear(Module):
    """y = x Wᵀ + b, where the entries of W in one set are one and the same weight (deck rows D13 to D16).

    Trained by the rule for shared parameters: backward finds the gradient of every entry as if each had its own weight,
    and sums it over each set; an optimizer takes one step for each set; the next forward copies the value to all
    members. With the matrix and the ties of a convolution it computes and learns what the convolution does.

    Parameters
    ----------
    matrix : Array (outputs, inputs)
        Starting values of all entries; the entries of a set must be equal, entries without connection 0.
    ties : integer array (outputs, inputs)
        For each entry the number of its set, from 0, or −1 where there is no connection.
    bias : Array (outputs,), optional
        Starting values of the biases.
    bias_ties : integer array (outputs,), optional
        Their sets; by default each bias is its own.

    Attributes
    ----------
    weight : Parameter
        Shape (sets,): one value for each set of entries.
    bias : Parameter or None
        Shape (sets of biases,).

    Raises
    ------
    TypeError
        If the ties are not integers.
    ValueError
        If the shapes differ, or the matrix does not keep to the ties.

    Examples
    --------
    >>> import numpy as np
    >>> layer = TiedLinear(np.array([[5.0, 7.0, 0.0], [0.0, 5.0, 7.0]]), np.array([[0, 1, -1], [-1, 0, 1]]))
    >>> layer(np.array([[1.0, 10.0, 100.0]]))
    array([[ 75., 750.]])
    >>> _ = layer.backward(np.array([[1.0, 1.0]]))
    >>> layer.weight.grad
    array([ 11., 110.])
    """

    def __init__(self, matrix: Array, ties: Array, bias: Array | None = None, bias_ties: Array | None = None) -> None:
        self.ties = _host_ties("ties", ties, matrix)
        self.weight = Parameter(_values("matrix", matrix, self.ties))
        self.bias: Parameter | None = None
        self.bias_ties: Ties | None = None
        if bias is not None:
            self.bias_ties = _host_ties("bias_ties", np.arange(bias.shape[0]) if bias_ties is None else bias_ties, bias)
            self.bias = Parameter(_values("bias", bias, self.bias_ties))

    @classmethod
    def of(cls, dense: DenseMatrix) -> Self:
        """Return the layer that `dense_matrix` describes."""
        return cls(dense.matrix, dense.ties, dense.bias, dense.bias_ties)

    @property
    def matrix(self) -> Array:
        """The whole matrix (outputs, inputs), each value copied to all its entries."""
        return _copied(self.weight, self.ties)

    @property
    def full_bias(self) -> Array | None:
        """The bias of each output, (outputs,)."""
        return None if self.bias is None else _copied(self.bias, self.bias_ties)

    def forward(self, x: Array) -> Array:
        """Return y (N, outputs) for x (N, inputs)."""
        y = ops.linear_forward(x, self.matrix, self.full_bias)
        self.keep(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx (N, inputs) for dy (N, outputs)."""
        dx, dmatrix, dbias = ops.linear_backward(dy, self.recall(), self.matrix)
        self.weight.accumulate(_summed(dmatrix, self.weight, self.ties))
        if self.bias is not None:
            self.bias.accumulate(_summed(dbias, self.bias, self.bias_ties))
        return dx

    def extra_repr(self) -> str:
        """Return the sizes and the number of different weights."""
        outputs, inputs = self.ties.shape
        sizes = f"in_features={inputs}, out_features={outputs}"
        return f"{sizes}, weights={self.weight.shape[0]}, bias={self.bias is not None}"


def _copied(parameter: Parameter, ties: Ties | None) -> Array:
    return ops.tie_forward(parameter.data, namespace(parameter.data).asarray(ties, device=parameter.data.device))


def _summed(gradient: Array, parameter: Parameter, ties: Ties | None) -> Array:
    return ops.tie_backward(gradient, parameter.data, namespace(gradient).asarray(ties, device=gradient.device))


def _host_ties(name: str, ties: Array, of: Array) -> Ties:
    host: np.ndarray[Any, Any] = backend.to_numpy(ties)
    if host.dtype.kind not in "iu":
        raise TypeError(f"{name} have dtype {host.dtype}: expected integers, the number of each entry's set or -1")
    if host.shape != tuple(of.shape):
        raise ValueError(f"{name} have shape {host.shape} but there are {tuple(of.shape)} entries: give one for each")
    return host


def _values(name: str, entries: Array, ties: Ties) -> Array:
    """Return one value for each set, if all entries of a set have it and entries without a set are 0."""
    host = backend.to_numpy(entries)
    values = np.zeros(int(ties.max(initial=-1)) + 1, host.dtype)
    connected = ties >= 0
    values[ties[connected]] = host[connected]
    wanted = np.where(connected, values[np.where(connected, ties, 0)] if len(values) else 0, 0)
    wrong = np.argwhere(wanted != host)
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        number = int(ties[where])
        rule = f"its set {number} also holds {wanted[where]}" if number >= 0 else "it is no connection and must be 0"
        raise ValueError(
            f"{name}{list(where)} is {host[where]}, but {rule} ({len(wrong)} such entries): start from values that "
            "keep to the ties, such as those of nn.dense_matrix"
        )
    return namespace(entries).asarray(values, device=entries.device)
