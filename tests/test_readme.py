"""The papers at the top say what is true: code that runs, links that resolve, commands that exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("lectures/*.md")])


def test_code_in_the_readme_runs(tmp_path):
    demo, code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    subprocess.run([sys.executable, "-W", "error", "-c", demo], cwd=tmp_path, check=True)
    assert (tmp_path / "stepper.html").stat().st_size > 10_000
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\nprint(net(recordings.x.reshape(200, -1)).shape)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "(200, 1)\n"


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_to_files_resolve(paper):
    targets = re.findall(r"\]\(([^)#\s]+)", paper.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (paper.parent / target).exists()] == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_make_targets_exist(paper):
    named = set(re.findall(r"`make ([a-z-]+)", paper.read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets


def test_changelog_begins_with_the_version_of_the_package():
    from cnnlab import __version__

    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == __version__
