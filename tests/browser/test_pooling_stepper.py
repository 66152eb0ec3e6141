"""The pooling stepper in Chromium: every number against the ops, and every way of moving it."""

import contextlib
import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab.demos import PoolingStepper
from cnnlab.geometry import PoolGeometry
from cnnlab.ops import avg_pool_backward, avg_pool_forward, max_pool_backward, max_pool_forward


def number(text):
    return float(text.replace("−", "-").replace("+", "").replace("\u2009", "").replace("∞", "inf"))


def reference(x, dy, options):
    """Output and gradient by the ops; dy of the output's shape, or None for a count from 1."""
    x = np.array(x)[None, None]
    how = options["how"]
    names = ["stride", "padding", "ceil_mode", "dilation" if how == "max" else "count_include_pad"]
    kwargs = {name: options[name] for name in names}
    forward, backward = (max_pool_forward, max_pool_backward) if how == "max" else (avg_pool_forward, avg_pool_backward)
    y = forward(x, options["kernel_size"], **kwargs)
    dy = np.arange(1.0, y.size + 1).reshape(y.shape) if dy is None else np.array(dy)[None, None]
    return y[0, 0], backward(dy, x, options["kernel_size"], **kwargs)[0, 0], dy[0, 0]


def random_options(rng, shape, how):
    """Options of a layer that has an output for this shape; overlaps, gaps, padding and rests occur."""
    while True:
        kernel = [int(k) for k in rng.integers(1, 5, 2)]
        options = {
            "kernel_size": kernel,
            "stride": [int(s) for s in rng.integers(1, 4, 2)] if rng.random() < 0.75 else None,
            "padding": [int(rng.integers(0, k // 2 + 1)) for k in kernel],
            "dilation": [int(d) for d in rng.integers(1, 4, 2)] if how == "max" else [1, 1],
            "ceil_mode": bool(rng.random() < 0.5),
            "count_include_pad": bool(rng.random() < 0.5),
            "how": how,
        }
        geometry = [options[name] for name in ("kernel_size", "stride", "padding", "dilation")]
        with contextlib.suppress(ValueError):
            PoolGeometry(*geometry, ceil_mode=options["ceil_mode"]).output_size(shape)
            return options


def random_input(rng, shape, kind):
    x = rng.standard_normal(shape)
    if kind == "ties":
        x = rng.integers(-2, 2, shape).astype(float)
    elif kind == "negative":
        x = -1 - rng.random(shape)
    elif kind == "equal":
        x = np.full(shape, -3.0)
    elif kind == "zeros of both signs":
        x = rng.choice([0.0, -0.0, -1.0], shape)
    elif kind == "nan":
        x = np.where(rng.random(shape) < 0.2, np.nan, rng.integers(-2, 2, shape))
    return x


KINDS = ["normal", "ties", "negative", "equal", "zeros of both signs", "nan"]


@pytest.mark.parametrize("how", ["max", "average"])
def test_output_winners_and_gradient_are_those_of_the_ops(in_module, how):
    rng = np.random.default_rng(11)
    cases = []
    for i in range(180):
        shape = tuple(int(n) for n in rng.integers(1, 9, 2))
        options = random_options(rng, shape, how)
        x = random_input(rng, shape, KINDS[i % 6 if how == "max" else i % 5])
        y, dx, dy = reference(x, None, options)
        dy = rng.standard_normal(dy.shape)
        cases.append((x, options, *reference(x, dy, options)))
    sent = [{"x": x.tolist(), "dy": dy.ravel().tolist(), **options} for x, options, _, _, dy in cases]
    got = in_module(
        PoolingStepper,
        """args.map((state) => {
          const model = poolModel(state);
          const flat = (tap) => (tap ? tap.row * state.x[0].length + tap.column : -1);
          const cells = model.windows.map(({ taps, winner }) => flat(taps[winner]));
          return { y: model.output.map(String), cells, ...inputGradient(model, state.dy), shape: model.outputs };
        })""",
        *sent,
    )
    compared = 0
    for (x, options, y, dx, _), case in zip(cases, got, strict=True):
        assert case["shape"] == list(y.shape)
        np.testing.assert_allclose(np.array(case["y"], float).reshape(y.shape), y, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.reshape(case["values"], dx.shape), dx, rtol=1e-12, atol=1e-12)
        assert all(case["final"])
        compared += y.size + dx.size
        if how == "average":
            continue
        for winner, (_, at) in zip(case["cells"], windows_of(options, x.shape), strict=True):
            values = [x[place] for place in at]
            if not at:
                assert winner == -1
                continue
            best = (
                np.flatnonzero(np.isnan(values)) if np.isnan(values).any() else np.flatnonzero(values == np.max(values))
            )
            assert winner == np.ravel_multi_index(at[best[0]], x.shape)
            compared += 1
    assert compared > 5000


def windows_of(options, shape):
    """The input positions of every window, in row-major order, from the edges of the geometry."""
    geometry = PoolGeometry(
        *(options[n] for n in ("kernel_size", "stride", "padding", "dilation")), ceil_mode=options["ceil_mode"]
    )
    found = {position: [] for position in np.ndindex(*geometry.output_size(shape))}
    for _, at, to in geometry.edges(shape):
        found[to].append(at)
    return list(found.items())


def test_the_number_of_windows_is_the_geometrys_for_every_small_axis(in_module):
    cases, expected = [], []
    for size in range(1, 10):
        for kernel in range(1, 5):
            for padding in range(kernel // 2 + 1):
                for stride in range(1, 5):
                    for dilation in range(1, 4):
                        for ceil in (False, True):
                            axis = PoolGeometry(kernel, stride, padding, dilation, ceil_mode=ceil)
                            cases.append(
                                [
                                    size,
                                    {
                                        "kernel": kernel,
                                        "stride": stride,
                                        "padding": padding,
                                        "dilation": dilation,
                                        "ceil": ceil,
                                    },
                                ]
                            )
                            expected.append(axis._window_count(0, size))
    got = in_module(PoolingStepper, "args[0].map(([size, axis]) => poolCount(size, axis))", cases)
    assert len(cases) == 1728
    assert got == expected


def test_partial_gradients_add_up_to_the_whole_and_say_which_cells_are_done(in_module):
    rng = np.random.default_rng(5)
    x, dy = rng.integers(-3, 4, (5, 6)).astype(float), rng.standard_normal((4, 5))
    for how in ("max", "average"):
        options = {"kernel_size": [2, 2], "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "ceil_mode": False}
        options |= {"how": how, "count_include_pad": True, "x": x.tolist()}
        got = in_module(
            PoolingStepper,
            "args[1].map((_, i) => inputGradient(poolModel(args[0]), args[1], i))",
            options,
            dy.ravel().tolist(),
        )
        for upto, partial in enumerate(got):
            masked = np.where(np.arange(dy.size) <= upto, dy.ravel(), 0).reshape(dy.shape)
            _, dx, _ = reference(x, masked, options)
            np.testing.assert_allclose(np.reshape(partial["values"], dx.shape), dx, rtol=1e-12, atol=1e-13)
            later = {at for _, cells in windows_of(options, x.shape)[upto + 1 :] for at in cells}
            assert partial["final"] == [tuple(map(int, at)) not in later for at in np.ndindex(*x.shape)]


def test_a_shifted_input_is_numpys(in_module):
    x = np.random.default_rng(2).standard_normal((4, 5))
    modes = {"replicate": "edge", "zeros": "constant", "circular": "wrap"}
    ways = [((d, r), mode) for d in range(-3, 4) for r in range(-3, 4) for mode in modes]
    got = in_module(PoolingStepper, "args[1].map(([way, mode]) => shifted(args[0], way, mode))", x.tolist(), ways)
    for ((down, right), mode), moved in zip(ways, got, strict=True):
        padded = np.pad(x, 3, mode=modes[mode])
        np.testing.assert_array_equal(moved, padded[3 - down : 7 - down, 3 - right : 8 - right])


# ---- the page

CASES = [
    ({}, (4, 4)),
    ({"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 1)}, (5, 4)),
    ({"kernel_size": (2, 3), "stride": (2, 1), "dilation": (2, 1), "ceil_mode": True}, (6, 5)),
    ({"kernel_size": (3, 2), "stride": (2, 2), "padding": (1, 1), "how": "average", "ceil_mode": True}, (5, 7)),
    ({"kernel_size": 3, "stride": 2, "padding": 1, "how": "average", "count_include_pad": False}, (4, 6)),
    ({"kernel_size": 3, "stride": 1, "padding": 1}, (9,)),
]


def full(demo):
    """The options as the browser has them."""
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "count_include_pad", "how")
    return {name: getattr(demo, name) for name in names}


@pytest.mark.parametrize(("options", "shape"), CASES)
def test_every_number_on_the_page_is_numpys(open_demo, options, shape):
    rng = np.random.default_rng(sum(shape))
    x = rng.integers(-9, 10, shape) / 2
    made = PoolingStepper(x, **options)
    dy = rng.integers(-9, 10, made.output.shape) / 4
    made.dy = dy.tolist()
    x, settings = np.atleast_2d(x), full(made)
    y, dx, _ = reference(x, dy, settings)
    np.testing.assert_array_equal(made.output, y)
    demo = open_demo(made)
    windows = windows_of(settings, x.shape)
    last = len(windows) - 1

    for step in {0, last // 2, last}:
        demo.set("position", step)
        (place, at), values = windows[step], y.ravel()
        shown = demo.cells("output")
        assert [text != "" for text in shown] == [i <= step for i in range(len(shown))]
        np.testing.assert_allclose([number(t) for t in shown[: step + 1]], values[: step + 1], atol=0.0051)
        cells = [number(t) for t in demo.cells("window") if t and t != "−∞"]
        inside = [x[p] for p in at]
        zeros = len(cells) - len(inside) if made.how == "average" else 0
        np.testing.assert_allclose(sorted(cells), sorted([*inside, *[0] * zeros]), atol=1e-9)
        assert f"row {place[0]}, column {place[1]}" in demo.words()
        assert number(demo.words(".words strong")) == pytest.approx(y[place], abs=6e-5)
        kept = [int(t) for t in demo.cells("kept") if t]
        if made.how == "max":
            largest = [
                np.ravel_multi_index(c[int(np.argmax([x[p] for p in c]))], x.shape) for _, c in windows[: step + 1]
            ]
            assert kept == largest
            assert f"input row {largest[-1] // x.shape[1]}, column {largest[-1] % x.shape[1]}." in demo.words()
            ties = inside.count(max(inside))
            assert (f"stands there {ties} times" in demo.words(".verdict")) == (ties > 1)
        else:
            sums = [sum(x[p] for p in c) for _, c in windows[: step + 1]]
            np.testing.assert_allclose(np.array(kept) * values[: step + 1], sums, atol=1e-9)
    assert "No learnable parameters" in demo.words(".verdict")

    demo.root.locator("[name=view][value=backward]").check(force=True)
    for step in {0, last // 2, last}:
        demo.set("position", step)
        masked = np.where(np.arange(dy.size) <= step, dy.ravel(), 0).reshape(dy.shape)
        _, partial, _ = reference(x, masked, settings)
        shown = np.array(demo.cells("dx")).reshape(-1, columns_of(demo, "dx"))
        top, left = settings["padding"]
        inner = shown[top : top + x.shape[0], left : left + x.shape[1]]
        for text, value in zip(inner.ravel(), partial.ravel(), strict=True):
            assert number(text) == pytest.approx(value, abs=0.0051) if text else value == 0
        if step == last:
            assert (inner != "").all()
        np.testing.assert_allclose([number(t) for t in demo.cells("dy")], dy.ravel(), atol=0.0051)
        sums = re.search(r"Sum of dx (?:so far )?(\S+), sum of dy (\S+)\.", demo.words(".verdict"))
        assert [number(part) for part in sums.groups()] == pytest.approx([partial.sum(), masked.sum()], abs=1e-4)

    outputs, inputs = demo.table(0), demo.table(1)
    np.testing.assert_allclose([number(row[-3]) for row in outputs], y.ravel(), atol=6e-5)
    np.testing.assert_allclose([number(row[-2]) for row in outputs], dy.ravel(), atol=1e-6)
    starts = [
        [p * s - q for p, s, q in zip(place, made.stride or made.kernel_size, made.padding, strict=True)]
        for place, _ in windows
    ]
    assert [[int(number(c)) for c in row[2:4]] for row in outputs] == starts
    np.testing.assert_allclose([number(row[2]) for row in inputs], x.ravel(), atol=1e-6)
    np.testing.assert_allclose([number(row[5]) for row in inputs], dx.ravel(), atol=1e-6)
    holds = [sum(at in cells for _, cells in windows) for at in np.ndindex(*x.shape)]
    assert [int(row[3]) for row in inputs] == holds

    ran = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(demo.listing("NumPy"), ran)
    np.testing.assert_allclose(ran["y"], y, rtol=1e-12)
    np.testing.assert_allclose(ran["dx"], dx, rtol=1e-12, atol=1e-13)


def columns_of(demo, grid):
    cells = demo.root.locator(f'[data-grid="{grid}"] .cells rect')
    return cells.evaluate_all("rects => new Set(rects.map((r) => r.getAttribute('x'))).size")


@pytest.mark.oracle
@pytest.mark.parametrize(("options", "shape"), CASES)
def test_pytorchs_listing_gives_the_numbers_shown(open_demo, options, shape):
    x = np.random.default_rng(1).integers(-3, 4, shape).astype(float)
    made = PoolingStepper(x, **options)
    demo = open_demo(made)
    ran = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(demo.listing("PyTorch"), ran)
    np.testing.assert_allclose(np.atleast_2d(ran["y"].detach().numpy()), made.output, rtol=1e-12)
    np.testing.assert_allclose(np.atleast_2d(ran["dx"].numpy()), made.gradient, rtol=1e-12, atol=1e-13)


def test_the_shift_compares_outputs_before_and_after(open_demo):
    demo = open_demo(PoolingStepper(view="shift"))
    assert demo.words(".answer") == "3 of 4 outputs unchanged"
    assert demo.words(".words strong") == "3 of 4"
    assert demo.cells("moved-output") == ["7", "8", "3", "4"]
    assert demo.cells("difference") == ["✗", "✓", "✓", "✓"]
    x = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
    for mode, name in {"replicate": "edge", "zeros": "constant", "circular": "wrap"}.items():
        demo.set("shift_mode", mode)
        for down, right in ((0, 1), (1, 0), (-2, 3), (0, 0)):
            demo.set("shift-down", down)
            demo.set("shift-right", right)
            moved = np.pad(x, 3, mode=name)[3 - down : 7 - down, 3 - right : 7 - right]
            y = moved.reshape(2, 2, 2, 2).max(axis=(1, 3)).ravel()
            kept = int((y == [6, 8, 3, 4]).sum())
            assert [number(t) for t in demo.cells("moved")] == moved.ravel().tolist()
            assert [number(t) for t in demo.cells("moved-output")] == y.tolist()
            assert demo.words(".words strong") == f"{kept} of 4"
            assert f"{(moved != x).sum()} of 16 inputs changed" in demo.words()


def test_the_shifted_input_is_pulled_with_the_pointer(open_demo):
    demo = open_demo(PoolingStepper(view="shift"))
    box = demo.root.locator('[data-grid="moved"] .cells').bounding_box()
    cell = box["width"] / 4
    mouse = demo.page.mouse
    mouse.move(box["x"] + 2.5 * cell, box["y"] + 1.5 * cell)
    mouse.down()
    mouse.move(box["x"] + 3.5 * cell, box["y"] + 2.5 * cell, steps=4)
    mouse.up()
    assert "moved 1 down" in demo.words()  # from one to the left, one to the right: not moved that way
    assert demo.root.locator("[name=shift-right]").input_value() == "0"


def test_cells_of_input_and_upstream_gradient_are_typed_over(open_demo):
    demo = open_demo(PoolingStepper(view="backward"))
    demo.root.locator('[data-grid="input"]').focus()
    demo.press("ArrowDown", "9", "Enter")  # row 1, column 0: now the largest of its window
    assert demo.cells("output") == ["9", "8", "3", "4"]
    demo.root.locator('[data-grid="dy"]').focus()
    demo.press("-", "2", "Enter")
    assert demo.cells("dy") == ["−2", "2", "3", "4"]
    assert demo.cells("dx")[4] == "−2"
    demo.set("position", 3)
    assert [t for t in demo.cells("dx") if t != "0"] == ["−2", "2", "3", "4"]


def test_what_has_no_output_says_why_and_what_to_change(open_demo):
    demo = open_demo(PoolingStepper())
    demo.set("padding-height", 2)
    assert demo.words() == (
        "There is no output: padding 2 is more than half of the window’s height 2: a window could lie in the padding "
        "alone. Pad less, or take a larger window."
    )
    assert demo.words(".answer") == "No output"
    demo.set("padding-height", 0)
    demo.set("kernel-width", 5)
    assert "the window’s width is 5 and the padded input has only 4. Add padding" in demo.words()
    for view in ("backward", "shift"):
        demo.root.locator(f"[name=view][value={view}]").check(force=True)
        assert "There is no output" in demo.words()
    demo.set("kernel-width", 4)
    assert demo.words(".answer") == "2 of 2 outputs unchanged"


def test_ties_and_cells_outside_are_said_in_words(open_demo):
    demo = open_demo(PoolingStepper(np.full((3, 3), -2.0), 2, stride=1, padding=1))
    assert number(demo.words(".words strong")) == -2  # padding of 0 would have won
    assert "3 cells outside the input are −∞ and never win." in demo.words(".verdict")
    demo.set("position", 5)
    assert "−2 stands there 4 times: the first in row-major order wins" in demo.words(".verdict")
    demo.set("how", "average")
    assert "/ 4 = −2" in demo.words()
    demo.set("position", 0)
    assert "/ 4 = −0.5" in demo.words()
    assert "3 zeros of the padding count" in demo.words(".verdict")
    demo.root.locator("[name=count_include_pad]").uncheck()
    assert "/ 1 = −2" in demo.words()


FOCUSED = """(() => {
  const { dataset, name, className, tagName } = document.activeElement;
  return dataset.grid || name || className || tagName;
})()"""


def test_every_control_works_by_keyboard_alone(open_demo):
    demo = open_demo(PoolingStepper())
    seen = []
    for _ in range(24):
        demo.press("Tab")
        seen.append(demo.page.evaluate(FOCUSED))
    assert seen[:10] == ["view", "stage", "input", "output", "start", "back", "play", "forward", "position", "speed"]
    assert seen[10:18] == [
        f"{name}-{axis}" for name in ("kernel", "stride", "padding", "dilation") for axis in ("height", "width")
    ]
    assert seen[18:23] == ["how", "touching", "ceil_mode", "SUMMARY", "SUMMARY"]
    demo.root.locator(".stage").focus()
    for key, step in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 3),
        ("ArrowRight", 3),
        ("Home", 0),
    ):
        demo.press(key)
        assert demo.root.locator("[name=position]").input_value() == str(step)
    demo.root.locator("[name=view]").first.focus()
    demo.press("ArrowRight")
    assert demo.words(".answer") == "dx after 1 of 4 outputs"
    demo.root.locator('[data-grid="output"]').focus()
    demo.press("ArrowDown", "Enter")
    assert demo.words(".answer") == "dx after 3 of 4 outputs"


def test_it_plays_to_the_end(open_demo):
    demo = open_demo(PoolingStepper())
    demo.set("speed", "16")
    demo.root.locator(".stage").focus()
    demo.press(" ")
    expect(demo.root.locator("[name=position]")).to_have_value("3")
    assert demo.cells("output") == ["6", "8", "3", "4"]


RIGHTMOST = """() => {
  const nodes = [...document.querySelectorAll(".stage svg text, .stage svg rect")];
  return Math.max(...nodes.map((node) => node.getBoundingClientRect().right));
}"""


def test_it_fits_a_narrow_page_in_every_view(new_page, show):
    page = new_page(viewport={"width": 360, "height": 700})
    x = np.random.default_rng(0).standard_normal((7, 9))
    for options in ({}, {"x": x, "kernel_size": 3, "stride": 1, "padding": 1}, {"x": np.arange(24.0)}):
        show(page, PoolingStepper(**options))
        page.locator("details").evaluate_all("nodes => nodes.forEach((node) => (node.open = true))")
        for view in ("forward", "backward", "shift"):
            page.locator(f"[name=view][value={view}]").check(force=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert page.evaluate(RIGHTMOST) <= 360


MODEL = """([esm, state]) => {
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  return import(url).then((module) => {
    const calls = {};
    window.state = state;
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
    demo = PoolingStepper()
    page.set_content(f"<style>{demo._css}</style>")
    page.evaluate(MODEL, [str(demo._esm), {name: getattr(demo, name) for name in demo.traits(demo=True)}])
    words = page.locator(".words")
    page.evaluate("assign('step', 2)")
    assert "Output row 1, column 0" in words.inner_text()
    page.evaluate("assign('how', 'average')")
    assert "/ 4 = 2." in words.inner_text()
    page.evaluate("assign('x', [[0, 0], [8, 4]])")
    assert "/ 4 = 3." in words.inner_text()
    page.evaluate("assign('view', 'backward')")
    assert page.locator('[data-grid="dx"] text.value').all_text_contents() == ["0.25"] * 4
    page.locator("[name=stride-width]").evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input')) }")
    page.wait_for_function("saved.length === 1")
    kept = page.evaluate("saved[0]")
    assert (kept["stride"], kept["view"], kept["how"], kept["dy"]) == ([2, 1], "backward", "average", None)
    for name, value in kept.items():
        if name != "data":
            setattr(demo, name, value)  # what the page sends is accepted
    np.testing.assert_array_equal(demo.output, [[3]])
