"""The architecture calculator in Chromium: every number against cnnlab.summary, and every way of editing."""

import contextlib
import io
import re
from math import prod

import numpy as np
import pytest

import cnnlab
from cnnlab.demos import ArchitectureCalculator
from cnnlab.demos.architecture_calculator.rows import shape_after

BYTES = {"float16": 2, "float32": 4, "float64": 8}
NAMES = ("output", "parameters", "multiply-adds", "memory", "sees")


def axes(rng, rank, low, high):
    """Draw one number for all axes, or one for each."""
    values = [int(v) for v in rng.integers(low, high, rank)]
    return values[0] if rng.random() < 0.5 else values


def random_row(rng, shape):
    """Draw a row that often, not always, fits the shape."""
    rank = len(shape) - 1
    if rank == 0:
        kinds = ["linear", "relu", "batchnorm", "dropout", "flatten"] + ["conv", "globalpool"] * (rng.random() < 0.1)
    else:
        kinds = ["conv", "conv", "maxpool", "avgpool", "relu", "batchnorm", "dropout", "flatten", "globalpool"]
        kinds += ["linear"] * (rng.random() < 0.2)
    kind = str(rng.choice(kinds))
    row = {"kind": kind}
    if kind == "conv":
        groups = int(rng.choice([1, 1, 2, 3, shape[0]]))
        row |= {"out_channels": groups * int(rng.integers(1, 5)), "kernel_size": axes(rng, max(rank, 1), 1, 5)}
        row |= {"groups": groups, "stride": axes(rng, max(rank, 1), 1, 3), "dilation": axes(rng, max(rank, 1), 1, 3)}
        row |= {"padding": axes(rng, max(rank, 1), 0, 3), "bias": bool(rng.random() < 0.5)}
        if rng.random() < 0.2:
            row |= {"padding": "same", "padding_mode": str(rng.choice(["zeros", "reflect", "circular", "replicate"]))}
    elif kind in {"maxpool", "avgpool"}:
        row |= {
            "kernel_size": axes(rng, rank, 1, 4),
            "padding": axes(rng, rank, 0, 2),
            "ceil_mode": bool(rng.random() < 0.5),
        }
        row |= {"stride": axes(rng, rank, 1, 4)} if rng.random() < 0.6 else {}
        row |= {"dilation": axes(rng, rank, 1, 3)} if kind == "maxpool" else {}
    elif kind == "linear":
        row |= {"out_features": int(rng.integers(1, 20)), "bias": bool(rng.random() < 0.5)}
    elif kind == "batchnorm":
        row |= {"affine": bool(rng.random() < 0.5)}
    elif kind == "globalpool":
        row |= {"how": str(rng.choice(["mean", "max"]))}
    return row


def random_net(rng):
    """Draw rows and an input; also where the first row that does not fit stands, or None."""
    rank = int(rng.choice([0, 1, 2, 2, 2, 3]))
    shape = (int(rng.integers(1, 7)), *(int(n) for n in rng.integers(5, 15, rank)))
    rows, now, bad = [], shape, None
    for place in range(int(rng.integers(1, 9))):
        row = ArchitectureCalculator([random_row(rng, now)]).rows[0]
        rows.append(row)
        if bad is None:
            try:
                now = shape_after(row, now)
            except ValueError:
                bad = place
    return rows, shape, bad


def expected_rows(rows, shape):
    """Return what cnnlab.summary tells of rows that fit."""
    if not rows:
        return []
    net = ArchitectureCalculator(rows, input_shape=shape).build(sketch=True)
    return cnnlab.summary(net, shape).layers


def test_every_number_of_random_nets_is_that_of_the_summary(in_module):
    rng = np.random.default_rng(11)
    nets = [random_net(rng) for _ in range(120)]
    states = [{"rows": rows, "input_shape": shape} for rows, shape, _ in nets]
    compared, faults = 0, 0
    for (rows, shape, bad), got in zip(
        nets, in_module(ArchitectureCalculator, "args[0].map(tabulate)", states), strict=True
    ):
        assert got["bad"] == (-1 if bad is None else bad), (rows, shape, got["fault"])
        fine = rows if bad is None else rows[:bad]
        faults += bad is not None
        for row, layer in zip(got["rows"], expected_rows(fine, shape), strict=False):
            assert tuple(row["shape"]) == layer.output_shape
            assert (row["parameters"], row["macs"]) == (layer.parameters, layer.multiply_adds)
            assert row["entries"] * 4 == layer.activation_bytes
            assert (row["field"] and tuple(row["field"])) == layer.receptive_field
            assert (row["jump"] and tuple(row["jump"])) == layer.jump
            compared += 6
        assert all(row is None for row in got["rows"][len(fine) + 1 :])
        for name, attribute in (("parameters", "parameters"), ("macs", "multiply_adds")):
            assert got["totals"][name] == sum(getattr(layer, attribute) for layer in expected_rows(fine, shape))
    assert compared > 1500
    assert faults > 20


def test_each_mend_mends_its_fault(in_module):
    rng = np.random.default_rng(12)
    nets = [random_net(rng) for _ in range(150)]
    states = [{"rows": rows, "input_shape": shape} for rows, shape, bad in nets if bad is not None]
    results = in_module(
        ArchitectureCalculator,
        """args[0].map((state) => {
          let [rows, turns] = [state.rows, 0];
          const { bad } = tabulate(state);
          for (; turns < 5; turns += 1) {
            const { bad: now, fault } = tabulate({ ...state, rows });
            if (now !== bad || !fault.fix) return { rows, fix: now === bad ? fault : null, bad };
            rows = mended(rows, bad, fault.fix);
          }
          return { rows, fix: "none helped", bad };
        })""",
        states,
    )
    mended = 0
    for state, got in zip(states, results, strict=True):
        if got["fix"] is None:
            demo = ArchitectureCalculator(got["rows"], input_shape=state["input_shape"])
            assert len(demo.shapes) > got["bad"]
            mended += 1
        else:  # only maps where there are none any more have no mend
            assert "vector" in got["fix"]["words"], got
    assert mended > 20


def test_memory_of_a_batch(in_module):
    rng = np.random.default_rng(13)
    for _ in range(3):
        rows, shape, bad = random_net(rng)
        rows = rows[:bad] or [{"kind": "relu"}]
        layers = expected_rows(rows, shape)
        state = {"rows": rows, "input_shape": shape}
        for dtype, size in BYTES.items():
            got = in_module(
                ArchitectureCalculator, "memory(tabulate(args[0]), args[0].input_shape, 5, args[1])", state, dtype
            )
            weights = size * sum(layer.parameters for layer in layers)
            kept = [layer.activation_bytes // 4 for layer in layers]
            inputs = [prod(shape), *(prod(layer.output_shape) for layer in layers)]
            largest = max(a + b for a, b in zip(inputs, kept, strict=False))
            assert got["weights"] == weights
            assert got["outputs"] == 5 * size * sum(kept)
            assert got["training"] == 2 * weights + 5 * size * (prod(shape) + sum(kept))
            assert got["forward"] == weights + 5 * size * largest


def test_what_is_typed_is_read_or_refused(in_module):
    cases = {"3": 3, "3x5": [3, 5], " 3 × 5 ": [3, 5], "3,3": 3, "2 4 6": [2, 4, 6], "0": None, "-1": None, "3.5": None}
    cases |= {"": None, "x": None, "3x": None, "1x2x3x4": None, "same": None}
    got = in_module(ArchitectureCalculator, "args[0].map((text) => sizesTyped(text, { least: 1 }))", list(cases))
    assert got == list(cases.values())
    assert in_module(ArchitectureCalculator, "sizesTyped('Same', { least: 0, same: true })") == "same"
    shapes = {"3x32x20": [3, 32, 20], "7": [7], "3x0": None, "1x2x3x4x5": None, "a": None}
    assert in_module(ArchitectureCalculator, "args[0].map(shapeTyped)", list(shapes)) == list(shapes.values())


def shown(page):
    """Return the results of each row as texts."""
    return page.root.locator(".layers tbody tr:not(.fault-row)").evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('.result')].map((cell) => cell.textContent))"
    )


def bytes_text(count):
    if count < 1024:
        return f"{count} B"
    power = min((count.bit_length() - 1) // 10, 4)
    return f"{count / 1024**power:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[power - 1]}"


def plain(text):
    return text.replace("\u2009", "")


def assert_shows(page, rows, shape, *, batch=1, size=4):
    """Compare the table on the page, row by row, with the summary of the net."""
    layers = expected_rows(rows, shape)
    got = shown(page)
    for texts, layer in zip(got, layers, strict=True):
        field = "×".join(map(str, layer.receptive_field)) if layer.receptive_field else "–"
        memory = bytes_text(layer.activation_bytes // 4 * size * batch)
        expected = [
            "×".join(map(str, layer.output_shape)),
            str(layer.parameters),
            str(layer.multiply_adds),
            memory,
            field,
        ]
        assert [plain(text) for text in texts] == expected
    totals = [plain(text) for text in page.root.locator(".layers tfoot td").all_text_contents()]
    assert totals[1] == str(sum(layer.parameters for layer in layers))
    assert totals[2] == str(sum(layer.multiply_adds for layer in layers))
    assert totals[3] == bytes_text(sum(layer.activation_bytes // 4 for layer in layers) * size * batch)


def test_the_decks_760_and_768000_come_out(open_demo):
    page = open_demo(ArchitectureCalculator())
    page.set("preset", "deck")
    assert plain(page.words()) == (
        "Row 1, conv on 3 × 32 × 32: height and width ⌊(32 + 2·2 − 5)/1⌋ + 1 = 32. 10·(3·5·5) + 10 = 760 parameters; "
        "10·32·32 outputs × 75 = 768000 multiply-adds."
    )
    assert shown(page) == [["10×32×32", "760", "768\u2009000", "40.0 KiB", "5×5"]]
    assert plain(page.words(".answer")) == "760 parameters, 768000 multiply-adds"


@pytest.mark.parametrize("name", ["lenet", "alexnet", "vgg", "nin"])
def test_presets_show_the_numbers_of_their_nets(open_demo, name):
    demo = ArchitectureCalculator()
    preset = next(preset for preset in demo.data["presets"] if preset["name"] == name)
    page = open_demo(demo)
    page.set("preset", name)
    assert_shows(page, preset["rows"], tuple(preset["input_shape"]))
    layers = expected_rows(preset["rows"], tuple(preset["input_shape"]))
    table = page.table()
    for row, layer in zip(table, layers, strict=True):
        numbers = [plain(row[i]) for i in (3, 5, 7, 8)]
        entries = layer.activation_bytes // 4
        assert numbers == [str(n) for n in (layer.parameters, layer.multiply_adds, entries, entries * 4)]
        for column, attribute in ((4, "parameters"), (6, "multiply_adds")):
            total = sum(getattr(one, attribute) for one in layers)
            assert float(row[column].split()[0]) == pytest.approx(100 * getattr(layer, attribute) / total, abs=0.051)
        assert row[9] == (" × ".join(map(str, layer.receptive_field)) if layer.receptive_field else "–")
        assert row[10] == (" × ".join(map(str, layer.jump)) if layer.jump else "–")


def test_bars_are_as_high_as_the_shares(open_demo):
    demo = ArchitectureCalculator()
    page = open_demo(demo)
    heights = page.root.locator(".stage g[class] > rect.bar").evaluate_all(
        "nodes => nodes.map((node) => Number(node.getAttribute('height')))"
    )
    layers = expected_rows(demo.rows, demo.input_shape)
    for k, attribute in enumerate(("parameters", "multiply_adds", "activation_bytes")):
        values = np.array([getattr(layer, attribute) for layer in layers], float)
        bars = np.array(heights[k::3])
        large = values > values.max() / 30  # smaller ones are one pixel high, to be seen at all
        np.testing.assert_allclose(bars[large] / bars.max(), values[large] / values.max(), atol=1e-9)
        assert ((bars > 0) == (values > 0)).all()


def cell(page, row, name):
    return page.root.locator(".layers tbody tr:not(.fault-row)").nth(row - 1).locator(f"[name={name}]")


def test_editing_cells_recomputes_every_row(open_demo):
    page = open_demo(ArchitectureCalculator())
    cell(page, 1, "kernel_size").fill("3x5")
    cell(page, 1, "padding").fill("same")
    cell(page, 4, "groups").fill("5")
    cell(page, 4, "stride").fill("2x1")
    cell(page, 4, "bias").uncheck()
    cell(page, 6, "ceil_mode").check()
    page.root.locator("[name=input_shape]").fill("3x31x20")
    page.root.locator("[name=batch]").fill("16")
    page.set("dtype", "float16")
    rows = [
        ("conv", 10, (3, 5), 1, "same"),
        "relu",
        ("maxpool", 2),
        ("conv", 20, 3, (2, 1), 1, 1, 5, False),
        "relu",
        ("maxpool", 2, 2, 0, 1, True),
        "flatten",
        ("linear", 10),
    ]
    assert_shows(page, rows, (3, 31, 20), batch=16, size=2)
    layers = expected_rows(rows, (3, 31, 20))
    memory = plain(page.words(".memory"))
    weights = sum(layer.parameters for layer in layers)
    kept = [layer.activation_bytes // 4 for layer in layers]
    assert memory.startswith(f"For 16 examples, float16: weights {weights} × 2 bytes = {bytes_text(2 * weights)};")
    assert f"training {bytes_text(4 * weights + 32 * (3 * 31 * 20 + sum(kept)))} (" in memory
    page.root.locator(".layers tbody tr").nth(3).click(position={"x": 5, "y": 5})
    assert plain(page.words()) == (
        "Row 4, conv on 10 × 15 × 10: height ⌊(15 + 2·1 − 3)/2⌋ + 1 = 8, width ⌊(10 + 2·1 − 3)/1⌋ + 1 = 10. "
        "20·(10/5·3·3) = 360 parameters; 20·8·10 outputs × 18 = 28800 multiply-adds."
    )
    assert plain(page.words(".verdict")) == (
        "Memory: 20·8·10 = 1600 numbers × 2 bytes × 16 examples = 50.0 KiB. "
        f"One number sees {' × '.join(map(str, layers[3].receptive_field))} of the input, neighbors 4 × 2 apart."
    )


FORMULA = re.compile(
    r"(height|width|length|depth)?[^⌊⌈]*[⌊⌈]\((\d+)(?: \+ 2·(\d+)| \+ (\d+))? − ([\d·()− ]+)\)/(\d+)([⌋⌉]) \+ 1 = (\d+)"
)


@pytest.mark.parametrize("seed", range(3))
def test_the_words_of_random_rows_are_true(open_demo, seed):
    """Each formula is evaluated as it is written; the products give the number that follows them."""
    rng = np.random.default_rng(20 + seed)
    while True:
        rows, shape, bad = random_net(rng)
        if bad is None and sum(row["kind"] in {"conv", "maxpool", "linear"} for row in rows) >= 3:
            break
    page = open_demo(ArchitectureCalculator(rows, input_shape=shape))
    layers = expected_rows(rows, shape)
    page.root.locator(".stage").focus()
    page.press("Home")
    before = shape
    for row, layer in zip(rows, layers, strict=True):
        words = plain(page.words())
        for _, size, twice, once, reach, stride, end, result in FORMULA.findall(words):
            padding = 2 * int(twice or 0) + int(once or 0)
            dilated = re.match(r"(\d+)·\((\d+) − 1\) − 1", reach)  # stands after a minus: D·(K − 1) + 1 in all
            covers = int(dilated[1]) * (int(dilated[2]) - 1) + 1 if dilated else int(reach)
            steps = (int(size) + padding - covers) / int(stride)
            value = int(np.ceil(steps) if end == "⌉" else np.floor(steps)) + 1
            assert value == int(result)
        if row["kind"] in {"conv", "linear"}:
            product, parameters = re.search(r"(?:^|[ .])([\d·()/]+(?: \+ \d+)?) = (\d+) parameters?;", words).groups()
            assert eval(product.replace("·", "*")) == int(parameters) == layer.parameters
            outputs, each, macs = re.search(r"; ([\d·]+) outputs × (\d+) = (\d+) multiply-adds?", words).groups()
            assert eval(outputs.replace("·", "*")) * int(each) == int(macs) == layer.multiply_adds
        assert " × ".join(map(str, before)) in words or len(before) == 1
        before = layer.output_shape
        page.press("ArrowRight")


THIRDS = ("conv", 12, 3, 1, 1, 1, 3)
MISFITS = [
    ("relu", ("conv", 8, 40), "height: kernel 40 is larger than the input, 12", "set the kernel to 12×20", "8×1×1"),
    (("conv", 8, 3), THIRDS, "8 input channels cannot be shared out among 3 groups", "set groups to 1", "12×10×18"),
    (("conv", 9, 3), ("conv", 10, *THIRDS[2:]), "10 filters cannot be shared out", "set groups to 1", "10×10×18"),
    ("relu", ("linear", 10), "takes a vector, but gets 6 × 12 × 20 maps", "insert a flatten before it", "1440"),
    ("relu", ("maxpool", 2, 2, 2), "padding 2 is more than half of the pooling", "set padding to 1", "6×7×11"),
    ("relu", ("conv", 4, 3, 2, "same"), "padding “same” needs stride 1, not 2", "set stride to 1", "4×12×20"),
    ("relu", ("conv", 4, (3, 3, 5)), "3×3×5 has 3 entries and the input has 2 axes", "use 3 on all axes", "4×10×18"),
    ("flatten", ("conv", 4, 3), "a convolution takes maps, but gets a vector of 1440", None, None),
]


@pytest.mark.parametrize("case", MISFITS)
def test_a_row_that_does_not_fit_explains_itself_in_place(open_demo, case):
    *rows, words, mend, then = case
    page = open_demo(ArchitectureCalculator([*rows, "relu", ("linear", 3)], input_shape=(6, 12, 20)))
    told = page.root.locator(".fault-row")
    assert told.inner_text().strip().startswith("⚠ Row 2: ")
    assert words in told.inner_text()
    assert told.evaluate("(row) => row.previousElementSibling.querySelector('.place').textContent") == "2"
    results = shown(page)
    assert all(results[0])
    assert results[1:] == [[""] * 5] * 3  # empty, not wrong
    assert page.words(".answer") == "Row 2 does not fit"
    assert page.root.locator("[data-wrong]").count() >= 1
    assert told.locator("button").count() == (mend is not None)
    if mend:
        assert told.locator("button").inner_text() == mend
        told.locator("button").click()
        assert shown(page)[1][0] == then


def test_what_is_no_number_stays_and_says_so(open_demo):
    demo = ArchitectureCalculator()
    page = open_demo(demo)
    kernel = cell(page, 1, "kernel_size")
    kernel.fill("3x")
    assert kernel.get_attribute("aria-invalid") == "true"
    assert "type a number such as 3, or one for each axis such as 3x5" in page.root.locator(".fault-row").inner_text()
    assert_shows(page, demo.rows, (3, 32, 32))
    cell(page, 1, "stride").focus()
    assert kernel.input_value() == "5"
    assert page.root.locator(".fault-row").count() == 0


def test_kinds_can_be_changed_and_common_settings_set(open_demo):
    page = open_demo(ArchitectureCalculator([("conv", 8, 5), ("conv", 4, 3), "relu"]))
    second = page.root.locator(".layers tbody tr").nth(1)
    second.locator("select.kind").select_option("avgpool")
    assert_shows(page, [("conv", 8, 5), ("avgpool", 2, 2), "relu"], (3, 32, 32))
    cell(page, 1, "kernel_size").focus()
    page.root.locator("button[name=common-3]").click()
    assert_shows(page, [("conv", 8, 3, 2, 1), ("avgpool", 2, 2), "relu"], (3, 32, 32))
    second.locator("select.kind").focus()
    page.root.locator("button[name=common-1]").click()
    assert_shows(page, [("conv", 8, 3, 2, 1), ("avgpool", 2), ("conv", 16, 5, 1, 2), "relu"], (3, 32, 32))


def test_rows_are_added_moved_and_removed_by_keyboard_alone(open_demo):
    page = open_demo(ArchitectureCalculator([("conv", 8, 3), ("maxpool", 2), ("conv", 4, 3)]))
    cell(page, 1, "kernel_size").focus()
    page.press("ArrowDown", "ArrowDown")
    assert page.page.evaluate("document.activeElement.getAttribute('aria-label')") == "row 3, kernel"
    page.press("Alt+ArrowUp")
    assert_shows(page, [("conv", 8, 3), ("conv", 4, 3), ("maxpool", 2)], (3, 32, 32))
    page.press("Alt+Enter")
    assert page.page.evaluate("document.activeElement.getAttribute('aria-label')") == "row 3, layer"
    assert_shows(page, [("conv", 8, 3), ("conv", 4, 3), ("conv", 4, 3), ("maxpool", 2)], (3, 32, 32))
    page.press("Alt+Backspace", "Alt+Backspace")
    assert_shows(page, [("conv", 8, 3), ("conv", 4, 3)], (3, 32, 32))
    page.root.locator("button[name=up]").focus()
    page.press("Enter")
    assert_shows(page, [("conv", 4, 3), ("conv", 8, 3)], (3, 32, 32))
    page.root.locator("button[name=remove]").focus()
    page.press("Enter")
    assert page.root.locator("button[name=remove]").is_disabled()
    page.root.locator("button[name=add]").focus()
    page.press("Enter")
    assert len(shown(page)) == 2


def test_pointing_at_the_picture_tells_and_picks_a_row(open_demo):
    page = open_demo(ArchitectureCalculator())
    bar = page.root.locator(".stage g.full rect.bar").first.bounding_box()
    page.page.mouse.move(bar["x"] + 4, bar["y"] + 4)
    assert plain(page.root.locator(".tooltip").inner_text()).splitlines() == [
        "8 linear: 10",
        "12810 parameters (83 %)",
        "12800 multiply-adds (1 %)",
    ]
    page.page.mouse.click(bar["x"] + 4, bar["y"] + 4)
    assert page.words().startswith("Row 8, linear")
    assert page.root.locator(".layers tr[aria-current]").count() == 1


def run(code):
    scope = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, scope)
    return scope, printed.getvalue()


def test_the_cnnlab_listing_builds_the_net(open_demo, page):
    rng = np.random.default_rng(30)
    for _ in range(4):
        rows, shape, bad = random_net(rng)
        demo = ArchitectureCalculator(rows, input_shape=shape)
        opened = open_demo(demo)
        if bad == 0:
            continue
        scope, _ = run(opened.listing("cnnlab"))
        summary = cnnlab.summary(scope["net"], shape)
        got = [texts for texts in shown(opened) if texts[0]]
        for texts, layer in zip(got, summary.layers, strict=True):
            numbers = ["×".join(map(str, layer.output_shape)), str(layer.parameters), str(layer.multiply_adds)]
            assert [plain(text) for text in texts[:3]] == numbers
        assert repr(scope["net"]) == repr(ArchitectureCalculator(rows[:bad], input_shape=shape).build())


@pytest.mark.oracle
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_torch_listing_has_the_same_shapes_and_parameters(open_demo, seed):
    pytest.importorskip("torch")
    rng = np.random.default_rng(40 + seed)
    while True:
        rows, shape, bad = random_net(rng)
        if len(rows[:bad]) >= 4 and shape[0] > 1:
            break
    opened = open_demo(ArchitectureCalculator(rows, input_shape=shape))
    scope, _ = run(opened.listing("PyTorch"))
    layers = expected_rows(rows[:bad], shape)
    assert tuple(scope["x"].shape[1:]) == layers[-1].output_shape
    assert sum(p.numel() for p in scope["net"].parameters()) == sum(layer.parameters for layer in layers)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_pages_have_no_horizontal_bar(new_page, show, scheme):
    page = new_page(viewport={"width": 360, "height": 700}, color_scheme=scheme)
    wide = [
        ("conv", 4096, (11, 13), (10, 11), (4, 5)),
        ("conv", 30, 3, 1, 1, 1, 7),
        ("batchnorm", True),
        ("dropout", 0.5),
    ]
    for demo in (ArchitectureCalculator(), ArchitectureCalculator(wide, input_shape=(3, 512, 512), batch=512)):
        show(page, demo)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator(".layers-scroll").evaluate("(e) => e.scrollWidth <= e.clientWidth")


def test_python_and_page_follow_each_other(page):
    """The module with a stand-in for the widget model: a trait that changes is drawn, and what is done is sent."""
    demo = ArchitectureCalculator([("conv", 10, 5, 1, 2)])
    state = {name: getattr(demo, name) for name in demo.traits(demo=True)}
    rows = ArchitectureCalculator([("conv", 6, 5), "relu"]).rows
    page.set_content("<div id=here style='width: 900px'></div>")
    words = page.evaluate(
        """async ([esm, state, rows]) => {
          const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
          const calls = {};
          const model = { get: (name) => state[name], off() {}, save_changes() {} };
          model.set = (name, value) => (state[name] = value);
          model.on = (event, call) => (calls[event] = call);
          const here = document.querySelector("#here");
          module.default.render({ model, el: here });
          (window.state = state).rows = rows;
          calls["change:rows"]();
          return here.querySelector(".words").textContent;
        }""",
        [str(demo._esm), state, rows],
    )
    assert "6·(3·5·5) + 6 = 456 parameters" in words
    page.locator("[name=kernel_size]").fill("3x7")
    page.locator("[name=batch]").fill("4")
    page.wait_for_function("window.state.batch === 4")
    sent = page.evaluate("window.state")
    fresh = ArchitectureCalculator()
    for name in ("rows", "input_shape", "batch", "dtype", "selected"):
        setattr(fresh, name, sent[name])  # Python accepts what the page sends
    assert fresh.rows[0]["kernel_size"] == [3, 7]
