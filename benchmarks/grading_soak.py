"""A very large class through a Dask scheduler and its workers on this machine, one of which is killed half way.

The submissions are copies of samples in course/samples/a1 (no time-outs), each with a comment of its own, so that the
score of each is known from its kind. What is printed at the end: how many were graded once, were lost, came twice, or
got a wrong score or status; how many a minute; and the memory of the run, the scheduler and the workers over time, with
its slope. The last lines are those of a second run, which has nothing to do.

    python benchmarks/grading_soak.py [--submissions 5000] [--workers 2] [--every 500]
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grading_speed as speed
import numpy as np
import psutil

SAMPLES = speed.ROOT / "course" / "samples" / "a1"
# As in a class: most are right, and some of each kind are not.
KINDS = [
    "ada",
    "hana",
    "ben",
    "chen",
    "lea",
    "ada",
    "dora",
    "hana",
    "ben",
    "chen",
    "lea",
    "ada",
    "emil",
    "hana",
    "ben",
    "fatma",
    "lea",
    "goran",
    "igor",
    "kofi",
]
LINE = re.compile(r"^\[(\d+)/\d+\] (\S+): (\w+), (\S+)")
RUN = "import sys; from cnnlab.cli import main; sys.exit(main())"
START_SECONDS = 120
# Which lines of the run are worth repeating.
SAID = ("Memory", "the worker", "No worker", "cnnlab:", "Traceback")


def main() -> int:
    """Run the class and print the tables; return 1 when anything was lost, came twice or is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--submissions", type=int, default=5000, help="how large the class is (default: 5000)")
    parser.add_argument("--workers", type=int, default=2, help="Dask workers, of one thread each (default: 2)")
    parser.add_argument("--every", type=int, default=500, help="look at the memory every so many (default: 500)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cnnlab-soak-") as name:
        folder = Path(name)
        course = speed._make_course(folder / "course")
        expected = hand_in(course, options.submissions)
        print(f"{options.submissions} submissions are made", flush=True)
        with cluster(folder, options.workers) as (address, scheduler, nannies):
            started = time.perf_counter()
            watch = Watch(scheduler, nannies, options.every, options.submissions // 2)
            seen = watch.follow(grade(course, address))
            seconds = time.perf_counter() - started
            watch.show()
            started = time.perf_counter()
            again = [line for line in read(grade(course, address)) if " to run, " in line]
            print(f"a second run, {time.perf_counter() - started:.0f} s: {'; '.join(again)}")
        wrong = compare(course, expected, seen)
        print(f"{60 * len(seen) / seconds:.0f} submissions a minute ({len(seen)} run in {seconds:.0f} s, all steps)")
    return 1 if wrong or not watch.killed else 0


def hand_in(course: Path, count: int) -> dict[str, tuple[str, float]]:
    """Make the class, and return status and score of each student."""
    with (SAMPLES / "expected.csv").open(encoding="utf-8") as file:
        known = {row["student"]: (row["status"], float(row["score"])) for row in csv.DictReader(file)}
    texts = {kind: next((SAMPLES / kind).rglob("*.ipynb")).read_text(encoding="utf-8") for kind in set(KINDS)}
    expected = {}
    for number in range(count):
        student, kind = f"s{number:05}", KINDS[number % len(KINDS)]
        path = course / "submitted" / student / "a1" / speed.NOTEBOOK
        path.parent.mkdir(parents=True)
        path.write_text(signed(texts[kind], student), encoding="utf-8")
        expected[student] = known[kind]
    return expected


def signed(text: str, student: str) -> str:
    """Return a notebook with a cell of its own, if it is one."""
    try:
        notebook: dict[str, Any] = json.loads(text)
    except ValueError:
        return text
    notebook["cells"].insert(0, speed._cell(f"# {student}"))
    return json.dumps(notebook)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, psutil.Process, list[psutil.Process]]]:
    """Start a scheduler and workers, each with a nanny that starts it again, and end them."""
    where = folder / "scheduler.json"
    started = []
    with (folder / "dask.log").open("w") as log:

        def start(*words: str) -> psutil.Process:
            command = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(where), "--no-dashboard"]
            started.append(
                subprocess.Popen(command, cwd=folder, env=speed._environment(), stdout=log, stderr=subprocess.STDOUT)
            )
            return psutil.Process(started[-1].pid)

        try:
            scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0")
            deadline = time.monotonic() + START_SECONDS
            while not where.is_file() or not where.read_text().strip():
                if time.monotonic() > deadline:
                    raise SystemExit(f"the scheduler did not start:\n{(folder / 'dask.log').read_text()[-2000:]}")
                time.sleep(0.2)
            one = ("worker", "--host", "127.0.0.1", "--nthreads", "1", "--local-directory", str(folder / "dask"))
            nannies = [start(*one) for _ in range(workers)]
            yield json.loads(where.read_text())["address"], scheduler, nannies
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(60)


def grade(course: Path, address: str) -> subprocess.Popen[str]:
    """Start the run."""
    command = [sys.executable, "-c", RUN, "grade", "a1", "--course", str(course), "--scheduler", address]
    return subprocess.Popen(
        command, env=speed._environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read(run: subprocess.Popen[str]) -> Iterator[str]:
    """Yield the lines of a run."""
    for line in run.stdout or ():
        yield line.rstrip("\n")
    if run.wait() not in {0, 1}:
        raise SystemExit(f"the run ended with {run.returncode}")


class Watch:
    """Follows a run: counts what comes, looks at the memory, and kills a worker."""

    def __init__(self, scheduler: psutil.Process, nannies: list[psutil.Process], every: int, kill_at: int) -> None:
        self._scheduler, self._nannies, self._every, self._kill_at = scheduler, nannies, every, kill_at
        self._rows: list[dict[str, float]] = []
        self._started = time.perf_counter()
        self.killed = 0

    def follow(self, run: subprocess.Popen[str]) -> list[str]:
        """Return the students in the order in which they came."""
        seen = []
        process = psutil.Process(run.pid)
        last = begun = time.perf_counter()
        for line in read(run):
            found = LINE.match(line)
            if found is None:
                if line.startswith(SAID):
                    print(line, flush=True)
                continue
            if not seen:
                print(f"{time.perf_counter() - begun:.0f} s before the first", flush=True)
            last = time.perf_counter()
            seen.append(found[2])
            if len(seen) == self._kill_at:
                self._kill()
            if len(seen) % self._every == 0:
                self._look(len(seen), process)
        print(f"{time.perf_counter() - last:.0f} s after the last: similarity, pages, report", flush=True)
        return seen

    def _kill(self) -> None:
        worker = _below(self._nannies[0], "spawn_main")
        if worker is None:
            raise SystemExit("there is no worker to kill")
        worker.kill()
        self.killed = worker.pid
        print(f"killed the worker {worker.pid} after {self._kill_at}", flush=True)

    def _look(self, done: int, run: psutil.Process) -> None:
        row = {"done": done, "run": _mib(run), "scheduler": _mib(self._scheduler)}
        for number, nanny in enumerate(self._nannies, 1):
            worker = _below(nanny, "spawn_main")
            child = _below(worker, "cnnlab.grading")
            row |= {f"worker {number}": _mib(worker), f"grades {number}": _mib(child)}
        self._rows.append(row)
        minutes = (time.perf_counter() - self._started) / 60
        text = ", ".join(f"{name} {value:.0f}" for name, value in row.items() if name != "done")
        print(f"{done} after {minutes:.1f} min; MiB: {text}", flush=True)

    def show(self) -> None:
        """Print the memory over time, and its slope without the first look."""
        if not self._rows:
            return
        names = [name for name in self._rows[0] if name != "done"]
        print("\nMiB after" + "".join(f"{name:>12}" for name in names))
        for row in self._rows:
            print(f"{row['done']:>9}" + "".join(f"{row[name]:>12.0f}" for name in names))
        rest = self._rows[1:]
        if len(rest) > 1:
            slopes = [slope([(row["done"] / 1000, row[name]) for row in rest]) for name in names]
            print("per 1000 " + "".join(f"{each:>+12.1f}" for each in slopes) + "\n")


def slope(points: list[tuple[float, float]]) -> float:
    """Return how much a value grows, by least squares; a process that is not there just then is left out."""
    known = np.array([point for point in points if not np.isnan(point[1])])
    return float(np.polyfit(known[:, 0], known[:, 1], 1)[0]) if len(known) > 1 else float("nan")


def _below(process: psutil.Process | None, word: str) -> psutil.Process | None:
    """Return the process that this one started with a word in its command."""
    try:
        children = process.children() if process is not None else []
    except psutil.Error:
        return None
    return next((each for each in children if word in " ".join(_words(each))), None)


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _mib(process: psutil.Process | None) -> float:
    try:
        return float(process.memory_info().rss) / 2**20 if process is not None else float("nan")
    except psutil.Error:
        return float("nan")


def compare(course: Path, expected: dict[str, tuple[str, float]], seen: list[str]) -> int:
    """Print what became of everybody, and return how many are not as they should be."""
    with (course / "out" / "a1" / "grades.csv").open(encoding="utf-8") as file:
        rows = [(row["student"], (row["status"], float(row["score"] or "nan"))) for row in csv.DictReader(file)]
    found = dict(rows)
    entered = speed._scores(course)
    to_run = {student for student, (status, _) in expected.items() if status != "unreadable"}
    times = Counter(seen)
    lost = [student for student in expected if student not in found]
    lost += [student for student in to_run if times[student] == 0 or student not in entered]
    twice = [student for student, count in (times + Counter(name for name, _ in rows)).items() if count > 2]
    wrong = [student for student, result in found.items() if result != expected.get(student)]
    wrong += [student for student in to_run & set(entered) if entered[student] != expected[student][1]]
    once = sum(times[student] == 1 for student in to_run)
    unreadable = len(expected) - len(to_run)
    print(f"graded once {once} of {len(to_run)} ({unreadable} more were unreadable, as they should be)")
    print(f"lost {len(lost)}, twice {len(twice)}, wrong score or status {len(wrong)} {wrong[:5] or ''}")
    return len(lost) + len(twice) + len(wrong) + (once != len(to_run))


if __name__ == "__main__":
    raise SystemExit(main())
