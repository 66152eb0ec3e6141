"""Slides as a lecturer shows them: from a file, without a network, by keyboard."""

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from cnnlab.authoring.slides import make_slides
from cnnlab.authoring.slides.export import as_html
from cnnlab.authoring.slides.pages import prepare

LECTURES = Path(__file__).parents[2] / "lectures"

WIDE = """() => [...document.querySelectorAll(".slides section section")]
  .filter((slide) => slide.scrollWidth > slide.clientWidth + 1)
  .map((slide) => slide.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def lecture_00(tmp_path_factory):
    """Return the page of lecture 00."""
    (made,) = make_slides(LECTURES, ["00"], tmp_path_factory.mktemp("slides"))
    return made.path


@pytest.fixture
def slides(new_page, lecture_00):
    """Return a function that opens the page, and fails when the page asks for anything that it does not get."""
    failed = []

    def opened(query="", **size):
        page = new_page(viewport={"width": 1280, "height": 720, **size})
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.goto(lecture_00.as_uri() + query)
        until(page, "window.Reveal && Reveal.isReady()")
        return page

    yield opened
    assert failed == []


def until(page, condition):
    """Wait until a JavaScript expression is true; Playwright's own way needs eval, which the page does not allow."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def settled(page):
    """Wait until the slide no longer scrolls."""
    before = None
    while (now := page.evaluate("Reveal.getCurrentSlide().scrollTop")) != before:
        before = now
        page.wait_for_timeout(80)


def number(page):
    return page.evaluate("Reveal.getSlidePastCount() + 1")


def go_to_demo(page):
    """Show the slide with the demo, and return the demo and the slide's number."""
    page.evaluate(
        """() => {
          const slide = document.querySelector(".demo-frame").closest(".slides section section");
          const { h, v } = Reveal.getIndices(slide);
          Reveal.slide(h, v);
        }"""
    )
    demo = page.frame_locator(".demo-frame iframe")
    expect(demo.locator(".words")).to_contain_text("Window t = 0 ")
    return demo, number(page)


def test_keys_lead_through_all_slides_and_back(slides):
    page = slides()
    total = page.evaluate("Reveal.getTotalSlides()")
    assert total >= 8
    assert page.locator(".slide-number").inner_text().split() == ["1", "/", str(total)]
    seen = [number(page)]
    for key in ["ArrowRight", "Space", "PageDown", "ArrowDown"] * 4:
        page.keyboard.press(key)
        settled(page)  # a slide taller than the page scrolls first
        seen.append(number(page))
    assert sorted(set(seen)) == list(range(1, total + 1))
    assert seen == sorted(seen)
    page.keyboard.press("Home")
    settled(page)
    assert number(page) == 1
    page.keyboard.press("ArrowRight")
    settled(page)
    assert number(page) == 2
    for _ in range(3):  # a remark that was shown goes first
        page.keyboard.press("ArrowLeft")
    assert number(page) == 1


def test_nothing_is_wider_than_its_slide(slides):
    page = slides()
    for width in (1280, 900):
        page.set_viewport_size({"width": width, "height": width * 9 // 16})
        page.evaluate("Reveal.slide(0, 0)")
        for _ in range(page.evaluate("Reveal.getTotalSlides()")):
            assert page.evaluate(WIDE) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.evaluate("Reveal.next()")


def test_a_long_formula_is_made_to_fit(new_page, tmp_path):
    long = r"$$ y = \sum_i " + " + ".join(rf"w_{{{i}}} x_{{{i}}}" for i in range(12)) + " $$"
    cell = nbformat.v4.new_markdown_cell(f"# Long\n\n{long}", metadata={"slideshow": {"slide_type": "slide"}})
    html = as_html(prepare(nbformat.v4.new_notebook(cells=[cell])), title="Long", about="")
    (tmp_path / "long.html").write_text(html, encoding="utf-8")
    page = new_page(viewport={"width": 1280, "height": 720})
    page.goto((tmp_path / "long.html").as_uri())
    until(page, "Reveal.isReady() && document.querySelector('math').style.getPropertyValue('--shrink')")
    assert page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth + 1)(document.querySelector('math'))"
    )


def test_a_slide_taller_than_the_page_says_so_and_scrolls(slides):
    page = slides()
    _, at = go_to_demo(page)
    expect(page.locator(".more")).to_be_visible()
    page.keyboard.press("PageDown")
    until(page, "Reveal.getCurrentSlide().scrollTop > 50")
    assert number(page) == at
    settled(page)
    page.keyboard.press("PageUp")
    until(page, "Reveal.getCurrentSlide().scrollTop === 0")
    assert number(page) == at


def test_a_demo_has_its_own_keys_and_gives_them_back(slides):
    page = slides()
    demo, at = go_to_demo(page)
    demo.locator(".stage").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(demo.locator(".words")).to_contain_text("Window t = 3 ")
    assert number(page) == at
    page.keyboard.press("Escape")  # back to the slides, and not to their overview
    assert page.evaluate("document.activeElement === document.body && !Reveal.isOverview()")
    page.keyboard.press("ArrowLeft")
    assert number(page) == at - 1


def test_a_demo_is_dragged_where_the_pointer_is_however_the_slide_is_scaled(slides):
    page = slides(width=1920, height=1080)
    demo, _ = go_to_demo(page)
    page.wait_for_timeout(300)  # until it has its size
    rows = demo.locator(".stage").bounding_box()
    frame = demo.locator(".stage rect.frame")
    grip = frame.bounding_box()
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 300, y, steps=4)
    page.mouse.up()
    moved = frame.bounding_box()
    assert abs(moved["x"] - grip["x"] - 300) < 0.02 * rows["width"]
    assert "Window t = 0 " not in demo.locator(".words").inner_text()


def test_a_clicker_goes_on_from_inside_a_demo(slides):
    page = slides()
    demo, at = go_to_demo(page)
    demo.locator(".stage").focus()
    for _ in range(3):  # what is below, the remark, the next slide
        page.keyboard.press("PageDown")
        settled(page)
    assert number(page) > at


def test_code_unfolds_one_by_one_and_all_at_once(slides):
    page = slides()
    page.keyboard.press("ArrowRight")
    block = page.locator("section.present > section.present details.code").first
    block.locator("summary").click()
    expect(block.locator("pre")).to_be_visible()
    open_ones = "document.querySelectorAll('details.code[open]').length"
    page.keyboard.press("c")
    assert page.evaluate(open_ones) == 0
    page.keyboard.press("c")
    assert page.evaluate(open_ones) == page.evaluate("document.querySelectorAll('details.code').length") > 3


def test_dark_slides_have_dark_demos(slides):
    page = slides("?theme=dark")
    go_to_demo(page)
    look = """() => {
      const background = (document, element) => document.defaultView.getComputedStyle(element).backgroundColor;
      const page = document.querySelector(".demo-frame iframe").contentDocument;
      return [background(document, document.body), background(page, page.querySelector(".cnnlab-demo"))];
    }"""
    assert page.evaluate(look) == ["rgb(17, 17, 17)"] * 2
    page.keyboard.press("d")
    assert page.evaluate(look) == ["rgb(255, 255, 255)"] * 2


def test_speaker_view_opens_from_a_file_and_shows_the_notes(slides):
    page = slides()
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    view = opened.value
    notes = view.locator(".speaker-controls-notes .value")
    expect(notes).to_contain_text("before the first lecture", timeout=20_000)
    expect(notes.locator("details")).to_have_count(0)
    expect(view.locator(".pacing")).to_be_visible()
    expect(view.frame_locator("#current-slide iframe").locator("h1")).to_have_text("Start here")


def test_printing_puts_each_slide_on_paper(slides):
    page = slides("?print-pdf")
    page.wait_for_selector(".pdf-page")
    total = page.evaluate("Reveal.getTotalSlides()")
    expect(page.locator(".pdf-page")).to_have_count(total)
