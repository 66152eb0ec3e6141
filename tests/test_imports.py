"""Who may import whom, what `import cnnlab` costs, and two habits that the package keeps.

The arrows are those of the architecture: a lower layer never knows of a higher one, an oracle never knows of what it
judges, and what students import never needs what only a teaching team has installed.
"""

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

import cnnlab

PACKAGE = Path(cnnlab.__file__).parent
ANYTHING = frozenset({"*"})


@dataclass(frozen=True)
class Arrows:
    """What one area may import: areas (or modules) of cnnlab, and other packages; `lazily` inside functions only."""

    cnnlab: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    lazily: frozenset[str] = frozenset()


def arrows(cnnlab="", others="", lazily=""):
    return Arrows(frozenset(cnnlab.split()), frozenset(others.split()), frozenset(lazily.split()))


ARROWS = {
    "__init__": arrows(),
    "backend": arrows(others="numpy array_api_compat", lazily="cupy"),
    "geometry": arrows(),
    "kernels": arrows("backend geometry", "numpy", lazily="cupy cudnn threadpoolctl"),
    # Its compiled modules are imported at the first use; a test below sees to that.
    "kernels/fast": arrows("kernels geometry", "numpy numba llvmlite"),
    "ops": arrows("kernels backend geometry"),
    "reference": arrows("geometry", "numpy"),
    "nn": arrows("ops backend geometry", "numpy"),
    "optim": arrows("nn ops kernels backend geometry", "numpy"),
    "train": arrows("nn ops optim kernels backend geometry", "numpy tqdm"),
    "inspection": arrows("nn ops backend geometry", "numpy"),
    "data": arrows("", "numpy", lazily="PIL pooch requests tqdm"),
    "checks": arrows("backend geometry reference", "numpy", lazily="nn viz.cards demos.autopsy IPython ipywidgets"),
    "viz": arrows("checks.model", "numpy matplotlib cycler", lazily="geometry IPython"),
    "demos": arrows("geometry", "numpy anywidget traitlets", lazily="IPython nn ipywidgets"),
    "authoring": Arrows(frozenset({"checks", "viz.style", "demos.page"}), ANYTHING),
    # "" is the package itself, for its place on disk
    "grading": Arrows(frozenset({"", "checks", "authoring", "viz.cards"}), ANYTHING),
    # Not the grader's: what a student's process sees in the places of other modules.
    "grading/student_view": arrows("checks grading nn ops backend data viz optim", lazily="IPython numpy matplotlib"),
    "doctor": Arrows(frozenset({"", "backend", "data", "grading"}), ANYTHING),
    "bench": Arrows(ANYTHING, ANYTHING),
    "cli": Arrows(ANYTHING, ANYTHING),
}


class Import(NamedTuple):
    file: str
    line: int
    name: str  # dotted, from the top: cnnlab.ops.conv, numpy.typing
    lazy: bool  # inside a function

    def __str__(self):
        return f"{self.file}:{self.line} imports {self.name}{' in a function' if self.lazy else ''}"


def imports_of(path):
    return _imports_of(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE.parent))


def _imports_of(text, path):
    """List the imports of one file, without those for the type checker alone."""
    found = []

    def visit(node, lazy):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child, lazy)
            return
        if isinstance(node, ast.Import):
            found.extend(Import(str(path), node.lineno, alias.name, lazy) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the whole name, not a relative import"
            # with the imported name, since `from cnnlab import ops` imports a module
            found.extend(Import(str(path), node.lineno, f"{node.module}.{alias.name}", lazy) for alias in node.names)
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, lazy)

    visit(ast.parse(text), lazy=False)
    return found


def covered(name, allowed):
    return "*" in allowed or any(name == entry or name.startswith(f"{entry}.") for entry in allowed)


def breaks(area, imported):
    """Tell whether an import goes against the arrows of its area."""
    rules = ARROWS[area]
    lazily = rules.lazily if imported.lazy else frozenset()
    top, _, rest = imported.name.partition(".")
    if top in sys.stdlib_module_names:
        return False
    if top != "cnnlab":
        return not covered(imported.name, rules.others | lazily)
    if rest.partition(".")[0] == area or rest == "__version__":
        return False
    return not covered(rest, rules.cnnlab | lazily)


def area_of(path):
    parts = path.relative_to(PACKAGE).parts
    inner = "/".join(parts[:2])
    return inner if inner in {"grading/student_view", "kernels/fast"} else parts[0].removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("area", sorted({area_of(path) for path in FILES}))
def test_imports_follow_the_arrows(area):
    assert area in ARROWS, f"cnnlab/{area} is new: give it its arrows here"
    wrong = [str(i) for path in FILES if area_of(path) == area for i in imports_of(path) if breaks(area, i)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("area", "text", "allowed"),
    [
        ("ops", "from cnnlab.backend import Array", True),
        ("ops", "from math import prod", True),
        ("ops", "import numpy as np", False),
        ("ops", "def f():\n    import numpy", False),
        ("ops", "from cnnlab import nn", False),
        ("reference", "from cnnlab.ops.conv import conv_forward", False),
        ("reference", "def f():\n    from cnnlab import ops", False),
        ("backend", "import cupy", False),
        ("backend", "def f():\n    import cupy", True),
        ("checks", "import nbgrader", False),
        ("checks", "def f():\n    import nbgrader.api", False),
        ("checks", "from cnnlab import nn", False),
        ("checks", "def f():\n    from cnnlab import nn", True),
        ("checks", "def f():\n    from cnnlab import ops", False),
        ("viz", "from cnnlab.checks.model import Case", True),
        ("viz", "from cnnlab.checks.runner import run_exercise", False),
        ("grading", "from cnnlab.viz import cards", True),
        ("grading", "from cnnlab.viz.style import use", False),
        ("grading", "from cnnlab.nn.conv import Conv2d", False),
        ("grading/student_view", "from cnnlab.nn.conv import Conv2d", True),
        ("grading/student_view", "from cnnlab.reference import conv", False),
        ("geometry", "if TYPE_CHECKING:\n    from cnnlab import nn", True),
        ("geometry", "if TYPE_CHECKING:\n    pass\nelse:\n    from cnnlab import nn", False),
    ],
)
def test_the_rules_catch_what_they_should(area, text, allowed):
    (imported,) = _imports_of(text, "example.py") or [Import("", 0, "math", False)]
    assert breaks(area, imported) is not allowed


HEAVY = (
    "cupy",
    "matplotlib",
    "PIL",
    "ipywidgets",
    "anywidget",
    "nbgrader",
    "dask",
    "pooch",
    "IPython",
    "torch",
    "tqdm",
)


def loaded_after(statement):
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    (line,) = run.stdout.splitlines()  # one line: importing prints nothing
    return set(line.split())


def test_import_cnnlab_loads_nothing_heavy_and_prints_nothing():
    loaded = loaded_after("import cnnlab")
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith("cnnlab.")}


def test_computing_on_the_cpu_loads_nothing_heavy():
    loaded = loaded_after("import cnnlab\ncnnlab.asarray([1.0])\nfrom cnnlab import ops, nn, reference, geometry")
    assert {"numpy", "cnnlab.ops.conv"} <= loaded
    assert not loaded & set(HEAVY)


def test_checks_do_not_need_the_tools_of_a_teaching_team():
    assert not loaded_after("import cnnlab.checks") & {"nbgrader", "nbformat", "jupytext", "cupy", "torch"}


def test_every_public_name_can_be_reached_and_is_listed():
    for name in cnnlab.__all__:
        assert getattr(cnnlab, name) is not None
        assert name in dir(cnnlab)
    assert cnnlab.use_device is cnnlab.backend.use_device


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'cnnlab' has no attribute 'conv'"):
        _ = cnnlab.conv


def test_lazy_names_and_those_for_the_type_checker_are_the_same():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [n for n in tree.body if isinstance(n, ast.If)]
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    typed = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed | {"__version__"} == set(cnnlab.__all__)


def test_the_library_raises_and_does_not_assert():
    found = [
        f"{path.relative_to(PACKAGE.parent)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert not found, "python -O would drop these checks: " + ", ".join(found)


def test_modules_are_named_after_a_concept():
    assert not [path for path in FILES if path.stem.strip("_") in {"utils", "util", "helpers", "misc", "common"}]
