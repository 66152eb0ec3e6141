"""The card: complete, safe to show, readable in light and dark, and never by color alone."""

import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

from cnnlab.checks import exercise, run_exercise
from cnnlab.checks.model import Case, Function, Mistake
from cnnlab.checks.results import CheckOutcome, ExerciseResult
from cnnlab.viz import cards
from cnnlab.viz.card_arrays import call_as_code
from cnnlab.viz.card_style import CSS

SCAN, SCAN_2D = exercise("a1.scan_1d"), exercise("a1.scan_2d")
ATTACK = "<script>alert('x')</script><img src=x onerror=y>&\""


def mistake(found, name):
    return next(m for m in found.mistakes if m.id == name)


def outcome(**changes):
    plain = CheckOutcome("A title", False, False, 0.0, 0.5, "wrong_value", "A message.")
    return replace(plain, **changes)


def result_of(*outcomes, **changes):
    plain = ExerciseResult("a1.scan_1d", "Find the welcome", outcomes, 0.0, 5.0, 0)
    return replace(plain, **changes)


class Tags(HTMLParser):
    """Checks that tags nest, and keeps what it saw."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse(html):
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags.seen


@pytest.mark.parametrize("found", [SCAN, SCAN_2D], ids=lambda found: found.id)
@pytest.mark.parametrize("hidden", [False, True])
def test_every_mistake_has_a_card_whose_tags_nest(found, hidden):
    for known in found.mistakes:
        result = run_exercise(found, known.function, hidden=hidden, seed=2)
        html = cards.as_html(result)
        parse(html)
        for text in (known.name, *known.hints):
            assert cards.escape(text) in html
        assert known.name in cards.as_text(result)
        assert html.count("This looks like a known mistake") == 1


def test_further_hints_are_folded():
    known = mistake(SCAN, "no_bias")
    html = cards.as_html(run_exercise(SCAN, known.function, hidden=False))
    folded = "".join(re.findall(r"<details><summary>[^<]*</summary><p>.*?</p></details>", html))
    assert known.hints[0] not in folded
    assert known.hints[1] in folded
    assert known.hints[2] in folded


def test_the_first_wrong_number_is_marked_in_both_tables():
    html = cards.as_html(run_exercise(SCAN, mistake(SCAN, "no_bias").function, hidden=False))
    marked = re.findall(r'<td class="wrong">▸ ([^<]*)</td>', html)
    assert marked[:2] == ["3", "4"]


def test_a_map_shows_the_plane_with_the_first_wrong_number():
    def second_map_wrong(*arguments):
        y = SCAN_2D.function().reference(*arguments)
        y[1:, 1, 2] += 1
        return y

    html = cards.as_html(run_exercise(SCAN_2D, second_map_wrong, hidden=False))
    assert "here [1, :, :]" in html
    assert "First wrong number at [1, 1, 2]" in html


def test_a_large_answer_is_cut_around_the_wrong_number():
    expected = np.zeros((50, 60))
    got = expected.copy()
    got[30, 40] = 1
    wrong = outcome(
        case=Case("large", (expected,)), function="f", first_wrong_index=(30, 40), expected=expected, got=got
    )
    html = cards.as_html(result_of(wrong, functions=(Function("f", ("x",), None),)))
    assert html.count("<td>") + html.count('<td class="wrong">') < 150
    assert "<th scope='row'>30</th>" in html
    assert "<th scope='col'>40</th>" in html
    assert "too large to show" in html


def test_everything_a_student_made_is_escaped():
    def raises(*_):
        raise ValueError(ATTACK)

    hostile = result_of(
        outcome(
            message=ATTACK,
            title=ATTACK,
            function=ATTACK,
            case=Case(ATTACK, (ATTACK, [ATTACK])),
            got=ATTACK,
            expected=np.zeros(2),
        ),
        outcome(mistakes=(Mistake("m", ATTACK, (ATTACK, ATTACK, ATTACK), None),)),
        printed=ATTACK,
        title=ATTACK,
        exercise_id=ATTACK,
        functions=(Function(ATTACK, (ATTACK, ATTACK), None),),
        clues=(ATTACK,),
    )
    for result in (hostile, run_exercise(SCAN, raises, hidden=True, seed=0)):
        html = cards.as_html(result)
        assert "<script" not in html
        assert "<img" not in html
        assert {tag for tag, _ in parse(html)}.isdisjoint({"script", "img", "a", "link", "iframe"})


@pytest.mark.parametrize("found", [SCAN, SCAN_2D], ids=lambda found: found.id)
def test_a_card_never_says_all_passed_while_checks_are_pending(found):
    for function in (found.function().reference, *(known.function for known in found.mistakes)):
        result = run_exercise(found, function, hidden=False)
        for text in (cards.as_text(result), cards.as_html(result)):
            assert "all checks passed" not in text.lower()
            assert "hidden checks are run at grading" in text
    assert "All checks passed." in cards.as_text(run_exercise(found, found.function().reference, hidden=True, seed=0))


def test_an_unwritten_answer_is_met_kindly():
    def stub(*_):
        raise NotImplementedError("Write your code in this function, then run its cell again.")

    result = run_exercise(SCAN, stub, hidden=False)
    assert "Not written yet: fill in scan_1d" in cards.as_text(result)
    assert "NotImplementedError" not in cards.as_text(result)
    # Once is enough.
    assert cards.as_text(result).count("Not written yet") == cards.as_html(result).count("Not written yet") == 1
    assert "The case" not in cards.as_html(result)


def test_a_function_that_is_not_written_has_no_case_to_show_and_the_others_have():
    def stub(*_):
        raise NotImplementedError

    pool2d = exercise("a4.pool2d")
    result = run_exercise(pool2d, [lambda *a: pool2d.function().reference(*a) + 1, stub], hidden=False)
    html = cards.as_html(result)
    assert "fill in" not in html
    for outcome in result.outcomes:
        row = html.partition(escape(outcome.title))[2].partition("</li>")[0]
        assert ("The case" in row) == (outcome.function == "pool2d_forward")
        assert ("Not written yet." in row) == (outcome.function == "pool2d_backward")


def test_passed_and_not_passed_differ_by_sign_and_word():
    html = cards.as_html(run_exercise(SCAN, mistake(SCAN, "hop_ignored").function, hidden=False))
    assert html.count("✓ passed") == 3
    assert html.count("✗ not yet") == 2


def test_a_card_needs_nothing_from_elsewhere():
    html = cards.as_html(run_exercise(SCAN, mistake(SCAN, "no_bias").function, hidden=False))
    assert re.findall(r"https?:|url\(|@import|src=|href=", html) == []
    assert all("class" in attributes or tag != "section" for tag, attributes in parse(html))


@pytest.mark.parametrize("parameters", [("x", "layers", "width", "hop")])
def test_the_call_as_code_makes_the_same_call(parameters):
    for check in SCAN.checks:
        for case in check.cases(np.random.default_rng(3)):
            code = call_as_code("record", parameters, case.arguments)
            calls = []
            exec(code, {"np": np, "record": lambda *a, calls=calls, **k: calls.append((*a, *k.values()))})
            ((x, layers, width, hop),) = calls
            np.testing.assert_array_equal(x, case.arguments[0])
            assert x.dtype == case.arguments[0].dtype
            assert (width, hop) == case.arguments[2:]
            for (W, b), (W_case, b_case) in zip(layers, case.arguments[1], strict=True):
                np.testing.assert_array_equal(W, W_case)
                np.testing.assert_array_equal(b, b_case)


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_enough_contrast(theme):
    rules = CSS.split("@media (prefers-color-scheme: dark)")[0 if theme == "light" else 1].split("[data-jp")[0]
    colors = dict(re.findall(r"--(\w+): [^;]*?(#[0-9a-f]{6})\)?;", rules))
    assert set(colors) == {"ink", "page", "muted", "line", "panel", "edge"}
    # JupyterLab's own grey for outputs in the dark theme is lighter than our page.
    pages = [colors["page"], colors["panel"], *(["#212121"] if theme == "dark" else [])]
    for page in pages:
        assert contrast(colors["ink"], page) >= 4.5
        assert contrast(colors["muted"], page) >= 4.5


def test_badges_have_enough_contrast():
    badges = re.findall(r"background: (#[0-9a-f]{6}); color: (#[0-9a-f]{6})", CSS)
    assert len(badges) == 2
    assert all(contrast(*pair) >= 4.5 for pair in badges)
