"""All cases: what each tries and must get, and how it is handed in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile import (
    asking,
    forging,
    leaving,
    made,
    notebooks,
    odd_answers,
    pages,
    reading,
    resources,
    zips,
)
from hostile.sample import Sample, bytes_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "course" / "samples" / "hostile"
KEPT: Mapping[str, Sample] = {
    name: sample
    for module in (resources, asking, forging, reading, leaving, odd_answers, pages, notebooks)
    for name, sample in module.SAMPLES.items()
}
MADE = made.SAMPLES
ZIPS = zips.SAMPLES


@dataclass(frozen=True)
class Case:
    """One line of expected.csv.

    Attributes
    ----------
    name
        Of the case.
    tries
        What the submission tries, in one line.
    status, score
        What it must get, as in grades.csv.
    shown_as
        What grades.csv calls its student.
    """

    name: str
    tries: str
    status: str
    score: str
    shown_as: str


def expected() -> dict[str, Case]:
    """Return the cases by name, as they stand in expected.csv."""
    with (FOLDER / "expected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["case"]: Case(row["case"], row["tries"], row["status"], row["score"], _shown(row["case"])) for row in rows
    }


def texts(release: Mapping[str, Any]) -> Iterator[tuple[Path, bytes]]:
    """Yield each file that is kept in course/samples/hostile, and its bytes."""
    for name, sample in KEPT.items():
        yield FOLDER / name / sample.file_name, bytes_of(sample, dict(release))


def release_of(root: Path) -> dict[str, Any]:
    """Return the release of assignment 1 in a project or a course's parent folder."""
    (path,) = (root / "course" / "release" / "a1").glob("*.ipynb")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _shown(name: str) -> str:
    if name in MADE:
        return MADE[name].shown_as or MADE[name].student or name
    return name
