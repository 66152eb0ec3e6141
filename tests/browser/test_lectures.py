"""Lectures as a reader meets them: opened in a real JupyterLab, run, and played with."""

import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

LECTURES = Path(__file__).parents[2] / "lectures"

FIGURES = """() => {
  const shown = (image) => getComputedStyle(image).display !== "none";
  return [...document.querySelectorAll(".cnnlab-figure")].map((figure) => {
    const [light, dark] = ["light", "dark"].map((theme) => figure.querySelector(`img.cnnlab-${theme}`));
    const loaded = light.complete && light.naturalWidth > 100;
    return { light: shown(light), dark: shown(dark), loaded, alt: light.alt };
  });
}"""


def whole_notebook_in_view(page):
    """Lab draws the cells in view only: make the window as high as the notebook."""
    height = page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
    page.set_viewport_size({"width": 1150, "height": height + 200})


def figures_follow_the_theme(page, *, at_least):
    """Go through both themes; the light one last, for Lab remembers it and opens the next notebook in it."""
    for theme, other in (("dark", "light"), ("light", "dark")):
        name = f"JupyterLab {theme.title()}"
        page.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{ theme: '{name}' }})")
        page.wait_for_function(f"document.body.dataset.jpThemeLight === '{str(theme == 'light').lower()}'")
        figures = page.evaluate(FIGURES)
        assert len(figures) >= at_least
        assert all(figure[theme] and not figure[other] for figure in figures)
    assert all(figure["loaded"] and len(figure["alt"]) > 10 for figure in figures)


def test_lecture_01_runs_and_its_demo_moves(lab, page):
    name = "01_finding_a_welcome.ipynb"
    shutil.copy(LECTURES / name, lab.root)
    lab.run_notebook(page, name, seconds=200)
    whole_notebook_in_view(page)
    demos = page.locator(".cnnlab-demo")
    expect(demos).to_have_count(2)

    # The answers of the net that was just trained: yes where the word is, no for the near misses.
    expect(demos.nth(0).locator(".answer")).to_contain_text("Yes: welcome at")
    expect(demos.nth(1).locator(".answer")).to_contain_text("No window above the threshold")

    # The window moves by keyboard and by itself, and the numbers are those of the loop in the lecture.
    demos.nth(0).locator(".stage").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(demos.nth(0).locator(".words")).to_contain_text("Window t = 3 ")
    score = float(lab.in_kernel(page, "float(small(with_word.x[:, 3:33].reshape(1, -1))[0, 0])"))
    expect(demos.nth(0).locator(".words")).to_contain_text(f"{score:+.2f}".replace("-", "−"))
    demos.nth(0).get_by_role("button", name="Play").click()
    expect(demos.nth(0).locator(".words")).not_to_contain_text("Window t = 3 ")

    figures_follow_the_theme(page, at_least=7)


@pytest.mark.slow
def test_lecture_07_runs_and_its_demos_count(lab, page):
    name = "07_sizes_strides_receptive_fields.ipynb"
    shutil.copy(LECTURES / name, lab.root)
    lab.run_notebook(page, name, seconds=200)
    whole_notebook_in_view(page)
    demos = page.locator(".cnnlab-demo")
    expect(demos).to_have_count(4)
    seen, paths, stepper, costs = (demos.nth(i) for i in range(4))

    # What the middle unit of the lecture's net sees, then its neighbor on the right, as the library has it.
    seen.locator(".stage").focus()
    for unit in ((3, 3), (3, 4)):
        inputs = f"geometry.receptive_field(one_layer_each).inputs({unit})"
        rows, columns = (lab.in_kernel(page, f"'%d–%d' % ({inputs}[{i}][0], {inputs}[{i}][-1])")[1:-1] for i in (0, 1))
        expect(seen.locator(".words")).to_contain_text(f"rows {rows}, columns {columns} (7 × 7)")
        page.keyboard.press("ArrowRight")
    expect(paths.locator(".words")).to_contain_text("729 paths lead down to the input, 141")
    expect(stepper).to_contain_text("No window reaches the last row and the last column")

    # The deck's numbers; a stride of 2 leaves the parameters and a quarter of the multiply-adds.
    expect(costs.locator(".words")).to_contain_text("760 parameters")
    expect(costs.locator(".words")).to_contain_text("768\u2009000 multiply-adds")
    stride = costs.get_by_label("row 1, stride")
    stride.fill("2")
    stride.press("Tab")
    expect(costs.locator(".words")).to_contain_text("760 parameters")
    expect(costs.locator(".words")).to_contain_text("192\u2009000 multiply-adds")
    figures_follow_the_theme(page, at_least=12)


@pytest.mark.slow
def test_lecture_02_runs_and_its_flower_moves(lab, page):
    name = "02_finding_a_flower.ipynb"
    shutil.copy(LECTURES / name, lab.root)
    lab.run_notebook(page, name, seconds=200)
    whole_notebook_in_view(page)
    demo = page.locator(".cnnlab-demo")
    expect(demo).to_have_count(1)
    expect(demo.locator(".verdict")).to_contain_text("so the answer is yes")

    # The window, by keyboard: its score is that of the window net which was trained above.
    demo.locator(".stage").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(demo.locator(".words")).to_contain_text("Window at row 1, column 2:")
    scene = "centered(flower_scanner.picture.astype(np.float32))"
    assert score_in(demo) == pytest.approx(float(lab.in_kernel(page, f"float(scan({scene})[1, 2])")), abs=0.006)

    # The flower, by keyboard: the kernel hears of it, and the brightest place moves as it says.
    for _ in range(10):
        page.keyboard.press("Shift+ArrowLeft")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowDown")
    lab.expect_in_kernel(page, "list(flower_scanner.flower_at)", "[14, 22]")
    brightest = lab.in_kernel(page, f"[int(i) + 11.5 for i in np.argwhere(scan({scene}) == scan({scene}).max())[0]]")
    row, column = json.loads(brightest)
    expect(demo.locator(".verdict")).to_contain_text(f"center at row {row:g}, column {column:g}")
    assert abs(row - 24) <= 4  # the sprite is 21 × 21
    assert abs(column - 32) <= 4
    assert score_in(demo) == pytest.approx(float(lab.in_kernel(page, f"float(scan({scene})[1, 2])")), abs=0.006)

    figures_follow_the_theme(page, at_least=8)


def score_in(demo):
    """The score that the demo's sentence tells of its window."""
    return float(re.search(r"score ([+−]?[\d.]+)", demo.locator(".words").inner_text())[1].replace("−", "-"))


def test_start_page_shows_demo_and_card(lab, page):
    name = "00_start_here.ipynb"
    shutil.copy(LECTURES / name, lab.root)
    lab.run_notebook(page, name)
    whole_notebook_in_view(page)
    expect(page.locator(".cnnlab-demo")).to_have_count(1)
    expect(page.locator(".jp-OutputArea").filter(has_text="Find the welcome")).to_have_count(1)


@pytest.mark.slow
def test_lecture_06_runs_and_its_demos_move(lab, page):
    name = "06_what_is_a_convolution.ipynb"
    shutil.copy(LECTURES / name, lab.root)
    lab.run_notebook(page, name, seconds=120)
    whole_notebook_in_view(page)
    demos = page.locator(".cnnlab-demo")
    expect(demos).to_have_count(3)

    # The deck's picture and filter, output by output, and with stride 2.
    stepper = demos.nth(0)
    output = stepper.locator('[data-grid="output"] text.value')
    expect(output).to_have_text(["4", *[""] * 8])
    stepper.locator(".stage").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(output).to_have_text(["4", "3", "4", "2", "4", "3", "2", "3", "4"])
    expect(stepper.locator(".words")).to_contain_text("Output row 2, column 2")
    page.keyboard.press("Home")
    expect(stepper.locator(".words")).to_contain_text("Output row 0, column 0: 1·1 + 1·0 + 1·1 + 0·0")
    for axis in ("height", "width"):
        stepper.locator(f"[name=stride-{axis}]").focus()
        page.keyboard.press("ArrowRight")
    stepper.locator(".stage").focus()
    page.keyboard.press("End")
    expect(output).to_have_text(["4", "4", "2", "4"])

    # The photo under Sobel's filter: the numbers are those of the loop in the lecture.
    photo = demos.nth(1)
    photo.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    expect(photo.locator(".words")).to_contain_text("Output row 0, column 1")
    shown = photo.locator('[data-grid="output"] text.value').nth(1).text_content()
    assert float(shown.replace("−", "-")) == float(lab.in_kernel(page, "float(slide(tiny, sobel)[0, 1])"))

    # The volume: one place of the fourth filter, as the kernel computes it.
    volume = demos.nth(2)
    expect(volume).to_contain_text("75-dimensional dot product")
    place = lab.in_kernel(page, "round(float(layer_view.output[3, 14, 14]), 2)")
    expect(volume.locator(".words")).to_contain_text("Filter 3 at row 14, column 14")
    expect(volume.locator(".words")).to_contain_text(place)

    figures_follow_the_theme(page, at_least=15)


@pytest.mark.slow
def test_lecture_10_trains_and_its_demo_follows(lab, page):
    name = "10_training_a_cnn.ipynb"
    shutil.copy(LECTURES / name, lab.root)
    lab.run_notebook(page, name, seconds=600)
    whole_notebook_in_view(page)
    gallery = page.locator(".cnnlab-demo")
    expect(gallery).to_have_count(1)

    # The demo computes with the weights that the last epoch left: its chances are those of the net.
    scores = "cnnlab.to_numpy(train.predict(net, x_val[1:2]))[0]"
    chances = f"(lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum())({scores})"
    for i in range(4):
        chance = float(lab.in_kernel(page, f"float({chances}[{i}])"))
        shown = gallery.locator(".scores text.value").nth(i).text_content()
        assert abs(float(shown) - chance) < 0.002
    first = lab.in_kernel(page, "gallery.filters[0].tobytes()")
    gallery.locator("button[name=start]").click()
    page.wait_for_timeout(1000)
    assert lab.in_kernel(page, "gallery.epoch") == "0"
    assert lab.in_kernel(page, "gallery.filters[0].tobytes()") != first

    figures_follow_the_theme(page, at_least=10)


@pytest.mark.slow
def test_lecture_11_runs_and_its_figures_follow_the_theme(lab, page):
    name = "11_how_fast_convolutions_are_computed.ipynb"
    shutil.copy(LECTURES / name, lab.root)
    lab.run_notebook(page, name, seconds=200)
    whole_notebook_in_view(page)
    figures_follow_the_theme(page, at_least=13)
