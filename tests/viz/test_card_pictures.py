"""The picture of a wrong answer: a rectangle a number, one scale for both answers, nothing for what is no array."""

import re

import numpy as np
import pytest

from cnnlab.checks.results import CheckOutcome
from cnnlab.viz.card_pictures import answers_picture


def outcome(expected, got, wrong=None, kind="wrong_value"):
    return CheckOutcome("t", False, False, 0, 1, kind, "", first_wrong_index=wrong, expected=expected, got=got)


def panels(html):
    return [re.findall(r'fill="(#\w{6})"', each) for each in html.split("<figure>")[1:]]


def test_equal_numbers_have_equal_colors_and_the_difference_is_zero_there():
    expected = np.array([[1.0, -1.0, 0.0], [2.0, 2.0, 0.5]])
    got = expected.copy()
    got[1, 0] = -2.0
    first, second, third = panels(answers_picture(outcome(expected, got, (1, 0))))
    assert [a == b for a, b in zip(first, second, strict=True)] == [True, True, True, False, True, True]
    zero = first[2]
    assert third == [zero, zero, zero, third[3], zero, zero]
    assert third[3] != zero
    assert answers_picture(outcome(expected, got, (1, 0))).count('class="frame"') == 3


def test_of_more_dimensions_the_plane_of_the_first_wrong_number_is_drawn():
    expected = np.zeros((2, 3, 4, 5))
    got = expected.copy()
    got[1, 2, 3, 4] = 1
    _, second, _ = panels(answers_picture(outcome(expected, got, (1, 2, 3, 4))))
    assert len(second) == 20
    assert [color != second[0] for color in second] == [False] * 19 + [True]


def test_other_shapes_have_no_difference_and_large_ones_are_cut():
    assert len(panels(answers_picture(outcome(np.ones((2, 3)), np.ones(4), kind="wrong_shape")))) == 2
    big = np.ones((500, 500))
    wrong = big.copy()
    wrong[499, 499] = 2
    sizes = [len(panel) for panel in panels(answers_picture(outcome(big, wrong, (499, 499))))]
    assert sizes == [24 * 40] * 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308, -1e308])
def test_numbers_that_are_none_are_drawn_too(value):
    with np.errstate(all="raise"):
        html = answers_picture(outcome(np.array([1.0, 2.0]), np.array([value, 2.0]), (0,)))
    assert len(panels(html)) == 3
    assert "nan" not in html


@pytest.mark.parametrize("got", [None, 3.0, "text", np.array(["a"]), np.zeros((0, 3)), np.array([1j])])
def test_what_is_no_array_of_numbers_is_not_drawn(got):
    assert answers_picture(outcome(np.ones(3), got)) == ""
