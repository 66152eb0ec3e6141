"""The volume view in Chromium: every number against NumPy and the op, and every way of moving it."""

import contextlib
import io

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab.demos import VolumeView
from cnnlab.geometry import ConvGeometry
from cnnlab.ops import conv_forward

MODES = ["zeros", "reflect", "replicate", "circular"]
PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def number(text):
    return float(text.replace("−", "-").replace("+", "").replace("\u2009", ""))


def random_layer(rng, rank, mode="zeros"):
    """A layer as traits: dense weights, and groups that divide its channels; strides, padding and dilation an axis."""
    groups = int(rng.integers(1, 4))
    channels, filters = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    kernel = rng.integers(1, 4, rank)
    limits = {"stride": (1, 4), "padding": (0, 3), "dilation": (1, 3)}
    options = {name: [int(n) for n in rng.integers(*limit, rank)] for name, limit in limits.items()}
    x = rng.standard_normal((channels, *rng.integers(5, 8, rank)))
    w = rng.standard_normal((filters, channels, *kernel))
    b = rng.standard_normal(filters) if rng.random() < 0.8 else None
    return {"x": x, "w": w, "b": b, **options, "groups": groups, "padding_mode": mode, "one_by_one": rng.random() < 0.2}


def plain(state):
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in state.items()}


def blocks(state):
    """The weights in use: the blocks of the dense ones, written as a loop."""
    w, groups = state["w"], state["groups"]
    if state["one_by_one"]:
        w = w[(..., *(slice(k // 2, k // 2 + 1) for k in w.shape[2:]))]
    depth = w.shape[1] // groups
    out = [w[j, j // (len(w) // groups) * depth :][:depth] for j in range(len(w))]
    return np.array(out)


def options_of(state):
    return {name: state[name] for name in ("stride", "padding", "dilation", "groups", "padding_mode")}


def maps_of(state):
    return conv_forward(state["x"][None], blocks(state), state["b"], **options_of(state))[0]


def partials_of(state, j):
    """What each channel of filter j's group contributes: the op on one plane and one slice."""
    w = blocks(state)
    depth = w.shape[1]
    first = j // (len(w) // state["groups"]) * depth
    options = {**options_of(state), "groups": 1}
    parts = [
        conv_forward(state["x"][None, c : c + 1], w[j : j + 1, c - first : c - first + 1], **options)[0, 0]
        for c in range(first, first + depth)
    ]
    return first, np.array(parts)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_maps_partial_maps_products_and_costs_are_those_of_the_op(in_module, rank):
    rng = np.random.default_rng(rank)
    cases = []
    while len(cases) < (30 if rank < 3 else 15):
        state = random_layer(rng, rank, MODES[len(cases) % 4])
        with contextlib.suppress(ValueError):  # a kernel larger than the input
            cases.append((state, maps_of(state), int(rng.integers(len(state["w"])))))
    at = [[int(rng.integers(n)) for n in maps.shape[1:]] for _, maps, _ in cases]
    got = in_module(
        VolumeView,
        """args.map(([state, filter, at]) => {
          const model = volumeModel(state);
          const position = [...Array(3 - at.length).fill(0), ...at];
          const [now, one] = [volumeCounts(model, state.groups), volumeCounts(model, 1)];
          const [parts, dot] = [partialMaps(model, filter), dotProduct(model, filter, position)];
          return { maps: model.maps, w: model.w, fault: model.fault, parts, dot, now, one };
        })""",
        *[[plain(state), j, place] for (state, _, j), place in zip(cases, at, strict=True)],
    )
    compared = 0
    for (state, maps, j), place, case in zip(cases, at, got, strict=True):
        assert case["fault"] is None
        np.testing.assert_allclose(np.reshape(case["maps"]["values"], maps.shape), maps, rtol=1e-12, atol=1e-12)
        w = blocks(state)
        np.testing.assert_array_equal(np.reshape(case["w"]["values"], w.shape), w)
        first, parts = partials_of(state, j)
        assert case["parts"]["first"] == first
        np.testing.assert_allclose(np.reshape(case["parts"]["values"], parts.shape), parts, rtol=1e-12, atol=1e-12)
        bias = 0 if state["b"] is None else state["b"][j]
        np.testing.assert_allclose(parts.sum(axis=0) + bias, maps[j], rtol=1e-11, atol=1e-12)
        pads = [(0, 0), *((p, p) for p in state["padding"])]
        padded = np.pad(state["x"], pads, mode=PAD_MODES[state["padding_mode"]])
        starts = [o * s for o, s in zip(place, state["stride"], strict=True)]
        window = tuple(
            slice(a, a + d * (k - 1) + 1, d) for a, d, k in zip(starts, state["dilation"], w.shape[2:], strict=True)
        )
        for c, channel in enumerate(case["dot"]):
            assert channel["channel"] == first + c
            patch = padded[(first + c, *window)].ravel()
            np.testing.assert_array_equal([term["input"] for term in channel["terms"]], patch)
            np.testing.assert_array_equal([term["weight"] for term in channel["terms"]], w[j, c].ravel())
            assert channel["sum"] == pytest.approx(parts[(c, *place)], rel=1e-12, abs=1e-12)
            compared += 2 * patch.size + 1
        for counts, groups in ((case["now"], state["groups"]), (case["one"], 1)):
            shape = (len(w), state["x"].shape[0] // groups, *w.shape[2:])
            layer = ConvGeometry.of_weight(shape, **{**options_of(state), "groups": groups})
            assert counts["parameters"] == layer.parameter_count(bias=state["b"] is not None)
            assert counts["macs"] == layer.mac_count(state["x"].shape)
        compared += maps.size + parts.size + w.size + 4
    assert compared > 1200


def test_group_counts_are_the_common_divisors(in_module):
    pairs = [[c, f] for c in range(1, 13) for f in range(1, 13)]
    got = in_module(VolumeView, "args[0].map(([c, f]) => divisors(c, f))", pairs)
    assert got == [[g for g in range(1, 13) if c % g == 0 and f % g == 0] for c, f in pairs]


# ---- the page

PAGES = [
    (2, {"groups": 1}),
    (2, {"groups": 2, "padding": (1, 2), "stride": (2, 1), "padding_mode": "reflect"}),
    (2, {"groups": 4, "dilation": (1, 2)}),
    (1, {"groups": 2, "stride": 2, "padding": 1, "padding_mode": "circular"}),
    (3, {"groups": 1, "padding": (1, 1, 0), "stride": (1, 2, 1)}),
]


def made(rank, options, bias=True):
    rng = np.random.default_rng(rank)
    x = rng.integers(-1, 2, (4, *(6, 5, 7)[3 - rank :]))
    w = rng.integers(-1, 2, (8, 4 // options["groups"], *(2, 3, 2)[3 - rank :]))
    return VolumeView(x, w, rng.integers(-2, 3, 8) if bias else None, **options)


def state_of(demo):
    names = ("x", "w", "b", "stride", "padding", "dilation", "groups", "padding_mode", "one_by_one")
    state = {name: getattr(demo, name) for name in names}
    return {**state, **{name: np.array(state[name]) for name in ("x", "w", "b") if state[name] is not None}}


@pytest.mark.parametrize(("rank", "options"), PAGES)
def test_every_number_on_the_page_is_numpys(open_demo, rank, options):
    demo_made = made(rank, options, bias=rank != 3)
    state = state_of(demo_made)
    maps, w = maps_of(state), blocks(state)
    np.testing.assert_allclose(demo_made.output, maps, rtol=1e-12, atol=1e-12)
    demo = open_demo(demo_made)
    outputs = maps.shape[1:]
    groups, depth = demo_made.groups, w.shape[1]
    pads = [(0, 0), *((p, p) for p in state["padding"])]
    padded = np.pad(state["x"], pads, mode=PAD_MODES[demo_made.padding_mode])

    for j, step in ((0, 0), (3, 1), (7, int(np.prod(outputs)) - 1)):
        demo.set("filter", j)
        demo.set("position", step)
        place = tuple(int(i) for i in np.unravel_index(step, outputs))
        first, parts = partials_of(state, j)
        head = demo_slice = ()
        if rank == 3:
            demo.set("tap", 1)
            head, demo_slice = (place[0],), (1,)
        for c in range(depth):
            at = (place[0] * state["stride"][0] + state["dilation"][0],) if rank == 3 else ()
            seen = demo.cells(f"plane-{c}")
            np.testing.assert_allclose([number(t) for t in seen], padded[(first + c, *at)].ravel(), atol=0.051)
            slice_ = demo.cells(f"slice-{c}")
            np.testing.assert_allclose([number(t) for t in slice_], w[(j, c, *demo_slice)].ravel(), atol=1e-9)
            shown = demo.cells(f"partial-{c}")
            assert shown
            np.testing.assert_allclose([number(t) for t in shown], parts[(c, *head)].ravel(), atol=0.051)
            sums = demo.root.locator(".channel .sum").all_text_contents()
            assert number(sums[c].removeprefix("= ")) == pytest.approx(parts[(c, *place)], abs=0.0051)
        np.testing.assert_allclose([number(t) for t in demo.cells("map")], maps[(j, *head)].ravel(), atol=0.051)

        words = demo.words()
        names = {1: ["position"], 2: ["row", "column"], 3: ["depth", "row", "column"]}[rank]
        assert ", ".join(f"{n} {i}" for n, i in zip(names, place, strict=True)) in words
        found = [
            number(part.split(": ")[1].split(";")[0])
            for part in words.split(": ", 1)[1].replace(", bias", ", bias channel").split(", ")
        ]
        expected = [*parts[(slice(None), *place)], *([] if state["b"] is None else [state["b"][j]])]
        np.testing.assert_allclose(found, expected, atol=6e-5)
        assert number(demo.words(".words strong")) == pytest.approx(maps[(j, *place)], abs=6e-5)
        assert f"{w[0].size}-dimensional dot product" in demo.words(".explain .verdict")

        terms, rows = demo.table(0), demo.table(1)
        starts = [o * s for o, s in zip(place, state["stride"], strict=True)]
        window = tuple(
            slice(a, a + d * (k - 1) + 1, d) for a, d, k in zip(starts, state["dilation"], w.shape[2:], strict=True)
        )
        patch = padded[(slice(first, first + depth), *window)]
        assert [int(row[0]) for row in terms] == np.repeat(np.arange(first, first + depth), w[j, 0].size).tolist()
        np.testing.assert_allclose([number(row[3]) for row in terms], patch.ravel(), atol=1e-6)
        np.testing.assert_allclose([number(row[4]) for row in terms], w[j].ravel(), atol=1e-6)
        np.testing.assert_allclose([number(row[5]) for row in terms], (patch * w[j]).ravel(), atol=1e-6)
        columns = np.array([[number(t) for t in row] for row in rows])
        np.testing.assert_array_equal(columns[:, :rank], list(np.ndindex(*outputs)))
        np.testing.assert_allclose(columns[:, rank : rank + depth], parts.reshape(depth, -1).T, atol=1e-6)
        np.testing.assert_allclose(columns[:, -1], maps[j].ravel(), atol=1e-6)

    layer = ConvGeometry.of_weight(w.shape, **options_of(state))
    costs = demo.root.locator(".costs td:nth-of-type(1)").all_text_contents()[-3:]
    bias = state["b"] is not None
    assert costs[0] == " × ".join(map(str, maps.shape))
    assert number(costs[1].split("= ")[1]) == layer.parameter_count(bias=bias)
    assert number(costs[2].split("= ")[1]) == layer.mac_count(state["x"].shape)
    whole = ConvGeometry.of_weight((8, 4, *w.shape[2:]), **{**options_of(state), "groups": 1})
    others = demo.root.locator(".costs td:nth-of-type(2)").all_text_contents()[-3:]
    if groups > 1:
        assert number(others[1].split("= ")[1]) == whole.parameter_count(bias=bias)
        assert number(others[2].split("= ")[1]) == whole.mac_count(state["x"].shape)
    assert demo.words(".answer") == f"Output {costs[0]}"
    assert f"N × {' × '.join(map(str, state['x'].shape))} → N × {costs[0]}" in demo.words(".costs .verdict")

    ran = {}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(demo.listing("NumPy"), ran)
    np.testing.assert_allclose(ran["y"], maps, rtol=1e-12, atol=1e-12)
    assert f"{layer.parameter_count(bias=bias)} parameters" in out.getvalue()


@pytest.mark.oracle
@pytest.mark.parametrize(("rank", "options"), PAGES)
def test_pytorchs_listing_gives_the_numbers_shown(open_demo, rank, options):
    demo_made = made(rank, options, bias=rank != 3)
    demo = open_demo(demo_made)
    ran = {}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(demo.listing("PyTorch"), ran)
    np.testing.assert_allclose(ran["y"].numpy(), demo_made.output, rtol=1e-12, atol=1e-12)
    parameters = demo_made.weight.size + (0 if demo_made.b is None else 8)
    assert f"{parameters} parameters" in out.getvalue()


def test_the_decks_example_counts_760_and_768000(open_demo):
    demo = open_demo(VolumeView())
    demo.root.locator("[name=example]").select_option(label="Deck: 3 × 32 × 32")
    costs = demo.root.locator(".costs td").all_text_contents()[-3:]
    assert costs == ["10 × 32 × 32", "10·3·5·5 + 10 = 760", "10·32·32 outputs × 75 = 768\u2009000"]
    assert "75-dimensional dot product" in demo.words(".explain .verdict")
    assert demo.root.locator(".maps img").count() == 10
    ran = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(demo.listing("NumPy"), ran)  # many numbers: written as bytes
    expected = conv_forward(ran["x"][None], ran["w"], ran["b"], padding=2)[0]
    np.testing.assert_allclose(ran["y"], expected, rtol=1e-12, atol=1e-12)
    rows = np.array([[number(t) for t in row] for row in demo.table(1)])
    np.testing.assert_allclose(rows[:, -1], expected[0].ravel(), atol=1e-6)
    demo.set("padding-height", 0)
    demo.set("padding-width", 0)
    assert demo.words(".answer") == "Output 10 × 28 × 28"


def test_pixels_have_the_colors_of_the_numbers(open_demo):
    rng = np.random.default_rng(0)
    x = rng.random((1, 20, 30))
    demo = open_demo(VolumeView(x, [[[[1.0]]]]))
    pixels = """async (image) => {
      const picture = new Image();
      picture.src = image.getAttribute("href");
      await picture.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
      const context = canvas.getContext("2d");
      context.drawImage(picture, 0, 0);
      return [picture.height, picture.width, [...context.getImageData(0, 0, picture.width, picture.height).data]];
    }"""
    rows, columns, data = demo.root.locator('[data-grid="plane-0"] image').evaluate(pixels)
    assert (rows, columns) == (20, 30)
    np.testing.assert_array_equal(np.reshape(data, (20, 30, 4))[..., 0], np.floor(255 * x[0] / x.max() + 0.5))
    rows, columns, data = demo.root.locator(".cards.out image").first.evaluate(pixels)
    red = np.reshape(data, (rows, columns, 4))[..., 0].ravel()
    order = np.argsort(x[0].ravel())
    assert (rows, columns) == (20, 30)
    assert (np.diff(red[order].astype(int)) <= 0).all()  # white is 0; the larger, the darker


def test_groups_keep_blocks_of_the_given_weights(open_demo):
    given = VolumeView()
    demo = open_demo(given)
    slider = demo.root.locator("[name=groups]")
    assert (slider.get_attribute("max"), slider.get_attribute("aria-valuetext")) == ("1", "1")
    demo.set("groups", 1)
    assert slider.get_attribute("aria-valuetext") == "3 (depthwise)"
    given.groups = 3
    for j in range(6):
        demo.set("filter", j)
        assert demo.root.locator('[data-grid="plane-0"] .title').inner_html().startswith(f"Channel {j // 2}")
        np.testing.assert_allclose([number(t) for t in demo.cells("slice-0")], given.weight[j, 0].ravel(), atol=1e-9)
        np.testing.assert_allclose([number(t) for t in demo.cells("map")], given.output[j].ravel(), atol=0.0051)
    assert "groups = 3: filter 5 sees channel 2 of 3 only" in demo.words(".explain .verdict")
    assert demo.root.locator(".cards:not(.out) .unseen").count() == 2


def test_weights_given_for_groups_are_zero_elsewhere_and_say_so(open_demo):
    demo = open_demo(made(2, {"groups": 2}))
    before = demo.cells("map")
    demo.set("groups", 0)
    assert demo.cells("map") == before
    assert demo.cells("slice-2") == ["0"] * 6
    assert "were given for groups = 2; the others are 0" in demo.words(".explain .verdict")


def test_one_by_one_keeps_the_center_taps_and_comes_back(open_demo):
    small = VolumeView()
    given = VolumeView(2 * np.array(small.x), 2 * np.array(small.w), padding=1)  # whole numbers
    demo = open_demo(given)
    demo.root.locator("[name=one_by_one]").check()
    given.padding, given.one_by_one = [0, 0], True
    assert demo.words(".answer") == "Output 6 × 7 × 7"
    np.testing.assert_allclose([number(t) for t in demo.cells("map")], given.output[0].ravel(), atol=0.051)
    assert "a perceptron over the depth of the stack, 3 weights." in demo.words(".explain .verdict")
    demo.root.locator("[name=one_by_one]").uncheck()
    given.padding, given.one_by_one = [1, 1], False
    np.testing.assert_allclose([number(t) for t in demo.cells("map")], given.output[0].ravel(), atol=0.051)


def test_inputs_and_weights_are_typed_over(open_demo):
    given = VolumeView()
    demo = open_demo(given)
    x, w = np.array(given.x), np.array(given.w)
    demo.root.locator('[data-grid="plane-1"]').focus()
    demo.press("ArrowDown", "ArrowRight", "3", "Enter")
    x[1, 1, 1] = 3
    demo.root.locator('[data-grid="slice-2"]').focus()
    demo.press("ArrowRight", "-", "2", "Enter")
    w[2, 2, 0, 1] = -2
    given.x, given.w = x.tolist(), w.tolist()
    np.testing.assert_allclose([number(t) for t in demo.cells("map")], given.output[2].ravel(), atol=0.051)


def test_the_window_is_pulled_over_a_plane_and_a_click_picks(open_demo):
    demo = open_demo(VolumeView())
    box = demo.root.locator('[data-grid="plane-0"] .cells').bounding_box()
    cell, mouse = box["width"] / 7, demo.page.mouse
    mouse.move(box["x"] + 3.5 * cell, box["y"] + 3.5 * cell)
    mouse.down()
    mouse.move(box["x"] + 5.5 * cell, box["y"] + 1.5 * cell, steps=4)
    mouse.up()
    assert "row 0, column 4:" in demo.words()
    assert demo.root.locator(".cell-input").count() == 0  # a pull is no click
    demo.root.locator('[data-grid="map"] .cells rect').nth(11).click()
    assert "row 2, column 1:" in demo.words()
    demo.root.locator('[data-grid="partial-1"] .cells rect').nth(3).click()
    assert "row 0, column 3:" in demo.words()
    demo.root.locator('[data-grid="map"] .cells rect').nth(0).hover()
    assert demo.root.locator(".tooltip").inner_text() == f"activation map 2 [0, 0] = {demo.cells('map')[0]}"


def test_what_has_no_output_says_why_and_what_to_change(open_demo):
    demo = open_demo(VolumeView())
    demo.set("dilation-height", 4)
    assert demo.words() == (
        "There is no output: along the height the kernel covers 9 and the padded input has only 7. Add padding, "
        "or take a smaller dilation."
    )
    assert demo.words(".answer") == "No output"
    demo.set("padding-height", 1)
    assert demo.words(".answer") == "Output 6 × 1 × 5"
    small = open_demo(VolumeView(np.ones((1, 3, 3)), np.ones((1, 1, 1, 1))))
    small.set("padding_mode", "reflect")
    small.set("padding-width", 3)
    assert "padding 3 with “reflect” needs an input of at least 4, not 3, along the width" in small.words()


def test_many_channels_are_shown_in_parts(open_demo):
    rng = np.random.default_rng(0)
    given = VolumeView(rng.integers(0, 5, (9, 4, 4)), rng.integers(-3, 4, (2, 9, 2, 2)))
    demo = open_demo(given)
    first = demo.root.locator("[name=first]")
    assert (first.get_attribute("max"), demo.root.locator(".channel:not([display])").count()) == ("5", 4)
    demo.set("first", 5)
    np.testing.assert_allclose([number(t) for t in demo.cells("plane-3")], np.ravel(given.x[8]), atol=1e-9)
    assert "sum of 9 partial maps (4 shown)" in demo.root.locator("svg text.small").all_text_contents()
    assert "(2 more)" in demo.words()


FOCUSED = (
    "(({ dataset, name, className, tagName }) => dataset.grid || name || className || tagName)(document.activeElement)"
)


def test_every_control_works_by_keyboard_alone(open_demo):
    demo = open_demo(VolumeView())
    seen = []
    for _ in range(29):
        demo.press("Tab")
        seen.append(demo.page.evaluate(FOCUSED))
    grids = [f"{name}-{i}" for i in range(3) for name in ("plane", "slice")]
    assert seen[:9] == ["stage", *grids, "map", "map"]  # the large map, then the row of maps
    assert seen[9:18] == ["start", "back", "play", "forward", "position", "speed", "example", "filter", "groups"]
    assert seen[18:24] == [
        f"{name}-{axis}" for name in ("stride", "padding", "dilation") for axis in ("height", "width")
    ]
    assert seen[24:28] == ["padding_mode", "one_by_one", "SUMMARY", "SUMMARY"]
    demo.root.locator(".stage").focus()
    moves = [
        ("ArrowUp", 7),
        ("ArrowLeft", 6),
        ("ArrowDown", 11),
        ("ArrowRight", 12),
        ("End", 24),
        ("ArrowDown", 24),
        ("Home", 0),
    ]
    for key, step in moves:
        demo.press(key)
        assert demo.root.locator("[name=position]").input_value() == str(step)
    demo.root.locator("[name=map]").nth(2).focus()
    demo.press("ArrowRight")
    assert demo.words().startswith("Filter 3 at")
    demo.root.locator('[data-grid="map"]').focus()
    demo.press("ArrowDown", "Enter")
    assert "row 1, column 0" in demo.words()


def test_it_plays_to_the_end(open_demo):
    demo = open_demo(VolumeView(np.ones((1, 9)), np.ones((1, 1, 4))))
    demo.set("speed", "16")
    demo.root.locator(".stage").focus()
    demo.press(" ")
    expect(demo.root.locator("[name=position]")).to_have_value("5")


RIGHTMOST = """() => {
  const nodes = [...document.querySelectorAll(".stage svg text, .stage svg rect, .stage svg path")];
  const seen = nodes.filter((node) => getComputedStyle(node).visibility === "visible");
  return Math.max(...seen.map((node) => node.getBoundingClientRect().right));
}"""


def test_it_fits_a_narrow_page_with_every_example(new_page, show):
    page = new_page(viewport={"width": 360, "height": 700})
    show(page, VolumeView())
    page.locator("details").evaluate_all("nodes => nodes.forEach((node) => (node.open = true))")
    for i in range(5):
        page.locator("[name=example]").select_option(index=i)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate(RIGHTMOST) <= 360


MODEL = """([esm, state]) => {
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  return import(url).then((module) => {
    const calls = {};
    window.saved = [];
    window.assign = (name, value) => {
      state[name] = value;
      (calls[`change:${name}`] ?? []).forEach((call) => call());
    };
    const model = {
      get: (name) => state[name],
      set: (name, value) => (state[name] = value),
      on: (event, call) => (calls[event] ??= []).push(call),
      off: () => {},
      save_changes: () => window.saved.push(structuredClone(state)),
    };
    document.body.replaceChildren();
    module.default.render({ model, el: document.body });
  });
}"""


def test_state_comes_from_python_and_goes_back(page):
    demo = VolumeView()
    page.set_content(f"<style>{demo._css}</style>")
    page.evaluate(MODEL, [str(demo._esm), {name: getattr(demo, name) for name in demo.traits(demo=True)}])
    words = page.locator(".words")
    page.evaluate("assign('filter', 5)")
    page.evaluate("assign('step', 6)")
    demo.filter, demo.step = 5, 6
    assert words.inner_text().startswith("Filter 5 at row 1, column 1")
    page.evaluate("assign('groups', 3)")
    demo.groups = 3
    assert number(page.locator(".words strong").inner_text()) == pytest.approx(demo.output[5, 1, 1])
    page.locator("[name=example]").select_option(index=3)  # another rank
    page.wait_for_function("saved.length === 1")
    kept = page.evaluate("saved[0]")
    assert (kept["stride"], kept["groups"], kept["step"], np.shape(kept["w"])) == ([1], 1, 8, (4, 3, 5))
    with demo.hold_trait_notifications():  # as one message of the page is taken
        for name, value in kept.items():
            setattr(demo, name, value)
    assert number(page.locator(".words strong").inner_text()) == pytest.approx(demo.output[0, 8], abs=6e-5)
