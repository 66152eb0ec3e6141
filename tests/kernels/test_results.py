"""Memory of results is used again when nobody holds them, and never before; activations equal the readable ones."""

import gc
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

from cnnlab import kernels, ops
from cnnlab.kernels.results import LEAST_BYTES, Results, results
from cnnlab.kernels.workspace import Workspace

FLOAT = np.dtype("float32")
MANY = LEAST_BYTES // 4


def place(array):
    return array.__array_interface__["data"][0]


def test_memory_is_used_again_when_no_view_is_left():
    memory = Results(Workspace())
    one = memory.empty((4, MANY), FLOAT)
    first, row = place(one), one[1:, ::2].T
    del one
    other = memory.empty((4, MANY), FLOAT)
    assert not np.shares_memory(other, row)
    del row
    assert memory.kept == 4 * LEAST_BYTES
    again = memory.empty((MANY, 4), FLOAT)
    assert place(again) == first
    assert memory.kept == 0


def test_arrays_are_ordinary():
    array = results.zeros((3, MANY), np.dtype("float64"))
    assert type(array) is np.ndarray
    assert array.flags.writeable
    assert array.flags.c_contiguous
    assert place(array) % 64 == 0
    assert not array.any()
    array += 1
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array)), array)


def test_zeros_are_zeros_in_memory_that_was_used():
    array = results.empty((2, MANY), FLOAT)
    array.fill(7)
    del array
    assert not results.zeros((2, MANY), FLOAT).any()


def test_small_results_are_numpys_own():
    assert results.empty((3, 4), FLOAT).base is None


def test_what_lies_ready_stays_below_the_limit():
    memory = Results(Workspace(10 * LEAST_BYTES))
    held = [memory.empty((k, MANY), FLOAT) for k in (1, 2, 3, 4, 5, 6, 7)]
    while held:
        held.pop()
        assert memory.kept <= 10 * LEAST_BYTES
    assert memory.empty((20, MANY), FLOAT).shape == (20, MANY)  # larger than all that may be kept
    assert memory.kept <= 10 * LEAST_BYTES


def test_the_setting_lets_go_of_what_lies_ready():
    before = kernels.workspace_limit()
    array = results.empty((MANY,), FLOAT)
    del array
    assert results.kept
    kernels.workspace_limit(before)
    assert not results.kept


def test_two_threads_never_have_the_same_memory():
    faults = []

    def work(number):
        rng = np.random.default_rng(number)
        for _ in range(300):
            size = int(rng.integers(1, 4)) * MANY
            array, other = results.empty((size,), FLOAT), results.empty((size,), FLOAT)
            array.fill(number)
            other.fill(-number)
            if (array != number).any() or (other != -number).any():
                faults.append(number)

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_arrays_in_a_cycle_come_back_too():
    class Holder:
        pass

    memory = Results(Workspace())
    holder = Holder()
    holder.itself, holder.array = holder, memory.empty((MANY,), FLOAT)
    del holder
    gc.collect()
    assert memory.kept == LEAST_BYTES


def test_what_is_held_at_the_end_makes_no_noise():
    code = (
        "import threading, numpy as np; from cnnlab.kernels.results import results\n"
        "kept = results.empty((100, 1000), np.dtype('f4')); threading.current_thread().held = kept[1:]\n"
        "class Odd: pass\nodd = Odd(); odd.me, odd.it = odd, results.empty((100, 1000), np.dtype('f4'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_activations_of_large_arrays_equal_the_readable_ones(rng, dtype, threads):
    x, dy = (rng.standard_normal((5, 7, 160, 101)).astype(dtype) for _ in range(2))
    odd = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40]
    for array in (x, dy):
        array.reshape(-1)[::997] = np.resize(odd, array.reshape(-1)[::997].shape)
    y = np.tanh(x)
    pairs = [
        (ops.relu_forward, [x]), (ops.relu_backward, [dy, x]), (ops.tanh_forward, [x]), (ops.tanh_backward, [dy, y]),
    ]  # fmt: skip
    with np.errstate(invalid="ignore"), kernels.use_threads(threads):
        for function, arrays in pairs:
            with kernels.use_algorithm("taps"):
                wanted = function(*arrays)
            for views in (arrays, [a[:, ::-1] for a in arrays]):
                got = function(*views)
                np.testing.assert_array_equal(got, wanted if views is arrays else wanted[:, ::-1])
                assert got.dtype == dtype
                assert not any(np.shares_memory(got, array) for array in arrays)


def test_fast_activations_are_taken(rng):
    x = rng.standard_normal((64, 1000), dtype=np.float32)
    assert kernels.relu_forward(x) is not None
    assert kernels.relu_backward(x, x) is not None
    assert kernels.relu_forward(x[:, ::2]) is None
    assert kernels.relu_forward(x[:2]) is None
    with kernels.use_algorithm("taps"):
        assert kernels.tanh_backward(x, x) is None
