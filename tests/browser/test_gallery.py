"""All demos together: on a page of the file system, and in the gallery notebook in a real JupyterLab."""

import shutil
from pathlib import Path

from playwright.sync_api import expect

from cnnlab.demos import save_gallery

NOTEBOOK = Path(__file__).parents[2] / "lectures" / "demos.ipynb"
DEMOS = "section.cnnlab-demo"


def test_page_of_the_file_system_shows_all_demos_and_each_still_moves(page, all_demos, tmp_path):
    page.goto(save_gallery(tmp_path / "gallery.html", all_demos).as_uri())
    expect(page.locator(DEMOS)).to_have_count(len(all_demos))
    unmoved = []
    for demo in page.locator(DEMOS).all():
        state = "e => e.querySelector('.stage').innerHTML + e.querySelector('.explain').innerText"
        before = demo.evaluate(state)
        sliders = [each for each in demo.locator("input[type=range]:not([disabled])").all() if each.is_visible()]
        moved = False
        for slider in sliders:
            slider.focus()
            for key in ("ArrowRight", "ArrowLeft"):
                page.keyboard.press(key)
                moved = moved or demo.evaluate(state) != before
        if not sliders:  # the architecture calculator is moved by its cells
            demo.locator("[name=batch]").fill("2")
            moved = demo.evaluate(state) != before
        unmoved += [] if moved else [demo.get_attribute("aria-label")]
    assert unmoved == []


def test_links_lead_to_their_demo(page, all_demos, tmp_path):
    page.goto(save_gallery(tmp_path / "gallery.html", all_demos).as_uri())
    page.get_by_role("link", name="Pooling").click()
    expect(page.get_by_role("heading", name=all_demos[12].title, exact=True)).to_be_in_viewport()


def test_page_fits_a_phone(new_page, all_demos, tmp_path):
    page = new_page(viewport={"width": 360, "height": 700})
    page.goto(save_gallery(tmp_path / "gallery.html", all_demos).as_uri())
    expect(page.locator(DEMOS)).to_have_count(len(all_demos))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_gallery_notebook_runs_in_jupyterlab_and_its_demos_talk_to_python(lab, page):
    shutil.copy(NOTEBOOK, lab.root)
    lab.run_notebook(page, NOTEBOOK.name, seconds=240)
    height = page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
    page.set_viewport_size({"width": 1150, "height": height + 200})  # Lab draws the cells in view only
    expect(page.locator(DEMOS)).to_have_count(14)
    stepper = page.locator(".conv-stepper")
    stepper.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    expect(stepper.locator(".words")).to_contain_text("Output row 0, column 1")
    lab.expect_in_kernel(page, "gallery[7].step", "1")
    lab.in_kernel(page, "setattr(gallery[7], 'stride', [2, 3])")
    expect(stepper.locator(".answer")).to_have_text("Output 3 × 2")
    assert (lab.root / "demos.html").stat().st_size > 1_000_000


def test_a_demo_looks_the_same_alone_and_among_others(page, all_demos, tmp_path):
    """All demos bring the shared rules along; those that come later must not undo what a demo says of itself."""
    look = """e => [...e.querySelectorAll("*")].map((node) => {
      const { maxHeight, padding, display, fontSize, cursor } = getComputedStyle(node);
      return [node.tagName, maxHeight, padding, display, fontSize, cursor].join(" ");
    })"""
    calculator = next(demo for demo in all_demos if type(demo).__name__ == "ArchitectureCalculator")
    looks = []
    for i, demos in enumerate(([calculator], [calculator, *all_demos])):
        page.goto(save_gallery(tmp_path / f"{i}.html", demos).as_uri())
        expect(page.locator(DEMOS)).to_have_count(len(demos))
        looks.append(page.locator(".architecture-calculator").first.evaluate(look))
    assert looks[0] == looks[1]
