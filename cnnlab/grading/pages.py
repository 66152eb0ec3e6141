"""HTML pages from templates: every value is escaped, unless a template says that it is a card of ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cnnlab.grading.changes import as_points

_TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> str:
    """Return one self-contained page.

    Parameters
    ----------
    template
        Name of a file in ``templates/``.
    values
        What it shows.
    """
    return _environment().get_template(template).render(style=Markup(_style()), **values)  # noqa: S704  our own file


@cache
def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters["points"] = as_points
    environment.filters["percent"] = _percent
    return environment


@cache
def _style() -> str:
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8")


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}\u00a0%" if whole else "–"
