"""Slides: what is on which page, what a page carries, and what is said when one cannot be made."""

import hashlib
import re
from html import unescape
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest

from cnnlab import viz
from cnnlab.authoring.slides import SlidesError, make_slides
from cnnlab.authoring.slides.export import as_html
from cnnlab.authoring.slides.formulas import markdown_to_html, to_mathml
from cnnlab.authoring.slides.pages import prepare, slide_count, title_of
from cnnlab.demos import ConvStepper

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "lectures" / "source").glob("*.py"))
REVEAL = ROOT / "cnnlab" / "authoring" / "slides" / "reveal"
WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDED_NOTES = "<details><summary>For the lecturer</summary>\n\n{}\n\n</details>"


def text(source, role="subslide"):
    return nbformat.v4.new_markdown_cell(source, metadata={"slideshow": {"slide_type": role}})


def notes(source):
    return text(FOLDED_NOTES.format(source), "notes")


def code(source, *outputs, role="-"):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"slideshow": {"slide_type": role}})


def printed(*lines):
    return nbformat.v4.new_output("stream", name="stdout", text="".join(f"{line}\n" for line in lines))


def shown(html, **others):
    return nbformat.v4.new_output("display_data", data={"text/html": html, "text/plain": "…", **others})


FIGURE = shown(viz.pictures([np.eye(2)[None]])._repr_html_())
DEMO = shown(ConvStepper().to_html(full_page=False), **{WIDGET: {"model_id": "1"}})
PROGRESS = nbformat.v4.new_output("display_data", data={WIDGET: {"model_id": "2"}, "text/plain": "0%|  | 0/9"})


def roles_of(*cells):
    prepared = prepare(nbformat.v4.new_notebook(cells=list(cells)))
    return [
        cell.metadata.slideshow.slide_type for cell in prepared.cells if cell.metadata.slideshow.slide_type != "notes"
    ]


@pytest.fixture(scope="module")
def lecture():
    """Return a small lecture with one of each kind of cell."""
    return nbformat.v4.new_notebook(
        cells=[
            text('# 3. A "small" lecture\n\nDoes $y = \\lfloor x/2 \\rfloor$ move?\n\n*About 5 minutes.*', "slide"),
            notes("**2 min.** Ask *first*."),
            code("import numpy as np"),
            code("show()", FIGURE),
            text("## Part\n\n$$ y(t) = \\mathrm{MLP}\\big(x[:,\\ t : t+K]\\big) $$", "slide"),
            notes("**3 min.** Then show."),
            code("train()", PROGRESS, printed("0.97"), PROGRESS, printed("0.98")),
            text("**Before you run the next cell, predict:** how large is it?"),
            code("print(size)", printed("42")),
            text("Play."),
            code("demo", DEMO),
            code("helper = 'not on a slide'", printed("not on a slide"), role="skip"),
            text("<details><summary>1. Is $a < b$?</summary>\n\nYes.\n\n</details>", "slide"),
        ]
    )


@pytest.fixture(scope="module")
def page(lecture):
    """Return the page of the small lecture, its demos' own documents apart."""
    prepared = prepare(lecture)
    return as_html(prepared, title=title_of(prepared), about=f"{slide_count(prepared)} slides")


@pytest.fixture(scope="module")
def inner(page):
    """Return the page without reveal.js and what starts it."""
    return page[: page.index("</main>")]


@pytest.fixture(scope="module")
def outer(inner):
    """Return that without what stands in its frames."""
    return re.sub(r'srcdoc="[^"]*"', "", inner)


class TestPages:
    def test_a_figure_too_many_opens_a_page(self):
        long = "A sentence of some length that fills its line on the slide, and a little more.\n\n" * 3
        assert roles_of(text(long, "slide"), code("a", FIGURE), code("b", FIGURE)) == ["slide", "-", "subslide"]

    def test_what_fits_stays(self):
        assert roles_of(text("Short.", "slide"), code("a", FIGURE), code("b", printed("1"))) == ["slide", "-", "-"]

    def test_silent_code_joins_the_code_after_it(self):
        prepared = prepare(nbformat.v4.new_notebook(cells=[text("T", "slide"), code("a = 1"), code("a", printed("1"))]))
        assert [cell.source for cell in prepared.cells] == ["T", "a = 1\n\n\na"]

    def test_a_remark_comes_below_what_it_speaks_of(self):
        assert roles_of(text("T", "slide"), code("a", FIGURE), text("So it is.")) == ["slide", "-", "fragment"]

    def test_a_remark_takes_its_figure_along_where_both_have_no_room_below_the_text(self):
        long = "A sentence of some length that fills its line on the slide, and a little more.\n\n" * 4
        assert roles_of(text(long, "slide"), code("a", FIGURE), text("So it is. " * 20)) == [
            "slide",
            "subslide",
            "fragment",
        ]

    def test_a_heading_is_not_left_alone_for_a_remark(self):
        cells = [text("## Part", "slide"), code("a", printed(*"123456789012")), text("So it is. " * 20)]
        assert roles_of(*cells) == ["slide", "-", "subslide"]

    def test_notes_between_do_not_keep_silent_code_apart(self):
        cells = [text("## Part", "slide"), code("a = 1"), notes("**1 min.** Go on."), code("a", printed("1"))]
        assert roles_of(*cells) == ["slide", "-"]

    def test_text_with_code_of_its_own_is_no_remark(self):
        cells = [text("T", "slide"), code("a", printed("1")), text("Next."), code("b", printed("2"))]
        assert roles_of(*cells) == ["slide", "-", "subslide", "-"]

    def test_an_answer_waits_for_a_key(self):
        cells = [text("**Predict** it.", "slide"), code("a", printed("1")), code("b", printed("2"))]
        assert roles_of(*cells) == ["slide", "fragment", "-"]

    def test_notes_come_unfolded_and_with_each_slide_of_their_section(self, lecture):
        prepared = prepare(lecture)
        said = [cell.source for cell in prepared.cells if cell.metadata.slideshow.slide_type == "notes"]
        assert said == ["**2 min.** Ask *first*.", *["**3 min.** Then show."] * 3]

    def test_minutes_are_shared_by_the_slides_of_a_section(self, lecture):
        prepared = prepare(lecture)
        seconds = [
            cell.metadata.slideshow["data"]["timing"]
            for cell in prepared.cells
            if cell.metadata.slideshow.slide_type in ("slide", "subslide")
        ]
        assert seconds == [120, 60, 60, 60, 0]

    def test_the_notebook_itself_is_left_alone(self, lecture):
        before = nbformat.writes(lecture)
        prepare(lecture)
        assert nbformat.writes(lecture) == before


class TestPage:
    def test_it_asks_no_one(self, page, inner, outer):
        for html in (outer, unescape(inner)):
            assert not re.search(r"<(script|link|iframe|img|source)\b[^>]*\b(src|href)=[\"'](?!data:)", html)
            assert not re.search(r"@import|url\(\s*[\"']?(?!#|data:)\w+:", html)
        assert unescape(inner).count("default-src 'none'") == 2  # of the page, and of the demo in its frame
        assert not re.search(r"cdn|unpkg|MathJax|require\.js|jquery", page, re.IGNORECASE)
        assert str(ROOT) not in page

    def test_every_section_is_a_slide(self, outer):
        assert outer.count("<section") == 3 + 5  # three stacks, five slides
        assert outer.count("<section") == outer.count("</section>")

    def test_its_title_is_the_first_heading(self, page):
        assert re.search(r"<title>3\. A (\"|&quot;|&#34;)small(\"|&quot;|&#34;) lecture</title>", page)

    def test_formulas_are_mathml(self, outer):
        assert outer.count("<math") == 3
        assert "$" not in re.sub(r"<style>.*?</style>", "", outer, flags=re.DOTALL)

    def test_code_is_folded_and_what_it_printed_is_one_box(self, outer):
        assert '<details class="code"><summary>code</summary>' in outer
        assert re.search(r"<pre>0\.97\n0\.98\n</pre>", outer)

    def test_progress_bars_and_skipped_cells_are_left_out(self, outer):
        assert "0%|" not in outer
        assert "widget" not in outer
        assert "not on a slide" not in outer

    def test_answers_are_in_a_fragment(self, outer):
        fragment = outer.partition('<div class="fragment"')[2]
        assert "42" in fragment[: fragment.index("</section>")]

    def test_a_demo_stands_in_a_frame_of_its_own(self, inner):
        (frame,) = re.findall(r'<iframe [^>]*srcdoc="[^"]*"[^>]*>', inner)
        assert "cnnlab-demo" in frame
        assert "render({ model, el: mount })" in frame

    def test_slides_say_in_which_section_they_are(self, outer):
        # Two slides below the heading's, and one with a stack of its own, which has the attribute as well.
        assert outer.count('data-section="Part"') == 2 + 2

    def test_scripts_end_where_they_should(self, page):
        script = page[page.rindex("<script>") :]
        assert script.count("</script>") == 1
        assert "Reveal.initialize(" in script
        assert "sourceMappingURL" not in script


class TestFormulas:
    @pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
    def test_every_formula_of_the_lectures_can_be_shown(self, source):
        for cell in jupytext.read(source, fmt="py:percent").cells:
            if cell.cell_type == "markdown":
                markdown_to_html(cell.source)

    @pytest.mark.parametrize("tex", [r"\nosuch{a}", r"\begin{aligned} a &= b \end{aligned}", r"\frac{a}{b", "{a"])
    def test_what_cannot_be_shown_is_refused_by_name(self, tex):
        with pytest.raises(SlidesError, match=re.escape(f"the formula ${tex}$")):
            to_mathml(tex)

    def test_formulas_in_folded_questions_count_too(self):
        assert "<math" in markdown_to_html("<details><summary>Is $a$ small?</summary>\n\nYes.\n\n</details>")

    def test_rounding_grows_around_a_fraction(self):
        mathml = to_mathml(r"\lfloor \frac{W}{S} \rfloor")
        assert re.findall(r'<mo stretchy="true" form="(\w+)">', mathml) == ["prefix", "postfix"]

    def test_a_price_is_no_formula(self):
        assert "<math" not in markdown_to_html(r"It costs \$5, or \$6.")


class TestReveal:
    def test_files_are_those_that_the_list_names(self):
        listed = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", (REVEAL / "README.md").read_text(), re.MULTILINE))
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in REVEAL.iterdir()}
        del found["README.md"]
        assert found == listed

    def test_they_are_small(self):
        assert sum(path.stat().st_size for path in REVEAL.iterdir()) < 500_000


@pytest.fixture
def lectures(tmp_path):
    """Return a folder with two small lectures, one of which fails."""
    link = "Go on with [lecture 02](02_fails.ipynb) or [the exercise](../course/release/a1/a1.ipynb)."
    good = nbformat.v4.new_notebook(
        cells=[
            text(f"# 1. Good\n\n{link}\n\n*About 7 minutes.*", "slide"),
            code("open('left', 'w').close()\nprint(6 * 7)"),
        ]
    )
    bad = nbformat.v4.new_notebook(
        cells=[text("# 2. Bad", "slide"), code("x = 0"), code("# divides\n1 / x"), code("x")]
    )
    for name, notebook in {"01_good": good, "02_fails": bad}.items():
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    return tmp_path


class TestMaking:
    def test_a_lecture_is_run_elsewhere_and_listed(self, lectures):
        (made,) = make_slides(lectures, ["1"])
        assert (made.path, made.slides) == (lectures / "slides" / "01_good.html", 1)
        html = made.path.read_text(encoding="utf-8")
        assert re.search(r"<pre>42\n</pre>", html)
        assert not (lectures / "left").exists()
        assert "Go on with lecture 02 or the exercise." in html
        index = (lectures / "slides" / "index.html").read_text(encoding="utf-8")
        assert '<a href="01_good.html">1. Good</a> <span>1 slides, about 7 minutes</span>' in index

    def test_a_failing_cell_is_named(self, lectures):
        with pytest.raises(SlidesError, match=r"lecture 02_fails, cell 3 \('# divides'\) failed: ZeroDivisionError"):
            list(make_slides(lectures, ["02_fails.ipynb"]))

    def test_an_unknown_lecture_is_refused_with_those_that_exist(self, lectures):
        with pytest.raises(SlidesError, match="no lecture '7': choose among 01_good, 02_fails"):
            list(make_slides(lectures, ["7"]))

    def test_no_lectures_at_all(self, tmp_path):
        with pytest.raises(SlidesError, match="run `make build`"):
            list(make_slides(tmp_path))

    def test_a_place_that_cannot_be_written_to_is_found_out_first(self, lectures):
        (lectures / "taken").write_text("a file")
        with pytest.raises(
            SlidesError, match=r"cannot write to .*taken \(it is a file\): name a folder of yours with --out DIR"
        ):
            list(make_slides(lectures, ["02"], lectures / "taken"))

    def test_a_bad_formula_is_named_with_its_lecture(self, tmp_path):
        notebook = nbformat.v4.new_notebook(cells=[text(r"# 4. Bad" "\n\n" r"$\nosuch$", "slide")])
        nbformat.write(notebook, tmp_path / "04_bad.ipynb")
        with pytest.raises(SlidesError, match=r"lecture 04_bad: the formula \$\\nosuch\$ cannot be shown"):
            list(make_slides(tmp_path))
