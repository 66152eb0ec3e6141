"""What may be read and not written: a dry run works, and a run says so before anybody's work is run."""

import ctypes
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("nbgrader")

from cnnlab.grading import commands
from cnnlab.grading.course import Course
from cnnlab.grading.gradebook import GradebookError, GradebookWriter
from cnnlab.grading.permissions import cannot_write
from cnnlab.grading.waiting import Patience

from ...postgresql_server import PASSWORD

ROOT = Path(__file__).parents[3]
COMMAND = "import sys; from cnnlab.cli import main; raise SystemExit(main(sys.argv[1:]))"
# From linux/prctl.h and linux/capability.h: what lets root write and read whatever it likes.
DROP_FROM_BOUNDING_SET, DAC_OVERRIDE, DAC_READ_SEARCH = 24, 1, 2


def heed_permissions():
    """Take from root, before the program starts, that permissions do not count for it."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (DAC_OVERRIDE, DAC_READ_SEARCH):
            if libc.prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


class Ordinary:
    """A course, and commands for which permissions count."""

    def __init__(self, root):
        self.root = root

    def run(self, *words):
        words = [*words, "--course", str(self.root), "--submissions", str(self.root / "handed_in")]
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *words, "--allow-unsandboxed"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=self.root.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=heed_permissions,
        )

    def files(self):
        """Return every file's content, and every name: what a command wrote shows in it."""
        paths = [path for path in self.root.rglob("*") if "__pycache__" not in path.parts]
        return {path: path.read_bytes() if path.is_file() else None for path in paths}


@pytest.fixture
def ordinary(course):
    (course.root / "exercises").mkdir()
    course.hand_in("ann")
    yield Ordinary(course.root)
    for path in (course.root, *course.root.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IRWXU)


def read_only(*paths):
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)


def test_a_dry_run_needs_no_permission_to_write(ordinary):
    """A gradebook, a folder, and all of the course that may only be read."""
    for makes in (
        lambda: read_only(ordinary.root / "gradebook.db"),
        lambda: read_only(ordinary.root),
        lambda: read_only(*(path for path in ordinary.root.rglob("*") if path.is_dir())),
    ):
        makes()
        before = ordinary.files()
        ended = ordinary.run("grade", "a1", "--dry-run")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "run         ann" in ended.stdout
        assert "The run itself would refuse, since it may not write in" in ended.stdout
        assert ordinary.files() == before


def test_a_dry_run_finds_who_is_in_a_gradebook_that_may_only_be_read(ordinary):
    with closing(sqlite3.connect(ordinary.root / "gradebook.db")) as book:
        book.execute("insert into student (id) values ('zoë')")
        book.commit()
    read_only(ordinary.root / "gradebook.db", ordinary.root)
    assert "missing     zoë" in ordinary.run("grade", "a1", "--dry-run").stdout


def test_a_dry_run_makes_no_gradebook(ordinary):
    (ordinary.root / "gradebook.db").unlink()
    before = ordinary.files()
    ended = ordinary.run("grade", "a1", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert "1 to run" in ended.stdout
    assert "refuse, since it may not write" not in ended.stdout
    assert ordinary.files() == before


@pytest.mark.slow
def test_a_dry_run_waits_for_a_lock_and_says_then_what_it_is(ordinary):
    with closing(sqlite3.connect(ordinary.root / "gradebook.db", timeout=0)) as other:
        other.execute("begin exclusive")
        ended = ordinary.run("grade", "a1", "--dry-run", "--lock-wait", "2")
    assert ended.returncode == 1
    assert "waiting up to 2 s" in ended.stdout
    assert "If it is locked, close the program that has it open" in ended.stderr


def test_a_gradebook_that_may_not_be_read_is_named(ordinary):
    (ordinary.root / "gradebook.db").chmod(0)
    ended = ordinary.run("grade", "a1", "--dry-run")
    assert ended.returncode == 1
    assert "You have no permission to read it" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("what", ["source", "handed_in", "."])
def test_what_a_dry_run_cannot_read_is_named(ordinary, what):
    (ordinary.root / what).chmod(0)
    ended = ordinary.run("grade", "a1", "--dry-run")
    assert ended.returncode in {1, 2}
    assert "Traceback" not in ended.stderr
    assert "ermission denied" in ended.stderr


@pytest.mark.parametrize(
    "place", ["out", "out/a1", "feedback", "feedback/ann/a1", "autograded/ann", "gradebook.db", "."]
)
def test_a_run_says_what_it_may_not_write_before_anything_is_run(ordinary, place):
    for folder in ("out/a1", "feedback/ann/a1", "autograded/ann/a1"):
        (ordinary.root / folder).mkdir(parents=True, exist_ok=True)
    read_only(ordinary.root / place)
    before = ordinary.files()
    ended = ordinary.run("grade", "a1")
    assert ended.returncode == 1
    assert f"there is no permission to write in {(ordinary.root / place).resolve()} (it is " in ended.stderr
    assert "Nothing was done" in ended.stderr
    assert "Canary" not in ended.stdout
    assert ordinary.files() == before


def test_a_file_in_the_place_of_a_folder_is_named(course):
    (course.root / "feedback").write_text("", encoding="utf-8")
    path = course.root / "feedback"
    assert cannot_write(Course(course.root, "a1")) == [f"{path} ({path} is a file and no folder)"]


def test_files_beside_the_students_folders_are_nobodys_concern(course):
    (course.root / "feedback").mkdir()
    (course.root / "feedback" / ".DS_Store").write_text("", encoding="utf-8")
    course.hand_in("ann")
    assert course.grade()["ann"].score == 15


def test_a_server_that_lets_only_read_is_told_before_anything_is_run(server, shared_course, desk_of, monkeypatch):
    desk_of(shared_course, Patience(5)).enter("ann", (5, 4, 6))
    name = shared_course.database_name
    server.run(f"create role reader_{name} login password '{PASSWORD}'")
    server.run(f"grant select on all tables in schema public to reader_{name}", name)
    url = server.url(name).replace("//teacher@", f"//reader_{name}@")
    with pytest.raises(GradebookError, match=r"may not write the tables .*grade.*GRANT INSERT"):
        GradebookWriter(Course(shared_course.root, "a1", url), Patience(5))
    options = {"course_dir": shared_course.root, "submissions_dir": shared_course.submissions}
    assert commands.rehearse("a1", **options, gradebook=url) == {"ann": "run"}
    server.run(f"alter database {name} set default_transaction_read_only = on")
    with pytest.raises(GradebookError, match="read-only"):
        GradebookWriter(Course(shared_course.root, "a1"), Patience(5))
