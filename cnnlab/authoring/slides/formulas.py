"""Text cells as HTML, their formulas as MathML, which browsers draw without a script."""

from __future__ import annotations

import re
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from cnnlab.authoring.slides.errors import SlidesError

_INLINE = re.compile(r"(?<![$\\])\$(?P<tex>[^$]+?)(?<![$\\])\$")
# What stays in the output where the converter did not understand: a command's name, or a bare sign for columns.
_LEFT_OVER = re.compile(r"\\\w+|&(?!#|\w+;)")

_FORMS = {"2308": "prefix", "230A": "prefix", "2309": "postfix", "230B": "postfix"}
_ROUNDING = re.compile(r"<mi>&#x0(2308|2309|230A|230B);</mi>")


def to_mathml(tex: str, *, display: str = "inline") -> str:
    r"""Return a formula as MathML.

    Parameters
    ----------
    tex
        The formula in LaTeX, without its dollar signs.
    display
        "inline" or "block".

    Raises
    ------
    SlidesError
        If it holds what cannot be converted.

    Examples
    --------
    >>> to_mathml("K")[-33:]
    '<mrow><mi>K</mi></mrow></math>'
    """
    from latex2mathml.converter import convert

    advice = "write it with other commands, or check its braces"
    bare = re.sub(r"\\[{}]", "", tex)
    if bare.count("{") != bare.count("}"):
        raise SlidesError(f"the formula ${tex}$ has {bare.count('{')} of {{ and {bare.count('}')} of }}: {advice}")
    try:
        mathml: str = convert(tex, display=display)
    except Exception as error:
        raise SlidesError(f"the formula ${tex}$ cannot be shown ({type(error).__name__}): {advice}") from error
    if found := _LEFT_OVER.search(mathml):
        raise SlidesError(f"the formula ${tex}$ cannot be shown, because of {found[0]!r}: {advice}")
    # Browsers draw the smallest of the "big" fences twice as large as TeX does: they take their own next size.
    mathml = mathml.replace('minsize="1.2em" maxsize="1.2em"', 'stretchy="false"')
    mathml = mathml.replace("<mo>&#x0002B;</mo><mo>&#x0003D;</mo>", "<mo>&#x0002B;&#x0003D;</mo>")  # one sign, +=
    # The signs of rounding come as identifiers, which do not grow around a fraction.
    return _ROUNDING.sub(lambda sign: f'<mo stretchy="true" form="{_FORMS[sign[1]]}">&#x0{sign[1]};</mo>', mathml)


def markdown_to_html(source: str, **options: Any) -> str:
    """Return a text cell as HTML with its formulas as MathML; options are those of nbconvert's renderer."""
    return MarkdownWithMath(renderer=_Renderer(escape=False, **options)).render(source)


class _Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return to_mathml(body)

    def block_math(self, body: str) -> str:
        return to_mathml(body.strip(), display="block")

    def latex_environment(self, name: str, body: str) -> str:
        return to_mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", display="block")

    def block_html(self, html: str) -> str:
        """Questions stand in HTML, between <summary> and </summary>, and have formulas too."""
        return super().block_html(_INLINE.sub(lambda found: to_mathml(found["tex"]), html))
