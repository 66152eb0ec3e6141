"""The convolution stepper in Chromium: every number against cnnlab's ops, and every way of moving it."""

import contextlib
import io

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnlab import ops
from cnnlab.demos import ConvStepper
from cnnlab.geometry import ConvGeometry


def random_case(rng):
    """Draw a stepper whose kernel fits, heights and widths apart."""
    while True:
        size, kernel = rng.integers(1, 9, 2), rng.integers(1, 4, 2)
        options = {
            "stride": tuple(map(int, rng.integers(1, 4, 2))),
            "padding": tuple(map(int, rng.integers(0, 4, 2))),
            "dilation": tuple(map(int, rng.integers(1, 4, 2))),
            "padding_mode": str(rng.choice(["zeros", "reflect", "replicate", "circular"])),
            "flip": bool(rng.integers(2)),
        }
        x, w = np.round(rng.normal(0, 3, size), 2), np.round(rng.normal(0, 2, kernel), 2)
        with contextlib.suppress(ValueError):
            return ConvStepper(x, w, round(float(rng.normal()), 2), **options)


def by_the_op(demo):
    w = np.array(demo.w)[::-1, ::-1].copy() if demo.flip else np.array(demo.w)
    names = ("stride", "padding", "dilation")
    options = {name: tuple(getattr(demo, name)) for name in names} | {"padding_mode": demo.padding_mode}
    return ops.conv_forward(np.array(demo.x)[None, None], w[None, None], np.array([demo.b]), **options)[0, 0]


def state_of(demo):
    names = ("x", "w", "b", "stride", "padding", "dilation", "padding_mode", "flip")
    return {name: getattr(demo, name) for name in names}


def test_model_agrees_with_the_op_over_random_cases(in_module):
    rng = np.random.default_rng(8)
    for _ in range(60):
        demo = random_case(rng)
        y = by_the_op(demo)
        got = in_module(ConvStepper, "stepperModel(args[0])", state_of(demo))
        assert got["fault"] is None
        np.testing.assert_allclose(np.reshape(got["output"], got["outputs"]), y, rtol=1e-12, atol=1e-12)
        step = int(rng.integers(y.size))
        position = [int(i) for i in np.unravel_index(step, y.shape)]
        products = in_module(ConvStepper, "productsOf(stepperModel(args[0]), args[1])", state_of(demo), position)
        total = sum(p["product"] for p in products) + demo.b
        assert total == pytest.approx(y[tuple(position)], rel=1e-12, abs=1e-12)


def test_cells_that_no_window_reaches_and_the_readers_of_a_cell_are_those_of_the_edges(in_module):
    rng = np.random.default_rng(9)
    for _ in range(25):
        demo = random_case(rng)
        demo.padding_mode, demo.padding = "zeros", [0, 0]
        shape = np.array(demo.x).shape
        kernel = np.array(demo.w).shape
        geometry = ConvGeometry(kernel, demo.stride, 0, demo.dilation)
        try:
            edges = list(geometry.edges(shape))
        except ValueError:
            continue
        seen = {i: [] for i in np.ndindex(*shape)}
        for edge in edges:
            seen[edge.input].append(list(edge.output))
        down, right = in_module(ConvStepper, "remainder(stepperModel(args[0]))", state_of(demo))
        ends = [max(edge.input[axis] for edge in edges) for axis in (0, 1)]
        assert (down, right) == (shape[0] - 1 - ends[0], shape[1] - 1 - ends[1])
        cell = [int(rng.integers(n)) for n in shape]
        assert (
            in_module(ConvStepper, "readers(stepperModel(args[0]), args[1])", state_of(demo), cell) == seen[tuple(cell)]
        )


@pytest.mark.parametrize("seed", range(4))
def test_every_number_shown_is_numpys(open_demo, seed):
    demo = random_case(np.random.default_rng(100 + seed))
    y = by_the_op(demo)
    demo.step = y.size - 1
    shown = open_demo(demo)
    rows = shown.table()
    assert [(int(r[0]), int(r[1])) for r in rows] == list(np.ndindex(*y.shape))
    np.testing.assert_allclose([shown.number(r[5]) for r in rows], y.ravel(), atol=6e-7)
    np.testing.assert_allclose([shown.number(r[4]) for r in rows], y.ravel() - demo.b, atol=6e-7)
    starts = [[i * s - p for i, s, p in zip(at, demo.stride, demo.padding, strict=True)] for at in np.ndindex(*y.shape)]
    assert [[int(shown.number(r[2])), int(shown.number(r[3]))] for r in rows] == starts
    cells = shown.cells("output")
    assert len(cells) == y.size
    for text, value in zip(cells, y.ravel(), strict=True):
        assert text == "" or shown.number(text) == pytest.approx(value, abs=0.0051)
    assert shown.number(shown.words(".words strong")) == pytest.approx(y.ravel()[-1], abs=6e-5)
    assert shown.words(".answer") == f"Output {y.shape[0]} × {y.shape[1]}"
    kernel = np.array(demo.w)[::-1, ::-1] if demo.flip else np.array(demo.w)
    np.testing.assert_allclose([shown.number(c) for c in shown.cells("kernel")], kernel.ravel(), atol=0.0051)


@pytest.mark.parametrize("seed", range(3))
def test_numpy_listing_prints_what_is_shown(open_demo, seed):
    demo = random_case(np.random.default_rng(200 + seed))
    listing = open_demo(demo).listing("NumPy")
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(listing, names)
    np.testing.assert_allclose(names["y"], by_the_op(demo), rtol=1e-12, atol=1e-12)
    assert printed.getvalue().strip() == str(names["y"])


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(2))
def test_pytorch_listing_gives_what_is_shown(open_demo, seed):
    demo = random_case(np.random.default_rng(300 + seed))
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(open_demo(demo).listing("PyTorch"), names)
    np.testing.assert_allclose(names["y"].numpy(), by_the_op(demo), rtol=1e-12, atol=1e-12)


def test_outputs_not_yet_computed_are_empty(open_demo):
    shown = open_demo(ConvStepper())
    assert shown.cells("output") == ["4", *[""] * 8]
    shown.set("position", 4)
    assert shown.cells("output") == ["4", "3", "4", "2", "4", *[""] * 4]


def test_keys_step_and_space_plays_to_the_end(open_demo):
    shown = open_demo(ConvStepper())
    shown.root.locator(".stage").focus()
    for key, place in [("ArrowRight", "row 0, column 1"), ("End", "row 2, column 2"), ("ArrowLeft", "row 2, column 1")]:
        shown.press(key)
        assert shown.words().startswith(f"Output {place}")
    shown.set("speed", 16)
    shown.press("Home", "Space")
    expect(shown.root.locator(".words")).to_contain_text("Output row 2, column 2")
    assert shown.cells("output") == ["4", "3", "4", "2", "4", "3", "2", "3", "4"]


def test_cells_are_edited_by_keyboard_alone(open_demo):
    shown = open_demo(ConvStepper())
    shown.root.locator('[data-grid="input"]').focus()
    shown.press("ArrowRight", "ArrowDown", "-", "2", ".", "5", "Enter")
    assert shown.cells("input")[6] == "−2.5"
    assert shown.number(shown.words(".words strong")) == pytest.approx(4 - 2.5 - 1)
    shown.root.locator('[data-grid="kernel"]').focus()
    shown.press("3", "Enter")
    assert shown.cells("kernel")[0] == "3"
    assert shown.number(shown.words(".words strong")) == pytest.approx(4 - 2.5 - 1 + 2)


def test_typing_what_is_no_number_says_so_and_changes_nothing(open_demo):
    shown = open_demo(ConvStepper())
    shown.root.locator('[data-grid="input"]').focus()
    shown.press("Enter")
    box = shown.root.locator(".cell-input")
    box.fill("one")
    shown.press("Enter")
    expect(box).to_have_attribute("aria-invalid", "true")
    shown.press("Escape")
    expect(box).to_have_count(0)
    assert shown.cells("input")[0] == "1"


def test_editing_a_flipped_kernel_changes_the_cell_that_is_seen(open_demo):
    shown = open_demo(ConvStepper(w=[[1, 2], [3, 4]], flip=True))
    assert shown.cells("kernel") == ["4", "3", "2", "1"]
    shown.root.locator('[data-grid="kernel"]').focus()
    shown.press("9", "Enter")
    assert shown.cells("kernel") == ["9", "3", "2", "1"]
    shown.root.locator("[name=flip]").uncheck()
    assert shown.cells("kernel") == ["1", "2", "3", "9"]


def test_padding_cannot_be_edited(open_demo):
    shown = open_demo(ConvStepper(padding=1))
    shown.root.locator('[data-grid="input"]').focus()
    shown.press("7", "Enter")
    assert shown.cells("input")[0] == "0"


def test_kernel_that_does_not_fit_says_why_and_comes_back(open_demo):
    shown = open_demo(ConvStepper())
    shown.set("dilation-width", 3)
    assert shown.words(".answer") == "No output"
    assert "the kernel covers 7 and the padded input has only 5" in shown.words()
    assert shown.cells("output") == [""]
    shown.set("padding-width", 1)
    assert shown.words(".answer") == "Output 3 × 1"


def test_padding_that_a_mode_cannot_fill_says_why(open_demo):
    shown = open_demo(ConvStepper(x=np.eye(3), w=np.ones((1, 1)), padding=2, padding_mode="reflect"))
    shown.set("padding-height", 3)
    assert "padding 3 with “reflect” needs an input of at least 4, not 3" in shown.words()


def test_a_click_pins_an_output_and_another_click_frees_it(open_demo):
    shown = open_demo(ConvStepper())
    cell = shown.root.locator('[data-grid="output"] .cells rect').nth(4)
    pin = shown.root.locator('[data-grid="input"] .pin')
    cell.click()
    assert shown.words().startswith("Output row 1, column 1")
    expect(pin).to_be_visible()
    shown.set("position", 7)
    expect(pin).to_be_visible()
    cell.click()
    expect(pin).to_be_hidden()


def test_pointing_at_an_input_marks_the_outputs_that_use_it(open_demo):
    shown = open_demo(ConvStepper(stride=2))
    shown.root.locator('[data-grid="input"] .cells rect').nth(12).hover()
    expect(shown.root.locator('[data-grid="output"] [data-seen]')).to_have_count(4)
    expect(shown.root.locator(".tooltip")).to_contain_text("used by 4 outputs")
    shown.root.locator("h3").hover()
    expect(shown.root.locator('[data-grid="output"] [data-seen]')).to_have_count(0)


def test_narrow_page_has_no_horizontal_bar(new_page, show):
    page = new_page(viewport={"width": 360, "height": 700})
    show(page, ConvStepper(np.ones((9, 11)), np.ones((3, 5)), padding=2))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_bias_and_preset_change_the_numbers(open_demo):
    shown = open_demo(ConvStepper())
    shown.root.locator("[name=bias]").fill("-1.5")
    assert shown.number(shown.words(".words strong")) == 2.5
    assert "+ bias (−1.5)" in shown.words()
    shown.set("preset", "edge")
    assert shown.cells("kernel") == ["1", "0", "−1", "2", "0", "−2", "1", "0", "−1"]
    shown.root.locator("[name=bias]").fill("")
    expect(shown.root.locator("[name=bias]")).to_have_attribute("aria-invalid", "true")
    assert "+ bias (−1.5)" in shown.words()
