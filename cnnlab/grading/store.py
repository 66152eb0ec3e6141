"""Results kept between runs, so that a run which was killed continues and a second run has nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import cnnlab
from cnnlab.grading.course import Course
from cnnlab.grading.limits import Limits
from cnnlab.grading.model import Change, Report, Result, Similarity, SimilarPair

# What a result depends on, besides the submission itself.
_CARDS = ("viz/cards.py", "viz/card_arrays.py", "viz/card_pictures.py", "viz/card_style.py")
_SOURCES = ("checks", "reference", "geometry", "grading", "nn", "ops", "optim", *_CARDS)


class ResultStore:
    """One JSON file a student in ``out/<assignment>/results``."""

    def __init__(self, course: Course) -> None:
        self._folder = course.out / "results"

    def load(self, student: str, key: str) -> Result | None:
        """Return the stored result of this student if it was made under this key."""
        try:
            result = Result.from_dict(json.loads(self._path(student).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None  # never stored, or by another version, or a file somebody damaged: grade it again
        return result if result.key == key else None

    def in_full(self, result: Result) -> Result:
        """Return a result with what `cnnlab.grading.model.Result.in_brief` left out.

        Raises
        ------
        LookupError
            If it is not stored any more.
        """
        if not result.was_run:
            return result
        stored = self.load(result.student, result.key)
        if stored is None:
            raise LookupError("what was stored is gone, damaged, or of another run; run cnnlab grade again")
        cards = {exercise.exercise_id: exercise.card for exercise in stored.exercises}
        exercises = tuple(replace(each, card=cards.get(each.exercise_id, "")) for each in result.exercises)
        return replace(result, exercises=exercises, cells=stored.cells)

    def save(self, result: Result) -> None:
        """Store a result; a run that is killed here leaves the old file or the new one."""
        write_whole(self._path(result.student), json.dumps(result.as_dict()))

    def knows_anybody(self) -> bool:
        """Whether anything was stored for this assignment, under any key."""
        return any(self._folder.glob("*.json"))

    def _path(self, student: str) -> Path:
        return self._folder / f"{student}.json"


def save_report(course: Course, report: Report) -> None:
    """Keep a run's report, for ``cnnlab report``."""
    results = [result.as_dict() for result in report.results]
    data = {**asdict(replace(report, results=())), "results": results}
    write_whole(course.out / "report.json", json.dumps(data))


def load_report(course: Course) -> Report | None:
    """Return the report of the last run, or None if there was none that this version can read."""
    try:
        data = json.loads((course.out / "report.json").read_text(encoding="utf-8"))
        similar = dict(data.get("similar", {}))
        pairs = tuple(SimilarPair(**pair) for pair in similar.pop("pairs", ()))
        return Report(
            assignment=course.assignment,
            exercises=tuple((name, points) for name, points in data["exercises"]),
            results=tuple(map(Result.from_dict, data["results"])),
            warnings=tuple(data["warnings"]),
            title=data.get("title", ""),
            notices=tuple(data.get("notices", ())),
            changes=tuple(Change(**change) for change in data.get("changes", ())),
            similar=Similarity(pairs=pairs, **similar),
            owners=data.get("owners", {}),
        )
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it.

    What a run that was killed had begun has the name that the next one gives it, so nothing stays behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def checks_digest(course: Course) -> str:
    """Return a hash of everything that decides about points: the checks, the grader, and the assignment."""
    digest = hashlib.sha256()
    root = Path(cnnlab.__file__).parent
    files = [path for name in _SOURCES for path in _python_files(root / name)]
    for path in [*files, course.source_notebook()]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def result_key(course: Course, submission: str, checks: str, *, seed: int, limits: Limits, executor: str) -> str:
    """Return the key of a result: two runs under one key find the same.

    Parameters
    ----------
    course
        Whose assignment.
    submission, checks
        Their hashes.
    seed, limits, executor
        As in `cnnlab.grading.task.Task`.
    """
    parts = [course.assignment, submission, checks, seed, limits.as_dict(), executor]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _python_files(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))
