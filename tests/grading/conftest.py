"""A small course in a temporary folder: the real exercises of a1 in a notebook of a few cells."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

SCAN_1D = """\
def scan_1d(x, layers, width, hop):
    starts = range(0, x.shape[1] - width + 1, hop)
    y = np.zeros((len(layers[-1][1]), len(starts)), x.dtype)
    for p, start in enumerate(starts):
        v = x[:, start:start + width].reshape(-1)
        for i, (W, b) in enumerate(layers):
            v = W @ v + b
            v = np.maximum(v, 0) if i < len(layers) - 1 else v
        y[:, p] = v
    return y
"""
SCAN_2D = """\
def scan_2d(image, layers, size, stride):
    rows = range(0, image.shape[1] - size[0] + 1, stride[0])
    columns = range(0, image.shape[2] - size[1] + 1, stride[1])
    y = np.zeros((len(layers[-1][1]), len(rows), len(columns)), image.dtype)
    for p, top in enumerate(rows):
        for q, left in enumerate(columns):
            v = image[:, top:top + size[0], left:left + size[1]].reshape(-1)
            for i, (W, b) in enumerate(layers):
                v = W @ v + b
                v = np.maximum(v, 0) if i < len(layers) - 1 else v
            y[:, p, q] = v
    return y
"""
AGGREGATE = """\
def aggregate(maps, how, temperature):
    flat = maps.reshape(len(maps), -1)
    if how != "softmax":
        return getattr(flat, how)(axis=1)
    e = np.exp((flat - flat.max(axis=1, keepdims=True)) / temperature)
    return (e * flat).sum(axis=1) / e.sum(axis=1)
"""
AGGREGATE_BACKWARD = """\
def aggregate_backward(dy, maps, how, temperature):
    flat = maps.reshape(len(maps), -1)
    slope = np.eye(flat.shape[1])[flat.argmax(axis=1)] if how == "max" else np.full(flat.shape, 1 / flat.shape[1])
    if how == "softmax":
        e = np.exp((flat - flat.max(axis=1, keepdims=True)) / temperature)
        e = e / e.sum(axis=1, keepdims=True)
        slope = e * (1 + (flat - (e * flat).sum(axis=1, keepdims=True)) / temperature)
    return (dy[:, None] * slope).reshape(maps.shape)
"""
IMPORTS = "import numpy as np\nfrom cnnlab.checks import check"
STUB_1D = "def scan_1d(x, layers, width, hop):\n    raise NotImplementedError"
STUB_2D = "def scan_2d(image, layers, size, stride):\n    raise NotImplementedError"


def cell(source, identifier, **nbgrader):
    metadata = {"nbgrader": {"schema_version": 3, "grade_id": identifier, **nbgrader}} if nbgrader else {}
    return {
        "cell_type": "code",
        "id": identifier,
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def notebook(cells):
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def _solution(name, source):
    head, _, body = source.partition("\n")
    marked = f"{head}\n    ### BEGIN SOLUTION\n{body}    ### END SOLUTION"
    return cell(marked, f"answer-{name}", grade=False, solution=True, locked=False, task=False)


def _grade(name, points, *further):
    called = ", ".join([name, *further])
    source = (
        f'check("a1.{name}", {called})\n### BEGIN HIDDEN TESTS\ncheck("a1.{name}", {called}, hidden=True)\n'
        "### END HIDDEN TESTS"
    )
    return cell(source, f"a1-{name}", grade=True, solution=False, locked=True, task=False, points=points)


SOURCE = notebook(
    [
        cell(IMPORTS, "imports"),
        _solution("scan_1d", SCAN_1D),
        _grade("scan_1d", 5),
        _solution("scan_2d", SCAN_2D),
        _grade("scan_2d", 4),
        _solution("aggregate", AGGREGATE),
        _solution("aggregate_backward", AGGREGATE_BACKWARD),
        _grade("aggregate", 6, "aggregate_backward"),
    ]
)


class KeptWarm:
    """An executor that a run may close and another one takes up again: a warm process takes a second to start."""

    def __init__(self, executor):
        self._executor = executor

    def __getattr__(self, name):
        return getattr(self._executor, name)

    def close(self):
        """Keep it; `keep_warm` ends it."""


_kept = {}


@pytest.fixture(scope="session", autouse=True)
def keep_warm():
    """End after the last test what `SmallCourse.grade` kept."""
    yield
    while _kept:
        _kept.popitem()[1].close()


def _keeping(make):
    def make_or_keep(name):
        if name not in _kept:
            _kept[name] = make(name)
        return KeptWarm(_kept[name])

    return make_or_keep


class SmallCourse:
    """A course folder, and a way to hand something in."""

    def __init__(self, root):
        self.root = root
        self.submissions = root / "handed_in"
        self.submissions.mkdir(exist_ok=True)
        self.release = root / "release" / "a1" / "a1_scanning.ipynb"

    def hand_in(self, student, *, one=SCAN_1D, two=SCAN_2D, first=(), extra=(), name="a1_scanning.ipynb", change=None):
        """Fill the release in like a student would, exercise 3 always right, and save it in their folder."""
        handed = json.loads(self.release.read_text(encoding="utf-8"))
        for each in handed["cells"]:
            if each["id"] == "answer-scan_1d":
                each["source"] = one
            if each["id"] == "answer-scan_2d":
                each["source"] = two
            if each["id"] == "answer-aggregate":
                each["source"] = AGGREGATE
            if each["id"] == "answer-aggregate_backward":
                each["source"] = AGGREGATE_BACKWARD
        handed["cells"] = [cell(source, f"first-{i}") for i, source in enumerate(first)] + handed["cells"]
        handed["cells"] += [cell(source, f"extra-{i}") for i, source in enumerate(extra)]
        if change is not None:
            change(handed)
        return self.save(student, json.dumps(handed), name)

    def save(self, student, text, name="a1_scanning.ipynb"):
        path = self.submissions / student / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")
        return path

    def grade(self, **options):
        """Grade what was handed in, with the plain executor's permission, and return the results by student.

        It is done in this process and in a sandbox that other tests have used, unless ``jobs`` says how many at a time.
        """
        from cnnlab.grading import commands, executor

        options = {"allow_unsandboxed": True, "submissions_dir": self.submissions, "jobs": 1, **options}
        make = executor.make_executor if options["jobs"] != 1 else _keeping(executor.make_executor)
        with mock.patch.object(executor, "make_executor", make):
            report = commands.grade("a1", course_dir=self.root, **options)
        return {result.student: result for result in report.results}

    def database(self):
        """Return everything in the gradebook, as text."""
        with closing(sqlite3.connect(self.root / "gradebook.db")) as connection:
            return list(connection.iterdump())

    def feedback(self, student):
        return (self.root / "feedback" / student / "a1" / "a1_scanning.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def released_course(tmp_path_factory):
    """A course whose release was made and entered once, to be copied."""
    pytest.importorskip("nbgrader")
    from cnnlab.grading import commands

    root = tmp_path_factory.mktemp("released")
    source = root / "source" / "a1" / "a1_scanning.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(SOURCE), encoding="utf-8")
    (root / "secret.toml").write_text('hidden_seed = "of the tests"\n', encoding="utf-8")
    commands.release("a1", course_dir=root)
    return root


@pytest.fixture
def course(released_course, tmp_path):
    """A course with a release and an empty class."""
    root = tmp_path / "course"
    shutil.copytree(released_course, root)
    return SmallCourse(root)


@pytest.fixture(scope="session")
def small_course():
    """Make the `SmallCourse` of a folder."""
    return SmallCourse


@pytest.fixture
def answers():
    """Right answers of the two exercises."""
    return {"one": SCAN_1D, "two": SCAN_2D}


@pytest.fixture
def new_cell():
    """Make a code cell."""
    return cell


@pytest.fixture(scope="session")
def project_root():
    return Path(__file__).parents[2]
