"""scripts/venv.sh where things go wrong: half-made environments, a wrong PYTHON, no package index."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(tmp_path):
    """A project folder, with a space in its name, that holds what the script reads."""
    folder = tmp_path / "my course"
    (folder / "scripts").mkdir(parents=True)
    for name in ("scripts/venv.sh", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def set_up(checkout, **environment):
    """Run the script where pip finds no index, so that a call gets as far as the installation and no further."""
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull, "PYTHON": ""}
    return subprocess.run(
        [checkout / "scripts" / "venv.sh", "course"],
        env={**os.environ, **nowhere, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def make_bare_environment(checkout):
    """Make what is left of an environment when its making was killed before pip came in."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    return checkout / ".venv" / "bin" / "python"


def test_half_made_environment_is_completed(checkout):
    python = make_bare_environment(checkout)
    done = set_up(checkout)
    assert subprocess.run([python, "-c", "import pip"], check=False).returncode == 0
    assert "No module named pip" not in done.stderr
    assert "needs a Python package index" in done.stderr
    assert done.returncode == 1
    assert not list((checkout / ".venv").glob(".installed*"))


def test_wrong_python_costs_nobody_their_environment(checkout):
    python = make_bare_environment(checkout)
    done = set_up(checkout, PYTHON="/no/such/python")
    assert done.returncode == 1
    assert "PYTHON=/no/such/python is not a working Python" in done.stderr
    assert python.exists()


def test_python_without_ensurepip_is_told_what_to_install(checkout):
    stripped = checkout / "python"
    stripped.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"\n')
    stripped.chmod(0o755)
    done = set_up(checkout, PYTHON=str(stripped))
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()
