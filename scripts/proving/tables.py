"""The tables of ``scripts/prove_checks.py``, and whether they show what is aimed at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cnnlab.checks.model import Exercise
from proving.contained import Lost
from proving.mutants import Mutant
from proving.naming import Kind, Question, Told
from proving.surviving import Verdict
from proving.timing import Times

LEAST_NAMES, LEAST_MUTANTS, LEAST_FAILED = 90, 500, 0.99
LONGEST_CHECK, LONGEST_GRADE = 2.0, 10.0  # seconds of one core


@dataclass
class Naming:
    """What was told about one exercise."""

    exercise: Exercise
    told: list[tuple[Kind, Told]] = field(default_factory=list)
    lost: list[tuple[Question, Lost]] = field(default_factory=list)

    def count(self, kind: Kind, run: str, *states: str) -> int:
        """Return how often something of a kind ended in one of the states; `run` is "visible" or "hidden"."""
        return sum(one == kind and getattr(told, run) in states for one, told in self.told)

    def worst(self, kind: Kind, *states: str) -> int:
        """Return how often it did so in any run."""
        return sum(one == kind and bool({told.visible, told.hidden} & set(states)) for one, told in self.told)

    @property
    def short(self) -> list[tuple[Kind, Told]]:
        """What did not get just the names it should get."""
        return [(kind, told) for kind, told in self.told if not {told.visible, told.hidden} <= {"named", "as one"}]

    @property
    def falls_short(self) -> bool:
        """Whether a mistake or an answer is not named, or anything is misnamed; two at once may be too many."""
        return bool(self.lost) or any(
            kind != "pair" or "misnamed" in (told.visible, told.hidden) for kind, told in self.short
        )


@dataclass
class Survey:
    """What became of the mutants of one exercise."""

    exercise: Exercise
    possible: int
    asked: int
    verdicts: list[tuple[Mutant, Verdict]] = field(default_factory=list)

    def count(self, *states: str) -> int:
        """Return how many ended in one of the states."""
        return sum(verdict.state in states for _, verdict in self.verdicts)

    @property
    def survivors(self) -> list[tuple[Mutant, Verdict]]:
        """Those that are wrong, though no check says so."""
        return [(mutant, verdict) for mutant, verdict in self.verdicts if verdict.state == "survived"]


def naming_table(rows: Sequence[Naming]) -> str:
    """Return the table of known mistakes: exercise × (alone, two at once, as students write them)."""
    head = ["exercise", "names", "mistakes"]
    head += ["visible: named", "not named", "misnamed", "with hidden: named", "not named", "misnamed"]
    head += [
        "pairs: both",
        "as one alone",
        "one",
        "none",
        "misnamed",
        "students' answers: named",
        "not named",
        "misnamed",
    ]
    lines = []
    for row in rows:
        lines.append([row.exercise.id, len({mistake.name for mistake in row.exercise.mistakes})])
        lines[-1] += [sum(kind == "mistake" for kind, _ in row.told)]
        for run in ("visible", "hidden"):
            states = (("named",), ("partly", "unnamed", "passed"), ("misnamed",))
            lines[-1] += [row.count("mistake", run, *chosen) for chosen in states]
        pairs = sum(kind == "pair" for kind, _ in row.told)
        misnamed, none = row.worst("pair", "misnamed"), row.worst("pair", "unnamed", "passed")
        short = sum(kind == "pair" for kind, _ in row.short)
        as_one = row.worst("pair", "as one")
        lines[-1] += [pairs - short - as_one, as_one, short - misnamed - none, none, misnamed]
        answers = sum(kind == "answer" for kind, _ in row.told)
        misnamed, short = row.worst("answer", "misnamed"), sum(kind == "answer" for kind, _ in row.short)
        lines[-1] += [answers - short, short - misnamed, misnamed]
    return table(head, lines)


def mutant_table(rows: Sequence[Survey]) -> str:
    """Return the table of random wrong answers."""
    head = ["exercise", "possible", "tried", "equivalent", "failed", "by hidden checks only", "survived", "failed, %"]
    lines = []
    for row in rows:
        failed, survived = row.count("visible", "hidden"), row.count("survived")
        lines.append([row.exercise.id, row.possible, len(row.verdicts), row.count("equivalent"), failed])
        lines[-1] += [row.count("hidden"), survived, _percent(failed, survived)]
    sums = [sum(line[i] for line in lines) for i in range(1, 7)]  # type: ignore[misc]
    return table(head, lines, [*sums, _percent(sums[3], sums[5])])


def times_table(times: Mapping[str, Sequence[Times]]) -> str:
    """Return the table of times: each exercise with its slowest right answer, and the sum of each assignment."""
    lines: list[list[object]] = []
    for exercise_id, ways in times.items():
        check = max(ways, key=lambda way: way.longest)
        lines.append([exercise_id, check.longest, f"{check.check} ({check.way})", ways[0].whole, ways[0].way])
    for assignment, whole in whole_grades(times).items():
        lines.append([f"**{assignment}**", "", "", whole, ""])
    return table(["exercise", "longest check, s", "which (answer)", "whole grade, s", "slowest answer"], lines)


def whole_grades(times: Mapping[str, Sequence[Times]]) -> dict[str, float]:
    """Return the seconds of each assignment, each exercise with its slowest right answer."""
    sums: dict[str, float] = {}
    for exercise_id, ways in times.items():
        assignment = exercise_id.partition(".")[0]
        sums[assignment] = sums.get(assignment, 0.0) + ways[0].whole
    return sums


def shortfalls(
    namings: Sequence[Naming], surveys: Sequence[Survey], times: Mapping[str, Sequence[Times]], *, whole: bool
) -> list[str]:
    """Return where the tables are below what is aimed at; `whole`: all exercises were asked for."""
    said = [f"{row.exercise.id}: a mistake is not named, or misnamed" for row in namings if row.falls_short]
    names = {(row.exercise.id, mistake.name) for row in namings for mistake in row.exercise.mistakes}
    if whole and namings and len(names) < LEAST_NAMES:
        said.append(f"{len(names)} different mistakes: {LEAST_NAMES} are wanted")
    failed, survived = (sum(row.count(*states) for row in surveys) for states in (("visible", "hidden"), ("survived",)))
    if survived and failed < LEAST_FAILED * (failed + survived):
        said.append(f"{_percent(failed, survived)} % of the wrong answers fail: {LEAST_FAILED:.0%} are wanted")
    if whole and surveys and failed + survived < LEAST_MUTANTS:
        said.append(f"{failed + survived} wrong answers were tried: {LEAST_MUTANTS} are wanted")
    for exercise_id, ways in times.items():
        longest = max(way.longest for way in ways)
        if longest >= LONGEST_CHECK:
            said.append(f"{exercise_id}: a check takes {longest:.1f} s")
    said += [f"{name}: a grade takes {s:.1f} s" for name, s in whole_grades(times).items() if s >= LONGEST_GRADE]
    return said


def table(head: Sequence[str], lines: Iterable[Sequence[object]], sums: Sequence[object] | None = None) -> str:
    """Return a table in Markdown: names to the left, numbers to the right."""
    rows = [list(line) for line in lines]
    if sums is None and rows and all(isinstance(cell, int) for row in rows for cell in row[1:]):
        sums = [sum(column) for column in list(zip(*rows, strict=True))[1:]]
    if sums is not None:
        rows.append(["**all**", *sums])
    text = [[f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    left = [i == 0 or any(not _is_number(row[i]) for row in text) for i in range(len(head))]
    rule = [":--" if is_left else "--:" for is_left in left]
    return "\n".join(f"| {' | '.join(row)} |" for row in (list(head), rule, *text))


def _is_number(text: str) -> bool:
    return text in ("", "–") or text.replace(".", "", 1).isdecimal()


def _percent(failed: int, survived: int) -> str:
    return f"{100 * failed / (failed + survived):.1f}" if failed + survived else "–"
