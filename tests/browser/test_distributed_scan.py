"""The distributed scan in Chromium: matrices, ties, counts and scores against cnnlab.nn, and every way of moving it."""

import contextlib
import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab import nn
from cnnlab.demos import DistributedScan

MODEL = """(([state]) => {
  const net = netOf({ ...state, pool: unpackPool(state.data.pool) });
  if (net.fault) return { fault: net.fault };
  const { expanded, maps, numbers, windows, difference } = bothForms(net);
  const counts = weightCounts(net);
  const shared = sharedBlocks(net.whole);
  return { fault: null, expanded, maps, numbers, windows, difference, counts, totals: totals(counts), shared };
})(args)"""


def random_case(rng, *, rank=None):
    """Draw a net whose blocks cover its window: sizes differ by axis, blocks overlap, touch or leave gaps."""
    rank = rank or int(rng.integers(1, 3))
    while True:
        levels = int(rng.integers(1, 4))
        widths, hops = rng.integers(1, 4, (2, rank)).tolist(), rng.integers(1, 3, (2, rank)).tolist()
        top = window = tuple(rng.integers(1, 4, rank).tolist())
        for width, hop in list(zip(widths, hops, strict=True))[: levels - 1][::-1]:
            window = tuple((n - 1) * s + k for n, s, k in zip(window, hop, width, strict=True))
        channels = int(rng.integers(1, 4))
        size = [int(n + rng.integers(0, 6)) for n in window]
        options = {"x": rng.standard_normal((channels, *size)), "window": window if rank == 2 else window[0]}
        options |= {"levels": levels, "widths": widths, "hops": hops}
        features = [int(v) for v in rng.integers(1, 4, 3)]
        if rng.integers(2):
            options["features"] = features
        else:
            kernels = [*(int(np.prod(k)) for k in widths[: levels - 1]), int(np.prod(top)), 1, 1][:3]
            pairs = zip([channels, *features], features, kernels, strict=False)
            options["layers"] = [(rng.standard_normal((o, c * k)), rng.standard_normal(o)) for c, o, k in pairs]
        with contextlib.suppress(ValueError):
            return DistributedScan(**options)


def state_of(demo):
    names = ("levels", "window", "widths", "hops", "features", "position", "order", "data")
    return {name: getattr(demo, name) for name in names}


def dense_layers(demo):
    """Each layer over one window, as `nn.dense_matrix` writes it out."""
    shape, found = (len(demo.data["x"]), *demo.window), []
    for layer in demo.stack[::2]:
        found.append(nn.dense_matrix(layer, shape))
        shape = found[-1].output_shape
    return found


def test_matrices_ties_and_both_forms_are_those_of_cnnlab(in_module):
    rng = np.random.default_rng(2)
    for _ in range(30):
        demo = random_case(rng)
        got = in_module(DistributedScan, MODEL, state_of(demo))
        x, dense = np.array(demo.data["x"])[None], dense_layers(demo)
        for mine, theirs, counts in zip(got["expanded"], dense, got["counts"], strict=True):
            shape = (mine["rows"], mine["columns"])
            assert shape == theirs.matrix.shape
            np.testing.assert_array_equal(np.reshape(mine["ties"], shape), theirs.ties)
            np.testing.assert_array_equal(np.reshape(mine["matrix"], shape), theirs.matrix)
            np.testing.assert_array_equal(mine["biases"], theirs.bias)
            sizes = (theirs.entry_count, theirs.connection_count, theirs.weight_count)
            assert (counts["dense"], counts["untied"], counts["tied"]) == sizes
        assert got["totals"] == demo.parameters
        maps = x
        for layer, mine in zip(demo.stack, [m for m in got["maps"][1:] for _ in (0, 1)], strict=False):
            maps = layer(maps)
            if isinstance(layer, nn.ReLU) or layer is demo.stack[-1]:
                np.testing.assert_allclose(np.reshape(mine["values"], maps.shape[1:]), maps[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(
            np.reshape(got["maps"][-1]["values"], demo.output.shape), demo.output, rtol=0, atol=1e-12
        )
        scan = nn.expand(demo.stack)
        scores = scan(x)[0]
        mlp = np.array([numbers[-1] for numbers in got["numbers"]]).T.reshape(scores.shape)
        np.testing.assert_allclose(mlp, scores, rtol=0, atol=1e-12)
        assert got["windows"] == scores[0].size
        assert got["difference"] <= 1e-12
        assert got["difference"] == pytest.approx(
            np.abs(mlp - np.reshape(got["maps"][-1]["values"], mlp.shape)).max(), abs=1e-18
        )


def test_numbers_of_every_layer_at_a_window_are_those_of_the_mlp(in_module):
    rng = np.random.default_rng(3)
    for _ in range(10):
        demo = random_case(rng)
        got = in_module(DistributedScan, MODEL, state_of(demo))
        hop = np.prod(demo.hops, axis=0)
        x, mlp = np.array(demo.data["x"]), nn.expand(demo.stack).module
        for position, at in enumerate(np.ndindex(*demo.output.shape[1:])):
            cut = tuple(slice(p * s, p * s + k) for p, s, k in zip(at, hop, demo.window, strict=True))
            v = x[(slice(None), *cut)].reshape(1, -1)
            np.testing.assert_array_equal(got["numbers"][position][0], v[0])
            for i, layer in enumerate(mlp):
                v = layer(v)
                if i % 2 or i == len(mlp) - 1:
                    np.testing.assert_allclose(got["numbers"][position][i // 2 + 1], v[0], rtol=0, atol=1e-12)


def blocks_in(demo, window):
    """Where the blocks of level 1 in a window begin, in inputs."""
    kernel, stride = (np.array(sizes) for sizes in demo.blocks[0])
    counts = (np.array(demo.window) - kernel) // stride + 1
    begin = np.array(window) * np.prod(demo.hops, axis=0)
    return {tuple(map(int, begin + np.array(place) * stride)) for place in np.ndindex(*counts)}


def test_shared_blocks_are_those_that_two_windows_have_in_common(in_module):
    rng = np.random.default_rng(6)
    for _ in range(12):
        demo = random_case(rng)
        rest = (0,) * (len(demo.window) - 1)
        first, second = blocks_in(demo, (*rest, 0)), blocks_in(demo, (*rest, 1))
        got = in_module(DistributedScan, MODEL, state_of(demo))["shared"]
        assert got == {"shared": len(first & second), "of": len(first)}


def test_blocks_that_do_not_cover_are_refused_as_python_does(in_module):
    rng = np.random.default_rng(7)
    refused = 0
    base = DistributedScan(window=12)
    for _ in range(40):
        widths, hops = rng.integers(1, 8, 2), rng.integers(1, 5, 2)
        options = {
            "levels": int(rng.integers(1, 4)),
            "widths": [[int(v)] for v in widths],
            "hops": [[int(v)] for v in hops],
        }
        fault = in_module(DistributedScan, MODEL, {**state_of(base), **options})["fault"]
        try:
            DistributedScan(
                **{name: tuple(v[0] for v in value) if name != "levels" else value for name, value in options.items()}
            )
        except ValueError as error:
            refused += 1
            assert fault is not None
            level = re.search(r"level (\d)", str(error))[1]
            assert fault["words"].startswith(f"level {level}")
        else:
            assert fault is None
    assert 8 < refused < 35


def test_what_is_proposed_for_blocks_that_do_not_cover_fits(in_module):
    base = state_of(DistributedScan())
    for width, hop in [(5, 3), (7, 3), (4, 5), (11, 2)]:
        words = in_module(DistributedScan, MODEL, {**base, "widths": [[width], [2]], "hops": [[hop], [1]]})["fault"][
            "words"
        ]
        widths, hops = re.search(r"At this hop, widths ([\d, ]+) fit; at this width, hops ([\d, ]+)", words).groups()
        for w in map(int, widths.split(", ")):
            DistributedScan(widths=(w, 1), hops=(hop, 1))
        for h in map(int, hops.split(", ")):
            DistributedScan(widths=(width, 1), hops=(h, 1))
        with pytest.raises(ValueError, match="cover"):
            DistributedScan(widths=(width, 1), hops=(hop, 1))


def thin(count):
    return f"{count:,}".replace(",", "\u2009")


@pytest.mark.parametrize("seed", range(4))
def test_every_number_shown_is_numpys(open_demo, seed):
    rng = np.random.default_rng(20 + seed)
    demo = random_case(rng, rank=1 + seed % 2)
    demo.position = int(rng.integers(demo.output[0].size))
    shown, dense = open_demo(demo), dense_layers(demo)
    rows = shown.table(0)
    for row, layer, filters in zip(rows, dense, demo.features, strict=False):
        units, inputs = layer.matrix.shape
        assert row[1:3] == [f"{units} × {inputs}", str(units // filters)]
        sizes = (layer.entry_count, layer.connection_count, layer.weight_count)
        assert row[3:] == [*map(thin, sizes), str(units), str(filters)]
    assert [shown.number(v) for v in rows[-1][3:6]] == [demo.parameters[name] for name in ("dense", "untied", "tied")]
    scores = shown.table(1)
    expected = np.moveaxis(demo.output, 0, -1).reshape(-1)
    np.testing.assert_allclose([shown.number(row[2]) for row in scores], expected, atol=6e-7)
    np.testing.assert_allclose([shown.number(row[3]) for row in scores], expected, atol=6e-7)
    assert all(float(row[4].replace("−", "-")) <= 1e-12 for row in scores)
    weights = shown.table(2)
    values = np.concatenate([W.ravel() for W, _ in demo.weights])
    np.testing.assert_allclose([shown.number(row[2]) for row in weights], values, atol=6e-7)
    copies = [layer.matrix.shape[0] // filters for layer, filters in zip(dense, demo.features, strict=True)]
    assert [int(row[3]) for row in weights] == [
        n for n, (W, _) in zip(copies, demo.weights, strict=True) for _ in W.ravel()
    ]
    bars = shown.root.locator(".bars text.strong").all_text_contents()
    assert bars == [thin(demo.parameters[name]) for name in ("dense", "untied", "tied")]
    at = np.unravel_index(demo.position, demo.output.shape[1:])
    words = shown.words(".words strong").split(", ")
    np.testing.assert_allclose([shown.number(w) for w in words], demo.output[(slice(None), *at)], atol=6e-5)
    sums = " → ".join(thin(demo.parameters[name]) for name in ("dense", "untied", "tied"))
    assert f"With biases: {sums}." in shown.words(".verdict")
    for i in range(3):
        number = shown.root.locator(f"[name=levels-{i + 1}] small").inner_text()
        if "parameter" in number:
            other = DistributedScan(**{**options_of(demo), "levels": i + 1})
            assert number.endswith(f": {thin(other.parameters['tied'])} parameters")
        elif demo.data["layers"] is None:
            with pytest.raises(ValueError, match="cover"):
                DistributedScan(**{**options_of(demo), "levels": i + 1})


def options_of(demo):
    options = {"x": np.array(demo.data["x"]), "window": demo.window, "widths": demo.widths, "hops": demo.hops}
    if demo.data["layers"] is None:
        return {**options, "features": demo.features}
    return {**options, "layers": demo.data["layers"]}


def shown_as(order, count, plane):
    """The rows (or columns) of the arrays in the order in which they are drawn."""
    return sorted(range(count), key=lambda k: (k % plane, k)) if order == "place" else range(count)


@pytest.mark.parametrize("order", ["place", "unit"])
@pytest.mark.parametrize("connected", [True, False])
def test_an_entry_names_its_weight_and_lights_its_copies(open_demo, order, connected):
    rng = np.random.default_rng(50 + connected)
    while True:
        demo = random_case(rng, rank=1 + connected)
        dense = dense_layers(demo)
        units, inputs = dense[0].matrix.shape
        places, below = units // demo.features[0], inputs // len(demo.data["x"])
        if places < units and places > 1 and below < inputs and demo.features[0] > 1:
            break
    demo.order = order
    shown = open_demo(demo)
    net = shown.root.locator(".matrices")
    for i, layer in enumerate(dense):
        assert net.locator(f".level-{i + 1} rect:not(.ground)").count() == layer.connection_count
    rows, columns = shown_as(order, units, places), shown_as(order, inputs, below)
    wanted = [
        (i, j) for i in range(units) for j in range(1, inputs) if (dense[0].ties[rows[i], columns[j]] >= 0) == connected
    ]
    down, right = wanted[int(rng.integers(len(wanted)))]
    net.focus()
    shown.press(*["ArrowRight"] * (right + 1), *["ArrowDown"] * down)
    row, column = rows[down], columns[right]
    words = shown.words()
    assert words.startswith(f"Layer 1, row {row}, column {column}: neuron {row // places} of block A at place ")
    if not connected:
        assert words.endswith("No connection: a structural zero, no parameter.")
        assert not shown.root.locator(".hot").get_attribute("d")
        return
    tie, W = dense[0].ties[row, column], demo.weights[0][0]
    index = np.unravel_index(tie, W.shape)
    text = re.search(r"w\[([\d, ]+)\] = (−?[\d.]+)", words)
    assert tuple(map(int, text[1].split(", "))) == tuple(map(int, index))
    assert shown.number(text[2]) == pytest.approx(W[index], abs=6e-5)
    copies = np.count_nonzero(dense[0].ties == tie)
    assert net.locator(".copies .line").get_attribute("d").count("M") == copies == places
    assert shown.root.locator(".hot").get_attribute("d").count("M") == copies


@pytest.mark.parametrize("seed", range(3))
def test_numpy_listing_computes_what_is_shown(open_demo, seed):
    demo = random_case(np.random.default_rng(70 + seed), rank=1 + seed % 2)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(open_demo(demo).listing("NumPy"), names)
    np.testing.assert_allclose(names["y"], demo.output, rtol=0, atol=1e-12)
    np.testing.assert_allclose(names["scores"], demo.output, rtol=0, atol=1e-12)
    for (M, bias), layer in zip(names["mlp"], dense_layers(demo), strict=True):
        np.testing.assert_array_equal(M, layer.matrix)
        np.testing.assert_array_equal(bias, layer.bias)
    assert {name: names[name] for name in ("untied", "tied")} | {"dense": names["entries"]} == demo.parameters
    assert f"tied {demo.parameters['tied']}" in printed.getvalue()


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(2))
def test_pytorch_listing_computes_what_is_shown(open_demo, seed):
    demo = random_case(np.random.default_rng(80 + seed), rank=1 + seed)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(open_demo(demo).listing("PyTorch"), names)
    np.testing.assert_allclose(names["y"].numpy(), demo.output, rtol=0, atol=1e-12)
    np.testing.assert_allclose(names["scores"].numpy(), demo.output, rtol=0, atol=1e-12)


def test_buttons_change_the_levels_and_sliders_the_blocks(open_demo):
    shown = open_demo(DistributedScan())
    for levels in (1, 3, 2):
        shown.root.locator(f"[name=levels-{levels}]").click()
        expect(shown.root.locator(f"[name=levels-{levels}]")).to_have_attribute("aria-pressed", "true")
        demo = DistributedScan(levels=levels)
        np.testing.assert_allclose([shown.number(row[2]) for row in shown.table(1)], demo.output[0], atol=6e-7)
        kind = "a dense first layer" if levels == 1 else "Another net, and a constrained one, not a rewriting"
        assert kind in shown.words(".verdict")
    for name, value, changed in [
        ("hop-0-0", 2, {"hops": (2, 1)}),
        ("width-0-0", 4, {"hops": (2, 1), "widths": (4, 2)}),
        ("features-1", 4, {"hops": (2, 1), "widths": (4, 2), "features": (3, 4, 1)}),
        ("window-0", 10, {"hops": (2, 1), "widths": (4, 2), "features": (3, 4, 1), "window": 10}),
    ]:
        shown.set(name, value)
        demo = DistributedScan(**changed)
        np.testing.assert_allclose([shown.number(row[2]) for row in shown.table(1)], demo.output[0], atol=6e-7)
        assert shown.root.locator(".bars text.strong").last.text_content() == str(demo.parameters["tied"])


def test_blocks_that_do_not_cover_say_why_and_come_back(open_demo):
    shown = open_demo(DistributedScan())
    shown.set("width-0-0", 5)
    assert shown.words(".answer") == "Blocks do not cover the window"
    assert "blocks of 5 at hop 3 cover 11 of 12 inputs" in shown.words()
    assert "blocks do not cover" in shown.root.locator("[name=levels-2]").inner_text()
    expect(shown.root.locator(".wiring")).to_be_hidden()
    assert shown.root.locator(".cover .cells").get_attribute("d").count("M") == 12
    assert shown.root.locator(".cover .bracket").get_attribute("d").count("M") == 3
    assert shown.root.locator(".cover .left").get_attribute("d").count("Z") == 1
    shown.set("width-0-0", 6)
    expect(shown.root.locator(".wiring")).to_be_visible()
    assert shown.words(".answer").startswith("Same scores")


def test_a_block_and_its_copies_light_up_in_both_pictures(open_demo):
    shown = open_demo(DistributedScan(levels=3))
    block = shown.root.locator(".block-part.level-1 rect").nth(1)
    corner = {"position": {"x": 8, "y": 6}}  # beside the circles, which stand for the same block
    block.hover(**corner)
    expect(shown.root.locator(".block-part.self")).to_have_count(1)
    expect(shown.root.locator(".block-part.copy")).to_have_count(2)
    assert shown.words() == (
        "Block A, place 1, reads inputs 3–8: 3 neurons × 6 inputs = 18 weights, 3 biases. "
        "All 3 blocks A hold the same 18 values."
    )
    assert shown.root.locator(".matrices .copies .line").get_attribute("d").count("M") == 3
    assert shown.root.locator(".matrices .self .line").get_attribute("d").count("M") == 1
    block.click(**corner)
    shown.root.locator("h3").hover()
    assert shown.words().startswith("Block A, place 1")
    block.click(**corner)
    shown.root.locator("h3").hover()
    assert shown.words().startswith("Window 0")


def test_everything_works_by_keyboard_alone(open_demo):
    shown = open_demo(DistributedScan(levels=3))
    shown.root.locator(".stage").focus()
    for key, start in [
        ("ArrowRight", "Window 1, inputs 3–14"),
        ("End", "Window 4, inputs 12–23"),
        ("Home", "Window 0"),
    ]:
        shown.press(key)
        assert shown.words().startswith(start)
    shown.root.locator(".wiring").focus()
    shown.press("ArrowRight", "ArrowRight", "ArrowDown")
    assert shown.words().startswith("Block B, place 1, reads places of A 1–2")
    shown.press("Enter")
    shown.root.locator("[name=levels-1]").focus()
    assert shown.words().startswith("Block B, place 1")
    shown.press("Enter")
    assert shown.words().startswith("Window 0")
    shown.set("speed", 16)
    shown.root.locator(".stage").focus()
    shown.press("Space")
    expect(shown.root.locator(".words")).to_contain_text("Window 4")


def test_a_score_that_is_clicked_moves_the_window(open_demo):
    shown = open_demo(DistributedScan(window=(5, 7)))
    shown.root.locator(".scores rect").nth(6).click()
    assert shown.words().startswith("Window (1, 2), rows 2–6, columns 4–10")


def test_own_net_fixes_its_sizes(open_demo):
    rng = np.random.default_rng(1)
    layers = [
        (rng.standard_normal((o, c * k)), rng.standard_normal(o)) for o, c, k in ((2, 1, 4), (2, 2, 3), (1, 2, 1))
    ]
    demo = DistributedScan(rng.standard_normal(14), layers=layers, window=8, widths=(4, 1), hops=(2, 1))
    shown = open_demo(demo)
    assert all(
        shown.root.locator(f"[name={name}]").is_disabled() for name in ("window-0", "hop-0-0", "features-2", "levels-1")
    )
    np.testing.assert_allclose([shown.number(row[2]) for row in shown.table(1)], demo.output[0], atol=6e-7)


def test_what_moves_on_the_page_and_in_python_reaches_the_other_side(page):
    demo = DistributedScan()
    page.set_content("<div id=here></div>")
    saved, words = page.evaluate(
        """async ([esm, state]) => {
          const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
          const { default: { render } } = await import(url);
          const [calls, saved] = [{}, {}];
          const model = {
            get: (name) => state[name], on: (event, call) => (calls[event] = call), off() {}, save_changes() {},
            set: (name, value) => (saved[name] = value),
          };
          render({ model, el: document.querySelector("#here") });
          state.levels = 3;
          calls["change:levels"]();
          state.position = 2;
          calls["change:position"]();
          const slider = document.querySelector("[name=features-0]");
          slider.value = 2;
          slider.dispatchEvent(new Event("input"));
          await new Promise((done) => setTimeout(done, 200));
          return [saved, document.querySelector(".words").textContent];
        }""",
        [str(demo._esm), state_of(demo)],
    )
    assert (saved["levels"], saved["features"], saved["position"]) == (3, [2, 2, 1], 2)
    assert words.startswith("Window 2, inputs 6–17")


@pytest.mark.parametrize("options", [{"levels": 3}, {"window": (5, 7), "levels": 2, "features": (6, 6, 2)}])
def test_narrow_page_has_no_horizontal_bar(new_page, show, options):
    page = new_page(viewport={"width": 360, "height": 700})
    show(page, DistributedScan(**options))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_both_forms_read_the_same_where_a_score_lies_between_two_roundings(open_demo):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 30)).round(1)
    options = {"window": 16, "widths": (4, 3), "hops": (2, 2), "levels": 3, "features": (5, 4, 2)}
    shown = open_demo(DistributedScan(x, **options))
    texts = shown.root.locator(".scores text").all_text_contents()
    assert texts[: len(texts) // 2] == texts[len(texts) // 2 :]
    assert len(texts) == 16
    assert all(row[2] == row[3] for row in shown.table(1))
