"""Jobs: every row of a compiled function's numbers is computed once, be the workers awake, asleep, busy or gone."""

import os
import threading
import time

import numpy as np
import pytest

from cnnlab import kernels
from cnnlab.kernels import threads
from cnnlab.kernels.fast import processor
from cnnlab.kernels.threads import _pool, run_parts, run_shared

pytest.importorskip("numba")
if (why := processor.refusal()) is not None:
    pytest.skip(why, allow_module_level=True)

from cnnlab.kernels.fast.compiled import compiled
from cnnlab.kernels.fast.jobs import code_of, kept, share_out


@compiled
def count_up(tile, options, counts, work, place, more):  # noqa: PLR0917  (as compiled functions are called)
    """Add to a place as many as the tile is long, and more, after some work."""
    total = 0.0
    for i in range(work):
        total += i * options[1]
    counts[place] += len(tile) + more + (total < -1)


@compiled
def count_up_shared(fixed, shares):
    return share_out(code_of(count_up, fixed), kept(fixed), shares)


@compiled
def need(counts, place, numbers):
    counts[place] += len(np.empty(numbers, np.float64)) > 0


@compiled
def need_shared(fixed, shares):
    return share_out(code_of(need, fixed), kept(fixed), shares)


@compiled
def in_memory_of(slots, done_in, busy, counts, work, slot, place, more):  # noqa: PLR0917  (as above)
    """Do the same for a place, and note in whose memory that was, and whether another was at work there meanwhile."""
    busy[slot] += 1
    count_up((0, 0, 0), (1, 0.5), counts, work * more, place, 0)
    done_in[place] = slot if busy[slot] == 1 else -2
    busy[slot] -= 1


@compiled
def in_memory_of_shared(fixed, shares):
    return share_out(code_of(in_memory_of, fixed), kept(fixed), shares)


def noted(slots, works):
    """Return in whose memory each place was done, of which only the first have some of their own."""
    counts, done_in, busy = np.zeros(len(works), np.int64), np.full(len(works), -1), np.zeros(slots, np.int64)
    rows = [(i if i < slots else 2**40, i, work) for i, work in enumerate(works)]
    run_shared(in_memory_of_shared, (slots, done_in, busy, counts, 1), rows, slots, own=1)
    assert counts.tolist() == [3] * len(works)
    return done_in.tolist()


def counted(rows, work=1000):
    counts = np.zeros(max(rows, 1), np.int64)
    run_shared(count_up_shared, ((0, 0, 0), (1, 0.5), counts, work), [(i, 10 * i) for i in range(rows)])
    return counts[:rows].tolist()


def wanted(rows):
    return [3 + 10 * i for i in range(rows)]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 8])
def test_each_row_is_computed_once(count, rows):
    with kernels.use_threads(count):
        for work in (0, 1000, 100_000):
            for _ in range(20):
                assert counted(rows, work) == wanted(rows)
    assert not _pool._busy.locked()


@pytest.mark.parametrize("pause", [0, 0.0005, 0.001, 0.002, 0.005])
def test_workers_that_fall_asleep_are_woken_up_or_not_waited_for(pause):
    with kernels.use_threads(3):
        for _ in range(30):
            assert counted(5) == wanted(5)
            time.sleep(pause)


def test_jobs_and_parts_in_turn(rng):
    with kernels.use_threads(3):
        for _ in range(300):
            done = []
            run_parts([lambda i=i, done=done: done.append(i) for i in range(4)])
            assert sorted(done) == [0, 1, 2, 3]
            if rng.random() < 0.2:
                time.sleep(rng.random() * 0.003)
            assert counted(4) == wanted(4)


def test_what_finds_the_workers_busy_computes_alone():
    found, start = [], threading.Barrier(4)

    def some():
        start.wait(10)
        found.extend(counted(6, 20_000) for _ in range(100))

    with kernels.use_threads(2):
        several = [threading.Thread(target=some) for _ in range(4)]
        for one in several:
            one.start()
        for one in several:
            one.join()
    assert found == [wanted(6)] * 400


def test_inside_a_part_there_is_one_thread():
    found = []
    with kernels.use_threads(2):
        run_parts([lambda: found.append(counted(3))] * 4)
    assert found == [wanted(3)] * 4


@pytest.mark.parametrize("count", [1, 2, 3])
def test_where_there_is_no_memory_it_is_said_and_the_workers_go_on(count):
    counts = np.zeros(3, np.int64)
    with kernels.use_threads(count):
        for short in range(3):
            with pytest.raises(MemoryError, match="free some"):
                run_shared(need_shared, (counts,), [(i, 2**58 if i == short else 10) for i in range(3)])
            assert counted(5) == wanted(5)
    assert counts.tolist() == [2, 2, 2]


def test_no_more_threads_than_asked_for_take_part():
    _pool.close()
    with kernels.use_threads(4):
        counts = np.zeros(5, np.int64)
        rows = [(i, 10 * i) for i in range(5)]
        run_shared(count_up_shared, ((0, 0, 0), (1, 0.5), counts, 10), rows, 2)
        assert counts.tolist() == wanted(5)
        assert len(_pool._workers) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("slots", [1, 2, 3])
def test_rows_behind_the_first_are_done_in_the_memory_of_one_of_those(count, slots, rng):
    with kernels.use_threads(count):
        for _ in range(100):
            done_in = noted(slots, rng.integers(0, 5000, 11).tolist())
            assert done_in[:slots] == list(range(slots))
            assert set(done_in[slots:]) <= set(range(min(slots, count)))
    assert not _pool._busy.locked()


@pytest.mark.parametrize("slow", [0, 1])
def test_who_is_slow_does_less(slow):
    works = [20_000_000 if place == slow else 1000 for place in range(10)]
    with kernels.use_threads(2):
        found = [noted(2, works)[2:] for _ in range(10)]  # a machine that is busy may not run the worker at once
    assert [1 - slow] * 8 in found


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_units_are_cut_for_threads_without_gaps_and_half_of_them_at_once(count):
    for units in range(1, 200):
        parts = threads.in_turn(units, count)
        assert [i for some in parts for i in range(some.start, some.stop)] == list(range(units))
        sizes = [some.stop - some.start for some in parts]
        assert min(sizes) > 0
        assert max(sizes[:count]) - min(sizes[:count]) <= 1
        if len(parts) > count:
            assert max(sizes[count:]) <= min(sizes[:count])
            assert sum(sizes[:count]) <= units / 2


def test_ended_workers_are_replaced():
    with kernels.use_threads(3):
        assert counted(4) == wanted(4)
        _pool.close()
        assert counted(4) == wanted(4)
        assert len(_pool._workers) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_has_workers_of_its_own():
    with kernels.use_threads(2):
        assert counted(4) == wanted(4)
        if (child := os.fork()) == 0:
            os._exit(0 if counted(4, 100_000) == wanted(4) and len(threads._pool._workers) == 1 else 1)
        assert counted(4) == wanted(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
