"""Demos as plain HTML: nothing to load, nothing that breaks out of its element."""

import json
import re
from html.parser import HTMLParser

import pytest

from cnnlab.demos.page import fragment, page

ESM = 'const a = "</script><!-- </SCRIPT>";\nfunction render() {}\nexport default { render };'
CSS = '.a::before { content: "</style>"; }'


class Elements(HTMLParser):
    """What a browser finds: elements in order, and the raw text inside scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.attributes = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self.texts.append("")

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data


def test_text_in_data_code_and_style_cannot_end_its_element():
    state = {"word": "</script><b>& <!--", "number": 1.5}
    found = Elements(fragment(state, esm=ESM, css=CSS, title="a <b>"))
    assert found.tags == ["style", "div", "script", "p", "script"]
    assert json.loads(found.texts[2]) == state
    assert found.texts[3].startswith("a <b>:")
    assert "<!--" not in found.texts[4]


def test_the_same_demo_gives_the_same_html_and_another_another_key():
    one = fragment({"a": 1}, esm=ESM, css=CSS, title="t")
    assert one == fragment({"a": 1}, esm=ESM, css=CSS, title="t")
    keys = {re.search(r'data-cnnlab="(\w+)"', fragment({"a": a}, esm=ESM, css=CSS, title="t"))[1] for a in (1, 2)}
    assert len(keys) == 2


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        fragment({"a": float("nan")}, esm=ESM, css=CSS, title="t")


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_a_page_names_its_language_title_and_theme(theme):
    found = dict(Elements(page("<p>body</p>", title="a & <b>", theme=theme)).attributes)
    assert found["html"]["lang"] == "en"
    assert found["html"].get("data-theme", "auto") == theme


def test_an_unknown_theme_is_refused():
    with pytest.raises(ValueError, match="'sepia' is unknown"):
        page("", title="t", theme="sepia")
