"""What is shipped: a wheel and an sdist that hold cnnlab, whole, and nothing else at top level."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import cnnlab

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    out = tmp_path_factory.mktemp("dist")
    for target in ("wheel", "sdist"):
        subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)], cwd=ROOT, check=True)
    return out


def tracked_package_files():
    listed = subprocess.run(["git", "ls-files", "-z", "cnnlab"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the list of files to expect is git's")
    return {name for name in listed.stdout.split("\0") if name}


def test_wheel_holds_every_file_of_the_package_and_no_other_package(built):
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"cnnlab"}
    assert tracked_package_files() <= names


def test_sdist_holds_the_package_and_its_tests(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked_package_files() <= inside
    assert {"LICENSE", "pyproject.toml", "README.md", "tests/test_package.py"} <= inside


def test_installed_wheel_works_outside_the_tree(built, tmp_path):
    """Its data, styles and scripts are found where pip puts them, not in the checkout."""
    (wheel,) = built.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = """
import json, pathlib, sys
import numpy as np
import cnnlab
from cnnlab import data, demos
welcome = data.load_welcome("train", n=2)
recordings = data.load_welcome_recordings()
embedded = [data.load_digits("test").x.shape, *(photo.x.shape for photo in data.load_photos())]
layers = [(np.zeros((1, 20 * 30), np.float32), np.zeros(1, np.float32))]
page = demos.WelcomeScanner(welcome.x[0], layers, width=30).to_html()
print(json.dumps({"file": cnnlab.__file__, "x": welcome.x.shape, "recordings": len(recordings), "page": len(page),
                  "embedded": embedded}))
"""
    # -P and the empty working folder keep the checkout's cnnlab out; the other packages come from this environment.
    environment = {**os.environ, "PYTHONPATH": str(site)}
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path / "elsewhere",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert Path(seen["file"]).is_relative_to(site)
    assert seen["x"][:2] == [2, 20]
    assert seen["recordings"] > 0
    assert seen["embedded"] == [[382, 1, 8, 8], [3, 300, 451], [3, 400, 600]]
    assert seen["page"] > 1000


def test_completion_offers_what_readers_may_use_and_nothing_else():
    assert {name for name in dir(cnnlab) if not name.startswith("__")} == set(cnnlab.__all__) - {"__version__"}
