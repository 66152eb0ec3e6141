"""A course folder for the sample classes alone: a teacher's own gradebook and lists know nothing of them.

It has copies of what the course was built to, a gradebook of its own, and no secret. Results are kept from one time to
the next; when a source has changed, all of it begins anew, as no grade in it is anybody's.
"""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

from cnnlab.grading.course import CourseError

_BUILT = ("source", "release")
_SETTINGS = "nbgrader_config.py"
# Whatever the course's own settings say: they may name a database that a team shares.
_OWN_GRADEBOOK = (
    '\n# The sample classes have a gradebook of their own.\nc.CourseDirectory.db_url = "sqlite:///gradebook.db"\n'
)


def sample_course(course: Path) -> Path:
    """Return ``graded-samples`` in a course folder, brought up to date with what `cnnlab build` made.

    Parameters
    ----------
    course
        The course folder; nothing else in it is written.

    Raises
    ------
    CourseError
        If it was not built.
    """
    if not (course / "source").is_dir():
        raise CourseError(f"{course} was not built yet: cnnlab build")
    own = course / "graded-samples"
    if own.is_dir() and not _are_alike(course / "source", own / "source"):
        shutil.rmtree(own)
    for name in (*_BUILT, "exercises"):
        shutil.copytree(course / name, own / name, dirs_exist_ok=True)
    settings = (course / _SETTINGS).read_text(encoding="utf-8")
    (own / _SETTINGS).write_text(settings + _OWN_GRADEBOOK, encoding="utf-8")
    return own


def _are_alike(one: Path, other: Path) -> bool:
    files = [sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file()) for root in (one, other)]
    return files[0] == files[1] and all(filecmp.cmp(one / name, other / name, shallow=False) for name in files[0])
