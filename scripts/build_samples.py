"""Write the notebooks of the sample classes into course/samples, from the release notebooks.

Usage: python scripts/build_samples.py [--check]

Each student fills some cells of the release, so the samples follow when a release changes; run this after
`cnnlab build`. With --check nothing is written, and the exit status says whether anything would be. The answers stand
in scripts/samples, those of course/samples/hostile in scripts/hostile; what each student must get is in
course/samples/<assignment>, written by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import samples
from hostile import cases
from samples.students import Notebook, filled_in


def texts(assignment: str) -> dict[Path, str]:
    """Return the text of each notebook of a class, by its path."""
    (release,) = (samples.ROOT / "course" / "release" / assignment).glob("*.ipynb")
    given = json.loads(release.read_text(encoding="utf-8"))
    return {
        samples.folder(assignment) / name / (student.file_name or release.name): as_text(
            filled_in(given, assignment, student)
        )[: student.kept]
        for name, student in samples.students(assignment).items()
    }


def as_text(notebook: Notebook) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write what differs, or only say so."""
    check = sys.argv[1:] == ["--check"]
    wanted = {path: text.encode() for assignment in samples.assignments() for path, text in texts(assignment).items()}
    wanted |= dict(cases.texts(cases.release_of(samples.ROOT)))
    stale = 0
    for path, data in wanted.items():
        if path.is_file() and path.read_bytes() == data:
            continue
        stale += 1
        print(f"{'stale' if check else 'written'}  {path.relative_to(samples.ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for path in sorted((samples.ROOT / "course" / "samples").rglob("*.[iI][pP][yY][nN][bB]")):
        if path not in wanted:
            stale += 1
            print(f"{path.relative_to(samples.ROOT)} belongs to no student: delete it")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
