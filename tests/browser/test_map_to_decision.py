"""Map to decision in Chromium: answers and gradients against NumPy, float32 against NumPy's float32, and every handle."""

import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab.demos import MapToDecision

NAMES = {"max": "max", "mean": "mean", "softmax": "softmax", "mlp": "MLP"}


def net(rng, *sizes):
    return [(rng.standard_normal((n, m)) / np.sqrt(m), rng.standard_normal(n) / 4) for m, n in pairwise(sizes)]


# shape of the map, hidden layers of the MLP or None, sigmoid, spread of the scores
CASES = [
    ((16,), (4,), False, 3),
    ((5, 9), (3, 2), True, 2),
    ((1,), (), False, 1),
    ((7, 2), None, False, 30),
    ((40,), (6,), True, 0.01),
    ((1, 6), (2,), False, 4),
    ((8, 12), (), True, 5),
]


def make(seed, case, **state):
    """A random demo; some scores are equal, so that there are ties."""
    shape, hidden, sigmoid, spread = case
    rng = np.random.default_rng(seed)
    scores = (rng.standard_normal(shape) * spread).round(1 if spread > 0.5 else 4)
    flat = scores.reshape(-1)
    flat[rng.integers(0, flat.size, 2)] = flat.max()
    size = scores.size
    demo = MapToDecision(scores, mlp=None if hidden is None else net(rng, size, *hidden, 1), sigmoid=sigmoid)
    for name, value in state.items():
        setattr(demo, name, value)
    return demo


def random_state(rng, demo):
    shape = np.array(demo.scores).shape
    return {
        "shift": [int(rng.integers(1 - n, n)) for n in shape],
        "wrap": bool(rng.integers(2)),
        "offset": float(rng.integers(-5, 6)),
        "temperature": float(10 ** rng.uniform(-1.9, 1.9)),
        "cell": int(rng.integers(shape[0] * shape[1])),
    }


MODEL = """(() => {
  const [states, data] = args;
  const unpacked = ({ base64 }) => [...new Float32Array(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer)];
  const layers = data.mlp?.map(({ weight, bias }) => ({ weight: unpacked(weight), bias: unpacked(bias) }));
  const net = layers ? { layers, sigmoid: data.sigmoid } : null;
  return states.map((state) => {
    const shape = [state.scores.length, state.scores[0].length];
    const model = decisionModel({ ...state, scores: state.scores.flat(), shape, net, threshold: 0, subtract: true });
    const numeric = model.ways.map(({ how }) => model.y.map((_, cell) => numericGradient(model.y, how, model.options, cell)));
    return { ...model, numeric };
  });
})()"""


@pytest.mark.parametrize("case", range(len(CASES)))
def test_answers_and_gradients_equal_numpys_over_random_states(in_module, case):
    demo = make(case, CASES[case])
    rng = np.random.default_rng(case)
    states = [random_state(rng, demo) for _ in range(12)]
    found = in_module(demo, MODEL, [{"scores": demo.scores, **state} for state in states], demo.data)
    for state, got in zip(states, found, strict=True):
        for name, value in state.items():
            setattr(demo, name, value)
        np.testing.assert_allclose(got["y"], demo.map.ravel(), rtol=0, atol=1e-13)
        assert [way["how"] for way in got["ways"]] == list(demo.decisions)
        for way, numeric in zip(got["ways"], got["numeric"], strict=True):
            how = way["how"]
            assert way["Y"] == pytest.approx(demo.decisions[how], rel=1e-12, abs=1e-12)
            gradient = demo.gradients[how].ravel()
            np.testing.assert_allclose(way["gradient"], gradient, rtol=1e-10, atol=1e-12)
            # Differences agree away from kinks: ties of the maximum, and nearly-equal scores that a step swaps.
            if how == "max":
                y = demo.map.ravel()
                assert (
                    sum(numeric) == pytest.approx(1, abs=1e-6) or (y >= y.max() - 2e-5 * max(1, abs(y).max())).sum() > 1
                )
            elif how != "mlp":
                curvature = max(1, abs(demo.map).max()) ** 2 * 1e-10 / demo.temperature**2
                np.testing.assert_allclose(
                    numeric, gradient, atol=max(1e-7, 10 * curvature * (1 + np.ptp(demo.map) / demo.temperature))
                )


def plain32(y, temperature):
    """The softmax without subtracting the maximum, in NumPy's float32."""
    with np.errstate(all="ignore"):
        y, tau = y.astype(np.float32), np.float32(temperature)
        powers = np.exp(y / tau)
        p = powers / powers.sum(dtype=np.float32)
        return powers, p, (p * y).sum(dtype=np.float32)


def test_without_subtracting_the_maximum_float32_overflows_where_numpys_does(in_module):
    rng = np.random.default_rng(0)
    rows = [(rng.normal(0, spread, 9), tau) for spread in (1, 30, 300, 3000) for tau in (0.05, 1, 20)]
    rows += [
        (np.array([88.0, 1.0]), 1),
        (np.array([88.7, 88.7]), 1),
        (np.array([89.0, 0.0]), 1),
        (np.full(3, -104.0), 1),
    ]
    states = [[y.tolist(), tau] for y, tau in rows]
    script = "args[0].map(([y, tau]) => { const r = plainSoftmax32(y, tau); return [r.powers, r.p, [r.Y]].map((a) => a.map(String)); })"
    kinds = set()
    for (y, tau), got in zip(rows, in_module(MapToDecision([1.0, 2.0]), script, states), strict=True):
        powers, p, Y = plain32(y, tau)
        numbers = [np.array([float(v.replace("Infinity", "inf")) for v in part]) for part in got]
        np.testing.assert_array_equal(np.isinf(numbers[0]), np.isinf(powers))
        np.testing.assert_array_equal(np.isnan(numbers[1]), np.isnan(p))
        np.testing.assert_allclose(numbers[0], powers.astype(float), rtol=1e-6)
        np.testing.assert_allclose(numbers[1], p.astype(float), rtol=2e-6)
        np.testing.assert_allclose(numbers[2], float(Y), rtol=1e-5, atol=1e-5)
        kinds.add((bool(np.isinf(powers).any()), bool(np.isnan(Y))))
    assert kinds == {(False, False), (True, True), (False, True)}


def value_of(text):
    return float(text.replace("−", "-").replace("+", "").replace("∞", "inf"))


def check(demo_page, demo):
    """Compare both tables, the strips' names and the sentences with NumPy."""
    answers, gradients = demo.decisions, demo.gradients
    still = make_copy(demo)
    table, cells = demo_page.table(0), demo_page.table(1)
    assert [row[0] for row in table] == [NAMES[how] for how in answers]
    names = demo_page.root.locator(".way-name").all_text_contents()
    for how, row, name in zip(answers, table, names, strict=True):
        found = answers[how] > demo.threshold
        assert value_of(row[1]) == pytest.approx(answers[how], abs=0.6e-6)
        assert row[2] == ("yes" if found else "no")
        assert value_of(row[3]) == pytest.approx(still.decisions[how], abs=0.6e-6)
        assert value_of(row[4]) == pytest.approx(gradients[how].sum(), abs=0.6e-6)
        assert re.match(rf"{NAMES[how]}  ([+−]?[\d.]+)  ({'✓ yes' if found else '✗ no'})", name), name
        assert value_of(name.split()[1]) == pytest.approx(answers[how], abs=0.0051)
    assert len(cells) == demo.map.size
    columns = np.array([[value_of(cell) for cell in row[1:]] for row in cells]).T
    y = demo.map.ravel()
    p = np.exp((y - y.max()) / demo.temperature)
    expected = [y, p / p.sum(), *(gradient.ravel() for gradient in gradients.values())]
    np.testing.assert_allclose(columns, expected, atol=0.6e-6)
    assert value_of(demo_page.words(".words strong")) == pytest.approx(answers[demo.how], abs=0.00051)
    yes = answers[demo.how] > demo.threshold
    assert demo_page.words(".answer").startswith(f"{NAMES[demo.how]}: {'yes' if yes else 'no'}, ")
    words = demo_page.words(".verdict >> nth=0")
    shown = re.search(r"(?:= |: |backpropagation )([−\d.e]+)(?:, (?:the|as)|; by)", words)
    assert shown, words
    assert value_of(shown[1]) == pytest.approx(gradients[demo.how].ravel()[demo.cell], rel=0.06, abs=0.6e-4)
    moved = demo_page.root.locator(".moved").inner_text()
    if any(demo.shift):
        unchanged = [
            NAMES[how]
            for how in answers
            if abs(answers[how] - still.decisions[how]) <= 1e-9 * max(1, abs(still.decisions[how]))
        ]
        assert (f"unchanged: {', '.join(unchanged)}" in moved) if unchanged else "unchanged" not in moved
    else:
        assert moved == ""


def make_copy(demo):
    """The same demo with its map where it was."""
    copy = MapToDecision(np.array(demo.scores), mlp=demo._mlp, sigmoid=demo._sigmoid, temperature=demo.temperature)
    copy.offset = demo.offset
    return copy


@pytest.mark.parametrize("case", [0, 1, 3, 5])
def test_every_number_on_the_page_equals_numpys(open_demo, case):
    demo = make(case + 30, CASES[case])
    rng = np.random.default_rng(case)
    for name, value in random_state(rng, demo).items():
        setattr(demo, name, value)
    demo.threshold = round(float(np.quantile(demo.map, 0.8)), 2)
    demo_page = open_demo(demo)
    for how in demo.decisions:
        demo_page.set("how", how)
        demo.how = how
        check(demo_page, demo)


def test_sliders_boxes_and_the_reset_do_what_they_say(open_demo):
    demo = make(3, CASES[1])
    given = np.array(demo.scores)
    demo_page = open_demo(demo)
    for name, value in (("shift-row", 2), ("shift-column", -3), ("offset", 4), ("threshold", 1.5), ("cell", 31)):
        demo_page.set(name, value)
    demo.shift, demo.offset, demo.threshold, demo.cell = [2, -3], 4.0, 1.5, 31
    check(demo_page, demo)
    demo_page.root.locator("[name=wrap]").uncheck()
    demo.wrap = False
    check(demo_page, demo)
    demo_page.set("temperature", 0.5)
    demo.temperature = round(10**0.5, 2)
    check(demo_page, demo)
    demo_page.set("value", 9)  # what was moved stays where it is seen
    edited = demo.map - demo.offset
    edited.ravel()[31] = 9 - demo.offset
    demo.scores, demo.shift = edited, [0, 0]
    check(demo_page, demo)
    demo_page.root.locator("[name=reset]").click()
    demo.scores, demo.offset = given, 0.0
    check(demo_page, demo)
    demo_page.root.locator("[data-way=mlp]").click()
    demo.how = "mlp"
    check(demo_page, demo)


def at_cell(demo_page, cell, columns, rows):
    return demo_page.root.locator(".area >> nth=0").evaluate(
        """(e, [cell, columns, rows]) => {
          const b = e.getBoundingClientRect();
          return [b.x + ((cell % columns + 0.5) * b.width) / columns, b.y + ((Math.floor(cell / columns) + 0.5) * b.height) / rows, b.width / columns];
        }""",
        [cell, columns, rows],
    )


@pytest.mark.parametrize("case", [0, 1])
def test_a_cell_is_dragged_up_and_the_map_sideways(open_demo, case):
    demo = make(5, CASES[case])
    demo_page = open_demo(demo)
    rows, columns = np.array(demo.scores).shape
    mouse = demo_page.page.mouse
    cell = rows * columns // 2
    x, y, wide = at_cell(demo_page, cell, columns, rows)
    before = demo.map.ravel()[cell]
    mouse.move(x, y)
    assert demo_page.words(".tooltip").startswith("cell")
    mouse.down()
    mouse.move(x, y - 40, steps=5)
    mouse.up()
    demo_page.unfold()
    after = value_of(demo_page.table(1)[cell][1])
    assert after > before
    demo.scores = np.where(np.arange(rows * columns).reshape(rows, columns) == cell, after, demo.map)
    demo.cell = cell
    check(demo_page, demo)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 2.1 * wide, y, steps=5)
    mouse.up()
    demo.shift = [0, 2]
    check(demo_page, demo)
    assert "unchanged: max, mean, softmax; changed: MLP from" in demo_page.root.locator(".moved").inner_text()


def test_temperature_is_dragged_along_the_curve(open_demo):
    demo = make(1, CASES[0], how="softmax")
    demo_page = open_demo(demo)
    box = demo_page.root.locator(".curve-area").bounding_box()
    for share, temperature in ((0.25, 0.1), (0.75, 10.0), (0.999, 99.0)):
        demo_page.page.mouse.click(box["x"] + share * box["width"], box["y"] + 20)
        demo.temperature = temperature
        assert demo_page.words().startswith(f"Softmax, τ = {temperature:g}")
        assert value_of(demo_page.words(".words strong")) == pytest.approx(demo.decisions["softmax"], abs=0.02)
    labels = demo_page.root.locator(".limits text").all_text_contents()
    assert labels == [f"max +{demo.decisions['max']:.2f}", f"mean {demo.decisions['mean']:+.2f}".replace("-", "−")]


def curve(demo_page):
    return [
        (float(x), float(y))
        for x, y in re.findall(r"[ML]([\d.]+) ([\d.−-]+)", demo_page.root.locator("path.curve").get_attribute("d"))
    ]


def test_the_curve_falls_from_the_maximum_to_the_mean(open_demo):
    demo = make(1, CASES[0])
    demo_page = open_demo(demo)
    points = np.array(curve(demo_page))
    limits = demo_page.root.locator(".limits line").evaluate_all(
        "lines => lines.map((line) => Number(line.getAttribute('y1')))"
    )
    taus = 10 ** np.linspace(-2, 2, 121)
    expected = [
        MapToDecision(np.array(demo.scores), temperature=tau).decisions["softmax"] for tau in taus.clip(0.01, 100)
    ]
    top, bottom = demo.decisions["max"], demo.decisions["mean"]
    levels = limits[0] + (top - np.array(expected)) / (top - bottom) * (limits[1] - limits[0])
    assert len(points) == 121
    np.testing.assert_allclose(points[:, 1], levels, atol=0.11)


def test_overflow_is_computed_and_explained(open_demo):
    demo = make(2, CASES[0], how="softmax", subtract=False)
    demo_page = open_demo(demo)
    trouble = demo_page.root.locator(".trouble")
    _, p, Y = plain32(demo.map.ravel(), 1)
    assert "no overflow yet" in trouble.inner_text()
    assert value_of(demo_page.words(".words strong")) == pytest.approx(float(Y), abs=0.00051)
    np.testing.assert_allclose([value_of(row[2]) for row in demo_page.table(1)], p, atol=1e-6)
    demo_page.set("offset", 120)
    assert trouble.inner_text().startswith("Overflow: in float32 exp(")
    assert demo_page.words(".words strong") == "NaN"
    assert demo_page.words(".answer") == "softmax: no answer, NaN"
    assert demo_page.table(0)[2][1:3] == ["NaN", "none"]
    assert "M" in demo_page.root.locator(".broken").get_attribute("d")
    demo_page.set("offset", -150)
    assert trouble.inner_text().startswith("Underflow: in float32 even exp(")
    assert demo_page.words(".words strong") == "NaN"
    demo_page.root.locator("[name=subtract]").check()
    demo.offset, demo.subtract = -150.0, True
    check(demo_page, demo)
    assert demo_page.root.locator(".broken").get_attribute("d") == ""


def test_ties_go_to_the_first_and_that_is_said(open_demo):
    demo_page = open_demo(MapToDecision([[1.0, 4.0], [4.0, 4.0]]))
    assert "cell (0, 1) (3 cells hold it; the first in row-major order counts)" in demo_page.words()
    assert [row[3] for row in demo_page.table(1)] == ["0.000000", "1.000000", "0.000000", "0.000000"]
    words = demo_page.words(".verdict >> nth=0")
    assert "by differences 0.5: at a tie the maximum has a kink" in words
    assert "MLP: none was given" in demo_page.root.locator(".stage").inner_text()


@pytest.mark.parametrize("case", [0, 1])
def test_everything_moves_by_keyboard_alone(open_demo, case):
    demo = make(7, CASES[case])
    demo_page = open_demo(demo)
    rows, columns = np.array(demo.scores).shape
    demo_page.root.locator(".stage").focus()
    demo_page.press("Home", "ArrowRight", "ArrowRight", "ArrowLeft")
    demo.cell = 1
    raise_, lower = ("ArrowUp", "ArrowDown") if rows == 1 else ("+", "-")
    if rows > 1:
        demo_page.press("ArrowDown", "ArrowDown", "ArrowUp")
        demo.cell = columns + 1
    before = demo.map.ravel()[demo.cell]
    demo_page.press(raise_, raise_, lower)
    after = value_of(demo_page.table(1)[demo.cell][1])
    assert after > before
    demo.scores = np.where(np.arange(rows * columns).reshape(rows, columns) == demo.cell, after, demo.map)
    demo_page.root.locator(".stage").focus()
    demo_page.press("Shift+ArrowRight", "Shift+ArrowDown")
    demo.shift = [int(rows > 1), 1]
    check(demo_page, demo)


def names_for(demo):
    return {"layers": [(W.astype(float), b.astype(float)) for W, b in demo._mlp or []]}


@pytest.mark.parametrize("case", [0, 1, 3])
def test_code_gives_the_answers_and_gradients_that_are_shown(open_demo, case):
    demo = make(case, CASES[case], shift=[0, 1], offset=2.0, temperature=0.7)
    demo_page = open_demo(demo)
    names = names_for(demo)
    exec(demo_page.listing("NumPy"), names)
    for how, value in demo.decisions.items():
        assert names["Y"][how] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(names["dy"][how], demo.gradients[how].ravel(), rtol=1e-10, atol=1e-14)
    demo_page.root.locator("[name=subtract]").uncheck()
    demo_page.set("offset", 150)
    with np.errstate(all="ignore"):
        exec(demo_page.listing("NumPy"), names)
    assert np.isnan(names["Y"]["softmax"])


@pytest.mark.oracle
@pytest.mark.parametrize("case", [0, 1, 3])
def test_pytorch_code_gives_the_answers_and_gradients_that_are_shown(open_demo, case):
    torch = pytest.importorskip("torch")
    demo = make(case, CASES[case], shift=[0, 1], offset=2.0, temperature=0.7)
    modules = []
    for W, b in demo._mlp or []:
        linear = torch.nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
        linear.weight.data, linear.bias.data = (torch.tensor(part, dtype=torch.float64) for part in (W, b))
        modules += [linear, torch.nn.ReLU()]
    names = {"net": torch.nn.Sequential(*modules[:-1])}
    exec(open_demo(demo).listing("PyTorch"), names)
    for how, value in demo.decisions.items():
        assert names["Y"][how].item() == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(names["dy"][how], demo.gradients[how].ravel(), rtol=1e-10, atol=1e-14)


def test_state_that_was_set_in_python_is_shown(open_demo):
    demo = make(
        4, CASES[1], shift=[1, 2], wrap=False, offset=-3.0, temperature=0.4, cell=7, how="softmax", threshold=-2.0
    )
    demo_page = open_demo(demo)
    check(demo_page, demo)
    for name, value in {
        "shift-row": "1",
        "shift-column": "2",
        "offset": "-3",
        "cell": "7",
        "how": "softmax",
        "threshold": "-2",
    }.items():
        assert demo_page.root.locator(f"[name={name}]").input_value() == value
    expect(demo_page.root.locator("[name=wrap]")).not_to_be_checked()


@pytest.mark.parametrize("shape", [(171,), (24, 24)])
def test_it_fits_a_narrow_page_and_stays_quick_when_the_map_is_large(new_page, show, shape):
    page = new_page(viewport={"width": 360, "height": 800}, color_scheme="dark")
    demo = MapToDecision(np.random.default_rng(0).standard_normal(shape) * 3, how="softmax")
    show(page, demo)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    outside = page.locator(".stage svg text").evaluate_all(
        """(texts) => texts.map((e) => [e.textContent, e.getBoundingClientRect()])
          .filter(([text, box]) => text && (box.right > 360 || box.left < 0)).map(([text]) => text)"""
    )
    assert outside == []
