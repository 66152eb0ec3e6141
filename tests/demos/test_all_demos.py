"""What holds for every demo: a page that asks no one, one scope without clashes, a text for each reader."""

import collections
import inspect
import json
import re

import pytest

from cnnlab import demos
from cnnlab.demos import ConvStepper, gallery_html, save_gallery


def test_page_asks_no_one(example_demo):
    html = example_demo.to_html()
    assert "://" not in html
    assert set(re.findall(r"\burl\(.", html)) <= {"url(#"}  # hatching, inside the same picture
    assert not re.search(r"\bimport\s*[(\"'{*]|\bfetch\(|XMLHttpRequest|WebSocket", html)
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", html)
    assert "default-src 'none'" in html


def test_no_name_is_declared_twice_in_the_joined_module(example_demo):
    """The parts share one scope: a second declaration of a name would stop the whole module."""
    declared = r"^(?:async )?(?:function\*?|class|const|let) (\w+)|^const [{\[]([^}\]]*)[}\]] ="
    names = []
    for one, several in re.findall(declared, str(example_demo._esm), re.MULTILINE):
        names += [one] if one else [name.strip() for name in several.split(",")]
    assert len(names) > 50
    assert [name for name, count in collections.Counter(names).items() if count > 1] == []


def test_state_is_plain_json_and_in_the_page(example_demo):
    html = example_demo.to_html()
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert state == json.loads(
        json.dumps({name: getattr(example_demo, name) for name in example_demo.traits(demo=True)})
    )


def test_same_demo_gives_the_same_page_twice(example_demo):
    assert example_demo.to_html() == example_demo.to_html()


def test_display_offers_the_widget_and_the_page(example_demo):
    data, _ = example_demo._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(data)


def test_help_says_what_it_takes(example_demo):
    text = inspect.getdoc(type(example_demo))
    for heading in ("Parameters", "Attributes", "Raises", "Examples"):
        assert f"\n{heading}\n---" in text
    # By its name: an instance with traits of its own has a class of its own, whose signature some Pythons do not see.
    for name in list(inspect.signature(getattr(demos, type(example_demo).__name__)).parameters):
        assert re.search(rf"^[\w, ]*\b{name}\b[\w, ]*( :|$)", text, re.MULTILINE), f"{name} is not described"


def test_gallery_holds_all_demos_and_a_link_to_each(all_demos):
    html = gallery_html(all_demos, title="a & <b>")
    assert "://" not in html
    assert html.count('type="module"') == html.count("<h2 ") == len(all_demos)
    for i, demo in enumerate(all_demos):
        assert f'<a href="#demo-{i}">{demo.title}</a>' in html
        assert f'<h2 id="demo-{i}">' in html
    assert "<h1>a &amp; &lt;b&gt;</h1>" in html


def test_gallery_is_written_to_a_file(tmp_path):
    path = save_gallery(tmp_path / "page.html", [ConvStepper()], theme="dark")
    assert path.read_text(encoding="utf-8") == gallery_html([ConvStepper()], theme="dark")


def test_gallery_refuses_what_is_no_demo():
    with pytest.raises(ValueError, match="demos is empty"):
        gallery_html([])
    with pytest.raises(TypeError, match=r"demos\[1\] is a str: give objects of the classes in cnnlab.demos"):
        gallery_html([ConvStepper(), "ConvStepper"])
    with pytest.raises(ValueError, match="'sepia' is unknown"):
        gallery_html([ConvStepper()], theme="sepia")
