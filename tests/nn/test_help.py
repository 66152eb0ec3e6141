"""What `help` shows of a public class or function is enough to use it."""

import inspect

import pytest

from cnnlab import nn, optim, train


def is_documented(thing):
    return inspect.isfunction(thing) or (inspect.isclass(thing) and not issubclass(thing, Exception))


PUBLIC = {
    f"{area.__name__.rpartition('.')[2]}.{name}": getattr(area, name)
    for area in (nn, optim, train)
    for name in area.__all__
    if is_documented(getattr(area, name))
}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_option_is_explained(name):
    """As a heading of its own or with others, under Parameters or, of what only holds values, Attributes."""
    text, _, _ = inspect.getdoc(PUBLIC[name]).partition("Examples\n-----")
    heads = [line.partition(" : ")[0].lstrip("*") for line in text.split("\n") if line[:1].strip()]
    explained = {word.strip(" *") for head in heads for word in head.split(",")}
    options = [option for option in inspect.signature(PUBLIC[name]).parameters if option not in {"args", "kwargs"}]
    assert not [option for option in options if option not in explained]


def test_a_rank_name_has_the_remarks_options_and_errors_of_its_base_and_its_own_example():
    text = inspect.getdoc(nn.MaxPool2d)
    order = [
        "x (N, C, H, W)",
        "A tie goes to",
        "Parameters\n",
        "\nstride\n",
        "Attributes\n",
        "Raises\n",
        "MaxPool2d(2)",
    ]
    assert [text.count(part) for part in order] == [1] * len(order)
    assert sorted(order, key=text.index) == order
    assert "A tie" not in inspect.getdoc(nn.AvgPool2d)
