"""What a submission's own text says about it: which cells an exercise needs, and what may be quoted from an exception.

A student's process tells the type and the line of an exception, and both are shown for hidden checks too. It may say
anything, a hidden input for example; so only what stands in the submission, or is known to everybody, is passed on.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence

import numpy as np

from cnnlab.grading.model import Cell
from cnnlab.grading.wire import harmless

_KNOWN_TYPES = frozenset(
    [name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)]
    + list(np.exceptions.__all__)
    # NumPy's own refinements of TypeError and MemoryError, and what students meet most in the standard library.
    + ["UFuncTypeError", "_UFuncNoLoopError", "_UFuncInputCastingError", "_UFuncOutputCastingError"]
    + ["_ArrayMemoryError", "LinAlgError", "FrozenInstanceError", "JSONDecodeError", "UnsupportedOperation"]
    # Those of the layers that an exercise may allow.
    + ["OwnOpMissingError", "ConvOpError", "PoolOpError"]
)


class OwnCode:
    """The lines and the words of a submission."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._lines = {harmless(line.strip()[:200]) for cell in cells for line in cell.source.splitlines()}
        self._words = {word for cell in cells for word in re.findall(r"\w+", cell.source)}

    def known_line(self, line: str) -> str:
        """Return the line if it is one of the submission, else nothing."""
        return line if line in self._lines else ""

    def known_type(self, name: str) -> str:
        """Return the name of an exception's type if the submission or everybody knows it, else ``"Exception"``."""
        return name if name in _KNOWN_TYPES or name in self._words else "Exception"


def needed_until(cells: Sequence[Cell], grade_cell: int | None, functions: Sequence[str]) -> int | None:
    """Return the position of the first cell that an exercise does not need; None when it needs all.

    Cells run as far as the exercise's grade cell, as they do in nbgrader, or as far as the last cell that defines one
    of its functions, if somebody wrote it further down.

    Parameters
    ----------
    cells
        Of the submission.
    grade_cell
        Position of the exercise's grade cell; None when it is gone.
    functions
        Names of the exercise's functions.
    """
    if grade_cell is None:
        return None
    name = f"(?:{'|'.join(map(re.escape, functions))})"
    defines = re.compile(rf"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+{name}[ \t]*\(|{name}[ \t]*=(?!=))", re.MULTILINE)
    return max([grade_cell, *(cell.index + 1 for cell in cells if defines.search(cell.source))])
