"""Edges are the definition of weight sharing, so they are checked against the convolution sum itself."""

from itertools import product

import pytest

from cnnlab.geometry import ConvGeometry, padded_sources


def edges_from_the_sum(width, kernel, stride, padding, dilation):
    """All (t, i, o) with i = S·o + D·t − P inside the input, found by trying every triple."""
    outputs = (width + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    triples = product(range(kernel), range(width), range(outputs))
    return {((t,), (i,), (o,)) for t, i, o in triples if i == stride * o + dilation * t - padding}


@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (2, 3, 1), (3, 2, 2), (4, 1, 2)])
def test_edges_are_the_index_equation(kernel, stride, padding, dilation):
    g = ConvGeometry(kernel, stride, padding, dilation)
    edges = [tuple(edge) for edge in g.edges([8])]
    assert len(edges) == len(set(edges))
    assert set(edges) == edges_from_the_sum(8, kernel, stride, padding, dilation)


def test_edges_of_two_axes_are_all_pairs():
    rows = [tuple(e) for e in ConvGeometry(2, 2, 1).edges([5])]
    columns = [tuple(e) for e in ConvGeometry(3, 1, 0, 2).edges([6])]
    both = ConvGeometry((2, 3), (2, 1), (1, 0), (1, 2)).edges((5, 6))
    pairs = {tuple(a + b for a, b in zip(r, c, strict=True)) for r, c in product(rows, columns)}
    assert {tuple(e) for e in both} == pairs


def test_edges_have_names():
    edge = next(ConvGeometry(2).edges([3]))
    assert (edge.tap, edge.input, edge.output) == ((0,), (0,), (0,))


def test_every_output_has_all_taps_without_padding():
    g = ConvGeometry((2, 3))
    assert sum(1 for _ in g.edges((5, 6))) == 6 * 4 * 4


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [None, None, 0, 1, 2, 3, None]),
        ("reflect", [2, 1, 0, 1, 2, 3, 2]),
        ("replicate", [0, 0, 0, 1, 2, 3, 3]),
        ("circular", [2, 3, 0, 1, 2, 3, 0]),
    ],
)
def test_values_in_the_padding_come_from(mode, expected):
    assert padded_sources(4, 2, 1, mode) == expected


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_edges_lead_to_where_the_padding_takes_its_values(mode):
    g = ConvGeometry(3, padding=1, padding_mode=mode)
    corner = {"reflect": 1, "replicate": 0, "circular": 3}[mode]
    assert [e.input for e in g.edges([4]) if e.output == (0,)] == [(corner,), (0,), (1,)]
    assert sum(1 for _ in g.edges([4])) == 12


def test_longest_padding_that_each_mode_allows():
    assert padded_sources(3, 2, 0, "reflect") == [2, 1, 0, 1, 2]
    assert padded_sources(3, 3, 0, "circular") == [0, 1, 2, 0, 1, 2]
    assert padded_sources(1, 5, 0, "replicate") == [0] * 6
    for mode, before in [("reflect", 3), ("circular", 4)]:
        with pytest.raises(ValueError, match="pad less"):
            padded_sources(3, before, 0, mode)
