"""Demo 1: a window moves over a spectrogram, a small net scores it, the best score decides (deck rows D05 to D07)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import traitlets
from numpy.typing import ArrayLike

from cnnlab.demos.inputs import numbers
from cnnlab.demos.mlps import Layers, pack_layers
from cnnlab.demos.pack import pack, pack_sound
from cnnlab.demos.welcome_scanner.inputs import nets_by_width, sound_like, span_of_word
from cnnlab.demos.widget import Demo, script, style


class WelcomeScanner(Demo):
    """Scan a recording for a word with your own net, in the browser.

    A window of `width` frames moves over the spectrogram. At each start t the net gives one score,
    ``y[t] = MLP(x[:, t:t + width])``, flattened in C order, ReLU between layers, none after the
    last; the largest score decides, by comparison with the threshold (deck row D07). Only full
    windows count. While the sound plays, the window is pushed along by what has just been heard.

    The width belongs to the net: its first layer takes ``C·width`` numbers, and no slider can
    change that without making another net. With one net the width control is therefore shown but
    fixed, and says why. Pass a dict from width to layers to compare nets of several widths.

    Parameters
    ----------
    x : array of float, shape (C, T)
        Log-mel spectrogram, lowest band first, as `cnnlab.data.log_mel` returns it.
    layers : list of (W, b), or dict from width to such a list
        The net: W of shape (out, in), b of shape (out,); the first ``in`` is ``C·width``, the last ``out`` is 1.
    width : int
        Window width in frames; for a dict, the width to begin with.
    hop : int
        Frames from one window to the next.
    threshold : float
        A window above it (not at it) says "welcome". The score is a logit: 0 is probability 0.5.
    wave : array of float, shape (samples,), optional
        The sound, amplitudes in -1 … 1. Without it the window moves in silence.
    sample_rate : int
        Samples of `wave` per second.
    truth : (start, stop) in seconds, optional
        Where the word really is; drawn over the spectrogram.
    frame_seconds : float
        Seconds from one frame of `x` to the next.

    Attributes
    ----------
    width, hop, threshold, position
        What the reader has set (`position` is the window's t, in frames); assign to change the view.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, or the sound and the spectrogram differ in length.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((20, 100))
    >>> layers = [(rng.standard_normal((8, 600)), np.zeros(8)), (rng.standard_normal((1, 8)), np.zeros(1))]
    >>> WelcomeScanner(x, layers, width=30).hop
    1
    """

    _esm = script("welcome_scanner", "scan", "sound", "words", "plot", "panels", "view")
    _css = style("welcome_scanner")
    title: ClassVar[str] = "Welcome scanner"

    data = traitlets.Dict().tag(sync=True, demo=True)
    width = traitlets.Int().tag(sync=True, demo=True)
    hop = traitlets.Int(min=1).tag(sync=True, demo=True)
    threshold = traitlets.Float().tag(sync=True, demo=True)
    position = traitlets.Int(0, min=0).tag(sync=True, demo=True)

    def __init__(
        self,
        x: ArrayLike,
        layers: Layers | Mapping[int, Layers],
        *,
        width: int,
        hop: int = 1,
        threshold: float = 0.0,
        wave: ArrayLike | None = None,
        sample_rate: int = 8000,
        truth: tuple[float, float] | None = None,
        frame_seconds: float = 0.02,
    ) -> None:
        if not frame_seconds > 0:
            raise ValueError(f"frame_seconds={frame_seconds}: expected seconds per frame, above 0")
        if hop != int(hop) or hop < 1:
            raise ValueError(f"hop={hop}: expected a whole number of frames, 1 or more")
        spectrogram = numbers(x, "x", ndim=2)
        channels, frames = spectrogram.shape
        seconds = frames * frame_seconds
        nets = nets_by_width(layers, width=width, channels=channels, frames=frames)
        self._widths = tuple(nets)
        data = {
            "x": pack(spectrogram),
            "nets": [{"width": w, "layers": pack_layers(net)} for w, net in nets.items()],
            "wave": None if wave is None else pack_sound(sound_like(wave, sample_rate, seconds)),
            "sampleRate": int(sample_rate),
            "truth": span_of_word(truth, seconds),
            "frameSeconds": float(frame_seconds),
        }
        super().__init__(data=data, width=int(width), hop=int(hop), threshold=float(threshold))

    @traitlets.validate("width")
    def _width_has_a_net(self, proposal: Any) -> int:
        width = int(proposal["value"])
        if width not in self._widths:
            raise ValueError(f"width={width} has no net: this demo holds nets for {list(self._widths)}")
        return width

    @traitlets.validate("threshold")
    def _threshold_is_finite(self, proposal: Any) -> float:
        threshold = float(proposal["value"])
        if not abs(threshold) < float("inf"):
            raise ValueError(f"threshold={threshold}: expected a finite number")
        return threshold
