"""The recipes in docs/cluster.md are at least programs, and name options that exist."""

import ast
import re
from pathlib import Path

import pytest

from cnnlab.cli import make_parser

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_programs_can_be_compiled_and_import_what_the_text_installs():
    programs = blocks("python")
    assert len(programs) == 2
    imported = {
        node.module for text in programs for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)
    }
    assert imported == {"dask_jobqueue", "distributed", "dask_kubernetes.operator"}


def test_the_security_of_the_slurm_recipe_is_one_that_dask_knows():
    distributed = pytest.importorskip("distributed")
    [text] = [text for text in blocks("python") if "SLURMCluster" in text]
    assignments = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)][:2]
    names = {"Security": distributed.Security}
    exec(compile(ast.Module(assignments, []), "docs/cluster.md", "exec"), names)
    assert names["security"].require_encryption
    assert all(names["security"].get_tls_config_for_role(role)["key"] for role in ("scheduler", "worker", "client"))


def test_the_options_in_commands_and_in_the_table_exist(capsys):
    with pytest.raises(SystemExit):
        make_parser().parse_args(["grade", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    commands = [line for text in blocks("bash") for line in text.splitlines() if line.startswith("cnnlab grade")]
    table = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `--")]
    assert len(commands) == 2
    assert len(table) == 5
    assert set(re.findall(r"--[a-z-]+", " ".join(commands + table))) <= known


def test_the_image_has_the_sandbox_and_the_pinned_versions_and_nothing_of_a_course():
    lines = (ROOT / "course" / "worker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    assert "bubblewrap" in text
    assert "--constraint /build/constraints.txt" in text
    copied = re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE)
    assert copied == ["pyproject.toml constraints.txt README.md LICENSE", "cnnlab"]
    assert "USER grader" in text
