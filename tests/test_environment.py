"""The lists of packages say the same thing: pyproject.toml, environment.yml, constraints.txt."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_EXTRAS = ("course", "test", "dev")  # gpu and fast are comments there, oracle is left to the reader


def ranges(lines):
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): str(requirement.specifier) for requirement in parsed}


def project_ranges(*extras):
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return ranges(lines)


def conda_ranges():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    plain = [entry for entry in entries if isinstance(entry, str) and entry != "pip"]
    pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    return ranges(plain + [line for line in pip if not line.startswith("--editable")])


def test_conda_environment_asks_for_the_same_ranges_as_pyproject():
    conda = conda_ranges()
    assert conda.pop("python") == PROJECT["requires-python"]
    assert conda == project_ranges(*CONDA_EXTRAS)


def test_numba_line_for_conda_is_a_comment_with_the_range_of_the_fast_extra():
    (line,) = re.findall(r"# - (numba.*)", (ROOT / "environment.yml").read_text())
    assert ranges([line]) == ranges(PROJECT["optional-dependencies"]["fast"])


def test_cupy_line_for_conda_is_a_comment_with_the_range_of_the_gpu_extra():
    (line,) = re.findall(r"# - (cupy.*)", (ROOT / "environment.yml").read_text())
    expected = {str(Requirement(entry).specifier) for entry in PROJECT["optional-dependencies"]["gpu"]}
    assert {str(Requirement(line).specifier)} == expected


def constraint_lines():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_constraints_hold_names_and_versions_only():
    assert [line for line in constraint_lines() if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line)] == []


@pytest.mark.parametrize(("name", "allowed"), project_ranges(*CONDA_EXTRAS, "oracle", "fast").items())
def test_every_dependency_is_pinned_within_its_range(name, allowed):
    pins = ranges(constraint_lines())
    assert name in pins, f"{name} has no pin in constraints.txt: run scripts/renew-constraints.sh"
    assert Requirement(f"{name}{allowed}").specifier.contains(pins[name].removeprefix("=="))


def test_no_pinned_package_refuses_the_oldest_python_that_the_project_allows():
    # A pin found with a newer patch release of Python may be closed to 3.11.2, which Debian 12 has.
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    pinned = ranges(constraint_lines())
    asked = {
        canonicalize_name(distribution.name): distribution.metadata.get("Requires-Python") or ""
        for distribution in importlib.metadata.distributions()
    }
    refusing = {name: asked[name] for name in pinned if not SpecifierSet(asked.get(name, "")).contains(oldest)}
    assert refusing == {}, "pin older versions in constraints.txt"
