"""The distribution of scores as a drawing in SVG, which needs no script and prints well."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cnnlab.grading.changes import as_points
from cnnlab.grading.summary import Bar

_WIDTH, _HEIGHT = 480, 190  # small: on a phone the numbers must still be read
_MOST_MARKS = 12
_LEFT, _BOTTOM, _TOP = 12, 24, 20


def draw(bars: Sequence[Bar]) -> Markup:
    """Return the histogram; the number of students stands on each bar, and the scores below."""
    most = max((bar.count for bar in bars), default=0) or 1
    step = (_WIDTH - 2 * _LEFT) / max(1, len(bars))
    base = _HEIGHT - _BOTTOM
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" style="max-width: 38rem" '
        f'role="img" aria-label="{_in_words(bars)}">'
    ]
    for number, bar in enumerate(bars):
        height = (base - _TOP) * bar.count / most
        left = _LEFT + number * step
        middle = left + step / 2
        if bar.count:
            parts.append(
                f'<rect class="bar" x="{left + 2:.1f}" y="{base - height:.1f}" width="{step - 4:.1f}" '
                f'height="{height:.1f}"/><text x="{middle:.1f}" y="{base - height - 4:.1f}" '
                f'text-anchor="middle">{bar.count}</text>'
            )
    marks = [*(bar.low for bar in bars), *(bar.high for bar in bars[-1:])]
    every = -(-len(bars) // _MOST_MARKS)
    for number, score in enumerate(marks):
        if number % every:
            continue
        x = _LEFT + number * step
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{as_points(score)}</text>')
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{base}" y2="{base}"/></svg>')
    return Markup("".join(parts))  # noqa: S704  numbers of ours


def _in_words(bars: Sequence[Bar]) -> str:
    return "Students by score: " + ", ".join(
        f"{bar.count} from {as_points(bar.low)} to {as_points(bar.high)}" for bar in bars if bar.count
    )
