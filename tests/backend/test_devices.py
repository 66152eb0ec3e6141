"""Choosing a device, and the three different answers when there is no GPU."""

import subprocess
import sys

import pytest

from cnnlab import backend
from cnnlab.backend import GPUBrokenError, GPUNotInstalledError, NoGPUError


def raiser(error):
    def fail(*args):
        raise error

    return fail


def test_default_is_the_cpu():
    assert backend.current_device() == "cpu"


def test_use_device_changes_the_current_device_and_names_it(fake_cupy):
    assert backend.use_device("gpu") == "gpu"
    assert backend.current_device() == "gpu"
    assert backend.use_device("cpu") == "cpu"
    assert backend.current_device() == "cpu"


def test_device_block_restores_what_was_there_also_after_an_error(fake_cupy):
    backend.use_device("gpu")

    def fail_on_the_cpu():
        with backend.device("cpu"):
            assert backend.current_device() == "cpu"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_on_the_cpu()
    assert backend.current_device() == "gpu"


def test_nested_device_blocks_unwind_one_by_one(fake_cupy):
    with backend.device("gpu"):
        with backend.device("cpu"):
            assert backend.current_device() == "cpu"
        assert backend.current_device() == "gpu"
    assert backend.current_device() == "cpu"


@pytest.mark.parametrize("name", ["cuda", "GPU", "", None, 0])
def test_unknown_device_is_refused_with_its_name(name):
    with pytest.raises(ValueError, match=f'device {name!r} is unknown: choose "cpu", "gpu" or "auto"'):
        backend.use_device(name)


def test_failed_choice_leaves_the_device_as_it_was(no_cupy):
    backend.use_device("cpu")
    with pytest.raises(GPUNotInstalledError):
        backend.use_device("gpu")
    assert backend.current_device() == "cpu"


@pytest.mark.parametrize(("value", "expected"), [("cpu", "cpu"), ("gpu", "gpu"), ("auto", "gpu"), ("", "cpu")])
def test_environment_decides_at_first_use(monkeypatch, fake_cupy, value, expected):
    monkeypatch.setenv("CNNLAB_DEVICE", value)
    assert backend.current_device() == expected


def test_environment_no_longer_matters_after_a_choice(monkeypatch, fake_cupy):
    backend.use_device("cpu")
    monkeypatch.setenv("CNNLAB_DEVICE", "gpu")
    assert backend.current_device() == "cpu"


def test_bad_environment_is_reported_at_every_use_and_not_at_import():
    program = """
import cnnlab, cnnlab.ops
for _ in range(2):
    try:
        cnnlab.asarray([1.0])
    except ValueError as error:
        print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], env={"CNNLAB_DEVICE": "tpu"}, capture_output=True, text=True, check=True
    )
    line = 'the environment variable CNNLAB_DEVICE is \'tpu\': set it to "cpu", "gpu" or "auto", or unset it\n'
    assert run.stdout == 2 * line
    assert run.stderr == ""


def test_environment_asking_for_a_missing_gpu_raises_at_first_use(monkeypatch, no_cupy):
    monkeypatch.setenv("CNNLAB_DEVICE", "gpu")
    with pytest.raises(GPUNotInstalledError):
        backend.asarray([1.0])


def test_missing_cupy_says_what_to_install(no_cupy):
    with pytest.raises(GPUNotInstalledError, match=r"not installed.*pip install.*cupy-cuda13x\[ctk\]"):
        backend.use_device("gpu")


@pytest.mark.parametrize(
    "cause",
    [
        ImportError("libcublas.so.13: cannot open shared object file"),
        ModuleNotFoundError("No module named 'fastrlock'", name="fastrlock"),
        AttributeError("module 'numpy' has no attribute 'long'"),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_cupy_that_cannot_be_imported_is_broken_and_the_cause_is_quoted(monkeypatch, cause):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "cupy":
                raise cause

    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(GPUBrokenError) as caught:
        backend.use_device("gpu")
    assert f"{type(cause).__name__}: {cause}" in str(caught.value)
    assert caught.value.__cause__ is cause


def test_cupy_that_cannot_compute_is_broken_and_the_cause_is_quoted(fake_cupy):
    cause = RuntimeError("CuPy failed to load libnvrtc.so.13")
    fake_cupy.arange = raiser(cause)
    with pytest.raises(
        GPUBrokenError, match=r"installed but broken \(RuntimeError: CuPy failed to load libnvrtc"
    ) as caught:
        backend.use_device("gpu")
    assert caught.value.__cause__ is cause


def test_cupy_that_cannot_load_the_runtime_is_broken(fake_cupy):
    fake_cupy.cuda.runtime.getDeviceCount = raiser(ImportError("libcudart.so.13"))
    with pytest.raises(GPUBrokenError, match="ImportError: libcudart"):
        backend.use_device("gpu")


def test_cupy_that_computes_wrongly_is_broken(fake_cupy):
    fake_cupy.arange = lambda n: fake_cupy.ndarray([1.0])
    with pytest.raises(GPUBrokenError, match=r"0 \+ 1 \+ 2 \+ 3 gave 1"):
        backend.use_device("gpu")


def test_no_driver_is_no_gpu_and_the_cause_is_kept(fake_cupy):
    cause = fake_cupy.cuda.runtime.CUDARuntimeError("cudaErrorInsufficientDriver")
    fake_cupy.cuda.runtime.getDeviceCount = raiser(cause)
    with pytest.raises(NoGPUError, match=r"no usable GPU .*cudaErrorInsufficientDriver.*nvidia-smi") as caught:
        backend.use_device("gpu")
    assert caught.value.__cause__ is cause


def test_a_gpu_in_use_by_others_is_no_usable_gpu(fake_cupy):
    fake_cupy.arange = raiser(fake_cupy.cuda.runtime.CUDARuntimeError("cudaErrorDevicesUnavailable"))
    with pytest.raises(NoGPUError, match="cudaErrorDevicesUnavailable"):
        backend.use_device("gpu")


def test_zero_devices_are_no_gpu(fake_cupy):
    fake_cupy.cuda.runtime.getDeviceCount = lambda: 0
    with pytest.raises(NoGPUError, match="0 devices"):
        backend.use_device("gpu")


def test_auto_takes_the_gpu_where_there_is_one(fake_cupy):
    assert backend.use_device("auto") == "gpu"


def test_auto_falls_back_to_the_cpu_and_the_status_says_why(fake_cupy):
    fake_cupy.cuda.runtime.getDeviceCount = lambda: 0
    assert backend.use_device("auto") == "cpu"
    status = backend.gpu_status()
    assert not status.ok
    assert "0 devices" in status.reason
    assert "nvidia-smi" in status.hint


def test_a_repaired_gpu_is_found_without_a_restart(fake_cupy):
    working = fake_cupy.cuda.runtime.getDeviceCount
    fake_cupy.cuda.runtime.getDeviceCount = lambda: 0
    assert not backend.gpu_status().ok
    fake_cupy.cuda.runtime.getDeviceCount = working
    assert backend.gpu_status().ok


def test_status_of_a_working_gpu_names_it(fake_cupy):
    status = backend.gpu_status()
    assert (status.ok, status.reason) == (True, "Fake GPU, CuPy 14.0.0")


def test_status_never_raises_even_when_naming_the_gpu_fails(fake_cupy):
    fake_cupy.cuda.runtime.getDeviceProperties = raiser(KeyError("name"))
    assert not backend.gpu_status().ok


def test_status_leaves_the_device_alone(fake_cupy):
    backend.gpu_status()
    assert backend.current_device() == "cpu"


def test_synchronize_waits_for_the_gpu(fake_cupy):
    backend.synchronize()
    assert fake_cupy.synchronized == 1


def test_synchronize_does_nothing_without_a_gpu(no_cupy):
    backend.synchronize()


@pytest.mark.gpu
def test_real_gpu():
    assert backend.gpu_status().ok
    with backend.device("gpu"):
        x = backend.asarray([1.0, 2.0])
        assert float((x * 2).sum()) == 6.0
        backend.synchronize()
    assert isinstance(backend.to_numpy(x).sum(), float)
