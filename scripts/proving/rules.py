"""Small changes of a syntax tree, as slips of a hand or of a thought make them.

A rule is given a node, and which variables are of which kind, and yields nodes that could stand in its place.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

Kinds = Mapping[str, str]
Rule = Callable[[ast.AST, Kinds], Iterator[ast.AST]]

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.FloorDiv),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_FUNCTIONS = {
    "max": ("min", "mean", "sum"),
    "min": ("max",),
    "mean": ("sum", "max"),
    "sum": ("mean", "max", "prod"),
    "prod": ("sum",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "any": ("all",),
    "all": ("any",),
    "exp": ("log",),
    "log": ("exp",),
    "sqrt": ("square",),
    "flip": ("asarray",),
    "concatenate": ("stack",),
    "stack": ("concatenate",),
}


def operator(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Take another operator: ``+`` for ``-``, ``/`` for ``//``."""
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for other in _OPERATORS.get(type(node.op), ()):
            yield _with(node, op=other())


def operand(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Forget one side: ``a`` for ``a + b``."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    if isinstance(node, ast.BoolOp):
        yield from node.values


def comparison(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Move a boundary, or turn it round: ``<=`` or ``>`` for ``<``."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in _COMPARISONS.get(type(op), ()):
                yield _with(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])


def constant(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Take a number one off, a truth for its opposite, other letters in a sum of Einstein's."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (_number(value + 1), _number(value - 1))
    elif isinstance(value, float):
        yield from (_number(2 * value), _number(-value))
    elif isinstance(value, str) and "->" in value:
        for i in range(len(value) - 1):
            if value[i].isalpha() and value[i + 1].isalpha():
                yield ast.Constant(value[:i] + value[i + 1] + value[i] + value[i + 2 :])


def statement(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Forget a line."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if isinstance(node, ast.stmt) and not is_text and not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Pass):
        yield ast.Pass()


def order(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Exchange two neighbors: arguments, indices, the parts of a tuple; the sides of a difference or a quotient."""
    if isinstance(node, ast.Call):
        yield from (_with(node, args=changed) for changed in _exchanged(node.args))
    if isinstance(node, ast.Tuple | ast.List):
        yield from (_with(node, elts=changed) for changed in _exchanged(node.elts))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.MatMult | ast.Mod):
        yield _with(node, left=node.right, right=node.left)


def variable(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Take another variable of the same kind."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in kinds:
        for name, kind in sorted(kinds.items()):
            if kind == kinds[node.id] and name != node.id:
                yield ast.Name(name, ast.Load())


def plain_assignment(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Write ``=`` for ``+=``."""
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value, lineno=0)


def negation(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Forget a ``not`` or a minus."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def condition(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Do one side whatever the condition says, or exchange ``and`` and ``or``."""
    if isinstance(node, ast.If | ast.While):
        yield from (_with(node, test=ast.Constant(value)) for value in (True, False))
    if isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, ast.comprehension):
        for i in range(len(node.ifs)):
            yield _with(node, ifs=[*node.ifs[:i], *node.ifs[i + 1 :]])


def piece(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Move an end of a slice by one, or forget it; forget its step."""
    if not isinstance(node, ast.Slice):
        return
    for end in ("lower", "upper", "step"):
        value = getattr(node, end)
        if value is None:
            continue
        yield _with(node, **{end: None})
        if end != "step" and not isinstance(value, ast.Constant):
            for op in (ast.Add(), ast.Sub()):
                yield _with(node, **{end: ast.BinOp(value, op, ast.Constant(1))})


def function(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Call another function: ``mean`` for ``sum``, ``ones`` for ``zeros``."""
    if isinstance(node, ast.Attribute):
        yield from (_with(node, attr=other) for other in _FUNCTIONS.get(node.attr, ()))
    if isinstance(node, ast.Name) and node.id not in kinds:
        builtin = [other for other in _FUNCTIONS.get(node.id, ()) if other in ("max", "min", "sum", "any", "all")]
        yield from (ast.Name(other, node.ctx) for other in builtin)


def call(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Forget to call a function: ``x`` for ``x.copy()`` or ``np.abs(x)``; forget a ``.T``."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not (
            isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
        ):
            yield node.func.value
        elif node.args and not isinstance(node.args[0], ast.Starred):
            yield node.args[0]
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value


def argument(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Forget an argument: a keyword such as ``axis``, or the last one of several."""
    if isinstance(node, ast.Call):
        for i in range(len(node.keywords)):
            yield _with(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
        if len(node.args) > 1:
            yield _with(node, args=node.args[:-1])


def loop(node: ast.AST, kinds: Kinds) -> Iterator[ast.AST]:
    """Leave out the first or the last round of a loop over a range."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        start, stop = ([ast.Constant(0), *node.args] if len(node.args) == 1 else node.args)[:2]
        rest = node.args[2:]
        yield _with(node, args=[ast.BinOp(start, ast.Add(), ast.Constant(1)), stop, *rest])
        yield _with(node, args=[start, ast.BinOp(stop, ast.Sub(), ast.Constant(1)), *rest])
        yield _with(node, args=[start, ast.BinOp(stop, ast.Add(), ast.Constant(1)), *rest])
    if isinstance(node, ast.Continue):
        yield ast.Break()


RULES: dict[str, Rule] = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        *(operator, operand, comparison, constant, statement, order, variable, plain_assignment, negation, condition),
        *(piece, function, call, argument, loop),
    )
}


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _exchanged(items: Sequence[ast.expr]) -> Iterator[list[ast.expr]]:
    for i, j in itertools.pairwise(range(len(items))):
        yield [*items[:i], items[j], items[i], *items[j + 1 :]]


def _number(value: float) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))
