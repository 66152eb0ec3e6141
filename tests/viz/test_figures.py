"""Figures: drawn for both themes, described in words, the same bytes for the same data."""

import base64
import re
import subprocess
import sys
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

from cnnlab import viz
from cnnlab.viz import style
from cnnlab.viz.figure import picture

HISTORY = SimpleNamespace(loss=[0.75, 0.5, 0.25])


@pytest.fixture
def recording():
    rng = np.random.default_rng(3)
    return SimpleNamespace(
        wave=rng.standard_normal(8000).astype(np.float32),
        sample_rate=8000,
        x=rng.standard_normal((20, 50)),
        start=0.2,
        stop=0.6,
        label='a "quoted" <label>',
    )


@pytest.fixture
def recordings():
    rng = np.random.default_rng(4)
    return SimpleNamespace(
        x=rng.standard_normal((3, 20, 50)),
        y=np.array([1.0, 0.0, 1.0]),
        start=np.array([10, 12, 14]),
        stop=np.array([20, 22, 30]),
        frame_seconds=0.02,
    )


def luminance(color):
    """Relative luminance of "#rrggbb" (WCAG 2.1)."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    bright, dim = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", ["ink", "muted"])
def test_text_stands_out_from_the_page(theme, role):
    colors = style.palette(theme)
    assert contrast(getattr(colors, role), colors.page) >= 4.5


def test_unknown_theme_is_named():
    with pytest.raises(ValueError, match="theme 'pink' is not known"):
        style.palette("pink")


def test_style_ends_with_its_context():
    before = dict(mpl.rcParams)
    with style.use("dark"):
        assert mpl.rcParams["text.color"] == style.palette("dark").ink
    assert dict(mpl.rcParams) == before


def test_each_theme_has_its_own_ink():
    drawn = viz.training_curve(HISTORY)
    for theme, svg in (("light", drawn.light), ("dark", drawn.dark)):
        other = "dark" if theme == "light" else "light"
        assert style.palette(theme).muted.encode() in svg
        assert style.palette(other).muted.encode() not in svg


def test_same_data_give_the_same_bytes():
    first, second = viz.training_curve(HISTORY), viz.training_curve(HISTORY)
    assert first == second
    assert first != viz.training_curve(SimpleNamespace(loss=[0.75, 0.5, 0.2]))


def test_html_shows_two_images_with_the_sentence_escaped(recording):
    drawn = viz.sound_and_spectrogram(recording)
    html = drawn._repr_html_()
    images = re.findall(
        r'<img class="cnnlab-(light|dark)" alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]+)">', html
    )
    assert [theme for theme, _, _ in images] == ["light", "dark"]
    assert "a &quot;quoted&quot; &lt;label&gt;" in images[0][1]
    assert base64.b64decode(images[1][2]) == drawn.dark


def test_description_states_the_numbers(recording):
    scores = np.linspace(-2, 3, 41)
    drawn = viz.score_curve(recording, scores, width=10)
    assert f"{np.count_nonzero(scores > 0)} lie above 0" in drawn.alt
    assert (
        "the highest, 3.0, is at 0.90 seconds" in drawn.alt
    )  # window 40 of 10 frames, 20 ms each: middle at 45 frames
    assert "from 0.20 to 0.60 seconds" in drawn.alt


def test_recording_without_the_word_is_described_without_a_frame(recording):
    recording.start = recording.stop = None
    assert "frame" not in viz.sound_and_spectrogram(recording).alt


def test_spectrograms_count_the_positives(recordings):
    assert '3 spectrograms, 2 with the word "welcome" and 1 without' in viz.spectrograms(recordings, [0, 1, 2]).alt


def test_weight_over_time_compares_inside_and_outside(recordings):
    weights = np.ones((4, 20, 50))
    weights[:, :, 10:30] = 3.0
    alt = viz.weight_over_time(weights, recordings).alt
    assert "Its mean is 3.0000 where the word was" in alt
    assert "and 1.0000 elsewhere" in alt


def test_accuracy_against_shift_gives_each_range():
    drawn = viz.accuracy_against_shift([0.1, 0.3], {"a": [0.5, 0.75], "b": [0.9, 1.0]}, trained_at=0.3)
    assert "a: 0.50 to 0.75; b: 0.90 to 1.00" in drawn.alt


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda r: viz.score_curve(r, np.zeros(40), width=10), r"scores has shape \(40,\).*\(41,\)"),
        (lambda r: viz.training_curve(SimpleNamespace(loss=[])), "no finished epoch"),
        (lambda r: viz.pictures([]), "images is empty"),
        (lambda r: viz.pictures([np.zeros((4, 4, 3))]), r"images\[0\] has shape \(4, 4, 3\).*channels come first"),
        (lambda r: viz.pictures([np.zeros((3, 4, 4))], titles=["a", "b"]), "2 titles for 1 images"),
        (lambda r: viz.training_curve(HISTORY).save("curve.png"), r"'curve.png' does not end in .svg"),
    ],
)
def test_bad_input_is_named(recording, draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw(recording)


def test_gray_and_color_pictures_stand_side_by_side():
    drawn = viz.pictures([np.zeros((1, 4, 6)), np.ones((3, 5, 5))], titles=["gray", "color"])
    assert drawn.alt == "2 pictures: gray, color."


def test_saved_file_is_the_theme_that_was_asked_for(tmp_path):
    drawn = viz.training_curve(HISTORY)
    assert drawn.save(tmp_path / "curve.svg", theme="dark").read_bytes() == drawn.dark


def test_pyplot_is_never_used():
    """pyplot keeps figures and belongs to one thread; a fresh process shows that drawing does without it."""
    program = (
        "import sys, types; from cnnlab import viz; assert 'matplotlib' not in sys.modules;"
        "viz.training_curve(types.SimpleNamespace(loss=[1.0])); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_drawing_function_is_called_in_its_theme():
    seen = []

    @picture
    def draw(colors):
        from matplotlib.figure import Figure

        seen.append((colors.ink, mpl.rcParams["text.color"]))
        return Figure(), "nothing"

    draw()
    assert seen == [(style.palette(theme).ink,) * 2 for theme in ("light", "dark")]


def maps_of(*shapes):
    rng = np.random.default_rng(5)
    return [rng.standard_normal(shape) for shape in shapes]


def test_maps_of_one_sign_and_of_both():
    signed = viz.maps([np.array([[-1.0, 2.0]])], numbers=True)
    one_sided = viz.maps([np.array([[1.0, 2.0]])], numbers=True)
    assert signed.light != one_sided.light
    assert "-1 to 2" in signed.alt
    assert "1 to 2" in one_sided.alt


def test_maps_stand_in_rows():
    drawn = viz.maps(maps_of(*[(4, 6)] * 7), titles=list("abcdefg"), columns=3)
    assert drawn.light.count(b"<image") == 7 + 1  # the scale is an image too
    assert "a, b, c, d, e, f, g" in drawn.alt


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ([], {}, "arrays is empty"),
        (maps_of((2, 3)), {"titles": ["a", "b"]}, "2 titles for 1 arrays"),
        (maps_of((2, 3)), {"columns": 0}, r"columns \(=0\)"),
        (maps_of((2, 3), (3,)), {}, r"arrays\[1\] has shape \(3,\)"),
        ([np.array([[np.nan]])], {}, r"arrays\[0\] holds a value that is not finite"),
        (maps_of((11, 10)), {"numbers": True}, r"110 cells; numbers are shown in up to 100"),
    ],
)
def test_maps_that_cannot_be_drawn(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        viz.maps(arrays, **options)


def test_maps_of_equal_values_have_a_scale():
    assert "Values from 0 to 0" in viz.maps([np.zeros((2, 2))]).alt
    assert "Values from 3 to 3" in viz.maps([np.full((2, 2), 3.0)]).alt


def test_curves_say_their_ranges():
    drawn = viz.curves([0, 1], {"scan": [0.9, 0.95], "MLP": [0.5, 0.45]}, xlabel="shift (px)", ylabel="accuracy")
    assert "scan: 0.9 to 0.95; MLP: 0.45 to 0.5" in drawn.alt
    assert "accuracy against shift (px)" in drawn.alt


def test_curves_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="0 curves: pass 1 to 6"):
        viz.curves([0, 1], {}, xlabel="x", ylabel="y")
    with pytest.raises(ValueError, match="'a' has 3 values for 2 places"):
        viz.curves([0, 1], {"a": [1, 2, 3]}, xlabel="x", ylabel="y")


def test_many_pictures_stand_in_rows():
    images = [np.full((1, 4, 5), 0.5)] * 5
    assert viz.pictures(images, columns=2).light.count(b"<image") == 5
    with pytest.raises(ValueError, match=r"columns \(=0\)"):
        viz.pictures(images, columns=0)


def written(drawn):
    """The texts in a figure, which matplotlib notes beside the paths that it draws them with."""
    return re.findall(r"<!-- (.*?) -->", drawn.light.decode())


def test_whole_places_have_whole_ticks():
    few = {"loss": [3.0, 2.0, 1.0, 0.5]}
    assert "1.5" not in written(viz.curves([1, 2, 3, 4], few, xlabel="epoch", ylabel="loss", log=True))
    assert "1.5" in written(viz.curves([1, 1.5, 2, 2.5], few, xlabel="place", ylabel="loss"))


def test_logarithmic_values_are_written_out():
    texts = written(viz.curves([1, 2], {"loss": [100.0, 0.05]}, xlabel="epoch", ylabel="loss", log=True))
    assert {"100", "0.1"} <= set(texts)
    texts = written(viz.curves([1, 2], {"loss": [0.6, 0.15]}, xlabel="epoch", ylabel="loss", log=True))
    assert "0.2" in texts


def test_a_row_of_small_pictures_leaves_no_room_above_it():
    row = viz.pictures([np.zeros((3, 4, 4))] * 7, titles=list("abcdefg")).light.decode()
    width, height = (float(re.search(rf'<svg[^>]* {side}="([\d.]+)pt"', row)[1]) for side in ("width", "height"))
    assert height < width / 5


def test_pictures_without_titles_can_be_described():
    blank = [np.zeros((3, 4, 4))]
    assert viz.pictures(blank, alt="A meadow.").alt == "A meadow."
