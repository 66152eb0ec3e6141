"""The numbers that the lectures must reach, from three seeds each, beside what was asked for.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/lecture_numbers.py [01] [10] …

No recipe is repeated here: the code of each lecture runs as it stands in ``lectures/source``, but with other seeds.
Seed 0 is the lecture as printed. For seed k, 1000·k is added to every whole number that a lecture writes as a seed: in
``default_rng(…)``, in ``seed=…`` of a call or as a function's default, and in ``SEED = …`` (`with_other_seeds`). A
lecture therefore names the seed of all that it draws; what draws without naming one is the same in every run.
In the last column "yes" is for all seeds, "mean" for the mean but not every seed; the exit status is 1 after a "NO".
"""

import ast
import contextlib
import io
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import numpy as np

SOURCES = Path(__file__).parents[1] / "lectures" / "source"
SEEDS = (0, 1, 2)
_APART = 1000  # between the seeds of two runs: more than any lecture has


@dataclass(frozen=True)
class Asked:
    """One number: what it is, the expression that gives it where a lecture has ended, and what was asked of it."""

    what: str
    expression: str
    words: str
    reached: Callable[[Any], bool]


def at_least(bound: float, what: str, expression: str) -> Asked:
    return Asked(what, expression, f"≥ {bound:g}", lambda value: value >= bound)


def at_most(bound: float, what: str, expression: str) -> Asked:
    return Asked(what, expression, f"≤ {bound:g}", lambda value: value <= bound)


def holds(what: str, expression: str) -> Asked:
    return Asked(what, expression, "yes", bool)


NUMBERS: dict[str, tuple[Asked, ...]] = {
    "01": (
        at_least(0.93, "scan, word anywhere: accuracy", "accuracy_at(max_logits, None)"),
        at_most(
            0.60,
            "whole-recording net, word shifted: accuracy",
            "np.mean(np.array(curves['whole-recording MLP'])[starts != START])",
        ),
    ),
    "02": (
        at_least(0.92, "scan, flower anywhere: accuracy", "accuracy(maps.max(axis=(1, 2)), unseen.y)"),
        at_most(0.60, "whole-picture net, anywhere: accuracy", "accuracy(whole_logits(unseen.x), unseen.y)"),
    ),
    "03": (at_most(1e-7, "tied gradient against the numeric: relative", "relative"),),
    "04": (
        at_most(1e-12, "both orders differ by", "np.abs(scores - scores_by_layer).max()"),
        holds("equal multiply-adds in both orders", "count_window_first == count_layer_first"),
    ),
    "05": (
        at_most(1e-12, "distributed net against its expanded MLP", "np.abs(stack(batch) - expanded(batch)).max()"),
        holds("fewer multiply-adds layer-first", "count_layer_first < count_window_first"),
    ),
    "06": (
        at_most(1e-7, "gradients against central differences", "max(errors(dy, 1) + errors(dy[:2, 1:], 2))"),
        at_most(
            1e-12,
            "two stacked convolutions against one",
            "np.abs(bare_stack(np.ones((1, 3, 9, 8))) - ops.conv_forward(np.ones((1, 3, 9, 8)), w21, b21)).max()",
        ),
        at_most(1e-12, "stacked with padding, away from the border", "inside.max()"),
    ),
    "10": (
        at_least(0.98, "four shapes: test accuracy", "accuracy(net, x_test, y_test)"),
        at_most(60, "four shapes: training, CPU seconds", "seconds"),
    ),
    "11": (
        at_most(1e-5, "loops against taps: difference", "abs(found['seven loops'] - found['sum over taps']).max()"),
        at_most(
            1e-4, "all algorithms: relative error", "max(r[-1] for t in (deck, in_the_middle) for r in t.values())"
        ),
    ),
}


def with_other_seeds(code: str, seed: int) -> ast.Module:
    """Return `code` with 1000·seed added to every whole number that is written as a seed."""
    return ast.fix_missing_locations(_Seeds(seed * _APART).visit(ast.parse(code)))


class _Seeds(ast.NodeTransformer):
    def __init__(self, add: int) -> None:
        self.add = add

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "default_rng":
            node.args = [self._other(value) for value in node.args]
        for keyword in node.keywords:
            if keyword.arg == "seed":
                keyword.value = self._other(keyword.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        places = node.args
        positional = [*places.posonlyargs, *places.args]
        given = positional[len(positional) - len(places.defaults) :]
        places.defaults = [
            self._other(value) if argument.arg == "seed" else value
            for argument, value in zip(given, places.defaults, strict=True)
        ]
        places.kw_defaults = [
            self._other(value) if argument.arg == "seed" and value is not None else value
            for argument, value in zip(places.kwonlyargs, places.kw_defaults, strict=True)
        ]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if any(isinstance(target, ast.Name) and target.id in ("seed", "SEED") for target in node.targets):
            node.value = self._other(node.value)
        return node

    def _other(self, value: ast.expr) -> ast.expr:
        if isinstance(value, ast.Constant) and type(value.value) is int:
            return ast.copy_location(ast.Constant(value.value + self.add), value)
        return value


def run(source: Path, seed: int) -> dict[str, Any]:
    """Run the code cells of a lecture, without what they print, and return all that they have defined."""
    names: dict[str, Any] = {"__name__": source.stem}
    cells = [cell.source for cell in jupytext.read(source, fmt="py:percent").cells if cell.cell_type == "code"]
    with contextlib.ExitStack() as quietly:
        quietly.enter_context(contextlib.redirect_stdout(io.StringIO()))
        quietly.enter_context(contextlib.redirect_stderr(io.StringIO()))  # progress bars
        quietly.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        for number, cell in enumerate(cells):
            exec(compile(with_other_seeds(cell, seed), f"{source.stem}, code cell {number}", "exec"), names)
    return names


def short(value: Any) -> str:
    """Write a number as a table has room for it."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    small = value != 0 and abs(value) < 1e-3
    return f"{value:.1e}" if small else f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"


def main(chosen: list[str]) -> int:
    unknown = [name for name in chosen if name not in NUMBERS]
    if unknown:
        raise SystemExit(f"no numbers for lecture {unknown[0]!r}. There are: {', '.join(NUMBERS)}")
    row = "{:<8} {:<48} {:>8}" + " {:>9}" * len(SEEDS) + " {:>9}  {}"
    print(row.format("lecture", "what", "asked", *(f"seed {seed}" for seed in SEEDS), "mean", "ok"))
    missed = 0
    for name in chosen or NUMBERS:
        (source,) = SOURCES.glob(f"{name}_*.py")
        started = time.process_time()
        found: dict[Asked, list[Any]] = {asked: [] for asked in NUMBERS[name]}
        for seed in SEEDS:
            names = run(source, seed)
            for asked, values in found.items():
                values.append(eval(asked.expression, names))
        for asked, values in found.items():
            mean = all(values) if asked.words == "yes" else float(np.mean(values))
            reached = [asked.reached(value) for value in values]
            ok = "yes" if all(reached) else "mean" if asked.reached(mean) else "NO"
            missed += ok == "NO"
            print(row.format(name, asked.what, asked.words, *map(short, (*values, mean)), ok), flush=True)
        seconds = (time.process_time() - started) / len(SEEDS)
        print(f"{'':<8} (a run took {seconds:.0f} CPU s)", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
