"""Demo 12: what filters learn (deck rows D34, D32, D54)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.filter_gallery.example import NAMES, example
from cnnlab.demos.filter_gallery.net import first_part, follow, numbers_of
from cnnlab.demos.inputs import numbers
from cnnlab.demos.pack import pack
from cnnlab.demos.widget import Demo, script, style

if TYPE_CHECKING:
    from cnnlab.nn import Module

_PARTS = ("net", "search", "sheet", "boards", "curves", "layout", "paint", "words", "tables", "hands", "view")
_MOST_VALUES = 2_000_000  # numbers of all pictures together; 200 pictures of 3×24×24 are 345,600
_WHOLE_NET = 40_000  # a net of so many numbers is kept whole at every epoch, a larger one by its first layer
_KEPT_NUMBERS = 800_000  # of all epochs together; when they are more, every second epoch gives its weights away


class FilterGallery(Demo):
    """See what the filters of a net have learned: filters, maps, and the patches that excite a filter most.

    The demo holds copies of the weights and the pictures; the browser computes every map, so any layer, picture and
    recorded epoch can be looked at, also in a saved page. `update` adds an epoch while a training runs.

    Parameters
    ----------
    net : nn.Sequential or nn.models.Stages
        Conv2d, pooling, BatchNorm2d, ReLU, Tanh, Sigmoid, Dropout, GlobalPool, Flatten and Linear, computed as in
        evaluation mode. At another layer the demo stops and says so. By default twelve filters made by hand.
    pictures : array, shape (N, C, H, W)
        What the net is fed, with C = 1 or 3; up to 2,000,000 numbers, for example 200 pictures of 3×24×24.
    labels : array of int, shape (N,), optional
        The class of each picture.
    layer : int, optional
        Which layer's maps are shown, counted from 0 through the net; by default those of the first convolution.
    history : cnnlab.train.History or dict of lists, optional
        Curves of the training so far, one value an epoch; the weights of `net` are those after the last one.
    names : sequence of str, optional
        Names of the classes.
    templates : array, shape (K, C, H, W) or (K, C·H·W), optional
        Templates as large as a picture, to compare: the rows of a linear classifier or of an MLP's first layer.

    Attributes
    ----------
    picture, layer, filter, cell, epoch, one_scale
        What the reader has set; assign to change the view. `cell` is (row, column) on the map, or None for the place
        that the filter likes best; `epoch` is a recorded epoch, or None for the latest.

    Raises
    ------
    TypeError, ValueError
        If the net is no chain of layers or does not fit the pictures, or a number is not finite.

    Examples
    --------
    >>> demo = FilterGallery()
    >>> demo.filters.shape
    (12, 3, 7, 7)

    With a net in training, one epoch at a time:

    >>> import numpy as np
    >>> from cnnlab import nn
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU(), nn.MaxPool2d(2))
    >>> demo = FilterGallery(net, np.zeros((2, 3, 12, 16)))
    >>> demo.update(net, loss=0.5, accuracy=0.8)  # after the first epoch
    >>> demo.epochs
    [0, 1]
    """

    _esm = script("filter_gallery", *_PARTS)
    _css = style("filter_gallery")
    title: ClassVar[str] = "What filters learn"

    picture = traitlets.Int(0).tag(sync=True, demo=True)
    layer = traitlets.Int(0).tag(sync=True, demo=True)
    filter = traitlets.Int(0).tag(sync=True, demo=True)
    cell: traitlets.List[Any] = traitlets.List(default_value=None, allow_none=True).tag(sync=True, demo=True)
    epoch = traitlets.Int(None, allow_none=True).tag(sync=True, demo=True)
    one_scale = traitlets.Bool(False).tag(sync=True, demo=True)
    records: traitlets.List[Any] = traitlets.List().tag(sync=True, demo=True)
    data = traitlets.Dict().tag(sync=True, demo=True)

    def __init__(
        self,
        net: Module | None = None,
        pictures: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        *,
        layer: int | None = None,
        history: Any = None,
        names: Sequence[str] | None = None,
        templates: ArrayLike | None = None,
    ) -> None:
        note = ""
        if net is None and pictures is None:
            note = "These filters are made by hand: pass a net and pictures of your own to see what it has learned. "
            net, pictures, labels, templates = example()
            names = NAMES
        if net is None or pictures is None:
            raise ValueError(f"{'net' if net is None else 'pictures'} is missing: pass a net and pictures to feed it")
        images = numbers(pictures, "pictures", ndim=4)
        if images.shape[1] not in {1, 3}:
            raise ValueError(f"pictures has shape {images.shape}: expected 1 or 3 channels, (N, C, H, W)")
        if images.size > _MOST_VALUES:
            fit = max(1, _MOST_VALUES // images[0].size)
            raise ValueError(f"pictures holds {images.size:,} numbers: pass at most {_MOST_VALUES:,}, pictures[:{fit}]")
        layers, stop = follow(net, images.shape[1:])
        outputs = layers[-1]["shape"][0] if stop is None and len(layers[-1]["shape"]) == 1 else None
        classes = _labels(labels, len(images))
        super().__init__(
            data={
                "pictures": pack(images),
                "range": _shown_range(images),
                "labels": classes,
                "names": _names(names, outputs, classes),
                "layers": layers,
                "stop": stop,
                "note": note,
                "templates": None if templates is None else pack(_templates(templates, images.shape[1:])),
            },
            records=_past(history),
        )
        self._keep(net, max(1, len(self.records)) if self.records else 0, {})
        first = next(i for i, described in enumerate(layers) if described["kind"] == "conv")
        self.layer = first if layer is None else layer

    def update(self, net: Module, history: Any = None, *, epoch: int | None = None, **values: float) -> None:
        """Add the net as it is now as one more epoch; a reader who looks at the latest epoch sees it at once.

        Parameters
        ----------
        net : Module
            The same layers and sizes as at first.
        history : cnnlab.train.History, optional
            Of the epoch that was just trained: the last value of each of its curves is added.
        epoch : int, optional
            Its number, above the last one; by default the next.
        **values : float
            Further values of the epoch by name, for example ``loss=0.3, accuracy=0.9``.

        Raises
        ------
        ValueError
            If the net has other sizes, a value is not finite or the epoch is not above the last.

        Examples
        --------
        ::

            for _ in range(10):
                demo.update(net, train.fit(net, x, y, loss=loss, optimizer=optimizer, epochs=1, progress=False))
        """
        last = self.records[-1]["epoch"]
        number = last + 1 if epoch is None else int(epoch)
        if number <= last:
            raise ValueError(f"epoch={epoch} is not above the last one, {last}: leave it out, or make a new demo")
        found = {name: curve[-1] for name, curve in _curves(history).items() if curve} | values
        for name, value in found.items():
            if not np.isfinite(value):
                raise ValueError(f"{name}={value} in epoch {number}: expected a finite number")
        self._keep(net, number, {name: float(value) for name, value in found.items()})

    @property
    def epochs(self) -> list[int]:
        """The epochs whose weights are kept."""
        return [record["epoch"] for record in self.records if record["weights"] is not None]

    @property
    def filters(self) -> NDArray[np.float32]:
        """The first convolution's filters at the chosen epoch, shape (C_out, C_in/groups, K_H, K_W)."""
        at = next(layer["arrays"]["weight"] for layer in self.data["layers"] if layer["kind"] == "conv")
        epoch = self.epochs[-1] if self.epoch is None else self.epoch
        packed = next(record["weights"] for record in self.records if record["epoch"] == epoch)
        weights = _unpacked(packed)
        return weights[at["start"] :][: int(np.prod(at["shape"]))].reshape(at["shape"]).copy()

    def _keep(self, net: Module, epoch: int, values: dict[str, float]) -> None:
        weights = numbers_of(net, self.data["layers"])
        records = [dict(record) for record in self.records]
        if records and weights.size > _WHOLE_NET:  # only the latest is kept whole
            for record in records:
                record["weights"] = _shortened(record["weights"], first_part(self.data["layers"]))
        if records and records[-1]["epoch"] == epoch:
            records[-1]["weights"] = pack(weights)
        else:
            records.append({"epoch": epoch, "values": values, "weights": pack(weights)})
        while True:
            kept = [record for record in records if record["weights"] is not None]
            if len(kept) <= 3 or sum(record["weights"]["shape"][0] for record in kept) <= _KEPT_NUMBERS:
                break
            for record in kept[1:-1:2]:
                record["weights"] = None
        if self.epoch is not None and self.epoch not in {r["epoch"] for r in records if r["weights"] is not None}:
            self.epoch = None
        self.records = records

    @traitlets.validate("picture", "layer", "filter")
    def _place(self, proposal: Any) -> int:
        name, value = proposal["trait"].name, int(proposal["value"])
        layers = self.data.get("layers")
        if layers is None:  # still being made
            return value
        if name == "picture":
            count, what = self.data["pictures"]["shape"][0], "pictures"
        else:
            maps = [i for i, layer in enumerate(layers) if len(layer["shape"]) == 3]
            first = next(i for i, layer in enumerate(layers) if layer["kind"] == "conv")
            if name == "layer":
                if value not in maps or value < first:
                    shown = [i for i in maps if i >= first]
                    raise traitlets.TraitError(f"layer={value} gives no maps of a filter: choose one of {shown}")
                self.filter = min(self.filter, layers[value]["shape"][0] - 1)
                return value
            count, what = layers[self.layer]["shape"][0], f"filters in layer {self.layer}"
        if not 0 <= value < count:
            raise traitlets.TraitError(f"{name}={value} is out of range: there are {count} {what}, counted from 0")
        return value

    @traitlets.validate("cell")
    def _map_cell(self, proposal: Any) -> list[int] | None:
        value, layers = proposal["value"], self.data.get("layers")
        if value is None or layers is None:
            return None
        size = layers[self.layer]["shape"][1:]
        cell = [int(i) for i in value]
        if len(cell) != 2 or not all(0 <= i < n for i, n in zip(cell, size, strict=True)):
            raise traitlets.TraitError(f"cell={value} lies outside the map of {size[0]} × {size[1]}")
        return cell

    @traitlets.validate("epoch")
    def _recorded(self, proposal: Any) -> int | None:
        value = proposal["value"]
        if value is not None and self.records and value not in self.epochs:
            raise traitlets.TraitError(f"epoch={value} is not kept: recorded are {self.epochs}")
        return None if value is None else int(value)


def _curves(history: Any) -> dict[str, list[float]]:
    """Return curves by name from a History, a mapping, or nothing."""
    if history is None:
        return {}
    curves = history.as_dict() if hasattr(history, "as_dict") else history
    if not isinstance(curves, Mapping):
        raise TypeError(f"history is a {type(history).__name__}: pass what train.fit returned, or lists by name")
    return {str(name): [float(v) for v in values] for name, values in curves.items()}


def _past(history: Any) -> list[dict[str, Any]]:
    curves = {name: values for name, values in _curves(history).items() if values}
    for name, values in curves.items():
        numbers(values, f"history[{name!r}]", ndim=1)
    count = max(map(len, curves.values()), default=0)
    # a shorter curve began later
    value = {name: [None] * (count - len(values)) + values for name, values in curves.items()}
    return [
        {"epoch": e + 1, "weights": None, "values": {n: v[e] for n, v in value.items() if v[e] is not None}}
        for e in range(count)
    ]


def _shortened(packed: dict[str, Any] | None, count: int) -> dict[str, Any] | None:
    return packed if packed is None or packed["shape"][0] == count else pack(_unpacked(packed)[:count])


def _unpacked(packed: dict[str, Any]) -> NDArray[np.float32]:
    return np.frombuffer(b64decode(packed["base64"]), "<f4")


def _shown_range(images: NDArray[Any]) -> list[float]:
    """Return what is drawn black and white: 0 and 1, or the extremes of pictures that reach beyond."""
    low, high = float(images.min()), float(images.max())
    return [0.0, 1.0] if low >= 0 and high <= 1 else [low, high]


def _labels(labels: ArrayLike | None, count: int) -> list[int] | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (count,) or array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError(
            f"labels has shape {array.shape} and dtype {array.dtype}: "
            f"expected {count} whole numbers from 0, one a picture"
        )
    return [int(label) for label in array]


def _names(names: Sequence[str] | None, outputs: int | None, labels: list[int] | None) -> list[str]:
    needed = max([outputs or 0, *(label + 1 for label in labels or [])])
    if names is None:
        return [f"class {i}" for i in range(needed)]
    if isinstance(names, str) or len(names) < needed:
        raise ValueError(f"names={names!r}: the net and the labels have {needed} classes; give each a name")
    return [str(name) for name in names]


def _templates(templates: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    array = numbers(templates, "templates", ndim=(2, 4))
    if array[0].size != np.prod(shape) or (array.ndim == 4 and array.shape[1:] != shape):
        raise ValueError(f"templates has shape {array.shape}: each must be as large as a picture, {shape}")
    if len(array) > 64:
        raise ValueError(f"templates holds {len(array)} of them: pass at most 64, templates[:64]")
    return array.reshape(-1, *shape)
