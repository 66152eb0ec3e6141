"""Making, moving and telling arrays apart."""

import array_api_strict
import numpy as np
import pytest

from cnnlab import backend
from cnnlab.backend import DeviceMismatchError, GPUNotInstalledError


def test_asarray_keeps_an_array_that_is_as_wanted():
    x = np.ones((2, 3), dtype=np.float32)
    assert backend.asarray(x) is x
    assert backend.asarray(x, dtype="float32", device="cpu") is x


def test_asarray_converts_the_dtype_and_leaves_the_original():
    x = np.array([1, 2, 3])
    y = backend.asarray(x, dtype="float32")
    assert y.dtype == np.float32
    assert x.dtype.kind == "i"


def test_asarray_takes_nested_lists_and_numbers():
    np.testing.assert_array_equal(backend.asarray([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]))
    assert backend.asarray(2.5).shape == ()


def test_asarray_makes_arrays_on_the_current_device(fake_cupy):
    with backend.device("gpu"):
        assert isinstance(backend.asarray(np.ones(2)), fake_cupy.ndarray)
    assert isinstance(backend.asarray(np.ones(2)), np.ndarray)


def test_asarray_and_to_numpy_cross_between_devices(fake_cupy):
    x = np.array([1.0, 2.0])
    there = backend.asarray(x, device="gpu")
    assert isinstance(there, fake_cupy.ndarray)
    np.testing.assert_array_equal(backend.asarray(there, device="cpu"), x)
    np.testing.assert_array_equal(backend.to_numpy(there), x)


def test_asarray_leaves_a_gpu_array_on_the_gpu(fake_cupy):
    there = backend.asarray([1.0], device="gpu")
    assert backend.asarray(there, device="gpu") is there


def test_asarray_on_a_missing_gpu_raises(no_cupy):
    with pytest.raises(GPUNotInstalledError):
        backend.asarray([1.0], device="gpu")


def test_asarray_brings_any_lane_to_the_cpu(lane):
    x = lane.array(np.array([[1.0, 2.0]], dtype=np.float32))
    y = backend.asarray(x, device="cpu")
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y, np.array([[1.0, 2.0]], dtype=np.float32))


@pytest.mark.parametrize("values", [[1.5, 2.5], [1, 2], [True, False], 3.0], ids=str)
def test_to_numpy_brings_every_lane_back(lane, values):
    x = np.array(values, dtype="float32" if np.array(values).dtype == np.float64 else None)
    back = backend.to_numpy(lane.array(x))
    assert isinstance(back, np.ndarray)
    assert back.dtype == x.dtype
    np.testing.assert_array_equal(back, x)


def test_to_numpy_is_the_identity_on_numpy_arrays():
    x = np.ones(3)
    assert backend.to_numpy(x) is x


def test_namespace_computes_on_the_lane_of_its_inputs(lane):
    x = lane.array(np.array([1.0, 2.0], dtype=np.float32))
    xp = backend.namespace(x, None, x)
    y = xp.zeros(2, dtype=x.dtype, device=x.device) + x
    assert type(y) is type(x)
    assert y.device == x.device


def test_namespace_counts_numpy_scalars_as_arrays():
    xp = backend.namespace(np.float32(1.0), np.ones(2))
    assert xp is backend.namespace(np.ones(1))


@pytest.mark.parametrize("thing", [1.0, [1.0, 2.0], "x", (np.ones(2),)], ids=lambda t: type(t).__name__)
def test_namespace_refuses_what_is_no_array_and_names_it(thing):
    with pytest.raises(TypeError, match=rf"w is a {type(thing).__name__}, not an array: make one with cnnlab.asarray"):
        backend.namespace(x=np.ones(2), w=thing)


def test_namespace_of_nothing_is_refused():
    with pytest.raises(TypeError, match="at least one array"):
        backend.namespace(None)


def test_mixing_cpu_and_gpu_says_who_is_where_and_how_to_move(fake_cupy):
    there = backend.asarray([1.0], device="gpu")
    with pytest.raises(DeviceMismatchError) as caught:
        backend.namespace(x=there, w=np.ones(1), b=None)
    assert str(caught.value) == 'x is on gpu, w is on cpu: move w with w = cnnlab.asarray(w, device="gpu")'


def test_mixing_positional_arguments_counts_them(fake_cupy):
    there = backend.asarray([1.0], device="gpu")
    with pytest.raises(DeviceMismatchError, match="argument 1 is on cpu, argument 3 is on gpu: move argument 3 with"):
        backend.namespace(np.ones(1), None, there)


def test_two_gpus_are_two_places(fake_cupy):
    with pytest.raises(DeviceMismatchError, match="x is on gpu, w is on gpu number 1: bring w to where x is"):
        backend.namespace(x=fake_cupy.ndarray([1.0], 0), w=fake_cupy.ndarray([1.0], 1))


def test_two_fake_devices_are_two_places():
    x = array_api_strict.ones(2, device=array_api_strict.Device("device1"))
    w = array_api_strict.ones(2, device=array_api_strict.Device("device2"))
    with pytest.raises(DeviceMismatchError, match=r"x is on .*device1.*, w is on .*device2"):
        backend.namespace(x=x, w=w)


@pytest.mark.oracle
def test_an_array_of_pytorch_is_the_one_to_convert():
    import torch

    x = torch.ones(2)
    with pytest.raises(DeviceMismatchError, match=r"x is on torch device cpu, w is on cpu: .* cnnlab.asarray\(x\)$"):
        backend.namespace(x=x, w=np.ones(2))
    backend.namespace(x=backend.asarray(x), w=np.ones(2))


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match=r"^x is a MaskedArray, and its mask would be lost: fill it, x.filled\(0\)$"):
        backend.namespace(x=np.ma.masked_array([1.0]))


def test_two_libraries_are_two_places():
    with pytest.raises(DeviceMismatchError, match=r"x is on cpu, w is on array_api_strict .*cnnlab.asarray\(w\)$"):
        backend.namespace(x=np.ones(2), w=array_api_strict.ones(2))
