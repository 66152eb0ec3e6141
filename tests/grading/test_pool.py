"""No task is lost with a worker, and the run says how far it is."""

import io
import multiprocessing
import os
import signal
import sys
import time

import pytest
from rich.console import Console

from cnnlab.grading import pool
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Cell, CheckRecord, ExerciseRecord, Result
from cnnlab.grading.progress import RunProgress
from cnnlab.grading.task import Task


def tasks(count, source="def scan_1d(*a): raise NotImplementedError"):
    return [
        Task(f"s{number}", "a1", "", (Cell(0, source),), {}, 1, Limits(), "plain process") for number in range(count)
    ]


def test_a_worker_that_dies_costs_nobody_anything():
    asked = tasks(5)
    found = []
    for result in pool.run_tasks(asked, jobs=2):
        if not found:
            for worker in multiprocessing.active_children()[:1]:
                os.kill(worker.pid, signal.SIGKILL)
        found.append(result)
    assert sorted(result.student for result in found) == [task.student for task in asked]
    assert {result.status for result in found} == {"graded"}
    assert multiprocessing.active_children() == []
    assert all(peak.worker > 10_000 for peak in pool.peaks())


def test_a_task_that_loses_two_workers_is_our_fault_and_the_run_goes_on(monkeypatch):
    monkeypatch.setattr(pool, "work", sys.exit)
    found = list(pool.run_tasks(tasks(2), jobs=2))
    assert [result.status for result in found] == ["grader_error"] * 2
    assert all("two workers were lost" in result.reason for result in found)
    assert all(result.score is None for result in found)


def test_a_worker_that_does_not_come_back_is_lost(monkeypatch):
    monkeypatch.setattr(pool, "_PATIENCE", 0.0)
    monkeypatch.setattr(pool, "_END_SECONDS", 0.5)
    monkeypatch.setattr(pool._Worker, "__init__", _sleeper(pool._Worker.__init__))
    [one, other] = pool.run_tasks(tasks(2), jobs=2)
    assert {one.status, other.status} == {"grader_error"}


def _sleeper(real):
    def start(self, place, like):
        context = multiprocessing.get_context("spawn")
        self.place, self.task, self.done, self.deadline = place, None, 0, float("inf")
        self._like = like
        self.connection, self.theirs = context.Pipe()
        self.process = context.Process(target=time.sleep, args=(60,), daemon=True)
        self.process.start()

    return start


def test_a_worker_makes_room_after_so_many_tasks(monkeypatch):
    monkeypatch.setattr(pool, "_TASKS_A_WORKER", 1)
    seen = set()
    found = []
    for result in pool.run_tasks(tasks(4), jobs=2):
        seen |= {worker.pid for worker in multiprocessing.active_children()}
        found.append(result.status)
    assert found == ["graded"] * 4
    assert len(seen) >= 3


def test_workers_end_when_a_run_is_given_up():
    for _ in pool.run_tasks(tasks(4), jobs=2):
        break
    deadline = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert multiprocessing.active_children() == []


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
    early = {worker.pid for worker in multiprocessing.active_children()}
    found = pool.run_tasks(listed, jobs=2)
    next(found)
    assert {worker.pid for worker in multiprocessing.active_children()} == early
    assert {result.status for result in found} == {"graded"}
    pool.end_workers()
    assert multiprocessing.active_children() == []


def test_workers_that_were_started_early_and_not_used_are_ended():
    pool.start_workers(tasks(1)[0], 2)
    assert len(multiprocessing.active_children()) == 2
    assert [result.status for result in pool.run_tasks(tasks(1), jobs=2)] == ["graded"]
    pool.end_workers()
    assert multiprocessing.active_children() == []


def test_a_run_with_one_job_starts_no_workers():
    pool.start_workers(tasks(1)[0], 1)
    assert multiprocessing.active_children() == []
