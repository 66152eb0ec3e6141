"""The welcome scanner in Chromium: every number against NumPy, and every way of moving it."""

import io
import re
import wave as wavefile
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab.data import log_mel
from cnnlab.demos import WelcomeScanner

FRAME = 0.02


def net(rng: np.random.Generator, *sizes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (rng.standard_normal((n, m)).astype(np.float32) / np.sqrt(m), rng.standard_normal(n).astype(np.float32) / 4)
        for m, n in pairwise(sizes)
    ]


def scan(x: np.ndarray, layers: list[tuple[np.ndarray, np.ndarray]], width: int, hop: int = 1) -> np.ndarray:
    """The definition, window by window, in float64."""
    scores = []
    for t in range(0, x.shape[1] - width + 1, hop):
        v = x[:, t : t + width].astype(np.float64).reshape(-1)
        for W, b in layers[:-1]:
            v = np.maximum(W.astype(np.float64) @ v + b, 0)
        W, b = layers[-1]
        scores.append(float((W.astype(np.float64) @ v + b)[0]))
    return np.array(scores)


def rectangle(page: Any, selector: str) -> dict[str, float]:
    names = page.locator(selector).evaluate("e => e.getAttributeNames().map(n => [n, e.getAttribute(n)])")
    return {name: float(value) for name, value in names if re.fullmatch(r"-?[\d.]+", value)}


def start_of_window(page: Any, frames: int) -> float:
    """Where the frame stands, in frames, read off the picture."""
    frame = rectangle(page, ".frame")
    canvas = page.locator(".stage canvas").evaluate("e => [parseFloat(e.style.left), parseFloat(e.style.width)]")
    return (frame["x"] - canvas[0]) / canvas[1] * frames


def plain(text: str) -> float:
    return float(text.replace("−", "-").replace("+", ""))


def unfold(page: Any) -> None:
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("tbody").wait_for()
    page.locator("pre").last.wait_for()


def set_range(page: Any, name: str, value: float) -> None:
    page.locator(f"input[name={name}]").evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })) }", value
    )


def speech(rng: np.random.Generator, seconds: float = 1.6) -> np.ndarray:
    """Tones that come and go in noise, within -1 … 1."""
    t = np.arange(int(seconds * 8000)) / 8000
    tones = sum(np.sin(2 * np.pi * f * t) * (np.sin(2 * np.pi * r * t) > 0) for f, r in ((220, 2), (900, 3), (2600, 5)))
    return (0.15 * tones + 0.02 * rng.standard_normal(t.size)).astype(np.float32)


@pytest.fixture
def case():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((20, 120)).astype(np.float32)
    return x, net(rng, 20 * 15, 8, 1)


CASES = [
    (20, 90, 30, 1, (16,)),
    (20, 64, 9, 4, (8, 5)),
    (3, 17, 17, 1, ()),
    (1, 40, 1, 7, (4,)),
    (5, 33, 8, 8, (6, 3, 2)),
    (2, 50, 13, 60, (3,)),
]


@pytest.mark.parametrize("case", CASES)
def test_every_score_the_answer_and_the_stretches_equal_numpys(page, show, case):
    channels, frames, width, hop, hidden = case
    rng = np.random.default_rng(frames)
    x = rng.standard_normal((channels, frames)).astype(np.float32)
    layers = net(rng, channels * width, *hidden, 1)
    scores = scan(x, layers, width, hop)
    threshold = round(float(np.quantile(scores, 0.7)), 2)
    show(page, WelcomeScanner(x, layers, width=width, hop=hop, threshold=threshold))

    unfold(page)
    rows = page.locator("tbody tr").evaluate_all("rs => rs.map(r => [...r.cells].map(c => c.textContent))")
    assert [int(row[0]) for row in rows] == list(range(0, frames - width + 1, hop))
    digits = len(rows[0][3].split(".")[1])
    assert digits >= 2
    np.testing.assert_allclose([plain(row[3]) for row in rows], scores, atol=0.5 * 10**-digits + 1e-9)
    np.testing.assert_allclose([float(row[1]) for row in rows], np.arange(len(rows)) * hop * FRAME, atol=0.005001)
    np.testing.assert_allclose([float(r[2]) - float(r[1]) for r in rows], width * FRAME, atol=0.010001)
    chances = 1 / (1 + np.exp(-scores))
    for row, chance in zip(rows, chances, strict=True):
        assert (
            (float(row[4]) == pytest.approx(chance, abs=0.000501))
            if row[4][0].isdigit()
            else not 0.001 < chance < 0.999
        )
    above = scores > threshold
    assert [row[5] == "yes" for row in rows] == above.tolist()

    best = int(scores.argmax())
    verdict = page.locator(".verdict").inner_text()
    assert f"at t = {best * hop};" in verdict
    assert f"{len(scores)} score" in verdict
    if above.any():
        assert page.locator(".answer").inner_text() == f"Yes: welcome at {best * hop * FRAME:.2f} s"
        rises = np.flatnonzero(above & ~np.r_[False, above[:-1]]) * hop
        assert page.locator(".marks").get_attribute("d").count("M") == len(rises)
        assert f"{above.sum()} window" in verdict
        assert f"starting at {rises[0] * FRAME:.2f}" in verdict
    else:
        assert page.locator(".answer").inner_text() == "No window above the threshold"


def test_calculations_agree_with_numpy_to_rounding(page):
    rng = np.random.default_rng(3)
    page.set_content("<p></p>")
    esm = str(WelcomeScanner._esm)
    for channels, frames, width, hop, hidden in CASES:
        x = rng.standard_normal((channels, frames)).astype(np.float32)
        layers = net(rng, channels * width, *hidden, 1)
        plain_layers = [{"weight": W.ravel().tolist(), "bias": b.tolist()} for W, b in layers]
        got, decision = page.evaluate(
            """async ([esm, x, channels, frames, layers, width, hop, threshold]) => {
              const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
              const { scanScores, decide } = await import(url);
              const scores = scanScores(x, channels, frames, layers, width);
              return [[...scores], decide(scores, hop, threshold)];
            }""",
            [esm, x.ravel().tolist(), channels, frames, plain_layers, width, hop, 0.1],
        )
        expected = scan(x, layers, width)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
        assert decision["best"] == int(expected[::hop].argmax()) * hop
        assert decision["above"] == int((expected[::hop] > 0.1).sum())
        assert decision["count"] == len(expected[::hop])


def test_a_score_at_the_threshold_is_not_above_and_the_first_of_equals_wins(page, show):
    x = np.array([[0, 2, 1, 2, 0]], np.float32)
    show(page, WelcomeScanner(x, [(np.ones((1, 1)), np.zeros(1))], width=1, threshold=2.0))
    assert page.locator(".answer").inner_text() == "No window above the threshold"
    assert page.locator(".marks").get_attribute("d") == ""
    set_range(page, "threshold", 1)  # the score at t = 2, between two that are above
    assert page.locator(".answer").inner_text() == "Yes: welcome at 0.02 s"
    assert "starting at 0.02 s, 0.06 s" in page.locator(".verdict").inner_text()


def test_keys_move_the_window_by_the_hop_and_stop_at_the_last_full_window(page, show, case):
    x, layers = case
    show(page, WelcomeScanner(x, layers, width=15, hop=4))
    last = (120 - 15) // 4 * 4
    scores = scan(x, layers, 15)
    page.locator(".stage").focus()
    moves = [("ArrowLeft", 0), ("ArrowRight", 4), ("ArrowRight", 8), ("PageUp", 48), ("ArrowLeft", 44)]
    for key, expected in [*moves, ("End", last), ("ArrowRight", last), ("Home", 0)]:
        page.keyboard.press(key)
        assert start_of_window(page, 120) == pytest.approx(expected, abs=1e-6), key
        assert f"Window t = {expected} " in page.locator(".words").inner_text()
        assert plain(page.locator(".words strong").inner_text()) == pytest.approx(scores[expected], abs=0.005001)
        assert page.locator("input[name=position]").input_value() == str(expected // 4)


def test_every_control_works_by_keyboard_alone(page, show, case):
    x, layers = case
    show(page, WelcomeScanner(x, layers, width=15))
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "document.activeElement.name || document.activeElement.className || document.activeElement.tagName"
            )
        )
    assert seen[:8] == ["stage", "start", "back", "play", "forward", "position", "speed", "threshold"]
    assert seen[8] == "hop"  # the width is fixed with one net, and is passed over
    assert seen[9:12] == ["SUMMARY"] * 3
    page.locator("input[name=position]").focus()
    page.keyboard.press("ArrowRight")
    assert "Window t = 1 " in page.locator(".words").inner_text()
    page.locator("input[name=hop]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("input[name=hop]").input_value() == "2"
    assert "Window t = 0 " in page.locator(".words").inner_text()  # 1 is no multiple of 2
    page.keyboard.press("Space")
    assert page.locator("button[name=play]").inner_text() == "Pause"


def test_each_focusable_element_keeps_its_keys_from_jupyterlab(page, show, case):
    show(page, WelcomeScanner(*case, width=15))
    unfold(page)
    bare = page.locator(".cnnlab-demo :is(button, input, select, summary, [tabindex])").evaluate_all(
        "es => es.filter(e => e.dataset.lmSuppressShortcuts !== 'true').map(e => e.outerHTML)"
    )
    assert bare == []


@pytest.mark.parametrize("with_sound", [True, False])
def test_playing_moves_the_window_in_time_and_keeps_it_behind_the_sound(page, show, with_sound):
    rng = np.random.default_rng(2)
    wave = speech(rng)
    x = log_mel(wave)
    demo = WelcomeScanner(x, net(rng, 300, 8, 1), width=15, wave=wave if with_sound else None)
    show(page, demo)
    page.locator("button[name=play]").click()
    expect(page.locator(".playhead")).not_to_have_attribute("visibility", "hidden")
    assert page.locator(".words").get_attribute("aria-live") == "off"
    assert ("silence" in page.locator(".transport").inner_text()) != with_sound
    track = page.evaluate(
        """async () => {
          const seen = [];
          const stop = performance.now() + 900;
          while (performance.now() < stop) {
            await new Promise(requestAnimationFrame);
            const canvas = document.querySelector(".stage canvas").style;
            const place = (x) => (x - parseFloat(canvas.left)) / parseFloat(canvas.width) * 1.6;
            const frame = document.querySelector(".frame");
            const playhead = document.querySelector(".playhead").getAttribute("x1");
            seen.push([performance.now() / 1000, place(frame.getAttribute("x")), playhead && place(playhead)]);
          }
          return seen;
        }"""
    )
    times, windows, sounds = np.array([row for row in track if row[2] is not None], float).T
    slope = np.polyfit(times, sounds, 1)[0]
    assert slope == pytest.approx(1, abs=0.15)
    assert (np.diff(windows) >= -1e-9).all()
    assert windows[-1] > windows[0]
    moving = windows > 1e-6
    behind = sounds[moving] - windows[moving]
    assert behind.min() >= 15 * FRAME - 1e-6
    assert behind.max() <= 16 * FRAME + 1e-6
    expect(page.locator("button[name=play]")).to_have_text("Play", timeout=8000)
    assert start_of_window(page, 80) == pytest.approx(65, abs=1e-6)
    assert page.locator(".words").get_attribute("aria-live") == "polite"


def test_half_speed_takes_twice_as_long(page, show, case):
    show(page, WelcomeScanner(*case, width=15))
    page.locator("select[name=speed]").select_option("0.5")
    page.locator(".stage").focus()
    page.keyboard.press("End")
    page.keyboard.press("Space")  # the last 15 frames: 0.3 s of sound
    took = page.evaluate(
        """async () => {
          const began = performance.now();
          const play = document.querySelector("button[name=play]");
          while (play.innerText !== "Play") await new Promise(requestAnimationFrame);
          return performance.now() - began;
        }"""
    )
    assert 350 < took < 900


def test_the_window_and_the_threshold_can_be_dragged(page, show, case):
    x, layers = case
    show(page, WelcomeScanner(x, layers, width=15))
    box = page.locator(".stage canvas").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 5 + box["width"] / 2, box["y"] + 40, steps=5)
    page.mouse.up()
    assert start_of_window(page, 120) == pytest.approx(60, abs=1e-6)
    line = page.locator(".limit").evaluate("e => e.getBoundingClientRect().y")
    page.mouse.move(box["x"] + 90, line)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, line - 30, steps=4)
    page.mouse.up()
    assert start_of_window(page, 120) == pytest.approx(60, abs=1e-6)
    moved = plain(page.locator(".settings .control-value").first.inner_text())
    assert moved > 0
    expected = bool((scan(x, layers, 15) > moved).any())
    assert page.locator(".answer").get_attribute("data-found") == str(expected).lower()


def test_width_is_a_choice_between_nets_and_fixed_with_one(page, show):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4, 60)).astype(np.float32)
    nets = {w: net(rng, 4 * w, 5, 1) for w in (6, 10, 20)}
    show(page, WelcomeScanner(x, nets, width=10))
    for index, width in enumerate(sorted(nets)):
        set_range(page, "width", index)
        assert (
            f"4 bands × {width} frames = {4 * width} numbers → net {4 * width} → 5 → 1"
            in page.locator(".words").inner_text()
        )
        scores = scan(x, nets[width], width)
        assert plain(page.locator(".words strong").inner_text()) == pytest.approx(scores[0], abs=0.005001)
        assert f"at t = {scores.argmax()};" in page.locator(".verdict").inner_text()
    show(page, WelcomeScanner(x, nets[6], width=6))
    assert page.locator("input[name=width]").is_disabled()
    assert "exactly 4 × 6 = 24 numbers" in page.locator(".settings").inner_text()


def test_the_code_shown_runs_and_gives_the_scores_shown(page, show, case, capsys):
    x, layers = case
    show(page, WelcomeScanner(x, layers, width=15, hop=3, threshold=-0.5))
    unfold(page)
    code = page.locator("pre").first.inner_text()
    names: dict[str, Any] = {"x": x, "layers": layers}
    exec(code, names)
    np.testing.assert_allclose(names["scores"], scan(x, layers, 15, 3), rtol=1e-4, atol=1e-5)
    assert bool(names["found"]) == (page.locator(".answer").get_attribute("data-found") == "true")
    assert f"at {names['best'] * 3 * FRAME:.2f} s" in capsys.readouterr().out


@pytest.mark.oracle
def test_the_pytorch_code_shown_gives_the_scores_shown(page, show, case):
    torch = pytest.importorskip("torch")
    x, layers = case
    show(page, WelcomeScanner(x, layers, width=15, hop=3))
    unfold(page)
    model = torch.nn.Sequential(torch.nn.Linear(300, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    with torch.no_grad():
        for layer, (W, b) in zip((model[0], model[2]), layers, strict=True):
            layer.weight.copy_(torch.tensor(W))
            layer.bias.copy_(torch.tensor(b))
    names: dict[str, Any] = {"x": torch.tensor(x), "net": model}
    exec(page.locator("pre").nth(1).inner_text(), names)
    np.testing.assert_allclose(names["scores"].numpy(), scan(x, layers, 15, 3), rtol=1e-4, atol=1e-5)


def test_log_mel_in_the_browser_equals_pythons(page):
    page.set_content("<p></p>")
    rng = np.random.default_rng(9)
    for samples in (160, 479, 8000, 12801):
        wave = (speech(rng, 2.0)[:samples]).astype(np.float32)
        values, frames = page.evaluate(
            """async ([esm, wave]) => {
              const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
              const { values, frames } = (await import(url)).logMel(Float32Array.from(wave));
              return [[...values], frames];
            }""",
            [str(WelcomeScanner._esm), wave.tolist()],
        )
        expected = log_mel(wave)
        assert frames == expected.shape[1]
        np.testing.assert_allclose(np.reshape(values, expected.shape), expected, atol=2e-4)


def wav_bytes(wave: np.ndarray, rate: int = 8000) -> bytes:
    """A 16-bit WAV file of shape (samples,) or (samples, channels)."""
    buffer = io.BytesIO()
    with wavefile.open(buffer, "wb") as file:
        file.setnchannels(1 if wave.ndim == 1 else wave.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(wave * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def test_own_wav_is_scored_like_pythons_log_mel_of_it(page, show):
    rng = np.random.default_rng(4)
    layers = net(rng, 300, 8, 1)
    show(page, WelcomeScanner(rng.standard_normal((20, 50)), layers, width=15, truth=(0.1, 0.4)))
    page.get_by_text("Your own recording").click()
    wave = speech(rng)
    page.locator("input[name=wav]").set_input_files(
        {"name": "mine.wav", "mimeType": "audio/wav", "buffer": wav_bytes(wave)}
    )
    page.get_by_text("Loaded:").wait_for()
    rounded = (np.round(wave * 32767) / 32768).astype(np.float32)
    scores = scan(log_mel(rounded), layers, 15)
    assert "mine.wav" in page.locator(".map-head").inner_text()
    assert f"{len(scores)} scores" in page.locator(".verdict").inner_text()
    assert f"at t = {scores.argmax()};" in page.locator(".verdict").inner_text()
    assert plain(page.locator(".words strong").inner_text()) == pytest.approx(scores[0], abs=0.006)
    assert page.locator(".truth > *").count() == 0  # the truth belongs to the given recording
    page.locator("button[name=restore]").click()
    assert "20 mel bands × 50 frames" in page.locator(".map-head").inner_text()
    assert page.locator(".truth > *").count() > 0


def choose_wav(page: Any, content: bytes, name: str = "mine.wav") -> None:
    page.get_by_text("Your own recording").click()
    page.locator("input[name=wav]").set_input_files({"name": name, "mimeType": "audio/wav", "buffer": content})


def table_scores(page: Any) -> np.ndarray:
    page.locator("summary").first.click()
    page.locator("tbody").wait_for()
    cells = page.locator("tbody td:nth-child(4)").evaluate_all("cells => cells.map((cell) => cell.textContent)")
    return np.array([plain(text) for text in cells])


def test_own_stereo_wav_at_another_rate_scores_like_pythons_resampling(page, show):
    rng = np.random.default_rng(4)
    layers = net(rng, 300, 8, 1)
    show(page, WelcomeScanner(rng.standard_normal((20, 50)), layers, width=15))
    t = np.arange(44_100) / 44_100
    wave = 0.2 * np.sin(2 * np.pi * 300 * t) * (np.sin(2 * np.pi * 3 * t) > 0) + 0.05 * rng.standard_normal(t.size)
    choose_wav(page, wav_bytes(np.stack([0.5 * wave, 1.5 * wave], axis=1), 44_100))
    page.get_by_text("Loaded:").wait_for()
    expected = scan(log_mel(wave.astype(np.float32), 44_100), layers, 15)
    got = table_scores(page)
    assert got.shape == expected.shape
    # Two resamplers differ near 4 kHz; the curve is the same.
    assert np.corrcoef(got, expected)[0, 1] > 0.98


def test_own_silence_has_a_score_and_a_long_sound_is_cut(page, show):
    rng = np.random.default_rng(4)
    layers = net(rng, 300, 8, 1)
    show(page, WelcomeScanner(rng.standard_normal((20, 50)), layers, width=15))
    choose_wav(page, wav_bytes(np.zeros(31 * 8000)))
    page.get_by_text("Only its first 30 s are used").wait_for()
    expected = scan(np.zeros((20, 15), np.float32), layers, 15)[0]
    assert plain(page.locator(".words strong").inner_text()) == pytest.approx(expected, abs=1e-2)
    assert "20 mel bands × 1500 frames" in page.locator(".map-head").inner_text()


def test_a_threshold_far_from_the_scores_is_named_and_leaves_the_curve_readable(page, show, case):
    x, layers = case
    show(page, WelcomeScanner(x, layers, width=15, threshold=1000.0))
    assert page.locator(".stage").get_by_text("threshold 1000.00, off the scale").count() == 1
    assert page.locator(".curve").evaluate("e => e.getBBox().height") > 30
    assert page.locator(".answer").inner_text() == "No window above the threshold"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"this is no sound", "could not be decoded"), (wav_bytes(np.zeros(800, np.float32)), "the window needs 15")],
)
def test_a_file_that_cannot_be_used_is_explained_and_changes_nothing(page, show, content, words):
    rng = np.random.default_rng(4)
    show(page, WelcomeScanner(rng.standard_normal((20, 50)), net(rng, 300, 8, 1), width=15))
    before = page.locator(".verdict").inner_text()
    choose_wav(page, content)
    page.locator(".status.wrong").wait_for()
    assert words in page.locator(".status").inner_text()
    assert page.locator(".verdict").inner_text() == before


def test_own_wav_is_not_offered_to_a_net_that_reads_other_features(page, show):
    rng = np.random.default_rng(4)
    show(page, WelcomeScanner(rng.standard_normal((3, 50)), net(rng, 45, 1), width=15))
    page.get_by_text("Your own recording").click()
    assert page.locator("input[name=wav]").count() == 0
    assert "this net reads 3 bands" in page.locator("[data-part=own]").inner_text()


def test_picture_has_a_sentence_and_the_text_line_is_announced(page, show, case):
    show(page, WelcomeScanner(*case, width=15))
    assert re.fullmatch(
        r"Spectrogram of 2\.40 s with a window at 0\.00 s, .*\.",
        page.get_by_role("img").first.get_attribute("aria-label"),
    )
    assert page.locator(".words").get_attribute("aria-live") == "polite"
    for name in ("start", "back", "play", "forward"):
        assert page.locator(f"button[name={name}]").get_attribute("aria-label")


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_is_wider_than_the_page(new_page, show, case, width):
    page = new_page(viewport={"width": width, "height": 800})
    show(page, WelcomeScanner(*case, width=15, truth=(1.0, 1.4)))
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.locator(".stage svg text").evaluate_all(
        """(texts, width) => texts
          .map((e) => [e.textContent, e.getBoundingClientRect()])
          .filter(([text, box]) => text && (box.right > width || box.left < 0))""",
        width,
    )
    assert outside == []


CONTRAST = """
() => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...probe.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (e) => {
    if (!e) return "#ffffff";
    const color = getComputedStyle(e).backgroundColor;
    return color === "rgba(0, 0, 0, 0)" ? background(e.parentElement) : color;
  };
  const hasText = (e) => [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  return [...document.querySelectorAll(".cnnlab-demo *")]
    .filter((e) => !e.disabled && hasText(e) && e.getClientRects().length)
    .map((e) => {
      const { fill, color } = getComputedStyle(e);
      const pair = [luminance(e instanceof SVGElement ? fill : color), luminance(background(e))].sort((p, q) => q - p);
      return [(pair[0] + 0.05) / (pair[1] + 0.05), e.textContent.slice(0, 30)];
    })
    .sort((p, q) => p[0] - q[0]);
}
"""


@pytest.mark.parametrize(
    ("scheme", "theme"), [("light", "auto"), ("dark", "auto"), ("light", "dark"), ("dark", "light")]
)
def test_text_stands_out_in_light_and_dark(new_page, show, case, scheme, theme):
    page = new_page(color_scheme=scheme)
    show(page, WelcomeScanner(*case, width=15, truth=(1.0, 1.4)), theme=theme)
    unfold(page)
    found = page.evaluate(CONTRAST)
    assert len(found) > 30
    assert found[0][0] >= 4.5, found[:3]
    dark = theme == "dark" or (theme == "auto" and scheme == "dark")
    surface = page.locator(".cnnlab-demo").evaluate("e => getComputedStyle(e).backgroundColor")
    assert surface == ("rgb(17, 17, 17)" if dark else "rgb(255, 255, 255)")


def test_two_demos_share_a_page(page, tmp_path):
    rng = np.random.default_rng(1)
    demos = [WelcomeScanner(rng.standard_normal((2, 30)), net(rng, 10, 1), width=5, hop=h) for h in (1, 2)]
    path = tmp_path / "two.html"
    path.write_text(
        "<!doctype html><meta charset=utf-8>" + "".join(d.to_html(full_page=False) for d in demos + demos[:1])
    )
    page.goto(path.as_uri())
    page.locator(".cnnlab-demo").nth(2).wait_for()
    assert page.locator(".cnnlab-demo").count() == 3
    assert page.locator("span:text-is('2 frames = 0.04 s')").count() == 1
