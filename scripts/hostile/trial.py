"""One trial: a throw-away course with secrets in it, honest students among the hostile ones, and what came of it."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnlab.authoring.build import build
from cnnlab.grading import spare_user
from hostile import cases, leaks, traces
from hostile.canaries import Canaries, Canary
from hostile.cases import KEPT, MADE, ROOT, ZIPS, Case
from hostile.sample import FILE_NAME, Sample, bytes_of

# Of the sample class of assignment 1: three right ones, four with mistakes that have names.
HONEST = ("ada", "ben", "chen", "dora", "emil", "fatma", "goran")
# Not ada, in whose notebook a secret is.
_NEIGHBORS = HONEST[1:]
_EVERY = 4
_NEIGHBOR = ".neighbor"
_CLI = "import sys; from cnnlab.cli import main; sys.exit(main())"
_MOODLE = "{name}_{number}_assignsubmission_file_/"


@dataclass(frozen=True)
class Line:
    """What became of one case: as in grades.csv; or why it was left out."""

    case: Case
    status: str = ""
    score: str = ""
    skipped: str = ""

    @property
    def ok(self) -> bool:
        """Whether it got what it must get."""
        return bool(self.skipped) or (self.status, self.score) == (self.case.status, self.case.score)


@dataclass
class Findings:
    """Everything that a trial found."""

    lines: list[Line] = field(default_factory=list)
    leaks: list[tuple[Canary, str]] = field(default_factory=list)
    injections: list[tuple[str, str]] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    neighbors: int = 0
    changed: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    canaries: list[Canary] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as expected."""
        bad = (
            self.leaks,
            self.injections,
            self.processes,
            self.files,
            self.calls,
            self.by_hand,
            self.changed,
            self.stopped,
        )
        return all(line.ok for line in self.lines) and not any(bad)


def run(work: Path, *, only: Collection[str] = (), jobs: int = 2) -> Findings:
    """Grade the hostile class in a new folder, and look at what is left.

    Parameters
    ----------
    work
        An empty folder, where the course and everything else of the trial is made.
    only
        Names of cases; empty: all.
    jobs
        Submissions at a time; the few that come alone or in a zip are graded one after the other, as it is quicker.
    """
    traces.take_in_orphans()
    trial = _Trial(work, jobs)
    trial.make_course()
    wanted = [case for name, case in cases.expected().items() if not only or name in only]
    with traces.Listener().listening() as listener:
        trial.grade_undisturbed()
        trial.plant_in_gradebook()
        trial.grade_folder([case for case in wanted if case.name not in ZIPS])
        trial.grade_zip([case for case in wanted if case.name in ZIPS])
        trial.look_around()
    trial.found.calls = listener.calls
    return trial.found


class _Trial:
    def __init__(self, work: Path, jobs: int) -> None:
        self.work, self.jobs = work, jobs
        self.course, self.home, self.temporary = work / "course", work / "home", work / "tmp"
        self.submissions = work / "handed_in"
        self.canaries = Canaries()
        self.found = Findings(canaries=self.canaries.all)
        self.honest = {name: _honest_file(name) for name in HONEST}
        self.undisturbed: dict[str, Any] = {}
        self.outside: set[str] = set()

    def make_course(self) -> None:
        """Make a course with secrets in every corner."""
        for folder in (self.course / "exercises", self.home, self.temporary, self.submissions, self.work / "secrets"):
            folder.mkdir(parents=True)
        new = self.canaries.new
        source = (ROOT / "course" / "exercises" / "a1_scanning.py").read_text(encoding="utf-8")
        source = source.replace("### BEGIN SOLUTION\n", f"### BEGIN SOLUTION\n    # {new('the solution')}\n")
        source = source.replace("### BEGIN HIDDEN TESTS\n", f"### BEGIN HIDDEN TESTS\n# {new('the hidden tests')}\n")
        (self.course / "exercises" / "a1_scanning.py").write_text(source, encoding="utf-8")
        shutil.copy(ROOT / "course" / "nbgrader_config.py", self.course)
        seed = f'hidden_seed = "{new("the hidden seed")}"\n'
        (self.course / "secret.toml").write_text(seed, encoding="utf-8")
        (self.course / "notes.txt").write_text(new("a file in the course folder"), encoding="utf-8")
        (self.home / ".netrc").write_text(f"password {new('a file in the home folder')}\n", encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()):
            build(self.work)
        self.canaries.add_hidden_inputs(self.course)
        self.environment = {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CNNLAB_CANARY": new("the environment"),
        }
        self.environment.pop("CNNLAB_HIDDEN_SEED", None)
        own = new("another student's submission", "autograded/ada/")
        notebook = json.loads(self.honest["ada"])
        notebook["cells"][1]["source"] = f"{''.join(notebook['cells'][1]['source'])}\n\n# {own}\n"
        self.honest["ada"] = json.dumps(notebook).encode()
        secret = f"# {new('a file that a link leads to')}"
        linked = Sample(above=(secret,))
        (self.work / "secrets" / FILE_NAME).write_bytes(bytes_of(linked, cases.release_of(self.work)))

    def grade_undisturbed(self) -> None:
        """Grade the honest students alone: what they get now they must get among the others, too."""
        for name, data in self.honest.items():
            _save(self.submissions / name / FILE_NAME, data)
        self._grade("undisturbed", self.submissions, jobs=1)
        self.undisturbed = {name: self._result(name) for name in HONEST}
        wanted = ROOT / "course" / "samples" / "a1" / "expected.csv"
        scores = {row["student"]: (row["status"], row["score"]) for row in _rows(wanted.read_text(encoding="utf-8"))}
        got = {row["student"]: (row["status"], row["score"]) for row in self._grades()}
        self.found.changed += [f"{name}: {got.get(name)}" for name in HONEST if got.get(name) != scores[name]]

    def plant_in_gradebook(self) -> None:
        """Write a name and a comment that nobody else may see."""
        from nbgrader.api import Gradebook

        comment = self.canaries.new("a comment in the gradebook", "feedback/ada/")
        with Gradebook(f"sqlite:///{(self.course / 'gradebook.db').resolve()}") as gradebook:
            gradebook.update_or_create_student("ben", first_name=self.canaries.new("a student's name in the gradebook"))
            gradebook.find_comment("a1-scan_1d-answer", "a1_scanning", "a1", "ada").manual_comment = comment
            gradebook.db.commit()

    def grade_folder(self, wanted: list[Case]) -> None:
        """Grade the hostile ones with honest ones between them, in a folder."""
        release = cases.release_of(self.work)
        right = bytes_of(Sample(), release)
        neighbors = {}
        tried = []
        for number, case in enumerate(wanted):
            why_not = _impossible(case.name)
            if why_not:
                self.found.lines.append(Line(case, skipped=why_not))
                continue
            tried.append(case)
            self._hand_in(case.name, right, release)
            if number % _EVERY == 0:
                student = _NEIGHBORS[number // _EVERY % len(_NEIGHBORS)]
                neighbors[f"{case.name}{_NEIGHBOR}"] = student
                _save(self.submissions / f"{case.name}{_NEIGHBOR}" / FILE_NAME, self.honest[student])
        before = _everything(self.work, self.course)
        self._grade("hostile folder", self.submissions, jobs=self.jobs)
        self._compare(tried, neighbors)
        self.outside |= _everything(self.work, self.course) - before

    def grade_zip(self, wanted: list[Case]) -> None:
        """Grade those that come in the zip of a class."""
        if not wanted:
            return
        right = bytes_of(Sample(), cases.release_of(self.work))
        neighbors, people = {}, ["id,name"]
        path = self.work / "class.zip"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("../../hostile-left/a1_scanning.ipynb", b"{}")
            packed.writestr("/tmp/hostile-left/a1_scanning.ipynb", b"{}")
            for number, case in enumerate(wanted):
                files = ZIPS[case.name](right)
                parts = {case.name: files}
                if number % _EVERY == 0:
                    student = _NEIGHBORS[number // _EVERY % len(_NEIGHBORS)]
                    neighbors[f"{case.name}{_NEIGHBOR}"] = student
                    parts[f"{case.name}{_NEIGHBOR}"] = {FILE_NAME: self.honest[student]}
                for name, each in parts.items():
                    shown = name.replace("_", " ")
                    people.append(f"{name},{shown}")
                    folder = _MOODLE.format(name=shown, number=100_000 + len(people))
                    for file_name, data in each.items():
                        packed.writestr(zipfile.ZipInfo(folder + file_name), data)
        (self.work / "students.csv").write_text("\n".join(people) + "\n", encoding="utf-8")
        before = _everything(self.work, self.course)
        self._grade("hostile zip", path, jobs=1)
        self._compare(wanted, neighbors)
        self.outside |= _everything(self.work, self.course) - before

    def look_around(self) -> None:
        """Look for what is left on the machine and in the gradebook."""
        self.found.processes = traces.processes_left()
        self.found.files = sorted(self.outside) + traces.files_left((self.temporary,))
        self.found.files += [str(path) for path in self.home.rglob("*") if path.is_file() and path.name != ".netrc"]
        for student in ("release", "source"):
            if list((self.course / student).rglob("*hostile-left*")):
                self.found.files.append(student)
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.course / "gradebook.db")) as gradebook:
            given = gradebook.execute("select id, manual_score from grade where manual_score is not null").fetchall()
        self.found.by_hand = [str(row) for row in given]

    def _hand_in(self, name: str, right: bytes, release: Mapping[str, Any]) -> None:
        if name in KEPT:
            # As it is kept, not as it would be written today.
            shutil.copytree(cases.FOLDER / name, self.submissions / name)
            return
        folder = self.submissions / (MADE[name].student or name)
        folder.mkdir()
        MADE[name].make(folder, right, dict(release))

    def _grade(self, what: str, submissions: Path, *, jobs: int) -> None:
        command = [sys.executable, "-c", _CLI, "grade", "a1", "--course", str(self.course)]
        command += ["--submissions", str(submissions), "--jobs", str(jobs)]
        done = subprocess.run(command, env=self.environment, cwd=self.work, capture_output=True, check=False)
        if done.returncode:
            last = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()[-3:]
            self.found.stopped.append(f"{what}: exit status {done.returncode}: {' / '.join(last)}")
        outputs = leaks.outputs_of(self.course) | {f"terminal ({what})": done.stdout + done.stderr}
        self.found.leaks += [leak for leak in leaks.leaks(self.canaries.all, outputs) if leak not in self.found.leaks]
        self.found.injections += [each for each in leaks.injections(outputs) if each not in self.found.injections]

    def _compare(self, wanted: list[Case], neighbors: Mapping[str, str]) -> None:
        got = {row["student"]: row for row in self._grades()}
        for case in wanted:
            row = got.get(case.shown_as, {})
            self.found.lines.append(Line(case, row.get("status", "none"), row.get("score", "")))
        self.found.neighbors += len(neighbors)
        for name, student in neighbors.items():
            if self._result(name) != self.undisturbed[student]:
                row = got.get(name, {})
                self.found.changed.append(f"{name} ({student}): {row.get('status')} {row.get('score')}")

    def _grades(self) -> list[dict[str, str]]:
        path = self.course / "out" / "a1" / "grades.csv"
        return _rows(path.read_text(encoding="utf-8")) if path.is_file() else []

    def _result(self, student: str) -> Any:
        """Return what must be the same for one submission whoever is graded beside it."""
        path = self.course / "out" / "a1" / "results" / f"{student}.json"
        if not path.is_file():
            return None
        result = json.loads(path.read_text(encoding="utf-8"))
        return {key: result[key] for key in ("status", "reason", "isolation", "exercises", "cells")}


def _honest_file(name: str) -> bytes:
    return (ROOT / "course" / "samples" / "a1" / name / FILE_NAME).read_bytes()


def _impossible(name: str) -> str:
    if name == "fork_bomb" and spare_user.is_needed() and spare_user.why_not():
        return f"to root, Linux counts no processes: grade as an ordinary user ({spare_user.why_not()})"
    return MADE[name].impossible() if name in MADE else ""


def _everything(work: Path, course: Path) -> set[str]:
    """Return what lies in the work folder, except what a run writes into a course."""
    written = {course / name for name in ("out", "feedback", "autograded", "gradebook.db", ".grading.lock")}
    found = set()
    for path in work.rglob("*"):
        if not any(path == place or place in path.parents for place in written):
            found.add(str(path))
    return found


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _save(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
