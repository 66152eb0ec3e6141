"""The table of a summary for a notebook or a page.

Colors come from what is around it, so that it is light or dark as that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

# The class twice: JupyterLab's own rules for tables in outputs must not win.
_CSS = """
& { overflow-x: auto; color: inherit; }
& table { border-collapse: collapse; margin: .25rem 0; border: 0; background: none; color: inherit;
font-size: 13px; font-variant-numeric: tabular-nums; }
& caption { caption-side: bottom; padding: .3rem .6em; text-align: left; color: inherit; opacity: .8; }
& tr:nth-child(n) { background: none; color: inherit; }
& th, & td { padding: .15em .6em; border: 0; background: none; color: inherit; text-align: right;
font-weight: 400; white-space: nowrap; }
& thead th, & tfoot th { font-weight: 600; }
& thead tr { border-bottom: 1px solid currentColor; }
& tfoot tr { border-top: 1px solid currentColor; }
& th:first-child, & td:nth-child(2), & thead th:nth-child(2) { text-align: left; }
""".replace("&", ".cnnlab-summary.cnnlab-summary")


def table_html(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    indents: Sequence[int],
    totals: Sequence[str],
    caption: str,
) -> str:
    """Return a summary as self-contained HTML.

    Parameters
    ----------
    heads, rows, totals
        Text of the cells; all is escaped.
    indents
        How deep the layer of each row lies in others.
    caption
        What the table holds for.
    """
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    body = "".join(
        f'<tr><th scope="row" style="padding-left: {0.6 + 1.2 * indent:.1f}em">{escape(cells[0].strip())}</th>'
        f"{_data(cells)}</tr>"
        for cells, indent in zip(rows, indents, strict=True)
    )
    foot = f'<tr><th scope="row">{escape(totals[0])}</th>{_data(totals)}</tr>'
    return (
        f'<div class="cnnlab-summary"><style>{_CSS}</style><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table></div>"
    )


def _data(cells: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
