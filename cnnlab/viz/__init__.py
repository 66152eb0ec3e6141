"""Figures: data in, a picture for light and dark pages out, in one style.

matplotlib is imported when the first figure is drawn, so that `import cnnlab.viz` stays quick.
"""

from cnnlab.viz.bars import bars
from cnnlab.viz.columns import window_columns
from cnnlab.viz.costs import cost_shares
from cnnlab.viz.curves import curves
from cnnlab.viz.figure import Picture
from cnnlab.viz.filters import filters_and_maps
from cnnlab.viz.influence import influence
from cnnlab.viz.layouts import memory_layouts
from cnnlab.viz.maps import maps
from cnnlab.viz.minimal_filtering import minimal_filtering
from cnnlab.viz.pictures import pictures
from cnnlab.viz.ruler import window_ruler
from cnnlab.viz.score_maps import score_maps
from cnnlab.viz.sound import score_curve, sound_and_spectrogram, spectrograms, weight_over_time
from cnnlab.viz.training import accuracy_against_shift, training_curve

__all__ = [
    "Picture",
    "accuracy_against_shift",
    "bars",
    "cost_shares",
    "curves",
    "filters_and_maps",
    "influence",
    "maps",
    "memory_layouts",
    "minimal_filtering",
    "pictures",
    "score_curve",
    "score_maps",
    "sound_and_spectrogram",
    "spectrograms",
    "training_curve",
    "weight_over_time",
    "window_columns",
    "window_ruler",
]
