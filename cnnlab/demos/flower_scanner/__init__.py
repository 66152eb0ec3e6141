"""Demo 2: a window moves over a picture, an MLP scores it, the scores make a map (deck rows D08, D09, D18 to D20)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from cnnlab.demos.flower_scanner.inputs import center, picture, sprite
from cnnlab.demos.mlps import checked_layers, mlp_forward, pack_layers
from cnnlab.demos.pack import pack
from cnnlab.demos.widget import Demo, script, style
from cnnlab.geometry.options import per_axis


class FlowerScanner(Demo):
    """Scan a picture for a flower with your own net, in the browser; drag the flower and the map follows.

    At each place a full window fits, its pixels are flattened in C order and go through the net:
    ``map[i, j] = MLP(x[:, i·S_H : i·S_H + K_H, j·S_W : j·S_W + K_W])``, ReLU between layers, none after the last. The
    map is drawn where its windows lie, each score at the center of its window; the brightest place decides, by
    comparison with the threshold.

    With a `flower` the reader drags it over the picture and the scan is computed anew while it moves. The first layer
    is linear, so only what changed is computed: the flower's own share of it moves along with the flower.

    Parameters
    ----------
    image : array of float, shape (3, H, W) or (H, W)
        The picture, values in 0 … 1; with a `flower`, what lies behind it.
    layers : list of (W, b), or a net
        W of shape (out, in), b of shape (out,); the first ``in`` is ``C·K_H·K_W``, the last ``out`` is 1. A net is a
        Sequential of Linear, ReLU, …, Linear.
    size : int or (int, int)
        Height and width of the window in pixels: those the net was trained with.
    stride : int or (int, int)
        Pixels from one window to the next, down and right.
    threshold : float
        A window above it (not at it) holds a flower. The score is a logit: 0 is probability 0.5.
    flower : array of shape (4, h, w), or (patch, mask), optional
        A sprite to drag: colors and, last, opacity (0 … 1), as `cnnlab.data.flower_sprite` draws it; or a patch
        (C, h, w) and a mask (h, w).
    flower_at : (int, int), optional
        Row and column of the sprite's upper left corner; by default in the middle.
    truth : (float, float), optional
        Row and column of the flower's center, where no sprite is given; drawn over picture and map.

    Attributes
    ----------
    window : list of two ints
        Row and column of the window's upper left corner, in pixels, multiples of the stride.
    stride, threshold, flower_at
        As above; assign to change the view.
    shift : list of two ints
        Pixels by which the whole picture is moved down and right; what leaves comes in on the other side. Without a
        sprite only.
    scanned : int or None
        How many windows have been scanned, in row-major order; None for all.
    map_of : int
        -1 for the map of scores, else the neuron of the first layer whose map is shown.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite or lies outside its range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> layers = [(rng.standard_normal((8, 3 * 5 * 4)), np.zeros(8)), (rng.standard_normal((1, 8)), np.zeros(1))]
    >>> FlowerScanner(rng.random((3, 20, 30)), layers, size=(5, 4), stride=(1, 2)).scores.shape
    (16, 14)
    """

    _esm = script("flower_scanner", "scan", "model", "words", "plot", "inspector", "panels", "hands", "view")
    _css = style("flower_scanner")
    title: ClassVar[str] = "Flower scanner"

    data = traitlets.Dict().tag(sync=True, demo=True)
    window = traitlets.List([0, 0]).tag(sync=True, demo=True)
    stride = traitlets.List([1, 1]).tag(sync=True, demo=True)
    threshold = traitlets.Float(0.0).tag(sync=True, demo=True)
    flower_at = traitlets.List([0, 0]).tag(sync=True, demo=True)
    shift = traitlets.List([0, 0]).tag(sync=True, demo=True)
    scanned = traitlets.Int(None, allow_none=True, min=1).tag(sync=True, demo=True)
    map_of = traitlets.Int(-1, min=-1).tag(sync=True, demo=True)

    def __init__(
        self,
        image: ArrayLike,
        layers: Any,
        *,
        size: int | Sequence[int] = 24,
        stride: int | Sequence[int] = 1,
        threshold: float = 0.0,
        flower: Any = None,
        flower_at: Sequence[int] | None = None,
        truth: ArrayLike | None = None,
    ) -> None:
        self._image = picture(image)
        C, H, W = self._image.shape
        self._size = per_axis("size", size, 2, at_least=1)
        KH, KW = self._size
        if KH > H or KW > W:
            raise ValueError(f"size={KH} × {KW} does not fit a picture of {H} × {W} pixels: no window is full")
        source = f"a window holds {C} × {KH} × {KW} = {C * KH * KW}: size must be the one the net was trained with"
        self._layers = checked_layers(layers, inputs=C * KH * KW, source=source)
        self._sprite = sprite(flower, self._image.shape)
        if self._sprite is None and flower_at is not None:
            raise ValueError(f"flower_at={flower_at} without a flower: pass flower=data.flower_sprite() too")
        data = {
            "image": pack(self._image),
            "size": list(self._size),
            "layers": pack_layers(self._layers),
            "sprite": self._sprite and {"patch": pack(self._sprite[0]), "mask": pack(self._sprite[1])},
            "truth": center(truth, self._image.shape),
        }
        super().__init__(data=data, stride=per_axis("stride", stride, 2, at_least=1), threshold=threshold)
        if self._sprite is not None:
            h, w = self._sprite[1].shape
            self.flower_at = [(H - h) // 2, (W - w) // 2] if flower_at is None else list(flower_at)
        scores = self.scores
        best = np.unravel_index(int(scores.argmax()), scores.shape)
        self.window = [int(i) * s for i, s in zip(best, self.stride, strict=True)]

    @property
    def picture(self) -> NDArray[np.float64]:
        """The picture as it is scanned, with the sprite where it lies now or shifted; shape (C, H, W)."""
        x = np.roll(self._image.astype(np.float64), self.shift, axis=(1, 2))
        if self._sprite is not None:
            patch, mask = (part.astype(np.float64) for part in self._sprite)
            rows, columns = (slice(at, at + n) for at, n in zip(self.flower_at, mask.shape, strict=True))
            x[:, rows, columns] = x[:, rows, columns] * (1 - mask) + patch * mask
        return x

    @property
    def scores(self) -> NDArray[np.float64]:
        """The map for what is set now, computed by NumPy in float64; shape (H', W')."""
        down, right = self.stride
        windows = sliding_window_view(self.picture, self._size, axis=(1, 2))[:, ::down, ::right]
        v = windows.transpose(1, 2, 0, 3, 4).reshape(-1, self._layers[0][0].shape[1])  # (H'·W', C·K_H·K_W)
        return mlp_forward(v, self._layers).reshape(windows.shape[1:3])

    @traitlets.validate("threshold")
    def _threshold_is_finite(self, proposal: Any) -> float:
        threshold = float(proposal["value"])
        if not np.isfinite(threshold):
            raise ValueError(f"threshold={threshold}: expected a finite number")
        return threshold

    @traitlets.validate("stride")
    def _stride_is_whole(self, proposal: Any) -> list[int]:
        return list(per_axis("stride", proposal["value"], 2, at_least=1))

    @traitlets.validate("shift")
    def _shift_is_whole(self, proposal: Any) -> list[int]:
        shift = _pair("shift", proposal["value"])
        if self._sprite is not None and any(shift):
            raise ValueError(f"shift={shift}: this demo holds a flower to move; set flower_at instead")
        return [moved % side for moved, side in zip(shift, self._image.shape[1:], strict=True)]

    @traitlets.validate("window")
    def _window_is_full(self, proposal: Any) -> list[int]:
        return self._inside("window", proposal["value"], self._size)

    @traitlets.validate("flower_at")
    def _flower_is_inside(self, proposal: Any) -> list[int]:
        at = _pair("flower_at", proposal["value"])
        if self._sprite is None:
            if any(at):
                raise ValueError(f"flower_at={at} without a flower: pass flower=data.flower_sprite() first")
            return at
        return self._inside("flower_at", at, self._sprite[1].shape)

    @traitlets.validate("map_of")
    def _map_is_there(self, proposal: Any) -> int:
        neuron = int(proposal["value"])
        count = len(self._layers[0][1])
        if not -1 <= neuron < count:
            raise ValueError(
                f"map_of={neuron}: expected -1 (the scores) or a neuron of the first layer, 0 to {count - 1}"
            )
        return neuron

    def _inside(self, name: str, value: Any, size: Sequence[int]) -> list[int]:
        at = _pair(name, value)
        last = [side - n for side, n in zip(self._image.shape[1:], size, strict=True)]
        if not all(0 <= place <= most for place, most in zip(at, last, strict=True)):
            raise ValueError(f"{name}={at} leaves the picture: rows may be 0 to {last[0]}, columns 0 to {last[1]}")
        return at


def _pair(name: str, value: Any) -> list[int]:
    pair = [int(v) for v in value]
    if len(pair) != 2 or any(whole != v for whole, v in zip(pair, value, strict=True)):
        raise ValueError(f"{name}={list(value)}: expected two whole numbers, row and column")
    return pair
