"""Build every notebook from its text source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cnnlab.authoring.release import load_config, release_of
from cnnlab.authoring.slide_roles import mark_slides
from cnnlab.authoring.solution import solution_of
from cnnlab.authoring.sources import as_file_text, read_source


def build(root: str | Path, check: bool = False) -> list[Path]:
    """Build lectures, assignment sources, releases and solutions; write only what differs.

    Parameters
    ----------
    root
        The project's folder, with ``lectures/source`` and ``course/exercises``.
    check
        Write nothing. ``course/source`` is then left out, because it is not committed.

    Returns
    -------
    list of pathlib.Path
        The files that were written or, with `check`, that are stale or missing.
    """
    root = Path(root)
    changed = []
    for path, text, is_committed in _all_notebooks(root):
        if check and not is_committed:
            continue
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        changed.append(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    return changed


def _all_notebooks(root: Path) -> Iterator[tuple[Path, str, bool]]:
    """Yield each notebook: where it belongs, its text, and whether it is committed."""
    for path in sorted((root / "lectures" / "source").glob("*.py")):
        shown_as = path.relative_to(root).as_posix()
        notebook = read_source(path, shown_as=shown_as)
        mark_slides(notebook, shown_as)
        yield root / "lectures" / f"{path.stem}.ipynb", as_file_text(notebook), True
    course = root / "course"
    exercises = sorted((course / "exercises").glob("*.py"))
    if not exercises:
        return
    config = load_config(course)
    for path in exercises:
        # The assignment is what stands before the first underscore: a1_scanning belongs to a1.
        assignment = path.stem.partition("_")[0]
        name = f"{path.stem}.ipynb"
        source = read_source(path, shown_as=path.relative_to(root).as_posix())
        yield course / "source" / assignment / name, as_file_text(source), False
        yield course / "release" / assignment / name, as_file_text(release_of(source, config)), True
        yield root / "solutions" / assignment / name, as_file_text(solution_of(source)), True
