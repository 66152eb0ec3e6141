"""A parameter holds a value and adds up gradients."""

import numpy as np
import pytest

from cnnlab.nn import Parameter


def test_gradient_is_none_until_the_first_backward_and_then_adds_up():
    parameter = Parameter(np.zeros(2))
    assert parameter.grad is None
    parameter.accumulate(np.array([1.0, 2.0]))
    parameter.accumulate(np.array([10.0, 20.0]))
    np.testing.assert_array_equal(parameter.grad, [11.0, 22.0])


def test_adding_up_leaves_the_given_gradients_alone():
    first = np.array([1.0, 2.0])
    parameter = Parameter(np.zeros(2))
    parameter.accumulate(first)
    parameter.accumulate(first)
    np.testing.assert_array_equal(first, [1.0, 2.0])


def test_gradient_keeps_the_dtype_of_dw():
    parameter = Parameter(np.zeros(2, np.float32))
    parameter.accumulate(np.ones(2))
    assert parameter.grad.dtype == np.float64


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\) but the parameter has shape \(2,\)"):
        Parameter(np.zeros(2)).accumulate(np.zeros(3))


def test_data_and_gradient_can_be_assigned():
    parameter = Parameter(np.zeros(2))
    parameter.data, parameter.grad = np.ones(3), np.full(3, 2.0)
    assert parameter.shape == (3,)
    assert repr(parameter) == "Parameter(shape=(3,), dtype=float64, grad=yes)"
