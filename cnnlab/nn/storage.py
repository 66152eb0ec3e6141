"""Keeping a network's values in a file."""

from __future__ import annotations

import os

from cnnlab.nn.archive import npz_path, read_arrays, write_arrays
from cnnlab.nn.module import Module


def save(net: Module, path: str | os.PathLike[str]) -> None:
    """Write the values of `net` (parameters and buffers) to a `.npz` file.

    The file holds one array for each name of `net.state_dict()` and nothing else: `numpy.load` reads it, and since
    names and shapes are PyTorch's, so does a PyTorch net of the same layers:
    ``net.load_state_dict({name: torch.from_numpy(a) for name, a in numpy.load(path).items()})``.

    Parameters
    ----------
    net
        The network, on any device.
    path
        A file's name that ends in .npz. A file of that name is replaced once the new one is whole.

    Raises
    ------
    ValueError
        If the name does not end in .npz.
    OSError
        If the file cannot be written; an old one is then untouched.

    Examples
    --------
    >>> import tempfile
    >>> from cnnlab import nn
    >>> net, other = nn.Linear(2, 1), nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(net, f"{folder}/net.npz")
    ...     load(other, f"{folder}/net.npz")
    >>> bool((other.weight.data == net.weight.data).all())
    True
    """
    if not isinstance(net, Module):
        raise TypeError(f"net is a {type(net).__name__}: write save(net, path), the network first")
    write_arrays(npz_path(path), net.state_dict())


def load(net: Module, path: str | os.PathLike[str]) -> None:
    """Take over the values from a `.npz` file into `net`, which stays on its device and keeps its dtype.

    Reads what `save` wrote, on whatever device, and what ``numpy.savez(path, **state)`` writes for a dict of arrays
    with the names and shapes of `net.state_dict()`, such as PyTorch's:
    ``numpy.savez(path, **{name: t.numpy() for name, t in torch_net.state_dict().items()})``.
    Nothing in the file is ever run: it is read without pickle.

    Parameters
    ----------
    net
        A network of the same layers as the one that was saved.
    path
        The file.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    ValueError
        If it is no whole `.npz` file or does not fit `net`. Then `net` is unchanged.
    """
    if not isinstance(net, Module):
        raise TypeError(f"net is a {type(net).__name__}: write load(net, path), the network first")
    found = npz_path(path)
    state = read_arrays(found)
    for name, array in state.items():
        if array.dtype.kind not in "biuf":
            raise ValueError(
                f"{found}: {name} is an array of {array.dtype}, not of real numbers: is it the file of a net? "
                "A checkpoint of train.fit is taken up by train.fit(..., checkpoint=path)"
            )
    try:
        net.load_state_dict(state)
    except ValueError as error:
        raise ValueError(f"{found}: {error}") from error
