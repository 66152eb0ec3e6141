"""Make the slides of lectures, and the page that lists them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from nbformat import NotebookNode

from cnnlab.authoring.slides.errors import SlidesError
from cnnlab.authoring.slides.export import as_html, palette_css, read_about, text_of
from cnnlab.authoring.slides.pages import prepare, slide_count, title_of
from cnnlab.authoring.slides.run import run_lecture

_KEYS = (
    ("→ Space Page Down", "on: down a slide that is taller than the page, to the next answer or slide"),
    ("← Page Up", "back"),
    ("S", "the speaker view, with notes and a clock, in a window of its own"),
    ("C", "unfold all code, or fold it"),
    ("D", "dark or light"),
    ("Esc", "out of a demo; otherwise all slides at a glance"),
    ("F", "full screen"),
    ("?", "all keys"),
)


@dataclass(frozen=True)
class Made:
    """A page that was written.

    Attributes
    ----------
    path
        The file.
    slides
        How many slides it has.
    seconds
        How long it took, most of it to run the lecture.
    """

    path: Path
    slides: int
    seconds: float


def make_slides(lectures: Path, names: Sequence[str] = (), out: Path | None = None) -> Iterator[Made]:
    """Run lectures and write their slides, one self-contained page each, then ``index.html`` with all in the folder.

    Parameters
    ----------
    lectures
        The folder with the notebooks.
    names
        Which lectures, by number or name ("1", "01", "01_finding_a_welcome"); all of them by default.
    out
        The folder to write to, made where it is missing; ``slides`` in `lectures` by default.

    Yields
    ------
    Made
        Each lecture's page once it is written.

    Raises
    ------
    SlidesError
        If a lecture is not known or does not run, a formula cannot be shown, or the folder cannot be written to.
    """
    chosen = _choose(lectures, names)
    out = lectures / "slides" if out is None else out
    _writable(out)
    known = {path.stem for path in chosen} | {path.stem for path in _pages_in(out)}
    for path in chosen:
        began = time.perf_counter()
        notebook = run_lecture(path)
        _mend_links(notebook, known)
        title = title_of(notebook)
        minutes = re.search(r"\*About (\d+) minutes", notebook.cells[0].source)
        prepared = prepare(notebook)
        count = slide_count(prepared)
        about = f"{count} slides" + (f", about {minutes[1]} minutes" if minutes else "")
        try:
            html = as_html(prepared, title=title, about=about)
        except SlidesError as error:
            raise SlidesError(f"lecture {path.stem}: {error}") from error
        page = out / f"{path.stem}.html"
        _write(page, html)
        yield Made(page, count, time.perf_counter() - began)
    _write(out / "index.html", _index(out))


def _choose(lectures: Path, names: Sequence[str]) -> list[Path]:
    there = sorted(path for path in lectures.glob("*.ipynb") if re.match(r"\d\d_", path.stem))
    if not there:
        raise SlidesError(f"there is no lecture in {lectures}: run `make build` in the course's checkout")
    chosen = []
    for name in names:
        plain = Path(name).name.removesuffix(".ipynb").removesuffix(".py")
        found = [path for path in there if path.stem == plain or path.stem[:2] == plain.zfill(2)]
        if not found:
            raise SlidesError(f"there is no lecture {name!r}: choose among {', '.join(path.stem for path in there)}")
        chosen += found
    return list(dict.fromkeys(chosen)) or there


def _pages_in(out: Path) -> list[Path]:
    return sorted(path for path in out.glob("*.html") if re.match(r"\d\d_", path.stem))


def _writable(out: Path) -> None:
    """Find out before a lecture has run for a minute."""
    probe = out / ".cnnlab-slides"
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _no_place(out, error) from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _no_place(path, error) from error


def _no_place(path: Path, error: OSError) -> SlidesError:
    why = "it is a file" if isinstance(error, FileExistsError) else error.strerror
    return SlidesError(f"cannot write to {path} ({why}): name a folder of yours with --out DIR")


def _mend_links(notebook: NotebookNode, known: set[str]) -> None:
    """Lead from slides to slides; a file that slides do not carry is named without a link."""

    def mended(link: re.Match[str]) -> str:
        stem = Path(link["target"]).stem
        is_lecture = link["target"] == f"{stem}.ipynb" and stem in known
        return f"[{link['text']}]({stem}.html)" if is_lecture else link["text"]

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            # An address (a paper's DOI) and a place on the same page stay as they are.
            cell.source = re.sub(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#:]+)\)", mended, cell.source)


def _index(out: Path) -> str:
    rows = []
    for path in _pages_in(out):
        title, about = read_about(path.read_text(encoding="utf-8"))
        rows.append(f'<li><a href="{escape(path.name)}">{title}</a> <span>{about}</span></li>')
    keys = "".join(f"<dt>{escape(key)}</dt><dd>{escape(what)}</dd>" for key, what in _KEYS)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Slides</title>\n'
        f"<style>\n{palette_css()}\n{text_of('index.css')}</style>\n</head>\n<body>\n<main>\n<h1>Slides</h1>\n"
        f"<ul>\n{chr(10).join(rows)}\n</ul>\n<h2>Keys</h2>\n<dl>{keys}</dl>\n"
        "<p><code>?theme=dark</code> after a page's address begins dark; <code>?print-pdf</code> lays the slides out "
        "for printing.</p>\n</main>\n</body>\n</html>\n"
    )
