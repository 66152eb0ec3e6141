"""A run that is killed at any moment continues, ends like one that was not, and leaves no process behind."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("nbgrader")
if sys.platform != "linux":
    pytest.skip("orphans are adopted and counted on Linux only", allow_module_level=True)

HERE = Path(__file__).parent
WRONG = "def scan_1d(x, layers, width, hop):\n    return x"
SLEEPER = "import time\ntime.sleep(9)"


def run_and_watch(course, *, event=0, when=0, jobs=1, executor="sandbox"):
    """Grade in a process of its own that is killed at an event or at a time, and say how that went."""
    doomed = [sys.executable, "-u", HERE / "doomed_run.py", course.root, course.submissions, jobs, executor, event]
    command = [sys.executable, HERE / "adopt.py", str(when), *map(str, doomed)]
    temporary = course.root.parent / "temporary"  # who is killed cannot tidy up
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(temporary)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=400, check=True, env=environment)
    found = json.loads(ended.stdout)
    assert found["left"] == []
    return found


@pytest.fixture(scope="session")
def midterm(released_course, small_course, tmp_path_factory):
    """A class in the middle of its work: some were graded, one by hand as well; then more was handed in."""
    from nbgrader.api import Gradebook

    course = small_course(shutil.copytree(released_course, tmp_path_factory.mktemp("midterm") / "course"))
    course.hand_in("ann", one=WRONG)
    course.hand_in("bob")
    course.grade()
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "") as book:
        for student in ("ann", "bob"):
            book.find_grade("a1-scan_1d", "a1_scanning", "a1", student).manual_score = 3.5
            book.find_comment("answer-scan_1d", "a1_scanning", "a1", student).manual_comment = "Nearly!"
        book.db.commit()
    course.hand_in("ann", one=WRONG + " + 0")
    course.hand_in("cyd", two="def scan_2d(*a):\n    raise SystemExit")
    course.save("dan", "{")
    course.hand_in("eve", one="raise ValueError(1)")
    course.hand_in("fay", name="a1_scanning (2).ipynb")
    (course.submissions / "students.csv").write_text("id\ngil\n", encoding="utf-8")
    return course


class Original:
    """What an undisturbed run makes of the class, and how many events it has."""

    def __init__(self, course, contents):
        started = time.monotonic()
        printed = run_and_watch(course)["printed"]
        self.seconds = time.monotonic() - started
        assert "events " in printed, printed
        self.events = int(printed.rpartition("events ")[2])
        self.made = made_by(course, contents)


def made_by(course, contents):
    """Return everything that a run left: rows, files, and the names of all files; without how long things took."""
    made = {"gradebook": contents(f"sqlite:///{course.root / 'gradebook.db'}")}
    for path in sorted(course.root.rglob("*")):
        name = str(path.relative_to(course.root))
        if path.is_file() and name != "gradebook.db":
            made[name] = _timeless(json.loads(path.read_text())) if path.suffix == ".json" else path.read_bytes()
    return made


def _timeless(data):
    if isinstance(data, dict):
        return {key: _timeless(value) for key, value in data.items() if key != "seconds"}
    return [_timeless(each) for each in data] if isinstance(data, list) else data


@pytest.fixture
def again(midterm, small_course, tmp_path):
    """A copy of the class."""
    return small_course(shutil.copytree(midterm.root, tmp_path / "course"))


@pytest.fixture(scope="session")
def original(midterm, small_course, tmp_path_factory, read_contents):
    copy = shutil.copytree(midterm.root, tmp_path_factory.mktemp("undisturbed") / "course")
    return Original(small_course(copy), read_contents)


@pytest.mark.slow  # beside the next one it would make the original twice, in two workers
def test_an_undisturbed_run_does_what_it_should_and_leaves_no_process(original):
    assert original.events > 100
    rows = original.made["gradebook"]["grade"]
    assert len(rows) == 5 * 3
    assert sum("3.5" in row for row in rows) == 2
    looks = [row for row in rows if "('needs_manual_grade', 'True')" in row]
    assert len(looks) == 1  # ann's, who handed in again
    assert "ann" in looks[0]


def _killed_and_continued(again, original, contents, seed):
    chance = random.Random(seed)
    if seed % 2:
        # at any moment, with two workers; the beginning is imports and the canary, where nothing is written
        found = run_and_watch(again, when=original.seconds * chance.uniform(0.3, 1.0), jobs=2)
    else:
        found = run_and_watch(again, event=chance.randint(1, original.events))
        assert found["ended"] == -9
    run_and_watch(again)
    assert made_by(again, contents) == original.made


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_killed_run_continues_and_ends_like_any_other(again, original, contents, seed):
    _killed_and_continued(again, original, contents, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 20))
def test_a_run_killed_at_eighteen_more_moments_continues(again, original, contents, seed):
    _killed_and_continued(again, original, contents, seed)


@pytest.mark.slow
def test_a_run_killed_again_and_again_comes_to_the_same_end(again, original, contents):
    """Each run is killed some events further on than the one before it."""
    chance = random.Random(7391)
    for _ in range(3):
        run_and_watch(again, event=chance.randint(20, original.events // 2))
    run_and_watch(again)
    assert made_by(again, contents) == original.made
    before = (again.root / "gradebook.db").read_bytes()
    run_and_watch(again)
    assert made_by(again, contents) == original.made
    assert (again.root / "gradebook.db").read_bytes() == before  # a further run writes nothing at all


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_run_into_a_database_server_is_killed_and_continues(
    shared_course, read_contents, small_course, tmp_path, seed
):
    for student, one in (("ann", WRONG), ("bob", WRONG + " + 0"), ("cyd", WRONG + " + 1")):
        shared_course.hand_in(student, one=one)
    if seed == 0:
        run_and_watch(shared_course)
    else:
        assert run_and_watch(shared_course, event=random.Random(seed).randint(40, 120))["ended"] == -9
    run_and_watch(shared_course)
    found = read_contents(shared_course.url)
    assert len(found["grade"]) == 9
    assert [row for row in found["grade"] if "needs_manual_grade', 'True" in row] == []
    run_and_watch(shared_course)
    assert read_contents(shared_course.url) == found


@pytest.mark.parametrize(
    ("executor", "jobs"),
    [
        ("sandbox", 2),
        pytest.param("sandbox", 1, marks=pytest.mark.slow),
        ("plain", 1),
        pytest.param("plain", 2, marks=pytest.mark.slow),
    ],
)
def test_a_kill_ends_students_who_would_sleep_on(course, executor, jobs):
    for student in ("ann", "bob"):
        course.hand_in(student, first=[SLEEPER])
    found = run_and_watch(course, when="students", jobs=jobs, executor=executor)
    assert found["ended"] == -9
    assert found["students"] >= jobs
    assert not (course.root / "out" / "a1" / "grades.csv").exists()
