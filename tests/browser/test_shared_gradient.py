"""The shared gradient in Chromium: every number against cnnlab's ops and ties, and every way of moving it."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab import nn, ops
from cnnlab.demos import SharedGradient
from cnnlab.geometry import ConvGeometry

# x's shape, w's shape, stride, padding, what is given
CASES = [
    ((10,), (3,), 1, 0, "target"),
    ((9,), (4,), 3, 2, "dy"),
    ((5,), (1,), 2, 0, None),
    ((3,), (2,), 1, 3, "target"),
    ((3,), (5,), 1, 4, "dy"),
    ((5, 6), (3, 2), 1, 0, "dy"),
    ((4, 7), (2, 3), (2, 3), (1, 0), "target"),
    ((3, 5), (1, 4), 1, (0, 2), None),
]


class Truth:
    """What cnnlab says of a case: the op's gradient, and each edge's term from the full gradient of the tied matrix."""

    def __init__(self, case):
        shape, kernel, stride, padding, given = case
        rng = np.random.default_rng(sum(shape) + sum(kernel))
        self.x, self.w = rng.integers(-9, 9, shape) / 4, rng.integers(-9, 9, kernel) / 4
        self.options = {"stride": stride, "padding": padding}
        out = ConvGeometry(kernel, stride, padding).output_size(shape)
        values = rng.integers(-9, 9, out) / 4
        self.given = given
        self.demo = SharedGradient(self.x, self.w, **self.options, **({given: values} if given else {}))
        difference = np.zeros(self.w.size)
        difference[-1] = -1
        difference[0] = 1
        self.target = values if given == "target" else self.run(difference.reshape(kernel))
        self.y = self.run(self.w)
        self.dy = values if given == "dy" else self.y - self.target
        _, dw, _ = ops.conv_backward(self.dy[None, None], self.x[None, None], self.w[None, None], **self.options)
        self.dw = dw[0, 0]
        kind = nn.Conv1d if self.x.ndim == 1 else nn.Conv2d
        layer = kind(1, 1, kernel, stride, padding, bias=False, dtype=np.float64)
        layer.weight.data = self.w[None, None]
        self.ties = nn.dense_matrix(layer, (1, *shape)).ties
        self.full = np.outer(self.dy.ravel(), self.x.ravel())  # the gradient of every entry as if it were its own
        np.testing.assert_allclose(ops.tie_backward(self.full, self.w.ravel(), self.ties), self.dw.ravel(), atol=1e-12)

    def run(self, w):
        return ops.conv_forward(self.x[None, None], w[None, None], **self.options)[0, 0]

    def loss(self, w):
        y = self.run(w)
        return (self.dy * y).sum() if self.given == "dy" else 0.5 * ((y - self.target) ** 2).sum()

    def terms(self, tap):
        """[(output, input, dy · x)] in order of the output."""
        return [(o, i, self.full[o, i]) for o, i in np.argwhere(self.ties == tap)]

    def rules(self):
        terms = [[part for *_, part in self.terms(tap)] for tap in range(self.w.size)]
        means = np.array([np.mean(part) if part else 0.0 for part in terms]).reshape(self.w.shape)
        lasts = np.array([part[-1] if part else 0.0 for part in terms]).reshape(self.w.shape)
        return {"sum": self.dw, "mean": means, "last": lasts}

    def alone(self, rate):
        """Return the matrix whose entries stepped each on its own, and the loss with it."""
        connected = self.ties >= 0
        start = np.append(self.w.ravel(), 0.0)[self.ties]
        matrix = np.where(connected, start - rate * self.full, 0.0)
        y = (matrix @ self.x.ravel()).reshape(self.y.shape)
        return matrix, (self.dy * y).sum() if self.given == "dy" else 0.5 * ((y - self.target) ** 2).sum()


def state_of(demo):
    return {name: getattr(demo, name) for name in ("x", "w", "target", "dy", "stride", "padding")}


@pytest.mark.parametrize("case", CASES)
def test_calculations_agree_with_cnnlab(in_module, case):
    truth, rate = Truth(case), 0.03
    got = in_module(
        truth.demo,
        """(() => { const model = gradientModel(args[0]); const rates = [0, 0.01, 0.5];
        return { model, slopes: model.weights.map((_, t) => numericSlope(model, t, 1e-3)), best: bestRate(model),
          steps: ["sum", "mean", "last"].map((rule) => sharedStep(model, args[1], rule)),
          separate: separateStep(model, args[1]),
          curves: lossCurves(model, rates, ["sum", "mean", "last", "separate"]) }; })()""",
        state_of(truth.demo),
        rate,
    )
    close = {"rtol": 1e-12, "atol": 1e-12}
    model, rules = got["model"], truth.rules()
    for name, expected in (("y", truth.y), ("dy", truth.dy), ("sums", truth.dw), ("loss", truth.loss(truth.w))):
        np.testing.assert_allclose(model[name], np.ravel(expected) if np.ndim(expected) else expected, **close)
    np.testing.assert_allclose(model["means"], rules["mean"].ravel(), **close)
    np.testing.assert_allclose(model["lasts"], rules["last"].ravel(), **close)
    for tap, edges in enumerate(model["edges"]):
        assert [(e["output"], e["input"]) for e in edges] == [(o, i) for o, i, _ in truth.terms(tap)]
        np.testing.assert_allclose([e["product"] for e in edges], [part for *_, part in truth.terms(tap)], **close)
        slope = got["slopes"][tap]
        for side, sign in (("up", 1), ("down", -1)):
            moved = truth.w.copy()
            moved.flat[tap] += sign * 1e-3
            np.testing.assert_allclose(slope[side], truth.loss(moved), **close)
        np.testing.assert_allclose(slope["slope"], truth.dw.flat[tap], rtol=1e-7, atol=1e-8)
    for step, rule in zip(got["steps"], ("sum", "mean", "last"), strict=True):
        after = truth.w - rate * rules[rule]
        np.testing.assert_allclose(step["weights"], after.ravel(), **close)
        np.testing.assert_allclose(step["loss"], truth.loss(after), **close)
    matrix, loss = truth.alone(rate)
    np.testing.assert_allclose(got["separate"]["loss"], loss, **close)
    for tap, row in enumerate(got["separate"]["copies"]):
        found = np.argwhere(truth.ties == tap)
        assert [o for o, value in enumerate(row) if value is not None] == found[:, 0].tolist()
        np.testing.assert_allclose([v for v in row if v is not None], matrix[truth.ties == tap], **close)
    for rule in ("sum", "mean", "last"):
        expected = [truth.loss(truth.w - r * rules[rule]) for r in (0, 0.01, 0.5)]
        np.testing.assert_allclose(got["curves"][rule], expected, rtol=1e-11, atol=1e-11)
    expected = [truth.alone(r)[1] for r in (0, 0.01, 0.5)]
    np.testing.assert_allclose(got["curves"]["separate"], expected, rtol=1e-11, atol=1e-11)
    if got["best"] is not None:  # no step along −dw does better
        around = [truth.loss(truth.w - got["best"] * f * truth.dw) for f in (0.99, 1, 1.01)]
        assert around[1] == min(around)


def run(listing):
    printed = []
    exec(listing, scope := {"print": lambda *things: printed.extend(things)})
    return scope, printed


def values(shown, texts):
    return [shown.number(text) for text in texts]


@pytest.mark.parametrize("case", CASES)
def test_every_number_shown_is_cnnlabs(open_demo, case):
    truth = Truth(case)
    demo, two = truth.demo, truth.x.ndim == 2
    demo.tap = truth.w.size - 1
    demo.show_mean = demo.show_last = True
    demo.rate, terms = 0.02, truth.terms(demo.tap)
    demo.step = len(terms)
    shown = open_demo(demo)
    name = str([int(i) for i in np.unravel_index(demo.tap, truth.w.shape)])
    dw = truth.dw.flat[demo.tap]
    heading = shown.words(".answer").split(" = ")
    assert heading[0] == f"dw{name}"
    assert shown.number(heading[1]) == pytest.approx(dw, abs=6e-5)

    def place(i, shape):
        return str([int(k) for k in np.unravel_index(i, shape)]) if two else str(i)

    sums = np.cumsum([part for *_, part in terms])
    rows = shown.table(0)
    assert [row[1:3] for row in rows] == [[place(o, truth.y.shape), place(i, truth.x.shape)] for o, i, _ in terms]
    for row, (o, i, part), total in zip(rows, terms, sums, strict=True):
        expected = [truth.dy.flat[o], truth.x.flat[i], part, total]
        np.testing.assert_allclose(values(shown, row[3:]), expected, atol=6e-7)
    rules, (matrix, lonely) = truth.rules(), truth.alone(demo.rate)
    for tap, row in enumerate(shown.table(1)):
        copies = matrix[truth.ties == tap]
        assert int(row[1]) == len(copies)
        expected = [truth.w.flat[tap], rules["sum"].flat[tap], rules["sum"].flat[tap], rules["mean"].flat[tap]]
        expected += [rules["last"].flat[tap], truth.w.flat[tap] - demo.rate * truth.dw.flat[tap]]
        np.testing.assert_allclose(values(shown, row[2:8]), expected, atol=1e-5)
        assert (row[8:] == ["", ""]) == (len(copies) == 0)
        if len(copies):
            np.testing.assert_allclose(values(shown, row[8:]), [copies.min(), copies.max()], atol=6e-7)
    steps = {rule: truth.loss(truth.w - demo.rate * gradient) for rule, gradient in rules.items()}
    losses = [truth.loss(truth.w), steps["sum"], lonely, steps["mean"], steps["last"]]
    np.testing.assert_allclose(values(shown, [row[1] for row in shown.table(2)]), losses, atol=6e-7)
    columns = [truth.y, truth.dy] if truth.given == "dy" else [truth.y, truth.target, truth.dy]
    got = [values(shown, row[1:]) for row in shown.table(3)]
    np.testing.assert_allclose(got, np.transpose([c.ravel() for c in columns]), atol=6e-7)

    # the words: the numeric gradient really run, and the losses of one step
    verdict = shown.words(".verdict")
    up, down = re.search(r"/ 2h = \((\S+) − \(?([−\d.]+)\)?\) / 0\.0002 = ", verdict).groups()
    for text, sign in ((up, 1), (down, -1)):
        moved = truth.w.copy()
        moved.flat[demo.tap] += sign * demo.h
        assert shown.number(text) == pytest.approx(truth.loss(moved), abs=1e-7)
    slope = shown.number(re.search(r"/ 0\.0002 = ([−\d.]+),", verdict)[1])
    assert slope == pytest.approx(dw, abs=1e-5)
    training = shown.words(".training-words")
    said = [shown.number(text) for text in re.findall(r"→ (−?[\d.]+\d)", training)]
    np.testing.assert_allclose(said, [steps["sum"], steps["mean"], steps["last"], lonely], atol=6e-5)

    # the picture: bars, grids and copies
    bars = shown.root.locator(".waterfall .bars rect").evaluate_all(
        "r => r.map(b => [b.getAttribute('class'), b.getAttribute('visibility')])"
    )
    assert bars == [["down" if part < 0 else "up", None] for *_, part in terms]
    for grid, expected in (("x", truth.x), ("y", truth.y), ("dy", truth.dy)):
        for text, value in zip(shown.cells(grid), expected.ravel(), strict=True):
            assert not text or shown.number(text) == pytest.approx(value, abs=0.0051)
    stepped = truth.w - demo.rate * truth.dw
    own, tied = np.full((2, truth.w.size, truth.y.size), np.nan)
    for (o, i), tie in np.ndenumerate(truth.ties):
        if tie >= 0:
            own[tie, o], tied[tie, o] = matrix[o, i], stepped.flat[tie]
    close = 0.0051 if truth.w.size <= 5 and truth.y.size <= 12 else 0.051  # smaller cells show one decimal
    for grid, expected in (("alone", own), ("tied", tied)):
        numbered = 0
        for text, value in zip(shown.cells(grid), expected.ravel(), strict=True):
            if text:
                numbered += 1
                assert shown.number(text) == pytest.approx(value, abs=close)
            else:
                assert np.isnan(value) or len(expected.T) > 12  # cells too small for numbers
        empty = shown.root.locator(f'[data-grid="{grid}"] .cells rect').evaluate_all(
            "r => r.map(b => b.matches('.empty'))"
        )
        assert empty == np.isnan(expected.ravel()).tolist()
        assert numbered or len(expected.T) > 12

    # the listing gives the same gradient and the same step
    scope, printed = run(shown.listing("NumPy"))
    np.testing.assert_allclose(scope["dw"], truth.dw, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(scope["numeric"], dw, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(printed[-2:], [losses[0], losses[1]], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", [CASES[0], CASES[5]])
def test_steps_add_one_edge_at_a_time(open_demo, case):
    truth = Truth(case)
    demo, tap = truth.demo, 1
    demo.tap, demo.step = tap, 0
    shown = open_demo(demo)
    terms = truth.terms(tap)
    assert f"stands on {len(terms)} edges" in shown.words()
    hidden = shown.root.locator('.waterfall .bars rect[visibility="hidden"]')
    expect(hidden).to_have_count(len(terms))
    assert shown.cells("slopes")[tap] == ""
    shown.root.locator(".stage").focus()
    total = 0.0
    for k, (o, i, part) in enumerate(terms[:-1], start=1):
        shown.press("ArrowRight")
        total += part
        expect(hidden).to_have_count(len(terms) - k)
        words = shown.words()
        assert words.startswith(f"Edge {k} of {len(terms)}, output ")
        product = re.search(r"= \(?(−?[\d.]+)\)? · \(?(−?[\d.]+)\)? = (−?[\d.]+\d|−?\d)\. Sum", words).groups()
        np.testing.assert_allclose(values(shown, product), [truth.dy.flat[o], truth.x.flat[i], part], atol=6e-5)
        assert shown.number(shown.words(".words strong")) == pytest.approx(total, abs=6e-5)
        for grid, flat, size in (("x", i, truth.x.shape[-1]), ("dy", o, truth.y.shape[-1])):
            frame = shown.root.locator(f'[data-grid="{grid}"] .frame-pair.window rect').first.bounding_box()
            cell = shown.root.locator(f'[data-grid="{grid}"] .cells rect').nth(int(flat)).bounding_box()
            assert size
            assert abs(frame["x"] + frame["width"] / 2 - cell["x"] - cell["width"] / 2) < 2
            assert abs(frame["y"] + frame["height"] / 2 - cell["y"] - cell["height"] / 2) < 2
    shown.press("End")
    expect(shown.root.locator(".answer")).to_have_attribute("data-found", "true")
    shown.press("ArrowDown")
    assert "= w" in shown.words()
    assert f"stands on {len(truth.terms(tap + 1))} edges" in shown.words()


def test_a_step_of_training_lowers_the_loss_and_can_be_taken_back(open_demo):
    truth = Truth(CASES[0])
    demo = truth.demo
    shown = open_demo(demo)
    shown.root.locator("button[name=take]").click()
    after = truth.w - demo.rate * truth.dw
    rows = shown.table(1)
    np.testing.assert_allclose(values(shown, [row[2] for row in rows]), after, atol=6e-7)
    assert shown.number(shown.table(2)[0][1]) == pytest.approx(truth.loss(after), abs=6e-7)
    shown.root.locator("button[name=reset]").click()
    np.testing.assert_allclose(values(shown, [row[2] for row in shown.table(1)]), truth.w, atol=6e-7)
    expect(shown.root.locator("button[name=reset]")).to_be_disabled()


def test_cells_weights_rate_and_h_can_be_changed(open_demo):
    shown = open_demo(SharedGradient([1, 2, 3, 4], [1, -1], target=[0, 1, 0]))
    expect(shown.root.locator("input[name=stride]")).to_be_disabled()
    shown.root.locator('[data-grid="x"]').focus()
    shown.press("ArrowRight", "5", "Enter")
    shown.root.locator('[data-grid="target"]').focus()
    shown.press("2", "Enter")
    shown.set("value", 0.5)
    shown.set("h", -2)
    shown.set("rate", 0.01)
    expected = SharedGradient([1, 5, 3, 4], [0.5, -1], target=[2, 1, 0])
    rows = shown.table(1)
    np.testing.assert_allclose(values(shown, [row[3] for row in rows]), expected.gradient, atol=6e-7)
    assert "h = 0.01" in shown.words(".verdict")
    rate = float(shown.root.locator("input[name=rate]").input_value())
    after = expected.gradient * -rate + [0.5, -1]
    np.testing.assert_allclose(values(shown, [row[7] for row in rows]), after, atol=6e-7)


def test_stride_and_padding_move_where_the_target_follows(open_demo):
    shown = open_demo(SharedGradient())
    shown.set("stride", 2)
    shown.set("padding", 1)
    expected = SharedGradient(stride=2, padding=1)
    np.testing.assert_allclose(values(shown, [row[3] for row in shown.table(1)]), expected.gradient, atol=6e-7)
    assert shown.words(".words strong") == f"{expected.gradient[0]:g}".replace("-", "−")


def test_wrong_rules_are_shown_when_asked_for(open_demo):
    shown = open_demo(SharedGradient())
    totals = shown.root.locator(".waterfall [data-total]")
    expect(totals).to_have_count(2)
    shown.root.locator("input[name=show_mean]").check()
    shown.root.locator("input[name=show_last]").check()
    expect(totals).to_have_count(4)
    assert "The mean of the copies, −1.25, is the sum divided by 8." in shown.words(".verdict")
    assert "The last edge alone gives −0.5" in shown.words(".verdict")


@pytest.mark.oracle
@pytest.mark.parametrize("case", [CASES[1], CASES[6]])
def test_the_pytorch_listing_gives_the_same_gradient(open_demo, case):
    pytest.importorskip("torch")
    truth = Truth(case)
    _, printed = run(open_demo(truth.demo).listing("PyTorch"))
    np.testing.assert_allclose(printed[0].numpy(), truth.dw, rtol=1e-12, atol=1e-12)
    after = truth.loss(truth.w - truth.demo.rate * truth.dw)
    np.testing.assert_allclose(printed[1:], [truth.loss(truth.w), after], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", [CASES[0], CASES[6]])
def test_a_narrow_page_needs_no_horizontal_bar(new_page, show, case):
    page = show(new_page(viewport={"width": 360, "height": 800}), Truth(case).demo)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.evaluate(
        "Math.max(...[...document.querySelectorAll('svg rect')].map(r => r.getBoundingClientRect().right))"
    )
    assert right <= 360


def test_the_page_keeps_what_python_set(open_demo):
    demo = SharedGradient()
    demo.tap, demo.step, demo.h, demo.rate, demo.show_last = 2, 3, 0.01, 0.05, True
    shown = open_demo(demo)
    assert shown.root.locator("input[name=position]").input_value() == "3"
    assert shown.words().startswith("Edge 3 of 8, output 2 ← input 4: ")
    assert shown.root.locator("input[name=h]").input_value() == "-2"
    assert shown.words(".training-words").startswith("η = 0.05. ")
    expect(shown.root.locator(".waterfall [data-total]")).to_have_count(3)
