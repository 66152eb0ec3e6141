"""The diagram of a shared weight says which terms add up to what."""

import pytest

from cnnlab import viz


def test_terms_and_sum_are_said():
    drawn = viz.influence({"w₁": 4.0, "w₂": 10.0}, shared="w")
    assert drawn.alt == "w reaches Div over 2 edges: w₁ with slope 4, w₂ with slope 10. Together 14."


def test_negative_terms_are_added_with_their_sign():
    assert "b with slope −1.5" in (alt := viz.influence({"a": 0.5, "b": -1.5}, loss="L").alt)
    assert alt.endswith("Together −1.")


def test_every_edge_has_two_arrows():
    counts = [viz.influence(dict.fromkeys("abcdef"[:n], 1.0)).light.count(b"<path") for n in (1, 2, 3)]
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize(
    ("slopes", "message"),
    [
        ({}, "0 edges: pass 1 to 6"),
        (dict.fromkeys("abcdefg", 1.0), "7 edges"),
        ({"a": 1.0, "b": float("nan")}, "edge 'b' is nan"),
    ],
)
def test_diagrams_that_cannot_be_drawn(slopes, message):
    with pytest.raises(ValueError, match=message):
        viz.influence(slopes)
