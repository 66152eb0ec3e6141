"""All mutants of an exercise's solution: each has one small change of the syntax tree."""

from __future__ import annotations

import ast
import difflib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cnnlab.checks.model import Exercise
from proving.rules import RULES, Kinds
from proving.solutions import Solution, compiled, kinds_of_variables


@dataclass(frozen=True)
class Mutant:
    """One changed cell of a solution.

    Attributes
    ----------
    exercise_id
        Whose solution it is.
    cell
        Which of the solution's cells is another one.
    rule
        The name of the rule of `RULES` that changed it.
    before, after
        Both sources, as `ast.unparse` writes them.
    """

    exercise_id: str
    cell: int
    rule: str
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The lines that differ, with one line around them."""
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=1)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def mutants_of(exercise: Exercise, solution: Solution) -> list[Mutant]:
    """Return all different mutants, in the order of the source."""
    kinds = kinds_of_variables(exercise, solution.functions(exercise))
    found: dict[str, Mutant] = {}
    for cell in solution.own:
        before = ast.unparse(ast.parse(solution.cells[cell]))
        for rule, after in changes(before, kinds):
            found.setdefault(after, Mutant(exercise.id, cell, rule, before, after))
    return list(found.values())


def some(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return so many of the mutants, drawn at random; every rule has its turn, for some apply far more often.

    Their order is random too, so that the first few are as fair a choice.
    """
    rng = np.random.default_rng(seed)
    by_rule: dict[str, list[Mutant]] = {}
    for i in rng.permutation(len(mutants)):
        by_rule.setdefault(mutants[i].rule, []).append(mutants[i])
    rounds = itertools.zip_longest(*(by_rule[rule] for rule in sorted(by_rule)))
    return [mutant for turn in rounds for mutant in turn if mutant is not None][:count]


def changes(source: str, kinds: Mapping[str, Kinds]) -> Iterator[tuple[str, str]]:
    """Yield the name of a rule and the source that it makes, for each place of each function that it applies to.

    Parameters
    ----------
    source
        Code, as `ast.unparse` writes it.
    kinds
        For each function, the kind of each of its variables.
    """
    tree = ast.parse(source)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        here = kinds.get(function.name, {})
        for statement in function.body:
            for place in _places(function, statement):
                for rule in place.changed(here):
                    after = _runnable(tree)
                    if after not in (None, source):
                        yield rule, after


@dataclass(frozen=True)
class _Place:
    """Where a node of a tree hangs: its parent, the field, and the index if that is a list."""

    parent: ast.AST
    field: str
    index: int | None = None

    @property
    def node(self) -> ast.AST:
        value = getattr(self.parent, self.field)
        found: ast.AST = value if self.index is None else value[self.index]
        return found

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node

    def changed(self, kinds: Kinds) -> Iterator[str]:
        """Yield the name of each rule that applies, while its node is in the tree."""
        kept = self.node
        for name, rule in RULES.items():
            for other in rule(kept, kinds):
                self.put(other)
                yield name
                self.put(kept)


def _places(function: ast.FunctionDef, statement: ast.stmt) -> Iterator[_Place]:
    """Yield the place of a statement and of every node in it."""
    yield _Place(function, "body", function.body.index(statement))
    for parent in ast.walk(statement):
        if isinstance(parent, ast.FunctionDef | ast.JoinedStr):
            continue  # a function inside has its own turn
        for field, value in ast.iter_fields(parent):
            if isinstance(value, list):
                yield from (_Place(parent, field, i) for i, item in enumerate(value) if isinstance(item, ast.AST))
            elif isinstance(value, ast.AST):
                yield _Place(parent, field)


def _runnable(tree: ast.Module) -> str | None:
    """Return the source of a tree, or None if it is no program."""
    try:
        source = ast.unparse(tree)
        compiled(source, "<mutant>")
    except (SyntaxError, ValueError):
        return None
    return source
