"""What is remembered for plain options is not given for others that equal them."""

import pytest

from cnnlab.geometry import ConvGeometry


def test_the_same_plain_options_give_the_same_geometry_and_shape():
    first, second = (ConvGeometry.of_weight((6, 3, 5, 5), stride=2, padding=(1, 2)) for _ in range(2))
    assert first is second
    assert first.output_shape((2, 3, 9, 8)) == second.output_shape([2, 3, 9, 8]) == (2, 6, 4, 4)
    assert ConvGeometry.of_weight([6, 3, 5, 5], stride=[2, 2], padding=[1, 2]) == first


@pytest.mark.parametrize("stride", [True, 1.0, (1, True), (1.0, 1)])
def test_what_equals_a_whole_number_and_is_none_is_refused_nevertheless(stride):
    for plain in (1, (1, 1)):
        ConvGeometry.of_weight((6, 3, 5, 5), stride=plain)
    with pytest.raises(TypeError, match="stride must be a whole number, not "):
        ConvGeometry.of_weight((6, 3, 5, 5), stride=stride)


def test_errors_come_each_time():
    for _ in range(2):
        with pytest.raises(ValueError, match="larger than the padded input"):
            ConvGeometry.of_weight((6, 3, 5, 5)).output_shape((1, 3, 4, 9))
