"""No task is lost with a worker, and the run says how far it is."""

import io
import os
import subprocess
import sys
import time

import psutil
import pytest
from rich.console import Console

from cnnlab.grading import child, pool
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell, CheckRecord, ExerciseRecord, Result
from cnnlab.grading.progress import RunProgress
from cnnlab.grading.task import Task


def tasks(count, source="def scan_1d(*a): raise NotImplementedError"):
    return [
        Task(f"s{number}", "a1", "", (Cell(0, source),), {}, 1, Limits(), "plain process") for number in range(count)
    ]


def workers():
    """The processes of the pool: those that this process started and that have not been waited for."""
    below = psutil.Process().children()
    return [each for each in below if any("cnnlab.grading.worker" in word for word in _command(each))]


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_a_worker_that_dies_costs_nobody_anything():
    asked = tasks(5)
    found = []
    for result in pool.run_tasks(asked, jobs=2):
        if not found:
            workers()[0].kill()
        found.append(result)
    assert sorted(result.student for result in found) == [task.student for task in asked]
    assert {result.status for result in found} == {"graded"}
    assert workers() == []
    assert all(peak.worker > 10_000 for peak in pool.peaks())


def test_a_task_that_loses_two_workers_is_our_fault_and_the_run_goes_on(monkeypatch):
    monkeypatch.setattr(child, "_PROGRAM", "raise SystemExit(7)")
    found = list(pool.run_tasks(tasks(2), jobs=2))
    assert [result.status for result in found] == ["grader_error"] * 2
    assert all("two workers were lost with it: exit 7" in result.reason for result in found)
    assert all(result.score is None for result in found)


def test_a_worker_that_does_not_come_back_is_lost(monkeypatch):
    monkeypatch.setattr(pool, "PATIENCE", 0.0)
    monkeypatch.setattr(child, "_END_SECONDS", 0.5)
    monkeypatch.setattr(child, "_PROGRAM", "import time; time.sleep(60)")
    [one, other] = pool.run_tasks(tasks(2), jobs=2)
    assert {one.status, other.status} == {"grader_error"}
    assert "did not come back" in one.reason


def test_a_worker_ends_when_the_run_is_killed_in_the_middle_of_a_submission():
    program = """
import time
from cnnlab.grading import child
busy = "from cnnlab.grading import worker; worker.run_task = lambda _: print('begun', flush=True) or time.sleep(60)"
child._PROGRAM = child._PROGRAM.replace("main(int", f"import time; {busy}\\nmain(int")
one = child.Child()
print(one.pid, flush=True)
one.give(b"a task")
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as run:
        worker = psutil.Process(int(run.stdout.readline()))
        assert run.stdout.readline() == b"begun\n"
        run.kill()
        worker.wait(20)  # raises when it stays
    assert not worker.is_running()


def test_a_worker_makes_room_after_so_many_tasks(monkeypatch):
    monkeypatch.setattr(child, "TASKS_A_CHILD", 1)
    seen = set()
    found = []
    for result in pool.run_tasks(tasks(4), jobs=2):
        seen |= {worker.pid for worker in workers()}
        found.append(result.status)
    assert found == ["graded"] * 4
    assert len(seen) >= 3


def test_workers_end_when_a_run_is_given_up():
    for _ in pool.run_tasks(tasks(4), jobs=2):
        break
    deadline = time.monotonic() + 20
    while workers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers() == []


# ---- how far it is ----


def result(status, *, passed=True):
    check = CheckRecord("a check", True, passed, 1.0 * passed, 1.0, "passed" if passed else "wrong_value", {})
    record = ExerciseRecord("a1.f", "a1-f", "f", 1.0 * passed, 1.0, (check,), "")
    return Result("ann", "a1", status, exercises=(record,))


RESULTS = [result("graded"), result("graded", passed=False), result("timeout", passed=False), result("grader_error")]


def shown(console):
    with RunProgress(console, 4, unreadable=2) as progress:
        for each in RESULTS:
            progress.say(each)


def test_a_log_has_a_line_for_each_submission_with_counts():
    text = io.StringIO()
    shown(Console(file=text, width=120))
    lines = text.getvalue().splitlines()
    assert [line.partition("]")[0] for line in lines[:4]] == ["[1/4", "[2/4", "[3/4", "[4/4"]
    assert "0 failed checks, 2 unreadable" in lines[0]
    assert "1 failed checks, 1 timed out, 1 our faults, 2 unreadable" in lines[3]
    assert "about 0 s left" in lines[3]
    assert lines[4].startswith("4 run in ")
    assert "a minute" in lines[4]


def test_a_terminal_has_one_bar_and_no_lines():
    text = io.StringIO()
    shown(Console(file=text, width=120, force_terminal=True))
    assert "[1/4]" not in text.getvalue()
    assert "4 run in" in text.getvalue()


def test_the_cores_that_may_be_used_are_counted():
    assert pool.usable_cores() >= 1
    if hasattr(os, "sched_setaffinity"):
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})
        try:
            assert pool.usable_cores() == 1
        finally:
            os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize("jobs", [1, 2])
def test_there_may_be_nothing_to_do(jobs):
    assert list(pool.run_tasks([], jobs=jobs)) == []
    assert pool.peaks() == []


def test_workers_that_were_started_early_are_the_ones_that_work():
    listed = tasks(3)
    pool.start_workers(listed[0], 2)
    early = {worker.pid for worker in workers()}
    found = pool.run_tasks(listed, jobs=2)
    next(found)
    assert {worker.pid for worker in workers()} == early
    assert {result.status for result in found} == {"graded"}
    pool.end_workers()
    assert workers() == []


def test_workers_that_were_started_early_and_not_used_are_ended():
    pool.start_workers(tasks(1)[0], 2)
    assert len(workers()) == 2
    assert [result.status for result in pool.run_tasks(tasks(1), jobs=2)] == ["graded"]
    pool.end_workers()
    assert workers() == []


def test_a_run_with_one_job_starts_no_workers():
    pool.start_workers(tasks(1)[0], 1)
    assert workers() == []
