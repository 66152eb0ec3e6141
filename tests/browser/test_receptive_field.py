"""The receptive field explorer in Chromium: every number against edges counted one by one, and all ways to move it."""

import contextlib
import io
import re

import numpy as np
import pytest

from cnnlab import nn
from cnnlab.demos import ReceptiveField
from cnnlab.geometry import ConvGeometry, PoolGeometry


def stack_of(demo_or_state):
    """Return the geometries that a state describes, without the demo's own reading."""
    found = []
    for layer in demo_or_state:
        options = layer["kernel_size"], layer["stride"], layer["padding"], layer["dilation"]
        kernel, stride, padding, dilation = options
        if layer["kind"] == "pool":
            pads = [before for before, _ in padding]
            found.append(PoolGeometry(kernel, stride, pads, dilation, ceil_mode=layer["ceil_mode"]))
        else:
            found.append(ConvGeometry(kernel, stride, [tuple(pair) for pair in padding], dilation))
    return found


def edges_between(stack, size):
    """Return the sizes of all levels, and for each layer its edges as (input, output)."""
    sizes, edges = [tuple(size)], []
    for layer in stack:
        edges.append([(edge.input, edge.output) for edge in layer.edges(sizes[-1])])
        sizes.append(layer.output_size(sizes[-1]))
    return sizes, edges


def both_cones(stack, size, unit):
    """Count the paths from one unit to all units below and above, edge by edge, in all axes at once."""
    sizes, edges = edges_between(stack, size)
    level, *index = unit
    counts = [np.zeros(n) for n in sizes]
    counts[level][tuple(index)] = 1
    for below in range(level - 1, -1, -1):
        for source, target in edges[below]:
            counts[below][source] += counts[below + 1][target]
    for above in range(level + 1, len(sizes)):
        for source, target in edges[above - 1]:
            counts[above][target] += counts[above - 1][source]
    return counts


def random_stack(rng, rank, layers):
    stack = []
    for _ in range(layers):
        kernel, stride, dilation = (rng.integers(1, n, rank).tolist() for n in (5, 4, 3))
        if rng.random() < 0.4:
            padding = [int(rng.integers(0, k // 2 + 1)) for k in kernel]
            stack.append(PoolGeometry(kernel, stride, padding, dilation, ceil_mode=bool(rng.random() < 0.5)))
        else:
            padding = [tuple(map(int, rng.integers(0, 3, 2))) for _ in kernel]
            stack.append(ConvGeometry(kernel, stride, padding, dilation))
    size = tuple(int(n) for n in rng.integers(1, 4, rank))
    for layer in reversed(stack):
        size = tuple(max(1, n) + int(rng.integers(0, 2)) for n in layer.input_size(size))
    return stack, size


def random_unit(rng, stack, size):
    sizes, _ = edges_between(stack, size)
    level = int(rng.integers(0, len(sizes)))
    return [level, *(int(rng.integers(0, n)) for n in sizes[level])]


def fields(stack):
    seen = [stack[0].receptive_field().of_input(stack[0].rank)]
    for layer in stack:
        seen.append(seen[-1].after(layer))
    return seen


def integers(text):
    return [int(number.replace("−", "-")) for number in re.findall(r"[−-]?\d+", text.replace("\u2009", ""))]


def test_sizes_fields_and_paths_of_random_stacks(in_module):
    rng = np.random.default_rng(0)
    cases = []
    for case in range(40):
        stack, size = random_stack(rng, 1 + case % 2, int(rng.integers(1, 5)))
        demo = ReceptiveField(stack, input_size=size)
        units = [random_unit(rng, stack, size) for _ in range(4)]
        cases.append((stack, size, units, {"layers": demo.layers, "input_size": demo.input_size}))
    results = in_module(
        ReceptiveField,
        """args[0].map(([state, units]) => {
          const model = stackModel(state);
          const each = (f) => units.map(([level, ...index]) => model.axes.map((axis, i) => f(axis, level, index[i])));
          const closed = model.axes.map((axis) => axis.sizes.map((_, level) => closedForm(axis, level).value));
          return { model, closed, all: each(cones), seen: each(fieldOf) };
        })""",
        [[state, units] for *_, units, state in cases],
    )
    compared = 0
    for (stack, size, units, _), got in zip(cases, results, strict=True):
        assert got["model"]["fault"] is None
        sizes, _ = edges_between(stack, size)
        seen = fields(stack)
        for i, axis in enumerate(got["model"]["axes"]):
            assert axis["sizes"] == [n[i] for n in sizes]
            told = [(s["field"], s["jump"], s["start"]) for s in axis["seen"]]
            assert told == [(s.field[i], s.jump[i], s.start[i]) for s in seen]
            for value, s in zip(got["closed"][i], seen, strict=True):
                assert value in {None, s.field[i]}
        for unit, ways, span in zip(units, got["all"], got["seen"], strict=True):
            for level, counts in enumerate(both_cones(stack, size, unit)):
                axes = [np.array(axis[level]) for axis in ways]
                joint = axes[0] if len(axes) == 1 else np.outer(*axes)
                np.testing.assert_array_equal(joint, counts)
                compared += counts.size
            for axis, inputs in zip(span, seen[unit[0]].inputs(unit[1:]), strict=True):
                assert (axis["first"], axis["last"]) == (inputs[0], inputs[-1])
                assert axis["center"] == (inputs[0] + inputs[-1]) / 2
    assert compared > 10_000


def test_the_closed_form_stands_only_where_it_holds(in_module):
    rng = np.random.default_rng(1)
    cases = [[("conv", int(k), int(s), 0, int(d)) for k, s, d in rng.integers(1, [4, 3, 3], (3, 3))] for _ in range(60)]
    demos = [ReceptiveField(layers) for layers in cases]
    states = [{"layers": demo.layers, "input_size": demo.input_size} for demo in demos]
    results = in_module(ReceptiveField, "args[0].map((state) => closedForm(stackModel(state).axes[0], 3))", states)
    for layers, demo, got in zip(cases, demos, results, strict=True):
        kernels = {k for _, k, *_ in layers}
        holds = len(kernels) == 1 and all(d == 1 for *_, d in layers) and all(s == 1 for _, _, s, *_ in layers[:2])
        assert (got["fault"] is None) == holds
        if holds:
            assert got["value"] == 1 + 3 * (kernels.pop() - 1) == demo.receptive_field.field[0]
    same = in_module(ReceptiveField, "closedForm(stackModel(args[0]).axes[0], 3).value", default_state())
    assert same == 7


def default_state():
    demo = ReceptiveField()
    return {"layers": demo.layers, "input_size": demo.input_size}


@pytest.mark.parametrize(
    ("layers", "size"),
    [
        ([3, 9], [5]),
        ([("conv", 3, 1, 0, 4)], [8]),
        ([("conv", (2, 6)), ("pool", (1, 3))], [4, 7]),
    ],
)
def test_what_does_not_fit_ends_the_stack_and_says_why(in_module, layers, size):
    state = [dict(layer) for layer in ReceptiveField(layers).layers]
    got = in_module(ReceptiveField, "stackModel(args[0])", {"layers": state, "input_size": size})
    stack, n = stack_of(state), tuple(size)
    for place, layer in enumerate(stack, 1):
        if place < got["fault"]["layer"]:
            n = layer.output_size(n)
            continue
        with pytest.raises(ValueError, match="larger than the padded input") as refused:
            layer.output_size(n)
        assert integers(got["fault"]["words"])[0] == integers(str(refused.value))[0]
        assert all(len(axis["sizes"]) == place for axis in got["axes"])
        return


def test_layers_until_a_picture_is_seen(in_module):
    def brute(target, kernel, every):
        field, jump, layers = 1, 1, 0
        while field < target:
            layers += 1
            field += (kernel - 1) * jump
            jump *= 2 if every and layers % every == 0 else 1
        return layers

    cases = [(target, kernel, every) for target in (2, 7, 32, 224, 1000) for kernel in (2, 3, 7) for every in (0, 1, 2)]
    got = in_module(ReceptiveField, "args[0].map((one) => layersToSee(...one).layers)", cases)
    assert got == [brute(*case) for case in cases]
    assert in_module(ReceptiveField, "layersToSee(224, 3, 0).layers") == 112 == -(-223 // 2)


def drawn_rows(demo):
    """Return for each level the classes of its units, and the texts in them."""
    return demo.root.evaluate(
        """(root) => {
          const of = (node, name) => Number(node.getAttribute(name) ?? 0);
          const middle = (node) => Math.round(of(node, "y") + of(node, "height") / 2);
          const [rects, texts] = ["rect", "text"].map((tag) => [...root.querySelectorAll(`.units ${tag}`)]);
          const levels = [...new Set(rects.map(middle))].sort((a, b) => b - a);
          const row = (nodes, y, read) => nodes.filter((node) => Math.abs(middle(node) - y) < 2).map(read);
          return [
            levels.map((y) => row(rects, y, (node) => node.getAttribute("class") ?? "")),
            levels.map((y) => row(texts, y, (node) => node.textContent)),
          ];
        }"""
    )


@pytest.mark.parametrize("seed", range(5))
def test_rows_show_both_cones_and_their_paths(open_demo, seed):
    rng = np.random.default_rng(seed)
    stack, size = random_stack(rng, 1, 3)
    unit = random_unit(rng, stack, size)
    page = open_demo(ReceptiveField(stack, input_size=size, unit=unit, weighted=True))
    counts = both_cones(stack, size, unit)
    kinds, texts = drawn_rows(page)
    written = 0
    for level, row in enumerate(counts):
        kind = "self" if level == unit[0] else "down" if level < unit[0] else "up"
        assert kinds[level] == [kind if n else "" for n in row]
        for text, i in zip(texts[level], range(row.size), strict=False):
            assert text in {"", str(int(row[i]) if row[i] else i)}  # empty where there is no room
            written += text != ""
    assert written > 5
    seen = np.flatnonzero(counts[0])
    assert integers(page.words(".answer")) == [seen.size if unit[0] else 1, size[0]]
    (field,) = fields(stack)[unit[0]].inputs(unit[1:])
    words = page.words()
    if unit[0]:
        assert f"({len(field)} wide)" in words
        assert f"inputs {field[0]}–{field[-1]}".replace("-", "−") in words or len(field) == 1
        assert ("padding" in words) == (field[0] < 0 or field[-1] >= size[0])
    rows = page.table(1)
    assert [(int(r[0]), int(r[1])) for r in rows] == [(i, int(counts[0][i])) for i in seen]
    if seen.size:
        shares = [float(r[2].split()[0]) for r in rows]
        np.testing.assert_allclose(shares, 100 * counts[0][seen] / counts[0].sum(), atol=0.0051)
    told = [[float(v.replace("−", "-")) for v in row[1:]] for row in page.table(0)]
    sizes, _ = edges_between(stack, size)
    expected = [
        [i, n[0], s.jump[0], s.field[0], s.start[0], s.start[0] + (s.field[0] - 1) / 2]
        for i, (n, s) in enumerate(zip(sizes, fields(stack), strict=True))
    ]
    assert told == expected
    main = page.root.locator(".stack-table tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].map(c => c.textContent))"
    )
    for row, (_, n, jump, r, start, center) in zip(main, expected, strict=True):
        numbers = [float(v.replace("−", "-")) for v in (row[1], row[2], row[3].split("= ")[-1], row[4], row[5])]
        assert numbers == [n, jump, r, start, center]
    for row, layer, below in zip(main[1:], stack, fields(stack), strict=False):
        r, k, d, j, total = integers(row[3].replace("− 1", ""))
        assert (r, k, d, j) == (below.field[0], layer.kernel[0], layer.dilation[0], below.jump[0])
        assert total == r + (k - 1) * d * j


def cells_of_path(page, plane):
    """Return the cells that the filled path of a plane covers, as a set of (row, column)."""
    d, cell, x, y = (
        page.root.locator(".plane")
        .nth(plane)
        .evaluate(
            """(back) => {
          const group = back.parentNode;
          const [x, y] = ["x", "y"].map((name) => Number(back.getAttribute(name)));
          return [group.querySelector(".reached").getAttribute("d"), 0, x, y];
        }"""
        )
    )
    del cell
    boxes = [[float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", part)] for part in d.split("M")[1:]]
    return boxes, x, y


@pytest.mark.parametrize("seed", range(4))
def test_grids_fill_exactly_what_is_reached(open_demo, seed):
    rng = np.random.default_rng(10 + seed)
    stack, size = random_stack(rng, 2, 3)
    unit = random_unit(rng, stack, size)
    page = open_demo(ReceptiveField(stack, input_size=size, unit=unit))
    counts = both_cones(stack, size, unit)
    widths = page.root.locator(".plane").evaluate_all("nodes => nodes.map((n) => Number(n.getAttribute('width')))")
    for level, expected in enumerate(counts):
        if level == unit[0]:
            continue
        boxes, x0, y0 = cells_of_path(page, level)
        cell = widths[level] / expected.shape[1]
        drawn = np.zeros_like(expected)
        for x, y, w, h, *_ in boxes:
            top, left = round((y - y0) / cell), round((x - x0) / cell)
            drawn[top : top + round(h / cell), left : left + round(w / cell)] += 1
        np.testing.assert_array_equal(drawn, expected > 0)
    seen = int((counts[0] > 0).sum()) if unit[0] else 1
    assert integers(page.words(".answer")) == [seen, size[0] * size[1]]
    ways = [np.zeros(n) for n in size]
    for axis in (0, 1):
        for row in page.table(1 + axis):
            ways[axis][int(row[0])] = int(row[1].replace("\u2009", ""))
    np.testing.assert_array_equal(np.outer(*ways), counts[0])


def test_weighted_grids_write_the_number_of_paths(open_demo):
    stack, size, unit = [ConvGeometry((3, 2))] * 2, (9, 12), [2, 1, 3]
    page = open_demo(ReceptiveField(stack, input_size=size, unit=unit, weighted=True))
    counts = both_cones(stack, size, unit)
    numbers = page.root.locator(".plane").first.evaluate(
        "(back) => [...back.parentNode.querySelectorAll('text.value')].map((n) => n.textContent).filter(Boolean)"
    )
    assert [int(n) for n in numbers] == [int(n) for n in counts[0][counts[0] > 0]]
    total, most = int(counts[0].sum()), int(counts[0].max())
    assert f"{total} paths lead down to the input, {most} (" in page.words()


def state_now(page):
    """Read the stack off the table, and the sizes off the sliders."""
    return page.root.locator(".stack-table .pick").all_text_contents()


def test_sliders_change_the_selected_layer_and_the_numbers_follow(open_demo):
    page = open_demo(ReceptiveField([("conv", (3, 3)), ("pool", 2), ("conv", (3, 3))], input_size=(20, 26)))
    page.root.locator("[data-layer='2']").click()
    page.set("stride-height", 3)
    page.set("kernel-width", 3)
    page.set("padding-width", 1)
    page.root.locator("input[name=ceil_mode]").check()
    page.root.locator("[data-layer='3']").click()
    page.set("dilation-width", 2)
    page.set("input-height", 22)
    stack = [
        ConvGeometry((3, 3)),
        PoolGeometry((2, 3), (3, 2), (0, 1), ceil_mode=True),
        ConvGeometry((3, 3), dilation=(1, 2)),
    ]
    sizes, _ = edges_between(stack, (22, 26))
    rows = page.table(0)
    assert [int(r[2]) for r in rows] == [n[0] for n in sizes] + [n[1] for n in sizes]
    assert [int(r[4]) for r in rows] == [s.field[i] for i in (0, 1) for s in fields(stack)]
    assert state_now(page) == ["1  conv 3×3", "2  pool 2×3, S 3×2, P 0×1, ceil", "3  conv 3×3, D 1×2"]


def test_layers_are_added_moved_and_removed(open_demo):
    page = open_demo(ReceptiveField([5, ("pool", 2)], input_size=30))
    for name in ("add", "later"):
        page.root.locator(f"button[name={name}]").click()
    assert state_now(page) == ["1  conv 5", "2  pool 2, S 2", "3  conv 3"]
    assert "Unit 5 of layer 3" in page.words()  # the last layer stays looked at: 30 → 26 → 13 → 11
    page.root.locator("button[name=remove]").click()
    page.root.locator("button[name=earlier]").click()
    assert state_now(page) == ["1  pool 2, S 2", "2  conv 5"]
    assert page.root.locator("button[name=earlier]").is_disabled()
    page.set("kind", "conv")
    assert state_now(page)[0] == "1  conv 2, S 2"


def test_a_stack_that_does_not_fit_says_so_and_shows_what_does(open_demo):
    page = open_demo(ReceptiveField([3, 3], input_size=7))
    page.root.locator("[data-layer='2']").click()
    page.set("dilation", 3)
    assert "Layer 2 has no output: kernel 3 with dilation 3 covers 7, larger than the input, 5" in page.words(
        ".verdict"
    )
    assert [int(r[2]) for r in page.table(0)] == [7, 5]
    assert "Unit 2 of layer 1" in page.words()
    row = page.root.locator(".stack-table tbody tr").nth(2)
    assert row.locator("td").count() == 1
    page.set("dilation", 1)
    assert page.words(".verdict").startswith("1 + L·(K − 1) = 1 + 2·(3 − 1) = 5")


def test_steps_build_the_cone_down_and_then_up(open_demo):
    demo = ReceptiveField([3, 3, 3], unit=(1, 4))
    page = open_demo(demo)
    counts = both_cones(stack_of(demo.layers), demo.input_size, [1, 4])
    for step, levels in enumerate([{1}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}]):
        page.set("position", step)
        kinds, _ = drawn_rows(page)
        assert {level for level, row in enumerate(kinds) if any(row)} == levels
        for level in levels:
            assert [bool(kind) for kind in kinds[level]] == list(counts[level] > 0)


def test_pointing_shows_and_clicking_keeps(open_demo):
    page = open_demo(ReceptiveField([3, 3], input_size=9))
    box = page.root.locator(".units rect").nth(9 + 2).bounding_box()  # layer 1, unit 2
    page.page.mouse.move(box["x"] + 5, box["y"] + 5)
    assert page.words().startswith("Unit 2 of layer 1 sees inputs 2–4 (3 wide), center 3, jump 1.")
    assert "It reaches 3 units of layer 2: 0–2." in page.words()
    assert page.root.locator(".tooltip").inner_text() == "Layer 1, unit 2\nsees 2–4 (3)"
    page.page.mouse.move(5, 5)
    assert page.words().startswith("Unit 2 of layer 2")
    page.page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.page.mouse.move(5, 5)
    assert page.words().startswith("Unit 2 of layer 1")


def test_keyboard_alone_reaches_every_unit(open_demo):
    page = open_demo(ReceptiveField([("conv", (3, 3)), ("conv", (3, 3))], input_size=(8, 9)))
    page.root.locator(".stage").focus()
    page.press("ArrowLeft", "ArrowUp", "Home")
    assert page.words().startswith("Unit (0, 0) of layer 2")
    page.press("PageDown", "PageDown", "End")
    assert page.words().startswith("Unit (2, 8) of the input is an input")
    page.press("PageUp")
    assert page.words().startswith("Unit (1, 6) of layer 1")
    page.set("view", "height")
    page.root.locator(".stage").focus()
    page.press("ArrowUp", "ArrowRight")
    assert page.words().startswith("Unit (1, 4) of layer 2")
    page.press(" ")
    page.page.wait_for_function("document.querySelector('[name=play]').getAttribute('aria-label').startsWith('Pause')")
    page.press(" ")


def test_the_growth_line_is_computed(open_demo):
    page = open_demo(ReceptiveField())
    page.unfold()
    assert (
        "112 (225 wide) with stride 1 only; 12 (253 wide) with stride 2 in every second layer; 7 (255 wide)"
        in page.words(".growth-words")
    )
    page.set("target", 32)
    page.set("target-kernel", 5)
    assert "⌈(32 − 1)/(5 − 1)⌉ = 8" in page.words(".growth-words")
    assert page.root.locator("svg.growth").get_by_text("8 layers: stride 1 only").count() == 1


def run(code):
    scope = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, scope)
    return scope, printed.getvalue()


LISTED = [
    ([("conv", 3, 2, 1), ("pool", 3, 2, 1, 1, True), ("conv", 2, 1, 0, 2)], 17, (3, 0)),
    ([ConvGeometry((3, 4), padding="same"), PoolGeometry((2, 3), (2, 3), ceil_mode=True)], (8, 10), (2, 3, 3)),
]


@pytest.mark.parametrize(("layers", "size", "unit"), LISTED)
def test_the_numpy_listing_gives_the_numbers(open_demo, layers, size, unit):
    demo = ReceptiveField(layers, input_size=size, unit=unit)
    scope, printed = run(open_demo(demo).listing("NumPy"))
    np.testing.assert_array_equal(scope["paths"], both_cones(demo.stack, demo.input_size, demo.unit)[0])
    told = [integers(line) for line in printed.splitlines() if line.startswith("axis")]
    sizes, _ = edges_between(demo.stack, demo.input_size)
    expected = [
        [i, n[i], s.jump[i], s.field[i], s.start[i]]
        for i in range(len(demo.input_size))
        for n, s in zip(sizes[1:], fields(demo.stack)[1:], strict=True)
    ]
    assert told == expected


@pytest.mark.oracle
@pytest.mark.parametrize(("layers", "size", "unit"), LISTED)
def test_the_torch_listing_counts_the_same_paths(open_demo, layers, size, unit):
    pytest.importorskip("torch")
    demo = ReceptiveField(layers, input_size=size, unit=unit)
    scope, _ = run(open_demo(demo).listing("PyTorch"))
    np.testing.assert_array_equal(scope["paths"].numpy(), both_cones(demo.stack, demo.input_size, demo.unit)[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_pages_have_no_horizontal_bar(new_page, show, scheme):
    page = new_page(viewport={"width": 360, "height": 700}, color_scheme=scheme)
    for demo in (
        ReceptiveField([("conv", 3, 2, 1)] * 3, weighted=True),
        ReceptiveField(nn.models.lenet5(sketch=True), input_size=(32, 32)),
    ):
        show(page, demo)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_python_and_page_follow_each_other(page):
    """The module with a stand-in for the widget model: a trait that changes is drawn, and what is done is sent."""
    demo = ReceptiveField([3, 3], input_size=9)
    state = {name: getattr(demo, name) for name in demo.traits(demo=True)}
    page.set_content("<div id=here style='width: 900px'></div>")
    words = page.evaluate(
        """async ([esm, state]) => {
          const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
          const calls = {};
          const model = { get: (name) => state[name], off() {}, save_changes() {} };
          model.set = (name, value) => (state[name] = value);
          model.on = (event, call) => (calls[event] = call);
          const here = document.querySelector("#here");
          module.default.render({ model, el: here });
          state.unit = [1, 6];
          calls["change:unit"]();
          return here.querySelector(".words").textContent;
        }""".replace("state.unit", "(window.state = state).unit"),
        [str(demo._esm), state],
    )
    assert words.startswith("Unit 6 of layer 1 sees inputs 6–8")
    page.locator(".stage").focus()
    page.keyboard.press("ArrowUp")
    page.locator("input[name=weighted]").check()
    page.locator("button[name=add]").click()
    page.wait_for_function("window.state.layers.length === 3")
    sent = page.evaluate("window.state")
    assert (sent["unit"], sent["weighted"], sent["selected"]) == ([3, 1], True, 1)
    fresh = ReceptiveField()
    for name in ("layers", "input_size", "unit", "weighted", "step", "selected", "view"):
        setattr(fresh, name, sent[name])  # Python accepts what the page sends
