"""Secrets that nobody can guess, put where a submission must not look; a new set for each trial."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnnlab.checks import exercises, hidden_seed
from cnnlab.checks.asked import asked
from cnnlab.checks.seeds import VISIBLE_SEED

PREFIX = "CANARY-"


@dataclass(frozen=True)
class Canary:
    """One secret.

    Attributes
    ----------
    place
        Where it was put, in words.
    text
        The secret.
    belongs
        Beginnings of the paths, below the course folder, where it may be seen.
    """

    place: str
    text: str
    belongs: tuple[str, ...] = ()


@dataclass
class Canaries:
    """The secrets of one trial."""

    all: list[Canary] = field(default_factory=list)

    def new(self, place: str, *belongs: str) -> str:
        """Return a new secret for a place."""
        text = PREFIX + secrets.token_hex(12)
        self.all.append(Canary(place, text, belongs))
        return text

    def add_hidden_inputs(self, course: Path) -> None:
        """Take the inputs of hidden checks for secrets too, written as the samples write what they were asked."""
        seed, _ = hidden_seed(course)
        for exercise in exercises("a1")[:2]:
            shown = set(_inputs(exercise, hidden=False, seed=VISIBLE_SEED))
            hidden = dict.fromkeys(_inputs(exercise, hidden=True, seed=seed))
            self.all += [Canary(f"a hidden input of {exercise.id}", text) for text in hidden if text not in shown]


def _inputs(exercise, *, hidden: bool, seed: int) -> list[str]:  # type: ignore[no-untyped-def]
    found = []
    for index, check in enumerate(exercise.checks):
        if check.hidden is hidden:
            found += [_as_told(each.case.arguments) for each in asked(exercise, index, seed)]
    return found


def _as_told(arguments: Sequence[object]) -> str:
    return repr(arguments[0].ravel()[:3].tolist())  # type: ignore[attr-defined]
