"""Workers begin soon, end cleanly, and stay off the core that gave them work; passes hold BLAS and share alike."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from cnnlab import kernels, ops
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import planner, threads, winograd_tiles, workers
from cnnlab.kernels.algorithm import algorithms
from cnnlab.kernels.case import Case
from cnnlab.kernels.threads import _pool, run_parts, thread_count
from cnnlab.kernels.workers import Worker


def blas_threads():
    from threadpoolctl import threadpool_info

    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_a_worker_does_one_thing_after_the_other_and_hands_back_what_it_raises():
    worker, done = Worker(), []
    for i in range(50):
        worker.give(lambda i=i: done.append((i, threading.current_thread().name)))
        assert worker.wait() is None
    worker.give(lambda: 1 / 0)
    assert isinstance(worker.wait(), ZeroDivisionError)
    worker.give(lambda: done.append("again"))
    assert worker.wait() is None
    assert done == [*((i, "cnnlab") for i in range(50)), "again"]
    worker.end()


def test_a_worker_that_is_ended_finishes_what_it_does_first():
    worker, steps, begun = Worker(), [], threading.Event()

    def slow():
        begun.set()
        time.sleep(0.05)
        steps.append("done")

    worker.give(slow)
    begun.wait(10)
    worker.end()
    assert steps == ["done"]


def test_what_a_worker_has_not_begun_can_be_taken_back():
    worker, begun, go_on, done = Worker(), threading.Event(), threading.Event(), []

    def first():
        begun.set()
        go_on.wait(10)

    worker.give(first)
    begun.wait(10)
    assert not worker.take_back()  # it is at it
    go_on.set()
    assert worker.wait() is None
    taken = 0
    for i in range(200):  # now and then it is faster
        worker.give(lambda i=i: done.append(i))
        if worker.take_back():
            taken += 1
        else:
            assert worker.wait() is None
    assert taken + len(done) == 200
    assert done == sorted(set(done))
    worker.give(lambda: done.append("last"))
    assert worker.wait() is None
    assert done[-1] == "last"
    worker.give(lambda: time.sleep(0.001))
    worker.end()  # begun or not


def test_who_wakes_up_late_is_not_waited_for(monkeypatch):
    done = []
    monkeypatch.setattr(Worker, "give", lambda self, work: None)  # it never hears of it
    monkeypatch.setattr(Worker, "take_back", lambda self: True)
    with kernels.use_threads(2):
        run_parts([lambda i=i: done.append(i) for i in range(4)])
    assert done == [0, 1, 2, 3]


def test_spinning_only_shortens_the_wait(monkeypatch):
    seen = []

    class Spin:  # returns at once, as one that saw nothing
        next_work = staticmethod(lambda signals, finished: seen.append(("next", finished)))
        wait_until_done = staticmethod(lambda signals: seen.append("wait"))

    monkeypatch.setattr(workers, "spin", Spin)
    worker, done = Worker(), []
    for i in range(3):
        worker.give(lambda i=i: done.append(i))
        assert worker.wait() is None
    worker.end()
    assert done == [0, 1, 2]
    assert [one for one in seen if one != "wait"] == [("next", False)] + [("next", True)] * 3
    assert seen.count("wait") == 3


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say which cores may be used")
def test_a_worker_is_kept_off_the_core_of_its_giver_and_no_other(monkeypatch):
    allowed = os.sched_getaffinity(0)
    worker, seen = Worker(), []
    for core in [*sorted(allowed), -1]:  # -1: it cannot be known
        monkeypatch.setattr(workers, "_core", lambda core=core: core)
        cores = workers.keep_apart([worker])
        worker.give(lambda: seen.append(os.sched_getaffinity(0)))
        assert worker.wait() is None
        workers.let_go(cores)
    worker.end()
    known = [allowed - {core} or allowed for core in sorted(allowed)]
    assert seen == [*known, known[-1]]
    assert os.sched_getaffinity(0) == allowed  # this thread's own are as they were


def test_inside_a_part_there_is_one_thread_and_parts_of_parts_are_done_in_order():
    counts, order = [], []

    def part():
        counts.append(thread_count())
        if threading.current_thread() is threading.main_thread():
            run_parts([lambda i=i: order.append(i) for i in range(3)])

    with kernels.use_threads(2):
        assert thread_count() == 2
        run_parts([part] * 4)
        assert thread_count() == 2
    assert counts == [1] * 4
    assert order == [0, 1, 2] * (len(order) // 3)


def test_what_finds_the_workers_busy_is_done_alone_and_the_same_way():
    inside, counts = threading.Event(), []
    go_on = threading.Event()

    def hold():
        inside.set()
        go_on.wait(10)

    with kernels.use_threads(2):
        other = threading.Thread(target=run_parts, args=([hold, hold],))
        other.start()
        inside.wait(10)
        run_parts([lambda: counts.append((thread_count(), threading.current_thread().name))] * 3)
        go_on.set()
        other.join()
    assert counts == [(1, threading.current_thread().name)] * 3


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_leaves_no_worker_behind_that_still_writes():
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    still, main = [True], threading.main_thread()
    begun = threading.Event()

    def part():
        if threading.current_thread() is main:
            begun.wait(10)
            signal.raise_signal(signal.SIGINT)
        begun.set()
        time.sleep(0.05)
        still[0] = threading.current_thread() is main

    try:
        with kernels.use_threads(2):
            for _ in range(3):
                still[0] = True
                begun.clear()
                with pytest.raises(KeyboardInterrupt):
                    run_parts([part, part])
                assert not still[0]  # the worker's part has ended
                done = []
                run_parts([lambda done=done: done.append(1)] * 5)
                assert len(done) == 5
        assert not _pool._busy.locked()
    finally:
        signal.signal(signal.SIGINT, handler)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_workers_that_had_no_part_too():
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    main = threading.main_thread()

    def part():
        if threading.current_thread() is main:
            signal.raise_signal(signal.SIGINT)

    _pool.close()
    before = threading.active_count()
    try:
        with kernels.use_threads(3):
            run_parts([lambda: None] * 3)
            assert threading.active_count() == before + 2
            with pytest.raises(KeyboardInterrupt):
                run_parts([part] * 2)
            assert threading.active_count() == before
    finally:
        signal.signal(signal.SIGINT, handler)


def test_blas_is_held_through_a_whole_pass(monkeypatch, rng):
    x, w = rng.standard_normal((4, 16, 30, 30)), rng.standard_normal((24, 16, 3, 3))
    before, seen = blas_threads(), []
    inner = planner.grad_bias

    def grad_bias(dy):
        seen.append(blas_threads())
        return inner(dy)

    monkeypatch.setattr(planner, "grad_bias", grad_bias)
    with kernels.use_threads(2):
        y = ops.conv_forward(x, w)
        ops.conv_backward(y, x, w)
        ops.conv_backward_parameters(y, x, w)
    assert seen
    assert {count for counts in seen for count in counts} == {1}
    assert blas_threads() == before


def test_blas_is_held_from_any_thread_and_let_go_by_the_last():
    before, seen = blas_threads(), []
    with kernels.use_threads(2):
        with threads.one_blas_thread():
            seen.append(blas_threads())

        def hold(inside, go_on):
            with threads.one_blas_thread():
                inside.set()
                seen.append(blas_threads())
                go_on.wait(10)

        events = [(threading.Event(), threading.Event()) for _ in range(2)]
        both = [threading.Thread(target=hold, args=pair) for pair in events]
        for thread, (inside, _) in zip(both, events, strict=True):
            thread.start()
            inside.wait(10)
        for thread, (_, go_on) in zip(both, events, strict=True):  # the first to come is the first to go
            go_on.set()
            thread.join()
            seen.append(blas_threads())
    assert seen == [[1]] * 4 + [before]
    assert before == blas_threads()


@pytest.mark.parametrize("side_by_side", [0, 10**12])
def test_gradients_side_by_side_are_those_of_one_thread_and_the_same_at_each_run(monkeypatch, rng, side_by_side):
    monkeypatch.setattr(planner, "SIDE_BY_SIDE", side_by_side)
    x, w = rng.standard_normal((6, 12, 21, 19)), rng.standard_normal((10, 6, 3, 3))
    options = {"stride": (2, 1), "padding": (1, 2), "groups": 2}
    with kernels.use_threads(1):
        y = ops.conv_forward(x, w, **options)
        expected = ops.conv_backward(y, x, w, **options)
    with kernels.use_threads(2):
        runs = [ops.conv_backward(y, x, w, **options) for _ in range(3)]
    for found in runs:
        for got, again, want in zip(found, runs[0], expected, strict=True):
            np.testing.assert_array_equal(got, again)
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10 * np.abs(want).max())


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", ["im2col", "channels_last", "batch_last", "winograd"])
@pytest.mark.parametrize(
    "sizes",
    [
        ((2, 5, 7, 7), (300, 5, 3, 3), {"padding": 1}),
        ((2, 17, 5, 5), (131, 17, 3, 3), {"padding": 1}),
        ((3, 9, 6, 6), (257, 9, 5, 5), {"padding": 2, "stride": 2}),
        ((2, 33, 6, 7), (98, 33, 1, 1), {}),
    ],
)
def test_more_filters_than_places(rng, sizes, name, count):
    x_shape, w_shape, options = sizes
    x, w, b = (rng.standard_normal(shape) for shape in (x_shape, w_shape, w_shape[:1]))
    case = planner.layer_of(ConvGeometry.of_weight(w_shape, **options)).case(x_shape, w_shape, "float64")
    assert case.few_places
    if why := planner.fault(algorithms()[name], case):
        pytest.skip(why)
    with kernels.use_algorithm("taps"):
        y = ops.conv_forward(x, w, b, **options)
        wanted = y, *ops.conv_backward(y, x, w, **options)
    with kernels.use_algorithm(name), kernels.use_threads(count):
        got = ops.conv_forward(x, w, b, **options), *ops.conv_backward(y, x, w, **options)
    for ours, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * np.abs(theirs).max())


@pytest.mark.parametrize(("N", "K", "M"), [(64, 50, 30), (1, 300, 41), (3, 7, 200), (17, 1, 1), (0, 5, 3), (5, 0, 3)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_shared_product_is_the_product(rng, N, K, M, count):
    a, b = rng.standard_normal((N, K)), rng.standard_normal((M, K)).T
    with kernels.use_threads(count):
        y = kernels.product(a, b)
    assert y.shape == (N, M)
    np.testing.assert_allclose(y, a @ b, rtol=1e-12, atol=1e-12)


def test_products_of_other_arrays_are_left_to_them(rng):
    a, b = rng.standard_normal((20, 30)).astype(np.float32), rng.standard_normal((30, 10))
    with kernels.use_threads(2):
        assert kernels.product(a, b).dtype == np.float64
        assert kernels.product(np.arange(6).reshape(2, 3), np.ones((3, 2), int)).tolist() == [[3, 3], [12, 12]]
        with pytest.raises(ValueError, match="mismatch"):
            kernels.product(b, b)
        with kernels.use_algorithm("taps"):
            np.testing.assert_array_equal(kernels.product(b.T, b), b.T @ b)


def test_little_work_is_not_shared_and_less_is_where_it_is_one_compiled_call(monkeypatch):
    monkeypatch.setattr(threads, "least_macs", [1000, 100])
    with kernels.use_threads(2):
        for compiled, least in ((False, 1000), (True, 100)):
            assert threads.shares_of(least, compiled=compiled) == 2
            assert threads.shares_of(least - 1, compiled=compiled) == 1


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "sizes",
    [
        ((1, 7, 9, 11), (5, 7, 3, 3), {"stride": 2, "padding": 1}),
        ((1, 2, 9, 11), (5, 2, 3, 3), {"stride": 2}),  # fewer channels than threads
        ((1, 12, 8, 8), (6, 4, 5, 5), {"padding": 2, "groups": 3}),
        ((2, 12, 8, 8), (6, 4, 5, 5), {"padding": 2, "groups": 3}),
        ((1, 3, 30), (4, 3, 7), {"stride": 3, "dilation": 2}),
    ],
)
def test_the_way_back_of_one_picture_is_shared_by_channels(monkeypatch, rng, sizes, count):
    x_shape, w_shape, options = sizes
    monkeypatch.setattr(threads, "least_macs", [1, 1])
    x, w, seen = rng.standard_normal(x_shape), rng.standard_normal(w_shape), []
    with kernels.use_algorithm("taps"):
        y = ops.conv_forward(x, w, **options)
        wanted = ops.conv_backward(y, x, w, **options)[0]
    algorithm = algorithms()["batch_last"]
    inner = algorithm.grad_input
    monkeypatch.setattr(
        algorithm, "grad_input", lambda dy, w, dx, case: seen.append(dx.shape[:2]) or inner(dy, w, dx, case)
    )
    geometry = ConvGeometry.of_weight(w_shape, **options)
    with kernels.use_algorithm("batch_last"), kernels.use_threads(count):
        got = planner.grad_input(y, w, x_shape[2:], geometry)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())
    assert sum(pictures * channels for pictures, channels in seen) == x_shape[0] * x_shape[1]
    if x_shape[0] == 1:
        assert len(seen) == geometry.groups * min(count, w_shape[1])


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("name", "in_channels"), [("im2col", 5), ("im2col", 1), ("channels_last", 5), ("winograd", 5)])
def test_few_places_are_laid_out_once_by_whatever_number_of_threads(monkeypatch, rng, name, in_channels, count):
    monkeypatch.setattr(threads, "least_macs", [1, 1])
    algorithm, seen = algorithms()[name], {"forward": [], "grad_weight": []}

    def noting(work, inner):
        def noted(*arrays, **options):
            seen[work].append(arrays[work == "grad_weight"].shape[1])
            inner(*arrays, **options)

        return noted

    for work in seen:
        monkeypatch.setattr(algorithm, work, noting(work, getattr(algorithm, work)))
    x, w = rng.standard_normal((2, in_channels, 4, 5)), rng.standard_normal((50, in_channels, 3, 3))
    b, geometry = rng.standard_normal(50), ConvGeometry.of_weight(w.shape, padding=1)
    with kernels.use_algorithm("taps"):
        wanted = ops.conv_forward(x, w, b, padding=1)
        wanted_dw = ops.conv_backward(wanted, x, w, padding=1)[1]
    with kernels.use_algorithm(name), kernels.use_threads(count):
        y = planner.conv_forward(x, w, b, geometry, relu=True)
        dw = planner.grad_weight(wanted, x, w.shape, geometry)
    np.testing.assert_allclose(y, np.maximum(wanted, 0), rtol=0, atol=1e-12 * np.abs(wanted).max())
    np.testing.assert_allclose(dw, wanted_dw, rtol=0, atol=1e-12 * np.abs(wanted_dw).max())
    once = algorithm.lays_out and in_channels > 1
    for channels in seen.values():
        assert len(channels) == (min(count, in_channels) if once else count)
        assert sum(channels) == in_channels * (1 if once else count)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("M", "C"), [(70, 64), (64, 131), (1, 3)])
def test_transformed_kernels_are_the_same_in_any_pieces(monkeypatch, rng, M, C, count):
    monkeypatch.setattr(threads, "least_macs", [1, 1])
    w = rng.standard_normal((M, C, 3, 3), dtype=np.float32)
    algorithm = algorithms()["winograd"]
    kernel = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
    wanted = np.einsum("pi,qj,mcij->pqcm", kernel, kernel, w).reshape(36, 1, C, M)
    case = Case(1, C, M, 1, (9, 9), (3, 3), (1, 1), (1, 1), "float32")
    for size in (1, 2**14, 2**30):
        monkeypatch.setattr(winograd_tiles, "KERNEL_BYTES", size)
        for view in (w, np.ascontiguousarray(w.swapaxes(0, 1)).swapaxes(0, 1)):
            with kernels.use_threads(count):
                np.testing.assert_allclose(algorithm.prepare(view, case), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say which cores may be used")
def test_who_gives_work_stays_off_the_workers_cores_until_it_is_done(monkeypatch):
    allowed = os.sched_getaffinity(0)
    here = workers._core()

    class At:
        def __init__(self, core):
            self.core = core

        def keep_off(self, core, cores):
            assert (core, cores) == (here, allowed)

    monkeypatch.setattr(workers, "_core", lambda: here)
    for cores in ([here], [-1], sorted(allowed - {here})[:1], [max(allowed) + 1], sorted(allowed)):
        inside = {here} if len(allowed) == 1 + len(cores) else allowed - (set(cores) - {here})
        kept = workers.keep_apart([At(core) for core in cores])
        found = os.sched_getaffinity(0)
        workers.let_go(kept)
        assert (found, os.sched_getaffinity(0)) == (inside, allowed)
    with kernels.use_threads(2), pytest.raises(ZeroDivisionError):
        run_parts([lambda: 1 / 0] * 2)
    assert os.sched_getaffinity(0) == allowed
    monkeypatch.setattr(workers, "_core", lambda: -1)  # it cannot be known
    assert workers.keep_apart([At(here)]) == set()
