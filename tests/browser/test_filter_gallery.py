"""The filter gallery in Chromium: maps, patches and sums against cnnlab and NumPy, and every way of moving it."""

import contextlib
import io
import re

import numpy as np
import pytest

from cnnlab import nn
from cnnlab.demos import FilterGallery

NAMES = ["flower", "disc", "leaf"]


def in_float64(net):
    """Round all numbers to float32, as the demo gets them, and compute with them in float64."""
    for _, value in net._named_values():
        value.data = value.data.astype(np.float32).astype(np.float64)
    return net.eval()


def nets(rng):
    """Chains with awkward shapes: strides that do not divide, paddings, modes, groups, every layer that is followed."""
    exact = {"rng": rng, "dtype": "float64"}
    norm = nn.BatchNorm2d(6, dtype="float64")
    for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        values.data = rng.uniform(0.5, 1.5, 6)
    yield (
        "plain",
        (3, 13, 16),
        nn.Sequential(
            nn.Conv2d(3, 4, (3, 5), **exact),
            nn.ReLU(),
            nn.MaxPool2d((2, 3)),
            nn.Conv2d(4, 5, (2, 3), padding=1, **exact),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(5 * 6 * 4, 3, **exact),
        ),
    )
    yield (
        "options",
        (3, 12, 11),
        nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=(2, 1), padding=(1, 2), padding_mode="reflect", **exact),
            norm,
            nn.Tanh(),
            nn.AvgPool2d((3, 2), stride=(1, 2), padding=1, ceil_mode=True),
            nn.Conv2d(6, 4, (3, 2), dilation=(1, 2), groups=2, bias=False, **exact),
            nn.Sigmoid(),
            nn.MaxPool2d(2, stride=1, padding=1),
            nn.Sequential(nn.Dropout(0.5), nn.GlobalPool("softmax", 0.3)),
            nn.Linear(4, 3, **exact),
        ),
    )
    yield (
        "grey",
        (1, 10, 14),
        nn.Sequential(
            nn.Conv2d(1, 3, (4, 3), padding="same", padding_mode="circular", **exact),
            nn.AvgPool2d(2, padding=1, count_include_pad=False, ceil_mode=True),
            nn.Conv2d(3, 2, 2, stride=2, padding=1, padding_mode="replicate", **exact),
            nn.MaxPool2d((1, 2), dilation=2),
        ),
    )
    yield (
        "norm first",
        (3, 9, 8),
        nn.Sequential(nn.BatchNorm2d(3, dtype="float64"), nn.Conv2d(3, 2, 3, **exact), nn.ReLU(), nn.GlobalPool("max")),
    )


def cases():
    rng = np.random.default_rng(8)
    for name, shape, net in nets(rng):
        pictures = rng.standard_normal((6, *shape)).astype(np.float32)
        labels = np.arange(6) % 3
        yield name, in_float64(net), pictures, labels


CASES = {name: (net, pictures, labels) for name, net, pictures, labels in cases()}


def flat(net):
    for layer in net:
        yield from flat(layer) if isinstance(layer, nn.Sequential) else (layer,)


def outputs_of(net, pictures):
    """Return what every layer gives, for all pictures, in float64."""
    found = [pictures.astype(np.float64)]
    for layer in flat(net):
        found.append(layer(found[-1]))
    return found


def map_layers(net, outputs):
    first = next(i for i, layer in enumerate(flat(net)) if isinstance(layer, nn.Conv2d))
    return [i for i, y in enumerate(outputs[1:]) if y.ndim == 4 and i >= first]


MODEL = "const layers = withNumbers(args[0].layers, unpack(args[1]).values); const pictures = unpack(args[0].pictures);"


@pytest.mark.parametrize("name", CASES)
def test_every_output_of_every_layer_equals_cnnlabs(in_module, name):
    net, pictures, labels = CASES[name]
    demo = FilterGallery(net, pictures, labels)
    expression = f"""(() => {{ {MODEL}
      const search = new PatchSearch(pictures, () => {{}});
      return [0, 1, 2, 3, 4, 5].map((n) => forward(layers, search.picture(n)).map(({{ values }}) => values)); }})()"""
    got = in_module(FilterGallery, expression, demo.data, demo.records[-1]["weights"])
    for i, wanted in enumerate(outputs_of(net, pictures)):
        values = np.array([outputs[i] for outputs in got]).reshape(wanted.shape)
        np.testing.assert_allclose(values, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_best_patches_are_those_of_numpy(in_module, name):
    net, pictures, labels = CASES[name]
    demo = FilterGallery(net, pictures, labels)
    outputs = outputs_of(net, pictures)
    chosen = [(i, f) for i in map_layers(net, outputs) for f in range(outputs[i + 1].shape[1])]
    expression = f"""(() => {{ {MODEL}
      const search = new PatchSearch(pictures, () => {{}});
      return args[2].map(([layer, filter]) => {{
        search.start(layers, "v", layer, filter);
        while (!search.done) search.work();
        search.stop();
        return search.best(4);
      }}); }})()"""
    got = in_module(FilterGallery, expression, demo.data, demo.records[-1]["weights"], chosen)
    for (layer, filter_), found in zip(chosen, got, strict=True):
        maps = outputs[layer + 1][:, filter_]
        most = maps.reshape(len(maps), -1).max(axis=1)
        order = np.argsort(-most, kind="stable")[:4]
        np.testing.assert_allclose([patch["value"] for patch in found], most[order], rtol=1e-12)
        for patch in found:
            assert most[patch["picture"]] == pytest.approx(patch["value"], rel=1e-12)
            assert maps[patch["picture"]][tuple(patch["cell"])] == pytest.approx(patch["value"], rel=1e-12)


def test_a_cell_sees_the_pixels_of_its_receptive_field_and_no_others(in_module):
    rng = np.random.default_rng(1)
    net = in_float64(
        nn.Sequential(
            nn.Conv2d(3, 2, 3, stride=(2, 1), padding=(1, 2), rng=rng, dtype="float64"),
            nn.AvgPool2d((3, 2), stride=(1, 2), padding=1),
            nn.Tanh(),
            nn.Conv2d(2, 2, (2, 3), dilation=(1, 2), rng=rng, dtype="float64"),
        )
    )
    x = rng.standard_normal((1, 3, 15, 16))
    demo = FilterGallery(net, x)
    outputs = outputs_of(net, x)
    chosen = [(i, [int(r), int(c)]) for i in range(4) for r, c in np.ndindex(outputs[i + 1].shape[2:])]
    expression = f"(() => {{ {MODEL} return args[2].map(([layer, cell]) => pixelsSeen(layers, layer, cell)); }})()"
    got = in_module(FilterGallery, expression, demo.data, demo.records[-1]["weights"], chosen)
    rows, columns = x.shape[2:]
    moved = np.repeat(x, rows * columns, axis=0)  # one picture for each pixel that is changed
    for i, (r, c) in enumerate(np.ndindex(rows, columns)):
        moved[i, :, r, c] += rng.standard_normal(3)
    changed = outputs_of(net, moved)
    for (layer, (i, j)), field in zip(chosen, got, strict=True):
        # Not to the last bit: a batch may be summed up in another order than one picture.
        differs = ~np.isclose(changed[layer + 1], outputs[layer + 1], rtol=1e-9, atol=1e-12)
        sees = differs[:, :, i, j].any(axis=1).reshape(rows, columns)
        seen_rows, seen_columns = (np.flatnonzero(sees.any(axis=axis)) for axis in (1, 0))
        for seen, start, size, side in (
            (seen_rows, field["row"], field["rows"], rows),
            (seen_columns, field["column"], field["columns"], columns),
        ):
            inside = [place for place in range(start, start + size) if 0 <= place < side]
            assert (list(seen[[0, -1]]) if seen.size else []) == (
                inside[:: len(inside) - 1] if len(inside) > 1 else inside * 2
            )


@pytest.mark.parametrize("name", CASES)
def test_the_products_behind_a_cell_add_up_to_it(in_module, name):
    net, pictures, labels = CASES[name]
    demo = FilterGallery(net, pictures, labels)
    rng = np.random.default_rng(2)
    outputs = outputs_of(net, pictures[2:3])
    chosen = []
    for i in map_layers(net, outputs):
        _, filters, *size = outputs[i + 1].shape
        chosen += [(i, int(rng.integers(filters)), [int(rng.integers(n)) for n in size]) for _ in range(4)]
    expression = f"""(() => {{ {MODEL}
      const outputs = forward(layers, new PatchSearch(pictures, () => {{}}).picture(2));
      return args[2].map(([layer, filter, cell]) => {{
        const trace = traceBack(layers, outputs, layer, filter, cell);
        return {{ trace, taps: productsAt(outputs[trace.stage], layers[trace.stage], filter, trace.cell) }};
      }}); }})()"""
    got = in_module(FilterGallery, expression, demo.data, demo.records[-1]["weights"], chosen)
    layers = list(flat(net))
    for (layer, filter_, cell), found in zip(chosen, got, strict=True):
        taps, trace = found["taps"], found["trace"]
        stage = trace["stage"]
        assert isinstance(layers[stage], nn.Conv2d)
        assert not any(isinstance(later, nn.Conv2d) for later in layers[stage + 1 : layer + 1])
        sums = np.array(taps["inputs"]) * np.array(taps["weights"])
        np.testing.assert_allclose(taps["products"], sums, rtol=1e-12, atol=1e-15)
        value = outputs[stage + 1][0, filter_][tuple(trace["cell"])]
        assert sums.sum() + taps["bias"] == pytest.approx(value, rel=1e-10, abs=1e-12)
        assert sum(taps["sums"]) + taps["bias"] == pytest.approx(value, rel=1e-10, abs=1e-12)
        np.testing.assert_array_equal(taps["weights"], layers[stage].weight.data[filter_].ravel())
        for step in trace["chain"]:
            assert outputs[step["layer"] + 1][0, filter_][tuple(step["cell"])] == pytest.approx(
                step["value"], rel=1e-12
            )
        assert trace["chain"][-1]["cell"] == cell
        for before, step in zip(trace["chain"], trace["chain"][1:], strict=False):
            if step["kind"] == "max":
                assert step["value"] == before["value"] == max(step["window"])


def plain(text):
    return float(text.replace("−", "-").replace("+", "").replace("\u2009", ""))


def shown(demo):
    """Return the tables of the page by the first words of their captions."""
    demo.unfold()
    tables = demo.root.locator("[data-part=numbers] table")
    tables.first.wait_for()
    cells = "[...t.tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent))"
    return dict(tables.evaluate_all(f"ts => ts.map((t) => [t.caption.textContent, {cells}])"))


def starting(tables, words):
    return next(table for caption, table in tables.items() if caption.startswith(words))


def wait_for_search(demo):
    demo.root.locator('[data-board="patches"] text.title', has_text=re.compile(r"of \d+ picture")).wait_for()


@pytest.mark.parametrize(
    ("name", "layer", "filter_"), [("plain", 0, 1), ("plain", 2, 3), ("plain", 4, 4), ("options", 6, 2), ("grey", 3, 1)]
)
def test_every_number_on_the_page_equals_cnnlabs(open_demo, name, layer, filter_):
    net, pictures, labels = CASES[name]
    outputs = outputs_of(net, pictures)
    scored = outputs[-1].ndim == 2
    templates = np.random.default_rng(3).standard_normal((4, *pictures.shape[1:])).astype(np.float32)
    view = FilterGallery(net, pictures, labels, names=NAMES, templates=templates)
    view.picture, view.layer, view.filter = 2, layer, filter_
    demo = open_demo(view)
    wait_for_search(demo)
    tables = shown(demo)
    maps = outputs[layer + 1][2]
    rows = starting(tables, "The maps after layer")
    assert len(rows) == len(maps)
    for f, row in enumerate(rows):
        assert [plain(t) for t in row[2:5]] == pytest.approx([maps[f].min(), maps[f].mean(), maps[f].max()], abs=6e-7)
        assert (int(row[5]), int(row[6])) == np.unravel_index(maps[f].argmax(), maps[f].shape)
    table = [[plain(text) for text in row[1:]] for row in starting(tables, f"Map {filter_} after")]
    np.testing.assert_allclose(table, maps[filter_], atol=6e-7)
    if scored:
        scores = outputs[-1][2]
        chances = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        rows = starting(tables, "Class scores")
        assert [row[0] for row in rows] == NAMES
        np.testing.assert_allclose([plain(row[1]) for row in rows], scores, atol=6e-7)
        np.testing.assert_allclose([plain(row[2]) for row in rows], chances, atol=6e-7)
        best = int(chances.argmax())
        answer = demo.words(".answer")
        assert answer.startswith(f"{NAMES[best]}, {chances[best]:.3f}")
        assert (f"(is {NAMES[labels[2]]})" in answer) == (best != labels[2])
        bars = demo.root.locator(".scores text.value").all_text_contents()
        assert [plain(text) for text in bars] == pytest.approx(chances.tolist(), abs=6e-4)
    else:
        assert demo.root.locator(".scores").text_content().startswith("Class scoresNone:")
    most = outputs[layer + 1][:, filter_].reshape(len(pictures), -1)
    order = np.argsort(-most.max(axis=1), kind="stable")
    rows = starting(tables, "The patches that excite")
    assert [int(row[1]) for row in rows] == order.tolist()
    np.testing.assert_allclose([plain(row[5]) for row in rows], most.max(axis=1)[order], atol=6e-7)
    assert [row[2] for row in rows] == [NAMES[labels[n]] for n in order]
    captions = demo.root.locator('[data-board="patches"] text.value').all_text_contents()
    assert [plain(text) for text in captions] == pytest.approx(most.max(axis=1)[order].tolist(), abs=0.00501)
    sums = (templates.astype(float) * pictures[2]).sum(axis=(1, 2, 3))
    np.testing.assert_allclose([plain(row[1]) for row in starting(tables, "Templates")], sums, atol=6e-7)
    captions = demo.root.locator('[data-board="templates"] text.value').all_text_contents()
    assert [plain(text) for text in captions] == pytest.approx(sums.tolist(), abs=0.00501)

    rows = starting(tables, "The products behind")
    inputs, weights, products = (np.array([plain(row[k]) for row in rows]) for k in (3, 4, 5))
    np.testing.assert_allclose(products, inputs * weights, atol=3e-6)
    words = demo.words()
    assert f"{len(rows)} products" in words
    bias = re.search(r"bias ([+−]\d+\.\d+)", words)
    total = products.sum() + (plain(bias[1]) if bias else 0)
    assert plain(demo.words(".words strong")) == pytest.approx(total, abs=2e-3)
    parts = [plain(text) for text in re.findall(r"(?:red|green|blue|grey|map \d+|more) ([+−]?\d+\.\d+)", words)]
    assert sum(parts) == pytest.approx(products.sum(), abs=3e-3)
    i, j = np.unravel_index(maps[filter_].argmax(), maps[filter_].shape)
    assert words.startswith(f"Filter {filter_} at row {i}, column {j} of its map")
    last = maps[filter_].max()
    if layer in {2, 6}:
        assert f"is {last:+.3f}".replace("-", "−") in words


def test_the_default_tells_most_of_its_pictures_apart(in_module):
    demo = FilterGallery()
    expression = f"""(() => {{ {MODEL}
      const search = new PatchSearch(pictures, () => {{}});
      const scores = (n) => forward(layers, search.picture(n)).at(-1).values;
      return Array.from({{ length: search.count }}, (_, n) => scores(n)); }})()"""
    scores = np.array(in_module(FilterGallery, expression, demo.data, demo.records[-1]["weights"]))
    assert (scores.argmax(axis=1) == np.array(demo.data["labels"])).mean() > 0.9


def training():
    rng = np.random.default_rng(4)
    make = [
        nn.Sequential(nn.Conv2d(3, 4, 3, rng=np.random.default_rng(seed)), nn.ReLU(), nn.MaxPool2d(2))
        for seed in range(5)
    ]
    pictures = rng.random((8, 3, 9, 11)).astype(np.float32)
    demo = FilterGallery(make[0], pictures)
    for epoch, net in enumerate(make[1:], start=1):
        demo.update(net, loss=1 / epoch, accuracy=1 - 0.5 / epoch)
    return demo, [in_float64(net) for net in make], pictures


def test_scrubbing_shows_the_maps_of_each_epoch(open_demo):
    view, nets_, pictures = training()
    demo = open_demo(view)
    for epoch in (4, 0, 2, 3):
        demo.set("position", epoch)
        maps = outputs_of(nets_[epoch], pictures)[1][0]
        table = [[plain(text) for text in row[1:]] for row in starting(shown(demo), "Map 0 after")]
        np.testing.assert_allclose(table, maps[0], atol=6e-7)
    rows = starting(shown(demo), "The training")
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows[0][1:] == ["–", "–"]
    np.testing.assert_allclose([plain(row[1]) for row in rows[1:]], [1, 1 / 2, 1 / 3, 1 / 4], atol=6e-7)
    np.testing.assert_allclose([plain(row[2]) for row in rows[1:]], [0.5, 0.75, 1 - 0.5 / 3, 0.875], atol=6e-7)
    box = demo.root.locator(".chart .hit").first
    size = box.bounding_box()
    box.click(position={"x": size["width"] / 4, "y": size["height"] / 2})
    assert demo.root.locator(".transport .control-value").inner_text() == "1"


LIVE = """async ([esm, before, after]) => {
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const { default: { render } } = await import(url);
  const [state, calls, saved] = [{ ...before }, {}, {}];
  const model = {
    get: (name) => state[name],
    set: (name, value) => (saved[name] = value),
    on: (event, call) => (calls[event] ??= []).push(call),
    off: () => {},
    save_changes() {},
  };
  const el = document.querySelector("p");
  render({ model, el });
  const read = () => [el.querySelector(".transport .control-value").textContent, el.querySelectorAll(".curve").length];
  await new Promise(requestAnimationFrame);
  const seen = [read()];
  for (const records of after) {
    state.records = records;
    for (const call of calls["change:records"]) call();
    seen.push(read());
  }
  const range = el.querySelector("input[name=position]");
  range.value = 1;
  range.dispatchEvent(new Event("input", { bubbles: true }));
  state.records = after[0];
  for (const call of calls["change:records"]) call();
  seen.push(read());
  await new Promise((done) => setTimeout(done, 150));
  return { seen, saved };
}"""


def test_an_update_is_seen_at_once_unless_the_reader_looks_at_an_older_epoch(page):
    view, _, _ = training()
    records = view.records
    state = {name: getattr(view, name) for name in view.traits(demo=True)} | {"records": records[:1]}
    page.set_content("<p></p>")
    got = page.evaluate(LIVE, [str(FilterGallery._esm), state, [records[:2], records[:3], records]])
    assert [epoch for epoch, _ in got["seen"]] == ["0", "1", "2", "4", "1"]
    assert [curves for _, curves in got["seen"]] == [0, 0, 2, 2, 2]
    assert (got["saved"]["epoch"], got["saved"]["picture"]) == (1, 0)
    assert "records" not in got["saved"]


def test_of_a_large_net_earlier_epochs_show_the_first_layer_and_say_so(open_demo, monkeypatch):
    monkeypatch.setattr("cnnlab.demos.filter_gallery._WHOLE_NET", 10)
    net, pictures, labels = CASES["plain"]
    view = FilterGallery(net, pictures, labels, layer=4)
    view.update(net, loss=1.0)
    demo = open_demo(view)
    assert demo.words(".answer")
    demo.set("position", 0)
    assert "Of epoch 0 only the first layer is kept." in demo.words(".verdict")
    assert demo.words(".answer") == ""
    maps = outputs_of(net, pictures)[3][0]
    table = [[plain(text) for text in row[1:]] for row in starting(shown(demo), "Map 0 after layer 2")]
    np.testing.assert_allclose(table, maps[0], atol=6e-7)


def test_hands_choose_filter_picture_cell_and_patch(open_demo):
    net, pictures, labels = CASES["plain"]
    demo = open_demo(FilterGallery(net, pictures, labels, names=NAMES))
    wait_for_search(demo)

    def board(name, row, column):
        box = demo.root.locator(f'[data-board="{name}"] .hit')
        size = box.bounding_box()
        box.click(position={"x": size["width"] * column, "y": size["height"] * row})

    board("filters", 0.75, 0.75)  # 4 filters lie in two rows of two
    assert demo.words().startswith("Filter 3 at")
    board("maps", 0.25, 0.75)
    assert demo.words().startswith("Filter 1 at")
    board("strip", 0.5, 0.9)
    assert "of picture 5 (leaf)" in demo.words()
    rows, columns = outputs_of(net, pictures)[1].shape[2:]
    board("map", 2.5 / rows, 3.5 / columns)
    demo.page.mouse.move(5, 5)
    assert demo.words().startswith("Filter 1 at row 2, column 3 of its map sees rows 2–4, columns 3–7 of picture 5")
    board("map", 2.5 / rows, 3.5 / columns)
    demo.page.mouse.move(5, 5)
    best = outputs_of(net, pictures)[1][5, 1]
    i, j = np.unravel_index(best.argmax(), best.shape)
    assert demo.words().startswith(f"Filter 1 at row {i}, column {j} of its map")
    most = outputs_of(net, pictures)[1][:, 1].reshape(6, -1).max(axis=1)
    board("patches", 0.5, 0.03)
    assert f"of picture {most.argmax()} (" in demo.words()


def test_hovering_a_cell_links_map_picture_and_sum(open_demo):
    net, pictures, labels = CASES["plain"]
    demo = open_demo(FilterGallery(net, pictures, labels))
    maps = outputs_of(net, pictures)[1][0, 0]
    rows, columns = maps.shape
    box = demo.root.locator('[data-board="map"] .hit').bounding_box()
    demo.page.mouse.move(box["x"] + 4.5 / columns * box["width"], box["y"] + 6.5 / rows * box["height"])
    tip = demo.root.locator(".tooltip").inner_text()
    assert tip == f"row 6, column 4: {maps[6, 4]:+.3f}".replace("-", "−")
    assert plain(demo.words(".words strong")) == pytest.approx(maps[6, 4], abs=6e-4)
    kernel = demo.root.locator('[data-board="kernel"] .hit').bounding_box()
    demo.page.mouse.move(box["x"], box["y"] - 40)
    demo.page.mouse.move(kernel["x"] + 2.5 / 5 * kernel["width"], kernel["y"] + 1.5 / 3 * kernel["height"])
    i, j = np.unravel_index(maps.argmax(), maps.shape)
    lines = demo.root.locator(".tooltip").inner_text().split("\n")
    assert lines[0] == "row 1, column 2"
    for c, line in enumerate(lines[1:]):
        value, weight = pictures[0, c, i + 1, j + 2], net[0].weight.data[0, c, 1, 2]
        numbers = [plain(text) for text in re.search(r": (\S+) · (\S+) = (\S+)", line).groups()]
        assert numbers == pytest.approx([value, weight, value * weight], abs=6e-4)


def test_keyboard_alone(open_demo):
    net, pictures, labels = CASES["plain"]
    demo = open_demo(FilterGallery(net, pictures, labels))
    demo.root.locator(".stage").focus()
    demo.press("ArrowRight", "ArrowRight", "ArrowDown")
    assert re.match(r"Filter 1 at .* of picture 2", demo.words())
    demo.press("ArrowUp", "ArrowLeft", "Tab", "Tab")  # the picture, then the filters
    demo.press("ArrowRight", "ArrowDown", "Enter")
    assert re.match(r"Filter 3 at .* of picture 1", demo.words())
    demo.root.locator('[data-board="map"]').focus()
    demo.press("ArrowRight", "ArrowDown")
    assert demo.words().startswith("Filter 3 at row 1, column 1 of its map")


def run(listing):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(listing, {})
    return float(out.getvalue())


LISTED = [("plain", 1, 1), ("plain", 4, 4), ("grey", 0, 2)]


@pytest.mark.parametrize(("name", "layer", "filter_"), LISTED)
def test_the_numpy_listing_gives_the_number_shown(open_demo, name, layer, filter_):
    net, pictures, labels = CASES[name]
    view = FilterGallery(net, pictures, labels, layer=layer)
    view.filter, view.picture = filter_, 3
    listing = open_demo(view).listing("NumPy")
    assert run(listing) == pytest.approx(outputs_of(net, pictures)[layer + 1][3, filter_].max(), rel=1e-12)


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "layer", "filter_"), LISTED)
def test_the_pytorch_listing_gives_the_number_shown(open_demo, name, layer, filter_):
    net, pictures, labels = CASES[name]
    view = FilterGallery(net, pictures, labels, layer=layer)
    view.filter, view.picture = filter_, 3
    listing = open_demo(view).listing("PyTorch")
    assert run(listing) == pytest.approx(outputs_of(net, pictures)[layer + 1][3, filter_].max(), rel=1e-12)


def test_nothing_is_wider_than_a_narrow_page_and_state_comes_back(new_page, show):
    net, pictures, labels = CASES["plain"]
    view = FilterGallery(net, pictures, labels, layer=3, templates=pictures[:5])
    view.filter, view.picture, view.cell, view.one_scale = 2, 4, [1, 2], True
    page = new_page(viewport={"width": 360, "height": 800})
    show(page, view)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(".words").inner_text().startswith("Filter 2 at row 1, column 2 of its map")
    assert page.locator("input[name=picture]").input_value() == "4"
    assert page.locator("input[name=one_scale]").is_checked()


def test_alexnets_filters_are_quick(open_demo):
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Conv2d(3, 64, 11, 4, 2, rng=rng), nn.ReLU(), nn.MaxPool2d(3, 2))
    demo = open_demo(FilterGallery(net, rng.random((3, 3, 120, 150)).astype(np.float32)))
    assert "64 of 3 × 11 × 11" in demo.root.locator('[data-board="filters"] text.title').text_content()
    seconds = demo.page.evaluate("""() => {
      const slider = document.querySelector("input[name=filter]");
      const start = performance.now();
      for (let k = 1; k < 11; k += 1) {
        slider.value = k;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      }
      return (performance.now() - start) / 10000;
    }""")
    assert seconds < 0.5  # about 0.03 on an idle machine
