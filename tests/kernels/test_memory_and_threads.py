"""Borrowed memory is bounded and never shared; threads start late, survive a fork, and give the same results."""

import multiprocessing
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from cnnlab import kernels, ops
from cnnlab.kernels.threads import _pool, run_parts
from cnnlab.kernels.workspace import Workspace, workspace

CASES = {
    "im2col": ((4, 8, 40, 40), (70, 8, 3, 3)),
    "batch_last": ((32, 3, 20, 20), (8, 3, 5, 5)),
    "channels_last": ((4, 16, 40, 40), (24, 16, 3, 3)),
    "winograd": ((4, 64, 24, 24), (64, 64, 3, 3)),
    "pointwise": ((4, 64, 30, 30), (32, 64, 1, 1)),
}


def test_borrowed_memory_begins_at_a_line_of_the_cache_and_what_is_kept_is_counted():
    memory = Workspace(10_000)
    for size in (1, 77, 400, 77):
        with memory.borrow((size,), np.dtype(np.float32)) as lent:
            assert lent.ctypes.data % 64 == 0
            assert lent.shape == (size,)
    assert memory.kept == sum(piece.nbytes for piece in memory._free) == 4 * (1 + 77 + 400)
    memory.clear()
    assert memory.kept == 0


def test_pieces_are_reused_and_never_lent_twice():
    memory = Workspace(1000)
    dtype = np.dtype("float64")
    with memory.borrow((10,), dtype) as one, memory.borrow((10,), dtype) as two:
        assert not np.shares_memory(one, two)
    with memory.borrow((2, 5), dtype) as again:
        assert np.shares_memory(again, one) or np.shares_memory(again, two)
    assert memory.kept == 160


def test_what_is_kept_stays_below_the_limit():
    memory = Workspace(1000)
    for size in (50, 100, 500, 120):
        with memory.borrow((size,), np.dtype("float64")):
            pass
        assert memory.kept <= 1000


def test_the_limit_is_a_setting():
    before = kernels.workspace_limit()
    try:
        assert kernels.workspace_limit(2**20) == 2**20
        ops.conv_forward(np.ones((4, 64, 30, 30)), np.ones((64, 64, 3, 3)))
        assert workspace.kept <= 2**20
        with pytest.raises(ValueError, match="size"):
            kernels.workspace_limit(-1)
    finally:
        kernels.workspace_limit(before)


@pytest.mark.parametrize(
    ("x_shape", "w_shape"), [((1, 1, 4096, 4096), (1, 1, 3, 3)), ((1024, 3, 32, 32), (2, 3, 5, 5))]
)
def test_large_inputs_need_little_more_than_their_results(x_shape, w_shape):
    x, w = np.ones(x_shape, np.float32), np.ones(w_shape, np.float32)
    workspace.clear()
    tracemalloc.start()
    try:
        y = ops.conv_forward(x, w)
        _, forward = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        ops.conv_backward_parameters(y, x, w)
        _, backward = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert forward < y.nbytes + 64 * 2**20
    assert backward < y.nbytes + 64 * 2**20


def test_threads_with_different_layers_at_once(rng):
    def compute(name):
        x_shape, w_shape = CASES[name]
        rng = np.random.default_rng(len(name))
        x, w = rng.standard_normal(x_shape), rng.standard_normal(w_shape)
        y = ops.conv_forward(x, w, padding=1)
        return y, *ops.conv_backward(y, x, w, padding=1)

    with kernels.use_threads(2):
        expected = {name: compute(name) for name in CASES}
        wrong, errors = [], []

        def repeat(name):
            try:
                for _ in range(3):
                    for got, want in zip(compute(name), expected[name], strict=True):
                        if not np.array_equal(got, want):
                            wrong.append(name)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=repeat, args=(name,)) for name in CASES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors
    assert not wrong


def test_an_error_in_a_part_is_raised_and_blas_is_let_go():
    from threadpoolctl import threadpool_info

    def fail():
        raise KeyError("part")

    def counts():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = counts()
    with kernels.use_threads(2):
        for parts in ([fail, lambda: None], [lambda: None, fail], [fail, fail]):
            with pytest.raises(KeyError, match="part"):
                run_parts(parts)
    assert counts() == before


def test_without_threadpoolctl_there_is_one_thread(monkeypatch, rng):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    monkeypatch.setattr(_pool, "_controller", None)
    with kernels.use_threads(4):
        assert kernels.thread_count() == 1
        x = rng.standard_normal((4, 16, 40, 40))
        assert ops.conv_forward(x, rng.standard_normal((8, 16, 3, 3))).shape == (4, 8, 38, 38)


def _child(queue, x, w):
    with kernels.use_threads(2):
        queue.put(float(ops.conv_forward(x, w).sum()))


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_fork_after_threads_ran_still_computes(rng):
    x, w = rng.standard_normal((4, 16, 40, 40)), rng.standard_normal((24, 16, 3, 3))
    with kernels.use_threads(2):
        expected = float(ops.conv_forward(x, w).sum())
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_child, args=(queue, x, w))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get() == expected


def test_importing_starts_no_thread_and_loads_nothing_more():
    program = (
        "import sys, threading\nimport cnnlab.kernels\nprint(threading.active_count(), 'threadpoolctl' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "False"]
