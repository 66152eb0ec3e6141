"""Write a prepared lecture as one HTML page, by nbconvert's exporter for slides."""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode

from cnnlab.authoring.slides.formulas import markdown_to_html
from cnnlab.viz.style import PALETTES

_FOLDER = files("cnnlab.authoring.slides")
_TEMPLATE = "cnnlab"


class _Exporter(SlidesExporter):
    """nbconvert's exporter with the course's template, and formulas as MathML in place of a script's work."""

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Return a text cell as HTML."""
        return markdown_to_html(source, exclude_anchor_links=True)


def as_html(notebook: NotebookNode, *, title: str, about: str) -> str:
    """Return the page.

    Parameters
    ----------
    notebook
        What `pages.prepare` returned.
    title
        Of the page.
    about
        Its description, which the list of all slides shows.
    """
    notebook.metadata["title"] = title
    with as_file(_FOLDER / "template") as folder:
        exporter = _Exporter(  # type: ignore[no-untyped-call]
            template_name=_TEMPLATE,
            extra_template_basedirs=[str(folder)],
            exclude_input_prompt=True,
            exclude_output_prompt=True,
        )
        parts = {
            "style": "\n".join(
                [text_of("reveal/reset.css"), text_of("reveal/reveal.css"), palette_css(), text_of("slides.css")]
            ),
            "script": "\n".join(_inert(text_of(name)) for name in ("reveal/reveal.js", "reveal/notes.js", "slides.js")),
            "about": about,
        }
        html, _ = exporter.from_notebook_node(notebook, resources={"cnnlab": parts})
    return str(html)


def palette_css() -> str:
    """Return the course's colors as CSS variables, dark ones where the body says so."""
    rules = []
    for theme, selector in (("light", ":root"), ("dark", 'body[data-jp-theme-light="false"]')):
        colors = PALETTES[theme]  # type: ignore[index]
        named = {
            "page": colors.page,
            "ink": colors.ink,
            "muted": colors.muted,
            "edge": colors.grid,
            "blue": colors.lines[0],
            "green": colors.lines[2],
            "highlight": colors.highlight,
        }
        body = " ".join(f"--{name}: {color};" for name, color in named.items())
        rules.append(f"{selector} {{ color-scheme: {theme}; {body} }}")
    return "\n".join(rules)


def text_of(name: str) -> str:
    """Return a file of this folder as text."""
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


def _inert(script: str) -> str:
    """Leave out what would end the element around a script, and the pointer to a source map that is not there."""
    script = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)
    return re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE)


def read_about(html: str) -> tuple[str, str]:
    """Return title and description of a page that `as_html` wrote."""
    title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    about = re.search(r'<meta content="([^"]*)" name="description"|<meta name="description" content="([^"]*)"', html)
    return (title[1] if title else ""), ((about[1] or about[2]) if about else "")
