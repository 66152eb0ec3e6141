"""scripts/venv.sh, which `make` calls: installs once, says what is missing, survives a broken installation.

A stand-in for Python writes down what it is asked for, so that nothing is really installed. The last tests use the real
one, where pip finds no index.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FAKE_PYTHON = """#!/bin/sh
echo "$*" >> "$FAKE_LOG"
case "$*" in
  *version_info\\ \\<*) exit "${FAKE_TOO_OLD:-0}" ;;
  *version_info\\[*) echo "${FAKE_VERSION:-3.12}" ;;
  *ensurepip*) exit "${FAKE_NO_ENSUREPIP:-0}" ;;
  *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"-m pip"*) exit "${FAKE_PIP_FAILS:-0}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout, in a folder whose name has a space, with a stand-in for Python."""
    folder = tmp_path / "my course"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "venv.sh", folder / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).write_text(name)
    python = tmp_path / "python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    return folder


@pytest.fixture
def install(checkout):
    log = checkout.parent / "log"

    def run(extras="course", **settings):
        log.write_text("")
        environment = {**os.environ, "PYTHON": str(checkout.parent / "python"), "FAKE_LOG": str(log), **settings}
        done = subprocess.run(
            ["sh", "scripts/venv.sh", extras],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        done.installed = [line for line in log.read_text().splitlines() if line.startswith("-m pip")]
        return done

    return run


def test_first_call_makes_the_environment_and_installs_under_the_constraints(checkout, install):
    done = install("course,test")
    assert done.returncode == 0
    (command,) = done.installed
    assert "--constraint constraints.txt --editable .[course,test]" in command
    assert (checkout / ".venv").is_dir()


def test_second_call_installs_nothing(install):
    install()
    assert install().installed == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed_again(checkout, install, name):
    install()
    (checkout / name).write_text("changed")
    assert len(install().installed) == 1


def test_larger_set_answers_for_the_smaller_and_not_the_other_way_round(install):
    install("course,test,dev")
    assert install("course").installed == []
    assert len(install("test").installed) == 1


def test_moved_checkout_is_installed_again(checkout, install):
    """An editable installation names the folder that it was made in."""
    install()
    stamp = checkout / ".venv" / ".installed-course"
    stamp.write_text(stamp.read_text().replace("my course", "old place"))
    assert len(install().installed) == 1


def test_failed_installation_is_tried_again(install):
    failed = install(FAKE_PIP_FAILS="1")
    assert failed.returncode == 1
    assert "check the network" in failed.stderr
    assert len(install().installed) == 1


def test_missing_ensurepip_names_the_package(checkout, install):
    done = install(FAKE_NO_ENSUREPIP="1")
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_unusable_python_is_named(install):
    done = install(PYTHON="/nowhere/python9")
    assert done.returncode == 1
    assert "PYTHON=/nowhere/python9 is not a working Python 3.11 or newer" in done.stderr


def test_too_old_python_is_refused(install):
    assert install(FAKE_TOO_OLD="1").returncode == 1


def test_another_python_makes_the_environment_anew(checkout, install):
    install()
    (checkout / ".venv" / "leftover").write_text("")
    # The stand-in in .venv answers like the one asked for; an older .venv is one that answers otherwise.
    old = (checkout / ".venv" / "bin" / "python").read_text().replace(":-3.12", ":-3.11")
    (checkout / ".venv" / "bin" / "python").write_text(old)
    done = install()
    assert "asks for 3.12: making .venv anew" in done.stderr
    assert not (checkout / ".venv" / "leftover").exists()


def test_environment_whose_python_is_gone_is_made_anew(checkout, install):
    install()
    (checkout / ".venv" / "bin" / "python").unlink()
    done = install()
    assert done.returncode == 0
    assert "making .venv anew" in done.stderr


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


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_help_lists_every_target():
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for target in ("lab", "test", "test-all", "grade", "build", "bench", "lint", "help"):
        assert f"make {target} " in listed.stdout


@pytest.mark.parametrize("fails", ["0", "1"])
def test_compiled_kernels_are_tried_once_and_never_stop_the_lab(checkout, fails):
    shutil.copy(ROOT / "scripts" / "fast.sh", checkout / "scripts")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(checkout.parent / "python", checkout / ".venv" / "bin" / "python")
    log = checkout.parent / "log"
    log.write_text("")
    environment = {**os.environ, "FAKE_LOG": str(log), "FAKE_PIP_FAILS": fails}

    def run(**more):
        command = ["sh", "scripts/fast.sh"]
        return subprocess.run(command, cwd=checkout, env=environment | more, capture_output=True, text=True, check=True)

    run(NO_FAST="1")
    assert log.read_text() == ""
    done = run()
    assert ("Compiled kernels" in done.stderr) == (fails == "0")
    (line,) = log.read_text().splitlines()
    assert "--only-binary numba,llvmlite" in line
    assert ".[fast]" in line
    assert run().stderr == ""
    assert len(log.read_text().splitlines()) == 1
