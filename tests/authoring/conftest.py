"""The project's course, and a small one of its own for each test."""

import shutil
from pathlib import Path

import pytest

from cnnlab.authoring.build import build

ROOT = Path(__file__).parents[2]

SOURCE = '''# %% [markdown]
# # A small assignment

# %%
1 + 1

# %%
1 + 1

# %% nbgrader={"grade": false, "grade_id": "double-answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2 * x  # the answer
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "double", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Points are given here.
### BEGIN HIDDEN TESTS
assert double(21) == 42
### END HIDDEN TESTS
'''  # noqa: E501


@pytest.fixture
def root():
    """Return the project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return a folder in which the project's notebooks were built anew; the project itself is left alone."""
    folder = tmp_path_factory.mktemp("built")
    for sources in ("lectures/source", "course/exercises"):
        shutil.copytree(ROOT / sources, folder / sources)
    shutil.copy(ROOT / "course" / "nbgrader_config.py", folder / "course")
    build(folder)
    return folder


@pytest.fixture
def small(tmp_path):
    """Return a project with one lecture and one assignment."""
    (tmp_path / "lectures" / "source").mkdir(parents=True)
    (tmp_path / "lectures" / "source" / "01_first.py").write_text(
        "# %% [markdown]\n# # First\n\n# %%\nprint('hello')\n"
    )
    (tmp_path / "course" / "exercises").mkdir(parents=True)
    (tmp_path / "course" / "exercises" / "a7_small.py").write_text(SOURCE)
    shutil.copy(ROOT / "course" / "nbgrader_config.py", tmp_path / "course")
    return tmp_path
