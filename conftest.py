"""What a machine may lack: one table for all tests.

A test marked ``browser``, ``oracle``, ``sandbox`` or ``gpu`` is skipped, visibly, where the machine lacks that; where
``CNNLAB_TESTS_REQUIRE`` names it (``.ci/run`` sets ``browser,oracle,sandbox``), the test fails instead.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

# Tests of one of these files share something that takes long: they stay in one process.
TOGETHER = ("tests/lectures/", "tests/browser/test_slides.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out tests one by one, those of the files above file by file, and these first."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("::")[0] if nodeid.startswith(TOGETHER) else nodeid

    return Scheduling(config, log)


def _browser() -> str:
    """Return why no browser can be driven, or an empty string."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # as tests/browser looks for
    if not os.environ.get("CNNLAB_CHROMIUM") and not any(map(shutil.which, names)):
        return "no Chromium (on Debian: apt install chromium-headless-shell; or set CNNLAB_CHROMIUM to its path)"
    return ""


def _oracle() -> str:
    return (
        ""
        if importlib.util.find_spec("torch")
        else "PyTorch is not installed (.venv/bin/pip install --constraint constraints.txt torch)"
    )


def _sandbox() -> str:
    from cnnlab.grading.executor import sandbox_status

    status = sandbox_status()
    return "" if status.ok else status.reason


def _gpu() -> str:
    from cnnlab.backend import gpu_status

    status = gpu_status()
    return "" if status.ok else status.reason


ABILITIES: dict[str, Callable[[], str]] = {
    "browser": functools.cache(_browser),
    "oracle": functools.cache(_oracle),
    "sandbox": functools.cache(_sandbox),
    "gpu": functools.cache(_gpu),
}


def _required() -> set[str]:
    names = {name.strip() for name in os.environ.get("CNNLAB_TESTS_REQUIRE", "").split(",")} - {""}
    unknown = names - set(ABILITIES)
    if unknown:
        raise pytest.UsageError(f"CNNLAB_TESTS_REQUIRE names {sorted(unknown)}; there are {sorted(ABILITIES)}")
    return names


def pytest_report_header() -> list[str]:
    """Say at the top of a run what this machine lacks, and which tests that skips."""
    lacks = {name: look() for name, look in ABILITIES.items()}
    return [f"skipping tests marked {name}: {why}" for name, why in lacks.items() if why and name not in _required()]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test for what the machine lacks, or fail it where that is required."""
    for name, look in ABILITIES.items():
        if item.get_closest_marker(name) is None or not (why := look()):
            continue
        if name in _required():
            pytest.fail(f"CNNLAB_TESTS_REQUIRE asks for {name}, but: {why}", pytrace=False)
        pytest.skip(why)
