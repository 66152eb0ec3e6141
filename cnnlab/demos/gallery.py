"""Several demos on one page that needs no kernel and no network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from cnnlab.demos.page import page
from cnnlab.demos.widget import Demo

_CSS = """
.cnnlab-gallery { max-width: 960px; margin: 0 auto; font: 15px/1.5 system-ui, sans-serif; }
.cnnlab-gallery h1 { font-size: 26px; margin: 12px 0 4px; }
.cnnlab-gallery ol { padding: 0; margin: 10px 0 18px; list-style: none; display: flex; flex-wrap: wrap; gap: 6px; }
.cnnlab-gallery li a { display: block; padding: 5px 11px; border: 1px solid; border-radius: 99px; color: inherit; text-decoration: none; }
.cnnlab-gallery li a:hover, .cnnlab-gallery li a:focus-visible { text-decoration: underline; }
.cnnlab-gallery h2 { font-size: 17px; margin: 30px 0 6px; scroll-margin-top: 8px; }
"""


def gallery_html(demos: Sequence[Demo], *, title: str = "cnnlab: demos", theme: str = "auto") -> str:
    """Return one HTML document with all of these demos, as they stand now.

    Parameters
    ----------
    demos : sequence of Demo
        In the order of the page; the same class may occur several times.
    title : str
        The heading of the page.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no demo, or the theme is unknown.
    TypeError
        If one of them is no demo.
    """
    if not demos:
        raise ValueError("demos is empty: give at least one demo to put on the page")
    for i, demo in enumerate(demos):
        if not isinstance(demo, Demo):
            raise TypeError(f"demos[{i}] is a {type(demo).__name__}: give objects of the classes in cnnlab.demos")
    names = [escape(demo.title) for demo in demos]
    links = "".join(f'<li><a href="#demo-{i}">{name}</a></li>' for i, name in enumerate(names))
    parts = [
        f'<h2 id="demo-{i}">{name}</h2>{demo.to_html(full_page=False)}'
        for i, (name, demo) in enumerate(zip(names, demos, strict=True))
    ]
    head = f'<h1>{escape(title)}</h1><nav aria-label="Demos"><ol>{links}</ol></nav>'
    body = f'<style>{_CSS}</style><div class="cnnlab-gallery">{head}{"".join(parts)}</div>'
    return page(body, title=title, theme=theme)


def save_gallery(
    path: str | Path, demos: Sequence[Demo], *, title: str = "cnnlab: demos", theme: str = "auto"
) -> Path:
    """Write `gallery_html` to a file and return its path; the parameters are the same."""
    target = Path(path)
    target.write_text(gallery_html(demos, title=title, theme=theme), encoding="utf-8")
    return target
