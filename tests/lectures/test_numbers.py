"""The benchmark that runs lectures with other seeds changes the seeds, and nothing else."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def numbers():
    spec = importlib.util.spec_from_file_location("lecture_numbers", ROOT / "benchmarks" / "lecture_numbers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("rng = np.random.default_rng(0)", "rng = np.random.default_rng(2000)"),
        ("net = nn.mlp([4, 1], rng=default_rng(5))", "net = nn.mlp([4, 1], rng=default_rng(2005))"),
        ("test = data.load_welcome('test', 400, at=0.3, seed=7)", None),
        ("def accuracy_at(net, start, n=400, seed=7): return seed", None),
        ("def draw(*, n, seed=7): return n", None),
        ("SEED = 7", None),
        ("x = [data.load_shapes(n, seed=7).x for n in (7, 70)]", None),
    ],
)
def test_seeds_are_moved(numbers, code, changed):
    expected = changed or code.replace("seed=7", "seed=2007").replace("SEED = 7", "SEED = 2007")
    assert ast.unparse(numbers.with_other_seeds(code, 2)) == ast.unparse(ast.parse(expected))


@pytest.mark.parametrize(
    "code",
    [
        "data.load_shapes(8000, size=40, shift=0)",
        "net = build(nn, rng=rng)",
        "data.load_shapes(10, seed=seed)",
        "np.random.default_rng()",
        "def f(seed, n=7): return f(seed=True, n=n)",
    ],
)
def test_all_else_stays(numbers, code):
    assert ast.unparse(numbers.with_other_seeds(code, 2)) == ast.unparse(ast.parse(code))


@pytest.mark.parametrize("source", sorted((ROOT / "lectures" / "source").glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_seed_zero_is_the_lecture_as_printed(numbers, source):
    code = source.read_text()
    assert ast.dump(numbers.with_other_seeds(code, 0)) == ast.dump(ast.parse(code))


def test_a_lecture_is_run_with_its_seeds_moved_and_without_its_output(numbers, tmp_path, capsys):
    source = tmp_path / "99_tiny.py"
    source.write_text(
        "# %% [markdown]\n# # 99\n\n# %%\nimport numpy as np\n\n# %%\nx = np.random.default_rng(3).random()\nprint(x)\n"
        "import sys\nprint(x, file=sys.stderr)\n"
    )
    drawn = [numbers.run(source, seed)["x"] for seed in (0, 1, 1)]
    assert drawn[0] != drawn[1] == drawn[2]
    assert capsys.readouterr() == ("", "")


def test_every_lecture_in_the_table_exists_and_its_expressions_are_whole(numbers):
    for name, asked in numbers.NUMBERS.items():
        assert len(list((ROOT / "lectures" / "source").glob(f"{name}_*.py"))) == 1
        for one in asked:
            ast.parse(one.expression, mode="eval")
            assert re.match(r"≥ |≤ |yes$", one.words)


def test_a_missed_number_is_said(numbers, tmp_path, monkeypatch, capsys):
    (tmp_path / "99_tiny.py").write_text("# %%\nimport numpy as np\nx = np.random.default_rng(0).random()\n")
    monkeypatch.setattr(numbers, "SOURCES", tmp_path)
    table = {
        "99": (
            numbers.at_most(2, "a draw", "x"),
            numbers.at_least(2, "a large draw", "x"),
            numbers.holds("law", "x > -1"),
        )
    }
    monkeypatch.setattr(numbers, "NUMBERS", table)
    assert numbers.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[1:4]] == ["yes", "NO", "yes"]
    with pytest.raises(SystemExit, match="no numbers for lecture '98'"):
        numbers.main(["98"])
