"""The flower scanner in Chromium: every score against NumPy after any number of moves, and every way of moving."""

import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab import data
from cnnlab.demos import FlowerScanner


def net(rng, *sizes):
    return [(rng.standard_normal((n, m)) / np.sqrt(m), rng.standard_normal(n) / 4) for m, n in pairwise(sizes)]


def make(seed, shape, size, hidden, *, sprite=None, **options):
    """A demo with random picture, net and, for a size, sprite; some of the sprite is clear and some opaque."""
    rng = np.random.default_rng(seed)
    layers = net(rng, shape[0] * size[0] * size[1], *hidden, 1)
    flower = None
    if sprite:
        mask = np.clip(rng.uniform(-1, 2, sprite), 0, 1)
        flower = (rng.random((shape[0], *sprite)), mask)
    return FlowerScanner(rng.random(shape), layers, size=size, flower=flower, **options)


# shape, window, hidden layers, sprite
CASES = [
    ((3, 20, 27), (5, 8), (6,), (7, 4)),
    ((1, 17, 13), (4, 4), (3, 5), (3, 9)),
    ((3, 11, 30), (11, 3), (), (5, 5)),
    ((1, 9, 9), (9, 9), (4,), (2, 3)),
    ((3, 16, 12), (1, 6), (9, 2), (16, 12)),
]

REPLAY = """(() => {
  const [given, places, budgets] = args;
  const model = new FlowerModel(given);
  const maps = [];
  let worst = 0;
  for (const [k, place] of places.entries()) {
    given.sprite ? model.place(place) : model.shiftTo(place);
    for (let n = 0; n < budgets[k] && model.left; n += 1) model.work(0);
    const stale = [...model.map([1, 1]).values].filter(Number.isNaN).length;
    worst = Math.max(worst, Math.abs(stale - model.first.left));
    if (budgets[k] < 99) continue;
    maps.push([k, model.map([1, 1]).values, model.map([1, 1], model.hidden - 1).values, model.picture]);
  }
  return { maps, worst };
})()"""


@pytest.mark.parametrize("case", range(len(CASES)))
@pytest.mark.parametrize("moved", ["flower", "picture"])
def test_updates_after_many_random_moves_equal_a_full_scan_by_numpy(in_module, case, moved):
    shape, size, hidden, sprite = CASES[case]
    demo = make(case, shape, size, hidden, sprite=sprite if moved == "flower" else None)
    rng = np.random.default_rng(case + 10)
    last = [n - s for n, s in zip(shape[1:], sprite, strict=True)] if moved == "flower" else [n - 1 for n in shape[1:]]
    places = [[int(rng.integers(0, most + 1)) for most in last] for _ in range(40)]
    # Some moves are worked off in part before the next one comes; every fifth, and the last, wholly.
    budgets = [999 if k % 5 == 4 else int(rng.integers(0, 4)) for k in range(40)]
    result = in_module(demo, REPLAY, demo.data, places, budgets)
    assert result["worst"] == 0
    assert [k for k, *_ in result["maps"]] == list(range(4, 40, 5))
    for k, scores, neuron, picture in result["maps"]:
        if moved == "flower":
            demo.flower_at = places[k]
        else:
            demo.shift = places[k]
        np.testing.assert_allclose(picture, demo.picture.ravel(), rtol=0, atol=1e-15)
        np.testing.assert_allclose(scores, demo.scores.ravel(), rtol=0, atol=1e-11)
        W, b = (part.astype(float) for part in demo._layers[0])
        windows = np.lib.stride_tricks.sliding_window_view(demo.picture, size, axis=(1, 2))
        sums = windows.transpose(1, 2, 0, 3, 4).reshape(-1, W.shape[1]) @ W[-1] + b[-1]
        np.testing.assert_allclose(neuron, np.maximum(sums, 0) if hidden else sums, rtol=0, atol=1e-11)


def test_what_is_already_computed_is_right_while_the_rest_is_empty(in_module):
    demo = make(3, (3, 30, 22), (6, 9), (5,), sprite=(8, 8))
    script = """(() => {
      const model = new FlowerModel(args[0]);
      model.work(1e9);
      const seen = [];
      for (const place of args[1]) {
        model.place(place);
        model.work(0);
        model.work(0);
        seen.push(model.map([1, 1]).values);
      }
      return seen.map((map) => map.map((v) => (Number.isNaN(v) ? 1e99 : v)));
    })()"""
    places = [[2, 3], [9, 9], [20, 1], [21, 2]]
    holes = 0
    for place, got in zip(places, in_module(demo, script, demo.data, places), strict=True):
        demo.flower_at = place
        known = np.array(got) < 1e98
        holes += int((~known).sum())
        np.testing.assert_allclose(np.array(got)[known], demo.scores.ravel()[known], rtol=0, atol=1e-11)
    assert holes > 100


def test_a_small_move_computes_little_and_a_still_window_nothing(in_module):
    demo = make(5, (3, 40, 40), (12, 12), (8,), sprite=(11, 11))
    script = """(() => {
      const model = new FlowerModel(args[0]);
      model.work(1e9);
      const first = model.first.spent;
      model.place([15, 14]);
      model.work(1e9);
      const move = model.first.spent;
      model.place([15, 14]);
      return [first, move, model.first.left, model.cost(model.places).whole];
    })()"""
    _, h, w = (3, 40, 40)
    demo.flower_at = [14, 14]
    first, move, left, whole = in_module(demo, script, demo.data)
    assert whole == (h - 11) * (w - 11) * 3 * 144 * 8
    # Multiply-adds from scratch: the pixels that are not 0 in each window. A move: those whose share changed.
    mask = demo._sprite[1].astype(float)

    def rest(at):
        x = demo._image.astype(float)
        x[:, at[0] : at[0] + 11, at[1] : at[1] + 11] *= 1 - mask
        return x

    def count(changed):
        return int(np.lib.stride_tricks.sliding_window_view(changed, (12, 12), axis=(1, 2)).sum()) * 8

    assert first == count(rest([0, 0]) != 0)
    assert move == count(rest([0, 0]) != rest([15, 14]))
    assert left == 0


def shown(demo_page):
    """Return the table of scores as {(row, column): score}, and its decimals."""
    rows = demo_page.table()
    digits = len(rows[0][5].split(".")[1])
    return {(int(r[1]), int(r[2])): demo_page.number(r[5]) for r in rows}, digits, rows


def check(demo_page, demo, digits_least=2):
    """Compare everything that is written with NumPy."""
    scores, (SH, SW), (KH, KW) = demo.scores, demo.stride, demo._size
    found, digits, rows = shown(demo_page)
    assert digits >= digits_least
    assert len(found) == scores.size
    for (i, j), score in found.items():
        assert abs(score - scores[i // SH, j // SW]) <= 0.5 * 10**-digits + 1e-9
    assert [float(r[3]) - float(r[1]) for r in rows] == [(KH - 1) / 2] * len(rows)
    assert [float(r[4]) - float(r[2]) for r in rows] == [(KW - 1) / 2] * len(rows)
    values = [demo_page.number(r[5]) for r in rows]
    assert values == sorted(values, reverse=True)
    above = int((scores > demo.threshold).sum())
    assert [r[7] for r in rows].count("yes") == above
    i, j = np.unravel_index(scores.argmax(), scores.shape)
    verdict = demo_page.words(".verdict")
    center = [f"{v:g}" for v in (i * SH + (KH - 1) / 2, j * SW + (KW - 1) / 2)]
    assert f"with its center at row {center[0]}, column {center[1]};" in verdict
    assert f"{above} window" in verdict
    assert demo_page.words(".answer").startswith("Yes, at row" if above else "No window above")


@pytest.mark.parametrize("case", range(len(CASES)))
def test_every_number_on_the_page_equals_numpys(open_demo, case):
    shape, size, hidden, sprite = CASES[case]
    stride = [(2, 3), (1, 2), (1, 1), (1, 1), (4, 1)][case]
    demo = make(case + 20, shape, size, hidden, sprite=sprite, stride=stride)
    demo.threshold = round(float(np.quantile(demo.scores, 0.6)), 2)
    demo_page = open_demo(demo)
    check(demo_page, demo)
    i, j = demo.window
    score = demo.scores.max()
    assert demo_page.number(demo_page.words(".words strong")) == pytest.approx(score, abs=0.0051)
    assert f"Window at row {i}, column {j}: " in demo_page.words()
    v = demo.picture[:, i : i + size[0], j : j + size[1]].reshape(-1)
    inputs = shape[0] * size[0] * size[1]
    assert f"= {inputs} numbers → net {' → '.join(map(str, (inputs, *hidden, 1)))} → score" in demo_page.words()
    table = demo_page.table(1)
    for k, (W, b) in enumerate(demo._layers):
        v = W.astype(float) @ (np.maximum(v, 0) if k else v) + b
        of_layer = [row for row in table if row[0] == str(k + 1)]
        np.testing.assert_allclose([demo_page.number(row[2]) for row in of_layer], v, atol=0.6e-6)
        if k < len(hidden):
            np.testing.assert_allclose([demo_page.number(row[3]) for row in of_layer], np.maximum(v, 0), atol=0.6e-6)


def colors_of(demo_page, points):
    """The color and the opacity of the map's canvas at points given in pixels of the picture."""
    return demo_page.page.evaluate(
        """(points) => {
          const canvas = document.querySelector("canvas.map");
          const area = document.querySelector(".area.map");
          const scale = (canvas.width / Number(area.getAttribute("width"))) * Number(area.dataset.scale);
          const paint = canvas.getContext("2d", { willReadFrequently: true });
          return points.map(([y, x]) => [...paint.getImageData(Math.floor(x * scale), Math.floor(y * scale), 1, 1).data]);
        }""",
        points,
    )


def test_the_map_is_drawn_where_its_windows_lie_and_only_what_is_scanned(open_demo):
    demo = make(1, (3, 20, 27), (5, 8), (6,))
    demo.scanned = 50
    demo_page = open_demo(demo)
    scores = demo.scores.ravel()
    found = np.array(colors_of(demo_page, [(i + 2.5, j + 4) for i in range(16) for j in range(20)]))
    np.testing.assert_array_equal(found[:, 3], np.where(np.arange(320) < 50, 255, 0))
    lightness = found[:50, :2].sum(axis=1)
    shares = (scores[:50] - scores.min()) / np.ptp(scores)
    assert (np.diff(shares[np.argsort(lightness)]) > -0.02).all()  # lighter is larger, up to the rounding of colors
    assert colors_of(demo_page, [(0.5, 0.5), (19.5, 13)]) == [[0, 0, 0, 0]] * 2
    assert "50 of 320" in demo_page.root.locator(".transport .control-value").inner_text()
    verdict = demo_page.words(".verdict")
    best = scores[:50].argmax()
    assert "of 50 windows of 320 scanned so far is" in verdict
    assert f"center at row {best // 20 + 2}, column {best % 20 + 3.5};" in verdict


def box_of(demo_page, kind):
    return demo_page.root.locator(f".area.{kind}").evaluate(
        "e => { const b = e.getBoundingClientRect(); return [b.x, b.y, Number(e.dataset.scale)] }"
    )


def drag(demo_page, kind, start, stop, *, release=True):
    x, y, scale = box_of(demo_page, kind)
    mouse = demo_page.page.mouse
    mouse.move(x + (start[1] + 0.5) * scale, y + (start[0] + 0.5) * scale)
    mouse.down()
    mouse.move(x + (stop[1] + 0.5) * scale, y + (stop[0] + 0.5) * scale, steps=4)
    if release:
        mouse.up()


def settled(demo_page):
    expect(demo_page.root.locator(".cost")).to_contain_text("Last change")


def test_flower_and_window_are_dragged_and_the_map_follows(open_demo):
    demo = make(2, (3, 30, 26), (6, 5), (4,), sprite=(9, 8))
    demo._sprite[1][:] = 1  # opaque: it can be taken anywhere
    demo = FlowerScanner(demo._image, demo._layers, size=(6, 5), flower=demo._sprite, flower_at=(4, 5))
    demo.window, demo.stride = [20, 18], [2, 3]
    demo_page = open_demo(demo)
    drag(demo_page, "picture", (8, 9), (15, 3))
    settled(demo_page)
    demo.flower_at = [11, 0]  # 6 to the left would leave the picture
    assert demo_page.root.locator("[name=flower-row]").input_value() == "11"
    assert demo_page.root.locator("[name=flower-column]").input_value() == "0"
    check(demo_page, demo)
    assert "The flower’s center is at row 15, column 3.5:" in demo_page.words(".verdict")
    drag(demo_page, "picture", (22, 20), (4, 14))
    assert "Window at row 2, column 12:" in demo_page.words()
    drag(demo_page, "map", (20, 20), (20, 21))
    assert "Window at row 18, column 18:" in demo_page.words()


def test_pointing_links_map_and_picture(open_demo):
    demo = make(2, (3, 30, 26), (6, 5), (4,), stride=(2, 3))
    demo_page = open_demo(demo)
    for kind in ("map", "picture"):
        x, y, scale = box_of(demo_page, kind)
        demo_page.page.mouse.move(x + 14.5 * scale, y + 17 * scale)
        assert demo_page.words(".tooltip").startswith("window at row 14, column 12\nscore ")
        text = demo_page.words(".tooltip").split("score ")[1]
        assert demo_page.number(text) == pytest.approx(demo.scores[7, 4], abs=0.0051)
        ghosts = demo_page.root.locator(".ghost")
        assert [ghosts.nth(k).get_attribute("visibility") for k in (0, 1)] == [None, None]
        left = float(ghosts.first.get_attribute("x")) - float(
            demo_page.root.locator(".area.picture").get_attribute("x")
        )
        assert left == pytest.approx(12 * scale, abs=0.01)


def test_everything_moves_by_keyboard_alone(open_demo):
    demo = make(4, (1, 20, 24), (5, 4), (3,), sprite=(6, 6), flower_at=(3, 3), stride=(1, 2))
    demo_page = open_demo(demo)
    stage = demo_page.root.locator(".stage")
    stage.focus()
    demo_page.press("Home")
    assert "Window at row 0, column 0:" in demo_page.words()
    demo_page.press("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowRight")
    assert "Window at row 1, column 2:" in demo_page.words()
    demo_page.press("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowUp", "Shift+ArrowDown")
    demo.flower_at = [4, 5]
    settled(demo_page)
    check(demo_page, demo)
    stage.focus()
    demo_page.press("End")
    assert "Window at row 15, column 20:" in demo_page.words()
    demo_page.press(" ")
    expect(demo_page.root.locator("button[name=play]")).to_contain_text("Pause")
    expect(demo_page.root.locator(".verdict")).to_contain_text("scanned so far")
    demo_page.press(" ")
    expect(demo_page.root.locator("button[name=play]")).to_contain_text("Play")


def test_steps_scan_in_row_major_order(open_demo):
    demo = make(6, (1, 9, 8), (3, 4), (3,), stride=(2, 2))
    demo_page = open_demo(demo)
    for step, (i, j) in enumerate(np.ndindex(4, 3)):
        demo_page.set("position", step)
        assert f"Window at row {2 * i}, column {2 * j}:" in demo_page.words()
        assert demo_page.number(demo_page.words(".words strong")) == pytest.approx(demo.scores[i, j], abs=0.0051)
        if step < 11:
            assert f"of {step + 1} window{'s' if step else ''} of 12 scanned so far" in demo_page.words(".verdict")
        best = demo.scores.ravel()[: step + 1].max()
        assert demo_page.number(re.search(r" is ([+−][\d.]+),", demo_page.words(".verdict"))[1]) == pytest.approx(
            best, abs=0.0051
        )
    demo_page.root.locator("button[name=back]").click()
    assert "of 11 windows of 12" in demo_page.words(".verdict")


def test_sliders_move_stride_threshold_picture_and_the_map_of_a_neuron(open_demo):
    demo = make(7, (3, 14, 19), (4, 5), (6,))
    demo_page = open_demo(demo)
    for name, value in (("shift-row", 3), ("shift-column", 17), ("stride-height", 3), ("stride-width", 2)):
        demo_page.set(name, value)
    demo.shift, demo.stride = [3, 17], [3, 2]
    settled(demo_page)
    check(demo_page, demo)
    demo_page.set("threshold", 0.3)
    demo.threshold = 0.3
    check(demo_page, demo)
    demo_page.set("map_of", 2)
    assert demo_page.root.locator(".stage text.title").all_text_contents()[-1] == "Neuron 2 4 × 8"
    demo_page.root.locator("[name=neuron-2]").click()
    assert demo_page.root.locator("[name=map_of]").input_value() == "-1"
    demo_page.root.locator("[name=brightest]").click()
    i, j = np.unravel_index(demo.scores.argmax(), demo.scores.shape)
    assert f"Window at row {3 * i}, column {2 * j}:" in demo_page.words()


def test_a_large_scan_comes_in_slices_and_what_is_missing_is_hatched(open_demo):
    demo = make(8, (3, 64, 64), (24, 24), (128,))
    demo_page = open_demo(demo)
    stale = demo_page.root.locator("path.stale")
    demo_page.set("shift-row", 30)  # all pixels change, and few windows can be moved along
    assert stale.get_attribute("d").count("M") > 100
    assert "not yet computed (hatched)" in demo_page.words(".cost")
    settled(demo_page)
    assert stale.get_attribute("d") == ""


def test_code_gives_the_scores_that_are_shown(open_demo):
    for demo in (
        make(9, (3, 15, 18), (4, 6), (5,), sprite=(5, 7), stride=(2, 1)),
        make(9, (1, 15, 18), (4, 6), (), stride=(1, 3)),
    ):
        if demo._sprite is None:
            demo.shift = [4, 9]
            flower = None
        else:
            demo.flower_at = [1, 10]
            flower = np.concatenate([demo._sprite[0], demo._sprite[1][None]]).astype(float)
        layers = [(W.astype(float), b.astype(float)) for W, b in demo._layers]
        names = {"image": demo._image.astype(float), "flower": flower, "layers": layers}
        exec(open_demo(demo).listing("NumPy"), names)
        np.testing.assert_allclose(names["scores"], demo.scores, atol=1e-12)
        assert bool(names["found"]) == (demo.scores.max() > 0)


@pytest.mark.oracle
def test_pytorch_code_gives_the_scores_that_are_shown(open_demo):
    torch = pytest.importorskip("torch")
    for demo in (
        make(9, (3, 15, 18), (4, 6), (5,), sprite=(5, 7), stride=(2, 1)),
        make(9, (1, 15, 18), (4, 6), (2, 3)),
    ):
        flower = None
        if demo._sprite is None:
            demo.shift = [4, 9]
        else:
            flower = torch.tensor(np.concatenate([demo._sprite[0], demo._sprite[1][None]]), dtype=torch.float64)
        modules = []
        for W, b in demo._layers:
            linear = torch.nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
            linear.weight.data, linear.bias.data = (
                torch.tensor(W, dtype=torch.float64),
                torch.tensor(b, dtype=torch.float64),
            )
            modules += [linear, torch.nn.ReLU()]
        image = torch.tensor(demo._image, dtype=torch.float64)
        names = {"image": image, "flower": flower, "net": torch.nn.Sequential(*modules[:-1])}
        exec(open_demo(demo).listing("PyTorch"), names)
        np.testing.assert_allclose(names["scores"], demo.scores, atol=1e-12)


def png(pixels):
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def choose(demo_page, name, content):
    demo_page.unfold()
    demo_page.root.locator("input[name=picture]").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_an_own_picture_is_scanned_and_the_given_one_comes_back(open_demo, channels):
    demo = make(10, (channels, 12, 14), (4, 3), (5,), truth=(4, 5))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 14, 3), dtype=np.uint8)
    x = pixels.transpose(2, 0, 1) / 255
    own = FlowerScanner(x if channels == 3 else x.mean(axis=0), demo._layers, size=(4, 3))
    demo_page = open_demo(demo)
    choose(demo_page, "own.png", png(pixels))
    demo_page.page.get_by_text("“own.png” is scanned now").wait_for()
    settled(demo_page)
    check(demo_page, own)
    assert "The flower’s center" not in demo_page.words(".verdict")
    choose(demo_page, "no.png", b"this is no picture")
    demo_page.root.locator(".status.wrong").wait_for()
    assert "could not be read as a picture" in demo_page.words(".status")
    check(demo_page, own)
    demo_page.root.locator("button[name=restore]").click()
    settled(demo_page)
    check(demo_page, demo)


LIVE = """async ([esm, state]) => {
  const calls = {};
  window.state = state;
  window.assign = (name, value) => { state[name] = value; for (const call of calls[`change:${name}`] ?? []) call(); };
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    on: (event, call) => (calls[event] ??= []).push(call),
    off: () => {},
    save_changes: () => { window.saved = (window.saved ?? 0) + 1; },
  };
  const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  const el = document.createElement("div");
  document.body.append(el);
  window.close = module.default.render({ model, el });
}"""


def test_state_goes_both_ways(page, open_demo):
    demo = make(11, (3, 20, 24), (5, 6), (4,), sprite=(6, 6))
    state = {name: getattr(demo, name) for name in demo.traits(demo=True)}
    page.set_content("<p></p>")
    page.evaluate(LIVE, [str(demo._esm), state])
    words = page.locator(".words")
    page.evaluate("assign('window', [3, 4])")
    expect(words).to_contain_text("Window at row 3, column 4:")
    for name, value in {"flower_at": [2, 9], "stride": [2, 2], "threshold": 0.2}.items():
        setattr(demo, name, value)
        page.evaluate("([name, value]) => assign(name, value)", [name, value])
    expect(page.locator(".cost")).to_contain_text("Last change")
    best = demo.scores.max()
    text = re.search(r" is ([+−][\d.]+),", page.locator(".verdict").inner_text())[1]
    assert float(text.replace("−", "-")) == pytest.approx(best, abs=0.0051)
    page.locator(".stage").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_function("window.saved > 0 && state.flower_at[0] === 3")
    assert page.evaluate("[state.window, state.flower_at, state.scanned]") == [[0, 0], [3, 9], None]
    page.evaluate("window.close()")


@pytest.mark.parametrize("shape", [(1, 20, 90), (3, 90, 25)])
def test_it_fits_a_narrow_page(new_page, show, shape):
    page = new_page(viewport={"width": 360, "height": 800}, color_scheme="dark")
    rng = np.random.default_rng(0)
    size = (12, 16)
    demo = FlowerScanner(rng.random(shape), net(rng, shape[0] * 192, 40, 1), size=size, truth=(10, 12))
    show(page, demo)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    outside = page.locator(".stage svg text").evaluate_all(
        """(texts) => texts.map((e) => [e.textContent, e.getBoundingClientRect()])
          .filter(([text, box]) => text && (box.right > 360 || box.left < 0)).map(([text]) => text)"""
    )
    assert outside == []


def test_the_sprite_of_the_data_can_be_dragged(open_demo):
    rng = np.random.default_rng(0)
    scene = data.load_flowers(2, size=(40, 48), seed=1)
    demo = FlowerScanner(
        scene.x[scene.y == 0][0], net(rng, 3 * 400, 4, 1), size=20, flower=data.flower_sprite(9, seed=2), stride=(3, 4)
    )
    demo.window = [0, 0]  # its frame lies away from the flower
    demo_page = open_demo(demo)
    drag(demo_page, "picture", (20, 24), (14, 30))
    settled(demo_page)
    demo.flower_at = [demo.flower_at[0] - 6, demo.flower_at[1] + 6]
    check(demo_page, demo)
