"""How many submissions a minute: `nbgrader autograde` in one process, and `cnnlab grade` with one and with two workers.

The submissions are copies of those samples in course/samples/a1 that are graded in the ordinary way (no time-out, no
crash), each with a comment of its own, in throw-away course folders. The three take turns, so that other work on the
machine falls on all of them alike. nbgrader's time begins when it has been imported; ours is that of the whole command:
interpreter, canary, warm process, gradebook, pages. Every round starts with an empty gradebook.

    python benchmarks/grading_speed.py [--submissions 200] [--nbgrader 20] [--rounds 2] [--heavy]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "a1_scanning.ipynb"
# Cells that take as long as a small training: run once by a kernel, and in front of every exercise that needs them.
HEAVY_CELL = (
    "import numpy as np\nw = np.random.default_rng(0).normal(size=(200, 200))\n"
    "for _ in range(1500):\n    w = np.tanh(w @ w.T / 200)"
)
NBGRADER = """\
import sys, time
from nbgrader.apps import AutogradeApp
app = AutogradeApp.instance()
app.initialize(["a1", "--log-level=ERROR"])
started = time.perf_counter()
try:
    app.start()
except SystemExit:
    pass
print(f"seconds {time.perf_counter() - started}")
"""
SCORES = """\
import json, sys
from nbgrader.api import Gradebook
with Gradebook(f"sqlite:///{sys.argv[1]}/gradebook.db", "") as book:
    print(json.dumps({each.student.id: each.score for each in book.assignment_submissions("a1")}))
"""


def main() -> int:
    """Run the rounds and print the table; return 1 when the two do not give the same scores."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--submissions", type=int, default=200, help="graded by cnnlab in each round (default: 200)")
    parser.add_argument("--nbgrader", type=int, default=20, help="graded by nbgrader in each round (default: 20)")
    parser.add_argument("--rounds", type=int, default=2, help="how often all take their turn (default: 2)")
    parser.add_argument("--heavy", action="store_true", help="with a cell in front that takes about a second")
    options = parser.parse_args()
    ways = ("nbgrader autograde", "cnnlab, 1 worker", "cnnlab, 2 workers")
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    memory: dict[str, str] = {}
    agree = True
    with tempfile.TemporaryDirectory(prefix="cnnlab-speed-") as folder:
        course = _make_course(Path(folder) / "course")
        for number in range(options.rounds):
            scores = []
            for way in ways:
                count = options.nbgrader if way == ways[0] else options.submissions
                _hand_in(course, count, heavy=options.heavy)
                seconds, memory[way] = _with_nbgrader(course) if way == ways[0] else _with_cnnlab(course, way[8])
                speeds[way].append(60 * count / seconds)
                scores.append(_scores(course))
                print(f"round {number + 1}: {way}: {count} in {seconds:.1f} s", flush=True)
            agree &= all(scores[1][student] == score for student, score in scores[0].items())
            agree &= scores[1] == scores[2]
    _print_table(speeds, memory)
    print("the scores are the same" if agree else "THE SCORES DIFFER")
    return 0 if agree else 1


def _print_table(speeds: dict[str, list[float]], memory: dict[str, str]) -> None:
    base = median(speeds["nbgrader autograde"])
    print(f"\n{'':<20}{'submissions a minute':>22}{'times nbgrader':>16}   memory")
    for way, found in speeds.items():
        print(f"{way:<20}{median(found):>22.0f}{median(found) / base:>16.1f}   {memory[way]}")
    load = os.getloadavg()[0]
    print(f"medians of {len(next(iter(speeds.values())))} rounds; {os.cpu_count()} cores, load average now {load:.1f}")


def _environment() -> dict[str, str]:
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, **one_thread, "PYTHONPATH": str(ROOT), "PATH": path, "CNNLAB_HIDDEN_SEED": "speed"}


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _cnnlab(folder: Path, *arguments: str) -> str:
    program = "import sys; from cnnlab.cli import main; sys.exit(main())"
    return _run([sys.executable, "-c", program, *arguments], folder)


def _make_course(course: Path) -> Path:
    """Build a course with the assignment in its gradebook, and keep that gradebook for every round."""
    shutil.copytree(ROOT / "course" / "exercises", course / "exercises")
    shutil.copy(ROOT / "course" / "nbgrader_config.py", course)
    _cnnlab(course.parent, "build", "--course", str(course))
    _cnnlab(course.parent, "release", "a1", "--course", str(course))
    shutil.copy(course / "gradebook.db", course / "gradebook.new")
    return course


def _hand_in(course: Path, count: int, *, heavy: bool) -> None:
    for name in ("submitted", "autograded", "feedback", "out"):
        shutil.rmtree(course / name, ignore_errors=True)
    shutil.copy(course / "gradebook.new", course / "gradebook.db")
    samples = _samples()
    for number in range(count):
        student = f"s{number:03}"
        notebook: dict[str, Any] = json.loads(samples[number % len(samples)].read_text(encoding="utf-8"))
        source = HEAVY_CELL if heavy else ""
        notebook["cells"].insert(0, _cell(f"# {student}\n{source}"))
        path = course / "submitted" / student / "a1" / NOTEBOOK
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")


def _cell(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": "speed",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def _samples() -> list[Path]:
    folder = ROOT / "course" / "samples" / "a1"
    with (folder / "expected.csv").open(encoding="utf-8") as file:
        names = [row["student"] for row in csv.DictReader(file) if row["status"] == "graded"]
    return [path for name in names for path in sorted((folder / name).rglob("*.ipynb"))]


def _with_nbgrader(course: Path) -> tuple[float, str]:
    found = re.search(r"^seconds ([\d.]+)$", _run([sys.executable, "-c", NBGRADER], course), re.MULTILINE)
    if found is None:
        raise SystemExit("nbgrader did not say how long it took")
    return float(found[1]), "one process and one kernel"


def _with_cnnlab(course: Path, workers: str) -> tuple[float, str]:
    started = time.perf_counter()
    said = _cnnlab(course.parent, "grade", "a1", "--course", str(course), "--jobs", workers)
    seconds = time.perf_counter() - started
    found = re.search(r"^Memory: (.*)$", said, re.MULTILINE)
    return seconds, found[1] if found else "not known"


def _scores(course: Path) -> dict[str, float]:
    scores: dict[str, float] = json.loads(_run([sys.executable, "-c", SCORES, str(course)], course))
    return scores


if __name__ == "__main__":
    raise SystemExit(main())
