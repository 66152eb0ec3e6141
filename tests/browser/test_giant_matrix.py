"""The giant matrix in Chromium: every number against cnnlab's own matrix, and every way of moving it."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab import nn, ops
from cnnlab.demos import GiantMatrix
from cnnlab.demos.widget import joined

# w's shape, n, stride, padding
CASES = [
    ((3,), 12, 1, 0),
    ((4,), 9, 3, 2),
    ((3,), 3, 1, 4),
    ((1,), 5, 2, 0),
    ((2, 3, 3), 8, 2, 1),
    ((2, 3), (4, 5), (2, 1), (0, 1)),
    ((2, 2, 2, 3), (5, 6), (1, 2), 0),
    ((1, 2, 3, 1), (4, 5), (3, 2), (2, 0)),
]


def demo_of(case, **options):
    shape, n, stride, padding = case
    rng = np.random.default_rng(sum(shape))
    w = rng.integers(-20, 20, shape) / 4
    demo = GiantMatrix(w, n, stride=stride, padding=padding, **options)
    full = w if w.ndim > 2 else w[None, None]
    kind = nn.Conv1d if full.ndim == 3 else nn.Conv2d
    layer = kind(full.shape[1], full.shape[0], full.shape[2:], stride, padding, bias=False, dtype=np.float64)
    layer.weight.data = full
    dense = nn.dense_matrix(layer, (full.shape[1], *([n] if isinstance(n, int) else n)))
    return demo, full, dense


def state_of(demo):
    return {name: getattr(demo, name) for name in ("w", "n", "stride", "padding")}


def letter(weight):
    return chr(97 + weight % 26) + (str(weight // 26) if weight >= 26 else "")


def point(shown, grid, i):
    shown.root.locator(f'[data-grid="{grid}"] .cells rect').nth(i).dispatch_event("pointermove")


def weights_at(ties, step, everything):
    """The definition: different weights when so many rows are cut to their window, then share."""
    rows = len(ties)
    cut, tied = min(step, rows), max(0, step - rows)
    if tied == rows:
        return everything
    own = ties[cut:].size + int((ties[tied:cut] >= 0).sum())
    return own + len(np.unique(ties[:tied][ties[:tied] >= 0]))


@pytest.mark.parametrize("case", CASES)
def test_calculations_agree_with_cnnlab(in_module, case):
    demo, w, dense = demo_of(case)
    ties, (rows, columns) = dense.ties, dense.ties.shape
    x = np.random.default_rng(1).standard_normal(dense.input_shape)
    steps = range(2 * rows + 1)
    got = in_module(
        demo,
        """(() => { const model = giantModel(args[0]);
        const at = args[2].map((step) => stageAt(model, step));
        return { model, y: matrixTimes(model, args[1]), slid: slidden(model, args[1]),
          weights: at.map((stage) => weightsAt(model, stage)), biases: at.map((stage) => biasesAt(model, stage)),
          members: args[3].map((step) => stageAt(model, step)).map((stage) =>
            [...model.ties.keys()].map((entry) => membersAt(model, stage, entry))) }; })()""",
        state_of(demo),
        x.ravel().tolist(),
        list(steps),
        some := [0, 1, rows, rows + 2, 2 * rows],
    )
    np.testing.assert_array_equal(np.reshape(got["model"]["ties"], ties.shape), ties)
    counts = {"full": dense.entry_count, "sparse": dense.connection_count, "shared": w.size}
    assert got["model"]["counts"] == counts
    assert got["model"]["biases"] == {"full": rows, "sparse": rows, "shared": w.shape[0]}
    y = ops.conv_forward(x[None], w, stride=case[2], padding=case[3])[0].ravel()
    np.testing.assert_allclose(got["y"], y, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(got["slid"], y, rtol=1e-12, atol=1e-12)
    assert got["weights"] == [weights_at(ties, step, w.size) for step in steps]
    filters = np.arange(rows) // (rows // w.shape[0])
    assert got["biases"] == [rows - t + len(np.unique(filters[:t])) for t in (max(0, s - rows) for s in steps)]
    for step, members in zip(some, got["members"], strict=True):
        shared = np.where(np.arange(rows)[:, None] < step - rows, ties, -1)
        for entry in range(rows * columns):
            row, column = divmod(entry, columns)
            connected = row >= step or ties[row, column] >= 0
            tie = shared[row, column]
            alone = [entry] if connected else []
            assert members[entry] == (np.flatnonzero(shared == tie).tolist() if tie >= 0 else alone)


def run(listing):
    scope = {"print": lambda *_: None}
    exec(listing, scope)
    return scope


def names_of(dense, bare):
    """Return functions that name an output, an input and a weight as the reader's arrays have them."""

    def named(i, shape):
        index = [int(k) for k in np.unravel_index(i, shape)][1 if bare else 0 :]
        return str(index[0]) if len(index) == 1 else str(index)

    return lambda row: named(row, dense.output_shape), lambda column: named(column, dense.input_shape)


@pytest.mark.parametrize("case", CASES)
def test_every_number_shown_is_cnnlabs(open_demo, case):
    demo, w, dense = demo_of(case, cells="values")
    demo.x = np.random.default_rng(2).standard_normal(dense.input_shape).tolist()
    ties, bare = dense.ties, len(case[0]) <= 2
    output, source = names_of(dense, bare)
    shown = open_demo(demo)
    total = w.size
    assert shown.words(".answer") == f"{total} parameter{'s' * (total != 1)}"
    cards = shown.root.locator(".stages button strong").all_text_contents()
    assert [int(text.replace("\u2009", "")) for text in cards] == [ties.size, (ties >= 0).sum(), w.size]
    # the matrix: values where they fit, and nothing where there is no connection
    cells = shown.cells("matrix")
    for text, tie in zip(cells, ties.ravel(), strict=bool(cells)):
        if text:
            assert tie >= 0
            assert shown.number(text) == pytest.approx(w.flat[tie], abs=0.0051)
    empty = shown.root.locator("[data-grid=matrix] .cells rect").evaluate_all("r => r.map(b => b.matches('.empty'))")
    np.testing.assert_array_equal(np.reshape(empty, ties.shape), ties < 0)
    colors = shown.root.locator("[data-grid=matrix] .cells rect").evaluate_all("r => r.map(b => b.style.fill)")
    of_kernel = shown.root.locator("[data-grid=kernel] .cells rect").evaluate_all("r => r.map(b => b.style.fill)")
    arranged = np.moveaxis(np.arange(w.size).reshape(*w.shape[:2], *([1] * (4 - w.ndim)), *w.shape[2:]), 1, 2)
    place = np.empty(w.size, int)
    place[arranged.ravel()] = np.arange(w.size)
    for color, tie in zip(colors, ties.ravel(), strict=True):
        assert tie < 0 or color == of_kernel[place[tie]]

    # the tables
    rows = shown.table(0)
    assert [[int(c) for c in row[1:4]] for row in rows] == [
        [n, b, n + b]
        for n, b in zip((ties.size, (ties >= 0).sum(), w.size), (*[len(ties)] * 2, w.shape[0]), strict=True)
    ]
    places = [np.argwhere(ties == t) for t in range(w.size)]
    listed = ["; ".join(f"output {output(r)} ← input {source(c)}" for r, c in found) for found in places]
    for tie, row in enumerate(shown.table(1)):
        index = [int(i) for i in np.unravel_index(tie, w.shape)][2 if bare else 0 :]
        assert row[:2] == [letter(tie), f"w{index}"]
        assert shown.number(row[2]) == pytest.approx(w.flat[tie], abs=1e-6)
        assert row[3:] == [str(len(places[tie])), listed[tie]]
    matrix = [[shown.number(c) if c else 0.0 for c in row[1:]] for row in shown.table(2)]
    np.testing.assert_allclose(matrix, dense.matrix, atol=1e-6)

    x = np.array(demo.x)
    y = ops.conv_forward(x[None], w, stride=case[2], padding=case[3])[0].ravel()
    for row, value in zip(shown.table(3), y, strict=True):
        np.testing.assert_allclose([shown.number(text) for text in row[1:]], value, atol=1e-6)

    # the listing builds the same matrix
    scope = run(shown.listing("NumPy"))
    np.testing.assert_array_equal(scope["W"], dense.matrix)
    assert (scope["full"], scope["sparse"], scope["shared"]) == (dense.entry_count, dense.connection_count, w.size)
    np.testing.assert_allclose(scope["y"], y, rtol=1e-12, atol=1e-12)

    # pointing at a tap of the kernel lights all its places, and the words list them
    for tie in range(w.size):
        point(shown, "kernel", place[tie])
        lit = shown.root.locator("[data-grid=matrix] .cells rect").evaluate_all("r => r.map(b => 'lit' in b.dataset)")
        np.testing.assert_array_equal(np.flatnonzero(lit), np.flatnonzero(ties == tie))
        words = shown.words()
        if not len(places[tie]):
            assert "stands nowhere: it meets nothing but padding" in words
            continue
        assert f"stands at {len(places[tie])} place" in words
        parts = listed[tie].split("; ")
        assert words.endswith(", ".join(parts[:12]) + (f", … ({len(parts) - 12} more)." if len(parts) > 12 else "."))


def test_steps_count_down_from_full_to_shared(open_demo):
    demo, w, dense = demo_of(((2, 1, 3), 5, 1, 1), view="full", bias=True)
    shown, ties = open_demo(demo), dense.ties
    shown.root.locator(".stage").focus()
    rows = len(ties)
    for step in range(2 * rows + 1):
        tied = max(0, step - rows)
        biases = rows - tied + -(-tied // 5)
        weights = weights_at(ties, step, w.size)
        assert shown.words(".answer") == f"{weights + biases} parameters"
        assert shown.words(".words strong") == str(weights)
        texts = np.reshape(shown.cells("matrix"), ties.shape)
        row, entry = np.arange(rows)[:, None], np.arange(ties.size).reshape(ties.shape).astype(str)
        tied_text = np.where(row < step - rows, [[letter(t) for t in line] for line in ties], entry)
        np.testing.assert_array_equal(texts, np.where(row >= step, entry, np.where(ties < 0, "", tied_text)))
        shown.press("ArrowRight")
    pressed = shown.root.locator('.stages button[aria-pressed="true"]')
    expect(pressed).to_have_attribute("name", "shared")
    shown.press("Home")
    expect(pressed).to_have_attribute("name", "full")
    shown.root.locator('.stages button[name="sparse"]').click()
    assert shown.words().startswith("Sparse, or locally connected")
    shown.root.locator('.stages button[name="shared"]').click()
    shown.root.locator("button[name=back]").click()
    assert shown.root.locator('input[name="position"]').input_value() == str(2 * rows - 1)


@pytest.mark.parametrize("case", [CASES[1], CASES[4]])
def test_edges_of_the_network_are_the_connections(open_demo, case):
    demo, _, dense = demo_of(case)
    shown, ties = open_demo(demo), dense.ties
    drawn = shown.root.locator(".network .edges line").evaluate_all(
        """lines => lines.map((l) => getComputedStyle(l).display === 'none' ? null
             : ['x1', 'x2'].map((n) => +l.getAttribute(n)))"""
    )
    units = {
        kind: shown.root.locator(f".network circle[data-{kind}]").evaluate_all("c => c.map(u => +u.getAttribute('cx'))")
        for kind in ("row", "column")
    }
    columns = ties.shape[1]
    for entry, line in enumerate(drawn):
        row, column = divmod(entry, columns)
        assert line == (None if ties[row, column] < 0 else [units["row"][row], units["column"][column]])
    tie = int(ties.max())
    point(shown, "matrix", int(np.flatnonzero(ties == tie)[-1]))
    lit = shown.root.locator(".lit-edges line").evaluate_all("lines => lines.map(l => +l.dataset.entry)")
    assert lit == np.flatnonzero(ties == tie).tolist()
    assert set(shown.root.locator(".lit-edges text").all_text_contents()) <= {letter(tie)}
    # a unit shows its row
    box = shown.root.locator(".network .area").bounding_box()
    circle = shown.root.locator('.network circle[data-row="1"]').bounding_box()
    shown.page.mouse.move(circle["x"] + circle["width"] / 2, circle["y"] + circle["height"] / 2)
    assert box is not None
    lit = shown.root.locator(".lit-edges line").evaluate_all("lines => lines.map(l => +l.dataset.entry)")
    assert lit == (np.flatnonzero(ties[1] >= 0) + columns).tolist()


def test_pointing_at_an_edge_lights_all_edges_of_its_weight(open_demo):
    demo, _, dense = demo_of(CASES[0])
    shown = open_demo(demo)
    line = shown.root.locator(".network .edges line").nth(int(np.flatnonzero(dense.ties == 0)[3]))
    x1, y1, x2, y2 = (float(line.get_attribute(name)) for name in ("x1", "y1", "x2", "y2"))
    svg = shown.root.locator(".stage > svg").bounding_box()
    shown.page.mouse.move(svg["x"] + 0.8 * x1 + 0.2 * x2, svg["y"] + 0.8 * y1 + 0.2 * y2)
    assert shown.words().startswith("a = w[0] = ")
    lit = shown.root.locator("[data-grid=matrix] .cells rect[data-lit]")
    expect(lit).to_have_count(int((dense.ties == 0).sum()))
    shown.page.mouse.click(svg["x"] + 0.8 * x1 + 0.2 * x2, svg["y"] + 0.8 * y1 + 0.2 * y2)
    shown.page.mouse.move(1, 1)
    expect(lit).to_have_count(int((dense.ties == 0).sum()))  # pinned


@pytest.mark.parametrize("case", [CASES[1], CASES[6]])
def test_outputs_appear_row_by_row_and_equal_the_convolution(open_demo, case):
    demo, w, dense = demo_of(case)
    x = np.random.default_rng(5).integers(-9, 9, dense.input_shape) / 2
    demo.x = x.tolist()
    y = ops.conv_forward(x[None], w, stride=case[2], padding=case[3])[0].ravel()
    shown = open_demo(demo)
    assert "y = W x equals the convolution" in shown.words(".verdict")
    table = shown.table(3)
    for column in (1, 2):
        np.testing.assert_allclose([shown.number(row[column]) for row in table], y, atol=1e-6)
    rows = len(y)
    shown.set("position", rows + 2)
    empty = shown.root.locator("[data-grid=y] .cells rect").evaluate_all("r => r.map(b => b.matches('.empty'))")
    assert empty == [i >= 2 for i in range(rows)]
    assert "equals the convolution" not in shown.words(".verdict")
    shown.root.locator("[data-grid=y] .cells rect").nth(1).dispatch_event("pointermove")
    assert shown.number(shown.words(".words strong")) == pytest.approx(y[1], abs=1e-4)
    expect(shown.root.locator('input[name^="n"]').first).to_be_disabled()


def test_a_change_of_the_pinned_weight_goes_to_all_its_places(open_demo):
    demo, _, dense = demo_of(CASES[0], cells="values")
    shown = open_demo(demo)
    expect(shown.root.locator("input[name=value]")).to_be_disabled()
    shown.root.locator("[data-grid=matrix]").focus()
    shown.press("ArrowDown", "ArrowRight", "ArrowRight", "Enter")
    assert shown.words().startswith(f"b = w[1] = {demo.w[0][0][1]:g}".replace("-", "−"))
    shown.set("value", 1.25)
    matrix = np.array([[shown.number(c) if c else 0.0 for c in row[1:]] for row in shown.table(2)])
    np.testing.assert_array_equal(matrix[dense.ties == 1], 1.25)
    np.testing.assert_allclose(matrix[dense.ties != 1], dense.matrix[dense.ties != 1], atol=1e-6)
    texts = np.array(shown.cells("matrix")).reshape(dense.ties.shape)
    assert set(texts[dense.ties == 1]) == {"1.25"}
    shown.set("position", 0)
    expect(shown.root.locator("input[name=value]")).to_be_disabled()


def test_sizes_move_and_what_does_not_fit_says_so(open_demo):
    shown = open_demo(GiantMatrix())
    shown.set("n", 20)
    shown.set("stride", 2)
    shown.set("padding", 2)
    expected = GiantMatrix(n=20, stride=2, padding=2)
    assert shown.words(".answer") == "3 parameters"
    matrix = [[shown.number(c) if c else 0.0 for c in row[1:]] for row in shown.table(2)]
    np.testing.assert_array_equal(matrix, expected.matrix)
    shown.set("padding", 0)
    assert int(shown.root.locator("input[name=n]").get_attribute("min")) == 3
    most = int(shown.root.locator("input[name=n]").get_attribute("max"))
    assert GiantMatrix(n=most, stride=2)
    with pytest.raises(ValueError, match="at most 60 × 80"):
        GiantMatrix(n=most + 1, stride=2)
    shown.set("n", 62)
    shown.set("stride", 1)
    shown.set("padding", 1)
    assert "Not possible: the matrix would be 62 × 62, and at most 60 × 80" in shown.words(".verdict")
    assert shown.root.locator("input[name=padding]").input_value() == "0"


def test_an_empty_entry_is_no_connection(open_demo):
    shown = open_demo(GiantMatrix())
    point(shown, "matrix", 11)
    assert shown.words() == (
        "Output 0 has no connection to input 11: a structural zero, no weight and nothing to learn."
    )
    expect(shown.root.locator("[data-grid=matrix] [data-lit]")).to_have_count(0)


@pytest.mark.oracle
@pytest.mark.parametrize("case", [CASES[4], CASES[7]])
def test_the_pytorch_listing_builds_the_same_matrix(open_demo, case):
    pytest.importorskip("torch")
    demo, _, dense = demo_of(case)
    demo.x = np.random.default_rng(2).standard_normal(dense.input_shape).tolist()
    scope = run(open_demo(demo).listing("PyTorch"))
    np.testing.assert_allclose(scope["W"].numpy(), dense.matrix, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(scope["y"].numpy(), demo.output, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", [CASES[0], CASES[6]])
def test_a_narrow_page_needs_no_horizontal_bar(new_page, show, case):
    demo, _, dense = demo_of(case)
    demo.x = np.ones(dense.input_shape).tolist()
    page = show(new_page(viewport={"width": 360, "height": 800}), demo)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.stage rect')].map(r => r.getBoundingClientRect().right))"
    )
    assert right <= 360


def test_the_page_keeps_what_python_set(open_demo):
    demo = GiantMatrix(n=8)
    demo.morph, demo.picked, demo.bias, demo.cells = 1.5, [2, 3], True, "values"
    shown = open_demo(demo)
    assert shown.root.locator("input[name=position]").input_value() == "9"
    assert shown.words().startswith("b = w[1] = 2 stands at 3 places")
    assert shown.words(".answer") == "16 parameters"  # three shared, nine own; one bias and three
    expect(shown.root.locator("[data-grid=matrix] .cells rect[data-lit]")).to_have_count(3)


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_tied_colors_stand_out_from_the_page_and_carry_text():
    pairs = re.findall(r'\["(#\w{6})", "(#\w{6})"\]', joined("front/ties.js"))
    assert len(pairs) == 8
    for theme, page in enumerate(("#ffffff", "#111111")):
        for pair in pairs:
            assert contrast(pair[theme], page) >= 3
            assert max(contrast(pair[theme], ink) for ink in ("#000000", "#ffffff")) >= 4.5
