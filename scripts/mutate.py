"""Change one thing at a time in `cnnlab/ops` and `cnnlab/geometry`, and see whether a test notices (mutmut).

    python scripts/mutate.py                      everything: 3,300 mutants, some 20 minutes of one core
    python scripts/mutate.py ops/pool geometry/window

Works in `.mutation` (another folder with --folder): an environment of its own, and a copy of the package with the tests
of ops, geometry and reference, of which mutmut runs those that call the function it changed. Neither PyTorch nor a GPU
is needed. Prints a table a module and writes each mutant that no test noticed to `.mutation/survivors.txt`, as a diff.
What the survivors are is written in docs/mutation.md.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AREAS = ("geometry", "ops")
TESTS = ("ops", "geometry", "reference")
MUTMUT = "mutmut==3.8.1"
NEEDED = ("numpy", "array-api-compat", "array-api-strict", "hypothesis", "pytest")

SETTINGS = f"""

[tool.mutmut]
source_paths = ["cnnlab"]
only_mutate = {[f"cnnlab/{area}/*.py" for area in AREAS]}
also_copy = ["conftest.py"]
pytest_add_cli_args_test_selection = {[f"tests/{name}" for name in TESTS]}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-m", "not oracle and not slow and not gpu"]
track_dependencies = false
use_git_change_detection = false
"""

# What mutmut writes down: the exit code of pytest, or of its own watch over the time.
STATUS = {1: "killed", 3: "killed", 0: "survived", 24: "timeout", -24: "timeout", 36: "timeout", 152: "timeout"}


def environment(folder: Path) -> Path:
    """Return the folder with the programs of an environment that has mutmut; make it if there is none."""
    programs = folder / "venv" / "bin"
    if not (programs / "mutmut").exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        pip = [programs / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--constraint", ROOT / "constraints.txt", *NEEDED], check=True)
        subprocess.run([*pip, MUTMUT], check=True)
    return programs


def copy(folder: Path) -> Path:
    """Copy what is changed and what tests it; return the folder of the copy."""
    there = folder / "copy"
    shutil.rmtree(there, ignore_errors=True)
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "cnnlab", there / "cnnlab", ignore=without)
    for name in TESTS:
        shutil.copytree(ROOT / "tests" / name, there / "tests" / name, ignore=without)
    shutil.copy(ROOT / "tests" / "conftest.py", there / "tests")
    shutil.copy(ROOT / "conftest.py", there)
    (there / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8") + SETTINGS, "utf-8")
    for area in AREAS:
        for path in (there / "cnnlab" / area).glob("*.py"):
            path.write_text(with_plain_properties(path.read_text("utf-8")), "utf-8")
    return there


def with_plain_properties(source: str) -> str:
    """Write each `@property` as a plain method and `name = property(name)`: mutmut leaves decorated functions out."""
    lines = source.split("\n")
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda node: -node.lineno):  # from the end, so that line numbers stay true
        if [ast.unparse(decorator) for decorator in node.decorator_list] == ["property"]:
            lines.insert(node.end_lineno or node.lineno, f"{' ' * node.col_offset}{node.name} = property({node.name})")
            del lines[node.decorator_list[0].lineno - 1]
    return "\n".join(lines)


def statuses(there: Path) -> dict[str, dict[str, str]]:
    """Return what became of each mutant, by module and name."""
    found = {}
    for path in sorted((there / "mutants" / "cnnlab").glob("*/*.meta")):
        codes = json.loads(path.read_text("utf-8"))["exit_code_by_key"]
        codes = {name: STATUS.get(code, f"exit code {code}") for name, code in codes.items() if code is not None}
        if codes:
            found[f"{path.parent.name}/{path.name.removesuffix('.py.meta')}"] = codes
    return found


def table(found: dict[str, dict[str, str]]) -> str:
    """Return the table of docs/mutation.md."""
    rows = ["| module | mutants | killed | survived | timeouts | killed or timed out |", "|---|--:|--:|--:|--:|--:|"]
    everything = {name: status for codes in found.values() for name, status in codes.items()}
    for module, codes in (found | {"**all**": everything}).items():
        total, values = len(codes), list(codes.values())
        killed, survived, late = (values.count(status) for status in ("killed", "survived", "timeout"))
        rows.append(f"| {module} | {total} | {killed} | {survived} | {late} | {(killed + late) / total:.1%} |")
        if other := sorted(set(values) - {"killed", "survived", "timeout"}):
            rows.append(f"| {module}: {', '.join(other)} | | | | | |")
    return "\n".join(rows)


def main() -> None:
    """Mutate what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="such as ops/pool; all if left out")
    parser.add_argument("--folder", type=Path, default=ROOT / ".mutation")
    asked = parser.parse_args()
    unknown = [name for name in asked.modules if not (ROOT / "cnnlab" / f"{name}.py").is_file()]
    if unknown:
        parser.error(f"there is no module {unknown[0]}: name them as in ops/pool")
    folder = asked.folder.resolve()
    programs = environment(folder)
    there = copy(folder)
    patterns = [f"cnnlab.{name.replace('/', '.')}.*" for name in asked.modules]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    run = [programs / "mutmut", "run", "--max-children", "1", *patterns]
    with (folder / "mutmut.log").open("w") as log:
        print(f"mutmut is at work; what it says is in {folder / 'mutmut.log'}", flush=True)
        subprocess.run(run, cwd=there, env=one_thread, stdout=log, stderr=subprocess.STDOUT, check=False)
    found = statuses(there)
    if not found:
        sys.exit(f"mutmut tried nothing: read {folder / 'mutmut.log'}")
    left = [name for codes in found.values() for name, status in codes.items() if status != "killed"]
    with (folder / "survivors.txt").open("w") as file:
        for name in left:
            subprocess.run([programs / "mutmut", "show", name], cwd=there, stdout=file, check=True)
    print(table(found))


if __name__ == "__main__":
    main()
